"""Trials on the machines of a Ray cluster, where Ray only places them.

Each trial has an actor of its own: a fresh process on some machine, which holds the CPUs and the NPU of the trial,
starts its training as a child process, and ends with it. Ray never starts anything again (`max_restarts` and
`max_task_retries` are 0), because the driver does, and records it. No option of Ray reaches a result.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.search.study.process import GRACE, Ended, Job, TrialProcess

REPLY_INTERVAL = 0.5  # seconds after which an actor answers that its training still runs
CONNECT_TIMEOUT = 10  # seconds; Ray itself tries for minutes and prints a line every five seconds
SHARED_TIMEOUT = 60  # seconds; a network file system may show a new file that late
COUNT_INTERVAL = 5  # seconds between two looks at the machines of the cluster


class RemoteTraining:
    """The actor of a trial."""

    def begin(self, job: Job, threads: int, study_file: str, content: str) -> str:
        """Start the training, if that was not done already. Return why this machine cannot; empty if it could.

        Actors run in the main thread of their process, so that the training ends with that process (child.py).
        """
        for path in (Path(job.command[0]), Path(study_file), job.run_dir):
            if not _appears(path):
                return f"machine {socket.gethostname()} does not see {path}"
        if Path(study_file).read_text("utf-8") != content:
            return f"machine {socket.gethostname()} sees another {study_file}"
        if not hasattr(self, "training"):
            self.training = TrialProcess(job, threads, _npu())
        return ""

    def poll(self) -> Ended | None:
        """Wait for a moment. Return how the training ended; None while it runs."""
        deadline = time.monotonic() + REPLY_INTERVAL
        while (ended := self.training.poll()) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return ended

    def terminate(self) -> None:
        """Ask the training to save and stop."""
        self.training.terminate()

    def kill(self) -> None:
        """End the training at once."""
        self.training.kill()


@dataclass
class Placed:
    """A trial that was given to the cluster: its actor, and the answer that is awaited."""

    job: Job
    actor: Any
    answer: Any = None
    began: float = 0.0  # 0: it waits for a machine


class RayPool:
    """The machines of a Ray cluster.

    Args:
        address: `HOST:PORT` of its head, or `auto`.
        study_file: a file of the study, which every machine must see with this content.
        parallel: trials at a time; 0: as many as the cluster has room for.
        threads: threads of a trial; 0: one, or the cores of a machine shared by its NPUs.
        wants_npus: whether each trial gets an NPU where the cluster has some.

    Raises:
        UserError: Ray is not installed, or the cluster cannot be reached or has no room for a trial.
    """

    def __init__(self, address: str, study_file: Path, parallel: int, threads: int, wants_npus: bool) -> None:
        self.ray = _connect(address)
        self.study_file, self.parallel = str(study_file), parallel
        self.content = study_file.read_text("utf-8")
        self.running: dict[int, Placed] = {}
        self.stopped: list[Ended] = []  # seen by `stop`; `ended` returns them
        self.npus = 1 if wants_npus and self.ray.cluster_resources().get("NPU") else 0
        self.threads = threads or self._threads()
        self.room, self.counted = self._count_room(), time.monotonic()
        if not self.room:
            raise UserError(f"ray_address {address}: no machine has room for a trial of {self.threads} threads")
        self.actor = self.ray.remote(
            max_restarts=0,
            max_task_retries=0,
            num_cpus=self.threads,
            resources={"NPU": self.npus} if self.npus else None,
        )(RemoteTraining)

    @property
    def slots(self) -> int:
        """Trials at a time; at least one, which waits for a machine if all are lost."""
        if time.monotonic() > self.counted + COUNT_INTERVAL:
            self.room, self.counted = self._count_room(), time.monotonic()
        room = max(1, self.room)
        return min(self.parallel or room, room)

    def start(self, job: Job) -> None:
        self.running[job.number] = Placed(job, self.actor.remote())
        self._ask(self.running[job.number])

    def seconds(self, number: int) -> float:
        began = self.running[number].began
        return time.monotonic() - began if began else 0.0

    def ended(self) -> list[Ended]:
        found, self.stopped = self.stopped + self._look(), []
        return found

    def kill(self, number: int) -> None:
        self.running[number].actor.kill.remote()

    def stop(self) -> None:
        for placed in self.running.values():
            if placed.began:
                placed.actor.terminate.remote()
        deadline = time.monotonic() + GRACE
        while any(placed.began for placed in self.running.values()) and time.monotonic() < deadline:
            self.stopped += self._look()
            time.sleep(0.05)

    def close(self) -> None:
        for number in list(self.running):
            self._release(number)
        self.ray.shutdown()

    def _look(self) -> list[Ended]:
        """Take the answers that have come. Return the trainings that have ended."""
        answers = {placed.answer: placed for placed in self.running.values()}
        ready = self.ray.wait(list(answers), num_returns=len(answers), timeout=0)[0] if answers else []
        found = [end for answer in ready if (end := self._end_of(answers[answer])) is not None]
        for end in found:
            self._release(end.number)
        return found

    def _end_of(self, placed: Placed) -> Ended | None:
        """Take the answer of an actor, and ask it again. Return the end of its training, or None.

        Raises:
            UserError: its machine cannot run any trial of this study.
        """
        errors, number = self.ray.exceptions, placed.job.number
        try:
            answer = self.ray.get(placed.answer)
        except errors.ActorUnavailableError:  # the network failed for a moment, or Ray has not found out more yet
            answer = None
        except errors.OutOfMemoryError:  # by Ray's monitor, before the system does it
            return Ended(number, -signal.SIGKILL, self.seconds(number))
        except errors.RayError as error:
            if "ModuleNotFoundError" in str(error):
                raise UserError(f"a machine of the cluster cannot import this project: {_module(error)}") from None
            if isinstance(error, errors.RayTaskError):  # of our own code there, such as a folder without permission
                raise UserError(f"trial {number}: a machine of the cluster cannot run it: {error.cause}") from None
            return Ended(
                number, 1, self.seconds(number), lost=f"its machine or worker is lost ({type(error).__name__})"
            )
        if isinstance(answer, Ended):
            return answer
        if answer:
            raise UserError(f"{answer}; the project, the study and the data must lie on a file system that all share")
        if answer == "":
            placed.began = time.monotonic()
        self._ask(placed)
        return None

    def _ask(self, placed: Placed) -> None:
        """Ask an actor to start its training, or how it ended."""
        if placed.began:
            placed.answer = placed.actor.poll.remote()
        else:
            placed.answer = placed.actor.begin.remote(placed.job, self.threads, self.study_file, self.content)

    def _release(self, number: int) -> None:
        """End the process of an actor, and a training that still runs with it."""
        with contextlib.suppress(Exception):  # it is lost already
            self.ray.kill(self.running[number].actor)
        del self.running[number]

    def _machines(self) -> list[dict[str, float]]:
        """Return what each machine has that can run a trial."""
        found = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        return [machine for machine in found if machine.get("NPU") or not self.npus]

    def _threads(self) -> int:
        """Return 1, or with NPUs the cores of a machine shared by them."""
        if not self.npus:
            return 1
        return max(1, min(int(machine.get("CPU", 1) // machine["NPU"]) for machine in self._machines()))

    def _count_room(self) -> int:
        """Return how many trials run at a time if nobody else uses the cluster."""
        rooms = [int(machine.get("CPU", 0) // self.threads) for machine in self._machines()]
        if self.npus:
            rooms = [min(room, int(machine["NPU"])) for room, machine in zip(rooms, self._machines())]
        return sum(rooms)


def _connect(address: str) -> Any:
    """Join the cluster as its driver, and return the module `ray`.

    Raises:
        UserError: Ray is missing, the cluster cannot be reached, or it has another version.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UserError("ray_address needs Ray; `pip install '.[cluster]'`") from None
    try:
        if address != "auto":
            host, _, port = address.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, OverflowError) as error:
        raise UserError(f"ray_address {address}: {error}; start a cluster with `ray start --head`") from None
    except (RuntimeError, ValueError, AssertionError) as error:  # other versions, another token, not a machine of it
        raise UserError(f"ray_address {address}: {' '.join(str(error).split())}") from None
    return ray


def _npu() -> str | None:
    """Return the number of the NPU that Ray has given to this actor, as its machine counts them; None: no NPU."""
    import ray

    numbers = ray.get_runtime_context().get_accelerator_ids().get("NPU")
    return str(numbers[0]) if numbers else None


def _appears(path: Path) -> bool:
    """Wait until a file can be seen. Return whether it can."""
    deadline = time.monotonic() + SHARED_TIMEOUT
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.5)
    return path.exists()


def _module(error: Exception) -> str:
    """Return the line of an error that names the missing module."""
    return next(line.strip() for line in str(error).splitlines() if "ModuleNotFoundError" in line)
