"""Write the weights of a network without its graph: for this project, for timm, for MindCV or for the model zoo."""

from __future__ import annotations

from pathlib import Path

from src.design.architecture_file import to_dict
from src.models import LoadedModel
from src.weights.ckpt import save_ckpt, save_plain_ckpt
from src.weights.loading import named_tensors, save_safetensors
from src.weights.source import Collection
from src.weights.sources import PROJECT, source_for


def save_weights(model: LoadedModel, path: Path, names: Collection = "timm") -> None:
    """Write the weights in the format of the path's suffix.

    A .safetensors file, and a .ckpt with timm's names, also say how to use the network. Such a .ckpt has MindSpore's
    names of BatchNorm, as all networks of MindSpore. Under the names of MindCV or the model zoo it holds tensors alone.

    Raises:
        UserError: the file cannot be written, or the collection of these names has no such network.
    """
    source = source_for(model.network.architecture, names)
    if path.suffix == ".safetensors":
        save_safetensors(model.network, path, source, _meta(model))
    elif names == "timm":
        save_ckpt(named_tensors(model.network, PROJECT), path, _meta(model))
    else:
        save_plain_ckpt(named_tensors(model.network, source), path)


def _meta(model: LoadedModel) -> dict[str, object]:
    return {
        "model": model.name,
        "architecture": to_dict(model.network.architecture),
        "classes": list(model.classes),
        "preprocess": model.preprocess.as_dict(),
    }
