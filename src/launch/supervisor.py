"""`msrun`, MindSpore's starter of processes, from start to end: its log shown, its end explained, nothing left behind.

What it lacks is added here: a stop within seconds when a process dies (its scheduler waits half a minute, or for ever),
the end of that process's log, its exit status, and signals that let the workers save.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from src.errors import UserError
from src.launch.worker_log import CHATTER, Log
from src.runtime.workers import usable_cores

LOOK_EVERY = 0.2  # seconds
SCHEDULER_LEADS = 10  # seconds by which the scheduler may end before the workers do; more: it has failed
TIME_TO_LEAVE = 5  # seconds in which killed processes vanish, and again in which msrun collects them
TOKEN = "TINYNET_JOB"  # in the environment of msrun, and so of all that comes of it
FAILED = re.compile(r"Worker process (\d+) exit with exception\. Error code: (-?\d+)")
LOST = re.compile(r"The node: (\d+) is timed out")  # says the scheduler of a rank, on whatever machine


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


class Launch:
    """One `job`: `command`, a Python script and its arguments, in each worker. `logs` is a new folder."""

    def __init__(self, job: Job, command: list[str], logs: Path) -> None:
        self.job, self.command, self.logs = job, command, logs
        self.token = uuid.uuid4().hex
        self.signals: list[signal.Signals] = []
        self.told: set[int] = set()  # workers that the first signal has been passed on to
        self.workers: dict[int, tuple[int, psutil.Process]] = {}  # by process number: rank, process
        self.has_scheduler = False  # on the first of several machines only
        self.scheduler: psutil.Process | None = None  # also if it ended before it was seen
        self.scheduler_ended: float | None = None
        self.messages, self.shown = Log(logs / "msrun.log"), self._log_of(job.first)

    def run(self) -> int:
        """Start, show and supervise until all is over; the exit status.

        Raises:
            OSError: the folder of the logs cannot be made.
        """
        self.logs.mkdir(parents=True)
        with self._signals_noted(), open(self.messages.path, "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                msrun_command(self.job, self.command, self.logs),
                env=environment(self.job) | {TOKEN: self.token},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # signals of the terminal are for us to pass on
            )
            try:
                return self._explained(self._supervise())
            finally:
                self._end_all()

    def _supervise(self) -> tuple[int, int] | None:
        """Until the end; process number and exit code of the worker that failed, if msrun names one."""
        over = False
        while not over:
            over = self.process.poll() is not None or len(self.signals) > 1 or self._scheduler_is_lost()
            self._find_processes()
            self._pass_signal_on()
            self._show_log()
            for line in self.messages.new_lines():
                self.has_scheduler |= line.startswith("Start scheduler process")
                if failed := FAILED.search(line):
                    return int(failed[1]), int(failed[2])
            if not over:
                time.sleep(LOOK_EVERY)
        return None

    def _find_processes(self) -> None:
        if len(self.workers) == self.job.local:  # the scheduler was started before them
            return
        children = []
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self.process.pid).children()
        for child in children:
            with contextlib.suppress(psutil.Error):  # it has ended already
                environment = child.environ()  # still msrun's own for a moment
                if environment.get("MS_ROLE") == "MS_SCHED":
                    self.scheduler = self.scheduler or child
                elif environment.get("MS_ROLE") == "MS_WORKER":
                    self.workers.setdefault(child.pid, (int(environment["RANK_ID"]), child))

    def _scheduler_is_lost(self) -> bool:
        """Whether it has ended although workers go on; msrun would not notice."""
        started = self.has_scheduler and len(self.workers) == self.job.local
        if not started or _lives(self.scheduler) or not any(_lives(p) for _, p in self.workers.values()):
            return False
        self.scheduler_ended = self.scheduler_ended or time.monotonic()
        return time.monotonic() - self.scheduler_ended > SCHEDULER_LEADS

    def _explained(self, failure: tuple[int, int] | None) -> int:
        """Stop what is left, say on stderr what went wrong; the exit status that follows."""
        by_us = len(self.signals) > 1 or self.process.poll() is None
        self._end_all()
        self._show_log()
        if len(self.signals) > 1:
            _say(f"stopped at once by a second {self.signals[1].name}; what was saved before stays")
            return 130 if self.signals[1] == signal.SIGINT else 128 + self.signals[1]
        if failure:
            return self._explained_worker(*failure)
        if by_us:
            self._explain("the scheduler has ended while workers went on", Log(self.logs / "scheduler.log"))
            return 1
        if self.process.returncode:
            self._explain(f"msrun {_how(self.process.returncode)}", self.messages)
            return 1
        return self._status_of_stop()

    def _explained_worker(self, pid: int, code: int) -> int:
        if self.signals and code == -signal.SIGTERM:  # while it trains, a worker would have saved and ended with 0
            _say(f"stopped by {self.signals[0].name} while nothing was being trained: nothing was lost")
            return self._status_of_stop()
        ranks = {number: rank for number, (rank, _) in self.workers.items()}
        unseen = set(range(self.job.first, self.job.first + self.job.local)) - set(ranks.values())
        rank = ranks[pid] if pid in ranks else min(unseen, default=self.job.first)  # unseen: it ended as it began
        log = self._log_of(rank)
        said = [line for line in log.tail(10_000) if line.startswith("error: ")]
        if code > 0 and said:
            _say(said[-1])
            return code
        if lost := self._lost_elsewhere(code):
            _say(f"error: {lost}; all workers here were stopped; the log of the machine where it ran says why")
            return 1
        self._explain(f"rank {rank} {_how(code)}", log)
        return code if code > 0 else 1

    def _lost_elsewhere(self, code: int) -> str | None:
        """What has ended on another machine, if that is why a worker ended here: MindSpore sends it a SIGTERM then."""
        if self.job.total == self.job.local or code != -signal.SIGTERM:
            return None
        here = range(self.job.first, self.job.first + self.job.local)
        said = Log(self.logs / "scheduler.log").tail(10_000)
        lost = [number for line in said for number in LOST.findall(line) if int(number) not in here]
        return f"rank {lost[0]}, on another machine, has ended" if lost else "another machine's rank has ended"

    def _explain(self, what: str, log: Log) -> None:
        _say(f"error: {what}; all others here were stopped; the end of {log.path}:", *log.tail())

    def _status_of_stop(self) -> int:
        return 130 if signal.SIGINT in self.signals else 0

    def _log_of(self, rank: int) -> Log:
        return Log(self.logs / f"worker_{rank}.log")

    def _show_log(self) -> None:
        """Print what the first worker of this machine has added to its log, but for its last words of failure."""
        for line in self.shown.new_lines():
            if not line.startswith("error: ") and not CHATTER.match(line):
                with contextlib.suppress(OSError):  # nobody reads any more; the logs are complete all the same
                    print(line, flush=True)

    @contextlib.contextmanager
    def _signals_noted(self) -> Iterator[None]:
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` has asked to ignore it
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _: object) -> None:
        """The first signal asks the workers to save and stop, the second ends them."""
        self.signals.append(signal.Signals(number))

    def _pass_signal_on(self) -> None:
        """Also to workers that had not been started yet when the signal came."""
        if self.signals:
            for pid, (_, worker) in self.workers.items():
                if pid not in self.told:
                    self.told.add(pid)
                    with contextlib.suppress(psutil.Error):
                        worker.terminate()

    def _end_all(self) -> None:
        """Leave no process behind, however this ends."""
        found = self._kill_descendants()
        try:
            self.process.wait(TIME_TO_LEAVE if found else 0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._kill_descendants()  # what msrun has started meanwhile

    def _kill_descendants(self) -> bool:
        """End what msrun has started, and what that has; whether there was anything."""
        found, limit = False, time.monotonic() + TIME_TO_LEAVE
        while (left := self._descendants()) and time.monotonic() < limit:
            found = True
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.02)
        return found

    def _descendants(self) -> list[psutil.Process]:
        """By their token, which only the living show: once msrun is dead, nothing else tells whose they are."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):  # it has just ended, or belongs to somebody else
                if process.environ().get(TOKEN) == self.token and process.pid != self.process.pid:
                    found.append(process)
        return found


