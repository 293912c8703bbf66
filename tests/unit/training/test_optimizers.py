import numpy as np
import pytest
from mindspore import Parameter, Tensor, nn

from src.training.optimizers import AdamW, RMSProp


def updates(make, size, launches=20):
    """The bits that `launches` updates from one and the same state and gradient give, each only once."""
    rng = np.random.RandomState(size)
    optimizer = make([Parameter(Tensor(rng.randn(size).astype(np.float32)), name="weight")])
    gradient = Tensor(rng.randn(size).astype(np.float32))
    state = {p.name: p.asnumpy().copy() for p in optimizer.get_parameters()}
    found = set()
    for _ in range(launches):
        for parameter in optimizer.get_parameters():
            parameter.set_data(Tensor(state[parameter.name]))
        optimizer((gradient,))
        found.add(b"".join(p.asnumpy().tobytes() for p in optimizer.get_parameters()))
    return found


OPTIMIZERS = {
    "rmsprop": lambda parameters: RMSProp(parameters, 0.1, momentum=0.9, epsilon=1e-3),
    "sgd": lambda parameters: nn.SGD(parameters, 0.1, momentum=0.9),
    "adamw": lambda parameters: AdamW(parameters, 0.1, weight_decay=0.1),
}


@pytest.mark.parametrize("size", [8, 24, 100, 1280])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_has_the_same_bits_at_every_launch(name, size):
    assert len(updates(OPTIMIZERS[name], size)) == 1
