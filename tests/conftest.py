"""Fixtures shared by all tests, and the one place that says what a machine must have for which test."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # `make test` runs a process of tests a core

REPOSITORY = Path(__file__).resolve().parent.parent
FIXTURES = REPOSITORY / "tests" / "fixtures"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real NLI data, which never enters the repository."""
    folder = Path(os.environ.get("ROBUSTNLI_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set ROBUSTNLI_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; required where ROBUSTNLI_REQUIRE_BROWSER is set (CI)."""
    path = shutil.which("chromium")
    if path is None and os.environ.get("ROBUSTNLI_REQUIRE_BROWSER"):
        pytest.fail("chromium is not installed, and ROBUSTNLI_REQUIRE_BROWSER forbids skipping the browser tests")
    if path is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def tiny_baseline() -> Path:
    return FIXTURES / "tiny-baseline"


@pytest.fixture(scope="session")
def tiny_finetuned() -> Path:
    return FIXTURES / "tiny-finetuned"


@pytest.fixture(scope="session")
def shipped() -> Path:
    folder = REPOSITORY / "cache" / "checkpoints"
    if not (folder / "baseline" / "model.safetensors").is_file():
        pytest.skip(f"no shipped checkpoints in {folder}")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database that goes with the test: a file, or a schema of the server that ROBUSTNLI_TEST_POSTGRES names."""
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'curated.db'}"
        return
    server = os.environ.get("ROBUSTNLI_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL server at hand: ROBUSTNLI_TEST_POSTGRES names a database of one (see .ci/run)")
    import psycopg

    schema = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def only_tiny(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkpoints of the environment are the tiny ones, and no others."""
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(FIXTURES))
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    return FIXTURES
