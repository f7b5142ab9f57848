"""Training logs as curves: what `training_log.json` of a checkpoint holds, of each run that went into it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from robustnli.charts import LABEL_COLOURS, Chart, framed

SYMBOLS = ("circle", "square", "diamond", "cross")


@dataclass(frozen=True, slots=True)
class Curve:
    """One training run. `loss`: (step, training loss); `dev`: (step, loss, accuracy) of each evaluation; `about` in words."""

    name: str
    loss: tuple[tuple[int, float], ...]
    dev: tuple[tuple[int, float, float], ...]
    about: str


def curves(folder: Path) -> list[Curve]:
    """The runs of a checkpoint folder, () where it has no log that can be read. A mean of checkpoints has those of each part, once."""
    try:
        log = json.loads((folder / "training_log.json").read_text(encoding="utf-8"))
        return list({curve.name: curve for curve in _of(folder.name, log)}.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _of(name: str, log: dict[str, Any]) -> list[Curve]:
    if "blend" in log:
        return [curve for part in log["blend"] if part.get("training_log") for curve in _of(str(part["name"]), part["training_log"])]
    history = log["history"]
    loss = tuple((int(h["step"]), float(h["loss"])) for h in history if "loss" in h)
    evaluated = [(int(h["step"]), float(h["eval_loss"]), float(h["eval_accuracy"])) for h in history if "eval_loss" in h]
    # After the last step the candidates to be kept are evaluated again, under the same step: they are no part of the curve.
    dev = tuple({step: (step, loss, accuracy) for step, loss, accuracy in reversed(evaluated)}.values())[::-1]
    settings, chosen = log["settings"], log.get("chosen") or {}
    about = (
        f"{log['train_pairs']:,} pairs, {log['steps']:,} steps of {settings['batch_size']}, learning rate {settings['learning_rate']:g}, "
        f"seed {settings['seed']}, {log['seconds'] / 60:.0f} minutes; evaluated on {log['dev_pairs']:,} rows"
    )
    return [Curve(name, loss, dev, about + (f"; kept: {chosen['chosen']}" if "chosen" in chosen else ""))]


def chart(found: Sequence[Curve], what: str, name: str) -> Chart:
    """Loss (training as a line, dev as marks) or dev accuracy over steps, a colour a run."""
    drawn, rows = [], []
    for curve, colour, symbol in zip(found, LABEL_COLOURS * 2, SYMBOLS * 2, strict=False):
        if what == "loss":
            x, y = [s for s, _ in curve.loss], [v for _, v in curve.loss]
            drawn.append(go.Scatter(x=x, y=y, mode="lines", line={"color": colour, "width": 1.5}, name=f"{curve.name}, training"))
            rows += [{"run": curve.name, "step": s, "figure": "training loss", "value": round(v, 4)} for s, v in curve.loss]
        marks = [(s, loss if what == "loss" else accuracy) for s, loss, accuracy in curve.dev]
        drawn.append(
            go.Scatter(
                x=[s for s, _ in marks], y=[v for _, v in marks], mode="markers+lines" if what != "loss" else "markers",
                line={"color": colour, "dash": "dot"}, marker={"color": colour, "symbol": symbol, "size": 9}, name=f"{curve.name}, dev",
            )
        )  # fmt: skip
        rows += [{"run": curve.name, "step": s, "figure": f"dev {what}", "value": round(v, 4)} for s, v in marks]
    axes: dict[str, Any] = {"xaxis": {"title": {"text": "optimizer steps"}}, "yaxis": {"title": {"text": what}}}
    if what == "accuracy":
        axes["yaxis"]["tickformat"] = ".1%"
    last = "; ".join(f"{c.name}: dev {what} {(c.dev[-1][1] if what == 'loss' else c.dev[-1][2]):.4f} at its end" for c in found if c.dev)
    return Chart(f"training-{name}-{what}", framed(drawn, height=340, legend=True, **axes), tuple(rows), last or "No run was evaluated.")
