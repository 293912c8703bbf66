"""Write a MINDIR file whose bytes depend on the network alone.

MindSpore writes three things that differ in every process: the time of the export and an address (`compile_phase`), the
order of the primitives, and the order of the words in a node's name, such as CNode_56$gate$y:31.
"""

from __future__ import annotations

import re
from pathlib import Path

import mindspore as ms
from mindspore import nn
from mindspore.train import mind_ir_pb2

WORDS = re.compile(r"((?:\$\w+)+)(:\d+)$")  # of a node's name, and the number that makes it unique


def write_mindir(graph: nn.Cell, images: ms.Tensor, path: Path) -> None:
    """Export `graph` for the shape of `images`.

    Raises:
        OSError: the file cannot be written.
    """
    ms.export(graph, images, file_name=str(path), file_format="MINDIR")
    model = mind_ir_pb2.ModelProto()
    model.ParseFromString(path.read_bytes())
    make_reproducible(model)
    path.unlink()  # MindSpore has made it read-only
    path.write_bytes(model.SerializeToString(deterministic=True))


def make_reproducible(model: mind_ir_pb2.ModelProto) -> None:
    """Remove from a model what differs between two exports of the same network."""
    primitives = sorted(model.primitives, key=lambda primitive: int(primitive.name.rpartition(":")[2]))
    del model.primitives[:]
    model.primitives.extend(primitives)
    for attribute in model.graph.attribute:
        if attribute.name == "compile_phase":
            attribute.s = b"export"
    for node in model.graph.node:
        node.name = _sorted_words(node.name)
        node.input[:] = map(_sorted_words, node.input)
        node.output[:] = map(_sorted_words, node.output)


def _sorted_words(name: str) -> str:
    return WORDS.sub(lambda found: "$".join(sorted(found[1].split("$"))) + found[2], name)
