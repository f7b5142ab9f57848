"""Pairs to rehearse while a model learns a few new ones, so that it keeps what it could do. Their labels are not used: the model is held
to what it said of them before (learning without forgetting, Li and Hoiem 2016).

SNLI's own text where a copy is at hand (its training pairs, else dev; never test), else captions and other sentences made here from
the word lists of `augment`.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from robustnli.config import snli_files
from robustnli.data import COLUMNS
from robustnli.errors import DataError
from robustnli.pipeline import lexicon as lex
from robustnli.pipeline.augment import augment
from robustnli.records import FORMATS, read_rows
from robustnli.types import Example, Label, Pair, example

READ = 30_000  # rows of SNLI looked at: enough to draw from, and read in a second
MADE = "made by rule from the word lists of this project"
_KINDS = ("lexical", "negation", "distraction", "overlap", "logic")  # of augment; captions are as many as these together
_UNKNOWN = Label.NEUTRAL  # what stands where a label is not used


@dataclass(frozen=True, slots=True)
class Replay:
    """Pairs to rehearse, and in words where they come from."""

    pairs: tuple[Pair, ...]
    source: str


def draw(n: int, *, seed: int, apart_from: Collection[Pair] = ()) -> Replay:
    """`n` different pairs (fewer where SNLI's file has fewer), none of them in `apart_from`. The same seed and files give the same pairs."""
    if n <= 0:
        return Replay((), "none")
    known = set(apart_from)
    for path in _snli():
        try:
            pairs = [pair for pair in dict.fromkeys(_read(path)) if pair not in known]
        except DataError:
            continue  # another copy may be whole; without any, pairs are made
        if pairs:
            random.Random(seed).shuffle(pairs)
            return Replay(tuple(pairs[:n]), f"SNLI ({path.name})")
    return Replay(tuple(pair for pair in made(n + len(known), seed=seed) if pair not in known)[:n], MADE)


def made(n: int, *, seed: int) -> list[Pair]:
    """`n` different pairs of our own words: half of them captions, the rest what `augment` makes, from captions where it needs sentences."""
    chance = random.Random(f"{seed} replay")
    captioned = list(islice(_distinct(captions(chance)), n))
    pool = [example(pair.premise, pair.hypothesis, _UNKNOWN) for pair in (captioned if n > 200 else islice(captions(chance), 200))]
    each = n // (2 * len(_KINDS))
    others = [item.pair for kind in _KINDS for item in _some(kind, pool, each, seed)]
    pairs = list(dict.fromkeys((*others, *captioned)))[:n]
    chance.shuffle(pairs)
    return pairs


def captions(chance: random.Random) -> Iterator[Pair]:
    """Endless pairs of sentences about people who do something somewhere: the second agrees with the first in none to all of its parts."""
    while True:
        who, does, where = _who(chance), _does(chance), _where(chance)
        yield Pair(_sentence(chance, who, does, where), _sentence(chance, *_second(chance, who, does, where)))


def _second(chance: random.Random, who: Who, does: str, where: str) -> tuple[Who, str, str]:
    """Who does what where in the hypothesis."""
    other = who if chance.random() < 0.7 else _who(chance)
    if chance.random() < 0.3:
        other = ("Some people", True) if who[1] else ("Somebody", False)
    return other, does if chance.random() < 0.5 else _does(chance), chance.choice((where, _where(chance), ""))


Who = tuple[str, bool]  # the words, whether they are several
_MEN = (
    ("A man", False),
    ("A woman", False),
    ("The boy", False),
    ("A girl", False),
    ("Two men", True),
    ("Three women", True),
    ("The children", True),
)
_SETS = {words[0]: words for words in lex.EXCLUSIVE}


def _who(chance: random.Random) -> Who:
    if chance.random() < 0.5:
        return chance.choice(_MEN)
    person = chance.choice(lex.PEOPLE)
    if chance.random() < 0.3 and not person.endswith("man"):
        return f"{chance.choice(lex.NUMBERS[:4]).capitalize()} {person}s", True
    return f"{chance.choice(('A', 'The', 'A young', 'An old'))} {person}", False


def _does(chance: random.Random) -> str:
    def one(name: str) -> str:
        return chance.choice(_SETS[name])

    thing, things = chance.choice(lex.THINGS)
    ways = (
        f"playing the {one('guitar')}", f"playing {one('soccer')}", f"riding a {one('car')}", f"waiting for the {one('car')}",
        f"wearing a {one('red')} {one('hat')}", f"holding a {thing}", f"carrying {one('two')} {things}", f"walking a {one('dog')}",
        f"eating {one('pizza')}", f"drinking {one('coffee')}", f"using a {one('hammer')}", f"looking at a {chance.choice(lex.TRAITS)} {thing}",
        f"talking to a {chance.choice(lex.PEOPLE)}", f"sitting on a {one('chair')}", f"painting the {thing}", one("swimming"),
        f"standing next to a {one('red')} {one('car')}", f"having {one('breakfast')}", f"cutting {one('carrots')}", f"buying {one('apples')}",
    )  # fmt: skip
    return chance.choice(ways)


def _where(chance: random.Random) -> str:
    return chance.choice(
        (chance.choice(lex.PLACES), f"in the {chance.choice(_SETS['winter'])}", f"near the {chance.choice(_SETS['beach'])}", "")
    )


def _sentence(chance: random.Random, who: Who, does: str, where: str) -> str:
    verb = chance.choice(("are ", "are ", "")) if who[1] else chance.choice(("is ", "is ", ""))
    text = f"{who[0]} {verb}{does} {where}".strip()
    return text if chance.random() < 0.15 else text + "."


def _some(kind: str, pool: list[Example], n: int, seed: int) -> list[Example]:
    try:
        return augment(kind, pool, n, seed=seed) if n else []
    except DataError:  # this kind finds too little in these sentences; captions stand in
        return []


def _distinct(pairs: Iterator[Pair]) -> Iterator[Pair]:
    seen: set[Pair] = set()
    for pair in pairs:
        if pair not in seen:
            seen.add(pair)
            yield pair


def _snli() -> list[Path]:
    """Files of SNLI's text, training files first, none whose name tells that it is test."""
    found = [p for p in snli_files() if any(s.lower() in FORMATS for s in p.suffixes) and "test" not in p.name.lower()]
    return sorted(found, key=lambda p: ("train" not in p.name.lower(), p.name))


def _read(path: Path) -> Iterator[Pair]:
    for _, row in islice(read_rows(path), READ):
        texts = [next((row[name] for name in COLUMNS[field] if isinstance(row.get(name), str)), "") for field in ("premise", "hypothesis")]
        if all(text.strip() for text in texts):
            yield Pair(*texts)
