"""GhostNet (CVPR 2020), GhostNet-600 and S-GhostNet, as the tables of their papers and released code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from src.design.architecture import Architecture, Stage, Style, compact, round_channels

GHOSTNET_STYLE = Style(
    stem_activation="relu",
    activation="relu",
    head_activation="relu",
    se_activation="relu",
    se_gate="hard_sigmoid",
    se_of="hidden",
    se_divisor=4,
    hidden_divisor=4,
    divisor=4,
)


class BottleneckRow(NamedTuple):
    """A row of GhostNet's Table 1: a ghost bottleneck with its hidden ("exp") and output widths."""

    kernel: int  # counts only if the block strides or changes the width
    hidden: int
    channels: int
    se: float  # width inside squeeze-excite / hidden width; 0: no squeeze-excite
    stride: int


# GhostNet (CVPR 2020), Table 1. Kernels and the 0.25 are those of the authors' code, huawei-noah/
# Efficient-AI-Backbones, ghostnet_pytorch/ghostnet.py.
GHOSTNET_ROWS = (
    #             k  exp  out  SE    stride
    BottleneckRow(3, 16,  16,  0,    1),
    BottleneckRow(3, 48,  24,  0,    2),
    BottleneckRow(3, 72,  24,  0,    1),
    BottleneckRow(5, 72,  40,  0.25, 2),
    BottleneckRow(5, 120, 40,  0.25, 1),
    BottleneckRow(3, 240, 80,  0,    2),
    BottleneckRow(3, 200, 80,  0,    1),
    BottleneckRow(3, 184, 80,  0,    1),
    BottleneckRow(3, 184, 80,  0,    1),
    BottleneckRow(3, 480, 112, 0.25, 1),
    BottleneckRow(3, 672, 112, 0.25, 1),
    BottleneckRow(5, 672, 160, 0.25, 2),
    BottleneckRow(5, 960, 160, 0,    1),
    BottleneckRow(5, 960, 160, 0.25, 1),
    BottleneckRow(5, 960, 160, 0,    1),
    BottleneckRow(5, 960, 160, 0.25, 1),
)  # fmt: skip
GHOSTNET_STEM, GHOSTNET_HEAD_CONV, GHOSTNET_HEAD = 16, 960, 1280  # the other rows of Table 1


def ghostnet(width: float, name: str = "") -> Architecture:
    """Return GhostNet with a width multiplier above 0, which scales all widths but the 1280 features.

    The multiplier scales and rounds every hidden width of the table by itself, as in the authors' code.
    """

    def scaled(channels: int) -> int:
        return round_channels(channels * width, GHOSTNET_STYLE.divisor)

    rows = [row._replace(hidden=scaled(row.hidden), channels=scaled(row.channels)) for row in GHOSTNET_ROWS]
    stem = scaled(GHOSTNET_STEM)
    return Architecture(
        name=name or f"ghostnet(w={width:g})",
        family="ghostnet",
        resolution=224,
        stem=stem,
        stages=stages_of(rows, stem),
        head=GHOSTNET_HEAD,
        head_conv=scaled(GHOSTNET_HEAD_CONV),
        style=GHOSTNET_STYLE,
    )


def stages_of(rows: Sequence[BottleneckRow], stem: int) -> tuple[Stage, ...]:
    """Return the stages of a table of rows: successive rows of one width are a stage.

    Args:
        rows: all blocks, in order. Within a stage only the first block may stride.
        stem: channels that enter the first block.
    """
    stages: list[list[BottleneckRow]] = []
    for row in rows:
        if not stages or row.stride > 1 or row.channels != stages[-1][-1].channels:
            stages.append([])
        stages[-1].append(row)
    widths = [stem, *(blocks[0].channels for blocks in stages)]
    return tuple(_stage(blocks, in_channels) for blocks, in_channels in zip(stages, widths, strict=False))


def _stage(rows: Sequence[BottleneckRow], in_channels: int) -> Stage:
    first = rows[0]
    inputs = (in_channels, *(row.channels for row in rows[:-1]))
    return Stage(
        block="ghost",
        kernel=first.kernel,
        stride=first.stride,
        expand=compact(tuple(round(row.hidden / width, 4) for row, width in zip(rows, inputs, strict=True))),
        channels=first.channels,
        repeats=len(rows),
        se=compact(tuple(row.se for row in rows)),
    )


