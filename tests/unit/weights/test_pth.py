"""Files of PyTorch are read without PyTorch: equal tensors, no code of the file, and the right word for each fault."""

import pickle
import random

import ml_dtypes
import numpy as np
import pytest
from support.project import GOLDEN
from support.torch_files import Call, Name, Subclass, torch_save

from src.errors import UserError
from src.weights.pth import read_pth
from src.weights.readers import read_weights

FILES = GOLDEN / "pth"
SMALL = {
    "bn1.weight": [1, 2],
    "bn1.bias": [3, 4],
    "bn1.running_mean": [5, 6],
    "bn1.running_var": [7, 8],
}
EXPECTED = {  # what the program in tests/golden/README.md has written
    "conv_stem.weight": np.arange(24).reshape(2, 3, 2, 2),
    **{name: np.array(values) for name, values in SMALL.items()},
    "bn1.num_batches_tracked": np.array(9),
    "classifier.weight": np.arange(60).reshape(5, 12)[:, ::4],
    "classifier.bias": np.arange(5),
}
TRAINING = {f"state_dict/{name}": value for name, value in EXPECTED.items()} | {
    f"state_dict_ema/{name}": value + 100 * (value.ndim > 0) for name, value in EXPECTED.items()
}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].shape == value.shape, name
        np.testing.assert_array_equal(found[name].astype(np.float64), value, err_msg=name)


@pytest.mark.parametrize("name", ["plain.pth", "legacy.pth"])
def test_a_state_dict_is_read_as_it_was_written(name):
    tensors, meta = read_pth(FILES / name)
    assert_equal(tensors, EXPECTED)
    assert meta == {}
    assert {value.dtype.name for value in tensors.values()} == {"float32", "int64"}


def test_a_training_checkpoint_has_raw_and_averaged_weights():
    """With an argparse.Namespace, objects of its own classes, NumPy numbers, a set, and the state of an optimizer."""
    tensors = read_pth(FILES / "training.pth.tar")[0]
    assert tensors.pop("rng").dtype == np.uint8
    assert_equal(tensors, TRAINING)


@pytest.mark.parametrize("name, dtype", [("bfloat16", ml_dtypes.bfloat16), ("float8_e5m2", ml_dtypes.float8_e5m2)])
def test_numbers_of_few_bits_are_read(name, dtype):
    tensors, _ = read_pth(FILES / f"{name}.pth")
    assert_equal(tensors, {key: value.astype(dtype) if value.ndim else value for key, value in EXPECTED.items()})


def test_parts_of_a_tensor_are_read():
    tensors, _ = read_pth(FILES / "views.pth")
    assert_equal(tensors, {"a.w": np.arange(10, 14), "b.w": np.arange(20, 32).reshape(3, 4).T})


@pytest.mark.parametrize(
    "name, words",
    [
        (
            "object.pth",
            "holds objects of Python, such as a whole network or NumPy arrays, but no state dict; save",
        ),
        ("quantized.pth", "conv_stem.weight is no plain tensor"),
    ],
)
def test_what_is_sound_but_no_state_dict_is_not_called_damaged(name, words):
    with pytest.raises(UserError, match=f"{name}.*{words}") as error:
        read_pth(FILES / name)
    assert "damaged" not in str(error.value)


@pytest.mark.parametrize("name", ["plain.pth", "legacy.pth", "training.pth.tar"])
def test_a_file_that_was_cut_is_damaged(name, tmp_path):
    content = (FILES / name).read_bytes()
    for size in range(40, len(content) - 1, len(content) // 25):
        (tmp_path / name).write_bytes(content[:size])
        with pytest.raises(UserError, match=f"{name} is damaged; fetch it again$"):
            read_pth(tmp_path / name)


def test_no_changed_byte_ends_in_another_error(tmp_path):
    rng, path = random.Random(3), tmp_path / "w.pth"
    contents = [(FILES / name).read_bytes() for name in ("plain.pth", "legacy.pth", "training.pth.tar")]
    for _ in range(300):
        content = bytearray(rng.choice(contents))
        content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(content)
        try:
            read_pth(path)
        except UserError as error:
            assert str(path) in str(error) and "\n" not in str(error)


class Malicious:
    """An object whose pickle calls a function of Python."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_no_code_of_a_file_runs(tmp_path):
    magic = (FILES / "legacy.pth").read_bytes()[: len(pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2))]
    trap = tmp_path / "trap"
    parts = [1001, {}, {"state_dict": Malicious(trap)}, []]
    content = magic + b"".join(pickle.dumps(part, protocol=2) for part in parts)
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(UserError):
        read_pth(tmp_path / "w.pth")
    assert not trap.exists()
    pickle.loads(pickle.dumps(Malicious(trap)))
    assert trap.exists()  # the usual unpickler would have been caught


@pytest.mark.parametrize("dtype", ["float32", "float16", ml_dtypes.bfloat16])
def test_numbers_of_a_big_endian_machine_are_read(dtype, tmp_path):
    values = {"a.w": np.arange(6).reshape(2, 3).astype(dtype), "n": np.array(9)}
    assert_equal(read_pth(torch_save(values, tmp_path / "w.pth", byte_order="big"))[0], values)


MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)
ADAM = {"state": {0: {"exp_avg": MATRIX, "step": np.array(9)}}, "param_groups": [{"lr": 0.1}]}


def test_what_is_no_tensor_is_passed_over(tmp_path):
    """Numbers, lists and states of optimizers, beside the weights and around them."""
    state = {"w": MATRIX, "epoch": 3, "name": "x", "rates": [0.1, MATRIX], "none": None}
    content = {"model": state, "optimizer": ADAM, "history": [MATRIX], "best": 71.5, "arch": "tinynet_e"}
    assert_equal(read_pth(torch_save(content, tmp_path / "w.pth"))[0], {"model/w": MATRIX})


@pytest.mark.parametrize(
    "content, words",
    [
        (MATRIX, "a single tensor"),
        ([MATRIX], "a list"),
        ("text", "a number or a text"),
        ({"optimizer": ADAM, "epoch": 3}, "a dictionary without matrices"),
        (
            {"model": Call(Name("mine", "Network")), "best": np.array(3.0)},
            "objects of Python, .*",
        ),
    ],
)
def test_what_stands_in_the_place_of_a_state_dict_is_named(content, words, tmp_path):
    with pytest.raises(UserError, match=f"w.pth holds {words}, but no state dict; save the network's state_dict"):
        read_pth(torch_save(content, tmp_path / "w.pth"))


def test_tensors_of_subclasses_are_read(tmp_path):
    assert_equal(read_pth(torch_save({"w": Subclass(MATRIX)}, tmp_path / "w.pth"))[0], {"w": MATRIX})


@pytest.mark.parametrize("key", ["model", "state_dict", "model_state_dict", "net", "weights"])
@pytest.mark.parametrize("average", ["state_dict_ema", "model_ema", "ema_state_dict", "ema"])
def test_a_state_dict_and_its_average_may_have_any_usual_keys(key, average, tmp_path):
    state = {"conv_stem.weight": MATRIX, "classifier.weight": MATRIX}
    averaged = {name: value + 1 for name, value in state.items()}
    path = torch_save({key: state, average: averaged, "epoch": 3}, tmp_path / "w.pth")
    assert_equal(read_weights(path, "raw").tensors, state)
    assert_equal(read_weights(path).tensors, averaged)
