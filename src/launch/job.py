"""The part of a job that one machine starts: its workers, the `msrun` command, and their environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from src.errors import UserError
from src.runtime.workers import usable_cores


@dataclass(frozen=True)
class Job:
    """The workers of this machine: `local` of `total`, with the ranks from `first` on."""

    local: int
    total: int
    first: int = 0
    node_rank: int = 0
    master: str = "127.0.0.1"
    port: int = 0
    devices: str = ""  # numbers of NPUs, separated by commas; empty: the CPU
    rank_table: Path | None = None

    @property
    def ranks(self) -> range:
        """The ranks of this machine."""
        return range(self.first, self.first + self.local)


def msrun_command(job: Job, command: list[str], logs: Path) -> list[str]:
    """Return the `msrun` command that starts `command`, a Python script and its arguments, in each local worker."""
    flags = [f"--worker_num={job.total}", f"--local_worker_num={job.local}", f"--node_rank={job.node_rank}"]
    flags += [f"--master_addr={job.master}", f"--master_port={job.port}", f"--log_dir={logs}", "--join=True"]
    # A rank that does not exist turns off msrun's own log tailing, because the supervisor prints the log.
    flags += [f"--tail_worker_log={job.total}"]
    flags += [f"--rank_table_file={job.rank_table}"] if job.rank_table else []
    return [sys.executable, "-m", "mindspore.parallel.cluster.run", *flags, interpreter(), *command]


def interpreter(executable: str = sys.executable) -> str:
    """Return the name under which msrun finds `executable`; it starts only `python` and `python3`, from PATH.

    Raises:
        UserError: the folder of `executable` has neither a `python` nor a `python3` that is the same file.
    """
    for name in ("python", "python3"):
        sibling = Path(executable).with_name(name)
        if sibling.exists() and sibling.samefile(executable):
            return name
    raise UserError(f"msrun starts `python` or `python3`, neither is {executable}; use a virtual environment")


def environment(job: Job) -> dict[str, str]:
    """Return the environment of msrun and its workers.

    Workers on the CPU share its cores, unless the user has set OMP_NUM_THREADS.
    """
    threads = {} if job.devices else {"OMP_NUM_THREADS": str(max(1, usable_cores() // job.local))}
    own = {"LOCAL_WORLD_SIZE": str(job.local), "PYTHONUNBUFFERED": "1"}
    own |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    own |= {"ASCEND_RT_VISIBLE_DEVICES": job.devices} if job.devices else {}
    return threads | os.environ | own
