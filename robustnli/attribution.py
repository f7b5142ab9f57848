"""attribute(model, pair, target, method): one score a word. No hook is ever set; Captum, where it is used, gets embeddings.

gradient               the paper's section 4.2: sum over dimensions of |d loss(target) / d embedding|; magnitudes, >= 0
input_x_gradient       embedding * d logit(target) / d embedding, summed: signed, first-order
integrated_gradients   Sundararajan et al. 2017, along the line from the pair with every word masked: signed, and
                       sum(scores) + rest = logit(pair) - logit(baseline) + gap; the gap is the numerical error
leave_one_out          probability of the target minus the same with the word masked: signed, no gradient at all
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from robustnli.batching import batches
from robustnli.errors import InputError, did_you_mean
from robustnli.masking import mask
from robustnli.models import Encoding, NLIModel
from robustnli.types import Attribution, Label, MaskEffect, Method, Pair, Prediction, Segment, Word

METHODS: dict[Method, str] = {
    "gradient": "Loss gradient (the paper's)",
    "input_x_gradient": "Input x gradient",
    "integrated_gradients": "Integrated gradients",
    "leave_one_out": "Leave one word out",
}
STEPS = 32


def attribute(model: NLIModel, pair: Pair, *, target: Label, method: Method = "gradient", steps: int = STEPS) -> Attribution:
    """Word scores of `pair` for `target`, premise first. A pair too long is cut as `NLIModel.fit` does.

    Raises InputError for an unknown method.
    """
    return attribute_many(model, [pair], [target], method=method, steps=steps)[0]


def attribute_many(
    model: NLIModel, pairs: Sequence[Pair], targets: Sequence[Label], *, method: Method = "gradient", steps: int = STEPS
) -> list[Attribution]:
    """`attribute` for many pairs, batched by length; the results are in the order given."""
    if method not in METHODS:
        raise InputError(f"attribution method {method!r} is unknown.{did_you_mean(method, METHODS)}")
    if method == "leave_one_out":
        return [_leave_one_out(model, pair, target) for pair, target in zip(pairs, targets, strict=True)]
    if method == "gradient":
        return [attribution for _, attribution in predict_and_attribute(model, pairs, targets)]
    encodings = model.encode(pairs)
    out: list[Attribution | None] = [None] * len(pairs)
    for rows in batches([len(e.ids) for e in encodings]):
        group = [encodings[i] for i in rows]
        labels = torch.tensor([int(targets[i]) for i in rows])
        scores, changes = _token_scores(model, [pairs[i] for i in rows], group, labels, method, steps)
        for i, row, change in zip(rows, scores.double().tolist(), changes, strict=True):
            out[i] = _by_word(model, Attribution(pairs[i], targets[i], method, (), (), change=change), encodings[i], row)
    return out  # type: ignore[return-value]


def look(model: NLIModel, pair: Pair, *, target: Label | None = None, method: Method = "gradient") -> tuple[Prediction, Attribution]:
    """The prediction and the word scores for `target` (None: the label predicted), in as few passes as the method needs."""
    if method == "gradient":
        return predict_and_attribute(model, [pair], [target])[0]
    said = model.predict([pair])[0]
    return said, attribute(model, pair, target=said.label if target is None else target, method=method)


def predict_and_attribute(model: NLIModel, pairs: Sequence[Pair], targets: Sequence[Label | None]) -> list[tuple[Prediction, Attribution]]:
    """Predictions and loss gradients of many pairs, both from one pass; a target that is None is the label predicted."""
    encodings = model.encode(pairs)
    predictions, scores = model.ask(encodings, dict(enumerate(targets)))
    out = []
    for i, (pair, target, prediction) in enumerate(zip(pairs, targets, predictions, strict=True)):
        blank = Attribution(pair, prediction.label if target is None else target, "gradient", (), ())
        out.append((prediction, _by_word(model, blank, encodings[i], scores[i])))
    return out


def look_and_map(
    model: NLIModel, pair: Pair, *, target: Label | None = None, segment: Segment = "hypothesis"
) -> tuple[Prediction, Attribution, tuple[MaskEffect, ...]]:
    """`look` with the loss gradient and `mask_map`, from one pass over the pair and its masked forms: a fifth quicker."""
    read, every = _read(model, pair)
    words = [word for word in every if word.segment == segment]
    encodings = model.encode([read, *(mask(read, [word]) for word in words)])
    (said, *after), scores = model.ask(encodings, {0: target})
    blank = Attribution(read, said.label if target is None else target, "gradient", (), ())
    return said, _by_word(model, blank, encodings[0], scores[0]), tuple(map(MaskEffect, words, after))


def _token_scores(
    model: NLIModel, pairs: Sequence[Pair], group: Sequence[Encoding], labels: torch.Tensor, method: Method, steps: int
) -> tuple[torch.Tensor, Sequence[float | None]]:
    """Scores (batch, length) and, for integrated gradients, logit(pair) - logit(baseline) of each row."""
    from captum.attr import InputXGradient, IntegratedGradients  # here: its import costs a second, and most pages never need it

    inputs = model.tensors(group)
    ids = inputs.pop("input_ids")  # (batch, length)
    types = inputs.get("token_type_ids")
    embeds = model.embed(ids).detach().requires_grad_()  # (batch, length, embedding)

    def logit(embedded: torch.Tensor, labels: torch.Tensor, types: torch.Tensor | None) -> torch.Tensor:
        given = {"inputs_embeds": embedded} if types is None else {"inputs_embeds": embedded, "token_type_ids": types}
        return model.logits(given).gather(1, labels[:, None])[:, 0]  # (batch,)

    extra = (labels, types)
    if method == "input_x_gradient":
        return InputXGradient(logit).attribute(embeds, additional_forward_args=extra).sum(-1), [None] * len(group)
    baseline = model.embed(_masked_ids(model, pairs, group, ids))
    scores = IntegratedGradients(logit).attribute(
        embeds, baselines=baseline, additional_forward_args=extra, n_steps=steps, internal_batch_size=max(len(group), 32)
    )
    with torch.inference_mode():
        change = logit(embeds, *extra) - logit(baseline, *extra)
    return scores.sum(-1), change.double().tolist()


def _masked_ids(model: NLIModel, pairs: Sequence[Pair], group: Sequence[Encoding], ids: torch.Tensor) -> torch.Tensor:
    """`ids` with every piece of every word masked: special tokens, punctuation, positions and segments stay."""
    masked = ids.clone()
    for row, (pair, encoding) in enumerate(zip(pairs, group, strict=True)):
        for token, (_, span) in enumerate(model.word_of_token(pair, encoding)):
            if span is not None:
                masked[row, token] = model.mask_id
    return masked


def _by_word(model: NLIModel, blank: Attribution, encoding: Encoding, scores: Sequence[float]) -> Attribution:
    """`blank` with token scores summed to words: a word's score is the sum of its pieces'."""
    words, of_token = model.words_and_tokens(blank.pair, encoding)
    totals, rest = [0.0] * len(words), 0.0
    for word, score in zip(of_token, scores, strict=True):
        if word < 0:
            rest += score
        else:
            totals[word] += score
    gap = None if blank.change is None else sum(totals) + rest - blank.change
    return replace(blank, words=words, scores=tuple(totals), rest=rest, gap=gap)


def _leave_one_out(model: NLIModel, pair: Pair, target: Label) -> Attribution:
    read, words = _read(model, pair)
    whole, *masked = model.predict([read, *(mask(read, [word]) for word in words)])
    scores = tuple(whole.probs[target] - prediction.probs[target] for prediction in masked)
    return Attribution(pair, target, "leave_one_out", words, scores)


def mask_map(model: NLIModel, pair: Pair, segment: Segment = "hypothesis") -> tuple[MaskEffect, ...]:
    """What the model says when each word of `segment` is masked alone: one batch, in the order of the words."""
    read, every = _read(model, pair)
    words = [word for word in every if word.segment == segment]
    return tuple(map(MaskEffect, words, model.predict([mask(read, [word]) for word in words])))


def _read(model: NLIModel, pair: Pair) -> tuple[Pair, tuple[Word, ...]]:
    """What the model reads of the pair, and its words: the rest of a text too long is not read once a word."""
    read = model.fit(pair).pair
    return read, model.words(read)
