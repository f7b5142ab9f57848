"""A file of the user's own scored by chosen checkpoints: a run's folder that the error explorer opens like any other.

Its records carry the sentences, since the file is the user's. With `attack`, each model is attacked as in `reproduce`: up to three
hypothesis words masked by gradient, and every model's answer to each pair with the first word masked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from robustnli import ownruns
from robustnli.checkpoints import resolve
from robustnli.errors import InputError
from robustnli.jobs import Tell
from robustnli.models import load
from robustnli.ownruns import SPLIT, Upload
from robustnli.pipeline import runs
from robustnli.pipeline.report import build, to_markdown
from robustnli.pipeline.score import attack_rows, first_masked, records, scored
from robustnli.records import Row, write_json, write_rows
from robustnli.types import Checkpoint, Example, Pair

CHUNK = 256
Phase = Callable[[str, int], Callable[[int], None]]  # (name, steps) of a part that begins -> what counts its steps


def run(args: dict[str, Any], out: Path, tell: Tell) -> dict[str, Any]:
    """The job "score": `file` (a name in the job's in/), `shown` (its name for people), `models`, `name`, `attack`."""

    def phase(name: str, total: int) -> Callable[[int], None]:
        tell.phase(name, total)
        return tell.step

    upload = ownruns.read(out.parent / "in" / args["file"], args["shown"])
    checkpoints = [resolve(name) for name in args["models"]]
    score(upload, checkpoints, out / "run", shown=args["shown"], attack=bool(args.get("attack")), phase=phase)
    return {"run": ownruns.place(out / "run", args["name"]), "rows": len(upload.examples)}


def score(
    upload: Upload, checkpoints: Sequence[Checkpoint], folder: Path, *, shown: str, attack: bool, phase: Phase
) -> dict[str, Any]:  # fmt: skip
    """Score the upload by the checkpoints, given from older to newer; `folder` then holds the run. Returns its report.

    Raises InputError for fewer than two checkpoints, or two of one name.
    """
    names = [checkpoint.name for checkpoint in checkpoints]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise InputError(f"at least two checkpoints of different names are compared; given are {', '.join(names) or 'none'}.")
    begun, examples = time.time(), upload.examples
    rows, said = _rows(checkpoints, examples, attack, phase)
    kept = records(examples, rows, said, set())
    report: dict[str, Any] = {"title": shown, "stamp": None, "attacked": attack}
    report |= build([scored(SPLIT, kept, names)], probe=None, audit={}, leaked=0)
    texts = ({"premise": e.pair.premise, "hypothesis": e.pair.hypothesis} for e in examples)
    write_rows(folder / "records" / f"{SPLIT}.parquet", [text | row for text, row in zip(texts, kept, strict=True)])
    write_json(folder / "report.json", report)
    (folder / "report.md").write_text(to_markdown(report, {}), encoding="utf-8")
    about = {
        "file": shown, "rows": len(examples), "unlabelled": upload.unlabelled, "refused": list(upload.bad), "attacked": attack,
        "data": {SPLIT: runs.content_hash(examples)}, "checkpoints": {c.name: c.fingerprint for c in checkpoints},
        "made": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": {"score": round(time.time() - begun, 2)},
        "machine": runs.machine(), "stamp": None,
    }  # fmt: skip
    write_json(folder / "manifest.json", about)
    return report


def _rows(
    checkpoints: Sequence[Checkpoint], examples: Sequence[Example], attack: bool, phase: Phase
) -> tuple[dict[str, list[Row]], dict[str, list[list[float]]]]:  # fmt: skip
    """(model -> a row an example, "N@M" -> what N says to the pairs masked against M)."""
    steps, rows, said = len(examples) * len(checkpoints), {}, {}
    step = phase("scoring and attacking" if attack else "scoring", steps)
    for checkpoint in checkpoints:
        model = load(checkpoint.path)
        rows[checkpoint.name] = _in_chunks(
            examples, lambda part, m=model: attack_rows(m, part) if attack else _plain_rows(m, [e.pair for e in part]), step  # type: ignore[misc]
        )  # fmt: skip
    if attack:
        masked = {
            name: [first_masked(e, row["masked"]) for e, row in zip(examples, of_model, strict=True)] for name, of_model in rows.items()
        }
        step = phase("scoring the masked pairs", steps * len(checkpoints))
        for checkpoint in checkpoints:
            model = load(checkpoint.path)
            for victim, pairs in masked.items():
                found = _in_chunks(pairs, lambda part, m=model: _plain_rows(m, part), step)  # type: ignore[misc]
                said[f"{checkpoint.name}@{victim}"] = [row["probs"] for row in found]
    return rows, said


def _in_chunks(items: Sequence[Any], work: Callable[[Sequence[Any]], list[Row]], step: Callable[[int], None]) -> list[Row]:
    out: list[Row] = []
    for start in range(0, len(items), CHUNK):
        part = items[start : start + CHUNK]
        out += work(part)
        step(len(part))
    return out


def _plain_rows(model: Any, pairs: Sequence[Pair]) -> list[Row]:
    return [{"probs": list(p.probs)} for p in model.predict(pairs)]
