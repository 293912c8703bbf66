"""Weights, averages and what a training keeps beside them are told apart, and nothing is lost without a word."""

from pathlib import Path

import numpy as np
import pytest
from mindspore import nn

from src.errors import UserError
from src.weights.records import OPTIMIZER_STATES, sort_records

WEIGHTS = ("conv_stem.weight", "bn1.gamma", "bn1.moving_mean", "classifier.bias")
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
    records = sort(weights=filled(WEIGHTS), number={prefix + name: np.zeros(shape, np.float32)})
    assert (tuple(records.raw), records.others) == (WEIGHTS, [prefix + name])


def test_a_vector_without_a_dot_in_its_name_is_kept_so_that_it_is_named():
    assert "surplus" in sort(weights=filled(WEIGHTS), more=filled(["surplus"])).raw


def test_counters_of_layers_are_passed_over():
    counters = {"bn1.num_batches_tracked": np.array(7), "dropout.uniform.calls": np.array(3, np.int32)}
    records = sort(weights=filled(WEIGHTS), counters=counters)
    assert (tuple(records.raw), records.others) == (WEIGHTS, [])


@pytest.mark.parametrize("wrapper", ["network.", "net.", "backbone.", "_backbone.", "module.", "network._backbone."])
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


def test_two_networks_in_one_file_are_refused():
    with pytest.raises(UserError, match="w.ckpt holds bn1.gamma twice, once as network.bn1.gamma"):
        sort(weights=filled(WEIGHTS), more=filled(["network.bn1.gamma"]))
