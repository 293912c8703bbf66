"""Networks of the other families as files, verified by the export; TinyNets are tested in test_float_file.py."""

import json

import pytest
from support.exporting import assert_runs_on_ascend, cut, export, trained_checkpoint

from src.deploy.classifier import TOLERANCE


@pytest.mark.parametrize("name", ["tf_efficientnet_b2", "ghostnet_100", "s_ghostnet_b1"])
def test_exported_files_compute_what_the_network_computes(name, tmp_path):
    trained_checkpoint(tmp_path, cut(name), size=48)
    flags = ("--batch_size", 0, "--file_name", tmp_path / "net", "--file_format")
    paths = [export(tmp_path, *flags, file_format) for file_format in ("MINDIR", "ONNX")]

    files = json.loads((tmp_path / "net.json").read_text())["files"]
    for path, file_format in zip(paths, ("MINDIR", "ONNX"), strict=True):
        assert files[path.name]["largest_difference"] <= TOLERANCE[file_format, "fp32"]
    assert "BatchNorm" not in assert_runs_on_ascend(*paths)
