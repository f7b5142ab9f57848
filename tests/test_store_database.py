"""The database under the store: versions and the way from one to the next, and what is said when something is wrong with it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

from robustnli.curated import Entry, Opinion, Verdict
from robustnli.errors import InputError, StoreError
from robustnli.store import Query, Store, open_store
from robustnli.store import database as engines
from robustnli.store.tables import NEWEST, metadata
from robustnli.types import Label
from tests.conftest import REPOSITORY
from tests.entries import entry

E, N, C = Label


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of an SQLite store with one entry."""
    with open_store(f"sqlite:///{tmp_path / 'kept.db'}") as store:
        store.add([entry(1)])
    return tmp_path / "kept.db"


def at(file: Path) -> Store:
    return open_store(f"sqlite:///{file}")


# ---- versions


def of_version_1(url: str) -> list[Entry]:
    """Fill an empty database as version 1 did; the entries that were in it."""
    where = engines.address(url)
    engine = engines._sqlite(where) if where.get_backend_name() == "sqlite" else engines._postgresql(where)
    kept = [entry(1), entry(2, Verdict.UNSURE), replace(entry(3, Verdict.PENDING, gold=None), note="Straße \x1b0000"), entry(4, by="bob")]
    opinions = [("ann", "unsure", None), ("ann", "keep", 1)], [("ann", "unsure", None)], [], [("cy", "relabel", 2), ("bob", "keep", 1)]
    with engines._turn(engine) as db:
        engines.migrate(db, "1")
        for n, value in enumerate(kept, 1):
            given = {
                "id": n, "u": value.uid, "p": value.original.premise, "h": value.original.hypothesis, "ep": value.edited.premise,
                "eh": value.edited.hypothesis, "g": value.gold_before, "n": value.note.replace("\x1b", "\x1b001b"), "a": value.author,
                "c": value.created, "r": n == 2, "v": value.verdict.value, "ga": value.gold_after,
            }  # fmt: skip
            db.execute(
                sa.text("INSERT INTO entry VALUES (:id,:u,:p,:h,:ep,:eh,:g,'mask','[[\"premise\",9,14,2]]',:n,:a,:c,:r,:v,:ga)"), given
            )
            insert = "INSERT INTO opinion (entry, author, verdict, label, note, at) VALUES (:e, :a, :v, :l, '', '')"
            db.execute(sa.text("INSERT INTO tag (entry, name) VALUES (:e, 'old'), (:e, 'tram')"), {"e": n})
            db.execute(
                sa.text("INSERT INTO change (entry, at, author, field, before, after) VALUES (:e, 't', 'ann', 'note', '', 'x')"), {"e": n}
            )
            for one in value.said:
                said = "INSERT INTO said (entry, model, fingerprint, before, after, flipped) VALUES (:e, :m, :f, :b, :a, :x)"
                parts = {"b": str(list(one.before.probs)), "a": str(list(one.after.probs)), "x": one.flipped}
                db.execute(sa.text(said), {"e": n, "m": one.model, "f": one.fingerprint, **parts})
            for who, verdict, label in opinions[n - 1]:
                db.execute(sa.text(insert), {"e": n, "a": who, "v": verdict, "l": label})
        if engine.dialect.name == "postgresql":
            db.execute(sa.text("SELECT setval('entry_id_seq', 4)"))
    engine.dispose()
    return kept


def test_a_database_of_version_1_is_brought_forward_whole(database: str) -> None:
    kept = of_version_1(database)
    with open_store(database) as store:
        found = {e.uid: e for e in (*store.entries(), *store.entries(Query(removed=True)))}
        assert set(found) == {e.uid for e in kept} and store.uids(Query(removed=True)) == [kept[1].uid]
        for old in kept:
            new = found[old.uid]
            assert replace(new, opinions=(), history=(), tags=()) == replace(old, opinions=(), history=(), tags=())
            assert new.tags == ("old", "tram") and [c.field for c in new.history] == ["note"]
            assert (new.verdict, new.gold_after) == (old.verdict, old.gold_after)
        assert found[kept[0].uid].opinions == (Opinion("ann", Verdict.KEEP, N),)  # the newest of two
        assert [o.author for o in found[kept[3].uid].opinions] == ["cy", "bob"]
        assert store.uids(Query(text="STRASSE")) == [kept[2].uid]
        # What is new in version 2 works on what is old.
        store.judge([kept[0].uid], "ann", Verdict.RELABEL, C)
        store.undo("ann")
        assert store.get(kept[0].uid).gold_after == N and store.add([entry(9)]).new
        assert store.undo("ann") and store.undo("ann") is None and store.count() == 3


