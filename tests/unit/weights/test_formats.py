"""A file is what it contains, whatever its name: weights are read, and everything else is named in one line."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from onnx import ModelProto, helper
from safetensors.numpy import save_file
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
PTH = (GOLDEN / "pth" / "plain.pth").read_bytes()


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


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("folder", ["", "outer/"])
def test_an_archive_that_was_unpacked_and_packed_again_is_read(folder, tmp_path):
    """As browsers and desktops do it: with compression, and with or without the folder around it."""
    files = {folder + name.partition("/")[2]: content for name, content in unpacked(PTH).items()}
    (tmp_path / "w.pth").write_bytes(zipped(files))
    assert read_weights(tmp_path / "w.pth").num_classes == 5


def tar(name, content):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def npz():
    stream = io.BytesIO()
    np.savez(stream, **TENSORS)
    return stream.getvalue()


def npy():
    stream = io.BytesIO()
    np.save(stream, TENSORS["conv_stem.weight"])
    return stream.getvalue()


def onnx_graph():
    graph = helper.make_graph([], "g", [], [])
    return helper.make_model(graph, producer_name="pytorch").SerializeToString()


def mindir():
    """Protobuf `ModelProto` of MindIR, whose first fields are its version and its producer."""
    return b"\n\x031.1\x12\tMindSpore*\x062.10.0:\x9b\xb7\n\n2\x12\x0cValueNode_39"


def graph_def():
    """Protobuf `GraphDef` of TensorFlow: a node with a name and an operator."""
    node = b"\n\x05input\x12\x0bPlaceholder"
    return b"\n" + bytes([len(node)]) + node


INDEX = json.dumps({"metadata": {"total_size": 9}, "weight_map": {"classifier.weight": "model-00001-of-00002"}})
UNPACK = "unpack it, and give the file of weights in it"
EXPECTED = "expected a MindSpore checkpoint, a safetensors file, or a file of PyTorch's torch.save"
GRAPH = "give the weights that it was exported from"
FILES = {
    "LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 9\n",
        "is a pointer of git LFS in place of the weights; `git lfs pull` fetches them",
    ),
    "HTML": (b"\n<!DOCTYPE html><html><title>404</title>", "is a web page; fetch the file of weights itself"),
    "HTML in capitals": (b"\xef\xbb\xbf<HTML>", "is a web page; fetch the file of weights itself"),
    "XML": (b'<?xml version="1.0"?><Error><Code>AccessDenied', "is an XML text, such as the answer of a server; fetch"),
    "index": (INDEX.encode(), "is the index of weights that are split into several files; join them"),
    "JSON": (b'{"error": "not found"}', f"is a text; {EXPECTED}"),
    "text": ("Gewichte für später\n".encode() * 900, f"is a text; {EXPECTED}"),
    "one letter": (b"x", f"is a text; {EXPECTED}"),
    "gzip": (gzip.compress(PTH), f"is a gzip archive; {UNPACK}"),
    "bzip2": (bz2.compress(PTH), f"is a bzip2 archive; {UNPACK}"),
    "xz": (lzma.compress(PTH), f"is an xz archive; {UNPACK}"),
    "zstd": (b"\x28\xb5\x2f\xfd\x24\x01\x09", f"is a zstd archive; {UNPACK}"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04", f"is a 7z archive; {UNPACK}"),
    "RAR": (b"Rar!\x1a\x07\x01\x00", f"is a RAR archive; {UNPACK}"),
    "tar": (tar("w.pth", PTH), f"is a tar archive; {UNPACK}"),
    "zip": (zipped({"folder/": b"", "w.pth": PTH}), f"is a zip archive that holds w.pth; {UNPACK}"),
    "zip of a zip": (zipped({"w.zip": zipped({"w.pth": PTH})}), f"is a zip archive that holds w.zip; {UNPACK}"),
    "empty zip": (zipped({}), f"is an empty zip archive; {EXPECTED}"),
    "npz": (npz(), f"holds NumPy's arrays (.npz); {EXPECTED}"),
    "npy": (npy(), f"is a NumPy array; {EXPECTED}"),
    "Keras": (zipped({"config.json": b"{}", "model.weights.h5": b"\x89HDF"}), f"is a model of Keras; {EXPECTED}"),
    "TorchScript": (
        zipped({"w/data.pkl": b"", "w/constants.pkl": b""}),
        "is a program of TorchScript; save the state_dict() of its module with torch.save",
    ),
    "torch.export": (
        zipped({"w/archive_format": b"pt2", "w/models/model.json": b"{}"}),
        "is a program of torch.export; save the state_dict() of its module with torch.save",
    ),
    "pickle": (pickle.dumps({"w": 1.0}), "is a pickle that torch.save did not write; load it with the program"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(8), f"is an HDF5 file, such as Keras writes; {EXPECTED}"),
    "GGUF": (b"GGUF\x03\x00\x00\x00", f"is a GGUF file; {EXPECTED}"),
    "ONNX": (onnx_graph(), f"is an ONNX graph; {GRAPH}"),
    "ONNX without producer": (ModelProto(ir_version=8, model_version=1).SerializeToString(), "is an ONNX graph"),
    "MINDIR": (mindir(), f"is a MindIR graph; {GRAPH}"),
    "TensorFlow Lite": (b"\x1c\x00\x00\x00TFL3" + bytes(16), f"is a TensorFlow Lite graph; {GRAPH}"),
    "MindSpore Lite": (b"\x1c\x00\x00\x00MSL2" + bytes(16), f"is a MindSpore Lite graph; {GRAPH}"),
    "OM": (b"IMOD" + bytes(16), f"is an offline model of Ascend (.om); {GRAPH}"),
    "SavedModel": (b"\x08\x01\x12\xb7\x1c", f"is a TensorFlow graph; {EXPECTED}"),
    "GraphDef": (graph_def(), f"is a TensorFlow graph; {EXPECTED}"),
    "encrypted": (b"\xd8^:\x7f \xf7r\xe1", "is an encrypted MindSpore checkpoint; save it without enc_key"),
    "zeros": (bytes(5000), "is filled with zeros at its start, as after an interrupted download; fetch it again"),
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF", f"is of no format that this project knows; {EXPECTED}"),
}


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
