"""The word lists of `augment`, read from lexicon.toml beside this file: what excludes what, what means the same, what is what."""

from __future__ import annotations

import tomllib
from pathlib import Path

Rows = tuple[tuple[str, ...], ...]
_READ: dict[str, list[str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def _split(name: str, mark: str) -> Rows:
    return tuple(tuple(row.split(mark)) for row in _READ[name])


EXCLUSIVE, OPPOSITE, SAME = _split("exclusive", ","), _split("opposite", ","), _split("same", ",")
# (kind, what it is): the first entails the second.
KIND_OF: Rows = tuple((word, whole) for row in _READ["kind_of"] for kinds, whole in [row.split(": ")] for word in kinds.split(","))
DEEDS, ACTS, THINGS, HANDLING = (_split(name, "/") for name in ("deeds", "acts", "things", "handling"))
PEOPLE, PLACES, NAMES, TRAITS, NUMBERS, FILLERS, SCENES = (
    tuple(_READ[name]) for name in ("people", "places", "names", "traits", "numbers", "fillers", "scenes")
)
