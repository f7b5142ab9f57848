"""Sources of examples -> `list[Example]`: a local file, or a data set of the hub's form (local folder or hub id)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from robustnli import suite
from robustnli.errors import DataError, did_you_mean
from robustnli.records import FORMATS, read_rows
from robustnli.types import LABELS, Example, Label, example

COLUMNS = {
    "premise": ("premise", "sentence1", "text"),
    "hypothesis": ("hypothesis", "sentence2", "text_pair"),
    "label": ("label", "gold_label"),
}
UNLABELLED = {"", "-", "-1", "none", "nan"}
_NAMES = {label.text: label for label in LABELS} | {str(int(label)): label for label in LABELS}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Examples of one or more sources, and how many unlabelled rows were dropped."""

    examples: tuple[Example, ...]
    unlabelled: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(self.examples + other.examples, self.unlabelled + other.unlabelled)


def parse_label(value: object) -> Label | None:
    """A `Label` from a name or an id; None for an unlabelled row (-1, "-", empty). Raises ValueError else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip().lower()
    if text in UNLABELLED:
        return None
    if text not in _NAMES:
        raise ValueError(
            f"label {shown(value)} is none of entailment (0), neutral (1), contradiction (2).{did_you_mean(text, (x.text for x in LABELS))}"
        )
    return _NAMES[text]


def load(source: str) -> Loaded:
    """The examples of `source`: `suite[:dev|:test]`, a file path, or `FOLDER_OR_HUB_ID[:SPLIT]` read by `datasets` (split: train).

    Files: JSONL, CSV, TSV, Parquet, plain or gzip, with premise, hypothesis, label (or sentence1, sentence2,
    gold_label). Raises DataError with the row's number for a bad row, or when nothing labelled is left.
    """
    name, _, split = source.partition(":")
    if name == "suite":
        return _suite(split)
    path = Path(source)
    if path.is_file() or _names_a_file(path):
        rows: Iterable[tuple[int, dict[str, Any]]] = read_rows(path)
    else:
        rows = _hub_rows(source)
    loaded = _examples(rows, source)
    if not loaded.examples:
        raise DataError(
            f"{source}: no labelled row ({loaded.unlabelled} unlabelled). Labels are entailment, neutral, contradiction or 0, 1, 2."
        )
    return loaded


def load_all(sources: Iterable[str]) -> Loaded:
    """The sources' examples one after the other."""
    return sum((load(source) for source in sources), Loaded(()))


def load_good(path: Path, *, most: int) -> tuple[Loaded, tuple[str, ...]]:
    """(the labelled rows of a file that can be read, a sentence for each other row, which names its number); at most `most` rows.

    Raises DataError for what makes the whole file unreadable: its format, its columns, a row after which the next cannot be found.
    """
    bad: list[str] = []
    return _examples(_at_most(read_rows(path), most, path), str(path), bad), tuple(bad)


def _at_most(rows: Iterable[tuple[int, dict[str, Any]]], most: int, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for count, row in enumerate(rows):
        if count == most:
            raise DataError(f"{path}: more than {most:,} rows. Cut it into several files.")
        yield row


def _suite(split: str) -> Loaded:
    if split and split not in suite.SPLITS:
        raise DataError(f"the suite has no split {split!r}. Its splits are {' and '.join(suite.SPLITS)}; without one, both are read.")
    return Loaded(tuple(item.example for item in suite.load() if split in ("", item.split)))


def _names_a_file(path: Path) -> bool:
    stem = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return stem.suffix.lower() in FORMATS


def _examples(rows: Iterable[tuple[int, dict[str, Any]]], source: str, bad: list[str] | None = None) -> Loaded:
    """The examples of rows. A row that is none raises DataError; with `bad`, its sentence is put there, and the next row is read."""
    examples: list[Example] = []
    unlabelled = 0
    columns: dict[str, str] = {}
    for number, row in rows:
        if not columns:
            columns = _columns(row, source, number)
        try:
            if any(name not in row for name in columns.values()):
                columns = _columns(row, source, number)
            item = _example(row, columns, f"{source}, row {number}")
        except DataError as error:
            if bad is None:
                raise
            bad.append(str(error))
            continue
        if item is None:
            unlabelled += 1
        else:
            examples.append(item)
    return Loaded(tuple(examples), unlabelled)


def _example(row: dict[str, Any], columns: dict[str, str], at: str) -> Example | None:
    """The example of a row; None for an unlabelled one. Raises DataError that names `at`."""
    try:
        label = parse_label(row[columns["label"]])
    except ValueError as error:
        raise DataError(f"{at}: {error}") from error
    if label is None:
        return None
    premise, hypothesis = row[columns["premise"]], row[columns["hypothesis"]]
    for name, text in (("premise", premise), ("hypothesis", hypothesis)):
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{at}: {name} is {shown(text)}, where a sentence is expected.")
    return example(premise, hypothesis, label, str(row.get("source") or ""))


def _columns(row: dict[str, Any], source: str, number: int) -> dict[str, str]:
    found = {field: next((name for name in names if name in row), "") for field, names in COLUMNS.items()}
    missing = [f"{field} (or {', '.join(COLUMNS[field][1:])})" for field, name in found.items() if not name]
    if missing:
        raise DataError(f"{source}, row {number}: no column {' and no column '.join(missing)}. Columns found: {_listed(row) or 'none'}.")
    return found


def _listed(row: dict[str, Any]) -> str:
    """The names of a row's columns; of many, the first."""
    named = [str(name)[:60] for name in islice(row, 30)]
    return ", ".join([*named, f"and {len(row) - 30:,} more"] if len(row) > 30 else named)


def shown(value: object) -> str:
    """A value in a message: as Python writes it, cut, and fit to be printed."""
    try:
        text = repr(value)
    except ValueError:  # a number of thousands of digits
        text = "a very large number"
    return text if len(text) <= 120 else text[:117] + "..."


def _hub_rows(source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    import datasets

    name, _, split = source.partition(":")
    if not Path(name).exists() and (name.startswith((".", "/", "~")) or name.count("/") != 1):
        raise DataError(f"{source}: neither a file, nor a folder, nor a hub id of the form owner/name[:split].")
    try:
        table = datasets.load_dataset(name, split=split or "train")
    except Exception as error:  # datasets raises dozens of types: connection, parsing, missing split
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"{source}: `datasets` could not load it ({first}). Give a local file or folder, or check the hub id, the split and the network."
        ) from error
    names = getattr(table.features.get("label"), "names", None)
    for number, row in enumerate(table, 1):
        if names and isinstance(row["label"], int) and 0 <= row["label"] < len(names):
            row["label"] = names[row["label"]]
        yield number, row
