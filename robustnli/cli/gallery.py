"""The command that fills the attacks page: recipes against models, as finished folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from robustnli.cli.options import Json, Threads
from robustnli.cli.output import load, progress, say
from robustnli.config import home


def gallery(
    recipe: Annotated[list[str] | None, typer.Option(help="A recipe; all of them without it. May be repeated.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A checkpoint; all that are found without it. May be repeated.")] = None,
    data: Annotated[str, typer.Option(help="suite[:dev|:test], snli:dev, snli:test, a file, or a hub id.")] = "suite",
    k: Annotated[int | None, typer.Option(min=1, help="Budget of the recipes that have one.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="Examples drawn; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    out: Annotated[Path | None, typer.Option(help="Where the folders go; without it the app's own place.")] = None,
    text: Annotated[bool, typer.Option(help="Keep the original sentences in the folders; the suite's are never kept twice.")] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Leave folders alone that hold just this already.")] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Run attack recipes against models, every model answering every attack, for the attacks page to browse."""
    from robustnli.checkpoints import find
    from robustnli.errors import DataError, RobustNLIError
    from robustnli.gallery.files import Finished, read_manifest
    from robustnli.pipeline import gallery as work

    def there(folder: Path) -> Finished | None:
        try:
            return read_manifest(folder)
        except DataError:
            return None

    names = model or [f.name for f in find() if f.checkpoint]
    models = {name: load(name, threads) for name in names}
    prints = {name: m.checkpoint.fingerprint for name, m in models.items()}
    root = out or home() / "attacks"
    for name in work.recipes(recipe or []):
        task = work.task(name, data, k=k, seed=seed, sample=sample)
        folder = root / work.free(root / "none", f"{name}-{data}").name
        if resume and work.up_to_date(there(folder), task, prints):
            typer.echo(f"note: {folder} holds this already.", err=True)
            continue
        try:
            with progress(name, len(task.examples) * len(models)) as step:
                made = work.make(folder, task, models, text=text and not data.startswith("suite"), progress=step)
        except RobustNLIError as error:
            raise type(error)(f"{name}: {error}") from error
        row = {"out": str(folder), "recipe": name, "n": made.n, "models": names, "queries": made.queries, "seconds": made.seconds}
        say([row], as_json, lambda r: f"{r['out']}: {r['n']:,} pairs, {r['queries']:,} queries, {r['seconds']:.0f} s")
