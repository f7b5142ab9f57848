"""Repair in Curate through AppTest: what it asks, what it refuses, a real repair from the button to the result."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from robustnli import jobs, repairs, suite
from robustnli.curated import Entry, Verdict, entry_uid
from robustnli.store import open_store
from robustnli.types import Label, Pair

FIXTURES = Path(__file__).parent / "fixtures"
PAGE = "from robustnli.ui.curate.repair import repair_ui\nrepair_ui()"
DEV = [item for item in suite.load() if item.split == "dev"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(FIXTURES))
    monkeypatch.setenv("ROBUSTNLI_SNLI", str(FIXTURES / "tiny_train.jsonl"))
    monkeypatch.setattr("robustnli.config.SHIPPED", tmp_path / "none")
    monkeypatch.setattr("robustnli.config.SHIPPED_RUNS", tmp_path / "none")
    yield tmp_path / "home"
    for job in jobs.find_all():
        jobs.forget(job.id)


def page() -> AppTest:
    return AppTest.from_string(PAGE, default_timeout=60).run()


def said(at: AppTest) -> str:
    assert not at.exception, at.exception[0].message
    kinds = (at.error, at.warning, at.success, at.info, at.markdown, at.caption)
    return " | ".join(str(e.value).replace("\\", "") for kind in kinds for e in kind)


def go(at: AppTest):  # type: ignore[no-untyped-def]
    return at.button(key="repair.go")


def keep(*labels: Label | None) -> list[str]:
    """Curated entries, each relabelled so; None: not judged."""
    uids = []
    with open_store() as store:
        for number, label in enumerate(labels):
            pair = Pair(f"Case {number} is here.", f"Case {number} is not here.")
            uids.append(entry_uid(pair, pair, None))
            store.add(
                [
                    Entry(
                        uids[-1],
                        pair,
                        pair,
                        None,
                        tags=("even",) if number % 2 == 0 else ("odd",),
                        author="ada",
                        created="2026-01-01T00:00:00+00:00",
                    )
                ]
            )
            if label is not None:
                store.judge([uids[-1]], "ada", Verdict.RELABEL, label)
    return uids


def test_nothing_is_chosen_at_first_and_the_page_says_what_to_do() -> None:
    at = page()
    assert go(at).disabled and "Choose something to learn." in said(at) and "No curated examples yet" in said(at)
    assert at.selectbox(key="repair.parent").options == ["tiny-baseline", "tiny-finetuned"]
    assert at.text_input(key="repair.name").value == "tiny-baseline-repaired"
    at.selectbox(key="repair.parent").select("tiny-finetuned").run()
    assert at.text_input(key="repair.name").value == "tiny-finetuned-repaired"


def test_only_confirmed_examples_are_on_offer_by_verdict_and_tag() -> None:
    keep(Label.CONTRADICTION, Label.NEUTRAL, Label.CONTRADICTION, None, None)
    at = page()
    assert "**3** examples: entailment 0 · neutral 1 · contradiction 2" in said(at)
    assert "2 more have no confirmed label" in said(at) and go(at).label == "Fine-tune on 3 examples" and not go(at).disabled
    at.multiselect(key="repair.tags").select("even").run()
    assert "**2** examples: entailment 0 · neutral 0 · contradiction 2" in said(at) and "All have one label" in said(at)
    at.multiselect(key="repair.verdicts").unselect("relabel").run()
    assert go(at).disabled
    at.multiselect(key="repair.suite").select("negation: verbal").run()
    n = sum((i.slice, i.phenomenon) == ("negation", "verbal") for i in DEV)
    assert f"**{n}** examples" in said(at) and go(at).label == f"Fine-tune on {n} examples"


def test_none_confirmed_says_where_to_judge() -> None:
    keep(None, None)
    assert "None of your 2 curated examples has a label that a person confirmed: judge them under Review." in said(page())


@pytest.mark.parametrize(("name", "why"), [("tiny-baseline", "already"), ("../x", "is no name"), ("", "")])
def test_a_name_that_will_not_do_is_told_at_once(name: str, why: str) -> None:
    keep(Label.NEUTRAL)
    at = page()
    at.text_input(key="repair.name").set_value(name).run()
    assert why in said(at) and go(at).disabled is bool(why), "an emptied name is proposed anew"


def test_a_file_that_contradicts_itself_is_refused_in_words() -> None:
    at = page()
    at.file_uploader(key="repair.file").upload(
        "mine.csv", b"premise,hypothesis,label\nA cat.,It is a cat.,0\nA cat.,It is a cat.,1\n", "text/csv"
    ).run()
    assert go(at).disabled and "is chosen twice, as entailment and as neutral" in said(at)


def test_read_only_says_so_and_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(Label.NEUTRAL)
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    at = page()
    assert go(at).disabled and "This server is read-only" in said(at)
    with pytest.raises(repairs.InputError, match="read-only"):
        repairs.submit("tiny-baseline", repairs.Asked(rows=(("A.", "B.", "0"),)), "mine")
    assert jobs.find_all() == []


def test_a_checkpoint_that_would_not_be_seen_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(Label.NEUTRAL)
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    at = page()
    assert go(at).disabled and "Name that folder in ROBUSTNLI_CHECKPOINTS" in said(at)
    with pytest.raises(repairs.InputError, match="ROBUSTNLI_CHECKPOINTS"):
        repairs.submit("tiny-baseline", repairs.Asked(rows=(("A.", "B.", "0"),)), "mine")


@pytest.mark.slow
def test_from_the_button_to_the_result(home: Path) -> None:
    at = page()
    at.multiselect(key="repair.suite").select("plain: number").run()
    at.number_input(key="repair.epochs").set_value(2).run()
    go(at).click().run()
    (job,) = jobs.find_all("repair")
    assert jobs.arguments(Path(job.folder))["settings"]["epochs"] == 2
    if job.active:
        assert "is taught" in said(at) or "Cancel" in [b.label for b in at.button]
    until = time.time() + 200
    while jobs.find(job.id).active:
        assert time.time() < until
        time.sleep(0.2)
    at = page()
    told = said(at)
    row = jobs.find(job.id).result
    assert row is not None, jobs.find(job.id).message
    whole = row["suite"][0]
    assert f"{row['learned']} of {row['examples']} examples learned; {row['right_before']} were right before, in tiny-baseline." in told
    assert (
        f"it **fixed {whole['fixed']}** of {whole['fixed'] + whole['remaining']} errors of tiny-baseline" in told
        and "95 % interval" in told
    )
    assert f"**introduced {whole['introduced']}** new ones; {whole['remaining']} remain." in told and "McNemar's exact p" in told
    shown = {m.label: m.value for m in at.metric}
    assert shown["Its examples"] == f"{100 * row['learned'] / row['examples']:.1f} %" and "Challenge suite, test half" in shown
    labels = [b.label for b in at.button]
    assert {"Try it in the Flip lab", "Open in the error explorer", "Remove it", "Dismiss"} <= set(labels)
    assert at.text_input(key="repair.name").value == "tiny-baseline-repaired-2", "the next one has another name"
    at.button(key=f"repair.remove.{job.id}").click().run()
    assert "was removed" in said(at) and not (home / "checkpoints" / "tiny-baseline-repaired").exists()
    at.button(key=f"repair.gone.{job.id}").click().run()
    assert jobs.find_all() == [] and "learned" not in said(at)
