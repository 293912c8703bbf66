"""Published results: their order, their sources and their recipes."""

from support.project import PROJECT

from src.cli import read_yaml
from src.design.families import ARCHITECTURES
from src.search.published import ROWS


def test_every_network_has_a_row_in_the_same_order():
    assert [row.name for row in ROWS] == list(ARCHITECTURES)


def test_a_number_has_a_source_and_lies_where_numbers_of_its_kind_lie():
    for row in ROWS:
        assert (row.source is None) == (row.top1 is None), row.name
        assert not row.weights or row.timm, row.name
        pairs = [(row.top1, row.top5)] if row.top5 else []
        for top1, top5 in pairs + [weights[1:3] for weights in row.weights]:
            assert 50 < top1 < top5 < 100, row.name
        for weights in row.weights:
            assert weights.name.startswith(f"{row.name}."), weights.name
            assert abs(weights.top1 - row.top1) < 1, weights.name


def test_unknown_stays_unknown():
    unknown = [row.name for row in ROWS if row.top1 is None]
    assert unknown == [*(f"efficientnet_b_minus_{k}" for k in (1, 2, 3, 4)), "s_ghostnet_b1_searched"]


def test_the_recipe_is_there_and_says_what_was_published():
    for row in ROWS:
        file = PROJECT / "config" / row.recipe
        settings = read_yaml(file)
        header = file.read_text(encoding="utf-8").partition("\nbase:")[0]
        if "model" in settings:
            assert settings["model"][0] == row.name
            for number in filter(None, (row.top1, row.top5)):
                assert f" {number} %" in header, row.name
        else:
            assert f"--model {row.name.rpartition('_')[0]}_" in header
