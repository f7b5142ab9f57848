"""A real browser: type a pair, click a word, see the flip; keyboard; the address; hostile text."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.serving import opened, serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(chromium: str) -> Iterator[str]:
    with serve() as url:
        yield url


@pytest.fixture
def page(server: str, chromium: str) -> Iterator[Page]:
    with opened(server, chromium, "/explore", height=1800) as page:
        expect(page.get_by_text("Mask map")).to_be_visible()
        yield page


def type_pair(page: Page, premise: str, hypothesis: str) -> None:
    for name, text in (("Premise", premise), ("Hypothesis", hypothesis)):
        field = page.get_by_role("textbox", name=name)
        field.fill("")
        field.press_sequentially(text, delay=5)
        expect(field).to_have_value(text)


def chip(page: Page, word: str):  # type: ignore[no-untyped-def]
    return page.locator("button.chip", has_text=word).first


def test_type_click_flip_keyboard_undo_reload(page: Page) -> None:
    type_pair(page, "A cat is sitting.", "A cat is swimming.")
    expect(chip(page, "swimming")).to_be_visible()
    expect(page.get_by_text("FLIP", exact=True)).to_have_count(0)
    chip(page, "swimming").click()
    expect(chip(page, "swimming")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("FLIP", exact=True).first).to_be_visible()
    chip(page, "sitting").focus()
    page.keyboard.press("Space")
    expect(chip(page, "sitting")).to_have_attribute("aria-pressed", "true")
    page.wait_for_url("**m=h4-p4**")
    page.get_by_role("button", name="Undo").click()
    expect(chip(page, "sitting")).to_have_attribute("aria-pressed", "false")
    page.wait_for_url(lambda url: url.endswith("m=h4"))
    page.reload()
    expect(chip(page, "swimming")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("FLIP", exact=True).first).to_be_visible()
    expect(page.get_by_role("textbox", name="Hypothesis")).to_have_value("A cat is swimming.")


def test_results_follow_the_keys_without_enter(page: Page) -> None:
    field = page.get_by_role("textbox", name="Hypothesis")
    field.fill("A dog is resting")
    begun = time.perf_counter()
    expect(chip(page, "resting")).to_be_visible()
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
    type_pair(page, "A cat is sitting.", "A cat is swimming.")
    expect(chip(page, "swimming")).to_be_visible()
    page.wait_for_url("**swimming**")
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
