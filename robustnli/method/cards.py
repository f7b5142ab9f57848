"""The model cards of checkpoint folders as text, and the glossary."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

LONGEST = 100_000
GLOSSARY = Path(__file__).with_name("glossary.toml")


def card(folder: Path) -> str:
    """README.md of a folder without its header of settings, at most `LONGEST` characters; "" where there is none."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")[:LONGEST]
    except OSError:
        return ""
    if text.startswith("---\n"):
        _, _, text = text.removeprefix("---\n").partition("\n---\n")
    return text.strip()


def smaller(text: str) -> str:
    """A card whose headings fit below one of the page: each two steps smaller, outside of code."""
    lines, code = [], False
    for line in text.splitlines():
        code ^= line.startswith("```")
        lines.append("##" + line if line.startswith("#") and not code else line)
    return "\n".join(lines)


@lru_cache(maxsize=1)
def glossary() -> dict[str, str]:
    """Word -> what it means everywhere in the app, by the alphabet."""
    words: dict[str, str] = tomllib.loads(GLOSSARY.read_text(encoding="utf-8"))["words"]
    return dict(sorted(words.items(), key=lambda item: item[0].casefold()))
