"""A converted data set: few large MindRecord files instead of many small ones, read in any order.

DIR/dataset.json names classes, source and the shards with their checksums; DIR/train/00000.mindrecord (with MindSpore's
.db) holds `image` (the encoded file), `label` and `name`, and 00000.npz where in it each image lies. `convert.py`
writes all of it.

Images are read through that index, straight from the file: 10,500 a second, from memory and by one thread. In MindSpore
2.10 `FileReader` reads from front to back only; `MindDataset` keeps a given order (`SubsetSampler`), at half the speed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from src.errors import UserError
from src.images.faults import FULL_CHECK_LIMIT, Check, find_faults
from src.images.image_file import PackedPath, read_image

CONTENTS = "dataset.json"
AGAIN = "`python convert_dataset.py` with the flags of before writes it again"


@dataclass(frozen=True)
class RecordSet:
    """One split, with the interface of `ImageFolder`: `files[i]` belongs to class `labels[i]`."""

    root: Path
    classes: tuple[str, ...]
    files: PackedFiles
    labels: np.ndarray
    checksums: dict[str, str]  # of the shards, by path

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int) -> np.ndarray:
        """The encoded bytes of an image: uint8 (n,)."""
        return read_image(self.files[index])

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        """One line a damaged shard; `full` reads them all. Their images were checked when they were converted."""
        full = check == "full" or (check == "auto" and len(self) <= FULL_CHECK_LIMIT)
        if not full:
            return []
        return find_faults(list(self.checksums), self._fault, workers, f"check {self.root.name}")

    def _fault(self, shard: str) -> str:
        return "" if checksum(Path(shard)) == self.checksums[shard] else f"damaged, its checksum differs ({AGAIN})"


class PackedFiles(Sequence):
    """The paths of packed images (see `PackedPath`), made when asked for: there may be millions."""

    def __init__(self, shards: list[str], table: dict[str, np.ndarray], rows: range | None = None) -> None:
        self.shards, self.table = shards, table
        self.rows = range(len(table["offset"])) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return PackedFiles(self.shards, self.table, self.rows[key])
        row, table = self.rows[key], self.table
        name = table["names"][table["name_start"][row] : table["name_end"][row]].tobytes().decode("utf-8", NAME_ERRORS)
        shard = self.shards[table["shard"][row]]
        return PackedPath(shard, name, int(table["offset"][row]), int(table["length"][row]))

    def __iter__(self) -> Iterator[PackedPath]:
        return (self[index] for index in range(len(self)))


NAME_ERRORS = "surrogateescape"  # file names are bytes, and need not be UTF-8


def is_converted(root: Path) -> bool:
    """Whether a folder holds what `convert_dataset.py` writes."""
    return (root / CONTENTS).is_file()


def open_records(root: Path, split: Literal["train", "val"]) -> RecordSet:
    """A split of a converted data set.

    Raises:
        UserError: the conversion is not finished, or a shard or its index is missing or damaged.
    """
    found = read_contents(root)["splits"][split]
    entries = found["shards"]
    if len(entries) < len(found["bounds"]) - 1:
        raise UserError(
            f"{root / split} has {len(entries)} of {len(found['bounds']) - 1} shards: its conversion was interrupted; "
            "start `python convert_dataset.py` again with the same flags"
        )
    parts: list[dict[str, np.ndarray]] = []
    for name, entry in sorted(entries.items()):
        shard, index = shard_paths(root / split, name)
        if not shard.is_file() or not index.is_file():
            raise UserError(f"{shard if index.is_file() else index} is missing; {AGAIN}")
        if shard.stat().st_size != entry["bytes"] or checksum(index) != entry["index_sha256"]:
            raise UserError(f"{shard} or its index is damaged; {AGAIN}")
        with np.load(index) as content:
            parts.append(dict(content))
    shards = [str(shard_paths(root / split, name)[0]) for name in sorted(entries)]
    checksums = {path: entries[name]["sha256"] for path, name in zip(shards, sorted(entries), strict=True)}
    table = _joined(parts)
    return RecordSet(
        root / split, tuple(found["classes"]), PackedFiles(shards, table), table["label"].astype(np.int32), checksums
    )


def read_contents(root: Path) -> dict[str, Any]:
    """dataset.json.

    Raises:
        UserError: it cannot be read, or is not that of a converted data set.
    """
    path = root / CONTENTS
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        if not {"train", "val"} <= contents["splits"].keys() or "short_side" not in contents:
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is damaged or not of a converted data set; convert into another folder") from None
    return contents


def shard_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """MindRecord file and index of a shard."""
    return folder / f"{name}.mindrecord", folder / f"{name}.npz"


def checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The indexes of all shards as one; names are found by where they start and end in `names`."""
    table = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    table["shard"] = np.repeat(np.arange(len(parts)), [len(part["offset"]) for part in parts])
    table["name_end"] = np.cumsum(table["name_length"], dtype=np.int64)
    table["name_start"] = table["name_end"] - table["name_length"]
    return table
