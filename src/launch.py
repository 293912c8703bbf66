"""One training on many devices: starts `msrun`, shows the first rank's log, and says plainly how it ended.

    bash scripts/run_distribute_train.sh [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG VALUE ...]

msrun starts the processes. What it lacks is added here: a free port, a stop within seconds when a worker dies (its
scheduler waits half a minute), the end of that worker's log, its exit status, and signals that let the workers save.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import psutil

from src.errors import UserError
from src.workers import usable_cores

PROJECT = Path(__file__).resolve().parent.parent
PORT_OF_SEVERAL_MACHINES = 8118  # which all of them must know; alone, any free one is taken
CPU_WORKERS = 2
LAST_LINES = 15
FAILED = re.compile(r"Worker process (\d+) exit with exception\. Error code: (-?\d+)")


@dataclass(frozen=True)
class Job:
    """What is started on this machine: `local` of `total` workers, the ranks from `first` on."""

    local: int
    total: int
    first: int = 0
    node_rank: int = 0
    master: str = "127.0.0.1"
    port: int = 0
    devices: str = ""
    rank_table: Path | None = None


def npus() -> list[str]:
    """Numbers of the Ascend devices that this process may use."""
    visible = os.environ.get("ASCEND_RT_VISIBLE_DEVICES")
    if visible:
        return visible.split(",")
    return sorted((path.name.removeprefix("davinci") for path in Path("/dev").glob("davinci[0-9]*")), key=int)


def plan(args: argparse.Namespace) -> Job:
    """How many workers are started where.

    Raises:
        UserError: the numbers do not fit each other or this machine, or the rank table cannot be read.
    """
    if not 0 <= args.node_rank < args.nodes:
        raise UserError(f"node_rank is {args.node_rank} of {args.nodes} nodes; expected 0 to {args.nodes - 1}")
    if args.workers.endswith(".json"):
        return _plan_of_table(Path(args.workers), args)
    if args.nodes > 1 and not args.master_addr:
        raise UserError("master_addr is missing: several nodes need --master_addr, the address of node 0")
    found = npus()
    local = int(args.workers) if args.workers.isdecimal() else len(found) or CPU_WORKERS
    if args.workers not in ("", "auto") and not args.workers.isdecimal():
        raise UserError(f"the first argument is {args.workers!r}; expected a number of workers or a RANK_TABLE.json")
    if local < 1 or (found and local > len(found)):
        raise UserError(f"{local} workers were asked for, this machine has {len(found)} NPUs; take 1 to {len(found)}")
    master = args.master_addr or "127.0.0.1"
    port = args.master_port or (PORT_OF_SEVERAL_MACHINES if args.nodes > 1 else free_port())
    return Job(local, local * args.nodes, local * args.node_rank, args.node_rank, master, port, ",".join(found[:local]))


def _plan_of_table(table: Path, args: argparse.Namespace) -> Job:
    """A rank table of older clusters: its servers are the nodes, the first of them leads."""
    try:
        servers = json.loads(table.read_text(encoding="utf-8"))["server_list"]
        devices = [[device["device_id"] for device in server["device"]] for server in servers]
        master = args.master_addr or servers[0].get("server_id", "127.0.0.1")
        mine = devices[args.node_rank]
    except OSError as error:
        raise UserError(f"cannot read the rank table {table}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise UserError(
            f"{table} is no rank table for node {args.node_rank}: expected server_list, each with device and device_id"
        ) from None
    alone = len(servers) == 1
    if len({len(row) for row in devices}) > 1:
        raise UserError(f"{table} lists {', '.join(str(len(row)) for row in devices)} devices; all nodes need as many")
    port = args.master_port or (free_port() if alone else PORT_OF_SEVERAL_MACHINES)
    first, total = len(mine) * args.node_rank, sum(map(len, devices))
    return Job(
        len(mine), total, first, args.node_rank, "127.0.0.1" if alone else master, port, ",".join(mine), table.resolve()
    )


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Launch:
    """msrun with its workers, from start to end. `logs` is a new folder."""

    def __init__(self, job: Job, command: list[str], logs: Path) -> None:
        self.job, self.logs = job, logs
        self.signal: signal.Signals | None = None
        self.ranks: dict[int, int] = {}  # of the workers' process numbers
        self.scheduler: psutil.Process | None = None
        self.shown = 0
        logs.mkdir(parents=True)
        msrun = [str(Path(sys.executable).parent / "msrun"), f"--worker_num={job.total}"]
        msrun += [f"--local_worker_num={job.local}", f"--master_addr={job.master}", f"--master_port={job.port}"]
        msrun += [f"--node_rank={job.node_rank}", f"--log_dir={logs}", "--join=True", f"--tail_worker_log={job.local}"]
        msrun += [f"--rank_table_file={job.rank_table}"] if job.rank_table else []
        self.output = open(logs / "msrun.log", "w", encoding="utf-8")  # noqa: SIM115 - msrun's, as long as it runs
        self.process = subprocess.Popen(
            [*msrun, *command],
            env=self._environment(),
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # signals of the terminal are for us to pass on
        )

    def _environment(self) -> dict[str, str]:
        threads = {} if self.job.devices else {"OMP_NUM_THREADS": str(max(1, usable_cores() // self.job.local))}
        own = {"LOCAL_WORLD_SIZE": str(self.job.local), "PYTHONUNBUFFERED": "1"}
        own |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        own |= {"ASCEND_RT_VISIBLE_DEVICES": self.job.devices} if self.job.devices else {}
        return threads | os.environ | own

    def wait(self) -> int:
        """Show and supervise until all is over; the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._pass_on)
        while self.process.poll() is None:
            self._find_workers()
            self._show_log()
            if failure := self._failure():
                self._end(self.scheduler)
                self.process.wait()
                self._show_log()
                return self._explain(*failure)
            time.sleep(0.2)
        self._show_log()
        if failure := self._failure():
            return self._explain(*failure)
        if self.process.returncode:
            print(f"error: msrun failed; the end of {self.output.name}:", *_tail(self.output.name), sep="\n")
            return 1
        return 130 if self.signal == signal.SIGINT else 0

    def _find_workers(self) -> None:
        try:
            children = psutil.Process(self.process.pid).children()
        except psutil.Error:
            return
        for child in children:
            if child.pid in self.ranks or (self.scheduler and child.pid == self.scheduler.pid):
                continue
            try:
                environment = child.environ()
            except psutil.Error:
                continue
            if environment.get("MS_ROLE") == "MS_SCHED":
                self.scheduler = child
            elif environment.get("MS_ROLE") == "MS_WORKER":
                self.ranks[child.pid] = self.job.first + int(environment["DEVICE_ID"])

    def _failure(self) -> tuple[int, int] | None:
        """Process number and exit code of the first worker that failed."""
        found = FAILED.search(Path(self.output.name).read_text(encoding="utf-8", errors="replace"))
        return (int(found[1]), int(found[2])) if found else None

    def _explain(self, pid: int, code: int) -> int:
        """Say on stderr what ended a worker; the exit status that follows from it."""
        if self.signal and code < 0:
            print("stopped before the first step: nothing was lost", file=sys.stderr)
            return 130 if self.signal == signal.SIGINT else 0
        rank = self.ranks.get(pid, self.job.first)
        log = self._log_of(rank)
        lines = _tail(log, 10_000)
        said = [line for line in lines if line.startswith("error: ")]
        if code > 0 and said:
            print(said[-1], file=sys.stderr)
            return code
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        print(f"error: rank {rank} {how}; all others were stopped; the end of {log}:", file=sys.stderr)
        print(*lines[-LAST_LINES:], sep="\n", file=sys.stderr)
        return code if code > 0 else 1

    def _log_of(self, rank: int) -> Path:
        return self.logs / f"worker_{rank}.log"

    def _show_log(self) -> None:
        """Print what the first worker of this machine has added to its log, but for its last words of failure."""
        log = self._log_of(self.job.first)
        if log.exists():
            with open(log, "rb") as file:
                file.seek(self.shown)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self.shown += len(whole)
            for line in whole.decode("utf-8", "replace").splitlines():
                if not line.startswith("error: "):
                    print(line, flush=True)

    def _pass_on(self, number: int, _: object) -> None:
        """The first signal asks the workers to save and stop, the second ends them."""
        if self.signal is None:
            self.signal = signal.Signals(number)
            for pid in self.ranks:
                if psutil.pid_exists(pid):
                    os.kill(pid, signal.SIGTERM)
            return
        for pid in self.ranks:
            if psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)

    @staticmethod
    def _end(process: psutil.Process | None) -> None:
        if process is not None and process.is_running():
            process.kill()


