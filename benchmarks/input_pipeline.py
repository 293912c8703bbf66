"""Compare the input pipelines of this project to other loaders with the same transforms, in images/s per core.

    python benchmarks/input_pipeline.py [--data_path DIR] [--size 184] [--workers 2] [--rounds 5]

Without --data_path, 512 JPEGs of 300 to 600 pixels per side are generated; otherwise DIR holds train/ and val/. Our
pipelines read an image folder, MindRecord, MindRecord with a short side of 256 pixels, and memory. The other loaders
have the same transforms and workers: timm's loader (if torch and timm are installed), MindData's Pillow operators (the
model zoo's tinynet trains with these), and Pillow called in threads and in processes.

The column "a core" divides the images by the processor time of all threads and processes. Background load changes it
less than the clock's images/s. The candidates alternate in rounds, and medians are compared.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision
from PIL import Image, ImageEnhance

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.photographs import make_photographs
from benchmarks.timm_loader import timm_loader
from src.config import AugmentOptions, ConvertConfig
from src.dataset import eval_dataset, train_dataset
from src.images.cache import cached
from src.images.convert import convert
from src.images.data_path import open_split
from src.images.image_set import ImageSet
from src.images.preprocess import Preprocess
from src.runtime.workers import usable_cores

BATCH = 32
SHORT_SIDE = 256  # pixels
JITTER = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
Pipeline = Callable[[], Iterable[np.ndarray]]  # starts one epoch of image batches
CARDS = (1000, 2500, 5000, 10_000)  # images/s that one card may consume


def pillow_train(path: str, size: int) -> np.ndarray:
    """Return one training image, made with Pillow and NumPy alone: random crop, flip and color jitter."""
    rng = np.random.default_rng()
    with Image.open(path) as file:
        image = file.convert("RGB")
    width, height = image.size
    for _ in range(10):
        area = width * height * rng.uniform(0.08, 1)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if w <= width and h <= height:
            break
    else:
        w, h = width, height
    left, top = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
    image = image.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + w, top + h))
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for index in rng.permutation(len(JITTER)):
        image = JITTER[index](image).enhance(rng.uniform(0.6, 1.4))
    return Preprocess(size).normalize(np.asarray(image))


def pillow_eval(path: str, size: int) -> np.ndarray:
    """Return one evaluation image, made with Pillow and NumPy alone."""
    rule = Preprocess(size)
    return rule.normalize(rule.pixels(path))


def pillow_batches(pool: Callable[[], Executor], transform: Callable, files: Sequence[str]) -> Iterable[np.ndarray]:
    """Yield batches of transformed files; the pool's workers read ahead."""
    images: list[np.ndarray] = []
    with pool() as workers:
        for image in workers.map(transform, files, chunksize=4):
            images.append(image)
            if len(images) == BATCH:
                yield np.stack(images)
                images = []
    if images:
        yield np.stack(images)


def minddata_pillow(folder: ImageSet, size: int, workers: int) -> ds.Dataset:
    """Return a MindData pipeline whose training transforms run in Pillow."""
    rule, jitter = Preprocess(size), (0.6, 1.4)
    operators = [
        vision.Decode(to_pil=True),
        vision.RandomResizedCrop(size, (0.08, 1), (3 / 4, 4 / 3), vision.Inter.BICUBIC),
        vision.RandomHorizontalFlip(),
        vision.RandomColorAdjust(jitter, jitter, jitter),
        vision.ToTensor(),
        vision.Normalize(rule.mean, rule.std, is_hwc=False),
    ]
    data = ds.ImageFolderDataset(str(folder.root), num_parallel_workers=1)
    return data.map(operators, "image", num_parallel_workers=workers).batch(BATCH)


def batches_of(data: ds.Dataset) -> Iterable[np.ndarray]:
    """Return an iterator over the image batches of a MindData pipeline."""
    return (batch[0] for batch in data.create_tuple_iterator(num_epochs=1, output_numpy=True))


