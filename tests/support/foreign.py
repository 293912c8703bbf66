"""Networks of other collections: names, shapes and seeded weights of their files, and the logits that they compute.

`tests/golden/README.md` says how a tensor is drawn.
"""

import json
import zlib
from functools import lru_cache

import numpy as np

from src.weights.ckpt import save_plain_ckpt
from support.project import GOLDEN

NAMES = sorted(path.stem for path in (GOLDEN / "foreign").glob("*.npz"))


class Foreign:
    """A network of another collection.

    Attributes:
        shapes: name -> shape of each tensor, in the order of the file.
        unused: names of the tensors that the network never reads.
        ours: the nearest network of this project; None: there is none.
        logits: size of the images in pixels -> logits (2, 1000).
    """

    def __init__(self, name):
        arrays = np.load(GOLDEN / "foreign" / f"{name}.npz")
        self.name, self.about = name, json.loads(arrays["description"].tobytes())
        self.shapes = {key: tuple(shape) for key, shape in self.about["parameters"].items()}
        self.unused, self.ours = self.about["unused"], self.about["ours"]
        self.logits = {size: arrays[key] for key, size in self.about["logits"].items() if key in arrays}
        self.checksum = arrays["checksum"]

    def state(self):
        """Draw all weights."""
        return {name: self._draw(name, shape) for name, shape in self.shapes.items()}

    def images(self, size):
        """Draw two images, float32 (2, 3, size, size)."""
        rng = np.random.RandomState(self.about["seed"])
        contrast, brightness = rng.uniform(0.5, 1.5, (2, 3, 1, 1)), rng.randn(2, 3, 1, 1)
        return (rng.randn(2, 3, size, size) * contrast + brightness).astype(np.float32)

    def _draw(self, name, shape):
        rng = np.random.RandomState(zlib.crc32(f"{self.about['seed']}:{name}".encode()))
        kind, axes = name.rpartition(".")[2], len(shape)
        if kind in ("moving_variance", "running_var"):
            values = rng.uniform(0.5, 1.5, shape)
        elif kind == "gamma" or (kind == "weight" and axes == 1):
            values = rng.uniform(0.8, 1.2, shape)
        elif kind == "bias" or axes == 1:
            values = 0.05 * rng.randn(*shape)
        else:
            values = np.sqrt(self._gain(name, axes) / np.prod(shape[1:])) * rng.randn(*shape)
        return values.astype(np.float32)

    def _gain(self, name, axes):
        has_bias = name.removesuffix("weight") + "bias" in self.shapes
        if axes == 2:
            return 1.0
        biased = self.about["gain_biased"]
        return biased if has_bias and biased is not None else self.about["gain"]


@lru_cache
def foreign(name):
    """Return a network by its name in tests/golden/foreign."""
    return Foreign(name)


def write(path, tensors):
    """Write a checkpoint as MindSpore does, and return its path."""
    save_plain_ckpt({name: np.asarray(value) for name, value in tensors.items()}, path)
    return path
