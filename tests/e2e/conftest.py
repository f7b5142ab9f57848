"""The app with the shipped checkpoints, for browser tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.serving import serve


@pytest.fixture(scope="module")
def shipped_server(chromium: str, shipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = str(tmp_path_factory.mktemp("home"))
    with serve(ROBUSTNLI_HOME=home, ROBUSTNLI_CHECKPOINTS=str(shipped), ROBUSTNLI_ONLY_CHECKPOINTS="1") as url:
        yield url
