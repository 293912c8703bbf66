"""The report of a study: all trials, right numbers, files that open without others, and nothing of the user lost."""

import csv
import json
import shlex
import shutil
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser

import numpy as np
import pytest
from support.made_up_study import BASE, CLASSES, SETTINGS, make_study
from support.project import PROJECT

from src.cli import parse
from src.config import ReportConfig, TrainConfig
from src.design.families import find_architecture
from src.design.formula import fit
from src.design.points import Point
from src.errors import UserError
from src.search.formula_file import read_formula
from src.search.report.view import SCHEMAS, read_study
from src.search.report.write import make_report, write_report, write_reports


class Page(HTMLParser):
    """Collects what a page refers to and the cells of its tables."""

    def __init__(self, text):
        super().__init__()
        self.links, self.images, self.rows, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.links += [value for key, value in attributes if key in ("href", "src") and tag != "img"]
        self.images += [values["src"]] if tag == "img" else []
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "a", "code") and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Give the folder of a study of a command with its report; it has a space and a dollar in its name."""
    parent = tmp_path_factory.mktemp("studies")

    @lru_cache
    def of(command):
        folder = parent / f"my $ {command}"
        make_study(folder, command)
        assert write_report(read_study(folder)).endswith(f"{folder}/report.html")
        return folder

    return of


@pytest.fixture(params=SETTINGS)
def folder(request, reports):
    return reports(request.param)


def rows_of(folder):
    return list(csv.DictReader((folder / "trials.csv").read_text(encoding="utf-8").splitlines()))


def test_the_page_has_every_trial_and_needs_no_network(folder):
    page, study = Page((folder / "report.html").read_text(encoding="utf-8")), read_study(folder)
    assert (
        page.open == []
        and page.images
        and all(image.startswith("data:image/png;base64,iVBOR") for image in page.images)
    )
    assert all(link.startswith(("#", "trials/")) for link in page.links)
    assert {f"trials/{result.number:04d}/" for result in study.results} <= set(page.links)
    shown = {row[0]: row for row in page.rows if row and row[-1].startswith("python train.py")}
    for result in study.results:
        row = shown[str(result.number)]
        assert row[1] == result.trial.group and row[2] == ("" if result.top1 is None else f"{result.top1:.2f}")
        assert result.reason in row


def test_a_copy_without_run_folders_has_no_links_to_them(reports, tmp_path):
    for name in ("study.json", "trials.jsonl"):
        shutil.copy(reports("compound") / name, tmp_path)
    write_report(read_study(tmp_path))
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not [link for link in page.links if not link.startswith("#")]
    assert "| 1 | grid |" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_text_has_every_trial_and_its_pictures_are_beside_it(folder):
    text, count = (folder / "report.md").read_text(encoding="utf-8"), len(read_study(folder).results)
    names = [part.split(")")[0] for part in text.split("](report/")[1:]]
    assert sorted(names) == sorted(path.name for path in (folder / "report").iterdir()) and names
    assert sum(line.startswith("| [") for line in text.splitlines()) == min(count, 50)
    assert ("more rows are in trials.csv" in text) == (count > 50)


def test_the_table_has_the_numbers_of_the_results(folder):
    rows, results = rows_of(folder), read_study(folder).results
    assert [int(row["number"]) for row in rows] == [result.number for result in results]
    for row, result in zip(rows, results, strict=True):
        assert row["top1"] == ("" if result.top1 is None else str(result.top1)) and int(row["macs"]) == result.macs
        assert all(row[key] == str(value) for key, value in result.trial.notes.items())


def test_a_command_of_the_table_trains_the_network_of_its_row(folder):
    row = rows_of(folder)[-1]
    python, script, *flags = shlex.split(row["command"])
    flags[flags.index("--model") + 1] = "tinynet_e"  # a study that trains writes the file
    flags[flags.index("--config") + 1] = str(PROJECT / "config/digits.yaml")
    config = parse(TrainConfig, flags)
    assert (python, script, config.seed, config.epochs, config.workers) == (
        "python",
        "train.py",
        int(row["seed"]),
        6,
        1,
    )
    assert f"architectures/{int(row['number']):04d}.yaml" in row["command"]


def test_the_command_of_the_study_gives_its_settings(folder):
    study = read_study(folder)
    _, _, command, *flags = shlex.split(study.study_command())
    assert command == study.command
    assert parse(SCHEMAS[command], flags) == study.config.model_copy(update={"study": folder})


def test_the_shortlist_can_be_trained(folder):
    recipes = sorted((folder / "shortlist").glob("*_train.yaml"))
    known = {result.number: result.trial.architecture for result in read_study(folder).results}
    assert recipes and len(recipes) * 2 == len(list((folder / "shortlist").iterdir()))
    for path in recipes:
        network = find_architecture(parse(TrainConfig, ["--config", str(path)]).model)
        if path.name.startswith("trial_"):
            assert network == known[int(path.name[6:10])]
            assert f"# Trial {int(path.name[6:10])} of the study {folder.name}: " in path.read_text()


def test_the_formula_is_that_of_the_selected_networks(reports):
    folder = reports("twist")
    rows = [row for row in rows_of(folder) if row["selected"] == "yes"]
    points = [Point(*(float(row[key]) for key in "crd")) for row in sorted(rows, key=lambda row: int(row["macs"]))]
    found = read_formula(folder / "formula.json")
    assert sorted(found.formula.points, key=lambda point: point.c) == points
    assert np.array(found.formula.at(0.3)) == pytest.approx(np.array(fit(points).at(0.3)))
    assert (found.base, found.num_classes) == (BASE, CLASSES)


@pytest.mark.parametrize("command, group", [("twist", "all budgets"), ("baseline", "generation")])
def test_the_front_has_the_networks_that_none_dominates(reports, command, group):
    rows = [row for row in rows_of(reports(command)) if row["group"].startswith(group) and row["top1"]]
    points = np.array([(float(row["top1"]), -int(row["macs"])) for row in rows])
    dominated = [any((other >= point).all() and (other > point).any() for other in points) for point in points]
    assert [row["front"] != "0" for row in rows] == dominated


def test_each_step_keeps_its_best_candidate(reports):
    rows = [row for row in rows_of(reports("greedy")) if row["step"] and row["top1"]]
    best = [max((row for row in rows if row["step"] == step), key=lambda row: float(row["top1"])) for step in "12"]
    assert [row["number"] for row in rows if row["kept"]] == [row["number"] for row in best]


@pytest.mark.parametrize(
    "command, ended",
    [("twist", 0), ("twist", 3), ("greedy", 3), ("compound", 3), ("baseline", 0)],
)
def test_a_study_that_has_just_begun_has_a_report(command, ended, tmp_path):
    make_study(tmp_path / command, command, stop_after=ended)
    report, findings = make_report(read_study(tmp_path / command))
    assert [picture.draw() for picture in report.pictures()] and not findings.points
    assert f"{ended} of about " in report.lead[1]


@pytest.mark.parametrize("missing, words", [(0, "The study has finished. Its {} trials"), (1, "{} of about ")])
def test_the_report_says_whether_the_study_has_finished(reports, missing, words):
    study = read_study(reports("greedy"))
    results = study.results[: len(study.results) - missing]
    report, _ = make_report(replace(study, results=results))
    assert report.lead[1].startswith(words.format(len(results)))
    assert any(str(block).startswith("Steps kept so far: ") for block in report.lead) is bool(missing)


def test_the_report_of_every_method_sees_its_end(folder):
    assert "The study has finished." in (folder / "report.md").read_text(encoding="utf-8")


def test_files_of_the_user_are_kept(tmp_path):
    make_study(tmp_path / "compound", "compound", stop_after=0)
    (tmp_path / "compound" / "report.md").write_text("mine")
    with pytest.raises(UserError, match="report.md exists and was not made by search.py report"):
        write_report(read_study(tmp_path / "compound"))
    assert not (tmp_path / "compound" / "report.html").exists()


def test_networks_that_are_not_the_best_any_more_leave_the_shortlist(tmp_path):
    make_study(tmp_path / "baseline", "baseline", stop_after=4)
    shortlist = tmp_path / "baseline" / "shortlist"
    write_report(read_study(tmp_path / "baseline"))
    before = {path.name for path in shortlist.iterdir()}
    (shortlist / "mine.yaml").write_text("mine")
    (shortlist / "trial_9999_train.yaml").write_text("mine")
    lines = (tmp_path / "baseline" / "trials.jsonl").read_text().splitlines(keepends=True)
    worse = [json.dumps({**json.loads(line), "top1": 1.0}) + "\n" for line in lines[:-1]]
    (tmp_path / "baseline" / "trials.jsonl").write_text("".join([*worse, lines[-1]]))
    write_report(read_study(tmp_path / "baseline"))
    after = {path.name for path in shortlist.iterdir()}
    assert {"mine.yaml", "trial_9999_train.yaml", "trial_0004.yaml"} <= after and not before <= after


@pytest.mark.parametrize(
    "change, words",
    [
        ({"format": 7}, "is not of format"),
        ({"command": "twister"}, "study.json: command is 'twister'; expected one of twist, greedy, compound, baseline"),
        ({"recipe": {}}, "study.json: recipe.epochs is missing"),
        ({"settings": {"trials": -1}}, "study.json: trials is -1; expected greater than or equal to 0"),
        ({"base": {}}, "study.json: base: name is missing"),
    ],
)
def test_what_is_no_study_is_named(tmp_path, change, words):
    make_study(tmp_path / "twist", "twist", stop_after=0)
    path = tmp_path / "twist" / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError) as fault:
        read_study(tmp_path / "twist")
    assert words in str(fault.value) and "\n" not in str(fault.value)


def test_studies_must_be_named():
    with pytest.raises(UserError, match="studies are missing: name the folder of one"):
        write_reports(ReportConfig())
    with pytest.raises(UserError, match="nowhere is no study: cannot read study.json"):
        write_reports(ReportConfig(studies=("nowhere",)))


def test_optuna_reads_the_journal_that_a_later_report_writes(tmp_path, capsys):
    optuna = pytest.importorskip("optuna")
    folder, journal = tmp_path / "compound", tmp_path / "all.journal"
    make_study(folder, "compound", stop_after=13)
    asked = ReportConfig(studies=(str(folder),), optuna=journal)
    write_reports(asked)
    assert capsys.readouterr().out.startswith(f"report of 13 trials: {folder}/report.html\nwritten to {journal}; ")
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    loaded = optuna.load_study(study_name=str(folder), storage=storage)
    results = read_study(folder).results
    assert [trial.values for trial in loaded.trials] == [[r.top1, r.macs] if r.is_done else None for r in results]
    assert loaded.trials[0].params == dict(results[0].trial.notes)
    with pytest.raises(UserError, match="all.journal exists; give the name of a new file"):
        write_reports(asked)
