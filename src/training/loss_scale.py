"""Loss scaling, which keeps small float16 gradients from becoming zero."""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

# The dynamic scale starts and grows as PyTorch's GradScaler does; the bounds are ours.
FIRST_SCALE = 2.0**16
GROWTH_STEPS = 2000  # steps without overflow before the scale doubles
SMALLEST_SCALE, LARGEST_SCALE = 1.0, 2.0**24


class LossScale(nn.Cell):
    """The factor of the loss (Micikevicius et al. 2018, section 3.2). A `value` of 0 makes it dynamic.

    A dynamic scale halves when a gradient overflows, and doubles after 2,000 steps without overflow. MindSpore's
    `DynamicLossScaler` keeps its counters outside of checkpoints, so that a run could not be resumed exactly.
    """

    def __init__(self, value: float) -> None:
        super().__init__()
        self.dynamic = value == 0
        self.scale = Parameter(Tensor(value or FIRST_SCALE, ms.float32), "loss_scale.scale", requires_grad=False)
        self.good_steps = Parameter(Tensor(0, ms.int32), "loss_scale.good_steps", requires_grad=False)
        self.overflows = Parameter(Tensor(0, ms.int32), "loss_scale.overflows", requires_grad=False)

    def construct(self, finite: Tensor) -> Tensor:
        """Adapt the scale after a step; `finite`, bool (), says whether all its gradients were."""
        good_steps = ops.select(finite, self.good_steps + 1, ops.zeros_like(self.good_steps))
        grown = good_steps >= GROWTH_STEPS
        scale = ops.select(finite, ops.select(grown, self.scale * 2, self.scale * 1), self.scale / 2)
        done = ops.assign(self.scale, ops.clamp(scale, SMALLEST_SCALE, LARGEST_SCALE))
        done = ops.depend(ops.assign(self.good_steps, ops.select(grown, ops.zeros_like(good_steps), good_steps)), done)
        return ops.depend(ops.assign_add(self.overflows, ops.logical_not(finite).astype(ms.int32)), done)
