"""What an export tells of itself: counts, models, recipes, slices; the manifest and the data set card made from them."""

from __future__ import annotations

import json
import platform
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from robustnli import __version__
from robustnli.curated import Entry
from robustnli.exchange.rows import SCHEMA, Row
from robustnli.slices import STANDARD, Slice, in_words
from robustnli.types import LABELS, Example

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&:])")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass(frozen=True, slots=True)
class About:
    """What the exporter says of the data. `people`: authors by name; False numbers them. `model`: whose predictions TextAttack's file has.

    `checkpoints` are (name, fingerprint) of the checkpoints now; those of the predictions are in the entries. `made_at` is UTC, ISO 8601;
    empty: now. The same entries and the same `About` with a time give the same bytes.
    """

    title: str = "Curated NLI examples"
    description: str = ""
    license: str = ""
    seed: int | None = None
    checkpoints: tuple[tuple[str, str], ...] = ()
    slices: tuple[Slice, ...] = STANDARD
    model: str = ""
    people: bool = True
    made_at: str = ""

    @property
    def counted(self) -> tuple[Slice, ...]:
        """The slices that the entries can be counted in: those that ask for no model's confidence."""
        return tuple(part for part in self.slices if not part.asks_confidence)

    def dated(self) -> About:
        """With a time."""
        return self if self.made_at else replace(self, made_at=datetime.now(UTC).isoformat(timespec="seconds"))


@dataclass(slots=True)
class Survey:
    """Counts of the exported entries, from one pass over them; filled by `survey`, then only read."""

    splits: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    recipes: Counter[str] = field(default_factory=Counter)
    slices: Counter[str] = field(default_factory=Counter)
    models: dict[str, Counter[str]] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """The splits of a data set folder: those that are not empty, since `datasets` refuses a folder that names an empty one."""
        return tuple(split for split in ("train", "unsure") if self.splits[split])

    @property
    def model(self) -> str:
        """The model that most entries have predictions of; the first in the alphabet of equals."""
        return min(self.models, key=lambda name: (-self.models[name].total(), name), default="")


def survey(entries: Iterable[Entry], slices: Sequence[Slice]) -> Survey:
    """What the entries are; nothing of them is kept. `slices` are counted in the split train."""
    found = Survey()
    for entry in entries:
        found.splits[entry.split or "none"] += 1
        found.verdicts[entry.verdict.value] += 1
        found.recipes[entry.recipe] += 1
        for said in entry.said:
            found.models.setdefault(said.model, Counter())[said.fingerprint] += 1
        for name in (entry.author, *(o.author for o in entry.opinions), *(c.author for c in entry.history)):
            if name:
                found.people.setdefault(name, f"annotator {len(found.people) + 1}")
        label = entry.gold_after
        if label is not None:
            found.labels[label.text] += 1
            example = Example(entry.uid, entry.edited, label)
            found.slices.update(part.name for part in slices if part.holds(example))
    return found


def unnamed(entry: Entry, people: dict[str, str]) -> Entry:
    """The entry with its people numbered instead of named; texts that they wrote stay as they are."""
    return replace(
        entry,
        author=people.get(entry.author, ""),
        opinions=tuple(replace(o, author=people.get(o.author, "")) for o in entry.opinions),
        history=tuple(replace(c, author=people.get(c.author, "")) for c in entry.history),
    )


