"""Every command takes published weights: `--pretrained` with a hub on this machine that has those of TinyNet-E."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save
from support.hub import start_hub, use_hub

from src.models import create_model
from src.weights.names import timm_names, weights_of

pytest.importorskip("huggingface_hub", reason="--pretrained needs huggingface_hub, an extra")

PRETRAINED = ("--pretrained", "--model", "tinynet_e")
CONFIG = {
    "input_size": [3, 106, 106],
    "interpolation": "bicubic",
    "crop_pct": 0.9,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.25, 0.2],
}


@pytest.fixture(scope="module")
def tensors():
    network = create_model("tinynet_e")
    parameters = weights_of(network)
    return {timm: parameters[name].asnumpy().copy() for name, timm in timm_names(network).items()}


@pytest.fixture(scope="module", autouse=True)
def hub(tensors, tmp_path_factory):
    with start_hub() as hub, pytest.MonkeyPatch.context() as patch:
        use_hub(patch, hub.address, tmp_path_factory.mktemp("home"))
        config = json.dumps({"pretrained_cfg": CONFIG}).encode()
        hub.add("timm/tinynet_e.in1k", config__json=config, model__safetensors=save(tensors))
        yield hub


def test_export_writes_what_the_hub_has(door, tensors, tmp_path):
    door("export.py", *PRETRAINED, "--file_format", "SAFETENSORS", "--file_name", tmp_path / "w")
    exported = load_file(tmp_path / "w.safetensors")
    assert exported.keys() == tensors.keys()
    for name, value in tensors.items():
        np.testing.assert_array_equal(exported[name], value)


def test_create_model_loads_them(tensors):
    network = create_model("tinynet_e", pretrained=True)
    np.testing.assert_array_equal(network.conv_stem.weight.asnumpy(), tensors["conv_stem.weight"])
    np.testing.assert_array_equal(network.classifier.weight.asnumpy(), tensors["classifier.weight"])


def test_create_model_with_other_classes_has_a_new_classifier(tensors):
    network = create_model("tinynet_e", pretrained=True, num_classes=7)
    np.testing.assert_array_equal(network.conv_head.weight.asnumpy(), tensors["conv_head.weight"])
    assert network.classifier.weight.shape == (7, 1280)


@pytest.mark.parametrize(
    "script, words",
    [
        ("train.py", "has 1000 classes, the network 10; to train with a new classifier add --replace_head"),
        ("eval.py", "model.safetensors has 1000"),
    ],
)
def test_other_classes_are_refused(refused, few_digits, tmp_path, script, words):
    flags = ("--batch_size", 8, "--run_dir", tmp_path / "run") if script == "train.py" else ()
    done = refused(script, *PRETRAINED, "--data_path", few_digits, *flags, words=words)
    assert "size 106, crop_pct 0.9, mean [0.5, 0.5, 0.5], std [0.5, 0.25, 0.2]" in done.stderr


@pytest.mark.parametrize(
    "command, words",
    [
        ("eval.py --pretrained --data_path digits", "model is missing: --pretrained loads the weights of a network"),
        ("eval.py --pretrained --model tinynet_d --data_path digits", "timm/tinynet_d.in1k is not on http://127.0.0.1"),
        ("export.py --pretrained --model ghostnet_130", "no weights of ghostnet_130 are published"),
        ("predict.py --pretrained --model tinynet_e --ckpt w.ckpt .", "ckpt names other weights, w.ckpt"),
        ("predict.py --pretrained --model tinynet_e --weights ema assets", "holds no averaged weights"),
    ],
)
def test_a_mistake_is_one_line(refused, command, words):
    refused(*command.split(), words=words)
