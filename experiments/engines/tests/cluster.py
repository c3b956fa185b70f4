"""A Slurm cluster of one node on loopback, in a folder of its own, without systemd and database."""

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import processes

CONFIGURATION = """\
ClusterName=engines
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# With the default of cred_expire, two minutes, a requeue waits so long.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# Requeued tasks would wait for the next half minute.
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
# The node is what is said here, whatever the machine has.
SlurmdParameters=config_overrides
{requeue}
ReturnToService=2
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun"]


class CannotHost(Exception):
    """This machine cannot have the cluster."""


class Cluster:
    """The cluster; it lives until `processes.end_all`."""

    def __init__(self, folder: Path, environment: dict[str, str]):
        """Starts it.

        Raises: `CannotHost`, with the reason.
        """
        self.folder = folder
        places = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
        self.programs = {name: shutil.which(name, path=places) for name in PROGRAMS}
        missing = [name for name, path in self.programs.items() if not path]
        if missing:
            raise CannotHost(
                f"there is no {', '.join(missing)}; on Debian and Ubuntu: apt-get install slurm-wlm munge")
        folder.mkdir(mode=0o755)
        # Munge and Slurm trust no folder that others may write to.
        for name in ("state", "spool", "bin"):
            (folder / name).mkdir(mode=0o755)
        # The executor plugin of Snakemake takes SLURM_CONF away from the srun that it calls inside a job.
        wrapper = folder / "bin" / "srun"
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {self.programs["srun"]} "$@"\n')
        wrapper.chmod(0o755)
        self.environment = environment | {
            "SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"{folder}/bin:{places}"}
        self._start_munge()
        # More than once, for somebody may take a port that was free.
        for _ in range(3):
            self.configure(requeue_exit=True)
            reason = self._start_slurm(patience=60)
            if not reason:
                return
        raise CannotHost(reason)

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        log = self.folder / "munged.log"
        self.munge = processes.start(
            [self.programs["munged"], "--foreground", f"--socket={self.folder}/munge.socket",
             f"--key-file={key}", f"--pid-file={self.folder}/munged.pid",
             f"--seed-file={self.folder}/munged.seed", f"--log-file={log}"], self.folder / "munged.out")
        try:
            processes.wait(
                "munge", lambda: self.munge.poll() is not None or (self.folder / "munge.socket").exists(), 60)
        except processes.Overdue as error:
            raise CannotHost(str(error)) from error
        if self.munge.poll() is not None:
            raise CannotHost(f"munged refuses to run{self.ends(log, self.folder / 'munged.out')}")

    def configure(self, requeue_exit: bool) -> None:
        """Writes the configuration; RequeueExit=130 is there or not."""
        if not (self.folder / "slurm.conf").exists():
            self.ports = free_ports(2)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0], user=user, folder=self.folder,
            controller_port=self.ports[0], node_port=self.ports[1],
            requeue="RequeueExit=130" if requeue_exit else ""))

    def _start_slurm(self, patience: float) -> str | None:
        """Starts both daemons; returns why not."""
        self.controller = processes.start(
            [self.programs["slurmctld"], "-D"], self.folder / "slurmctld.out", env=self.environment)
        self._start_node()
        daemons = {"slurmctld": self.controller, "slurmd": self.node}

        def is_settled() -> bool:
            return "idle" in self.nodes() or any(daemon.poll() is not None for daemon in daemons.values())

        try:
            processes.wait("an idle node", is_settled, patience)
        except processes.Overdue as error:
            reason = str(error)
        else:
            ended = [name for name, daemon in daemons.items() if daemon.poll() is not None]
            if not ended:
                return None
            reason = f"{' and '.join(ended)} ended at once"
        for daemon in daemons.values():
            daemon.kill()
            daemon.wait()
        (self.folder / "slurm.conf").unlink()
        return reason + self.ends(*[self.folder / f"{name}.out" for name in daemons])

    def _start_node(self) -> None:
        self.node = processes.start(
            [self.programs["slurmd"], "-D", "-N", "node"], self.folder / "slurmd.out", env=self.environment)

    def daemons(self) -> list[int]:
        """The processes that make the cluster."""
        return [daemon.pid for daemon in (self.munge, self.controller, self.node)]

    def cancel_all(self) -> None:
        """Cancels all jobs."""
        if jobs := self.call("squeue", "--noheader", "--format=%A").split():
            self.call("scancel", *jobs)
            processes.wait("the end of cancelled jobs", lambda: not self.call("squeue", "--noheader"))

    @staticmethod
    def ends(*logs: Path) -> str:
        """The last lines of logs."""
        lines = []
        for log in logs:
            if log.exists():
                lines += [f"{log.name}: {line}" for line in log.read_text(errors="replace").splitlines()[-4:]]
        return "".join(f"\n  {line}" for line in lines) or ", and says nothing"

    def nodes(self) -> str:
        """The state of the node, empty as long as nobody knows it."""
        return subprocess.run(
            [self.programs["sinfo"], "--noheader", "--format=%t"], env=self.environment,
            capture_output=True, text=True).stdout

    def call(self, name: str, *words, cwd: Path | None = None) -> str:
        """What a command of Slurm says; it has to succeed."""
        command = [self.programs[name], *map(str, words)]
        result = subprocess.run(command, env=self.environment, cwd=cwd, capture_output=True, text=True)
        assert result.returncode == 0, f"{' '.join(command)}: {result.stderr.strip()}"
        return result.stdout.strip()

    def jobs(self, job: str) -> dict[str, dict[str, str]]:
        """The fields of a job, or of the tasks of an array that have become jobs, by number of the task."""
        fields = [
            dict(re.findall(r"(?:^| )(\w+)=(\S*)", line))
            for line in self.call("scontrol", "--oneliner", "show", "job", job).splitlines()
        ]
        return {record.get("ArrayTaskId", ""): record for record in fields}

    def wait_for(self, what: str, job: str, condition) -> None:
        """Waits until the tasks of an array are as wanted."""
        try:
            processes.wait(f"{what} of job {job}", lambda: condition(self.jobs(job)))
        except processes.Overdue as error:
            seen = {task: (fields["JobState"], fields["Reason"]) for task, fields in self.jobs(job).items()}
            raise processes.Overdue(f"{error}; there is {seen}") from None

    def wait_for_end(self, job: str, tasks: int = 1) -> dict[str, dict[str, str]]:
        """Waits until no task is left to run, and returns them all."""
        going = ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED", "SUSPENDED")
        self.wait_for("the end", job, lambda jobs: len(jobs) == tasks and not any(
            fields["JobState"] in going for fields in jobs.values()))
        return self.jobs(job)

    def lose_node(self) -> None:
        """The node loses its power, is missed by the controller, and comes back."""
        lost = [self.node.pid]
        for process in processes.living():
            if process.name.startswith("slurmstepd"):
                lost += [process.pid] + [inner.pid for inner in processes.below(process.pid)]
        for pid in lost:
            processes.send(pid, signal.SIGKILL)
        self.node.wait()
        processes.wait("the end of the node's processes", lambda: not any(
            process.pid in lost for process in processes.living()))
        # What the controller does itself when the node has been silent for SlurmdTimeout, five minutes.
        self.call("scontrol", "update", "NodeName=node", "State=DOWN", "Reason=lost")
        self._start_node()
        processes.wait("the node to come back", lambda: "idle" in self.nodes() or "mix" in self.nodes())


def free_ports(count: int) -> list[int]:
    """Ports that nobody has at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
