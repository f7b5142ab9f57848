"""The documentation site: its pages and its nav agree, its links lead somewhere in it, what is made from code is what the code makes now."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def script(path: str) -> ModuleType:
    """A script of docs/, imported from its file."""
    spec = importlib.util.spec_from_file_location(f"docs_{Path(path).stem}", DOCS / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOKS = script("hooks.py")


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8")))


def entries(nav: Any) -> list[str]:
    """The pages of a nav, in its order."""
    if isinstance(nav, str):
        return [nav]
    return [page for item in (nav.values() if isinstance(nav, dict) else nav) for page in entries(item)]


def test_every_page_is_in_the_nav_and_every_entry_exists(settings: dict[str, Any]) -> None:
    there = {str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md")} | set(HOOKS.OUTSIDE.values())
    listed = Counter(entries(settings["nav"]))
    unlisted = {page for page in there if not page.startswith("deploy/")}
    assert set(listed) == unlisted and set(listed.values()) == {1}


def test_nothing_is_fetched_and_a_warning_fails_the_build(settings: dict[str, Any]) -> None:
    assert settings["strict"] is True and settings["theme"]["font"] is False
    assert not {"extra_css", "extra_javascript", "repo_url"} & set(settings)
    plugins = [p if isinstance(p, str) else next(iter(p)) for p in settings["plugins"]]
    assert plugins == ["search", "mkdocstrings"] and "emoji" not in str(settings["markdown_extensions"])


def test_its_tools_are_pinned_and_agree_with_those_of_the_app() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = [s for s in (ROOT / name).read_text(encoding="utf-8").splitlines() if s and not s.startswith("#")]
        return {re.sub(r"[-_.]+", "-", key).lower(): version for key, _, version in (s.partition("==") for s in lines)}

    tools, app, direct = pins("requirements-docs.txt"), pins("requirements.lock"), pins("requirements.txt")
    assert "mkdocs-material" in tools and all(tools.values()) and not set(tools) & set(direct)
    assert {n: v for n, v in tools.items() if app.get(n, v) != v} == {}


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("api.md", "[changes](../CHANGELOG.md)", "[changes](changelog.md)"),
        ("deploy.md", "[README](../README.md#settings)", "[README](overview.md#settings)"),
        ("overview.md", "[pages](docs/errors.md) and [one](CONTRIBUTING.md)", "[pages](errors.md) and [one](contributing.md)"),
        ("overview.md", "![Flip lab](docs/images/flip-lab.png)", "![Flip lab](images/flip-lab.png)"),
        ("overview.md", "[choices](docs/decisions/)", "[choices](decisions/0001-text-is-the-one-coordinate.md)"),
        ("checkpoints.md", "[report](../cache/runs/shipped/report.md)", "report (`cache/runs/shipped/report.md`)"),
        ("tutorials/flips.md", "[c](../curate.md#repair)", "[c](../curate.md#repair)"),
        ("suite.md", "[the guide](GUIDE.md)", "the guide (`robustnli/suite/GUIDE.md`)"),
        ("api.md", "`a[0](b)` [w](https://semver.org) [x](#y)", "`a[0](b)` [w](https://semver.org) [x](#y)"),
    ],
)
def test_links_out_of_docs_lead_to_a_page_or_become_a_path(page: str, text: str, expected: str) -> None:
    assert HOOKS.relinked(text, page) == expected


def test_the_reference_of_the_command_line_is_what_the_program_says() -> None:
    made = script("reference/cli.py").page()
    assert made == (DOCS / "reference" / "cli.md").read_text(encoding="utf-8"), "run: python docs/reference/cli.py"
    assert "## finetune\n" in made and "`--fail-on-regression`" in made and "## work\n" not in made


def test_the_diagram_is_what_the_imports_are() -> None:
    made = script("architecture/graph.py").picture()
    assert made == (DOCS / "architecture.svg").read_text(encoding="utf-8"), "run: python docs/architecture/graph.py"


class Fetched(HTMLParser):
    """What a browser fetches of itself when it shows a page, and the ids of its headings."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {given["id"] or ""} if "id" in given else set()
        if tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.urls.append(given["src"] or "")
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.urls.append(given.get("href") or "")


@pytest.mark.slow
def test_it_builds_without_a_warning_and_its_pages_fetch_nothing_from_elsewhere(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("MkDocs is not installed: make docs installs it")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = {}
    for path in (tmp_path / "site").rglob("*.html"):
        pages[str(path.relative_to(tmp_path / "site"))] = read = Fetched()
        read.feed(path.read_text(encoding="utf-8"))
        assert [u for u in read.urls if "//" in u] == [], path
    assert {"index.html", "overview.html", "reference/cli.html", "tutorials/flips.html"} <= set(pages)
    assert "robustnli.api.predict" in pages["reference/api.html"].ids and "robustnli.types.Pair" in pages["reference/types.html"].ids
    assert {"robustnli.errors.DataError", "robustnli.attack.find"} <= pages["reference/errors.html"].ids | pages[
        "reference/attack.html"
    ].ids
