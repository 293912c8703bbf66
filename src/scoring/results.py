"""Predictions of an inference program, from the JSON file, CSV file or folder of .bin files that it wrote."""

from __future__ import annotations

import contextlib
import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from src.design.validation import describe
from src.errors import UserError
from src.runtime.texts import read_text

TOP_K = 5  # best classes of an image that count for top-5
BIN_SUFFIX = "_0.bin"  # of the first output; these networks have one output
LISTED_IMAGES = 5  # images that a line lists by name
COLUMNS = ["image", "rank", "index", "class", "probability", "error"]


class PredictedClass(BaseModel):
    """A predicted class of an image. The program writes null for a probability that is not a number."""

    name: str = Field(alias="class")
    index: int = Field(ge=0)
    probability: float | None


class Entry(BaseModel):
    """An image with its best classes, best first, or with the reason why it has none."""

    image: str
    top: tuple[PredictedClass, ...] = ()
    error: str | None = None


ENTRIES = TypeAdapter(list[Entry])


@dataclass(frozen=True)
class Results:
    """The best classes of each image, best first. They are empty if the program has no usable result for the image."""

    images: tuple[str, ...]  # paths, or names of .bin files without their suffix
    top: tuple[tuple[int, ...], ...]  # class indices of each image
    class_names: dict[int, str]  # the program's names of the predicted classes, by index
    from_bins: bool = False  # True if `images` are names of .bin files, which lack the suffix of the image


def read_results(path: Path, num_classes: int | None) -> Results:
    """Read the results of an inference program.

    Args:
        path: a .json or .csv file, or a folder of .bin files with the float32 logits of an image each.
        num_classes: the number of classes if it is known.

    Raises:
        UserError: the path does not exist, has another format, lists fewer classes than top-5 needs, or a .bin file has
            another size.
    """
    if path.is_dir():
        return _read_bins(path, num_classes)
    readers = {".json": _read_json, ".csv": _read_csv}
    if path.suffix not in readers:
        raise UserError(
            f"results is {path}; expected a .json or .csv file, or a folder of .bin files, of tinynet_infer"
        )
    with explain_bad_results(path):
        entries = readers[path.suffix](read_text(path, errors="surrogateescape"))
    needed = min(TOP_K, num_classes or TOP_K)
    for entry in entries:
        if entry.top and len(entry.top) < needed:
            raise UserError(
                f"{path} lists {len(entry.top)} classes of {entry.image}, top-5 needs {needed}; run the program with "
                "--top_k 5, or name the model's JSON with --description"
            )
    return Results(
        tuple(entry.image for entry in entries),
        tuple(_indices(entry) for entry in entries),
        {predicted.index: predicted.name for entry in entries for predicted in entry.top},
    )


@contextlib.contextmanager
def explain_bad_results(path: Path) -> Iterator[None]:
    """Turn what is raised while the results at `path` are read into an error of the user.

    Raises:
        UserError: the file cannot be read or has another format.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot read the results {path}: {error.strerror}") from None
    except ValidationError as failure:
        fault = describe(failure.errors()[0])
        raise UserError(f"{path} is not what tinynet_infer writes: {fault}") from None
    except ValueError as error:
        raise UserError(f"{path} is not what tinynet_infer writes: {error}") from None


def listed(images: Sequence[str]) -> str:
    """Return the first names of images, and how many more there are."""
    more = f" and {len(images) - LISTED_IMAGES} more" if len(images) > LISTED_IMAGES else ""
    return ", ".join(images[:LISTED_IMAGES]) + more


def best_classes(logits: np.ndarray) -> tuple[int, ...]:
    """Return the indices of the best classes, best first, from the logits (classes,) of an image.

    As in evaluation, the lower index comes first among equal logits. If a logit is not finite, the result is empty.
    """
    if not np.isfinite(logits).all():
        return ()
    return tuple(np.argsort(-logits, kind="stable")[:TOP_K].tolist())


def _indices(entry: Entry) -> tuple[int, ...]:
    usable = all(predicted.probability is not None and math.isfinite(predicted.probability) for predicted in entry.top)
    return tuple(predicted.index for predicted in entry.top[:TOP_K]) if usable else ()


def _read_json(text: str) -> list[Entry]:
    return ENTRIES.validate_json(text.encode("utf-8", "surrogateescape"))


def _read_csv(text: str) -> list[Entry]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if rows.fieldnames != COLUMNS:
        raise ValueError(f"the first line is not {','.join(COLUMNS)}")
    return ENTRIES.validate_python(_grouped(rows))


def _grouped(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return an entry for each image, from rows with one predicted class or one error each."""
    entries: list[dict[str, Any]] = []
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"a line on {row['image']} does not have {len(COLUMNS)} fields")
        if row["rank"] in ("", "1"):
            entries.append({"image": row["image"], "top": [], "error": row["error"] or None})
        if row["rank"]:
            if not entries or entries[-1]["image"] != row["image"] or str(len(entries[-1]["top"]) + 1) != row["rank"]:
                raise ValueError(f"rank {row['rank']} of {row['image']} does not follow the rank before")
            entries[-1]["top"].append(row)
    return entries


def _read_bins(folder: Path, num_classes: int | None) -> Results:
    names, top = [], []
    for file in sorted(folder.rglob("*.bin")):
        name = file.relative_to(folder).as_posix()
        if not name.endswith(BIN_SUFFIX):
            raise UserError(f"{file}: expected NAME{BIN_SUFFIX}, because the network has one output; remove the file")
        size = file.stat().st_size
        num_classes = size // 4 if num_classes is None else num_classes
        if size != 4 * num_classes or not num_classes:
            raise UserError(
                f"{file} holds {size} bytes, {size / 4:g} float32 values; expected {num_classes}, one per class"
            )
        names.append(name.removesuffix(BIN_SUFFIX))
        top.append(best_classes(np.fromfile(file, "<f4")))
    if not names:
        raise UserError(f"folder {folder} holds no results; expected NAME{BIN_SUFFIX} files")
    return Results(tuple(names), tuple(top), {}, from_bins=True)
