"""Finished attacks as folders: `manifest.json` and `rows.parquet`, one row an example and attacked model. No torch.

A folder holds one recipe on one set of examples, against each model in turn; every other model also answered every changed pair, so
that nothing here needs a model. Probabilities are kept as whole ten-thousandths. Of the changed pair only the edits are kept (see
`edits`); the original text is left out where it ships elsewhere (the challenge suite) or is not ours (SNLI), and joined by hash.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from robustnli import config, suite
from robustnli.errors import DataError, InputError
from robustnli.evidence import Texts
from robustnli.gallery.edits import SEGMENTS, Edit, apply
from robustnli.records import atomic_path, write_json
from robustnli.types import Attack, Pair

FORMAT = 1
UNIT = 10_000  # probabilities are whole numbers of 1 / UNIT
_PROBS = pa.list_(pa.uint16(), 3)
_EDIT = pa.struct([("segment", pa.int8()), ("start", pa.int32()), ("end", pa.int32()), ("text", pa.string())])
_COLUMNS = {
    "index": pa.int32(), "uid": pa.string(), "model": pa.string(), "premise": pa.string(), "hypothesis": pa.string(), "gold": pa.int8(),
    "gold_after": pa.int8(), "status": pa.string(), "words": pa.list_(pa.int32()), "edits": pa.list_(_EDIT), "tried": pa.int32(),
    "note": pa.string(), "slices": pa.list_(pa.string()), "phenomenon": pa.string(), "split": pa.string(),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A finished attack. `models` (name -> fingerprint) were each attacked in turn, on the `n` examples of `data` (`data_hash`).

    `title`, `paper`, `guarantee`, `gold`, `budgeted`, `broken`: of the recipe when it ran. `queries`: predictions asked of the attacked
    models; `seconds`: all the work; `drawn_from`: examples there were, where `n` of them were drawn.
    """

    recipe: str
    title: str
    paper: str
    guarantee: str
    gold: str
    budgeted: bool
    k: int
    seed: int
    data: str
    data_hash: str
    n: int
    models: Mapping[str, str]
    queries: int
    seconds: float
    created: str
    drawn_from: int = 0
    broken: str = ""
    budget: str = ""
    notes: tuple[str, ...] = ()
    name: str = field(default="", compare=False)
    path: str = field(default="", compare=False)

    @property
    def shipped(self) -> bool:
        """Whether it came with the app."""
        return Path(self.path).parent == config.SHIPPED_ATTACKS

    @property
    def own(self) -> bool:
        """Whether it was run by the user here, so that it may be removed."""
        return Path(self.path).resolve().parent == (config.home() / "attacks").resolve()


def find_finished() -> list[Finished]:
    """All finished attacks under the roots: shipped first, then the newest first. A folder that is none is passed over."""
    folders = [p for root in config.attack_roots() if root.is_dir() for p in sorted(root.iterdir()) if (p / "manifest.json").is_file()]
    found: dict[str, Finished] = {}
    for folder in folders:
        if folder.name not in found:
            try:
                found[folder.name] = read_manifest(folder)
            except DataError:
                continue
    own = sorted((f for f in found.values() if not f.shipped), key=lambda f: f.created, reverse=True)
    return [f for f in found.values() if f.shipped] + own


def read_manifest(folder: Path) -> Finished:
    """The finished attack in a folder. Raises DataError when its manifest is missing, damaged, or of another form."""
    try:
        about = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if about.pop("format") != FORMAT:
            raise ValueError(f"it is not of form {FORMAT}")
        about["notes"] = tuple(about.get("notes", ()))
        finished = Finished(**about, name=folder.name, path=str(folder))
        if not finished.models or not (folder / "rows.parquet").is_file():
            raise ValueError("no model, or no rows.parquet")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder.name}: no readable finished attack ({error}). Run the attack again.") from error
    return finished


