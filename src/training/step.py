"""One optimizer step, compiled as one graph: loss, gradients, update and weight average."""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops

from src.config import RecipeOptions
from src.kernels import operators
from src.kernels.library import library
from src.runtime.collectives import MeanOverRanks
from src.training.loss_scale import LossScale
from src.weights.ckpt import EMA_PREFIX
from src.weights.names import weights_of

STATISTICS = ("moving_mean", "moving_variance")  # BatchNorm's parameters that are not trained


class Gradients(nn.Cell):
    """The loss of a batch and its gradients. Neither contains the loss scale any more."""

    def __init__(self, network_with_loss: nn.Cell, parameters: ParameterTuple, loss_scale: LossScale | None) -> None:
        super().__init__(auto_prefix=False)
        self.network_with_loss, self.loss_scale = network_with_loss, loss_scale
        self.gradient = ms.value_and_grad(self._scaled_loss, None, parameters, has_aux=True)
        self.map = ops.HyperMap()

    def construct(self, *batch: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        (_, loss), gradients = self.gradient(*batch)
        if self.loss_scale is None:
            return loss, gradients
        share = 1 / self.loss_scale.scale  # a power of two unless the user chose another, so nothing is rounded
        return loss, self.map(ops.partial(ops.mul, share), gradients)

    def _scaled_loss(self, *batch: Tensor) -> tuple[Tensor, Tensor]:
        loss = self.network_with_loss(*batch)
        return (loss if self.loss_scale is None else loss * self.loss_scale.scale), loss


class AddGradients(nn.Cell):
    """Adds the gradients of a batch to `sums`, and returns its loss."""

    def __init__(self, gradients: Gradients, sums: ParameterTuple) -> None:
        super().__init__(auto_prefix=False)
        self.gradients, self.sums, self.mean = gradients, sums, MeanOverRanks([()])
        self.map = ops.HyperMap()

    def construct(self, *batch: Tensor) -> Tensor:
        loss, gradients = self.gradients(*batch)
        loss = ops.depend(loss, self.map(ops.assign_add, self.sums, gradients))
        return self.mean((loss,))[0]


class TrainStep(nn.Cell):
    """Takes a batch and returns its loss, the mean over all ranks; updates network, optimizer and average.

    The average covers all weights, BatchNorm's running statistics included. Gradients and statistics are averaged over
    the ranks, so that after a step all ranks hold the same bits. With gradient accumulation over k batches, `add`
    takes the first k - 1 of them and the step takes the last.

    Args:
        network: what is trained.
        network_with_loss: takes a batch, any number of tensors, and returns the loss of `network`, float32 ().
        optimizer: holds the parameters that are trained.
        recipe: accumulate, clip_norm, ema_decay, ema_warmup and loss_scale are read.
        scale_loss: whether the loss is scaled, because some gradients are float16.
    """

    def __init__(
        self,
        network: nn.Cell,
        network_with_loss: nn.Cell,
        optimizer: nn.Optimizer,
        recipe: RecipeOptions,
        *,
        scale_loss: bool = False,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.network, self.optimizer, self.recipe = network, optimizer, recipe
        self.loss_scale = LossScale(recipe.loss_scale) if scale_loss else None
        weights = weights_of(network)
        self.statistics = ParameterTuple(p for name, p in weights.items() if name.endswith(STATISTICS))
        self.source = ParameterTuple(weights.values() if recipe.ema_decay else [])
        self.ema = ParameterTuple(
            Parameter(ms.Tensor(p.asnumpy()), name=EMA_PREFIX + p.name, requires_grad=False) for p in self.source
        )
        self.mean = MeanOverRanks([(), *(p.shape for p in (*optimizer.parameters, *self.statistics))])
        self.gradients = Gradients(network_with_loss, optimizer.parameters, self.loss_scale)
        self.sums = optimizer.parameters.clone("sum", "zeros") if recipe.accumulate > 1 else ParameterTuple([])
        self.add = AddGradients(self.gradients, self.sums)
        self.map = ops.HyperMap()
        self.native_average = operators.average_update() if library() is not None else None
        self.set_train()

    def construct(self, *batch: Tensor) -> Tensor:
        loss, gradients = self.gradients(*batch)
        if self.recipe.accumulate > 1:
            gradients = self.map(ops.partial(_mean_with_sum, 1 / self.recipe.accumulate), self.sums, gradients)
            loss = ops.depend(loss, self.map(_set_zero, self.sums))
        if not self.mean.alone:
            means = self.mean((loss,) + gradients + self.statistics)
            loss, gradients, statistics = means[0], means[1 : len(gradients) + 1], means[len(gradients) + 1 :]
            loss = ops.depend(loss, self.map(ops.assign, self.statistics, statistics))
        if self.recipe.clip_norm > 0:
            gradients = self._clip(gradients)
        loss = self._update(loss, gradients)
        if self.recipe.ema_decay > 0:
            loss = ops.depend(loss, self._move_averages())
        return loss

    def _update(self, loss: Tensor, gradients: tuple[Tensor, ...]) -> Tensor:
        """Give the gradients to the optimizer; with a dynamic loss scale only if all of them are finite."""
        if self.loss_scale is None or not self.loss_scale.dynamic:
            return ops.depend(loss, self.optimizer(gradients))
        finite = ms.amp.all_finite(gradients)
        if finite:
            loss = ops.depend(loss, self.optimizer(gradients))
        else:  # the step still counts, so that the learning-rate schedule does not lag behind
            loss = ops.depend(loss, ops.assign_add(self.optimizer.global_step, 1))
        return ops.depend(loss, self.loss_scale(finite))

    def _clip(self, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Scale all gradients down together if their common norm is above `clip_norm`."""
        norm = ops.sqrt(ops.addn(self.map(_square_sum, gradients)))
        factor = ops.minimum(self.recipe.clip_norm / (norm + 1e-6), 1.0)
        return self.map(ops.partial(ops.mul, factor), gradients)

    def _move_averages(self) -> Tensor | tuple[Tensor, ...]:
        rate = self._averaging_rate()
        if self.native_average is None:
            return self.map(ops.partial(_move_average, rate), self.ema, self.source)
        rate = Tensor([rate], ms.float32) if isinstance(rate, float) else rate.reshape((1,))
        return self.native_average(rate, *self.ema, *self.source)

    def _averaging_rate(self) -> Tensor | float:
        """Return the share of the new weights: 1 - ema_decay; with warm-up at least 9/(10+t) at step t."""
        rate = 1.0 - self.recipe.ema_decay
        if not self.recipe.ema_warmup:
            return rate
        return ops.maximum(9 / (10 + self.optimizer.global_step.astype(ms.float32).reshape(())), rate)


# Functions that are mapped over all parameters: ops.HyperMap compiles a hundred times faster than a loop over them.


def _mean_with_sum(share: float, total: Parameter, gradient: Tensor) -> Tensor:
    return (total + gradient) * share


def _set_zero(parameter: Parameter) -> Tensor:
    return ops.assign(parameter, ops.zeros_like(parameter))


def _square_sum(tensor: Tensor) -> Tensor:
    return ops.square(tensor).sum()


def _move_average(rate: Tensor | float, average: Parameter, parameter: Parameter) -> Tensor:
    return ops.assign(average, ops.lerp(average, parameter, rate))
