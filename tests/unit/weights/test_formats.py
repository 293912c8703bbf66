"""A file is what it contains, whatever its name: weights are read, and everything else is named in one line."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file
from support.file_kinds import FILES, PTH, zipped
from support.project import GOLDEN
from support.torch_files import torch_save

from src.errors import UserError
from src.weights.ckpt import read_ckpt, save_ckpt, save_plain_ckpt
from src.weights.readers import read_weights

TENSORS = {
    "conv_stem.weight": np.random.RandomState(0).rand(4, 3, 3, 3).astype(np.float32),
    "classifier.weight": np.random.RandomState(1).rand(5, 4).astype(np.float32),
}
WRITERS = {
    "MindSpore": lambda path: save_plain_ckpt(TENSORS, path),
    "project": lambda path: save_ckpt(TENSORS, path, {}),
    "safetensors": lambda path: save_file(TENSORS, path),
    "PyTorch": lambda path: torch_save(TENSORS, path),
}


@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors", ".pth", ".pt", ".bin", ".h5", ".PTH.TAR", ""])
@pytest.mark.parametrize("writer", WRITERS)
def test_weights_are_read_whatever_the_name_of_their_file(writer, suffix, tmp_path):
    path = tmp_path / f"w{suffix}"
    WRITERS[writer](path)
    found = read_weights(path).tensors
    assert found.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        np.testing.assert_array_equal(found[name], value)


def test_a_file_of_early_pytorch_is_read_whatever_its_name(tmp_path):
    (tmp_path / "w.ckpt").write_bytes((GOLDEN / "pth" / "legacy.pth").read_bytes())
    assert read_weights(tmp_path / "w.ckpt").num_classes == 5


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("folder", ["", "outer/"])
def test_an_archive_that_was_unpacked_and_packed_again_is_read(folder, tmp_path):
    """As browsers and desktops do it: with compression, and with or without the folder around it."""
    files = {folder + name.partition("/")[2]: content for name, content in unpacked(PTH).items()}
    (tmp_path / "w.pth").write_bytes(zipped(files))
    assert read_weights(tmp_path / "w.pth").num_classes == 5


@pytest.mark.parametrize("suffix", [".pth", ".ckpt", ".safetensors", ""])
@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_file_of_weights_is_named_and_not_called_damaged(kind, suffix, tmp_path):
    content, words = FILES[kind]
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_weights(path)
    assert str(error.value).startswith(f"{path} {words}")


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_breaks_off_is_called_damaged(writer, tmp_path):
    path = tmp_path / "w"
    WRITERS[writer](path)
    content = path.read_bytes()
    for size in (64, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(UserError, match=f"{path} is damaged"):
            read_weights(path)


def test_a_text_that_should_be_a_checkpoint_to_resume_from_is_not_called_damaged(tmp_path):
    (tmp_path / "last.ckpt").write_bytes(b"these are no weights")
    with pytest.raises(UserError, match="last.ckpt is not a MindSpore checkpoint; take another copy"):
        read_ckpt(tmp_path / "last.ckpt")


@pytest.mark.parametrize("name", ["model-00002-of-00002.safetensors", "pytorch_model-00001-of-00010.bin"])
def test_a_part_of_the_weights_is_named(name, tmp_path):
    save_file(TENSORS, tmp_path / name)
    with pytest.raises(UserError, match=f"{name} is one of several files that hold the weights; join them"):
        read_weights(tmp_path / name)


def test_the_only_part_is_read(tmp_path):
    save_file(TENSORS, tmp_path / "model-00001-of-00001.safetensors")
    assert read_weights(tmp_path / "model-00001-of-00001.safetensors").num_classes == 5


def test_a_safetensors_file_that_contradicts_itself_is_called_damaged(tmp_path):
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 9]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(9))
    with pytest.raises(UserError, match="w.safetensors is damaged"):
        read_weights(tmp_path / "w.safetensors")
