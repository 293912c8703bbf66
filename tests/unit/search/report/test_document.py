"""Texts of any kind are shown as they are, in the page and in Markdown."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.errors import UserError
from src.search.report.document import Code, Column, Link, Report, Section, Table
from src.search.report.html import page_template, to_html
from src.search.report.markdown import escaped, to_markdown

ODD = "<b>|`*_[x](y)\n\x1b[31m\udcff&amp;"
TABLE = Table([Column(ODD), Column("n", ".2f"), Column("c", on_page_only=True)], [(ODD, 1.234, ODD), ("", None, "")])
REPORT = Report(ODD, [ODD], [Section(ODD, [ODD, TABLE, Code([ODD, "b"])])])


def test_odd_texts_are_escaped_in_the_page():
    page = to_html(REPORT, {}, "mark")
    body = page.partition("<body>")[2].partition("<script>")[0]
    assert "<b>" not in page and "\x1b" not in page and "\udcff" not in page
    assert body.count("&lt;b&gt;|`*_[x](y)\\n\\x1b[31m\\udcff&amp;amp;") == 9  # each text of the report
    assert '<td class="number" data-value="1.234">1.23</td>' in body


def test_odd_texts_are_escaped_in_markdown():
    text = to_markdown(REPORT, "report")
    lines = text.splitlines()
    header = next(line for line in lines if line.startswith("| "))
    row = lines[lines.index(header) + 2]
    assert header.replace("\\|", "").count("|") == row.replace("\\|", "").count("|") == 3  # without the page's column
    assert row.startswith(r"| \<b\>\|\`\*\_\[x\](y)\\n\\x1b\[31m\\udcff&amp; | 1.23 |") and "\x1b" not in text


@settings(max_examples=30)
@given(st.text())
def test_any_text_is_one_line_of_markdown(text):
    assert len(escaped(text).splitlines()) <= 1


def test_links_stay_inside_the_folder():
    table = Table([Column("trial")], [[Link("12", "trials/a b/")], [Link("x", "javascript:alert(1)")]])
    page = to_html(Report("", [table], []), {}, "")
    assert (
        '<td data-value="12.0"><a href="trials/a%20b/">12</a></td>' in page
        and 'href="javascript%3Aalert%281%29"' in page
    )
    assert "| [12](trials/a%20b/) |" in to_markdown(Report("", [table], []), "")


def test_numbers_that_are_not_known_are_empty():
    table = Table([Column("n", ".1f")], [[float("nan")], [None], [float("inf")], [2]])
    assert [cell.text for row in table.rows for cell in table.shown(row)] == ["", "", "", "2.0"]


def test_a_long_table_is_cut_off_in_markdown_only():
    report = Report("", [Table([Column("n", "d")], [[n] for n in range(60)], long=True)], [])
    assert "10 more rows are in trials.csv" in to_markdown(report, "") and to_html(report, {}, "").count("<tr>") == 61


def test_without_jinja_one_line_says_so(monkeypatch):
    page_template.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UserError, match="a report needs jinja2"):
        to_html(REPORT, {}, "mark")
