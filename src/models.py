"""Networks by name, and networks with weights ready for evaluation, export and prediction."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from fnmatch import fnmatch

from mindspore import nn

from src import tinynet
from src.config import ModelOptions
from src.design.families import TINYNETS
from src.errors import UserError, did_you_mean
from src.layers import Norm
from src.preprocess import Preprocess
from src.weights import LoadReport, WeightFile, load_weights, read_weights

logger = logging.getLogger(__name__)

HOW_TO_GET_WEIGHTS = (
    "give weights with --ckpt FILE: the checkpoints/best.ckpt of a run, or timm's model.safetensors, which "
    "https://huggingface.co/timm/tinynet_c.in1k and its siblings offer"
)
FACTORIES = {name: getattr(tinynet, name) for name in TINYNETS}


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
    """Names of the networks that match a shell pattern, sorted."""
    return sorted(name for name in FACTORIES if fnmatch(name, pattern))


def create_model(name: str, **options) -> nn.Cell:
    """A new network; `options` as for `TinyNet` (num_classes, in_channels, dropout, drop_path, norm).

    Raises:
        UserError: there is no network of this name.
    """
    if name not in FACTORIES:
        raise UserError(f"there is no network {name!r}{did_you_mean(name, FACTORIES)} ({', '.join(list_models())})")
    return FACTORIES[name](**options)


def load_model(options: ModelOptions, crop_pct: float | None = None) -> LoadedModel:
    """The network that flags and checkpoint name together, in evaluation mode.

    Raises:
        UserError: no weights given, no model named by either, or weights that do not fit.
    """
    if options.ckpt is None:
        raise UserError(f"ckpt is missing: {HOW_TO_GET_WEIGHTS}")
    file = read_weights(options.ckpt, options.weights)
    name = options.model or file.meta.get("model")
    if name is None:
        raise UserError(f"model is missing: {options.ckpt} does not say what it holds; give --model, such as tinynet_c")
    if options.num_classes not in (0, file.num_classes):
        raise UserError(f"num_classes is {options.num_classes}, {options.ckpt} has {file.num_classes}; leave it out")
    norm = Norm(epsilon=file.meta.get("bn_epsilon", Norm.epsilon))
    network = create_model(name, num_classes=file.num_classes, norm=norm)
    report = load_weights(network, file)
    network.set_train(False)
    preprocess = chosen_preprocess(network, file.meta, options.input_size, crop_pct)
    logger.info("%s from %s (%s weights): %s", name, options.ckpt, file.kind, report)
    return LoadedModel(name, network, preprocess, tuple(file.meta.get("classes", ())), file, report)


def chosen_preprocess(network: nn.Cell, meta: dict, input_size: int = 0, crop_pct: float | None = None) -> Preprocess:
    """What the user asked for, else what the checkpoint was trained with, else the network's own size and 0.875."""
    trained = meta.get("preprocess")
    preprocess = Preprocess.from_dict(trained) if trained else Preprocess(network.architecture.resolution)
    return replace(preprocess, size=input_size or preprocess.size, crop_pct=crop_pct or preprocess.crop_pct)
