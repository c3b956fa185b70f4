"""Child processes that report by lines of JSON and are stopped when they take too long."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class TimeLimit(Exception):
    """A child did not report in time."""


def environment(threads: int, scratch: Path) -> dict[str, str]:
    """Return the environment of a peer: so many threads in every library, and no caches of compilers."""
    count, eigen = str(threads), "true" if threads > 1 else "false"
    return {
        **os.environ,
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={count}",
        "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "inductor"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }


class Child:
    """A child process in a group of its own; leaving the context ends whatever is left of it."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self._log.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def send(self, value: Any) -> None:
        """Write one line to the child."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def event(self, seconds: float) -> dict[str, Any] | None:
        """Return the next event, or None when the child has ended; other output is skipped.

        Raise ``TimeLimit`` after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeLimit(f"no answer within {seconds:g} s") from None
            if line is None:
                return None
            if line.startswith('{"event"'):
                return json.loads(line)

    def events(self, seconds: dict[str, float], default: float) -> Iterator[dict[str, Any]]:
        """Yield all events; after an event of a name in ``seconds`` the next may take so long."""
        patience = default
        while (event := self.event(patience)) is not None:
            patience = seconds.get(event["event"], default)
            yield event

    def processor_seconds(self) -> float:
        """Return the processor time that the running child has taken; 0 where that is not known."""
        try:
            text = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    @property
    def code(self) -> int:
        """Return the exit code of a child that has ended."""
        return self._process.wait()


def worker_command(*arguments: str) -> list[str]:
    """Return the command of a worker."""
    return [sys.executable, "-m", "peers.worker", *arguments]
