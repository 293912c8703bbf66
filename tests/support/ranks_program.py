"""Compute on all ranks of a job; the first rank writes FOLDER/NAME.npz: ranks_program.py FOLDER NAME ..."""

import hashlib
import sys
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import Tensor

from src.classification.metrics import score_images
from src.dataset import epoch_order
from src.images.data_path import open_split, resolve_data_path
from src.images.preprocess import Preprocess
from src.networks.stochastic import use_random_stream
from src.runtime import collectives, device, distributed
from src.training.checkpoint import share_state, state_of
from support.small_network import one_block
from support.small_training import batch, build, snapshot

DIVISIBLE = {"plain": {}, "accumulated": {"accumulate": 2, "clip_norm": 1.0}}  # recipes
STEPS, IMAGES = 4, 16  # images of a batch, all ranks together
VARIANCE = 0.5
BATCH_SIZES = (7, 32)


def digests(step):
    """Return a hash of 8 bytes of each tensor of each rank's state, (ranks, tensors)."""
    hashes = [hashlib.sha256(p.asnumpy().tobytes()).digest()[:8] for p in state_of(step).values()]
    return collectives.all_gather(np.frombuffer(b"".join(hashes), np.int64))


def states():
    """Return the hashes of ranks that begin with different weights and see different images, with dropout."""
    step = build()
    for parameter in state_of(step).values():
        value = parameter.asnumpy()
        parameter.set_data(Tensor(value + np.array(distributed.rank(), value.dtype)))
    use_random_stream(step.network, distributed.rank())
    found = {"before": digests(step)}
    share_state(step)
    found["shared"] = digests(step)
    for number in range(5):
        step(*batch(10 * number + distributed.rank()))
    return found | {"trained": digests(step)}


def divided(name):
    """Return losses and state after steps in which each rank computed its part of every batch, without dropout."""
    step = build(drop=0, frozen=True, **DIVISIBLE[name])
    for parameter in step.statistics:  # a new network that normalizes with them computes the same of all images
        if parameter.name.endswith("moving_variance"):
            parameter.set_data(Tensor(np.full(parameter.shape, VARIANCE, np.float32)))
    size = IMAGES // distributed.ranks()
    mine = slice(distributed.rank() * size, (distributed.rank() + 1) * size)
    losses = []
    for index in range(STEPS * step.recipe.accumulate):
        part = [tensor[mine] for tensor in batch(index, IMAGES)]
        is_last = (index + 1) % step.recipe.accumulate == 0
        losses.append(float((step if is_last else step.add)(*part).asnumpy()))
    return {"losses": np.array(losses)} | snapshot(step)


def shards():
    """Return the images of each rank in an epoch."""
    place = {"rank": distributed.rank(), "ranks": distributed.ranks()}
    return {"order": collectives.all_gather(epoch_order(1000, 16, epoch=2, seed=5, **place))}


def metrics():
    """Metrics of a network of one block on the 360 validation images of the digits, and their losses, by batch size."""
    ms.set_seed(3)
    network = one_block(num_classes=10).set_train(False)
    val, preprocess = open_split(resolve_data_path("digits"), "val"), Preprocess(size=32)
    found = {}
    for count in BATCH_SIZES:
        scores = score_images(network, val.files, val.labels, preprocess, count, workers=1)
        found |= {str(count): [*vars(scores.metrics()).values()], f"losses {count}": scores.losses}
    return found


FINDINGS = {"states": states, "shards": shards, "metrics": metrics} | {
    name: lambda name=name: divided(name) for name in DIVISIBLE
}

if __name__ == "__main__":
    folder, *names = sys.argv[1:]
    device.setup("CPU", seed=1)
    for name in names:
        found = FINDINGS[name]()
        if distributed.is_first():
            np.savez(Path(folder) / f"{name}.npz", **found)
