"""NLIModel: load a checkpoint, encode pairs, predict. The checkpoint's label order and all token indices end here.

A typed `[MASK]` is the mask token; `[SEP]`, `[CLS]`, `[PAD]`, `[UNK]` in a sentence are plain text. Any
`AutoModelForSequenceClassification` with the three NLI label names works; weights are float32 in memory.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from robustnli.checkpoints import label_order, resolve
from robustnli.config import threads
from robustnli.errors import CheckpointError, RobustNLIError
from robustnli.masking import spans
from robustnli.types import MASK, Checkpoint, Pair, Prediction, Segment, Word

# transformers imports its parts when they are first asked for; two threads that ask at once find it half imported.
_LOADING = threading.Lock()
SEGMENTS: tuple[Segment, Segment] = ("premise", "hypothesis")
TOKENS_PER_BATCH = 2048


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

    def __init__(self, network: Any, tokenizer: Any, checkpoint: Checkpoint, order: tuple[int, int, int], max_length: int):
        self.network, self.checkpoint, self.order, self.max_length = network, checkpoint, order, max_length
        self.mask_id: int = tokenizer.mask_token_id
        self.pad_id: int = tokenizer.pad_token_id or 0
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self._backend.encode_special_tokens = True  # what a user types is text, not structure
        self._typed = getattr(network.config, "type_vocab_size", 0) > 1

    def predict(self, pairs: Sequence[Pair]) -> list[Prediction]:
        """One `Prediction` a pair, in order. Pairs too long are cut as `fit` does."""
        return self.predict_encoded(self.encode(pairs))

    def predict_encoded(self, encodings: Sequence[Encoding]) -> list[Prediction]:
        """`predict`, of what `encode` gave; an input-format audit may have changed it."""
        out: list[Prediction | None] = [None] * len(encodings)
        for rows in batches([len(e.ids) for e in encodings]):
            with torch.inference_mode():
                logits = self.logits(self.tensors([encodings[i] for i in rows]))
            for i, probs in zip(rows, logits.double().softmax(-1).tolist(), strict=True):
                out[i] = Prediction(tuple(probs))
        return out  # type: ignore[return-value]

    def encode(self, pairs: Sequence[Pair]) -> list[Encoding]:
        """Token ids of each pair; one longer than `max_length` is first cut by `fit`."""
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
        masks = [_mask_spans(pair.premise), _mask_spans(pair.hypothesis)]
        segments = [-1 if s is None else s for s in encoded.sequence_ids]
        rows = []
        last: tuple[int, int] | None = None
        for token, kind, segment, (start, end) in zip(encoded.ids, encoded.type_ids, segments, encoded.offsets, strict=True):
            inside = next(((a, b) for a, b in masks[segment] if a <= start and end <= b and end > start), None) if segment >= 0 else None
            if inside is not None:
                if last != (segment, inside[0]):
                    rows.append((self.mask_id, kind, segment, inside[0]))
                last = (segment, inside[0])
            else:
                rows.append((token, kind, segment, start))
        ids, types, segs, starts = zip(*rows, strict=True)
        return Encoding(ids, types, segs, starts)

    def tensors(self, encodings: Sequence[Encoding]) -> dict[str, torch.Tensor]:
        """Model inputs of encodings of one length: each tensor is (batch, length); no padding, so no attention mask."""
        inputs = {"input_ids": torch.tensor([e.ids for e in encodings])}
        if self._typed:
            inputs["token_type_ids"] = torch.tensor([e.types for e in encodings])
        return inputs

    def logits(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Logits (batch, 3) in our label order. `inputs` has `input_ids`, or `inputs_embeds` (batch, length, embedding)."""
        assert not self.network.training, "evaluation mode is what makes scores repeatable"
        logits: torch.Tensor = self.network(**inputs).logits
        return logits[:, list(self.order)]

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """Word embeddings (batch, length, embedding) of `ids` (batch, length): before positions and segments are added."""
        embedded: torch.Tensor = self.network.get_input_embeddings()(ids)
        return embedded

    def words(self, pair: Pair) -> tuple[Word, ...]:
        """The words of both sentences that the model reads, in order, each with its number of pieces."""
        return self.words_of(pair, self.encode([pair])[0])

    def words_of(self, pair: Pair, encoding: Encoding) -> tuple[Word, ...]:
        """`words`, of a pair already encoded."""
        counts: dict[tuple[int, int, int], int] = {}
        for segment, span in self.word_of_token(pair, encoding):
            if span is not None:
                counts[segment, *span] = counts.get((segment, *span), 0) + 1
        return tuple(Word(SEGMENTS[segment], start, end, pieces) for (segment, start, end), pieces in counts.items())

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
        tokens = [self._backend.encode(pair.text(segment), add_special_tokens=False) for segment in SEGMENTS]
        encoding = self._with_masks(pair, self._backend.encode(pair.premise, pair.hypothesis))
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


