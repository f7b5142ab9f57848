"""One checkpoint from several of the same shape: the weighted mean of their weights.

Averaging runs from one start is a model soup (Wortsman et al. 2022a); averaging a fine-tuned model with what it was tuned from
keeps more of the latter's right answers (WiSE-FT, Wortsman et al. 2022b).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from robustnli.errors import CheckpointError, InputError
from robustnli.records import write_json


def blend(folders: Sequence[Path], weights: Sequence[float], out: Path) -> dict[str, Any]:
    """Write to the new folder `out` the mean of the checkpoints' weights; shares are `weights` over their sum.

    Config and tokenizer are the first folder's. Returns what goes into its training log under `blend`. Raises InputError for
    weights that are no shares, CheckpointError for checkpoints that differ in shape or vocabulary.
    """
    if len(folders) != len(weights) or len(folders) < 2 or min(weights) < 0 or sum(weights) <= 0:
        raise InputError("a blend needs two checkpoints or more, and for each a weight of 0 or more, not all 0.")
    if out.exists():
        raise CheckpointError(f"{out} exists already. Give another --out.")
    for folder in folders[1:]:
        if (folder / "tokenizer.json").read_bytes() != (folders[0] / "tokenizer.json").read_bytes():
            raise CheckpointError(f"{folder} and {folders[0]} cut text differently; only checkpoints of one vocabulary can be blended.")
    total: dict[str, torch.Tensor] = {}
    for folder, weight in zip(folders, weights, strict=True):
        read = load_file(folder / "model.safetensors")
        if total and {k: v.shape for k, v in read.items()} != {k: v.shape for k, v in total.items()}:
            raise CheckpointError(f"{folder} and {folders[0]} differ in shape; only checkpoints of one architecture can be blended.")
        for key, value in read.items():
            total[key] = total.get(key, torch.zeros(value.shape)) + value.float() * (weight / sum(weights))
    temporary = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(folders[0] / name, temporary / name)
    save_file(
        {k: v.to(torch.float16).contiguous() for k, v in total.items()}, str(temporary / "model.safetensors"), metadata={"format": "pt"}
    )
    logs = [_log(folder) for folder in folders]
    parts = [
        {"name": folder.name, "share": weight / sum(weights), "training_log": log}
        for folder, weight, log in zip(folders, weights, logs, strict=True)
    ]
    write_json(temporary / "training_log.json", {"blend": parts})
    temporary.replace(out)
    return {"out": str(out), "parts": [{"name": p["name"], "share": p["share"]} for p in parts]}


def _log(folder: Path) -> dict[str, Any] | None:
    file = folder / "training_log.json"
    value: dict[str, Any] | None = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
    return value
