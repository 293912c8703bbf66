"""The published networks against the papers, released code and other counters."""

import re

import pytest

from src.design.architecture_file import save_architecture
from src.design.cost import total_cost
from src.design.differences import differences
from src.design.families import (
    ARCHITECTURES,
    EFFICIENTNET_B0,
    EFFICIENTNET_COEFFICIENTS,
    EFFICIENTNETS,
    INVERSE_GIANT_PHI,
    TENSORFLOW_STYLE,
    TF_EFFICIENTNETS,
    TINYNETS,
    find_architecture,
    label,
)
from src.design.scaling import phi_for_macs
from src.errors import UserError

# Parameters, exact; M MACs at the network's own resolution.
#   TinyNet: timm's parameters, the paper's MACs. EfficientNet: torchvision's `num_params` and `_ops` (B2's are at 288).
#   GhostNet 1.0: timm's parameters. The other GhostNets: the released code, counted by a second, plain program.
#   EfficientNet-B^-k: ours, kept here so that they do not change.
COSTS = {
    "tinynet_a":               (6_187_972,  336.9),
    "tinynet_b":               (3_730_562,  200.7),
    "tinynet_c":               (2_457_234,  99.5),
    "tinynet_d":               (2_338_446,  51.6),
    "tinynet_e":               (2_042_972,  24.4),
    "efficientnet_b0":         (5_288_548,  385.8),
    "efficientnet_b1":         (7_794_184,  687),
    "efficientnet_b2":         (9_109_994,  994),
    "efficientnet_b3":         (12_233_232, 1_827),
    "efficientnet_b4":         (19_341_616, 4_394),
    "efficientnet_b5":         (30_389_784, 10_266),
    "efficientnet_b6":         (43_040_704, 19_068),
    "efficientnet_b7":         (66_347_960, 37_746),
    "efficientnet_b_minus_1":  (3_737_906,  190.9),
    "efficientnet_b_minus_2":  (3_291_472,  100.2),
    "efficientnet_b_minus_3":  (2_391_458,  52.0),
    "efficientnet_b_minus_4":  (1_934_358,  24.3),
    "ghostnet_050":            (2_587_292,  42.3),
    "ghostnet_100":            (5_182_508,  141.2),
    "ghostnet_130":            (7_358_820,  227.0),
    "ghostnet_600":            (11_939_796, 587.5),
    "s_ghostnet_b1":           (11_938_476, 582.8),
    "s_ghostnet_b1_searched":  (15_376_832, 663.2),
    "s_ghostnet_b4":           (31_986_130, 4_499),
}  # fmt: skip
COSTS |= {f"tf_{name}": COSTS[name] for name in EFFICIENTNETS}

# What the papers and the authors' pages print: M parameters and M MACs, rounded by them.
PRINTED = {
    "tinynet_a":       (6.2,  339),
    "tinynet_b":       (3.7,  202),
    "tinynet_c":       (2.5,  100),
    "tinynet_d":       (2.3,  52),
    "tinynet_e":       (2.0,  24),
    "efficientnet_b0": (5.3,  390),
    "efficientnet_b1": (7.8,  700),
    "efficientnet_b2": (9.2,  1_000),
    "efficientnet_b3": (12,   1_800),
    "efficientnet_b4": (19,   4_200),
    "efficientnet_b5": (30,   9_900),
    "efficientnet_b6": (43,   19_000),
    "efficientnet_b7": (66,   37_000),
    "ghostnet_050":    (2.6,  42),
    "ghostnet_100":    (5.2,  141),
    "ghostnet_130":    (7.3,  226),
    "ghostnet_600":    (11.9, 591),
}  # fmt: skip

