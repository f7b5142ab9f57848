"""Entries as rows: write them, read them, and what follows from the rows after a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select, update

from robustnli.curated import Change, Entry, Opinion, Said, Verdict
from robustnli.store.query import search_text
from robustnli.store.tables import change, entry, opinion, said, tag
from robustnli.types import Label, Pair, Prediction, Word

CHUNK = 500  # ids in one statement: far below every database's limit
# What a value holds of an entry's own row; the rest follows from other rows.
_OWN = [column for column in entry.c if column.name not in ("removed", "verdict", "gold_after", "search", "touched")]
PARTS = (said, tag, opinion, change)
_NO_TEXT = Pair("", "")
Rows = list[dict[str, Any]]


def chunks(values: Sequence[int], size: int = CHUNK) -> Iterator[Sequence[int]]:
    """`values` in pieces."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def write(db: Connection, entries: Sequence[Entry], numbers: Sequence[int]) -> list[int]:
    """Insert entries that are not there yet, each made by the action of that number; their ids, in the same order."""
    ids: list[int] = []
    for start in range(0, len(entries), CHUNK):
        part, made_by = entries[start : start + CHUNK], numbers[start : start + CHUNK]
        statement = insert(entry).returning(entry.c.id, sort_by_parameter_order=True)
        values = [{**columns(value), "created": value.created, "touched": n} for value, n in zip(part, made_by, strict=True)]
        new = list(db.execute(statement, values).scalars())
        _write_parts(db, list(zip(new, part, strict=True)))
        ids += new
    return ids


def columns(value: Entry) -> dict[str, Any]:
    """The columns of `entry` that hold the value's own text and what follows from it."""
    return {
        "uid": value.uid,
        "premise": value.original.premise,
        "hypothesis": value.original.hypothesis,
        "edited_premise": value.edited.premise,
        "edited_hypothesis": value.edited.hypothesis,
        "gold_before": value.gold_before,
        "recipe": value.recipe,
        "changed": words_out(value.changed),
        "note": value.note,
        "author": value.author,
        "verdict": value.verdict.value,
        "gold_after": value.gold_after,
        "search": search_text(value),
    }


def _write_parts(db: Connection, numbered: Sequence[tuple[int, Entry]]) -> None:
    every(db, said, [{"entry": n, **one} for n, value in numbered for one in said_out(value.said)])
    every(db, tag, [{"entry": n, "name": name} for n, value in numbered for name in value.tags])
    opinions = [(n, value.uid, one) for n, value in numbered for one in value.opinions]
    every(db, opinion, [opinion_out(n, uid, one, live=True) for n, uid, one in opinions])
    history = [(n, one) for n, value in numbered for one in value.history]
    every(db, change, [change_out(n, one) for n, one in history])


