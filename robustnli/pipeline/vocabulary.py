"""A smaller vocabulary for a checkpoint or a bare encoder: keep the pieces that a broad text uses, measure what it costs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from robustnli.errors import CheckpointError
from robustnli.records import write_json

CHUNK = 4096
LONGEST = 128  # pieces
EMBEDDING = "embeddings.word_embeddings.weight"


def count_pieces(folder: Path, texts: Sequence[str], *, progress: Callable[[int], None] | None = None) -> Counter[str]:
    """How often each piece of `folder`'s tokenizer occurs in the texts, each cut at what training reads of it."""
    if not (folder / "tokenizer.json").is_file():
        raise CheckpointError(f"{folder}: no tokenizer.json there. Give the folder of a checkpoint or an encoder.")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)  # whatever the folder's own setting: the same texts give the same counts
    tokenizer.no_padding()
    counts: Counter[str] = Counter()
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        for encoding in tokenizer.encode_batch(chunk, add_special_tokens=False):
            counts.update(encoding.tokens)
        if progress:
            progress(len(chunk))
    return counts


def choose(vocabulary: dict[str, int], special: set[str], counts: Counter[str], size: int) -> list[str]:
    """The pieces to keep, in the old order: special tokens, each single character and ##character, then the most used.

    Raises CheckpointError when `size` has no room for the first two kinds.
    """
    kept = {piece for piece in vocabulary if piece in special or len(piece.removeprefix("##")) == 1}
    if len(kept) > size:
        raise CheckpointError(f"a vocabulary of {size:,} is too small: special tokens and single characters alone are {len(kept):,}.")
    used = sorted((p for p in vocabulary if p not in kept and counts[p]), key=lambda p: (-counts[p], vocabulary[p]))
    kept.update(used[: size - len(kept)])
    return sorted(kept, key=vocabulary.__getitem__)


def trim(folder: Path, out: Path, counts: Counter[str], size: int) -> dict[str, Any]:
    """Write to the new folder `out` the checkpoint of `folder` with at most `size` pieces; returns what was kept."""
    if out.exists():
        raise CheckpointError(f"{out} exists already. Give another --out.")
    spec = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = spec["model"]["vocab"]
    special = {token["content"] for token in spec["added_tokens"]}
    kept = choose(vocabulary, special, counts, size)
    new = {piece: i for i, piece in enumerate(kept)}
    spec["model"]["vocab"] = new
    for token in spec["added_tokens"]:
        token["id"] = new[token["content"]]
    _renumber(spec["post_processor"], new)

    temporary = out.with_name(f".{out.name}.tmp")
    temporary.mkdir(parents=True)
    (temporary / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    (temporary / "tokenizer_config.json").write_bytes((folder / "tokenizer_config.json").read_bytes())
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    write_json(temporary / "config.json", config | {"vocab_size": len(kept), "pad_token_id": new["[PAD]"]})
    weights = load_file(folder / "model.safetensors")
    rows = torch.tensor([vocabulary[piece] for piece in kept])
    key = next((key for key in weights if key.endswith(EMBEDDING)), None)
    if key is None:
        raise CheckpointError(f"{folder}: no word embeddings in model.safetensors. BERT and ELECTRA folders can be trimmed.")
    weights[key] = weights[key][rows].contiguous()
    save_file(weights, str(temporary / "model.safetensors"), metadata={"format": "pt"})
    covered = sum(counts[p] for p in kept) / max(1, sum(counts.values()))
    facts = {"pieces_before": len(vocabulary), "pieces_after": len(kept), "running_pieces_kept": covered}
    log = json.loads((folder / "training_log.json").read_text(encoding="utf-8")) if (folder / "training_log.json").is_file() else {}
    write_json(temporary / "training_log.json", log | {"trim": facts})
    temporary.replace(out)
    return facts


def _renumber(processor: dict[str, Any], new: dict[str, int]) -> None:
    """The special tokens' ids inside the tokenizer's post-processor."""
    for key in ("sep", "cls"):  # BertProcessing
        if key in processor:
            processor[key] = [processor[key][0], new[processor[key][0]]]
    special: dict[str, dict[str, Any]] = processor.get("special_tokens", {})  # TemplateProcessing
    for token in special.values():
        token["ids"] = [new[piece] for piece in token["tokens"]]


def texts_of(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Each premise once, and every hypothesis: a premise that many pairs share does not count as often as they are."""
    return [*dict.fromkeys(premise for premise, _ in pairs), *(hypothesis for _, hypothesis in pairs)]
