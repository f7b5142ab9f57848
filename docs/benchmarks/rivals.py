"""The rivals on the same model and the same pairs as ours, in turn, in one process. Not part of the package, and no dependency of it:

    rivals/bin/python docs/benchmarks/rivals.py --data snli_dev.jsonl.gz [--model baseline | electra-small] [--tools ...] [--write docs/benchmarks.md]

`requirements-rivals.txt` beside this file says what the environment needs. What had to be done so that they run at all:

- TextAttack reads NLTK's list of stop words when it is imported, and would download it. A list of five words is put in its place below: only
  a constraint that this attack does not have would read it. It is asked to run as it does by default (padded to the tokenizer's 512) and padded to 128.
- LIT's own wrappers of Hugging Face models need TensorFlow. `LitModel` below is the smallest wrapper that its GradientNorm accepts: batches of 32,
  padded to the longest. LIT's gradient norm does not predict again: it is a part of the attack.
- transformers-interpret's pair explainer has no gradient but integrated gradients, of 50 steps.

TextAttack's search goes on to the next word when masking the first did not lower the score; `first word` is stopped after the first, as the paper's
attack is. Its gradient is taken in training mode, at the label that is predicted, and averaged over a word's pieces: dropout makes it another one each time.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
STOP_WORDS = Path(tempfile.mkdtemp()) / "corpora" / "stopwords" / "english"
STOP_WORDS.parent.mkdir(parents=True)
STOP_WORDS.write_text("a\nan\nthe\nof\nis\n")
os.environ |= {"NLTK_DATA": str(STOP_WORDS.parents[2]), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import torch
import transformers

from robustnli.attack import find_many
from robustnli.attribution import predict_and_attribute
from robustnli.data import load_all
from robustnli.models import NLIModel, load
from robustnli.pipeline.bench.tables import replace, table, verdict
from robustnli.pipeline.bench.timing import Contender, interleave
from robustnli.types import Example, Status

TOOLS = ("textattack", "lit", "transformers-interpret")
Outcome = dict[str, Any]


def folder_of(name: str) -> str:
    """The checkpoint's folder; for electra-small one that is made: its shape, random weights, the baseline's tokenizer."""
    baseline = load("baseline").checkpoint.path
    if name != "electra-small":
        return load(name).checkpoint.path
    out = Path(tempfile.mkdtemp()) / name
    own = json.loads((Path(baseline) / "config.json").read_text())
    shape = {"hidden_size": 256, "embedding_size": 128, "num_hidden_layers": 12, "num_attention_heads": 4, "intermediate_size": 1024}
    names = {key: own[key] for key in ("vocab_size", "id2label", "label2id")}
    torch.manual_seed(0)
    network = transformers.ElectraForSequenceClassification(transformers.ElectraConfig(**shape, **names))
    for weight in network.parameters():
        weight.data.mul_(2 if weight.dim() == 2 else 1)
    network.classifier.out_proj.weight.data.mul_(20)
    network.save_pretrained(out)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (out / file).write_bytes((Path(baseline) / file).read_bytes())
    return str(out)


def network_of(folder: str, length: int) -> tuple[Any, Any]:
    """transformers' own network and tokenizer, the latter with that maximal length."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, model_max_length=length)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    return network, tokenizer


def textattack_of(folder: str, length: int, model: NLIModel, *, first_only: bool) -> Callable[[Example], bool | None]:
    """TextAttack's gradient word ranking with one mask: whether it broke the example, None where the model was wrong before."""
    import textattack
    from textattack.constraints.pre_transformation import InputColumnModification, MaxNumWordsModified, RepeatModification

    class Mask(textattack.transformations.WordSwap):
        """A word becomes one [MASK] a piece."""

        def _get_replacement_words(self, word: str) -> list[str]:
            return [" ".join(["[MASK]"] * max(1, len(tokenizer.tokenize(word))))]

    class Search(textattack.search_methods.GreedyWordSwapWIR):
        """Its own, or stopped after the word that is ranked first."""

        def _get_index_order(self, *args: Any, **kwargs: Any) -> Any:
            order, over = super()._get_index_order(*args, **kwargs)
            return (order[:1] if first_only else order), over

    network, tokenizer = network_of(folder, length)
    wrapper = textattack.models.wrappers.HuggingFaceModelWrapper(network, tokenizer)
    constraints = [RepeatModification(), MaxNumWordsModified(1), InputColumnModification(["premise", "hypothesis"], {"premise"})]
    attack = textattack.Attack(
        textattack.goal_functions.UntargetedClassification(wrapper, use_cache=False), constraints, Mask(), Search(wir_method="gradient")
    )

    def run(item: Example) -> bool | None:
        text = textattack.shared.AttackedText(OrderedDict(premise=item.pair.premise, hypothesis=item.pair.hypothesis))
        result = attack.attack(text, int(item.label))
        skipped = isinstance(result, textattack.attack_results.SkippedAttackResult)
        return None if skipped else isinstance(result, textattack.attack_results.SuccessfulAttackResult)

    return run


