"""A MINDIR file is the same whenever the same network is exported, and in whatever folder."""

import random
import re

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn
from mindspore.train import mind_ir_pb2
from support.exporting import mindir
from support.small_network import one_block

from src.deploy.deployed_network import DeployedNetwork
from src.deploy.mindir_file import make_reproducible, write_mindir
from src.images.preprocess import Preprocess
from src.runtime.files import plain_path


@pytest.fixture(scope="module")
def graph():
    return DeployedNetwork(one_block(num_classes=3).set_train(False), Preprocess(32))


@pytest.fixture(scope="module")
def images():
    return ms.Tensor(np.random.default_rng(0).standard_normal((1, 3, 32, 32), np.float32))


@pytest.fixture(scope="module")
def raw(graph, images, tmp_path_factory):
    """The file that MindSpore itself writes."""
    path = tmp_path_factory.mktemp("raw") / "net.mindir"
    ms.export(graph, images, file_name=str(path), file_format="MINDIR")
    return path


def of_another_process(model, seed):
    """Return a model as MindSpore writes it in another process: with other orders, another time and address."""
    rng, other = random.Random(seed), mind_ir_pb2.ModelProto()
    other.CopyFrom(model)
    primitives = rng.sample(list(other.primitives), len(other.primitives))
    del other.primitives[:]
    other.primitives.extend(primitives)
    for attribute in other.graph.attribute:
        if attribute.name == "compile_phase":
            attribute.s = f"export.mindir.{rng.random()}".encode()

    def shuffled(name):
        before, number = re.fullmatch(r"(.*?)(:\d+)?", name).groups()
        first, *words = before.split("$")
        seeded = random.Random(f"{seed}{name}")  # the same for every mention of a name
        return "$".join([first, *seeded.sample(words, len(words))]) + (number or "")

    for node in other.graph.node:
        node.name = shuffled(node.name)
        node.input[:] = map(shuffled, node.input)
        node.output[:] = map(shuffled, node.output)
    return other


def test_models_of_two_processes_become_equal(raw):
    models = [of_another_process(mindir(raw), seed) for seed in (1, 2)]
    assert models[0] != models[1]
    for model in models:
        make_reproducible(model)
    assert models[0] == models[1]
    assert b"export.mindir." not in models[0].SerializeToString()


def test_a_model_still_computes_the_same(graph, images, raw, tmp_path):
    folder = tmp_path / "with space"
    folder.mkdir()
    with plain_path(folder) as plain:
        write_mindir(graph, images, plain / "net.mindir")
    found, expected = (nn.GraphCell(ms.load(str(path)))(images) for path in (folder / "net.mindir", raw))
    assert np.array_equal(found.asnumpy(), expected.asnumpy())
