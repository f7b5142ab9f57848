"""The model card (README.md) of a checkpoint folder, made from its training log and measured figures: none typed in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from robustnli.errors import CheckpointError

_HEADER = """---
language: en
license: {licence}
pipeline_tag: text-classification
library_name: transformers
tags: [natural-language-inference, electra, robustness]
---
"""


def write_card(folder: Path, *, figures: dict[str, dict[str, Any]], about: dict[str, str]) -> str:
    """Write and return the card. `figures`: name -> what `evaluate --json` printed; `about`: title, data, encoder, licence, command.

    Raises CheckpointError when the folder has no training log.
    """
    log_file = folder / "training_log.json"
    if not log_file.is_file():
        raise CheckpointError(f"{folder}: no training_log.json. A card is made for checkpoints that `robustnli train` made.")
    log = json.loads(log_file.read_text(encoding="utf-8"))
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    size = (folder / "model.safetensors").stat().st_size
    lines = [
        _HEADER.format(licence=about["licence"]),
        f"# {about['title']}\n",
        f"{about['summary']}\n",
        "| | |\n|---|---|",
        f"| data | {about['data']} |",
        f"| encoder | {about['encoder']} |",
        *(_blend_lines(log["blend"]) if "blend" in log else _run_lines(log)),
        f"| file | {size:,} bytes, float16, sha256 `{digest}` |",
        f"| licence | {about['licence']} |\n",
        "## Recipe\n",
        f"```\n{about['command']}\n```\n",
        *_settings_lines(log),
        *_trim_lines(log.get("trim")),
        "## Measured\n",
        "| data | n | accuracy | 95 % interval | loss | ECE (15 bins) | F1 entailment / neutral / contradiction |",
        "|---|---|---|---|---|---|---|",
        *(figure_row(name, f) for name, f in figures.items()),
        "\n## Limits\n",
        about["limits"],
    ]
    text = "\n".join(lines) + "\n"
    (folder / "README.md").write_text(text, encoding="utf-8")
    return text


def _run_lines(log: dict[str, Any]) -> list[str]:
    return [
        f"| training pairs | {log['train_pairs']:,} |",
        f"| optimizer steps | {log['steps']:,} of {log['settings']['batch_size']} pairs, {log['seconds'] / 60:.0f} minutes |",
        f"| seed | {log['settings']['seed']} |",
        f"| weights | {log['chosen']['chosen']} |",
    ]


def _blend_lines(parts: list[dict[str, Any]]) -> list[str]:
    lines = ["| weights | mean of " + ", ".join(f"{p['share']:.0%} {p['name']}" for p in parts) + " |"]
    for part in parts:
        log = part["training_log"]
        if log:
            took = (
                f"{log['train_pairs']:,} pairs, {log['steps']:,} steps of {log['settings']['batch_size']}, seed {log['settings']['seed']}"
            )
            lines.append(f"| {part['name']} | {took}; {log['chosen']['chosen']} |")
    return lines


def _settings_lines(log: dict[str, Any]) -> list[str]:
    named = [(p["name"] + ": ", p["training_log"]) for p in log["blend"] if p["training_log"]] if "blend" in log else [("", log)]
    return [f"{name}" + ", ".join(f"{key} {value}" for key, value in one["settings"].items()) + ".\n" for name, one in named]


def _trim_lines(trim: dict[str, Any] | None) -> list[str]:
    if trim is None:
        return []
    text = (
        f"The vocabulary was trimmed from {trim['pieces_before']:,} to {trim['pieces_after']:,} pieces"
        f" ({trim['running_pieces_kept']:.2%} of the pieces of a broad English text)."
    )
    if "accuracy_before" in trim:
        text += f" Accuracy on {trim['check_pairs']:,} dev pairs: {trim['accuracy_before']:.2%} before, {trim['accuracy_after']:.2%} after"
        text += f" (measured by trimming {trim['check_model']})." if "check_model" in trim else "."
    return [text + "\n"]


def figure_row(name: str, f: dict[str, Any]) -> str:
    """A line of the table of figures, of what `metrics_summary` gives."""
    low, high = f["accuracy_interval"]
    scores = " / ".join(f"{f['classes'][label]['f1']:.3f}" for label in ("entailment", "neutral", "contradiction"))
    return f"| {name} | {f['n']:,} | {f['accuracy']:.2%} | {low:.2%} to {high:.2%} | {f['loss']:.4f} | {f['ece']:.4f} | {scores} |"
