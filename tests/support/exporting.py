"""Helpers for tests of export: a trained checkpoint, the command, and the operators of exported files."""

import json
import re

import mindspore as ms
import numpy as np
import onnx
from mindspore.ops import auto_generate, operations
from mindspore.train import mind_ir_pb2
from safetensors.numpy import save_file

from src.cli import parse
from src.config import ExportConfig
from src.deploy.exporter import export_checkpoint
from src.images.preprocess import Preprocess
from src.models import create_model
from src.weights.ckpt import save_ckpt
from src.weights.loading import load_weights
from src.weights.names import weights_of
from src.weights.readers import read_weights
from support.project import GOLDEN
from support.seeded_weights import seeded_state

NAMES = ["cat", "dog", "fish", "großer Vogel"]

# Flags of the exports that tests share.
ANY_BATCH = ("--batch_size", 0, "--soc_version", "Ascend310P3", "--gears", "1,8")
UNFOLDED = ("--no-fold",)
PIXELS = ("--batch_size", 2, "--input_type", "uint8")
HALF = ("--batch_size", 2, "--precision", "fp16")


def trained_checkpoint(folder):
    """Write FOLDER/w.ckpt as training does, and return its network: 4 classes, 64 pixels, distinct logits."""
    info = json.loads((GOLDEN / "tinynet_e.json").read_text())["parameters"]
    shapes = info | {"classifier.weight": [4, 1280], "classifier.bias": [4]}
    save_file(seeded_state(shapes, 7, np.load(GOLDEN / "tinynet_e_seed7.npz")), folder / "w.safetensors")
    network = create_model("tinynet_e", num_classes=4)
    load_weights(network, read_weights(folder / "w.safetensors"))
    meta = {"model": "tinynet_e", "classes": NAMES, "preprocess": Preprocess(64).as_dict()}
    save_ckpt({name: p.asnumpy() for name, p in weights_of(network).items()}, folder / "w.ckpt", meta)
    return network.set_train(False)


def export(folder, *flags):
    """Run export.py on FOLDER/w.ckpt in this process, and return the path of the file."""
    words = ["--ckpt", folder / "w.ckpt", "--device_target", "CPU", *flags]
    return export_checkpoint(parse(ExportConfig, [str(word) for word in words]))


def mindir(path):
    """Return the message in a MINDIR file."""
    graph = mind_ir_pb2.ModelProto()
    graph.ParseFromString(path.read_bytes())
    return graph


def primitives_of(graph):
    """Return the MindSpore operators of a MINDIR, one for each node."""
    by_reference = {primitive.name: primitive.op_type for primitive in graph.primitives}
    nodes = [*graph.graph.node, *(node for function in graph.functions for node in function.node)]
    names = [node.op_type.removeprefix("REF::") for node in nodes]
    return [by_reference[name] for name in names if name in by_reference]


def operators_of(model):
    """Return the operators of an ONNX model, one for each node."""
    return [node.op_type for node in model.graph.node]


# The documentation of each primitive lists its platforms. Generated primitives have no documentation of their own; the
# function that calls them has.
FUNCTIONS = {
    "Dense": "dense",
    "BiasAdd": "bias_add",
    "Reshape": "reshape",
    "ReLU": "relu",
    "ReLU6": "relu6",
    "Concat": "cat",
}
STRUCTURE = {"Load", "Depend", "UpdateState", "MakeTuple", "TupleGetItem", "Return", "return"}  # the graph's own
MINDSPORE_NAME = {  # ONNX operator -> the primitive that it was made from
    "Conv": "Conv2D", "BatchNormalization": "BatchNorm", "Gemm": "MatMul", "GlobalAveragePool": "ReduceMean",
    "Relu": "ReLU", "Clip": "ReLU6",
}  # fmt: skip


def platforms(primitive):
    """Return the platforms that MindSpore documents for a primitive."""
    function = re.sub(r"(?<!^)(?=[A-Z])", "_", primitive).lower()
    places = [(operations, primitive), (auto_generate, primitive), (ms.ops, FUNCTIONS.get(primitive, function))]
    for module, name in places:
        text = getattr(module, name, None).__doc__ if hasattr(module, name) else None
        if text and "Supported Platforms:" in text:
            return text.split("Supported Platforms:")[1].strip().splitlines()[0]
    return f"{primitive}: no documentation"


def assert_runs_on_ascend(mindir_path, onnx_path):
    """Assert that every operator of both files is documented to run on Ascend. Return the primitives of the MINDIR."""
    primitives = set(primitives_of(mindir(mindir_path))) - STRUCTURE
    operators = operators_of(onnx.load(onnx_path))
    for primitive in primitives | {MINDSPORE_NAME.get(name, name) for name in operators}:
        assert "Ascend" in platforms(primitive), primitive
    return primitives
