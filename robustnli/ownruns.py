"""Runs that a user made of a file of their own: what may be scored, and how such a run is named, renamed and removed. No model, no torch.

`pipeline/own.py` makes one, `evidence` reads it. They lie in `config.home()`/runs; only those, and nothing on a read-only server, can be
renamed or removed.
"""

from __future__ import annotations

import gzip
import re
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

from robustnli import evidence
from robustnli.config import home, readonly
from robustnli.data import load_good
from robustnli.errors import DataError, InputError
from robustnli.evidence import Run
from robustnli.records import FORMATS, PARQUET_ERRORS, file_format
from robustnli.types import Example

SPLIT = "file"
MAX_ROWS, MAX_BYTES, MAX_NAME = 50_000, 200 << 20, 60
_NAME = re.compile(r"[\w(][\w .,()+-]*")


@dataclass(frozen=True, slots=True)
class Upload:
    """What a file holds: the rows that can be scored, how many rows have no label, and a sentence for each row that is wrong."""

    examples: tuple[Example, ...]
    unlabelled: int = 0
    bad: tuple[str, ...] = ()


def plain_name(shown: str) -> str:
    """A safe name for a file that a person calls `shown`: what tells its format is kept, nothing else."""
    return "data" + "".join(s for s in map(str.lower, Path(shown).suffixes[-2:]) if s in (*FORMATS, ".gz"))


def read(path: Path, shown: str) -> Upload:
    """The rows of a file, named `shown` in every sentence. Raises DataError where no row can be scored, or the file is too large."""
    try:
        if (size := _unpacked(path)) > MAX_BYTES:
            raise DataError(f"{path}: more than {MAX_BYTES >> 20} MB when unpacked ({size >> 20} MB read). Cut it into several files.")
        loaded, bad = load_good(path, most=MAX_ROWS)
        if not loaded.examples and bad:
            raise DataError(f"{path}: none of {len(bad):,} rows can be read. The first: {bad[0]}")
        if not loaded.examples:
            raise DataError(
                f"{path}: no labelled row ({loaded.unlabelled:,} unlabelled). Errors are counted against a gold label: entailment, neutral, "
                "contradiction, or 0, 1, 2."
            )
    except DataError as error:
        raise DataError(str(error).replace(str(path), shown)) from error
    return Upload(loaded.examples, loaded.unlabelled, tuple(text.replace(str(path), shown) for text in bad))


def _unpacked(path: Path) -> int:
    """Bytes of the file once unpacked, counted up to a little over the limit: a small file may hold a very large one."""
    if file_format(path) == ".parquet":
        import pyarrow.parquet

        try:
            about = pyarrow.parquet.read_metadata(path)
            return sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        except PARQUET_ERRORS:
            return 0  # told when it is read
    if path.suffix.lower() != ".gz":
        return path.stat().st_size
    total = 0
    try:
        with gzip.open(path) as stream:
            while total <= MAX_BYTES and (part := stream.read(1 << 20)):
                total += len(part)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return 0
    return total


def folder() -> Path:
    """Where the user's own runs lie."""
    return home() / "runs"


def is_own(run: Run) -> bool:
    """Whether the run was made of the user's own file, and may be renamed or removed."""
    return bool(run.file) and Path(run.path).parent == folder()


def check_name(name: str) -> str:
    """The name, spaces made single. Raises InputError for one that no folder should have, or that another run has."""
    name = " ".join(name.split())
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME or name.endswith("."):
        raise InputError(
            f"{name[:MAX_NAME]!r} is no name for a run: give it 1 to {MAX_NAME} letters, digits, spaces or any of - _ . , ( ) +, "
            "beginning with a letter or digit."
        )
    if name in _taken():
        raise InputError(f"there is a run named {name!r} already. Choose another name.")
    return name


def free_name(name: str) -> str:
    """A name like that which no run has: letters that a name may not have become spaces, and a number follows where it is taken."""
    kept = " ".join(re.sub(r"[^\w.,()+-]", " ", name).split()).strip(" .,+-)")[: MAX_NAME - 6].strip(" .") or "my file"
    taken = _taken()
    return next(text for n in range(1, len(taken) + 2) if (text := kept if n == 1 else f"{kept} {n}") not in taken)


def _taken() -> set[str]:
    here = {path.name for path in folder().iterdir()} if folder().is_dir() else set()
    return here | {run.name for run in evidence.find_runs()}


def place(made: Path, name: str) -> str:
    """Move a finished run's folder to its place; its name, which has a number where another run took it meanwhile. Raises InputError."""
    may_write()
    folder().mkdir(parents=True, exist_ok=True)
    name = free_name(name)
    made.rename(folder() / name)
    return name


def may_write() -> None:
    """Raises InputError on a read-only server."""
    if readonly():
        raise InputError("this server is read-only (ROBUSTNLI_READONLY): no run can be made, renamed or removed here.")


def rename(run: Run, name: str) -> str:
    """Rename an own run; the new name. Raises InputError."""
    _check(run)
    name = check_name(name)
    Path(run.path).rename(folder() / name)
    return name


def remove(run: Run) -> None:
    """Remove an own run with its records. Raises InputError."""
    _check(run)
    shutil.rmtree(run.path)


def _check(run: Run) -> None:
    may_write()
    if not is_own(run):
        raise InputError(f"the run {run.name!r} was not made of a file of yours here: it cannot be renamed or removed from the app.")
    if not Path(run.path).is_dir():
        raise InputError(f"the run {run.name!r} is gone: somebody renamed or removed it meanwhile.")
