"""Files of PyTorch are read without PyTorch: equal tensors, no code of the file, and the right word for each fault."""

import pickle
import random

import ml_dtypes
import numpy as np
import pytest
from support.project import GOLDEN

from src.errors import UserError
from src.weights.pth import Storage, StoredTensor, _state, read_pth

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
AVERAGED = {f"ema.{name}": value + 100 * (value.ndim > 0) for name, value in EXPECTED.items()}


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
    assert_equal(read_pth(FILES / "training.pth.tar")[0], EXPECTED | AVERAGED)


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
        ("object.pth", "holds an object of Python, such as a whole network; save its state_dict"),
        ("quantized.pth", "conv_stem.weight is no plain tensor"),
    ],
)
def test_what_is_sound_but_no_state_dict_is_not_called_damaged(name, words):
    with pytest.raises(UserError, match=f"{name}.*{words}") as error:
        read_pth(FILES / name)
    assert "damaged" not in str(error.value)


def test_a_file_of_another_program_is_not_called_damaged(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"these are no weights")
    with pytest.raises(UserError, match="w.pth is not a file of PyTorch's torch.save$"):
        read_pth(tmp_path / "w.pth")


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


@pytest.mark.parametrize("content, names", [(["state_dict", "model"], "state_dict and model"), (["model"], "")])
def test_one_state_dict_of_several_is_not_taken_for_the_file(content, names, tmp_path):
    state = {"w": StoredTensor(Storage("0", np.dtype(np.float32), 1), 0, (1,), (1,), np.dtype(np.float32))}
    stored = {"state_dict": {}, "epoch": 3} | {key: state for key in content}
    if names:
        with pytest.raises(UserError, match=f"holds state dicts under {names}; save one of them"):
            _state(stored, tmp_path)
    else:
        assert _state(stored, tmp_path) == state


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "ema_state_dict", "ema"])
def test_averages_have_several_usual_keys(key, tmp_path):
    tensor = StoredTensor(Storage("0", np.dtype(np.float32), 1), 0, (1,), (1,), np.dtype(np.float32))
    found = _state({"model": {"w": tensor}, key: {"w": tensor}}, tmp_path)
    assert found == {"w": tensor, "ema.w": tensor}
