"""What convert_dataset.py does: folders of images to MindRecord files (see `mindrecord.py`), in the same order.

A shard is written beside and then moved to its place, and noted in dataset.json when it is there: a conversion that
was interrupted goes on after its last whole shard.
"""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from mindspore.mindrecord import FileWriter
from PIL import Image
from tqdm import tqdm

from src.config import ConvertConfig
from src.errors import UserError
from src.images.faults import decode_fault
from src.images.folder import ImageFolder, check_classes, check_images, fingerprint, open_split, resolve_data_path
from src.images.image_file import image_size, read_image
from src.images.preprocess import resize_short_side
from src.images.records import CONTENTS, NAME_ERRORS, checksum, is_converted, read_contents, shard_paths
from src.runtime.files import atomic_write, fsync_file
from src.runtime.logs import log_to
from src.runtime.workers import usable_workers

logger = logging.getLogger(__name__)

SHARD_IMAGES = 8192  # unless the user says how many shards
QUALITY = 95  # of re-encoded JPEGs
CHUNK = 64  # images handed to MindRecord at once
PAGE = 1 << 24  # bytes at least; a MindRecord page must hold its largest image
HEADER = 1 << 22
SCHEMA = {"image": {"type": "bytes"}, "label": {"type": "int32"}, "name": {"type": "string"}}
PARTIAL = ".partial"
MARK_BYTES = 64


def convert(config: ConvertConfig) -> None:
    """Write both splits, or what is missing of them.

    Raises:
        UserError: no output named, bad images, an output that holds something else, a full or read-only disk.
    """
    log_to()
    if config.output is None:
        raise UserError("output is missing: name a new folder with --output DIR")
    root = resolve_data_path(config.data_path)
    if is_converted(root):
        raise UserError(f"data_path {root} is converted already; give the folder of its images")
    folders = {split: open_split(root, split) for split in ("train", "val")}
    check_classes(*folders.values())
    workers = usable_workers(config.workers)
    output = config.output.expanduser()
    plan = {
        "short_side": config.short_side,
        "splits": {split: _plan(folder, config.shards) for split, folder in folders.items()},
    }
    contents = _agreed(plan, output)
    check_images(folders.values(), config.check_data, workers)
    try:
        _note(contents, output)
        for split, folder in folders.items():
            _convert_split(folder, output / split, contents, workers)
    except OSError as error:
        raise UserError(f"cannot write to output {output}: {error.strerror or error}") from None
    images = " + ".join(f"{len(folder):,}" for folder in folders.values())
    print(f"{output}: {images} images in {len(folders['train'].classes)} classes; train with --data_path {output}")


def encode(path: str, short_side: int) -> bytes:
    """An image as it is stored: its file, or a JPEG with that short side (pixels) where it is larger.

    Raises:
        UserError: the file is not there any more, or is damaged.
    """
    try:
        content = read_image(path).tobytes()
        return _shrunk(content, short_side) if short_side else content
    except Exception as error:  # Pillow's readers raise anything for a damaged file
        raise UserError(f"{path}: {decode_fault(path) or error}; remove or replace the file") from None


def _shrunk(content: bytes, short_side: int) -> bytes:
    with Image.open(BytesIO(content)) as image:
        if min(image.size) <= short_side:
            return content
        smaller = BytesIO()
        resize_short_side(image.convert("RGB"), short_side).save(smaller, "JPEG", quality=QUALITY)
        return smaller.getvalue()


