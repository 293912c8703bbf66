"""Recipes in `config/`: each parses, builds on an existing base, and its header states true costs and accuracies."""

import re

import pytest
from support.project import PROJECT

from src.cli import parse
from src.config import DetectTrainConfig, TrainConfig
from src.design.cost import total_cost
from src.design.detector import Detector, detector_cost
from src.design.families import ARCHITECTURES
from src.search.published import ROWS
from src.search.training_config import RECIPES

CONFIG = PROJECT / "config"
FILES = sorted(CONFIG.glob("*.yaml"))
BASES = {"imagenet", "efficientnet", "ghostnet", "s_ghostnet", "ssdlite"}  # recipes of a whole family
NETWORKS = [row for row in ROWS if (CONFIG / f"{row.name}.yaml").exists()]
COST = re.compile(r": (\d+) px, ([\d.]+) M parameters, ([\d.]+ [MG]) MACs\.$")
EXPECTED = re.compile(r"# Expected: ([\d.]+) % top-1(?:, ([\d.]+) % top-5)?")
RELEASED = re.compile(r"released .*?([\d.]+) % top-1 \(timm's evaluation\)")


def header(name):
    """Return the comment lines above the first key."""
    lines = (CONFIG / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    return lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]


def text_of(name):
    """Return the header as one paragraph, without the comment marks."""
    return " ".join(line.removeprefix("#").strip() for line in header(name))


def printed_macs(macs):
    """Return MACs as headers print them: whole millions, or billions with three digits."""
    return f"{macs / 1e6:.0f} M" if macs < 1e9 else f"{macs / 1e9:#.3g} G"


def chain(file):
    """Return the names of the files that a recipe builds on, the nearest first."""
    found = []
    while base := re.search(r"^base: (\S+)", file.read_text(encoding="utf-8"), re.MULTILINE):
        file = file.with_name(base.group(1))
        assert file.name not in found, f"{file.name} is its own base"
        found.append(file.name)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_recipe_parses(file):
    schema = DetectTrainConfig if file.stem.startswith("ssdlite") else TrainConfig
    config = parse(schema, ["--config", str(file)])
    assert config.epochs > 0


@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: row.name)
def test_a_network_builds_on_the_recipe_of_its_family(row):
    bases = chain(CONFIG / f"{row.name}.yaml")
    assert RECIPES[ARCHITECTURES[row.name].family] in bases
    assert bases[-1] == "imagenet.yaml"


@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: row.name)
def test_a_header_states_the_cost_of_its_network(row):
    cost, network = total_cost(ARCHITECTURES[row.name]), ARCHITECTURES[row.name]
    stated = COST.search(header(row.name)[0]).groups()
    assert stated == (str(network.resolution), f"{cost.parameters / 1e6:.2f}", printed_macs(cost.macs))


@pytest.mark.parametrize("row", NETWORKS, ids=lambda row: row.name)
def test_a_header_states_the_published_accuracy_and_its_source(row):
    found = EXPECTED.search("\n".join(header(row.name)))
    if row.top1 is None:
        assert found is None and "# Expected: not published." in header(row.name)
    else:
        assert [value and float(value) for value in found.groups()] == [row.top1, row.top5]
        assert row.source in text_of(row.name)


@pytest.mark.parametrize("name", ["tinynet_a", "tinynet_a_ra"])
def test_a_header_states_the_accuracy_of_released_weights(name):
    (row,) = [row for row in ROWS if row.name == "tinynet_a"]
    assert RELEASED.search(text_of(name)).group(1) == f"{row.weights[0].top1:.2f}"
    assert f"{row.top1} % top-1" in text_of(name)


@pytest.mark.parametrize("name, other", [("tinynet_d", 218), ("efficientnet_b_minus_3", 184)])
def test_a_header_states_the_cost_of_its_detector(name, other):
    found = [detector_cost(Detector(ARCHITECTURES[name].at(size), 80)) for size in (320, other)]
    first = header(f"ssdlite_{name}")[0]
    assert f"{found[0].parameters / 1e6:.2f} M parameters, {found[0].macs / 1e6:.0f} M MACs" in first
    assert f"--input_size {other} ({found[1].macs / 1e6:.0f} M MACs)" in text_of(f"ssdlite_{name}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_header_names_the_command_the_hardware_and_the_expected_accuracy(file):
    text = text_of(file.stem)
    assert (
        re.search(rf"python (train|detect)\.py (train )?--config config/{file.stem}\.yaml", text) or file.stem in BASES
    )
    assert "Hardware" in text and "time" in text.lower()
    assert "Expected: " in text or file.stem in BASES
