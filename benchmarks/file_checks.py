"""Measure what training pays for looking at each file before MindData decodes it.

    python benchmarks/file_checks.py [--size 184] [--workers 2] [--rounds 31]

128 photographs of 300 to 600 pixels per side are generated, and saved in four kinds. Baseline and progressive JPEGs are
only looked at; of PNGs the checksums are computed; CMYK JPEGs, as an example of all rare kinds, are decoded by Pillow.
Each round runs an epoch of the training pipeline with the check and one without. The medians of the ratios are printed,
and the processor time of the check alone in one thread as a share of the epoch, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import src.dataset
from benchmarks.photographs import make_photographs
from src.config import AugmentOptions
from src.images.folder import ImageFolder
from src.images.image_file import ImageRef
from src.images.preprocess import Preprocess
from src.runtime.workers import usable_cores

BATCH = 32
CHECK = src.dataset.for_minddata
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {  # suffix, mode, options of Pillow
    "baseline JPEG": ("jpg", "RGB", {"quality": 90}),
    "progressive JPEG": ("jpg", "RGB", {"quality": 90, "progressive": True}),
    "PNG": ("png", "RGB", {}),
    "CMYK JPEG": ("jpg", "CMYK", {"quality": 90}),
}


def as_it_is(encoded: np.ndarray, image: ImageRef) -> np.ndarray:
    """Hand a file to MindData without a look at it."""
    return encoded


def seconds_of_epoch(images: ImageFolder, size: int, workers: int, epoch: int) -> tuple[float, float]:
    """Return processor and clock time of one epoch of the training pipeline."""
    began, spent = time.perf_counter(), sum(os.times()[:2])
    data = src.dataset.train_dataset(
        images, Preprocess(size), AugmentOptions(), BATCH, epoch=epoch, seed=0, workers=workers
    )
    for _ in data.create_tuple_iterator(num_epochs=1, output_numpy=True):
        pass
    return sum(os.times()[:2]) - spent, time.perf_counter() - began


def convert_photographs(source: ImageFolder, target: Path, suffix: str, mode: str, options: dict[str, Any]) -> None:
    """Save all images in another kind."""
    for path in map(Path, source.files):
        file = target / path.parent.name / f"{path.stem}.{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            image.convert(mode).save(file, **options)


def seconds_of_check(images: ImageFolder) -> float:
    """Return the processor time of the check of all files in this thread."""
    contents = [images.read(index) for index in range(len(images))]
    began = time.thread_time()
    for content, file in zip(contents, images.files, strict=True):
        CHECK(content, file)
    return time.thread_time() - began


def measure(images: ImageFolder, size: int, workers: int, rounds: int) -> str:
    """Return one line of results."""
    with_check: list[tuple[float, float]] = []
    without: list[tuple[float, float]] = []
    alone: list[float] = []
    for number in range(rounds):
        for check, found in ((CHECK, with_check), (as_it_is, without))[:: 1 if number % 2 else -1]:
            src.dataset.for_minddata = check
            found.append(seconds_of_epoch(images, size, workers, number))
        alone.append(seconds_of_check(images))
    pairs = [[a / b - 1 for a, b in zip(*pair, strict=True)] for pair in zip(with_check, without, strict=True)]
    processor, clock = (statistics.median(values) for values in zip(*pairs, strict=True))
    looked, epoch = statistics.median(alone), statistics.median(spent for spent, _ in without)
    return (
        f"check {1e6 * looked / len(images):5.0f} us of {1e3 * epoch / len(images):4.1f} ms an image, "
        f"{looked / epoch:.1%}; epochs: processor time {processor:+.1%}, time {clock:+.1%}"
    )


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=184, help="pixels (184: TinyNet-C)")
    parser.add_argument("--workers", type=int, default=min(2, usable_cores()), help="threads")
    parser.add_argument("--rounds", type=int, default=31, help="rounds; medians are printed")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        make_photographs(Path(scratch) / "source", 128)
        source = ImageFolder.scan(Path(scratch) / "source")
        for kind, options in KINDS.items():
            convert_photographs(source, Path(scratch) / kind, *options)
            images = ImageFolder.scan(Path(scratch) / kind)
            print(f"{kind:<18}{measure(images, args.size, args.workers, args.rounds)}", flush=True)


if __name__ == "__main__":
    main()
