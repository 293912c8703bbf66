"""Files of weights hold those of the network."""

import pytest
from support.exporting import NAMES, export

from src.deploy.description import weights_hash
from src.models import create_model
from src.weights.loading import load_weights
from src.weights.readers import read_weights


@pytest.mark.parametrize("file_format, suffix", [("SAFETENSORS", ".safetensors"), ("CKPT", ".ckpt")])
def test_the_weights_can_be_loaded_again(trained, file_format, suffix, tmp_path):
    path = export(trained[1], "--file_format", file_format, "--file_name", tmp_path / "net")
    network = create_model(trained[0].architecture, num_classes=4)
    load_weights(network, read_weights(path))
    assert path.suffix == suffix
    assert weights_hash(network) == weights_hash(trained[0])


def test_a_checkpoint_says_how_to_use_it(trained, tmp_path):
    meta = read_weights(export(trained[1], "--file_format", "CKPT", "--file_name", tmp_path / "net")).meta
    assert meta["model"] == "cut"
    assert meta["classes"] == NAMES
    assert meta["preprocess"]["size"] == 64


def test_safetensors_say_how_to_use_them_as_a_checkpoint_does(trained, tmp_path):
    paths = [
        export(trained[1], "--file_format", name, "--file_name", tmp_path / "net") for name in ("SAFETENSORS", "CKPT")
    ]
    found, expected = (read_weights(path).meta for path in paths)
    assert found == expected and found["preprocess"]["size"] == 64
