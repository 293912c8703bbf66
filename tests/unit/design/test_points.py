"""Points of the tiny formula: the published ones, and those of files."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.design.points import Point, published_points, read_points
from src.errors import UserError

factors = st.floats(0.001, 100)
points = st.builds(Point, factors, factors, factors, st.none() | factors)
three_budgets = st.lists(points, min_size=3, max_size=9, unique_by=lambda point: point.c)


def test_the_published_points_are_the_papers_coefficients():
    rounded = [(round(point.c, 3), point.r, point.d) for point in published_points()]
    assert rounded == [
        (0.873, 0.86, 1.20),
        (0.520, 0.84, 1.10),
        (0.258, 0.825, 0.85),
        (0.134, 0.68, 0.695),
        (0.063, 0.475, 0.60),
        (1, 1, 1),
    ]


@given(three_budgets, st.booleans())
def test_files_come_back_as_they_were(tmp_path_factory, written, as_json):
    rows = [asdict(point) | {"top1": 61.5} for point in written]
    path = tmp_path_factory.getbasetemp() / ("points.json" if as_json else "points.csv")
    lines = [",".join(str("" if value is None else value) for value in row.values()) for row in rows]
    path.write_text(json.dumps(rows) if as_json else "\n".join([",".join(rows[0]), *lines]))
    assert read_points(path) == tuple(written)


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("p.txt", "", "ends in .csv or .json"),
        ("p.csv", "", "points at 0 values of c; the formula needs at least 3"),
        ("p.csv", "c,r,d\n0.1,0.5,0.6\n0.1,0.6,0.6\n0.2,0.6,0.7", "points at 2 values of c"),
        ("p.csv", "c,r,d,c\n0.1,0.5,0.6,0.2", "has the column 'c' twice; remove one"),
        ("p.json", '[{"c": 0.1, "c": 0.2}]', "not valid JSON: the key 'c' stands twice"),
        ("p.csv", "c,r\n0.1,0.5", "point 1 has no d; each point needs c, r and d"),
        ("p.csv", "c,r,d\n0.1,0.5,1\n0.2,half,1", "point 2: r is 'half'; expected a factor"),
        ("p.csv", "c,r,d\n0.1,184,1", "r is '184'; expected a factor of the base's, 0.001 to 100"),
        ("p.json", "[1", "is not valid JSON"),
        ("p.json", "{}", "expected a list of points"),
        ("p.json", "[[0.1, 0.5, 0.6]]", "each a mapping such as {c: 0.25"),
        ("p.json", '[{"c": 1e999, "r": 1, "d": 1}]', "c is inf"),
        ("p.json", '[{"c": 1' + "0" * 400 + ', "r": 1, "d": 1}]', "expected a factor"),
        ("p.json", '[{"c": 1, "r": [], "d": 1}]', "r is []"),
    ],
)
def test_faults_are_named(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError) as fault:
        read_points(tmp_path / name)
    assert words in str(fault.value) and "\n" not in str(fault.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot read the points .*nowhere.csv: No such file"):
        read_points(tmp_path / "nowhere.csv")