def test_the_migrations_make_the_tables_that_the_code_uses(database: str) -> None:
    with open_store(database) as store, store._engine.connect() as connection:
        differ = compare_metadata(MigrationContext.configure(connection, opts={"version_table": "robustnli_version"}), metadata)
    assert differ == []


def test_the_newest_migration_is_the_version_of_the_code() -> None:
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "robustnli" / "store" / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [NEWEST]
    assert [r.revision for r in script.walk_revisions()] == [str(n) for n in range(int(NEWEST), 0, -1)]


def test_a_migration_that_fails_changes_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = of_version_1(database)
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.get_bind", lambda: 1 / 0)  # version 2 asks for it when it has changed the tables, to fill them
        with pytest.raises(ZeroDivisionError):
            open_store(database)
    where = sa.make_url(database.replace("postgresql:", "postgresql+psycopg:"))
    engine = sa.create_engine(where)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM robustnli_version")).scalar_one() == "1"
        assert not sa.inspect(connection).has_table("action")
        assert "search" not in [c["name"] for c in sa.inspect(connection).get_columns("entry")]
    engine.dispose()
    with open_store(database) as store:
        assert store.count() + store.count(Query(removed=True)) == len(kept)


def test_a_database_of_a_newer_version(database: str) -> None:
    with open_store(database) as store, store._engine.begin() as connection:
        connection.execute(sa.text("UPDATE robustnli_version SET version_num = '9'"))
    with pytest.raises(StoreError, match=f"of version 9; this robustnli knows versions up to {NEWEST}. Update"):
        open_store(database)


def test_a_read_only_server_migrates_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    of_version_1(database)
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    with pytest.raises(StoreError, match=r"Start the app once without"):
        open_store(database)


OPEN = "import sys; from robustnli.store import open_store; from tests.entries import entry; s = open_store(sys.argv[1]); s.add([entry(int(sys.argv[2]))])"


def test_processes_that_open_a_fresh_database_at_once(database: str) -> None:
    asked = [subprocess.Popen([sys.executable, "-c", OPEN, database, str(n)], cwd=REPOSITORY) for n in range(4)]
    assert [process.wait(120) for process in asked] == [0] * 4
    with open_store(database) as store:
        assert store.count() == 4


def test_threads_that_open_and_write_at_once(database: str) -> None:
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with open_store(database) as store:
                for n in range(5):
                    uid = store.add([entry(number * 100 + n)]).new[0]
                    store.judge([uid, entry(0).uid], f"judge {number}", Verdict.UNSURE)
        except BaseException as error:
            problems.append(error)

    with open_store(database) as store:
        store.add([entry(0)])
    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    with open_store(database) as store:
        assert store.count() == 31 and len(store.get(entry(0).uid).opinions) == 7


# ---- what is wrong, and the way out


def test_where_it_is(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ROBUSTNLI_DATABASE_URL", raising=False)
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "a % b?c" / "new"))
    with open_store() as store:
        assert store.where == str(tmp_path / "a % b?c" / "new" / "curated.db") and Path(store.where).is_file()
    monkeypatch.setenv("ROBUSTNLI_DATABASE_URL", database)
    with open_store() as store:
        store.add([entry(1)])
    with open_store(database) as store:
        assert store.count() == 1


