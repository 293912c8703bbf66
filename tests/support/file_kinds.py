"""Files that users give in the place of weights: archives, web pages, graphs and formats of other programs."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile

import numpy as np
from onnx import ModelProto, helper

from support.project import GOLDEN

PTH = (GOLDEN / "pth" / "plain.pth").read_bytes()


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tar(name, content):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def npz():
    stream = io.BytesIO()
    np.savez(stream, weight=np.ones((2, 3), np.float32))
    return stream.getvalue()


def npy():
    stream = io.BytesIO()
    np.save(stream, np.ones((2, 3), np.float32))
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
FILES = {  # kind -> its content, and how the line about it begins after the path
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
