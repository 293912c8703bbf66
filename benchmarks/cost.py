"""Measure how many architectures per second are counted, and how much longer building a network's Cells takes.

    python benchmarks/cost.py [--architectures 3000] [--networks 3]

Each architecture is a new random stage table around EfficientNet-B0's: kernels, expansions, widths in multiples of 8,
repeats and resolution. The time includes checking and counting, but not drawing. The built networks are of the same
distribution; the time to build one includes drawing its weights, but no compilation.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from src.design.architecture import Architecture, Stage
from src.design.cost import total_cost
from src.design.families import EFFICIENTNET_B0


def random_fields(rng: random.Random) -> dict[str, Any]:
    """Return resolution and stages of a network whose stages have up to twice B0's width and three more blocks."""
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
    """Return the time to build the network's Cells and draw their weights."""
    from src.networks.efficientnet import EfficientNet

    began = time.perf_counter()
    EfficientNet(architecture)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", type=int, default=3000)
    parser.add_argument("--networks", type=int, default=3, help="networks to build; the median is printed")
    args = parser.parse_args()
    rng = random.Random(1)
    tables = [random_fields(rng) for _ in range(args.architectures)]
    began = time.perf_counter()
    macs = [total_cost(replace(EFFICIENTNET_B0, **fields)).macs for fields in tables]
    rate = len(macs) / (time.perf_counter() - began)
    print(f"counted: {rate:,.0f} architectures/s, of {min(macs) / 1e6:.0f} to {max(macs) / 1e6:,.0f} M MACs")
    seconds_to_build(EFFICIENTNET_B0)  # the first network takes longer, because MindSpore starts
    built = statistics.median(
        seconds_to_build(replace(EFFICIENTNET_B0, **fields)) for fields in tables[: args.networks]
    )
    print(f"built:   {built:.2f} s per network, the time to count {built * rate:,.0f} networks")


if __name__ == "__main__":
    main()
