"""The interface between the training loop and what a run learns. Everything a task needs to be trained is here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from mindspore import Parameter, Tensor, nn

from src.config import TrainingConfig
from src.weights.readers import WeightFile


@dataclass(frozen=True)
class Metric:
    """The result of an evaluation that decides which weights are best; higher is better, and at least 0.

    `key` is its name in `Task.evaluate`, in metrics.csv and in checkpoints; `label` and `unit` are for people.
    """

    key: str
    label: str
    unit: str


@dataclass(frozen=True)
class Origin:
    """The start of a run.

    `weights` come from --ckpt. `meta` describes the checkpoint that the run resumes from, else those weights; it is
    empty for a run that starts from random weights.
    """

    weights: WeightFile | None
    meta: dict[str, Any]
    resumes: bool


class Task(ABC):
    """Data, network, loss and evaluation of a run. Resume, ranks, precision, EMA and checkpoints are the loop's.

    Attributes:
        name: written into checkpoints, so that a run is not resumed as another task.
        metric: decides which weights are best.
        fixed: keys of `identity` without which a run cannot be resumed at all.
        network: what is trained; float32 weights.
        train_images: images of one epoch, before they are divided into steps.
        workers: threads that decode images.
    """

    name: ClassVar[str]
    metric: ClassVar[Metric]
    fixed: ClassVar[tuple[str, ...]]
    network: nn.Cell
    train_images: int
    workers: int

    @abstractmethod
    def with_loss(self, network: nn.Cell) -> nn.Cell:
        """Return a Cell that takes a batch of `batches` and gives its mean loss, float32 ().

        `network` is `self.network`, perhaps in lower precision.
        """

    @abstractmethod
    def batches(self, epoch: int, skip: int, per_epoch: int) -> Iterator[tuple[Tensor, ...]]:
        """Give this rank's `per_epoch` training batches of an epoch (from 0), without the first `skip`.

        The result is a function of seed, epoch, rank and number of workers, so that a run can be resumed exactly.

        Raises:
            UserError: an image cannot be read.
        """

    @abstractmethod
    def evaluate(self, weights: Mapping[str, Parameter]) -> dict[str, float]:
        """Return the metrics of `weights` on all validation data; the same on every rank."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return what must not change when a run is resumed, as plain values. It is called on the first rank."""

    @abstractmethod
    def describe(self) -> dict[str, str]:
        """Return the lines `network` and `data` of the log's header."""


Config = TypeVar("Config", bound=TrainingConfig)
TaskFactory = Callable[[Config, Origin], Task]  # a task takes its own kind of configuration
