"""Report of a baseline study: the front of an evolution, and the network of the highest reward."""

from __future__ import annotations

from functools import partial

from src.search.analysis.front import front_ranks
from src.search.analysis.networks import Network, networks_of
from src.search.methods.baseline import BASE, FOUND, Baseline
from src.search.methods.finals import FINAL
from src.search.network_table import network_table
from src.search.report.baseline_pictures import draw_rewards
from src.search.report.common import Findings, by_rule, final_section, final_summary, listed
from src.search.report.document import Block, Cell, Code, Column, Picture, Section, Table
from src.search.report.view import StudyView


def baseline_findings(method: Baseline, study: StudyView) -> Findings:
    """Return what a baseline study found, from the results so far."""
    results = method.searched(study.results)
    networks = networks_of(results)
    ranks = front_ranks([n.top1 for n in networks], [n.macs for n in networks])
    rank_of = {n.number: int(rank) for n, rank in zip(networks, ranks) if rank >= 0}
    rewards = {result.number: method.reward(result) for result in results if result.is_done}
    found = method.best(study.results)
    best = Network((found,)) if found else None
    front = sorted((n for n in networks if rank_of.get(n.number) == 0), key=lambda n: n.macs)
    sections = [_front(method, networks, rank_of, rewards, best, front)]
    if best:
        table = network_table(best.architecture, study.classes).splitlines()
        sections.append(Section("The network of the highest reward", [Code(table, "text")]))
    finals = by_rule(study.group(FINAL))
    if finals:
        note = "The network of the highest reward, and the base with its width scaled to the same MACs."
        sections.append(final_section(finals, BASE, note))
    shortlist = [listed(study, n, "on the Pareto front") for n in front]
    if best and best.number not in {n.number for n in front}:
        shortlist.append(listed(study, best, "the highest reward"))
    lead: list[Block] = []
    if best:
        cost = f"{best.top1:.2f} % at {best.macs / 1e6:.2f} M MACs"
        lead.append(f"The highest reward, {rewards[best.number]:.2f} %, has trial {best.number}: {cost}.")
    lead += final_summary(finals, FOUND, BASE)
    return Findings(lead, sections, {"front": rank_of, "reward": rewards}, shortlist)


def _front(
    method: Baseline,
    networks: list[Network],
    rank_of: dict[int, int],
    rewards: dict[int, float],
    best: Network | None,
    front: list[Network],
) -> Section:
    generations: dict[str, list[Network]] = {}
    for network in networks:
        generations.setdefault(network.results[0].trial.group, []).append(network)
    exponent = method.config.exponent
    caption = (
        f"Accuracy over multiply-adds. Networks on one gray curve have the same reward, top-1 * (MACs / "
        f"{method.target / 1e6:.3g} M)^{exponent:g}."
    )
    draw = partial(draw_rewards, generations, rank_of, best, method.target, exponent)
    columns = [Column("trial"), Column("found in"), Column("M MACs", ",.3f"), Column("M parameters", ".3f")]
    columns += [Column("top-1, %", ".2f"), Column("reward, %", ".2f")]
    rows: list[list[Cell]] = []
    for n in front:
        generation = n.results[0].trial.group
        rows.append([str(n.number), generation, n.macs / 1e6, n.parameters / 1e6, n.top1, rewards.get(n.number)])
    text = (
        f"{len(front)} of {len(networks)} different networks are on the Pareto front. NSGA-II evolves accuracy and "
        "MACs together and uses the reward only to choose one network. The papers' reinforcement learning maximizes "
        "the reward itself."
    )
    return Section("Front and reward", [Picture("front", caption, draw), text, Table(columns, rows)])
