"""What the suite holds and how models do on it: counts, agreement of the annotators, scores, and a copy for other tools."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robustnli.compare import wilson
from robustnli.errors import DataError
from robustnli.suite import FOLDER, PHENOMENA, SPLITS, Item, files, groups
from robustnli.suite.checks import words
from robustnli.types import LABELS, Prediction

SHIPPED = ("README.md", "GUIDE.md", "ANNOTATE.md", "CHANGELOG.md", "LICENSE", "agreement.json")


def stats(items: Sequence[Item]) -> dict[str, Any]:
    """Counts per split, slice, label and phenomenon; words per sentence; different words."""
    slices = {}
    for name, phenomena in PHENOMENA.items():
        members = [i for i in items if i.slice == name]
        slices[name] = {
            "pairs": len(members),
            "groups": len(groups(members)),
            "labels": {label.text: sum(i.label == label for i in members) for label in LABELS},
            "phenomena": {p: sum(i.phenomenon == p for i in members) for p in phenomena},
        }
    premises, hypotheses = ([w for i in items for w in words(i.pair.text(s))] for s in ("premise", "hypothesis"))  # type: ignore[arg-type]
    return {
        "pairs": len(items),
        "groups": len(groups(items)),
        "splits": {split: sum(i.split == split for i in items) for split in SPLITS},
        "slices": slices,
        "words_per_premise": round(len(premises) / max(1, len(items)), 2),
        "words_per_hypothesis": round(len(hypotheses) / max(1, len(items)), 2),
        "different_words": len(set(premises) | set(hypotheses)),
    }


def kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Cohen's kappa of two annotators' labels; 1 is full agreement, 0 what chance gives. Raises DataError for none."""
    if not pairs:
        raise DataError("no labels to compare. Give each item's two labels.")
    agreed = sum(a == b for a, b in pairs) / len(pairs)
    first, second = (Counter(labels) for labels in zip(*pairs, strict=True))
    chance = sum(first[label] * second[label] for label in first) / len(pairs) ** 2
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def scores(items: Sequence[Item], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Rows of n, right, accuracy and its 95 % interval: all, each split, slice and phenomenon; and groups wholly right."""
    right = [p.label == i.label for i, p in zip(items, predictions, strict=True)]
    parts: dict[str, list[bool]] = {"all": right}
    whole: dict[str, bool] = {}
    for item, ok in zip(items, right, strict=True):
        for name in (f"split {item.split}", item.slice, f"{item.slice}: {item.phenomenon}", f"{item.slice}, gold {item.label.text}"):
            parts.setdefault(name, []).append(ok)
        whole[item.group] = whole.get(item.group, True) and ok
    parts["groups wholly right"] = list(whole.values())
    order = ["all", "groups wholly right", *sorted(set(parts) - {"all", "groups wholly right"})]
    return [_score(name, parts[name]) for name in order]


def _score(name: str, right: list[bool]) -> dict[str, Any]:
    return {
        "part": name,
        "n": len(right),
        "right": sum(right),
        "accuracy": sum(right) / len(right),
        "interval": list(wilson(sum(right), len(right))),
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """`scores` as aligned text."""
    return "\n".join(
        f"  {r['part']:<32} {r['right']:>5} of {r['n']:>5}  {r['accuracy']:6.1%}  ({r['interval'][0]:.1%} to {r['interval'][1]:.1%})"
        for r in rows
    )


def export(folder: Path) -> int:
    """Copy the suite to the new folder `folder`, as `datasets.load_dataset(folder)` reads it; returns how many files."""
    if folder.exists():
        raise DataError(f"{folder} exists already. Give a new folder.")
    folder.mkdir(parents=True)
    sources = [*files().values(), *(FOLDER / name for name in SHIPPED if (FOLDER / name).is_file())]
    for path in sources:
        shutil.copyfile(path, folder / path.name)
    return len(sources)


def agreement() -> dict[str, Any]:
    """The published agreement of the two annotators, before disagreements were mended or dropped."""
    value: dict[str, Any] = json.loads((FOLDER / "agreement.json").read_text(encoding="utf-8"))
    return value
