"""The tables of networks in the README and on the site are complete, in both languages, and up to date."""

import pytest
from support.project import PROJECT

from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.search.models_table import ALL_NETWORKS, END, MAIN_NETWORKS, TABLES, with_table, write_table

DOCUMENTS = {
    "README.md": MAIN_NETWORKS,
    "README_CN.md": MAIN_NETWORKS,
    "docs/en/results.md": ALL_NETWORKS,
    "docs/zh/results.md": ALL_NETWORKS,
}


def cells(table, chinese=False):
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.markdown(chinese).splitlines()]


def rows_by_name(table):
    return {row[0].strip("`"): row[1:] for row in cells(table)[2:]}


def test_the_full_table_has_a_row_for_every_network():
    assert list(rows_by_name(ALL_NETWORKS)) == list(ARCHITECTURES)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_cell_for_each_column(table):
    assert {len(row) for row in cells(table)} == {len(table.columns)}


def test_the_full_row_of_tinynet_c():
    assert rows_by_name(ALL_NETWORKS)["tinynet_c"] == [
        *("184", "2,457,234", "99.5 M", "71.2", "arXiv 2010.14819", "`tinynet_c`"),
        *("71.21 (89.75) `tinynet_c.in1k`", "`tinynet_c.yaml`"),
    ]


def test_the_narrow_row_of_tinynet_c():
    assert rows_by_name(MAIN_NETWORKS)["tinynet_c"] == [
        *("184", "2,457,234", "99.5 M", "71.2", "71.21 `tinynet_c.in1k`")
    ]


def test_top5_and_the_size_of_the_measurement_are_shown():
    rows = rows_by_name(ALL_NETWORKS)
    assert rows["efficientnet_b4"][3] == rows["tf_efficientnet_b4"][3] == "82.9 (96.4)"
    assert rows["efficientnet_b4"][6] == "83.41 (96.60) `efficientnet_b4.ra2_in1k`, 384 px"
    assert rows["tf_efficientnet_b7"][6] == "84.41 (96.91) `tf_efficientnet_b7.aa_in1k`"


def test_an_unknown_value_is_a_dash():
    assert rows_by_name(ALL_NETWORKS)["s_ghostnet_b1_searched"][3:7] == ["—"] * 4


@pytest.mark.parametrize("table", TABLES)
def test_the_chinese_table_differs_in_its_header_alone(table):
    (header, *rows), (chinese, *others) = cells(table), cells(table, chinese=True)
    assert rows == others
    assert (header[0], chinese[0]) == ("network", "网络")


@pytest.mark.parametrize("name, table", DOCUMENTS.items())
def test_the_documents_are_up_to_date(name, table):
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert table.begin in text
    assert with_table(PROJECT / name) == text, f"stale: python search.py table --write {name}"


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name, chinese", [("a.md", False), ("a_CN.md", True), ("zh/a.md", True)])
def test_the_text_around_the_table_stays(tmp_path, table, name, chinese):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(f"before\r\n{table.begin}\nold\n{END}\nafter é".encode())
    for _ in range(2):
        write_table((file,))
        assert file.read_bytes().decode() == (f"before\r\n{table.begin}\n\n{table.markdown(chinese)}\n\n{END}\nafter é")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


BEGIN = MAIN_NETWORKS.begin


@pytest.mark.parametrize(
    "content, words",
    [
        (b"no marker", "has no place for a table"),
        (BEGIN.encode(), "has no place for a table"),
        (f"{END}{BEGIN}".encode(), "has no place for a table"),
        (f"{BEGIN}{END}{BEGIN}".encode(), "once each"),
        (f"{BEGIN}{END}{ALL_NETWORKS.begin}".encode(), "once each"),
        (f"{BEGIN}{END}{END}".encode(), "once each"),
        (b"\xff", "is not a text in UTF-8"),
        (None, "cannot read .*: No such file"),
    ],
)
def test_no_document_is_written_if_one_has_no_place(tmp_path, content, words):
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(f"{BEGIN}{END}")
    if content is not None:
        bad.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        write_table((good, bad))
    assert "bad.md" in str(error.value) and "\n" not in str(error.value)
    assert good.read_text() == f"{BEGIN}{END}"
