"""Runs one sweep on every engine of experiments/engines, interrupted, and compares its bytes with a local run.

    scripts/test-engines.sh [parallel] [snakemake] [slurm] [snakemake-slurm]

Exit codes: 0 all is well; 1 an engine does something wrong; 77 nothing is wrong, but not all engines can run here.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import processes
from cluster import CannotHost, Cluster
from sweep import SHARDS, Sweep, environment

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ROOT / "experiments" / "engines"


def say(*words) -> None:
    print("test-engines:", *words, flush=True)


class Trial:
    """What all parts have in common: the program, the folder, the local run, the cluster."""

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


# MARK: - The parts


def gnu_parallel(trial: Trial) -> str:
    if not shutil.which("parallel"):
        raise CannotHost("there is no parallel here; on Debian and Ubuntu: apt-get install parallel")
    sweep = trial.plan("parallel")
    command = [ENGINES / "parallel.sh", sweep.folder, SHARDS]

    # All of it is stopped.
    engine, log = trial.start(sweep, command)
    halted = sweep.halt(1)
    processes.send(engine.pid, signal.SIGTERM)
    processes.proceed(halted[1][0], once=signal.SIGTERM)
    trial.expect_end(engine, 130)
    assert not sweep.running(), f"shards {sweep.running()} still run"

    # One shard is stopped, and one killed.
    engine, log = trial.start(sweep, command)
    halted |= sweep.halt(2, 3)
    processes.send(halted[2][0], signal.SIGTERM)
    processes.proceed(halted[2][0], once=signal.SIGTERM)
    processes.send(halted[3][0], signal.SIGKILL)
    trial.expect_end(engine, 0)
    rounds = [[line.split("\t") for line in path.read_text().splitlines()[1:]]
              for path in sorted(sweep.folder.glob("parallel-*.log"))]
    ends = [{int(line[0]): (line[6], line[7]) for line in lines} for lines in rounds]
    assert ends == [
        {1: ("0", "0"), 2: ("130", "0"), 3: ("0", "9"), 4: ("0", "0")}, {1: ("0", "0"), 2: ("0", "0")}], ends
    trial.expect_resumed(sweep, halted)
    files = sweep.expect_same(trial.local)

    # What is done is done.
    engine, log = trial.start(sweep, command)
    trial.expect_end(engine, 0)
    assert log.read_text().count(" 10 stood already") + log.read_text().count("\n10 stood already") >= SHARDS
    sweep.expect_same(trial.local)

    failing = trial.plan("parallel, failing", "failing.yaml")
    engine, log = trial.start(failing, [ENGINES / "parallel.sh", failing.folder, SHARDS])
    trial.expect_end(engine, 1)
    assert len(list(failing.folder.glob("parallel-*.log"))) == 1, "a failure was tried again"
    return f"{files} files; all stopped, then one shard stopped and one killed"


def snakemake(trial: Trial) -> str:
    sweep = trial.plan("snakemake")
    command = trial.snakemake + [
        "--profile", ENGINES / "snakemake-local", "--cores", SHARDS,
        "--config", f"sweep={sweep.folder}", f"shards={SHARDS}"]
    engine, log = trial.start(sweep, command)
    halted = sweep.halt(2, 3)
    processes.send(halted[2][0], signal.SIGTERM)
    processes.proceed(halted[2][0], once=signal.SIGTERM)
    processes.send(halted[3][0], signal.SIGKILL)
    trial.expect_end(engine, 0)
    text = log.read_text()
    for words, times in (("returned non-zero exit status 130", 1), ("returned non-zero exit status 137", 1),
                         ("Trying to restart job", 2)):
        assert text.count(words) == times, f"'{words}' stands {text.count(words)} times in {log}, not {times}"
    trial.expect_resumed(sweep, halted)
    files = sweep.expect_same(trial.local)

    engine, log = trial.start(sweep, command)
    trial.expect_end(engine, 0)
    assert "rule shard" not in log.read_text()[len(text):], "what is done was done again"

    failing = trial.plan("snakemake, failing", "failing.yaml")
    command[-2] = f"sweep={failing.folder}"
    engine, log = trial.start(failing, command)
    trial.expect_end(engine, 1)
    assert "Trying to restart" not in log.read_text(), "a failure was tried again"
    assert "gradflow sweep status" in log.read_text().replace(str(trial.program), "gradflow")
    assert (failing.folder / "phase-diagram.csv").exists(), "shards with failures were not collected"
    return f"{files} files; one shard stopped and one killed"


def slurm(trial: Trial) -> str:
    cluster = trial.cluster()
    sweep = trial.plan("slurm")
    job = trial.submit(sweep)
    collect = cluster.call(
        "sbatch", "--parsable", f"--dependency=afterok:{job}", "--wrap",
        shlex.join([str(trial.program), "sweep", "collect", str(sweep.folder)]), cwd=sweep.folder.parent)

    # One task is stopped.
    halted = sweep.halt(2, 3)
    cluster.call("scancel", "--signal=TERM", "--batch", f"{job}_2")
    processes.proceed(halted[2][0], once=signal.SIGTERM)
    cluster.wait_for("the end of task 2", job, lambda jobs: jobs["2"]["JobState"] not in ("RUNNING", "COMPLETING"))
    assert "ended with 130" in trial.task_log(sweep, job, 2)
    restarts = {task: fields["Restarts"] for task, fields in cluster.jobs(job).items()}
    assert restarts == {"1": "0", "2": "1", "3": "0", "4": "0"}, f"restarts: {restarts}"

    # The node is lost, with what runs on it.
    running = [task for task, fields in cluster.jobs(job).items() if fields["JobState"] == "RUNNING"]
    cluster.lose_node()
    jobs = cluster.wait_for_end(job, SHARDS)
    for task, fields in jobs.items():
        expected = (task == "2") + (task in running)
        assert (fields["JobState"], fields["Restarts"]) == ("COMPLETED", str(expected)), fields
    assert "3" in running and "start 2 of" in trial.task_log(sweep, job, 3)
    # One that will never be due waits for ever.
    cluster.wait_for("the end or the despair", collect, lambda jobs:
                     jobs[""]["JobState"] in ("COMPLETED", "FAILED") or "Never" in jobs[""]["Reason"])
    assert cluster.jobs(collect)[""]["JobState"] == "COMPLETED", cluster.jobs(collect)[""]
    trial.expect_resumed(sweep, halted)
    files = sweep.expect_same(trial.local)

    # What is done is done.
    job = trial.submit(sweep)
    for task, fields in cluster.wait_for_end(job, SHARDS).items():
        assert (fields["JobState"], fields["Restarts"]) == ("COMPLETED", "0"), fields
        assert "10 stood already" in trial.task_log(sweep, job, int(task))
    sweep.expect_same(trial.local)

    failing = trial.plan("slurm, failing", "failing.yaml")
    job = trial.submit(failing)
    ends = {task: (fields["JobState"], fields["ExitCode"], fields["Restarts"])
            for task, fields in cluster.wait_for_end(job, SHARDS).items()}
    well = ("COMPLETED", "0:0", "0")
    assert ends == {"1": ("FAILED", "1:0", "0"), "2": well, "3": well, "4": well}, ends
    return f"{files} files; one task stopped, and all of a lost node requeued"


def slurm_without_requeue_exit(trial: Trial) -> str:
    cluster = trial.cluster()
    cluster.configure(requeue_exit=False)
    cluster.call("scontrol", "reconfigure")
    assert "RequeueExit = (null)" in " ".join(cluster.call("scontrol", "show", "config").split())
    sweep = trial.plan("slurm without RequeueExit")
    job = trial.submit(sweep)
    # The last task bears the number of the whole array, and is to be requeued alone.
    halted = sweep.halt(3, 4)
    cluster.call("scancel", "--signal=TERM", "--batch", f"{job}_4")
    processes.proceed(halted[4][0], once=signal.SIGTERM)
    cluster.wait_for("the end of task 4", job, lambda jobs: jobs["4"]["JobState"] not in ("RUNNING", "COMPLETING"))
    # Cancelled is cancelled, though gradflow ends with 130 there, too.
    cluster.call("scancel", f"{job}_3")
    jobs = cluster.wait_for_end(job, SHARDS)
    ends = {task: (fields["JobState"], fields["Restarts"]) for task, fields in jobs.items()}
    well = ("COMPLETED", "0")
    assert ends == {"1": well, "2": well, "3": ("CANCELLED", "0"), "4": ("COMPLETED", "1")}, ends
    for task in (3, 4):
        assert "ended with 130" in trial.task_log(sweep, job, task)
    job = trial.submit(sweep)
    for fields in cluster.wait_for_end(job, SHARDS).values():
        assert fields["JobState"] == "COMPLETED", fields
    sweep.collect()
    trial.expect_resumed(sweep, halted)
    return f"{sweep.expect_same(trial.local)} files; one task stopped, one cancelled and submitted again"


def snakemake_slurm(trial: Trial) -> str:
    cluster = trial.cluster()
    sweep = trial.plan("snakemake on slurm")
    command = trial.snakemake + [
        "--profile", ENGINES / "snakemake-slurm", "--slurm-no-account",
        # There is no accounting here, and nobody wants to wait.
        "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", 2,
        "--config", f"sweep={sweep.folder}", f"shards={SHARDS}"]
    engine, log = trial.start(sweep, command, cluster.environment)
    halted = sweep.halt(2)
    words = Path(f"/proc/{halted[2][0]}/environ").read_bytes().decode(errors="replace").split("\0")
    job = next(word.partition("=")[2] for word in words if word.startswith("SLURM_JOB_ID="))
    # To the job step alone, as --signal=TERM@120 is.
    cluster.call("scancel", "--signal=TERM", job)
    processes.proceed(halted[2][0], once=signal.SIGTERM)
    trial.expect_end(engine, 0)
    assert log.read_text().count("Trying to restart job") == 1, f"not one restart in {log}"
    fields = cluster.jobs(job)[""]
    assert fields["JobState"] == "FAILED", fields
    step = (sweep.folder.parent / ".snakemake" / "slurm_logs" / "rule_shard" / "2" / f"{job}.log").read_text()
    assert "returned non-zero exit status 130" in step and "Trying to restart" not in step, step
    trial.expect_resumed(sweep, halted)
    return f"{sweep.expect_same(trial.local)} files; one job stopped and submitted again"


PARTS = {
    "parallel": [("GNU parallel", gnu_parallel)],
    "snakemake": [("Snakemake", snakemake)],
    "slurm": [("Slurm array", slurm), ("Slurm array, no RequeueExit", slurm_without_requeue_exit)],
    "snakemake-slurm": [("Snakemake on Slurm", snakemake_slurm)],
}


# MARK: - All of it


def show_logs(folders: list[Path]) -> None:
    """Prints the ends of the newest logs."""
    logs = [log for folder in folders for log in folder.rglob("*.log")
            if ".snakemake" not in log.parts or "slurm_logs" in log.parts]
    for log in sorted(logs, key=lambda log: log.stat().st_mtime)[-10:]:
        print(f"--- {log}", *log.read_text(errors="replace").splitlines()[-20:], sep="\n", flush=True)


def judge(trial: Trial, names: list[str]) -> int:
    """Runs the parts, whichever of them fails, and returns the exit code."""
    failed, impossible = [], {}
    trial.run_locally()
    for title, part in [each for name in names for each in PARTS[name]]:
        start, before = time.monotonic(), set(trial.folder.iterdir())
        try:
            result = part(trial)
            say(f"{title:28} the bytes of the local run: {result} ({time.monotonic() - start:.0f} s)")
        except CannotHost as error:
            impossible.setdefault(str(error), []).append(title)
        except (AssertionError, OSError, LookupError, processes.Overdue) as error:
            # A failed `assert` without words says where it stands.
            where = traceback.extract_tb(error.__traceback__)[-1]
            say(f"{title:28} FAILED: {error or repr(error)} ({Path(where.filename).name}:{where.lineno}: {where.line})")
            failed.append(title)
            trial.clear_up()
            show_logs([trial.scratch / "slurm", *sorted(set(trial.folder.iterdir()) - before)])
    for reason, titles in impossible.items():
        say(f"NOT RUN on this machine: {', '.join(titles)}; {reason}")
    if failed:
        say(f"{', '.join(failed)} failed; everything is kept in {trial.scratch}")
        return 1
    return 77 if impossible else 0


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    program = Path(os.environ.get("GRADFLOW", ROOT / ".build" / "release" / "gradflow")).absolute()
    if unknown or not os.access(program, os.X_OK):
        why = f"there is no part {unknown[0]}, only {', '.join(PARTS)}" if unknown else f"there is no {program}; make build"
        print(f"test-engines: {why}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    processes.adopt_orphans()
    start = time.monotonic()
    # Not TMPDIR: the name of a socket must not be long, and Slurm reads no spaces.
    scratch = Path(tempfile.mkdtemp(prefix="gradflow-engines-", dir="/tmp"))
    # Munge wants everybody to reach its socket.
    scratch.chmod(0o755)
    code = 130
    try:
        code = judge(Trial(program, scratch), names or list(PARTS))
    except KeyboardInterrupt:
        say("stopped")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        left = processes.end_all()
        if left:
            say("these processes could not be ended:", *left)
            code = 1
        if code in (0, 77, 130):
            shutil.rmtree(scratch, ignore_errors=True)
    say(f"exit code {code}, {time.monotonic() - start:.0f} s")
    return code


sys.exit(main(sys.argv[1:]))
