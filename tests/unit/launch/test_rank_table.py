"""A rank table lists the devices of each machine; a wrong one is one line."""

import json

import pytest

from src.errors import UserError
from src.launch.rank_table import read_rank_table


def write(path, *servers):
    """Write a rank table of `servers`, lists of device numbers."""
    rows = [
        {"server_id": f"10.0.0.{index + 1}", "device": [{"device_id": number, "rank_id": "0"} for number in numbers]}
        for index, numbers in enumerate(servers)
    ]
    path.write_text(json.dumps({"version": "1.0", "server_count": str(len(rows)), "server_list": rows}))
    return path


def test_servers_and_devices_are_read(tmp_path):
    first, second = read_rank_table(write(tmp_path / "t.json", ["0", "1"], [4, 5])).server_list
    assert (first.server_id, first.device_ids) == ("10.0.0.1", ["0", "1"])
    assert (second.server_id, second.device_ids) == ("10.0.0.2", ["4", "5"])


@pytest.mark.parametrize(
    "text, place",
    [
        ("[]", "the file: "),
        ("{}", "server_list: Field required"),
        ('{"server_list": 3}', "server_list: "),
        ('{"server_list": []}', "server_list: "),
        ('{"server_list": [{"server_id": "a"}]}', "server_list.0.device: Field required"),
        ('{"server_list": [{"server_id": "a", "device": [{}]}]}', "server_list.0.device.0.device_id: Field required"),
    ],
)
def test_the_place_of_a_fault_is_named(tmp_path, text, place):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_rank_table(path)
    assert str(error.value).startswith(f"{path} is not a rank table: {place}")
    assert str(error.value).endswith(
        "; expected server_list, each server with its server_id, and its devices with their device_id"
    )
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot read the rank table .*nowhere.json: No such file"):
        read_rank_table(tmp_path / "nowhere.json")


@pytest.mark.parametrize("servers, counts", [([["0", "1"], ["0"]], "2, 1"), ([[]], "0")])
def test_every_node_needs_the_same_number_of_devices(tmp_path, servers, counts):
    with pytest.raises(UserError, match=f"lists {counts} devices; every node needs the same number, at least one"):
        read_rank_table(write(tmp_path / "t.json", *servers))


def test_a_file_that_is_no_json_is_named(tmp_path):
    (tmp_path / "t.json").write_text("")
    with pytest.raises(UserError, match="t.json is not valid JSON: Expecting value"):
        read_rank_table(tmp_path / "t.json")


def test_a_table_may_begin_with_a_byte_order_mark(tmp_path):
    path = write(tmp_path / "t.json", ["0"])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_rank_table(path).server_list[0].device_ids == ["0"]
