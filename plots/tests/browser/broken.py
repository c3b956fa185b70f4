"""Pages with one fault each, and sound ones: what the check has to find, or must not."""

from __future__ import annotations

_HEAD = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
_STYLE = (
    "<style>body{margin:0;background:#fff;color:#000;font:16px/1.5 sans-serif}"
    ".box{overflow-x:auto}.wide{width:900px}.cut{width:80px;overflow:hidden;white-space:nowrap}"
    ".line{width:80px;white-space:nowrap}table{border-collapse:collapse}</style>"
)
_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"


def _page(body: str, style: str = "") -> str:
    return f"{_HEAD}{_STYLE}<style>{style}</style><title>a page</title><body>{body}"


#: Name → the page and what has to be said of it; nothing has to be said of a sound one.
PAGES: dict[str, tuple[str, str]] = {
    "sound": (_page("<h1>A page</h1><p>with a text that may break wherever it wants to, on a phone, too.</p>"), ""),
    "sound-scrolling": (_page('<div class="box" tabindex="0"><table class="wide"><tr><td>1<td>2</table></div>'), ""),
    "sound-dark": (
        _page("<p>text</p>", "@media screen and (prefers-color-scheme:dark){body{background:#1b1b1d;color:#e8e6e3}}"), "",
    ),
    "wide": (_page('<div class="wide">wide</div>'), "the page is 900 pixels wide"),
    "wide-on-a-phone": (_page('<div class="wide">wide</div>'), "makes the screen"),
    "leaves": (_page('<p style="position:absolute;left:-30px">left</p>'), "leaves the page"),
    "a-long-word": (_page(f"<p>{'x' * 200}</p>"), "pixels wide on a screen"),
    "clipped": (_page('<p class="cut">a text that does not fit</p>'), "is clipped in its box"),
    "out-of-its-box": (_page('<p class="line">a text that does not fit</p>'), "its text leaves its box"),
    "keys": (_page('<ul class="box"><li class="wide">x</ul>'), "scrolls, but not by keys"),
    "pale": (_page('<p style="color:#999">pale</p>'), "a contrast of 2.8"),
    "dark-on-dark": (_page("<p>text</p>", "@media (prefers-color-scheme:dark){body{background:#222}}"), "a contrast of"),
    "tiny": (_page('<p style="font-size:9px">tiny</p>'), "letters of 9px"),
    "small-figure": (
        _page('<svg viewBox="0 0 504 100" style="width:100%"><path d="M0 0L504 100"/></svg>'), "drawn too small",
    ),
    "twice": (_page('<p id="a">1</p><p id="a">2</p>'), "an id stands twice: a"),
    "nowhere": (_page('<a href="#b">b</a>'), "a link leads nowhere"),
    "printed-dark": (
        _page("<p>text</p>", "@media (prefers-color-scheme:dark){body{background:#111;color:#eee}}"), "on a dark ground",
    ),
    "error": (_page("<script>console.error('oh')</script>"), "console.error: oh"),
    "warning": (_page("<script>console.warn('oh')</script>"), "console.warning: oh"),
    "exception": (_page("<script>nothing.here()</script>"), "exception: ReferenceError"),
    "refused": (_page(f"{_POLICY}<script>1</script>"), "Content Security Policy"),
    "image": (_page('<img src="http://127.0.0.1:9/a.png" alt="">'), "asks the network for http://127.0.0.1:9/a.png"),
    "style-sheet": (_page('<link rel="stylesheet" href="other.css">'), "other.css"),
    "font": (
        _page("<p>text</p>", "@font-face{font-family:f;src:url(http://127.0.0.1:9/f.woff2)}p{font-family:f}"), "f.woff2",
    ),
}  # fmt: skip
