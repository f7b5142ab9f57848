"""The command line: a thin shell over the library. Bad input ends in one line on stderr and exit status 1."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from robustnli import __version__
from robustnli.cli import ask, make, mixing, reproduce, suite
from robustnli.errors import RobustNLIError

COMMANDS = (
    ask.predict, ask.evaluate, ask.compare, make.attack, make.finetune, make.train, make.trim, make.card,
    mixing.augment, mixing.mix, mixing.blend, reproduce.reproduce, suite.suite,
)  # fmt: skip

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for command in COMMANDS:
    app.command()(command)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"robustnli {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; a RobustNLIError becomes one clear line."""
    try:
        app()
    except RobustNLIError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("stopped.", err=True)
        sys.exit(130)