def _tail(path: Path | str, count: int = LAST_LINES) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, count)]
    except OSError:
        return []


def main(argv: list[str]) -> int:
    """Start, wait, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="run_distribute_train.sh", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workers", nargs="?", default="", help="on this machine; default every NPU, else 2 on the CPU")
    parser.add_argument("data", nargs="?", default="digits", help="folder with train/ and val/ [the embedded digits]")
    parser.add_argument("config", nargs="?", help="YAML [config/tinynet_c.yaml; config/digits.yaml for the digits]")
    parser.add_argument("resume", nargs="?", help="auto, or a checkpoint to go on from")
    parser.add_argument("--nodes", type=int, default=1, help="machines")
    parser.add_argument("--node_rank", type=int, default=0, help="number of this machine, from 0")
    parser.add_argument("--master_addr", help="address of machine 0")
    parser.add_argument("--master_port", type=int, default=0, help="free on machine 0 [any; 8118 for several machines]")
    parser.add_argument("--run_dir", type=Path, help="where the run is kept [runs/CONFIG-DATE]")
    args, flags = parser.parse_known_args(argv)
    config = args.config or PROJECT / "config" / ("digits.yaml" if args.data == "digits" else "tinynet_c.yaml")
    date = time.strftime("%Y%m%d-%H%M%S")
    command = [str(PROJECT / "train.py"), "--config", str(config), "--data_path", args.data, *flags]
    run = args.run_dir or Path("runs") / f"{Path(config).stem}-{date}"
    if args.resume and args.resume != "auto" and not args.run_dir:
        run = Path(args.resume).resolve().parent.parent
    command += ["--run_dir", str(run)]
    command += ["--resume", args.resume] if args.resume else []
    try:
        job = plan(args)
        if not job.devices:
            print(f"no NPU found: training on the CPU with {job.local} workers", flush=True)
            command += ["--device_target", "CPU"]
        launch = Launch(job, command, run / "logs" / f"{date}-{job.node_rank}-{os.getpid()}")
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return launch.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
