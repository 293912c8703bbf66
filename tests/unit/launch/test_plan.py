import json
import socket
from pathlib import Path

import pytest

from src.errors import UserError
from src.launch import plan as launch
from src.launch.plan import PROJECT, free_port, main, npus, parse, plan, training
from src.launch.supervisor import Job


def planned(*words):
    return plan(parse([str(word) for word in words])[0])


@pytest.fixture(autouse=True)
def devices(monkeypatch):
    """Sets the NPUs of this machine; none at first."""

    def have(*numbers):
        monkeypatch.setattr(launch, "npus", lambda: list(numbers))

    have()
    monkeypatch.setattr(launch, "free_port", lambda: 4567)
    return have


@pytest.fixture
def table(tmp_path):
    """Writes a rank table of `servers`, lists of device numbers; returns its path."""

    def write(*servers):
        rank = iter(range(100))
        rows = [
            {
                "server_id": f"10.0.0.{server + 1}",
                "device": [{"device_id": d, "device_ip": "192.1.0.1", "rank_id": str(next(rank))} for d in numbers],
            }
            for server, numbers in enumerate(servers)
        ]
        path = tmp_path / "rank table.json"
        content = {"version": "1.0", "server_count": str(len(rows)), "server_list": rows, "status": "completed"}
        path.write_text(json.dumps(content))
        return path

    return write


def test_without_npus_two_workers_or_as_many_as_asked_for():
    assert planned() == planned("") == planned("auto") == Job(2, 2, port=4567)
    assert planned("5") == Job(5, 5, port=4567)


def test_every_npu_or_the_first_of_them(devices):
    devices("0", "2", "5")
    assert planned() == Job(3, 3, port=4567, devices="0,2,5")
    assert planned("2") == Job(2, 2, port=4567, devices="0,2")
    assert planned("--device_target", "CPU") == Job(2, 2, port=4567)


def test_visible_devices_are_the_npus(monkeypatch):
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "4,6")
    assert npus() == ["4", "6"]


def test_several_machines_have_ranks_one_after_another(devices):
    devices("0", "1", "2", "3")
    words = ("--nodes", 3, "--node_rank", 2, "--master_addr", "10.0.0.1")
    assert planned(*words) == Job(4, 12, 8, 2, "10.0.0.1", 8118, "0,1,2,3")
    assert planned(*words, "--master_port", 9000).port == 9000


def test_a_rank_table_of_one_server(table):
    path = table(["1", "3"])
    assert planned(path) == Job(2, 2, port=4567, devices="1,3", rank_table=path)


def test_a_rank_table_of_two_servers_names_nodes_and_master(table):
    path = table(["0", "1"], [4, 5])
    assert planned(path) == Job(2, 4, 0, 0, "10.0.0.1", 8118, "0,1", path)
    assert planned(path, "--node_rank", 1) == Job(2, 4, 2, 1, "10.0.0.1", 8118, "4,5", path)
    assert planned(path, "--master_addr", "host", "--nodes", 2).master == "host"


@pytest.mark.parametrize(
    "words, said",
    [
        (["3"], "3 workers were asked for, this machine has 2 NPUs; take 1 to 2"),
        (["0"], "0 workers were asked for; expected at least 1"),
        (["-1"], None),
        (["many"], "the first argument is 'many'; expected a number of workers or a RANK_TABLE.json"),
        (["--nodes", "2"], "master_addr is missing"),
        (["--nodes", "2", "--node_rank", "2", "--master_addr", "a"], "node_rank is 2 of 2 nodes; expected 0 to 1"),
        (["--node_rank", "1"], "node_rank is 1 of 1 nodes"),
        (["--nodes", "two"], "--nodes: invalid int value: 'two'"),
        (["1", "2", "3", "4", "5"], "got 5 arguments before the flags, expected at most 4"),
        (["nowhere.json"], "cannot read the rank table nowhere.json: No such file"),
    ],
)
def test_mistakes_are_one_line(devices, words, said):
    devices("0", "1")
    if said is None:  # a flag that train.py will refuse
        assert parse(words)[1] == words
        return
    with pytest.raises(UserError) as error:
        planned(*words)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"server_list": 3}', '{"server_list": []}', '{"server_list": [{"server_id": "a"}]}']
)
def test_what_is_no_rank_table_is_said_so(tmp_path, text):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(UserError, match="is no rank table: expected server_list"):
        planned(path)


def test_rank_tables_that_do_not_fit(table):
    with pytest.raises(UserError, match="lists 2, 1 devices; all nodes need as many"):
        planned(table(["0", "1"], ["0"]))
    with pytest.raises(UserError, match="lists 0 devices"):
        planned(table([]))
    with pytest.raises(UserError, match="node_rank is 2 of 2 nodes"):
        planned(table(["0"], ["0"]), "--node_rank", 2)
    with pytest.raises(UserError, match="nodes is 3, but .* lists 2"):
        planned(table(["0"], ["0"]), "--nodes", 3)


def test_the_value_of_a_flag_is_never_taken_for_an_argument():
    args, flags = parse(["--epochs", "1", "--freeze_bn", "--crop-scale", "0.5", "1"])
    assert (args.workers, args.data_path, args.config) == ("", "digits", None)
    assert flags == ["--epochs", "1", "--freeze_bn", "--crop_scale", "0.5", "1"]


def test_arguments_may_be_flags_too():
    args, flags = parse(["2", "--data-path", "/my data", "--config", "c.yaml", "--resume", "auto", "--run_dir", "r"])
    assert (args.workers, args.data_path, args.config, args.resume) == ("2", "/my data", "c.yaml", "auto")
    assert args.run_dir == Path("r") and flags == []


def test_the_training_that_is_started(tmp_path):
    def words(*argv):
        args, flags = parse(list(argv))
        return training(args, flags, "DATE")

    train = str(PROJECT / "train.py")
    config = str(PROJECT / "config/digits.yaml")
    expected = [train, "--config", config, "--data_path", "digits", "--epochs", "2", "--run_dir", "runs/digits-DATE"]
    assert words("2", "--epochs", "2") == (expected, Path("runs/digits-DATE"))
    assert words("2", "/data")[0][2] == str(PROJECT / "config/tinynet_c.yaml")
    command, run = words("", "/data", "c.yaml", "auto", "--run_dir", "my run")
    assert run == Path("my run") and command[-4:] == ["--run_dir", "my run", "--resume", "auto"]
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir()
    checkpoint.touch()
    assert words("", "", "", str(checkpoint))[1] == tmp_path
    with pytest.raises(UserError, match="resume: there is no checkpoint nowhere.ckpt"):
        words("", "", "", "nowhere.ckpt")


def test_a_mistake_ends_with_status_2_and_one_line(capsys):
    assert main(["2", "--nodes"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["2", "/no/data"]) == 2
    said = "error: data_path /no/data: there is no such folder; it holds train/CLASS and val/CLASS\n"
    assert capsys.readouterr().err == said


def test_a_free_port_can_be_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
