"""What the documents say to type exists: commands with their options, make targets, links, lines of Python, settings; and the contributor's files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from robustnli import cli, config

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), ROOT / "robustnli" / "suite" / "README.md"]
)
GROUP: Any = typer.main.get_command(cli.app)


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced blocks of these languages."""
    return [body for language, body in re.findall(r"^```(\w+)\n(.*?)^```", text, re.M | re.S) if language in languages]


def command_lines(text: str) -> Iterator[list[str]]:
    """Each line of the shell blocks, in words, without its comment; what ends in a backslash goes on."""
    for block in blocks(text, "sh", "bash", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def ours(words: list[str]) -> list[str] | None:
    """What follows `robustnli`, or `-m robustnli`, in a command line."""
    if words[0] == "robustnli":
        return words[1:]
    return next((words[i + 2 :] for i, pair in enumerate(pairwise(words)) if pair == ("-m", "robustnli")), None)


def check_command(args: list[str]) -> None:
    """Raises where the command or one of its options does not exist, or an option has no value; files need not exist."""
    assert args and args[0] in GROUP.commands, f"no command {args[:1]}"
    command = GROUP.commands[args[0]]
    context = command.context_class(command, info_name=args[0])
    _, rest, _ = command.make_parser(context).parse_args(args[1:])
    assert not rest, f"more words than `robustnli {args[0]}` takes: {rest}"


def targets() -> dict[str, str]:
    """make target -> its help."""
    return dict(re.findall(r"^([a-z]+):[^#\n]*##\s*(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_is_to_be_typed_exists(path: Path) -> None:
    for words in command_lines(path.read_text(encoding="utf-8")):
        args = ours(words)
        if args is not None:
            try:
                check_command(args)
            except Exception as error:
                pytest.fail(f"{shlex.join(words)}: {error}")
        if words[0] == "make":
            assert {w for w in words[1:] if "=" not in w} <= set(targets()), words


@pytest.mark.parametrize(
    "line", ["predict --premiss x", "predikt", "compare --before a --after b --data c --sices d", "suite --stats words", "app --port"]
)
def test_a_wrong_command_is_seen(line: str) -> None:
    with pytest.raises((typer.BadParameter.__base__, AssertionError)):  # type: ignore[arg-type]
        check_command(shlex.split(line))


def test_the_readme_is_checked_at_all() -> None:
    lines = list(command_lines((ROOT / "README.md").read_text(encoding="utf-8")))
    assert sum(ours(words) is not None for words in lines) >= 15 and ["make", "app"] in lines


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert not target or (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("name", ["README.md", "docs/api.md"])
def test_lines_of_python_run(name: str, shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = blocks((ROOT / name).read_text(encoding="utf-8"), "python")
    assert found
    for code in found:
        exec(code.replace("owner/my-nli-model", "baseline"), {})
        assert capsys.readouterr().out.strip(), "a reader wants to see something"


def test_every_target_has_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", text, re.M)[1].split())  # type: ignore[index]
    assert phony == set(targets()) == set(re.findall(r"^([a-z]+):(?!=)", text, re.M))


def test_every_setting_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = re.findall(r"^(ROBUSTNLI_\w+)", config.__doc__ or "", re.M)
    assert len(names) > 8 and [n for n in names if n not in text] == []


def test_a_commit_formats_and_lints_with_the_pinned_version_and_does_no_more() -> None:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == {"ruff-check", "ruff-format"}
    assert f"ruff=={repository['rev'].removeprefix('v')}" in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").split()


def test_ci_runs_what_stands_in_the_repository() -> None:
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert ".ci/run" in steps and all(s.split()[1] in targets() for s in steps if s.startswith("make "))


def test_templates_have_what_github_reads() -> None:
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.md"):
        head = yaml.safe_load(path.read_text(encoding="utf-8").split("---")[1])
        assert head["name"] and head["about"]
    assert "make check" in (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")


def test_contributing_is_one_screen() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 60
