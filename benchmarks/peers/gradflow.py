"""gradflow itself: the reference, and its times as a whole process."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


class GradflowError(Exception):
    """A run of gradflow that failed; the text is what it said."""


@dataclass(frozen=True)
class Gradflow:
    """The programs in the folder ``binaries``, with so many threads."""

    binaries: Path
    threads: int

    @property
    def program(self) -> Path:
        """Return the program that runs experiments."""
        return self.binaries / "gradflow"

    @property
    def benchmarks(self) -> Path:
        """Return the program that times single gradients."""
        return self.binaries / "flow-benchmarks"

    def run(
        self,
        experiment: Path,
        out: Path,
        settings: dict[str, object],
        *,
        export: bool = False,
        limit: float | None = None,
    ) -> float:
        """Run an experiment into the fresh folder ``out``; return the seconds of the whole process.

        Raise ``subprocess.TimeoutExpired`` after ``limit`` seconds, ``GradflowError`` when it fails.
        """
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        command = [self.program, "run", experiment, "--quiet", "--out", out]
        command += ["--threads", str(self.threads), *(["--export-corpus"] if export else [])]
        for key, value in settings.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command += ["--set", f"{key}={text}"]
        begin = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode != 0:
            raise GradflowError(f"{experiment.name}: {done.stderr.strip()}")
        return seconds

    def gradient_milliseconds(self, arguments: list[str]) -> float:
        """Return what ``flow-benchmarks gradient`` measures."""
        command = [self.benchmarks, "gradient", "--threads", str(self.threads), "--milliseconds"]
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode != 0:
            raise GradflowError(done.stderr.strip())
        return float(done.stdout)


def without_claims(experiment: str) -> str:
    """Return an experiment that judges no laws: the peers do not, either."""
    return re.sub(r"^claims:.*\n?", "", experiment, flags=re.MULTILINE)
