"""The jobs that are timed, ours and the rivals', on one model; and whether their answers agree."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from robustnli.attack import find_many
from robustnli.attribution import mask_map, predict_and_attribute
from robustnli.fast import lean
from robustnli.loading import Parts
from robustnli.masking import mask
from robustnli.models import Encoding, NLIModel, load
from robustnli.pipeline.bench import flops
from robustnli.pipeline.bench.rivals import Naive, captum_saliency, pipeline_labels, pipeline_of
from robustnli.pipeline.bench.timing import Contender
from robustnli.pipeline.train import forward_in
from robustnli.types import Attack, Checkpoint, Example, Label, Prediction, Status

SMALL = "electra-small"
JOBS = ("attack", "predict", "attribute", "mask map", "train step")
BATCH = 32  # pairs of a training step


class Counting(NLIModel):
    """A model that notes the rows it computes: (length, whether with a gradient)."""

    rows: list[tuple[int, bool]] | None = None

    def ask(self, encodings: Sequence[Encoding], targets: Mapping[int, Label | None]) -> tuple[list[Prediction], dict[int, list[float]]]:
        """`NLIModel.ask`, noted."""
        if self.rows is not None:
            self.rows += [(len(e.ids), i in targets) for i, e in enumerate(encodings)]
        return super().ask(encodings, targets)


@dataclass(frozen=True, slots=True)
class Job:
    """One job on one model: contenders by name, the best of ours first; `needs` are GFLOP of a round of each of ours by precision."""

    name: str
    contenders: dict[str, Contender]
    needs: dict[str, dict[str, float]]
    whole: dict[str, float]  # GFLOP of a round if the last layer were computed for all tokens, nothing asked twice
    agreement: dict[str, float]


def model_of(name: str) -> Counting:
    """A checkpoint; or ELECTRA-small's shape with random weights, as wide as trained ones, and the shipped tokenizer."""
    if name != SMALL:
        found = load(name)
        return Counting(found.parts, found.checkpoint, found.order)
    from transformers import ElectraConfig, ElectraForSequenceClassification

    parts = load("baseline").parts
    labels = {int(label): label.text for label in Label}
    shape = {"hidden_size": 256, "embedding_size": 128, "num_hidden_layers": 12, "num_attention_heads": 4, "intermediate_size": 1024}
    config = ElectraConfig(**shape, vocab_size=parts.config["vocab_size"], id2label=labels, label2id={v: k for k, v in labels.items()})
    config._attn_implementation = "eager"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ElectraForSequenceClassification(config).eval().requires_grad_(False)
    for weight in network.parameters():
        weight.mul_(2 if weight.dim() == 2 else 1)
    network.classifier.out_proj.weight.mul_(20)
    made = lean(config.to_dict(), network.state_dict())
    return Counting(
        Parts(config.to_dict(), parts.tokenizer, parts.mask_id, made, lambda: network), Checkpoint(SMALL, "", "random"), (0, 1, 2)
    )


