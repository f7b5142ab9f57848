"""kill -9 in the middle of writes: what was acknowledged is there, what was not is there whole or not at all, and the file is sound."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from robustnli.curated import Verdict
from robustnli.store import Query, open_store
from robustnli.store import database as engines
from tests.conftest import REPOSITORY
from tests.entries import entry
from tests.test_store_database import of_version_1

# Each acknowledged write is a line, in the file before the next write begins.
WRITER = """
import os, sys
from robustnli.curated import Verdict
from robustnli.store import Query, open_store
from robustnli.types import Pair
from tests.entries import entry

url, first, log = sys.argv[1], int(sys.argv[2]), os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def told(*words): os.write(log, (" ".join(words) + "\\n").encode())
with open_store(url) as store:
    told("ready")
    for n in range(first, first + 100_000, 10):
        ten = [entry(n + k, Verdict.PENDING) for k in range(10)]
        store.add(ten); told("added", *(e.uid for e in ten))
        store.judge([e.uid for e in ten[:5]], "judge", Verdict.REJECT); told("judged", *(e.uid for e in ten[:5]))
        new = store.edit(ten[5].uid, "ann", edited=Pair("now", str(n))); told("edited", new.uid)
        store.tag([e.uid for e in ten[6:8]], "ann", add=["seen"]); told("tagged", *(e.uid for e in ten[6:8]))
        store.remove([ten[8].uid], "ann"); told("removed", ten[8].uid)
"""


@contextlib.contextmanager
def killed(command: list[str], log: Path, after: float) -> Iterator[None]:
    """A process that is killed so many seconds after it began to write; the block runs meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", *command, str(log)], cwd=REPOSITORY)
    try:
        yield
        until = time.monotonic() + 120
        while not log.exists() or not log.read_text().startswith("ready"):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        time.sleep(after)
        assert process.poll() is None  # it was still writing
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def acknowledged(logs: list[Path]) -> dict[str, list[tuple[str, ...]]]:
    """The uids of each acknowledged write, by what was done."""
    out: dict[str, list[tuple[str, ...]]] = {name: [] for name in ("ready", "added", "judged", "edited", "tagged", "removed")}
    for log in logs:
        for line in log.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                what, *uids = line.split()
                out[what].append(tuple(uids))
    return out


def sound(url: str) -> None:
    """SQLite's own check of the file, and of what belongs to what."""
    engine = sa.create_engine(url) if url.startswith("sqlite") else None
    if engine is not None:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        engine.dispose()


@pytest.mark.slow
def test_writers_are_killed(database: str, tmp_path: Path) -> None:
    rng = random.Random()  # another moment each time
    logs = []
    for attempt in range(3):
        with contextlib.ExitStack() as all_at_once:
            for writer in range(3):
                logs.append(tmp_path / f"{attempt}-{writer}.log")
                first = 1_000_000 * (3 * attempt + writer)
                all_at_once.enter_context(killed([WRITER, database, str(first)], logs[-1], rng.uniform(0.3, 1.0)))
        sound(database)
    done = acknowledged(logs)
    assert len(done["added"]) >= 9 and done["judged"]
    with open_store(database) as store:
        here, removed = {e.uid: e for e in store.entries()}, {e.uid: e for e in store.entries(Query(removed=True))}
        edited_away = {c.before for e in here.values() for c in e.history if c.field == "uid"}
        assert {uid for uids in done["added"] for uid in uids} <= here.keys() | removed.keys() | edited_away
        assert all(here[uid].verdict is Verdict.REJECT for uids in done["judged"] for uid in uids)
        assert all(here[uid].edited.premise == "now" for (uid,) in done["edited"])
        assert all("seen" in here[uid].tags for uids in done["tagged"] for uid in uids)
        assert all(uid in removed for (uid,) in done["removed"])
        # Nothing by halves: a write of ten is there with all ten, a judgement of five with all five.
        assert (len(here) + len(removed)) % 10 == 0
        assert store.count(Query(verdicts=(Verdict.REJECT,))) % 5 == 0
        assert store.add([entry(-1)]).new


BULK = """
import os, sys
from robustnli.curated import Verdict
from robustnli.store import open_store
from tests.entries import entry
many = [entry(n, Verdict.PENDING) for n in range(3000)]
store = open_store(sys.argv[1])
store.add([entry(9_999)])
open(sys.argv[2], "w").write("ready")
while True:
    store.add(many)
    store.judge([e.uid for e in many], "judge", Verdict.REJECT)
    store.undo("judge"); store.undo("ann")
"""


@pytest.mark.slow
def test_a_bulk_write_is_whole_or_not_at_all(database: str, tmp_path: Path) -> None:
    for attempt in range(3):
        with killed([BULK, database], tmp_path / f"{attempt}.log", random.uniform(0.2, 2.5)):
            pass
        sound(database)
        with open_store(database) as store:
            counts = store.count(), store.count(Query(verdicts=(Verdict.REJECT,)))
            assert counts in ((1, 0), (3001, 0), (3001, 3000))
            store.remove([uid for uid in store.uids() if uid != entry(9_999).uid], "ann")  # the next one begins anew


MIGRATE = """
import sys
from robustnli.store import database
from alembic import op
real = op.get_bind
def slow():
    open(sys.argv[2], "w").write("ready")
    import time; time.sleep(float(sys.argv[1].partition("|")[2]))
    return real()
op.get_bind = slow
database.connect(sys.argv[1].partition("|")[0])
import time; time.sleep(60)
"""


@pytest.mark.parametrize("pause", [60.0, 0.0])
def test_a_migration_is_killed(database: str, tmp_path: Path, pause: float) -> None:
    kept = of_version_1(database)
    with killed([MIGRATE, f"{database}|{pause}"], tmp_path / "log", 0.1):
        pass
    sound(database)
    if pause:  # killed in the middle of it: version 1 as it was
        with sa.create_engine(engines.address(database)).connect() as connection:
            assert connection.execute(sa.text("SELECT version_num FROM robustnli_version")).scalar_one() == "1"
    with open_store(database) as store:
        assert {*store.uids(), *store.uids(Query(removed=True))} == {e.uid for e in kept}
