"""A training mixture from a recipe (TOML): which files, how many rows, which pairs made by rule; and hold-outs of each source.

A recipe has `seed`, `held_out` (share of premises kept apart, per source) and a `[[source]]` list; each source has either
`file` (a name in the data folder) or `made` (a kind of `augment`, made from the first source's training rows), and may have
`rows` (at most so many, drawn by the seed) and `times` (how often a row is trained on). See docs/recipes/robust.toml.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from robustnli.data import load
from robustnli.errors import DataError
from robustnli.pipeline.augment import augment
from robustnli.pipeline.train import hold_out
from robustnli.types import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One line of a recipe; checked when made."""

    file: str = ""
    made: str = ""
    rows: int | None = None
    times: int = 1

    def __post_init__(self) -> None:
        if bool(self.file) == bool(self.made):
            raise DataError(f"a source names either a file or a kind of made pairs, not {'both' if self.file else 'neither'}.")
        if self.times < 1 or (self.rows is not None and self.rows < 1) or (self.made and self.rows is None):
            raise DataError(f"source {self.name!r}: rows and times are whole numbers above 0, and made pairs need rows.")

    @property
    def name(self) -> str:
        """What the source is called in hold-outs and tables."""
        return self.file or f"made:{self.made}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe."""

    sources: tuple[Source, ...]
    seed: int
    held_out: float


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file. Raises DataError for a file that is none."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
        recipe = Recipe(tuple(Source(**row) for row in value["source"]), int(value["seed"]), float(value["held_out"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: no recipe ({type(error).__name__} {error}). docs/recipes/robust.toml shows the form.") from error
    if not recipe.sources or not recipe.sources[0].file or not 0 < recipe.held_out < 1:
        raise DataError(f"{path}: the first source must be a file, and held_out a share between 0 and 1.")
    return recipe


def mix(recipe: Recipe, folder: Path) -> tuple[list[Example], list[Example]]:
    """(training rows in random order, held-out rows); `source` of each row is its source's name.

    No premise of a source is on both sides, and made pairs come from the first source's training rows alone.
    """
    trained: list[Example] = []
    held: list[Example] = []
    first: Sequence[Example] = ()
    for source in recipe.sources:
        if source.file:
            rows = list(load(str(_find(folder, source.file))).examples)
        else:
            rows = augment(source.made, first, source.rows or 0, seed=recipe.seed)
        rows = [replace(row, source=source.name) for row in rows]
        if source.rows is not None and len(rows) > source.rows:
            rows = random.Random(f"{recipe.seed} {source.name}").sample(rows, source.rows)
        kept, out = hold_out(rows, seed=recipe.seed, share=recipe.held_out)
        first = first or kept
        trained += kept * source.times
        held += out
    random.Random(recipe.seed).shuffle(trained)
    return trained, held


def _find(folder: Path, name: str) -> Path:
    found = sorted(p for p in folder.glob(f"{name}.*") if p.is_file())
    if not found:
        raise DataError(f"{folder}: no file {name}.jsonl.gz (or another format). Give the folder that holds the recipe's files.")
    return found[0]