def lit_of(folder: str) -> Callable[[Sequence[Example]], list[Any]]:
    """LIT's GradientNorm over a batched model."""
    from lit_nlp.api import model as lit_model
    from lit_nlp.api import types as lit_types
    from lit_nlp.components.gradient_maps import GradientNorm

    network, tokenizer = network_of(folder, 512)

    class LitModel(lit_model.BatchedModel):
        """The network as LIT asks it."""

        def max_minibatch_size(self) -> int:
            return 32

        def input_spec(self) -> Any:
            return {"premise": lit_types.TextSegment(), "hypothesis": lit_types.TextSegment()}

        def output_spec(self) -> Any:
            return {"tokens": lit_types.Tokens(), "grads": lit_types.TokenGradients(align="tokens")}

        def predict_minibatch(self, inputs: list[Any]) -> list[Any]:
            rows = tokenizer([i["premise"] for i in inputs], [i["hypothesis"] for i in inputs], padding=True, return_tensors="pt")
            embeds = network.get_input_embeddings()(rows.pop("input_ids")).detach().requires_grad_()
            logits = network(inputs_embeds=embeds, **rows).logits
            torch.nn.functional.cross_entropy(logits, logits.argmax(-1), reduction="sum").backward()
            lengths = rows["attention_mask"].sum(1).tolist()
            return [{"tokens": [""] * n, "grads": g[:n].numpy()} for n, g in zip(lengths, embeds.grad, strict=True)]

    model, norm = LitModel(), GradientNorm()
    return lambda items: norm.run([{"premise": e.pair.premise, "hypothesis": e.pair.hypothesis} for e in items], model, None)


def interpret_of(folder: str) -> Callable[[Example], Any]:
    """transformers-interpret's integrated gradients of a pair."""
    from transformers_interpret import PairwiseSequenceClassificationExplainer

    network, tokenizer = network_of(folder, 512)
    explain = PairwiseSequenceClassificationExplainer(network, tokenizer)
    return lambda item: explain(item.pair.premise, item.pair.hypothesis)


def contenders(
    folder: str, items: Sequence[Example], few: Sequence[Example], tools: Sequence[str]
) -> tuple[dict[str, Contender], dict[str, str]]:
    """What is timed, and what could not be made to run, with its error."""
    model = load(folder)
    out: dict[str, Contender] = {
        "robustnli, attack": (len(items), lambda: list(find_many(model.bulk, items))),
        "robustnli, gradient alone": (
            len(items),
            lambda: predict_and_attribute(model.bulk, [e.pair for e in items], [e.label for e in items]),
        ),
    }
    makers: dict[str, Callable[[], dict[str, Contender]]] = {
        "textattack": lambda: {
            f"TextAttack, gradient ranking, one mask, padded to {length}": _each(
                textattack_of(folder, length, model, first_only=False), few
            )
            for length in (512, 128)
        },
        "lit": lambda: {"LIT, gradient norm, batches of 32": _all(lit_of(folder), items)},
        "transformers-interpret": lambda: {"transformers-interpret, integrated gradients": _each(interpret_of(folder), few[:4])},
    }
    failed = {}
    for tool in tools:
        try:
            made = makers[tool]()
            for _, run in made.values():
                run()
            out |= made
        except Exception as error:  # whatever a rival raises is told in the table
            failed[tool] = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:160]}"
    return out, failed


def _each(run: Callable[[Example], Any], items: Sequence[Example]) -> Contender:
    return len(items), lambda: [run(item) for item in items]


def _all(run: Callable[[Sequence[Example]], Any], items: Sequence[Example]) -> Contender:
    return len(items), lambda: run(items)


