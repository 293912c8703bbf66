"""Objects that an inference program has found, from the JSON or CSV file that it wrote."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from src.runtime.texts import read_text
from src.scoring.results import explain_bad_results

Finite = Annotated[float, Field(allow_inf_nan=False)]
BOX = ("x", "y", "width", "height")  # pixels of the image as stored
COLUMNS = ["image", "image_width", "image_height", "rank", "class", "name", "score", *BOX, "error"]
KEY = '"objects":'  # of JSON; in a text of the file, the first quote would be escaped


class FoundObject(BaseModel):
    """An object: its class from 0, its score from 0 to 1, and its box as x, y, width, height in pixels."""

    index: int = Field(alias="class", ge=0)
    name: str
    score: Finite
    bbox: tuple[Finite, Finite, Finite, Finite]


class FoundObjects(BaseModel):
    """An image with its size as stored and its objects by falling score, or with the reason why it has none."""

    image: str
    width: int | None = None
    height: int | None = None
    objects: tuple[FoundObject, ...] | None = None
    error: str | None = None


ENTRIES = TypeAdapter(list[FoundObjects])


def holds_objects(path: Path) -> bool:
    """Return whether a file holds the results of a detector, and not those of a classifier."""
    if path.suffix not in (".json", ".csv") or not path.is_file():
        return False
    with explain_bad_results(path):
        text = read_text(path, errors="surrogateescape")
    return KEY in text if path.suffix == ".json" else text.startswith(",".join(COLUMNS))


def read_objects(path: Path) -> list[FoundObjects]:
    """Read the results of a detector from a file for which `holds_objects` is true.

    Raises:
        UserError: the file cannot be read or has another format.
    """
    with explain_bad_results(path):
        text = read_text(path, errors="surrogateescape")
        if path.suffix == ".json":
            return ENTRIES.validate_json(text.encode("utf-8", "surrogateescape"))
        return ENTRIES.validate_python(_grouped(text))


def _grouped(text: str) -> list[dict[str, Any]]:
    """Return an entry for each image, from lines of CSV with one object each, or with none and perhaps an error."""
    entries: list[dict[str, Any]] = []
    for row in csv.DictReader(io.StringIO(text, newline="")):
        if None in row or None in row.values():
            raise ValueError(f"a line on {row['image']} does not have {len(COLUMNS)} fields")
        if row["rank"] in ("", "1"):
            size = {"width": row["image_width"] or None, "height": row["image_height"] or None}
            found = {"objects": None, "error": row["error"]} if row["error"] else {"objects": []}
            entries.append({"image": row["image"], **size, **found})
        if row["rank"]:
            objects = entries[-1]["objects"] if entries and entries[-1]["image"] == row["image"] else None
            if objects is None or str(len(objects) + 1) != row["rank"]:
                raise ValueError(f"rank {row['rank']} of {row['image']} does not follow the rank before")
            objects.append({**row, "bbox": [row[side] for side in BOX]})
    return entries
