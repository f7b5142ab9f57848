"""The challenge suite: original minimal groups of pairs, each labelled twice. See GUIDE.md and README.md in this folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from robustnli.errors import DataError
from robustnli.records import read_rows
from robustnli.types import Example, Label, Pair, Segment, example

Split = Literal["dev", "test"]
FOLDER = Path(__file__).parent
SPLITS: tuple[Split, Split] = ("dev", "test")
PHENOMENA = {
    "negation": ["verbal", "determiner", "never", "quantity", "without", "neither-nor", "indefinite", "contrast", "double", "scope"],
    "ambiguity": ["modal", "lexical", "scope", "reference", "quantity"],
    "long": ["early", "middle", "late"],
    "plain": ["action", "place", "time", "person", "object", "number", "relation", "property"],
}


@dataclass(frozen=True, slots=True)
class Item:
    """One pair of the suite. `deciding`: (segment, start, end) in characters of the words that settle the label."""

    example: Example
    group: str
    split: Split
    slice: str
    phenomenon: str
    deciding: tuple[tuple[Segment, int, int], ...]
    note: str

    @property
    def pair(self) -> Pair:
        """The two sentences."""
        return self.example.pair

    @property
    def label(self) -> Label:
        """The label on which both annotators agreed."""
        return self.example.label


def files() -> dict[Split, Path]:
    """The JSONL file of each split; `datasets.load_dataset("json", data_files=...)` reads them too."""
    return {split: FOLDER / f"{split}.jsonl" for split in SPLITS}


@lru_cache(maxsize=1)
def load() -> tuple[Item, ...]:
    """Every pair of both splits, group by group. Raises DataError for a row that does not fit."""
    return tuple(parse(row, f"{path.name}, row {n}") for path in files().values() for n, row in read_rows(path))


def parse(row: dict[str, Any], at: str = "row") -> Item:
    """An `Item` from a row of the files. Raises DataError naming `at` and what is wrong."""
    try:
        item = example(row["premise"], row["hypothesis"], Label[row["label"].upper()], f"suite {row['split']}")
        deciding = tuple((d["segment"], d["start"], d["end"]) for d in row["deciding"])
        parsed = Item(item, row["group"], row["split"], row["slice"], row["phenomenon"], deciding, row["note"])
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{at}: {type(error).__name__} {error}. The fields are listed in the suite's README.") from error
    if row.get("uid") != item.uid or row.get("label_id") != int(item.label):
        raise DataError(f"{at}: uid or label_id does not belong to the text and label.")
    return parsed


def to_row(item: Item) -> dict[str, Any]:
    """The row of the files: flat but for `deciding`; the label as a name and as an id."""
    return {
        "uid": item.example.uid,
        "group": item.group,
        "split": item.split,
        "slice": item.slice,
        "phenomenon": item.phenomenon,
        "premise": item.pair.premise,
        "hypothesis": item.pair.hypothesis,
        "label": item.label.text,
        "label_id": int(item.label),
        "deciding": [{"segment": s, "start": a, "end": b} for s, a, b in item.deciding],
        "note": item.note,
    }


def groups(items: Sequence[Item]) -> dict[str, list[Item]]:
    """group -> its items, in order."""
    out: dict[str, list[Item]] = {}
    for item in items:
        out.setdefault(item.group, []).append(item)
    return out
