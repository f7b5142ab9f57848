"""What the home page shows of a run: a pair that one mask flips, and a sentence with its word scores. From records alone; no model is asked.

Which rows: the shortest that show the thing clearly, of the suite's dev part where there is one. So the same records always give the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from robustnli.charts import COLOURS
from robustnli.figures import colour
from robustnli.marked import marked
from robustnli.masking import spans
from robustnli.pies import Pie
from robustnli.types import LABELS, Label, Pair, Prediction

SURE = 0.6
_SMALL = "font-size:.85rem;opacity:.85"


@dataclass(frozen=True, slots=True)
class Flip:
    """A pair, the hypothesis word (`number` from 1; `span` in characters) whose mask flips the older model, and what both models say."""

    pair: Pair
    gold: Label
    number: int
    span: tuple[int, int]
    older: str
    newer: str
    before: tuple[Prediction, Prediction]
    after: tuple[Prediction, Prediction]

    @property
    def word(self) -> str:
        """The word's text."""
        return self.pair.hypothesis[slice(*self.span)]


@dataclass(frozen=True, slots=True)
class Scored:
    """A pair with the loss gradient of each hypothesis word, as (first character, end, score)."""

    pair: Pair
    gold: Label
    model: str
    words: tuple[tuple[int, int, float], ...]


def flip(table: pd.DataFrame, older: str, newer: str) -> Flip | None:
    """The example: the older model is right, one mask makes it wrong, and best the newer stays right. None where records have no such row."""
    needed = (f"status.{older}", f"broke_at.{older}", f"masked.{older}", f"probs.{older}@{older}", f"probs.{newer}@{older}", "hypothesis")
    if any(name not in table for name in needed):
        return None
    rows = table[(table[f"status.{older}"] == "broken") & (table[f"broke_at.{older}"] == 1) & table["hypothesis"].notna()]
    if rows.empty:
        return None
    gold = rows["gold"].to_numpy(dtype=int)
    before, after, holds_before, holds = (
        np.array(rows[name].tolist(), dtype=float).reshape(-1, 3)
        for name in (f"probs.{older}", f"probs.{older}@{older}", f"probs.{newer}", f"probs.{newer}@{older}")
    )
    held = (holds.argmax(1) == gold) & (holds_before.argmax(1) == gold)
    clear = np.minimum(before.max(1), after.max(1)) >= SURE
    row = rows.iloc[_best(rows, held, clear)]
    pair = Pair(row["premise"], row["hypothesis"])
    span = int(row[f"masked.{older}"][0]), int(row[f"masked.{older}"][1])
    number = next((i for i, (a, _) in enumerate(spans(pair.hypothesis), 1) if a == span[0]), 0)
    said = [_said(row[name]) for name in (f"probs.{older}", f"probs.{newer}", f"probs.{older}@{older}", f"probs.{newer}@{older}")]
    return Flip(pair, Label(int(row["gold"])), number, span, older, newer, (said[0], said[1]), (said[2], said[3])) if number else None


def scored(table: pd.DataFrame, model: str, besides: Pair | None = None) -> Scored | None:
    """Another pair, of five words or more, with the older model's word scores, one of which stands out. None where records have no scores."""
    if f"scores.{model}" not in table or "hypothesis" not in table:
        return None
    fits = [
        len(s) >= 5 and h is not None and len(spans(h)) == len(s)
        for s, h in zip(table[f"scores.{model}"], table["hypothesis"], strict=True)
    ]
    rows = table[np.array(fits, dtype=bool) & (table["hypothesis"] != (besides.hypothesis if besides else None))]
    if rows.empty:
        return None
    right = np.array([int(np.argmax(p)) for p in rows[f"probs.{model}"]]) == rows["gold"].to_numpy(dtype=int)
    leads = np.array([_lead(s) for s in rows[f"scores.{model}"]]) > 1.3
    row = rows.iloc[_best(rows, right, leads)]
    pair = Pair(row["premise"], row["hypothesis"])
    words = tuple((a, b, float(s)) for (a, b), s in zip(spans(pair.hypothesis), row[f"scores.{model}"], strict=True))
    return Scored(pair, Label(int(row["gold"])), model, words)


