"""What all tests share: the CPU in graph mode, and small folders of real image files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src import device

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _cpu():
    device.setup("CPU", seed=1)


def photograph(width, height, seed=0):
    """A picture with structure at every scale, so that crops and filters cannot agree by accident."""
    rng = np.random.RandomState(seed)
    coarse = Image.fromarray(rng.randint(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    noise = rng.randint(-40, 41, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(coarse, np.int16) + noise, 0, 255).astype(np.uint8))


@pytest.fixture
def image_folder(tmp_path):
    """DIR/train and DIR/val with two classes of 6 and 3 JPEGs each."""
    for split, count in {"train": 6, "val": 3}.items():
        for label, name in enumerate(["cat", "dog"]):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                photograph(60 + 7 * index, 50 + 5 * label, seed=10 * label + index).save(folder / f"{index}.jpg")
    return tmp_path / "data"
