import hashlib
import json
import re

import mindspore as ms
import numpy as np
import onnx
import pytest
from helpers import GOLDEN
from mindspore.ops import auto_generate, operations
from mindspore.train import mind_ir_pb2
from safetensors.numpy import save_file
from seeded_weights import seeded_state

from src.ckpt import save_ckpt
from src.cli import parse
from src.config import ExportConfig
from src.deploy import exporter
from src.deploy.exporter import export_checkpoint, weights_hash
from src.deploy.verification import difference, run_mindir, run_onnx, verification_images
from src.errors import UserError
from src.models import create_model
from src.preprocess import Preprocess
from src.weights import load_weights, read_weights, weights_of

NAMES = ["cat", "dog", "fish", "großer Vogel"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint as training writes it, of weights that let a picture through: its logits depend on the image."""
    folder = tmp_path_factory.mktemp("trained")
    info = json.loads((GOLDEN / "tinynet_e.json").read_text())["parameters"]
    shapes = info | {"classifier.weight": [4, 1280], "classifier.bias": [4]}
    save_file(seeded_state(shapes, 7, np.load(GOLDEN / "tinynet_e_seed7.npz")), folder / "w.safetensors")
    network = create_model("tinynet_e", num_classes=4)
    load_weights(network, read_weights(folder / "w.safetensors"))
    meta = {"model": "tinynet_e", "classes": NAMES, "preprocess": Preprocess(64).as_dict()}
    save_ckpt({name: p.asnumpy() for name, p in weights_of(network).items()}, folder / "w.ckpt", meta)
    return network.set_train(False), folder


def export(folder, *flags):
    return export_checkpoint(parse(ExportConfig, ["--ckpt", str(folder / "w.ckpt"), "--device_target", "CPU", *flags]))


@pytest.mark.parametrize("file_format, run", [("MINDIR", run_mindir), ("ONNX", run_onnx)])
@pytest.mark.parametrize("batch_size", [0, 2])
def test_exported_files_compute_what_the_network_computes(trained, file_format, run, batch_size, tmp_path):
    network, folder = trained
    flags = ["--file_format", file_format, "--batch_size", str(batch_size), "--file_name", str(tmp_path / "a net")]
    path = export(folder, *flags)
    assert path.suffix == "." + file_format.lower()
    assert path.stat().st_mode & 0o777 == 0o644
    for size in (batch_size,) if batch_size else (1, 2, 5):
        images = np.random.RandomState(size).randn(size, 3, 64, 64).astype(np.float32)
        expected = network(ms.Tensor(images)).asnumpy()
        assert np.abs(run(path, images) - expected).max() <= 1e-5 * np.abs(expected).max()


def test_onnx_file_is_valid_and_declares_its_batch(trained, tmp_path):
    for batch_size, dimension in ((0, "batch"), (3, 3)):
        path = export(
            trained[1], "--file_format", "ONNX", "--batch_size", str(batch_size), "--file_name", str(tmp_path / "n")
        )
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        for value, name, rest in (
            (model.graph.input[0], "image", [3, 64, 64]),
            (model.graph.output[0], "logits", [4]),
        ):
            dims = value.type.tensor_type.shape.dim
            assert value.name == name and [dim.dim_value for dim in dims[1:]] == rest
            assert (dims[0].dim_param or dims[0].dim_value) == dimension


def test_description_says_what_a_program_needs(trained, tmp_path):
    network, folder = trained
    paths = [export(folder, "--file_format", kind, "--file_name", str(tmp_path / "net")) for kind in ("MINDIR", "ONNX")]
    about = json.loads((tmp_path / "net.json").read_text())
    assert about["model"] == "tinynet_e" and about["classes"] == NAMES and about["num_classes"] == 4
    assert about["input"] == {
        "name": "image", "shape": ["batch", 3, 64, 64], "layout": "NCHW", "type": "float32", "color": "RGB",
    }  # fmt: skip
    assert about["preprocess"]["resize"]["short_side"] == 73 and about["preprocess"]["crop"]["size"] == 64
    assert about["preprocess"]["mean"] == [0.485, 0.456, 0.406]
    assert about["weights_sha256"] == weights_hash(network)
    for path in paths:
        assert about["files"][path.name]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert about["files"][path.name]["batch_size"] == 1


def test_a_file_that_computes_otherwise_is_not_written(trained, tmp_path, monkeypatch):
    monkeypatch.setitem(exporter.TOLERANCE, "ONNX", -1)
    (tmp_path / "net.onnx").write_text("what was there before")
    with pytest.raises(UserError, match="net.onnx was not written: its logits differ"):
        export(trained[1], "--file_format", "ONNX", "--file_name", str(tmp_path / "net"))
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
    assert (tmp_path / "net.onnx").read_text() == "what was there before"


def test_difference_sees_other_weights(trained, tmp_path):
    path = export(trained[1], "--file_format", "MINDIR", "--batch_size", "2", "--file_name", str(tmp_path / "net"))
    images = verification_images(Preprocess(64))
    expected = trained[0](ms.Tensor(images)).asnumpy()
    assert difference(path, images, expected) <= 1e-5
    assert difference(path, images, expected[::-1]) > 1e-3
    assert difference(path, images, expected[:, :2]) == float("inf")


@pytest.mark.parametrize("file_format", ["SAFETENSORS", "CKPT"])
def test_weights_alone(trained, file_format, tmp_path):
    path = export(trained[1], "--file_format", file_format, "--file_name", str(tmp_path / "net"))
    again = create_model("tinynet_e", num_classes=4)
    load_weights(again, read_weights(path))
    assert weights_hash(again) == weights_hash(trained[0])


def test_air_says_what_it_needs(trained):
    with pytest.raises(UserError, match="AIR needs an Ascend machine, this one has CPU; MINDIR"):
        export(trained[1], "--file_format", "AIR")


# What the framework states of Ascend: each primitive's documentation lists its platforms. Primitives without a text of
# their own (they are generated) are documented by the function that calls them.
FUNCTIONS = {"Dense": "dense", "BiasAdd": "bias_add", "Reshape": "reshape"}
STRUCTURE = {"Load", "Depend", "UpdateState", "MakeTuple", "TupleGetItem", "Return", "return"}  # the graph's own
MINDSPORE_NAME = {  # ONNX operator -> the primitive that it was made from
    "Conv": "Conv2D", "BatchNormalization": "BatchNorm", "Gemm": "MatMul",
}  # fmt: skip


def platforms(primitive):
    function = re.sub(r"(?<!^)(?=[A-Z])", "_", primitive).lower()
    places = [(operations, primitive), (auto_generate, primitive), (ms.ops, FUNCTIONS.get(primitive, function))]
    for module, name in places:
        text = getattr(module, name, None).__doc__ if hasattr(module, name) else None
        if text and "Supported Platforms:" in text:
            return text.split("Supported Platforms:")[1].strip().splitlines()[0]
    return f"{primitive}: the framework states nothing"


def test_every_operator_is_stated_to_run_on_ascend(trained, tmp_path):
    graph = mind_ir_pb2.ModelProto()
    path = export(trained[1], "--file_format", "MINDIR", "--batch_size", "0", "--file_name", str(tmp_path / "net"))
    graph.ParseFromString(path.read_bytes())
    by_reference = {primitive.name: primitive.op_type for primitive in graph.primitives}
    nodes = [*graph.graph.node, *(node for function in graph.functions for node in function.node)]
    found = {node.op_type.removeprefix("REF::") for node in nodes} - {"Constant"}
    primitives = {by_reference[name] for name in found} - STRUCTURE
    assert {"Conv2D", "BatchNorm", "Sigmoid", "Mul", "ReduceMean"} <= primitives

    onnx_path = export(trained[1], "--file_format", "ONNX", "--file_name", str(tmp_path / "net"))
    operators = {node.op_type for node in onnx.load(onnx_path).graph.node}
    for primitive in primitives | {MINDSPORE_NAME.get(name, name) for name in operators}:
        assert "Ascend" in platforms(primitive), primitive
    assert "Ascend" not in platforms("NoSuchThing")
