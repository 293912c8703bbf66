"""Findings of a greedy study: which stage or dimension each step enlarged, and whether that beats uniform scaling."""

from __future__ import annotations

from functools import partial

from src.design.architecture import Architecture
from src.search.analysis.networks import Network, networks_of
from src.search.methods.finals import FINAL
from src.search.methods.greedy import BASE, FOUND, STEP, UNIFORM, Greedy
from src.search.report.common import Findings, by_rule, final_section, final_summary, listed
from src.search.report.document import Cell, Column, Picture, Section, Table
from src.search.report.greedy_pictures import draw_stage_macs, draw_steps
from src.search.report.view import StudyView
from src.search.study.trial import Result


def greedy_findings(method: Greedy, study: StudyView) -> Findings:
    """Return what a greedy study found, from the results so far."""
    trace = method.trace(study.results)
    kept = [result for result in trace if result.trial.group != BASE]
    finals = by_rule(study.group(FINAL))
    sections = [_steps(method, study, trace, finals), _allocation(method, study, kept)]
    if finals:
        note = "The network that the steps found, and the base scaled to its MACs by the giant formula."
        sections.append(final_section(finals, UNIFORM, note))
    networks = [listed(study, Network((result,)), f"kept in {result.trial.group}") for result in kept]
    found = {result.number: "yes" for result in kept}
    grown = [f"{_grown(result)} ({result.trial.notes['change']})" for result in kept]
    steps = "Steps kept" if study.has_finished else "Steps kept so far"
    lead = [f"{steps}: {', '.join(grown) or 'none'}.", *final_summary(finals, FOUND, UNIFORM)]
    return Findings(lead, sections, {"kept": found}, networks)


def _steps(method: Greedy, study: StudyView, trace: list[Result], finals: dict[str, list[Network]]) -> Section:
    candidates = [Network((result,)) for result in study.results if result.trial.group.startswith(STEP)]
    columns = [
        Column("step", "d"),
        Column("kept trial"),
        Column("what grew"),
        Column("by"),
        Column("M MACs", ",.3f"),
        Column("top-1, %", ".2f"),
        Column("candidates", "d"),
        Column("ties"),
        Column("exhausted"),
    ]
    rows = [_row(method, study, previous, result) for previous, result in zip([None, *trace], trace)]
    noise = method.noise(study.results)
    text = (
        f"Ties are candidates at most {noise:.2f} percentage points behind the kept one: two standard deviations of a "
        "difference of two trainings, from the base's seeds. Exhausted is what no step of blocks, channels or pixels "
        "grows within the tolerance."
    )
    caption = "All candidates of all steps, and the path of those that were kept."
    base = networks_of(study.group(BASE))
    path = [*base, *(Network((result,)) for result in trace if result.trial.group != BASE)]
    picture = Picture("steps", caption, partial(draw_steps, candidates, path, finals))
    return Section("Steps", [picture, Table(columns, rows), text])


def _row(method: Greedy, study: StudyView, previous: Result | None, result: Result) -> list[Cell]:
    macs, notes = result.macs / 1e6, result.trial.notes
    if result.trial.group == BASE:
        return [0, str(result.number), "base", "", macs, result.top1, None, "", ""]
    step = int(notes["step"])
    before = previous.trial.architecture if previous else method.base
    ties = ", ".join(str(tie.number) for tie in method.ties(study.results, step)) or "none"
    exhausted = ", ".join(method.exhausted(step, before)) or "none"
    count = len(study.group(result.trial.group))
    return [step, str(result.number), _grown(result), str(notes["change"]), macs, result.top1, count, ties, exhausted]


def _grown(result: Result) -> str:
    """Return what a candidate grew, such as `depth of stage 3`."""
    notes = result.trial.notes
    return f"{notes['dimension']} of stage {notes['stage']}" if "stage" in notes else str(notes["dimension"])


def _allocation(method: Greedy, study: StudyView, kept: list[Result]) -> Section:
    """Return the section on the multiply-adds of each stage before and after, beside uniform scaling."""
    networks: dict[str, Architecture] = {"base": study.base}
    if kept:
        found = kept[-1].trial.architecture
        networks[f"{FOUND}, step {len(kept)}"] = found
        networks |= {str(t.notes["rule"]): t.architecture for t in method.finals(found) if t.notes["rule"] != FOUND}
    caption = "Multiply-adds of each stage before and after, and of the base scaled uniformly to the same cost."
    picture = Picture("stages", caption, partial(draw_stage_macs, networks, study.classes))
    return Section("Where the MACs went", [picture])
