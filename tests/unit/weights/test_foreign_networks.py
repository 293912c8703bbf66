"""Networks of other collections: their own logits from their own files, at even and odd sizes, and back out again."""

import mindspore as ms
import numpy as np
import pytest
from safetensors.numpy import load_file
from support.foreign import foreign, write

from src.config import EvalConfig
from src.deploy.weights_only import save_weights
from src.errors import UserError
from src.images.preprocess import Preprocess
from src.models import LoadedModel, architecture_of, create_model, load_model
from src.weights.ckpt import read_ckpt
from src.weights.loading import load_weights
from src.weights.readers import read_weights

COMPUTED = [  # in the suite; the others are long tests
    ("mindcv_efficientnet_b0", "mindcv"),
    ("tf_efficientnet_b0", "timm"),
    ("zoo_official_efficientnet_b1", "zoo"),
]
OTHERS = [
    ("mindcv_ghostnet_100", "mindcv"),
    ("tf_efficientnet_b5", "timm"),
    ("zoo_ghostnet_1x", "zoo"),
    ("zoo_s_ghostnet_b1", "zoo"),
    ("zoo_tinynet_c", "zoo"),
]


def loaded(name, folder):
    """Return the network of ours with the weights of another collection's file, and these weights."""
    network = foreign(name)
    state = network.state()
    flat = np.concatenate([value.ravel().astype(np.float64) for value in state.values()])
    np.testing.assert_allclose([flat.sum(), np.linalg.norm(flat)], network.checksum, rtol=1e-9)
    cells = create_model(network.ours, ckpt=write(folder / f"{name}.ckpt", state))
    return cells.set_train(False), state


def assert_computes_the_logits(cells, name, sizes):
    for size in sizes:
        expected = foreign(name).logits[size]
        found = cells(ms.Tensor(foreign(name).images(size))).asnumpy()
        assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max(), size


def assert_comes_out_again(cells, state, name, collection, folder):
    """Compare names, shapes and bits of exported weights with those that were loaded."""
    used = {key: value for key, value in state.items() if key not in foreign(name).unused}
    model = LoadedModel(name, cells, Preprocess(32), (), None, None)
    for suffix, read in ((".safetensors", load_file), (".ckpt", lambda path: read_ckpt(path)[0])):
        if (collection, suffix) == ("timm", ".ckpt"):
            continue  # a checkpoint of this project, which test_models.py reads again
        save_weights(model, folder / f"out{suffix}", collection)
        found = read(folder / f"out{suffix}")
        assert found.keys() == used.keys()
        for key, value in used.items():
            assert found[key].shape == value.shape and found[key].tobytes() == value.tobytes(), key


@pytest.mark.parametrize("name, collection", COMPUTED)
def test_a_file_gives_the_logits_of_its_network_and_comes_out_again(pynative, name, collection, tmp_path):
    cells, state = loaded(name, tmp_path)
    assert_computes_the_logits(cells, name, (97, 110))
    assert_comes_out_again(cells, state, name, collection, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name, collection", [*COMPUTED, *OTHERS])
def test_all_files_give_the_logits_of_their_networks_at_all_sizes(pynative, name, collection, tmp_path):
    cells, state = loaded(name, tmp_path)
    assert_computes_the_logits(cells, name, foreign(name).logits)
    assert_comes_out_again(cells, state, name, collection, tmp_path)


@pytest.mark.parametrize("fault", ["renamed", "missing", "surplus", "shape"])
def test_a_fault_of_a_file_is_named_although_no_model_is(fault, tmp_path):
    state = {key: np.zeros(shape, np.float32) for key, shape in foreign("zoo_tinynet_c").shapes.items()}
    name = "blocks.layer.1.0.conv_dw.weight"
    if fault == "renamed":
        state["blocks.layer.1.0.conv_depth.weight"] = state.pop(name)
    elif fault == "missing":
        del state[name]
    elif fault == "surplus":
        state["blocks.layer.9.0.conv_dw.weight"] = state[name]
    else:
        state[name] = state[name][:-1]
    words = {
        "renamed": f"1 of its 292 tensors is missing, such as {name}",
        "missing": f"1 of its 292 tensors is missing, such as {name}",
        "surplus": r"1 of its tensors does not belong to this one \(tinynet_c\), such as blocks.layer.9.0.conv_dw",
        "shape": rf"{name} is \[47, 1, 3, 3\] there and \[48, 1, 3, 3\] here",
    }
    with pytest.raises(UserError, match=words[fault]):
        load_model(EvalConfig(ckpt=write(tmp_path / "w.ckpt", state)))


def test_hard_swish_has_no_counterpart(tmp_path):
    state = {key: np.zeros(shape, np.float32) for key, shape in foreign("zoo_official_efficientnet_b0").shapes.items()}
    with pytest.raises(UserError, match=r"w.ckpt is of .*zoo \(EfficientNet, folder b0\): .* hard swish"):
        read_weights(write(tmp_path / "w.ckpt", state))


def test_a_head_of_other_classes_is_replaced_under_any_name(tmp_path):
    tensors = {key: np.zeros(shape, np.float32) for key, shape in foreign("mindcv_ghostnet_100").shapes.items()}
    file = read_weights(write(tmp_path / "w.ckpt", tensors))
    network = create_model(architecture_of("ghostnet_100", file.meta, file), num_classes=3)
    with pytest.raises(UserError, match="1000 classes, the network 3"):
        load_weights(network, file)
    assert load_weights(network, file, replace_head=True).replaced == ("classifier.weight", "classifier.bias")
