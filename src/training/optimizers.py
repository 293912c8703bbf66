"""RMSProp that is bit-reproducible on a CPU, SGD, AdamW with bias correction, and the optimizer of a recipe."""

from __future__ import annotations

from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from src.config import RecipeOptions
from src.kernels import operators
from src.kernels.library import library
from src.runtime.device import is_cpu


class RMSProp(nn.RMSProp):
    """nn.RMSProp, except that on a CPU its update is a function of its operands alone.

    MindSpore's fused CPU kernel rounds the last elements of a vector differently, and re-tunes its vector split on
    calls 6, 11, 16, ... The rounding then depends on how often the kernel ran, so a resumed run would differ from an
    uninterrupted one. Other devices keep their fused kernel. The project's CPU kernel updates all parameters at once.
    """

    native: ops.Custom | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if is_cpu():
            self.opt = _RMSPropUpdate()
        if library() is not None and not self.is_group_lr:
            self.native, self.decays = operators.rmsprop_update(), weight_decays(self)
            self.numbers = operators.settings(self.decay, self.momentum, self.epsilon)

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        if self.native is None:
            return super().construct(gradients)
        numbers = ops.concat((self.get_lr().reshape((1,)), self.numbers))
        self.assignadd(self.global_step, self.global_step_increase_tensor)
        return self.native(numbers, self.decays, *self._parameters, *self.ms, *self.moment, *gradients)


class _RMSPropUpdate(nn.Cell):
    """Computes ops.ApplyRMSProp element by element. Written in primitives, because they compile three times as fast."""

    def __init__(self) -> None:
        super().__init__()
        self.add, self.mul, self.div, self.sqrt = ops.Add(), ops.Mul(), ops.RealDiv(), ops.Sqrt()
        self.sub, self.assign, self.assign_sub = ops.Sub(), ops.Assign(), ops.AssignSub()

    def construct(
        self,
        weight: Parameter,
        mean_square: Parameter,
        moment: Parameter,
        rate: Tensor,
        gradient: Tensor,
        decay: Tensor,
        momentum: Tensor,
        epsilon: Tensor,
    ) -> Tensor:
        square = self.mul(gradient, gradient)
        new_square = self.add(self.mul(self.sub(mean_square, square), decay), square)
        change = self.div(self.mul(gradient, rate), self.sqrt(self.add(new_square, epsilon)))
        new_moment = self.add(self.mul(moment, momentum), change)
        self.assign(mean_square, new_square)
        self.assign(moment, new_moment)
        return self.assign_sub(weight, new_moment)


class SGD(nn.SGD):
    """nn.SGD without dampening, where the project's CPU kernel updates all parameters at once."""

    native: ops.Custom | None = None

    def __init__(self, params: list, learning_rate: list[float], momentum: float, nesterov: bool = False) -> None:
        super().__init__(params, learning_rate, momentum, nesterov=nesterov)
        if library() is not None and not self.is_group_lr:
            self.native, self.decays = operators.sgd_update(), weight_decays(self)
            self.numbers = operators.settings(momentum, nesterov)
            # nn.SGD overwrites a moment where `stat` is 1, at the first step. Moments that begin with 0 need no mark.
            self.stat = self._parameters.clone(prefix="stat", init="zeros")

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        if self.native is None:
            return super().construct(gradients)
        numbers = ops.concat((self.get_lr().reshape((1,)), self.numbers))
        self.assignadd(self.global_step, self.global_step_increase_tensor)
        return self.native(numbers, self.decays, *self._parameters, *self.accum, *gradients)


class AdamW(nn.Optimizer):
    """Adam with decoupled weight decay (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101), as in PyTorch.

    Each step: weight -= rate * weight_decay * weight, then weight -= rate * m / (sqrt(v) + epsilon). Here m and v are
    the running averages of gradient and squared gradient, divided by 1 - beta ** step. (nn.AdamWeightDecay leaves out
    this division.) The project's CPU kernel updates all parameters at once.
    """

    native: ops.Custom | None = None

    def __init__(
        self,
        params: list,
        learning_rate: list[float],
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.average = self._parameters.clone(prefix="average", init="zeros")
        self.square = self._parameters.clone(prefix="square", init="zeros")
        if library() is not None and not self.is_group_lr:
            self.native, self.decays = operators.adamw_update(), weight_decays(self)
            self.numbers = operators.settings(beta1, beta2, epsilon)

    def construct(self, gradients: tuple[Tensor, ...]) -> Tensor:
        rate, decays = self.get_lr(), self.get_weight_decay()
        self.assignadd(self.global_step, self.global_step_increase_tensor)
        step = self.global_step.astype(ms.float32).reshape(())
        correction1, correction2 = 1 - ops.pow(self.beta1, step), 1 - ops.pow(self.beta2, step)
        if self.native is not None:
            numbers = ops.concat((ops.stack((rate.reshape(()), correction1, correction2)), self.numbers))
            state = *self._parameters, *self.average, *self.square
            return self.native(numbers, self.decays, *state, *gradients)
        for index, weight in enumerate(self._parameters):
            gradient, decay = gradients[index], decays[index] if self.is_group else decays
            average = self.average[index] * self.beta1 + gradient * (1 - self.beta1)
            square = self.square[index] * self.beta2 + ops.square(gradient) * (1 - self.beta2)
            change = average / correction1 / (ops.sqrt(square / correction2) + self.epsilon)
            ops.assign(self.average[index], average)
            ops.assign(self.square[index], square)
            ops.assign_sub(weight, rate * (change + decay * weight))
        return self.global_step


def weight_decays(optimizer: nn.Optimizer) -> Tensor:
    """Return the weight decay of each parameter, as CPU kernels take them."""
    decays = optimizer.weight_decay if optimizer.is_group else [optimizer.weight_decay] * len(optimizer.parameters)
    return operators.settings(*map(float, decays))


def build_optimizer(network: nn.Cell, recipe: RecipeOptions, rates: np.ndarray) -> nn.Optimizer:
    """Return the optimizer of all trainable parameters of `network`; `rates` holds the learning rate of each step.

    Weight decay applies to parameters of two or more axes (matrices and kernels), not to BatchNorm and biases. The
    optimizer does not know the loss scale: gradients are divided by it before.
    """
    parameters = network.trainable_params()
    matrices, vectors = [p for p in parameters if p.ndim >= 2], [p for p in parameters if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]] + [{"order_params": parameters}]
    schedule = rates.tolist()
    if recipe.optimizer == "sgd":
        return SGD(groups, schedule, recipe.momentum, recipe.nesterov)
    if recipe.optimizer == "adamw":
        return AdamW(groups, schedule, recipe.beta1, recipe.beta2, recipe.adam_epsilon)
    return RMSProp(groups, schedule, decay=recipe.rms_decay, momentum=recipe.momentum, epsilon=recipe.epsilon)
