"""Pies as paths and pictures: angles against the counts, lines against the shares, hostile names."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli import charts
from robustnli.pies import RADIUS, pie, plain
from robustnli.types import ErrorBreakdown

COUNTS = st.builds(ErrorBreakdown, st.just("s"), *[st.integers(0, 400)] * 4)
_NUMBER = r"(-?[\d.]+(?:e-?\d+)?)"


def turn(path: str) -> float:
    """The share of a whole turn that a wedge's path takes, from its end points and its flag."""
    if path.count("A") == 2:
        return 1.0
    match = re.fullmatch(rf"M0 0L{_NUMBER} {_NUMBER}A50 50 0 ([01]) 1 {_NUMBER} {_NUMBER}Z", path)
    assert match, path
    x1, y1, _, x2, y2 = map(float, match.groups())
    assert math.hypot(x1, y1) == pytest.approx(RADIUS, abs=0.01) == math.hypot(x2, y2)
    share = (math.atan2(y2, x2) - math.atan2(y1, x1)) / (2 * math.pi) % 1.0
    return share if share > 0.25 or match[3] == "0" else share + 1 if match[3] == "1" and share < 1e-4 else share


@given(COUNTS, st.sampled_from(["either", "older"]))
def test_wedges_take_the_share_of_the_circle_that_their_counts_have(counts: ErrorBreakdown, of: charts.Of) -> None:
    drawn = pie(counts, of, "")
    total = counts.fixed + counts.remaining + (counts.introduced if of == "either" else 0)
    assert [w.outcome for w in drawn.wedges] == list(charts.shares(counts, of))
    for wedge in drawn.wedges:
        number = charts.count(counts, wedge.outcome)
        assert bool(wedge.path) == (number > 0)
        if wedge.path:
            assert turn(wedge.path) == pytest.approx(number / total, abs=1e-4)
        assert wedge.count.startswith(f"{number:,} (")
    assert [row["count"] for row in drawn.rows] == [charts.count(counts, w.outcome) for w in drawn.wedges]


def test_a_large_wedge_has_the_flag_of_the_long_way_round() -> None:
    paths = {w.outcome: w.path for w in pie(ErrorBreakdown("s", 10, 10, 80, 0), "either", "").wedges}
    assert " 0 1 1 " in paths["remaining"] and " 0 0 1 " in paths["fixed"]
    assert paths["fixed"].startswith("M0 0L0 -50A"), "the first begins at the top"
    assert pie(ErrorBreakdown("s", 5, 0, 0, 0), "either", "").wedges[0].path.count("A") == 2


def test_a_pie_puts_counts_before_percentages_and_says_of_what() -> None:
    drawn = pie(ErrorBreakdown("negation", 37, 8, 4, 51), "either", "better")
    assert [w.count for w in drawn.wedges] == ["37 (75.5 %)", "8 (16.3 %)", "4 (8.2 %)"] and drawn.heading == "100 rows"
    assert "of all errors of either model" in drawn.alt and "37 (75.5 %)" in drawn.alt and not drawn.besides
    older = pie(ErrorBreakdown("negation", 37, 8, 4, 51), "older", "better")
    assert "of the older model's errors" in older.alt and older.besides == "8 introduced besides"
    assert not drawn.few and pie(ErrorBreakdown("s", 1, 1, 1, 26), "either", "").few


@given(st.text(max_size=60), st.text(max_size=120), COUNTS)
def test_the_picture_is_whole_xml_whatever_the_slice_is_called(name: str, verdict: str, counts: ErrorBreakdown) -> None:
    drawn = pie(ErrorBreakdown(name, counts.fixed, counts.introduced, counts.remaining, counts.still_right), "either", verdict)
    tree = ElementTree.fromstring(drawn.svg)
    kinds = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert kinds <= {"svg", "title", "rect", "text", "tspan", "g", "path"}, "a name stays text"
    assert len([e for e in tree.iter() if e.tag.endswith("path")]) == sum(bool(w.path) for w in drawn.wedges)
    assert plain(drawn)["slice"] == name
