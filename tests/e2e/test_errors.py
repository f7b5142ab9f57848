"""A real browser in the error explorer: a click on a wedge or a cell filters the rows; the address; back; a row opens in the Flip lab."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.serving import opened, serve
from tests.made import make_all

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """On a made-up run. The server's first visitor comes by a link to the error explorer."""
    runs, text = make_all(tmp_path_factory.mktemp("e2e"), 300, 240)
    made = {"ROBUSTNLI_RUNS": str(runs), "ROBUSTNLI_ONLY_RUNS": "1", "ROBUSTNLI_SNLI": str(text), "ROBUSTNLI_HOME": str(runs / "none")}
    with serve(**made) as url:
        yield url


@pytest.fixture
def page(server: str, chromium: str) -> Iterator[Page]:
    with opened(server, chromium, "/errors?run=made", height=2400) as page:
        expect(page.get_by_text("All 240 rows")).to_be_visible()
        yield page


def chip(page: Page, text: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("button", name=text)


def test_a_wedge_filters_the_rows_and_back_takes_it_away(page: Page) -> None:
    expect(page.get_by_role("navigation", name="App pages")).to_contain_text("Flip lab")
    wedge = page.locator(".sunburstlayer .slice", has_text="fixed").first
    wedge.locator("path").first.click()
    expect(chip(page, "outcome: fixed")).to_be_visible()
    page.wait_for_url(re.compile(r"slice=\w+&outcome=fixed|outcome=fixed&slice=\w+"))
    told = page.get_by_text(re.compile(r"^\d+ of 240 rows$"))
    count = int((told.text_content() or "").split()[0])
    assert 0 < count < 240
    badges = page.locator("[data-testid=stHtml] span", has_text=re.compile("^(fixed|introduced|remaining|still right)$"))
    expect(badges).to_have_count(min(10, count))
    assert set(badges.all_text_contents()) == {"fixed"}
    chip(page, "outcome: fixed").click()
    expect(chip(page, "outcome: fixed")).to_have_count(0)
    page.go_back()
    expect(chip(page, "outcome: fixed")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("All 240 rows")).to_be_visible()
    page.go_forward()
    expect(chip(page, "outcome: fixed")).to_be_visible()
    page.reload()
    expect(chip(page, "outcome: fixed")).to_be_visible()


def test_a_table_cell_filters_the_rows(page: Page) -> None:
    grid = page.locator("[class*='st-key-errors-c-slices'] canvas").first
    grid.wait_for()
    page.wait_for_timeout(1500)  # the grid draws on a canvas: nothing in the page tells when it is done
    box = grid.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 190, box["y"] + 35 + 35 + 17)  # second row (negation), third column (fixed)
    expect(chip(page, "slice: negation")).to_be_visible()
    expect(page).to_have_url(re.compile("slice=negation"))


def test_a_row_opens_in_the_flip_lab_and_back_returns(page: Page) -> None:
    page.get_by_role("button", name="Open in Flip lab").first.click()
    expect(page.get_by_text("Mask map")).to_be_visible()
    hypothesis = page.get_by_role("textbox", name="Hypothesis")
    expect(hypothesis).to_have_value(re.compile(r"(fence|sleep|late|coins|sings|tram)\.$"))
    page.wait_for_url(re.compile("p=.*gold="))
    page.get_by_role("link", name="Errors").click()
    expect(page.get_by_text("All 240 rows")).to_be_visible()
    page.get_by_role("link", name="Flip lab").click()
    expect(hypothesis).to_have_value(re.compile(r"(fence|sleep|late|coins|sings|tram)\.$"))