def rates(batches: Iterable[np.ndarray]) -> tuple[float, float]:
    """Return images per second of time and per second of processor time; starting the pipeline is included."""
    began, spent = time.perf_counter(), sum(os.times()[:4])
    images = sum(len(batch) for batch in batches)
    return images / (time.perf_counter() - began), images / (sum(os.times()[:4]) - spent)


def pipelines(data_path: Path, scratch: Path, size: int, workers: int) -> dict[str, Pipeline]:
    """Return the pipelines by name. The first word says train or eval; "ours" is the reference of the ratios."""
    folder, rule = open_split(data_path, "train"), Preprocess(size)
    sources = {"": folder, ", from memory": cached(folder, "on")}
    for short_side, name in {0: ", MindRecord", SHORT_SIDE: f", MindRecord {SHORT_SIDE} px"}.items():
        output = scratch / f"records {short_side}"
        convert(ConvertConfig(data_path=str(data_path), output=output, short_side=short_side, check_data="off"))
        sources[name] = open_split(output, "train")

    def ours(images: ImageSet, **options: Any) -> Iterable[np.ndarray]:
        augment = AugmentOptions(**options)
        return batches_of(train_dataset(images, rule, augment, BATCH, epoch=0, seed=0, workers=workers))

    found: dict[str, Pipeline] = {f"train, ours{name}": partial(ours, images) for name, images in sources.items()}
    found["train, ours, antialiased"] = partial(ours, folder, antialias=True)
    found[f"train, ours, MindRecord {SHORT_SIDE} px, antialiased"] = partial(
        ours, list(sources.values())[-1], antialias=True
    )
    found["train, ours, RandAugment"] = partial(ours, folder, randaugment=9)
    found["train, MindData's Pillow"] = lambda: batches_of(minddata_pillow(folder, size, workers))
    if timm := timm_loader(folder.root, size, BATCH, workers):
        found["train, timm's loader"] = timm
    found["eval, ours"] = lambda: batches_of(eval_dataset(folder.files, rule, BATCH, workers=workers))
    paths = [str(file) for file in folder.files]  # Pillow takes no images of converted sets
    for kind, transform in {"train": pillow_train, "eval": pillow_eval}.items():
        for name, pool in {"threads": ThreadPoolExecutor, "processes": ProcessPoolExecutor}.items():
            job = partial(pillow_batches, partial(pool, workers), partial(transform, size=size), paths)
            found[f"{kind}, Pillow in {name}"] = job
    return found


def main() -> None:
    """Parse the command line, measure in rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, help="folder with train/CLASS/ and val/CLASS/")
    parser.add_argument("--size", type=int, default=184, help="pixels (184: TinyNet-C)")
    parser.add_argument("--workers", type=int, default=min(2, usable_cores()), help="threads or processes")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; medians are printed")
    parser.add_argument("--only", default="", help="measure only pipelines with this word in their names")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        data_path = args.data_path or Path(scratch) / "images"
        if args.data_path is None:
            make_photographs(data_path / "train")
            make_photographs(data_path / "val", 2)
        compared = pipelines(data_path, Path(scratch), args.size, args.workers)
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in compared if args.only in name}
        for _ in range(args.rounds):
            for name in measured:
                measured[name].append(rates(compared[name]()))
    clock, core = ({n: statistics.median(v[i] for v in values) for n, values in measured.items()} for i in (0, 1))
    print(f"{args.size} px, {args.workers} workers on {usable_cores()} cores, {args.rounds} rounds; images/s")
    cards = "".join(f"{card:>7,}" for card in CARDS)
    print(f"{'':<44}{'clock':>7}{'a core':>8}{'ours is':>9}   cores for a card of{cards}")
    for name in sorted(measured):
        ratio = core.get(name.split(",")[0] + ", ours", math.nan) / core[name]
        needed = "".join(f"{math.ceil(card / core[name]):>7}" for card in CARDS)
        print(f"{name:<44}{clock[name]:>7.0f}{core[name]:>8.0f}{ratio:>7.2f} x   {'':<19}{needed}")


if __name__ == "__main__":
    main()
