"""Every text that a user may edit is read alike from every editor: with byte order mark, with CRLF."""

import json
from types import SimpleNamespace

import pytest
from support.project import PROJECT

from src.classification.classes import class_names
from src.cli import read_yaml
from src.design.architecture_file import load_architecture, save_architecture
from src.design.families import ARCHITECTURES
from src.design.points import read_points
from src.errors import UserError
from src.images.record_files import read_contents
from src.launch.rank_table import read_rank_table
from src.scoring.labels import read_description, read_labels
from src.scoring.results import COLUMNS, read_results

POINTS = [{"c": 0.1 * k, "r": 0.5, "d": 0.6} for k in (1, 2, 3)]
RANKS = {"server_list": [{"server_id": "10.0.0.1", "device": [{"device_id": "0"}]}]}
CONTENTS = {"short_side": 0, "splits": {"train": {}, "val": {}}}
DESCRIPTION = {"classes": ["Katze", "Vögel"], "num_classes": 2}
TOP = [{"class": "Vögel", "index": 1, "probability": 0.75}]
TWO = SimpleNamespace(classes=(), network=SimpleNamespace(num_classes=2))
TEXTS = {  # name of a file -> its text and its reader
    "config.yaml": (
        "lr: 0.5\nrun_dir: Vögel\n",
        lambda path: {key: value for key, (value, _) in read_yaml(path).items()},
    ),
    "net.yaml": ((PROJECT / "tests/support/small_network.yaml").read_text(), load_architecture),
    "net.json": (None, load_architecture),
    "labels.txt": ("Katze\nVögel\n", lambda path: class_names(TWO, path)),
    "truth.txt": ("Vögel/a b.jpg 1\nb.jpg\t0\n", read_labels),
    "truth.json": (json.dumps({"Vögel/a.jpg": 1}, ensure_ascii=False), read_labels),
    "description.json": (json.dumps(DESCRIPTION, ensure_ascii=False, indent=1), read_description),
    "ranks.json": (json.dumps(RANKS, indent=1), read_rank_table),
    "points.json": (json.dumps(POINTS, indent=1), read_points),
    "points.csv": ("c,r,d\n0.1,0.5,0.6\n0.2,0.5,0.6\n0.3,0.5,0.6\n", read_points),
    "results.json": (json.dumps([{"image": "Vögel/a.jpg", "top": TOP}]), lambda path: read_results(path, 1)),
    "results.csv": (f"{','.join(COLUMNS)}\nVögel/a.jpg,1,1,Vögel,0.75,\n", lambda path: read_results(path, 1)),
    "dataset.json": (json.dumps(CONTENTS, indent=1), lambda path: read_contents(path.parent)),
}


@pytest.fixture(params=TEXTS)
def text(request, tmp_path):
    """Return the path of a file, its text and its reader."""
    path = tmp_path / request.param
    content, reader = TEXTS[request.param]
    if content is None:
        save_architecture(ARCHITECTURES["tinynet_e"], path)
        content = path.read_text(encoding="utf-8")
    path.write_text(content, encoding="utf-8")
    return path, content, reader


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_text_is_read_alike_from_every_editor(text, mark, end):
    path, content, reader = text
    expected = reader(path)
    path.write_text(mark + content, encoding="utf-8", newline=end)
    assert reader(path) == expected


def test_a_text_in_utf_16_is_refused_by_name(text):
    path, content, reader = text
    path.write_text(content, encoding="utf-16")
    with pytest.raises(UserError, match=f"{path.name} is in UTF-16; save it as UTF-8|{path.name} is damaged"):
        reader(path)


@pytest.mark.parametrize("name", [name for name in TEXTS if not name.startswith("results") and name != "dataset.json"])
def test_a_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path, name):
    (tmp_path / name).write_bytes("a\nV\u00f6gel\n".encode("latin-1"))
    with pytest.raises(UserError, match=rf"{name}: line 2 is not UTF-8 \(byte 0xf6\); save the file as UTF-8"):
        TEXTS[name][1](tmp_path / name)
