"""Paths of the project, and pictures for its commands."""

from pathlib import Path

import numpy as np
from PIL import Image

PROJECT = Path(__file__).resolve().parents[2]
GOLDEN = PROJECT / "tests" / "golden"
SUPPORT = PROJECT / "tests" / "support"


def photograph(width, height, seed=0):
    """A picture with structure at every scale, so that crops and filters cannot agree by accident."""
    rng = np.random.RandomState(seed)
    coarse = Image.fromarray(rng.randint(0, 256, (6, 8, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    noise = rng.randint(-40, 41, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(coarse, np.int16) + noise, 0, 255).astype(np.uint8))
