"""Read a weight file of any supported format, recognize its source, and choose the weights to load."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, deserialize, safe_open

from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.runtime.texts import read_json
from src.weights.ckpt import read_ckpt
from src.weights.formats import Format, format_of
from src.weights.meta import check_meta
from src.weights.pth import read_pth
from src.weights.records import Records, sort_records
from src.weights.source import Source
from src.weights.sources import PROJECT, recognize
from src.weights.timm_config import CONFIG, parse_timm_config

Kind = Literal["raw", "ema"]
Reader = Callable[[Path], tuple[dict[str, np.ndarray], dict[str, Any]]]

SAFETENSORS_TYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
FLOATS = ("float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
ENDINGS = (".ckpt", ".safetensors", ".pth", ".pt", ".pth.tar", ".bin")  # of weights in a folder; the content decides
PART = re.compile(r"-\d{5}-of-(?!00001)\d{5}\.\w+$")  # the hub's names of files that hold a part of the weights
META_KEY = "tinynet_mindspore"  # in the metadata of a .safetensors file: `meta` as JSON, as in a .ckpt
HUB_FILES = ("model.safetensors", "pytorch_model.bin")  # beside which the Hugging Face hub has timm's config.json


@dataclass(frozen=True)
class WeightFile:
    """The float32 tensors of one network from a file, by their names there, and what the file says about them.

    `meta` is that of a training checkpoint, which `src/training/checkpoint.py` describes; published weights have none.
    `kind` is "ema" for averaged weights. `others` are tensors that belong to a training and not to the network.
    """

    path: Path
    tensors: dict[str, np.ndarray]
    meta: dict[str, Any] = field(default_factory=dict)
    kind: Kind = "raw"
    source: Source = PROJECT
    others: tuple[str, ...] = ()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {name: value.shape for name, value in self.tensors.items()}

    @property
    def num_classes(self) -> int:
        """Return the number of rows of the classifier.

        Raises:
            UserError: the file holds no classifier, or one of another shape.
        """
        name = self.source.classifier
        if name not in self.tensors:
            known = "a network that this project has, from timm, MindCV or MindSpore's model zoo"
            example = f", but {next(iter(self.tensors))}" if self.tensors else ""
            raise UserError(f"{self.path} holds no {name}{example}: expected the weights of {known}")
        shape = self.shapes[name]
        bias = self.shapes.get(name.removesuffix("weight") + "bias", shape[:1])
        if len(shape) != 2 or bias != shape[:1]:
            raise UserError(
                f"{self.path}: {name} has the shape {list(shape)} and its bias {list(bias)}; "
                "expected (classes, features) and (classes)"
            )
        return shape[0]


def read_weights(
    path: str | Path, prefer: Literal["auto", "raw", "ema"] = "auto", *, training: bool = False
) -> WeightFile:
    """Read a weight file of any supported format.

    Args:
        prefer: which weights of a training checkpoint to take. `auto`: those with the better score; where no score is
            known, the averaged ones.
        training: the weights are the start of a training, for which timm's config.json may name a smaller image.

    Raises:
        UserError: the file is missing, damaged, of an unknown format or source, without the preferred weights, or holds
            values that are not finite.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder; give a file of weights (eval.py takes a folder of them)")
    if not path.is_file():
        raise UserError(f"there is no weight file {path}")
    if path.stat().st_size == 0:
        raise UserError(f"{path} is empty; fetch or write it again")
    if PART.search(path.name):
        raise UserError(f"{path} is one of several files that hold the weights; join them in one file, and give that")
    stored, meta = READERS[format_of(path)](path)
    records = sort_records(stored, path)
    kind, chosen = _choose(records, meta, prefer, path)
    source = recognize({name: value.shape for name, value in chosen.items()})
    if source.refusal:
        raise UserError(f"{path} is of {source.title}: {source.refusal}")
    _check_statistics(chosen, records, path)
    tensors = {name: _as_float32(name, value, path) for name, value in chosen.items()}
    return WeightFile(
        path, tensors, meta or _hub_meta(path, training), kind, source, () if meta else tuple(records.others)
    )


