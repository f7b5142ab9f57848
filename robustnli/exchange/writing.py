"""Entries -> files: JSONL, CSV, Parquet, TextAttack's CSV, a data set folder, or all of them in one zip. Written in pieces.

Each file is one more pass over the entries and holds about a thousand rows in memory, so that entries may come from a database. Without `everything` only entries that a person
confirmed (split train) or could not decide (unsure) go out.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from robustnli.curated import Entry
from robustnli.errors import DataError, InputError, did_you_mean
from robustnli.exchange import rows
from robustnli.exchange.about import About, Survey, card, manifest, survey, unnamed
from robustnli.records import atomic_path
from robustnli.slices import Slice
from robustnli.types import LABELS

BATCH = 1000


class Stream(Protocol):
    """Whatever takes bytes: a file, a response, a zip member."""

    def write(self, data: bytes, /) -> Any:
        """Take these bytes."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of `FORMATS`: its file name's end ('' for a folder), and what it carries, in a sentence for a person."""

    name: str
    suffix: str
    mime: str
    about: str


@dataclass(frozen=True, slots=True)
class Written:
    """One file of an export: rows is 0 for a card or a manifest."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote. `left_out`: entries that nobody confirmed or somebody rejected, which did not go out."""

    format: str
    files: tuple[Written, ...]
    entries: int
    train: int
    unsure: int
    left_out: int


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("zip", ".zip", "application/zip", "All of the others in one, with a manifest; unpacked it is a data set folder."),
        Format("jsonl", ".jsonl", "application/jsonl", "Everything, one object a line; can be imported again, and trained on."),
        Format("csv", ".csv", "text/csv", "For a spreadsheet: pairs, labels, verdict, notes, each model's label. No history."),
        Format("parquet", ".parquet", "application/vnd.apache.parquet", "Everything, labels as ClassLabel, one file."),
        Format("textattack", ".csv", "text/csv", "TextAttack's log: entries that kept their label, and one model's predictions."),
        Format("dataset", "", "", "A folder that datasets.load_dataset reads: a card, and the splits train and unsure."),
    )
}


def format_of(path: Path) -> str:
    """The format that a path asks for by its end: one of `FORMATS`; a path without an end is a data set folder. Raises InputError."""
    ends = {f.suffix: f.name for f in reversed(FORMATS.values()) if f.name != "textattack"}
    if path.suffix.lower() not in ends:
        known = ", ".join(end for end in ends if end)
        raise InputError(f"{path}: no format ends in {path.suffix!r}. Give {known}, a folder without an end, or name the format.")
    return ends[path.suffix.lower()]