def manifest(found: Survey, about: About, files: Iterable[Row]) -> str:
    """The manifest as JSON: where the data is from, counted, and the sha256 of each file."""
    value: dict[str, Any] = {
        "format": "robustnli curated examples", "schema": SCHEMA, "title": about.title, "made_at": about.made_at, "seed": about.seed,
        "counts": {
            "entries": found.splits.total(), "splits": dict(found.splits), "verdicts": dict(found.verdicts), "labels": dict(found.labels),
        },
        "recipes": dict(found.recipes.most_common()),
        "models": {name: {"fingerprints": dict(prints)} for name, prints in sorted(found.models.items())},
        "checkpoints": dict(about.checkpoints),
        "slices": {s.name: {"entries": found.slices[s.name], "about": in_words(s)} for s in about.counted},
        "versions": {
            "robustnli": __version__, "python": platform.python_version(), **{name: version(name) for name in ("datasets", "pyarrow")},
        },
        "files": list(files),
    }  # fmt: skip
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def card(found: Survey, about: About, *, extra: bool) -> str:
    """README.md of a data set folder: the YAML that `datasets` and the hub read, then what a reader must know.

    `extra`: the folder also holds the files of the zip. Titles, names and tags are other people's text and are escaped.
    """
    parts = [
        _yaml(found, about), f"\n# {escaped(about.title)}\n", escaped(about.description) + "\n" if about.description else "",
        _ABOUT, _table(("split", "examples", "what it is"), _split_rows(found)),
        _table(("label", "train"), [(label.text, f"{found.labels[label.text]:,}") for label in LABELS]), _COLUMNS,
    ]  # fmt: skip
    if found.models:
        rows = [(escaped(n), f"{prints.total():,}", escaped(", ".join(prints))) for n, prints in sorted(found.models.items())]
        parts += ["## The models that were asked\n", _table(("model", "entries", "fingerprints of its checkpoints"), rows)]
    parts += [
        "## How the examples were made\n",
        _table(("recipe", "entries"), [(escaped(n), f"{c:,}") for n, c in found.recipes.most_common()]),
    ]
    parts += [
        _PEOPLE_NAMED if about.people else _PEOPLE_NUMBERED,
        _FILES if extra else "",
        f"\nWritten by robustnli {__version__}, {about.made_at}.\n",
    ]
    return "\n".join(part for part in parts if part)


def escaped(text: str) -> str:
    """Foreign text as plain Markdown text of one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\&", "&amp;")


def _split_rows(found: Survey) -> list[tuple[str, str, str]]:
    return [
        ("train", f"{found.splits['train']:,}", "a person said what the label of the edited pair is: the one before, or another"),
        ("unsure", f"{found.splits['unsure']:,}", "a person looked and could not tell; `label` is -1. Not for training"),
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _yaml(found: Survey, about: About) -> str:
    size = next((name for most, name in _SIZES if found.splits.total() < most), "n>1M")
    lines = [
        "---", f"pretty_name: {json.dumps(about.title)}", *([f"license: {json.dumps(about.license)}"] if about.license else []),
        "task_categories:", "- text-classification", "task_ids:", "- natural-language-inference", "size_categories:", f"- {size}",
        "tags:", "- adversarial", "- robustnli", "configs:", "- config_name: default", "  data_files:",
        *(f"  - split: {split}\n    path: data/{split}.parquet" for split in found.parts), "---",
    ]  # fmt: skip
    return "\n".join(lines)


_ABOUT = """Pairs of a premise and a hypothesis that somebody changed to see what a model for natural language inference leans on.
An edit may destroy the evidence for the label the pair had, so no example is here before a person said what its label is now.

```python
from datasets import load_dataset
data = load_dataset("path/to/this/folder")  # or the id on the hub
```
"""
_COLUMNS = """## Columns

| column | what it holds |
| --- | --- |
| `premise`, `hypothesis` | the edited pair |
| `label` | its label, as a person judged it: 0 entailment, 1 neutral, 2 contradiction; -1 in the split `unsure` |
| `original_premise`, `original_hypothesis`, `original_label` | the pair before the edit; -1 where nobody gave it a label |
| `verdict` | keep (the label it had), relabel (another), unsure |
| `recipe`, `changed` | how it was made; the words of the original pair that were changed, by character |
| `said` | what each model predicted when the example was made, before and after the edit: probabilities in the order of the labels |
| `opinions`, `history` | each person's judgement; every later change |
| `note`, `tags`, `author`, `created` | as kept; times are UTC |
| `uid` | a hash of both pairs and the label before |
"""
_PEOPLE_NAMED = "Authors are named as they signed in. Remove the names before you publish this folder if they did not agree.\n"
_PEOPLE_NUMBERED = "Authors are numbered, not named. Notes are as they were written.\n"
_FILES = """## The other files

| file | what it carries |
| --- | --- |
| `entries.jsonl` | everything, one object a line; `robustnli import` reads it, and so does training (`label` is a name) |
| `entries.csv` | for a spreadsheet: not other people's opinions, the history, whole probabilities. A cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a line break) has a ' before it, which `robustnli import` takes off again |
| `textattack.csv` | for tools that read TextAttack's log: only entries that kept their label, and one model's predictions |
| `manifest.json` | counts, checkpoints, versions, and the sha256 of each file |
"""
