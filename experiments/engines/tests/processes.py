"""Processes that this test has started, directly or not, and no others."""

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# Against hanging alone: nothing here is a measurement.
PATIENCE = 300

_started: dict[int, subprocess.Popen] = {}


class Overdue(Exception):
    """Something did not happen in time."""


@dataclass
class Process:
    pid: int
    parent: int
    state: str
    name: str

    @property
    def words(self) -> list[str]:
        """Its command line; empty when it is gone."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except OSError:
            return []


_system = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Makes this process the parent of all that lose theirs, such as daemons, so that none gets away."""
    set_child_subreaper = 36
    if _system.prctl(set_child_subreaper, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _die_with_parent() -> None:
    """Also when this process is killed, and can end nothing itself, no daemon is left behind."""
    set_parent_death_signal = 1
    _system.prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)


def start(command: list, log: Path, **options) -> subprocess.Popen:
    """Starts a program in a session of its own, so that the keys of a terminal do not reach it."""
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, preexec_fn=_die_with_parent, **options)
    _started[process.pid] = process
    return process


def run(command: list, log: Path, **options) -> int:
    """Runs a program to its end, and returns its exit code."""
    process = start(command, log, **options)
    wait(f"the end of {command[0]}", lambda: process.poll() is not None)
    return process.returncode


def descendants() -> list[Process]:
    """All processes below this one, the dead ones that nobody has asked about included."""
    everybody = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        # The name is in parentheses and may hold anything.
        name, rest = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2:].split()
        everybody.append(Process(int(entry), int(rest[1]), rest[0], name))
    return _tree(os.getpid(), everybody)


def _tree(root: int, everybody: list[Process]) -> list[Process]:
    found, generation = [], {root}
    while generation:
        children = [process for process in everybody if process.parent in generation]
        found += children
        generation = {process.pid for process in children}
    return found


def living() -> list[Process]:
    """Those of them that are not dead."""
    return [process for process in descendants() if process.state not in "ZX"]


def below(pid: int) -> list[Process]:
    """The living ones below a process."""
    return _tree(pid, living())


def bury() -> None:
    """Takes note of the adopted ones that have ended."""
    for process in descendants():
        if process.state == "Z" and process.parent == os.getpid() and process.pid not in _started:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)


def send(pid: int, number: int) -> None:
    """Sends a signal; that the process is gone is nothing to complain about."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait(what: str, condition, seconds: float = PATIENCE):
    """What the condition gives as soon as that is something."""
    end = time.monotonic() + seconds
    while True:
        bury()
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Overdue(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)


def halt(pid: int) -> None:
    """Stops a process in its tracks (SIGSTOP)."""
    send(pid, signal.SIGSTOP)

    def stands() -> bool:
        return any(process.pid == pid and process.state == "T" for process in descendants())

    wait(f"process {pid} to stand still", stands)


def proceed(pid: int, once: int) -> None:
    """Lets a halted process go on as soon as a signal waits for it, so that it meets it first."""

    def waits() -> bool:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("SigPnd", "ShdPnd") and int(value, 16) >> (once - 1) & 1:
                return True
        return False

    wait(f"signal {once} to reach process {pid}", waits)
    send(pid, signal.SIGCONT)


def end_all() -> list[str]:
    """Kills whatever is left, by its number; returns what did not go."""
    for _ in range(300):
        bury()
        for process in _started.values():
            process.poll()
        left = living()
        if not left:
            return []
        for process in left:
            send(process.pid, signal.SIGKILL)
        time.sleep(0.1)
    return [f"{process.pid} {' '.join(process.words) or process.name}" for process in left]
