"""Compute on all ranks of a job; the first rank writes FOLDER/NAME.npz: ranks_program.py FOLDER NAME ..."""

import hashlib
import sys
import tempfile
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import Tensor

from src.classification.metrics import score_images
from src.dataset import epoch_order
from src.detection.finding import as_table, find_objects, score_objects
from src.detection.layout import open_coco
from src.detection.loss import MultiBoxLoss
from src.detection.postprocess import Rule
from src.images.data_path import open_split, resolve_data_path
from src.images.preprocess import Preprocess
from src.networks.stochastic import use_random_stream
from src.runtime import collectives, device, distributed
from src.training.checkpoint import share_state, state_of
from support.coco import write_squares
from support.detection import golden_batch
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


def detection():
    """Return the loss of the detector, and its gradient by logits, of ranks that share torchvision's four images."""
    size = 4 // distributed.ranks()
    mine = slice(distributed.rank() * size, (distributed.rank() + 1) * size)
    loss, gradient = ms.jit(ms.value_and_grad(MultiBoxLoss(), 0))(*(Tensor(value[mine]) for value in golden_batch()))
    gradients = collectives.all_gather(gradient.asnumpy()).reshape(4, *gradient.shape[1:])
    return {
        "loss": collectives.all_gather(loss.asnumpy().reshape(1)).mean(),
        "gradient": gradients / distributed.ranks(),
    }


def objects():
    """Return the objects that all ranks together find in five pictures, as a table."""
    images = open_coco(write_squares(Path(tempfile.mkdtemp())), "val")
    boxes = np.array([[0, 0, 16, 16], [8, 8, 32, 32], [1, 1, 16, 16]], np.float32)

    def network(pixels):
        """Score three anchors and two classes by the means of the channels."""
        scores = pixels.asnumpy().mean((2, 3))[:, None] * np.array([1, 0.5, 0.25], np.float32)[:, None]
        return Tensor(np.tile(boxes, (len(scores), 1, 1))), Tensor(np.abs(scores))

    found = find_objects(network, images, Preprocess(32, 1.0), 2, Rule(), workers=1)
    return {"table": as_table(images, found), "scores": [*score_objects(images, found).numbers.values()]}


FINDINGS = {"states": states, "shards": shards, "metrics": metrics, "detection": detection, "objects": objects} | {
    name: lambda name=name: divided(name) for name in DIVISIBLE
}

if __name__ == "__main__":
    folder, *names = sys.argv[1:]
    device.setup("CPU", seed=1)
    for name in names:
        found = FINDINGS[name]()
        if distributed.is_first():
            np.savez(Path(folder) / f"{name}.npz", **found)
