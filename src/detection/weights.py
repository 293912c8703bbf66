"""Detectors from weights: a backbone of a classifier, or a whole detector."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import mindspore as ms

from src.config import DetectorOptions, ModelOptions
from src.design.architecture import Architecture
from src.design.detector import Detector, detector_from_meta
from src.design.families import label
from src.detection.network import SSDLite
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.models import architecture_of, chosen_weights, create_model
from src.networks.layers import Norm
from src.weights.loading import load_weights
from src.weights.names import weights_of
from src.weights.readers import WeightFile

logger = logging.getLogger(__name__)

SIZE = 320  # pixels: the input of most published SSDLites
CLASS_LAYERS = ("class_head.",)  # the layers whose shapes depend on the number of classes
HOW_TO_GET_DETECTOR = "give a detector with --ckpt FILE: the checkpoints/best.ckpt of a run of `detect.py train`"


@dataclass(frozen=True)
class LoadedDetector:
    """A detector in evaluation mode with its weights. `classes` are names, without the background."""

    network: SSDLite
    preprocess: Preprocess
    classes: tuple[str, ...]
    weights: WeightFile


def create_detector(
    detector: Detector, norm: Norm = Norm(), start: WeightFile | None = None, drop_path: float = 0.0
) -> SSDLite:
    """Build a detector; its backbone has the weights of a classifier if `start` is one.

    Args:
        detector: the description.
        norm: BatchNorm of all layers; those of the backbone have the epsilon of its architecture.
        start: weights; those of a detector are not loaded here.
        drop_path: as in `Network`.

    Raises:
        UserError: the weights do not fit the backbone.
    """
    is_classifier = start is not None and "detector" not in start.meta
    classes = start.num_classes if start is not None and is_classifier else 1
    backbone = create_model(detector.backbone, num_classes=classes, norm=norm, drop_path=drop_path)
    if start is not None and is_classifier:
        report = load_weights(backbone, start)
        logger.info("the backbone starts from %s: %s", start.path, report)
    return SSDLite(backbone, detector, norm)


def load_detector_weights(network: SSDLite, file: WeightFile, *, replace_head: bool = False) -> list[str]:
    """Set every parameter from the checkpoint of a detector. If something does not fit, nothing is changed.

    Return the names of the parameters that keep their new values.

    Args:
        replace_head: keep new predictors of classes where their number differs.

    Raises:
        UserError: a parameter is missing or has another shape.
    """
    values, new, parameters = {}, [], weights_of(network)
    for name, parameter in parameters.items():
        found = file.tensors.get(name)
        if found is None:
            raise UserError(f"{file.path} does not hold this detector: {name} is missing; is --model right?")
        if found.shape == parameter.shape:
            values[name] = found
        elif not name.startswith(CLASS_LAYERS):
            shapes = f"{name} is {list(found.shape)} there and {list(parameter.shape)} here"
            raise UserError(f"{file.path} does not hold this detector: {shapes}; are --model and --last_map right?")
        elif not replace_head:
            classes = file.meta.get("detector", {}).get("num_classes")
            raise UserError(
                f"{file.path} has {classes} classes, the data {network.detector.num_classes}; to train with new "
                "predictors of classes add --replace_head"
            )
        else:
            new.append(name)
    for name, value in values.items():
        parameters[name].set_data(ms.Tensor(value))
    return new


def load_detector(options: ModelOptions) -> LoadedDetector:
    """Load the detector that --ckpt names, in evaluation mode.

    Raises:
        UserError: no weights are given, or they are those of a classifier, or do not fit.
    """
    if options.pretrained:
        raise UserError(
            f"pretrained is on, but nobody has published detectors on these networks; {HOW_TO_GET_DETECTOR}"
        )
    file = chosen_weights(options)
    if file is None:
        raise UserError(f"ckpt is missing: {HOW_TO_GET_DETECTOR}")
    architecture = architecture_of(options.model, file.meta, file)
    preprocess = detector_preprocess(file.meta, options.input_size)
    detector = detector_from_meta(file.meta, architecture.at(preprocess.size))
    if detector is None:
        raise UserError(f"{file.path} holds a classifier; train a detector from it with `detect.py train --ckpt`")
    if options.num_classes not in (0, detector.num_classes):
        raise UserError(f"num_classes is {options.num_classes}, {file.path} has {detector.num_classes}; leave it out")
    classes = tuple(file.meta.get("classes", ()))
    if len(classes) != detector.num_classes:
        raise UserError(f"{file.path} names {len(classes)} classes and has {detector.num_classes}; take another copy")
    network = create_detector(detector)
    load_detector_weights(network, file)
    logger.info("SSDLite on %s from %s (%s weights)", label(architecture), file.path, file.kind)
    return LoadedDetector(network.set_train(False), preprocess, classes, file)


def detector_preprocess(meta: dict, input_size: int = 0) -> Preprocess:
    """Return how images become the input of a detector: mean and deviation of the weights, and its size in pixels.

    The whole image is stretched to a square, so that nothing is cropped. Without an `input_size`, a detector keeps its
    own, and other weights get 320 pixels.
    """
    trained = Preprocess.from_dict(meta["preprocess"]) if meta.get("preprocess") else Preprocess(SIZE)
    size = trained.size if "detector" in meta else SIZE
    return replace(trained, size=input_size or size, crop_pct=1.0)


def detector_of(backbone: Architecture, num_classes: int, options: DetectorOptions) -> Detector:
    """Return the detector that the options describe, on a backbone of the input's resolution."""
    return Detector(
        backbone,
        num_classes,
        last_map=options.last_map,
        scales=options.anchor_scales,
        ratios=options.aspect_ratios,
    )
