"""What an author did: actions, which can be undone, and the lines of each entry's history, which stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from robustnli.curated import Change, Entry, Opinion, Said
from robustnli.store.rows import change_out, every
from robustnli.store.tables import action, change, opinion, said, tag

# What an action of a kind can change besides an entry's own row: what its history has to compare.
PARTS_OF = {"add": (), "remove": (), "restore": (), "tag": (tag,), "judge": (opinion,), "edit": (said, opinion)}
SHOWN = 60  # characters of a text in a sentence


def now() -> str:
    """UTC, ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def act(db: Connection, author: str, kind: str, said_as: str, data: dict[str, Any]) -> int:
    """Note an action; its number."""
    values = {"at": now(), "author": author, "kind": kind, "said_as": said_as, "data": data}
    number: int = db.execute(insert(action).values(values).returning(action.c.id)).scalar_one()
    return number


def last(db: Connection, author: str) -> Row | None:
    """The newest action of an author that is not undone."""
    statement = select(action).where(action.c.author == author, action.c.undone.is_(False)).order_by(action.c.id.desc()).limit(1)
    return db.execute(statement).one_or_none()


def named(entries: Iterable[Entry]) -> str:
    """The entries in words: how many, or of one its edited hypothesis."""
    values = list(entries)
    if len(values) != 1:
        return f"{len(values):,} examples"
    text = " ".join(values[0].edited.hypothesis.split()) or " ".join(values[0].edited.premise.split())
    return f"“{text if len(text) <= SHOWN else text[: SHOWN - 1].rstrip() + '…'}”"


def record(db: Connection, author: str, before: dict[int, Entry], after: dict[int, Entry]) -> None:
    """Write the history of entries that were changed: a line for each field that is another one now."""
    at = now()
    rows = [change_out(n, Change(at, author, *line)) for n, old in before.items() for line in _lines(old, after[n], author)]
    every(db, change, rows)


def record_removed(db: Connection, author: str, numbers: Iterable[int], removed: bool) -> None:
    """Write that entries were removed, or came back."""
    states = ("", "yes") if removed else ("yes", "")
    every(db, change, [change_out(number, Change(now(), author, "removed", *states)) for number in numbers])


def _lines(old: Entry, new: Entry, author: str) -> Iterator[tuple[str, str, str]]:
    """(field, before, after) of each field that differs."""
    fields = {
        "premise": (old.edited.premise, new.edited.premise),
        "hypothesis": (old.edited.hypothesis, new.edited.hypothesis),
        "uid": (old.uid, new.uid),
        "predictions": (_models(old.said), _models(new.said)),
        "note": (old.note, new.note),
        "tags": (", ".join(old.tags), ", ".join(new.tags)),
    }
    were, are = ({one.author: _opinion(one) for one in value.opinions} for value in (old, new))
    for who in {**were, **are}:
        fields["opinion" if who == author else f"opinion of {who}"] = (were.get(who, ""), are.get(who, ""))
    for field, (before, after) in fields.items():
        if before != after:
            yield field, before, after


def _opinion(one: Opinion) -> str:
    label = f" ({one.label.text})" if one.label is not None else ""
    return f"{one.verdict.value}{label}" + (f": {one.note}" if one.note else "")


def _models(predictions: tuple[Said, ...]) -> str:
    return "; ".join(f"{one.model}: {one.before.label.text} to {one.after.label.text}" for one in predictions)
