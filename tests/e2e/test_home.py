"""The home page in a real browser: the example flips at one click, an old address opens the Flip lab, and a phone reads it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.serving import opened

pytestmark = pytest.mark.browser


def test_the_example_flips_at_one_click_and_back_comes_home(shipped_server: str, chromium: str) -> None:
    with opened(shipped_server, chromium, "/", height=1200) as page:
        expect(page.get_by_text("Open Curate")).to_be_visible()
        page.get_by_role("button", name="and watch it flip").click()
        expect(page.get_by_text("FLIP", exact=True).first).to_be_visible()
        page.wait_for_url("**/explore?**m=h**")
        page.get_by_role("link", name="Home").first.click()
        expect(page.get_by_role("heading", name="robustnli")).to_be_visible()
        page.get_by_role("link", name="Open Errors").click()
        page.wait_for_url("**/errors**")
        expect(page.locator("svg.pie path").first).to_be_visible()


def test_an_old_address_opens_the_flip_lab(shipped_server: str, chromium: str) -> None:
    with opened(shipped_server, chromium, "/?p=A+baker+sells+bread.&h=A+baker+sells+rolls.&m=h4", height=1200) as page:
        expect(page.get_by_role("textbox", name="Hypothesis")).to_have_value("A baker sells rolls.")
        expect(page.locator("button.chip", has_text="rolls").first).to_have_attribute("aria-pressed", "true")
        page.wait_for_url("**/explore?**m=h4**")


def test_a_phone_reads_it_without_scrolling_sideways(shipped_server: str, chromium: str) -> None:
    with opened(shipped_server, chromium, "/", height=800) as page:
        page.set_viewport_size({"width": 390, "height": 800})
        expect(page.get_by_text("Open Curate")).to_be_visible()
        wide = page.evaluate("() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }")
        assert wide <= 1


def test_a_question_mark_lists_the_keys_but_not_while_typing(shipped_server: str, chromium: str) -> None:
    with opened(shipped_server, chromium, "/explore", height=1200) as page:
        field = page.get_by_role("textbox", name="Hypothesis")
        expect(field).to_be_visible()
        expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
        field.press("End")
        field.press("?")
        expect(field).to_have_value("The man performs music.?")
        keys = page.get_by_role("dialog", name="Keyboard shortcuts")
        expect(keys).to_have_count(0)
        page.get_by_role("heading", name="Flip lab").click()
        page.keyboard.press("?")
        expect(keys.get_by_text("mask the word, or take the mask away")).to_be_visible()
        page.keyboard.press("Escape")
        expect(keys).to_have_count(0)
        page.get_by_role("link", name="Curate").first.click()
        expect(page.get_by_role("heading", name="Curate").first).to_be_visible()
        page.get_by_role("button", name="Keyboard shortcuts").click()
        expect(keys.get_by_role("heading").nth(1)).to_have_text("Curate")