def jobs_of(model: Counting, items: Sequence[Example], against: Sequence[str], only: Sequence[str] = JOBS) -> Iterator[Job]:
    """The jobs, each made when its turn comes. A rival does every 32nd pair by length (at least 8): enough to know its rate."""
    step = max(1, min(32, len(items) // 8))
    few = sorted(items, key=lambda e: len(e.pair.premise) + len(e.pair.hypothesis))[(step - 1) // 2 :: step]
    makers: dict[str, Callable[[], Job]] = {
        "attack": lambda: _attack(model, items, few, against),
        "predict": lambda: _predict(model, items, few, against),
        "attribute": lambda: _attribute(model, items, few, against),
        "mask map": lambda: _mask_map(model, few),
        "train step": lambda: _train_step(model, items[:BATCH]),
    }
    for name in only:
        yield makers[name]()


def ours(model: Counting) -> dict[str, Counting]:
    """The precisions that this processor is asked in: bfloat16 where it pays, and float32."""
    return ({"bfloat16": model.bulk} if model.bulk is not model else {}) | {"float32": model}  # type: ignore[dict-item,return-value]


@contextmanager
def counted(model: Counting) -> Iterator[dict[str, float]]:
    """Afterwards: GFLOP by precision of what was computed inside."""
    out: dict[str, float] = {}
    both = ours(model)
    for one in both.values():
        one.rows = []
    yield out
    for precision, one in both.items():
        config = model.parts.config
        work = sum(flops.forward(config, n) + (flops.backward(config, n) if back else 0) for n, back in one.rows or ())
        if work:
            out[precision] = work / 1e9
        one.rows = None


def _attack(model: Counting, items: Sequence[Example], few: Sequence[Example], against: Sequence[str]) -> Job:
    runs = {name: lambda one=one: list(find_many(one, items)) for name, one in ours(model).items()}
    contenders: dict[str, Contender] = {name: (len(items), run) for name, run in runs.items()}
    needs, results = {}, {}
    for name, run in runs.items():
        with counted(model) as gflop:
            results[name] = run()
        needs[name] = gflop
    agreement = _same_attacks(results) | _confirmed(model, results)
    if "naive" in against:
        naive = Naive(model)
        contenders["naive"] = (len(few), lambda: [naive.attack(e) for e in few])
        found = dict(zip([e.uid for e in items], results["float32"], strict=True))
        agreement["naive"] = sum(_is_naive(found[e.uid], naive.attack(e)) for e in few) / len(few)
    return Job("attack", contenders, needs, {name: _whole(model, items, flops.attack) for name in runs}, agreement)


def _same_attacks(results: Mapping[str, Sequence[Attack]]) -> dict[str, float]:
    if "bfloat16" not in results:
        return {}
    both = list(zip(results["bfloat16"], results["float32"], strict=True))
    return {
        "same words as float32": sum(a.words == b.words for a, b in both) / len(both),
        "same outcome as float32": sum(
            (a.status, a.before.label, a.after.label) == (b.status, b.before.label, b.after.label) for a, b in both
        )
        / len(both),
    }


def _confirmed(model: NLIModel, results: Mapping[str, Sequence[Attack]]) -> dict[str, float]:
    """How many flips the quickest run reports, and the share of them that float32, asked anew, says too."""
    broken = [a for a in next(iter(results.values())) if a.status is Status.BROKEN]
    pairs = [a.example.pair for a in broken], [a.pair for a in broken]
    before, after = (model.predict(part) for part in pairs)
    right = sum(b.label == a.example.label != c.label for a, b, c in zip(broken, before, after, strict=True))
    return {"flips": float(len(broken)), "flips confirmed": right / len(broken) if broken else 1.0}


def _is_naive(found: Attack, said: tuple[Label, tuple[int, int] | None, Label]) -> bool:
    word = (found.words[0].start, found.words[0].end) if found.words else None
    return (found.before.label, word, found.after.label) == said


def _predict(model: Counting, items: Sequence[Example], few: Sequence[Example], against: Sequence[str]) -> Job:
    pairs, some = [e.pair for e in items], [e.pair for e in few]
    runs = {name: lambda one=one: one.predict(pairs) for name, one in ours(model).items()}
    contenders: dict[str, Contender] = {name: (len(pairs), run) for name, run in runs.items()}
    said = {name: [p.label for p in run()] for name, run in runs.items()}
    agreement = {
        f"{name} as float32": sum(map(int.__eq__, labels, said["float32"])) / len(pairs)
        for name, labels in said.items()
        if name != "float32"
    }
    if "pipeline" in against:
        pipeline = pipeline_of(model)
        contenders["pipeline"] = (len(some), lambda: pipeline_labels(pipeline, some))
        agreement["pipeline"] = sum(a == p.label for a, p in zip(pipeline_labels(pipeline, some), model.predict(some), strict=True)) / len(
            some
        )
    work = flops.total(flops.forward, model.parts.config, lengths(model, items)) / 1e9
    return Job(
        "predict",
        contenders,
        {name: {name: work} for name in runs},
        {name: _whole(model, items, flops.forward) for name in runs},
        agreement,
    )


def _attribute(model: Counting, items: Sequence[Example], few: Sequence[Example], against: Sequence[str]) -> Job:
    pairs, labels = [e.pair for e in items], [e.label for e in items]
    runs = {name: lambda one=one: predict_and_attribute(one, pairs, labels) for name, one in ours(model).items()}
    contenders: dict[str, Contender] = {name: (len(pairs), run) for name, run in runs.items()}
    agreement: dict[str, float] = {}
    if "captum" in against:
        contenders["captum"] = (len(few), lambda: captum_saliency(model, few))
        encodings = model.encode([e.pair for e in few])
        mine = model.ask(encodings, {i: e.label for i, e in enumerate(few)})[1]
        theirs = captum_saliency(model, few)
        agreement["captum"] = sum(_near(mine[i], theirs[i]) for i in range(len(few))) / len(few)

    def both(config: Mapping[str, Any], length: int, **how: Any) -> int:
        return flops.forward(config, length, **how) + flops.backward(config, length, **how)

    work = flops.total(both, model.parts.config, lengths(model, items)) / 1e9
    return Job(
        "attribute", contenders, {name: {name: work} for name in runs}, {name: _whole(model, items, both) for name in runs}, agreement
    )


def _near(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two rows of scores are the same but for float32's rounding."""
    top = max(b)
    return all(abs(x - y) <= 1e-3 * top + 1e-7 for x, y in zip(a, b, strict=True))


def _mask_map(model: Counting, few: Sequence[Example]) -> Job:
    """The whole map of each pair, pair by pair as the page asks, in float32; against its rows one by one on transformers' network."""

    def one_by_one() -> list[int]:
        out = []
        for item in few:
            for effect in maps[item.uid]:
                inputs = model.tensors(model.encode([mask(item.pair, [effect.word])]))
                with torch.inference_mode():
                    out.append(int(model.network(**inputs).logits[0, list(model.order)].argmax()))
        return out

    maps = {e.uid: mask_map(model, e.pair) for e in few}
    with counted(model) as gflop:
        for item in few:
            mask_map(model, item.pair)
    mine = [int(effect.after.label) for item in few for effect in maps[item.uid]]
    same = sum(map(int.__eq__, mine, one_by_one())) / max(1, len(mine))
    contenders: dict[str, Contender] = {
        "float32": (len(few), lambda: [mask_map(model, e.pair) for e in few]),
        "one by one": (len(few), one_by_one),
    }
    return Job("mask map", contenders, {"float32": gflop}, {}, {"one by one": same})


def _train_step(model: Counting, items: Sequence[Example]) -> Job:
    """One optimizer step on a batch, as `train` does it, and as the paper does it."""
    naive = Naive(model)
    network = copy.deepcopy(model.network).requires_grad_(True).train()
    batches = {name: torch.optim.AdamW(of.parameters(), lr=1e-9, fused=True) for name, of in (("ours", network), ("naive", naive.network))}
    encodings = model.encode([e.pair for e in items])
    longest = max(len(e.ids) for e in encodings)
    rows = [[*e.ids, *[0] * (longest - len(e.ids))] for e in encodings], [[*e.types, *[0] * (longest - len(e.ids))] for e in encodings]
    mask = [[1] * len(e.ids) + [0] * (longest - len(e.ids)) for e in encodings]
    inputs = dict(zip(("input_ids", "token_type_ids", "attention_mask"), map(torch.tensor, (*rows, mask)), strict=True))
    labels = torch.tensor([int(e.label) for e in items])

    def step(half: bool) -> None:
        loss = torch.nn.functional.cross_entropy(forward_in(network, inputs, half=half).float(), labels)
        batches["ours"].zero_grad()
        loss.backward()
        batches["ours"].step()

    precision = next(iter(ours(model)))
    contenders: dict[str, Contender] = {
        precision: (len(items), lambda: step(precision == "bfloat16")),
        "naive": (len(items), lambda: naive.step(items, batches["naive"])),
    }
    work = flops.total(flops.training, model.parts.config, [longest] * len(items)) / 1e9
    return Job("train step", contenders, {precision: {precision: work}}, {}, {})


def lengths(model: NLIModel, items: Sequence[Example]) -> list[int]:
    """Tokens of each pair."""
    return [len(e.ids) for e in model.encode([item.pair for item in items])]


def _whole(model: NLIModel, items: Sequence[Example], of: Any) -> float:
    return flops.total(of, model.parts.config, lengths(model, items), whole=True) / 1e9
