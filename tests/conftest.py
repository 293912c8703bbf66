"""Fixtures of all tests, and how the tests are divided between two processes."""

import mindspore as ms
import pytest
from hypothesis import HealthCheck, settings
from support.project import photograph

from src.kernels.library import choose_kernels
from src.runtime import device

# No deadline, because a busy machine must not make a test fail.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("project"), max_examples=20_000)
settings.load_profile("project")


COSTLY = ("quickstart", "sanitized_classifier")  # fixtures that take minutes; the tests of each share one process
LONG = ("ranks", "step", "faults", "network", "bad_input", "golden_steps", "supervision")  # by processor time
FIRST = (*COSTLY, *(f"test_{name}.py" for name in LONG))


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Group the tests for `--dist loadgroup`: by file, and all tests of one costly fixture together.

    The longest groups begin first, so that both processes are busy until the end.
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
    choose_kernels("auto")


@pytest.fixture
def pynative():
    """Run operators one by one, because compiling a large network takes longer than the rest of a test."""
    ms.set_context(mode=ms.PYNATIVE_MODE)
    yield
    ms.set_context(mode=ms.GRAPH_MODE)


@pytest.fixture
def image_folder(tmp_path):
    """A folder with train/ and val/, in which two classes have 6 and 3 JPEG files each."""
    for split, count in {"train": 6, "val": 3}.items():
        for label, name in enumerate(["cat", "dog"]):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                photograph(60 + 7 * index, 50 + 5 * label, seed=10 * label + index).save(folder / f"{index}.jpg")
    return tmp_path / "data"
