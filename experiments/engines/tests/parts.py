"""What is done with each engine, and what has to come of it."""

import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import processes
from cluster import CannotHost, Cluster
from sweep import SHARDS
from trial import ENGINES, Trial


def gnu_parallel(trial: Trial) -> str:
    # Another program has the same name.
    name = shutil.which("parallel") or "false"
    version = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
    if not version.startswith("GNU parallel"):
        raise CannotHost("there is no GNU parallel; on Debian and Ubuntu: apt-get install parallel")
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
    before = len(log.read_text())
    engine, log = trial.start(sweep, command)
    trial.expect_end(engine, 0)
    assert log.read_text()[before:].count("10 stood already") == SHARDS, log.read_text()[before:]
    sweep.expect_same(trial.local)

    failing = trial.plan("parallel, failing", "failing.yaml")
    engine, log = trial.start(failing, [ENGINES / "parallel.sh", failing.folder, SHARDS])
    trial.expect_end(engine, 1)
    assert len(list(failing.folder.glob("parallel-*.log"))) == 1, "a failure was tried again"
    return f"{files} files; all stopped, then one shard stopped and one killed"


def snakemake(trial: Trial) -> str:
    sweep = trial.plan("snakemake")
    command = [
        *trial.snakemake, "--profile", ENGINES / "snakemake-local", "--cores", SHARDS,
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


def stop_task(cluster: Cluster, job: str, task: int, pid: int) -> None:
    """Sends SIGTERM to the script of a task, as Slurm does before the time limit, and waits for its end."""
    cluster.call("scancel", "--signal=TERM", "--batch", f"{job}_{task}")
    processes.proceed(pid, once=signal.SIGTERM)
    cluster.wait_for(f"the end of task {task}", job, lambda jobs:
                     jobs[str(task)]["JobState"] not in ("RUNNING", "COMPLETING"))


def slurm(trial: Trial) -> str:
    cluster = trial.cluster()
    sweep = trial.plan("slurm")
    job = trial.submit(sweep)
    collect = cluster.call(
        "sbatch", "--parsable", f"--dependency=afterok:{job}", "--wrap",
        shlex.join([str(trial.program), "sweep", "collect", str(sweep.folder)]), cwd=sweep.folder.parent)

    # One task is stopped.
    halted = sweep.halt(2, 3)
    stop_task(cluster, job, 2, halted[2][0])
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
    stop_task(cluster, job, 4, halted[4][0])
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
    command = [
        *trial.snakemake, "--profile", ENGINES / "snakemake-slurm", "--slurm-no-account",
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
