"""MindSpore Hub's door: `create_network(name, ...)`."""

from mindspore import nn

from src.models import create_model, list_models


def create_network(name: str, **kwargs) -> nn.Cell:
    """A network by name, such as `create_network("tinynet_c", num_classes=10)`.

    Raises:
        NotImplementedError: there is no network of this name (what MindSpore Hub expects).
    """
    if name not in list_models():
        raise NotImplementedError(f"there is no network {name!r}; there are {', '.join(list_models())}")
    return create_model(name, **kwargs)
