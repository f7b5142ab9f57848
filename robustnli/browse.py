"""Records of a run as a view of two models, and its rows filtered, sorted, paged. Pure: a filter goes in, rows come out.

A `View` is made once for (run, split, two models) and shared; nothing here changes one. Filters know their form in an address:
`Filters.parse` takes any text and drops what it does not understand, `Filters.query` writes it back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from robustnli import suite
from robustnli.evidence import OUTCOMES, outcomes
from robustnli.metrics import BINS, Metrics
from robustnli.slices import STANDARD
from robustnli.types import LABELS, ErrorBreakdown

ALL = "all"
HARD = "hypothesis-only-hard"
LABEL_NAMES = tuple(label.text for label in LABELS)
PAGE_SIZES = (10, 25, 50)
SORTS = {
    "order": ("Order of the data", "index", False),
    "sure": ("Newer model most confident first", "sure_after", True),
    "unsure": ("Newer model least confident first", "sure_after", False),
    "moved": ("Largest change of the gold probability first", "moved", True),
    "long": ("Longest first", "words", True),
    "short": ("Shortest first", "words", False),
}
_RANGE = re.compile(r"(\d{1,4})-(\d{1,4})")
SEPARATOR = "~"  # between several values of one filter in an address


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Two models on one split. `table`: one row an example, see `view`; `members`: slice -> which rows it holds, (n,) bool.

    `probs`: what the older and the newer model say, (n, 3) each. `key` names the view where results are cached; `own` the slices
    that `extended` added, `taken` those that it could not, since the data has a slice of their name.
    """

    table: pd.DataFrame
    members: Mapping[str, np.ndarray]
    older: str
    newer: str
    probs: tuple[np.ndarray, np.ndarray]
    without_text: int = 0
    key: str = ""
    own: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the data that its rows name (the suite's dev and test); () where there are fewer than two."""
        names = tuple(sorted(self.table["split"].dropna().unique())) if "split" in self.table else ()
        return names if len(names) > 1 else ()

    @property
    def phenomena(self) -> tuple[str, ...]:
        """The phenomena that the rows name, in order of the alphabet; () for data that names none."""
        return tuple(sorted(self.table["phenomenon"].dropna().unique())) if "phenomenon" in self.table else ()

    @property
    def longest(self) -> int:
        """The words of the longest sentence; 0 without text."""
        words = self.table["words"].max()
        return int(words) if words == words else 0

    @property
    def shown(self) -> tuple[str, ...]:
        """The slices that pies show unless asked for others: all, and the paper's three or the suite's own."""
        return tuple(name for name in self.members if "slice" in self.table or name in _FIRST or name in self.own)


_FIRST = (ALL, "negation", "ambiguity", "long")


def view(table: pd.DataFrame, older: str, newer: str, without_text: int = 0, key: str = "") -> View:
    """The view of records as `evidence.read_records` and `join` give them.

    Added columns: `before`, `after` (label ids of the two models), `sure_before`, `sure_after` (their confidence), `outcome`,
    `moved` (change of the gold label's probability), `words` (of the longer sentence; NaN without text), `text` (for search).
    """
    gold = table["gold"].to_numpy(dtype=np.int8)
    before, after = (table[f"label.{m}"].to_numpy(dtype=np.int8) for m in (older, newer))
    was, now = (np.array(table[f"probs.{m}"].tolist(), dtype=np.float32).reshape(-1, 3) for m in (older, newer))  # (n, 3)
    rows = np.arange(len(table))
    added: dict[str, Any] = {
        "before": before,
        "after": after,
        "sure_before": table[f"confidence.{older}"],
        "sure_after": table[f"confidence.{newer}"],
        "outcome": outcomes(gold, before, after),
        "moved": now[rows, gold] - was[rows, gold],
    }
    sentences = [table[name] if name in table else pd.Series([None] * len(table), dtype=object) for name in ("premise", "hypothesis")]
    added["words"] = np.array([_words(p, h) for p, h in zip(*sentences, strict=True)], dtype=float)
    added["text"] = [f"{p or ''}\n{h or ''}".casefold() for p, h in zip(*sentences, strict=True)]
    return View(table.reset_index(drop=True).assign(**added), _members(table), older, newer, (was, now), without_text, key)


def extended(seen: View, own: Mapping[str, np.ndarray]) -> View:
    """The view with slices of the user's own: name -> which rows, (n,) bool. One without rows is left out; one with a name taken, too,
    and named in `taken`."""
    taken = tuple(name for name in own if name in seen.members)
    added = {name: rows for name, rows in own.items() if rows.any() and name not in taken}
    return replace(seen, members={**seen.members, **added}, own=tuple(added), taken=taken) if added or taken else seen


def _words(*sentences: str | None) -> float:
    counts = [len(text.split()) for text in sentences if isinstance(text, str)]
    return float(max(counts)) if counts else float("nan")


def _members(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The suite's own slices where rows name theirs, else the standard ones in their order; all rows always, empty ones never."""
    if "slice" in table:
        names = table["slice"].astype(str).to_numpy()
        known = [name for name in suite.PHENOMENA if name in names] + sorted(set(names) - set(suite.PHENOMENA))
        found = {name: names == name for name in known}
    else:
        held = [set(names) for names in table["slices"]]
        known = [part.name for part in STANDARD] + sorted(set().union(*held) - {part.name for part in STANDARD}) if held else []
        found = {name: np.array([name in names for names in held], dtype=bool) for name in known if name != ALL}
        if "hard" in table:
            found[HARD] = table["hard"].to_numpy(dtype=bool)
    return {ALL: np.ones(len(table), dtype=bool)} | {name: rows for name, rows in found.items() if rows.any()}


def breakdown(name: str, outcome: Any, rows: np.ndarray | None = None) -> ErrorBreakdown:
    """The four counts of outcome values, (n,), in the rows given (a mask; None: all)."""
    values = np.asarray(outcome, dtype=object)
    kept = values if rows is None else values[rows]
    counts = {value: int((kept == value).sum()) for value in OUTCOMES}
    return ErrorBreakdown(name, counts["fixed"], counts["introduced"], counts["remaining"], counts["still right"])


def breakdowns(seen: View, names: Sequence[str] | None = None) -> list[ErrorBreakdown]:
    """The four counts of each slice named (None: all slices), in the view's order."""
    outcome = seen.table["outcome"].to_numpy()
    return [breakdown(name, outcome, rows) for name, rows in seen.members.items() if names is None or name in names]


@dataclass(frozen=True, slots=True)
class Filters:
    """What rows are asked for; an empty field asks for nothing. Several values of one field are alternatives.

    `label`, `was`, `said`: gold, the older and the newer model's label. `sure`: the newer model's confidence in percent (to three decimals), and
    `words`: words of the longer sentence, both from and to, inclusive. `part`: dev or test within the suite. `q`: every word of it stands in the premise or hypothesis.
    """

    slice: str = ""
    outcome: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    was: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    sure: tuple[int, int] | None = None
    words: tuple[int, int] | None = None
    phenomenon: tuple[str, ...] = ()
    part: tuple[str, ...] = ()
    q: str = ""

    @classmethod
    def parse(cls, query: Mapping[str, str], seen: View | None = None) -> Filters:
        """The filters of an address; values that are no label, outcome, range (or, with a view, slice or phenomenon) are dropped."""

        def several(key: str, known: Sequence[str] | None) -> tuple[str, ...]:
            values = dict.fromkeys(v for v in query.get(key, "").split(SEPARATOR) if v)
            return tuple(v for v in values if known is None or v in known)

        name = query.get("slice", "")
        return cls(
            slice="" if name == ALL or (seen is not None and name not in seen.members) else name,
            outcome=several("outcome", OUTCOMES),
            label=several("label", LABEL_NAMES),
            was=several("was", LABEL_NAMES),
            said=several("said", LABEL_NAMES),
            sure=_range(query.get("sure", ""), 100),
            words=_range(query.get("words", ""), 9999),
            phenomenon=several("phenomenon", seen.phenomena if seen else None),
            part=several("part", seen.parts if seen else None),
            q=" ".join(query.get("q", "").split())[:200],
        )

    def query(self) -> dict[str, str]:
        """The address's form: only the fields that ask for something."""
        out: dict[str, str] = {}
        for name, value in self.items().items():
            if isinstance(value, str):
                out[name] = value
            else:
                out[name] = f"{value[0]}-{value[1]}" if name in ("sure", "words") else SEPARATOR.join(map(str, value))
        return out

    def items(self) -> dict[str, Any]:
        """Field -> value, of the fields that ask for something."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}

    def told(self) -> dict[str, str]:
        """Field -> what it asks for, in words."""
        names = {"slice": "slice", "outcome": "outcome", "label": "gold", "was": "older says", "said": "newer says", "sure": "confidence",
                 "words": "words", "phenomenon": "phenomenon", "part": "part", "q": "text"}  # fmt: skip
        out = {}
        for name, value in self.items().items():
            text = value if isinstance(value, str) else f"{value[0]} to {value[1]}" if name in ("sure", "words") else " or ".join(value)
            out[name] = f"{names[name]}: {text}{' %' if name == 'sure' else ''}"
        return out

    def without(self, name: str) -> Filters:
        """The filters with one field asking for nothing."""
        empty: Any = next(f.default for f in fields(self) if f.name == name)
        return replace(self, **{name: empty})


def _range(text: str, highest: int) -> tuple[int, int] | None:
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    low, high = sorted((min(int(match[1]), highest), min(int(match[2]), highest)))
    return low, high


def keep(seen: View, filters: Filters) -> np.ndarray:
    """(n,) bool: the rows that fulfil every filter."""
    table = seen.table
    kept = seen.members[filters.slice].copy() if filters.slice else np.ones(len(table), dtype=bool)
    if filters.outcome:
        kept &= table["outcome"].isin(filters.outcome).to_numpy()
    for name, column in (("label", "gold"), ("was", "before"), ("said", "after")):
        if values := getattr(filters, name):
            kept &= table[column].isin([LABEL_NAMES.index(v) for v in values]).to_numpy()
    if filters.sure:
        kept &= (table["sure_after"].astype(float) * 100).round(3).between(*filters.sure).to_numpy()
    if filters.words:
        kept &= table["words"].between(*filters.words).to_numpy()
    if filters.phenomenon:
        kept &= table["phenomenon"].isin(filters.phenomenon).to_numpy()
    if filters.part:
        kept &= table["split"].isin(filters.part).to_numpy()
    for word in filters.q.casefold().split():
        kept &= np.fromiter((word in text for text in table["text"]), dtype=bool, count=len(table))
    return kept


def order(seen: View, rows: np.ndarray, sort: str) -> np.ndarray:
    """The positions of kept rows (a mask), sorted; rows that lack the value come last; equals keep the order of the data."""
    _, column, down = SORTS.get(sort, SORTS["order"])
    at = np.flatnonzero(rows)
    values = seen.table[column].to_numpy(dtype=float)[at]
    if column == "moved":
        values = np.abs(values)
    return np.asarray(at[np.argsort(-values if down else values, kind="stable")])


def page(at: np.ndarray, number: int, size: int) -> tuple[np.ndarray, int, int]:
    """(positions of one page, its number from 1, how many pages there are): a number beyond the end gives the last page."""
    pages = max(1, -(-len(at) // size))
    number = min(max(1, number), pages)
    return at[(number - 1) * size : number * size], number, pages


def export(seen: View, at: np.ndarray) -> pd.DataFrame:
    """The rows as a flat table for a file: text, labels by name, probabilities, outcome. No cell can be run by a spreadsheet."""
    rows = seen.table.iloc[at]
    names = np.array(LABEL_NAMES, dtype=object)
    out: dict[str, Any] = {"uid": rows["uid"].to_numpy()}
    for column in ("premise", "hypothesis", "split", "slice", "phenomenon", "note"):
        if column in rows:
            out[column] = rows[column].map(safe_cell).to_numpy()
    out["gold"] = names[rows["gold"].to_numpy(dtype=int)]
    for model, label in ((seen.older, "before"), (seen.newer, "after")):
        out[f"label {model}"] = names[rows[label].to_numpy(dtype=int)]
        for i, name in enumerate(LABEL_NAMES):
            out[f"{name} {model}"] = [round(float(p[i]), 6) for p in rows[f"probs.{model}"]]
    return pd.DataFrame(out | {"outcome": rows["outcome"].to_numpy()})


def safe_cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe before it; anything else stays."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else value


def csv(table: pd.DataFrame) -> bytes:
    """A table as a CSV file, UTF-8 with a mark that spreadsheets need; text cells and headings made safe."""
    safe: Callable[[Any], Any] = safe_cell
    texts = {c: table[c].map(safe) for c in table.columns if table[c].dtype == object or pd.api.types.is_string_dtype(table[c])}
    return table.assign(**texts).rename(columns=safe).to_csv(index=False).encode("utf-8-sig")


def crossed(seen: View, names: Sequence[str]) -> list[tuple[str, str, str, int]]:
    """(slice, outcome, gold label, count) of the slices named."""
    kinds = pd.Categorical(seen.table["outcome"], categories=OUTCOMES).codes.astype(int)
    cell = kinds * len(LABELS) + seen.table["gold"].to_numpy(dtype=int)  # (n,)
    out = []
    for name in names:
        counts = np.bincount(cell[seen.members[name]], minlength=len(OUTCOMES) * len(LABELS))
        out += [(name, OUTCOMES[i // len(LABELS)], LABEL_NAMES[i % len(LABELS)], int(n)) for i, n in enumerate(counts)]
    return out


def flows(seen: View, rows: np.ndarray) -> np.ndarray:
    """(3, 3, 3) counts by gold, the older and the newer model's label."""
    part = seen.table[rows]
    at = (part["gold"].to_numpy(dtype=int) * 3 + part["before"].to_numpy(dtype=int)) * 3 + part["after"].to_numpy(dtype=int)
    return np.asarray(np.bincount(at, minlength=27).reshape(3, 3, 3))


def metrics(gold: np.ndarray, probs: np.ndarray, bins: int = BINS) -> Metrics:
    """`metrics.metrics` of label ids (n,) and probabilities (n, 3): the same figures, for many rows. At least one row."""
    predicted, sure, n = probs.argmax(1), probs.max(1).astype(float), len(gold)
    confusion = np.bincount(gold.astype(int) * 3 + predicted, minlength=9).reshape(3, 3)
    right = predicted == gold
    at = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(at, weights=right - sure, minlength=bins)
    loss = -float(np.log(np.maximum(probs[np.arange(n), gold], 1e-12)).mean())
    rows = tuple((int(a), int(b), int(c)) for a, b, c in confusion)
    return Metrics(n, int(right.sum()), loss, float(np.abs(gaps).sum()) / n, rows)
