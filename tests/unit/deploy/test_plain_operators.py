"""A network that was trained with the CPU kernels is exported with MindSpore's operators alone."""

import onnx
from support.exporting import export, mindir, operators_of, primitives_of
from support.small_network import ONE_BLOCK
from support.small_training import batch, build

from src.design.architecture_file import to_dict
from src.images.preprocess import Preprocess
from src.kernels.library import library
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of


def test_a_network_trained_with_cpu_kernels_is_exported_without_them(tmp_path):
    step = build()
    step(*batch(0))
    cells = [cell for _, cell in step.network.cells_and_names()]
    assert library() is not None and sum(getattr(cell, "native", None) is not None for cell in cells) > 5
    meta = {"model": ONE_BLOCK.name, "architecture": to_dict(ONE_BLOCK), "classes": list("abcd")}
    meta |= {"preprocess": Preprocess(32).as_dict()}
    save_ckpt({name: p.asnumpy() for name, p in weights_of(step.network).items()}, tmp_path / "w.ckpt", meta)
    files = [export(tmp_path, "--file_format", kind, "--file_name", tmp_path / "net") for kind in ("MINDIR", "ONNX")]
    model = onnx.load(files[1])
    used = set(primitives_of(mindir(files[0]))) | set(operators_of(model))
    assert {"Conv2D", "Conv"} <= used and not any("Custom" in name for name in used)
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    assert all(str(library()).encode() not in file.read_bytes() for file in files)
