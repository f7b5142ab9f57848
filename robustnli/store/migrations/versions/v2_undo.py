"""Version 2: actions that can be undone, opinions that know which text they judged, a column to search.

The search text of version 2 is written out here: a migration does the same for ever, whatever the code beside it becomes.
"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"
CHUNK = 500


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def upgrade() -> None:
    """Add the columns and the table, and fill them for the rows that are there."""
    op.add_column("entry", sa.Column("search", sa.Text, nullable=False, server_default=""))
    op.add_column("entry", sa.Column("touched", sa.Integer, nullable=False, server_default="0"))
    op.add_column("opinion", sa.Column("about", sa.Text, nullable=False, server_default=""))
    op.add_column("opinion", _flag("undone"))
    op.add_column("opinion", _flag("live"))
    text = [sa.Column(name, sa.Text, nullable=False) for name in ("at", "author", "kind", "said_as", "data")]
    key: sa.Column[int] = sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)
    op.create_table("action", key, *text, _flag("undone"), sqlite_autoincrement=True)
    op.create_index("ix_action_author", "action", ["author"])
    _fill()


def _fill() -> None:
    db = op.get_bind()
    db.execute(sa.text("UPDATE opinion SET about = (SELECT uid FROM entry WHERE entry.id = opinion.entry)"))
    newest = "SELECT max(id) FROM opinion GROUP BY entry, author"
    db.execute(sa.text(f"UPDATE opinion SET live = true WHERE verdict <> 'pending' AND id IN ({newest})"))
    last = 0
    columns = "id, premise, hypothesis, edited_premise, edited_hypothesis, note"
    while rows := db.execute(sa.text(f"SELECT {columns} FROM entry WHERE id > :last ORDER BY id LIMIT {CHUNK}"), {"last": last}).all():
        db.execute(
            sa.text("UPDATE entry SET search = :search WHERE id = :id"), [{"id": row[0], "search": _folded(row[1:])} for row in rows]
        )
        last = rows[-1][0]


def _folded(texts: sa.Row | tuple) -> str:
    """The texts, case folded; in the database's spelling of what it cannot hold, which folding leaves as it is."""
    return re.sub(r"\s+", " ", "\n".join(texts).casefold())
