"""The GhostNets against their papers, released code and the stages that these make."""

import pytest

from src.design.architecture import Stage, round_channels
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.design.ghostnets import GHOSTNET_100, GHOSTNET_ROWS, ghostnet, s_ghostnet, stages_of

# The stages of GhostNet for each width multiplier: expand and channels differ.
STAGES = {
    "ghostnet_050": ([1, 3, 3, (6, 2.5, 2.3), 6, 6], [8, 12, 20, 40, 56, 80]),
    "ghostnet_100": ([1, 3, 3, (6, 2.5, 2.3), 6, 6], [16, 24, 40, 80, 112, 160]),
    "ghostnet_130": (
        [1, (3.2, 2.875), (2.875, 3), (6, 2.5, 2.3077), (6, 6.0556), (6.0556, 6)],
        [20, 32, 52, 104, 144, 208],
    ),
}
# kernel, stride, repeats and se of each stage, which the width multiplier does not change.
FIXED_FIELDS = [
    (3, 1, 1, 0),
    (3, 2, 2, 0),
    (5, 2, 2, 0.25),
    (3, 2, 4, 0),
    (3, 1, 2, 0.25),
    (5, 2, 5, (0.25, 0, 0.25, 0, 0.25)),
]

# S-GhostNet's code, stage by stage: (kernel, hidden, out, width inside squeeze-excite) of the first and the last block.
S_GHOSTNET_BLOCKS = {
    "s_ghostnet_b1": [
        ((3, 28, 28, 8), (3, 28, 28, 8)),
        ((3, 84, 44, 8), (3, 132, 44, 16)),
        ((5, 132, 72, 16), (5, 216, 72, 24)),
        ((3, 432, 140, 40), (3, 352, 140, 32)),
        ((3, 840, 196, 88), (3, 1176, 196, 120)),
        ((5, 1176, 280, 120), (5, 1680, 280, 168)),
    ],
    "s_ghostnet_b1_searched": [
        ((3, 24, 24, 8), (3, 24, 24, 8)),
        ((3, 72, 32, 8), (3, 96, 32, 16)),
        ((5, 96, 64, 16), (5, 192, 64, 24)),
        ((3, 384, 112, 40), (3, 280, 112, 32)),
        ((3, 672, 160, 64), (3, 960, 160, 96)),
        ((5, 960, 280, 96), (5, 1680, 280, 168)),
    ],
    "s_ghostnet_b4": [
        ((3, 36, 36, 8), (3, 36, 36, 8)),
        ((3, 108, 60, 16), (3, 180, 60, 24)),
        ((5, 180, 108, 24), (5, 324, 108, 32)),
        ((3, 648, 168, 64), (3, 420, 168, 40)),
        ((3, 1008, 232, 104), (3, 1392, 232, 136)),
        ((5, 1392, 336, 136), (5, 2016, 336, 200)),
    ],
}


@pytest.mark.parametrize("name", STAGES)
def test_rows_make_these_stages(name):
    expands, channels = STAGES[name]
    expected = tuple(
        Stage("ghost", kernel, stride, expand, width, repeats, se)
        for (kernel, stride, repeats, se), expand, width in zip(FIXED_FIELDS, expands, channels, strict=True)
    )
    assert ARCHITECTURES[name].stages == expected


def test_the_table_has_the_papers_sixteen_rows():
    assert len(GHOSTNET_ROWS) == 16
    assert [row.hidden for row in GHOSTNET_ROWS[5:9]] == [240, 200, 184, 184]


def test_blocks_give_the_rows_back():
    blocks = sum(GHOSTNET_100.blocks(), ())
    assert [
        (block.kernel, block.hidden, block.out_channels, block.se_channels > 0, block.stride) for block in blocks
    ] == [(*row[:3], row.se > 0, row.stride) for row in GHOSTNET_ROWS]


@pytest.mark.parametrize("name, width", [("ghostnet_050", 0.5), ("ghostnet_100", 1), ("ghostnet_130", 1.3)])
def test_width_multiplies_every_row(name, width):
    blocks = sum(ARCHITECTURES[name].blocks(), ())
    for block, row in zip(blocks, GHOSTNET_ROWS, strict=True):
        assert block.hidden == round_channels(row.hidden * width, 4)
        assert block.out_channels == round_channels(row.channels * width, 4)


def test_a_name_of_its_own_and_the_fixed_head():
    network = ghostnet(2)
    assert (network.name, network.stem, network.head_conv, network.head) == ("ghostnet(w=2)", 32, 1920, 1280)


def test_successive_rows_of_one_width_are_a_stage_until_a_row_strides():
    rows = [row._replace(channels=16, hidden=16) for row in GHOSTNET_ROWS[:3]]
    assert [(stage.stride, stage.repeats) for stage in stages_of(rows, stem=16)] == [(1, 1), (2, 2)]


def test_ghostnet_600s_rows():
    network = ARCHITECTURES["ghostnet_600"]
    hidden = [[block.hidden for block in blocks] for blocks in network.blocks()]
    assert hidden == [
        [32],
        [88, 136],
        [136, 216, 216],
        [432, 352, 352, 352],
        [840, 1176, 1176],
        [1176, 1680, 1680, 1680, 1680, 1680],
    ]
    assert (network.stem, network.head_conv, network.head, network.resolution) == (28, 1680, 1400, 240)


@pytest.mark.parametrize("name", S_GHOSTNET_BLOCKS)
def test_s_ghostnets_blocks(name):
    network = ARCHITECTURES[name]
    ends = [
        tuple((block.kernel, block.hidden, block.out_channels, block.se_channels) for block in (blocks[0], blocks[-1]))
        for blocks in network.blocks()
    ]
    assert ends == S_GHOSTNET_BLOCKS[name]


def test_other_rows_of_s_ghostnets_pages():
    searched = total_cost(ARCHITECTURES["s_ghostnet_b1_searched"].at(240))
    assert searched.macs / 1e6 == pytest.approx(631.9, abs=0.05)
    example = total_cost(s_ghostnet("example", 384, (2, 4, 5, 12, 6, 14), (36, 68, 108, 164, 216, 336)))
    assert example.macs / 1e6 == pytest.approx(4_275, abs=0.5)
    assert example.parameters / 1e6 == pytest.approx(31.35, abs=0.005)


def test_s_ghostnets_ends():
    ends = {name: (n.stem, n.head_conv, n.head, n.resolution) for name, n in ARCHITECTURES.items() if name[:2] == "s_"}
    assert ends == {
        "s_ghostnet_b1": (28, 1680, 1400, 240),
        "s_ghostnet_b1_searched": (24, 1680, 1400, 248),
        "s_ghostnet_b4": (36, 2016, 1680, 384),
    }


def test_families():
    families = {name: network.family for name, network in ARCHITECTURES.items() if "ghostnet" in name}
    assert set(families.values()) == {"ghostnet", "s_ghostnet"}
    assert all((family == "s_ghostnet") == name.startswith("s_") for name, family in families.items())
