"""Scores against independent computations, and threads against one thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from robustnli.attribution import METHODS, attribute, attribute_many, look, look_and_map, mask_map
from robustnli.errors import InputError
from robustnli.masking import mask
from robustnli.models import NLIModel, load
from robustnli.types import Label, Pair

SURE = Pair("A cat is sitting.", "A cat is swimming.")
PAIR = Pair("A man is playing a guitar on a stage.", "The person is playing an instrument.")


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


def by_hand(model: NLIModel, pair: Pair, target: Label, *, times_input: bool) -> list[float]:
    """The paper's way, one by one: keep the gradient at the embeddings, sum over dimensions. One score a token."""
    inputs = model.tensors(model.encode([pair]))
    embeds = model.embed(inputs.pop("input_ids")).clone().requires_grad_()
    logits = model.network(inputs_embeds=embeds, **inputs).logits[:, list(model.order)]
    if times_input:
        logits[0, int(target)].backward()
        return (embeds.grad * embeds).sum(-1)[0].tolist()
    torch.nn.functional.cross_entropy(logits, torch.tensor([int(target)])).backward()
    return embeds.grad.abs().sum(-1)[0].tolist()


@pytest.mark.parametrize("target", list(Label))
@pytest.mark.parametrize("method", ["gradient", "input_x_gradient"])
def test_gradients_are_those_of_plain_torch(tiny: NLIModel, method: str, target: Label) -> None:
    tokens = by_hand(tiny, PAIR, target, times_input=method == "input_x_gradient")
    got = attribute(tiny, PAIR, target=target, method=method)
    at = 1
    for word, score in zip(got.words, got.scores, strict=True):
        if word.segment == "hypothesis" and at < 13:
            at = 13  # [CLS] a man is playing a gui ##tar on a stage . [SEP]
        assert score == pytest.approx(sum(tokens[at : at + word.pieces]), rel=1e-3, abs=1e-5), word.of(PAIR)
        at += word.pieces
    assert sum(got.scores) + got.rest == pytest.approx(sum(tokens), rel=1e-4)
    assert [w.pieces for w in got.words if w.of(PAIR) in ("guitar", "instrument")] == [2, 2]


def test_integrated_gradients_are_complete(tiny: NLIModel) -> None:
    got = attribute(tiny, SURE, target=Label.CONTRADICTION, method="integrated_gradients", steps=128)
    whole = mask(SURE, tiny.words(SURE))
    logits = [tiny.logits(tiny.tensors(tiny.encode([p])))[0, 2].item() for p in (SURE, whole)]
    assert got.change == pytest.approx(logits[0] - logits[1], abs=1e-4)
    assert abs(got.change) > 0.5, "the effect must be large, or a broken integral passes"
    assert sum(got.scores) + got.rest == pytest.approx(got.change + got.gap, abs=1e-4)
    assert abs(got.gap) < 0.05 * abs(got.change)
    assert got.rest == pytest.approx(0, abs=1e-6), "special tokens and punctuation are the same in the baseline"


def test_leave_one_out_and_mask_map_by_hand(tiny: NLIModel) -> None:
    got = attribute(tiny, PAIR, target=Label.ENTAILMENT, method="leave_one_out")
    before = tiny.predict([PAIR])[0]
    effects = {e.word: e.after for e in mask_map(tiny, PAIR)}
    assert [w.of(PAIR) for w in effects] == ["The", "person", "is", "playing", "an", "instrument"]
    for word, score in zip(got.words, got.scores, strict=True):
        after = tiny.predict([mask(PAIR, [word])])[0]
        assert score == pytest.approx(before.probs[0] - after.probs[0], abs=1e-6)
        if word in effects:
            assert effects[word].probs == pytest.approx(after.probs, abs=1e-6)
    assert max(map(abs, got.scores)) > 0.01


def test_one_pass_gives_what_two_give(tiny: NLIModel) -> None:
    passes: list[int] = []

    class Counted(NLIModel):
        def ask(self, encodings: Any, targets: Any) -> Any:
            passes.append(len(encodings))
            return super().ask(encodings, targets)

    model = Counted(tiny.parts, tiny.checkpoint, tiny.order)
    for target in (None, Label.CONTRADICTION):
        said, scores, effects = look_and_map(model, PAIR, target=target)
        alone, found = look(tiny, PAIR, target=target)
        assert said.probs == pytest.approx(alone.probs, abs=1e-6)
        assert (scores.words, scores.target) == (found.words, found.target) and scores.scores == pytest.approx(found.scores, rel=1e-4)
        for effect, by_itself in zip(effects, mask_map(tiny, PAIR), strict=True):
            assert effect.word == by_itself.word and effect.after.probs == pytest.approx(by_itself.after.probs, abs=1e-6)
    assert passes == [7, 7], "the pair and its six masked forms at once"
    assert look_and_map(tiny, Pair("A man.", "!"))[2] == ()