def _plan(folder: ImageFolder, shards: int) -> dict[str, Any]:
    """What dataset.json says of a split before its first shard is written; shard k ends at `bounds[k + 1]`."""
    shards = min(shards or -(-len(folder) // SHARD_IMAGES), len(folder))
    return {
        "classes": list(folder.classes),
        "images": len(folder),
        "source": fingerprint(folder),
        "bounds": [len(folder) * k // shards for k in range(shards + 1)],
        "shards": {},
    }


def _agreed(plan: dict[str, Any], output: Path) -> dict[str, Any]:
    """The contents of `output` so far, which must be of the same conversion."""
    if not is_converted(output):
        if output.exists() and (not output.is_dir() or any(entry.name[0] != "." for entry in output.iterdir())):
            raise UserError(f"output {output} exists and is no converted data set; give a new folder")
        return plan
    contents = read_contents(output)
    if contents["short_side"] != plan["short_side"]:
        was, now = contents["short_side"], plan["short_side"]
        raise UserError(f"output {output} was begun with short_side {was}, not {now}; give that, or another --output")
    for split, wanted in plan["splits"].items():
        there = contents["splits"].get(split, {})
        for key, what in {"source": "other images than there are now", "bounds": "another number of shards"}.items():
            if there.get(key) != wanted[key]:
                raise UserError(f"output {output / split} was begun with {what}; give another --output")
    return contents


def _convert_split(folder: ImageFolder, target: Path, contents: dict[str, Any], workers: int) -> None:
    """Write the shards that are not there, noting each in dataset.json."""
    split = contents["splits"][target.name]
    progress = tqdm(desc=f"convert {target.name}", total=len(folder), unit="img", leave=False, disable=None)
    with progress, ThreadPoolExecutor(workers) as pool:
        for number, (first, last) in enumerate(zip(split["bounds"], split["bounds"][1:], strict=False)):
            name = f"{number:05d}"
            if not _is_whole(target, name, split["shards"].get(name)):
                encoded = _in_turn(pool, partial(encode, short_side=contents["short_side"]), folder.files[first:last])
                split["shards"][name] = _write_shard(folder, range(first, last), encoded, target, name)
                _note(contents, target.parent)
            progress.update(last - first)


def _note(contents: dict[str, Any], output: Path) -> None:
    with atomic_write(output / CONTENTS) as path:
        path.write_text(json.dumps(contents, indent=1), encoding="utf-8")


def _is_whole(target: Path, name: str, entry: dict[str, Any] | None) -> bool:
    if entry is None:
        return False
    shard, index = shard_paths(target, name)
    for path, expected in ((shard, entry["sha256"]), (index, entry["index_sha256"])):
        if not path.is_file() or checksum(path) != expected:
            logger.info("%s is missing or damaged: write it again", path)
            return False
    return True


def _in_turn(pool: ThreadPoolExecutor, job: Callable[[str], bytes], paths: Sequence[str]) -> Iterator[list[bytes]]:
    """Encoded images in order, a chunk at a time: memory holds no more."""
    for start in range(0, len(paths), CHUNK):
        yield list(pool.map(job, paths[start : start + CHUNK]))


def _write_shard(
    folder: ImageFolder, rows: range, chunks: Iterable[list[bytes]], target: Path, name: str
) -> dict[str, Any]:
    """Write one shard and its index, and return what dataset.json says of it."""
    building = target.parent / PARTIAL
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    target.mkdir(exist_ok=True)
    shard, index = shard_paths(building, name)
    names, marks = _write_records(folder, rows, chunks, shard)
    offsets = _locate(shard, marks)
    encoded = [name.encode("utf-8", NAME_ERRORS) for name in names]
    with open(index, "wb") as file:
        np.savez(
            file,
            offset=np.array(offsets, np.int64),
            length=np.array([mark.length for mark in marks], np.int64),
            label=folder.labels[rows.start : rows.stop],
            names=np.frombuffer(b"".join(encoded), np.uint8),
            name_length=np.array([len(text) for text in encoded], np.int32),
        )
    entry = {"bytes": shard.stat().st_size, "sha256": checksum(shard), "index_sha256": checksum(index)}
    for path in building.iterdir():  # MindRecord's .db is the third
        fsync_file(path)
        path.replace(target / path.name)
    building.rmdir()
    return entry


@dataclass(frozen=True)
class _Mark:
    """By what an image is found again in a shard."""

    start: bytes
    length: int
    digest: bytes

    @classmethod
    def of(cls, image: bytes) -> _Mark:
        return cls(image[:MARK_BYTES], len(image), hashlib.sha256(image).digest())


def _write_records(
    folder: ImageFolder, rows: range, chunks: Iterable[list[bytes]], shard: Path
) -> tuple[list[str], list[_Mark]]:
    """Write the images numbered `rows`; their names and marks."""
    largest = max(image_size(folder.files[row]) for row in rows)
    writer = FileWriter(str(shard), shard_num=1)
    writer.set_header_size(HEADER)
    writer.set_page_size(max(PAGE, 2 << largest.bit_length()))
    writer.add_schema(SCHEMA, folder.root.name)
    names = [os.path.relpath(folder.files[row], folder.root) for row in rows]
    readable = (os.fsencode(name).decode("utf-8", "replace") for name in names)
    labels = iter(folder.labels[rows.start : rows.stop].tolist())
    marks: list[_Mark] = []
    for chunk in chunks:
        marks += map(_Mark.of, chunk)
        fields = zip(chunk, labels, readable, strict=False)
        writer.write_raw_data([dict(zip(SCHEMA, values, strict=True)) for values in fields])
    writer.commit()
    return names, marks


def _locate(shard: Path, marks: list[_Mark]) -> list[int]:
    """Where each image lies in the shard, found and compared by content: its format may change, the bytes may not.

    Raises:
        RuntimeError: an image is not there as it was written.
    """
    offsets = []
    with open(shard, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = 0
        for mark in marks:
            start = content.find(mark.start, end)
            while start >= 0 and hashlib.sha256(content[start : start + mark.length]).digest() != mark.digest:
                start = content.find(mark.start, start + 1)
            if start < 0:
                raise RuntimeError(f"{shard}: image {len(offsets)} was not written as it is")
            offsets.append(start)
            end = start + mark.length
    return offsets
