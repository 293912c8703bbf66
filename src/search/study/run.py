"""Start or resume a study: check its settings, data and recipe, run its method, write its report."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Protocol

import psutil

from src.cli import parse
from src.config import TrainConfig
from src.config.study import StudyOptions
from src.design.architecture_file import save_architecture
from src.design.cost import total_cost
from src.design.families import find_architecture
from src.errors import UserError
from src.images.data_path import open_split, resolve_data_path
from src.launch.plan import visible_npus
from src.runtime.workers import usable_cores
from src.search.study.definition import LOCK, Data, describe, write_or_check
from src.search.study.driver import Driver
from src.search.study.pool import LocalPool, Pool
from src.search.study.process import Job
from src.search.study.progress import Progress
from src.search.study.records import Records
from src.search.study.trial import Result, Rounds, Trial

PROJECT = Path(__file__).resolve().parents[3]
MEMORY_OF_TRIAL = 2 * 2**30  # bytes; a training of TinyNet-E on the CPU takes 0.8 to 1.4 GB
TRAINING_COST = 3  # forward pass, gradient of the inputs, gradient of the weights


class Method(Protocol):
    """A method of search, made for the settings of a study."""

    def rounds(self) -> Rounds:
        """Propose trials, round by round. The same results give the same proposals."""

    def expected_trials(self) -> int:
        """Return about how many trials all rounds have together."""


class Study:
    """A study that is about to run.

    Raises:
        UserError: a setting, the recipe or the data is wrong, or the folder holds another study.
    """

    def __init__(self, command: str, config: StudyOptions) -> None:
        self.command, self.config = command, config
        self.folder = config.study or Path("runs") / command
        if config.recipe is None or not config.recipe.is_file():
            raise UserError(f"recipe {config.recipe}: there is no such file; give a YAML of train.py")
        self.recipe = self._read_recipe(config.recipe)
        self.data = _open_data(config.data_path)
        base = find_architecture(str(config.model))
        self.base = base.at(config.input_size) if config.input_size else base

    def define(self) -> None:
        """Write what the study is, or compare it with what it was."""
        write_or_check(self.folder, describe(self.command, self.config, self.recipe, self.data, self.base))

    def job(self, number: int, trial: Trial) -> Job:
        """Return the training of a trial, whose network is written to a file of the study."""
        name = f"{number:04d}"
        network, run_dir = self.folder / "architectures" / f"{name}.yaml", self.folder / "trials" / name
        if not network.exists():
            save_architecture(trial.architecture, network)
        run_dir.mkdir(parents=True, exist_ok=True)
        return Job(number, tuple(self.command_of(network, run_dir, trial.seed)), run_dir, self.threads)

    def command_of(self, network: Path, run_dir: Path, seed: int) -> list[str]:
        """Return train.py with its arguments; every path is absolute, because a cluster runs it elsewhere."""
        values = {
            "config": self.config.recipe,
            "model": network,
            "data_path": self.data.path,
            "run_dir": run_dir,
            "seed": seed,
            "epochs": self.recipe.epochs,
            "workers": self.recipe.workers,
            "device_target": self.config.device_target,
            "device_id": 0,
            "check_data": "off",  # the study has checked the images
            "resume": "auto",
        }
        paths = {key: os.path.abspath(value) for key, value in values.items() if isinstance(value, Path)}
        flags = [word for key, value in (values | paths).items() for word in (f"--{key}", str(value))]
        return [str(PROJECT / "train.py"), *flags]

    @property
    def slots(self) -> int:
        """Trials at a time."""
        if self.config.parallel:
            return self.config.parallel
        memory = int(psutil.virtual_memory().available // MEMORY_OF_TRIAL)
        return len(self.npus) or max(1, min(usable_cores(), memory))

    @property
    def npus(self) -> list[str]:
        """Numbers of the NPUs of this machine that trials may use."""
        return visible_npus() if self.config.device_target in ("auto", "Ascend") else []

    @property
    def threads(self) -> int:
        """Threads of a trial."""
        return self.config.threads or max(1, usable_cores() // self.slots)

    def pool(self) -> Pool:
        """Return the place where the trials run."""
        if self.npus and self.slots > len(self.npus):
            raise UserError(f"parallel is {self.slots}, but this machine has {len(self.npus)} NPUs")
        return LocalPool(self.npus[: self.slots] or [None] * self.slots)

    def _read_recipe(self, path: Path) -> TrainConfig:
        """Return the recipe of all trials. The number of workers is fixed, because it changes the training images."""
        flags = ["--config", str(path), *(["--epochs", str(self.config.epochs)] if self.config.epochs else [])]
        recipe = parse(TrainConfig, flags)
        return recipe.model_copy(update={"workers": recipe.workers or 1})


def run_study(study: Study, method: Method) -> list[Result]:
    """Run what is missing of a study, and return all its results.

    Raises:
        UserError: another process runs the study, or as `Driver.run`.
        KeyboardInterrupt: the study was stopped; the same command resumes it.
    """
    with _locked(study.folder):
        study.define()
        records = Records(study.folder)
        try:
            pool = study.pool()
            progress = Progress(method.expected_trials(), records.results.values(), pool.slots)
            limit = 60 * study.config.trial_minutes
            driver = Driver(records, pool, study.job, study.recipe.epochs, limit, study.data.classes, progress)
            return driver.run(method.rounds())
        except KeyboardInterrupt:
            print(f"stopped; `{_resume_command()}` resumes the study", flush=True)
            raise
        finally:
            records.close()


def plan_lines(study: Study, method: Method) -> list[str]:
    """Return the networks of the first round, and what the study costs."""
    trials = next(method.rounds())
    images = study.data.train * study.recipe.epochs
    lines, total = [], 0
    for number, trial in enumerate(trials, 1):
        macs = total_cost(trial.architecture, study.data.classes).macs
        total += macs
        size = f"{macs / 1e6:8.3f} M MACs, {trial.architecture.resolution:3} px"
        lines.append(f"{number:4} {trial.group}: {size}  {trial.notes_text()}")
    expected = method.expected_trials()
    lines.append(f"{len(trials)} trials in the first round, about {expected} in all")
    lines.append(
        f"a trial: {study.recipe.epochs} epochs of {study.data.train:,} images, then {study.data.val:,} to score; "
        f"all: {expected * images:,} images, about {TRAINING_COST * total / len(trials) * expected * images:.2g} MACs"
    )
    return lines


def _open_data(name: str) -> Data:
    path = resolve_data_path(name).absolute()
    train, val = open_split(path, "train"), open_split(path, "val")
    return Data(str(path), len(train.classes), len(train), len(val))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second process out of the study. The lock ends with the process, however that ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / LOCK, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError:
        raise UserError(f"study {folder} is run by another process; wait for its end") from None


def _resume_command() -> str:
    return " ".join(map(quote, ["python", *sys.argv]))
