import logging

from src.runtime.workers import usable_cores, usable_workers


def test_workers_are_cut_down_to_the_cores_with_a_warning(caplog):
    cores = usable_cores()
    with caplog.at_level(logging.WARNING, "src"):
        assert usable_workers(cores) == cores and not caplog.records
        assert usable_workers(cores + 7) == cores
    assert f"workers is {cores + 7}" in caplog.text
    assert usable_workers(0) == min(8, cores)
    assert usable_workers(0, processes=cores) == 1 == usable_workers(0, processes=2 * cores)
