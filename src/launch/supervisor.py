"""Run `msrun`, stream the log of a worker, explain failures and leave no process behind.

`msrun`, MindSpore's process starter, lacks what is added here: a stop within seconds when a process dies (its
scheduler waits half a minute, or for ever), the end of that process's log, its exit status, and signals that let the
workers save.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from src.errors import UserError
from src.launch.job import Job, environment, msrun_command
from src.launch.processes import ProcessFamily, how_it_ended, is_alive
from src.launch.worker_log import CHATTER, Log
from src.runtime.streams import print_error

POLL_INTERVAL = 0.2  # seconds
SCHEDULER_GRACE = 10  # seconds that the scheduler may end before its workers; longer means that it failed
WORKER_FAILED = re.compile(r"Worker process (\d+) exit with exception\. Error code: (-?\d+)")  # in msrun's log
RANK_LOST = re.compile(r"The node: (\d+) is timed out")  # in the scheduler's log, about a rank of any machine


class Failure(NamedTuple):
    """A worker that msrun reports as failed."""

    pid: int
    code: int  # exit status, or minus the signal


class Supervisor:
    """Runs one job: `command`, a Python script and its arguments, in each worker. `logs` is a new folder."""

    def __init__(self, job: Job, command: list[str], logs: Path) -> None:
        self.job, self.command, self.logs = job, command, logs
        self.family = ProcessFamily()
        self.signals: list[signal.Signals] = []  # received, in order
        self.signalled: set[int] = set()  # process numbers of workers that got the first signal
        self.ranks: dict[int, int] = {}  # process number -> rank
        self.workers: dict[int, psutil.Process] = {}  # by process number
        self.has_scheduler = False  # only the first of several machines has one
        self.scheduler: psutil.Process | None = None  # stays None if it ended before it was found
        self.scheduler_ended: float | None = None
        self.msrun_log, self.first_worker_log = Log(logs / "msrun.log"), self._worker_log(job.first)

    def run(self) -> int:
        """Start the job, print its log, wait for its end and return the exit status.

        Raises:
            OSError: the folder of the logs cannot be made.
            UserError: msrun cannot start this Python.
        """
        self.logs.mkdir(parents=True)
        with self._signals_recorded(), open(self.msrun_log.path, "w", encoding="utf-8") as output:
            self.msrun = subprocess.Popen(
                msrun_command(self.job, self.command, self.logs),
                env=environment(self.job) | self.family.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that the terminal's signals reach only this process, which forwards them
            )
            try:
                return self._exit_status(self._watch())
            finally:
                self.family.stop(self.msrun)

    def _watch(self) -> Failure | None:
        """Wait until the job is over. Return the worker that failed, if msrun names one."""
        over = False
        while not over:
            over = self.msrun.poll() is not None or len(self.signals) > 1 or self._scheduler_is_lost()
            self._find_processes()
            self._forward_signal()
            self._print_log()
            for line in self.msrun_log.new_lines():
                self.has_scheduler |= line.startswith("Start scheduler process")
                if failed := WORKER_FAILED.search(line):
                    return Failure(int(failed[1]), int(failed[2]))
            if not over:
                time.sleep(POLL_INTERVAL)
        return None

    def _find_processes(self) -> None:
        if len(self.workers) == self.job.local:  # msrun starts the scheduler before the workers
            return
        children = []
        with contextlib.suppress(psutil.Error):
            children = psutil.Process(self.msrun.pid).children()
        for child in children:
            with contextlib.suppress(psutil.Error):  # it has ended already
                variables = child.environ()  # for a moment after the start, this is still msrun's environment
                if variables.get("MS_ROLE") == "MS_SCHED":
                    self.scheduler = self.scheduler or child
                elif variables.get("MS_ROLE") == "MS_WORKER" and child.pid not in self.workers:
                    self.ranks[child.pid], self.workers[child.pid] = int(variables["RANK_ID"]), child

    def _scheduler_is_lost(self) -> bool:
        """Return whether the scheduler ended a while ago although workers still run, which msrun does not notice."""
        started = self.has_scheduler and len(self.workers) == self.job.local
        if not started or is_alive(self.scheduler) or not any(map(is_alive, self.workers.values())):
            return False
        self.scheduler_ended = self.scheduler_ended or time.monotonic()
        return time.monotonic() - self.scheduler_ended > SCHEDULER_GRACE

    def _exit_status(self, failure: Failure | None) -> int:
        """Stop all processes that are left, report on stderr what went wrong, and return the exit status."""
        stopped_by_us = len(self.signals) > 1 or self.msrun.poll() is None
        self.family.stop(self.msrun)
        self._print_log()
        if len(self.signals) > 1:
            second = self.signals[1]
            print_error(f"stopped at once by a second {second.name}; what was saved before stays")
            return 130 if second == signal.SIGINT else 128 + second
        if failure:
            return self._status_of_failure(failure)
        if stopped_by_us:
            scheduler_log = Log(self.logs / "scheduler.log")
            self._print_failure("the scheduler ended while workers were still running", scheduler_log)
            return 1
        if self.msrun.returncode:
            self._print_failure(f"msrun {how_it_ended(self.msrun.returncode)}", self.msrun_log)
            return 1
        return self._status_of_signal()

    def _status_of_failure(self, failure: Failure) -> int:
        if self.signals and failure.code == -signal.SIGTERM:  # a worker that trains would have saved and ended with 0
            print_error(f"stopped by {self.signals[0].name} before or after training: nothing was lost")
            return self._status_of_signal()
        rank = self._rank_of(failure)
        log = self._worker_log(rank)
        errors = [line for line in log.tail(10_000) if line.startswith("error: ")]
        if failure.code > 0 and errors:
            print_error(errors[-1])
            return failure.code
        if lost := self._lost_elsewhere(failure.code):
            print_error(f"error: {lost}; all workers here were stopped; see the log of the machine where it ran")
            return 1
        self._print_failure(f"rank {rank} {how_it_ended(failure.code)}", log)
        return failure.code if failure.code > 0 else 1

    def _rank_of(self, failure: Failure) -> int:
        """Return the rank of a failed worker; one that ended before it was found has one of the missing ranks."""
        missing = set(self.job.ranks) - set(self.ranks.values())
        return self.ranks.get(failure.pid, min(missing, default=self.job.first))

    def _lost_elsewhere(self, code: int) -> str | None:
        """Return which rank ended on another machine, if that is why a worker ended here.

        MindSpore sends SIGTERM to all workers when one is lost.
        """
        if self.job.total == self.job.local or code != -signal.SIGTERM:
            return None
        lines = Log(self.logs / "scheduler.log").tail(10_000)
        lost = [rank for line in lines for rank in RANK_LOST.findall(line) if int(rank) not in self.job.ranks]
        return f"rank {lost[0]}, on another machine, has ended" if lost else "a rank on another machine has ended"

    def _status_of_signal(self) -> int:
        return 130 if signal.SIGINT in self.signals else 0

    def _worker_log(self, rank: int) -> Log:
        return Log(self.logs / f"worker_{rank}.log")

    def _print_log(self) -> None:
        """Print the new lines of the first worker's log, without its error line, which `_exit_status` prints."""
        for line in self.first_worker_log.new_lines():
            if not line.startswith("error: ") and not CHATTER.match(line):
                # The reader has closed the pipe, or the disk is full; the log files are complete.
                with contextlib.suppress(OSError, UserError):
                    print(line, flush=True)

    def _print_failure(self, reason: str, log: Log) -> None:
        print_error(f"error: {reason}; all other processes here were stopped; the end of {log.path}:", *log.tail())

    @contextlib.contextmanager
    def _signals_recorded(self) -> Iterator[None]:
        """Record signals: the first asks the workers to save and stop, the second ends them."""
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` asks to ignore it
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._record_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _record_signal(self, number: int, _: object) -> None:
        self.signals.append(signal.Signals(number))

    def _forward_signal(self) -> None:
        """Send SIGTERM once to each worker, also to those that started after the signal came."""
        if self.signals:
            for pid in self.workers.keys() - self.signalled:
                self.signalled.add(pid)
                with contextlib.suppress(psutil.Error):
                    self.workers[pid].terminate()
