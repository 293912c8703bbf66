"""What the commands of search.py do: cost, networks for a budget, two networks side by side, the table of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from src.config import CompareConfig, CostConfig, FormulaConfig, TableConfig
from src.design.architecture import Architecture
from src.design.architecture_file import save_architecture
from src.design.cost import cost_table, total_cost
from src.design.differences import differences
from src.design.families import ARCHITECTURES, EFFICIENTNET_B0, TINYNETS, find_architecture
from src.design.formula import Estimate, Formula, fit, published_formula
from src.design.points import read_points
from src.design.scaling import EFFICIENTNET_COMPOUND, compound_scale, phi_for_macs
from src.design.shrink import Shrunk, shrink
from src.errors import UserError
from src.search.models_table import ALL_NETWORKS, write_table
from src.search.pictures import draw_families, draw_formula, draw_stages
from src.search.side_by_side import side_by_side
from src.search.table import aligned, table
from src.search.training_config import save_training_config

Scale = Callable[[Architecture, float, FormulaConfig], tuple[Architecture, str]]

NEAR = 0.03  # share of the MACs within which a published TinyNet is compared with


def cost(config: CostConfig) -> None:
    """Parameters, multiply-adds and activations of networks, stage by stage.

    python search.py cost tinynet_c
    python search.py cost --all --plot families.png

    Raises:
        UserError: no network named, or an unknown one.
    """
    names = dict.fromkeys((*config.models, *(ARCHITECTURES if config.every else ())))
    networks = [find_architecture(name) for name in names]
    if not networks:
        raise UserError("models are missing: name some, such as `search.py cost tinynet_c`, or give --all")
    if config.input_size:
        networks = [network.at(config.input_size) for network in networks]
    if config.plot:
        draw_stages(networks[0], config.plot) if len(networks) == 1 else draw_families(networks, config.plot)
    if config.as_json:
        for network in networks:
            print(json.dumps(_as_dict(network, config.num_classes)))
    elif config.every:
        print(_overview(networks, config.num_classes))
    else:
        print("\n\n".join(table(network, config.num_classes) for network in networks))


def formula(config: FormulaConfig) -> None:
    """A network for a budget: of multiply-adds, or of time on this machine. Its accuracy only training can tell.

    python search.py formula --macs 100M --output tiny_100m.yaml
    python search.py formula --macs 70M --base ghostnet_100
    python search.py formula --macs 100M --rule giant
    python search.py formula --latency 5ms

    A file for --points has a row for each good network of a search: c, r and d are its MACs, resolution and depth as
    factors of the base's. CSV starts with the header `c,r,d`; JSON is a list of {"c": ..., "r": ..., "d": ...}.

    Raises:
        UserError: no budget or one out of reach, unusable points, or an output that cannot be written.
    """
    if (config.macs is None) == (config.latency is None):
        raise UserError("macs or latency: give one of them, such as --macs 100M or --latency 5ms")
    base = find_architecture(config.base)
    scale = _giant if config.rule == "giant" else _tiny
    budget, times = (config.macs, "") if config.macs else _budget_within(base, scale, config)
    network, report = scale(base, budget, config, config.plot)
    if config.benchmark and not times:
        times = _speed(network, config.threads)
    if times:
        report += f"\n{times}"
    if config.output:
        save_architecture(network, config.output)
        recipe = save_training_config(network, base, config.rule, config.output)
        report += f"\nwritten to {config.output}; train it by {recipe}"
    print(f"{report}\n\n{table(network)}")


def compare(config: CompareConfig) -> None:
    """Two networks side by side.

    python search.py compare tinynet_c efficientnet_b_minus_2

    Raises:
        UserError: not two networks, or an unknown one.
    """
    if len(config.models) != 2:
        raise UserError(f"models are {len(config.models)}; name two, such as `search.py compare tinynet_c tinynet_d`")
    print(side_by_side(*map(find_architecture, config.models)))


def published(config: TableConfig) -> None:
    """All networks in Markdown: cost, published accuracy and its source, timm's name, recipe.

    python search.py table
    python search.py table --write README.md README_CN.md

    Raises:
        UserError: --write without files or files without it, one that has no place for the table or cannot be written.
    """
    if config.write != bool(config.files):
        raise UserError(
            "--write and files belong together, such as `search.py table --write README.md`; give both or none"
        )
    write_table(config.files) if config.write else print(ALL_NETWORKS.markdown())


def _as_dict(network: Architecture, num_classes: int) -> dict[str, Any]:
    rows = [
        {"name": row.name, "channels": row.channels, "size": row.size, **row.cost._asdict()}
        for row in cost_table(network, num_classes)
    ]
    whole = total_cost(network, num_classes)._asdict()
    return {"model": network.name, "resolution": network.resolution, **whole, "parts": rows}


def _overview(networks: list[Architecture], num_classes: int) -> str:
    rows = [("network", "pixels", "M MACs", "parameters", "M activations")]
    for network in networks:
        parameters, macs, activations = total_cost(network, num_classes)
        millions = [f"{number / 1e6:,.2f}" for number in (macs, activations)]
        rows.append((network.name, network.resolution, millions[0], f"{parameters:,}", millions[1]))
    return aligned(rows)


def _tiny(base: Architecture, macs: float, config: FormulaConfig, plot: Path | None = None) -> tuple[Architecture, str]:
    """The tiny formula's network, and what there is to say of it."""
    law = fit(read_points(config.points)) if config.points else published_formula()
    shrunk = shrink(base, macs, law, config.pixels)
    if plot:
        draw_formula(law, shrunk, base, plot)
    source = str(config.points or "TinyNet-A to E and EfficientNet-B0, as published")
    return shrunk.architecture, _report(shrunk, base, law, source)


