"""The machine: what it is, and how much of it other processes take while something is measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = "numpy scipy jax jaxlib diffrax equinox optimistix lineax scikit-sundae torch torchdiffeq".split()


class OtherLoad:
    """The cores that others keep busy from its making until ``cores()``; None where that is not known.

    What this process and its ended children take is not others', nor what ``running`` says that running
    children have taken so far, in seconds.
    """

    def __init__(self, running: Callable[[], float] = lambda: 0.0) -> None:
        self._running = running
        self._begin, self._busy, self._own = time.perf_counter(), busy_seconds(), self._taken()

    def _taken(self) -> float:
        return own_seconds() + self._running()

    def cores(self) -> float | None:
        """Return the cores that other processes kept busy since the beginning."""
        busy = busy_seconds()
        if busy is None or self._busy is None:
            return None
        elapsed = time.perf_counter() - self._begin
        others = (busy - self._busy) - (self._taken() - self._own)
        return round(max(0.0, others / max(elapsed, 1e-9)), 2)


def own_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def busy_seconds() -> float | None:
    """Return the processor time that all processes took since the machine started."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _, _, interrupts, soft_interrupts = map(int, fields[:7])
    ticks = user + nice + system + interrupts + soft_interrupts
    return ticks / os.sysconf("SC_CLK_TCK")


def describe(threads: int, gradflow: Path) -> dict[str, Any]:
    """Return what a reader of the results has to know."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "sundials_of_scikit_sundae": sundials_version(),
        "gradflow": output([str(gradflow), "--version"]),
        "gradflow_commit": commit(gradflow),
    }


def commit(gradflow: Path) -> str:
    """Return the commit that the program was built from, which only one in the build folder tells."""
    is_built_here = gradflow.resolve().is_relative_to(Path(__file__).resolve().parents[2] / ".build")
    return output(["git", "rev-parse", "HEAD"]) if is_built_here else "unknown"


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def version(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def sundials_version() -> str:
    """Return the version of SUNDIALS that scikit-SUNDAE brings."""
    try:
        from sksundae import SUNDIALS_VERSION
    except ImportError:
        return "not installed"
    return str(SUNDIALS_VERSION)


def output(command: list[str]) -> str:
    """Return the first line that a command prints, empty when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout.strip().splitlines() or [""])[0]


def write_json(path: Path, value: Any) -> None:
    """Write a file whole or not at all."""
    aside = path.with_name(path.name + ".tmp")
    aside.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    aside.replace(path)
