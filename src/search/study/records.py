"""The results of a study as lines of JSON: one line a finished trial, appended and flushed at once."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from src.design.architecture_file import from_dict, to_dict
from src.errors import UserError
from src.runtime.texts import shortened
from src.search.study.trial import Result

logger = logging.getLogger(__name__)

NAME = "trials.jsonl"
LONGEST_VALUE = 100  # characters of a value in an error line
FORMAT = 1  # of a line; a reader of another version refuses it
RECORD = TypeAdapter(Result)
OF_TRIAL = ("group", "seed", "notes", "architecture")  # keys of a line that describe the trial, not its end


def to_record(result: Result) -> dict[str, Any]:
    """Return a result as one flat mapping: how the trial ended, then what was trained."""
    ended = {key: getattr(result, key) for key in RECORD_KEYS}
    trial = result.trial
    described = {"group": trial.group, "seed": trial.seed, "notes": dict(trial.notes)}
    return {"format": FORMAT, **ended, **described, "architecture": to_dict(trial.architecture)}


def from_record(record: Any, source: str) -> Result:
    """Return the result that `to_record` has written.

    Raises:
        UserError: a key is missing or has a wrong value.
    """
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise UserError(f"{source} is no trial of format {FORMAT}; use the version of this project that wrote it")
    try:
        trial = {key: record[key] for key in OF_TRIAL}
        trial["architecture"] = from_dict(trial["architecture"], source)
        ended = {key: record[key] for key in RECORD_KEYS}
        return RECORD.validate_python({**ended, "trial": trial})
    except KeyError as error:
        raise UserError(f"{source} has no {error.args[0]}; remove the line, and its trial runs again") from None
    except ValidationError as failure:
        fault = failure.errors()[0]
        place, value = ".".join(map(str, fault["loc"])), shortened(repr(fault["input"]), LONGEST_VALUE)
        raise UserError(f"{source}: {place} is {value}; {fault['msg']}") from None


RECORD_KEYS = tuple(key for key in Result.__dataclass_fields__ if key != "trial")


class Records:
    """The results file of a study that is open for appending. One process has it open at a time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        cut_torn_line(self.path)
        self.results = {result.number: result for result in read_results(folder)}
        self.descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def append(self, result: Result) -> None:
        """Write a result; it is on the disk when this returns.

        Raises:
            OSError: the disk is full; the file keeps the lines that it had.
        """
        line = (json.dumps(to_record(result), ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")
        size = os.fstat(self.descriptor).st_size
        try:
            if (written := os.write(self.descriptor, line)) < len(line):
                os.write(self.descriptor, line[written:])  # which says why not all was written
            os.fsync(self.descriptor)
        except OSError as error:
            os.truncate(self.path, size)
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        self.results[result.number] = result

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


def read_results(folder: Path) -> list[Result]:
    """Return all whole lines of a study's results, in the order of their trials' numbers.

    Raises:
        UserError: the file cannot be read, or a line is not a result.
    """
    path = folder / NAME
    if not path.exists():
        return []
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    results = {}
    for index, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        source = f"{path}, line {index}"
        try:
            record = json.loads(line.decode("utf-8", "surrogateescape"), parse_constant=_refuse)
        except ValueError as error:
            raise UserError(f"{source} is not JSON ({error}); remove the line, and its trial runs again") from None
        result = from_record(record, source)
        results[result.number] = result
    return [results[number] for number in sorted(results)]


def _refuse(word: str) -> None:
    """Refuse NaN and Infinity, which Python reads although JSON has neither."""
    raise ValueError(f"{word} is no number")


def cut_torn_line(path: Path) -> None:
    """Cut off the end of a line whose writer was killed, else the next line would be glued to it."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        logger.warning("%s ends in the middle of a line: cut off %d bytes", path, len(content) - whole)
        os.truncate(path, whole)
