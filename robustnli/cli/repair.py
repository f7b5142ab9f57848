"""The command that teaches a checkpoint a few examples."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from robustnli import jobs
from robustnli.cli.options import Json, Threads
from robustnli.cli.output import say
from robustnli.errors import RunError
from robustnli.jobs import Job


def repair(
    parent: Annotated[str, typer.Option("--from", help="The checkpoint to go on from: a name or a folder.")],
    name: Annotated[str, typer.Option(help="The new checkpoint's name; default: the parent's with -repaired.")] = "",
    curated: Annotated[bool, typer.Option("--curated", help="Learn all curated examples whose label a person confirmed.")] = False,
    tag: Annotated[
        list[str] | None, typer.Option(help="Of the curated examples only those with this tag. May be repeated: any of them.")
    ] = None,
    suite: Annotated[
        list[str] | None, typer.Option(help="Learn this slice, phenomenon or `all` of the suite's dev half. May be repeated.")
    ] = None,
    data: Annotated[list[Path] | None, typer.Option(help="Learn the labelled pairs of this file. May be repeated.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the examples at most; it ends when all are learned.")] = 20,
    learning_rate: Annotated[float, typer.Option(help="Rate of AdamW.")] = 1e-4,
    replay: Annotated[float, typer.Option(help="Share of each step's pairs that is rehearsed against forgetting; 0: none.")] = 0.75,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Teach a checkpoint a few examples in seconds, and see what that fixed and what it broke."""
    from robustnli.data import load_all
    from robustnli.repairs import Asked, Settings, confirmed_uids, free_name, of_suite, submit

    rows = tuple((e.pair.premise, e.pair.hypothesis, e.label.text) for e in load_all(map(str, data or ())).examples)
    asked = Asked(confirmed_uids(tuple(tag or ())) if curated or tag else (), of_suite(suite or ()), rows)
    settings = Settings(epochs=epochs, learning_rate=learning_rate, replay=replay, seed=seed, threads=threads)
    job = _followed(submit(parent, asked, name or free_name(parent), settings))
    if job.result is None:
        raise RunError(job.message or f"{job.title} was cancelled.")
    say([job.result], as_json, _told)


def _followed(job: Job) -> Job:
    """The job when it has ended; its phases are told on stderr. Ctrl-C cancels it."""
    told = ""
    try:
        while job.active:
            line = job.phase if job.state == "running" else f"waiting, {job.ahead} before it" if job.ahead else ""
            if line and line != told:
                typer.echo(f"{line} ...", err=True)
                told = line
            time.sleep(0.2)
            job = jobs.find(job.id)
    except KeyboardInterrupt:
        jobs.cancel(job.id)
        raise
    return job


def _told(row: dict[str, Any]) -> str:
    lines = [f"{row['name']}: {row['learned']:,} of {row['examples']:,} examples learned ({row['right_before']:,} were right before)"]
    for part in row["suite"][:1]:
        lines.append(
            f"suite ({' and '.join(row['suite_halves'])}, {part['n']:,} rows): {part['accuracy_before']:.1%} to {part['accuracy_after']:.1%}; "
            f"{part['fixed']:,} fixed, {part['introduced']:,} introduced, {part['remaining']:,} remaining, p {part['mcnemar_p']:.2g}"
        )
    if row["held"]:
        lines.append(f"of {row['held']:,} other pairs it says the same as before of {row['held_same']:,}")
    if "snli" in row:
        lines.append(f"SNLI dev, {row['snli']:,} rows: {row['snli_before']:,} right before, {row['snli_after']:,} after")
    return "\n".join(lines)
