"""Makes the pictures of the documents again, one a job, by driving the app as a reader would: the shipped checkpoints, our own sentences.

    python docs/images/make.py            # needs Chromium at /usr/bin/chromium, or where CHROMIUM says

A server of its own on an empty data folder; about two minutes. Each picture has a palette of 128 colours and stays below 150 kB.
"""

from __future__ import annotations

import os
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.e2e.serving import serve  # noqa: E402

PICTURES = Path(__file__).parent
PAIR = {"p": "A man is playing a guitar on a stage.", "h": "The man performs music.", "gold": "entailment", "a": "baseline", "b": "robust"}
MOST = 150_000  # bytes


def flip_lab(page: Page, url: str) -> None:
    """The tutorial's first flip: "man" masked, baseline against robust."""
    page.goto(f"{url}/explore?{urlencode(PAIR)}")
    page.get_by_text("Mask map").first.wait_for()
    page.locator("button.chip", has_text="man").nth(1).click()
    page.get_by_text("FLIP", exact=True).first.wait_for()
    page.get_by_text("masked alone").wait_for()
    take(page, "flip-lab", 1060)


def errors(page: Page, url: str) -> None:
    """The pies of the challenge suite, baseline against robust, and the rows that robust broke."""
    page.goto(f"{url}/errors?{urlencode({'older': 'baseline', 'newer': 'robust', 'slice': 'negation', 'outcome': 'introduced'})}")
    page.get_by_text("rows that changed").first.wait_for()
    page.get_by_text("Slice, outcome, gold label").wait_for()
    page.locator(".js-plotly-plot .slice").first.wait_for()
    take(page, "errors", 1080, 1440)


def curate(page: Page, url: str) -> None:
    """The review of a ready example."""
    page.goto(f"{url}/curate")
    page.get_by_role("button", name="ready examples").click()
    page.get_by_text("0 of 8").wait_for()
    page.get_by_text("Nobody has judged this entry yet.").wait_for()
    page.get_by_text("8 examples added.").wait_for(state="hidden")
    take(page, "curate", 790)


def take(page: Page, name: str, height: int, width: int = 1200) -> None:
    """The top of the page as a small PNG."""
    page.set_viewport_size({"width": width, "height": height})
    page.mouse.move(5, height - 5)
    page.wait_for_timeout(3000)
    shot = Image.open(BytesIO(page.screenshot(timeout=120_000))).convert("RGB")
    file = PICTURES / f"{name}.png"
    shot.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
    assert file.stat().st_size < MOST, f"{file.name} has {file.stat().st_size:,} bytes"


def main() -> None:
    """Start the app, drive it, write the pictures."""
    with TemporaryDirectory() as home, serve(
        ROBUSTNLI_HOME=home, ROBUSTNLI_CHECKPOINTS=str(ROOT / "cache" / "checkpoints"), ROBUSTNLI_RUNS=str(ROOT / "cache" / "runs"),
        ROBUSTNLI_ONLY_RUNS="1", ROBUSTNLI_SNLI="", USER="ann", LOGNAME="ann",
    ) as url, sync_playwright() as playwright:  # fmt: skip
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
        for draw in (flip_lab, errors, curate):
            page = browser.new_page(viewport={"width": 1200, "height": 1200}, color_scheme="light")
            page.set_default_timeout(120_000)
            draw(page, url)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
