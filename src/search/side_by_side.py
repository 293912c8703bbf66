"""What is different between two architectures, and both side by side."""

from __future__ import annotations

from src.design.architecture import Architecture, Stage, each
from src.design.cost import Cost, cost_table, total_cost
from src.search.table import aligned

ENDS = ("head_conv", "head", "classifier")  # what follows the stages


def notation(stage: Stage) -> str:
    """A stage much as timm writes it: block, repeats, kernel, stride, expansion, channels, squeeze-excite."""
    expand, se = ("/".join(f"{number:g}" for number in each(values)) for values in (stage.expand, stage.se))
    return f"{stage.block}_r{stage.repeats}_k{stage.kernel}_s{stage.stride}_e{expand}_c{stage.channels}_se{se}"


def side_by_side(first: Architecture, second: Architecture) -> str:
    """A line for each part: what it is in both (`=`: the same), M MACs and parameters of both; last the whole."""
    ours, theirs = _parts(first), _parts(second)
    names = [name for name in {**ours, **theirs} if name not in ENDS]
    names += [name for name in ENDS if name in ours or name in theirs]
    rows = [
        ("", first.name, second.name, "M MACs", "", "parameters", ""),
        ("input", f"{first.resolution} px", f"{second.resolution} px", "", "", "", ""),
    ]
    for name in names:
        (text, cost), (other, other_cost) = ours.get(name, ("-", Cost())), theirs.get(name, ("-", Cost()))
        rows.append((name, text, "=" if other == text else other, *_numbers(cost, other_cost)))
    costs = total_cost(first), total_cost(second)
    factor = [f"x {new / old:.3f}" for old, new in zip(*costs)]
    rows += [("total", "", "", *_numbers(*costs)), ("second / first", "", "", "", factor[1], "", factor[0])]
    return aligned(rows, left=3)


def _parts(network: Architecture) -> dict[str, tuple[str, Cost]]:
    """Each part by name: its notation and its cost."""
    stages = {f"stage {index}": notation(stage) for index, stage in enumerate(network.stages)}
    return {row.name: (stages.get(row.name, f"c{row.channels}"), row.cost) for row in cost_table(network)}


def _numbers(*costs: Cost) -> tuple[str, ...]:
    return *(f"{cost.macs / 1e6:,.2f}" for cost in costs), *(f"{cost.parameters:,}" for cost in costs)
