"""Networks of the other families as files, verified by the export; TinyNets are tested in test_float_file.py."""

import json
from dataclasses import replace

import mindspore as ms
import numpy as np
import pytest
from support.exporting import assert_runs_on_ascend, export

from src.deploy.verification import TOLERANCE
from src.design.architecture_file import to_dict
from src.design.families import ARCHITECTURES
from src.images.preprocess import Preprocess
from src.models import create_model
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of


def small(name):
    """One block that strides and two of the next stage, with the family's style and head: quick to compile."""
    whole = ARCHITECTURES[name]
    stages = replace(whole.stages[1], repeats=1), replace(whole.stages[2], repeats=2)
    return replace(whole, name="small", resolution=48, stages=stages, head=64, head_conv=min(whole.head_conv, 64))


@pytest.mark.parametrize("name", ["efficientnet_b2", "ghostnet_100", "s_ghostnet_b1"])
def test_exported_files_compute_what_the_network_computes(name, tmp_path):
    ms.set_seed(5)
    network, rng = create_model(small(name), num_classes=4).set_train(False), np.random.RandomState(5)
    for key, parameter in weights_of(network).items():
        if key.endswith(("moving_mean", "moving_variance", "gamma", "beta")):
            spread = rng.uniform(0.5, 1.5, parameter.shape) - (0 if key.endswith(("variance", "gamma")) else 1)
            parameter.set_data(ms.Tensor(spread.astype(np.float32)))
    meta = {"model": "small", "architecture": to_dict(network.architecture), "preprocess": Preprocess(48).as_dict()}
    save_ckpt({key: p.asnumpy() for key, p in weights_of(network).items()}, tmp_path / "w.ckpt", meta)

    flags = ("--batch_size", 0, "--file_name", tmp_path / "net", "--file_format")
    paths = [export(tmp_path, *flags, file_format) for file_format in ("MINDIR", "ONNX")]

    files = json.loads((tmp_path / "net.json").read_text())["files"]
    for path, file_format in zip(paths, ("MINDIR", "ONNX"), strict=True):
        assert files[path.name]["largest_difference"] <= TOLERANCE[file_format, "fp32"]
    assert "BatchNorm" not in assert_runs_on_ascend(*paths)