def to_row(attack: Attack, index: int, model: str, after: Mapping[str, Sequence[float]], changes: Sequence[Edit]) -> dict[str, Any]:
    """One attack as a row of the file, before `after.M` is added for the model's own answers."""
    return {
        "index": index, "uid": attack.example.uid, "model": model, "premise": attack.example.pair.premise,
        "hypothesis": attack.example.pair.hypothesis, "gold": int(attack.example.label),
        "gold_after": None if attack.gold is None else int(attack.gold), "status": attack.status.value, "tried": attack.tried,
        "note": attack.note, "words": [n for w in attack.words for n in (SEGMENTS.index(w.segment), w.start, w.end, w.pieces)],
        "edits": [{"segment": SEGMENTS.index(c.segment), "start": c.start, "end": c.end, "text": c.text} for c in changes],
    } | {f"after.{name}": whole(probs) for name, probs in after.items()}  # fmt: skip


def whole(probs: Sequence[float]) -> list[int]:
    """Probabilities as ten-thousandths; the most probable label stays the only most probable one."""
    out = [round(p * UNIT) for p in probs]
    best = max(range(len(out)), key=probs.__getitem__)
    if any(n >= out[best] for i, n in enumerate(out) if i != best):
        out[best] = max(out) + 1
    return out


def write(folder: Path, finished: Finished, rows: Iterable[Mapping[str, Any]], *, text: bool = True) -> None:
    """Write a finished attack. `text`: the original sentences go along."""
    rows = list(rows)
    schema = {name: kind for name, kind in _COLUMNS.items() if text or name not in SEGMENTS}
    schema |= {f"{when}.{model}": _PROBS for when in ("before", "after") for model in finished.models}
    columns = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in schema.items()}
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / "rows.parquet") as temporary:
        pa.parquet.write_table(pa.table(columns), temporary, compression="zstd", compression_level=15)
    about = {key: value for key, value in asdict(finished).items() if key not in ("name", "path")}
    write_json(folder / "manifest.json", {"format": FORMAT} | about | {"models": dict(finished.models)})


def read_rows(finished: Finished, texts: Texts | None = None) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """(the rows, "before.M" and "after.M" -> probabilities (n, 3) float32). Raises DataError for a damaged file.

    `premise`, `hypothesis`, `edited_premise`, `edited_hypothesis` are None where the text is not at hand; `texts` finds it by hash, and
    so does the suite.
    """
    try:
        table = pa.parquet.read_table(Path(finished.path) / "rows.parquet")
        probs = {
            name: table[name].combine_chunks().flatten().to_numpy().reshape(-1, 3).astype(np.float32) / UNIT
            for name in (f"{when}.{model}" for when in ("before", "after") for model in finished.models)
        }
        frame = table.drop_columns(list(probs)).to_pandas()
        if frame["slices"].isna().any():
            raise ValueError("a row has no slices")
    except (OSError, ValueError, KeyError, AttributeError, pa.ArrowException) as error:
        raise DataError(f"{finished.name}: its rows cannot be read ({str(error).splitlines()[0]}). Run the attack again.") from error
    return _with_text(frame, texts), probs


def _with_text(frame: pd.DataFrame, texts: Texts | None) -> pd.DataFrame:
    """The frame with both pairs as text, as far as it is at hand."""
    pairs: list[Pair | None]
    if "premise" in frame:
        pairs = [Pair(p, h) for p, h in zip(frame["premise"], frame["hypothesis"], strict=True)]
    else:
        known = {item.example.uid: item.pair for item in suite.load()} | dict(texts.pairs if texts else {})
        pairs = [known.get(uid) for uid in frame["uid"]]
    changes = [tuple(Edit(SEGMENTS[e["segment"]], e["start"], e["end"], e["text"]) for e in row) for row in frame["edits"]]
    changed = [apply(pair, edits) if pair else None for pair, edits in zip(pairs, changes, strict=True)]
    return frame.assign(
        premise=_column(p and p.premise for p in pairs), hypothesis=_column(p and p.hypothesis for p in pairs), edits=_column(changes),
        edited_premise=_column(p and p.premise for p in changed), edited_hypothesis=_column(p and p.hypothesis for p in changed),
    )  # fmt: skip


def _column(values: Iterable[Any]) -> pd.Series:
    return pd.Series(list(values), dtype=object)


def remove(finished: Finished) -> None:
    """Remove a finished attack of the user's own. Raises InputError for any other, or where nothing may be written."""
    if config.readonly() or not finished.own:
        raise InputError(f"{finished.name} is not yours to remove here: only what was run on this server, and not where it is read-only.")
    shutil.rmtree(finished.path)