def test_many_are_one_by_one_in_order(tiny: NLIModel) -> None:
    pairs = [PAIR, Pair("A cat is sitting.", "A cat is swimming."), Pair("A dog is running in a park.", "The dog is late."), PAIR]
    targets = [Label.ENTAILMENT, Label.CONTRADICTION, Label.NEUTRAL, Label.NEUTRAL]
    for method in METHODS:
        for many, pair, target in zip(attribute_many(tiny, pairs, targets, method=method), pairs, targets, strict=True):
            alone = attribute(tiny, pair, target=target, method=method)
            assert (many.pair, many.target, many.words) == (alone.pair, alone.target, alone.words)
            assert many.scores == pytest.approx(alone.scores, rel=1e-3, abs=1e-5)


def test_sixteen_threads_get_the_single_threaded_answers(tiny: NLIModel, tiny_finetuned: Path) -> None:
    models = (tiny, load(str(tiny_finetuned)))
    jobs = [
        (m, p, t, method)
        for m in models
        for p in (PAIR, Pair("A cat is sitting.", "A cat is swimming."))
        for t in Label
        for method in METHODS
    ]
    torch.set_num_threads(1)
    alone = [attribute(m, p, target=t, method=method) for m, p, t, method in jobs]
    with ThreadPoolExecutor(16) as pool:
        for _ in range(3):
            assert list(pool.map(lambda job: attribute(job[0], job[1], target=job[2], method=job[3]), jobs)) == alone


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_sixteen_threads_on_the_shipped_checkpoints(shipped: Path) -> None:
    """All attributions, the mask map and the predictions, with each other's models in between: bit for bit as one thread has them."""
    models = [load(str(shipped / name)) for name in ("baseline", "finetuned", "robust")]
    pairs = (
        PAIR,
        SURE,
        Pair("Two dogs run in a field near the old mill.", "Nobody is in the field."),
        Pair("A [MASK] sleeps.", "The man isn't awake."),
    )
    torch.set_num_threads(1)

    def work(job: tuple[NLIModel, Pair, Label | None, str]) -> object:
        model, pair, target, what = job
        if what == "map":
            return mask_map(model, pair)
        return model.predict(list(pairs)) if target is None else attribute(model, pair, target=target, method=what)  # type: ignore[arg-type]

    jobs = [(m, p, t, method) for p in pairs for method in METHODS for t in (Label.ENTAILMENT, Label.CONTRADICTION) for m in models]
    jobs += [(m, p, None, what) for p in pairs for m in models for what in ("map", "predict")]
    alone = [work(job) for job in jobs]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, jobs)) == alone


def test_nothing_stays_on_the_network(tiny: NLIModel) -> None:
    for method in METHODS:
        attribute(tiny, PAIR, target=Label.NEUTRAL, method=method)
    assert all(p.grad is None for p in tiny.network.parameters())
    assert not any(m._forward_hooks or m._backward_hooks or m._forward_pre_hooks for m in tiny.network.modules())


def test_an_unknown_method_is_refused(tiny: NLIModel) -> None:
    with pytest.raises(InputError, match="Did you mean 'gradient'"):
        attribute(tiny, PAIR, target=Label.NEUTRAL, method="gradeint")  # type: ignore[arg-type]


def test_training_mode_is_refused(tiny_baseline: Path) -> None:
    model = load(str(tiny_baseline))
    model.network.train()
    with pytest.raises(AssertionError):
        attribute(model, PAIR, target=Label.NEUTRAL)


@pytest.mark.parametrize("method", METHODS)
def test_a_look_is_a_prediction_and_an_attribution(tiny: NLIModel, method: str) -> None:
    for target in (None, Label.NEUTRAL):
        said, found = look(tiny, PAIR, target=target, method=method)  # type: ignore[arg-type]
        assert said.probs == pytest.approx(tiny.predict([PAIR])[0].probs, abs=1e-6)
        alone = attribute(tiny, PAIR, target=said.label if target is None else target, method=method)  # type: ignore[arg-type]
        assert found.target == alone.target and found.scores == pytest.approx(alone.scores, rel=1e-4, abs=1e-6)
