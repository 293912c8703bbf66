"""Cross entropy with label smoothing, as the authors of TinyNet compute it."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops


class SmoothedCrossEntropy(nn.Cell):
    """Mean cross entropy of logits (N, C) against labels (N,), as the authors smooth it.

    The true class gets 1 - smoothing, each of the others smoothing / (C - 1). (PyTorch and timm spread it over all C.)
    Of mixed images, `partners` (N,) are the other labels, and `lam` () is the share of the first ones.
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
        """Probabilities (N, C) that the logits should give."""
        target = ops.one_hot(labels, self.num_classes, self.on, self.off)
        if partners is not None:
            target = target * lam + ops.one_hot(partners, self.num_classes, self.on, self.off) * (1 - lam)
        return target
