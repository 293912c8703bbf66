"""Loss scaling for float16 gradients."""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

FIRST_SCALE, GROWTH_STEPS, LEAST_SCALE, MOST_SCALE = 2.0**16, 2000, 1.0, 2.0**24  # as PyTorch's GradScaler starts


class LossScale(nn.Cell):
    """The factor that keeps float16 gradients from vanishing. `value` 0: found while training.

    It halves when a gradient overflows and doubles after 2,000 steps without. (Micikevicius et al. 2018, section 3.2.)
    """

    def __init__(self, value: float) -> None:
        super().__init__()
        self.dynamic = value == 0
        self.scale = Parameter(Tensor(value or FIRST_SCALE, ms.float32), "loss_scale.scale", requires_grad=False)
        self.good_steps = Parameter(Tensor(0, ms.int32), "loss_scale.good_steps", requires_grad=False)
        self.overflows = Parameter(Tensor(0, ms.int32), "loss_scale.overflows", requires_grad=False)

    def construct(self, finite: Tensor) -> Tensor:
        """Move on after a step whose gradients were `finite` (bool)."""
        good_steps = ops.select(finite, self.good_steps + 1, ops.zeros_like(self.good_steps))
        grown = good_steps >= GROWTH_STEPS
        scale = ops.select(finite, ops.select(grown, self.scale * 2, self.scale * 1), self.scale / 2)
        done = ops.assign(self.scale, ops.clamp(scale, LEAST_SCALE, MOST_SCALE))
        done = ops.depend(ops.assign(self.good_steps, ops.select(grown, ops.zeros_like(good_steps), good_steps)), done)
        return ops.depend(ops.assign_add(self.overflows, ops.logical_not(finite).astype(ms.int32)), done)
