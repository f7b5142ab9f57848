"""What a repair did: parent against child on the examples, on the suite, on pairs that were not rehearsed; as a run's folder and a card.

The suite measures with what was not trained on: both halves, but the test half alone where a pair of the dev half was learned; and
without those groups of pairs that share a premise with an example.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from robustnli import evidence, suite
from robustnli.config import snli_files
from robustnli.data import load as load_data
from robustnli.errors import RobustNLIError
from robustnli.metrics import metrics
from robustnli.models import NLIModel
from robustnli.pipeline import runs
from robustnli.pipeline.card import figure_row
from robustnli.pipeline.evaluate import compare, comparison_summary, metrics_summary
from robustnli.pipeline.rehearse import Telling
from robustnli.pipeline.report import build, to_markdown
from robustnli.pipeline.score import records, scored
from robustnli.records import Row, write_json, write_rows
from robustnli.repairs import EXAMPLES
from robustnli.suite import Item
from robustnli.types import Checkpoint, Example, Pair, Prediction

CHUNK = 128
SNLI_ROWS = 500  # of SNLI dev, where a copy is at hand


@dataclass(frozen=True, slots=True)
class Data:
    """What both models are asked. `left_out`: rows of the suite that stand too near to an example; `held`: pairs not rehearsed."""

    examples: tuple[Example, ...]
    suite: tuple[Item, ...]
    left_out: int
    held: tuple[Pair, ...]
    snli: tuple[Example, ...]

    @property
    def pairs(self) -> list[Pair]:
        """All pairs, in the order of `Said`."""
        return [*(e.pair for e in self.examples), *(i.pair for i in self.suite), *self.held, *(e.pair for e in self.snli)]


@dataclass(frozen=True, slots=True)
class Said:
    """One model's predictions of `Data`, part by part."""

    examples: list[Prediction]
    suite: list[Prediction]
    held: list[Prediction]
    snli: list[Prediction]


