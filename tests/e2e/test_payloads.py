"""Text of users that would be code elsewhere: on every page that shows it, none of it runs, none of it asks for anything, and it stands as typed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from robustnli.curated import Verdict, entry_uid, opinion_on
from robustnli.gallery import files
from robustnli.store import open_store
from robustnli.types import Label, Pair, example
from tests.e2e.serving import opened, serve
from tests.entries import entry
from tests.made import examples, make_run, suite_rows

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1800)]
PAYLOADS = (
    '<img src="http://outside.invalid/i.png" onerror="window.ran=1">',
    "<script>window.ran=1</script>",
    "<svg onload=window.ran=1>",
    "<a href='javascript:window.ran=1'>go</a>",
    "[link](javascript:window.ran=1)",
    "![picture](http://outside.invalid/m.png)",
    "$latex^2$",
    ":material/home: :red[red] **bold** `code` # title",
    "{{7*7}} ${7*7} %s &lt;b&gt; \\u003cb",
    "</div></body><iframe src=http://outside.invalid>",
)
TEXT = " ".join(PAYLOADS)
SLICES = (PAYLOADS[6], PAYLOADS[0], '<a href="http://outside.invalid">here</a>')  # charts make HTML of some text, and formulas
# Everything a page shows, shadow trees too, and elements that only a payload would have made.
LOOK = """() => {
  const texts = [], bad = [];
  const walk = root => {
    for (const node of root.childNodes ?? []) {
      if (node.nodeType === 3 && !['SCRIPT', 'STYLE'].includes(node.parentNode?.nodeName)) texts.push(node.textContent);
      if (node.nodeType === 1) {
        if (node.matches('img[src*="outside"], iframe, a[href^="javascript"], a[href*="outside"], .katex, [onerror], [onload]')) bad.push(node.outerHTML.slice(0, 200));
        if (node.nodeName === 'INPUT' || node.nodeName === 'TEXTAREA') texts.push(node.value);
        walk(node);
        if (node.shadowRoot) walk(node.shadowRoot);
      }
    }
  };
  walk(document.body);
  return {text: texts.join(' ').replace(/\\s+/g, ' '), bad, ran: window.ran ?? null};
}"""


def fill(home: Path) -> None:
    """A curated example, a run and an attack whose every text is a payload."""
    pair, edited = Pair(TEXT, f"He says: {TEXT}"), Pair(TEXT, f"He [MASK]: {TEXT}")
    base = entry(0)
    from dataclasses import replace

    made = replace(
        base, uid=entry_uid(pair, edited, Label.NEUTRAL), original=pair, edited=edited, note=TEXT, tags=tuple(PAYLOADS[:3]), author="<b>ann</b>",
        recipe="<i>by hand</i>", changed=(), opinions=(), history=(),
    )  # fmt: skip
    made = replace(made, opinions=(opinion_on(made, "<b>ann</b>", Verdict.KEEP, None, TEXT, "2026-01-01T00:00:00+00:00"),))
    with open_store(f"sqlite:///{home / 'curated.db'}") as store:
        store.add([made])
    items = [example(f"{TEXT} {n}", f"He says {TEXT}", Label.NEUTRAL) for n in range(8)]
    rows = suite_rows(examples(8, seed=2))
    for row, item in zip(rows, items, strict=True):
        row |= {
            "premise": item.pair.premise,
            "hypothesis": item.pair.hypothesis,
            "uid": item.uid,
            "phenomenon": PAYLOADS[0],
            "slice": PAYLOADS[6],
        }
        row["gold"], row["deciding"] = int(item.label), [{"segment": "hypothesis", "start": 0, "end": 2}]
    folder = make_run(home / "runs" / "odd", {"suite": rows})
    about = json.loads((folder / "manifest.json").read_text()) | {"file": f"{PAYLOADS[0]}.csv"}
    (folder / "manifest.json").write_text(json.dumps(about))
    finished = files.Finished(
        recipe="mask", title=PAYLOADS[4], paper=TEXT, guarantee=TEXT, gold="kept", budgeted=True, k=1, seed=13, data=PAYLOADS[0], data_hash="x", n=8,
        models={"tiny-baseline": "f"}, queries=8, seconds=1.0, created="2026-01-01T00:00:00+00:00", notes=(TEXT,),
    )  # fmt: skip
    probs = np.array([0.1, 0.8, 0.1]), np.array([0.7, 0.2, 0.1])
    attacks = [
        {
            "index": n, "uid": item.uid, "model": "tiny-baseline", "premise": item.pair.premise, "hypothesis": item.pair.hypothesis, "gold": 1, "gold_after": None, "slices": [],
            "status": "broken", "tried": 1, "note": TEXT, "words": [1, 0, 2, 1], "edits": [{"segment": 1, "start": 0, "end": 2, "text": PAYLOADS[0]}],
            "before.tiny-baseline": files.whole(probs[0].tolist()), "after.tiny-baseline": files.whole(probs[1].tolist()),
        }
        for n, item in enumerate(items)
    ]  # fmt: skip
    files.write(home / "attacks" / "odd", finished, attacks)


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("payloads")
    fill(home)
    roots = {
        "ROBUSTNLI_RUNS": str(home / "runs"),
        "ROBUSTNLI_ONLY_RUNS": "1",
        "ROBUSTNLI_ATTACKS": str(home / "attacks"),
        "ROBUSTNLI_ONLY_ATTACKS": "1",
    }
    with serve(ROBUSTNLI_HOME=str(home), **roots) as url:
        yield url


def harmless(page: Page, *shown: str) -> None:
    """Nothing ran and nothing was made of a payload; these texts stand there as they were typed."""
    seen = page.evaluate(LOOK)
    assert seen["ran"] is None and seen["bad"] == []
    for text in shown:
        assert re.sub(r"\s+", " ", text) in seen["text"], f"not shown as typed: {text}"


def visit(server: str, chromium: str, address: str, wait: str, *shown: str) -> None:
    with opened(server, chromium, address, height=3000) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a payload ran: {dialog.message}"))
        expect(page.get_by_text(re.compile(wait)).first).to_be_visible(timeout=200_000)
        page.wait_for_timeout(2500)
        assert page.locator("[data-testid=stException]").count() == 0
        harmless(page, *shown)


def test_typed_sentences_in_the_flip_lab(server: str, chromium: str) -> None:
    asked = urlencode({"p": TEXT, "h": "He says: " + " ".join(PAYLOADS[:4])})
    visit(server, chromium, f"/explore?{asked}", "Mask map|cut|Word scores", PAYLOADS[4], PAYLOADS[6], PAYLOADS[1])


def test_what_an_address_asks_for(server: str, chromium: str) -> None:
    asked = urlencode({"p": "A cat.", "h": "A dog.", "a": PAYLOADS[0], "method": PAYLOADS[5], "gold": PAYLOADS[6]})
    visit(server, chromium, f"/explore?{asked}", "The address asks for", PAYLOADS[6])
    for page in ("errors", "attacks", "curate"):
        names = {"errors": ("run", "split", "slice", "q"), "attacks": ("attack", "q"), "curate": ("tag", "author", "q")}[page]
        visit(server, chromium, f"/{page}?{urlencode(dict.fromkeys(names, TEXT))}", "Error explorer|Attacks|Curate")


def test_rows_of_the_error_explorer(server: str, chromium: str) -> None:
    visit(server, chromium, "/errors?run=odd&view=rows", "Open in Flip lab", PAYLOADS[0], PAYLOADS[4], PAYLOADS[6])


def test_cards_of_an_attack(server: str, chromium: str) -> None:
    visit(server, chromium, "/attacks?attack=odd", "Open in Flip lab", PAYLOADS[0], PAYLOADS[6])


@pytest.mark.parametrize("view", ["review", "table", "export", "replay", "repair"])
def test_a_curated_example(server: str, chromium: str, view: str) -> None:
    shown = (PAYLOADS[0], PAYLOADS[4], PAYLOADS[6], PAYLOADS[7]) if view == "review" else ()
    visit(server, chromium, f"/curate?view={view}", "Curate", *shown)


def test_an_uploaded_file(server: str, chromium: str, tmp_path: Path) -> None:
    name = "![x](http:outside.invalid).jsonl"
    row = {"premise": TEXT, "hypothesis": TEXT, "label": PAYLOADS[0], PAYLOADS[4]: TEXT, PAYLOADS[0]: TEXT}
    with opened(server, chromium, "/curate?view=import", height=2600) as page:
        page.get_by_text("A file of examples").wait_for()
        page.locator("input[type=file]").first.set_input_files(
            {"name": name, "mimeType": "application/json", "buffer": json.dumps(row).encode()}
        )
        expect(page.get_by_text(re.compile("Its first rows")).first).to_be_visible()
        expect(page.get_by_text(re.compile("bad rows|cannot be used")).first).to_be_visible()
        page.wait_for_timeout(1500)
        harmless(page)
