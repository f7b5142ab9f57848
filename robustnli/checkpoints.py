"""Which checkpoints there are, and whether each may be loaded. Reads JSON and hashes files; never imports torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from robustnli.config import checkpoint_roots
from robustnli.errors import CheckpointError, did_you_mean
from robustnli.types import LABELS, Checkpoint

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
_PREFERRED = ("baseline", "finetuned", "robust")


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint folder under the roots: loadable (`checkpoint`), or not (`problem` says why, in a sentence)."""

    name: str
    path: str
    checkpoint: Checkpoint | None
    problem: str = ""


def find() -> list[Found]:
    """All checkpoint folders under the roots: baseline, finetuned, robust first, then by name. First root wins a name."""
    found: dict[str, Found] = {}
    for root in checkpoint_roots():
        for path in _within(root):
            if not path.is_dir() or path.name.startswith(".") or path.name.endswith(".training") or path.name in found:
                continue
            try:
                found[path.name] = Found(path.name, str(path), check(path))
            except CheckpointError as error:
                found[path.name] = Found(path.name, str(path), None, str(error))
    return sorted(found.values(), key=lambda f: (_PREFERRED.index(f.name) if f.name in _PREFERRED else len(_PREFERRED), f.name))


def _within(root: Path) -> list[Path]:
    try:
        return sorted(root.iterdir())
    except OSError:  # no folder, or not ours to read
        return []


def resolve(name: str) -> Checkpoint:
    """The checkpoint of that name under the roots, or in the folder of that path. Raises CheckpointError."""
    for item in find():
        if item.name == name:
            if item.checkpoint is None:
                raise CheckpointError(item.problem)
            return item.checkpoint
    if Path(name).is_dir():
        return check(Path(name), confined=False)
    known = [item.name for item in find() if item.checkpoint]
    raise CheckpointError(
        f"no checkpoint {name!r}.{did_you_mean(name, known)} Give one of these names, a folder, or a hub id such as owner/model."
    )


def check(path: Path, *, confined: bool = True) -> Checkpoint:
    """The `Checkpoint` in folder `path`, or CheckpointError with one sentence that says what is wrong.

    `confined`: the folder, all links followed, must lie under one of the allowed roots. The command line may name
    any folder; the app may not.
    """
    try:
        return _check(path, confined)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        told = getattr(error, "strerror", None) or error
        raise CheckpointError(
            f"checkpoint {path.name!r}: a file of it cannot be read ({told}). Copy the whole checkpoint again."
        ) from error


def _check(path: Path, confined: bool) -> Checkpoint:
    name = path.name
    if not path.is_dir():
        raise CheckpointError(f"checkpoint {name!r}: the folder does not exist.")
    if confined and not _inside(path):
        raise CheckpointError(
            f"checkpoint {name!r}: the folder lies outside the allowed ones. Copy it there, or add its parent to ROBUSTNLI_CHECKPOINTS."
        )
    for entry in path.iterdir():
        if not entry.is_file() and not entry.is_dir():  # a pipe would keep its reader waiting for ever
            raise CheckpointError(f"checkpoint {name!r}: {entry.name} is no file, or a link to none. Copy the whole checkpoint again.")
        if confined and entry.is_symlink() and not _inside(entry):
            raise CheckpointError(
                f"checkpoint {name!r}: {entry.name} is a link to a file outside the allowed folders. Copy the file itself, or add its folder "
                "to ROBUSTNLI_CHECKPOINTS."
            )
    config = _config(path)
    label_order(config, name)
    if not (path / "model.safetensors").is_file():
        pickles = sorted(p.name for p in path.iterdir() if p.suffix in PICKLES)
        if pickles:
            raise CheckpointError(
                f"checkpoint {name!r}: its weights are a pickle ({pickles[0]}), which can run code when opened. Save it as model.safetensors."
            )
        raise CheckpointError(f"checkpoint {name!r}: no model.safetensors in the folder. Copy the whole checkpoint.")
    if not any((path / file).is_file() for file in ("tokenizer.json", "vocab.txt", "spiece.model", "vocab.json")):
        raise CheckpointError(f"checkpoint {name!r}: no tokenizer (tokenizer.json or vocab.txt). Save it with tokenizer.save_pretrained.")
    return Checkpoint(name, str(path), fingerprint(path))


def _inside(path: Path) -> bool:
    real = path.resolve()
    return any(real.is_relative_to(root.resolve()) for root in checkpoint_roots())


def _config(path: Path) -> dict[str, Any]:
    file = path / "config.json"
    if not file.is_file():
        raise CheckpointError(f"checkpoint {path.name!r}: no config.json in the folder. Copy the whole checkpoint.")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"checkpoint {path.name!r}: config.json cannot be read ({error}).") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"checkpoint {path.name!r}: config.json holds no object.")
    return config


def label_order(config: dict[str, Any], name: str) -> tuple[int, int, int]:
    """The model's own class numbers of entailment, neutral, contradiction, by the names in `id2label`.

    Raises CheckpointError unless there are exactly these three names: a guessed order turns 84 % into 7 %.
    """
    raw = config.get("id2label") or {}
    try:
        names = {str(text).strip().lower(): int(index) for index, text in raw.items()}
    except (AttributeError, TypeError, ValueError):
        names = {}
    if sorted(names) != sorted(label.text for label in LABELS) or sorted(names.values()) != [0, 1, 2]:
        said = ", ".join(map(str, names)) or "none"
        raise CheckpointError(
            f"checkpoint {name!r}: its labels ({said}) are not entailment, neutral, contradiction. Set id2label in config.json."
        )
    return names["entailment"], names["neutral"], names["contradiction"]


def fingerprint(path: Path) -> str:
    """16 hex digits of a sha256 over the files that decide a prediction; changes when a checkpoint is replaced."""
    files = sorted(
        p for p in path.iterdir() if p.suffix in (".json", ".safetensors", ".txt") and p.name != "training_log.json" and p.is_file()
    )
    return _fingerprint(tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files))


@lru_cache(maxsize=64)
def _fingerprint(files: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256()
    for name, _, _ in files:
        with open(name, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").digest()
        total.update(Path(name).name.encode() + digest)
    return total.hexdigest()[:16]
