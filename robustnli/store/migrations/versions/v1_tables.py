"""Version 1: entries, what models said of them, tags, opinions, history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def _of_entry() -> sa.Column[int]:
    return sa.Column("entry", sa.Integer, sa.ForeignKey("entry.id"), nullable=False)


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _make(name: str, *columns: sa.Column) -> None:
    key: sa.Column[int] = sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)
    op.create_table(name, key, *columns, sqlite_autoincrement=True)


def upgrade() -> None:
    """Make the tables."""
    _make(
        "entry",
        *_text("uid", "premise", "hypothesis", "edited_premise", "edited_hypothesis"),
        sa.Column("gold_before", sa.Integer),
        *_text("recipe", "changed", "note", "author", "created"),
        sa.Column("removed", sa.Boolean, nullable=False, server_default=sa.false()),
        *_text("verdict"),
        sa.Column("gold_after", sa.Integer),
    )
    there = sa.text("removed = 0"), sa.text("NOT removed")
    op.create_index("entry_live", "entry", ["uid"], unique=True, sqlite_where=there[0], postgresql_where=there[1])
    flipped = sa.Column("flipped", sa.Boolean, nullable=False, server_default=sa.false())
    _make("said", _of_entry(), *_text("model", "fingerprint", "before", "after"), flipped)
    _make("tag", _of_entry(), *_text("name"))
    _make("opinion", _of_entry(), *_text("author", "verdict"), sa.Column("label", sa.Integer), *_text("note", "at"))
    _make("change", _of_entry(), *_text("at", "author", "field", "before", "after"))
    for table in ("said", "tag", "opinion", "change"):
        op.create_index(f"ix_{table}_entry", table, ["entry"])
    for table, column in (
        ("entry", "recipe"), ("entry", "author"), ("entry", "verdict"), ("said", "model"), ("tag", "name"), ("opinion", "author"),
    ):  # fmt: skip
        op.create_index(f"ix_{table}_{column}", table, [column])
