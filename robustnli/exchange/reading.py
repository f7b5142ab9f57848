"""Files of strangers -> numbered rows: JSONL, CSV, TSV, Parquet (plain or gzip), a zip or a folder of such files. Nothing of a file is run.

What is read is bounded: bytes on disk and unpacked, rows, files. A row that cannot be parsed is given as the sentence that says why, so that
all bad rows of a file can be told at once; a file that cannot be read at all raises DataError.
"""

from __future__ import annotations

import csv
import errno
import gzip
import hashlib
import io
import json
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any

from robustnli.errors import DataError
from robustnli.exchange.rows import Row
from robustnli.records import FORMATS, PARQUET_ERRORS, class_names, file_format, first_line

MAX_BYTES, MAX_ROWS, MAX_FILES = 256 << 20, 200_000, 1000
_BATCH = 256
_ORDER = (".jsonl", ".parquet", ".json", ".csv", ".tsv")
_DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of rows; `name` is how errors call it, '' where there is only one."""

    path: Path
    name: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What a path holds: its files of rows, and what is to be told of them."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, int, Row | str]]:
        """(file's name, row number from 1, row or why it is none). Raises DataError beyond `MAX_ROWS`."""
        count = 0
        for part in self.parts:
            for number, row in _rows(part.path):
                count += 1
                if count > MAX_ROWS:
                    raise DataError(f"more than {MAX_ROWS:,} rows, which is the most that is imported at once. Split the file.")
                yield part.name, number, row


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The rows' files of a file, zip or folder; what a zip holds is unpacked to a place of its own and gone afterwards. Raises DataError."""
    if path.is_dir():
        names = sorted(p.relative_to(path).as_posix() for p in islice((p for p in path.rglob("*") if p.is_file()), MAX_FILES + 1))
        chosen = _choose(names, path.name)
        _fits(sum((path / name).stat().st_size for name in chosen), path.name)
        yield _source([Part(path / name, name) for name in chosen], path / "manifest.json")
    elif not path.is_file():
        raise DataError(f"{path}: no such file or folder.")
    elif path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        with tempfile.TemporaryDirectory(prefix="robustnli-import-") as folder:
            yield _unzipped(path, Path(folder))
    else:
        _fits(path.stat().st_size, path.name)
        yield Source((Part(path),))


def _fits(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise DataError(f"{name}: {size / 2**20:,.0f} MiB, unpacked; {MAX_BYTES >> 20} MiB is the most that is imported at once. Split it.")


def _choose(names: Sequence[str], source: str) -> list[str]:
    """Of a folder's or a zip's files the ones to read: entries.jsonl where there is one, else all of the first format that there is."""
    if len(names) > MAX_FILES:
        raise DataError(f"{source}: more than {MAX_FILES:,} files, which is the most that is looked at. Give the file of rows itself.")
    shown = [n for n in names if not any(part.startswith((".", "__")) for part in PurePosixPath(n).parts)]
    ours = [n for n in shown if PurePosixPath(n).name == "entries.jsonl"]
    if ours:
        return ours[:1]
    by_format: dict[str, list[str]] = {}
    for name in shown:
        stem = name.lower().removesuffix(".gz")
        by_format.setdefault(PurePosixPath(stem).suffix, []).append(name)
    by_format.pop(".json", None)  # a manifest, a report, a configuration
    found = next((by_format[kind] for kind in _ORDER if kind in by_format), None)
    if found is None:
        raise DataError(f"{source}: holds no file of rows. Expected are entries.jsonl, or files that end in {', '.join(FORMATS)}.")
    return found


def _unzipped(path: Path, folder: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
            chosen = _choose(list(infos), path.name)
            manifest = str(PurePosixPath(chosen[0]).parent / "manifest.json")
            wanted = [*chosen, *([manifest] if manifest in infos else [])]
            if any(infos[name].flag_bits & 1 for name in wanted):
                raise DataError(f"{path.name}: is locked with a password. Unpack it and give the folder.")
            _fits(sum(infos[name].file_size for name in wanted), path.name)
            parts = []
            for number, name in enumerate(wanted):
                place = folder / (f"{number}" + "".join(PurePosixPath(name).suffixes[-2:]))
                with archive.open(name) as packed, place.open("wb") as file:
                    shutil.copyfileobj(packed, file, 1 << 16)  # never more than the size it states, which was checked
                parts.append(Part(place, name))
    except _DAMAGED as error:
        raise DataError(f"{path.name}: not a whole zip file ({error}). Make or download it again.") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # that is a place before the file's beginning
            raise DataError(
                f"{path.name}: cannot be unpacked ({error.strerror}). Free some space, or unpack it and give the folder."
            ) from error
        raise DataError(f"{path.name}: not a whole zip file ({error.strerror}). Make or download it again.") from error
    return _source(parts[: len(chosen)], parts[-1].path if len(parts) > len(chosen) else None)


def _source(parts: Sequence[Part], manifest: Path | None) -> Source:
    """The parts, with a note where one is no longer what the manifest beside it says. A single part needs no name in errors."""
    told: dict[str, str] = {}
    if manifest is not None and manifest.is_file() and manifest.stat().st_size < 1 << 20:
        try:
            told = {file["name"]: file["sha256"] for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]}
        except (ValueError, KeyError, TypeError, RecursionError):
            told = {}  # another tool's manifest
    changed = [p.name for p in parts for name, sha in told.items() if p.name.endswith(name) and _sha256(p.path) != sha]
    notes = tuple(f"{name} was changed after it was exported: its manifest has another hash." for name in changed)
    return Source(tuple(parts) if len(parts) > 1 else (Part(parts[0].path),), notes)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _rows(path: Path) -> Iterator[tuple[int, Row | str]]:
    kind = file_format(Path(path.name))
    if kind == ".parquet":
        yield from _parquet_rows(path)
        return
    try:
        with path.open("rb") as raw:
            unpacked: Any = gzip.GzipFile(fileobj=raw) if path.suffix.lower() == ".gz" else raw
            with io.BufferedReader(_Bounded(unpacked, path.name)) as stream:
                encoding = "utf-16" if stream.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
                text = io.TextIOWrapper(stream, encoding=encoding, newline="")
                yield from _json_rows(text) if kind in (".jsonl", ".json") else _csv_rows(text, kind, path.name)
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    except _DAMAGED as error:
        raise DataError(f"{path.name}: not a whole gzip file ({error}). Make or download it again.") from error


class _Bounded(io.RawIOBase):
    """The bytes of a file, and DataError beyond `MAX_BYTES` of them: what a gzip file unpacks to is not known before."""

    def __init__(self, stream: Any, name: str):
        self._stream, self._name, self._count = stream, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._count += len(data)
        _fits(self._count, self._name)
        buffer[: len(data)] = data
        return len(data)


def _json_rows(text: IO[str]) -> Iterator[tuple[int, Row | str]]:
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not valid JSON ({str(error)[:200]}). One object a line is expected"
            continue
        yield number, row if isinstance(row, dict) else f"a {type(row).__name__}, where one object a line is expected"


def _csv_rows(text: IO[str], kind: str, name: str) -> Iterator[tuple[int, Row | str]]:
    head = text.readline()
    if not head.strip():
        raise DataError(f"{name}: the first line is empty, where the names of the columns are expected.")
    delimiter = "\t" if kind == ".tsv" else max(",;\t", key=head.count)
    quoting: Any = csv.QUOTE_NONE if kind == ".tsv" else csv.QUOTE_MINIMAL
    lines = _Rest(head, text)
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=kind == ".csv")
    columns: list[str] | None = None
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if columns is None:
                raise DataError(f"{name}: the names of the columns cannot be read ({error}).") from error
            number += 1
            yield number, f"{error}. Check the quotation marks"
            continue
        if columns is None:
            columns = cells
        elif cells:
            number += 1
            many = "more" if len(cells) > len(columns) else "fewer" if len(cells) < len(columns) else ""
            yield number, f"has {many} fields than the header's {len(columns)}" if many else dict(zip(columns, cells, strict=True))


class _Rest:
    """The lines of a text whose first one was read already."""

    def __init__(self, head: str, text: IO[str]):
        self._head, self._text = head, text

    def __iter__(self) -> Iterator[str]:
        yield self._head
        yield from self._text


def _parquet_rows(path: Path) -> Iterator[tuple[int, Row | str]]:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            meta = table.metadata
            _fits(sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)), path.name)
            names = class_names(table.schema_arrow.metadata)
            number = size = 0
            for batch in table.iter_batches(_BATCH):
                size += batch.nbytes  # a dictionary of few long texts is small on disk
                _fits(size, path.name)
                for row in batch.to_pylist():
                    number += 1
                    yield number, _labelled(row, names)
    except PARQUET_ERRORS as error:
        raise DataError(f"{path.name}: not a readable Parquet file ({first_line(error)}).") from error


def _labelled(row: Row, names: dict[str, list[str]]) -> Row:
    """The row with the names of its labels: the numbers in a file follow the file's own order."""
    for column, labels in names.items():
        value = row.get(column)
        if isinstance(value, int) and 0 <= value < len(labels):
            row[column] = labels[value]
    return row
