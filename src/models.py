"""Networks by name or from architecture files, alone or with weights and ready to be used."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mindspore import nn

from src.config import ModelOptions
from src.design.architecture import Architecture
from src.design.architecture_file import from_dict
from src.design.families import ARCHITECTURES, EFFICIENTNETS, INVERSE_GIANTS, find_architecture
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.networks.efficientnet import EfficientNet
from src.networks.features import FeatureExtractor
from src.networks.ghostnet import GhostNet
from src.networks.layers import Norm
from src.networks.network import Network
from src.tinynet import TinyNet
from src.weights.loading import LoadReport, load_weights
from src.weights.readers import WeightFile, read_weights

logger = logging.getLogger(__name__)

HOW_TO_GET_WEIGHTS = (
    "give weights with --ckpt FILE: the checkpoints/best.ckpt of a run, or timm's model.safetensors, which "
    "https://huggingface.co/timm/tinynet_c.in1k and its siblings offer"
)
CLASSES = dict.fromkeys((*EFFICIENTNETS, *INVERSE_GIANTS), EfficientNet)  # others: by the head


@dataclass(frozen=True)
class LoadedModel:
    """A network in evaluation mode with weights, and how to feed it. `classes` is empty when names are unknown."""

    name: str
    network: nn.Cell
    preprocess: Preprocess
    classes: tuple[str, ...]
    weights: WeightFile
    report: LoadReport


def list_models(pattern: str = "*") -> list[str]:
    """Names of the networks that match a shell pattern, such as `ghost*`, sorted."""
    return sorted(name for name in ARCHITECTURES if fnmatch(name, pattern))


def create_model(
    model: str | Architecture,
    *,
    ckpt: str | Path | None = None,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
    **options: Any,
) -> nn.Cell:
    """A new network.

    Args:
        model: a name of `list_models()`, an architecture file (.yaml, .yml, .json), or an architecture.
        ckpt: weights to load; by default they are drawn from MindSpore's seed.
        features_only: without the head; the result is a `FeatureExtractor`.
        out_indices: of its maps, see there.
        options: as for `Network`, such as num_classes (by default as in ckpt, else 1000), dropout, norm.

    Raises:
        UserError: there is no such network or file, or the weights are another network's.
    """
    architecture = find_architecture(model) if isinstance(model, str) else model
    file = read_weights(ckpt) if ckpt else None
    if file:
        options = {"num_classes": file.num_classes} | options
    family = CLASSES.get(architecture.name, GhostNet if architecture.head_conv else TinyNet)
    network: Network = family(architecture, **options)
    if file:
        logger.info("%s from %s: %s", architecture.name, ckpt, load_weights(network, file))
    return FeatureExtractor(network, out_indices) if features_only else network


def architecture_of(options: ModelOptions, meta: dict[str, Any]) -> Architecture:
    """The network that flags name, else the one that a checkpoint's `meta` describes.

    Raises:
        UserError: neither says one, or there is no such network.
    """
    if options.model is not None:
        return find_architecture(options.model)
    if "architecture" in meta:
        return from_dict(meta["architecture"], "the checkpoint's architecture")
    if "model" in meta:
        return find_architecture(meta["model"])
    says = f"{options.ckpt} does not say what it holds; " if options.ckpt else ""
    raise UserError(f"model is missing: {says}give --model, such as tinynet_c")


def load_model(options: ModelOptions, crop_pct: float | None = None) -> LoadedModel:
    """The network that flags and checkpoint name together, in evaluation mode.

    Raises:
        UserError: no weights given, no model named by either, or weights that do not fit.
    """
    if options.ckpt is None:
        raise UserError(f"ckpt is missing: {HOW_TO_GET_WEIGHTS}")
    file = read_weights(options.ckpt, options.weights)
    architecture = architecture_of(options, file.meta)
    if options.num_classes not in (0, file.num_classes):
        raise UserError(f"num_classes is {options.num_classes}, {options.ckpt} has {file.num_classes}; leave it out")
    norm = Norm(epsilon=file.meta.get("bn_epsilon", Norm.epsilon))
    network = create_model(architecture, num_classes=file.num_classes, norm=norm)
    report = load_weights(network, file)
    network.set_train(False)
    preprocess = chosen_preprocess(network, file.meta, options.input_size, crop_pct)
    logger.info("%s from %s (%s weights): %s", architecture.name, options.ckpt, file.kind, report)
    return LoadedModel(architecture.name, network, preprocess, tuple(file.meta.get("classes", ())), file, report)


def chosen_preprocess(network: nn.Cell, meta: dict, input_size: int = 0, crop_pct: float | None = None) -> Preprocess:
    """What the user asked for, else what the checkpoint was trained with, else the network's own size and 0.875."""
    trained = meta.get("preprocess")
    preprocess = Preprocess.from_dict(trained) if trained else Preprocess(network.architecture.resolution)
    return replace(preprocess, size=input_size or preprocess.size, crop_pct=crop_pct or preprocess.crop_pct)
