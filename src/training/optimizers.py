"""Optimizers that MindSpore lacks or computes otherwise from one launch to the next."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from src.config import RecipeOptions


class RMSProp(nn.RMSProp):
    """nn.RMSProp, whose update depends on nothing but its operands: a resumed run equals an uninterrupted one.

    MindSpore's CPU kernel rounds the tail of a vector otherwise than its body, and looks for the fastest split of the
    vector, and so for another tail, on its 6th, 11th, 16th... launch. Other devices keep their fused kernel.
    """

    def __init__(self, *args, **options) -> None:
        super().__init__(*args, **options)
        if ms.get_context("device_target") == "CPU":
            self.opt = _RMSPropUpdate()


class _RMSPropUpdate(nn.Cell):
    """What ops.ApplyRMSProp computes, element by element. Written in primitives, which compile three times as fast."""

    def __init__(self) -> None:
        super().__init__()
        self.add, self.mul, self.div, self.root = ops.Add(), ops.Mul(), ops.RealDiv(), ops.Sqrt()
        self.minus, self.assign, self.take = ops.Sub(), ops.Assign(), ops.AssignSub()

    def construct(self, weight, mean_square, moment, rate, gradient, decay, momentum, epsilon) -> Tensor:
        square = self.mul(gradient, gradient)
        new_square = self.add(self.mul(self.minus(mean_square, square), decay), square)
        change = self.div(self.mul(gradient, rate), self.root(self.add(new_square, epsilon)))
        new_moment = self.add(self.mul(moment, momentum), change)
        self.assign(mean_square, new_square)
        self.assign(moment, new_moment)
        return self.take(weight, new_moment)


class AdamW(nn.Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101), as PyTorch writes it.

    Each step: weight -= rate * weight_decay * weight, then weight -= rate * m / (sqrt(v) + epsilon), where m and v are
    the averages of gradient and squared gradient, divided by 1 - beta ** step. (nn.AdamWeightDecay leaves out that
    correction: its first step is three times too long. mint.optim.AdamW runs on Ascend only.)

    Args:
        params: parameters, or groups of them with a `weight_decay` each, as for any nn.Optimizer.
        learning_rate: one for all steps, or one for each.
        beta1: what the average of gradients keeps at a step, in (0, 1).
        beta2: what the average of squared gradients keeps at a step, in (0, 1).
        epsilon: added to the root, above 0.
        weight_decay: of parameters whose group does not say, at least 0.
    """

    def __init__(
        self,
        params: list,
        learning_rate: float | list[float],
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.average = self._parameters.clone(prefix="average", init="zeros")
        self.square = self._parameters.clone(prefix="square", init="zeros")

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        rate, decays = self.get_lr(), self.get_weight_decay()
        self.assignadd(self.global_step, self.global_step_increase_tensor)
        step = self.global_step.astype(ms.float32).reshape(())
        correction1, correction2 = 1 - ops.pow(self.beta1, step), 1 - ops.pow(self.beta2, step)
        for index, weight in enumerate(self._parameters):
            gradient, decay = gradients[index], decays[index] if self.is_group else decays
            average = self.average[index] * self.beta1 + gradient * (1 - self.beta1)
            square = self.square[index] * self.beta2 + ops.square(gradient) * (1 - self.beta2)
            change = average / correction1 / (ops.sqrt(square / correction2) + self.epsilon)
            ops.assign(self.average[index], average)
            ops.assign(self.square[index], square)
            ops.assign_sub(weight, rate * (change + decay * weight))
        return self.global_step


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
