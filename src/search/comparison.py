"""search.py compare: two networks side by side."""

from __future__ import annotations

from src.config import CompareConfig
from src.design.architecture import Architecture, Stage
from src.design.cost import Cost, cost_table, total_cost
from src.design.families import find_architecture
from src.errors import UserError
from src.search.columns import aligned, slashed

PARTS_AFTER_STAGES = ("head_conv", "head", "classifier")


def compare_networks(config: CompareConfig) -> None:
    """Print two networks side by side.

    python search.py compare tinynet_c efficientnet_b_minus_2

    Raises:
        UserError: the number of networks is not two, or a network is unknown.
    """
    if len(config.models) != 2:
        raise UserError(f"models are {len(config.models)}; name two, such as `search.py compare tinynet_c tinynet_d`")
    print(side_by_side(*map(find_architecture, config.models)))


def notation(stage: Stage) -> str:
    """Return a stage in a notation like timm's: block, repeats, kernel, stride, expansion, channels, squeeze-excite.

    As in timm's, `noskip` stands at the end of a stage whose blocks do not add their inputs.
    """
    return (
        f"{stage.block}_r{stage.repeats}_k{stage.kernel}_s{stage.stride}_e{slashed(stage.expand)}_c{stage.channels}"
        f"_se{slashed(stage.se)}{'' if stage.skip else '_noskip'}"
    )


def side_by_side(first: Architecture, second: Architecture) -> str:
    """Return a table with a line for each part: its notation, M MACs and parameters in both networks, and the totals.

    `=` means that both networks have the same part. `-` means that a network does not have the part.
    """
    first_parts, second_parts = _parts(first), _parts(second)
    names = [name for name in {**first_parts, **second_parts} if name not in PARTS_AFTER_STAGES]
    names += [name for name in PARTS_AFTER_STAGES if name in first_parts or name in second_parts]
    absent = ("-", Cost())
    rows: list[tuple[str, ...]] = [
        ("", first.name, second.name, "M MACs", "", "parameters", ""),
        ("input", f"{first.resolution} px", f"{second.resolution} px", "", "", "", ""),
    ]
    for name in names:
        first_text, first_cost = first_parts.get(name, absent)
        second_text, second_cost = second_parts.get(name, absent)
        shown = "=" if second_text == first_text else second_text
        rows.append((name, first_text, shown, *_numbers(first_cost, second_cost)))
    first_total, second_total = total_cost(first), total_cost(second)
    macs = f"x {second_total.macs / first_total.macs:.3f}"
    parameters = f"x {second_total.parameters / first_total.parameters:.3f}"
    rows.append(("total", "", "", *_numbers(first_total, second_total)))
    rows.append(("second / first", "", "", "", macs, "", parameters))
    return aligned(rows, left=3)


def _parts(network: Architecture) -> dict[str, tuple[str, Cost]]:
    """Return the notation and the cost of each part, by its name."""
    stages = {f"stage {index}": notation(stage) for index, stage in enumerate(network.stages)}
    return {row.name: (stages.get(row.name, f"c{row.channels}"), row.cost) for row in cost_table(network)}


def _numbers(*costs: Cost) -> tuple[str, ...]:
    return *(f"{cost.macs / 1e6:,.2f}" for cost in costs), *(f"{cost.parameters:,}" for cost in costs)
