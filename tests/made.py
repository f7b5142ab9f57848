"""Finished runs made up for tests: records, and the text they belong to, in the form that `reproduce --publish` writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from robustnli.masking import spans
from robustnli.records import write_rows
from robustnli.slices import STANDARD
from robustnli.types import Example, Label, example

MODELS = ("baseline", "finetuned", "robust")
_WHO = ("A baker", "An old sailor", "The twins", "A tall girl", "Two clerks", "Nobody")
_DOES = ("paints a fence", "does not sleep", "is maybe late", "counts coins", "never sings", "waits for a tram")
_WHERE = (
    "in a kitchen",
    "near the harbour",
    "on a roof",
    "behind the old mill that stands at the end of a very long and very dusty road to town",
)


def examples(n: int, seed: int = 0) -> list[Example]:
    """`n` different made-up pairs with labels."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        who, other = (_WHO[j] for j in rng.integers(0, len(_WHO), 2))
        does, then = (_DOES[j] for j in rng.integers(0, len(_DOES), 2))
        where = _WHERE[rng.integers(0, len(_WHERE))]
        out.append(example(f"{who} {does} {where}, case {i}.", f"{other} {then}.", Label(int(rng.integers(0, 3))), "made"))
    return out


def records(items: list[Example], *, right: tuple[float, ...] = (0.75, 0.8, 0.82), seed: int = 0) -> list[dict[str, object]]:
    """A record an example: each model is right about as often as told, and was attacked."""
    rng = np.random.default_rng(seed)
    rows = []
    for i, item in enumerate(items):
        words = spans(item.pair.hypothesis)
        row: dict[str, object] = {
            "index": i, "uid": item.uid, "gold": int(item.label), "slices": [s.name for s in STANDARD if s.holds(item)], "hard": i % 3 == 0,
        }  # fmt: skip
        for model, share in zip(MODELS, right, strict=True):
            label = int(item.label) if rng.random() < share else (int(item.label) + 1 + int(rng.integers(0, 2))) % 3
            top = float(rng.uniform(0.5, 0.99))
            probs = [(1 - top) / 2] * 3
            probs[label] = top
            status = "skipped" if label != item.label else "broken" if rng.random() < 0.6 else "held"
            row |= {
                f"probs.{model}": probs, f"status.{model}": status, f"tried.{model}": 2, f"scores.{model}": [0.1] * len(words),
                f"broke_at.{model}": {"skipped": 0, "broken": 1, "held": None}[status], f"masked.{model}": [*words[-1], 1],
            }  # fmt: skip
        rows.append(row)
    return rows


def make_run(folder: Path, splits: dict[str, list[dict[str, object]]]) -> Path:
    """A run's folder with these records."""
    (folder / "records").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": {m: f"print-of-{m}" for m in MODELS}, "stamp": None}))
    for split, rows in splits.items():
        pd.DataFrame(rows).to_parquet(folder / "records" / f"{split}.parquet")
    return folder


def suite_rows(items: list[Example]) -> list[dict[str, object]]:
    """Records as the suite's: with text, slice, phenomenon and the deciding words."""
    kinds = (("negation", "verbal"), ("ambiguity", "modal"), ("long", "late"), ("plain", "place"))
    out = []
    for row, item in zip(records(items, right=(0.6, 0.75, 0.8), seed=3), items, strict=True):
        slice_, phenomenon = kinds[int(row["index"]) % 4 if int(row["index"]) % 40 else 3]  # type: ignore[call-overload]
        start, end = spans(item.pair.hypothesis)[0]
        row |= {
            "premise": item.pair.premise, "hypothesis": item.pair.hypothesis, "group": f"g{row['index']}",
            "split": "dev" if int(row["index"]) % 3 == 0 else "test", "slice": slice_,
            "phenomenon": phenomenon, "deciding": [{"segment": "hypothesis", "start": start, "end": end}], "note": "made up",
        }  # fmt: skip
        out.append(row)
    return out


def make_all(root: Path, n: int = 200, suite: int = 240) -> tuple[Path, Path]:
    """(folder of runs, folder of text): a run `made` with the splits suite and test, and the text of test."""
    items = examples(n)
    make_run(root / "runs" / "made", {"suite": suite_rows(examples(suite, seed=1)), "test": records(items)})
    (root / "text").mkdir()
    rows = ({"premise": e.pair.premise, "hypothesis": e.pair.hypothesis, "label": e.label.text} for e in items)
    write_rows(root / "text" / "made_test.jsonl", rows)
    return root / "runs", root / "text"
