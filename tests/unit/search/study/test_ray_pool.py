"""Checks of the actor of a trial before it starts a training; tests/system/test_study_cluster.py has a cluster."""

import re
import sys

import pytest

from src.errors import UserError
from src.search.study import ray_pool
from src.search.study.process import Job
from src.search.study.ray_pool import RayPool, RemoteTraining


@pytest.fixture
def job(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_pool, "SHARED_TIMEOUT", -1)
    monkeypatch.setattr(ray_pool.socket, "gethostname", lambda: "node7")
    (tmp_path / "train.py").touch()
    (tmp_path / "study.json").write_text("mine")
    (tmp_path / "run").mkdir()
    return Job(1, (str(tmp_path / "train.py"),), tmp_path / "run")


@pytest.mark.parametrize(
    "content, gone, fault",
    [
        ("mine", "train.py", "machine node7 does not see .*/train.py"),
        ("mine", "study.json", "machine node7 does not see .*/study.json"),
        ("mine", "run", "machine node7 does not see .*/run"),
        ("of another study", "", "machine node7 sees another .*/study.json"),
    ],
)
def test_a_machine_that_does_not_share_the_files_says_so(content, gone, fault, job, tmp_path):
    if gone:
        (tmp_path / gone).rename(tmp_path / "elsewhere")
    text = RemoteTraining().begin(job, 1, str(tmp_path / "study.json"), content)
    assert re.fullmatch(fault, text)


def test_to_begin_twice_starts_one_training(job, tmp_path, monkeypatch):
    """The study asks again when the network failed, and does not know whether the first call arrived."""
    monkeypatch.setattr(ray_pool, "_npu", lambda: "3")
    (tmp_path / "train.py").write_text(f"open({str(tmp_path / 'starts')!r}, 'a').write('x')")
    actor = RemoteTraining()
    assert [actor.begin(job, 1, str(tmp_path / "study.json"), "mine") for _ in range(2)] == ["", ""]
    while (end := actor.poll()) is None:
        pass
    assert (end.code, end.device, (tmp_path / "starts").read_text()) == (0, "npu 3", "x")


def test_a_missing_ray_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"ray_address needs Ray; `pip install '.\[cluster\]'`"):
        RayPool("auto", tmp_path, 0, 0, False)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999", "no-such-host.invalid:6379"])
def test_an_address_without_a_cluster_is_one_line(address, tmp_path):
    with pytest.raises(UserError, match=f"ray_address {address}: .*; start a cluster with `ray start --head`") as error:
        RayPool(address, tmp_path, 0, 0, False)
    assert "\n" not in str(error.value)
