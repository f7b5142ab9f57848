"""The command that scores a file of the user's own for the error explorer."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from robustnli.cli.options import Json
from robustnli.cli.output import progress, say


def score(
    data: Annotated[Path, typer.Option(help="A file (JSONL, CSV, TSV, Parquet; plain or .gz) with premise, hypothesis, label.")],
    model: Annotated[list[str], typer.Option(help="A checkpoint: its name or a folder, from older to newer. Given at least twice.")],
    name: Annotated[str, typer.Option(help="The run's name in the app; without it that of the file.")] = "",
    attack: Annotated[bool, typer.Option("--attack", help="Attack each model as well: up to three words masked.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out rows that cannot be read, instead of stopping.")] = False,
    as_json: Json = False,
) -> None:
    """Score a file of your own by two or more models, as a run that the app's error explorer opens."""
    from robustnli import ownruns
    from robustnli.checkpoints import resolve
    from robustnli.errors import DataError
    from robustnli.pipeline import own

    ownruns.may_write()
    name = ownruns.check_name(name) if name else ownruns.free_name(data.name.split(".")[0])
    upload = ownruns.read(data, data.name)
    if upload.bad and not skip_bad:
        raise DataError(f"{len(upload.bad):,} rows cannot be read. The first: {upload.bad[0]} Mend them, or give --skip-bad.")
    for text in upload.bad[:20]:
        typer.echo(f"note: {text}", err=True)
    checkpoints = [resolve(one) for one in model]
    ownruns.folder().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=ownruns.folder()))
    try:
        with ExitStack() as bars:

            def phase(title: str, total: int) -> Callable[[int], None]:
                bars.pop_all().close()
                return bars.enter_context(progress(title, total))

            report = own.score(upload, checkpoints, folder / "run", shown=data.name, attack=attack, phase=phase)
        placed = ownruns.place(folder / "run", name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    row: dict[str, Any] = {"run": placed, "folder": str(ownruns.folder() / placed), "rows": len(upload.examples)}
    row |= {"unlabelled": upload.unlabelled, "bad": len(upload.bad), "accuracy": _accuracies(report)}
    say([row], as_json, _line)


def _accuracies(report: dict[str, Any]) -> dict[str, float]:
    return {name: kinds["clean"]["accuracy"] for name, kinds in report["splits"]["file"]["models"].items()}


def _line(row: dict[str, Any]) -> str:
    left = f" ({row['unlabelled']:,} unlabelled and {row['bad']:,} unreadable rows left out)" if row["unlabelled"] or row["bad"] else ""
    right = ", ".join(f"{name} {share:.2%}" for name, share in row["accuracy"].items())
    return f"{row['rows']:,} rows scored{left}: {right}. Choose the run {row['run']!r} in the app's error explorer."