def export_to(
    target: Path | Stream, entries: Collection[Entry], format: str = "zip", about: About | None = None, *, everything: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Exported:  # fmt: skip
    """Write the entries to a path (whole or not at all) or to a stream; a data set folder needs a path that does not exist yet.

    `everything`: pending and rejected entries too, as a backup; JSONL only. `progress` is told each thousand rows written. Raises
    InputError for a format that there is not, DataError where no entry may go out or one holds what is no text.
    """
    if format not in FORMATS:
        raise InputError(f"there is no format {format!r}.{did_you_mean(format, FORMATS)}")
    if everything and format != "jsonl":
        raise InputError(f"everything, with what nobody confirmed, goes to JSONL only, as a backup; the format is {format}.")
    about = (about or About()).dated()
    writer = _Writer(entries, about, everything, progress, about.counted if format == "zip" else ())
    if format == "dataset":
        if not isinstance(target, Path):
            raise InputError("a data set folder cannot go into one stream. Give a path, or choose zip, which holds the same folder.")
        with _new_folder(target) as folder:
            writer.dataset(_Folder(folder))
    else:
        with _opened(target) as stream:
            writer.zip(stream) if format == "zip" else writer.file(format, stream, target.name if isinstance(target, Path) else "")
    found = writer.found
    return Exported(format, tuple(writer.files), found.splits.total(), found.splits["train"], found.splits["unsure"], writer.left_out)


class _Counted:
    """A stream that counts and hashes what goes through; what `pyarrow` needs of a file."""

    def __init__(self, stream: Stream):
        self._stream, self._hash, self.size, self.closed = stream, hashlib.sha256(), 0, False

    def write(self, data: Any) -> int:
        data = bytes(data)
        self._stream.write(data)
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        self.closed = True

    def written(self, name: str, count: int) -> Written:
        return Written(name, count, self.size, self._hash.hexdigest())


class _Folder:
    """Named files in a folder."""

    def __init__(self, root: Path):
        self._root = root

    def open(self, name: str) -> AbstractContextManager[Stream]:
        path = self._root / name
        path.parent.mkdir(exist_ok=True)
        return path.open("wb")


class _Zip:
    """Named files in a zip; their times are that of the export."""

    def __init__(self, archive: zipfile.ZipFile, made_at: str):
        numbers = [int(n) for n in made_at[:19].replace("T", "-").replace(":", "-").split("-")]
        self._archive, self._time = archive, (max(1980, numbers[0]), *numbers[1:])

    def open(self, name: str) -> AbstractContextManager[Stream]:
        info = zipfile.ZipInfo(name, self._time)  # type: ignore[arg-type]
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        return self._archive.open(info, "w", force_zip64=True)


class _Writer:
    """One export under way: the entries that go out, what they are, and the files written so far."""

    def __init__(
        self, entries: Collection[Entry], about: About, everything: bool, progress: Callable[[int], None] | None, slices: Sequence[Slice]
    ):
        self._entries, self._about, self._everything, self._progress = entries, about, everything, progress
        self.files: list[Written] = []
        self.found: Survey = survey(self._chosen(), slices)
        self.left_out = len(entries) - self.found.splits.total()
        if not self.found.splits.total():
            why = (
                f"none of the {self.left_out:,} entries is confirmed: judge them first (keep, relabel or unsure)"
                if self.left_out
                else "there is no curated example to choose from. Keep some first, or choose another verdict or tag"
            )
            raise DataError(f"nothing to export: {why}.")
        self._model = about.model or self.found.model

    def _chosen(self) -> Iterator[Entry]:
        return (entry for entry in self._entries if self._everything or entry.split is not None)

    def _out(self, split: str = "") -> Iterator[Entry]:
        for number, entry in enumerate(self._chosen(), 1):
            if not split or entry.split == split:
                yield entry if self._about.people else unnamed(entry, self.found.people)
            if self._progress and number % BATCH == 0:
                self._progress(number)

    def zip(self, stream: Stream) -> None:
        with zipfile.ZipFile(_Counted(stream), "w") as archive:  # type: ignore[call-overload]
            folder = _Zip(archive, self._about.made_at)
            self.dataset(folder, extra=True)
            for name, kind in (("entries.jsonl", "jsonl"), ("entries.csv", "csv"), ("textattack.csv", "textattack")):
                with folder.open(name) as member:
                    self.file(kind, member, name)
            self._text(folder, "manifest.json", manifest(self.found, self._about, [asdict(f) for f in self.files]))

    def dataset(self, folder: _Folder | _Zip, *, extra: bool = False) -> None:
        self._text(folder, "README.md", card(self.found, self._about, extra=extra))
        for split in self.found.parts:
            with folder.open(f"data/{split}.parquet") as stream:
                self._add(f"data/{split}.parquet", stream, partial(_parquet, entries=self._out(split)), self.found.splits[split])

    def file(self, kind: str, stream: Stream, name: str = "") -> None:
        writers: dict[str, Callable[[_Counted], int]] = {
            "jsonl": lambda out: _jsonl(out, self._out()),
            "csv": lambda out: _csv(out, self._out(), sorted(self.found.models)),
            "parquet": lambda out: _parquet(out, self._out()),
            "textattack": lambda out: _textattack(out, self._out(), self._model),
        }
        self._add(name or kind, stream, writers[kind], None if kind == "textattack" else self.found.splits.total())

    def _text(self, folder: _Folder | _Zip, name: str, content: str) -> None:
        with folder.open(name) as stream:
            self._add(name, stream, lambda out: 0 * out.write(content.encode()), 0)

    def _add(self, name: str, stream: Stream, write: Callable[[_Counted], int], expected: int | None) -> None:
        counted = _Counted(stream)
        count = write(counted)
        if expected not in (None, count):
            raise DataError(f"the entries changed while they were exported: {expected:,} at first, {count:,} in {name}. Export again.")
        self.files.append(counted.written(name, count))


def _jsonl(out: _Counted, entries: Iterable[Entry]) -> int:
    count = 0
    for entry in entries:
        count += 1
        out.write(_encoded(json.dumps(rows.full_row(entry), ensure_ascii=False) + "\n", entry))
    return count


class _Lines:
    """What `csv.writer` writes to: the text of one row, taken off again."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _csv(out: _Counted, entries: Iterable[Entry], models: Sequence[str]) -> int:
    lines, count = _Lines(), 0
    writer = csv.writer(lines)
    writer.writerow([rows.safe(name) for name in rows.flat_columns(models)])
    out.write(b"\xef\xbb\xbf" + lines.text.encode())  # the mark by which spreadsheets know UTF-8
    for entry in entries:
        writer.writerow(rows.flat_row(entry, models))
        out.write(_encoded(lines.text, entry))
        count += 1
    return count


def _textattack(out: _Counted, entries: Iterable[Entry], model: str) -> int:
    lines, count = _Lines(), 0
    writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(rows.TEXTATTACK)
    out.write(lines.text.encode())
    for entry in entries:
        row = rows.textattack_row(entry, model)
        if row is not None:
            writer.writerow(row)
            out.write(_encoded(lines.text, entry))
            count += 1
    return count


def _parquet(out: _Counted, entries: Iterable[Entry]) -> int:
    import pyarrow
    import pyarrow.parquet

    schema, count = _schema(), 0
    with pyarrow.parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        source = iter(entries)
        while batch := list(islice(source, BATCH)):
            try:
                table = pyarrow.Table.from_pylist([rows.parquet_row(entry) for entry in batch], schema)
            except (UnicodeEncodeError, pyarrow.ArrowException):
                for entry in batch:
                    _encoded(json.dumps(rows.full_row(entry), ensure_ascii=False), entry)
                raise
            writer.write_table(table)
            count += len(batch)
    return count


def _schema() -> Any:
    """The columns of Parquet, with what `datasets` needs to know the labels by name."""
    from datasets import ClassLabel, Features, List, Value

    def texts(*names: str) -> dict[str, Any]:
        return {name: Value("string") for name in names}

    label, whole, probs = ClassLabel(names=[label.text for label in LABELS]), Value("int32"), List(Value("float64"))
    return Features(
        texts("uid", "premise", "hypothesis") | {"label": label} | texts("split", "verdict", "original_premise", "original_hypothesis")
        | {"original_label": label} | texts("recipe")
        | {"changed": List(texts("segment") | {"start": whole, "end": whole, "pieces": whole})}
        | {"said": List(texts("model", "fingerprint") | {"before": probs, "after": probs})}
        | texts("note") | {"tags": List(Value("string"))} | texts("author", "created")
        | {"opinions": List(texts("author", "verdict", "label", "note", "at"))}
        | {"history": List(texts("at", "author", "field", "before", "after"))} | {"schema": whole}
    ).arrow_schema  # fmt: skip


def _encoded(text: str, entry: Entry) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"entry {entry.uid}: holds half a character (a lone surrogate), which no file can carry. Edit it first.") from error


@contextmanager
def _opened(target: Path | Stream) -> Iterator[Stream]:
    """The stream itself, or a file that takes its place when it is whole."""
    if not isinstance(target, Path):
        with nullcontext(target) as stream:
            yield stream
        return
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        yield file


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder that takes its place when it is whole. Raises DataError where there is something already."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise DataError(f"{path} exists already. Give a new folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        temporary.chmod(0o755)
        yield temporary
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
