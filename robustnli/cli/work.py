"""The hidden command that a job's process is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def work(folder: Annotated[Path, typer.Argument(help="A job's folder.")]) -> None:
    """Do the job of a folder: what the app starts for long work."""
    from robustnli.pipeline.work import work as run

    if not run(folder):
        raise typer.Exit(1)
