"""A sheet shows images with their classes, in any script."""

import logging
import warnings

import pytest
from PIL import Image
from support.project import photograph

from src.classification.sheet import draw_sheet

pytest.importorskip("matplotlib", reason="a sheet needs matplotlib, an extra")


def test_class_names_that_no_font_has_are_one_line(tmp_path, caplog):
    names = ["\U00013000\U00013001", "$cat$"]  # hieroglyphs, and what matplotlib would take for a formula
    results = []
    for number, name in enumerate(names * 2):
        photograph(20, 20, seed=number).save(tmp_path / f"{number}.png")
        top = [{"class": name, "index": number % 2, "probability": 0.5}]
        results.append({"image": str(tmp_path / f"{number}.png"), "top": top})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_sheet(results, names, tmp_path / "sheet.png")
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "no installed font has \U00013000 \U00013001" in record.message
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (720, 210)
