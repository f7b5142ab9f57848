"""The command of the challenge suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from robustnli.cli.options import Json, Threads
from robustnli.cli.output import load, say
from robustnli.data import load_all


def suite(
    stats: Annotated[bool, typer.Option("--stats", help="Counts per slice, phenomenon and label.")] = False,
    validate: Annotated[bool, typer.Option("--validate", help="Run every check of a release; exit 1 when one fails.")] = False,
    against: Annotated[list[str] | None, typer.Option(help="With --validate: data that must share no pair with the suite.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write the suite as a data set folder that `datasets` loads.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Score a checkpoint per slice and phenomenon. May be repeated.")] = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """The challenge suite: its counts, its checks, a copy of it, or models scored on it."""
    from robustnli.suite import checks, reports
    from robustnli.suite import load as load_suite

    items = load_suite()
    if validate:
        others = ((e.pair.premise, e.pair.hypothesis) for e in load_all(against or []).examples)
        faults = [*checks.validate(items), *checks.overlap(items, others)]
        typer.echo("\n".join(faults) or f"{len(items):,} pairs pass every check.")
        if faults:
            raise typer.Exit(1)
    if export:
        typer.echo(f"{export}: {reports.export(export)} files.")
    rows = [{"model": name, "scores": reports.scores(items, load(name, threads).predict([i.pair for i in items]))} for name in model or []]
    if rows:
        say(rows, as_json, lambda r: f"{r['model']}\n{reports.table(r['scores'])}")
    if stats or not (validate or export or model):
        say([reports.stats(items)], as_json, lambda r: json.dumps(r, indent=2))
