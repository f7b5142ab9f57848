"""The tables of the newest version, and how Python values lie in them. `migrations/` makes them; a test compares the two.

Of an entry's opinions every one ever given has a row. `about` is the uid of the text that was judged: an edit changes the entry's uid, so
its older opinions stop counting, and count again when the edit is undone. `opinion.live`, `entry.verdict` and `entry.gold_after` follow
from the other rows (`rows.settle`); they are kept only so that a filter need not compute them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

NEWEST = "2"  # the version that this code reads and writes
# What a database's text cannot hold: PostgreSQL refuses NUL, both refuse half of a surrogate pair. ESC marks them, so it is marked too.
_UNSTORABLE = re.compile("[\x00\x1b\ud800-\udfff]")
_MARKED = re.compile("\x1b([0-9a-f]{4})")


def storable(value: str) -> str:
    """`value` with each character that no database takes written as ESC and four hex digits; other text stays as it is."""
    return value if _UNSTORABLE.search(value) is None else _UNSTORABLE.sub(lambda match: f"\x1b{ord(match[0]):04x}", value)


def restored(value: str) -> str:
    """The text whose `storable` form is `value`."""
    return value if "\x1b" not in value else _MARKED.sub(lambda match: chr(int(match[1], 16)), value)


class AnyText(TypeDecorator[str]):
    """Any Python string, returned as it was given."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as the database holds it."""
        return None if value is None else storable(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as it was given."""
        return None if value is None else restored(value)


class Json(TypeDecorator[Any]):
    """A value of JSON, as ASCII text: floats return bit by bit, and any string can be held."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """The value as text."""
        return json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The value of a text."""
        return None if value is None else json.loads(value)


metadata = MetaData()


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _of_entry() -> Column[int]:
    return Column("entry", Integer, ForeignKey("entry.id"), nullable=False, index=True)


def _text(name: str, *, index: bool = False) -> Column[str]:
    return Column(name, AnyText, nullable=False, index=index)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


entry = Table(
    "entry",
    metadata,
    _id(),
    _text("uid"),
    _text("premise"),
    _text("hypothesis"),
    _text("edited_premise"),
    _text("edited_hypothesis"),
    Column("gold_before", Integer),
    _text("recipe", index=True),
    Column("changed", Json, nullable=False),
    _text("note"),
    _text("author", index=True),
    _text("created"),
    _flag("removed"),
    _text("verdict", index=True),
    Column("gold_after", Integer),
    Column("search", AnyText, nullable=False, server_default=""),  # all its text, case folded
    Column("touched", Integer, nullable=False, server_default="0"),  # the newest action on it
    Index("entry_live", "uid", unique=True, sqlite_where=text("removed = 0"), postgresql_where=text("NOT removed")),
    sqlite_autoincrement=True,
)

said = Table(
    "said", metadata, _id(), _of_entry(), _text("model", index=True), _text("fingerprint"),
    Column("before", Json, nullable=False), Column("after", Json, nullable=False), _flag("flipped"),
    sqlite_autoincrement=True,
)  # fmt: skip

tag = Table("tag", metadata, _id(), _of_entry(), _text("name", index=True), sqlite_autoincrement=True)

opinion = Table(
    "opinion", metadata, _id(), _of_entry(), _text("author", index=True), _text("verdict"), Column("label", Integer), _text("note"),
    _text("at"), Column("about", AnyText, nullable=False, server_default=""), _flag("undone"), _flag("live"),
    sqlite_autoincrement=True,
)  # fmt: skip

change = Table(
    "change", metadata, _id(), _of_entry(), _text("at"), _text("author"), _text("field"), _text("before"), _text("after"),
    sqlite_autoincrement=True,
)  # fmt: skip

# What an author did, and what is needed to undo it; `said_as` tells it in words.
action = Table(
    "action", metadata, _id(), _text("at"), _text("author", index=True), _text("kind"), _text("said_as"),
    Column("data", Json, nullable=False), _flag("undone"),
    sqlite_autoincrement=True,
)  # fmt: skip
