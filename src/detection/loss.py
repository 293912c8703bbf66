"""The loss of SSD: cross entropy with hard negative mining, and smooth L1 of the boxes."""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from src.runtime.distributed import ranks

NEGATIVES = 3  # of an image, for each of its positive anchors (SSD, section 2.2)


class MultiBoxLoss(nn.Cell):
    """The loss of logits (N, A, K) and codes (N, A, 4) for labels int32 (N, A) and target codes (N, A, 4): float32 ().

    Both parts are summed and divided by the number of positive anchors of the batch, over all ranks. An image counts
    its positive anchors and three times as many negative ones, those of the highest loss. So an image without objects
    adds nothing, as in torchvision. A batch without objects has the loss 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ranks = ranks()
        if self.ranks > 1:
            self.sum_over_ranks = ops.AllReduce()

    def construct(self, logits: Tensor, codes: Tensor, labels: Tensor, target: Tensor) -> Tensor:
        positive = (labels > 0).astype(ms.float32)
        count = positive.sum()
        if self.ranks > 1:  # gradients are averaged over the ranks, so that each one's sum counts `ranks` times
            count = self.sum_over_ranks(count) / self.ranks
        class_loss, box_loss = self.sums(logits, codes, labels, target, positive)
        return (class_loss + box_loss) / ops.maximum(ops.stop_gradient(count), Tensor(1.0 / self.ranks, ms.float32))

    def sums(
        self, logits: Tensor, codes: Tensor, labels: Tensor, target: Tensor, positive: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the sums over the batch of the loss of classes and of boxes."""
        scores = ops.log_softmax(logits.astype(ms.float32), -1)
        losses = -ops.gather_d(scores, 2, labels.expand_dims(-1)).squeeze(-1)
        # Only the sum of the hardest is needed, so they are sorted and the first 3 P are added. Positives come last.
        hardest, _ = ops.topk(losses * (1 - positive) - positive, labels.shape[1])
        wanted = NEGATIVES * positive.sum(1, keepdims=True)
        mined = ops.relu(hardest) * (ops.arange(labels.shape[1]) < wanted).astype(ms.float32)
        distance = ops.smooth_l1_loss(codes.astype(ms.float32), target, beta=1.0, reduction="none").sum(-1)
        return (losses * positive).sum() + mined.sum(), (distance * positive).sum()


class DetectorWithLoss(nn.Cell):
    """Takes a batch and returns the loss of `network`, float32 ().

    A batch is images (N, 3, S, S), labels int32 (N, A) and target codes float32 (N, A, 4).
    """

    def __init__(self, network: nn.Cell) -> None:
        super().__init__(auto_prefix=False)  # parameters keep the network's names
        self.network, self.loss = network, MultiBoxLoss()

    def construct(self, images: Tensor, labels: Tensor, target: Tensor) -> Tensor:
        logits, codes = self.network(images)
        return self.loss(logits, codes, labels, target)
