"""search.py formula: a network for a budget of multiply-adds or of latency."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from src.config import FormulaConfig
from src.design.architecture import Architecture
from src.design.architecture_file import save_architecture
from src.design.cost import total_cost
from src.design.differences import differences
from src.design.families import EFFICIENTNET_B0, TINYNETS, find_architecture
from src.design.formula import Estimate, Formula, fit, published_formula
from src.design.points import read_points
from src.design.scaling import EFFICIENTNET_COMPOUND, compound_scale, phi_for_macs
from src.design.shrink import Shrunk, shrink
from src.errors import UserError
from src.runtime.files import check_output
from src.search.columns import aligned
from src.search.network_table import network_table
from src.search.pictures import draw_formula
from src.search.training_config import is_training_config, save_training_config, training_config_path

# A scaling rule: base, budget in multiply-adds, options and picture file to a network and its report.
Rule: TypeAlias = "Callable[[Architecture, float, FormulaConfig, Path | None], tuple[Architecture, str]]"

COMPARED_WITHIN = 0.03  # published TinyNets are compared if their MACs differ by at most this share


def find_network(config: FormulaConfig) -> None:
    """Find a network for a budget of multiply-adds, or of latency on this machine.

    python search.py formula --macs 100M --output tiny_100m.yaml
    python search.py formula --macs 70M --base ghostnet_100
    python search.py formula --macs 100M --rule giant
    python search.py formula --latency 5ms

    The formula does not predict accuracy. Only training measures it.

    A file for --points has a row for each good network of a search: c, r and d are its MACs, resolution and depth as
    factors of the base's. CSV starts with the header `c,r,d`; JSON is a list of {"c": ..., "r": ..., "d": ...}.

    Raises:
        UserError: the budget is missing or out of reach, the points are unusable, or the output cannot be written.
    """
    if (config.macs is None) == (config.latency is None):
        raise UserError("macs or latency: give one of them, such as --macs 100M or --latency 5ms")
    base = find_architecture(config.base)
    if config.output:
        _check_outputs(config, config.output)
    rule = by_giant_rule if config.rule == "giant" else by_tiny_rule
    latencies = ""
    if config.macs is not None:
        budget = config.macs
    else:
        budget, latencies = _budget_for_latency(base, rule, config)
    network, report = rule(base, budget, config, config.plot)
    if config.benchmark and not latencies:
        latencies = _latency_line(network, config.threads)
    if latencies:
        report += f"\n{latencies}"
    if config.output:
        save_architecture(network, config.output)
        recipe = save_training_config(network, base, config.rule, config.output)
        report += f"\nwritten to {config.output}; train it by {recipe}"
    print(f"{report}\n\n{network_table(network)}")


def _check_outputs(config: FormulaConfig, output: Path) -> None:
    recipe = training_config_path(output)
    for path in (output, recipe):
        check_output(path, lambda _: is_training_config(recipe), config.base, config.points)


def by_tiny_rule(
    base: Architecture, macs: float, config: FormulaConfig, plot: Path | None = None
) -> tuple[Architecture, str]:
    """Return the network of the tiny formula, and a report about it.

    Raises:
        UserError: the budget is out of reach, or the points are unusable.
    """
    formula = fit(read_points(config.points)) if config.points else published_formula()
    shrunk = shrink(base, macs, formula, config.pixels)
    if plot:
        draw_formula(formula, shrunk, base, plot)
    source = str(config.points or "TinyNet-A to E and EfficientNet-B0, as published")
    return shrunk.architecture, _report(shrunk, base, formula, source)


def by_giant_rule(
    base: Architecture, macs: float, config: FormulaConfig, plot: Path | None = None
) -> tuple[Architecture, str]:
    """Return the network of EfficientNet's compound scaling, and a report about it.

    Raises:
        UserError: the budget is out of reach, or an option of the tiny rule is given.
    """
    if config.plot or config.points:
        raise UserError("plot and points are for the tiny rule, because the giant rule is not fitted; leave them out")
    phi = phi_for_macs(base, macs)
    network = compound_scale(base, phi, name=f"{base.name}_giant_{macs / 1e6:.4g}m")
    factors = zip(("depth", "width", "resolution"), EFFICIENTNET_COMPOUND)
    rows = [(name, f"{factor:g}^phi", f"{factor**phi:.3f}") for name, factor in factors]
    lines = [f"giant formula, {base.name} scaled by phi = {phi:g}", aligned(rows), _cost_line(network, macs)]
    return network, "\n".join(lines)


def _budget_for_latency(base: Architecture, rule: Rule, config: FormulaConfig) -> tuple[float, str]:
    """Return the budget whose network meets the latency on this machine, and a table of all measurements."""
    latency, limit = _latency_module(), config.latency
    base_macs = total_cost(base).macs
    budgets: dict[Architecture, float] = {}

    def network_for(macs: float) -> Architecture:
        network, _ = rule(base, macs, config, None)
        budgets.setdefault(network, macs)
        return network

    largest_budget = base_macs if config.rule == "tiny" else float("inf")
    measure = partial(latency.measure_latency, threads=config.threads)
    measured = latency.largest_within(network_for, base_macs, largest_budget, limit, measure)
    chosen = [found for found in measured if found.seconds <= limit][-1]
    rows: list[tuple[object, ...]] = [("M MACs", "pixels", "ms per image", "")]
    for found in measured:
        note = "chosen: the largest network within the limit" if found is chosen else ""
        rows.append((f"{found.macs / 1e6:,.2f}", found.network.resolution, f"{found.seconds * 1e3:.2f}", note))
    return budgets[chosen.network], f"{_method(config.threads)}\n{aligned(rows, left=0)}"


def _latency_line(network: Architecture, threads: int) -> str:
    seconds = _latency_module().measure_latency(network, threads).seconds
    return f"{seconds * 1e3:.2f} ms per image; {_method(threads)}"


def _method(threads: int) -> str:
    return f"measured here: median, ONNX file, ONNX Runtime on the CPU, batch 1, threads: {threads}"


def _latency_module() -> ModuleType:
    """Import the measuring of latencies, which alone needs MindSpore because it builds and exports networks."""
    try:
        from src.search import latency
    except ImportError as error:
        raise UserError(f"measuring builds and exports networks, but {error}; `pip install '.[onnx]'`") from None
    return latency


def _report(shrunk: Shrunk, base: Architecture, formula: Formula, source: str) -> str:
    network = shrunk.architecture
    formula_pixels = int(base.resolution * shrunk.r.value)
    pixels = f"{network.resolution} pixels"
    if network.resolution != formula_pixels:
        pixels += f", moved from {formula_pixels} to meet the budget"
    depth = f"moved to {shrunk.depth:.3f} to meet the budget" if shrunk.depth != shrunk.d.value else ""
    rows = [
        ("c", f"{shrunk.c:.4f}", f"of the MACs of {base.name}"),
        ("resolution", _with_deviation(shrunk.r), pixels),
        ("depth", _with_deviation(shrunk.d), depth),
        ("width", _with_deviation(shrunk.w), f"solved on the cost; sqrt(c / (r^2 d)) is {shrunk.law_width:.3f}"),
    ]
    lines = [f"tiny formula, fitted on {source}", aligned(rows, left=3), _cost_line(network, shrunk.budget)]
    if not formula.covers(shrunk.c):
        budgets = [point.c for point in formula.points]
        lines.append(f"extrapolated, because c is outside the points' range, {min(budgets):.3g} to {max(budgets):.3g}")
    if base == EFFICIENTNET_B0:
        lines += _published_lines(network)
    return "\n".join(lines)


def _with_deviation(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} +- {estimate.deviation:.3f}"


def _cost_line(network: Architecture, budget: float) -> str:
    macs = total_cost(network).macs
    return f"{macs / 1e6:,.2f} M MACs, {macs / budget - 1:+.2%} of the budget"


def _published_lines(network: Architecture) -> list[str]:
    """Return the differences from each published TinyNet of about the same cost."""
    macs, lines = total_cost(network).macs, []
    for name, published in TINYNETS.items():
        if abs(macs / total_cost(published).macs - 1) <= COMPARED_WITHIN:
            found = differences(network, published)
            lines.append(f"differs from {name}: {'; '.join(found)}" if found else f"the same network as {name}")
    return lines
