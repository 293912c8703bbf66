"""Write one shard of a converted data set: a MindRecord file and the index of its images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from mindspore.mindrecord import FileWriter

from src.images.folder import ImageFolder
from src.images.image_file import image_size
from src.images.locate import ImageMark, locate
from src.images.record_files import Shard, checksum, shard_paths, write_index
from src.runtime.files import finish_file, require_space

SCHEMA = {"image": {"type": "bytes"}, "label": {"type": "int32"}, "name": {"type": "string"}}
HEADER_BYTES = 1 << 22
MIN_PAGE_BYTES = 1 << 24  # a MindRecord page must hold its largest image
BUILD_FOLDER = ".partial"


def write_shard(images: ImageFolder, rows: range, chunks: Iterable[list[bytes]], target: Path, name: str) -> Shard:
    """Write the images numbered `rows` to TARGET/NAME.mindrecord, and their index.

    The files are written beside `target` and moved there when they are complete.

    Args:
        chunks: lists of encoded images, in the order of `rows`.
    """
    building = target.parent / BUILD_FOLDER
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    target.mkdir(exist_ok=True)
    shard, index = shard_paths(building, name)
    names = [os.path.relpath(images.files[row], images.root) for row in rows]
    marks = _write_records(images, rows, names, chunks, shard)
    labels = images.labels[rows.start : rows.stop]
    write_index(index, locate(shard, marks), [mark.length for mark in marks], labels, names)
    entry = Shard(bytes=shard.stat().st_size, sha256=checksum(shard), index_sha256=checksum(index))
    for path in list(building.iterdir()):  # shard, index, and MindSpore's .db
        finish_file(path)
        path.replace(target / path.name)
    building.rmdir()
    return entry


def _write_records(
    images: ImageFolder, rows: range, names: list[str], chunks: Iterable[list[bytes]], shard: Path
) -> list[ImageMark]:
    largest = max(image_size(images.files[row]) for row in rows)
    page = max(MIN_PAGE_BYTES, 2 << largest.bit_length())
    require_space(shard.parent, HEADER_BYTES + page)
    writer = FileWriter(str(shard), shard_num=1)
    writer.set_header_size(HEADER_BYTES)
    writer.set_page_size(page)
    writer.add_schema(SCHEMA, images.root.name)
    utf8_names = (os.fsencode(name).decode("utf-8", "replace") for name in names)
    labels = iter(images.labels[rows.start : rows.stop].tolist())
    marks: list[ImageMark] = []
    for chunk in chunks:
        marks += map(ImageMark.of, chunk)
        records = zip(chunk, labels, utf8_names, strict=False)  # a chunk is shorter than the other two
        try:
            writer.write_raw_data([dict(zip(SCHEMA, record, strict=True)) for record in records])
        except RuntimeError:
            require_space(shard.parent, page)  # MindRecord reports a full disk as a page of C++ calls
            raise
    writer.commit()
    return marks
