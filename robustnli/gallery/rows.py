"""The rows of a finished attack filtered, sorted, exported, and as curated entries. Pure: a filter goes in, rows come out.

Filters know their form in an address: `Filters.parse` takes any text and drops what it does not understand, `Filters.query` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from robustnli.browse import LABEL_NAMES, SEPARATOR, safe_cell
from robustnli.curated import Entry, Said, entry_uid
from robustnli.gallery.counts import label_parts, part_parts, phenomenon_parts, place_parts, slice_parts
from robustnli.gallery.edits import SEGMENTS
from robustnli.gallery.view import BROKEN, STATUSES, View
from robustnli.types import Label, Pair, Prediction, Word

TOLD = {
    "model": "attack on", "status": "ended", "gold": "gold", "slice": "slice", "phenomenon": "phenomenon", "part": "word class",
    "place": "place", "word": "first word", "fell": "says then", "also": "also breaks", "q": "text",
}  # fmt: skip
SORTS = {
    "moved": "Largest fall of the gold label's probability first",
    "order": "Order of the data",
    "few": "Fewest changed words first",
    "sure": "Most confident after the change first",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What rows are asked for; an empty field asks for nothing. Several values of one field are alternatives.

    `fell`: what the attacked model says of the changed pair; `also`: another model that the same change breaks; `q`: every word of it
    stands in one of the four sentences.
    """

    model: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    gold: tuple[str, ...] = ()
    slice: tuple[str, ...] = ()
    phenomenon: tuple[str, ...] = ()
    part: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    fell: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    word: str = ""
    q: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str], seen: View) -> Filters:
        """The filters of an address, as far as the view can have them."""
        known = options(seen)

        def several(name: str) -> tuple[str, ...]:
            asked = dict.fromkeys(v for v in query.get(name, "").split(SEPARATOR) if v)
            return tuple(v for v in asked if v in known[name])

        word, q = (" ".join(query.get(name, "").split())[:200] for name in ("word", "q"))
        return cls(**{name: several(name) for name in known}, word=word.casefold(), q=q)

    def query(self) -> dict[str, str]:
        """The address's form: only the fields that ask for something."""
        return {name: value if isinstance(value, str) else SEPARATOR.join(value) for name, value in self.items().items()}

    def items(self) -> dict[str, Any]:
        """Field -> value, of the fields that ask for something."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}

    def told(self) -> dict[str, str]:
        """Field -> what it asks for, in words."""
        return {n: f"{TOLD[n]}: {v if isinstance(v, str) else ' or '.join(v)}" for n, v in self.items().items()}

    def without(self, name: str) -> Filters:
        """The filters with one field asking for nothing."""
        return replace(self, **{name: "" if isinstance(getattr(self, name), str) else ()})  # type: ignore[arg-type]


def options(seen: View) -> dict[str, tuple[str, ...]]:
    """Field -> the values that the rows have; fields with nothing to choose from are empty."""
    ended = set(seen.status())
    parts: dict[str, Callable[[View], list[tuple[str, np.ndarray]]]]
    parts = {"slice": slice_parts, "phenomenon": phenomenon_parts, "part": part_parts, "place": place_parts}
    return {
        "model": seen.models, "status": tuple(s for s in STATUSES if s in ended), "gold": LABEL_NAMES, "fell": LABEL_NAMES,
        "also": seen.models if len(seen.models) > 1 else (),
    } | {name: tuple(n for n, rows in found(seen) if rows.any()) for name, found in parts.items()}  # fmt: skip


def keep(seen: View, filters: Filters, budget: int | None = None) -> np.ndarray:
    """(n,) bool: the rows that fulfil every filter."""
    table = seen.table
    kept = np.ones(len(table), dtype=bool)
    if filters.model:
        kept &= table["model"].isin(filters.model).to_numpy()
    if filters.status:
        kept &= np.isin(seen.status(budget).astype(str), filters.status)
    for name, parts in (("gold", label_parts), ("slice", slice_parts), ("phenomenon", phenomenon_parts)):
        if values := getattr(filters, name):
            kept &= np.any([rows for part, rows in parts(seen) if part in values], axis=0)
    for name in ("part", "place"):
        if values := getattr(filters, name):
            kept &= table[name].isin(values).to_numpy()
    if filters.fell:
        kept &= np.isin(own_label(seen, "after"), [LABEL_NAMES.index(v) for v in filters.fell])
    for other in filters.also:
        kept &= seen.fooled(other) & ~seen.of(other)
    if filters.word:
        kept &= (table["word"] == filters.word).to_numpy()
    for word in filters.q.casefold().split():
        kept &= np.fromiter((word in text for text in table["text"]), dtype=bool, count=len(table))
    return kept


def own_label(seen: View, when: str) -> np.ndarray:
    """(n,) label ids: what the attacked model says "before" or "after"."""
    out = np.zeros(len(seen.table), dtype=int)
    for model in seen.models:
        rows = seen.of(model)
        out[rows] = seen.said(model, when)[rows]
    return out


def order(seen: View, rows: np.ndarray, sort: str) -> np.ndarray:
    """The positions of kept rows (a mask), sorted; equals keep the order of the data, one example's attacks together."""
    at = np.flatnonzero(rows)
    index = seen.table["index"].to_numpy(dtype=int)[at]
    if sort == "order":
        return np.asarray(at[np.argsort(index, kind="stable")])
    was, now = (_own_probs(seen, when)[at] for when in ("before", "after"))
    gold = seen.table["gold"].to_numpy(dtype=int)[at]
    rank = np.arange(len(at))
    values = {
        "moved": lambda: now[rank, gold] - was[rank, gold],
        "few": lambda: np.minimum(seen.table["broke_at"].to_numpy(dtype=float)[at], 1e6),
        "sure": lambda: -now.max(1),
    }
    return np.asarray(at[np.lexsort((index, values[sort]()))])


