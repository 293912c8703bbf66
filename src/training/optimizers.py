"""Optimizers that MindSpore lacks, or computes otherwise from one launch to the next."""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops


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
    """What ops.ApplyRMSProp computes, element by element."""

    def construct(self, weight, mean_square, moment, rate, gradient, decay, momentum, epsilon) -> Tensor:
        new_square = mean_square * decay + ops.square(gradient) * (1 - decay)
        new_moment = moment * momentum + gradient * rate / ops.sqrt(new_square + epsilon)
        done = ops.assign(mean_square, new_square)
        done = ops.depend(ops.assign(moment, new_moment), done)
        return ops.depend(ops.assign_sub(weight, new_moment), done)
