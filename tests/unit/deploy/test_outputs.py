"""An export replaces earlier exports, but neither what it reads nor a file of the user."""

from types import SimpleNamespace

import numpy as np
import pytest
from support.exporting import ANY_BATCH, export

from src.config import ExportConfig
from src.deploy.exporter import output_path
from src.deploy.outputs import check_outputs
from src.design.architecture_file import save_architecture
from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.weights.ckpt import save_ckpt

MODEL = SimpleNamespace(name="tinynet_e")


@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_the_weights_that_are_read_are_not_written_over(tmp_path, suffix):
    (tmp_path / f"w{suffix}").write_text("weights")
    file_format = {".ckpt": "CKPT", ".safetensors": "SAFETENSORS"}[suffix]
    config = ExportConfig(ckpt=tmp_path / f"w{suffix}", file_name=tmp_path / "w", file_format=file_format)
    with pytest.raises(UserError, match=f"w{suffix} is read and would be overwritten; give another name"):
        check_outputs(config, output_path(config, MODEL))


def test_a_checkpoint_of_a_training_is_not_written_over(trained, tmp_path):
    save_ckpt({"classifier.weight": np.zeros((2, 3), np.float32)}, tmp_path / "last.ckpt", {"step": 3})
    with pytest.raises(UserError, match="last.ckpt exists and was not made by this program"):
        export(trained[1], "--file_format", "CKPT", "--file_name", tmp_path / "last")


@pytest.mark.parametrize("file_format", ["CKPT", "SAFETENSORS"])
def test_weights_that_were_exported_are_exported_again(trained, tmp_path, file_format):
    for _ in range(2):
        path = export(trained[1], "--file_format", file_format, "--file_name", tmp_path / "net")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "name, content",
    [
        ("net.onnx", "of somebody else"),
        ("net.json", '{"name": "mine"}'),
        ("net.json", "[]"),
        ("net.json", "no JSON"),
        ("net.safetensors", "of somebody else"),
        ("net.aipp.cfg", "aipp_op {}"),
    ],
)
def test_files_of_somebody_else_are_not_written_over(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    file_format = "SAFETENSORS" if name.endswith(".safetensors") else "ONNX"
    soc_version = "Ascend310P3" if name.endswith(".cfg") else None
    config = ExportConfig(file_format=file_format, file_name=tmp_path / "net", soc_version=soc_version)
    with pytest.raises(UserError, match=f"{name} exists and was not made by this program"):
        check_outputs(config, output_path(config, MODEL))
    assert (tmp_path / name).read_text() == content


def test_an_architecture_file_that_is_read_is_not_written_over(tmp_path):
    save_architecture(ARCHITECTURES["tinynet_e"], tmp_path / "net.json")
    config = ExportConfig(file_name=tmp_path / "net", model=str(tmp_path / "net.json"))
    with pytest.raises(UserError, match="net.json is read and would be overwritten"):
        check_outputs(config, tmp_path / "net.mindir")


def test_graphs_that_were_exported_may_be_exported_again(exported):
    path = exported("MINDIR", ANY_BATCH)
    for file_format in ("MINDIR", "ONNX"):  # the second shares description and AIPP settings with the first
        config = ExportConfig(file_format=file_format, file_name=path.with_suffix(""), soc_version="Ascend310P3")
        check_outputs(config, output_path(config, MODEL))
