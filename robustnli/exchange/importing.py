"""Rows -> entries to keep: what a file is, what its columns mean, its first rows, and then all of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from robustnli.curated import Entry
from robustnli.data import COLUMNS
from robustnli.errors import DataError, InputError, did_you_mean
from robustnli.exchange import checked
from robustnli.exchange.reading import Source, opened
from robustnli.exchange.rows import Row, unsafe
from robustnli.types import LABELS, Label

Kind = Literal["entries", "csv", "textattack", "pairs"]
MAX_PROBLEMS = 1000
FIELDS: dict[str, str] = {
    "premise": "the premise (of the edited pair, where there is an original one)",
    "hypothesis": "the hypothesis",
    "label": "its label: entailment, neutral, contradiction, or a number",
    "original_premise": "the premise before an edit",
    "original_hypothesis": "the hypothesis before an edit",
    "original_label": "the label before an edit",
    "note": "a note",
    "tags": "tags, separated by commas",
}
_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "premise": (*COLUMNS["premise"], "sentence_1", "text1", "text_a", "context", "evidence"),
    "hypothesis": (*COLUMNS["hypothesis"], "sentence_2", "text2", "text_b", "claim", "statement"),
    "label": (*COLUMNS["label"], "gold", "label_text", "answer"),
    "note": ("note", "comment"),
    "tags": ("tags", "tag"),
}
_OURS = {"premise", "hypothesis", "original_premise", "original_hypothesis", "verdict"}
_ABOUT: dict[Kind, str] = {
    "entries": "curated examples with everything that belongs to them",
    "csv": "curated examples of a spreadsheet, without predictions, history and other people's opinions",
    "textattack": "TextAttack's log: edited pairs that nobody has judged",
    "pairs": "pairs of your own",
}
_NUMBER = re.compile(r"\d(\.0)?")


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that cannot be used: its number from 1, why, and its file where there are several."""

    row: int
    text: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.file + ', ' if self.file else ''}row {self.row:,}: {self.text}."


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file is. `mapping` guesses the column of each field of a pair; it is empty where the columns are known (other kinds)."""

    kind: Kind
    about: str
    columns: tuple[str, ...]
    mapping: dict[str, str]
    first: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """The entries of a file, and its rows that cannot be used (the first thousand; `bad` counts all).

    With a bad row there are no entries, unless skipping it was asked for. `twice`: rows that said what an earlier one did.
    """

    kind: Kind
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    rows: int
    bad: int
    twice: int
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What happened, in a sentence or two."""
        if self.bad and not self.entries:
            return f"Nothing was read: {self.bad:,} of {_many(self.rows, 'row')} cannot be used. Mend what is wrong, or skip bad rows."
        skipped = f" Skipped because it cannot be used: {_many(self.bad, 'row')}." if self.bad else ""
        twice = f" Read once though it stands there again: {_many(self.twice, 'row')}." if self.twice else ""
        return f"{_many(len(self.entries), 'example')} from {_many(self.rows, 'row')}.{skipped}{twice}"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def preview(path: Path, *, limit: int = 10) -> Preview:
    """What the file, zip or folder holds, from its first rows; nothing is kept. Raises DataError where it cannot be read."""
    with opened(path) as source:
        rows = [row for _, _, row in islice(source.rows(), max(limit, 20)) if isinstance(row, dict)]
        if not rows:
            raise DataError(
                f"{path.name}: holds no row that can be read. One object a line, or a line of column names and rows, is expected."
            )
        columns = tuple(dict.fromkeys(str(column) for row in rows for column in row))
        kind = _kind(columns)
        if kind == "csv":
            rows = [{k: unsafe(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows]
        return Preview(kind, _ABOUT[kind], columns, _guess(columns) if kind == "pairs" else {}, tuple(rows[:limit]), source.notes)


def read_entries(
    path: Path, mapping: Mapping[str, str] | None = None, *, skip_bad: bool = False, author: str = "", at: str = "",
    labels: Sequence[Label] = LABELS,
) -> Imported:  # fmt: skip
    """All entries of a file, zip or folder; none where a row is bad, unless `skip_bad`.

    `mapping` (field -> column, see `FIELDS`) reads plain pairs; without one it is guessed. `author` and `at` fill what the file leaves
    open. `labels` says what the numbers 0, 1, 2 mean in pairs and in TextAttack's log. Raises DataError where the file as a whole cannot
    be read, InputError for a mapping that does not fit it.
    """
    if sorted(labels) != sorted(LABELS):
        raise InputError("the order of labels names each of entailment, neutral and contradiction once.")
    seen = preview(path)
    kind: Kind = "pairs" if mapping else seen.kind
    used = _checked(dict(mapping or seen.mapping), seen.columns) if kind == "pairs" else {}
    read = _reader(kind, used, labels)
    entries: dict[str, Entry] = {}
    problems: list[Problem] = []
    rows = bad = twice = changed = 0
    with opened(path) as source:
        for file, number, row, entry in _read(source, read):
            rows += 1
            if isinstance(entry, str):
                bad += 1
                if len(problems) < MAX_PROBLEMS:
                    problems.append(Problem(number, entry.rstrip("."), file))
            elif entry.uid in entries:
                twice += 1
            else:
                entries[entry.uid] = owned(entry, author, at)
                changed += kind in ("entries", "csv") and row.get("uid") not in (None, "", entry.uid)
    notes = list(seen.notes)
    if changed:
        notes.append(f"{changed:,} pairs were changed after they were exported, so their verdicts do not count: review them.")
    kept = tuple(entries.values()) if skip_bad or not bad else ()
    return Imported(kind, kept, tuple(problems), rows, bad, twice, tuple(notes))


def owned(entry: Entry, author: str, at: str) -> Entry:
    """The entry with its author, time of making, and opinions' authors filled where they are missing."""
    if not author:
        return entry
    opinions = entry.opinions
    if any(not o.author for o in opinions):
        named = {o.author for o in opinions}
        opinions = tuple(o if o.author else replace(o, author=author, at=o.at or at) for o in opinions if o.author or author not in named)
    return replace(entry, author=entry.author or author, created=entry.created or at, opinions=opinions)


def _read(source: Source, read: Callable[[Row], Entry]) -> Iterator[tuple[str, int, Row, Entry | str]]:
    for file, number, row in source.rows():
        if isinstance(row, str):
            yield file, number, {}, row
            continue
        try:
            yield file, number, row, read(row)
        except ValueError as error:
            yield file, number, row, str(error)


def _reader(kind: Kind, mapping: Mapping[str, str], labels: Sequence[Label]) -> Callable[[Row], Entry]:
    if kind == "entries":
        return checked.entry_of
    if kind == "csv":
        return checked.entry_of_flat
    if kind == "textattack":
        return lambda row: checked.entry_of_textattack(_numbered(row, ("ground_truth_output",), labels))
    columns = [mapping[field] for field in ("label", "original_label") if field in mapping]
    return lambda row: checked.entry_of_pair(_numbered(row, columns, labels), mapping)


def _numbered(row: Row, columns: Sequence[str], labels: Sequence[Label]) -> Row:
    """The row with label numbers of these columns replaced by the labels they mean in this file."""
    out = dict(row)
    for column in columns:
        text = str(out.get(column)).strip()
        if _NUMBER.fullmatch(text) and int(text[0]) < len(labels):
            out[column] = labels[int(text[0])].text
    return out


def _kind(columns: Sequence[str]) -> Kind:
    names = set(columns)
    if names >= _OURS:
        return "entries" if "opinions" in names else "csv"
    return "textattack" if names >= {"original_text", "perturbed_text"} else "pairs"


def _guess(columns: Sequence[str]) -> dict[str, str]:
    plain = {re.sub(r"[\s\-]+", "_", column.strip().lower()): column for column in reversed(columns)}
    found = {field: next((plain[n] for n in _OTHER_NAMES.get(field, (field,)) if n in plain), "") for field in FIELDS}
    return {field: column for field, column in found.items() if column}


def _checked(mapping: dict[str, str], columns: Sequence[str]) -> dict[str, str]:
    for field, column in mapping.items():
        if field not in FIELDS:
            raise InputError(f"there is no field {field!r} to map a column to.{did_you_mean(field, FIELDS)}")
        if column not in columns:
            raise InputError(f"{field}: the file has no column {column!r}.{did_you_mean(column, columns)}")
    missing = [field for field in ("premise", "hypothesis") if field not in mapping]
    if missing:
        raise InputError(f"no column is known to hold the {' and the '.join(missing)}. Say which one does. Columns: {', '.join(columns)}.")
    return mapping