@pytest.mark.parametrize(
    "url", ["mysql://ann:secret@host/db", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql+asyncpg://a:secret@b/c", ""]
)
def test_an_address_of_nothing(url: str) -> None:
    with pytest.raises(InputError, match="is no address of a database") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_no_server_there() -> None:
    with pytest.raises(StoreError, match=r"Check that the database server runs") as caught:
        open_store("postgresql://ann:secret@127.0.0.1:9/name")
    assert "secret" not in str(caught.value) and "127.0.0.1:9" in str(caught.value)


def test_no_such_database_on_the_server() -> None:
    server = os.environ.get("ROBUSTNLI_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL server at hand: ROBUSTNLI_TEST_POSTGRES names a database of one (see .ci/run)")
    with pytest.raises(StoreError, match=r"does not let us in.*nowhere"):
        open_store(sa.make_url(server).set(database="nowhere").render_as_string(hide_password=False))


def test_the_driver_of_postgresql_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'robustnli\[postgresql\]'"):
        open_store("postgresql://ann@127.0.0.1:9/name")


def test_locked_for_too_long(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robustnli.store.database.BUSY", 1.0)
    with open_store(database) as store, open_store(database) as other:
        store.add([entry(1)])
        with _in_turn(other), pytest.raises(StoreError, match=r"in use by another process.*try again"):
            store.add([entry(2)])
        with _in_turn(other):
            assert store.count() == 1  # readers do not wait
        assert store.add([entry(2)]).new


def _in_turn(store: Store) -> object:
    return engines._turn(store._engine)


def test_a_full_disk(tmp_path: Path) -> None:
    with at(tmp_path / "kept.db") as store:
        store.add([entry(1)])
        store.close()
        event.listen(store._engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 40"))
        with pytest.raises(StoreError, match=r"disk of .*kept.db is full.*free some space"):
            store.add([entry(n) for n in range(2, 2000)])
        assert store.uids() == [entry(1).uid]
    with at(tmp_path / "kept.db") as store:
        assert store.uids() == [entry(1).uid] and len(store.add([entry(n) for n in range(2, 2000)]).new) == 1998


@pytest.mark.parametrize(
    "damage", [lambda data: b"not a database, but a letter" * 200, lambda data: data[:100] + os.urandom(len(data) - 100)]
)
def test_a_damaged_file(file: Path, damage: object) -> None:
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(StoreError, match=r"kept.db is damaged.*restore a backup"), at(file) as store:
        store.entries()


def test_a_file_of_something_else(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE entry (title TEXT)")
    connection.close()
    with pytest.raises(StoreError, match=r"other.db cannot be used: .*already exists"):
        at(tmp_path / "other.db")


def test_a_folder_that_cannot_be(file: Path) -> None:
    with pytest.raises(StoreError, match=r"Set ROBUSTNLI_HOME"):
        at(file / "sub" / "kept.db")
    with pytest.raises(StoreError, match=r"cannot be opened"):
        at(file.parent)


def test_a_file_that_is_moved_away_while_the_app_runs(file: Path) -> None:
    with at(file) as store:
        assert store.count() == 1
        away = file.rename(file.with_name("away.db"))
        with pytest.raises(StoreError, match=r"kept.db cannot be opened.*Check that file and folder are there"):
            store.add([entry(2)])
        assert not file.exists()  # no new, empty one in its place
        away.rename(file)
        assert store.add([entry(2)]).new


def test_a_read_only_server_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    with at(tmp_path / "none" / "kept.db") as store:
        assert store.entries() == [] and store.facets().total == 0
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_server_in_a_folder_that_nobody_may_write(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may write everywhere
    before = sorted(p.name for p in file.parent.iterdir())
    with at(file) as store:
        assert store.entries() == [entry(1)]
        assert sorted(p.name for p in file.parent.iterdir()) == before  # not even SQLite's own side files


def test_a_bug_of_ours_stays_visible(file: Path) -> None:
    with at(file) as store, pytest.raises(sa.exc.IntegrityError), engines.writing(store._engine) as db:
        db.execute(sa.text("INSERT INTO tag (entry, name) VALUES (77, 'of nobody')"))  # foreign keys are on


def test_settings_of_sqlite(file: Path) -> None:
    with at(file) as store, engines.reading(store._engine) as db:
        values = {
            name: db.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
