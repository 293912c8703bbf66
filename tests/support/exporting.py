"""Helpers for tests of export: a trained checkpoint, the command, and the operators of exported files."""

import re
from dataclasses import replace

import mindspore as ms
import numpy as np
import onnx
from mindspore.ops import auto_generate, operations
from mindspore.train import mind_ir_pb2

from src.cli import parse
from src.config import DetectExportConfig, ExportConfig
from src.deploy.exporter import export_checkpoint, export_detector
from src.design.architecture_file import to_dict
from src.design.detector import detector_to_dict
from src.design.families import ARCHITECTURES
from src.detection.network import ssdlite
from src.images.preprocess import Preprocess
from src.models import create_model
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of

NAMES = ["cat", "dog", "fish", "großer Vogel"]

# Flags of the exports that tests share.
ANY_BATCH = ("--batch_size", 0, "--soc_version", "Ascend310P3", "--gears", "1,8")
UNFOLDED = ("--no-fold",)
PIXELS = ("--batch_size", 2, "--input_type", "uint8")
HALF = ("--batch_size", 2, "--precision", "fp16")
HALF_PIXELS = (*PIXELS, "--precision", "fp16")


def cut(name, head=64, repeats=2):
    """Return a few blocks of a published network, with its style and head: quick to compile and export.

    They are the block without expansion, if the network has one, and `repeats` of the third stage: one that strides,
    and one that adds its input.
    """
    whole = ARCHITECTURES[name]
    first = [stage for stage in whole.stages[:1] if stage.block == "ds"]
    stages = (*first, replace(whole.stages[2], repeats=repeats))
    return replace(whole, name="cut", stages=stages, head=head, head_conv=min(whole.head_conv, head))


def trained_checkpoint(folder, architecture, size=64):
    """Write FOLDER/w.ckpt as training does, and return its network: 4 classes, every normalization another one."""
    ms.set_seed(5)
    network = create_model(architecture, num_classes=len(NAMES))
    _save(network, folder, size)
    return network.set_train(False)


def trained_detector(folder, architecture, size=64):
    """Write FOLDER/w.ckpt as training does, and return its network: 4 classes on three maps, boxes that moved far."""
    ms.set_seed(5)
    network = ssdlite(create_model(architecture, num_classes=1), len(NAMES), size, extra=(16,))
    for head in network.head.box_head:
        head.conv_pw.bias.set_data(ms.Tensor(np.tile([9, -7, 3, -3], 6).astype(np.float32)))
    _save(network, folder, size, task="detection", detector=detector_to_dict(network.detector))
    return network.set_train(False)


def _save(network, folder, size, **meta):
    """Draw the statistics of each normalization, and write FOLDER/w.ckpt."""
    rng = np.random.RandomState(5)
    for key, parameter in weights_of(network).items():
        if key.endswith(("moving_mean", "moving_variance", "gamma", "beta")):
            spread = rng.uniform(0.5, 1.5, parameter.shape) - (0 if key.endswith(("variance", "gamma")) else 1)
            parameter.set_data(ms.Tensor(spread.astype(np.float32)))
    meta |= {"model": network.architecture.name, "architecture": to_dict(network.architecture)}
    meta |= {"classes": NAMES, "preprocess": Preprocess(size).as_dict()}
    save_ckpt({name: p.asnumpy() for name, p in weights_of(network).items()}, folder / "w.ckpt", meta)


def export(folder, *flags):
    """Run export.py on FOLDER/w.ckpt in this process, and return the path of the file."""
    return export_checkpoint(parse(ExportConfig, _words(folder, flags)))


def export_detection(folder, *flags):
    """Run detect.py export on FOLDER/w.ckpt in this process, and return the path of the file."""
    return export_detector(parse(DetectExportConfig, _words(folder, flags)))


def _words(folder, flags):
    return [str(word) for word in ("--ckpt", folder / "w.ckpt", "--device_target", "CPU", *flags)]


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
STRUCTURE |= {"Constant"}  # of ONNX
MINDSPORE_NAME = {  # ONNX operator -> the primitive that it was made from
    "Conv": "Conv2D", "BatchNormalization": "BatchNorm", "Gemm": "MatMul", "GlobalAveragePool": "ReduceMean",
    "Relu": "ReLU", "Clip": "ReLU6", "Min": "Minimum", "Max": "Maximum",
    "Identity": "TupleGetItem",
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
    for primitive in primitives | {MINDSPORE_NAME.get(name, name) for name in operators} - STRUCTURE:
        assert "Ascend" in platforms(primitive), primitive
    return primitives
