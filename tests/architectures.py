"""Tiny classifiers of other architectures with tokenizers trained here on our fixture's sentences: nothing is downloaded."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from robustnli.data import load as load_data
from robustnli.models import NLIModel, load
from robustnli.types import Example

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = ("bert", "roberta", "deberta", "deberta-v2")
_LABELS = {"bert": "ENC", "roberta": "CNE", "deberta": "NEC", "deberta-v2": "CEN"}  # each has its own order, as hub models do
_WORDS = {"E": "entailment", "N": "neutral", "C": "contradiction"}


def make(name: str, folder: Path, *, pairs: int = 1200, epochs: int = 8) -> Path:
    """A checkpoint folder of that architecture, trained until its answers depend on what it reads."""
    torch.manual_seed(7)
    examples = list(load_data(str(FIXTURES / "tiny_train.jsonl")).examples)
    tokenizer = {"bert": _wordpiece, "deberta-v2": _unigram}.get(name, _bytes)(
        name, [t for e in examples for t in (e.pair.premise, e.pair.hypothesis)]
    )
    tokenizer.save_pretrained(folder)
    network = _network(name, len(tokenizer), tokenizer)
    network.save_pretrained(folder)
    _train(network, load(str(folder)), examples[:pairs], epochs)
    network.save_pretrained(folder)
    return folder


def _train(network, reader: NLIModel, examples: list[Example], epochs: int) -> None:  # type: ignore[no-untyped-def]
    encodings = reader.encode([e.pair for e in examples])
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    network.train()
    for epoch in range(epochs):
        for rows in torch.randperm(len(examples), generator=torch.Generator().manual_seed(epoch)).split(64):
            group = [encodings[i] for i in rows]
            room = max(len(e.ids) for e in group)
            padded = [(*e.ids, *[reader.network.config.pad_token_id] * (room - len(e.ids))) for e in group]
            inputs = {
                "input_ids": torch.tensor(padded),
                "attention_mask": torch.tensor([[1] * len(e.ids) + [0] * (room - len(e.ids)) for e in group]),
            }
            if getattr(network.config, "type_vocab_size", 0) > 1:
                inputs["token_type_ids"] = torch.tensor([(*e.types, *[0] * (room - len(e.types))) for e in group])
            logits = network(**inputs).logits[:, list(reader.order)]
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, torch.tensor([int(examples[i].label) for i in rows])).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()


def _network(name: str, size: int, tokenizer):  # type: ignore[no-untyped-def]
    import transformers as t

    order = _LABELS[name]
    shape = {
        "vocab_size": size, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 66,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "pad_token_id": tokenizer.pad_token_id,
        "id2label": {i: _WORDS[c] for i, c in enumerate(order)}, "label2id": {_WORDS[c]: i for i, c in enumerate(order)},
    }  # fmt: skip
    if name == "bert":
        return t.BertForSequenceClassification(t.BertConfig(**shape))
    if name == "roberta":
        return t.RobertaForSequenceClassification(t.RobertaConfig(**shape, type_vocab_size=1, bos_token_id=0, eos_token_id=2))
    relative = {
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "position_biased_input": False,
        "max_relative_positions": 66,
        "type_vocab_size": 0,
    }
    if name == "deberta":
        return t.DebertaForSequenceClassification(t.DebertaConfig(**shape, **relative))
    more = {"share_att_key": True, "position_buckets": 32, "norm_rel_ebd": "layer_norm"}  # as DeBERTa-v3 has them
    return t.DebertaV2ForSequenceClassification(t.DebertaV2Config(**shape, **relative, **more))


def _wordpiece(name: str, texts: list[str]):  # type: ignore[no-untyped-def]
    from transformers import BertTokenizerFast

    backend = Tokenizer.from_file(str(FIXTURES / "tiny-baseline" / "tokenizer.json"))
    return BertTokenizerFast(tokenizer_object=backend)


def _bytes(name: str, texts: list[str]):  # type: ignore[no-untyped-def]
    from transformers import DebertaTokenizerFast, RobertaTokenizerFast

    deberta = name == "deberta"
    special = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"] if deberta else ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    # The full stop after a bracket is one piece in RoBERTa's own vocabulary too.
    marks = [f"x{mark}" for mark in ("].", "],", "([")] * 50
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    backend.train_from_iterator([*texts, *marks], trainer)
    kind = DebertaTokenizerFast if deberta else RobertaTokenizerFast
    saved = json.loads(backend.to_str())["model"]
    merges = [tuple(m) for m in saved["merges"]]
    return kind(vocab=saved["vocab"], merges=merges)


def _unigram(name: str, texts: list[str]):  # type: ignore[no-untyped-def]
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    words = Counter(f"\u2581{word}" for text in texts for word in re.findall(r"[A-Za-z]+", text))
    letters = ["\u2581", *sorted({c for text in texts for c in text if c != " "})]
    pieces = [(s, 0.0) for s in special] + [(w, -6.0) for w in sorted(words)] + [(c, -12.0) for c in letters]
    backend = Tokenizer(models.Unigram(pieces, unk_id=3))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)
