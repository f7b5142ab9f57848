"""Loading, label order, literal text, cutting; and every kind of broken checkpoint."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from robustnli.attribution import attribute
from robustnli.batching import batches
from robustnli.checkpoints import check, find, fingerprint, resolve
from robustnli.errors import CheckpointError
from robustnli.masking import mask
from robustnli.models import NLIModel, load
from robustnli.types import Label, Pair

FIXTURES = Path(__file__).parent / "fixtures"
PAIRS = [
    Pair("A man is playing a guitar on a stage.", "The person is playing an instrument."),
    Pair("A dog is running in a park.", "The dog is late."),
    Pair("A cat is sitting.", "A cat is swimming."),
]


@pytest.fixture(scope="module")
def tiny(tiny_baseline: Path) -> NLIModel:
    return load(str(tiny_baseline))


def copied(source: Path, to: Path) -> Path:
    return Path(shutil.copytree(source, to))


def edit_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})


def test_predictions_are_probabilities_in_the_order_given(tiny: NLIModel) -> None:
    together = tiny.predict(PAIRS)
    assert [p.label for p in together] == [Label.ENTAILMENT, Label.NEUTRAL, Label.CONTRADICTION]
    assert all(abs(sum(p.probs) - 1) < 1e-9 for p in together)
    for pair, prediction in zip(PAIRS, together, strict=True):
        assert tiny.predict([pair])[0].probs == pytest.approx(prediction.probs, abs=1e-5)
    assert tiny.predict([]) == []


def test_a_permuted_checkpoint_predicts_the_same(tiny: NLIModel, tiny_baseline: Path, tmp_path: Path) -> None:
    folder = copied(tiny_baseline, tmp_path / "permuted")
    edit_config(
        folder,
        id2label={"0": "CONTRADICTION", "1": "entailment", "2": "Neutral"},
        label2id={"CONTRADICTION": 0, "entailment": 1, "Neutral": 2},
    )

    def permute(weights: dict[str, torch.Tensor]) -> None:
        for name in ("classifier.out_proj.weight", "classifier.out_proj.bias"):
            weights[name] = weights[name][[2, 0, 1]].contiguous()

    edit_weights(folder, permute)
    for a, b in zip(load(str(folder)).predict(PAIRS), tiny.predict(PAIRS), strict=True):
        assert a.probs == pytest.approx(b.probs, abs=1e-6)


def test_predict_is_the_embedding_route_with_segments(tiny: NLIModel) -> None:
    inputs = tiny.tensors([tiny.encode([PAIRS[0]])[0]])
    embeds = tiny.embed(inputs["input_ids"])
    by_embeds = tiny.logits({"inputs_embeds": embeds, "token_type_ids": inputs["token_type_ids"]}).softmax(-1)[0]
    assert by_embeds.tolist() == pytest.approx(tiny.predict([PAIRS[0]])[0].probs, abs=1e-6)
    with_segments = tiny.logits({"inputs_embeds": embeds, "token_type_ids": inputs["token_type_ids"]})
    assert (tiny.logits({"inputs_embeds": embeds}) - with_segments).abs().max() > 0.1, "segments must matter, or this test proves nothing"


def test_only_mask_is_special_in_a_sentence(tiny: NLIModel) -> None:
    plain = tiny.encode([Pair("a", "b")])[0]
    specials = set(plain.ids) - set(plain.ids[1:2]) - set(plain.ids[3:4])
    typed = tiny.encode([Pair("[SEP] [CLS] [PAD] [UNK] a", "[MASK] b[MASK]")])[0]
    assert sum(i in specials for i in typed.ids) == 3
    assert typed.ids.count(tiny.mask_id) == 2


def test_long_pairs_are_cut_aloud_the_premise_first(tiny: NLIModel) -> None:
    fitted = tiny.fit(Pair("dog " * 5000, "A cat is sitting."))
    assert fitted.pair.hypothesis == "A cat is sitting." and len(fitted.cut) == 1
    assert "premise" in fitted.cut[0] and "5,000" in fitted.cut[0]
    both = tiny.fit(Pair("dog " * 5000, "cat " * 5000))
    assert [word in text for text, word in zip(both.cut, ("premise", "hypothesis"), strict=True)] == [True, True]
    for pair in (fitted.pair, both.pair):
        assert len(tiny.encode([pair])[0].ids) <= 512 and tiny.fit(pair).cut == ()
    assert tiny.fit(PAIRS[0]).cut == ()
    assert tiny.predict([Pair("dog " * 5000, "A cat is sitting.")]) == tiny.predict([fitted.pair])


def test_words_have_the_pieces_of_the_tokenizer(tiny: NLIModel) -> None:
    pieces = {w.of(PAIRS[0]): w.pieces for w in tiny.words(PAIRS[0])}
    assert pieces["guitar"] == 2 and pieces["man"] == 1
    assert "." not in pieces


def test_batches_hold_one_length_and_every_row_once() -> None:
    lengths = [5, 9, 5, 7, 9, 5, 5]
    groups = list(batches(lengths, tokens=15))
    assert sorted(i for g in groups for i in g) == list(range(7))
    assert all(len({lengths[i] for i in g}) == 1 and len(g) * lengths[g[0]] <= 15 for g in groups)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "nameless labels": (
        lambda f: edit_config(f, id2label={"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}),
        "not entailment, neutral, contradiction",
    ),
    "two labels": (lambda f: edit_config(f, id2label={"0": "entailment", "1": "contradiction"}), "not entailment"),
    "no config": (lambda f: (f / "config.json").unlink(), "no config.json"),
    "config no JSON": (lambda f: (f / "config.json").write_text("{"), "cannot be read"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "no model.safetensors"),
    "a pickle": (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "pickle"),
    "no tokenizer": (lambda f: (f / "tokenizer.json").unlink(), "no tokenizer"),
    "truncated": (lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:5000]), "cannot be loaded"),
    "no head": (lambda f: edit_weights(f, lambda w: [w.pop(k) for k in list(w) if k.startswith("classifier")]), "missing"),
    "NaN": (lambda f: edit_weights(f, lambda w: w["classifier.out_proj.bias"].fill_(float("nan"))), "NaN"),
    "small embedding": (
        lambda f: (
            edit_weights(f, lambda w: w.update({k: v[:50].clone() for k, v in w.items() if k.endswith("word_embeddings.weight")})),
            edit_config(f, vocab_size=50),
        ),
        "tokenizer does not fit",
    ),
    "wrong shape": (lambda f: edit_config(f, intermediate_size=99), "cannot be loaded"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_checkpoint_is_one_sentence(kind: str, tiny_baseline: Path, tmp_path: Path) -> None:
    folder = copied(tiny_baseline, tmp_path / "broken")
    BROKEN[kind][0](folder)
    with pytest.raises(CheckpointError, match="broken") as caught:
        load(str(folder))
    assert BROKEN[kind][1] in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_find_shows_broken_ones_beside_the_others(tiny_baseline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    copied(tiny_baseline, root / "good")
    (root / "empty").mkdir()
    (root / "away").symlink_to(tiny_baseline)
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(root))
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    found = {f.name: f for f in find()}
    assert found["good"].checkpoint and not found["empty"].checkpoint
    assert "outside" in found["away"].problem, "a link may not lead out of the roots"
    with pytest.raises(CheckpointError, match="outside"):
        check(tiny_baseline)
    with pytest.raises(CheckpointError, match="Did you mean 'good'"):
        resolve("godo")
    assert load("good").predict(PAIRS)[0].label is Label.ENTAILMENT


def test_the_fingerprint_follows_the_weights(tiny_baseline: Path, tmp_path: Path) -> None:
    folder = copied(tiny_baseline, tmp_path / "copy")
    assert fingerprint(folder) == fingerprint(tiny_baseline)
    edit_weights(folder, lambda w: w["classifier.out_proj.bias"].add_(1))
    assert fingerprint(folder) != fingerprint(tiny_baseline)


@pytest.mark.parametrize("kind", ["bert", "roberta"])
def test_other_architectures_work(kind: str, tmp_path: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertTokenizer,
        RobertaConfig,
        RobertaForSequenceClassification,
        RobertaTokenizer,
    )

    names = {
        "id2label": {0: "contradiction", 1: "neutral", 2: "entailment"},
        "label2id": {"contradiction": 0, "neutral": 1, "entailment": 2},
    }
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    folder = tmp_path / kind
    if kind == "bert":
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man", "play", "##s", "."]
        BertTokenizer(vocab={w: i for i, w in enumerate(vocabulary)}).save_pretrained(folder)
        BertForSequenceClassification(BertConfig(vocab_size=10, **shape, **names)).save_pretrained(folder)
    else:
        bpe = ByteLevelBPETokenizer()
        bpe.train_from_iterator(
            ["A man plays. A potter sings."], vocab_size=300, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        )
        bpe.save_model(str(tmp_path))
        merges = [tuple(line.split()) for line in (tmp_path / "merges.txt").read_text().splitlines() if not line.startswith("#")]
        RobertaTokenizer(vocab=json.loads((tmp_path / "vocab.json").read_text()), merges=merges).save_pretrained(folder)
        RobertaForSequenceClassification(RobertaConfig(vocab_size=300, max_position_embeddings=40, **shape, **names)).save_pretrained(
            folder
        )
    model = load(str(folder))
    pair = Pair("A man plays.", "A potter sings")
    words = model.words(pair)
    assert [w.of(pair) for w in words] == ["A", "man", "plays", "A", "potter", "sings"]
    assert model.encode([mask(pair, words[1:2])])[0].ids.count(model.mask_id) == words[1].pieces
    assert len(attribute(model, pair, target=Label.NEUTRAL).scores) == 6
    assert len(model.encode([Pair("man " * 900, "A man")])[0].ids) <= model.max_length


def test_two_threads_that_load_first_get_their_models() -> None:
    """In a fresh process: transformers' lazy import is no place to meet in."""
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from robustnli.models import load\n"
        "with ThreadPoolExecutor(4) as pool: print(len(list(pool.map(load, sys.argv[1:]))))"
    )
    folders = [str(FIXTURES / name) for name in ("tiny-baseline", "tiny-finetuned")] * 2
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True)
    assert done.stdout.strip() == "4", done.stderr[-500:]
