"""How many trials run at a time, with how many threads, and on which devices."""

import pytest

from src.config import TwistConfig
from src.errors import UserError
from src.search.study.place import MEMORY_OF_TRIAL, open_pool


@pytest.fixture
def machine(monkeypatch):
    """Return a function that makes this machine one of so many cores, NPUs, and memory for so many trials."""

    def make(cores=8, npus="", trials=100):
        monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", npus)
        monkeypatch.setattr("src.launch.plan.Path.glob", lambda *_: [])
        monkeypatch.setattr("src.search.study.place.usable_cores", lambda: cores)
        memory = type("Memory", (), {"available": trials * MEMORY_OF_TRIAL + 1})
        monkeypatch.setattr("psutil.virtual_memory", lambda: memory)

    return make


def place(tmp_path, **settings):
    pool = open_pool(TwistConfig(**settings), tmp_path)
    return pool.free, pool.threads


@pytest.mark.parametrize(
    "machine_of, settings, expected",
    [
        ({}, {}, ([None] * 8, 1)),
        ({}, {"threads": 4}, ([None] * 2, 4)),
        ({}, {"parallel": 2}, ([None] * 2, 4)),
        ({}, {"parallel": 20}, ([None] * 20, 1)),
        ({"trials": 3}, {}, ([None] * 3, 2)),
        ({"trials": 0}, {}, ([None], 8)),
        ({"npus": "2,3"}, {}, (["2", "3"], 4)),
        ({"npus": "2,3"}, {"parallel": 1}, (["2"], 8)),
        ({"npus": "2,3"}, {"device_target": "CPU"}, ([None] * 8, 1)),
        ({}, {"device_target": "GPU"}, ([None], 8)),
    ],
)
def test_trials_at_a_time_and_their_threads(machine_of, settings, expected, machine, tmp_path):
    machine(**machine_of)
    assert place(tmp_path, **settings) == expected


def test_more_trials_than_npus_are_refused(machine, tmp_path):
    machine(npus="0,1")
    with pytest.raises(UserError, match="parallel is 3, but this machine has 2 NPUs; choose 1 to 2"):
        place(tmp_path, parallel=3)
