"""The paper's recipe: learning rate, loss, optimizer. Defaults are those of the authors' release."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops

from src.config import RecipeOptions
from src.training.optimizers import AdamW, RMSProp


def peak_rate(recipe: RecipeOptions, batch_size: int) -> float:
    """The learning rate after warm-up: `lr`, scaled linearly from a batch of `lr_batch` to this one."""
    return recipe.lr * (batch_size / recipe.lr_batch if recipe.lr_batch else 1)


def learning_rates(recipe: RecipeOptions, steps_per_epoch: int, batch_size: int) -> np.ndarray:
    """The learning rate of every step, float32 (epochs * steps_per_epoch,).

    Linear from `warmup_lr` to the peak over `warmup_epochs`, then `peak * decay_rate ** floor(epoch / decay_epochs)`,
    where `epoch` is a fraction and counts from the very start.
    """
    peak = peak_rate(recipe, batch_size)
    epoch = np.arange(recipe.epochs * steps_per_epoch) / steps_per_epoch
    decayed = peak * recipe.decay_rate ** np.floor(epoch / recipe.decay_epochs)
    if recipe.warmup_epochs == 0:
        return decayed.astype(np.float32)
    warm = recipe.warmup_lr + (peak - recipe.warmup_lr) * epoch / recipe.warmup_epochs
    return np.where(epoch < recipe.warmup_epochs, warm, decayed).astype(np.float32)


class SmoothedCrossEntropy(nn.Cell):
    """Mean cross entropy of logits (N, C) against labels (N,), as the authors smooth it.

    The true class gets 1 - smoothing, each of the others smoothing / (C - 1). (PyTorch and timm spread it over all C.)
    """

    def __init__(self, num_classes: int, smoothing: float) -> None:
        super().__init__()
        others = max(1, num_classes - 1)
        self.num_classes = num_classes
        self.on, self.off = Tensor(np.float32(1 - smoothing)), Tensor(np.float32(smoothing / others))

    def construct(self, logits: Tensor, labels: Tensor) -> Tensor:
        target = ops.one_hot(labels, self.num_classes, self.on, self.off)
        return -(target * ops.log_softmax(logits, -1)).sum(-1).mean()


def build_optimizer(network: nn.Cell, recipe: RecipeOptions, rates: np.ndarray) -> nn.Optimizer:
    """The optimizer of everything in `network` that requires a gradient; `rates`: one a step.

    It takes gradients as they are: whoever scales the loss divides them. Weight decay concerns matrices and kernels
    only, not BatchNorm and biases.
    """
    parameters = network.trainable_params()
    matrices, vectors = [p for p in parameters if p.ndim >= 2], [p for p in parameters if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]] + [{"order_params": parameters}]
    rates = rates.tolist()
    if recipe.optimizer == "sgd":
        return nn.SGD(groups, rates, momentum=recipe.momentum, nesterov=recipe.nesterov)
    if recipe.optimizer == "adamw":
        return AdamW(groups, rates, recipe.beta1, recipe.beta2, recipe.adam_epsilon)
    return RMSProp(groups, rates, decay=recipe.rms_decay, momentum=recipe.momentum, epsilon=recipe.epsilon)
