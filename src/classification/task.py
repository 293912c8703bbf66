"""Classification as a task of the training loop: folders of images in, top-1 out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from mindspore import Parameter, Tensor, nn

from src.classification.loss import NetworkWithLoss
from src.classification.metrics import score_images
from src.classification.mixing import draw
from src.config import TrainConfig
from src.dataset import check_batch_size, train_dataset
from src.design.architecture_file import to_dict
from src.design.cost import total_cost
from src.design.families import label
from src.errors import UserError
from src.images.cache import cached
from src.images.check import check_classes, check_images
from src.images.class_order import have_same_names, renumbered, warn_of_guess
from src.images.data_path import HOW_TO_GET_DATA, open_split, resolve_data_path
from src.images.faults import explain_bad_files
from src.images.image_set import ImageSet, fingerprint
from src.models import architecture_of, chosen_preprocess, create_model
from src.networks.layers import Norm, use_native_kernels
from src.networks.stochastic import use_random_stream
from src.runtime import distributed
from src.runtime.workers import worker_count
from src.training.device_queue import device_queue
from src.training.freezing import freeze
from src.training.task import Metric, Origin, Task
from src.weights.loading import load_weights
from src.weights.names import HEAD, copy_weights

logger = logging.getLogger(__name__)


class ClassificationTask(Task):
    """Train a classifier on a folder of class folders.

    Raises:
        UserError: any mistake in data, network or weights.
    """

    name = "classification"
    metric = Metric("top1", "top-1", "%")
    fixed = ("model", "architecture", "classes")

    def __init__(self, config: TrainConfig, origin: Origin) -> None:
        _check_is_named(config)
        self.config = config
        network = architecture_of(config.model, origin.meta, origin.weights)
        self.architecture = network.with_epsilon(config.bn_epsilon)
        self.train, self.val = _open_data(config, origin)
        self.train_images = len(self.train)
        self.workers = worker_count(config.workers, distributed.ranks_on_machine())
        check_images((self.train, self.val), config.check_data, self.workers)
        self.network, self.eval_network = self._create_networks()
        self.preprocess = chosen_preprocess(self.network, origin.meta, config.input_size, config.crop_pct)
        if (config.freeze_backbone or config.freeze_bn) and not (origin.weights or origin.resumes):
            raise UserError("there are no trained weights to keep frozen; give them with --ckpt or --pretrained")
        if origin.weights:
            report = load_weights(self.network, origin.weights, replace_head=config.replace_head)
            logger.info("start from %s: %s", origin.weights.path, report)
        use_random_stream(self.network, distributed.rank())
        freeze(self.network, HEAD, backbone=config.freeze_backbone, batch_norm=config.freeze_bn)
        for network in (self.network, self.eval_network):
            use_native_kernels(network)

    def with_loss(self, network: nn.Cell) -> nn.Cell:
        return NetworkWithLoss(network, len(self.train.classes), self.config.label_smoothing)

    def batches(self, epoch: int, skip: int, per_epoch: int) -> Iterator[tuple[Tensor, ...]]:
        config, rank = self.config, distributed.rank()
        data = train_dataset(
            self.train,
            self.preprocess,
            config,
            config.batch_size,
            epoch=epoch,
            seed=config.seed,
            workers=self.workers,
            rank=rank,
            ranks=distributed.ranks(),
            skip=skip,
        )
        batches = device_queue(data) if config.data_sink else data.create_tuple_iterator(num_epochs=1)
        batches = iter(batches)
        for index in range(skip, per_epoch):
            with explain_bad_files(self.train.files, self.workers):
                batch = next(batches)
            if config.mixup or config.cutmix:
                count = epoch * per_epoch + index
                mix = draw(config, seed=config.seed, step=count, rank=rank, size=self.preprocess.size)
                batch = (*batch, Tensor(mix.lam), Tensor(mix.box))
            yield tuple(batch)

    def evaluate(self, weights: Mapping[str, Parameter]) -> dict[str, float]:
        copy_weights(weights, self.eval_network)
        found = score_images(
            self.eval_network,
            self.val.files,
            self.val.labels,
            self.preprocess,
            self.config.batch_size,
            workers=self.workers,
        ).metrics()
        return {"top1": found.top1, "top5": found.top5, "loss": found.loss}

    def identity(self) -> dict[str, Any]:
        return {
            "model": self.architecture.name,
            "architecture": to_dict(self.architecture),
            "classes": list(self.train.classes),
            "preprocess": self.preprocess.as_dict(),
            "data": self._fingerprint,
        }

    def describe(self) -> dict[str, str]:
        classes, ranks = len(self.train.classes), distributed.ranks()
        cost = total_cost(self.architecture.at(self.preprocess.size), classes)
        size = f"{cost.parameters:,} parameters, {cost.macs / 1e6:.1f} M MACs"
        images = f"{len(self.train):,} + {len(self.val):,} images, {classes} classes"
        share = f", {len(self.train) // ranks:,} training images for each device" if ranks > 1 else ""
        return {
            "network": f"{label(self.architecture)}, {self.preprocess.size} px, {size}",
            "data": f"{self.train.root.parent}, {images}{share}",
        }

    @cached_property
    def _fingerprint(self) -> str:
        return dataset_fingerprint(self.train, self.val)

    def _create_networks(self) -> tuple[nn.Cell, nn.Cell]:
        """Return the network that is trained, and one without dropout for evaluation."""
        config, classes = self.config, len(self.train.classes)
        norm = Norm(momentum=config.bn_momentum, sync=config.sync_bn)
        network = create_model(
            self.architecture, num_classes=classes, norm=norm, dropout=config.dropout, drop_path=config.drop_path
        )
        return network, create_model(self.architecture, num_classes=classes).set_train(False)


def dataset_fingerprint(train: ImageSet, val: ImageSet) -> str:
    """Return a location-independent fingerprint of a data set.

    Folders with the same labels, file names and sizes have the same fingerprint; a converted copy has its source's.
    """
    return f"{len(train)} + {len(val)} images {fingerprint(train)[:8]}{fingerprint(val)[:8]}"


def _check_is_named(config: TrainConfig) -> None:
    if config.data_path is None and config.model is None and config.ckpt is None:
        raise UserError(
            "model and data_path are missing: name a network with --model, such as tinynet_c, and "
            f"{HOW_TO_GET_DATA}; `--config config/digits.yaml` does both"
        )


def _open_data(config: TrainConfig, origin: Origin) -> tuple[ImageSet, ImageSet]:
    root = resolve_data_path(config.data_path)
    train, val = open_split(root, "train", config.class_order), open_split(root, "val", config.class_order)
    check_classes(train, val)
    if config.class_order == "auto":
        train, val = numbered_as_before(train, val, config, origin)
    train = cached(train, config.cache)
    if config.num_classes not in (0, len(train.classes)):
        raise UserError(f"num_classes is {config.num_classes}, but {train.root} holds {len(train.classes)} classes")
    check_batch_size(len(train), train.root, config.batch_size * config.accumulate, distributed.ranks())
    return train, val


def numbered_as_before(
    train: ImageSet, val: ImageSet, config: TrainConfig, origin: Origin
) -> tuple[ImageSet, ImageSet]:
    """Number the classes as the run that is resumed, or as the weights whose classifier is trained further."""
    names = origin.meta.get("classes", ())
    keeps_head = origin.resumes or (origin.weights is not None and not config.replace_head)
    if keeps_head and names and have_same_names(names, train.classes):
        return renumbered(train, names), renumbered(val, names)
    if keeps_head and not names and origin.weights is not None:
        warn_of_guess(train, origin.weights.path)
    return train, val
