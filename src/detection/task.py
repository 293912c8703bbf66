"""Object detection as a task of the training loop: a data set in COCO's format in, AP out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from mindspore import Parameter, Tensor, nn

from src.config import DetectTrainConfig
from src.dataset import check_batch_size
from src.design.architecture_file import to_dict
from src.design.detector import detector_cost, detector_to_dict
from src.design.families import label
from src.detection.anchors import anchor_boxes
from src.detection.coco import CocoSet
from src.detection.coco_scores import scoring_package
from src.detection.evaluate import rule_of
from src.detection.faults import HOW_TO_LIST, check_categories, check_coco
from src.detection.finding import find_objects, score_objects
from src.detection.layout import HOW_TO_GET_DATA, open_coco, resolve_coco_path
from src.detection.loss import DetectorWithLoss
from src.detection.network import BoxesAndScores, SSDLite
from src.detection.pipeline import train_batches
from src.detection.samples import CocoSamples, DrawnScenes, Samples
from src.detection.weights import create_detector, detector_of, detector_preprocess, load_detector_weights
from src.errors import UserError
from src.images.faults import explain_bad_files
from src.models import architecture_of
from src.networks.layers import Norm, use_native_kernels
from src.networks.stochastic import use_random_stream
from src.runtime import distributed
from src.runtime.workers import worker_count
from src.training.device_queue import device_queue
from src.training.freezing import freeze
from src.training.task import Metric, Origin, Task
from src.weights.names import copy_weights

logger = logging.getLogger(__name__)

HEADS = ("extra.", "class_head.", "box_head.")  # names of the layers that a detector adds to its backbone


class DetectionTask(Task):
    """Train SSDLite on a data set in COCO's format.

    Raises:
        UserError: any mistake in data, network or weights, or the package that scores is missing.
    """

    name = "detection"
    metric = Metric("ap", "AP", "%")
    fixed = ("model", "architecture", "detector", "classes")

    def __init__(self, config: DetectTrainConfig, origin: Origin) -> None:
        _check_is_named(config)
        scoring_package()
        self.config = config
        backbone = architecture_of(config.model, origin.meta, origin.weights).with_epsilon(config.bn_epsilon)
        self.workers = worker_count(config.workers, distributed.ranks_on_machine())
        self.train, self.val = _open_data(config, self.workers)
        self.samples: Samples = DrawnScenes() if config.new_scenes else CocoSamples(self.train, config.cache)
        self.train_images = len(self.samples)
        check_batch_size(self.train_images, self.train.json, config.batch_size * config.accumulate, distributed.ranks())
        self.preprocess = detector_preprocess(origin.meta, config.input_size)
        self.detector = detector_of(backbone.at(self.preprocess.size), len(self.train.names), config)
        self.anchors = anchor_boxes(self.detector)
        self.network = self._create_network(origin)
        self.eval_network = BoxesAndScores(create_detector(self.detector)).set_train(False)
        use_random_stream(self.network, distributed.rank())
        added = [p.name for p in self.network.get_parameters() if p.name.startswith(HEADS)]
        freeze(self.network, added, backbone=config.freeze_backbone, batch_norm=config.freeze_bn)
        for network in (self.network, self.eval_network):
            use_native_kernels(network)

    def with_loss(self, network: nn.Cell) -> nn.Cell:
        return DetectorWithLoss(network)

    def batches(self, epoch: int, skip: int, per_epoch: int) -> Iterator[tuple[Tensor, ...]]:
        config = self.config
        data = train_batches(
            self.samples,
            self.preprocess,
            self.anchors,
            config,
            config.batch_size,
            epoch=epoch,
            seed=config.seed,
            workers=self.workers,
            rank=distributed.rank(),
            ranks=distributed.ranks(),
            skip=skip,
        )
        batches = iter(device_queue(data) if config.data_sink else data.create_tuple_iterator(num_epochs=1))
        files = [self.train.path(index) for index in range(len(self.train))]
        for _ in range(skip, per_epoch):
            with explain_bad_files(files, self.workers, HOW_TO_LIST):
                batch = next(batches)
            yield tuple(batch)

    def evaluate(self, weights: Mapping[str, Parameter]) -> dict[str, float]:
        copy_weights(weights, self.eval_network)
        found = find_objects(
            self.eval_network,
            self.val,
            self.preprocess,
            self.config.batch_size,
            rule_of(self.config),
            workers=self.workers,
        )
        return score_objects(self.val, found).numbers

    def identity(self) -> dict[str, Any]:
        return {
            "model": self.detector.backbone.name,
            "architecture": to_dict(self.detector.backbone),
            "detector": detector_to_dict(self.detector),
            "classes": list(self.train.names),
            "preprocess": self.preprocess.as_dict(),
            "data": self._fingerprint,
        }

    def describe(self) -> dict[str, str]:
        cost, classes, ranks = detector_cost(self.detector), self.detector.num_classes, distributed.ranks()
        size = f"{cost.parameters:,} parameters, {cost.macs / 1e6:.1f} M MACs, {len(self.anchors):,} anchors"
        name = f"SSDLite on {label(self.detector.backbone)}, {self.preprocess.size} px"
        drawn = "drawn scenes" if self.config.new_scenes else "images with objects"
        share = f", {self.train_images // ranks:,} training images for each device" if ranks > 1 else ""
        counts = f"{self.train_images:,} {drawn} + {len(self.val):,} images, {classes} classes"
        return {"network": f"{name}, {size}", "data": f"{self.train.json}, {counts}{share}"}

    @cached_property
    def _fingerprint(self) -> str:
        """Both JSON files, wherever they are; and whether scenes are drawn."""
        digests = [hashlib.sha256(images.json.read_bytes()).hexdigest()[:8] for images in (self.train, self.val)]
        return f"{self.train_images} + {len(self.val)} images {''.join(digests)}{' drawn' * self.config.new_scenes}"

    def _create_network(self, origin: Origin) -> SSDLite:
        """Return the network that is trained, with the weights that it starts from."""
        config, weights = self.config, origin.weights
        if (config.freeze_backbone or config.freeze_bn) and not (weights or origin.resumes):
            raise UserError("there are no trained weights to keep frozen; give them with --ckpt or --pretrained")
        norm = Norm(momentum=config.bn_momentum, sync=config.sync_bn)
        network = create_detector(self.detector, norm, weights, drop_path=config.drop_path)
        if weights and "detector" in weights.meta:
            new = load_detector_weights(network, weights, replace_head=config.replace_head)
            logger.info("the detector starts from %s%s", weights.path, f"; {', '.join(new)} new" if new else "")
        return network


def _check_is_named(config: DetectTrainConfig) -> None:
    if config.data_path is None and config.model is None and config.ckpt is None:
        raise UserError(
            "model and data_path are missing: name a backbone with --model, such as tinynet_d, and "
            f"{HOW_TO_GET_DATA}; `--config config/ssdlite_digits.yaml` does both"
        )


def _open_data(config: DetectTrainConfig, workers: int) -> tuple[CocoSet, CocoSet]:
    root = resolve_coco_path(config.data_path)
    train = open_coco(root, "train", config.train_json, config.train_images)
    val = open_coco(root, "val", config.val_json, config.val_images)
    check_categories(train, val)
    if config.num_classes not in (0, len(train.names)):
        raise UserError(f"num_classes is {config.num_classes}, but {train.json} has {len(train.names)} categories")
    if not len(train.with_objects()):
        raise UserError(f"{train.json} holds no objects to train on; expected boxes with an area that are no crowds")
    if not any((~objects.crowd).any() for objects in val.objects):
        raise UserError(f"{val.json} holds no objects, so that no AP can be computed")
    check_coco((train, val), config.check_data, workers)
    left_out = len(train) - len(train.with_objects())
    if left_out:
        logger.info("%s: %d images without objects are not trained on", train.json, left_out)
    return train, val
