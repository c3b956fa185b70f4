// What is wrong with the page as it stands: a list of sentences. `width` is that of the screen.
((width) => {
  const faults = [];
  const name = (element) => {
    const label = element.id ? "#" + element.id : element.className && element.className.baseVal === undefined ? "." + element.className : "";
    const text = (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.tagName.toLowerCase()}${label}> “${text}”`;
  };
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
  const scroller = (element) => {
    for (let up = element; up && up !== document.body; up = up.parentElement) if (scrolls(up)) return up;
    return null;
  };
  const hidden = (element) => {
    for (let up = element; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.display === "none" || style.visibility === "hidden" || style.clipPath === "inset(50%)") return true;
    }
    return false;
  };

  const page = document.scrollingElement;
  if (innerWidth !== width) faults.push(`the page makes the screen ${innerWidth} pixels wide instead of ${width}`);
  if (page.scrollWidth > width) faults.push(`the page is ${page.scrollWidth} pixels wide on a screen of ${width}`);

  const elements = [...document.body.querySelectorAll("*")].filter((one) => !one.closest("svg svg, svg *") && !hidden(one));
  for (const element of elements) {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (box.width === 0 || box.height === 0) continue;
    const outer = scroller(element.parentElement);
    if (!outer && (box.right > width + 0.5 || box.left < -0.5)) faults.push(`${name(element)} leaves the page`);
    if (element.tagName === "svg") continue;
    const clips = /hidden|clip/.test(style.overflowX) || /hidden|clip/.test(style.overflowY);
    if (clips && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1))
      faults.push(`${name(element)} is clipped in its box`);
    if (scrolls(element) && element.scrollHeight > element.clientHeight + 1) faults.push(`${name(element)} is cut off below`);
    if (scrolls(element) && element.scrollWidth > element.clientWidth + 1 && element.tabIndex < 0)
      faults.push(`${name(element)} scrolls, but not by keys`);
  }

  // Texts: inside of their boxes, large enough, and with enough contrast.
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const colour = (text) => {
    const parts = (text.match(/[\d.]+/g) || []).map(Number);
    return { alpha: parts.length > 3 ? parts[3] : 1, value: parts.slice(0, 3).map((one) => channel(one / 255)) };
  };
  const light = (value) => 0.2126 * value[0] + 0.7152 * value[1] + 0.0722 * value[2];
  const behind = (element) => {
    for (let up = element; up; up = up.parentElement) {
      const found = colour(getComputedStyle(up).backgroundColor);
      if (found.alpha > 0.99) return found.value;
    }
    return [1, 1, 1];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.data.trim() || element.closest("svg, style, script") || hidden(element)) continue;
    let box = element;
    while (/inline|contents/.test(getComputedStyle(box).display) && box !== document.body) box = box.parentElement;
    const range = document.createRange();
    range.selectNodeContents(text);
    const frame = box.getBoundingClientRect();
    for (const rect of range.getClientRects()) {
      if (rect.width === 0) continue;
      if (!scrolls(box) && !scroller(box) && (rect.right > frame.right + 1 || rect.left < frame.left - 1)) {
        faults.push(`${name(element)}: its text leaves its box`);
        break;
      }
      if (scroller(box) && !scrolls(box) && box.tagName !== "CODE" && rect.right > frame.right + 1) {
        faults.push(`${name(element)}: its text leaves its cell`);
        break;
      }
    }
    const style = getComputedStyle(element);
    if (parseFloat(style.fontSize) < 11 && !matchMedia("print").matches) faults.push(`${name(element)} has letters of ${style.fontSize}`);
    const [front, back] = [light(colour(style.color).value), light(behind(element))];
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < 4.5) faults.push(`${name(element)} has a contrast of ${contrast.toFixed(1)}`);
  }

  // Figures: 7 points have to be 9 pixels on a screen.
  for (const svg of document.querySelectorAll("svg[viewBox]")) {
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    if (!hidden(svg) && !matchMedia("print").matches && scale < 1.28) faults.push(`${name(svg)} is drawn too small: ${scale.toFixed(2)} pixels a point`);
  }

  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) faults.push(`an id stands twice: ${ids.find((one, at) => ids.indexOf(one) !== at)}`);
  for (const one of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(decodeURIComponent(one.hash.slice(1)))) faults.push(`a link leads nowhere: ${one.hash}`);

  if (matchMedia("print").matches) {
    if (light(behind(document.body)) < 0.95) faults.push("the page is printed on a dark ground");
    if (light(colour(getComputedStyle(document.body).color).value) > 0.1) faults.push("the page is printed in light letters");
    const paper = getComputedStyle(document.documentElement).getPropertyValue("--gradflow-paper").trim();
    if (paper && paper.toLowerCase() !== "#ffffff") faults.push(`figures are printed on ${paper}`);
  }
  return [...new Set(faults)];
})
