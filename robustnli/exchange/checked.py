"""Rows of files -> entries, each field checked. A row that cannot be used raises ValueError with the field, its value and what is expected."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from robustnli.curated import BY_HAND, Change, Entry, Opinion, Said, Verdict, changed_words, entry_uid, opinion_on
from robustnli.data import parse_label
from robustnli.errors import InputError, did_you_mean
from robustnli.exchange.rows import SCHEMA, SPLIT, Row, unsafe
from robustnli.types import Label, Pair, Prediction, Word

MAX_SENTENCE, MAX_SHORT, MAX_NOTE, MAX_LIST = 100_000, 500, 20_000, 1000
IMPORTED = "imported"  # the recipe of a plain pair
_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_FIELD = re.compile(r"\[\[(\[?[^\[\]]*\]?)\]\]")  # how TextAttack marks a field's name and a changed word, where it is not plain
_TAG = re.compile(r"(?s)((?:[^,\\]|\\.)+)(?:, ?|$)")  # a tag in our CSV: a comma in it has a \ before it


def entry_of(row: Row) -> Entry:
    """The entry of a full row. Its uid is computed anew; opinions on a text that the row's uid does not belong to are left out."""
    schema = row.get("schema", SCHEMA)
    if not isinstance(schema, int) or schema > SCHEMA:
        raise ValueError(f"schema is {schema!r}; this version reads up to {SCHEMA}. Update robustnli")
    original, edited = _pair(row, "original_premise", "original_hypothesis"), _pair(row, "premise", "hypothesis")
    gold = label_of(row.get("original_label"), "original_label")
    uid = entry_uid(original, edited, gold)
    opinions = tuple(_opinion(item, gold) for item in _list(row, "opinions"))
    authors = [o.author for o in opinions]
    if len(set(authors)) < len(authors):
        raise ValueError("opinions has two of one author, where one each is expected")
    return Entry(
        uid, original, edited, gold, text(row, "recipe", MAX_SHORT) or BY_HAND, tuple(_word(w, original) for w in _list(row, "changed")),
        tuple(_said(item) for item in _list(row, "said")), text(row, "note", MAX_NOTE),
        tuple(_text(tag, "a tag", MAX_SHORT) for tag in _list(row, "tags")), text(row, "author", MAX_SHORT), text(row, "created", MAX_SHORT),
        opinions if row.get("uid") in (None, "", uid) else (), tuple(_change(item) for item in _list(row, "history")),
    )  # fmt: skip


