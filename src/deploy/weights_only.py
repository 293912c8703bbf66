"""Write the weights of a network without its graph: for timm (.safetensors) or for this project (.ckpt)."""

from __future__ import annotations

from pathlib import Path

from src.design.architecture_file import to_dict
from src.models import LoadedModel
from src.weights.ckpt import save_ckpt
from src.weights.loading import save_safetensors
from src.weights.names import weights_of


def save_weights(model: LoadedModel, path: Path) -> None:
    """Write the weights in the format of the path's suffix; a .ckpt also says how to use them.

    Raises:
        UserError: the file cannot be written.
    """
    if path.suffix == ".safetensors":
        save_safetensors(model.network, path)
        return
    meta = {
        "model": model.name,
        "architecture": to_dict(model.network.architecture),
        "classes": list(model.classes),
        "preprocess": model.preprocess.as_dict(),
    }
    save_ckpt({name: parameter.asnumpy() for name, parameter in weights_of(model.network).items()}, path, meta)