def _giant(
    base: Architecture, macs: float, config: FormulaConfig, plot: Path | None = None
) -> tuple[Architecture, str]:
    """EfficientNet's network, and what there is to say of it."""
    if config.plot or config.points:
        raise UserError("plot and points are the tiny rule's: the giant one has nothing fitted; leave them out")
    phi = phi_for_macs(base, macs)
    network = compound_scale(base, phi, name=f"{base.name}_giant_{macs / 1e6:.4g}m")
    factors = zip(("depth", "width", "resolution"), EFFICIENTNET_COMPOUND)
    rows = [(name, f"{factor:g}^phi", f"{factor**phi:.3f}") for name, factor in factors]
    lines = [f"giant formula, {base.name} scaled by phi = {phi:g}", aligned(rows), _met(network, macs)]
    return network, "\n".join(lines)


def _budget_within(base: Architecture, scale: Scale, config: FormulaConfig) -> tuple[float, str]:
    """The budget whose network keeps the latency on this machine, and all times that were measured."""
    latency, whole = _latency(), total_cost(base).macs
    budgets: dict[Architecture, float] = {}

    def family(macs: float) -> Architecture:
        network = scale(base, macs, config)[0]
        budgets.setdefault(network, macs)
        return network

    most = whole if config.rule == "tiny" else float("inf")
    measure = partial(latency.timed, threads=config.threads)
    found = latency.largest_within(family, whole, most, config.latency, measure)
    best = [one for one in found if one.seconds <= config.latency][-1]
    rows = [("M MACs", "pixels", "ms an image", "")]
    for one in found:
        note = "taken: the largest within the time" if one is best else ""
        rows.append((f"{one.macs / 1e6:,.2f}", one.network.resolution, f"{one.seconds * 1e3:.2f}", note))
    return budgets[best.network], f"{_how_timed(config.threads)}\n{aligned(rows, left=0)}"


def _speed(network: Architecture, threads: int) -> str:
    return f"{_latency().timed(network, threads).seconds * 1e3:.2f} ms an image; {_how_timed(threads)}"


def _how_timed(threads: int) -> str:
    return f"measured here: median, ONNX file, ONNX Runtime on the CPU, batch 1, threads: {threads}"


def _latency() -> ModuleType:
    """Measuring builds the network: it alone needs MindSpore."""
    try:
        from src.search import latency
    except ImportError as error:
        raise UserError(f"measuring builds and exports networks, but {error}; `pip install '.[onnx]'`") from None
    return latency


def _report(shrunk: Shrunk, base: Architecture, law: Formula, source: str) -> str:
    network = shrunk.architecture
    moved = f"moved to {shrunk.depth:.3f} to meet the budget" if shrunk.depth != shrunk.d.value else ""
    pixels, own = network.resolution, int(base.resolution * shrunk.r.value)
    rows = [
        ("c", f"{shrunk.c:.4f}", f"of the MACs of {base.name}"),
        ("resolution", _with_deviation(shrunk.r), f"{pixels} pixels" + (f", moved from {own}" * (pixels != own))),
        ("depth", _with_deviation(shrunk.d), moved),
        ("width", _with_deviation(shrunk.w), f"solved on the cost; sqrt(c / (r^2 d)) is {shrunk.law_width:.3f}"),
    ]
    lines = [f"tiny formula, fitted on {source}", aligned(rows, left=3), _met(network, shrunk.budget)]
    if not law.covers(shrunk.c):
        least, most = (pick(point.c for point in law.points) for pick in (min, max))
        lines.append(f"c is outside of the points, {least:.3g} to {most:.3g}: this is extrapolated")
    if base == EFFICIENTNET_B0:
        lines += _beside_published(network)
    return "\n".join(lines)


def _with_deviation(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} +- {estimate.deviation:.3f}"


def _met(network: Architecture, budget: float) -> str:
    macs = total_cost(network).macs
    return f"{macs / 1e6:,.2f} M MACs, {macs / budget - 1:+.2%} of the budget"


def _beside_published(network: Architecture) -> list[str]:
    """How the network differs from published TinyNets of its cost."""
    macs, lines = total_cost(network).macs, []
    for name, published in TINYNETS.items():
        if abs(macs / total_cost(published).macs - 1) <= NEAR:
            found = differences(network, published)
            lines.append(f"differs from {name}: {'; '.join(found)}" if found else f"the same network as {name}")
    return lines
