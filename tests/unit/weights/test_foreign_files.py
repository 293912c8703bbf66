"""Files as users of other programs have them: each gives its values to the network, or is refused in one right line."""

from collections import OrderedDict

import numpy as np
import pytest
from mindspore.train.checkpoint_pb2 import Checkpoint
from safetensors.numpy import save_file
from support.foreign import write
from support.small_network import ONE_BLOCK, ONE_BLOCK_FILE
from support.torch_files import Call, Name, torch_save

from src.config import EvalConfig
from src.errors import UserError
from src.models import load_model
from src.weights.names import timm_names, weights_of
from src.weights.sources import PROJECT, TIMM


def drawn(source, classes=5, seed=0):
    """Return weights of the network of one block, by the names of a source."""
    rng = np.random.RandomState(seed)
    shapes = source.shapes(ONE_BLOCK)
    return {
        name: rng.uniform(0.5, 1.5, (classes, *shape[1:]) if name.startswith("classifier") else shape).astype("f4")
        for name, shape in shapes.items()
    }


TORCH, MINDSPORE = drawn(TIMM), drawn(PROJECT)
AVERAGE = {name: value + 1 for name, value in TORCH.items()}
COUNTERS = {name.replace("running_var", "num_batches_tracked"): np.array(7) for name in TORCH if "running_var" in name}
MOMENTS = {f"moments.{name}": value for name, value in MINDSPORE.items() if "moving" not in name}
SGD = {"state": {0: {"momentum_buffer": TORCH["bn1.weight"]}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
NAMESPACE = Call(Name("argparse", "Namespace"))


def under(prefix, tensors):
    return {prefix + name: value for name, value in tensors.items()}


def pth(content):
    return lambda path: torch_save(content, path)


def safetensors(tensors, **metadata):
    return lambda path: save_file(tensors, path, metadata)


def ckpt(tensors):
    return lambda path: write(path, tensors)


def with_texts(path):
    """A checkpoint of MindSpore with `append_info`: a number and a text."""
    message = Checkpoint.FromString(write(path, MINDSPORE | {"epoch_num": np.array(3)}).read_bytes())
    record = message.value.add(tag="note").tensor
    record.tensor_type, record.tensor_content = "str", b"best so far"
    path.write_bytes(message.SerializeToString())


SWA = {"n_averaged": np.array(9)} | under("module.", AVERAGE)  # of torch.optim.swa_utils.AveragedModel
LIGHTNING = {
    "epoch": 3, "global_step": 900, "pytorch-lightning_version": "2.4.0", "loops": {"fit_loop": {"state_dict": {}}},
    "callbacks": {"ModelCheckpoint": {"best_model_score": np.array(0.7), "best_k_models": {"a.ckpt": np.array(0.7)}}},
    "optimizer_states": [SGD], "lr_schedulers": [{"last_epoch": 3}], "hyper_parameters": {"lr": 0.1},
}  # fmt: skip
LOADED = {
    "state dict": (pth(TORCH), TORCH),
    "float16": (pth({name: value.astype("f2") for name, value in TORCH.items()}), TORCH),
    "float64": (safetensors({name: value.astype("f8") for name, value in TORCH.items()}), TORCH),
    "counters": (pth(TORCH | COUNTERS), TORCH),
    "counters of 32 bits": (safetensors(TORCH | {key: np.int32(1).reshape(1) for key in COUNTERS}), TORCH),
    "float counters": (ckpt(TORCH | {name: np.zeros(1, "f4") for name in COUNTERS}), TORCH),
    "numbers in the state dict": (pth(TORCH | {"epoch": 3, "arch": "net", "acc": 71.5, "ema_decay": 0.999}), TORCH),
    "tensors of numbers": (pth(TORCH | {"ema_decay": np.array(0.999), "rng": np.zeros(99, np.uint8)}), TORCH),
    "lists": (pth({"net": TORCH, "losses": [3.0, 2.0], "history": [TORCH["bn1.bias"]], "names": ["a"]}), TORCH),
    "lists in the state dict": (pth(TORCH | {"losses": [3.0], "history": [TORCH["bn1.bias"]]}), TORCH),
    "tutorial": (pth({"epoch": 3, "model_state_dict": TORCH, "optimizer_state_dict": SGD, "loss": 0.3}), TORCH),
    "timm": (pth({"state_dict": TORCH, "optimizer": SGD, "args": NAMESPACE, "amp_scaler": {"scale": 2.0}}), TORCH),
    "timm with average": (pth({"state_dict": under("module.", TORCH), "state_dict_ema": AVERAGE}), AVERAGE),
    "torchvision": (pth({"model": TORCH, "model_ema": SWA}), AVERAGE),
    "averaged model": (pth(SWA), AVERAGE),
    "average as attribute": (pth(under("model.", TORCH) | under("model_ema.module.", AVERAGE)), AVERAGE),
    "DataParallel and compile": (pth({"model": under("module._orig_mod.", TORCH)}), TORCH),
    "compile and DataParallel": (pth(under("_orig_mod.module.", TORCH)), TORCH),
    "Lightning": (pth(LIGHTNING | {"state_dict": under("model.", TORCH)}), TORCH),
    "Lightning with loss": (
        pth(LIGHTNING | {"state_dict": under("net.", TORCH) | {"criterion.weight": np.ones(5, "f4")}}), TORCH,
    ),
    "Lightning with metric": (
        pth(LIGHTNING | {"state_dict": under("net.", TORCH) | {"val_acc.total": np.array(9)}}), TORCH,
    ),
    "fastai": (pth({"model": TORCH, "opt": {"state": [{"avg_sqr": TORCH["bn1.bias"]}], "hypers": [{}]}}), TORCH),
    "sequence": (pth(under("0.", TORCH)), TORCH),
    "hub's wrapper of timm": (safetensors(under("timm_model.", TORCH), format="pt"), TORCH),
    "any attributes": (safetensors(under("my_student.inner.", TORCH)), TORCH),
    "ordered with metadata": (pth(OrderedDict(TORCH)), TORCH),
    "two levels": (pth({"checkpoint": {"model": under("module.", TORCH), "step": 3}}), TORCH),
    "21,843 classes": (safetensors(drawn(TIMM, 21_843)), drawn(TIMM, 21_843)),
    "1,001 classes": (pth(drawn(TIMM, 1001)), drawn(TIMM, 1001)),
    "MindSpore": (ckpt(MINDSPORE), MINDSPORE),
    "MindSpore in float16": (ckpt({name: value.astype("f2") for name, value in MINDSPORE.items()}), MINDSPORE),
    "momentum": (
        ckpt(MINDSPORE | MOMENTS | {"learning_rate": np.ones(900, "f4"), "momentum": np.float32(0.9)}), MINDSPORE,
    ),
    "network and momentum": (
        ckpt(under("network.", MINDSPORE | MOMENTS) | {"global_step": np.array([9]), "learning_rate": np.float32(1)}),
        MINDSPORE,
    ),
    "settings": (
        ckpt(MINDSPORE | {name: np.ones(3, "f4") for name in ("lr", "weight_decay", "step")}), MINDSPORE,
    ),
    "loss scale": (
        ckpt(MINDSPORE | {"loss_scale.scale": np.float32(1024), "loss_scale.good_steps": np.array([3], np.int32)}),
        MINDSPORE,
    ),
    "classifier in the outer Cell": (
        ckpt({("" if "classifier" in name else "backbone.") + name: value for name, value in MINDSPORE.items()}),
        MINDSPORE,
    ),
    "text": (with_texts, MINDSPORE),
}  # fmt: skip


@pytest.mark.parametrize("name", LOADED)
def test_a_file_gives_its_values_to_the_network(name, tmp_path):
    writer, expected = LOADED[name]
    writer(tmp_path / "w.ckpt")
    model = load_model(EvalConfig(ckpt=tmp_path / "w.ckpt", model=str(ONE_BLOCK_FILE)))
    names = timm_names(model.network)
    half = 1e-3 if "16" in name else 0
    for own, parameter in weights_of(model.network).items():
        value = expected[names[own] if names[own] in expected else own]
        np.testing.assert_allclose(parameter.asnumpy(), value, rtol=half, atol=0)


WITHOUT = {key: value for key, value in TORCH.items() if key != "bn2.bias"}
REFUSED = {
    "transposed classifier": (
        pth(TORCH | {"classifier.weight": TORCH["classifier.weight"].T}),
        r"classifier.weight has the shape \[16, 5\] and its bias \[5\]",
    ),
    "one part of several": (pth(WITHOUT), "1 of its 26 tensors is missing, such as bn2.bias"),
    "another layer": (
        pth(TORCH | {"neck.weight": np.ones(3, "f4")}),
        "1 of its tensors does not .* neck.weight",
    ),
    "learned activation": (pth(TORCH | {"act1.weight": np.ones(1, "f4")}), "1 of its tensors does not .* act1.weight"),
    "normalization": (
        pth(under("1.", TORCH) | {"0.mean": np.ones(3, "f4"), "0.std": np.ones(3, "f4")}),
        "2 of its tensors do not belong to this one .one_block., such as 0.mean",
    ),
    "classifier as a convolution": (
        pth(TORCH | {"classifier.weight": TORCH["classifier.weight"][:, :, None, None]}),
        r"classifier.weight has the shape \[5, 16, 1, 1\] and its bias \[5\]; expected \(classes, features\)",
    ),
    "no classifier": (
        pth({name: value for name, value in TORCH.items() if "classifier" not in name}),
        "holds no classifier.weight, but conv_stem.weight: expected the weights of a network that this project has",
    ),
    "another network": (
        pth({"layer1.0.conv1.weight": np.ones((3, 3), "f4"), "fc.weight": np.ones((5, 3), "f4")}),
        "holds no classifier.weight, but layer1.0.conv1.weight",
    ),
    "teacher and student": (
        pth(under("student.", TORCH) | under("teacher.", AVERAGE)),
        "holds several networks, under student and teacher; save one of them in a file of its own",
    ),
    "whole module": (pth({"model": Call(Name("mine", "Net")), "epoch": 3}), "holds objects of Python"),
    "quantized": (
        pth(TORCH | {"conv_stem.weight": Call(Name("torch._utils", "_rebuild_qtensor"))}),
        "conv_stem.weight is no plain tensor, but a quantized or sparse one",
    ),
    "integers": (
        safetensors(TORCH | {"conv_stem.weight": np.ones((8, 3, 3, 3), np.int8)}),
        "conv_stem.weight is of type int8; expected floating-point weights",
    ),
    "optimizer": (pth(SGD), "holds a dictionary without matrices, but no state dict"),
    "features of another width": (
        pth(TORCH | {"conv_head.weight": np.ones((17, 8, 1, 1), "f4")}),
        r"conv_head.weight is \[17, 8, 1, 1\] there and \[16, 8, 1, 1\] here; is --model right",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_does_not_fit_is_refused_in_one_right_line(name, tmp_path):
    writer, words = REFUSED[name]
    writer(tmp_path / "w.pth")
    with pytest.raises(UserError, match=words) as error:
        load_model(EvalConfig(ckpt=tmp_path / "w.pth", model=str(ONE_BLOCK_FILE)))
    assert "\n" not in str(error.value) and "damaged" not in str(error.value)


def test_the_classifier_is_of_the_network_and_not_only_of_the_right_rank(tmp_path):
    path = torch_save(TORCH | {"classifier.weight": np.ones((5, 9), "f4")}, tmp_path / "w.pth")
    with pytest.raises(UserError, match=r"classifier.weight is \[5, 9\] there and \[5, 16\] here"):
        load_model(EvalConfig(ckpt=path, model=str(ONE_BLOCK_FILE)))
