"""Fixtures of all tests: the CPU in graph mode, and a small folder of real image files."""

import pytest
from helpers import photograph
from hypothesis import HealthCheck, settings

from src import device

# A busy machine is no reason for a test to fail.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """What two processes share out between them (`--dist loadgroup`): files, and all tests of one costly fixture."""
    for item in items:
        costly = [name for name in ("quickstart", "classifier") if name in item.fixturenames]
        item.add_marker(pytest.mark.xdist_group(costly[0] if costly else item.path.name))


@pytest.fixture(scope="session", autouse=True)
def _cpu():
    device.setup("CPU", seed=1)


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
