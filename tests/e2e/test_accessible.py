"""Every page, wide and on a phone, light and dark: axe-core finds nothing serious, the console has no error, nothing scrolls sideways, there
is one title, and the same parts stand in the same order, none over another; and the main jobs by the keyboard alone.
"""

from __future__ import annotations

import difflib
import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.outline import PAGES, astray, kept, lines
from tests.e2e.serving import opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
SIZES = {"wide": (1400, 1200), "phone": (390, 800)}
# Streamlit's client asks a linked page's folder for two of its files before it asks the right place.
OWN_404 = re.compile(r"/_stcore/(health|host-config)")
SKIP = ("[data-testid=stHeader]", "[data-testid=stToolbar]", "[data-testid=stStatusWidget]")  # Streamlit's frame, which no page makes


def settled(page: Page, text: str) -> None:
    """The page's last part is there, and nothing runs any more."""
    expect(page.get_by_text(text).first).to_be_attached()
    expect(page.locator("[data-testid=stStatusWidget]")).to_have_count(0)
    page.wait_for_timeout(500)


def compared(page: Page, path: str, width: int) -> list[str]:
    """What of the page's outline is another than it was, and what lies askew; what is drawn late has a quarter of a minute."""
    wrong: list[str] = []
    for _ in range(30):
        wrong = list(difflib.unified_diff(kept(path), lines(page), lineterm="", n=1))[2:] + astray(page, width)
        if not wrong:
            break
        page.wait_for_timeout(500)
    return wrong


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical: rule and element."""
    found = Axe().run(page, context={"exclude": [[part] for part in SKIP]}).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found if rule["impact"] in ("serious", "critical") for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_serious_on_any_page(shipped_server: str, chromium: str, size: str, scheme: Literal["light", "dark"]) -> None:
    wrong: dict[str, list[str]] = {}
    width, height = SIZES[size]
    with opened(shipped_server, chromium, "/", height=height, width=width, scheme=scheme) as page:
        said: list[str] = []
        page.on("console", lambda m: said.append(m.text + m.location.get("url", "")) if m.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        for path, text in PAGES.items():
            page.goto(shipped_server + path)
            settled(page, text)
            wide = page.evaluate("() => { const m = document.querySelector('[data-testid=stMain]'); return m.scrollWidth - m.clientWidth }")
            titles = page.locator("[data-testid=stMain] h1").count()
            told = [line for line in said if not OWN_404.search(line)]
            outline = compared(page, path, width)
            if found := [
                *violations(page),
                *told,
                *([f"{titles} titles"] if titles != 1 else []),
                *([f"{wide} pixels too wide"] if wide > 1 else []),
            ]:
                wrong[path] = sorted(set(found))
            if outline:
                wrong[f"{path}, outline"] = outline
            said.clear()
    assert wrong == {}


def test_the_outline_tells_what_is_gone_and_what_lies_over_another(shipped_server: str, chromium: str) -> None:
    with opened(shipped_server, chromium, "/explore", height=1200) as page:
        settled(page, PAGES["/explore"])
        assert compared(page, "/explore", 1400) == []
        reset = page.get_by_role("button", name="Reset")
        title = page.get_by_role("heading", name="Flip lab").bounding_box()
        assert title
        reset.evaluate("(e, top) => { e.style.position = 'fixed'; e.style.top = `${top}px`; e.style.left = '-40px' }", title["y"] + 5)
        said = " | ".join(astray(page, 1400))
        assert "title Flip lab and button Reset lie on each other" in said and "button Reset: from -40" in said
        reset.evaluate("e => { e.style.visibility = 'hidden' }")
        assert set(kept("/explore")) - set(lines(page)) == {"button Reset"}


FOCUSED = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  return [e?.getAttribute('aria-label'), ...(e?.innerText ?? '').split('\\n'), ...[...(e?.labels ?? [])].map(label => label.innerText)];
}"""  # the names under which a person may know what has the focus


def tab_to(page: Page, name: str, most: int = 150) -> None:
    """Press Tab until what is called `name`, or begins so, has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate("() => document.activeElement.tagName")
        if at not in ("MAIN", "BODY") and any(line and line.strip().startswith(name) for line in page.evaluate(FOCUSED)):
            return
    raise AssertionError(f"{name!r} is not reached by {most} times Tab")


def test_a_flip_by_the_keyboard_alone(shipped_server: str, chromium: str) -> None:
    with opened(shipped_server, chromium, "/", height=1200) as page:
        settled(page, "Open Curate")
        tab_to(page, "Flip lab")
        page.keyboard.press("Enter")
        settled(page, "Mask map")
        tab_to(page, "Hypothesis")
        page.keyboard.press("Control+a")
        page.keyboard.type("The man performs nothing.", delay=10)
        expect(page.locator("button.chip", has_text="nothing").first).to_be_visible()
        tab_to(page, "nothing")
        page.keyboard.press("Space")
        expect(page.locator("button.chip", has_text="nothing").first).to_have_attribute("aria-pressed", "true")


def test_from_a_pie_to_the_examples_by_the_keyboard_alone(shipped_server: str, chromium: str) -> None:
    with opened(shipped_server, chromium, "/errors", height=1200) as page:
        settled(page, "Fixed")
        before = page.url
        tab_to(page, "fixed ")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: url != before)
        expect(page.locator("button.line[aria-pressed=true]").first).to_contain_text("fixed")


@pytest.mark.parametrize(
    ("path", "ready", "name"), [("/attacks", "Recipes", "Attacks"), ("/curate", "Export", "Curate"), ("/method", "Glossary", "Method")]
)
def test_every_other_page_is_reached_and_left_by_the_keyboard(shipped_server: str, chromium: str, path: str, ready: str, name: str) -> None:
    with opened(shipped_server, chromium, path, height=1200) as page:
        settled(page, ready)
        tab_to(page, name)
        page.keyboard.press("Enter")
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
        tab_to(page, "Home")
        page.keyboard.press("Enter")
        settled(page, "Open Curate")
