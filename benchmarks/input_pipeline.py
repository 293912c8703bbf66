"""Images a second that the input pipelines deliver, as a ratio to plain Pillow doing the same, in one run.

    python benchmarks/input_pipeline.py [--data_path DIR/train] [--size 184] [--workers 2] [--rounds 5]

Without --data_path, 512 JPEGs of 300 to 600 pixels a side are made up. Ours is held against three Pillow pipelines with
the same transforms and workers: MindData's Pillow operators (what the model zoo's tinynet trains with), and a
hand-written one in threads and in processes. Rounds alternate, and medians are compared.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision
from PIL import Image, ImageEnhance

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from src.config import AugmentOptions
from src.dataset import eval_dataset, train_dataset
from src.image_folder import ImageFolder
from src.preprocess import Preprocess
from src.workers import usable_cores

BATCH = 32


def make_photographs(folder: Path, count: int = 512) -> None:
    """JPEGs with the sizes of ImageNet's and some detail at every scale, so that decoding costs what it costs there."""
    rng = np.random.RandomState(0)
    for index in range(count):
        width, height = rng.randint(300, 601, 2)
        layers = [rng.randint(0, 256, (height // step, width // step, 3), dtype=np.uint8) for step in (64, 16, 4)]
        resized = [np.asarray(Image.fromarray(a).resize((width, height), Image.BICUBIC), np.float32) for a in layers]
        pixels = 0.6 * resized[0] + 0.3 * resized[1] + 0.1 * resized[2]
        target = folder / f"class{index % 2}" / f"{index}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(target, quality=90)


def pillow_train(path: str, size: int) -> np.ndarray:
    """The training transforms as one would write them with Pillow and numpy."""
    rng = np.random.default_rng()
    with Image.open(path) as image:
        image = image.convert("RGB")
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
    for kind in rng.permutation([ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]):
        image = kind(image).enhance(rng.uniform(0.6, 1.4))
    return Preprocess(size).normalize(np.asarray(image))


def pillow_eval(path: str, size: int) -> np.ndarray:
    """The evaluation transforms with Pillow and numpy."""
    rule = Preprocess(size)
    return rule.normalize(rule.pixels(path))


def pillow_batches(pool: Executor, transform: Callable, files: Sequence[str]) -> Iterable[np.ndarray]:
    """Batches of what `transform` makes of the files, a pool's workers ahead of the reader."""
    images: list[np.ndarray] = []
    for image in pool.map(transform, files, chunksize=4):
        images.append(image)
        if len(images) == BATCH:
            yield np.stack(images)
            images = []
    if images:
        yield np.stack(images)


def minddata_pillow(folder: ImageFolder, size: int, workers: int) -> ds.Dataset:
    """The training transforms with the Pillow implementations of MindData's operators."""
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


def batches_of(data) -> Iterable[np.ndarray]:
    """Image batches of a MindData pipeline."""
    return (batch[0] for batch in data.create_tuple_iterator(num_epochs=1, output_numpy=True))


def rate(batches: Iterable[np.ndarray]) -> float:
    """Images a second, start included."""
    began = time.perf_counter()
    images = sum(len(batch) for batch in batches)
    return images / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_path", type=Path, help="folder of class folders")
    parser.add_argument("--size", type=int, default=184, help="pixels (184: TinyNet-C)")
    parser.add_argument("--workers", type=int, default=min(2, usable_cores()), help="threads or processes")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions, medians count")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        if args.data_path is None:
            make_photographs(Path(scratch))
        folder = ImageFolder.scan(args.data_path or Path(scratch))
        rule, size, workers = Preprocess(args.size), args.size, args.workers
        options = {"epoch": 0, "seed": 0, "workers": workers}
        train = partial(train_dataset, folder, rule, batch_size=BATCH, **options)
        with ThreadPoolExecutor(workers) as threads, ProcessPoolExecutor(workers) as processes:
            pipelines: dict[str, Callable[[], Iterable[np.ndarray]]] = {
                "train, ours": lambda: batches_of(train(augment=AugmentOptions())),
                "train, ours, antialiased": lambda: batches_of(train(augment=AugmentOptions(antialias=True))),
                "train, MindData's Pillow": lambda: batches_of(minddata_pillow(folder, size, workers)),
                "eval, ours": lambda: batches_of(eval_dataset(folder.files, rule, BATCH, workers=workers)),
            }
            for kind, transform in {"train": pillow_train, "eval": pillow_eval}.items():
                for name, pool in {"threads": threads, "processes": processes}.items():
                    job = partial(pillow_batches, pool, partial(transform, size=size), folder.files)
                    pipelines[f"{kind}, Pillow in {name}"] = job
            rates: dict[str, list[float]] = {name: [] for name in pipelines}
            for _ in range(args.rounds):
                for name, pipeline in pipelines.items():
                    rates[name].append(rate(pipeline()))
    median = {name: statistics.median(values) for name, values in rates.items()}
    print(f"{len(folder)} images to {size} px, {workers} workers on {usable_cores()} cores, {args.rounds} rounds")
    for name, value in sorted(median.items()):
        ratio = median[name.split(",")[0] + ", ours"] / value
        print(f"  {name:<26} {value:6.0f} images/s {value / workers:6.0f} a worker   ours is {ratio:.2f} x")


if __name__ == "__main__":
    main()
