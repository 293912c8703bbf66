"""The report of detection_pair.py: what each run reached, and how much one backbone exceeds another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from src.search.analysis.difference import difference
from src.search.report.document import Block, Cell, Code, Column, Report, Section, Table
from src.search.report.markdown import to_markdown

SCORES = {  # by their names in the results
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_small": "AP small",
    "ap_medium": "AP medium",
    "ap_large": "AP large",
}
NO_TRUTH = -1  # a score of a size that no object has
MARK = "<!-- made by benchmarks/detection_pair.py -->"


@dataclass(frozen=True)
class Run:
    """A classifier and the detector that starts from it."""

    backbone: str
    seed: int
    epochs: int
    classifier_epochs: int

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{Path(self.backbone).stem}-{self.classifier_epochs}and{self.epochs}epochs-seed{self.seed}"


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes:
        macs, parameters: of the detector.
        top1: of the classifier, in percent.
        seconds: of the detector's training, without compiling.
        threads: of each training.
        parallel: runs at a time.
        scores: in percent, by the keys of `SCORES`; -1 if the validation scenes have no object of that size.
    """

    run: Run
    macs: int
    parameters: int
    top1: float
    seconds: float
    threads: int
    parallel: int
    scores: dict[str, float]


def compare(results: Sequence[Result], command: str) -> str:
    """Return the report in Markdown: the first backbone against each other one, all runs, how to repeat them.

    Args:
        results: those of all backbones and seeds.
        command: the one that repeats them.
    """
    backbones = list(dict.fromkeys(result.run.backbone for result in results))
    ours, *others = ([result for result in results if result.run.backbone == backbone] for backbone in backbones)
    versions = ", ".join(f"{package} {version(package)}" for package in ("mindspore", "faster-coco-eval"))
    page = Report(
        title=f"SSDLite on {' and '.join(backbones)}",
        lead=[_what_was_trained(results[0].run), *(_summary(ours, theirs) for theirs in others)],
        sections=[
            *(Section(f"{_name(ours)} against {_name(theirs)}", _comparison(ours, theirs)) for theirs in others),
            Section("All runs", _all_runs(results)),
            Section("How to repeat it", [Code([command]), f"Versions: {versions}."]),
        ],
    )
    return f"{MARK}\n\n{to_markdown(page, folder='')}"


def _what_was_trained(run: Run) -> str:
    return (
        f"Each detector is trained for {run.epochs} epochs by config/ssdlite_digits.yaml, from a classifier that "
        f"config/digits.yaml trains for {run.classifier_epochs} epochs with the same seed. It is scored on the "
        "validation scenes after the last epoch, with the better of its trained and averaged weights. Only backbones "
        "and seeds differ."
    )


def _summary(ours: Sequence[Result], theirs: Sequence[Result]) -> str:
    """Return what the first of two backbones costs and how its AP differs."""
    macs, parameters = ours[0].macs / theirs[0].macs, ours[0].parameters / theirs[0].parameters
    cost = f"{macs:.2f} of the MACs and {parameters:.2f} of the parameters"
    found = difference(ROWS["AP, %"](ours), ROWS["AP, %"](theirs))
    return f"{_name(ours)} has {cost} of {_name(theirs)}. Difference of their AP: {found}."


def _comparison(ours: Sequence[Result], theirs: Sequence[Result]) -> list[Block]:
    """Return the table of means, deviations and differences of two backbones, and what they are."""
    columns = [Column("")]
    columns += [Column(title, ".2f") for side in (ours, theirs) for title in (f"{_name(side)}, mean", "deviation")]
    costs: list[list[Cell]] = [
        ["M MACs", ours[0].macs / 1e6, None, theirs[0].macs / 1e6, None, None],
        ["M parameters", ours[0].parameters / 1e6, None, theirs[0].parameters / 1e6, None, None],
    ]
    rows: list[list[Cell]] = []
    for title, values_of in ROWS.items():
        first, second = values_of(ours), values_of(theirs)
        rows.append([title, *_spread(first), *_spread(second), str(difference(first, second))])
    explained = (
        "Deviations are those over seeds. Differences are those of the means, in percentage points, with Welch's "
        "interval of 95 %. A tie is a difference whose interval holds 0: these seeds do not show which backbone is "
        "better. A score of a size that no object has is not known."
    )
    return [Table([*columns, Column("difference")], costs + rows), explained]


def _all_runs(results: Sequence[Result]) -> list[Block]:
    """Return the table of all runs, and how they were timed."""
    columns = [Column("backbone"), Column("seed", "d"), Column("classifier, top-1, %", ".2f")]
    columns += [*(Column(f"{title}, %", ".2f") for title in SCORES.values()), Column("seconds", ".0f")]
    rows = [
        [
            result.run.backbone,
            result.run.seed,
            result.top1,
            *(score if (score := result.scores[key]) != NO_TRUTH else None for key in SCORES),
            result.seconds,
        ]
        for result in results
    ]
    ways = sorted({f"{result.parallel} at a time with threads: {result.threads}" for result in results})
    return [Table(columns, rows), f"Seconds are those of the detector's epochs. Runs: {'; '.join(ways)}."]


def _name(results: Sequence[Result]) -> str:
    return results[0].run.backbone


def _spread(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the mean, and the standard deviation (n - 1); None for what is not known."""
    return float(np.mean(values)) if values else None, float(np.std(values, ddof=1)) if len(values) > 1 else None


def _score(key: str) -> Callable[[Sequence[Result]], list[float]]:
    """Return the function that takes a score, where it is known, from results."""
    return lambda results: [result.scores[key] for result in results if result.scores[key] != NO_TRUTH]


ROWS: dict[str, Callable[[Sequence[Result]], list[float]]] = {
    **{f"{title}, %": _score(key) for key, title in SCORES.items()},
    "top-1 of the classifier, %": lambda results: [result.top1 for result in results],
}
