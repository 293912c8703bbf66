import pytest
from support.project import PROJECT

from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.search.models_table import BEGIN, END, models_table, with_table, write_table


def cells(chinese=False):
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in models_table(chinese).splitlines()]


def test_a_line_says_all_of_a_network():
    header, rule, *rows = cells()
    assert {len(row) for row in (header, rule, *rows)} == {9}
    assert [row[0] for row in rows] == [f"`{name}`" for name in ARCHITECTURES]
    by_name = {row[0].strip("`"): row[1:] for row in rows}
    assert by_name["tinynet_c"] == [
        *("184", "2,457,234", "99.5 M", "71.2", "arXiv 2010.14819", "`tinynet_c`"),
        *("71.21 (89.75) `tinynet_c.in1k`", "`tinynet_c.yaml`"),
    ]
    assert by_name["efficientnet_b4"][3] == "82.9 (96.4)"
    assert by_name["efficientnet_b4"][6] == (
        "83.41 (96.60) `efficientnet_b4.ra2_in1k`, 384 px; 83.02 (96.30) `tf_efficientnet_b4.aa_in1k`"
    )
    assert by_name["s_ghostnet_b1_searched"][3:7] == ["—"] * 4


def test_the_chinese_table_differs_in_its_header_alone():
    (header, *rows), (chinese, *others) = cells(), cells(chinese=True)
    assert rows == others and len(header) == len(chinese) and header[0] == "network" and chinese[0] == "网络"


@pytest.mark.parametrize("name", ["README.md", "README_CN.md"])
def test_the_documents_are_up_to_date(name):
    text = (PROJECT / name).read_text(encoding="utf-8")
    assert with_table(PROJECT / name) == text, f"stale: python search.py table --write {name}"


def test_what_stands_around_the_table_stays(tmp_path):
    file = tmp_path / "a.md"
    file.write_bytes(f"before\r\n{BEGIN}\nold\n{END}\nafter é".encode())
    for _ in range(2):
        write_table((file,))
        assert file.read_bytes().decode() == f"before\r\n{BEGIN}\n\n{models_table()}\n\n{END}\nafter é"
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"no marker", "has no place for the table"),
        (BEGIN.encode(), "has no place for the table"),
        (f"{END}{BEGIN}".encode(), "has no place for the table"),
        (f"{BEGIN}{END}{BEGIN}".encode(), "once each"),
        (f"{BEGIN}{END}{END}".encode(), "once each"),
        (b"\xff", "is not a text in UTF-8"),
        (None, "cannot read .*: No such file"),
    ],
)
def test_one_file_without_a_place_and_none_is_written(tmp_path, content, words):
    good, bad = tmp_path / "good.md", tmp_path / "bad.md"
    good.write_text(f"{BEGIN}{END}")
    if content is not None:
        bad.write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        write_table((good, bad))
    assert "bad.md" in str(error.value) and "\n" not in str(error.value)
    assert good.read_text() == f"{BEGIN}{END}"
