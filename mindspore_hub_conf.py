"""The entry point that MindSpore Hub calls: `create_network(name, ...)`."""

from typing import Any

from mindspore import nn

from src.models import create_model, list_models


def create_network(name: str, **kwargs: Any) -> nn.Cell:
    """Build a network by name, such as `create_network("tinynet_c", num_classes=10)`.

    Args:
        name: a name of `src.models.list_models()`.
        kwargs: keyword arguments of `src.models.create_model`.

    Raises:
        NotImplementedError: no network has this name. MindSpore Hub expects this error.
    """
    if name not in list_models():
        raise NotImplementedError(f"no network is named {name!r}; expected one of {', '.join(list_models())}")
    return create_model(name, **kwargs)
