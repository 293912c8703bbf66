"""How many architectures a second are counted, and how many times longer it takes to build one network's Cells.

    python benchmarks/cost.py [--architectures 3000] [--networks 3]

Each architecture is a new stage table, drawn at random around EfficientNet-B0's: kernels, expansions, widths to
multiples of 8, repeats and resolution. Drawing is not timed; checking and counting are. The Cells are built of tables
from the same distribution, weights drawn, nothing compiled.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from src.design.architecture import Architecture, Stage
from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0


def random_fields(rng: random.Random) -> dict:
    """Resolution and stages of a network; each stage up to twice as wide and three blocks deeper than B0's."""
    return {
        "resolution": rng.randrange(96, 321),
        "stages": tuple(
            Stage(
                block=stage.block,
                kernel=rng.choice((3, 5, 7)),
                stride=stage.stride,
                expand=rng.choice((2, 3, 4, 6)) if stage.block == "ir" else 1,
                channels=8 * rng.randint(1, stage.channels // 4),
                repeats=rng.randint(1, stage.repeats + 3),
            )
            for stage in EFFICIENTNET_B0.stages
        ),
    }


def seconds_to_build(architecture: Architecture) -> float:
    """Of the network's Cells with their weights."""
    from src.tinynet import TinyNet

    began = time.perf_counter()
    TinyNet(architecture)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", type=int, default=3000)
    parser.add_argument("--networks", type=int, default=3, help="networks that are built; the median counts")
    args = parser.parse_args()
    rng = random.Random(1)
    tables = [random_fields(rng) for _ in range(args.architectures)]
    began = time.perf_counter()
    macs = [total_cost(replace(EFFICIENTNET_B0, **fields)).macs for fields in tables]
    rate = len(macs) / (time.perf_counter() - began)
    print(f"counted: {rate:,.0f} architectures/s, of {min(macs) / 1e6:.0f} to {max(macs) / 1e6:,.0f} M MACs")
    seconds_to_build(EFFICIENTNET_B0)  # the first one pays for MindSpore's own start
    built = statistics.median(
        seconds_to_build(replace(EFFICIENTNET_B0, **fields)) for fields in tables[: args.networks]
    )
    print(f"built:   {built:.2f} s a network, as long as counting {built * rate:,.0f} of them")


if __name__ == "__main__":
    main()
