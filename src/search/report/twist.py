"""Findings of a twist study: how r, d and w of good networks depend on the budget, and the tiny formula of that."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from shlex import quote

import numpy as np

from src.config.study import TwistConfig
from src.design.formula import Formula, published_formula
from src.design.points import MIN_BUDGETS, Point
from src.design.shrink import shrink
from src.errors import UserError
from src.search.analysis.correlation import Correlation, spearman
from src.search.analysis.edf import GoodRange, good_range
from src.search.analysis.front import front_ranks
from src.search.analysis.networks import Network, networks_of, pooled_spread
from src.search.formula_file import NAME as FORMULA_FILE
from src.search.methods.twist import ALL_BUDGETS, FINAL, INVERSE_GIANT, ONE_BUDGET, Twist
from src.search.report.common import Findings, by_rule, final_section, final_summary, listed
from src.search.report.document import Block, Cell, Code, Column, Picture, Section, Table
from src.search.report.style import number
from src.search.report.trials import Additions
from src.search.report.twist_pictures import (
    FACTORS,
    draw_distributions,
    draw_found_formula,
    draw_front,
    draw_one_budget,
)
from src.search.report.view import StudyView

BUDGETS = 9  # at which the found formula is tabulated and its width is solved


class TwistReport:
    """The findings of a study, from the results so far."""

    def __init__(self, method: Twist, study: StudyView) -> None:
        self.method, self.study = method, study
        self.config: TwistConfig = method.config
        self.networks = networks_of(study.group(ALL_BUDGETS))
        self.ranks = front_ranks([n.top1 for n in self.networks], [n.macs for n in self.networks])
        self.rank_of = {n.number: int(rank) for n, rank in zip(self.networks, self.ranks) if rank >= 0}
        self.selected = [Network((result,)) for result in method.selected(study.results)]
        self.formula = method.formula(study.results)
        self.finals = by_rule(study.group(FINAL))

    def findings(self) -> Findings:
        """Return all that the report says beyond what every study says."""
        chosen = {n.number: "yes" for n in self.selected}
        shortlist = [listed(self.study, n, "selected by NSGA-III") for n in self.selected]
        new = self.finals.get("new formula", [])
        shortlist += [listed(self.study, n, "made by the new formula") for n in new]
        sections = [self.one_budget(), self.all_budgets(), self.correlations(), self.formula_section()]
        if self.finals:
            sections.append(final_section(self.finals, INVERSE_GIANT, "Networks of about equal cost by three rules."))
        additions: Additions = {"front": self.rank_of, "selected": chosen}
        return Findings(self.lead(), [*sections, self.distributions()], additions, shortlist, self.points())

    def lead(self) -> list[Block]:
        """Return the most important results."""
        texts = [f"{label} {found}" for label, found in zip(FACTORS.values(), self._correlations(self.selected))]
        known = [f"Rank correlation of the budget with the factors of the selected networks: {', '.join(texts)}."]
        return [*(known if self.selected else []), *final_summary(self.finals, "new formula", INVERSE_GIANT)]

    def points(self) -> dict[int, Point] | None:
        """Return the points of the found formula by the numbers of their trials; None if there is none."""
        if self.formula is None:
            return None
        return {n.number: Point(number(n, "c"), number(n, "r"), number(n, "d")) for n in self.selected}

    def one_budget(self) -> Section:
        """Return the section on networks of one budget."""
        networks, giants = networks_of(self.study.group(ONE_BUDGET)), networks_of(self.study.group(INVERSE_GIANT))
        giant = giants[0] if giants else None
        top1 = [n.top1 for n in networks]
        ranges = {key: good_range([number(n, key) for n in networks], top1, self.config.seed) for key in FACTORS}
        spread = pooled_spread(networks_of(self.study.results))
        rows = [_range_row(label, number(giant, key) if giant else None, ranges[key]) for key, label in FACTORS.items()]
        columns = [Column("factor"), Column("inverse giant", ".3f")]
        columns += [Column(title, ".3f") for title in ("good: 2.5 %", "median", "97.5 %")]
        caption = (
            f"Accuracy of networks of {self.config.budget:g} times the base's MACs. Resolution and depth are drawn at "
            "random, and the width meets the budget. The shaded range holds the factor of the best network of a random "
            "quarter in 95 % of 2,500 draws."
        )
        picture = Picture("one_budget", caption, partial(draw_one_budget, networks, giant, ranges, spread))
        return Section("Networks of one budget", [picture, _beaten(networks, giant), Table(columns, rows)])

    def all_budgets(self) -> Section:
        """Return the section on the front and the selection."""
        config = self.config
        columns = [Column("trial"), Column("front", "d"), *(Column(key, ".3f") for key in "crdw")]
        columns += [Column("pixels", "d"), Column("M MACs", ",.3f"), Column("top-1, %", ".2f")]
        rows = [self._selected_row(n) for n in self.selected]
        caption = (
            "Accuracy over multiply-adds. The stars are networks of the final comparison, with one standard "
            "deviation over their seeds."
        )
        picture = Picture("front", caption, partial(draw_front, self.networks, self.ranks, self.selected, self.finals))
        on_front = sum(rank == 0 for rank in self.ranks)
        text = (
            f"{on_front} of {len(self.networks)} networks are on the Pareto front of accuracy and MACs. NSGA-III "
            f"selects {len(self.selected)} of {config.select} wanted ones, by accuracy and ln MACs. A number of the "
            "front above 0 marks a network that another one dominates: it is selected because the front is smaller "
            "than the selection."
        )
        return Section("Networks of all budgets", [picture, text, Table(columns, rows)])

    def correlations(self) -> Section:
        """Return the section on the correlation of the budget with each factor."""
        groups = {"selected networks": self.selected, "all networks": self.networks}
        rows = [[label, *map(str, self._correlations(networks))] for label, networks in groups.items()]
        columns = [Column("networks"), *(Column(f"c and {label}") for label in FACTORS.values())]
        text = (
            "Spearman's rank correlation of the budget c with each factor, with an interval of 95 % from 1,000 "
            "bootstrap draws. The factors of all networks are drawn, so their correlation shows the ranges of the "
            "draw; the selected ones show what good networks have."
        )
        return Section("Correlation with the budget", [text, Table(columns, rows)])

    def formula_section(self) -> Section:
        """Return the section on the fitted formula."""
        budgets = self.config.c_range
        widths = self._solved_widths() if self.formula else {}
        caption = (
            "Factors of the selected networks over the budget. The curve of w is the scaling law MACs ~ r\u00b2 d "
            "w\u00b2, which exceeds small budgets; the diamonds are widths that meet the counted cost."
        )
        draw = partial(draw_found_formula, self.networks, self.selected, self.formula, budgets, widths)
        picture = Picture("formula", caption, draw)
        if self.formula is None:
            found = len({number(n, "c") for n in self.selected})
            text = (
                f"No formula: {found} networks at different budgets are selected, and it needs at least {MIN_BUDGETS}."
            )
            return Section("The new formula", [text, picture])
        macs = self.method.base_macs * self.config.final_budgets[0]
        file = quote(str(self.study.folder / FORMULA_FILE))
        command = f"python search.py formula --macs {macs / 1e6:.3g}M --formula {file}"
        noise = max(self.formula.log_r.alpha) ** 0.5, max(self.formula.log_d.alpha) ** 0.5
        text = (
            f"A Gaussian process with an RBF kernel over ln c is fitted on {len(self.selected)} networks. The "
            f"likeliest noise is {noise[0]:.0%} of r and {noise[1]:.0%} of d. {FORMULA_FILE} holds its points, kernel "
            "and base."
        )
        return Section("The new formula", [text, picture, self._formula_table(self.formula), Code([command])])

    def distributions(self) -> Section:
        """Return the section on the error distributions of the sampled spaces."""
        spaces = {
            "one budget": [n.top1 for n in networks_of(self.study.group(ONE_BUDGET))],
            "all budgets": [n.top1 for n in self.networks],
        }
        caption = "Error distributions of the sampled spaces. A failed training counts as an error of 100 %."
        drawn = {name: top1 for name, top1 in spaces.items() if top1}
        return Section("Error distributions", [Picture("edf", caption, partial(draw_distributions, drawn))])

    def _correlations(self, networks: Sequence[Network]) -> list[Correlation]:
        """Return the correlation of c with each factor."""
        c = [number(n, "c") for n in networks]
        return [spearman(c, [number(n, key) for n in networks], self.config.seed) for key in FACTORS]

    def _selected_row(self, network: Network) -> list[Cell]:
        factors = [number(network, key) for key in "crdw"]
        pixels, macs = network.architecture.resolution, network.macs / 1e6
        return [str(network.number), self.rank_of.get(network.number), *factors, pixels, macs, network.top1]

    def _formula_table(self, formula: Formula) -> Table:
        columns = [Column("c", ".3f"), Column("r", ".3f"), Column("\u00b1", ".3f"), Column("d", ".3f")]
        columns += [Column("\u00b1", ".3f"), Column("published r", ".3f"), Column("published d", ".3f")]
        rows: list[list[Cell]] = []
        for c in self._budgets():
            (r, d), (published_r, published_d) = formula.at(c), published_formula().at(c)
            rows.append([c, r.value, r.deviation, d.value, d.deviation, published_r.value, published_d.value])
        return Table(columns, rows)

    def _solved_widths(self) -> dict[float, float]:
        """Return budgets and the width that meets each, without budgets that the formula's r and d cannot reach."""
        widths = {}
        for c in self._budgets():
            with contextlib.suppress(UserError):
                macs = min(c, 1) * self.method.base_macs
                found = shrink(self.study.base, macs, self.formula, num_classes=self.study.classes)
                widths[c] = found.w.value
        return widths

    def _budgets(self) -> list[float]:
        return [float(c) for c in np.geomspace(*self.config.c_range, BUDGETS)]


def _range_row(label: str, giant: float | None, found: GoodRange | None) -> list[Cell]:
    return [label, giant, *(found or (None, None, None))]


def _beaten(networks: Sequence[Network], giant: Network | None) -> str:
    """Return how many networks of one budget are better than the inverse giant."""
    known = [n.top1 for n in networks if n.top1s]
    if giant is None or not giant.top1s:
        return f"{len(known)} networks of one budget are trained; the inverse giant network has no result."
    better = sum(top1 > giant.top1 for top1 in known)
    return (
        f"{better} of {len(known)} networks have a higher accuracy than the inverse giant network, {giant.top1:.2f} "
        "%. One training each: compare with the deviation over seeds."
    )


def twist_findings(method: Twist, study: StudyView) -> Findings:
    """Return what a twist study found."""
    return TwistReport(method, study).findings()
