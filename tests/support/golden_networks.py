"""Compare networks with the logits and features that timm computes for seeded weights."""

import json

import mindspore as ms
import numpy as np
from mindspore import Tensor
from safetensors.numpy import save_file

from src.models import create_model
from src.weights.loading import load_weights
from src.weights.names import timm_names, weights_of
from src.weights.readers import read_weights
from support.project import GOLDEN
from support.seeded_weights import seeded_images, seeded_state


def assert_equals_timm(name, folder):
    """Compare names, shapes, logits and the features before the classifier; values within 1e-4 of the largest."""
    golden, info = np.load(GOLDEN / f"{name}_seed7.npz"), json.loads((GOLDEN / f"{name}.json").read_text())
    save_file(seeded_state(info["parameters"], 7, golden), folder / "model.safetensors")
    network = create_model(name).set_train(False)
    parameters = weights_of(network)
    shapes = {timm: list(parameters[own].shape) for own, timm in timm_names(network).items()}
    assert shapes == info["parameters"]
    report = load_weights(network, read_weights(folder / "model.safetensors"))
    assert len(report.loaded) == len(info["parameters"]) and not report.skipped

    images = Tensor(seeded_images(2, info["input_size"], 7))
    logits = network(images).asnumpy()
    ms.set_context(mode=ms.PYNATIVE_MODE)  # one graph is enough
    try:
        features = network.forward_head(network.forward_features(images), pre_logits=True).asnumpy()
    finally:
        ms.set_context(mode=ms.GRAPH_MODE)
    for found, expected in ((logits, golden["logits"]), (features, golden["features"])):
        assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()
