"""Chromium without a window, driven over two pipes: messages of the DevTools protocol, each ended by a NUL."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Names under which distributions install it; the first that is there is taken.
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
#: Seconds until a silent browser counts as hung.
PATIENCE = 120 * float(os.environ.get("GRADFLOW_PATIENCE", "1"))


class BrowserError(Exception):
    """The browser cannot be started, or does not answer."""


def find() -> str | None:
    """Return the path of the browser; ``CHROMIUM`` names another one."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser with one page. ``events`` holds what it reported since they were taken last."""

    def __init__(self, program: str) -> None:
        """Start it with a profile of its own, and no network but what a page asks for."""
        self.folder = Path(tempfile.mkdtemp(prefix="gradflow-chromium-"))
        # The child's ends come in as 3 and 4, so none of ours may have those numbers.
        ours = [[fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in os.pipe()] for _ in range(2)]
        (child_reads, self._writes), (self._reads, child_writes) = ours
        arguments = [
            program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.folder}", "--disable-gpu",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--font-render-hinting=none",
            *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank",
        ]  # fmt: skip
        log = str(self.folder / "log")
        self._process = os.posix_spawn(
            program, arguments, {**os.environ, "HOME": str(self.folder)}, setpgroup=0,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, child_reads, 3),
                (os.POSIX_SPAWN_DUP2, child_writes, 4),
            ],
        )  # fmt: skip
        os.close(child_reads)
        os.close(child_writes)
        self._number, self._rest, self._session = 0, b"", None
        self.events: list[dict[str, Any]] = []
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BrowserError as error:
            said = (self.folder / "log").read_text(encoding="utf-8", errors="replace").strip()[-2000:]
            self.close()
            raise BrowserError(f"{program} cannot be driven: {error}\n{said}") from error

    def __enter__(self) -> Chromium:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the browser."""
        self.close()

    def close(self) -> None:
        """End the browser and remove its profile."""
        with contextlib.suppress(BrowserError, OSError):
            self.call("Browser.close")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)
        os.close(self._writes)
        os.close(self._reads)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        try:
            while data:
                data = data[os.write(self._writes, data) :]
        except OSError as error:
            raise BrowserError("it has ended.") from error
        number = self._number
        answer = self._until(lambda one: one.get("id") == number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        return dict(answer["result"])

    def wait(self, event: str) -> dict[str, Any]:
        """Wait for an event, and return its parameters."""
        found = next((one for one in self.events if one["method"] == event), None)
        return dict((found or self._until(lambda one: one.get("method") == event))["params"])

    def _until(self, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while True:
            while b"\0" not in self._rest:
                if not select.select([self._reads], [], [], max(end - time.monotonic(), 0))[0]:
                    raise BrowserError(f"no answer within {PATIENCE:g} s.")
                more = os.read(self._reads, 1 << 20)
                if not more:
                    raise BrowserError("it has ended.")
                self._rest += more
            first, _, self._rest = self._rest.partition(b"\0")
            message = json.loads(first)
            if "method" in message:
                self.events.append(message)
            if is_wanted(message):
                return dict(message)

    # MARK: Pages

    def show(self, url: str, *, width: int, height: int = 900, theme: str = "light", media: str = "") -> None:
        """Open a page at a width in CSS pixels, as a reader of light or dark pages has it."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=width < 500,
                  deviceScaleFactor=2 if width < 500 else 1)  # fmt: skip
        self.media(theme, media)
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def media(self, theme: str, media: str = "") -> None:
        """Show the page to a reader of light or dark pages, on the screen or as it is printed."""
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": theme}])

    def evaluate(self, script: str) -> Any:
        """Return the value of a script in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"the script of the check fails: {result['exceptionDetails']}")
        return result["result"].get("value")

    def picture(self, file: Path, *, most: int = 12_000) -> None:
        """Write the whole page as PNG, cut at so many pixels."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        file.write_bytes(base64.b64decode(data))

    def pdf(self, file: Path) -> None:
        """Write the page as it is printed on A4."""
        data = self.call("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69,
                         preferCSSPageSize=True)["data"]  # fmt: skip
        file.write_bytes(base64.b64decode(data))
