"""The process group, as the environment of a process describes it."""

import pytest

from src.runtime import distributed


@pytest.fixture
def rank_3_of_msrun(monkeypatch):
    monkeypatch.setenv("MS_ROLE", "MS_WORKER")
    monkeypatch.setenv("DEVICE_ID", "3")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")


def test_a_process_alone_is_rank_0_of_1(monkeypatch):
    monkeypatch.delenv("MS_ROLE", raising=False)

    distributed.join()

    assert not distributed.launched()
    assert distributed.is_first()
    assert (distributed.rank(), distributed.ranks()) == (0, 1)


def test_a_process_alone_has_the_machine_for_itself():
    assert distributed.ranks_on_machine() == 1


def test_msrun_starts_a_process_with_a_role(rank_3_of_msrun):
    assert distributed.launched()


def test_the_local_rank_is_the_device_id(rank_3_of_msrun):
    assert distributed.local_rank() == 3


def test_the_launcher_says_how_many_ranks_share_the_machine(rank_3_of_msrun):
    assert distributed.ranks_on_machine() == 4