def every(db: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, if there are any."""
    if rows:
        db.execute(insert(table), rows)


def words_out(words: Iterable[Word]) -> list[list[Any]]:
    """Words as JSON."""
    return [[word.segment, word.start, word.end, word.pieces] for word in words]


def said_out(said_by: Iterable[Said]) -> Rows:
    """What models said, as rows without their entry."""
    return [
        {"model": one.model, "fingerprint": one.fingerprint, "before": one.before.probs, "after": one.after.probs, "flipped": one.flipped}
        for one in said_by
    ]


def said_in(row: Any) -> Said:
    """The value of a row of `said`."""
    return Said(row.model, row.fingerprint, Prediction(tuple(row.before)), Prediction(tuple(row.after)))


def opinion_out(number: int, uid: str, one: Opinion, *, live: bool) -> dict[str, Any]:
    """An opinion as a row; `uid` is the text it is about."""
    return {
        "entry": number, "author": one.author, "verdict": one.verdict.value, "label": one.label, "note": one.note, "at": one.at,
        "about": uid, "live": live,
    }  # fmt: skip


def _opinion_in(row: Any) -> Opinion:
    return Opinion(row.author, Verdict(row.verdict), None if row.label is None else Label(row.label), row.note, row.at)


def change_out(number: int, one: Change) -> dict[str, Any]:
    """A line of history as a row."""
    return {"entry": number, "at": one.at, "author": one.author, "field": one.field, "before": one.before, "after": one.after}


def read(db: Connection, ids: Sequence[int], tables: Iterable[Table] = PARTS) -> dict[int, Entry]:
    """The entries of those ids, by id, in the order of `ids`; with `tables`, only what lies in those besides the entry's own row."""
    out: dict[int, Entry] = {}
    for part in chunks(ids):
        rows = {row.id: row for row in db.execute(select(*_OWN).where(entry.c.id.in_(part)))}
        lie = {table.name: _by_entry(db, table, part, live=table is opinion) for table in tables}
        for number in part:
            if number in rows:
                of = {name: found.get(number, ()) for name, found in lie.items()}
                out[number] = replace(
                    _bare(rows[number]),
                    said=tuple(map(said_in, of.get("said", ()))),
                    tags=tuple(row.name for row in of.get("tag", ())),
                    opinions=tuple(map(_opinion_in, of.get("opinion", ()))),
                    history=tuple(Change(row.at, row.author, row.field, row.before, row.after) for row in of.get("change", ())),
                )
    return out


def _by_entry(db: Connection, table: Table, ids: Sequence[int], *, live: bool = False) -> dict[int, list[Row]]:
    """Rows of a table that belong to entries, in the order they were written."""
    statement = select(table).where(table.c.entry.in_(ids)).order_by(table.c.id)
    found: dict[int, list[Row]] = {}
    for row in db.execute(statement.where(table.c.live) if live else statement):
        found.setdefault(row.entry, []).append(row)
    return found


def _bare(row: Row) -> Entry:
    """The entry of a row, without what lies in other tables."""
    gold = None if row.gold_before is None else Label(row.gold_before)
    edited = Pair(row.edited_premise, row.edited_hypothesis)
    changed = tuple(Word(*word) for word in row.changed)
    return Entry(row.uid, Pair(row.premise, row.hypothesis), edited, gold, row.recipe, changed, (), row.note, (), row.author, row.created)


def settle(db: Connection, ids: Sequence[int], number: int) -> None:
    """After action `number`: which opinions count, and the verdict and label that follow, for those entries."""
    for part in chunks(ids):
        _settle_opinions(db, part)
        db.execute(update(entry).where(entry.c.id.in_(part)).values(touched=number))
        opinions = _by_entry(db, opinion, part, live=True)
        alike: dict[tuple[Verdict, Label | None], list[int]] = {}
        for n, uid, author in db.execute(select(entry.c.id, entry.c.uid, entry.c.author).where(entry.c.id.in_(part))):
            value = Entry(uid, _NO_TEXT, _NO_TEXT, None, author=author, opinions=tuple(map(_opinion_in, opinions.get(n, ()))))
            alike.setdefault((value.verdict, value.gold_after), []).append(n)
        for (verdict, gold), same in alike.items():
            db.execute(update(entry).where(entry.c.id.in_(same)).values(verdict=verdict.value, gold_after=gold))


def _settle_opinions(db: Connection, ids: Sequence[int]) -> None:
    """An opinion counts when it is its author's newest on the text that the entry has now, and was not undone or taken back."""
    uids = {row.id: row.uid for row in db.execute(select(entry.c.id, entry.c.uid).where(entry.c.id.in_(ids)))}
    turned: dict[bool, list[int]] = {True: [], False: []}
    for n, given in _by_entry(db, opinion, ids).items():
        newest = {row.author: row.id for row in given if row.about == uids[n] and not row.undone}
        for row in given:
            live = newest.get(row.author) == row.id and row.verdict != Verdict.PENDING.value
            if live != row.live:
                turned[live].append(row.id)
    for live, numbers in turned.items():
        for part in chunks(numbers):
            db.execute(update(opinion).where(opinion.c.id.in_(part)).values(live=live))


def put_tags(db: Connection, tags: dict[int, Sequence[str]]) -> None:
    """Give each entry exactly these tags, in this order."""
    for part in chunks(list(tags)):
        db.execute(tag.delete().where(tag.c.entry.in_(part)))
    every(db, tag, [{"entry": number, "name": name} for number, names in tags.items() for name in names])


def put_said(db: Connection, number: int, rows: Rows) -> None:
    """Give an entry exactly these rows of what models said."""
    db.execute(said.delete().where(said.c.entry == number))
    every(db, said, [{"entry": number, **row} for row in rows])
