"""Finished runs, read to be browsed: their records as tables, joined with text where it is at hand. No model, no torch.

A run's folder has manifest.json, report.json and records/SPLIT.parquet, as `robustnli reproduce --publish` writes them; the
columns are told in `pipeline/score.py`. SNLI's records hold no text: it is joined by hash from a copy of SNLI of the user's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from robustnli.config import run_roots, snli_files
from robustnli.data import load
from robustnli.errors import DataError, RobustNLIError, did_you_mean
from robustnli.records import FORMATS, PARQUET_ERRORS, first_line
from robustnli.types import Outcome, Pair

NAMES = {"test": "SNLI test", "dev": "SNLI dev", "suite": "Challenge suite", "file": "Own file", "examples": "Examples of the repair"}
OUTCOMES = tuple(o.value for o in Outcome)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: `models` from older to newer, `splits` suite first; `stamp` warns where its figures leak.

    `file`: the name of the user's file that was scored; "" for a run that `robustnli reproduce` made.
    """

    name: str
    path: str
    models: tuple[str, ...]
    splits: tuple[str, ...]
    fingerprints: Mapping[str, str]
    stamp: str | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """SNLI's text at hand: uid -> pair; where it came from; and files that could not be read, with the reason."""

    pairs: Mapping[str, Pair]
    sources: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


def find_runs() -> list[Run]:
    """All finished runs under the roots, `shipped` first, then by name. A folder that is no run is passed over."""
    folders = [
        p for root in run_roots() if root.is_dir() for p in sorted(root.iterdir()) if p.name[0] != "." and (p / "manifest.json").is_file()
    ]
    runs: dict[str, Run] = {}
    for folder in folders:
        if folder.name not in runs:
            try:
                runs[folder.name] = read_run(folder)
            except DataError:
                continue
    return sorted(runs.values(), key=lambda r: (r.name != "shipped", r.name))


def read_run(folder: Path) -> Run:
    """The run in a folder. Raises DataError when its manifest or records are missing or damaged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        models = dict(manifest["checkpoints"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder.name}: no readable manifest.json ({error}). Publish the run again.") from error
    splits = sorted((p.stem for p in (folder / "records").glob("*.parquet")), key=lambda s: (s != "suite", s != "test", s))
    if len(models) < 2 or not splits:
        raise DataError(f"{folder.name}: {len(models)} models and {len(splits)} splits; a run compares at least two models on one split.")
    return Run(folder.name, str(folder), tuple(models), tuple(splits), models, manifest.get("stamp"), str(manifest.get("file") or ""))


def report(run: Run) -> dict[str, Any]:
    """The run's report.json: every table of `robustnli reproduce`."""
    value: dict[str, Any] = json.loads((Path(run.path) / "report.json").read_text(encoding="utf-8"))
    return value


def read_records(run: Run, split: str) -> pd.DataFrame:
    """The records of a split, one row an example, with for each model M `label.M` (int8) and `confidence.M` (float32) added.

    Raises DataError for an unknown split or a damaged file.
    """
    if split not in run.splits:
        raise DataError(f"run {run.name!r} has no split {split!r}.{did_you_mean(split, run.splits)}")
    try:
        table = pd.read_parquet(Path(run.path) / "records" / f"{split}.parquet")
        added = {}
        for model in run.models:
            probs = np.asarray(table[f"probs.{model}"].tolist(), dtype=np.float32).reshape(len(table), 3)
            added[f"label.{model}"] = probs.argmax(1).astype(np.int8)
            added[f"confidence.{model}"] = probs.max(1)
        _whole(table)
    except PARQUET_ERRORS as error:
        raise DataError(f"run {run.name!r}: the records of {split} cannot be read ({first_line(error)}). Publish the run again.") from error
    return table.assign(**added)


def _whole(table: pd.DataFrame) -> None:
    """Raises ValueError for records that lack what every page counts with."""
    if not table["gold"].isin(range(3)).all():
        raise ValueError("gold is not 0, 1 or 2 in every row")
    if not all(isinstance(uid, str) for uid in table["uid"]):
        raise ValueError("uid is not a text in every row")
    if "slice" not in table and not all(isinstance(names, list | tuple | np.ndarray) for names in table["slices"]):
        raise ValueError("slices is not a list in every row")


def find_texts(files: Iterable[Path] | None = None) -> Texts:
    """SNLI's text from the files given, else from where `config.snli_files` finds it. A file that is no data set is told, not raised."""
    pairs: dict[str, Pair] = {}
    sources, unreadable = [], []
    for path in snli_files() if files is None else files:
        if not any(suffix.lower() in FORMATS for suffix in path.suffixes):
            continue
        try:
            pairs |= {e.uid: e.pair for e in load(str(path)).examples}
            sources.append(path.name)
        except RobustNLIError as error:
            unreadable.append(str(error))
    return Texts(pairs, tuple(sources), tuple(unreadable))


def join(table: pd.DataFrame, texts: Texts) -> tuple[pd.DataFrame, int]:
    """(the records with `premise` and `hypothesis`, how many rows have no text): joined by hash, never by position.

    Records that carry their text already are given back as they are. A row without text has None in both columns.
    """
    if "premise" in table:
        return table, 0
    found = [texts.pairs.get(uid) for uid in table["uid"]]
    premises = pd.Series([p.premise if p else None for p in found], index=table.index, dtype=object)
    hypotheses = pd.Series([p.hypothesis if p else None for p in found], index=table.index, dtype=object)
    return table.assign(premise=premises, hypothesis=hypotheses), sum(p is None for p in found)


def outcomes(gold: Any, before: Any, after: Any) -> np.ndarray:
    """`Outcome` values of aligned arrays of label ids, (n,): the vector form of `compare.outcome`."""
    was, now = np.asarray(before) == np.asarray(gold), np.asarray(after) == np.asarray(gold)
    names = np.array([[Outcome.REMAINING.value, Outcome.FIXED.value], [Outcome.INTRODUCED.value, Outcome.STILL_RIGHT.value]], dtype=object)
    chosen: np.ndarray = names[was.astype(int), now.astype(int)]
    return chosen
