"""Word classes by list, with no tagger: function words from here, the others from parts.toml and the recipes' word list.

A word of several classes counts as the first that names it: "that" is a pronoun, "round" a preposition. A word in no list is a `name`
where it is written with a capital, else `other`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from robustnli.attack import words as word_list

NAME, OTHER = "name", "other"
_FUNCTION = {
    "negation": "not no never none nobody nothing nowhere neither nor without cannot",
    "auxiliary": """am is are was were be been being do does did doing have has had having will would shall should can could may might must
        ought""",
    "determiner": """a an the this these those some any every each all both half either most many much few several more less fewer another
        such enough""",
    "pronoun": """i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself we us our ours
        ourselves they them their theirs themselves one oneself that who whom whose which what somebody someone something anybody anyone
        anything everybody everyone everything there""",
    "preposition": """about above across after against along alongside among around as at before behind below beneath beside besides between
        beyond by despite down during except for from in inside into like near of off on onto opposite out outside over past per round
        since than through throughout till to toward towards under underneath until up upon via with within""",
    "conjunction": "and or but so yet if because although though while whereas unless whether when whenever where wherever once",
    "number": """zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
        nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million dozen first second third fourth fifth
        sixth seventh eighth ninth tenth""",
}
CLASSES = (*_FUNCTION, "noun", "verb", "adjective", "adverb", NAME, OTHER)


_SECTIONS = {"nouns": "noun", "mass": "noun", "verbs": "verb", "adjectives": "adjective"}
_PLAIN = {"number": "number", "ordinal": "number", "weekday": "noun"}


def _listed() -> Iterator[tuple[str, str]]:
    """(class, form) of the recipes' word list, all forms of a word."""
    read = tomllib.loads(Path(word_list.__file__).with_name("words.toml").read_text(encoding="utf-8"))
    empty: dict[str, dict[str, str]] = {section: {} for section in (*_SECTIONS, "plain")}
    for section, name in _SECTIONS.items():
        yield from ((name, form) for _, form in word_list.forms(empty | {section: read[section]}))
    for kind, row in read["plain"].items():
        yield from ((_PLAIN.get(kind, "adverb"), form) for form in row.split())


def _more() -> Iterator[tuple[str, str]]:
    """(class, form) of what that list leaves out."""
    for name, row in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items():
        yield from ((name, form) for form in row.split())


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    found = {word: name for name, words in _FUNCTION.items() for word in words.split()}
    for name, word in (*_more(), *sorted(_listed(), key=lambda item: CLASSES.index(item[0]))):
        found.setdefault(word, name)
    return found


@lru_cache(maxsize=100_000)
def part_of_speech(word: str) -> str:
    """The word's class; where no list has it, `name` if it is written with a capital, else `other`."""
    low = word.casefold().replace("\u2019", "'")
    if low.endswith("n't"):
        return "negation"
    if low.replace(",", "").replace(".", "").isdecimal():
        return "number"
    return _known().get(low.removesuffix("'s")) or (NAME if word[:1].isupper() else OTHER)
