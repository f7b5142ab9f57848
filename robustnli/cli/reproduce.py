"""The command that runs the whole experiment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from robustnli.cli.options import Json, Threads
from robustnli.cli.output import say


def reproduce(
    scale: Annotated[Literal["tiny", "shipped", "paper"], typer.Option(help="tiny: our fixture; shipped: local SNLI; paper: the hub.")],
    protocol: Annotated[
        Literal["clean", "paper"], typer.Option(help="paper: attack the very split that is scored, which leaks.")
    ] = "clean",
    out: Annotated[Path, typer.Option(help="The run's folder; an interrupted run goes on there.")] = Path("runs/reproduce"),
    data: Annotated[Path | None, typer.Option(help="For shipped: a folder with train/snli_train and eval/snli_dev, snli_test.")] = None,
    encoder: Annotated[str | None, typer.Option(help="What to start from, where the scale has no default: a folder or hub id.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="Take this checkpoint as the baseline instead of training one.")] = None,
    given: Annotated[Path | None, typer.Option(help="Score the checkpoints in this folder instead of training any.")] = None,
    publish: Annotated[Path | None, typer.Option(help="Copy manifest, report and records (no text of the data) to this folder.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Score just this split for now: dev, test, suite. May be repeated.")] = None,
    again: Annotated[list[str] | None, typer.Option(help="Do this finished stage once more. May be repeated.")] = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Train, attack, fine-tune and score in one call; every stage restarts alone."""
    from robustnli.pipeline import runs
    from robustnli.pipeline.reproduce import plan
    from robustnli.pipeline.reproduce import publish as show
    from robustnli.pipeline.reproduce import reproduce as run

    asked = plan(scale, protocol, data=data, encoder=encoder, given=given, start=baseline, threads=threads)
    for name in again or [] if runs.leads() else []:
        runs.again(out, name)
    runs.meet()
    if threads:
        os.environ["ROBUSTNLI_THREADS"] = str(threads)
    report = run(asked, out, only=only or (), say=lambda line: typer.echo(line, err=True))
    if not runs.leads():
        return
    if publish:
        show(out, publish)
    say([report], as_json, lambda _: (out / "report.md").read_text(encoding="utf-8"))
