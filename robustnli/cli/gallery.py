"""The command that fills the attacks page: recipes against models, as finished folders."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import typer

from robustnli.cli.options import Json, Threads
from robustnli.cli.output import load, progress, say
from robustnli.config import home
from robustnli.errors import DataError, RobustNLIError


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every recipe of a call is run with."""

    models: tuple[str, ...]
    data: str
    k: int | None
    sample: int
    seed: int
    root: Path
    text: bool
    resume: bool
    threads: int


def gallery(
    recipe: Annotated[list[str] | None, typer.Option(help="A recipe; all of them without it. May be repeated.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A checkpoint; all that are found without it. May be repeated.")] = None,
    data: Annotated[str, typer.Option(help="suite[:dev|:test], snli:dev, snli:test, a file, or a hub id.")] = "suite",
    k: Annotated[int | None, typer.Option(min=1, help="Budget of the recipes that have one.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="Examples drawn; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    out: Annotated[Path | None, typer.Option(help="Where the folders go; without it the app's own place.")] = None,
    text: Annotated[bool, typer.Option(help="Keep the original sentences in the folders; the suite's are never kept twice.")] = True,
    jobs: Annotated[int, typer.Option(min=1, help="Recipes at a time, each in a process of its own.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Leave folders alone that hold just this already.")] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Run attack recipes against models, every model answering every attack, for the attacks page to browse."""
    from robustnli.checkpoints import find
    from robustnli.pipeline.gallery import recipes

    names = tuple(model or [f.name for f in find() if f.checkpoint])
    asked = _Asked(names, data, k, sample, seed, out or home() / "attacks", text and not data.startswith("suite"), resume, threads)
    chosen = recipes(recipe or [])
    for row in _each(asked, chosen, min(jobs, len(chosen))):
        if row["n"] is None:
            typer.echo(f"note: {row['out']} holds this already.", err=True)
        else:
            say([row], as_json, lambda r: f"{r['out']}: {r['n']:,} pairs, {r['queries']:,} queries, {r['seconds']:.0f} s")


def _each(asked: _Asked, chosen: Sequence[str], jobs: int) -> Any:
    """What came of each recipe; `jobs` of them at a time."""
    if jobs == 1:
        yield from (_run(asked, name) for name in chosen)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_run, [asked] * len(chosen), chosen)


def _run(asked: _Asked, name: str) -> dict[str, Any]:
    """One recipe; `n` is None where its folder holds this already."""
    from robustnli.gallery.files import Finished, read_manifest
    from robustnli.pipeline import gallery as work

    models = {model: load(model, asked.threads) for model in asked.models}
    task = work.task(name, asked.data, k=asked.k, seed=asked.seed, sample=asked.sample)
    folder = asked.root / work.free(asked.root / "none", f"{name}-{asked.data}").name
    there: Finished | None = None
    if asked.resume and folder.is_dir():
        try:
            there = read_manifest(folder)
        except DataError:
            there = None
    if work.up_to_date(there, task, {model: m.checkpoint.fingerprint for model, m in models.items()}):
        return {"out": str(folder), "recipe": name, "n": None}
    try:
        with progress(name, len(task.examples) * len(models)) as step:
            made = work.make(folder, task, models, text=asked.text, progress=step)
    except RobustNLIError as error:
        raise type(error)(f"{name}: {error}") from error
    return {"out": str(folder), "recipe": name, "n": made.n, "models": list(models), "queries": made.queries, "seconds": made.seconds}
