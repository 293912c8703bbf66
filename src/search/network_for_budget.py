"""search.py formula: a network for a budget of multiply-adds or of latency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from types import ModuleType

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
from src.runtime.workers import usable_cores
from src.search.columns import aligned
from src.search.formula_file import read_formula
from src.search.network_table import network_table
from src.search.pictures import draw_formula
from src.search.training_config import is_training_config, save_training_config, training_config_path

IMAGENET_CLASSES = 1000
PUBLISHED = "TinyNet-A to E and EfficientNet-B0, as published"
COMPARED_WITHIN = 0.03  # published TinyNets are compared if their MACs differ by at most this share


def find_network(config: FormulaConfig) -> None:
    """Find a network for a budget of multiply-adds, or of latency on this machine.

    python search.py formula --macs 100M --output tiny_100m.yaml
    python search.py formula --macs 70M --base ghostnet_100
    python search.py formula --macs 100M --rule giant
    python search.py formula --latency 5ms
    python search.py formula --macs 4M --formula runs/twist/formula.json

    The formula does not predict accuracy. Only training measures it.

    A file for --points has a row for each good network of a search: c, r and d are its MACs, resolution and depth as
    factors of the base's. CSV starts with the header `c,r,d`; JSON is a list of {"c": ..., "r": ..., "d": ...}.

    Raises:
        UserError: the budget is missing or out of reach, the points are unusable, or the output cannot be written.
    """
    if (config.macs is None) == (config.latency is None):
        raise UserError("macs or latency: give one of them, such as --macs 100M or --latency 5ms")
    if config.threads > usable_cores():
        raise UserError(f"threads is {config.threads}; this process may use {usable_cores()} cores")
    rule = rule_of(config)
    if config.output:
        _check_outputs(config, config.output)
    latencies = ""
    if config.macs is not None:
        budget = config.macs
    else:
        budget, latencies = _budget_for_latency(rule, config)
    network, report = rule.network(budget, config.plot)
    if config.benchmark and not latencies:
        latencies = _latency_line(network, config.threads, rule.num_classes)
    if latencies:
        report += f"\n{latencies}"
    if config.output:
        save_architecture(network, config.output)
        origin = f"The {config.rule} formula made it from {rule.base.name}. Its accuracy is not known."
        recipe = save_training_config(network, origin, config.output, rule.num_classes)
        report += f"\nwritten to {config.output}; train it by {recipe}"
    print(f"{report}\n\n{network_table(network, rule.num_classes)}")


def _check_outputs(config: FormulaConfig, output: Path) -> None:
    recipe = training_config_path(output)
    for path in (output, recipe):
        check_output(path, lambda _: is_training_config(recipe), config.base, config.points, config.formula)


@dataclass(frozen=True)
class TinyRule:
    """The tiny formula for a base. `source` says what the formula was fitted on."""

    base: Architecture
    num_classes: int
    formula: Formula
    pixels: int
    source: str

    @property
    def largest_budget(self) -> float:
        """The upper end of the budgets, in multiply-adds: the rule only shrinks."""
        return total_cost(self.base, self.num_classes).macs

    def network(self, macs: float, plot: Path | None = None) -> tuple[Architecture, str]:
        """Return the network of `macs` multiply-adds, and a report about it.

        Raises:
            UserError: the budget is out of reach.
        """
        shrunk = shrink(self.base, macs, self.formula, self.pixels, num_classes=self.num_classes)
        if plot:
            draw_formula(self.formula, shrunk, self.base, plot, self.num_classes)
        return shrunk.architecture, _report(shrunk, self)


@dataclass(frozen=True)
class GiantRule:
    """EfficientNet's compound scaling of a base."""

    base: Architecture
    num_classes: int
    largest_budget: float = inf

    def network(self, macs: float, plot: Path | None = None) -> tuple[Architecture, str]:
        """Return the network of `macs` multiply-adds, and a report about it. It is not drawn.

        Raises:
            UserError: the budget is out of reach.
        """
        phi = phi_for_macs(self.base, macs, num_classes=self.num_classes)
        network = compound_scale(self.base, phi, name=f"{self.base.name}_giant_{macs / 1e6:.4g}m")
        factors = zip(("depth", "width", "resolution"), EFFICIENTNET_COMPOUND)
        rows = [(name, f"{factor:g}^phi", f"{factor**phi:.3f}") for name, factor in factors]
        title = f"giant formula, {self.base.name} scaled by phi = {phi:g}"
        return network, "\n".join([title, aligned(rows), _cost_line(network, macs, self.num_classes)])