def _choose(records: Records, meta: dict[str, Any], prefer: str, path: Path) -> tuple[Kind, dict[str, np.ndarray]]:
    """Return the preferred kind of weights.

    Raises:
        UserError: the file does not hold them, or only some of them.
    """
    raw, averaged = records.raw, records.averaged
    kind = meta.get("better", "ema" if averaged else "raw") if prefer == "auto" else prefer
    if kind == "ema" and not averaged:
        raise UserError(f"{path} holds no averaged weights; use --weights raw")
    if kind == "raw" and averaged and not raw:
        raise UserError(f"{path} holds averaged weights alone; use --weights ema")
    if kind == "ema" and raw and (missing := sorted(raw.keys() - averaged.keys())):
        tensors = missing[0] if len(missing) == 1 else f"{len(missing)} tensors, such as {missing[0]}"
        raise UserError(f"{path} holds no average of {tensors}; use --weights raw")
    return cast(Kind, kind), averaged if kind == "ema" else raw


def _check_statistics(tensors: dict[str, np.ndarray], records: Records, path: Path) -> None:
    """Refuse a file that has weights of BatchNorm and no running statistics at all."""
    last_parts = {name.rpartition(".")[2] for name in tensors}
    if "gamma" in last_parts and not last_parts & {"moving_mean", "moving_variance"}:
        optimizer = " It is the state of an optimizer, such as MindCV's optim_*.ckpt." if records.others else ""
        raise UserError(
            f"{path} holds no running statistics of BatchNorm, without which a network computes nothing useful."
            f"{optimizer} Give the checkpoint of the network"
        )


def _as_float32(name: str, value: np.ndarray, path: Path) -> np.ndarray:
    if value.dtype.name not in FLOATS:
        raise UserError(f"{path}: {name} is of type {value.dtype}; expected floating-point weights, not quantized ones")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        found = value.astype(np.float32)
    if not np.isfinite(found).all():
        fault = f"{name} holds values that are not finite, as after a training that diverged"
        raise UserError(f"{path}: {fault}; take an earlier file")
    return found


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
        stored = deserialize(path.read_bytes())
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise UserError(f"{path} is damaged ({error}); fetch it again") from None
    for name, tensor in stored:
        if tensor["dtype"] not in SAFETENSORS_TYPES:
            raise UserError(f"{path}: {name} is of type {tensor['dtype']}, which this project cannot read")
    tensors = {
        name: np.frombuffer(tensor["data"], SAFETENSORS_TYPES[tensor["dtype"]]).reshape(tensor["shape"])
        for name, tensor in stored
    }
    return tensors, _described(metadata, path)


def _described(metadata: dict[str, str], path: Path) -> dict[str, Any]:
    """Return the `meta` of a .safetensors file of this project; that of others is empty.

    Raises:
        UserError: a value has another type, or is out of range.
    """
    if META_KEY not in metadata:
        return {}
    try:
        return check_meta(json.loads(metadata[META_KEY]), path)
    except (ValueError, RecursionError):
        raise UserError(f"{path} does not describe its network: its metadata are no JSON; take another copy") from None


def _hub_meta(path: Path, training: bool) -> dict[str, Any]:
    """Return the network and the preprocessing that timm's config.json beside the weights names, else nothing.

    timm's `efficientnet_b0` and `tf_efficientnet_b0` have the same tensors, so only this file tells them apart.

    Raises:
        UserError: it names a network of this project, and a preprocessing that this project does not have.
    """
    config = path.with_name(CONFIG)
    if path.name not in HUB_FILES or not config.is_file():
        return {}
    try:
        content = read_json(config)
        name = content["architecture"]
        known = isinstance(name, str) and name in ARCHITECTURES
        if not known or "crop_pct" not in content.get("pretrained_cfg", content):
            return {"model": name} if known else {}
    except (UserError, OSError, KeyError, TypeError, AttributeError):
        return {}  # of another program
    try:
        return {"model": name, "preprocess": parse_timm_config(content, config).preprocess(training)}
    except UserError as error:
        raise UserError(f"{error}; to load {path.name} with other images, move it to another folder") from None


READERS: dict[Format, Reader] = {"mindspore": read_ckpt, "safetensors": _read_safetensors, "pytorch": read_pth}
