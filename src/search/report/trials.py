"""The trials of a study as a table of the report and as a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from src.runtime.texts import printable
from src.search.report.document import Cell, Column, Link, Table
from src.search.report.view import StudyView
from src.search.study.trial import Note, Result

# Columns that a method adds: name -> number of a trial -> value, such as the number of its front.
Additions: TypeAlias = Mapping[str, Mapping[int, Note]]

FIRST_COLUMNS = ("number", "group", "status", "top1", "loss", "macs", "parameters", "resolution", "seed")  # of the CSV


def trials_table(study: StudyView, additions: Additions) -> Table:
    """Return the table of all trials: what was trained, how it ended, and the command that repeats it."""
    notes = note_keys(study.results)
    noted = {key: {result.number: result.trial.notes.get(key) for result in study.results} for key in notes}
    more: dict[str, Mapping[int, Note | None]] = {**additions, **noted}
    columns = [
        Column("trial"),
        Column("group"),
        Column("top-1, %", ".2f"),
        Column("loss", ".4f"),
        Column("M MACs", ",.3f"),
        Column("M parameters", ".3f"),
        Column("pixels", "d"),
        *(Column(key, ".4g" if _are_numbers(values.values()) else "") for key, values in more.items()),
        Column("seed", "d"),
        Column("status"),
        Column("seconds", ",.0f"),
        Column("why it is not done"),
        Column("command", on_page_only=True),
    ]
    rows = []
    for result in study.results:
        row: list[Cell] = [
            _name(study, result),
            result.trial.group,
            result.top1,
            result.loss,
            result.macs / 1e6,
            result.parameters / 1e6,
            result.trial.architecture.resolution,
            *(values.get(result.number) for values in more.values()),
            result.trial.seed,
            result.status,
            result.seconds,
            result.reason,
            study.training(result),
        ]
        rows.append(row)
    return Table(columns, rows, long=True)


def trials_csv(study: StudyView, additions: Additions) -> str:
    """Return all trials as CSV (RFC 4180): a header, and a line for each trial."""
    keys = note_keys(study.results)
    rows: list[dict[str, Any]] = []
    for result in study.results:
        trial = result.trial
        ended = (result.number, trial.group, result.status, result.top1, result.loss, result.macs, result.parameters)
        fixed = dict(zip(FIRST_COLUMNS, (*ended, trial.architecture.resolution, trial.seed)))
        rest = {
            "seconds": result.seconds,
            "attempts": result.attempts,
            "host": result.host,
            "device": result.device,
            "run_dir": result.run_dir,
            "reason": printable(result.reason),
            "command": study.training(result),
        }
        notes = {key: trial.notes.get(key) for key in keys}
        found = {key: values.get(result.number) for key, values in additions.items()}
        rows.append(fixed | found | notes | rest)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else FIRST_COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _name(study: StudyView, result: Result) -> Cell:
    """Return the number of a trial; it leads to the run folder, unless that was removed or not copied."""
    is_there = bool(result.run_dir) and (study.folder / result.run_dir).is_dir()
    return Link(str(result.number), f"{result.run_dir}/") if is_there else result.number


def _are_numbers(values: Iterable[Note | None]) -> bool:
    return not any(isinstance(value, str) for value in values)


def note_keys(results: Sequence[Result]) -> list[str]:
    """Return the keys of all notes of some results, in the order of their first use."""
    return list(dict.fromkeys(key for result in results for key in result.trial.notes))
