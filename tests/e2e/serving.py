"""A running app for browser tests, and a page of it that notices requests to any other machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
TINY = {"ROBUSTNLI_CHECKPOINTS": str(ROOT / "tests" / "fixtures"), "ROBUSTNLI_ONLY_CHECKPOINTS": "1"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int, settings: Mapping[str, str], output: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """The app as a process that answers at that port of this machine, with exactly these environment variables. Whoever starts it, stops it."""
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", "127.0.0.1"],
        cwd=ROOT, env=settings, stdout=output, stderr=output,
    )  # fmt: skip
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    return app


@contextmanager
def serve(*, port: int = 0, **settings: str) -> Iterator[str]:
    """The app's address, on a free port or this one, with these environment variables and the tiny checkpoints."""
    port = port or free_port()
    app = start(port, os.environ | TINY | settings)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        try:
            app.wait(10)
        except subprocess.TimeoutExpired:
            app.kill()


@contextmanager
def opened(
    server: str, chromium: str, address: str, *, height: int, width: int = 1400, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Page]:
    """A page of the app at `address`; fails when it asked another machine for anything."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        outside: list[str] = []
        page.on(
            "request",
            lambda r: outside.append(r.url) if not r.url.startswith((server, server.replace("http", "ws"), "data:", "blob:")) else None,
        )
        refused: list[str] = []
        page.on(
            "console", lambda m: refused.append(m.text) if "Content Security Policy" in m.text and "report-only" not in m.text else None
        )
        page.goto(server + address)
        yield page
        browser.close()
        assert outside == [], "the page asked another machine"
        assert refused == [], "the page needs what its own headers refuse"