# The stage tables of the released networks (channels, repeats, resolution).
TINYNET_STAGES = {
    "tinynet_a": ((16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 4, 4, 5, 1), 192),
    "tinynet_b": ((16, 24, 32, 64, 88, 144, 240), (1, 2, 2, 3, 3, 4, 1), 188),
    "tinynet_c": ((8, 16, 24, 40, 64, 104, 176), (1, 2, 2, 3, 3, 3, 1), 184),
    "tinynet_d": ((8, 16, 24, 40, 64, 104, 176), (1, 1, 1, 2, 2, 3, 1), 152),
    "tinynet_e": ((8, 16, 24, 40, 56, 96, 160), (1, 1, 1, 2, 2, 2, 1), 106),
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_cost_is_exact(name):
    cost, (parameters, mega_macs) = total_cost(ARCHITECTURES[name]), COSTS[name]
    assert cost.parameters == parameters
    assert cost.macs / 1e6 == pytest.approx(mega_macs, rel=0.002)
    assert ARCHITECTURES[name].name == name


@pytest.mark.parametrize("name", PRINTED)
def test_cost_is_what_the_papers_print(name):
    cost, (mega_parameters, mega_macs) = total_cost(ARCHITECTURES[name]), PRINTED[name]
    assert cost.parameters / 1e6 == pytest.approx(mega_parameters, rel=0.03)
    assert cost.macs / 1e6 == pytest.approx(mega_macs, rel=0.05)


def test_b2_at_torchvisions_resolution():
    assert total_cost(EFFICIENTNETS["efficientnet_b2"].at(288)).macs / 1e9 == pytest.approx(1.088, abs=0.0005)


@pytest.mark.parametrize("name", TINYNET_STAGES)
def test_coefficients_give_the_published_stages(name):
    network = TINYNETS[name]
    channels, repeats = zip(*((s.channels, s.repeats) for s in network.stages))
    assert (channels, repeats, network.resolution) == TINYNET_STAGES[name]
    assert (network.stem, network.head) == (32, 1280)


def test_efficientnets_heads_resolutions_and_dropouts():
    heads = [network.head for network in EFFICIENTNETS.values()]
    assert heads == [1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560]
    assert [network.resolution for network in EFFICIENTNETS.values()] == [224, 240, 260, 300, 380, 456, 528, 600]
    assert [row.dropout for row in EFFICIENTNET_COEFFICIENTS.values()] == [0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5]
    assert EFFICIENTNETS["efficientnet_b0"] == EFFICIENTNET_B0


def test_tf_efficientnets_differ_in_padding_and_epsilon_alone():
    found = {name: differences(network, EFFICIENTNETS[name[3:]]) for name, network in TF_EFFICIENTNETS.items()}
    texts = ["style padding same (not symmetric)", "style bn_epsilon 0.001 (not 1e-05)"]
    assert found == {f"tf_efficientnet_b{number}": texts for number in range(8)}


@pytest.mark.parametrize("epsilon, text", [(1e-5, "1e-5"), (1e-3, "1e-3"), (0.0125, "1.25e-2"), (1, "1e0")])
def test_a_network_with_another_style_than_the_published_one_is_labelled(epsilon, text):
    network = EFFICIENTNET_B0.computing_as(TENSORFLOW_STYLE).with_epsilon(epsilon)
    assert label(network) == f"efficientnet_b0 (same padding, epsilon {text})"
    assert label(EFFICIENTNET_B0.at(97)) == "efficientnet_b0"


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_inverse_giants_are_solved_for_their_budgets(k):
    name = f"efficientnet_b_minus_{k}"
    assert INVERSE_GIANT_PHI[name] == phi_for_macs(EFFICIENTNET_B0, 387e6 / 2**k)
    assert total_cost(ARCHITECTURES[name]).macs == pytest.approx(387e6 / 2**k, rel=0.08)


def test_networks_are_found_by_name_and_by_file(tmp_path):
    mine = EFFICIENTNET_B0.at(100)
    save_architecture(mine, tmp_path / "mine.yaml")
    assert find_architecture(str(tmp_path / "mine.yaml")) == mine
    assert find_architecture("tinynet_c") is TINYNETS["tinynet_c"]


@pytest.mark.parametrize(
    "name, words",
    [
        ("tinynet_cc", "no network 'tinynet_cc'; did you mean 'tinynet_c'?"),
        ("mine", "an architecture file ends in .yaml, .yml, .json"),
        ("nowhere.yaml", "cannot read the architecture nowhere.yaml"),
    ],
)
def test_networks_that_are_not_there_are_named(name, words):
    with pytest.raises(UserError, match=re.escape(words)):
        find_architecture(name)
