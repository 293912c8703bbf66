"""Findings of a compound study: the best coefficients of the grid, their neighbors, and the scaled family."""

from __future__ import annotations

from functools import partial

from src.design.cost import total_cost
from src.search.analysis.networks import Network
from src.search.methods.compound import FOUND, GRID, PUBLISHED, CompoundSearch, coefficients_of
from src.search.methods.finals import FINAL
from src.search.report.common import Findings, by_rule, final_section, final_summary, listed
from src.search.report.compound_pictures import draw_grid
from src.search.report.document import Block, Cell, Column, Picture, Section, Table
from src.search.report.shortlist import Listed
from src.search.report.view import StudyView
from src.search.study.trial import Result


def compound_findings(method: CompoundSearch, study: StudyView) -> Findings:
    """Return what a compound study found, from the results so far."""
    results = study.group(GRID)
    best = method.best(results)
    scores = {result.number: method.score(result) for result in results if result.is_done}
    sections = [_grid(method, study, results, best, scores)]
    finals = by_rule(study.group(FINAL))
    if finals:
        note = "The base scaled to about equal cost by the found coefficients and by other rules."
        reference = PUBLISHED if PUBLISHED in finals else FOUND
        sections.append(final_section(finals, reference, note))
    shortlist: list[Listed] = []
    if best:
        sections.insert(1, _family(method, study, best))
        shortlist = [listed(study, Network((best,)), "the best coefficients"), *_members(method, study, best)]
    return Findings(
        [*_best(best, scores), *final_summary(finals, FOUND, PUBLISHED)], sections, {"score": scores}, shortlist
    )


def _best(best: Result | None, scores: dict[int, float]) -> list[Block]:
    if best is None:
        return []
    alpha, beta, gamma = coefficients_of(best)
    score = f"with a score of {scores[best.number]:.2f} %"
    return [f"The best candidate is trial {best.number}: alpha {alpha:g}, beta {beta:g}, gamma {gamma:g}, {score}."]


def _grid(
    method: CompoundSearch, study: StudyView, results: list[Result], best: Result | None, scores: dict[int, float]
) -> Section:
    caption = (
        f"Score of each candidate of the grid, in percent: its accuracy, corrected for MACs other than "
        f"{method.config.growth:g} times the base's. The frame marks the best one."
    )
    networks = [Network((result,)) for result in results]
    picture = Picture("grid", caption, partial(draw_grid, networks, scores, best.number if best else None))
    columns = [Column("trial"), Column("alpha (depth)", "g"), Column("beta (width)", "g")]
    columns += [Column("gamma (resolution)", "g"), Column("M MACs", ",.3f"), Column("MACs of the base's", ".3f")]
    columns += [Column("top-1, %", ".2f"), Column("score, %", ".2f"), Column("behind the best", ".2f")]
    shown = [best, *method.neighbors(results)] if best else []
    rows = [_row(method, result, scores, best) for result in shown]
    text = (
        "The best candidate and its neighbors, at most one step of the grid away in each coefficient. The score is "
        f"top-1 * (MACs / ({method.config.growth:g} times the base's))^{method.config.exponent:g}. Each is one "
        "training: neighbors within the deviation over seeds are ties."
    )
    return Section("Coefficients", [picture, text, Table(columns, rows)])


def _row(method: CompoundSearch, result: Result, scores: dict[int, float], best: Result | None) -> list[Cell]:
    score = scores[result.number]
    behind = scores[best.number] - score if best else None
    share = result.macs / method.base_macs
    return [str(result.number), *coefficients_of(result), result.macs / 1e6, share, result.top1, score, behind]


def _family(method: CompoundSearch, study: StudyView, best: Result) -> Section:
    columns = [Column("phi", "d"), Column("M MACs", ",.3f"), Column("M parameters", ".3f"), Column("pixels", "d")]
    columns += [Column("blocks", "d"), Column("file")]
    rows: list[list[Cell]] = []
    for phi, network in enumerate(method.family(coefficients_of(best)), 1):
        cost = total_cost(network, study.classes)
        blocks = sum(stage.repeats for stage in network.stages)
        size = [phi, cost.macs / 1e6, cost.parameters / 1e6, network.resolution, blocks]
        rows.append([*size, f"shortlist/phi_{phi}.yaml"])
    alpha, beta, gamma = coefficients_of(best)
    text = f"The base scaled by alpha {alpha:g}, beta {beta:g} and gamma {gamma:g}, each to the power of phi."
    return Section("The scaled family", [text, Table(columns, rows)])


def _members(method: CompoundSearch, study: StudyView, best: Result) -> list[Listed]:
    origin = (
        f"The base of the study {study.folder.name}, scaled by the coefficients of its trial {best.number} with phi = "
        "{}. Its accuracy is not known."
    )
    family = enumerate(method.family(coefficients_of(best)), 1)
    return [Listed(f"phi_{phi}", network, origin.format(phi)) for phi, network in family]
