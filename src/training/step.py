"""One training step, compiled as one graph: loss, gradient, update and weight average."""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops

from src.classification.mixing import Mixing
from src.config import RecipeOptions
from src.runtime.collectives import MeanOverRanks
from src.training.loss_scale import LossScale
from src.weights.ckpt import EMA_PREFIX
from src.weights.names import weights_of

RUNNING = ("moving_mean", "moving_variance")


class Gradients(nn.Cell):
    """The loss of a batch and its gradients, both free of the loss scale.

    A batch is images (N, 3, H, W) and labels (N,); where they are mixed, also lam () and box (4,), see `Mix`.
    """

    def __init__(
        self, network: nn.Cell, loss: nn.Cell, parameters: ParameterTuple, loss_scale: LossScale | None
    ) -> None:
        super().__init__(auto_prefix=False)
        self.network, self.loss, self.loss_scale, self.mixing = network, loss, loss_scale, Mixing()
        self.gradient = ms.value_and_grad(self._scaled_loss, None, parameters, has_aux=True)
        self.map = ops.HyperMap()

    def construct(self, *batch: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        (_, loss), gradients = self.gradient(*batch)
        if self.loss_scale is None:
            return loss, gradients
        share = 1 / self.loss_scale.scale  # a power of two unless the user chose another, so nothing is rounded
        return loss, self.map(ops.partial(ops.mul, share), gradients)

    def _scaled_loss(self, images: Tensor, labels: Tensor, *mix: Tensor) -> tuple[Tensor, Tensor]:
        if mix:
            images, partners = self.mixing(images, labels, *mix)
            loss = self.loss(self.network(images).astype(ms.float32), labels, partners, mix[0])
        else:
            loss = self.loss(self.network(images).astype(ms.float32), labels)
        return (loss if self.loss_scale is None else loss * self.loss_scale.scale), loss


class AddGradients(nn.Cell):
    """Take a batch whose gradients only add to `sums`; returns its loss."""

    def __init__(self, gradients: Gradients, sums: ParameterTuple) -> None:
        super().__init__(auto_prefix=False)
        self.gradients, self.sums, self.mean = gradients, sums, MeanOverRanks([()])
        self.map = ops.HyperMap()

    def construct(self, *batch: Tensor) -> Tensor:
        loss, gradients = self.gradients(*batch)
        loss = ops.depend(loss, self.map(ops.assign_add, self.sums, gradients))
        return self.mean((loss,))[0]


class TrainStep(nn.Cell):
    """A batch in, its loss out (the mean over all ranks); network, optimizer and average move on.

    A batch is what `Gradients` takes. The average covers all weights, BatchNorm's running statistics included. After
    a step all ranks hold the same bits: gradients and statistics are averaged over them. With `accumulate` k > 1 an
    update takes k batches: `add` takes the first k-1, then the step the last.
    """

    def __init__(
        self, network: nn.Cell, loss: nn.Cell, optimizer: nn.Optimizer, recipe: RecipeOptions, *, half: bool = False
    ) -> None:
        """`half`: gradients are float16 somewhere, so the loss is scaled by `recipe.loss_scale`."""
        super().__init__(auto_prefix=False)
        self.network, self.optimizer, self.recipe = network, optimizer, recipe
        self.loss_scale = LossScale(recipe.loss_scale) if half else None
        weights = weights_of(network)
        self.statistics = ParameterTuple(p for name, p in weights.items() if name.endswith(RUNNING))
        self.source = ParameterTuple(weights.values() if recipe.ema_decay else [])
        self.ema = ParameterTuple(
            Parameter(ms.Tensor(p.asnumpy()), name=EMA_PREFIX + p.name, requires_grad=False) for p in self.source
        )
        self.mean = MeanOverRanks([(), *(p.shape for p in (*optimizer.parameters, *self.statistics))])
        self.gradients = Gradients(network, loss, optimizer.parameters, self.loss_scale)
        self.sums = optimizer.parameters.clone("sum", "zeros") if recipe.accumulate > 1 else ParameterTuple([])
        self.add = AddGradients(self.gradients, self.sums)
        self.map = ops.HyperMap()
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
            gradients = self._clipped(gradients)
        loss = self._update(loss, gradients)
        if self.recipe.ema_decay > 0:
            rate = self._averaging_rate()
            loss = ops.depend(loss, self.map(ops.partial(_move, rate), self.ema, self.source))
        return loss

    def _update(self, loss: Tensor, gradients: tuple[Tensor, ...]) -> Tensor:
        """Hand the gradients to the optimizer; under a dynamic scale only when all of them are finite."""
        if self.loss_scale is None or not self.loss_scale.dynamic:
            return ops.depend(loss, self.optimizer(gradients))
        finite = ms.amp.all_finite(gradients)
        if finite:
            loss = ops.depend(loss, self.optimizer(gradients))
        else:  # the learning rate moves on all the same
            loss = ops.depend(loss, ops.assign_add(self.optimizer.global_step, 1))
        return ops.depend(loss, self.loss_scale(finite))

    def _clipped(self, gradients: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """All gradients scaled down together, where their common norm is above `clip_norm`."""
        norm = ops.sqrt(ops.addn(self.map(_square_sum, gradients)))
        factor = ops.minimum(self.recipe.clip_norm / (norm + 1e-6), 1.0)
        return self.map(ops.partial(ops.mul, factor), gradients)

    def _averaging_rate(self) -> Tensor | float:
        """The share of the new weights in the average; with warm-up 9/(10+t) at update t until that is smaller."""
        rate = 1.0 - self.recipe.ema_decay
        if not self.recipe.ema_warmup:
            return rate
        return ops.maximum(9 / (10 + self.optimizer.global_step.astype(ms.float32).reshape(())), rate)


# What is mapped over all parameters: ops.HyperMap compiles a hundred times faster than a loop over them.


def _mean_with_sum(share: float, total: Parameter, gradient: Tensor) -> Tensor:
    return (total + gradient) * share


def _set_zero(parameter: Parameter) -> Tensor:
    return ops.assign(parameter, ops.zeros_like(parameter))


def _square_sum(tensor: Tensor) -> Tensor:
    return ops.square(tensor).sum()


def _move(rate: Tensor | float, average: Parameter, parameter: Parameter) -> Tensor:
    return ops.assign(average, ops.lerp(average, parameter, rate))
