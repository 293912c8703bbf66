"""Five compiled training steps of TinyNet-E equal those of PyTorch and timm (tests/golden/README.md says how).

The CPU kernels compute them, and once MindSpore's operators.
"""

import json

import numpy as np
import pytest
from mindspore import Tensor
from support.project import GOLDEN
from support.seeded_weights import seeded_state

from src.classification.loss import NetworkWithLoss
from src.config import RecipeOptions
from src.kernels.library import choose_kernels
from src.models import create_model
from src.networks.layers import use_native_kernels
from src.training.optimizers import build_optimizer
from src.training.step import TrainStep
from src.weights.names import timm_names, weights_of

STEPS, IMAGES, PIXELS, CLASSES = 5, 8, 64, 1000
COMMON = {"ema_decay": 0.9, "drop_path": 0}
SMOOTHING = 0.1
RECIPES = {
    "rmsprop": (0.002, {"rms_decay": 0.9, "momentum": 0.9, "epsilon": 1e-3, "weight_decay": 1e-3}),
    "sgd": (0.01, {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}),
    "adamw": (0.001, {"beta1": 0.9, "beta2": 0.999, "adam_epsilon": 1e-8, "weight_decay": 0.05}),
}
# float32 and float64 differ by 5e-8 to 4e-6 in PyTorch; a wrong decay, epsilon or momentum shows at 1e-4 and above.
TOLERANCE = {"rmsprop": 1e-5, "sgd": 1e-5, "adamw": 1e-4}


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN / "training_tinynet_e.npz")


@pytest.fixture(scope="module")
def start():
    """The seeded weights by timm's names."""
    shapes = json.loads((GOLDEN / "tinynet_e.json").read_text())["parameters"]
    return seeded_state(shapes, 7, np.load(GOLDEN / "tinynet_e_seed7.npz"))


def batches():
    rng = np.random.RandomState(5)
    for _ in range(STEPS):
        images = rng.randn(IMAGES, 3, PIXELS, PIXELS).astype(np.float32)
        yield Tensor(images), Tensor(rng.randint(0, CLASSES, IMAGES).astype(np.int32))


@pytest.fixture(scope="module", params=[*((name, "auto") for name in RECIPES), ("rmsprop", "off")], ids="-".join)
def trained(request, start):
    """The name of an optimizer, its losses, and weights and averages after the last step, by timm's names."""
    kind, kernels = request.param
    choose_kernels(kernels)
    rate, settings = RECIPES[kind]
    recipe = RecipeOptions(optimizer=kind, **COMMON, **settings)
    network = create_model("tinynet_e")
    use_native_kernels(network)
    names, weights = timm_names(network), weights_of(network)
    for name, timm_name in names.items():
        weights[name].set_data(Tensor(start[timm_name]))
    optimizer = build_optimizer(network, recipe, np.full(STEPS, rate, np.float32))
    step = TrainStep(network, NetworkWithLoss(network, CLASSES, SMOOTHING), optimizer, recipe)
    losses = [float(step(*batch).asnumpy()) for batch in batches()]
    averages = {p.name: average for p, average in zip(step.source, step.ema, strict=True)}
    after = [{names[name]: found[name].asnumpy() for name in names} for found in (weights, averages)]
    choose_kernels("auto")
    return kind, losses, dict(zip(("weights", "average"), after, strict=True))


def test_losses_are_those_of_pytorch(trained, golden):
    name, losses, _ = trained
    np.testing.assert_allclose(losses, golden[f"{name}/losses"], rtol=TOLERANCE[name])


@pytest.mark.parametrize("kind", ["weights", "average"])
def test_tensors_are_those_of_pytorch(trained, golden, start, kind):
    name, _, tensors = trained
    rows = zip(golden["names"], golden[f"{name}/{kind}"], golden[f"{name}/{kind}_sure"], strict=True)
    wrong = []
    for tensor, (mean, norm, change), is_sure in rows:
        value = tensors[kind][tensor].astype(np.float64)
        found = np.array([value.mean() * np.sqrt(value.size), *map(np.linalg.norm, (value, value - start[tensor]))])
        error = np.abs(found - [mean * np.sqrt(value.size), norm, change]).max() / norm
        if is_sure and error > TOLERANCE[name]:
            wrong.append((tensor, error))
    assert not wrong