def _mask_spans(text: str) -> list[tuple[int, int]]:
    return [(start, end) for start, end in spans(text) if text[start:end] == MASK] if MASK in text else []


def _cut(text: str, offsets: Sequence[tuple[int, int]], limit: int) -> str:
    """`text` up to its last whole word within the first `limit` tokens (inside a word, where one word fills them all)."""
    end = offsets[limit - 1][1]
    if limit < len(offsets) and offsets[limit][0] == end:  # the next token continues this word, or touches it
        whole = [stop for _, stop in spans(text) if stop <= end]
        end = whole[-1] if whole else end
    return text[:end]


def batches(lengths: Sequence[int], tokens: int = TOKENS_PER_BATCH) -> Iterator[list[int]]:
    """Row numbers grouped so that all rows of a group have one length, at most `tokens` tokens a group."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    group: list[int] = []
    for i in order:
        if group and (lengths[i] != lengths[group[0]] or (len(group) + 1) * lengths[i] > tokens):
            yield group
            group = []
        group.append(i)
    if group:
        yield group


@contextmanager
def fast_matmul() -> Iterator[None]:
    """Inside: matrix products may multiply in bf16 (twice the speed where the processor can). Process-wide: offline work only."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def load(name: str) -> NLIModel:
    """The model of a found name, a local folder, or a hub id (`owner/name`). Raises CheckpointError; never a pickle."""
    hub = name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()
    checkpoint = Checkpoint(name, name, "hub") if hub else resolve(name)
    torch.set_num_threads(threads())
    try:
        with _LOADING:
            return _load(checkpoint, local=not hub)
    except RobustNLIError:
        raise
    except Exception as error:  # torch, safetensors and tokenizers each raise their own kinds for a broken file
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        hint = "Check the id and the network." if hub else "Copy the whole checkpoint again."
        raise CheckpointError(f"checkpoint {checkpoint.name!r}: cannot be loaded ({first}). {hint}") from error


def _load(checkpoint: Checkpoint, *, local: bool) -> NLIModel:
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()

    options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(checkpoint.path, **options)
    order = label_order({"id2label": config.id2label}, checkpoint.name)
    if not local:
        checkpoint = Checkpoint(checkpoint.name, checkpoint.path, str(getattr(config, "_commit_hash", None) or "hub"))
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.path, **options)
    network, info = AutoModelForSequenceClassification.from_pretrained(
        checkpoint.path,
        config=config,
        dtype=torch.float32,
        use_safetensors=True,
        attn_implementation="eager",
        output_loading_info=True,
        **options,
    )
    _refuse(network, tokenizer, info, checkpoint.name)
    network.eval().requires_grad_(False)
    positions = getattr(config, "max_position_embeddings", 512)
    if config.model_type in ("roberta", "xlm-roberta", "camembert"):
        positions -= 2  # the first two positions are never used
    return NLIModel(network, tokenizer, checkpoint, order, max(8, min(positions, 512)))


def _refuse(network: Any, tokenizer: Any, info: dict[str, Any], name: str) -> None:
    if info["missing_keys"]:
        missing = sorted(info["missing_keys"])
        raise CheckpointError(
            f"checkpoint {name!r}: {len(missing)} weights are missing ({missing[0]}, ...). It is a bare encoder or half a copy: fine-tune it on NLI first."
        )
    if tokenizer.mask_token_id is None:
        raise CheckpointError(f"checkpoint {name!r}: its tokenizer has no mask token, so no word can be masked.")
    size = network.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > size:
        raise CheckpointError(
            f"checkpoint {name!r}: the tokenizer does not fit: it has {len(tokenizer):,} entries, the model {size:,}. Copy both from one training."
        )
    for key, weight in network.state_dict().items():
        if weight.is_floating_point() and not math.isfinite(float(weight.sum())):
            raise CheckpointError(
                f"checkpoint {name!r}: weight {key} holds NaN or infinity. Its training diverged, or the file is damaged."
            )
