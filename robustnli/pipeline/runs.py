"""A run is a folder of stages that meet through files. A stage is done once; after `kill -9` it goes on where it was.

RUN/plan.json            what was asked for; another plan needs another folder
RUN/stages/NAME.json     one a stage done: what went in (hashes), what came out, seconds
RUN/shards/NAME/*.jsonl  the finished parts of a stage that is under way
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from robustnli import __version__
from robustnli.config import REPOSITORY
from robustnli.errors import RunError
from robustnli.records import Row, read_rows, write_json, write_rows
from robustnli.types import Example

SHARD = 64, 2048  # examples, at least and at most


def leads() -> bool:
    """Whether this is the only process, or the first of those that `accelerate launch` started."""
    return int(os.environ.get("RANK", "0")) == 0


def meet() -> None:
    """Wait until every process of the run is here."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=not torch.cuda.is_available()).wait_for_everyone()


def open_run(folder: Path, plan: dict[str, Any]) -> None:
    """Make the run's folder, or check that it belongs to the same plan. Raises RunError for another plan's folder."""
    file = folder / "plan.json"
    plan = json.loads(json.dumps(plan))  # as the file has it: a tuple comes back as a list
    if file.is_file():
        old = json.loads(file.read_text(encoding="utf-8"))
        differing = sorted(key for key in {*old, *plan} if old.get(key) != plan.get(key))
        if differing:
            raise RunError(f"{folder} holds a run with another {', '.join(differing)}. Give another --out, or delete that folder.")
    elif folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder} is not empty and holds no run. Give another --out.")
    meet()
    if leads():
        write_json(file, plan)
    meet()


def stage(
    folder: Path,
    name: str,
    inputs: dict[str, Any],
    work: Callable[[], dict[str, Any]],
    say: Callable[[str], None],
    *,
    together: bool = False,
) -> dict[str, Any]:
    """The result of `work`, done now or in an earlier call with the same `inputs`; a plain dict, kept as JSON.

    With several processes the first one works and the others wait for its result, unless the work is done `together`.
    """
    file = folder / "stages" / f"{name}.json"
    kept: dict[str, Any] | None = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    meet()
    if kept is not None and kept["inputs"] == inputs:
        if leads():
            say(f"{name}: done before")
        result: dict[str, Any] = kept["result"]
        return result
    if leads():
        say(f"{name} ..." if kept is None else f"{name}: its inputs changed, so it is done again ...")
        file.unlink(missing_ok=True)
        if kept is not None:
            shutil.rmtree(folder / "shards" / name, ignore_errors=True)
    meet()
    begun = time.time()
    made = work() if together or leads() else {}
    if leads():
        write_json(file, {"inputs": inputs, "seconds": round(time.time() - begun, 2), "result": made})
        shutil.rmtree(folder / "shards" / name, ignore_errors=True)
        say(f"{name}: {time.time() - begun:.0f} s")
    meet()
    result = json.loads(file.read_text(encoding="utf-8"))["result"]
    return result


def again(folder: Path, name: str) -> None:
    """Forget that a stage was done, and its output. Raises RunError for an unknown stage."""
    file = folder / "stages" / f"{name}.json"
    if not file.is_file():
        done = sorted(p.stem for p in (folder / "stages").glob("*.json"))
        raise RunError(f"{folder} has no finished stage {name!r}; finished are {', '.join(done) or 'none'}.")
    file.unlink()
    shutil.rmtree(folder / "shards" / name, ignore_errors=True)
    shutil.rmtree(folder / "checkpoints" / name, ignore_errors=True)


def sharded(
    folder: Path, name: str, examples: Sequence[Example], work: Callable[[Sequence[Example]], Iterable[Row]], size: int = 0
) -> list[Row]:
    """`shards`, read: every process returns all rows."""
    rows = list(joined(shards(folder, name, examples, work, size)))
    meet()  # the first process deletes the parts
    return rows


def shards(
    folder: Path, name: str, examples: Sequence[Example], work: Callable[[Sequence[Example]], Iterable[Row]], size: int = 0
) -> list[Path]:
    """`work` on the examples part by part, each in a file; a part that is on disk from an interrupted call is not done again.

    `size`: examples of a part; 0 chooses by their number alone, so that any count of processes makes the same parts.
    Several processes share the parts among them; every one of them returns all files.
    """
    size = size or min(max(len(examples) // 8, SHARD[0]), SHARD[1])
    starts = list(range(0, len(examples), size))
    files = [folder / "shards" / name / f"{number:05d}.jsonl" for number in range(len(starts))]
    mine = slice(int(os.environ.get("RANK", "0")), None, int(os.environ.get("WORLD_SIZE", "1")))
    for start, file in list(zip(starts, files, strict=True))[mine]:
        if not file.is_file():
            write_rows(file, work(examples[start : start + size]))
    meet()
    return files


def joined(files: Iterable[Path]) -> Iterator[Row]:
    """The rows of the files, one file after the other, read as they are asked for."""
    return (row for file in files for _, row in read_rows(file))


def content_hash(examples: Iterable[Example]) -> str:
    """16 hex digits over the examples' uids in order: the same texts, labels and order give the same hash."""
    return hashlib.sha256("".join(e.uid for e in examples).encode()).hexdigest()[:16]


def machine() -> dict[str, Any]:
    """What the run ran on: processor, cores, versions. No name and no path of the machine."""
    import torch
    import transformers

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "robustnli": __version__,
        "commit": _commit(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor() or platform.machine()
    )


def _commit() -> str | None:
    if not (REPOSITORY / ".git").exists():  # installed: git would tell of whatever repository lies around it
        return None
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
