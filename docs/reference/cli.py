"""Writes docs/reference/cli.md: every command of the command line with its options, as the program itself tells them.

    python docs/reference/cli.py

tests/test_site.py holds that the committed page is what this makes now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from robustnli import cli

PAGE = Path(__file__).with_name("cli.md")
HEAD = """# The command line

Every command and every option, made from the program by `python docs/reference/cli.py`. `robustnli COMMAND --help` prints the same. Bad input ends
with one line on the error stream and status 1, a wrong option with status 2, an interrupted run with 130.
"""


def cell(text: str) -> str:
    """The text as a cell of a Markdown table; what looks like HTML stays text."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[").replace("*", "\\*")


def section(name: str, command: Any) -> str:
    """One command: what it does, and a table of what it takes."""
    context = command.context_class(command, info_name=name)
    records = [(p.get_help_record(context), p.param_type_name) for p in command.get_params(context)]
    taken = [(record, kind) for record, kind in records if record and record[0] != "--help"]
    usage = " ".join(["robustnli", name, *(r[0].split()[0].upper() for r, kind in taken if kind == "argument"), "[OPTIONS]"])
    lines = [f"## {name}", "", *(line.strip() for line in (command.help or "").splitlines()), "", "```text", usage, "```"]
    if taken:
        lines += ["", "| option | what it does |", "|---|---|", *(f"| `{r[0]}` | {cell(r[1])} |" for r, _ in taken)]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page."""
    group: Any = typer.main.get_command(cli.app)
    shown = {name: command for name, command in sorted(group.commands.items()) if not command.hidden}
    listed = "\n".join(f"- [{name}](#{name}): {(command.help or '').splitlines()[0]}" for name, command in shown.items())
    return "\n".join([HEAD, listed + "\n", *(section(name, command) for name, command in shown.items())])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
