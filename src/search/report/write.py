"""Write the report of a study into its folder: a page, a text, pictures, a table, the formula and the best networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from src.config.study import ReportConfig
from src.design.formula import published_formula
from src.errors import UserError
from src.runtime.figures import write_figure
from src.runtime.files import check_replaceable, write_text
from src.search.analysis.front import select_networks
from src.search.formula_file import NAME as FORMULA_FILE
from src.search.formula_file import save_formula
from src.search.methods.baseline import Baseline
from src.search.methods.compound import CompoundSearch
from src.search.methods.greedy import Greedy
from src.search.methods.twist import Twist
from src.search.report.baseline import baseline_findings
from src.search.report.common import Findings, closing_sections, lead
from src.search.report.compound import compound_findings
from src.search.report.document import Report
from src.search.report.greedy import greedy_findings
from src.search.report.html import page_template, to_html
from src.search.report.markdown import to_markdown
from src.search.report.optuna_journal import check_journal, save_journal
from src.search.report.shortlist import save_shortlist
from src.search.report.style import DPI, panels
from src.search.report.trials import FIRST_COLUMNS, trials_csv
from src.search.report.twist import twist_findings
from src.search.report.view import StudyView, read_study
from src.search.study.replay import has_finished

METHODS: dict[str, tuple[Callable[..., Any], Callable[..., Findings]]] = {
    "twist": (Twist, twist_findings),
    "greedy": (Greedy, greedy_findings),
    "compound": (CompoundSearch, compound_findings),
    "baseline": (Baseline, baseline_findings),
}
PAGE, TEXT, TABLE, PICTURES, SHORTLIST = "report.html", "report.md", "trials.csv", "report", "shortlist"
MARK = "made by search.py report"  # in the first lines of page and text, which a later report may replace
NOT_OURS = "was not made by search.py report"


def write_reports(config: ReportConfig) -> None:
    """Write the reports of studies again, also of a study that still runs.

    python search.py report runs/twist
    python search.py report runs/twist runs/greedy --optuna runs/studies.journal

    Each study's folder gets report.html, report.md with its pictures in report/, trials.csv, and the best networks in
    shortlist/. The results do not change. optuna-dashboard shows the journal.

    Raises:
        UserError: no study is named, a folder holds none, or a file cannot be written.
    """
    if not config.studies:
        raise UserError("studies are missing: name the folder of one, such as `search.py report runs/twist`")
    if config.optuna:
        check_journal(config.optuna)
    studies = [read_study(Path(name)) for name in config.studies]
    for study in studies:
        print(write_report(study))
    if config.optuna:
        save_journal(studies, config.optuna)
        print(f"written to {config.optuna}; `optuna-dashboard {config.optuna}` shows it")


def write_report(study: StudyView) -> str:
    """Write the report of a study and return a line that says where.

    Raises:
        UserError: a package is missing, or a file of the user has the name of one of these.
    """
    folder = study.folder
    beginnings = {PAGE: f"<!doctype html>\n<!-- {MARK}", TEXT: f"<!-- {MARK}", TABLE: ",".join(FIRST_COLUMNS)}
    for name, start in beginnings.items():
        check_replaceable(folder / name, start.encode(), NOT_OURS)
    report, findings = make_report(study)
    images = {}
    for picture in report.pictures():
        path = folder / PICTURES / f"{picture.name}.png"
        write_figure(picture.draw(), path, DPI)
        images[picture.name] = path.read_bytes()
    write_text(folder / TABLE, trials_csv(study, findings.additions))
    write_text(folder / TEXT, f"<!-- {MARK} -->\n\n{to_markdown(report, PICTURES)}")
    write_text(folder / PAGE, to_html(report, images, MARK))
    if findings.points:
        save_formula(folder / FORMULA_FILE, findings.points, study.base, study.classes, study.origin())
    if findings.shortlist:
        save_shortlist(findings.shortlist, folder / SHORTLIST, study.classes)
    return f"report of {len(study.results)} trials: {folder / PAGE}"


def make_report(study: StudyView) -> tuple[Report, Findings]:
    """Return the report of a study, and what its method found."""
    make_method, find = METHODS[study.command]
    method = make_method(study.config, study.base, study.classes)
    study = replace(study, has_finished=has_finished(method.rounds(), study.results))
    findings = find(method, study)
    blocks = [*lead(study, method.expected_trials()), *findings.lead]
    sections = [*findings.sections, *closing_sections(study, findings.additions)]
    return Report(f"Study {study.folder.name}: search.py {study.command}", blocks, sections), findings


def check_packages() -> None:
    """Check before long work that its report can be written.

    Raises:
        UserError: a package is missing.
    """
    panels(1, 1)
    page_template()
    published_formula()
    select_networks(range(5), range(1, 6), 3, seed=0)