def entry_of_flat(row: Row) -> Entry:
    """The entry of a row of our CSV; what its cells cannot carry is empty."""
    cells = {name: unsafe(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
    verdict = _verdict(cells.get("verdict") or "pending")
    opinions = []
    if verdict is not Verdict.PENDING or cells.get("judged_by"):
        keys = {"author": "judged_by", "note": "judged_note", "at": "judged_at"}
        opinions = [{k: cells.get(v) or "" for k, v in keys.items()} | {"verdict": verdict.value, "label": cells.get("label")}]
    tags = [re.sub(r"(?s)\\(.)", r"\1", tag) for tag in _TAG.findall(cells.get("tags") or "")]
    words = [part.split() for part in (cells.get("changed") or "").split(";") if part.strip()]
    if any(len(word) != 4 or not all(number.isdigit() for number in word[1:]) for word in words):
        raise ValueError(f"changed is {cells['changed']!r}, where 'SEGMENT START END PIECES; ...' is expected")
    changed = [{"segment": w[0], "start": int(w[1]), "end": int(w[2]), "pieces": int(w[3])} for w in words]
    return entry_of({**cells, "opinions": opinions, "changed": changed, "tags": tags, "said": [], "history": []})


def entry_of_textattack(row: Row) -> Entry:
    """The entry of a row of TextAttack's log, plain or marked with [[ ]]: both pairs and the true label; nobody has judged it yet."""
    original, edited = (_textattack_pair(row.get(name), name) for name in ("original_text", "perturbed_text"))
    gold = label_of(row.get("ground_truth_output"), "ground_truth_output")
    return Entry(entry_uid(original, edited, gold), original, edited, gold, "textattack", changed_words(original, edited))


def entry_of_pair(row: Row, mapping: Mapping[str, str]) -> Entry:
    """The entry of a plain pair: `mapping` says which column holds which field.

    Without an original pair the pair itself is the original, and its label the label before: nobody has judged it yet.
    """
    own: Row = {field: row.get(column) for field, column in mapping.items()}
    edited = _pair(own, "premise", "hypothesis")
    original = _pair(own, "original_premise", "original_hypothesis", edited)
    label = label_of(own.get("label"), mapping.get("label", "label"))
    edit = "original_label" in mapping
    gold = label_of(own.get("original_label"), mapping["original_label"]) if edit else label
    tags = own.get("tags") or ()
    named = [str(tag) for tag in tags] if isinstance(tags, list | tuple) else [tag.strip() for tag in str(tags).split(",")]
    entry = Entry(
        entry_uid(original, edited, gold), original, edited, gold, IMPORTED, changed_words(original, edited), note=text(own, "note", MAX_NOTE),
        tags=tuple(dict.fromkeys(_text(tag, "a tag", MAX_SHORT) for tag in named if tag)),
    )  # fmt: skip
    return replace(entry, opinions=(_given(entry, label),)) if edit and label is not None else entry


def _given(entry: Entry, label: Label) -> Opinion:
    """The opinion that a file states when it has a label of the original pair and one of the edited pair."""
    verdict = Verdict.KEEP if entry.gold_before in (None, label) else Verdict.RELABEL
    return opinion_on(entry, "", verdict, label)


def label_of(value: object, name: str) -> Label | None:
    """The label of a cell; None where there is none."""
    try:
        return parse_label(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def text(row: Row, name: str, longest: int) -> str:
    """A field that may be missing or empty."""
    value = row.get(name)
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else _text(value, name, longest)


def _text(value: object, name: str, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {_short(value)}, where text is expected")
    if len(value) > longest:
        raise ValueError(f"{name} has {len(value):,} characters; {longest:,} is the most")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise ValueError(f"{name} holds half a character (a lone surrogate), which is no text")
    return value


def _sentence(row: Row, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is {_short(value)}, where a sentence is expected")
    return _text(value, name, MAX_SENTENCE)


def _pair(row: Row, premise: str, hypothesis: str, default: Pair | None = None) -> Pair:
    """The pair of two columns; a sentence that is missing is that of `default`, where one is given."""
    if default is None:
        return Pair(_sentence(row, premise), _sentence(row, hypothesis))
    return Pair(
        _sentence(row, premise) if row.get(premise) else default.premise,
        _sentence(row, hypothesis) if row.get(hypothesis) else default.hypothesis,
    )


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _list(row: Row, name: str) -> list[Any]:
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name} is {_short(value)}, where a list is expected")
    if len(value) > MAX_LIST:
        raise ValueError(f"{name} has {len(value):,} items; {MAX_LIST:,} is the most")
    return list(value)


def _item(value: object, name: str) -> Row:
    if not isinstance(value, dict):
        raise ValueError(f"{name} holds {_short(value)}, where an object is expected")
    return value


def _verdict(value: object) -> Verdict:
    if not isinstance(value, str) or value not in _VERDICTS:
        raise ValueError(f"verdict is {_short(value)}.{did_you_mean(str(value)[:40], _VERDICTS)}")
    return _VERDICTS[value]


def _opinion(value: object, gold: Label | None) -> Opinion:
    item = _item(value, "opinions")
    verdict, label = _verdict(item.get("verdict")), label_of(item.get("label"), "the label of an opinion")
    pair = Pair("", "")
    blank = Entry("", pair, pair, gold)
    try:
        return opinion_on(blank, text(item, "author", MAX_SHORT), verdict, label, text(item, "note", MAX_NOTE), text(item, "at", MAX_SHORT))
    except InputError as error:
        raise ValueError(f"verdict {verdict.value} with label {label.text if label is not None else None!r}: {error}") from error


def _word(value: object, pair: Pair) -> Word:
    item = _item(value, "changed")
    segment, numbers = item.get("segment"), [item.get(name) for name in ("start", "end", "pieces")]
    if segment not in ("premise", "hypothesis") or not all(isinstance(n, int) for n in numbers):
        raise ValueError(f"changed holds {_short(value)}, where segment, start, end and pieces of a word are expected")
    start, end, pieces = (int(n) for n in numbers if n is not None)
    if not 0 <= start < end <= len(pair.text(segment)) or pieces < 1:
        raise ValueError(f"changed holds {_short(value)}, which is no word of the original {segment}")
    return Word(segment, start, end, pieces)


def _said(value: object) -> Said:
    item = _item(value, "said")
    before, after = (_prediction(item.get(when), when) for when in ("before", "after"))
    return Said(text(item, "model", MAX_SHORT), text(item, "fingerprint", MAX_SHORT), before, after)


def _prediction(value: object, when: str) -> Prediction:
    if isinstance(value, list) and len(value) == 3 and all(isinstance(p, int | float) and math.isfinite(p) and 0 <= p <= 1 for p in value):
        a, b, c = (float(p) for p in value)
        if abs(a + b + c - 1) < 0.01:
            return Prediction((a, b, c))
    raise ValueError(f"said holds {_short(value)} as the prediction {when}, where three probabilities that sum to 1 are expected")


def _change(value: object) -> Change:
    item = _item(value, "history")
    at, author, field = (text(item, name, MAX_SHORT) for name in ("at", "author", "field"))
    return Change(at, author, field, *(text(item, name, 2 * MAX_SENTENCE + MAX_SHORT) for name in ("before", "after")))


def _textattack_pair(value: object, name: str) -> Pair:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {_short(value)}, where text is expected")
    plain = _FIELD.sub(r"\1", _FIELD.sub(r"\1", value)) if value.startswith("[[") else value
    head, cut, hypothesis = plain.partition(f"{SPLIT}Hypothesis: ")
    if not cut or not head.startswith("Premise: "):
        raise ValueError(f"{name} is {_short(value)}, where 'Premise: ...{SPLIT}Hypothesis: ...' is expected")
    fields = {"premise": head.removeprefix("Premise: "), "hypothesis": hypothesis}
    return _pair({key: sentence.replace(SPLIT, "\n") for key, sentence in fields.items()}, "premise", "hypothesis")
