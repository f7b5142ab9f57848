"""The command that measures how far word scores tell what a model uses."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated, Any

import typer

from robustnli.cli.options import Json, Threads
from robustnli.cli.output import load, progress, say

SEED = 13


def faithfulness(
    model: Annotated[list[str], typer.Option(help="A checkpoint: its name, a folder, or a hub id. May be repeated.")],
    out: Annotated[Path, typer.Option(help="The JSON file to write; the Method page reads RUN/faithfulness.json.")],
    sample: Annotated[int, typer.Option(min=0, help="Pairs of the challenge suite, drawn at random; 0: all.")] = 300,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Measure each attribution method: comprehensiveness, sufficiency, and rank correlation with leave-one-out, on the challenge suite."""
    from robustnli.pipeline import faithful
    from robustnli.records import write_json
    from robustnli.suite import load as load_suite

    items = load_suite()
    if 0 < sample < len(items):
        items = tuple(random.Random(SEED).sample(items, sample))
    pairs = [item.pair for item in items]
    report: dict[str, Any] = {"data": "challenge suite", "n": len(pairs), "of": len(load_suite()), "seed": SEED}
    report |= {"percents": list(faithful.PERCENTS), "definition": faithful.__doc__, "models": {}}
    for name in model:
        opened = load(name, threads)
        with progress(f"word scores of {opened.checkpoint.name}", len(pairs)) as advance:
            methods = faithful.measure(opened, pairs, seed=SEED, advance=advance)
        report["models"][opened.checkpoint.name] = {"fingerprint": opened.checkpoint.fingerprint, "methods": methods}
    write_json(out, report)
    rows = [
        {"model": name, "method": method} | {figure: found["mean"] for figure, found in figures.items()}
        for name, one in report["models"].items()
        for method, figures in one["methods"].items()
    ]
    say(rows, as_json, _line)


def _line(row: dict[str, Any]) -> str:
    figures = "  ".join(
        f"{name} {'-' if value is None else f'{value:.3f}'}" for name, value in row.items() if name not in ("model", "method")
    )
    return f"{row['model']}  {row['method']}: {figures}"
