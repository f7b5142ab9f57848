"""One recipe against several models on one set of examples -> a finished attack's folder (see `robustnli.gallery`).

Each model is attacked in turn; every other model answers every changed pair, so that the transfer between them needs no model later.
The search is in bulk precision where the recipe can take it; every answer that is kept is float32's, as in the Flip lab, and an attack
that float32 sees otherwise is made again in float32.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from robustnli import suite
from robustnli.attack import RECIPES, Recipe, dev_examples, find_many, find_trigger, named
from robustnli.config import home, snli_files
from robustnli.data import load as load_data
from robustnli.errors import DataError, InputError
from robustnli.gallery.edits import edits
from robustnli.gallery.files import Finished, to_row, whole, write
from robustnli.jobs import Tell
from robustnli.models import NLIModel, load
from robustnli.slices import STANDARD
from robustnli.types import Attack, Example, Label, Prediction, example

# The budgets that ship, and that a call without `k` gets; recipes not named here have none, or need but one word.
BUDGETS = {"mask": 5, "mask-minimal": 5, "occlude": 5, "hotflip": 3, "trigger": 3}
SUITE = {"suite": "Challenge suite", "suite:dev": "Challenge suite, dev half", "suite:test": "Challenge suite, test half"}
_PARTS = 40  # progress is told about so many times a model


@dataclass(frozen=True, slots=True)
class Task:
    """What is attacked and how. `facts`: for each example what else its row says (slices, phenomenon, split)."""

    recipe: str
    k: int
    seed: int
    data: str
    examples: tuple[Example, ...]
    facts: tuple[Mapping[str, Any], ...]
    drawn_from: int


def task(recipe: str, data: str, *, k: int | None = None, seed: int = 13, sample: int = 0, rows: Sequence[Sequence[str]] = ()) -> Task:
    """A checked task. `data`: suite[:dev|:test], snli:dev|test (from the text at hand), any source of `data.load`, or a title for `rows`,
    which are (premise, hypothesis, label); of the suite, `trigger` gets the test half. `sample`: so many of them, drawn by `seed`, in their order; 0: all.
    """
    chosen = named(recipe)
    k = BUDGETS.get(recipe, 1) if k is None or not chosen.budgeted else k
    # A trigger is found on the suite's dev half, so that only the other half tells what it does.
    examples, facts = _given(rows, data) if rows else _found("suite:test" if (recipe, data) == ("trigger", "suite") else data)
    at = list(range(len(examples)))
    if sample and sample < len(at):
        at = sorted(random.Random(seed).sample(at, sample))
    title = data if rows else SUITE.get(data, {"snli:dev": "SNLI dev", "snli:test": "SNLI test"}.get(data, Path(data).name))
    return Task(recipe, k, seed, title, tuple(examples[i] for i in at), tuple(facts[i] for i in at), len(examples))


def _given(rows: Sequence[Sequence[str]], data: str) -> tuple[list[Example], list[Mapping[str, Any]]]:
    examples = [example(premise, hypothesis, Label[label.upper()], data) for premise, hypothesis, label in rows]
    return examples, [_facts(e) for e in examples]


def _found(data: str) -> tuple[list[Example], list[Mapping[str, Any]]]:
    if data in SUITE:
        items = [item for item in suite.load() if data in ("suite", f"suite:{item.split}")]
        return [i.example for i in items], [{"slices": [i.slice], "phenomenon": i.phenomenon, "split": i.split} for i in items]
    examples = list(_snli(data) if data in ("snli:dev", "snli:test") else load_data(data).examples)
    return examples, [_facts(e) for e in examples]


def _facts(item: Example) -> Mapping[str, Any]:
    return {"slices": [part.name for part in STANDARD if part.holds(item)]}


def _snli(data: str) -> tuple[Example, ...]:
    names = {"snli:dev": ("dev", "validation"), "snli:test": ("test",)}[data]
    files = [path for path in snli_files() if any(name in path.name for name in names)]
    if not files:
        raise DataError(f"no text of SNLI {names[0]} is at hand. Name your copy in ROBUSTNLI_SNLI, or give its file.")
    return load_data(str(files[0])).examples


def run(args: dict[str, Any], out: Path, tell: Tell) -> dict[str, Any]:
    """The job of the attacks page. `args`: recipe, data, models, and where asked k, seed, sample, rows. The folder goes to home()/attacks."""
    asked = {key: args[key] for key in ("k", "seed", "sample", "rows") if key in args}
    work = task(args["recipe"], args["data"], **asked)
    tell.phase("loading the models", 0)
    models = {name: load(name) for name in args["models"]}
    tell.phase("attacking", len(work.examples) * len(models))
    made = make(out / "made", work, models, progress=tell.step)
    place = free(home() / "attacks", f"{work.recipe}-{work.data}")
    place.parent.mkdir(parents=True, exist_ok=True)
    os.replace(out / "made", place)
    return {"name": place.name, "n": made.n, "queries": made.queries, "seconds": made.seconds}


def free(root: Path, title: str) -> Path:
    """A folder under `root` that does not exist yet, named after `title`."""
    name = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")[:60] or "attack"
    return next(p for p in (root / (name if n == 1 else f"{name}-{n}") for n in range(1, 10_000)) if not p.exists())


def make(
    folder: Path, work: Task, models: Mapping[str, NLIModel], *, text: bool = True, progress: Callable[[int], Any] | None = None
) -> Finished:
    """Do the task and write its folder, whole or not at all; a folder that is there already is replaced."""
    if not work.examples or not models:
        raise InputError(f"{len(work.examples)} examples and {len(models)} models: an attack needs at least one of each.")
    begun = time.monotonic()
    before = {name: [whole(p.probs) for p in model.predict([e.pair for e in work.examples])] for name, model in models.items()}
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for name in models:
        own = list(_attacked(work, name, models, before[name], progress))
        for row, facts in zip(own, work.facts, strict=True):
            row |= dict(facts) | {f"before.{m}": said[row["index"]] for m, said in before.items()}
        rows += own
        notes += [f"{name}: {note}" for note in _common(own)]
    recipe = named(work.recipe)
    finished = Finished(
        **_about(recipe), k=work.k, seed=work.seed, data=work.data, data_hash=data_hash(work.examples), n=len(work.examples),
        models={name: m.checkpoint.fingerprint for name, m in models.items()}, queries=sum(row["tried"] for row in rows),
        seconds=round(time.monotonic() - begun, 1), created=datetime.now(UTC).isoformat(timespec="seconds"), drawn_from=work.drawn_from,
        notes=tuple(notes),
    )  # fmt: skip
    _replace(folder, lambda new: write(new, finished, rows, text=text))
    return finished


def _attacked(
    work: Task, name: str, models: Mapping[str, NLIModel], before: Sequence[Sequence[int]], progress: Callable[[int], Any] | None
) -> Iterator[dict[str, Any]]:
    """The rows of the attack on one model, without what is known of the examples. `before`: what the model itself says untouched."""
    done = 0
    for attacks, own in _attacks(models[name], work, before):
        others = {m: model.predict([a.pair for a in attacks]) for m, model in models.items() if m != name}
        after = {m: own if m == name else others[m] for m in models}
        for i, attack in enumerate(attacks):
            said = {m: after[m][i].probs for m in models}
            yield to_row(attack, done + i, name, said, edits(attack.example.pair, attack.pair))
        done += len(attacks)
        if progress:
            progress(len(attacks))


def _attacks(model: NLIModel, work: Task, before: Sequence[Sequence[int]]) -> Iterator[tuple[list[Attack], list[Prediction]]]:
    """The attacks in parts small enough to tell how far it is, with what the model itself says of each changed pair."""
    trigger = None
    if work.recipe == "trigger":
        trigger = find_trigger(model.bulk, dev_examples(work.seed), length=work.k, seed=work.seed, source="suite dev")

    def attacked(by: NLIModel, examples: Sequence[Example]) -> list[Attack]:
        return list(find_many(by, examples, work.recipe, k=work.k, seed=work.seed, trigger=trigger))

    size = max(16, -(-len(work.examples) // _PARTS))
    for start in range(0, len(work.examples), size):
        part = work.examples[start : start + size]
        found = attacked(model.bulk, part)
        after = model.predict([a.pair for a in found])
        for i, attack in enumerate(found):
            was = max(range(3), key=before[start + i].__getitem__)
            if (attack.before.label, attack.after.label) != (was, after[i].label):  # bulk precision saw it otherwise
                found[i] = attacked(model, [part[i]])[0]
                after[i] = found[i].after
        yield found, after


def _common(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The note that all rows share, such as the trigger that was found; [] where they differ or have none."""
    found = {row["note"] for row in rows}
    return [note for note in found if note] if len(found) == 1 else []


def _about(recipe: Recipe) -> dict[str, Any]:
    named_so = {"name": "recipe"}
    fields = ("name", "title", "paper", "guarantee", "gold", "budgeted", "budget", "broken")
    return {named_so.get(field, field): getattr(recipe, field) for field in fields}


def data_hash(examples: Sequence[Example]) -> str:
    """16 hex digits of sha256 over the examples' hashes, in order."""
    return hashlib.sha256("\n".join(e.uid for e in examples).encode()).hexdigest()[:16]


def _replace(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder beside its place, and move it there in one step."""
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        fill(new)
        if folder.exists():
            os.replace(folder, old)
        os.replace(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def up_to_date(finished: Finished | None, work: Task, fingerprints: Mapping[str, str]) -> bool:
    """Whether that folder holds just this task on just these checkpoints."""
    asked = (work.recipe, work.k, work.seed, data_hash(work.examples), dict(fingerprints))
    return finished is not None and asked == (finished.recipe, finished.k, finished.seed, finished.data_hash, dict(finished.models))


def recipes(names: Sequence[str]) -> list[str]:
    """The recipes named, or all. Raises InputError for an unknown one."""
    return [named(name).name for name in names] or list(RECIPES)
