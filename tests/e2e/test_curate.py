"""A real browser, the whole loop: type, flip, keep, confirm with a key, export; elsewhere import, fine-tune, compare. And read-only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from robustnli.examples import STARTERS
from tests.e2e.serving import TINY, opened, serve

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


def settings(home: Path) -> dict[str, str]:
    """A server on this data folder, whose own checkpoints and runs are seen beside the tiny ones and nothing else."""
    roots = os.pathsep.join((TINY["ROBUSTNLI_CHECKPOINTS"], str(home / "checkpoints")))
    return {"ROBUSTNLI_HOME": str(home), "ROBUSTNLI_CHECKPOINTS": roots, "ROBUSTNLI_RUNS": str(home / "runs"), "ROBUSTNLI_ONLY_RUNS": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("curate")


@pytest.fixture(scope="module")
def server(chromium: str, home: Path) -> Iterator[str]:
    with serve(**settings(home)) as url:
        yield url


@contextmanager
def visited(server: str, chromium: str, address: str, *, height: int = 1400) -> Iterator[Page]:
    """A page that is waited for longer than usual: a training may go on beside it."""
    with opened(server, chromium, address, height=height) as page:
        page.set_default_timeout(180_000)
        expect.set_options(timeout=180_000)
        yield page
    expect.set_options(timeout=60_000)


def press(page: Page, key: str) -> None:
    """Press a key once the buttons that know it are there."""
    expect(page.get_by_role("button", name=re.compile("^Unsure"))).to_be_visible()
    page.keyboard.press(key)


def part(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click()


def test_type_flip_keep_confirm_export_and_elsewhere_import_fine_tune_compare(
    server: str, chromium: str, tmp_path: Path, home: Path
) -> None:
    file = tmp_path / "mine.zip"
    with visited(server, chromium, "/?p=A+cat+is+sitting.&h=A+cat+sleeps.&gold=contradiction", height=1800) as page:
        expect(page.get_by_text("Mask map")).to_be_visible()
        field = page.get_by_role("textbox", name="Hypothesis")
        field.fill("")
        field.press_sequentially("A cat is swimming.", delay=5)
        expect(field).to_have_value("A cat is swimming.")
        page.locator("button.chip", has_text="swimming").first.click()
        expect(page.get_by_text("FLIP", exact=True).first).to_be_visible()
        page.get_by_role("button", name="Keep this flip").click()
        expect(page.get_by_text("Kept.")).to_be_visible()
        page.get_by_role("button", name="Review it").click()
        expect(page.locator("ins")).to_have_text("[MASK] [MASK]")
        expect(page.get_by_text("0 of 1")).to_be_visible()
        press(page, "a")
        expect(page.get_by_text("1 of 1")).to_be_visible()
        part(page, "Export")
        with page.expect_download() as download:
            page.get_by_role("button", name="Download 1 example").click()
        download.value.save_as(file)
    elsewhere = tmp_path / "elsewhere"
    with serve(**settings(elsewhere)) as other, visited(other, chromium, "/curate?view=import") as page:
        page.locator("input[type=file]").first.set_input_files(file)
        page.get_by_role("button", name=re.compile("^Import 1 example")).click()
        expect(page.get_by_text("Choose rows by their boxes")).to_be_visible()
        part(page, "Repair")
        page.get_by_role("button", name="Fine-tune on 1 example").click()
        expect(page.get_by_text(re.compile("of 1 examples? learned")).first).to_be_visible(timeout=400_000)
        page.get_by_role("button", name="Try it in the Flip lab").click()
        expect(page.get_by_text("Mask map")).to_be_visible()
        page.wait_for_url(re.compile("b=tiny-baseline-repaired"))
        page.goto(f"{other}/curate?view=repair")
        page.get_by_role("button", name=re.compile("error explorer")).click()
        expect(page.get_by_role("heading", name="Error explorer")).to_be_visible()
        expect(page.get_by_text("fixed against").first).to_be_visible()
    assert (elsewhere / "checkpoints" / "tiny-baseline-repaired" / "model.safetensors").is_file()
    with serve(**settings(home), ROBUSTNLI_READONLY="1") as demo, visited(demo, chromium, "/curate") as page:
        expect(page.get_by_text("Read-only").first).to_be_visible()
        expect(page.locator("ins")).to_have_text("[MASK] [MASK]")
        for name in (re.compile("^Still contradiction"), re.compile("^Reject"), re.compile("^Undo")):
            expect(page.get_by_role("button", name=name)).to_be_disabled()
        press(page, "x")
        part(page, "Table")
        part(page, "Review")
        expect(page.get_by_text("label kept: contradiction")).to_be_visible()


def test_keys_judge_letters_in_a_field_do_not_and_reload_and_back_lose_nothing(server: str, chromium: str) -> None:
    with visited(server, chromium, "/curate?view=import") as page:
        page.get_by_text("A file of examples").wait_for()
        rows = "".join(f"Case {n} is a case.,A case is case {n}.,neutral\n" for n in range(4))
        page.locator("input[type=file]").first.set_input_files(
            {"name": "pairs.csv", "mimeType": "text/csv", "buffer": f"premise,hypothesis,label\n{rows}".encode()}
        )
        page.get_by_role("button", name=re.compile("^Import 4 examples")).click()
        expect(page.get_by_text("Choose rows by their boxes")).to_be_visible()
        page.goto(f"{server}/curate?recipe=imported")
        expect(page.get_by_text("0 of 4")).to_be_visible()
        page.wait_for_url("**id=*")
        first = page.url
        note = page.get_by_placeholder(re.compile("A note with your verdict"))
        note.press_sequentially("auxnpz 123")
        note.press("Enter")
        page.wait_for_timeout(500)
        expect(page.get_by_text("0 of 4")).to_be_visible()
        page.locator("h1").click()
        press(page, "2")
        expect(page.get_by_text("1 of 4")).to_be_visible()
        expect(page.get_by_text("Entry 2 of 4")).to_be_visible()
        page.wait_for_function("first => location.href != first", arg=first)
        at = page.url
        press(page, "u")
        expect(page.get_by_text("Entry 3 of 4")).to_be_visible()
        page.wait_for_function("second => location.href != second", arg=at)
        page.go_back()
        expect(page.get_by_text("Entry 2 of 4")).to_be_visible()
        press(page, "p")
        expect(page.get_by_text("Entry 1 of 4")).to_be_visible()
        expect(page.get_by_text("auxnpz 123", exact=True)).to_be_visible()
        page.wait_for_url(first)
        page.reload()
        expect(page.get_by_text("Entry 1 of 4")).to_be_visible()
        expect(page.get_by_text("2 of 4 judged")).to_be_visible()
        press(page, "z")
        expect(page.get_by_text("1 of 4 judged")).to_be_visible()


def test_a_name_is_kept_by_the_browser_and_a_second_reader_is_blind(chromium: str, tmp_path: Path) -> None:
    with serve(**settings(tmp_path)) as server, visited(server, chromium, "/curate") as page:
        page.get_by_role("button", name=f"Add {len(STARTERS)} ready examples").click()
        expect(page.get_by_text(f"0 of {len(STARTERS)}")).to_be_visible()
        press(page, "a")
        expect(page.get_by_text(f"1 of {len(STARTERS)}")).to_be_visible()
        page.locator("[data-testid=stPopover] button", has_text="person").first.click()
        field = page.get_by_role("textbox", name="Your name")
        field.fill("Bob")
        field.press("Enter")
        expect(page.get_by_text(f"0 of {len(STARTERS)}")).to_be_visible()
        page.wait_for_function("document.cookie.includes('robustnli_name=Bob')")
        page.goto(f"{server}/curate")
        expect(page.locator("[data-testid=stPopover] button", has_text="Bob")).to_be_visible()
        expect(page.get_by_text("Another reader has judged this")).to_be_visible()
        expect(page.get_by_text("label kept")).to_have_count(0)
        press(page, "u")
        expect(page.get_by_text(f"1 of {len(STARTERS)} judged")).to_be_visible()
        press(page, "p")
        expect(page.get_by_text("2 readers disagree")).to_be_visible()