def rule_of(config: FormulaConfig) -> TinyRule | GiantRule:
    """Return the scaling rule that the options ask for.

    Raises:
        UserError: options contradict each other, a network is unknown, or a formula or its points cannot be used.
    """
    if config.rule == "giant" and (config.plot or config.points or config.formula):
        raise UserError(
            "plot, points and formula are for the tiny rule, because the giant rule is not fitted; leave them out"
        )
    if config.points and config.formula:
        raise UserError(f"points is {config.points} and formula is {config.formula}; give one of them")
    found = read_formula(config.formula) if config.formula else None
    base = found.base if found and not config.base else find_architecture(config.base or EFFICIENTNET_B0.name)
    num_classes = config.num_classes or (found.num_classes if found else IMAGENET_CLASSES)
    if config.rule == "giant":
        return GiantRule(base, num_classes)
    if found:
        return TinyRule(base, num_classes, found.formula, config.pixels, str(config.formula))
    if config.points:
        return TinyRule(base, num_classes, fit(read_points(config.points)), config.pixels, str(config.points))
    return TinyRule(base, num_classes, published_formula(), config.pixels, PUBLISHED)


def _budget_for_latency(rule: TinyRule | GiantRule, config: FormulaConfig) -> tuple[float, str]:
    """Return the budget whose network meets the latency on this machine, and a table of all measurements."""
    latency, limit = _latency_module(), config.latency
    budgets: dict[Architecture, float] = {}

    def network_for(macs: float) -> Architecture:
        network, _ = rule.network(macs)
        budgets.setdefault(network, macs)
        return network

    measure = partial(latency.measure_latency, threads=config.threads, num_classes=rule.num_classes)
    base_macs = total_cost(rule.base, rule.num_classes).macs
    measured = latency.largest_within(network_for, base_macs, rule.largest_budget, limit, measure)
    chosen = [found for found in measured if found.seconds <= limit][-1]
    rows: list[tuple[object, ...]] = [("M MACs", "pixels", "ms per image", "")]
    for found in measured:
        note = "chosen: the largest network within the limit" if found is chosen else ""
        rows.append((f"{found.macs / 1e6:,.2f}", found.network.resolution, f"{found.seconds * 1e3:.2f}", note))
    return budgets[chosen.network], f"{_method(config.threads)}\n{aligned(rows, left=0)}"


def _latency_line(network: Architecture, threads: int, num_classes: int) -> str:
    seconds = _latency_module().measure_latency(network, threads, num_classes).seconds
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


def _report(shrunk: Shrunk, rule: TinyRule) -> str:
    network, base = shrunk.architecture, rule.base
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
    cost = _cost_line(network, shrunk.budget, rule.num_classes)
    lines = [f"tiny formula, fitted on {rule.source}", aligned(rows, left=3), cost]
    if not rule.formula.covers(shrunk.c):
        budgets = [point.c for point in rule.formula.points]
        lines.append(f"extrapolated, because c is outside the points' range, {min(budgets):.3g} to {max(budgets):.3g}")
    if base == EFFICIENTNET_B0:
        lines += _published_lines(network)
    return "\n".join(lines)


def _with_deviation(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} +- {estimate.deviation:.3f}"


def _cost_line(network: Architecture, budget: float, num_classes: int) -> str:
    macs = total_cost(network, num_classes).macs
    classes = f" with {num_classes:,} classes" if num_classes != IMAGENET_CLASSES else ""
    return f"{macs / 1e6:,.2f} M MACs{classes}, {macs / budget - 1:+.2%} of the budget"


def _published_lines(network: Architecture) -> list[str]:
    """Return the differences from each published TinyNet of about the same cost."""
    macs, lines = total_cost(network).macs, []
    for name, published in TINYNETS.items():
        if abs(macs / total_cost(published).macs - 1) <= COMPARED_WITHIN:
            found = differences(network, published)
            lines.append(f"differs from {name}: {'; '.join(found)}" if found else f"the same network as {name}")
    return lines
