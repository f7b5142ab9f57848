"""The command line: a thin shell over the library. Bad input ends in one line on stderr and exit status 1."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from robustnli import __version__
from robustnli.cli import ask, bench, curated, doctor, faithfulness, gallery, make, mixing, repair, reproduce, score, serve, suite, work
from robustnli.errors import RobustNLIError

COMMANDS = (
    ask.predict, ask.evaluate, ask.compare, make.attack, make.finetune, make.train, make.trim, make.card,
    mixing.augment, mixing.mix, mixing.blend, reproduce.reproduce, score.score, suite.suite, gallery.gallery, curated.export,
    curated.replay, repair.repair, faithfulness.faithfulness, bench.bench,
    doctor.doctor,
)  # fmt: skip

_USAGE: Any = typer.BadParameter.__base__  # a wrong option, argument or command
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for command in COMMANDS:
    app.command()(command)
app.command("import")(curated.import_)
app.command("app")(serve.serve)
app.command(hidden=True)(work.work)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"robustnli {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; a RobustNLIError becomes one clear line."""
    try:
        status = app(standalone_mode=False)
    except _USAGE as error:
        if not sys.argv[1:]:
            typer.echo(error.format_message())  # the help, since nothing was asked
        else:
            typer.echo(f"error: {error.format_message()} Ask --help for what is understood.", err=True)
        sys.exit(2)
    except RobustNLIError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(f"error: {error.filename or 'a file'}: {error.strerror or error}.", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("stopped.", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
