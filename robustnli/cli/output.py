"""What commands print: rows, notes, progress; and the models they load."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from robustnli.config import cores
from robustnli.data import Loaded


def load(name: str, threads: int) -> Any:
    """The model of that name, folder or hub id; `threads` of torch, or, where that is 0, as many as there are cores for this process."""
    import torch

    from robustnli.models import load as load_model

    model = load_model(name)
    torch.set_num_threads(threads or cores())
    return model


def say_dropped(loaded: Loaded) -> None:
    """Tell how many unlabelled rows were left out."""
    if loaded.unlabelled:
        typer.echo(f"note: {loaded.unlabelled:,} unlabelled rows dropped, {len(loaded.examples):,} kept.", err=True)


def say(rows: list[dict[str, Any]], as_json: bool, line: Callable[[dict[str, Any]], str]) -> None:
    """Print each row by `line`, or all as one JSON value."""
    if as_json:
        typer.echo(json.dumps(rows[0] if len(rows) == 1 else rows))
    else:
        for row in rows:
            typer.echo(line(row))


def listed(row: dict[str, Any], keys: str) -> str:
    """The named fields of a row, each after its name."""
    return "  ".join(f"{key} {row[key]:.4g}" if isinstance(row[key], float) else f"{key} {row[key]}" for key in keys.split())


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr with time left; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda more: bar.advance(task, more)
