"""A connection to the database, made ready: its address, its settings, its version, and its errors in words.

SQLite: write-ahead log (readers never wait for a writer), `synchronous=FULL` (a write that was acknowledged outlives a power cut too; it
costs one flush to disk a write), foreign keys on, and a writer waits up to `BUSY` seconds for its turn. PostgreSQL: an advisory lock
gives writers the same turns, and readers see one moment of the database.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    TimeoutError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from robustnli.config import readonly
from robustnli.errors import InputError, StoreError
from robustnli.store.tables import NEWEST

BUSY = 30.0  # seconds a writer waits for its turn: a bulk action on 10,000 entries takes a few
VERSIONS = "robustnli_version"  # the table that says of which version the others are
_LOCK = 0x726F6275  # the advisory lock's number: "robu"
_migrating = threading.Lock()  # Alembic's `op` is one a process


def connect(url: str) -> Engine:
    """An engine on the database of that address, made and brought to the newest version where need be. Raises StoreError."""
    where = address(url)
    if where.get_backend_name() == "sqlite" and readonly() and not Path(where.database or "").exists():
        where = where.set(database=_nothing())
    with in_words(where):
        engine = _sqlite(where) if where.get_backend_name() == "sqlite" else _postgresql(where)
        _check_version(engine, where)
    return engine


def address(url: str) -> URL:
    """The parsed address. Raises InputError for one that is neither SQLite's nor PostgreSQL's; a password is never shown."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if path not in ("", ":memory:"):
            return URL.create("sqlite", database=path)  # a file's name may hold ? and %, which an address may not
    shown = re.sub(r"//[^/]*@", "//…@", url)
    try:
        parsed = make_url(re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql+psycopg://", url))
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername != "postgresql+psycopg":
        raise InputError(f"{shown!r} is no address of a database. Give postgresql://user:password@host/name or sqlite:////folder/file.db.")
    return parsed


def _nothing() -> str:
    """A read-only server whose database does not exist shows an empty one, which lies elsewhere and goes with the process."""
    _empty.append(tempfile.TemporaryDirectory(prefix="robustnli-", ignore_cleanup_errors=True))
    return str(Path(_empty[-1].name) / "empty.db")


_empty: list[tempfile.TemporaryDirectory[str]] = []


def _made_here(where: URL) -> bool:
    return where.database in [str(Path(folder.name) / "empty.db") for folder in _empty]


def _sqlite(where: URL) -> Engine:
    file = Path(where.database or "").absolute()
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    _log_ahead(file)
    engine = create_engine(where, creator=lambda: _open(file), hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _remember(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["file"] = _identity(file)

    @event.listens_for(engine, "checkout")
    def _is_still_there(_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        # A connection to a file that was moved away or replaced would write where nobody reads.
        if record.info["file"] != _identity(file):
            raise DisconnectionError

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN")

    return engine


def _open(file: Path) -> sqlite3.Connection:
    """A connection to a file that exists; on a read-only server also one in a folder that nobody may write to."""
    frozen = readonly() and not os.access(file.parent, os.W_OK) and not file.with_name(f"{file.name}-wal").exists()
    uri = f"file:{quote(str(file))}?{'immutable=1' if frozen else 'mode=rw'}"
    # isolation_level None: transactions begin where SQLAlchemy says so, not in the driver.
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY, check_same_thread=False, isolation_level=None)
    for pragma in ("foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _log_ahead(file: Path) -> None:
    """Switch the file to the write-ahead log, for good. Where another process does so in this moment, wait: SQLite itself does not."""
    until = time.monotonic() + BUSY
    with contextlib.closing(_open(file)) as connection:
        while not readonly():
            try:
                connection.execute("PRAGMA journal_mode=WAL").fetchone()
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.05)


def _postgresql(where: URL) -> Engine:
    try:
        return create_engine(
            where, pool_pre_ping=True, hide_parameters=True,
            connect_args={"connect_timeout": 5, "application_name": "robustnli"},
        )  # fmt: skip
    except (NoSuchModuleError, ImportError) as error:
        raise StoreError("the driver for PostgreSQL is missing. Install it: pip install 'robustnli[postgresql]'.") from error


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database."""
    with in_words(engine.url), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection whose turn it is to write: all of the block is kept at its end, or nothing of it."""
    if readonly():
        raise InputError("this server is read-only (ROBUSTNLI_READONLY): nothing can be kept or changed here. Install the app to do so.")
    with _turn(engine) as connection:
        yield connection


@contextlib.contextmanager
def _turn(engine: Engine) -> Iterator[Connection]:
    with in_words(engine.url), engine.connect() as connection:
        connection = connection.execution_options(write=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY:.0f}s'")
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            yield connection


def version(connection: Connection) -> str | None:
    """The version that a database says it has; None for an empty one."""
    if not inspect(connection).has_table(VERSIONS):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalar_one_or_none()
    return None if found is None else str(found)


def _check_version(engine: Engine, where: URL) -> None:
    """Bring the database to the newest version, if it is older."""
    with reading(engine) as connection:
        found = version(connection)
    if found == NEWEST:
        return
    if found is not None and not (found.isdigit() and int(found) < int(NEWEST)):
        raise StoreError(
            f"the curated examples in {shown(where)} are of version {found}; this robustnli knows versions up to {NEWEST}. "
            "Update robustnli, or choose another database with ROBUSTNLI_DATABASE_URL."
        )
    if readonly() and not _made_here(where):
        raise StoreError(
            f"the curated examples in {shown(where)} are of version {found or 'none'} and need an update to version {NEWEST}, "
            "which a read-only server does not do. Start the app once without ROBUSTNLI_READONLY."
        )
    with _migrating, _turn(engine) as connection:
        migrate(connection)


def migrate(connection: Connection, to: str = "head") -> None:
    """Bring the database to a version, inside the caller's transaction: an error leaves it as it was."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=lambda revision, _context: script._upgrade_revs(to, revision)) as environment:
        environment.configure(connection=connection, version_table=VERSIONS)
        environment.run_migrations()


def shown(where: URL) -> str:
    """The database in a message: a file's path, or the address without its password."""
    return str(where.database) if where.get_backend_name() == "sqlite" else where.render_as_string(hide_password=True)


@contextlib.contextmanager
def in_words(where: URL) -> Iterator[None]:
    """Inside: what goes wrong with the database itself is a StoreError that says what to do. A bug of ours stays what it is."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        message = _explain(where, error)
        if message is None:
            raise
        raise StoreError(message) from error
    except TimeoutError as error:
        raise StoreError(f"all connections to {shown(where)} are in use. Try again in a moment.") from error
    except OSError as error:
        raise StoreError(f"the folder of {shown(where)} cannot be used: {error}. Set ROBUSTNLI_HOME to one that can be written.") from error


_KNOWN = (
    (r"locked|lock timeout", "{where} is in use by another process, for more than {busy:.0f} seconds. Nothing was changed; try again."),
    (r"disk is full|no space|could not extend", "the disk of {where} is full. Nothing was changed; free some space and try again."),
    (
        r"not a database|malformed|corrupt|invalid page",
        "{where} is damaged ({error}). Move it away and import your last export, or restore a backup of the file.",
    ),
    (
        r"unable to open|readonly|read-only|permission denied|disk i/o",
        "{where} cannot be opened or written ({error}). Check that file and folder are there and may be written, or set ROBUSTNLI_HOME.",
    ),
    (
        r"authentication|password|(database|role|user) .* does not exist|no pg_hba",
        "{where} does not let us in ({error}). Check user, password and name in ROBUSTNLI_DATABASE_URL.",
    ),
    (
        r"connect|timeout|server closed|translate|resolve|shutting down|starting up|terminat",
        "no answer from {where} ({error}). Check that the database server runs, and the address in ROBUSTNLI_DATABASE_URL.",
    ),
)


def _explain(where: URL, error: DBAPIError | sqlite3.Error) -> str | None:
    """What went wrong and the way out; None for what can only be a bug."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    words = " ".join(str(cause).split())
    denied = isinstance(error, ProgrammingError) and "permission denied" in words
    if isinstance(error, ProgrammingError | IntegrityError | DataError) and not denied:
        return None
    for pattern, message in _KNOWN:
        if re.search(pattern, words, re.IGNORECASE):
            return message.format(where=shown(where), busy=BUSY, error=words)
    return f"{shown(where)} cannot be used: {words}. Set ROBUSTNLI_DATABASE_URL to another database, or restore this one from a backup."
