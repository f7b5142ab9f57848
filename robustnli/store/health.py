"""How a database is, looked at without changing it: whether it answers, of which version it is, whether its file is whole."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from robustnli.store import database
from robustnli.store.tables import NEWEST


@dataclass(frozen=True, slots=True)
class Health:
    """`where` it is; its `version` (None: nothing is there yet) and the `newest` that this robustnli knows; `faults` of the file, () if whole."""

    where: str
    version: str | None
    newest: str = NEWEST
    faults: tuple[str, ...] = ()


def look(url: str) -> Health:
    """The health of the database at that address. Raises StoreError where it does not answer, InputError for what is no address."""
    where = database.address(url)
    shown = database.shown(where)
    if where.get_backend_name() != "sqlite":
        engine = database._postgresql(where)
        with database.reading(engine) as connection:
            return Health(shown, database.version(connection))
    file = Path(where.database or "").absolute()
    if not file.exists() or not file.stat().st_size:
        return Health(shown, None)
    with (
        database.in_words(where),
        contextlib.closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=5)) as connection,
    ):
        faults = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        faults += [f"a row of {row[0]} belongs to nothing" for row in connection.execute("PRAGMA foreign_key_check")][:20]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found = connection.execute(f"SELECT version_num FROM {database.VERSIONS}").fetchone() if database.VERSIONS in tables else None
    return Health(shown, None if found is None else str(found[0]), faults=tuple(faults))