# GhostNet-600 (mindspore-ai/models, research/cv/ghostnet/src/ghostnet600.py): width 1.75, hard swish, squeeze-excite
# of a tenth in every block, hidden widths in multiples of 8. The code gives expansions and not hidden widths.
GHOSTNET_600 = Architecture(
    name="ghostnet_600",
    family="ghostnet",
    resolution=240,
    stem=28,
    stages=(
        #     block    kernel stride expand    channels repeats se
        Stage("ghost", 3,     1,     1,        28,      1,      0.1),
        Stage("ghost", 3,     2,     3,        44,      2,      0.1),
        Stage("ghost", 5,     2,     3,        72,      3,      0.1),
        Stage("ghost", 3,     2,     (6, 2.5), 140,     4,      0.1),
        Stage("ghost", 3,     1,     6,        196,     3,      0.1),
        Stage("ghost", 5,     2,     6,        280,     6,      0.1),
    ),
    head=1400,
    head_conv=1680,
    style=replace(
        GHOSTNET_STYLE,
        stem_activation="hard_swish",
        activation="hard_swish",
        head_activation="hard_swish",
        se_divisor=8,
        hidden_divisor=8,
    ),
)  # fmt: skip

S_GHOSTNET_STYLE = replace(GHOSTNET_STYLE, stem_activation="hard_swish", head_activation="hard_swish", se_divisor=8)


def s_ghostnet(name: str, resolution: int, repeats: Sequence[int], channels: Sequence[int]) -> Architecture:
    """Return an S-GhostNet of Greedy Network Enlarging (arXiv 2108.00177).

    The search changes the resolution, and the number of blocks and the width of each of the six stages. All else is
    fixed (mindspore-ai/models, research/cv/S-GhostNet/src/big_net.py, `gen_cfgs_large`).
    """
    return Architecture(
        name=name,
        family="s_ghostnet",
        resolution=resolution,
        stages=(
            #     block    kernel stride expand    channels     repeats     se
            Stage("ghost", 3,     1,     1,        channels[0], repeats[0], 0.1),
            Stage("ghost", 3,     2,     3,        channels[1], repeats[1], 0.1),
            Stage("ghost", 5,     2,     3,        channels[2], repeats[2], 0.1),
            Stage("ghost", 3,     2,     (6, 2.5), channels[3], repeats[3], 0.1),
            Stage("ghost", 3,     1,     6,        channels[4], repeats[4], 0.1),
            Stage("ghost", 5,     2,     6,        channels[5], repeats[5], 0.1),
        ),
        **_ends(channels[0], channels[-1]),
        style=S_GHOSTNET_STYLE,
    )  # fmt: skip


def with_own_ends(network: Architecture) -> Architecture:
    """Return an S-GhostNet with the stem and the head of its stages, but none narrower; other networks as they are."""
    if network.family != "s_ghostnet":
        return network
    ends = _ends(network.stages[0].channels, network.stages[-1].channels)
    return replace(network, **{key: max(width, getattr(network, key)) for key, width in ends.items()})


def _ends(first: int, last: int) -> dict[str, int]:
    """Return stem and head of an S-GhostNet from the widths of its first and last stages."""
    return {"stem": first, "head": max(1280, 5 * last), "head_conv": 6 * last}


GHOSTNET_WIDTHS = {"ghostnet_050": 0.5, "ghostnet_100": 1.0, "ghostnet_130": 1.3}


class SGhostNetRow(NamedTuple):
    """Arguments of `s_ghostnet`."""

    resolution: int
    repeats: tuple[int, ...]
    channels: tuple[int, ...]


# Two different networks are called "B1" in research/cv/S-GhostNet. The one of its README has the widths and depths of
# GhostNet-600; the defaults of its eval_b1.py are narrow and deep. For B4, README and eval_b4.py agree.
S_GHOSTNET_ROWS = {
    #                         resolution, repeats,               channels
    "s_ghostnet_b1":          SGhostNetRow(240, (1, 2, 3, 4, 3, 6),   (28, 44, 72, 140, 196, 280)),
    "s_ghostnet_b1_searched": SGhostNetRow(248, (2, 2, 5, 10, 2, 10), (24, 32, 64, 112, 160, 280)),
    "s_ghostnet_b4":          SGhostNetRow(384, (3, 5, 5, 12, 6, 14), (36, 60, 108, 168, 232, 336)),
}  # fmt: skip

GHOSTNETS = (
    {name: ghostnet(width, name) for name, width in GHOSTNET_WIDTHS.items()}
    | {"ghostnet_600": GHOSTNET_600}
    | {name: s_ghostnet(name, *row) for name, row in S_GHOSTNET_ROWS.items()}
)
GHOSTNET_100 = GHOSTNETS["ghostnet_100"]
