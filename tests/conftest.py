"""Fixtures of all tests: the CPU in graph mode, and a small folder of real image files."""

import mindspore as ms
import pytest
from hypothesis import HealthCheck, settings
from support.project import photograph

from src.runtime import device

# A busy machine is no reason for a test to fail.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


COSTLY = ("quickstart", "classifier")  # fixtures
FIRST = (*COSTLY, "test_ranks.py", "test_faults.py", "test_supervision.py", "test_step.py")  # the longest groups


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """What two processes share out between them (`--dist loadgroup`): files, and all tests of one costly fixture.

    The longest begin first, so that no process is left alone with one at the end.
    """
    groups = {}
    for item in items:
        costly = [name for name in COSTLY if name in item.fixturenames]
        group = costly[0] if costly else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
        groups.setdefault(group, []).append(item)
    order = sorted(groups, key=lambda group: FIRST.index(group) if group in FIRST else len(FIRST))
    items[:] = [item for group in order for item in groups[group]]


@pytest.fixture(scope="session", autouse=True)
def _cpu():
    device.setup("CPU", seed=1)


@pytest.fixture
def pynative():
    """Nothing is compiled, which for large networks takes longer than all the rest."""
    ms.set_context(mode=ms.PYNATIVE_MODE)
    yield
    ms.set_context(mode=ms.GRAPH_MODE)


@pytest.fixture
def image_folder(tmp_path):
    """DIR/train and DIR/val with two classes of 6 and 3 JPEGs each."""
    for split, count in {"train": 6, "val": 3}.items():
        for label, name in enumerate(["cat", "dog"]):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                photograph(60 + 7 * index, 50 + 5 * label, seed=10 * label + index).save(folder / f"{index}.jpg")
    return tmp_path / "data"
