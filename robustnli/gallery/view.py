"""A finished attack ready to be counted and browsed: its rows with what follows from them. Views are shared and never written to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from robustnli.browse import LABEL_NAMES
from robustnli.gallery.edits import SEGMENTS
from robustnli.gallery.files import Finished
from robustnli.gallery.parts import OTHER, part_of_speech
from robustnli.masking import spans

BROKEN, HELD, SKIPPED, UNJUDGED, UNCHANGED = STATUSES = ("broken", "held", "wrong before", "needs a person", "not applied")
POSITIONS = ("first word", "early", "middle", "late", "last word")
NO_PLACE = "not in the hypothesis"
# These take away what the answer should rest on: they succeed where the right answer stays, and no single word of theirs does it.
ANSWER_STAYS = ("reduce", "hypothesis-only")


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A finished attack. `table`: see `view`; `probs`: "before.M", "after.M" -> what model M says of each row, (n, 3).

    `stepwise`: words were changed one after the other, so that every budget up to k can be told from the one run. `key` names the view
    where results are cached.
    """

    finished: Finished
    table: pd.DataFrame
    probs: Mapping[str, np.ndarray]
    stepwise: bool
    without_text: int = 0
    key: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """The models attacked."""
        return tuple(self.finished.models)

    @property
    def answer_stays(self) -> bool:
        """Whether the attack succeeds where the model's right answer stays, though what it should rest on is gone."""
        return self.finished.recipe in ANSWER_STAYS

    def fooled(self, model: str) -> np.ndarray:
        """(n,) bool: the model was right before, and what the attacked model is broken by happens to it as well."""
        gold = self.table["gold"].to_numpy(dtype=int)
        now = np.array([LABEL_NAMES.index(label) if label else g for label, g in zip(self.table["label"], gold, strict=True)], dtype=int)
        right = self.said(model, "before") == gold
        return np.asarray(right & ((self.said(model, "after") == now) == self.answer_stays) & self.table["judged"].to_numpy())

    @property
    def most(self) -> int:
        """The largest budget that can be asked for."""
        return self.finished.k if self.stepwise else 1

    def of(self, model: str) -> np.ndarray:
        """(n,) bool: the rows in which that model was attacked."""
        return np.asarray(self.table["model"] == model)

    def said(self, model: str, when: str) -> np.ndarray:
        """(n,) label ids of that model "before" or "after"."""
        return np.asarray(self.probs[f"{when}.{model}"].argmax(1))

    def status(self, budget: int | None = None) -> np.ndarray:
        """(n,) of `STATUSES`: how each row ends where at most `budget` words may be changed (None: as many as in the run)."""
        at = self.table["broke_at"].to_numpy(dtype=float)
        ended = np.where(at <= (self.most if budget is None else budget), BROKEN, HELD).astype(object)
        for name in (UNJUDGED, UNCHANGED, SKIPPED):
            ended[self.table["out"].to_numpy() == name] = name
        return np.asarray(ended)


def view(finished: Finished, rows: pd.DataFrame, probs: Mapping[str, np.ndarray], key: str = "") -> View:
    """The view of rows as `files.read_rows` gives them. Added columns:

    `out`: why a row does not count ("" where it does): wrong before, its new label needs a person, or the recipe did not apply;
    `judged`: neither of the last two;
    `broke_at`: words that it took (1 where words are not counted, inf where it held); `word`, `part`, `place`: the first word changed,
    its class and where it stands; `label`: what the changed pair's label is now, None where that is unconfirmed; `text` (for search).
    """
    changed = np.array([len(e) > 0 for e in rows["edits"]], dtype=bool)
    skipped = (rows["status"] == "skipped").to_numpy()
    unknown = rows["gold_after"].isna().to_numpy()
    by_rule = finished.gold == "by rule"
    out = np.full(len(rows), "", dtype=object)
    out[unknown & changed & by_rule] = UNJUDGED
    out[~changed & (finished.gold != "unconfirmed")] = UNCHANGED
    out[skipped] = SKIPPED
    counts = np.array([len(w) // 4 for w in rows["words"]], dtype=int)
    stepwise = bool(finished.budgeted and counts.any() and counts.max() <= finished.k)
    took = np.maximum(counts, 1) if stepwise else np.ones(len(rows), dtype=int)
    known = zip(rows["words"], rows["premise"], rows["hypothesis"], strict=True)
    first = [(None, None, None) if finished.recipe in ANSWER_STAYS else _first(row) for row in known]
    added: dict[str, Any] = {
        "out": out,
        "judged": ~(unknown & changed & by_rule) & (changed | (finished.gold == "unconfirmed")),
        "broke_at": np.where((rows["status"] == "broken").to_numpy(), took, np.inf),
        "n_words": counts,
        "label": pd.Series(_labels(finished, rows), dtype=object),
        "text": _texts(rows),
    }
    added |= {name: pd.Series([f[i] for f in first], dtype=object) for i, name in enumerate(("word", "part", "place"))}
    missing = int(rows["premise"].isna().sum())
    return View(finished, rows.reset_index(drop=True).assign(**added), dict(probs), stepwise, missing, key)


def _labels(finished: Finished, rows: pd.DataFrame) -> list[str | None]:
    """The changed pair's label: by rule, or kept; None: unconfirmed."""
    kept = finished.gold == "kept"
    return [
        LABEL_NAMES[int(gold if pd.isna(after) else after)] if kept or not pd.isna(after) else None
        for gold, after in zip(rows["gold"], rows["gold_after"], strict=True)
    ]


def _texts(rows: pd.DataFrame) -> list[str]:
    columns = [rows[c] for c in ("premise", "hypothesis", "edited_premise", "edited_hypothesis")]
    return ["\n".join(t for t in texts if isinstance(t, str)).casefold() for texts in zip(*columns, strict=True)]


def _first(row: tuple[Sequence[int], str | None, str | None]) -> tuple[str | None, str | None, str | None]:
    """(the first word changed, lower case; its class; its place), each None where the row changes no word or has no text."""
    words, *texts = row
    if len(words) < 4 or not isinstance(texts[0], str):
        return None, None, None
    segment, start, end = (int(n) for n in words[:3])
    word = str(texts[segment])[start:end]
    return word.casefold(), part_of_speech(word), place(str(texts[segment]), start) if SEGMENTS[segment] == "hypothesis" else NO_PLACE


def place(sentence: str, start: int) -> str:
    """Where in the sentence the word at that character stands: the first, the last, or a third of what is between."""
    starts = [a for a, _ in spans(sentence)]
    at = sum(a < start for a in starts)
    if at == 0:
        return POSITIONS[0]
    if at >= len(starts) - 1:
        return POSITIONS[-1]
    return POSITIONS[1 + min(2, 3 * (at - 1) // (len(starts) - 2))]


def parts_of(seen: View) -> list[str]:
    """The word classes that the rows name, the largest first, `other` last."""
    found = seen.table["part"].value_counts()
    return sorted(map(str, found.index), key=lambda p: (p == OTHER, -int(found[p])))
