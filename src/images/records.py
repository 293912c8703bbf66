"""A converted data set: a few large MindRecord files instead of many small files, read in any order.

`record_files.py` describes the files. Images are read straight from the shards, at the offsets of our index: 10,500
images a second from memory with one thread. MindSpore's own readers are slower or more limited: in MindSpore 2.10
`FileReader` reads only from front to back, and `MindDataset` with a given order (`SubsetSampler`) reads half as fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, overload

import numpy as np

from src.errors import UserError
from src.images.faults import Check, find_faults, is_full_check
from src.images.image_file import PackedImage, read_image
from src.images.record_files import NAME_ERRORS, checksum, read_contents, shard_paths

HOW_TO_REPAIR = "repeat `python convert_dataset.py` with the same flags to write it again"


class PackedImages(Sequence[PackedImage]):
    """The images of all shards of a split; a `PackedImage` is made on access, because there may be millions."""

    def __init__(self, shards: list[str], table: dict[str, np.ndarray], rows: range | None = None) -> None:
        self.shards, self.table = shards, table
        self.rows = range(len(table["offset"])) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, key: int) -> PackedImage: ...

    @overload
    def __getitem__(self, key: slice) -> PackedImages: ...

    def __getitem__(self, key: int | slice) -> PackedImage | PackedImages:
        if isinstance(key, slice):
            return PackedImages(self.shards, self.table, self.rows[key])
        row, table = self.rows[key], self.table
        name = table["names"][table["name_start"][row] : table["name_end"][row]].tobytes().decode("utf-8", NAME_ERRORS)
        shard = self.shards[table["shard"][row]]
        return PackedImage(shard, name, int(table["offset"][row]), int(table["length"][row]))

    def __iter__(self) -> Iterator[PackedImage]:
        return (self[position] for position in range(len(self)))


@dataclass(frozen=True)
class RecordSet:
    """An `ImageSet` in the shards of a converted data set."""

    root: Path
    classes: tuple[str, ...]
    files: PackedImages
    labels: np.ndarray
    checksums: dict[str, str]  # path of a shard -> SHA-256

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int) -> np.ndarray:
        return read_image(self.files[index])

    def faults(self, check: Check = "auto", workers: int = 1) -> list[str]:
        """Compare checksums if the check is full. The images themselves were checked by the conversion."""
        if not is_full_check(check, len(self)):
            return []
        return find_faults(list(self.checksums), self._checksum_error, workers, f"check {self.root.name}")

    def _checksum_error(self, shard: str) -> str:
        if checksum(Path(shard)) == self.checksums[shard]:
            return ""
        return f"damaged, its checksum differs ({HOW_TO_REPAIR})"


def open_records(root: Path, split: Literal["train", "val"]) -> RecordSet:
    """Open a split of a converted data set.

    Raises:
        UserError: the conversion is not finished, or a shard or its index is missing or damaged.
    """
    contents = read_contents(root)["splits"][split]
    entries = sorted(contents["shards"].items())
    expected = len(contents["bounds"]) - 1
    if len(entries) < expected:
        raise UserError(
            f"{root / split} has {len(entries)} of {expected} shards, because its conversion was interrupted; "
            "start `python convert_dataset.py` again with the same flags"
        )
    indexes: list[dict[str, np.ndarray]] = []
    checksums: dict[str, str] = {}
    for name, entry in entries:
        shard, index = shard_paths(root / split, name)
        for path in (shard, index):
            if not path.is_file():
                raise UserError(f"{path} is missing; {HOW_TO_REPAIR}")
        if shard.stat().st_size != entry["bytes"] or checksum(index) != entry["index_sha256"]:
            raise UserError(f"{shard} or its index is damaged; {HOW_TO_REPAIR}")
        with np.load(index) as arrays:
            indexes.append(dict(arrays))
        checksums[str(shard)] = entry["sha256"]
    joined = _join(indexes)
    files = PackedImages(list(checksums), joined)
    return RecordSet(root / split, tuple(contents["classes"]), files, joined["label"].astype(np.int32), checksums)


def _join(indexes: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Join the indexes of all shards; a name is `names[name_start:name_end]`."""
    joined = {key: np.concatenate([index[key] for index in indexes]) for key in indexes[0]}
    joined["shard"] = np.repeat(np.arange(len(indexes)), [len(index["offset"]) for index in indexes])
    joined["name_end"] = np.cumsum(joined["name_length"], dtype=np.int64)
    joined["name_start"] = joined["name_end"] - joined["name_length"]
    return joined
