"""Entries as rows of files: the full row of JSONL and Parquet, the flat row of CSV, TextAttack's row. Each says what it cannot carry.

full row      everything
flat row      both pairs, labels, verdict with its note and time, recipe, changed words, note, tags, author; what each model predicted as
              a label and its probability. Not: other people's opinions, the history, whole probabilities, fingerprints
TextAttack's  both pairs, the label before, one model's prediction as label and score; only entries that kept their label, since that is
              what TextAttack takes for granted. A line break within a sentence becomes <SPLIT>, as TextAttack writes it
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from robustnli.curated import Entry, Said, Verdict
from robustnli.types import Label

SCHEMA = 1
Row = dict[str, Any]
FLAT = (
    "uid", "premise", "hypothesis", "label", "split", "verdict", "original_premise", "original_hypothesis", "original_label", "recipe",
    "changed", "tags", "note", "author", "created", "judged_by", "judged_note", "judged_at",
)  # fmt: skip
TEXTATTACK = (
    "original_text", "perturbed_text", "original_score", "perturbed_score", "original_output", "perturbed_output", "ground_truth_output",
    "num_queries", "result_type",
)  # fmt: skip
SPLIT = "<SPLIT>"
# What a spreadsheet takes for the start of a formula. A leading ' makes it text, and so each leading ' before such a start gets one more.
_FORMULA = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")


def safe(cell: str) -> str:
    """The cell with a leading ' where a spreadsheet would take it for a formula; `unsafe` takes it off again."""
    return "'" + cell if _FORMULA.match(cell) else cell


def unsafe(cell: str) -> str:
    """What `safe` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def full_row(entry: Entry) -> Row:
    """Everything of an entry. `label` is what a person said of the edited pair (None: nobody has), so that training reads the file as it is."""
    label = entry.gold_after
    return {
        "uid": entry.uid, "premise": entry.edited.premise, "hypothesis": entry.edited.hypothesis,
        "label": _name(label), "label_id": _number(label), "split": entry.split, "verdict": entry.verdict.value,
        "original_premise": entry.original.premise, "original_hypothesis": entry.original.hypothesis,
        "original_label": _name(entry.gold_before), "recipe": entry.recipe, "changed": [{"segment": w.segment, "start": w.start, "end": w.end, "pieces": w.pieces} for w in entry.changed],
        "said": [
            {"model": s.model, "fingerprint": s.fingerprint, "before": list(s.before.probs), "after": list(s.after.probs)} for s in entry.said
        ],
        "note": entry.note, "tags": list(entry.tags), "author": entry.author, "created": entry.created,
        "opinions": [
            {"author": o.author, "verdict": o.verdict.value, "label": _name(o.label), "note": o.note, "at": o.at} for o in entry.opinions
        ],
        "history": [{"at": c.at, "author": c.author, "field": c.field, "before": c.before, "after": c.after} for c in entry.history],
        "schema": SCHEMA,
    }  # fmt: skip


def parquet_row(entry: Entry) -> Row:
    """`full_row` with `label` and `original_label` as class numbers; -1 where there is none."""
    row = full_row(entry)
    return row | {"label": row.pop("label_id"), "original_label": _number(entry.gold_before), "split": row["split"] or ""}


def flat_columns(models: Sequence[str]) -> list[str]:
    """The header of the CSV: `FLAT`, and four columns a model."""
    return [*FLAT, *(f"says.{model}.{what}" for model in models for what in ("before", "before_p", "after", "after_p"))]


def flat_row(entry: Entry, models: Sequence[str]) -> list[str]:
    """The cells of an entry under `flat_columns`, safe in a spreadsheet."""
    opinion = entry.opinion
    cells = [
        entry.uid, entry.edited.premise, entry.edited.hypothesis, _name(entry.gold_after) or "", entry.split or "", entry.verdict.value,
        entry.original.premise, entry.original.hypothesis, _name(entry.gold_before) or "", entry.recipe,
        "; ".join(f"{w.segment} {w.start} {w.end} {w.pieces}" for w in entry.changed),
        ", ".join(tag.replace("\\", "\\\\").replace(",", "\\,") for tag in entry.tags), entry.note, entry.author, entry.created,
        opinion.author if opinion else "", opinion.note if opinion else "", opinion.at if opinion else "",
    ]  # fmt: skip
    by_model = {said.model: said for said in entry.said}
    for model in models:
        said = by_model.get(model)
        for prediction in (said.before, said.after) if said else (None, None):
            cells += [prediction.label.text, f"{prediction.confidence:.4f}"] if prediction else ["", ""]
    return [safe(cell) for cell in cells]


def textattack_row(entry: Entry, model: str) -> list[str | float | int] | None:
    """The cells of an entry as TextAttack logs them in its plain style; None where it did not keep its label or `model` was not asked.

    A score is TextAttack's of an untargeted attack: one minus the probability of the true label.
    """
    said = next((s for s in reversed(entry.said) if s.model == model), None)
    gold = entry.gold_after
    if said is None or gold is None or entry.verdict is not Verdict.KEEP:
        return None
    return [
        textattack_text(entry.original.premise, entry.original.hypothesis), textattack_text(entry.edited.premise, entry.edited.hypothesis),
        1 - said.before.probs[gold], 1 - said.after.probs[gold], int(said.before.label), int(said.after.label), int(gold),
        2, _result_type(said, gold),
    ]  # fmt: skip


def textattack_text(premise: str, hypothesis: str) -> str:
    """A pair as TextAttack logs an input of two fields."""
    return f"Premise: {premise}\nHypothesis: {hypothesis}".replace("\n", SPLIT)


def _result_type(said: Said, gold: Label) -> str:
    if said.before.label != gold:
        return "Skipped"
    return "Failed" if said.after.label == gold else "Successful"


def _name(label: Label | None) -> str | None:
    return None if label is None else label.text


def _number(label: Label | None) -> int:
    return -1 if label is None else int(label)
