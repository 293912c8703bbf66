"""Figures are lettered in any script that an installed font has, and replace no file of the user."""

import re
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from src.errors import UserError
from src.runtime import figures
from src.runtime.figures import check_picture_path, fitted, literal, new_figure, write_figure

pytest.importorskip("matplotlib", reason="figures need matplotlib, an extra")


def titled(text):
    figure = new_figure(3, 1, "--sheet")
    figure.subplots().set_title(text)
    figure.axes[0].axis("off")
    return figure


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


@pytest.fixture
def chinese_font(tmp_path, monkeypatch):
    """A font whose 猫 is a black square, and nothing else."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from matplotlib.font_manager import fontManager

    pen = TTGlyphPen(None)
    for move, point in (("moveTo", (0, 0)), ("lineTo", (0, 900)), ("lineTo", (900, 900)), ("lineTo", (900, 0))):
        getattr(pen, move)(point)
    pen.closePath()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "cat"])
    builder.setupCharacterMap({ord("猫"): "cat"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "cat": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "cat": (1000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": "Square", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "square.ttf")
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    fontManager.addfont(tmp_path / "square.ttf")


@pytest.mark.usefixtures("chinese_font")
def test_a_character_is_drawn_in_the_installed_font_that_has_it(tmp_path, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_figure(titled("猫"), tmp_path / "cat.png", 100)
    ink = pixels(tmp_path / "cat.png") < 100
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    assert ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.9  # the square, and no empty box
    assert caplog.text == ""


def test_characters_without_a_font_are_named_in_one_line(tmp_path, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_figure(titled("\U00013000\U00013001 a\nb"), tmp_path / "a.png", 100)
    (record,) = caplog.records
    assert "a.png: no installed font has \U00013000 \U00013001; install one, such as" in record.message


def test_texts_are_drawn_as_they_are(tmp_path):
    write_figure(titled(literal("$\\frac$ 50 %")), tmp_path / "a.png", 100)
    assert (pixels(tmp_path / "a.png") < 100).any()


def test_names_that_are_not_text_are_escaped():
    assert literal("bird\udce9\t$") == r"bird\udce9\t\$"


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_a_picture_of_this_project_is_replaced(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_figure(titled("a"), path, 50)
    small = path.stat().st_size
    write_figure(titled("abcdefgh" * 3), path, 50)
    assert path.stat().st_size != small


@pytest.mark.parametrize("write", [lambda path: write_figure(titled("a"), path, 50), None])
def test_a_picture_of_the_user_is_kept(tmp_path, write):
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 8)).save(path, "JPEG", comment=b"drawn with tinynet-mindspore")
    before = path.read_bytes()
    with pytest.raises(UserError, match=f"^{re.escape(str(path))} exists and was not drawn by this project; give"):
        write(path) if write else check_picture_path(path, "--sheet")
    assert path.read_bytes() == before


def test_without_matplotlib_one_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match="^--sheet needs matplotlib; `pip install matplotlib`$"):
        figures.check_picture_path(tmp_path / "a.png", "--sheet")


@pytest.mark.usefixtures("chinese_font")
def test_a_name_is_as_wide_as_its_letters_are_drawn():
    """A letter of 9 points is 1/8 inch high; 猫 is as wide, and "i" a quarter of that."""
    names = fitted(new_figure(3, 3, "--confusion"), ["猫" * 30, "i" * 25, "$i" * 90], inches=1, size=9)
    assert 6 <= len(names[0]) <= 8 and set(names[0][:3] + names[0][-3:]) == {"猫"} and "\u2026" in names[0]
    assert names[1] == "i" * 25
    assert names[2].startswith(r"\$i\$i") and names[2].endswith(r"\$i")


def test_the_least_of_a_name_is_its_ends():
    assert fitted(new_figure(3, 3, "--confusion"), ["abcdef", "ab"], inches=0.001, size=9) == ["a\u2026f", "ab"]
