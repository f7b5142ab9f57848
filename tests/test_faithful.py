"""Faithfulness figures against one-by-one computations, and by hand."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli.attribution import METHODS, attribute
from robustnli.masking import mask
from robustnli.models import NLIModel, load
from robustnli.pipeline import faithful
from robustnli.types import Pair, Word
from tests.test_cli import BASE, FINE, run

PAIRS = [
    Pair("A woman paints a fence in the rain.", "A woman paints something outside."),
    Pair("Two boys wait for the bus.", "Nobody is waiting for a bus today, not even the boys."),
    Pair("The baker sells bread.", "Bread!"),
    Pair("The baker sells bread.", "?!"),
    Pair("A ferret sleeps.", "The old ferret sleeps."),
]


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


@pytest.mark.parametrize("method", list(METHODS))
def test_figures_are_those_of_one_pair_at_a_time(tiny: NLIModel, method: str) -> None:
    got = faithful.measure(tiny, PAIRS)[method]
    whole: list[list[float]] = []
    for pair in PAIRS[:3] + PAIRS[4:]:
        said = tiny.predict([pair])[0]
        j = said.label
        found = attribute(tiny, pair, target=j, method=method)  # type: ignore[arg-type]
        words = sorted(
            ((s, -w.start, w) for w, s in zip(found.words, found.scores, strict=True) if w.segment == "hypothesis"), reverse=True
        )
        ranked = [w for *_, w in words]
        row = []
        for share in (0.1, 0.2, 0.5):
            top = ranked[: math.ceil(share * len(ranked) - 1e-9)]
            hidden, kept = (tiny.predict([mask(pair, some)])[0].probs[j] for some in (top, [w for w in ranked if w not in top]))
            row += [said.probs[j] - hidden, said.probs[j] - kept]
        whole.append(row)
    for name, first in (("comprehensiveness", 0), ("sufficiency", 1)):
        means = [sum(row[first::2]) / 3 for row in whole]
        assert got[name]["n"] == 4 and got[name]["mean"] == pytest.approx(sum(means) / 4, abs=1e-5)
        assert got[name]["at"]["50"] == pytest.approx(sum(row[4 + first] for row in whole) / 4, abs=1e-5)
        low, high = got[name]["interval"]
        assert low < got[name]["mean"] < high and low + high == pytest.approx(2 * got[name]["mean"])
    assert got["rank"]["n"] == 3, "one word has no rank correlation"


def test_leave_one_out_agrees_with_itself_and_chance_does_not(tiny: NLIModel) -> None:
    got = faithful.measure(tiny, PAIRS)
    assert got["leave_one_out"]["rank"]["mean"] == pytest.approx(1) == got["leave_one_out"]["rank of sizes"]["mean"]
    assert abs(got["random"]["rank"]["mean"]) < 0.9
    assert faithful.measure(tiny, PAIRS) == got and faithful.measure(tiny, PAIRS, seed=1)["random"] != got["random"]


def test_no_pair_has_no_figure(tiny: NLIModel) -> None:
    got = faithful.measure(tiny, [PAIRS[3]])
    assert got["gradient"]["comprehensiveness"] == {"n": 0, "mean": None, "interval": None, "at": {}}


def test_the_share_is_rounded_up_and_equals_keep_their_order() -> None:
    words = [Word("hypothesis", i, i + 1) for i in range(30)]
    assert [len(top) for top in faithful.tops(words, [0.0] * 30)] == [3, 6, 15]
    assert faithful.tops(words, [0.0] * 30)[0] == words[:3]
    assert faithful.tops(words[:3], [1.0, -5.0, 2.0]) == [[words[2]], [words[2]], [words[2], words[0]]]


@pytest.mark.parametrize(
    ("a", "b", "rho"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 40], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8),  # 1 - 6 * 4 / (5 * 24)
        ([1, 2, 2, 3], [1, 2, 3, 4], 0.9486832980505138),  # ranks 1, 2.5, 2.5, 4: 4.5 / sqrt(4.5 * 5)
    ],
)
def test_spearman_by_hand(a: list[float], b: list[float], rho: float) -> None:
    assert faithful.spearman(a, b) == pytest.approx(rho)


@given(st.permutations(list(range(7))), st.permutations(list(range(7))))
def test_spearman_without_equals_is_the_textbook_formula(a: list[int], b: list[int]) -> None:
    d2 = sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    assert faithful.spearman(a, b) == pytest.approx(1 - 6 * d2 / (7 * 48))
    assert faithful.spearman([math.exp(x) for x in a], b) == pytest.approx(faithful.spearman(a, b)), "only the order counts"


@pytest.mark.parametrize(("a", "b"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([], [])])
def test_spearman_of_nothing_is_none(a: list[float], b: list[float]) -> None:
    assert faithful.spearman(a, b) is None


def test_words_are_masked_in_the_hypothesis_alone(tiny: NLIModel) -> None:
    (row,) = faithful.rank(tiny, PAIRS[:1], random.Random(0))
    assert {w.segment for w in row.words} == {"hypothesis"} and len(row.words) == 5
    assert faithful.without(row, row.words[:2]).hypothesis == "[MASK] [MASK] paints something outside."
    only = faithful.only(row, row.words[:2])
    assert only.premise == row.pair.premise and only.hypothesis.startswith("A woman [MASK]") and "outside" not in only.hypothesis


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "faithfulness.json"
    status, said, _ = run("faithfulness", "--model", BASE, "--model", FINE, "--sample", "6", "--out", str(out), "--json")
    report = json.loads(out.read_text())
    assert status == 0 and report["n"] == 6 and list(report["models"]) == ["tiny-baseline", "tiny-finetuned"]
    methods = report["models"]["tiny-baseline"]["methods"]
    assert list(methods) == [*METHODS, "random"] and methods["gradient"]["sufficiency"]["n"] == 6
    rows = json.loads(said)
    assert len(rows) == 10 and rows[0]["comprehensiveness"] == methods["gradient"]["comprehensiveness"]["mean"]
    status, said, _ = run("faithfulness", "--model", BASE, "--sample", "2", "--out", str(out))
    assert status == 0 and len(said.splitlines()) == 5 and said.startswith("tiny-baseline  gradient: comprehensiveness ")
