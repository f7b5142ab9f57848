"""NLIModel: load a checkpoint, encode pairs, predict. The checkpoint's label order and all token indices end here.

A typed `[MASK]` is the mask token; `[SEP]`, `[CLS]`, `[PAD]`, `[UNK]` in a sentence are plain text. Any
`AutoModelForSequenceClassification` with the three NLI label names works; weights are float32 in memory. BERT-, ELECTRA- and
RoBERTa-shaped ones run in `fast`, all others in transformers.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from robustnli import loading
from robustnli.batching import batches, packs, side_by_side, tokens_a_batch
from robustnli.checkpoints import label_order, resolve
from robustnli.config import threads
from robustnli.errors import CheckpointError, RobustNLIError
from robustnli.fast import Differentiable, half_precision, pack, same_length
from robustnli.loading import Parts
from robustnli.masking import spans
from robustnli.typed import ahead, first, first_seen, mask_at, mask_spans, whole
from robustnli.types import Checkpoint, Label, Pair, Prediction, Segment, Word

SEGMENTS: tuple[Segment, Segment] = ("premise", "hypothesis")
_TRIAL = Pair("A lamp glows.", "It is [MASK].")


@dataclass(frozen=True, slots=True)
class Encoding:
    """One pair as the model reads it. All have the same length; `segments` is 0 premise, 1 hypothesis, -1 special."""

    ids: tuple[int, ...]
    types: tuple[int, ...]
    segments: tuple[int, ...]
    starts: tuple[int, ...]  # first character of the token in its sentence


@dataclass(frozen=True, slots=True)
class Fit:
    """A pair cut to what the model can read; `cut` tells in ready sentences what was cut, () when nothing was."""

    pair: Pair
    cut: tuple[str, ...] = ()


class NLIModel:
    """A classifier of pairs. Safe to share between threads: evaluation mode, no hooks, weights frozen."""

    def __init__(self, parts: Parts, checkpoint: Checkpoint, order: tuple[int, int, int], exact: NLIModel | None = None):
        self.parts, self.checkpoint, self.order, self.max_length = parts, checkpoint, order, parts.max_length
        self.mask_id = parts.mask_id
        self._exact = exact
        self._backend = parts.tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self._backend.encode_special_tokens = True  # what a user types is text, not structure
        # Pieces of some tokenizers (DeBERTa's) begin with the space before the word.
        self._spaced = any(start == 1 for start, _ in self._backend.encode("a a", add_special_tokens=False).offsets)
        self._typed = parts.config.get("type_vocab_size", 0) > 1
        self._network: Any = None
        self._bulk: NLIModel | None = None
        self._lock = threading.Lock()

    @property
    def network(self) -> Any:
        """transformers' own network: opened when it is first asked for."""
        with self._lock:
            self._network = self._network or self.parts.network()
            return self._network

    @property
    def exact(self) -> NLIModel:
        """The same weights in float32."""
        return self._exact or self

    @property
    def bulk(self) -> NLIModel:
        """This model for offline work: in bfloat16 where the processor multiplies it natively, else itself. Its answers are near those
        of `exact`, not the same: what is reported of it should be confirmed there.
        """
        if self.exact is not self or self.parts.lean is None or not half_precision():
            return self
        with self._lock:
            if self._bulk is None:
                self._bulk = type(self)(replace(self.parts, lean=self.parts.lean.at(torch.bfloat16)), self.checkpoint, self.order, self)
            return self._bulk

    def predict(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """One `Prediction` a pair, in order. Pairs too long are cut as `fit` does."""
        return self.predict_encoded(self.encode(pairs))

    def predict_encoded(self, encodings: Sequence[Encoding]) -> list[Prediction]:
        """`predict`, of what `encode` gave; an input-format audit may have changed it."""
        return self.ask(encodings, {})[0]

    def ask(self, encodings: Sequence[Encoding], targets: Mapping[int, Label | None]) -> tuple[list[Prediction], dict[int, list[float]]]:
        """Predictions of all rows, in order, and token scores of those rows that `targets` names, from one pass.

        A token's score is the sum over dimensions of |d loss / d its word embedding|, the loss at the row's target; None: at the
        label that is predicted.
        """
        predictions: list[Prediction | None] = [None] * len(encodings)
        scores: dict[int, list[float]] = {}
        lengths = [len(e.ids) for e in encodings]
        chosen = [i for i in range(len(encodings)) if i in targets]
        rest = [i for i in range(len(encodings)) if i not in targets]
        ask = self._ask_network if self.parts.lean is None else self._ask_lean
        group = batches if self.parts.lean is None else packs
        groups = list(group(lengths, chosen, rest, tokens=tokens_a_batch(lengths)))

        def answers(rows: list[int]) -> tuple[torch.Tensor, list[list[float]]]:
            return ask([encodings[i] for i in rows], [targets[i] for i in rows if i in targets])

        for rows, (logits, found) in zip(groups, side_by_side(answers, groups), strict=True):
            if not bool(logits.isfinite().all()):
                raise CheckpointError(
                    f"checkpoint {self.checkpoint.name!r}: its answer is no number (NaN or infinity). Its training diverged, or the file is damaged."
                )
            for i, probs in zip(rows, logits.double().softmax(-1).tolist(), strict=True):
                predictions[i] = Prediction(tuple(probs))
            scores.update(zip(rows, found, strict=False))
        return predictions, scores  # type: ignore[return-value]

    def _ask_lean(self, encodings: Sequence[Encoding], targets: Sequence[Label | None]) -> tuple[torch.Tensor, list[list[float]]]:
        """Logits (rows, 3) of rows, and token scores of the first rows, one a target."""
        lean = self.parts.lean
        assert lean is not None
        self._assert_steady()
        with torch.inference_mode():
            packed = pack([e.ids for e in encodings], [e.types if self._typed else (0,) * len(e.ids) for e in encodings], len(targets))
            counts = [len(e.ids) for e in encodings[: len(targets)]]
            keep = sum(start < sum(counts) for start, _, _ in packed.groups)
            own, trace = lean.logits(lean.words[packed.ids], packed, keep=keep)
            logits = own[:, list(self.order)]
            if trace is None:
                return logits, []
            d_own = torch.zeros(len(targets), own.shape[1])
            d_own[:, list(self.order)] = _d_loss(logits[: len(targets)], targets)
            found = lean.gradient(trace, d_own).abs().sum(-1)  # (tokens,)
        return logits, [part.tolist() for part in found.double().split(counts)]

    def _ask_network(self, encodings: Sequence[Encoding], targets: Sequence[Label | None]) -> tuple[torch.Tensor, list[list[float]]]:
        """`_ask_lean` through transformers and autograd: all rows have one length, and a target each, or none has."""
        inputs = self.tensors(encodings)
        if not targets:
            with torch.inference_mode():
                return self.logits(inputs), []
        embeds = self.embed(inputs.pop("input_ids")).detach().requires_grad_()
        with torch.enable_grad():
            logits = self.logits({"inputs_embeds": embeds, **inputs})
            (found,) = torch.autograd.grad(logits, embeds, _d_loss(logits.detach(), targets))
        return logits.detach(), found.abs().sum(-1).double().tolist()

    def _assert_steady(self) -> None:
        assert self._network is None or not self._network.training, "evaluation mode is what makes scores repeatable"

    def encode(self, pairs: Sequence[Pair]) -> list[Encoding]:
        """Token ids of each pair; one longer than `max_length` is first cut by `fit`."""
        pairs = [self._ahead(pair) for pair in pairs]
        raw = self._backend.encode_batch([(p.premise, p.hypothesis) for p in pairs])
        out = []
        for pair, encoded in zip(pairs, raw, strict=True):
            encoding = self._with_masks(pair, encoded)
            if len(encoding.ids) > self.max_length:
                pair = self.fit(pair).pair
                encoding = self._with_masks(pair, self._backend.encode(pair.premise, pair.hypothesis))
            out.append(encoding)
        return out

    def _with_masks(self, pair: Pair, encoded: Any) -> Encoding:
        """The tokenizer's output with the pieces of each literal `[MASK]` replaced by one mask token."""
        segments = tuple([-1 if s is None else s for s in encoded.sequence_ids])
        masks = [mask_spans(pair.premise), mask_spans(pair.hypothesis)]
        starts = tuple([start for start, _ in encoded.offsets])
        if self._spaced:
            starts = tuple(
                [
                    first_seen((pair.premise, pair.hypothesis)[s], start) if s >= 0 else start
                    for s, start in zip(segments, starts, strict=True)
                ]
            )
        if not masks[0] and not masks[1]:
            return Encoding(tuple(encoded.ids), tuple(encoded.type_ids), segments, starts)
        rows = []
        last: tuple[int, int] | None = None
        for token, kind, segment, start, (_, end) in zip(encoded.ids, encoded.type_ids, segments, starts, encoded.offsets, strict=True):
            inside = mask_at(masks[segment], start, end) if segment >= 0 else None
            if inside is None:
                rows.append((token, kind, segment, start))
                continue
            text = (pair.premise, pair.hypothesis)[segment]
            if start < inside[0]:  # "([" is one piece of RoBERTa's: what stands before the mask is read anew
                rows += [(i, kind, segment, start) for i in self._pieces(text[start : inside[0]])]
            if last != (segment, inside[0]):
                rows.append((self.mask_id, kind, segment, inside[0]))
            last = (segment, inside[0])
            if end > inside[1]:  # so is "]."
                after = bisect_left(masks[segment], inside[1], key=first)
                rest = min(end, masks[segment][after][0]) if after < len(masks[segment]) else end
                rows += [(i, kind, segment, inside[1]) for i in self._pieces(text[inside[1] : rest])]
        ids, types, segs, starts = zip(*rows, strict=True)
        return Encoding(ids, types, segs, starts)

    def _ahead(self, pair: Pair) -> Pair:
        """What of a pair needs to be looked at: of a text far too long only a beginning that is too long as well."""
        if len(pair.premise) + len(pair.hypothesis) < 8 * self.max_length:
            return whole(pair)
        enough = 16 * self.max_length  # pieces: of a literal mask there are several, and one token becomes of them
        return Pair(*(ahead(text, lambda part: len(self._pieces(part)), enough) for text in (whole(pair).premise, whole(pair).hypothesis)))

    def _pieces(self, text: str) -> list[int]:
        ids: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        return ids

    def tensors(self, encodings: Sequence[Encoding]) -> dict[str, torch.Tensor]:
        """Model inputs of encodings of one length: each tensor is (batch, length); no padding, so no attention mask."""
        inputs = {"input_ids": torch.tensor([e.ids for e in encodings])}
        if self._typed:
            inputs["token_type_ids"] = torch.tensor([e.types for e in encodings])
        return inputs

    def logits(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Logits (batch, 3) in our label order, differentiable. `inputs` has `input_ids`, or `inputs_embeds` (batch, length, embedding)."""
        self._assert_steady()
        if self.parts.lean is None:
            logits: torch.Tensor = self.network(**inputs).logits
            return logits[:, list(self.order)]
        embeds = inputs["inputs_embeds"] if "inputs_embeds" in inputs else self.embed(inputs["input_ids"])
        packed = same_length(torch.zeros(embeds.shape[:2], dtype=torch.long), inputs.get("token_type_ids"))
        return Differentiable.apply(embeds.flatten(0, 1), self.parts.lean, packed)[:, list(self.order)]  # type: ignore[no-any-return]

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Word embeddings (batch, length, embedding) of `ids` (batch, length): before positions and segments are added."""
        if self.parts.lean is not None:
            return self.parts.lean.words[ids]
        embedded: torch.Tensor = self.network.get_input_embeddings()(ids)
        return embedded

    def words(self, pair: Pair) -> tuple[Word, ...]:
        """The words of both sentences that the model reads, in order, each with its number of pieces."""
        return self.words_of(pair, self.encode([pair])[0])

    def words_of(self, pair: Pair, encoding: Encoding) -> tuple[Word, ...]:
        """`words`, of a pair already encoded."""
        return self.words_and_tokens(pair, encoding)[0]

    def words_and_tokens(self, pair: Pair, encoding: Encoding) -> tuple[tuple[Word, ...], list[int]]:
        """`words`, and for each token the number of the word it is a piece of (-1: special token, punctuation)."""
        number: dict[tuple[int, tuple[int, int]], int] = {}
        of_token: list[int] = []
        pieces: list[int] = []
        for segment, span in self.word_of_token(pair, encoding):
            if span is None:
                of_token.append(-1)
                continue
            at = number.setdefault((segment, span), len(number))
            if at == len(pieces):
                pieces.append(0)
            pieces[at] += 1
            of_token.append(at)
        return tuple(Word(SEGMENTS[segment], *span, n) for (segment, span), n in zip(number, pieces, strict=True)), of_token

    def word_of_token(self, pair: Pair, encoding: Encoding) -> Iterator[tuple[int, tuple[int, int] | None]]:
        """For each token: its segment, and the span of the word it is a piece of (None: special token, punctuation)."""
        known = [spans(pair.premise), spans(pair.hypothesis)]
        firsts = [[start for start, _ in row] for row in known]
        for segment, start in zip(encoding.segments, encoding.starts, strict=True):
            at = bisect_right(firsts[segment], start) - 1 if segment >= 0 else -1
            yield segment, known[segment][at] if at >= 0 and start < known[segment][at][1] else None

    def fit(self, pair: Pair) -> Fit:
        """`pair` cut at word ends to `max_length` tokens: the premise first, the hypothesis only when it must be.

        At least a quarter of the room (or the whole premise, if shorter) stays with the premise.
        """
        read = self._ahead(pair)
        tokens = [self._backend.encode(read.text(segment), add_special_tokens=False) for segment in SEGMENTS]
        encoding = self._with_masks(read, self._backend.encode(read.premise, read.hypothesis))
        counts = [encoding.segments.count(0), encoding.segments.count(1)]
        room = self.max_length - encoding.segments.count(-1)
        if sum(counts) <= room:
            return Fit(pair)
        kept_hypothesis = min(counts[1], room - min(counts[0], room // 4))
        kept = [room - kept_hypothesis, kept_hypothesis]
        texts, cut = [], []
        for segment, limit, count, encoded in zip(SEGMENTS, kept, counts, tokens, strict=True):
            text = pair.text(segment)
            if count > limit:
                shorter = _cut(text, encoded.offsets, limit)
                lost = len(spans(text)) - len(spans(shorter))
                cut.append(
                    f"The {segment} is too long: the model reads {self.max_length} pieces, so its last {lost:,} of {len(spans(text)):,} words were cut."
                )
                text = shorter
            texts.append(text)
        return Fit(Pair(*texts), tuple(cut))


def _cut(text: str, offsets: Sequence[tuple[int, int]], limit: int) -> str:
    """`text` up to its last whole word within the first `limit` tokens (inside a word, where one word fills them all)."""
    end = offsets[limit - 1][1]
    if limit < len(offsets) and offsets[limit][0] == end:  # the next token continues this word, or touches it
        whole = [stop for _, stop in spans(text) if stop <= end]
        end = whole[-1] if whole else end
    return text[:end]


def _d_loss(logits: torch.Tensor, targets: Sequence[Label | None]) -> torch.Tensor:
    """d cross-entropy / d logits (rows, 3), each row at its target, or at what it predicts."""
    wanted = [int(logits[i].argmax()) if target is None else int(target) for i, target in enumerate(targets)]
    return logits.softmax(-1) - torch.nn.functional.one_hot(torch.tensor(wanted), 3)


def load(name: str) -> NLIModel:
    """The model of a found name, a local folder, or a hub id (`owner/name`). Raises CheckpointError; never a pickle."""
    hub = name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()
    checkpoint = Checkpoint(name, name, "hub") if hub else resolve(name)
    torch.set_num_threads(threads())
    try:
        return _load(checkpoint, local=not hub)
    except RobustNLIError:
        raise
    except BaseException as error:  # torch, safetensors and tokenizers each raise their own kinds for a broken file
        if (
            not isinstance(error, Exception) and type(error).__name__ != "PanicException"
        ):  # of Rust: a bug of tokenizers, shown by this file
            raise
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        hint = "Check the id and the network." if hub else "Copy the whole checkpoint again."
        raise CheckpointError(f"checkpoint {checkpoint.name!r}: cannot be loaded ({first}). {hint}") from error


def _load(checkpoint: Checkpoint, *, local: bool) -> NLIModel:
    if local:
        loading.refuse_sizes(checkpoint)
    parts = loading.light(checkpoint) if local else None
    if parts is None:
        tokenizer, network = loading.whole(checkpoint, local=local)
        parts = loading.of_network(network, tokenizer)
        if not local:
            commit = getattr(network.config, "_commit_hash", None)
            checkpoint = Checkpoint(checkpoint.name, checkpoint.path, str(commit or "hub"))
    model = NLIModel(parts, checkpoint, label_order(parts.config, checkpoint.name))
    model.predict([_TRIAL])  # sizes that do not fit each other show themselves here
    return model