def _own_probs(seen: View, when: str) -> np.ndarray:
    """(n, 3) what the attacked model says."""
    out = np.zeros((len(seen.table), 3), dtype=np.float32)
    for model in seen.models:
        out[seen.of(model)] = seen.probs[f"{when}.{model}"][seen.of(model)]
    return out


def export(seen: View, at: np.ndarray, *, spreadsheet: bool = True) -> pd.DataFrame:
    """The rows as a flat table for a file: both pairs, labels by name, what every model said. `spreadsheet`: no cell can be run by one."""
    rows, names = seen.table.iloc[at], np.array(LABEL_NAMES, dtype=object)
    safe = safe_cell if spreadsheet else lambda value: value
    out: dict[str, Any] = {"uid": rows["uid"].to_numpy(), "attacked": rows["model"].to_numpy()}
    for column in ("premise", "hypothesis", "edited_premise", "edited_hypothesis"):
        out[column] = rows[column].map(safe).to_numpy()
    out |= {"gold": names[rows["gold"].to_numpy(dtype=int)], "gold_after": rows["label"].to_numpy()}
    out |= {"gold_confirmed": rows["label"].notna().to_numpy(), "ended": seen.status()[at], "words_changed": rows["n_words"].to_numpy()}
    out |= {"recipe": seen.finished.recipe, "queries": rows["tried"].to_numpy(), "note": rows["note"].map(safe).to_numpy()}
    for model in seen.models:
        for when in ("before", "after"):
            probs = seen.probs[f"{when}.{model}"][at]
            out[f"{model} {when}"] = names[probs.argmax(1)]
            out |= {f"{model} {when} {name}": probs[:, i].round(4).astype(float) for i, name in enumerate(LABEL_NAMES)}
    return pd.DataFrame(out)


def jsonl(table: pd.DataFrame) -> bytes:
    """A table as JSON lines, UTF-8."""
    text: str = table.to_json(orient="records", lines=True, force_ascii=False)
    return text.encode("utf-8", "replace")


def entries(seen: View, at: Iterable[int], author: str = "") -> list[Entry]:
    """The rows as curated examples that nobody has judged yet; a pair that two attacks made alike stands once, rows without text not at all."""
    found: dict[str, Entry] = {}
    for position in at:
        row = seen.table.iloc[int(position)]
        if isinstance(row["premise"], str):
            entry = _entry(seen, row, int(position), author)
            found.setdefault(entry.uid, entry)
    return list(found.values())


def _entry(seen: View, row: Any, at: int, author: str) -> Entry:
    original, edited = Pair(row["premise"], row["hypothesis"]), Pair(row["edited_premise"], row["edited_hypothesis"])
    gold, numbers = Label(int(row["gold"])), [int(n) for n in row["words"]]
    words = tuple(Word(SEGMENTS[numbers[i]], *numbers[i + 1 : i + 4]) for i in range(0, len(numbers), 4))
    said = tuple(
        Said(m, seen.finished.models[m], *(_prediction(seen.probs[f"{when}.{m}"][at]) for when in ("before", "after"))) for m in seen.models
    )
    return Entry(
        entry_uid(original, edited, gold), original, edited, gold, recipe=seen.finished.recipe, changed=words, said=said, author=author
    )  # fmt: skip


def _prediction(probs: np.ndarray) -> Prediction:
    first, second, third = (round(float(p), 4) for p in probs)
    return Prediction((first, second, third))


def broken_rows(seen: View, kept: np.ndarray, budget: int | None = None) -> np.ndarray:
    """The kept rows that broke a model: what is worth keeping in bulk."""
    return np.asarray(kept & (seen.status(budget) == BROKEN))
