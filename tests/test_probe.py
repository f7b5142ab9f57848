"""The hypothesis-only probe finds a cue where there is one, and none where there is none."""

import random

import pytest

from robustnli.errors import RunError
from robustnli.pipeline.probe import features, fit
from robustnli.types import LABELS, Example, Label, example

CUES = {Label.ENTAILMENT: "outdoors", Label.NEUTRAL: "sister", Label.CONTRADICTION: "nobody"}
NOUNS = ["man", "woman", "child", "dog", "cook", "driver", "painter", "singer", "farmer", "nurse"]


def rows(n: int, *, cued: bool) -> list[Example]:
    dice = random.Random(1 if cued else 2)
    out = []
    for i in range(n):
        label = LABELS[i % 3]
        word = CUES[label] if cued else dice.choice(list(CUES.values()))
        out.append(example(f"premise {i}", f"The {dice.choice(NOUNS)} and the {dice.choice(NOUNS)} {word}.", label))
    return out


def accuracy(train: list[Example], test: list[Example]) -> float:
    predictions = fit(train).predict([e.pair.hypothesis for e in test])
    return sum(p.label == e.label for p, e in zip(predictions, test, strict=True)) / len(test)


def test_a_cue_is_found_and_chance_is_chance() -> None:
    cued, plain = rows(900, cued=True), rows(900, cued=False)
    assert accuracy(cued[:600], cued[600:]) > 0.95
    assert accuracy(plain[:600], plain[600:]) < 0.45


def test_same_seed_same_probe_and_the_premise_is_not_read() -> None:
    data = rows(90, cued=True)
    assert fit(data).predict(["A potter outdoors."]) == fit(data).predict(["A potter outdoors."])
    other = [example("something else", e.pair.hypothesis, e.label) for e in data]
    assert fit(data).predict(["A potter outdoors."]) == fit(other).predict(["A potter outdoors."])


def test_odd_text_and_no_data() -> None:
    assert len(features("")) == 3 and features("A") == features("a")
    assert abs(sum(fit(rows(9, cued=True)).predict(["\ud800 ?!"])[0].probs) - 1) < 1e-5
    with pytest.raises(RunError, match="examples"):
        fit([])
