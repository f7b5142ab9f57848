"""Values -> what is drawn: colours of chips, rows of tables, escaped text. No streamlit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from robustnli.types import MASK, Attribution, MaskEffect, Pair, Prediction, Word

# Okabe-Ito's blue and vermillion: told apart with every common colour blindness, on light and on dark.
BLUE, ORANGE = (0, 114, 178), (213, 94, 0)
SIGNED = {"input_x_gradient", "integrated_gradients", "leave_one_out"}
FLIP = "\u21c4"
_ADDRESS = re.compile(r"(https?(?=://)|www(?=\.))", re.IGNORECASE)
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def escape_markdown(text: str) -> str:
    """`text` so that Markdown shows it literally: every ASCII punctuation mark escaped, line breaks made spaces.

    An address becomes no link: an invisible word joiner (U+2060) stands in it, since Streamlit makes links of what was escaped, too.
    """
    return _PUNCTUATION.sub(r"\\\1", _ADDRESS.sub("\\1\u2060", " ".join(text.split())))


def scale(attribution: Attribution) -> float:
    """The largest magnitude of any score, 1 where all are 0: what the strongest colour stands for."""
    return max(map(abs, attribution.scores), default=0.0) or 1.0


def colour(score: float, largest: float) -> str:
    """CSS colour of a score: vermillion above 0, blue below; more opaque with magnitude, readable under any text colour."""
    red, green, blue = ORANGE if score > 0 else BLUE
    return f"rgba({red}, {green}, {blue}, {0.62 * min(1.0, abs(score) / largest):.3f})"


def sign(score: float, *, signed: bool) -> str:
    """A mark beside the colour: + or a minus sign; none for magnitudes, which have no sign."""
    return "" if not signed or score == 0 else "+" if score > 0 else "\u2212"


def word_id(word: Word, ordinal: int) -> str:
    """The short name of a word in URLs: p or h, and its number in the sentence from 1."""
    return f"{word.segment[0]}{ordinal}"


def legend(attribution: Attribution) -> list[dict[str, str]]:
    """Steps of the colour scale, from the smallest score to the largest: colour and number."""
    largest = scale(attribution)
    steps = (-1.0, -0.5, 0.0, 0.5, 1.0) if attribution.method in SIGNED else (0.0, 0.5, 1.0)
    return [
        {"colour": colour(s * largest, largest), "text": f"{s * largest:+.2g}" if s and min(steps) < 0 else f"{s * largest:.2g}"}
        for s in steps
    ]


def chip_rows(pair: Pair, words: Sequence[Word], ids: Sequence[str], attribution: Attribution, largest: float) -> list[dict[str, Any]]:
    """Rows (premise, hypothesis) of chips for the browser: plain values, user text only as text; what stands between words as `plain`."""
    scores = dict(zip(attribution.words, attribution.scores, strict=True))
    rows: dict[str, list[dict[str, Any]]] = {"premise": [], "hypothesis": []}
    signed = attribution.method in SIGNED
    done = {"premise": 0, "hypothesis": 0}
    for word, name in zip(words, ids, strict=True):
        score = scores.get(word, 0.0)
        text = word.of(pair)
        rows[word.segment] += _between(pair.text(word.segment)[done[word.segment] : word.start])
        done[word.segment] = word.end
        rows[word.segment].append(
            {
                "id": name,
                "text": text,
                "mask": " ".join([MASK] * word.pieces),
                "colour": colour(score, largest),
                "sign": sign(score, signed=signed),
                "title": f"{text}: {score:+.4f}" if signed else f"{text}: {score:.4f}",
            }
        )
    for segment, end in done.items():
        rows[segment] += _between(pair.text(segment)[end:])  # type: ignore[arg-type]
    return [{"name": segment.capitalize(), "chips": chips} for segment, chips in rows.items()]


def _between(text: str) -> list[dict[str, Any]]:
    return [{"plain": text.strip()}] if text.strip() else []


def mask_map_rows(
    pair: Pair, names: Sequence[str], starts: Sequence[Prediction], maps: Sequence[Sequence[MaskEffect]]
) -> list[dict[str, Any]]:
    """One row a hypothesis word; for each model the change of its predicted label's probability, and the label it flips to."""
    spans = {(e.word.start, e.word.end): e.word for effects in maps for e in effects}
    rows = []
    for start, end in sorted(spans):
        row: dict[str, Any] = {"word": spans[start, end].of(pair)}
        for name, before, effects in zip(names, starts, maps, strict=True):
            after = next((e.after for e in effects if e.word.start == start), None)
            row[f"{name}: change"] = None if after is None else after.probs[before.label] - before.probs[before.label]
            flipped = after is not None and after.label != before.label
            row[f"{name}: flip"] = f"{FLIP} {after.label.text}" if flipped and after else ""
        rows.append(row)
    return rows


def score_rows(pair: Pair, names: Sequence[str], attributions: Sequence[Attribution]) -> list[dict[str, Any]]:
    """The chips as a table: one row a word, one column of scores a model."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for name, attribution in zip(names, attributions, strict=True):
        for word, score in zip(attribution.words, attribution.scores, strict=True):
            row = rows.setdefault((word.segment, word.start), {"sentence": word.segment, "word": word.of(pair)})
            row[name] = score
    return list(rows.values())
