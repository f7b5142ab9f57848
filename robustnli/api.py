"""The public API: six functions over one pair or many, of a model or of a checkpoint's name. `from robustnli import ...` finds them here.

A pair is a `Pair` or (premise, hypothesis); a label a `Label`, its name or its number; an example an `Example` or (premise, hypothesis,
label). One given, one comes back; a list given, a list comes back. Texts that the model cannot read whole are cut as `NLIModel.fit` does.
What cannot be used raises a `RobustNLIError` whose text says why. Importing this loads no torch; all but `mask` do when they are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

from robustnli.errors import CheckpointError, InputError, did_you_mean
from robustnli.types import LABELS, Attack, Attribution, ErrorBreakdown, Example, Label, Method, Pair, Prediction, Word, example

if TYPE_CHECKING:
    from robustnli.models import NLIModel
    from robustnli.slices import Slice

    AnyModel = NLIModel | str
    AnyPair = Pair | tuple[str, str]
    AnyLabel = Label | str | int
    AnyExample = Example | tuple[str, str, AnyLabel]

__all__ = ["attack", "attribute", "compare", "load", "mask", "predict"]


def load(name: str) -> NLIModel:
    """The model of a name that the app shows, a local folder, or a hub id (`owner/name`). Raises CheckpointError; never a pickle."""
    from robustnli.models import load as load_model

    return load_model(name)


@overload
def predict(model: AnyModel, pairs: AnyPair) -> Prediction: ...
@overload
def predict(model: AnyModel, pairs: Sequence[AnyPair]) -> list[Prediction]: ...
def predict(model: AnyModel, pairs: AnyPair | Sequence[AnyPair]) -> Prediction | list[Prediction]:
    """Probabilities of entailment, neutral and contradiction; `.label` and `.confidence` are derived from them."""
    one, given = _pairs(pairs)
    said = _model(model).predict(given)
    return said[0] if one else said


@overload
def attribute(model: AnyModel, pairs: AnyPair, *, target: AnyLabel | None = None, method: Method = "gradient") -> Attribution: ...
@overload
def attribute(
    model: AnyModel, pairs: Sequence[AnyPair], *, target: AnyLabel | None = None, method: Method = "gradient"
) -> list[Attribution]: ...
def attribute(
    model: AnyModel, pairs: AnyPair | Sequence[AnyPair], *, target: AnyLabel | None = None, method: Method = "gradient"
) -> Attribution | list[Attribution]:
    """One score a word for the label `target` (None: the one predicted). Methods: gradient (the paper's), input_x_gradient,
    integrated_gradients, leave_one_out; `robustnli.attribution` tells what their signs and sums mean.
    """
    from robustnli.attribution import attribute_many, predict_and_attribute

    one, given = _pairs(pairs)
    asked = _model(model)
    if target is None and method == "gradient":
        found = [scores for _, scores in predict_and_attribute(asked, given, [None] * len(given))]  # both from one pass
    else:
        targets = [said.label for said in asked.predict(given)] if target is None else [_label(target)] * len(given)
        found = attribute_many(asked, given, targets, method=method)
    return found[0] if one else found


def mask(pair: AnyPair, words: Iterable[Word | str], *, model: AnyModel | None = None) -> Pair:
    """`pair` with the words replaced by `[MASK]`: pure text.

    A `Word` (of `attribute`, or of `model.words(pair)`) may stand in either sentence and becomes one mask a piece. A text stands for
    every word of the hypothesis that is written so: one mask a piece of `model`'s, or one a word without a model. Raises InputError for a
    text that is no word of the hypothesis.
    """
    from robustnli.masking import mask as mask_words

    untouched, named = _pair(pair), list(words)
    texts = {word for word in named if isinstance(word, str)}
    return mask_words(untouched, [*(w for w in named if isinstance(w, Word)), *(_of_texts(untouched, texts, model) if texts else ())])


@overload
def attack(model: AnyModel, examples: AnyExample, recipe: str = "mask", *, k: int = 1, seed: int = 13) -> Attack: ...
@overload
def attack(model: AnyModel, examples: Sequence[AnyExample], recipe: str = "mask", *, k: int = 1, seed: int = 13) -> list[Attack]: ...
def attack(
    model: AnyModel, examples: AnyExample | Sequence[AnyExample], recipe: str = "mask", *, k: int = 1, seed: int = 13
) -> Attack | list[Attack]:
    """Examples attacked by a recipe with the budget `k`; `.status` tells how each ended, `.pair` is the changed pair.

    `robustnli.attack.RECIPES`, or `robustnli attack --recipes`, tells the recipes and what each guarantees.
    """
    from robustnli.attack import find_many

    one, given = _examples(examples)
    found = list(find_many(_model(model), given, recipe, k=k, seed=seed))
    return found[0] if one else found


def compare(
    before: AnyModel, after: AnyModel, examples: str | Sequence[AnyExample], *, slices: Sequence[Slice] | None = None
) -> list[ErrorBreakdown]:
    """Errors fixed, introduced and remaining from one model to another: a breakdown a slice, the first over all rows.

    `examples` are given, or named as the command line names data: "suite", a file, a folder or hub id with its split. `slices`: None for the
    standard ones. `robustnli.compare` has `mcnemar`, `wilson`, `holm` and `verdict`. Raises InputError for no examples.
    """
    from robustnli.data import load as load_data
    from robustnli.pipeline.evaluate import compare as count
    from robustnli.pipeline.evaluate import evaluate, rows_of
    from robustnli.slices import ALL, STANDARD

    given = list(load_data(examples).examples) if isinstance(examples, str) else _examples(examples)[1]
    parts = STANDARD if slices is None else (ALL, *(part for part in slices if part.name != ALL.name))
    older, newer = (evaluate(_model(model), given).predictions for model in (before, after))
    return count([e.label for e in given], older, newer, rows_of(given, parts))


def _model(model: AnyModel) -> NLIModel:
    """The model itself, or that of a name: kept, until its files change."""
    if not isinstance(model, str):
        return model
    from robustnli.checkpoints import resolve

    try:
        return _kept(model, resolve(model).fingerprint)
    except CheckpointError:
        return _kept(model, "")  # a hub id; for anything else `load` says what is wrong


@lru_cache(maxsize=4)
def _kept(name: str, fingerprint: str) -> NLIModel:
    return load(name)


def _pairs(given: Any) -> tuple[bool, list[Pair]]:
    """(whether it is one, the pairs)."""
    one = isinstance(given, Pair) or _is_texts(given, 2)
    return one, [_pair(given)] if one else [_pair(item) for item in _listed(given, "pairs")]


def _pair(given: Any) -> Pair:
    if isinstance(given, Pair):
        return given
    if not _is_texts(given, 2):
        raise InputError(f"{_short(given)} is no pair. Give (premise, hypothesis), or a Pair.")
    return Pair(*given)


def _examples(given: Any) -> tuple[bool, list[Example]]:
    """(whether it is one, the examples)."""
    one = isinstance(given, Example) or _is_labelled(given)
    return one, [_example(given)] if one else [_example(item) for item in _listed(given, "examples")]


def _example(given: Any) -> Example:
    if isinstance(given, Example):
        return given
    if not _is_labelled(given):
        raise InputError(f"{_short(given)} is no example. Give (premise, hypothesis, label), or an Example.")
    premise, hypothesis, label = given
    return example(premise, hypothesis, _label(label))


def _label(given: Any) -> Label:
    names = {label.text: label for label in LABELS}
    if isinstance(given, str) and given.strip().lower() in names:
        return names[given.strip().lower()]
    if isinstance(given, int) and not isinstance(given, bool) and given in list(LABELS):
        return Label(given)
    raise InputError(f"{_short(given)} is no label.{did_you_mean(str(given), names)}")


def _of_texts(pair: Pair, texts: set[str], model: AnyModel | None) -> list[Word]:
    """The words of the hypothesis that are written as one of the texts."""
    from robustnli.masking import spans

    known = (
        [Word("hypothesis", start, end) for start, end in spans(pair.hypothesis)]
        if model is None
        else [word for word in _model(model).words(pair) if word.segment == "hypothesis"]
    )
    missing = sorted(texts - {word.of(pair) for word in known})
    if missing:
        raise InputError(f"{missing[0]!r} is no word of the hypothesis.{did_you_mean(missing[0], {word.of(pair) for word in known})}")
    return [word for word in known if word.of(pair) in texts]


def _is_texts(given: Any, n: int) -> bool:
    return isinstance(given, tuple | list) and len(given) == n and all(isinstance(part, str) for part in given)


def _is_labelled(given: Any) -> bool:
    return isinstance(given, tuple | list) and len(given) == 3 and _is_texts(given[:2], 2) and isinstance(given[2], str | int)


def _listed(given: Any, what: str) -> Iterable[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{_short(given)} is no list of {what}.")
    return given


def _short(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 80 else text[:77] + "..."
