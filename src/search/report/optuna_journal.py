"""The trials of a study as a journal of Optuna, which optuna-dashboard shows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from src.errors import UserError
from src.runtime.files import atomic_write
from src.search.report.trials import note_keys
from src.search.report.view import StudyView
from src.search.study.trial import Result


def save_journal(studies: Sequence[StudyView], path: Path) -> None:
    """Write studies into a new journal file: accuracy is maximized, multiply-adds are minimized.

    What a method noted about its networks becomes Optuna's parameters; the rest are attributes of the trials.

    Raises:
        UserError: Optuna is not installed, or the file exists or cannot be written.
    """
    check_journal(path)
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with atomic_write(path) as temporary:
        storage = JournalStorage(JournalFileBackend(str(temporary)))
        for study in studies:
            journal = optuna.create_study(
                storage=storage, study_name=str(study.folder), directions=["maximize", "minimize"]
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of this call, in 4 and 5
                journal.set_metric_names(["top-1, %", "MACs"])
            ranges = _ranges(study.results)
            journal.add_trials([_trial(result, ranges) for result in study.results])


def check_journal(path: Path) -> None:
    """Check that `save_journal` can write `path`.

    Raises:
        UserError: Optuna is not installed, or the file exists.
    """
    if not find_spec("optuna"):
        raise UserError("--optuna needs optuna; `pip install '.[optuna]'`")
    if path.exists():
        raise UserError(f"{path} exists; give the name of a new file")


def _trial(result: Result, ranges: dict[str, Any]) -> Any:
    from optuna.trial import TrialState, create_trial

    notes = {key: value for key, value in result.trial.notes.items() if key in ranges}
    attributes = {
        "number": result.number,
        "group": result.trial.group,
        "seed": result.trial.seed,
        "loss": result.loss,
        "parameters": result.parameters,
        "resolution": result.trial.architecture.resolution,
        "seconds": result.seconds,
        "status": result.status,
        "reason": result.reason,
        "run_dir": result.run_dir,
    }
    return create_trial(
        state=TrialState.COMPLETE if result.is_done else TrialState.FAIL,
        values=None if result.top1 is None else [result.top1, result.macs],
        params=notes,
        distributions={key: ranges[key] for key in notes},
        user_attrs=attributes,
    )


def _ranges(results: Sequence[Result]) -> dict[str, Any]:
    """Return the distribution of each note: the range of its numbers, or its different texts."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    ranges: dict[str, Any] = {}
    for key in note_keys(results):
        values = [result.trial.notes[key] for result in results if key in result.trial.notes]
        if all(isinstance(value, (int, float)) for value in values):
            numbers = [float(value) for value in values]
            ranges[key] = FloatDistribution(min(numbers), max(numbers))
        else:
            ranges[key] = CategoricalDistribution(list(dict.fromkeys(map(str, values))))
    return ranges
