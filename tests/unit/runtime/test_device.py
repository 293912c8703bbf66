"""The device of a program, and the instruction set of its CPU."""

import pytest

from src.errors import UserError
from src.runtime import device
from src.runtime.workers import usable_cores


def test_avx512_processors_get_the_fast_convolutions(monkeypatch, tmp_path):
    for name in device.ISA_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(device, "_has_avx512", lambda: True)
    device.prefer_fast_convolutions()
    assert device.os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")


@pytest.mark.parametrize("name", device.ISA_VARIABLES)
def test_a_limit_set_by_the_user_is_left_alone(monkeypatch, name):
    for other in device.ISA_VARIABLES:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "AVX")
    monkeypatch.setattr(device, "_has_avx512", lambda: True)
    device.prefer_fast_convolutions()
    assert sorted(device.os.environ.get(variable, "") for variable in device.ISA_VARIABLES) == ["", "AVX"]


@pytest.mark.parametrize("flags, expected", [("fpu avx avx2", False), ("fpu avx2 avx512f avx512dq", True)])
def test_instruction_sets_are_read_from_the_kernel(tmp_path, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    assert device._has_avx512(tmp_path / "cpuinfo") is expected


def test_without_a_list_of_instruction_sets_there_is_no_avx512(tmp_path):
    assert device._has_avx512(tmp_path / "nowhere") is False


def test_a_device_that_is_not_there(capfd):
    with pytest.raises(UserError, match="device_target is Ascend, device_id 3: .*--device_target CPU or auto"):
        device.setup("Ascend", 3)


def test_auto_finds_the_cpu():
    assert str(device.setup("auto")) == f"CPU ({usable_cores()} cores)"


def test_the_cpu_is_recognized():
    assert device.is_cpu()


def test_there_is_one_cpu():
    with pytest.raises(UserError, match="device_id is 1, but there is one CPU"):
        device.setup("CPU", 1)