def success(folder: str, items: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Of the pairs that were right before, the share that one mask broke: ours, and TextAttack's stopped after the first word and as it comes."""
    model = load(folder)
    mine = list(find_many(model.bulk, items))
    told = {"robustnli": [None if a.status is Status.SKIPPED else a.status is Status.BROKEN for a in mine]}
    for name, first_only in (("TextAttack, first word", True), ("TextAttack, as it comes", False)):
        run = textattack_of(folder, 128, model, first_only=first_only)
        told[name] = [run(item) for item in items]
    return {name: {"right before": sum(r is not None for r in rows), "broken": sum(r is True for r in rows)} for name, rows in told.items()}


def text(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    rates = {name: row["pairs_per_second"] for name, row in result["rates"].items()}
    attack, gradient = rates["robustnli, attack"], rates["robustnli, gradient alone"]
    rows = []
    for name, row in result["rates"].items():
        mine = attack if "TextAttack" in name else gradient
        times = "" if name.startswith("robustnli") else f"{mine / row['pairs_per_second']:.0f}"
        rows.append((name, f"{row['pairs_per_second']:.2f} ({row['least']:.2f} to {row['most']:.2f})", row["pairs"], times))
    parts = [
        f"{result['model']}, {result['pairs']} pairs of {result['source']}, one thread, {result['rounds']} rounds in turn, medians"
        + ("; times are the processor's alone." if result["clock"] == "cpu" else "."),
        table(("tool and job", "pairs/s (least to most)", "pairs a round", "ours is faster by"), rows),
    ]
    parts += [f"Did not run: {tool} ({why})." for tool, why in result["failed"].items()]
    if result["success"]:
        shares = {name: s["broken"] / max(1, s["right before"]) for name, s in result["success"].items()}
        rows = [(name, f"{s['broken']:.0f} of {s['right before']:.0f}", f"{shares[name]:.1%}") for name, s in result["success"].items()]
        parts.append(table(("one mask", "broken", "success"), rows))
        apart = 100 * (shares["TextAttack, first word"] - shares["robustnli"])
        parts.append(
            f"Success within 2 points of TextAttack's mask attack stopped at the first word: {apart:+.1f} points apart, {verdict(abs(apart) <= 2)}."
        )
    default = rates.get("TextAttack, gradient ranking, one mask, padded to 512")
    if default:
        parts.append(
            f"80 times TextAttack's gradient word ranking at its defaults: {attack / default:.0f} times, {verdict(attack / default >= 80)}."
        )
    lit = rates.get("LIT, gradient norm, batches of 32")
    if lit:
        parts.append(
            f"4 times LIT's gradient norm alone: our gradient {gradient / lit:.1f} times, our whole attack {attack / lit:.1f} times, "
            f"{verdict(attack / lit >= 4)} by the attack, {verdict(gradient / lit >= 4)} by the gradient."
        )
    return "\n\n".join(parts)


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", help="pairs, such as SNLI; default: the challenge suite")
    parser.add_argument("--model", default="electra-small", help="electra-small, or a checkpoint")
    parser.add_argument("--pairs", type=int, default=256, help="pairs of a round of ours and of LIT's")
    parser.add_argument("--few", type=int, default=8, help="pairs of a round of the slow ones, all of which the model has right")
    parser.add_argument("--success", type=int, default=0, help="compare success rates on so many pairs (a trained checkpoint only)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    source = asked.data or ["suite"]
    found = list(load_all(source).examples)
    items = random.Random(0).sample(found, min(max(asked.pairs, asked.success), len(found)))
    folder = folder_of(asked.model)
    begun = time.perf_counter()
    right = [e for e, p in zip(items, load(folder).predict([e.pair for e in items]), strict=True) if p.label == e.label]
    made, failed = contenders(folder, items[: asked.pairs], right[: asked.few], [t for t in asked.tools.split(",") if t])
    timings = interleave(made, asked.rounds, clock=asked.clock)
    result = {
        "model": asked.model, "pairs": min(asked.pairs, len(items)), "source": ", ".join(Path(s).name for s in source), "rounds": asked.rounds,
        "clock": asked.clock, "rates": {name: timing.summary() for name, timing in timings.items()}, "failed": failed,
        "success": success(folder, items[: asked.success]) if asked.success else {}, "seconds": time.perf_counter() - begun,
    }  # fmt: skip
    if asked.write:
        replace(asked.write, f"rivals {asked.model}", text(result))
    print(json.dumps(result) if asked.json else text(result))


if __name__ == "__main__":
    main()
