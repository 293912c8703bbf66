"""The loss of classification: smoothed cross entropy, of plain or of mixed images."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from src.classification.mixing import Mixing


class SmoothedCrossEntropy(nn.Cell):
    """Mean cross entropy of logits (N, C) against labels (N,), smoothed as TinyNet's authors do.

    The true class gets 1 - smoothing, each other class smoothing / (C - 1). (PyTorch and timm spread it over all C.)
    For mixed images, `partners` (N,) are the labels of the second images and `lam` () is the share of the first ones.
    """

    def __init__(self, num_classes: int, smoothing: float) -> None:
        super().__init__()
        others = max(1, num_classes - 1)
        self.num_classes = num_classes
        self.on, self.off = Tensor(np.float32(1 - smoothing)), Tensor(np.float32(smoothing / others))

    def construct(
        self, logits: Tensor, labels: Tensor, partners: Tensor | None = None, lam: Tensor | None = None
    ) -> Tensor:
        return -(self.target(labels, partners, lam) * ops.log_softmax(logits, -1)).sum(-1).mean()

    def target(self, labels: Tensor, partners: Tensor | None = None, lam: Tensor | None = None) -> Tensor:
        """Return the probabilities (N, C) that the logits are trained for."""
        target = ops.one_hot(labels, self.num_classes, self.on, self.off)
        if partners is not None and lam is not None:
            target = target * lam + ops.one_hot(partners, self.num_classes, self.on, self.off) * (1 - lam)
        return target


class NetworkWithLoss(nn.Cell):
    """Takes a batch and returns the mean loss of `network`, float32 ().

    A batch is images (N, 3, H, W) and labels (N,). If they are to be mixed, lam () and box (4,) follow, see `Mix`.
    """

    def __init__(self, network: nn.Cell, num_classes: int, smoothing: float) -> None:
        super().__init__(auto_prefix=False)  # parameters keep the network's names
        self.network, self.loss, self.mixing = network, SmoothedCrossEntropy(num_classes, smoothing), Mixing()

    def construct(self, images: Tensor, labels: Tensor, *mix: Tensor) -> Tensor:
        if mix:
            images, partners = self.mixing(images, labels, *mix)
            return self.loss(self.network(images).astype(ms.float32), labels, partners, mix[0])
        return self.loss(self.network(images).astype(ms.float32), labels)
