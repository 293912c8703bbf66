"""The number of worker threads: as requested, within the cores of the machine."""

import logging

from src.runtime.workers import usable_cores, worker_count

CORES = usable_cores()


def test_as_many_workers_as_cores_are_used_without_a_warning(caplog):
    with caplog.at_level(logging.WARNING, "src"):
        assert worker_count(CORES) == CORES
    assert not caplog.records


def test_more_workers_than_cores_are_reduced_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING, "src"):
        assert worker_count(CORES + 7) == CORES
    assert f"workers is {CORES + 7}" in caplog.text


def test_by_default_each_core_has_a_worker_up_to_8():
    assert worker_count(0) == min(8, CORES)


def test_processes_of_one_machine_share_its_cores():
    assert worker_count(0, processes=CORES) == 1


def test_each_process_has_at_least_one_worker():
    assert worker_count(0, processes=2 * CORES) == 1