def material(examples: Sequence[Example], held: Sequence[Pair]) -> Data:
    """What a repair with these examples is measured on."""
    items, learned = suite.load(), {e.pair for e in examples}
    if any(item.pair in learned for item in items if item.split == "dev"):
        items = tuple(item for item in items if item.split == "test")
    premises = {_plain(pair.premise) for pair in learned}
    near = {item.group for item in items if _plain(item.pair.premise) in premises}
    kept = tuple(item for item in items if item.group not in near)
    return Data(tuple(examples), kept, len(items) - len(kept), tuple(held), tuple(_snli_dev(learned)))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _snli_dev(learned: set[Pair]) -> list[Example]:
    """Rows of SNLI dev, evenly spread, from a copy at hand; [] without one."""
    for path in snli_files():
        if "dev" in path.name.lower() or "validation" in path.name.lower():
            try:
                rows = [e for e in load_data(str(path)).examples if e.pair not in learned]
            except RobustNLIError:
                continue
            return rows[:: max(1, len(rows) // SNLI_ROWS)][:SNLI_ROWS]
    return []


def ask(model: NLIModel, what: Data, tell: Telling, *, known: dict[str, Prediction] | None = None) -> Said:
    """The model's predictions. `known`: of pairs of the suite, by uid, which are not asked again."""
    known = known or {}
    pairs = what.pairs
    first, last = len(what.examples), len(what.examples) + len(what.suite)
    open_ones = [i for i in range(len(pairs)) if not (first <= i < last and what.suite[i - first].example.uid in known)]
    said: dict[int, Prediction] = {}
    for start in range(0, len(open_ones), CHUNK):
        part = open_ones[start : start + CHUNK]
        said.update(zip(part, model.predict([pairs[i] for i in part]), strict=True))
        tell.step(len(part))
    tell.step(len(pairs) - len(open_ones))
    rows = [said[i] if i in said else known[what.suite[i - first].example.uid] for i in range(len(pairs))]
    end = last + len(what.held)
    return Said(rows[:first], rows[first:last], rows[last:end], rows[end:])


def known_answers(checkpoint: Checkpoint) -> dict[str, Prediction]:
    """What a finished run has of this very checkpoint's answers on the suite, by uid; {} where none has."""
    for run in evidence.find_runs():
        names = [name for name, fingerprint in run.fingerprints.items() if fingerprint == checkpoint.fingerprint]
        if names and "suite" in run.splits:
            try:
                table = evidence.read_records(run, "suite")
            except RobustNLIError:
                continue
            rows = np.array(table[f"probs.{names[0]}"].tolist(), dtype=float).tolist()
            return {uid: Prediction((a, b, c)) for uid, (a, b, c) in zip(table["uid"], rows, strict=True)}
    return {}


def figures(what: Data, before: Said, after: Said) -> dict[str, Any]:
    """The repair's result in numbers: plain values."""
    gold = [e.label for e in what.examples]
    learned, at_first = (sum(p.label == g for p, g in zip(said.examples, gold, strict=True)) for said in (after, before))
    parts = {"all": list(range(len(what.suite)))} | {
        name: [i for i, item in enumerate(what.suite) if item.slice == name] for name in suite.PHENOMENA
    }
    tested = [item.label for item in what.suite]
    out: dict[str, Any] = {
        "examples": len(gold), "learned": learned, "right_before": at_first,
        "suite": comparison_summary(compare(tested, before.suite, after.suite, {k: v for k, v in parts.items() if v})) if tested else [],
        "suite_halves": sorted({item.split for item in what.suite}), "suite_left_out": what.left_out,
        "held": len(what.held), "held_same": sum(a.label == b.label for a, b in zip(before.held, after.held, strict=True)),
    }  # fmt: skip
    fixed = [i for i, g in enumerate(gold) if before.examples[i].label != g == after.examples[i].label]
    out["shown"] = [(e := what.examples[fixed[0] if fixed else 0]).pair.premise, e.pair.hypothesis, e.label.text]
    if what.snli:
        right = [sum(p.label == e.label for p, e in zip(said.snli, what.snli, strict=True)) for said in (before, after)]
        out |= {"snli": len(what.snli), "snli_before": right[0], "snli_after": right[1]}
    return out


def write_run(folder: Path, models: tuple[Checkpoint, Checkpoint], what: Data, answers: tuple[Said, Said], about: dict[str, Any]) -> None:
    """A run's folder as `evidence` reads it: parent against child on the suite, and on the examples."""
    names = [m.name for m in models]
    rows = {
        "suite": _records([i.example for i in what.suite], [suite.to_row(i) for i in what.suite], names, [a.suite for a in answers]),
        EXAMPLES: _records(what.examples, [_row(e) for e in what.examples], names, [a.examples for a in answers]),
    }
    rows = {split: kept for split, kept in rows.items() if kept}
    report = {"title": f"{names[1]}: a repair of {names[0]}", "stamp": None, "repair": about}
    report |= build([scored(split, kept, names) for split, kept in rows.items()], probe=None, audit={}, leaked=0)
    for split, kept in rows.items():
        write_rows(folder / "records" / f"{split}.parquet", kept)
    write_json(folder / "report.json", report)
    (folder / "report.md").write_text(to_markdown(report, {}), encoding="utf-8")
    hashes = {"suite": runs.content_hash(i.example for i in what.suite), EXAMPLES: runs.content_hash(what.examples)}
    write_json(
        folder / "manifest.json",
        {"repair": about, "data": hashes, "checkpoints": {m.name: m.fingerprint for m in models},
         "made": datetime.now(UTC).isoformat(timespec="seconds"), "machine": runs.machine(), "stamp": None},
    )  # fmt: skip


def _records(examples: Sequence[Example], texts: Sequence[Row], names: Sequence[str], said: Sequence[Sequence[Prediction]]) -> list[Row]:
    answers = {name: [{"probs": list(p.probs)} for p in rows] for name, rows in zip(names, said, strict=True)}
    return [text | row for text, row in zip(texts, records(examples, answers, {}, set()), strict=True)]


def _row(item: Example) -> Row:
    return {"premise": item.pair.premise, "hypothesis": item.pair.hypothesis, "source": item.source}


_CARD = """---
language: en
license: {licence}
pipeline_tag: text-classification
library_name: transformers
tags: [natural-language-inference, robustness]
---

# {name}

A repair of *{parent}*: a short training on {taught}, with replay so that it does not forget. Made by `robustnli repair`.

| | |
|---|---|
| parent | {parent}, fingerprint `{fingerprint}` |
| examples | {counts}; content hash `{hash}` |
| replay | {replay} |
| training | {passes} passes over the examples, {steps} steps, {seconds:.0f} s; ended {ended} |
| settings | {settings} |
| weights | {share:.0%} of the new, {rest:.0%} of the parent's; {size:,} bytes, sha256 `{digest}` |

## Measured

Its examples: {learned:,} of {n:,} learned ({right_before:,} were right before). {kept}

| data | n | accuracy | 95 % interval | loss | ECE (15 bins) | F1 entailment / neutral / contradiction |
|---|---|---|---|---|---|---|
{rows}

## Limits

As its parent's. It was taught a few examples: what it gained and lost elsewhere is measured above, no further. The records of that
comparison are the run *{name}* of the error explorer.
"""


def card(name: str, parent: Checkpoint, child: Checkpoint, what: Data, answers: tuple[Said, Said], about: dict[str, Any]) -> str:
    """The model card of a repair: every figure is from its own measurement. `about`: what the run's manifest says of it."""
    halves, gold = " and ".join(about["suite_halves"]), [item.label for item in what.suite]
    rows = [
        figure_row(f"challenge suite ({halves}), {who}", metrics_summary(metrics(gold, said.suite)))
        for who, said in zip((parent.name, name), answers, strict=True) if gold
    ]  # fmt: skip
    sources, weights = [e.source or "unnamed" for e in what.examples], Path(child.path) / "model.safetensors"
    kept = f"Of {about['held']:,} other pairs it says the same as before of {about['held_same']:,}." if about["held"] else ""
    if "snli" in about:
        kept += f" SNLI dev, {about['snli']:,} rows: {about['snli_before']:,} right before, {about['snli_after']:,} after."
    return _CARD.format(
        **{key: about[key] for key in ("hash", "replay", "passes", "steps", "seconds", "learned", "right_before", "share")},
        rest=1 - about["share"], name=name, parent=parent.name, fingerprint=parent.fingerprint, licence=_licence(Path(parent.path)), n=len(sources),
        taught=f"{len(sources):,} example{'' if len(sources) == 1 else 's'}",
        counts=", ".join(f"{sources.count(source):,} {source}" for source in dict.fromkeys(sources)),
        ended="when all were learned" if about["right_at_end"] == len(sources) else "at the last pass allowed",
        settings=", ".join(f"{key} {value}" for key, value in about["settings"].items()), size=weights.stat().st_size,
        digest=hashlib.sha256(weights.read_bytes()).hexdigest(), kept=kept, rows="\n".join(rows),
    )  # fmt: skip


def _licence(folder: Path) -> str:
    """The licence that the parent's card names; "other" where none does."""
    card = folder / "README.md"
    found = re.search(r"^license: *([\w.-]+)$", card.read_text(encoding="utf-8"), re.MULTILINE) if card.is_file() else None
    return found.group(1) if found else "other"
