"""Parts of the reports of all methods: what was trained, how trials ended, the final comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, log, sqrt

from src.design.points import Point
from src.runtime.durations import duration
from src.search.analysis.difference import difference
from src.search.analysis.networks import Network, networks_of, pooled_spread
from src.search.report.document import Block, Cell, Code, Column, Section, Table
from src.search.report.shortlist import OF_STUDY, Listed
from src.search.report.trials import Additions, trials_table
from src.search.report.view import StudyView
from src.search.study.trial import Result, rank


@dataclass(frozen=True)
class Findings:
    """The results that a method reports of its study.

    Attributes:
        lead: the most important results.
        sections: pictures and tables.
        additions: columns of the table of trials.
        shortlist: the best networks.
        points: those of the found formula, by the numbers of their trials; None if there is none.
    """

    lead: Sequence[Block]
    sections: Sequence[Section]
    additions: Additions = field(default_factory=dict)
    shortlist: Sequence[Listed] = ()
    points: Mapping[int, Point] | None = None


def lead(study: StudyView, expected: int) -> list[Block]:
    """Return what was trained, and how much of the study is done."""
    data, base = study.definition["data"], study.base
    trained = (
        f"The study begins with {base.name} at {base.resolution} px. Each network is trained for {study.epochs} epochs "
        f"on {data['train']:,} images of {study.config.data_path} and scored by {data['val']:,} others, "
        f"{data['classes']} classes, after the last epoch."
    )
    counts = Counter(result.status for result in study.results)
    how = ", ".join(f"{count} {status}" for status, count in counts.most_common()) or "none"
    seconds = sum(result.seconds for result in study.results)
    count = len(study.results)
    if study.has_finished:
        state = f"The study has finished. Its {count} trials have ended: {how}."
    else:
        state = f"{count} of about {max(expected, count)} trials have ended: {how}."
    return [trained, f"{state} They took {duration(seconds)} in sum.", *_noise(study)]


def closing_sections(study: StudyView, additions: Additions) -> list[Section]:
    """Return the sections at the end of each report: all trials, and how to repeat them."""
    versions = ", ".join(f"{package} {version}" for package, version in study.definition["versions"].items())
    shown = {key: value for key, value in study.definition["settings"].items() if key not in ("study", "recipe")}
    recipe: dict[str, object] = study.definition["recipe"]
    settings = Table([Column("setting"), Column("value")], [(key, _text(value)) for key, value in shown.items()])
    training = Table([Column("setting"), Column("value")], [(key, _text(value)) for key, value in recipe.items()])
    commands: list[Block] = [
        "This command runs the study in a new folder, or resumes it in its own. A trial is repeated by the command "
        "in its row. Trainings of one seed are equal on one machine; other numbers of threads and other devices "
        "round otherwise.",
        Code([study.study_command()]),
    ]
    if study.results:
        commands.append(Code([study.training(study.results[0])]))
    return [
        Section("All trials", [trials_table(study, additions)]),
        Section("How to repeat it", commands),
        Section("Settings of the study", [settings]),
        Section("Recipe of each training", [training, f"Versions: {versions}."]),
    ]


def final_section(finals: Mapping[str, Sequence[Network]], reference: str, note: str) -> Section:
    """Return the comparison of networks of about equal cost over several seeds.

    Args:
        finals: the networks of each rule.
        reference: the rule with whose network of nearest cost the others are compared.
        note: a sentence on what is compared.
    """
    columns = [
        Column("network"),
        Column("M MACs", ",.3f"),
        Column("M parameters", ".3f"),
        Column("pixels", "d"),
        Column("top-1, mean, %", ".2f"),
        Column("deviation", ".2f"),
        Column("seeds", "d"),
        Column(f"against {reference}"),
    ]
    rows: list[tuple[int, list[Cell]]] = []
    for rule, networks in finals.items():
        for network in networks:
            other = nearest(network, finals.get(reference, []))
            compared = "" if other in (None, network) else verdict(network, other)
            row: list[Cell] = [rule, network.macs / 1e6, network.parameters / 1e6, network.architecture.resolution]
            row += [network.top1, network.spread, len(network.top1s), compared]
            rows.append((other.macs if other else 0, row))
    rows.sort(key=lambda pair: pair[0])  # networks of one budget beside each other
    explained = (
        "Differences are those of the means, in percentage points, with Welch's interval of 95 %. A tie is a "
        "difference whose interval holds 0: these seeds do not show which network is better."
    )
    return Section("Final comparison", [note, Table(columns, [row for _, row in rows]), explained])


def final_summary(finals: Mapping[str, Sequence[Network]], found: str, reference: str) -> list[Block]:
    """Return a sentence on the networks of the rule `found` against those of the rule `reference`."""
    parts = []
    for network in finals.get(found, []):
        other = nearest(network, finals.get(reference, []))
        if other and network.top1s and other.top1s:
            parts.append(f"at {network.macs / 1e6:.2f} M MACs {verdict(network, other)}")
    return (
        [f"Final comparison, {found} against {reference}, in percentage points: {'; '.join(parts)}."] if parts else []
    )


def nearest(network: Network, others: Sequence[Network]) -> Network | None:
    """Return the network of the nearest cost; None if there are none."""
    return min(others, key=lambda other: abs(log(other.macs / network.macs)), default=None)


def verdict(network: Network, other: Network) -> str:
    """Return the difference of two networks and its interval as text."""
    return str(difference(network.top1s, other.top1s))


def by_rule(results: Sequence[Result]) -> dict[str, list[Network]]:
    """Return the networks of the final comparison by the rule that made them, fewest multiply-adds first."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(str(result.trial.notes.get("rule", result.trial.group)), []).append(result)
    return {rule: sorted(networks_of(found), key=lambda network: network.macs) for rule, found in groups.items()}


def listed(study: StudyView, network: Network, why: str) -> Listed:
    """Return a network of the shortlist, named after its first trial."""
    number, top1 = network.number, f"top-1 {network.top1:.2f} %" if network.top1s else "not trained"
    origin = (
        f"Trial {number} {OF_STUDY} {study.folder.name}: {why}; {top1} after {study.epochs} epochs on "
        f"{study.config.data_path}. Its accuracy elsewhere is not known."
    )
    return Listed(f"trial_{number:04d}", network.architecture, origin)


def _noise(study: StudyView) -> list[Block]:
    """Return how far accuracies scatter, by the number of images and by the seeds."""
    best = min(study.results, key=rank, default=None)
    if best is None or best.top1 is None:
        return []
    share, images = best.top1 / 100, study.definition["data"]["val"]
    error = 100 * sqrt(share * (1 - share) / images)
    text = (
        f"The best trial, {best.number}, has a top-1 of {best.top1:.2f} %. By the number of images alone, an "
        f"accuracy of that height has a standard error of {error:.2f} percentage points."
    )
    spread = pooled_spread(networks_of(study.results))
    if not isnan(spread):
        text += f" Over seeds, accuracies of one network have a standard deviation of {spread:.2f} percentage points."
    return [text]


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
