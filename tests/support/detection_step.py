"""The training steps of tests/golden/detection_step.npz: what both programs draw and compare. Needs NumPy alone."""

import numpy as np

STEPS, IMAGES, PIXELS = 3, 4, 64
CLASSES, EXTRA = 4, (32, 16)  # classes of objects; channels of the extra blocks
SEED, RATE, WEIGHT_DECAY = 7, 0.01, 1e-3
OBJECTS = (2, 1, 0, 3)  # of each image


def batches():
    """Give images float32 (4, 3, 64, 64), and for each of them boxes x1, y1, x2, y2 in pixels and classes from 1."""
    rng = np.random.RandomState(11)
    for _ in range(STEPS):
        images = rng.randn(IMAGES, 3, PIXELS, PIXELS).astype(np.float32)
        yield images, [_objects(rng, count) for count in OBJECTS]


def summary(value, start):
    """Return mean, L2 norm, and L2 norm of the change of a tensor, float64 (3,)."""
    value, start = value.astype(np.float64), start.astype(np.float64)
    return np.array([value.mean(), np.linalg.norm(value), np.linalg.norm(value - start)])


def _objects(rng, count):
    corners = rng.uniform(0, PIXELS - 30, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(8, 30, (count, 2))], 1).astype(np.float32)
    return boxes, rng.randint(1, CLASSES + 1, count).astype(np.int64)
