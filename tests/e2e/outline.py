"""A page's outline: what is on the screen, in order, as lines to compare; and what of it lies where it should not.

`python -m tests.e2e.outline` writes the outlines of all pages anew, to be read before they are committed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.serving import ROOT, opened, serve

FOLDER = Path(__file__).with_name("structure")
# The part of the address, and a text that comes with the page's last part.
PAGES = {
    "/": "Open Curate",
    "/explore": "Mask map",
    "/errors": "Fixed",
    "/attacks": "Recipes",
    "/curate": "Export",
    "/method": "Glossary",
}

# What each line is made of. Chips, lines of lists and cells are content; they change with the models.
_PARTS = """() => {
  const kinds = [
    ['title', 'h1'], ['heading', 'h2, h3, h4, h5'], ['text box', 'input[type=text], textarea'], ['number', 'input[type=number]'],
    ['choice', '[data-testid=stSelectbox], [data-testid=stMultiSelect]'], ['one of', '[role=radiogroup]'], ['check', 'input[type=checkbox]'],
    ['slider', '[role=slider]'], ['file', '[data-testid=stFileUploader]'], ['tab', '[role=tab]'], ['fold', 'summary'],
    ['button', '[data-testid^=stBaseButton]'], ['link', '[data-testid=stPageLink-NavLink]'], ['table', '[data-testid=stDataFrame]'],
    ['chart', '.js-plotly-plot'],
  ];
  const main = document.querySelector('[data-testid=stMain]');
  const kindOf = e => kinds.find(([, selector]) => e.matches(selector))?.[0];
  const plain = e => {  // without icons, whose names are the letters of their font
    const copy = e.cloneNode(true);
    copy.querySelectorAll('[data-testid=stIconMaterial], [role=img]').forEach(icon => icon.remove());
    return copy.textContent.replace(/\\s+/g, ' ').trim();
  };
  const own = e => e.getAttribute('aria-label') || [e.querySelector('[data-testid=stWidgetLabel]'), e.labels?.[0], e].map(o => o ? plain(o) : '').find(Boolean) || '';
  const found = [];
  for (const e of main.querySelectorAll(kinds.map(([, s]) => s).join(','))) {
    const kind = kindOf(e);
    const inner = e.parentElement.closest('[data-testid=stSelectbox], [data-testid=stMultiSelect], [data-testid=stFileUploader], [data-testid=stDataFrame], .js-plotly-plot');
    if (inner && main.contains(inner)) continue;
    const box = e.getBoundingClientRect();
    const seen = e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && box.width > 0 && box.height > 0;
    if (!seen && kind !== 'check') continue;
    const name = ['table', 'chart'].includes(kind) ? '' : own(e);
    if (kind === 'heading' && !name) continue;
    found.push([`${kind} ${name}`.trim(), seen ? [box.left, box.top, box.right, box.bottom] : null]);
  }
  return found;
}"""


def parts(page: Page) -> list[tuple[str, list[float] | None]]:
    """Each part in the order of the page: its line, and left, top, right, bottom in pixels of the window; None: drawn by something else."""
    return [(line, box) for line, box in page.evaluate(_PARTS)]


def lines(page: Page) -> list[str]:
    """The lines of `parts`."""
    return [line for line, _ in parts(page)]


def kept(path: str) -> list[str]:
    """The outline of a page as it was last looked at."""
    return _file(path).read_text(encoding="utf-8").splitlines()


def astray(page: Page, width: int) -> list[str]:
    """Parts that reach over an edge of the window, and pairs of which one lies on the other."""
    boxes = [(line, box) for line, box in parts(page) if box]
    out = [f"{line}: from {box[0]:.0f} to {box[2]:.0f} of {width}" for line, box in boxes if box[0] < -1 or box[2] > width + 1]
    for i, (line, a) in enumerate(boxes):
        for other, b in boxes[i + 1 :]:
            over = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            if min(over) > 4 and not (_inside(a, b) or _inside(b, a)):
                out.append(f"{line} and {other} lie on each other by {over[0]:.0f} x {over[1]:.0f}")
    return out


def _inside(a: list[float], b: list[float]) -> bool:
    return a[0] >= b[0] - 1 and a[1] >= b[1] - 1 and a[2] <= b[2] + 1 and a[3] <= b[3] + 1


def _file(path: str) -> Path:
    return FOLDER / f"{path.strip('/') or 'home'}.txt"


def main() -> None:
    """Write the outlines of all pages as they are now, wide and light."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    with (
        tempfile.TemporaryDirectory() as home,
        serve(ROBUSTNLI_HOME=home, ROBUSTNLI_CHECKPOINTS=str(ROOT / "cache" / "checkpoints"), ROBUSTNLI_ONLY_CHECKPOINTS="1") as url,
        opened(url, chromium, "/", height=1200) as page,
    ):
        for path, text in PAGES.items():
            page.goto(url + path)
            page.get_by_text(text).first.wait_for(state="attached")
            page.wait_for_timeout(8000)
            _file(path).write_text("\n".join(lines(page)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
