"""Undoing one action. What cannot come back without harm to another's work stays as it is, and the sentence says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

from robustnli.curated import Entry, entry_uid
from robustnli.store.history import PARTS_OF, act, record, record_removed
from robustnli.store.query import hidden
from robustnli.store.rows import CHUNK, chunks, columns, put_said, put_tags, read, settle
from robustnli.store.tables import action, entry, opinion
from robustnli.types import Pair, Word


def undo(db: Connection, author: str, done: Row) -> str:
    """Undo the action of a row of `action`; a sentence that says what was undone."""
    numbers: list[int] = done.data["entries"]
    parts = PARTS_OF[done.kind]
    before = read(db, numbers, parts)
    db.execute(update(action).where(action.c.id == done.id).values(undone=True))
    stay, why = _UNDO[done.kind](db, author, done)
    # Settled under a number of its own: "touched last" is then this very undo.
    number = act(db, author, "undo", f"undid: {done.said_as}", {"entries": numbers, "of": done.id})
    db.execute(update(action).where(action.c.id == number).values(undone=True))
    settle(db, numbers, number)
    record(db, author, before, read(db, numbers, parts))
    if stay == len(numbers):
        return f"Not undone: {done.said_as}. {why}."
    return f"Undone: {done.said_as}." if not stay else f"Undone: {done.said_as}, but {stay:,} of {len(numbers):,} not. {why}."


# Each undoes an action, and says how many of its entries stay as they are, and why.
_OTHERS = "Other people have worked on it since"


def _undo_judge(db: Connection, author: str, done: Row) -> tuple[int, str]:
    for part in chunks(done.data["opinions"]):
        db.execute(update(opinion).where(opinion.c.id.in_(part)).values(undone=True))
    return 0, ""


def _undo_tag(db: Connection, author: str, done: Row) -> tuple[int, str]:
    touched = _touched_by_others(db, author, done, _CHANGES)
    before = {int(number): tags for number, tags in done.data["before"].items()}
    put_tags(db, {number: tags for number, tags in before.items() if number not in touched})
    return len(touched), _OTHERS


def _undo_edit(db: Connection, author: str, done: Row) -> tuple[int, str]:
    (number,) = done.data["entries"]
    if _touched_by_others(db, author, done, _CHANGES):
        return 1, _OTHERS
    old: dict[str, Any] = done.data["before"]
    value = read(db, [number])[number]
    edited = Pair(*old["edited"])
    uid = entry_uid(value.original, edited, value.gold_before)
    if uid != value.uid and live(db, [uid]):
        return 1, f"Another entry has the earlier text now: {uid}"
    put_text(db, number, value, edited, old["note"], tuple(Word(*word) for word in old["changed"]))
    put_said(db, number, old["said"])
    return 0, ""


def _undo_remove(db: Connection, author: str, done: Row) -> tuple[int, str]:
    values = read(db, done.data["entries"], ())
    taken = live(db, [value.uid for value in values.values()])
    back = [number for number, value in values.items() if value.uid not in taken]
    put_removed(db, author, back, False)
    return len(values) - len(back), "The same text was added again since"


def _undo_add(db: Connection, author: str, done: Row) -> tuple[int, str]:
    touched = _touched_by_others(db, author, done, (*_CHANGES, "judge"))
    put_removed(db, author, [number for number in done.data["entries"] if number not in touched], True)
    return len(touched), _OTHERS


_CHANGES = ("edit", "tag", "remove", "restore")
_UNDO = {"judge": _undo_judge, "tag": _undo_tag, "edit": _undo_edit, "remove": _undo_remove, "restore": _undo_add, "add": _undo_add}


def _touched_by_others(db: Connection, author: str, done: Row, kinds: Sequence[str]) -> set[int]:
    """The action's entries on which somebody else did something of that kind after it, which is not undone."""
    later = action.c.id > done.id, action.c.author != author, action.c.undone.is_(False), action.c.kind.in_(kinds)
    theirs = {number for data in db.execute(select(action.c.data).where(*later)).scalars() for number in data["entries"]}
    return theirs & set(done.data["entries"])


def put_removed(db: Connection, author: str, numbers: Sequence[int], removed: bool) -> None:
    """Hide entries, or bring them back, and write it into their history."""
    for part in chunks(numbers):
        db.execute(update(entry).where(entry.c.id.in_(part)).values(removed=removed))
    record_removed(db, author, numbers, removed)


def put_text(db: Connection, number: int, value: Entry, edited: Pair, note: str, changed: tuple[Word, ...]) -> None:
    """Give an entry another text: with it goes the uid."""
    new = replace(value, uid=entry_uid(value.original, edited, value.gold_before), edited=edited, note=note, changed=changed)
    db.execute(update(entry).where(entry.c.id == number).values(columns(new)))


def live(db: Connection, uids: Sequence[str], *, removed: bool = False) -> dict[str, int]:
    """Those of the uids that are there and not removed, with their ids; or those that were removed, each with its newest."""
    found: dict[str, int] = {}
    for start in range(0, len(uids), CHUNK):
        fits = entry.c.uid.in_(uids[start : start + CHUNK]), hidden(removed)
        found |= {row.uid: row.id for row in db.execute(select(entry.c.uid, entry.c.id).where(*fits).order_by(entry.c.id))}
    return found
