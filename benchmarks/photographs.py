"""Generate JPEGs that take a decoder as long as real photographs do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def make_photographs(folder: Path, count: int = 512, size: tuple[int, int] | None = None, noise: float = 0) -> None:
    """Write `count` JPEGs of quality 90 with detail at every scale to two class folders.

    `size` is width and height in pixels; by default both vary from 300 to 600, as in ImageNet. `noise` is a deviation
    in levels; 12 makes files as large as COCO's, 145 kB for 640 x 480 pixels.
    """
    rng = np.random.RandomState(0)
    for index in range(count):
        width, height = size or rng.randint(300, 601, 2)
        layers = [rng.randint(0, 256, (height // step, width // step, 3), dtype=np.uint8) for step in (64, 16, 4)]
        resized = [
            np.asarray(Image.fromarray(layer).resize((width, height), Image.Resampling.BICUBIC), np.float32)
            for layer in layers
        ]
        pixels = 0.6 * resized[0] + 0.3 * resized[1] + 0.1 * resized[2]
        if noise:
            pixels = np.clip(pixels + noise * rng.randn(height, width, 1), 0, 255)
        target = folder / f"class{index % 2}" / f"{index}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(target, quality=90)
