"""The public door to networks: by name or from an architecture file, with or without weights."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mindspore import nn

from src.config import ModelOptions
from src.design.architecture import Architecture, Family
from src.design.architecture_file import from_meta
from src.design.differences import differences
from src.design.families import ARCHITECTURES, find_architecture, label
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.networks.efficientnet import EfficientNet
from src.networks.features import FeatureExtractor
from src.networks.ghostnet import GhostNet
from src.networks.network import Network
from src.tinynet import TinyNet
from src.weights.loading import LoadReport, load_weights
from src.weights.pretrained import published_weights
from src.weights.readers import WeightFile, read_weights

logger = logging.getLogger(__name__)

HOW_TO_GET_WEIGHTS = (
    "give weights with --ckpt FILE: the checkpoints/best.ckpt of a run, or timm's model.safetensors; or load timm's "
    "weights of a network with --pretrained --model NAME"
)

CELLS: dict[Family, type[Network]] = {
    "efficientnet": EfficientNet,
    "tinynet": TinyNet,
    "ghostnet": GhostNet,
    "s_ghostnet": GhostNet,
}


@dataclass(frozen=True)
class LoadedModel:
    """A network in evaluation mode with its weights and its preprocessing."""

    name: str
    network: Network
    preprocess: Preprocess
    classes: tuple[str, ...]  # names by class index; empty if they are unknown
    weights: WeightFile
    report: LoadReport


def list_models(pattern: str = "*") -> list[str]:
    """Return the sorted names of the networks that match a shell pattern, such as `ghost*`."""
    return sorted(name for name in ARCHITECTURES if fnmatch(name, pattern))


def create_model(
    model: str | Architecture,
    *,
    ckpt: str | Path | None = None,
    pretrained: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    **options: Any,
) -> nn.Cell:
    """Build a network.

    Args:
        model: a name of `list_models()`, an architecture file (.yaml, .yml, .json), or an `Architecture`.
        ckpt: a file of weights to load; by default weights are drawn from MindSpore's seed.
        pretrained: load the weights that timm published for the network; see `published_weights`. A classifier with
            another `num_classes` stays new, as in timm.
        features_only: return a `FeatureExtractor`, which computes feature maps and no logits.
        out_indices: numbers of these feature maps; see `FeatureExtractor`.
        options: keyword arguments of `Network`, such as dropout or num_classes (default: the weights', else 1000).

    Raises:
        UserError: the name or file does not exist, or the weights do not exist or do not fit the network.
    """
    if ckpt and pretrained:
        raise UserError("create_model takes weights from ckpt or pretrained, not from both; leave one of them out")
    architecture = find_architecture(model) if isinstance(model, str) else model
    file = published_weights(architecture.name) if pretrained else read_weights(ckpt) if ckpt else None
    if file:
        options = {"num_classes": file.num_classes} | options
        architecture = architecture_of(model, file.meta, file)
    network = CELLS[architecture.family](architecture, **options)
    if file:
        report = load_weights(network, file, replace_head=pretrained)
        logger.info("%s from %s: %s", label(architecture), file.path, report)
    return FeatureExtractor(network, out_indices) if features_only else network


def architecture_of(
    model: str | Architecture | None, meta: dict[str, Any], file: WeightFile | None = None
) -> Architecture:
    """Return the named network, computing as its weights were trained, or the network that the weights name.

    Padding, epsilon and activations change what a network computes, but not the names and shapes of its tensors. So
    the weights decide them for a published network. An architecture file states them, and must agree with the weights.

    Args:
        model: a name of `list_models()`, an architecture file, an `Architecture`, or None.
        meta: that of the weights, or of the checkpoint that a run resumes from.
        file: the weights; None for a run that resumes.

    Raises:
        UserError: neither names a network, the network does not exist, or an architecture file contradicts the weights.
    """
    trained = from_meta(meta)
    if trained is None and "model" in meta and (model is None or meta["model"] in ARCHITECTURES):
        trained = find_architecture(meta["model"]).with_epsilon(meta.get("bn_epsilon"))
    if model is None:
        return trained or _recognized(file)
    named = find_architecture(model) if isinstance(model, str) else model
    style = trained.style if trained else file.source.style if file else None
    network = named.computing_as(style) if style else named
    if model in ARCHITECTURES:
        return network
    if network == named or file is None:
        return named
    found, where = "; ".join(differences(named, network)), model if isinstance(model, str) else named.name
    raise UserError(f"{where} has {found}, but {file.path} was trained with the values in brackets; write them there")


def _recognized(file: WeightFile | None) -> Architecture:
    """Return the published network that a file of another collection holds, or most nearly holds.

    Raises:
        UserError: names and shapes of the file do not say what its network computes.
    """
    if file is None:
        raise UserError("model is missing: give --model, such as tinynet_c")
    nearest = file.source.nearest(file.shapes)
    if file.source.style:
        return nearest[0]
    shared = file.source.shapes(nearest[0]).items() & file.shapes.items()
    names = " or ".join(network.name for network in nearest)
    hint = f"the nearest is {names}" if len(shared) > len(file.tensors) / 2 else "no published network is near"
    raise UserError(f"model is missing: {file.path} does not name its network; give --model ({hint})")


def chosen_weights(options: ModelOptions, *, training: bool = False) -> WeightFile | None:
    """Read the weights that the flags name: a file, or those published for the network. None if they name none.

    Args:
        training: the weights are the start of a training; see `published_weights`.

    Raises:
        UserError: as `read_weights` or `published_weights`.
    """
    if options.pretrained:
        return published_weights(options.model, options.weights, training=training)
    return read_weights(options.ckpt, options.weights, training=training) if options.ckpt else None


def load_model(options: ModelOptions, crop_pct: float | None = None, before: LoadedModel | None = None) -> LoadedModel:
    """Load the network that flags and checkpoint name, in evaluation mode.

    Args:
        options: model, weights and number of classes.
        crop_pct: center crop / resized image in (0, 1]; by default as in the checkpoint, else 0.875.
        before: a model that is not used any more. Its Cells, which are compiled already, are taken if they fit.

    Raises:
        UserError: no weights are given, neither flags nor checkpoint name a network, or the weights do not fit.
    """
    file = chosen_weights(options)
    if file is None:
        raise UserError(f"ckpt is missing: {HOW_TO_GET_WEIGHTS}")
    if "detector" in file.meta:
        raise UserError(f"{file.path} holds a detector, not a classifier; use detect.py eval, predict or export")
    architecture = architecture_of(options.model, file.meta, file)
    if options.num_classes not in (0, file.num_classes):
        raise UserError(f"num_classes is {options.num_classes}, {file.path} has {file.num_classes}; leave it out")
    classes = tuple(file.meta.get("classes", ()))
    if len(classes) not in (0, file.num_classes):
        raise UserError(f"{file.path} names {len(classes)} classes and has {file.num_classes}; take another copy")
    if before and (before.network.architecture, before.network.num_classes) == (architecture, file.num_classes):
        network = before.network
    else:
        network = create_model(architecture, num_classes=file.num_classes)
    report = load_weights(network, file)
    network.set_train(False)
    preprocess = chosen_preprocess(network, file.meta, options.input_size, crop_pct)
    logger.info("%s from %s (%s weights): %s", label(architecture), file.path, file.kind, report)
    return LoadedModel(architecture.name, network, preprocess, classes, file, report)


def chosen_preprocess(network: nn.Cell, meta: dict, input_size: int = 0, crop_pct: float | None = None) -> Preprocess:
    """Return the preprocessing of the checkpoint, with the size and crop that the user asked for.

    Without a checkpoint's own preprocessing, the size is the network's resolution and the crop is 0.875.
    """
    trained = meta.get("preprocess")
    preprocess = Preprocess.from_dict(trained) if trained else Preprocess(network.architecture.resolution)
    return replace(preprocess, size=input_size or preprocess.size, crop_pct=crop_pct or preprocess.crop_pct)
