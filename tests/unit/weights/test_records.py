"""Weights, averages and what a training keeps beside them are told apart, and nothing is lost without a word."""

from pathlib import Path

import numpy as np
import pytest
from mindspore import nn

from src.errors import UserError
from src.weights.records import OPTIMIZER_STATES, sort_records

WEIGHTS = ("conv_stem.weight", "bn1.gamma", "bn1.moving_mean", "classifier.weight")
PATH = Path("w.ckpt")


def filled(names, value=0.0):
    return {name: np.full(3, value, np.float32) for name in names}


def sort(**groups):
    return sort_records({name: value for group in groups.values() for name, value in group.items()}, PATH)


def test_plain_names_are_weights():
    records = sort(weights=filled(WEIGHTS))
    assert tuple(records.raw) == WEIGHTS
    assert records.averaged == {} and records.others == []


@pytest.mark.parametrize("state", OPTIMIZER_STATES)
def test_states_of_optimizers_are_no_weights(state):
    states = filled(state + name for name in WEIGHTS)
    records = sort(states=states, weights=filled(WEIGHTS))
    assert (tuple(records.raw), records.others) == (WEIGHTS, list(states))


OPTIMIZERS = {
    "Momentum": lambda weights: nn.Momentum(weights, 0.1, 0.9),
    "SGD": lambda weights: nn.SGD(weights, 0.1, 0.9),
    "RMSProp": lambda weights: nn.RMSProp(weights, 0.1, centered=True),
    "Adam": nn.Adam,
    "Lamb": lambda weights: nn.Lamb(weights, 0.1),
    "AdaFactor": nn.AdaFactor,
    "ASGD": lambda weights: nn.ASGD(weights, 0.1),
    "Rprop": lambda weights: nn.Rprop(weights, 0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_an_optimizer_of_mindspore_keeps_is_recognized(name):
    network = nn.SequentialCell(nn.Dense(2, 3))
    optimizer = OPTIMIZERS[name](network.trainable_params())
    stored = {parameter.name: parameter.asnumpy() for parameter in optimizer.get_parameters()}
    records = sort_records(stored | {p.name: p.asnumpy() for p in network.get_parameters()}, PATH)
    assert records.raw.keys() == {"0.weight", "0.bias"}
    assert len(records.others) == len(stored.keys() - records.raw.keys()) > 2


def test_a_state_without_its_weight_is_kept_so_that_it_is_named():
    assert "moments.fc.weight" in sort(weights=filled(WEIGHTS), more=filled(["moments.fc.weight"])).raw


@pytest.mark.parametrize(
    "name", ["global_step", "learning_rate", "learning_rate_group_1", "momentum", "loss", "updates"]
)
@pytest.mark.parametrize("prefix", ["", "network."])
def test_numbers_of_the_training_are_no_weights(name, prefix):
    shape = 700 if name.startswith("learning_rate") else ()
    records = sort(weights=filled(prefix + key for key in WEIGHTS), number={prefix + name: np.zeros(shape, np.float32)})
    assert (tuple(records.raw), records.others) == (WEIGHTS, [prefix + name])


SETTINGS = {
    "lr": np.ones(3, np.float32),  # a vector without a dot in its name belongs to no layer
    "weight_decay": np.ones(3, np.float32),
    "loss_scale.good_steps": np.array(3, np.int32),
    "loss_scale.history": np.ones(3, np.float32),
    "criterion.weight": np.ones(3, np.float32),
    "grad_scaler.scale": np.ones(1, np.float32),
    "val_acc.total": np.array(9),
    "callback.steps": np.array([9]),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("wrapper", ["", "network."])
def test_settings_of_a_training_are_no_weights(name, wrapper):
    records = sort(weights=filled(wrapper + key for key in WEIGHTS), setting={name: SETTINGS[name]})
    assert (tuple(records.raw), records.others) == (WEIGHTS, [name])


@pytest.mark.parametrize(
    "name, shape",
    [("surplus", (3, 3)), ("act1.weight", (1,)), ("blocks.0.0.gain", ()), ("neck.fc.bias", (3,)), ("norm.mean", (3,))],
)
def test_what_a_network_may_compute_with_is_kept_so_that_it_is_named(name, shape):
    assert name in sort(weights=filled(WEIGHTS), more={name: np.zeros(shape, np.float32)}).raw


def test_counters_of_layers_are_passed_over():
    counters = {"bn1.num_batches_tracked": np.array(7), "dropout.uniform.calls": np.array(3, np.int32)}
    records = sort(weights=filled(WEIGHTS), counters=counters)
    assert (tuple(records.raw), records.others) == (WEIGHTS, [])


@pytest.mark.parametrize("wrapper", ["network.", "backbone.", "net_with_loss._backbone.", "my_student.inner.", "0."])
def test_the_name_of_the_cell_around_a_network_is_removed(wrapper):
    groups = {
        "weights": filled(wrapper + name for name in WEIGHTS),
        "averages": filled((f"ema.{wrapper}{name}" for name in WEIGHTS), 1.0),
        "states": filled(f"moments.{wrapper}{name}" for name in WEIGHTS),
    }
    records = sort(**groups)
    assert tuple(records.raw) == tuple(records.averaged) == WEIGHTS
    assert records.others == list(groups["states"])
    assert {value.max() for value in records.averaged.values()} == {1.0}


def test_averages_include_running_statistics():
    records = sort(weights=filled(WEIGHTS), averages=filled((f"ema.{name}" for name in WEIGHTS), 1.0))
    assert records.averaged["bn1.moving_mean"].max() == 1.0


@pytest.mark.parametrize("wrapper", ["ema.", "model_ema.module.", "network.ema.", "swa_model.module."])
def test_averages_are_known_by_the_name_of_what_holds_them(wrapper):
    records = sort(
        weights=filled(f"network.{name}" for name in WEIGHTS), averages=filled(map(wrapper.__add__, WEIGHTS))
    )
    assert tuple(records.raw) == tuple(records.averaged) == WEIGHTS


@pytest.mark.parametrize(
    "wrapped", ["_orig_mod.{}.weight", "module._orig_mod.{}.weight", "{}._checkpoint_wrapped_module.weight"]
)
def test_wrappers_of_single_modules_are_removed(wrapped):
    layers = ("conv_stem", "classifier")
    assert sort(weights=filled(map(wrapped.format, layers))).raw.keys() == {f"{layer}.weight" for layer in layers}


@pytest.mark.parametrize("outer", ["", "network."])
def test_a_classifier_may_be_in_a_module_around_the_other_layers(outer):
    body = [outer + "backbone." + name for name in WEIGHTS[:-1]]
    assert tuple(sort(weights=filled([*body, f"{outer}classifier.weight"])).raw) == WEIGHTS


def test_names_outside_of_the_network_are_kept_so_that_they_are_named():
    records = sort(weights=filled(f"backbone.{name}" for name in WEIGHTS), more=filled(["neck.fc.weight"]))
    assert tuple(records.raw) == (*WEIGHTS, "neck.fc.weight")


@pytest.mark.parametrize(
    "one, other, words",
    [
        ("", "network.", "under plain names and network;"),
        ("student.", "teacher.", "under student and teacher;"),
        ("net.", "net.inner.", "under net and net.inner;"),
        ("state_dict/", "model/", "under model and state_dict;"),
        ("ema.", "model_ema.", "under ema and model_ema;"),
    ],
)
def test_no_network_is_chosen_from_several(one, other, words):
    with pytest.raises(UserError, match=f"w.ckpt holds several networks, {words} save one of them"):
        sort(weights=filled(one + name for name in WEIGHTS), more=filled(other + name for name in WEIGHTS))


@pytest.mark.parametrize("place", ["optimizer.", "criterion.teacher.", "network.moments.", "moments.network."])
def test_no_network_is_seen_in_what_a_training_keeps_for_the_same_layers(place):
    kept = filled(place + name for name in WEIGHTS)
    records = sort(weights=filled(f"network.{name}" for name in WEIGHTS), kept=kept)
    assert (tuple(records.raw), len(records.others)) == (WEIGHTS, len(WEIGHTS))


def test_another_dictionary_is_of_the_training():
    records = sort(weights=filled(f"model/{name}" for name in WEIGHTS), more=filled(["extra/table.weight", "rates"]))
    assert (tuple(records.raw), records.others) == (WEIGHTS, ["extra/table.weight", "rates"])


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(UserError, match="w.ckpt holds bn1.gamma twice, once as _orig_mod.bn1.gamma"):
        sort(weights=filled(WEIGHTS), more=filled(["_orig_mod.bn1.gamma"]))
