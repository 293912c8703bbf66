"""An 8-bit file compared with its float file: counts and words."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from src.deploy import comparison
from src.deploy.comparison import Comparison, Score, compare
from src.deploy.output import Differences, Output
from src.deploy.same_class import SameClass
from src.deploy.verification import run_onnx

LOGITS = Output("logits", (4,), {}, "of the largest logit")


def write_linear(path, weight):
    """Write an ONNX file that multiplies its input (n, 3) by `weight` (3, 4)."""
    tensor = onnx.numpy_helper.from_array(weight.astype(np.float32), "weight")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["image", "weight"], ["logits"])],
        "linear",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 4])],
        [tensor],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.fixture
def files(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """Two files whose logits differ a little."""
    monkeypatch.setattr(comparison, "ROUNDS", 1)
    rng = np.random.RandomState(0)
    weight = rng.randn(3, 4)
    changed = write_linear(tmp_path / "int8.onnx", weight + 0.3 * rng.randn(3, 4))
    return changed, write_linear(tmp_path / "float.onnx", weight)


@pytest.fixture
def batches():
    return list(np.random.RandomState(1).randn(2, 3, 3).astype(np.float32))


@pytest.fixture
def labels(files, batches):
    """The classes that the float file names, for the first four images."""
    return np.concatenate([run_onnx(files[1], batch)[0] for batch in batches]).argmax(1)[:4]


def compared(path, source, batches, count, labels=None):
    return compare(path, source, (LOGITS,), batches, count, SameClass(labels))


def test_only_the_first_images_are_compared(files, batches, labels):
    found = compared(*files, batches, 4, labels)
    assert found.images == 4
    assert 4 * found.agreement / 100 in range(5)


def test_accuracies_are_those_of_the_labels(files, batches, labels):
    result = compared(*files, batches, 4, labels)
    assert result.as_dict()["float_top1"] == 100
    assert result.as_dict()["top1"] == result.agreement


def test_without_labels_there_are_no_accuracies(files, batches):
    assert {"top1", "float_top1"}.isdisjoint(compared(*files, batches, 6).as_dict())


def test_a_file_does_not_differ_from_itself(files, batches):
    result = compared(files[1], files[1], batches, 6)
    assert result.as_dict()["largest_difference"] == 0
    assert result.agreement == 100


def test_sizes_are_those_of_the_files(files, batches):
    result = compared(*files, batches, 6)
    assert (result.bytes, result.float_bytes) == tuple(path.stat().st_size for path in files)


def differences(value):
    found = Differences((LOGITS,))
    found.add([np.array([1 - value])], [np.array([1.0])])
    return found


def test_a_slower_file_is_called_slower():
    result = Comparison(360, "class", 99.5, differences(0.04), 1.25, 1_000_000, 3_000_000)
    assert str(result) == (
        "same class for 99.50 % of 360 images, largest difference 0.04 of the largest logit, "
        "1.00 MB instead of 3.00 MB, 1.25 x the time: slower on this machine's CPU"
    )


def test_accuracies_come_first():
    scores = (Score("top1", "top-1", 98.0, 99.0),)
    result = Comparison(360, "class", 99.5, differences(0.04), 0.5, 1_000_000, 3_000_000, scores)
    assert str(result).startswith("top-1 98.00 % instead of 99.00 % (-1.00), same class")
    assert str(result).endswith("2.00 x as fast on this machine's CPU")
