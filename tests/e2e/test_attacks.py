"""A real browser on the attacks page: a recipe, its cards, a click on a point, an attack of one's own run and cancelled, the Flip lab."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from robustnli.models import load
from robustnli.pipeline import gallery
from tests.conftest import FIXTURES
from tests.e2e.serving import opened, serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SLOW = 150_000  # milliseconds: the charts' library is large, and a busy machine takes its time to load it


def pairs(n: int) -> list[dict[str, str]]:
    lines = (FIXTURES / "tiny_test.jsonl").read_text().splitlines()
    return [{key: row[key] for key in ("premise", "hypothesis", "label")} for row in map(json.loads, lines[:n])]


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two recipes finished on 60 pairs, by the tiny models. The server's first visitor comes by a link to the attacks page."""
    root = tmp_path_factory.mktemp("attacks")
    rows = [(r["premise"], r["hypothesis"], r["label"]) for r in pairs(60)]
    models = {name: load(str(FIXTURES / name)) for name in ("tiny-baseline", "tiny-finetuned")}
    for recipe in ("mask", "hypothesis-only"):
        gallery.make(root / "made" / recipe, gallery.task(recipe, "Made pairs", k=3, rows=rows), models)
    with serve(ROBUSTNLI_ATTACKS=str(root / "made"), ROBUSTNLI_ONLY_ATTACKS="0", ROBUSTNLI_HOME=str(root / "home")) as url:
        yield url


@pytest.fixture
def page(server: str, chromium: str) -> Iterator[Page]:
    with opened(server, chromium, "/attacks?data=Made+pairs", height=2600) as page:
        page.set_default_timeout(SLOW)
        expect.set_options(timeout=SLOW)
        expect(page.get_by_text("All 120 attacks")).to_be_visible()
        yield page


def choose(page: Page, label: str, option: str) -> None:
    """Open the list and click; again where a run under way drew the box anew and closed it."""
    for patience in (5_000, 10_000, 20_000, SLOW):
        page.get_by_role("combobox", name=label).click()
        try:
            page.get_by_role("option", name=option).click(timeout=patience)
            return
        except TimeoutError:
            page.keyboard.press("Escape")
    raise AssertionError(f"{label}: no {option} on offer")


def test_a_recipe_is_chosen_and_its_cards_show_the_change(page: Page) -> None:
    page.locator(".stPlotlyChart .main-svg").nth(1).wait_for()
    expect(page.locator("del")).not_to_have_count(0)
    assert set(page.locator("ins").all_text_contents()) <= {"[MASK]", "[MASK] [MASK]", "[MASK] [MASK] [MASK]"}
    choose(page, "Recipe", "hypothesis-only")
    page.wait_for_url(re.compile("recipe=hypothesis-only"))
    expect(page.get_by_text("Poliak").first).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Gradient-ranked").first).to_be_visible()
    page.get_by_role("radio", name="Table").click()
    page.wait_for_url(re.compile("as=table"))
    page.reload()
    expect(page.get_by_text("Choose a row's box").first).to_be_visible()


def test_a_click_on_a_point_shows_its_rows_and_can_be_taken_back(page: Page) -> None:
    page.get_by_role("radio", name="Where it works").click()
    chart = page.locator("[class*='st-key-attacks-c-gold']")
    point = chart.locator(".scatterlayer .trace").first.locator("path.point").first
    point.wait_for()
    box = point.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)  # plotly notices the pointer before it takes a click
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("gold=entailment"))
    expect(page.get_by_role("button", name="gold: entailment")).to_be_visible()
    expect(page.get_by_role("button", name="attack on: tiny-baseline")).to_be_visible()
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_text("All 120 attacks")).to_be_visible()


def test_a_row_opens_in_the_flip_lab_with_its_words_masked(page: Page) -> None:
    word = page.locator("del").first.text_content()
    page.get_by_role("button", name="Open in Flip lab").first.click()
    expect(page.get_by_text("FLIP").first).to_be_visible()
    page.wait_for_url(re.compile("m=h"))
    assert word
    expect(page.get_by_role("textbox", name="Hypothesis")).to_have_value(re.compile(rf"\b{re.escape(word)}\b"))
    page.get_by_role("link", name="Attacks").click()
    expect(page.get_by_text("All 120 attacks")).to_be_visible()


@pytest.mark.slow
def test_an_attack_of_ones_own_is_run_cancelled_and_run_again(page: Page, tmp_path: Path) -> None:
    (tmp_path / "long.jsonl").write_text(
        "\n".join(json.dumps(row | {"premise": f"{row['premise']} {i}."}) for i in range(40) for row in pairs(300))
    )
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, pairs(20))))
    page.get_by_text("Run an attack of your own").click()
    choose(page, "Data to attack", "A file of your own")
    page.locator("input[type=file]").set_input_files(tmp_path / "long.jsonl")
    expect(page.get_by_text("12,000 labelled pairs in long.jsonl")).to_be_visible()
    most = page.get_by_role("spinbutton", name="Pairs at most")
    most.fill("12000")
    most.press("Enter")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(re.compile("mask on long.jsonl: attacking, [1-9]"))).to_be_visible()
    page.get_by_role("link", name="Flip lab").click()  # it goes on while nobody looks
    expect(page.get_by_text("Mask map")).to_be_visible()
    page.get_by_role("link", name="Attacks").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("was cancelled; nothing of it is left")).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("was cancelled")).to_have_count(0)
    again = page.get_by_text("Run an attack of your own")
    expect(again).to_have_count(1)  # what moved up stands twice until the run has ended
    again.click()
    choose(page, "Data to attack", "A file of your own")
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.jsonl")
    expect(page.get_by_text("20 labelled pairs in mine.jsonl")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_text("All 40 attacks")).to_be_visible()
    expect(page).to_have_url(re.compile("data=mine.jsonl"))


@pytest.mark.parametrize("width", [390])
def test_nothing_is_wider_than_a_phone(server: str, chromium: str, width: int) -> None:
    with opened(server, chromium, "/attacks?data=Made+pairs", height=900) as page:
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.get_by_text("All 120 attacks")).to_be_visible()
        page.locator(".stPlotlyChart .main-svg").first.wait_for()
        for view in ("The rows", "Where it works", "Words that carry the model", "All recipes"):
            page.get_by_role("radio", name=view).click()
            page.wait_for_timeout(1500)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, view
