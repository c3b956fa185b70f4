"""What all parts of the test have in common."""

import signal
import subprocess
import sys
from pathlib import Path

import processes
from cluster import CannotHost, Cluster
from sweep import SHARDS, Sweep, environment

ENGINES = Path(__file__).resolve().parents[1]


class Trial:
    """The program, the folder, the local run, and the cluster."""

    def __init__(self, program: Path, scratch: Path):
        self.program, self.scratch = program, scratch
        # Users have such folders, too.
        self.folder = scratch / "with spaces"
        self.folder.mkdir()
        self.environment = environment(program, scratch)
        self._cluster: Cluster | CannotHost | None = None
        # The Slurm executor of Snakemake wants no spaces in the path of Python.
        (scratch / "python").symlink_to(sys.prefix)
        self.snakemake = [
            scratch / "python" / "bin" / "python", "-m", "snakemake", "--snakefile", ENGINES / "Snakefile"]

    def plan(self, name: str, experiment: str = "sweep.yaml") -> Sweep:
        return Sweep(self.program, Path(__file__).parent / experiment, self.folder / name / "the sweep")

    def run_locally(self) -> None:
        self.local = self.plan("local")
        self.local.gradflow("sweep", "run", self.local.folder, "--quiet")
        self.local.collect()

    def cluster(self) -> Cluster:
        """The cluster, which starts when the first part asks for it."""
        if self._cluster is None:
            try:
                self._cluster = Cluster(self.scratch / "slurm", self.environment)
            except CannotHost as error:
                self._cluster = error
        if isinstance(self._cluster, CannotHost):
            raise self._cluster
        return self._cluster

    def start(self, sweep: Sweep, command: list, environment: dict[str, str] | None = None):
        """Starts an engine beside its sweep, and returns its process and its log."""
        log = sweep.folder.parent / "engine.log"
        cwd = sweep.folder.parent
        return processes.start(command, log, cwd=cwd, env=environment or self.environment), log

    def expect_end(self, process: subprocess.Popen, code: int) -> None:
        """Fails unless an engine ends with a code."""
        processes.wait("the end of the engine", lambda: process.poll() is not None)
        assert process.returncode == code, f"the engine ended with {process.returncode}, not {code}"

    def expect_resumed(self, sweep: Sweep, halted: dict[int, tuple[int, str]]) -> None:
        """Fails unless the runs that were interrupted have gone on from a checkpoint."""
        for shard, (_, place) in halted.items():
            assert sweep.resumptions(place) > 0, f"{place} of shard {shard} has not gone on from a checkpoint"

    def clear_up(self) -> None:
        """Ends what a failed part has left, so that it is not in the way of the next."""
        daemons = self._cluster.daemons() if isinstance(self._cluster, Cluster) else []
        for process in processes.living():
            if process.pid not in daemons and not process.name.startswith("slurm"):
                processes.send(process.pid, signal.SIGKILL)
        if daemons:
            self._cluster.cancel_all()

    def submit(self, sweep: Sweep, array: str = f"--array=1-{SHARDS}") -> str:
        """Submits the array, and returns the number of the job."""
        return self.cluster().call(
            "sbatch", "--parsable", array, ENGINES / "slurm-array.sh", sweep.folder, cwd=sweep.folder.parent)

    def task_log(self, sweep: Sweep, job: str, task: int) -> str:
        """What a task of an array has said."""
        return (sweep.folder.parent / f"gradflow-{job}_{task}.log").read_text()
