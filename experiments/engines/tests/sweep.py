"""A sweep in a folder, and what an engine leaves in it."""

import json
import os
import re
import signal
import time
from pathlib import Path

import processes

SHARDS = 4
# What differs from run to run (times, machine) or from engine to engine (its own notes).
NOT_COMPARED = re.compile(r"(^|/)manifest\.json$|^shards/|^parallel-\d+\.log$")


class Sweep:
    """A planned sweep."""

    def __init__(self, program: Path, experiment: Path, folder: Path):
        self.program, self.folder, self.log = program, folder, folder.parent / "gradflow.log"
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.gradflow("sweep", "plan", experiment, "--out", folder)
        lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
        self.places = {line["path"]: line["number"] for line in lines}

    def gradflow(self, *words, code: int = 0) -> None:
        """Runs the program, and expects an exit code."""
        found = processes.run([self.program, *words], self.log)
        assert found == code, f"gradflow {' '.join(map(str, words))} ended with {found}, not {code}"

    def collect(self) -> None:
        self.gradflow("sweep", "collect", self.folder)

    def files(self) -> dict[str, bytes]:
        """The files that do not depend on who made them, and when."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        names = {str(path.relative_to(self.folder)): path for path in paths}
        return {name: path.read_bytes() for name, path in names.items() if not NOT_COMPARED.search(name)}

    def expect_same(self, other: "Sweep") -> int:
        """Fails unless the other one has the same files with the same bytes; returns how many."""
        own, theirs = self.files(), other.files()
        differing = [
            f"{name}: {'differs' if name in own and name in theirs else 'only in one of both'}"
            for name in sorted(own.keys() | theirs.keys()) if own.get(name) != theirs.get(name)
        ]
        assert not differing, "other bytes than the local run:\n  " + "\n  ".join(differing[:20])
        assert "phase-diagram.csv" in own and "events.csv" in own, "nothing was collected"
        rows = own["phase-diagram.csv"].count(b"\n") - 1
        assert rows == len(self.places), f"{rows} rows in phase-diagram.csv, not {len(self.places)}"
        return len(own)

    def resumptions(self, place: str) -> int:
        """How often a run has gone on from a checkpoint."""
        return len(json.loads((self.folder / place / "manifest.json").read_text()).get("resumptions", []))

    def process(self, shard: int) -> int | None:
        """The gradflow process of a shard."""
        words = [str(self.folder), f"{shard}/{SHARDS}"]
        for process in processes.living():
            if process.words[:1] == [str(self.program)] and all(word in process.words for word in words):
                return process.pid
        return None

    def running(self) -> list[int]:
        """The numbers of the shards that have a process."""
        return [shard for shard in range(1, SHARDS + 1) if self.process(shard)]

    def place_with_checkpoint(self, shard: int, since: float) -> str | None:
        """The run that a shard is about and that has a checkpoint of now."""
        for place, number in self.places.items():
            path = Path(place)
            file = self.folder / path.parent / f".{path.name}" / "checkpoint.bin"
            if (number - 1) % SHARDS == shard - 1 and file.exists() and file.stat().st_mtime > since:
                return place
        return None

    def halt(self, *shards: int) -> dict[int, tuple[int, str]]:
        """Halts the processes of shards, each in the midst of a run that has a checkpoint.

        Halted, it cannot come to the end of the run before the signal that the test is about.

        Returns: process and run of each.
        """
        # Not later than file systems write times.
        since = time.time() - 0.05
        halted = {}

        def all_halted() -> bool:
            for shard in shards:
                if shard in halted or not (pid := self.process(shard)):
                    continue
                place = self.place_with_checkpoint(shard, since)
                if not place:
                    continue
                processes.halt(pid)
                if self.place_with_checkpoint(shard, since) == place:
                    halted[shard] = (pid, place)
                else:
                    processes.send(pid, signal.SIGCONT)
            return len(halted) == len(shards)

        processes.wait(f"checkpoints of shards {shards} in {self.folder}", all_halted)
        return halted


def environment(program: Path, scratch: Path) -> dict[str, str]:
    """The environment without what steers the engines, so that nothing of this machine or user does."""
    steering = ("SLURM", "SBATCH", "SRUN", "SQUEUE", "SCANCEL", "SNAKEMAKE", "PARALLEL", "ROUNDS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | {
        "GRADFLOW": str(program),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "PARALLEL_HOME": str(scratch / "parallel"),
        "PARALLEL": f"--jobs {SHARDS}",
    }
