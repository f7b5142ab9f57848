"""Rows <-> files: JSONL, CSV, TSV and Parquet, plain or gzip. The one place that knows file formats."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from robustnli.errors import DataError, did_you_mean

Row = dict[str, Any]
FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
MAX_LINE = 32 << 20  # characters
csv.field_size_limit(16 << 20)
# ArrowException is a ValueError, KeyError or TypeError, too; plain ones come of dates that Python does not have and of unknown time zones.
PARQUET_ERRORS = (OSError, ValueError, LookupError, TypeError, NotImplementedError, OverflowError)


def file_format(path: Path) -> str:
    """The format's suffix, a trailing `.gz` ignored. Raises DataError for one we do not read."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix not in FORMATS:
        raise DataError(f"{path}: cannot tell the format from {suffix!r}.{did_you_mean(suffix, FORMATS)} Each but Parquet may end in .gz.")
    return suffix


def check_writable(path: Path) -> None:
    """Raises DataError, before any work is done, when no file of a format that we write can be made at `path`."""
    file_format(path)
    folder = next((p for p in path.absolute().parents if p.exists()), path.absolute().parent)
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise DataError(f"{path}: cannot be written there. Give a path in a folder that you may write to.")


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """(row number from 1, row) for each row; a row that cannot be parsed raises DataError naming it."""
    kind = file_format(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file. Give a path to a JSONL, CSV, TSV or Parquet file.")
    try:
        if kind == ".parquet":
            yield from _parquet_rows(path)
        else:
            opener = gzip.open if path.suffix.lower() == ".gz" else open
            with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
                lines = _lines(path, stream)
                yield from _json_rows(path, lines) if kind in (".jsonl", ".json") else _csv_rows(path, lines, kind)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: not a whole gzip file ({error}). Make or download it again.") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). Check that you may read it.") from error


def _lines(path: Path, stream: IO[str]) -> Iterator[str]:
    """The lines of a text. Raises DataError for one that is longer than any row: what a small gzip file unpacks to may fill the memory."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise DataError(f"{path}, line {number}: longer than {MAX_LINE:,} characters, which is no row. Is it a text file of rows?")
        yield line


def _json_rows(path: Path, stream: Iterable[str]) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # ValueError: JSON's own, and a number of 5,000 digits
            raise DataError(f"{path}, row {number}: not valid JSON ({error}). One object a line is expected.") from error
        if not isinstance(row, dict):
            raise DataError(
                f"{path}, row {number}: a {type(row).__name__}, where an object with premise, hypothesis and label is expected."
            )
        yield number, row


def _csv_rows(path: Path, stream: Iterable[str], kind: str) -> Iterator[tuple[int, Row]]:
    # A TSV of sentences holds bare quotation marks; only a CSV quotes its fields.
    quoting: Any = csv.QUOTE_NONE if kind == ".tsv" else csv.QUOTE_MINIMAL
    reader = csv.DictReader(stream, delimiter="\t" if kind == ".tsv" else ",", quoting=quoting, strict=kind == ".csv")
    number = 0
    try:
        for number, row in enumerate(reader, 1):
            if None in row or None in row.values():
                raise DataError(
                    f"{path}, row {number}: has {'more' if None in row else 'fewer'} fields than the header's {len(reader.fieldnames or ())}."
                )
            yield number, row
    except csv.Error as error:
        raise DataError(f"{path}, row {number + 1}: {error}. Check the quotation marks.") from error


def _parquet_rows(path: Path) -> Iterator[tuple[int, Row]]:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as table:
            names = class_names(table.schema_arrow.metadata)
            number = 0
            for batch in table.iter_batches(8192):
                for row in batch.to_pylist():
                    number += 1
                    for column, labels in names.items():
                        value = row.get(column)
                        if isinstance(value, int) and 0 <= value < len(labels):
                            row[column] = labels[value]
                    yield number, row
    except PARQUET_ERRORS as error:
        raise DataError(f"{path}: not a readable Parquet file ({first_line(error)}).") from error


def class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    """Columns that `datasets` marked as ClassLabel, with their names: ids in the file follow *this* order. Another tool's notes name none."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        marked = {name: f["names"] for name, f in features.items() if isinstance(f, dict) and f.get("_type") == "ClassLabel"}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: names for name, names in marked.items() if isinstance(names, list) and all(isinstance(n, str) for n in names)}


def first_line(error: BaseException) -> str:
    """What an error of another package says, in one line of at most 200 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that replaces it on success: a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix="".join(path.suffixes[-2:]))
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write rows as the path's suffix says, atomically; returns how many. JSONL and CSV may end in .gz."""
    kind = file_format(path)
    count = 0
    with atomic_path(path) as temporary:
        if kind == ".parquet":
            import pyarrow
            import pyarrow.parquet

            table = list(rows)
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), temporary)
            return len(table)
        with _text_writer(temporary, gzipped=path.suffix.lower() == ".gz") as stream:
            writer: csv.DictWriter[str] | None = None
            for row in rows:
                if kind in (".jsonl", ".json"):
                    stream.write(json.dumps(row, ensure_ascii=False) + "\n")
                else:
                    if writer is None:
                        writer = csv.DictWriter(stream, list(row), delimiter="\t" if kind == ".tsv" else ",")
                        writer.writeheader()
                    writer.writerow(row)
                count += 1
    return count


@contextmanager
def _text_writer(path: Path, *, gzipped: bool) -> Iterator[IO[str]]:
    with path.open("wb") as raw:
        # mtime=0: the same rows give the same bytes.
        binary = gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) if gzipped else raw
        with io.TextIOWrapper(binary, encoding="utf-8", newline="") as stream:  # type: ignore[type-var]
            yield stream
            stream.flush()
            if gzipped:
                binary.close()


def write_json(path: Path, value: Any) -> None:
    """Write one JSON value, indented, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False) + "\n", encoding="utf-8")
