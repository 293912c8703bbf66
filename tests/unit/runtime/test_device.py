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
    assert [device.os.environ.get(n) for n in device.ISA_VARIABLES].count("AVX") == 1
    assert "AVX2" not in (device.os.environ.get(n) for n in device.ISA_VARIABLES)


@pytest.mark.parametrize("flags, expected", [("fpu avx avx2", False), ("fpu avx2 avx512f avx512dq", True)])
def test_instruction_sets_are_read_from_the_kernel(tmp_path, flags, expected):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    assert device._has_avx512(tmp_path / "cpuinfo") is expected
    assert device._has_avx512(tmp_path / "nowhere") is False


def test_a_device_that_is_not_there(capfd):
    with pytest.raises(UserError, match="device_target is Ascend, device_id 3: .*--device_target CPU or auto"):
        device.setup("Ascend", 3)


def test_auto_finds_the_cpu():
    assert str(device.setup("auto")) == f"CPU ({usable_cores()} cores)"
