"""The arguments of the launcher decide how many workers start on which devices."""

import json
import socket

import pytest

from src.config import LaunchConfig
from src.errors import UserError
from src.launch import plan as plan_module
from src.launch.job import Job
from src.launch.plan import free_port, plan, visible_npus


def planned(workers="auto", **options):
    return plan(LaunchConfig(workers=str(workers), **options))


@pytest.fixture(autouse=True)
def devices(monkeypatch):
    """Sets the NPUs of this machine; at first it has none."""

    def have(*numbers):
        monkeypatch.setattr(plan_module, "visible_npus", lambda: list(numbers))

    have()
    monkeypatch.setattr(plan_module, "free_port", lambda: 4567)
    return have


@pytest.fixture
def table(tmp_path):
    """Writes a rank table of `servers`, lists of device numbers; returns its path."""

    def write(*servers):
        rows = [
            {"server_id": f"10.0.0.{index + 1}", "device": [{"device_id": number} for number in numbers]}
            for index, numbers in enumerate(servers)
        ]
        path = tmp_path / "rank table.json"
        path.write_text(json.dumps({"server_list": rows}))
        return path

    return write


def test_without_npus_two_workers_or_the_given_number():
    assert planned() == Job(2, 2, port=4567)
    assert planned(5) == Job(5, 5, port=4567)


def test_all_npus_or_the_first_of_them(devices):
    devices("0", "2", "5")
    assert planned() == Job(3, 3, port=4567, devices="0,2,5")
    assert planned(2) == Job(2, 2, port=4567, devices="0,2")


def test_a_training_on_the_cpu_leaves_the_npus_alone(devices):
    devices("0", "2", "5")
    assert planned(device_target="CPU") == Job(2, 2, port=4567)


def test_more_workers_than_npus_is_a_mistake(devices):
    devices("0", "1")
    with pytest.raises(UserError, match="workers is 3, but this machine has 2 NPUs; choose 1 to 2"):
        planned(3)


def test_visible_devices_are_the_npus(monkeypatch):
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "4,6")
    assert visible_npus() == ["4", "6"]


def test_several_machines_have_ranks_one_after_another(devices):
    devices("0", "1", "2", "3")
    options = {"nodes": 3, "node_rank": 2, "master_addr": "10.0.0.1"}
    assert planned(**options) == Job(4, 12, 8, 2, "10.0.0.1", 8118, "0,1,2,3")
    assert planned(**options, master_port=9000).port == 9000


def test_a_rank_table_of_one_server(table):
    path = table(["1", "3"])
    assert planned(path) == Job(2, 2, port=4567, devices="1,3", rank_table=path)


def test_a_rank_table_of_two_servers_names_nodes_and_master(table):
    path = table(["0", "1"], [4, 5])
    assert planned(path) == Job(2, 4, 0, 0, "10.0.0.1", 8118, "0,1", path)
    assert planned(path, node_rank=1) == Job(2, 4, 2, 1, "10.0.0.1", 8118, "4,5", path)


def test_the_master_of_a_rank_table_can_be_another(table):
    assert planned(table(["0", "1"], [4, 5]), master_addr="host", nodes=2).master == "host"


def test_a_rank_table_says_how_many_nodes_there_are(table):
    with pytest.raises(UserError, match="node_rank is 2, but .* lists 1 nodes; expected 0 to 0"):
        planned(table(["0"]), node_rank=2)
    with pytest.raises(UserError, match="nodes is 3, but .* lists 1; leave --nodes out"):
        planned(table(["0"]), nodes=3)


def test_a_free_port_can_be_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
