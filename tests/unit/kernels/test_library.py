"""Which operators compute is decided in one place, and said in one line."""

import logging

import pytest

from src.errors import UserError
from src.kernels import library
from src.kernels.build import BuildError
from src.kernels.library import choose_kernels


@pytest.fixture
def choice(caplog, monkeypatch):
    """Choose, and return whether there is a library and what the log says. The choice of the session is restored."""
    monkeypatch.setattr(library, "_library", None)

    def choose(*args, **options):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            choose_kernels(*args, **options)
        return library.library() is not None, [record.message for record in caplog.records]

    return choose


def no_compiler():
    raise BuildError("there is no C++ compiler: install g++")


def test_kernels_are_used_where_they_can_be_built(choice, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(library, "usable_cores", lambda: 6)
    monkeypatch.setattr("src.runtime.distributed.ranks_on_machine", lambda: 4)
    assert choice("auto") == (True, ["CPU kernels: in use, with 1 threads"])
    monkeypatch.setattr("src.runtime.distributed.ranks_on_machine", lambda: 2)
    assert choice("on") == (True, ["CPU kernels: in use, with 3 threads"])


def test_off_leaves_mindspores_operators(choice):
    assert choice("off") == (False, ["CPU kernels: not in use, as cpu_kernels is off"])


def test_half_precision_has_mindspores_operators(choice):
    used, (line,) = choice("auto", half_precision=True)
    assert not used and "half precision is on" in line
    with pytest.raises(UserError, match="cpu_kernels is on, but half precision is on, .*; change that, or take"):
        choice("on", half_precision=True)


def test_without_a_compiler_one_line_says_what_would_bring_them(choice, monkeypatch):
    monkeypatch.setattr(library, "built_library", no_compiler)
    reason = "there is no C++ compiler: install g++"
    assert choice("auto") == (False, [f"CPU kernels: not in use, {reason}"])
    with pytest.raises(UserError, match="cpu_kernels is on, but there is no C.. compiler"):
        choice("on")


def test_a_library_that_cannot_be_loaded_is_not_used(choice, monkeypatch, tmp_path):
    broken = tmp_path / "kernels.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(library, "built_library", lambda: broken)
    used, (line,) = choice("auto")
    assert not used and f"{broken} cannot be loaded" in line


@pytest.mark.parametrize("target, system", [("Ascend", "Linux"), ("GPU", "Linux"), ("CPU", "Darwin")])
def test_other_devices_and_systems_build_nothing(choice, monkeypatch, target, system):
    monkeypatch.setattr("mindspore.get_context", lambda key: target)
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr(library, "built_library", lambda: pytest.fail("a build was tried"))
    used, lines = choice("auto")
    assert not used and len(lines) == (target == "CPU")
    with pytest.raises(UserError, match=f"cpu_kernels is on, but the .* is {target if target != 'CPU' else system}"):
        choice("on")


def test_kernels_compute_with_the_threads_that_omp_num_threads_allows(monkeypatch):
    monkeypatch.setattr(library, "usable_cores", lambda: 6)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert library.thread_count() == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "100")
    assert library.thread_count() == 6
