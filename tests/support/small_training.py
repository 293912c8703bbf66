"""A training step of a very small network, for tests that compare states."""

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn

from src.classification.loss import NetworkWithLoss
from src.config import RecipeOptions
from src.networks.layers import use_native_kernels
from src.training.checkpoint import state_of
from src.training.optimizers import build_optimizer
from src.training.precision import needs_loss_scale, with_precision
from src.training.step import TrainStep
from support.small_network import one_block

RATES = np.linspace(0.001, 0.003, 40, dtype=np.float32)


def build(drop=0.2, frozen=False, scale_loss=None, **recipe):
    """Four classes; `frozen`: BatchNorm keeps its statistics, so that a batch may be divided."""
    ms.set_seed(3)
    recipe = RecipeOptions(**({"ema_decay": 0.9} | recipe))
    network = one_block(num_classes=4, dropout=drop, drop_path=drop)
    for _, cell in network.cells_and_names():
        if frozen and isinstance(cell, nn.BatchNorm2d):
            cell.use_batch_statistics = False
    if recipe.amp_level == "O0":
        use_native_kernels(network)
    network = with_precision(network, recipe)
    optimizer = build_optimizer(network, recipe, RATES)
    scale_loss = needs_loss_scale(recipe) if scale_loss is None else scale_loss
    return TrainStep(network, NetworkWithLoss(network, 4, 0.1), optimizer, recipe, scale_loss=scale_loss)


def batch(index, size=8):
    """Images (size, 3, 40, 40) and their labels."""
    rng = np.random.RandomState(index)
    return Tensor(rng.randn(size, 3, 40, 40).astype(np.float32)), Tensor(rng.randint(0, 4, size).astype(np.int32))


def advance(step, *indices):
    """One update with each of the batches; their losses."""
    return [float(step(*batch(index)).asnumpy()) for index in indices]


def snapshot(step):
    """A copy of all that a checkpoint holds."""
    return {name: parameter.asnumpy().copy() for name, parameter in state_of(step).items()}


def assert_same(one, other, **tolerance):
    """Two snapshots are equal, to the bit unless a tolerance is given."""
    assert one.keys() == other.keys()
    for name in one:
        if tolerance:
            np.testing.assert_allclose(one[name], other[name], err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
