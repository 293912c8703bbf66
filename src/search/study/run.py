"""Start or resume a study: check its settings, data and recipe, run its method, write its report."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Protocol

from src.cli import parse
from src.config import TrainConfig
from src.config.study import StudyOptions
from src.design.architecture_file import load_architecture, save_architecture
from src.design.cost import total_cost
from src.design.families import find_architecture
from src.errors import UserError
from src.images.check import check_classes, check_images
from src.images.data_path import open_split, resolve_data_path
from src.images.image_set import fingerprint
from src.runtime.workers import usable_cores
from src.search.study.definition import LOCK, NAME, Data, check_folder, describe, write_or_check
from src.search.study.driver import Driver
from src.search.study.place import open_pool
from src.search.study.process import Job
from src.search.study.progress import Progress
from src.search.study.records import Records
from src.search.study.trial import Result, Rounds, Trial, check_same_trial

PROJECT = Path(__file__).resolve().parents[3]
NO_TRIAL = "these settings leave no trial to run; ask for at least one"
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
        UserError: a setting, the recipe or the data is wrong, or the folder holds other files.
    """

    def __init__(self, command: str, config: StudyOptions) -> None:
        self.command, self.config = command, config
        self.folder = config.study or Path("runs") / command
        check_folder(self.folder)
        if config.recipe is None or not config.recipe.is_file():
            raise UserError(f"recipe {config.recipe}: there is no such file; give a YAML of train.py")
        self.recipe = self._read_recipe(config.recipe)
        path = resolve_data_path(config.data_path).absolute()
        self.splits = open_split(path, "train"), open_split(path, "val")
        check_classes(*self.splits)
        self.data = self._describe_data(path)
        base = find_architecture(str(config.model))
        self.base = base.at(config.input_size) if config.input_size else base

    def define(self) -> None:
        """Write what the study is, or compare it with what it was; remove what a killed process has half written."""
        for leftover in (self.folder / "architectures").glob(".*.yaml-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        write_or_check(self.folder, describe(self.command, self.config, self.recipe, self.data, self.base))

    def check_images(self) -> None:
        """Look for damaged images once, so that no trial has to."""
        check_images(self.splits, self.recipe.check_data, usable_cores())

    def job(self, number: int, trial: Trial) -> Job:
        """Return the training of a trial, whose network is written to a file of the study.

        Raises:
            UserError: the file holds another network.
        """
        name, folder = f"{number:04d}", self.folder.absolute()
        network, run_dir = folder / "architectures" / f"{name}.yaml", folder / "trials" / name
        if network.exists() and network.stat().st_size:  # it is empty after a power failure
            check_same_trial(number, replace(trial, architecture=load_architecture(network)), trial, network)
        else:
            save_architecture(trial.architecture, network, durable=False)  # the method proposes it again
        run_dir.mkdir(parents=True, exist_ok=True)
        return Job(number, tuple(self.command_of(network, run_dir, trial.seed)), run_dir)

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

    def _read_recipe(self, path: Path) -> TrainConfig:
        """Return the recipe of all trials. The number of workers is fixed, because it changes the training images."""
        flags = ["--config", str(path), *(["--epochs", str(self.config.epochs)] if self.config.epochs else [])]
        recipe = parse(TrainConfig, flags)
        return recipe.model_copy(update={"workers": recipe.workers or 1})

    def _describe_data(self, path: Path) -> Data:
        train, val = self.splits
        content = f"{fingerprint(train)[:16]} {fingerprint(val)[:16]}"
        return Data(str(path), len(train.classes), len(train), len(val), content)


def run_study(study: Study, method: Method) -> list[Result]:
    """Run what is missing of a study, and return all its results.

    Raises:
        UserError: another process runs the study, its definition has changed, or as `Driver.run`.
        KeyboardInterrupt: the study was stopped; the same command resumes it.
    """
    with _locked(study.folder):
        study.define()
        records = Records(study.folder)
        try:
            study.check_images()
            pool = open_pool(study.config, study.folder.absolute() / NAME)
            progress = Progress(method.expected_trials(), records.results.values())
            limit = 60 * study.config.trial_minutes
            driver = Driver(records, pool, study.job, study.recipe.epochs, limit, study.data.classes, progress)
            if not (results := driver.run(method.rounds())):
                raise UserError(NO_TRIAL)
            return results
        except KeyboardInterrupt:
            print(f"stopped; `{_resume_command()}` resumes the study", flush=True)
            raise
        finally:
            records.close()


def plan_lines(study: Study, method: Method) -> list[str]:
    """Return the networks of the first round, and what the study costs."""
    trials = next(method.rounds())
    if not trials:
        raise UserError(NO_TRIAL)
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


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second process out of the study. The lock ends with the process, however that ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / LOCK, "a")  # noqa: SIM115 - held until the block ends
    except OSError as error:
        raise UserError(f"cannot write to study {folder}: {error.strerror}; give another --study") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"study {folder} is run by another process; wait for its end") from None
        yield


def _resume_command() -> str:
    return " ".join(map(quote, ["python", *sys.argv]))
