"""Words and masked text; text masks must be id masks on the real tokenizer."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustnli.errors import InputError
from robustnli.masking import mask, spans
from robustnli.models import SEGMENTS, NLIModel, load
from robustnli.types import Pair, Word

ANY = st.text(min_size=1, max_size=60) | st.text("aA é'-.,[]MASK😀中ب\u0301\u200d$_ ", min_size=1, max_size=40)


def texts(text: str) -> list[str]:
    return [text[a:b] for a, b in spans(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A man isn't here.", ["A", "man", "isn't", "here"]),
        ("T-shirt, please!", ["T-shirt", "please"]),
        ("a [MASK] plays", ["a", "[MASK]", "plays"]),
        ("[SEP] x", ["SEP", "x"]),
        ("مرحبا بك", ["مرحبا", "بك"]),
        ("fun😀 中文", ["fun😀", "中文"]),
        ("e\u0301clair", ["e\u0301clair"]),
        ("... !?", []),
        ("", []),
    ],
)
def test_spans(text: str, words: list[str]) -> None:
    assert texts(text) == words


@given(ANY)
def test_spans_are_ordered_and_hold_no_space(text: str) -> None:
    done = 0
    for start, end in spans(text):
        assert done <= start < end <= len(text)
        assert not set(text[start:end]) & set(" \t\n\r\u00a0\u2003")
        done = end


@given(ANY, ANY)
def test_masking_changes_nothing_outside_the_word(premise: str, hypothesis: str) -> None:
    pair = Pair(premise, hypothesis)
    for start, end in spans(hypothesis):
        masked = mask(pair, [Word("hypothesis", start, end, 2)])
        assert masked == Pair(premise, hypothesis[:start] + "[MASK] [MASK]" + hypothesis[end:])


def test_masks_of_both_sentences_and_any_order() -> None:
    pair = Pair("A man plays.", "He sings well.")
    words = [Word("hypothesis", 9, 13), Word("premise", 2, 5), Word("hypothesis", 3, 8, 2)]
    assert mask(pair, words) == Pair("A [MASK] plays.", "He [MASK] [MASK] [MASK].")


@pytest.mark.parametrize("words", [[Word("premise", 0, 99)], [Word("premise", 0, 3), Word("premise", 2, 5)], [Word("premise", 2, 2)]])
def test_positions_that_are_no_words_are_refused(words: list[Word]) -> None:
    with pytest.raises(InputError, match="no word"):
        mask(Pair("A man plays.", "x"), words)


def assert_text_mask_is_id_mask(model: NLIModel, pair: Pair) -> None:
    whole = model.encode([pair])[0]
    for word in model.words(pair):
        by_ids = [
            model.mask_id if segment >= 0 and SEGMENTS[segment] == word.segment and word.start <= start < word.end else token
            for token, segment, start in zip(whole.ids, whole.segments, whole.starts, strict=True)
        ]
        assert list(model.encode([mask(pair, [word])])[0].ids) == by_ids


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


@settings(max_examples=150, deadline=None)
@given(premise=ANY, hypothesis=ANY)
def test_text_mask_is_id_mask(tiny: NLIModel, premise: str, hypothesis: str) -> None:
    assert_text_mask_is_id_mask(tiny, Pair(premise, hypothesis))


@settings(max_examples=80, deadline=None)
@given(premise=ANY, hypothesis=ANY)
def test_text_mask_is_id_mask_on_the_shipped_tokenizer(shipped_model: NLIModel, premise: str, hypothesis: str) -> None:
    assert_text_mask_is_id_mask(shipped_model, Pair(premise, hypothesis))


@pytest.fixture(scope="module")
def shipped_model(shipped: Path) -> NLIModel:
    return load(str(shipped / "baseline"))
