"""The command that tells whether robustnli can work here."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from robustnli.cli.options import Json


def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Load no checkpoint.")] = False,
    as_json: Json = False,
) -> None:
    """Check versions, checkpoints, label order, database, write rights, disk and speed; exit 1 when something must be mended."""
    from robustnli.doctor import examine

    findings = []
    for found in examine(models=not quick):
        findings.append(found)
        if not as_json:
            todo = f"  -> {found.todo}" if found.todo else ""
            typer.echo(f"{found.state:<8} {found.check}: {found.text}{todo}")
    problems = sum(found.state == "problem" for found in findings)
    if as_json:
        typer.echo(json.dumps({"problems": problems, "findings": [asdict(found) for found in findings]}))
    elif not problems:
        typer.echo("Nothing stands in the way.")
    if problems:
        raise typer.Exit(1)
