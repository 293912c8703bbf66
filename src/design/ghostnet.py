"""GhostNet (CVPR 2020), GhostNet-600 and S-GhostNet, as the tables of their papers and released code.

Stages are the blocks of one width. A kernel counts only where a block strides or changes the width.
"""

from __future__ import annotations

from dataclasses import replace

from src.design.architecture import Architecture, Stage, Style, round_channels, shortest

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

# GhostNet, Table 1, with the kernels of the authors' code (huawei-noah, ghostnet_pytorch/ghostnet.py).
GHOSTNET_100 = Architecture(
    name="ghostnet_100",
    resolution=224,
    stem=16,
    stages=(
        #     block    kernel stride expand         channels repeats se
        Stage("ghost", 3,     1,     1,             16,      1,      0),
        Stage("ghost", 3,     2,     3,             24,      2,      0),
        Stage("ghost", 5,     2,     3,             40,      2,      0.25),
        Stage("ghost", 3,     2,     (6, 2.5, 2.3), 80,      4,      0),
        Stage("ghost", 3,     1,     6,             112,     2,      0.25),
        Stage("ghost", 5,     2,     6,             160,     5,      (0.25, 0, 0.25, 0, 0.25)),
    ),
    head=1280,
    head_conv=960,
    style=GHOSTNET_STYLE,
)  # fmt: skip


def ghostnet(width: float, name: str = "") -> Architecture:
    """GhostNet with its width multiplier, which keeps the head.

    It multiplies and rounds each hidden width by itself (the authors' code), so that the expansions of the narrower
    and wider networks are not quite those of `GHOSTNET_100`.
    """

    def wide(channels: int) -> int:
        return round_channels(channels * width, GHOSTNET_STYLE.divisor)

    stages = tuple(
        replace(
            stage,
            expand=shortest(tuple(round(wide(block.hidden) / wide(block.in_channels), 4) for block in blocks)),
            channels=wide(stage.channels),
        )
        for stage, blocks in zip(GHOSTNET_100.stages, GHOSTNET_100.blocks(), strict=True)
    )
    return replace(
        GHOSTNET_100,
        name=name or f"ghostnet(w={width:g})",
        stem=wide(GHOSTNET_100.stem),
        stages=stages,
        head_conv=wide(GHOSTNET_100.head_conv),
    )


# GhostNet-600 (mindspore-ai/models, research/cv/ghostnet/src/ghostnet600.py): width 1.75, hard swish, squeeze-excite
# of a tenth in every block, hidden widths in multiples of 8.
GHOSTNET_600 = Architecture(
    name="ghostnet_600",
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


def s_ghostnet(name: str, resolution: int, repeats: tuple[int, ...], channels: tuple[int, ...]) -> Architecture:
    """A network of Greedy Network Enlarging (arXiv 2108.00177): six numbers of blocks, six widths, a resolution.

    All else is fixed (mindspore-ai/models, research/cv/S-GhostNet/src/big_net.py, `gen_cfgs_large`).
    """
    last = channels[-1]
    return Architecture(
        name=name,
        resolution=resolution,
        stem=channels[0],
        stages=(
            #     block    kernel stride expand    channels     repeats     se
            Stage("ghost", 3,     1,     1,        channels[0], repeats[0], 0.1),
            Stage("ghost", 3,     2,     3,        channels[1], repeats[1], 0.1),
            Stage("ghost", 5,     2,     3,        channels[2], repeats[2], 0.1),
            Stage("ghost", 3,     2,     (6, 2.5), channels[3], repeats[3], 0.1),
            Stage("ghost", 3,     1,     6,        channels[4], repeats[4], 0.1),
            Stage("ghost", 5,     2,     6,        channels[5], repeats[5], 0.1),
        ),
        head=max(1280, 5 * last),
        head_conv=6 * last,
        style=S_GHOSTNET_STYLE,
    )  # fmt: skip


GHOSTNET_WIDTHS = {"ghostnet_050": 0.5, "ghostnet_100": 1.0, "ghostnet_130": 1.3}

# The two "B1" of research/cv/S-GhostNet are different networks: its README's has GhostNet-600's widths and depths, the
# defaults of its eval_b1.py are narrow and deep. B4: README and eval_b4.py agree.
S_GHOSTNETS = {
    #                          resolution, blocks a stage,       widths
    "s_ghostnet_b1":          (240, (1, 2, 3, 4, 3, 6),    (28, 44, 72, 140, 196, 280)),
    "s_ghostnet_b1_searched": (248, (2, 2, 5, 10, 2, 10),  (24, 32, 64, 112, 160, 280)),
    "s_ghostnet_b4":          (384, (3, 5, 5, 12, 6, 14),  (36, 60, 108, 168, 232, 336)),
}  # fmt: skip

GHOSTNETS = (
    {name: ghostnet(width, name) for name, width in GHOSTNET_WIDTHS.items()}
    | {"ghostnet_600": GHOSTNET_600}
    | {name: s_ghostnet(name, *row) for name, row in S_GHOSTNETS.items()}
)
