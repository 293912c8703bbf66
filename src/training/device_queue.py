"""Batches from a queue on the device, which MindData fills ahead (Ascend)."""

from __future__ import annotations

from collections.abc import Iterator

import mindspore as ms
from mindspore.dataset import Dataset


def device_queue(data: Dataset) -> Iterator[tuple[ms.Tensor, ...]]:
    """Give the batches of `data`, each sent to the device before it is asked for."""

    def take(*batch: ms.Tensor) -> tuple[ms.Tensor, ...]:
        return batch

    fetch = ms.data_sink(take, data, sink_size=1)
    for _ in range(data.get_dataset_size()):
        yield fetch()
