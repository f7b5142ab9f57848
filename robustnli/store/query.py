"""Which entries: a `Query` as a value, and as conditions on the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, literal, select, true

from robustnli.curated import Entry, Verdict
from robustnli.errors import InputError
from robustnli.store.tables import AnyText, entry, opinion, said, tag

Order = Literal["newest", "oldest", "changed"]
ORDERS = {
    "newest": (entry.c.id.desc(),),
    "oldest": (entry.c.id,),
    "changed": (entry.c.touched.desc(), entry.c.id.desc()),
}


@dataclass(frozen=True, slots=True)
class Query:
    """Which entries, in which order. Within a field any of the values fits; every field that is given must fit.

    `text` is words that must all occur, in any case, somewhere in the pairs or the note. `flipped` names models whose prediction the edit
    changed. `judged_by`, `not_judged_by` are authors. `removed`: those that were removed, instead of those that are there.
    """

    verdicts: tuple[Verdict, ...] = ()
    tags: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    text: str = ""
    flipped: tuple[str, ...] = ()
    judged_by: str = ""
    not_judged_by: str = ""
    uids: tuple[str, ...] | None = None
    removed: bool = False
    order: Order = "newest"
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise InputError(f"order {self.order!r} is unknown. Choose one of {', '.join(ORDERS)}.")
        if self.offset < 0 or (self.limit is not None and self.limit < 0):
            raise InputError(f"limit {self.limit} and offset {self.offset} must not be below 0.")


@dataclass(frozen=True, slots=True)
class Facets:
    """How many entries there are of each value, most first; `models` counts entries that flipped that model."""

    tags: dict[str, int]
    recipes: dict[str, int]
    authors: dict[str, int]
    models: dict[str, int]
    verdicts: dict[Verdict, int]
    total: int


def folded(text: str) -> str:
    """The text as a search compares it: case folded, each run of white space one space."""
    return " ".join(text.casefold().split())


def search_text(value: Entry) -> str:
    """All text of an entry that a search looks at."""
    original, edited = value.original, value.edited
    return folded("\n".join((original.premise, original.hypothesis, edited.premise, edited.hypothesis, value.note)))


def hidden(removed: bool) -> ColumnElement[bool]:
    """Whether the entry was removed, or is there; in the words of the index on those that are there, or no database would use it."""
    return entry.c.removed == true() if removed else ~entry.c.removed


def conditions(query: Query, dialect: str) -> list[ColumnElement[bool]]:
    """What must hold of a row of `entry`."""
    found: list[ColumnElement[bool]] = [hidden(query.removed)]
    if query.verdicts:
        found.append(entry.c.verdict.in_([verdict.value for verdict in query.verdicts]))
    found += [column.in_(values) for column, values in ((entry.c.recipe, query.recipes), (entry.c.author, query.authors)) if values]
    if query.tags:
        found.append(entry.c.id.in_(select(tag.c.entry).where(tag.c.name.in_(query.tags))))
    if query.flipped:
        found.append(entry.c.id.in_(select(said.c.entry).where(said.c.model.in_(query.flipped), said.c.flipped)))
    if query.judged_by:
        found.append(_judged(query.judged_by))
    if query.not_judged_by:
        found.append(~_judged(query.not_judged_by))
    if query.uids is not None:
        # Written into the statement: a bulk action may name more than the 32,766 parameters that SQLite takes.
        found.append(entry.c.uid.in_(bindparam("uids", query.uids, AnyText, expanding=True, literal_execute=True)))
    # Not LIKE: its wildcards and its length limit would be the user's.
    at = func.instr if dialect == "sqlite" else func.strpos
    return found + [at(entry.c.search, literal(word, AnyText)) > 0 for word in folded(query.text).split()]


def _judged(author: str) -> ColumnElement[bool]:
    given = opinion.alias()  # or it would be taken for the opinions that the statement around it may count
    return exists(select(given.c.id).where(given.c.entry == entry.c.id, given.c.author == author, given.c.live).correlate(entry))


def ids(query: Query, dialect: str) -> Select:
    """The ids of the entries, in order."""
    statement = select(entry.c.id).where(*conditions(query, dialect)).order_by(*ORDERS[query.order])
    if query.limit is not None or query.offset:
        # SQLite knows no offset without a limit.
        statement = statement.limit(query.limit if query.limit is not None else 2**62).offset(query.offset)
    return statement
