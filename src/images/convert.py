"""Convert folders of images to shards (see `record_files.py`), in the same order.

dataset.json names a shard only when the shard is complete, so that an interrupted conversion can be resumed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path

from tqdm import tqdm

from src.config import ConvertConfig
from src.errors import UserError
from src.images.check import check_classes, check_images
from src.images.class_order import in_order
from src.images.data_path import resolve_data_path
from src.images.decoding import decode_rgb, reason
from src.images.folder import LAYOUT, ImageFolder
from src.images.image_file import ImageError, read_image
from src.images.image_set import fingerprint
from src.images.preprocess import resize_short_side
from src.images.record_files import (
    Contents,
    Shard,
    Split,
    checksum,
    is_converted,
    read_contents,
    shard_paths,
    write_contents,
)
from src.images.shard_writer import write_shard
from src.runtime.logs import log_to
from src.runtime.workers import worker_count

logger = logging.getLogger(__name__)

IMAGES_PER_SHARD = 8192  # by default
JPEG_QUALITY = 95  # of re-encoded images
CHUNK_IMAGES = 64  # encoded images in memory, which MindRecord gets together


def convert(config: ConvertConfig) -> None:
    """Write both splits, or the shards of them that are missing.

    Raises:
        UserError: the output is missing or holds something else, images are bad, or the disk is full or read-only.
    """
    log_to()
    if config.output is None:
        raise UserError("output is missing: name a new folder with --output DIR")
    root = resolve_data_path(config.data_path)
    if is_converted(root):
        raise UserError(f"data_path {root} is already converted; give the folder of its images")
    if not root.is_dir():
        raise UserError(f"data_path {root}: there is no such folder; {LAYOUT}")
    folders = {split: in_order(ImageFolder.scan(root / split), config.class_order) for split in ("train", "val")}
    check_classes(folders["train"], folders["val"])
    workers = worker_count(config.workers)
    output = config.output
    plan = Contents(
        short_side=config.short_side,
        splits={split: _plan(folder, config.shards) for split, folder in folders.items()},
    )
    contents = _resume(plan, output)
    check_images(folders.values(), config.check_data, workers)
    try:
        write_contents(contents, output)
        for split, folder in folders.items():
            _convert_split(folder, output / split, contents, workers)
    except OSError as error:
        raise UserError(f"cannot write to output {output}: {error.strerror or error}") from None
    images = " + ".join(f"{len(folder):,}" for folder in folders.values())
    print(f"{output}: {images} images in {len(folders['train'].classes)} classes; train with --data_path {output}")


def encode(path: str, short_side: int) -> bytes:
    """Return the bytes of an image file, or a smaller JPEG if its short side is longer than `short_side` pixels.

    Args:
        short_side: 0 leaves every image as it is.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        content = read_image(path).tobytes()
        return _reduce(content, short_side) if short_side else content
    except (OSError, ImageError) as error:
        raise UserError(f"{path}: {reason(error)}; remove or replace the file") from None


def _reduce(content: bytes, short_side: int) -> bytes:
    image = decode_rgb(content)
    if min(image.size) <= short_side:
        return content
    smaller = BytesIO()
    resize_short_side(image, short_side).save(smaller, "JPEG", quality=JPEG_QUALITY)
    return smaller.getvalue()


def _plan(folder: ImageFolder, shards: int) -> Split:
    """Return the entry of a split before its first shard is written."""
    shards = min(shards or -(-len(folder) // IMAGES_PER_SHARD), len(folder))
    return Split(
        classes=list(folder.classes),
        images=len(folder),
        source=fingerprint(folder),
        bounds=[len(folder) * k // shards for k in range(shards + 1)],
        shards={},
    )


def _resume(plan: Contents, output: Path) -> Contents:
    """Return what an interrupted conversion with the same plan has written to `output`, or else the plan."""
    if not is_converted(output):
        if output.exists() and (not output.is_dir() or any(entry.name[0] != "." for entry in output.iterdir())):
            raise UserError(f"output {output} exists and is not a converted data set; give a new folder")
        return plan
    contents = read_contents(output)
    before, now = contents["short_side"], plan["short_side"]
    if before != now:
        raise UserError(
            f"output {output} was started with short_side {before}, not {now}; give that, or another --output"
        )
    for split, planned in plan["splits"].items():
        written = contents["splits"][split]
        if written.get("source") != planned["source"]:
            raise UserError(f"output {output / split} was started with other images; give another --output")
        if written.get("bounds") != planned["bounds"]:
            raise UserError(f"output {output / split} was started with another number of shards; give another --output")
    return contents


def _convert_split(folder: ImageFolder, target: Path, contents: Contents, workers: int) -> None:
    """Write the missing shards, and enter each in dataset.json."""
    split = contents["splits"][target.name]
    progress = tqdm(desc=f"convert {target.name}", total=len(folder), unit="img", leave=False, disable=None)
    with progress, ThreadPoolExecutor(workers) as pool:
        for number, (first, last) in enumerate(zip(split["bounds"], split["bounds"][1:], strict=False)):
            name = f"{number:05d}"
            if not _is_complete(target, name, split["shards"].get(name)):
                job = partial(encode, short_side=contents["short_side"])
                chunks = _map_in_chunks(pool, job, folder.files[first:last])
                split["shards"][name] = write_shard(folder, range(first, last), chunks, target, name)
                write_contents(contents, target.parent)
            progress.update(last - first)


def _is_complete(target: Path, name: str, entry: Shard | None) -> bool:
    if entry is None:
        return False
    shard, index = shard_paths(target, name)
    for path, expected in ((shard, entry["sha256"]), (index, entry["index_sha256"])):
        if not path.is_file() or checksum(path) != expected:
            logger.info("%s is missing or damaged; its shard is written again", path)
            return False
    return True


def _map_in_chunks(
    pool: ThreadPoolExecutor, job: Callable[[str], bytes], paths: Sequence[str]
) -> Iterator[list[bytes]]:
    """Give the results in order, `CHUNK_IMAGES` at a time, so that no more are in memory."""
    for start in range(0, len(paths), CHUNK_IMAGES):
        yield list(pool.map(job, paths[start : start + CHUNK_IMAGES]))
