"""One training step, compiled as one graph: loss, gradient, update and weight average."""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops

from src.weights import EMA_PREFIX, weights_of


class TrainStep(nn.Cell):
    """Images (N, 3, H, W) and labels (N,) in, the loss of this batch out; network, optimizer and average move on.

    The average covers all parameters of the network, BatchNorm's running statistics included.
    """

    def __init__(
        self,
        network: nn.Cell,
        loss: nn.Cell,
        optimizer: nn.Optimizer,
        *,
        loss_scale: float = 1.0,
        ema_decay: float = 0.0,
    ) -> None:
        super().__init__(auto_prefix=False)
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self.loss_scale, self.ema_rate = float(loss_scale), 1.0 - ema_decay
        self.source = ParameterTuple(weights_of(network).values() if ema_decay else [])
        self.ema = ParameterTuple(
            Parameter(ms.Tensor(p.asnumpy()), name=EMA_PREFIX + p.name, requires_grad=False) for p in self.source
        )
        self.gradient = ms.value_and_grad(self._scaled_loss, None, optimizer.parameters)
        self.set_train()

    def construct(self, images: Tensor, labels: Tensor) -> Tensor:
        loss, gradients = self.gradient(images, labels)
        loss = ops.depend(loss, self.optimizer(gradients))
        for average, parameter in zip(self.ema, self.source):
            loss = ops.depend(loss, ops.assign(average, ops.lerp(average, parameter, self.ema_rate)))
        return loss / self.loss_scale

    def _scaled_loss(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.loss(self.network(images).astype(ms.float32), labels) * self.loss_scale
