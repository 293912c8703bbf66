"""What an inference program found, read from the JSON, CSV or folder of .bin files that it wrote."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from src.errors import UserError

BEST = 5  # classes of an image that are looked at: top-5
BIN_SUFFIX = "_0.bin"  # of the first output; these networks have one
COLUMNS = ["image", "rank", "index", "class", "probability", "error"]


class NamedClass(BaseModel):
    """A class that was found in an image. The program writes null for a probability that is not a number."""

    name: str = Field(alias="class")
    index: int = Field(ge=0)
    probability: float | None


class Entry(BaseModel):
    """An image with its best classes, best first, or with the reason why there are none."""

    image: str
    top: tuple[NamedClass, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Results:
    """`top[i]` holds class indices for `images[i]`, best first; it is empty where the program had no usable result.

    `images` are paths, or (`cut`) names of .bin files, which lack the image's suffix. `class_names` is what the program
    calls the classes that it found, by index.
    """

    images: tuple[str, ...]
    top: tuple[tuple[int, ...], ...]
    class_names: dict[int, str]
    cut: bool = False


def read_results(path: Path, classes: int | None) -> Results:
    """Results of a program; `classes` is their number where it is known.

    Raises:
        UserError: nothing there, another format, fewer classes an image than top-5 needs, .bin files of another size.
    """
    if path.is_dir():
        return _read_bins(path, classes)
    readers = {".json": _read_json, ".csv": _read_csv}
    if path.suffix not in readers:
        raise UserError(
            f"results is {path}; expected a .json or .csv file, or a folder of .bin files, of tinynet_infer"
        )
    try:
        entries = readers[path.suffix](path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise UserError(f"cannot read the results {path}: {error.strerror}") from None
    except ValidationError as failure:
        first = failure.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path} is not what tinynet_infer writes: {place} {first['msg']}".replace("  ", " ")) from None
    except ValueError as error:
        raise UserError(f"{path} is not what tinynet_infer writes: {error}") from None
    needed = min(BEST, classes or BEST)
    for entry in entries:
        if entry.top and len(entry.top) < needed:
            raise UserError(
                f"{path} names {len(entry.top)} classes of {entry.image}, top-5 needs {needed}; run the program with "
                "--top_k 5, or name the model's JSON with --description"
            )
    return Results(
        tuple(entry.image for entry in entries),
        tuple(_indices(entry) for entry in entries),
        {found.index: found.name for entry in entries for found in entry.top},
    )


def best_classes(logits: np.ndarray) -> tuple[int, ...]:
    """Best first, of equal logits the lower class; none where a logit is not a number, as in evaluation."""
    if not np.isfinite(logits).all():
        return ()
    return tuple(np.argsort(-logits, kind="stable")[:BEST].tolist())


def _indices(entry: Entry) -> tuple[int, ...]:
    usable = all(math.isfinite(math.nan if found.probability is None else found.probability) for found in entry.top)
    return tuple(found.index for found in entry.top[:BEST]) if usable else ()


def _read_json(text: str) -> list[Entry]:
    return TypeAdapter(list[Entry]).validate_json(text.encode("utf-8", "surrogateescape"))


def _read_csv(text: str) -> list[Entry]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if rows.fieldnames != COLUMNS:
        raise ValueError(f"the first line is not {','.join(COLUMNS)}")
    return TypeAdapter(list[Entry]).validate_python(_grouped(rows))


def _grouped(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"a line on {row['image']} has not {len(COLUMNS)} fields")
        if row["rank"] in ("", "1"):
            entries.append({"image": row["image"], "top": [], "error": row["error"] or None})
        if row["rank"]:
            if not entries or entries[-1]["image"] != row["image"] or str(len(entries[-1]["top"]) + 1) != row["rank"]:
                raise ValueError(f"rank {row['rank']} of {row['image']} does not follow the one before")
            entries[-1]["top"].append(row)
    return entries


def _read_bins(folder: Path, classes: int | None) -> Results:
    names, top = [], []
    for file in sorted(folder.rglob("*.bin")):
        name = file.relative_to(folder).as_posix()
        if not name.endswith(BIN_SUFFIX):
            raise UserError(f"{file}: expected NAME{BIN_SUFFIX}, the one output of the network; remove the file")
        size = file.stat().st_size
        classes = size // 4 if classes is None else classes
        if size != 4 * classes or not classes:
            raise UserError(f"{file} holds {size} bytes, {size / 4:g} float32 values; expected {classes}, one a class")
        names.append(name.removesuffix(BIN_SUFFIX))
        top.append(best_classes(np.fromfile(file, "<f4")))
    if not names:
        raise UserError(f"folder {folder} holds no results; expected NAME{BIN_SUFFIX} files")
    return Results(tuple(names), tuple(top), {}, cut=True)