def msrun_command(job: Job, command: list[str], logs: Path) -> list[str]:
    """What starts `command` in all workers of this machine."""
    flags = [f"--worker_num={job.total}", f"--local_worker_num={job.local}", f"--node_rank={job.node_rank}"]
    flags += [f"--master_addr={job.master}", f"--master_port={job.port}", f"--log_dir={logs}", "--join=True"]
    flags += [f"--tail_worker_log={job.total}"]  # of a rank that there is not: we show the log ourselves
    flags += [f"--rank_table_file={job.rank_table}"] if job.rank_table else []
    return [sys.executable, "-m", "mindspore.parallel.cluster.run", *flags, interpreter(), *command]


def interpreter(executable: str = sys.executable) -> str:
    """The name under which msrun, which looks it up in PATH, finds the Python that runs this.

    Raises:
        UserError: beside it there is neither `python` nor `python3` that is the same.
    """
    for name in ("python", "python3"):
        beside = Path(executable).with_name(name)
        if beside.exists() and beside.samefile(executable):
            return name
    raise UserError(f"msrun starts `python` or `python3`, neither is {executable}; use a virtual environment")


def environment(job: Job) -> dict[str, str]:
    """Of msrun and its workers. Workers on the CPU share its cores; what the user has set for that is left alone."""
    threads = {} if job.devices else {"OMP_NUM_THREADS": str(max(1, usable_cores() // job.local))}
    own = {"LOCAL_WORLD_SIZE": str(job.local), "PYTHONUNBUFFERED": "1"}
    own |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    own |= {"ASCEND_RT_VISIBLE_DEVICES": job.devices} if job.devices else {}
    return threads | os.environ | own


def _lives(process: psutil.Process | None) -> bool:
    try:
        return process is not None and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _how(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"


def _say(*lines: str) -> None:
    with contextlib.suppress(OSError):
        print(*lines, sep="\n", file=sys.stderr, flush=True)
