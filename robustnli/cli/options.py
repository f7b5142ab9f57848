"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Model = Annotated[str, typer.Option(help="A checkpoint: its name, a folder, or a hub id.")]
Data = Annotated[
    list[str], typer.Option(help="FILE (JSONL, CSV, TSV, Parquet; plain or .gz) or FOLDER_OR_HUB_ID[:SPLIT]. May be repeated.")
]
Dev = Annotated[list[str] | None, typer.Option(help="Held-out data to choose on; without it 5 % of the premises are held out.")]
Out = Annotated[Path, typer.Option(help="The new checkpoint folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Threads = Annotated[int, typer.Option(min=0, help="Threads of torch; 0: one a core, for training its own choice.")]
