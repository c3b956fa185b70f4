"""Looks at reports in a browser: ``python plots/tests/browser/check.py``, from the repository's folder.

First at pages that have one fault each, which have to be found, and at sound ones, in which there is none to be found.
Then at the reports of the gallery's runs, which are run where they are missing: at 360, 800 and 1600 pixels, light and
dark, and as they are printed. Nothing may overflow the page, no text may be clipped or leave its box, be pale or tiny,
the console has to be silent, and nothing may be asked of the network.

Exit codes: 0 all is well; 1 something is not; 2 wrong use; 77 there is no browser on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import broken
from chromium import BrowserError, Chromium, find

from gradflow_plots.gallery import call, read_gallery, run_flows
from gradflow_plots.report.figures import FAULT
from gradflow_plots.tables import RunError

WIDTHS = (360, 800, 1600)
THEMES = ("light", "dark")
#: A printed A4 page between its margins, in CSS pixels.
PAPER = 680
#: The page of which runs; ``-`` before a name is the same run as it stood when it was stopped.
PAGES = {
    "three-stage": ["three-stage"],
    "flows": ["population"],
    "many-flows": ["emergence-scaling"],
    "sweep": ["selection-diagram"],
    "sweep-with-replicates": ["capacity-diagram"],
    "plane": ["plane-mixed"],
    "phases": ["four-phases"],
    "descent": ["descent"],
    "information": ["information"],
    "stopped": ["-four-phases"],
    "two": ["three-stage", "generalisation"],
    "many": ["four-phases", "capacity-diagram", "plane-shares", "information", "selection-diagram"],
}
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true })"


def faults_of(browser: Chromium, file: Path, width: int, theme: str, media: str = "") -> list[str]:
    """Open a page with all its parts; return what is wrong with it at a width and in a theme."""
    browser.show(file.as_uri(), width=width, theme=theme, media=media)
    browser.evaluate(OPEN)
    found = list(browser.evaluate(f"{LOOK}({width})"))
    # What is asked for or said comes before the answer to a later call.
    browser.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")
    for event in browser.events:
        about = event["params"]
        match event["method"]:
            case "Runtime.consoleAPICalled":
                said = " ".join(str(one.get("value", one.get("description", ""))) for one in about["args"])
                found.append(f"console.{about['type']}: {said}")
            case "Runtime.exceptionThrown":
                found.append(f"exception: {about['exceptionDetails'].get('exception', {}).get('description', '')}")
            case "Log.entryAdded":
                found.append(f"console: {about['entry']['level']}: {about['entry']['text']}")
            case "Network.requestWillBeSent":
                url = about["request"]["url"]
                if not url.startswith("data:") and url.partition("#")[0] != file.as_uri():
                    found.append(f"asks the network for {url}")
    return found


def check_the_check(browser: Chromium, folder: Path) -> int:
    """Look at pages with one fault each and at sound ones; return how many are judged wrongly."""
    wrong = 0
    for name, (text, expected) in broken.PAGES.items():
        file = folder / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        found = [*faults_of(browser, file, 360, "dark"), *faults_of(browser, file, PAPER, "dark", "print")]
        is_right = any(expected in fault for fault in found) if expected else not found
        if not is_right:
            wrong += 1
            print(f"FAILED: {name}: expected {expected or 'no fault'}, found {found or 'none'}")
    if not wrong:
        print(f"the check itself: {len(broken.PAGES)} pages, sound and broken, are judged as they should be")
    return wrong


def write_reports(runs: Path, out: Path) -> dict[str, Path]:
    """Write all reports, two at a time; return their files by name."""
    stopped = out / "stopped-runs" / "four-phases"
    shutil.copytree(runs / "four-phases", stopped, ignore=shutil.ignore_patterns("report.html", "figures"))
    manifest = json.loads((stopped / "manifest.json").read_text(encoding="utf-8"))
    manifest["status"] = {"state": "stopped", "message": "stopped on its way, by a signal <b>&</b> a very_long_word" + "x" * 90}
    (stopped / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def write(name: str) -> tuple[str, Path]:
        folders = [str(stopped if run.startswith("-") else runs / run) for run in PAGES[name]]
        partial = ["--partial"] if any(run.startswith("-") for run in PAGES[name]) else []
        file = out / f"{name}.html"
        subprocess.run([sys.executable, "-m", "gradflow_plots.report", *folders, "--out", str(file), *partial],
                       check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        return name, file

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        return dict(pool.map(write, PAGES))


def look_at(browser: Chromium, name: str, file: Path, pictures: Path | None) -> int:
    """Look at one report in all ways; return how many faults there are."""
    views = [(width, theme, "") for width in WIDTHS for theme in THEMES] + [(PAPER, "dark", "print")]
    count = 0
    for width, theme, media in views:
        where = f"{name}, {media or theme}, {width} pixels"
        found = faults_of(browser, file, width, theme, media)
        for fault in found[:20]:
            print(f"FAILED: {where}: {fault}")
        count += len(found)
        if pictures:
            browser.picture(pictures / f"{name}-{media or theme}-{width}.png")
    if pictures:
        browser.show(file.as_uri(), width=800, theme="dark")
        browser.pdf(pictures / f"{name}.pdf")
    size = file.stat().st_size
    if FAULT in file.read_text(encoding="utf-8"):
        print(f"FAILED: {name} lacks a figure: {FAULT}")
        count += 1
    if size > 2_000_000:
        print(f"FAILED: {name} has {size / 1e6:.2f} MB")
        count += 1
    if not count:
        print(f"{name}: {size / 1e6:.2f} MB, well in {len(views)} ways", flush=True)
    return count


def main() -> int:
    """Run the command line; give its exit code."""
    parser = argparse.ArgumentParser(description="Look at reports in a browser.")
    parser.add_argument("--runs", type=Path, default=Path("runs/gallery"), help="the gallery's runs")
    parser.add_argument("--program", default=os.environ.get("GRADFLOW", ".build/release/gradflow"), help="gradflow")
    parser.add_argument("--only", choices=list(PAGES), action="append", help="look at this page; may be repeated")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="write pictures of all pages there, too")
    options = parser.parse_args()
    program = find()
    if program is None:
        print("77: there is no Chromium on this machine; scripts/setup.sh browser installs Debian's.", file=sys.stderr)
        return 77
    began = time.monotonic()
    try:
        wanted = {run.lstrip("-") for runs in PAGES.values() for run in runs}
        entries = [run for run in read_gallery(Path("plots/gallery.toml"))[0] if run.name in wanted]
        run_flows(entries, options.program, options.runs, call)
    except (RunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    for name in [name for name in PAGES if options.only and name not in options.only]:
        del PAGES[name]
    with tempfile.TemporaryDirectory(prefix="gradflow-report-") as place:
        try:
            browser = Chromium(program)
        except (BrowserError, OSError) as error:
            print(f"77: {error}", file=sys.stderr)
            return 77
        with browser:
            faults = check_the_check(browser, Path(place))
            for name, file in write_reports(options.runs, Path(place)).items():
                faults += look_at(browser, name, file, options.screenshots)
    print(f"{faults or 'no'} fault{'' if faults == 1 else 's'}, {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
