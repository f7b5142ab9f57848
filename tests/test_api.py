"""The public API as a stranger uses it: six names, no torch until one is called, one in and one out."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import robustnli
from robustnli import attack, attribute, compare, load, mask, predict
from robustnli.attack import RECIPES
from robustnli.compare import outcome
from robustnli.data import load as load_data
from robustnli.errors import CheckpointError, InputError
from robustnli.masking import mask as mask_words
from robustnli.slices import LONG, STANDARD
from robustnli.types import Attack, Label, Outcome, Pair, Word, example

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
BASE, FINE = str(FIXTURES / "tiny-baseline"), str(FIXTURES / "tiny-finetuned")
EVAL = str(FIXTURES / "tiny_eval.jsonl")
SITTING = ("A cat is sitting.", "A cat is swimming.")
NAMES = {"load", "predict", "attribute", "mask", "attack", "compare"}
SIGNATURES = {
    "load": "(name: 'str') -> 'NLIModel'",
    "predict": "(model: 'AnyModel', pairs: 'AnyPair | Sequence[AnyPair]') -> 'Prediction | list[Prediction]'",
    "attribute": (
        "(model: 'AnyModel', pairs: 'AnyPair | Sequence[AnyPair]', *, target: 'AnyLabel | None' = None, method: 'Method' = 'gradient') "
        "-> 'Attribution | list[Attribution]'"
    ),
    "mask": "(pair: 'AnyPair', words: 'Iterable[Word | str]', *, model: 'AnyModel | None' = None) -> 'Pair'",
    "attack": (
        "(model: 'AnyModel', examples: 'AnyExample | Sequence[AnyExample]', recipe: 'str' = 'mask', *, k: 'int' = 1, seed: 'int' = 13) "
        "-> 'Attack | list[Attack]'"
    ),
    "compare": (
        "(before: 'AnyModel', after: 'AnyModel', examples: 'str | Sequence[AnyExample]', *, slices: 'Sequence[Slice] | None' = None) "
        "-> 'list[ErrorBreakdown]'"
    ),
}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def test_the_names_are_complete() -> None:
    from robustnli import api

    assert set(robustnli.__all__) == NAMES | {"__version__"} and set(api.__all__) == NAMES
    assert set(robustnli.__all__) <= set(dir(robustnli))
    assert (ROOT / "robustnli" / "py.typed").is_file(), "type checkers read annotations of packages with this file only"
    with pytest.raises(AttributeError, match="predictt"):
        robustnli.predictt  # noqa: B018


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_is_a_function_with_its_signature_and_stands_in_the_docs(name: str) -> None:
    function = getattr(robustnli, name)
    assert inspect.isfunction(function) and (function.__doc__ or "").strip()
    assert str(inspect.signature(function)) == SIGNATURES[name], "a change of the public API: say so in CHANGELOG.md and docs/api.md"
    assert f"`{name}(" in (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "code",
    [
        "import robustnli",
        "from robustnli import attack, attribute, compare, load, mask, predict",
        "from robustnli import mask; assert mask(('a b', 'c d'), ['d']).hypothesis == 'c [MASK]'",
    ],
)
def test_no_torch_until_a_model_is_asked(code: str) -> None:
    done = python(f"{code}\nimport sys; sys.exit(bool({{'torch', 'streamlit', 'transformers'}} & set(sys.modules)))")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import robustnli.attack, robustnli.compare; from robustnli import attack, compare",
        "from robustnli import attack, compare; import robustnli.attack, robustnli.compare; from robustnli import attack, compare",
        "from robustnli.attack.mask import rank; from robustnli.compare import wilson; from robustnli import attack, compare",
        "import robustnli.attack.mask, robustnli; attack, compare = robustnli.attack, robustnli.compare",
    ],
)
def test_functions_win_over_modules_in_every_order(code: str) -> None:
    done = python(
        f"{code}\nfrom types import FunctionType as F; assert isinstance(attack, F) and isinstance(compare, F), (attack, compare)"
    )
    assert done.returncode == 0, done.stderr


def test_nothing_here_asks_for_these_modules_as_attributes() -> None:
    """`import robustnli.attack as x` gives the function: docs/decisions/0004."""
    found = []
    for path in [p for folder in ("robustnli", "pages", "tests") for p in (ROOT / folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                taken = [a.name for a in node.names if a.asname and a.name.startswith(("robustnli.attack", "robustnli.compare"))]
                found += [f"{path.name}: import {name} as" for name in taken]
    assert found == []


def test_predict_one_and_many() -> None:
    model = load(BASE)
    one = predict(model, SITTING)
    assert one.label is Label.CONTRADICTION and sum(one.probs) == pytest.approx(1)
    assert predict(BASE, Pair(*SITTING)) == one, "a name is as good as a model"
    assert predict(model, [SITTING, Pair("A ferret sleeps.", "A ferret sleeps.")])[0].probs == pytest.approx(one.probs, abs=1e-5)
    assert predict(model, []) == []


def test_a_named_model_is_loaded_once_and_again_when_its_files_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    from robustnli import api

    folder = tmp_path / "m"
    shutil.copytree(BASE, folder)
    asked: list[str] = []
    real = api.load
    monkeypatch.setattr(api, "load", lambda name: asked.append(name) or real(name))
    before, *_ = [predict(str(folder), SITTING) for _ in range(3)]
    assert len(asked) == 1
    shutil.copytree(FINE, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    assert predict(str(folder), SITTING).probs != before.probs and len(asked) == 2


def test_attribute() -> None:
    from robustnli.attribution import attribute as attribute_one

    model = load(BASE)
    scores = attribute(model, SITTING)
    assert scores.target is Label.CONTRADICTION and [w.of(scores.pair) for w in scores.words][-1] == "swimming"
    assert scores == attribute_one(model, Pair(*SITTING), target=Label.CONTRADICTION)
    many = attribute(BASE, [SITTING, SITTING], target="neutral", method="leave_one_out")
    assert [(a.target, a.method) for a in many] == [(Label.NEUTRAL, "leave_one_out")] * 2
    with pytest.raises(InputError, match="gradient"):
        attribute(model, SITTING, method="gradiant")  # type: ignore[call-overload]


def test_mask() -> None:
    model = load(BASE)
    pair = Pair("A cat sits.", "A cat, no other cat, sits.")
    assert mask(pair, ["cat"]).hypothesis == "A [MASK], no other [MASK], sits."
    words = [w for w in model.words(pair) if w.of(pair) == "cat"]
    assert mask(pair, words) == mask_words(pair, words) and mask(pair, words).premise == "A [MASK] sits.", "a Word may stand in the premise"
    assert mask(pair, [words[0], "sits"]) == Pair("A [MASK] sits.", "A cat, no other cat, [MASK].")
    long = next(w for w in model.words(Pair("x", "extraordinariness")) if w.segment == "hypothesis")
    assert long.pieces > 1
    assert mask(("x", "extraordinariness"), ["extraordinariness"], model=model).hypothesis.count("[MASK]") == long.pieces
    with pytest.raises(InputError, match=r"'cta' is no word of the hypothesis\. Did you mean 'cat'"):
        mask(pair, ["cta"])
    with pytest.raises(InputError, match="no word"):
        mask(pair, [Word("hypothesis", 5, 500)])


def test_attack() -> None:
    one = attack(BASE, (*SITTING, "contradiction"))
    assert isinstance(one, Attack) and one.recipe == "mask" and len(one.words) <= 1
    examples = load_data(EVAL).examples[:8]
    many = attack(load(BASE), examples, "occlude", k=2)
    assert [a.example for a in many] == list(examples) and {a.recipe for a in many} == {"occlude"} and "occlude" in RECIPES
    with pytest.raises(InputError, match=r"no recipe 'masc'\. Did you mean 'mask'"):
        attack(BASE, (*SITTING, 2), "masc")


def test_compare_counts_what_two_models_say() -> None:
    examples = load_data(EVAL).examples
    parts = compare(BASE, FINE, EVAL)
    assert [p.slice for p in parts] == [s.name for s in STANDARD]
    older, newer = (predict(name, [e.pair for e in examples]) for name in (BASE, FINE))
    counts = Counter(outcome(e.label, a, b) for e, a, b in zip(examples, older, newer, strict=True))
    whole = parts[0]
    assert (whole.slice, whole.n, whole.fixed, whole.introduced) == ("all", 300, counts[Outcome.FIXED], counts[Outcome.INTRODUCED])
    few = [("A cat sits.", "A cat sits.", "entailment"), ("A cat sits. " * 20, "A goat runs.", Label.CONTRADICTION)]
    assert [(p.slice, p.n) for p in compare(BASE, FINE, few, slices=[LONG])] == [("all", 2), ("long", 1)]
    with pytest.raises(InputError):
        compare(BASE, FINE, [])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: predict(BASE, "A cat sits."), "'A cat sits.' is no list of pairs"),
        (lambda: predict(BASE, [("one",)]), r"\('one',\) is no pair. Give \(premise, hypothesis\)"),
        (lambda: attack(BASE, [SITTING]), "is no example. Give"),
        (lambda: attack(BASE, (*SITTING, "neutrl")), "'neutrl' is no label. Did you mean 'neutral'"),
        (lambda: attribute(BASE, SITTING, target=7), "7 is no label"),
        (lambda: compare(BASE, FINE, [(*SITTING, True)]), "True is no label"),
    ],
)
def test_what_cannot_be_used_is_told(wrong: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        wrong()  # type: ignore[operator]


def test_a_wrong_name_is_told(only_tiny: Path) -> None:
    with pytest.raises(CheckpointError, match="Did you mean 'tiny-baseline'"):
        predict("tiny-basline", SITTING)
    assert predict("tiny-baseline", example(*SITTING, Label.NEUTRAL).pair).label is Label.CONTRADICTION
