"""The Flip lab through AppTest: the real page on the tiny checkpoints, driven by its plain controls."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from robustnli.ui.state import parse_masks

APP = str(Path(__file__).resolve().parent.parent / "app.py")


def page(**query: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=60)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    return at if query else at.switch_page("pages/explore.py").run()


def said(at: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (at.error, at.warning, at.success, at.info, at.markdown, at.caption) for e in kind)


@pytest.fixture(autouse=True)
def _tiny(only_tiny: Path) -> None:
    pass


def test_first_visit_is_full() -> None:
    at = page()
    assert not at.exception
    assert at.text_input(key="p").value and at.text_input(key="h").value
    assert "tiny\\-baseline" in said(at) and "Mask map" in said(at)
    assert dict(at.query_params)["h"] == at.text_input(key="h").value, "the whole state is in the address"


def test_masking_flips_and_undo_takes_it_back() -> None:
    at = page(p="A cat is sitting.", h="A cat is swimming.", gold="contradiction")
    assert "FLIP" not in said(at) and at.pills(key="pills").options[-1] == "swimming"
    at.pills(key="pills").select("h4").run()
    assert not at.exception and "FLIP" in said(at) and dict(at.query_params)["m"] == "h4"
    next(b for b in at.button if b.label == "Undo").click().run()
    assert "FLIP" not in said(at) and "m" not in dict(at.query_params)


@pytest.mark.parametrize("gold", ["entailment", "neutral", "contradiction"])
def test_the_verdict_names_gold(gold: str) -> None:
    told = said(page(p="A cat is sitting.", h="A cat is swimming.", gold=gold))
    assert f"; gold is **{gold}**." in told
    assert ("wrong" in told) == (gold != "contradiction")


def test_a_link_brings_everything_back_and_nonsense_in_it_is_ignored() -> None:
    at = page(
        p="A dog is running in a park.",
        h="The dog is late.",
        m="h4-h99-x-p2",
        a="tiny-finetuned",
        b="nope",
        method="magic",
        target="neutral",
        gold="?",
    )
    assert not at.exception
    assert at.session_state["masks"] == ["h4", "p2"]
    assert at.selectbox(key="a").value == "tiny-finetuned" and at.selectbox(key="method").value == "gradient"
    assert parse_masks("h1-h1-<b>-p0-" + "h9" * 99) == ["h1"]


def test_top_k_and_reset() -> None:
    at = page(p="A cat is sitting.", h="A cat is swimming.")
    at.number_input(key="top_k").set_value(2).run()
    next(b for b in at.button if b.label.startswith("Mask the top")).click().run()
    assert len(at.session_state["masks"]) == 2 and all(m.startswith("h") for m in at.session_state["masks"])
    next(b for b in at.button if b.label == "Reset").click().run()
    assert at.session_state["masks"] == []


@pytest.mark.parametrize("method", ["gradient", "input_x_gradient", "integrated_gradients", "leave_one_out"])
def test_every_method_draws(method: str) -> None:
    at = page(method=method)
    assert not at.exception and ("completeness gap" in said(at)) == (method == "integrated_gradients")


def test_try_to_break_it() -> None:
    at = page(p="A cat is sitting.", h="A cat is swimming.")
    next(b for b in at.button if b.label.startswith("Search")).click().run()
    assert not at.exception and "falls after" in said(at)
    next(b for b in at.button if b.label == "Apply").click().run()
    assert "FLIP" in said(at)


def test_a_ready_example_fills_the_fields() -> None:
    at = page(p="x", h="y")
    at.selectbox(key="example").select_index(2).run()
    assert at.text_input(key="h").value == "A painter is eating lunch." and at.session_state["gold"] == "contradiction"


@pytest.mark.parametrize(
    ("premise", "hypothesis"),
    [
        ("dog " * 5000, "A cat is sitting."),
        ("<img src=x onerror=alert(1)>", "**bold** :red[x] $x$ [SEP] [MASK]"),
        ("مرحبا 😀", "e\u0301 \u200d 中文"),
        ("...", "?!"),
        ("a\x00b", "[PAD]"),
    ],
)
def test_odd_text_is_no_exception(premise: str, hypothesis: str) -> None:
    at = page(p=premise, h=hypothesis)
    assert not at.exception and ("no word to mask" if hypothesis == "?!" else "Mask map") in said(at)
    assert ("too long" in said(at)) == (len(premise) > 5000)


def test_empty_fields_ask_and_the_address_says_so() -> None:
    at = page(p="", h="only this")
    assert not at.exception and "Type a premise and a hypothesis" in said(at)
    at = page()
    at.text_input(key="h").set_value("").run()
    assert dict(at.query_params)["h"] == "" and "gold" not in dict(at.query_params)
    assert page(**dict(at.query_params)).text_input(key="h").value == "", "an emptied sentence is not the first example again"


def test_a_long_hypothesis_is_answered_and_its_mask_map_waits_to_be_asked_for() -> None:
    at = page(p="A dog.", h="dog " * 5000)
    told = said(at)
    assert not at.exception and "hypothesis is too long" in told and "predictions a model" in told
    assert not any("change" in f.value.columns for f in at.dataframe)
    assert any(b.label.startswith("Draw the mask map") for b in at.button)
    at = page(p="A cat is sitting.", h=" ".join(["A cat is swimming."] * 16))
    assert "flips on" not in said(at)
    next(b for b in at.button if b.label.startswith("Draw the mask map")).click().run()
    assert not at.exception and "flips on" in said(at)


def test_the_gold_of_an_example_does_not_judge_another_pair() -> None:
    at = page()
    assert at.session_state["gold"] is not None
    at.text_input(key="h").set_value("A cat is swimming.").run()
    assert at.session_state["gold"] is None and "gold is" not in said(at)
    at.segmented_control(key="gold").set_value("neutral").run()
    at.text_input(key="h").set_value("A cat is sitting.").run()
    assert at.session_state["gold"] == "neutral", "the user's own gold stays"


@pytest.mark.parametrize("value", [None, 3, {"number": "x", "masked": []}, {"number": 2}, {"number": 2, "masked": ["h1", "<b>", 7]}])
def test_what_a_browser_sends_is_checked(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from robustnli.ui import state

    memory: dict[str, object] = {"masks": [], "undo": []}
    monkeypatch.setattr(state.st, "session_state", memory)
    state.masked_in_browser(value)
    assert memory["masks"] == (["h1"] if isinstance(value, dict) and value.get("masked") and value["number"] == 2 else [])


def test_a_broken_checkpoint_is_said_and_the_others_work(only_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(only_tiny / "tiny-baseline", tmp_path / "good")
    (tmp_path / "bad").mkdir()
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(tmp_path))
    at = page()
    assert not at.exception and "no config" in said(at) and "Mask map" in said(at)
    shutil.rmtree(tmp_path / "good")
    at = page()
    assert not at.exception and "No usable checkpoint" in said(at)


def test_a_checkpoint_that_breaks_only_when_loaded_leaves_the_other(
    only_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("baseline", "finetuned"):
        shutil.copytree(only_tiny / f"tiny-{name}", tmp_path / name)
    (tmp_path / "finetuned" / "model.safetensors").write_bytes(b"not weights")
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(tmp_path))
    at = page()
    assert not at.exception and "cannot be loaded" in said(at) and "Mask map" in said(at)


def test_a_model_that_is_not_here_is_said() -> None:
    at = page(a="/etc", h="A cat is swimming.", p="A cat is sitting.")
    assert not at.exception and "which is not here" in said(at) and "Mask map" in said(at)