def _best(rows: pd.DataFrame, *wanted: np.ndarray) -> int:
    """The place of the row that has most of what is wanted, the first wish first; of equals one of dev, then the shortest."""
    dev = (rows["split"] == "dev").to_numpy() if "split" in rows else np.ones(len(rows), dtype=bool)
    size = (rows["premise"].str.len() + rows["hypothesis"].str.len()).to_numpy()
    return int(np.lexsort((size, ~dev, *(~w for w in reversed(wanted))))[0])


def _lead(scores: Sequence[float]) -> float:
    first, second = sorted(scores, reverse=True)[:2]
    return first / second if second > 0 else 0.0


def _said(probs: Sequence[float]) -> Prediction:
    a, b, c = (float(p) for p in probs)
    return Prediction((a, b, c))


def flip_html(shown: Flip) -> str:
    """The pair with the word framed, and a line a model: what it says, and what with the word masked."""
    sentences = _sentence("Premise", escape(shown.pair.premise)) + _sentence(
        "Hypothesis", marked(shown.pair.hypothesis, [shown.span], [shown.span])
    )
    lines = ""
    for name, was, now in zip((shown.older, shown.newer), shown.before, shown.after, strict=True):
        mark = "<b>\u21c4 flips</b>" if was.label != now.label else "holds"
        lines += (
            f'<div style="display:flex;gap:.2rem .6rem;flex-wrap:wrap;align-items:baseline"><b style="min-width:5.5rem">{escape(name)}</b>'
            f"<span>{_label(was)}</span><span>\u2192 masked \u2192</span><span>{_label(now)}</span><span>{mark}</span></div>"
        )
    gold = f'<div style="{_SMALL}">A person says <b>{shown.gold.text}</b>.</div>'
    return f'<div style="line-height:1.55">{sentences}{gold}<div style="margin-top:.4rem">{lines}</div></div>'


def scored_html(shown: Scored) -> str:
    """The pair, each hypothesis word on a ground as strong as its score."""
    largest = max((s for *_, s in shown.words), default=0.0) or 1.0
    out, done, text = "", 0, shown.pair.hypothesis
    for start, end, score in shown.words:
        style = f"background:{colour(score, largest)};border-radius:.3rem;padding:.05rem .2rem"
        out += f'{escape(text[done:start])}<span style="{style}" title="{score:.2f}">{escape(text[start:end])}</span>'
        done = end
    return f'<div style="line-height:1.75">{_sentence("Premise", escape(shown.pair.premise))}{_sentence("Hypothesis", out + escape(text[done:]))}</div>'


def pie_html(shown: Pie) -> str:
    """A small pie with its counts beside it."""
    disc = _disc([(COLOURS[row["outcome"]], row["percent"]) for row in shown.rows], shown.alt)
    lines = "".join(
        f'<div><span style="display:inline-block;width:.7rem;height:.7rem;border-radius:.15rem;background:{COLOURS[w.outcome]}"></span> '
        f"{escape(w.outcome)} {escape(w.count)}</div>"
        for w in shown.wedges
    )
    return f'<div style="display:flex;gap:.3rem 1rem;flex-wrap:wrap;align-items:center;line-height:1.6">{disc}<div>{lines}</div></div>'


def _disc(parts: Sequence[tuple[str, float]], alt: str) -> str:
    """A pie of (colour, percent) as a gradient around a point: what Streamlit lets through of HTML holds no SVG. "" where all is 0."""
    begun, stops = 0.0, []
    for shade, percent in parts:
        stops.append(f"{shade} {begun:.2f}% {begun + percent:.2f}%")
        begun += percent
    style = f"width:6.6rem;height:6.6rem;border-radius:50%;flex:none;background:conic-gradient({','.join(stops)})"
    return f'<div role="img" aria-label="{escape(alt)}" style="{style}"></div>' if begun else ""


def labels_html(counts: dict[str, int]) -> str:
    """Counts as large numbers, each with its name below."""
    cells = "".join(
        f'<div><div style="font-size:1.9rem;line-height:1.2;font-weight:600">{n:,}</div><div style="{_SMALL}">{escape(name)}</div></div>'
        for name, n in counts.items()
    )
    return f'<div style="display:flex;gap:.4rem 1.6rem;flex-wrap:wrap">{cells}</div>'


def _label(said: Prediction) -> str:
    return f"{LABELS[said.label].text} {said.confidence:.0%}".replace("%", " %")


def _sentence(name: str, content: Any) -> str:
    return f'<div dir="auto" style="overflow-wrap:anywhere"><span style="{_SMALL}">{name}&ensp;</span>{content}</div>'
