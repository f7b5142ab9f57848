"""Adversarial examples in bulk: draw a balanced sample, attack it, and write what is needed to train on it and to check it."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from robustnli import __version__
from robustnli.attack import Trigger, dev_examples, find_many, find_trigger, named
from robustnli.attack.trigger import told
from robustnli.errors import DataError, RunError
from robustnli.models import NLIModel
from robustnli.pipeline import runs
from robustnli.records import Row, write_json, write_rows
from robustnli.types import LABELS, Attack, Example, Status


def sample(examples: Sequence[Example], per_class: int, seed: int) -> list[Example]:
    """`per_class` distinct examples of each label (all, where there are fewer), in random order of `seed`.

    Raises DataError when a label is absent: an unbalanced sample would bias training (the paper's section 3.2).
    """
    chosen: list[Example] = []
    for label in LABELS:
        pool = sorted({e.uid: e for e in examples if e.label == label}.values(), key=lambda e: e.uid)
        if not pool:
            raise DataError(f"no example is labelled {label.text}; a balanced sample needs all three labels.")
        chosen += random.Random(f"{seed} {label.text}").sample(pool, min(per_class, len(pool)))
    random.Random(seed).shuffle(chosen)
    return chosen


def generate(
    model: NLIModel, examples: Sequence[Example], recipe: str = "mask", *, k: int = 1, seed: int = 13, trigger: Trigger | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Attack]:  # fmt: skip
    """The attack on every example, in order. The same model and examples give the same attacks on the same kind of processor.

    `mask` is searched in bulk precision; every flip is confirmed in float32.
    """
    return list(find_many(model.bulk, examples, recipe, k=k, seed=seed, trigger=trigger, progress=progress))


def to_row(attack: Attack, model: NLIModel, *, seed: int, k: int = 1) -> Row:
    """One attack as a row that `data.load` reads (the changed pair) with its provenance.

    `label` is the changed pair's own where a rule gives it (`label_confirmed`), else the original one, which no person has confirmed.
    """
    label = attack.example.label if attack.gold is None else attack.gold
    return {
        "uid": attack.example.uid,
        "premise": attack.pair.premise,
        "hypothesis": attack.pair.hypothesis,
        "label": label.text,
        "label_id": int(label),
        "label_confirmed": attack.gold is not None,
        "original_premise": attack.example.pair.premise,
        "original_hypothesis": attack.example.pair.hypothesis,
        "original_label": attack.example.label.text,
        "masked": [[word.start, word.end, word.pieces] for word in attack.words],
        "status": attack.status.value,
        "before": list(attack.before.probs),
        "after": list(attack.after.probs),
        "tried": attack.tried,
        "note": attack.note,
        "recipe": attack.recipe,
        "k": k,
        "model": attack_model_name(model),
        "seed": seed,
        "source": f"{attack.recipe}:{attack.example.source}",
    }


def attack_to(
    out: Path, model: NLIModel, examples: Sequence[Example], recipe: str = "mask", *, k: int = 1, seed: int = 13, resume: bool = False,
    progress: Callable[[int], None] | None = None, say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:  # fmt: skip
    """Attack the examples and write their rows to `out`; their `summary`. Finished parts lie in `out.partial/` until all is done: no process
    ever holds all rows, but for Parquet.

    `resume` goes on from the parts of an interrupted call with the same arguments, to the same bytes. Several processes
    (`torchrun`, `accelerate launch`) share the parts, and the first returns the summary. `say` is told of a trigger that was found. Raises RunError for parts of another call.
    """
    parts = out.with_name(out.name + ".partial")
    if runs.leads() and parts.exists() and not resume:
        raise RunError(f"{parts} holds an interrupted attack. Add --resume to go on with it, or delete that folder.")
    plan = {
        "recipe": named(recipe).name, "k": k, "seed": seed, "model": attack_model_name(model), "n": len(examples),
        "data": runs.content_hash(examples), "bulk": model.bulk is not model, "version": __version__,
    }  # fmt: skip
    runs.open_run(parts, plan)
    trigger = _trigger(parts / "trigger.json", model, k, seed) if recipe == "trigger" else None
    if trigger and runs.leads():
        say(told(trigger))

    def work(part: Sequence[Example]) -> list[Row]:
        attacks = generate(model, part, recipe, k=k, seed=seed, trigger=trigger, progress=progress)
        return [to_row(a, model, seed=seed, k=k) for a in attacks]

    files = runs.shards(parts, "attack", examples, work)
    if not runs.leads():
        return {}
    told_of = summary(runs.joined(files))
    write_rows(out, runs.joined(files))
    shutil.rmtree(parts)
    return told_of


def _trigger(file: Path, model: NLIModel, length: int, seed: int) -> Trigger:
    """The trigger of the interrupted call, or a new one, which the first process finds."""
    if runs.leads() and not file.is_file():
        found = find_trigger(model, dev_examples(seed), length=length, seed=seed, source="suite dev")
        write_json(file, asdict(found))
    runs.meet()
    row = json.loads(file.read_text(encoding="utf-8"))
    return Trigger(**row | {"words": tuple(row["words"]), "target": None})


def attack_model_name(model: NLIModel) -> str:
    """The attacked checkpoint as name@fingerprint."""
    return f"{model.checkpoint.name}@{model.checkpoint.fingerprint}"


def summary(rows: Iterable[Row]) -> dict[str, Any]:
    """Counts by status; accuracy before and after over all rows, each against the pair's own label; success rate over those right before."""
    count: Counter[str] = Counter()
    for row in rows:
        count.update(("n", f"is {row['status']}"))
        count["right after"] += max(range(3), key=row["after"].__getitem__) == row["label_id"]
        count["masked"] += len(row["masked"])
        count["confirmed"] += row["label_confirmed"]
        count["tried"] += row["tried"]
    n, by = count["n"], {status: count[f"is {status.value}"] for status in Status}
    right = by[Status.BROKEN] + by[Status.HELD]
    return {
        "n": n,
        "broken": by[Status.BROKEN],
        "held": by[Status.HELD],
        "skipped": by[Status.SKIPPED],
        "accuracy_before": right / n if n else None,
        "accuracy_after": count["right after"] / n if n else None,
        "success_rate": by[Status.BROKEN] / right if right else None,
        "mean_words_masked": count["masked"] / n if n else None,
        "labels_confirmed": count["confirmed"],
        "predictions": count["tried"],
    }
