"""The files of a converted data set.

    DIR/dataset.json              classes, sources, and the shards of both splits with their checksums (see `Contents`)
    DIR/train/00000.mindrecord    `image` (the encoded file), `label` and `name` of each image
    DIR/train/00000.mindrecord.db MindSpore's own index of the shard
    DIR/train/00000.npz           our index: where in the shard each image is, with label and name (see `write_index`)
    DIR/val/...                   the same

`convert.py` writes these files, and `records.py` reads them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from src.errors import UserError
from src.runtime.files import write_text
from src.runtime.texts import read_text

CONTENTS = "dataset.json"
NAME_ERRORS = "surrogateescape"  # file names are bytes, which need not be UTF-8


class Shard(TypedDict):
    """Size in bytes and SHA-256 of a shard, and the SHA-256 of its index."""

    bytes: int
    sha256: str
    index_sha256: str


class Split(TypedDict):
    """A split: shard k holds the images `bounds[k]` to `bounds[k + 1] - 1`, `source` is the folder's fingerprint.

    `shards` holds only the shards that are written.
    """

    classes: list[str]
    images: int
    source: str
    bounds: list[int]
    shards: dict[str, Shard]


class Contents(TypedDict):
    """The content of dataset.json. Images were reduced to `short_side` pixels; 0: they have their own size."""

    short_side: int
    splits: dict[str, Split]


def is_converted(root: Path) -> bool:
    """Return whether a folder holds a converted data set."""
    return (root / CONTENTS).is_file()


def read_contents(root: Path) -> Contents:
    """Read dataset.json.

    Raises:
        UserError: it cannot be read, or does not describe a converted data set.
    """
    path = root / CONTENTS
    try:
        contents = json.loads(read_text(path))
        if not {"train", "val"} <= contents["splits"].keys() or "short_side" not in contents:
            raise ValueError
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{path} is damaged or does not describe a converted data set; convert into another folder"
        ) from None
    return contents


def write_contents(contents: Contents, root: Path) -> None:
    """Write dataset.json."""
    write_text(root / CONTENTS, json.dumps(contents, indent=1))


def shard_paths(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the paths of a shard and of its index."""
    return folder / f"{name}.mindrecord", folder / f"{name}.npz"


def write_index(path: Path, offsets: list[int], lengths: list[int], labels: np.ndarray, names: Sequence[str]) -> None:
    """Write the index of a shard: offset, length, label and name of each image."""
    encoded = [name.encode("utf-8", NAME_ERRORS) for name in names]
    with open(path, "wb") as file:
        np.savez(
            file,
            offset=np.array(offsets, np.int64),
            length=np.array(lengths, np.int64),
            label=labels,
            names=np.frombuffer(b"".join(encoded), np.uint8),
            name_length=np.array([len(name) for name in encoded], np.int32),
        )


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
