"""A real browser: type a pair, click a word, see the flip; keyboard; the address; hostile text."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(chromium: str) -> Iterator[str]:
    """The app on a free port, on the tiny checkpoints."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {"ROBUSTNLI_CHECKPOINTS": str(ROOT / "tests" / "fixtures"), "ROBUSTNLI_ONLY_CHECKPOINTS": "1"}
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address", "127.0.0.1"],
        cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
            break
        except OSError:
            time.sleep(0.1)
    yield url
    app.terminate()
    app.wait(10)


@pytest.fixture
def page(server: str, chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1800})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        outside: list[str] = []
        page.on(
            "request",
            lambda r: outside.append(r.url) if not r.url.startswith((server, server.replace("http", "ws"), "data:", "blob:")) else None,
        )
        page.goto(server)
        expect(page.get_by_text("Mask map")).to_be_visible()
        yield page
        browser.close()
        assert outside == [], "the page asked another machine"


def type_pair(page: Page, premise: str, hypothesis: str) -> None:
    for name, text in (("Premise", premise), ("Hypothesis", hypothesis)):
        field = page.get_by_role("textbox", name=name)
        field.fill("")
        field.press_sequentially(text, delay=5)
        expect(field).to_have_value(text)


def chip(page: Page, word: str):  # type: ignore[no-untyped-def]
    return page.locator("button.chip", has_text=word).first


def test_type_click_flip_keyboard_undo_reload(page: Page) -> None:
    type_pair(page, "A cat is sitting.", "A cat is running.")
    expect(chip(page, "running")).to_be_visible()
    expect(page.get_by_text("FLIP", exact=True)).to_have_count(0)
    chip(page, "running").click()
    expect(chip(page, "running")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("FLIP", exact=True).first).to_be_visible()
    chip(page, "sitting").focus()
    page.keyboard.press("Space")
    expect(chip(page, "sitting")).to_have_attribute("aria-pressed", "true")
    page.wait_for_url("**m=h4-p4**")
    page.get_by_role("button", name="Undo").click()
    expect(chip(page, "sitting")).to_have_attribute("aria-pressed", "false")
    page.wait_for_url(lambda url: url.endswith("m=h4"))
    page.reload()
    expect(chip(page, "running")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("FLIP", exact=True).first).to_be_visible()
    expect(page.get_by_role("textbox", name="Hypothesis")).to_have_value("A cat is running.")


def test_results_follow_the_keys_without_enter(page: Page) -> None:
    field = page.get_by_role("textbox", name="Hypothesis")
    field.fill("A dog is sleeping")
    begun = time.perf_counter()
    expect(chip(page, "sleeping")).to_be_visible()
    assert time.perf_counter() - begun < 10


def test_hostile_text_stays_text(page: Page) -> None:
    page.evaluate("window.hit = 0")
    attack = "<img src=x onerror=window.hit=1> **bold** [link](http://x.invalid) :red[r]"
    type_pair(page, attack, "A cat <script>window.hit=1</script>")
    expect(chip(page, "onerror")).to_be_visible()
    chip(page, "bold").click()
    expect(chip(page, "bold")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("window.hit") == 0
    assert page.locator("main img[src='x'], a[href*='x.invalid']").count() == 0


def test_quick_clicks_are_all_kept(page: Page) -> None:
    type_pair(page, "A cat is sitting.", "A cat is running.")
    expect(chip(page, "running")).to_be_visible()
    page.wait_for_url("**running**")
    for number in (1, 2, 3, 4):
        page.locator(f"button.chip[data-id=h{number}]").first.click(delay=0, no_wait_after=True)
        page.wait_for_timeout(60)
    page.wait_for_url("**m=h1-h2-h3-h4**")
    for number in (1, 2, 3, 4):
        expect(page.locator(f"button.chip[data-id=h{number}]").last).to_have_attribute("aria-pressed", "true")


def test_punctuation_and_the_scale_are_shown(page: Page) -> None:
    type_pair(page, "A cat, [SEP] sits.", "A cat!")
    expect(page.locator(".plain", has_text="[").first).to_be_visible()
    expect(page.locator(".legend span").first).to_be_visible()
