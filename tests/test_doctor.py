"""Each thing that can stand in the way is found, and told with what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest

from robustnli import checkpoints, doctor
from robustnli.cli import main
from robustnli.doctor import CANONICAL, Finding
from robustnli.models import load
from robustnli.store import open_store
from robustnli.types import Label
from tests.conftest import FIXTURES
from tests.entries import entry


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of our own, and no setting of whoever runs the tests."""
    for name in [n for n in os.environ if n.startswith("ROBUSTNLI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny checkpoint that is the only one."""
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(tmp_path / "root"))
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    return Path(shutil.copytree(FIXTURES / "tiny-baseline", tmp_path / "root" / "made"))


def found(check: str, *, models: bool = False) -> Finding:
    """The worst finding of a check, which has a way out unless all is well."""
    findings = [f for f in doctor.examine(models=models) if f.check == check]
    assert all(f.todo or f.state == "ok" for f in findings)
    return max(findings, key=lambda f: ("ok", "warning", "problem").index(f.state))


def test_nothing_stands_in_the_way_here_and_nothing_is_made(made: Path, here: Path) -> None:
    findings = list(doctor.examine())
    assert {f.state for f in findings if not f.check.startswith(("model", "packages", "speed"))} == {"ok"}
    assert {f.check for f in findings} >= {
        "python",
        "packages",
        "settings",
        "database",
        "home",
        "disk",
        "checkpoint made",
        "model made",
        "runs",
        "speed",
    }
    assert not here.exists()


def test_an_old_python() -> None:
    assert doctor.python((3, 9, 1)).state == "problem" and doctor.python().state == "ok"


def test_packages_that_are_missing_or_of_another_version() -> None:
    def version(name: str) -> str:
        if name == "torch":
            return "2.0.0+cpu"
        if name == "regex":
            raise metadata.PackageNotFoundError
        return "1.0"

    told = {f.text: (f.state, f.todo) for f in doctor.packages({"torch": "2.13.0", "regex": "1.0", "typer": "1.0"}, version)}
    assert told == {
        "torch is 2.0.0+cpu; tested with 2.13.0": ("warning", "pip install torch==2.13.0"),
        "regex is not installed": ("problem", "pip install regex==1.0"),
    }
    assert [f.state for f in doctor.packages({"torch": "2.0.0", "typer": "1.0"}, version)] == ["ok"]
    assert doctor.requirements()["streamlit"] == "1.67.0"


@pytest.mark.parametrize(
    ("name", "value", "state", "text"),
    [
        ("ROBUSTNLI_THREDS", "2", "warning", "read by nobody"),
        ("ROBUSTNLI_THREADS", "many", "problem", "whole number"),
        ("ROBUSTNLI_FRAMED_BY", "nowhere", "problem", "is not a site"),
        ("ROBUSTNLI_RUNS", "/no/such/folder", "warning", "is no folder"),
    ],
)
def test_settings(name: str, value: str, state: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    finding = found("settings")
    assert finding.state == state and text in finding.text


def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_DATABASE_URL", "postgresql://ann:geheim@127.0.0.1:1/x")
    findings = list(doctor.examine(models=False))
    assert "geheim" not in json.dumps([f.text + f.todo for f in findings])
    assert next(f for f in findings if f.check == "database").state == "problem"


def test_a_database_that_is_well_damaged_old_new_or_no_address(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store() as store:
        store.add([entry(n) for n in range(300)])
    assert found("database").state == "ok" and "version 2, whole" in found("database").text
    file = here / "curated.db"
    for version, state in (("1", "warning"), ("99", "problem"), ("x", "problem")):
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE robustnli_version SET version_num = ?", (version,))
        connection.close()
        assert found("database").state == state
        assert sqlite3.connect(file).execute("SELECT version_num FROM robustnli_version").fetchone() == (version,), "it is left as it is"
    whole = file.read_bytes()
    for damage in (whole[: len(whole) // 2], whole[:8192] + os.urandom(20_000) + whole[28_192:], b"no database at all" * 100):
        for extra in here.glob("curated.db-*"):
            extra.unlink()
        file.write_bytes(damage)
        assert found("database").state == "problem"
    monkeypatch.setenv("ROBUSTNLI_DATABASE_URL", "mysql://x")
    assert found("database").state == "problem"


def test_a_folder_that_cannot_be_written_to(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert found("home").state == "problem" and "ROBUSTNLI_HOME" in found("home").todo
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    assert found("home").state == "ok", "a read-only server writes nothing there"


@pytest.mark.parametrize(("free", "state"), [(10, "problem"), (500 << 20, "warning"), (2 << 30, "ok")])
def test_a_full_disk(free: int, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: namedtuple("usage", "free")(free))
    assert found("disk").state == state


def test_no_checkpoint_a_broken_one_and_one_that_is_not_its_cards(made: Path) -> None:
    digest = "0" * 64
    (made / "README.md").write_text(f"| file | 1 byte, sha256 `{digest}` |")
    assert found("checkpoint made").state == "problem" and "not those of its card" in found("checkpoint made").text
    (made / "config.json").write_text("{")
    assert found("checkpoint made").state == "problem" and found("checkpoints").state == "problem"
    shutil.rmtree(made)
    assert found("checkpoints").state == "problem"


def test_a_card_that_names_the_weights(made: Path) -> None:
    import hashlib

    digest = hashlib.sha256((made / "model.safetensors").read_bytes()).hexdigest()
    (made / "README.md").write_text(f"sha256 `{digest}`")
    assert found("checkpoint made") == Finding("checkpoint made", "ok", found("checkpoint made").text)
    assert "as its card says" in found("checkpoint made").text


def test_a_checkpoint_that_is_found_and_does_not_load(made: Path) -> None:
    (made / "model.safetensors").write_bytes(b"x" * 100)
    assert found("model made", models=True).state == "problem"


def test_labels_in_another_order_are_known_by_plain_pairs() -> None:
    gold = [label for _, label in CANONICAL]
    assert doctor.labels("m", gold).state == "ok"
    turned = [Label((label + 1) % 3) for label in gold]
    told = doctor.labels("m", turned)
    assert told.state == "problem" and "entailment is contradiction" in told.text
    assert doctor.labels("m", [Label.NEUTRAL] * 6).state == "warning"


@pytest.mark.slow
def test_the_shipped_checkpoints_know_the_plain_pairs(shipped: Path) -> None:
    for name in ("baseline", "finetuned", "robust"):
        assert [p.label for p in load(str(shipped / name)).predict([pair for pair, _ in CANONICAL])] == [gold for _, gold in CANONICAL]


def test_no_run_and_a_slow_machine(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_ONLY_RUNS", "1")
    assert found("runs").state == "warning"
    clock = iter(range(0, 1000, 30))
    monkeypatch.setattr(doctor.time, "perf_counter", lambda: float(next(clock)))
    assert doctor.speed(load(str(made))).state == "warning"


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["robustnli", "doctor", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_ends_with_1_where_something_must_be_mended(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkpoints.find()[0].checkpoint
    assert run(monkeypatch, "--quick") == 0
    assert "Nothing stands in the way." in capsys.readouterr().out
    monkeypatch.setenv("ROBUSTNLI_THREADS", "0")
    assert run(monkeypatch, "--quick") == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("problem") and " -> " in line for line in lines) == 1
    assert run(monkeypatch, "--quick", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["problems"] == 1 and {"check", "state", "text", "todo"} == set(told["findings"][0])
