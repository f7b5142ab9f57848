"""ROBUSTNLI_READONLY=1, by trying every way to write: the store, jobs, runs, repairs, attacks, commands, and every button of every page."""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from robustnli import jobs, ownruns, repairs
from robustnli.cli import main
from robustnli.curated import Verdict
from robustnli.errors import InputError
from robustnli.evidence import read_run
from robustnli.gallery import files
from robustnli.store import Query, Store, open_store
from robustnli.types import Pair
from robustnli.ui import keep, people
from tests.conftest import FIXTURES, REPOSITORY
from tests.entries import entry, mixed
from tests.made import examples, make_run, suite_rows

READING = {"get", "entries", "each", "count", "uids", "pairs", "agreement", "version", "facets", "last", "where", "close"}
WRITING: dict[str, Callable[[Store], object]] = {
    "add": lambda s: s.add([entry(77)]),
    "judge": lambda s: s.judge([entry(0).uid], "bob", Verdict.REJECT),
    "edit": lambda s: s.edit(entry(0).uid, "ann", edited=Pair("x", "y")),
    "tag": lambda s: s.tag([entry(0).uid], "ann", add=["x"]),
    "remove": lambda s: s.remove([entry(0).uid], "ann"),
    "restore": lambda s: s.restore([entry(0).uid], "ann"),
    "undo": lambda s: s.undo("ann"),
}


@pytest.fixture(autouse=True)
def home(only_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with examples and a run of one's own, written before the server became read-only."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ROBUSTNLI_HOME", str(folder))
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", os.pathsep.join((str(FIXTURES), str(folder / "checkpoints"))))
    monkeypatch.setenv("ROBUSTNLI_READONLY", "")
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    with open_store() as store:
        store.add(mixed())
    made = make_run(folder / "runs" / "mine", {"suite": suite_rows(examples(40, seed=1))})
    (made / "manifest.json").write_text((made / "manifest.json").read_text().replace("{", '{"file": "mine.csv", ', 1))
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    return folder


def content(folder: Path) -> dict[str, str]:
    """Every file and its hash; not SQLite's own locks."""
    found = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix not in (".db-shm", ".db-wal"))
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def test_every_method_of_the_store_is_known_to_read_or_to_write() -> None:
    public = {name for name, _ in inspect.getmembers(Store) if not name.startswith("_")}
    assert public == READING | WRITING.keys()


@pytest.mark.parametrize("name", WRITING)
def test_the_store_writes_nothing(name: str, home: Path) -> None:
    with open_store() as store:
        before, version = content(home), store.version()
        with pytest.raises(InputError, match="read-only"):
            WRITING[name](store)
        assert store.count(Query()) == len(mixed()) and store.version() == version and content(home) == before


def _run() -> object:
    return read_run(ownruns.folder() / "mine")


OTHER: dict[str, Callable[[Path], object]] = {
    "a job": lambda home: jobs.submit("attack", "x", {}),
    "a repair": lambda home: repairs.submit("tiny-baseline", repairs.Asked(rows=(("a", "b", "neutral"),)), "new"),
    "a checkpoint removed": lambda home: repairs.remove("tiny-baseline"),
    "a run placed": lambda home: ownruns.place(home / "runs" / "mine", "other"),
    "a run renamed": lambda home: ownruns.rename(_run(), "other"),  # type: ignore[arg-type]
    "a run removed": lambda home: ownruns.remove(_run()),  # type: ignore[arg-type]
    "an attack removed": lambda home: files.remove(
        files.Finished(
            recipe="mask", title="", paper="", guarantee="", gold="", budgeted=False, k=1, seed=1, data="", data_hash="", n=1, models={},
            queries=1, seconds=1, created="", path=str(home / "attacks" / "x"),
        )
    ),
    "a name to write under": lambda home: people.author(),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHER)
def test_nothing_else_is_written_either(what: str, home: Path) -> None:
    before = content(home)
    with pytest.raises(InputError, match=r"read-only|not yours to remove"):
        OTHER[what](home)
    assert content(home) == before


def test_a_job_that_was_under_way_cannot_be_cancelled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "jobs" / "1-a"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text('{"kind": "attack", "title": "x", "args": {}}')
    for act in (jobs.cancel, jobs.forget):
        with pytest.raises(InputError, match="read-only"):
            act("1-a")
    assert folder.is_dir()


@pytest.mark.parametrize(
    "words",
    [
        ("import", "pairs.csv"),
        ("score", "--data", "pairs.csv", "--model", "tiny-baseline", "--model", "tiny-finetuned"),
        ("repair", "--from", "tiny-baseline", "--data", "pairs.csv"),
    ],
)
def test_commands_that_write_to_the_data_folder_refuse(
    words: tuple[str, ...], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.csv").write_text("premise,hypothesis,label\nA cook waits.,He is late.,neutral\n")
    before = content(home)
    monkeypatch.setattr(sys, "argv", ["robustnli", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1 and "read-only" in capsys.readouterr().err
    assert content(home) == before


def test_keep_says_why_it_keeps_nothing(home: Path) -> None:
    def script() -> None:
        from robustnli.ui import keep
        from tests.entries import entry

        keep.keep_button([entry(99)])

    app = AppTest.from_function(script, default_timeout=30).run()
    assert app.button(key="keep.keep").disabled
    before = content(home)
    keep._click([entry(99)], "keep", False)  # a client that presses it all the same
    assert content(home) == before


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("explore", {}),
        ("errors", {"run": "mine"}),
        ("attacks", {}),
        *(("curate", {"view": v}) for v in ("review", "table", "export", "import", "replay", "repair")),
    ],
)
def test_every_button_that_can_be_pressed_writes_nothing(page: str, query: dict[str, str], home: Path) -> None:
    def fresh() -> AppTest:
        app = AppTest.from_file(str(REPOSITORY / "pages" / f"{page}.py"), default_timeout=120)
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    app = fresh()
    assert not app.exception, [e.stack_trace for e in app.exception]
    before = content(home)
    for number, button in list(enumerate(app.button))[:40]:
        if not button.disabled:
            fresh().button[number].click().run()  # leads to another page at times, which AppTest does not follow
    assert content(home) == before
