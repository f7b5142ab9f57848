"""The lean way forward and back against transformers and autograd; the light way to load against the whole one."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robustnli import fast, loading
from robustnli.batching import batches, packs
from robustnli.checkpoints import check
from robustnli.models import NLIModel, load
from robustnli.types import Label, Pair

PAIRS = [
    Pair("A man is playing a guitar on a stage.", "The person is playing an instrument."),
    Pair("A dog is running in a park.", "The dog is late."),
    Pair("A cat is sitting.", "A cat is swimming."),
    Pair("A dog is running in a park.", "The [MASK] is hungry."),
    Pair("A man.", "!"),
]
SHAPE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 60, "num_labels": 3}


def random_network(kind: str, **changes: Any) -> Any:
    """A classifier whose output moves: its weights are drawn wide."""
    import transformers

    config = getattr(transformers, f"{kind}Config")(**SHAPE | ({"embedding_size": 16} if kind == "Electra" else {}) | changes)
    config._attn_implementation = "eager"
    torch.manual_seed(3)
    network = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval().requires_grad_(False)
    for name, weight in network.named_parameters():
        weight.copy_(torch.randn_like(weight) * (0.4 if weight.dim() == 2 else 0.2) + (1.0 if "LayerNorm.weight" in name else 0.0))
    return network


def rows(lengths: list[int], types: int) -> tuple[list[list[int]], list[list[int]]]:
    generator = torch.Generator().manual_seed(7)
    ids = [torch.randint(5, 60, (n,), generator=generator).tolist() for n in lengths]
    return ids, [[0] * (n // 2) + [types - 1] * (n - n // 2) for n in lengths]


def by_autograd(network: Any, ids: list[int], types: list[int], label: int) -> tuple[torch.Tensor, torch.Tensor]:
    embeds = network.get_input_embeddings()(torch.tensor([ids])).detach().requires_grad_()
    logits = network(inputs_embeds=embeds, token_type_ids=torch.tensor([types])).logits
    torch.nn.functional.cross_entropy(logits, torch.tensor([label])).backward()
    return logits[0].detach(), embeds.grad[0]


CASES = {
    "electra": ("Electra", {}),
    "electra, one width": ("Electra", {"embedding_size": 32}),
    "one layer": ("Electra", {"num_hidden_layers": 1}),
    "bert": ("Bert", {}),
    "roberta": ("Roberta", {"type_vocab_size": 1, "max_position_embeddings": 40}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("lengths", [[9], [4, 4, 7, 7, 7, 12], [3, 11, 3]])
def test_logits_and_gradients_are_those_of_transformers(case: str, lengths: list[int]) -> None:
    kind, changes = CASES[case]
    network = random_network(kind, **changes)
    lean = fast.lean(network.config.to_dict(), network.state_dict())
    assert lean is not None
    ids, types = rows(lengths, network.config.type_vocab_size)
    labels = [i % 3 for i in range(len(ids))]
    packed = fast.pack(ids, types)
    with torch.inference_mode():
        alone, none = lean.logits(lean.words[packed.ids], packed)
        logits, trace = lean.logits(lean.words[packed.ids], packed, keep=len(packed.groups))
        assert none is None and trace is not None and torch.equal(alone, logits)
        found = lean.gradient(trace, logits.softmax(-1) - torch.nn.functional.one_hot(torch.tensor(labels), 3))
    for i, part in enumerate(found.split(lengths)):
        by_hand, gradient = by_autograd(network, ids[i], types[i], labels[i])
        torch.testing.assert_close(logits[i], by_hand, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(part, gradient, rtol=1e-3, atol=1e-5 * float(gradient.abs().max()))
    spread = [float(by_autograd(network, ids[0], types[0], label)[1].abs().sum()) for label in range(3)]
    assert max(spread) > 0.01, "the gradient must be large, or a broken one passes"


def test_the_gradient_of_the_first_groups_alone() -> None:
    network = random_network("Electra")
    lean = fast.lean(network.config.to_dict(), network.state_dict())
    assert lean is not None
    ids, types = rows([6, 6, 6, 9], 2)
    packed = fast.pack(ids, types, apart=1)
    assert packed.groups == ((0, 1, 6), (6, 2, 6), (18, 1, 9)) and packed.firsts.tolist() == [0, 6, 12, 18, 0, 0, 0, 0]
    logits, trace = lean.logits(lean.words[packed.ids], packed, keep=1)
    assert trace is not None and logits.shape == (4, 3)
    found = lean.gradient(trace, logits[:1].softmax(-1) - torch.tensor([[0.0, 1.0, 0.0]]))
    torch.testing.assert_close(found, by_autograd(network, ids[0], types[0], 1)[1], rtol=1e-3, atol=1e-4)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.data())
def test_packs_have_few_sizes_and_little_of_no_row(lengths: list[int], data: st.DataObject) -> None:
    ids = [[1] * n for n in lengths]
    packed = fast.pack(ids, ids, data.draw(st.integers(0, len(ids))))
    size, tokens = len(packed.ids), sum(lengths)
    assert packed.tokens == tokens <= size == len(packed.types) == len(packed.positions) and size % 8 == 0
    assert size - tokens < max(8, tokens / 7) and len(packed.firsts) % 8 == 0
    for groups in range(1, len(packed.groups) + 1):
        head = packed.head(groups)
        assert head.tokens <= len(head.ids) <= size and len(head.firsts) <= len(packed.firsts)


def test_bfloat16_is_near() -> None:
    network = random_network("Bert")
    lean = fast.lean(network.config.to_dict(), network.state_dict())
    assert lean is not None
    ids, types = rows([8, 12], 2)
    packed = fast.pack(ids, types)
    near = [m.logits(m.words[packed.ids], packed)[0] for m in (lean, lean.at(torch.bfloat16))]
    assert 0 < (near[0] - near[1]).abs().max() < 0.1 * near[0].abs().max()


def test_other_shapes_are_left_to_transformers() -> None:
    for changes in ({"hidden_act": "relu"}, {"is_decoder": True}, {"model_type": "deberta"}):
        network = random_network("Bert")
        assert fast.lean(network.config.to_dict() | changes, network.state_dict()) is None


def test_expected_names_every_weight() -> None:
    for kind, changes in CASES.values():
        network = random_network(kind, **changes)
        shapes = {name: tuple(w.shape) for name, w in network.state_dict().items()}
        assert fast.expected(network.config.to_dict()) == shapes


@pytest.mark.parametrize("name", ["tiny_baseline", "tiny_finetuned"])
def test_the_light_way_gives_what_transformers_gives(name: str, request: pytest.FixtureRequest) -> None:
    same(request.getfixturevalue(name))


@pytest.mark.slow
def test_the_light_way_opens_what_ships(shipped: Path) -> None:
    for name in ("baseline", "finetuned", "robust"):
        same(shipped / name)


def same(folder: Path) -> None:
    checkpoint = check(folder, confined=False)
    parts = loading.light(checkpoint)
    assert parts is not None and parts.lean is not None
    tokenizer, network = loading.whole(checkpoint, local=True)
    assert json.loads(parts.tokenizer.to_str()) == json.loads(tokenizer.backend_tokenizer.to_str())
    assert parts.mask_id == tokenizer.mask_token_id
    light, whole = NLIModel(parts, checkpoint, (0, 1, 2)), NLIModel(loading.of_network(network, tokenizer), checkpoint, (0, 1, 2))
    assert light.max_length == whole.max_length == 512
    assert light.predict(PAIRS) == whole.predict(PAIRS)
    for pair, said in zip(PAIRS, light.predict(PAIRS), strict=True):
        (encoding,) = light.encode([pair])
        logits = network(**light.tensors([encoding])).logits[0]
        assert said.probs == pytest.approx(logits.double().softmax(-1).tolist(), abs=1e-5)


def test_nothing_out_of_the_ordinary_is_opened_lightly(tiny_baseline: Path, tmp_path: Path) -> None:
    changes: dict[str, dict[str, object]] = {
        "config": {"hidden_act": "relu"},
        "tokenizer_config": {"do_lower_case": False},
        "tokenizer": {"pre_tokenizer": {"type": "Whitespace"}},
    }
    for name, change in changes.items():
        folder = Path(shutil.copytree(tiny_baseline, tmp_path / name))
        checkpoint = check(folder, confined=False)
        assert loading.light(checkpoint) is not None
        file = folder / f"{name}.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
        assert loading.light(checkpoint) is None, name


def test_one_pass_gives_predictions_and_the_scores_asked_for(tiny_baseline: Path) -> None:
    model = load(str(tiny_baseline))
    encodings = model.encode(PAIRS)
    predictions, scores = model.ask(encodings, {2: Label.NEUTRAL, 0: None})
    assert [p.label for p in predictions] == [p.label for p in model.predict(PAIRS)]
    assert set(scores) == {0, 2} and [len(scores[i]) for i in (0, 2)] == [len(encodings[i].ids) for i in (0, 2)]
    for i, target in ((0, predictions[0].label), (2, Label.NEUTRAL)):
        _, alone = model.ask([encodings[i]], {0: target})
        assert scores[i] == pytest.approx(alone[0], rel=1e-4)
    plain = NLIModel(
        loading.Parts(model.parts.config, model.parts.tokenizer, model.mask_id, None, lambda: model.network), model.checkpoint, model.order
    )
    slow, by_network = plain.ask(encodings, {2: Label.NEUTRAL, 0: None})
    for a, b in zip(slow, predictions, strict=True):
        assert a.probs == pytest.approx(b.probs, abs=1e-5)
    for i in (0, 2):
        assert by_network[i] == pytest.approx(scores[i], rel=1e-3, abs=1e-6)


def test_bulk_answers_in_many_threads_are_those_of_one(tiny_baseline: Path) -> None:
    model = load(str(tiny_baseline))
    assert model.bulk.exact is model and model.exact is model and model.bulk.bulk is model.bulk
    torch.set_num_threads(1)
    for one in (model, model.bulk):
        encodings = one.encode(PAIRS)
        alone = one.ask(encodings, {0: None, 1: Label.NEUTRAL})
        with ThreadPoolExecutor(16) as pool:
            assert all(got == alone for got in pool.map(lambda _, one=one, e=encodings: one.ask(e, {0: None, 1: Label.NEUTRAL}), range(48)))


@given(st.lists(st.integers(1, 20), max_size=40), st.integers(0, 40))
def test_every_row_is_in_one_group_within_the_budget(lengths: list[int], first: int) -> None:
    chosen, rest = list(range(min(first, len(lengths)))), list(range(min(first, len(lengths)), len(lengths)))
    for group in (packs, batches):
        groups = list(group(lengths, chosen, rest, tokens=20))
        assert sorted(i for g in groups for i in g) == list(range(len(lengths)))
        assert all(sum(lengths[i] for i in g) <= 20 for g in groups)
        order = [i in rest for g in groups for i in g]
        assert order == sorted(order), "the first part lies before the second"
