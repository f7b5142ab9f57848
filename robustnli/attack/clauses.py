"""Simple main clauses: where their auxiliary is, and what "not" after it denies. Pure text; when in doubt, None.

`Negated.whole`: "not" denies the whole sentence h, so that h and its negation cannot both be true. That holds where the subject points at something
(the, his, a name) or the clause is "there is": not for "a potter is not asleep", true beside "a potter is asleep" of another man. `exact`: one of the two
must be true as well, so that the negation is exactly not-h: one thing is spoken of ("the herons are not asleep" and "the herons are asleep" are both false when
half of them are).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from robustnli.attack.words import classes, stop_words
from robustnli.slices import AMBIGUITY_WIDE, NEGATION_WIDE, has_cue
from robustnli.types import Word

_AUX = re.compile(r"(?<![\w'’-])(is|are|was|were|am|can|will)(?![\w'’-])", re.IGNORECASE)
_PERFECT = re.compile(r"(?<![\w'’-])(has|have|had)(?=\s+been\b)", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_INNER = re.compile(r"[,;:!?\"“”()\[\]]|[.…]|\s[-–—]\s")


@lru_cache(maxsize=1)
def read() -> dict[str, Any]:
    """edits.toml: lists of words as sets, sentences as a tuple."""
    raw = tomllib.loads(Path(__file__).with_name("edits.toml").read_text(encoding="utf-8"))
    return {name: frozenset(value.split()) if isinstance(value, str) else tuple(value) for name, value in raw.items()}


@dataclass(frozen=True, slots=True)
class Clause:
    """A simple main clause: its auxiliary (a match in `text`), the words before and after it, in lower case."""

    text: str
    aux: re.Match[str]
    subject: tuple[str, ...]
    rest: tuple[str, ...]


def tokens(text: str) -> tuple[str, ...]:
    """The words of `text` in lower case."""
    return tuple(t.lower() for t in _TOKEN.findall(text))


def clause(text: str) -> Clause | None:
    """`text` as one simple clause with one auxiliary after its subject; None where it is anything else, negated, hedged or a question."""
    body = text.strip().rstrip(".")
    words = tokens(body)
    if _INNER.search(body) or has_cue(text, NEGATION_WIDE.cues) or has_cue(text, AMBIGUITY_WIDE.cues):
        return None
    if set(words[1:] if words[:1] == ("that",) else words) & read()["clauses"]:
        return None
    found = sorted([*_AUX.finditer(text), *_PERFECT.finditer(text)], key=lambda m: m.start())
    if len(found) != 1:
        return None
    subject, rest = tokens(text[: found[0].start()]), tokens(text[found[0].end() :])
    return Clause(text, found[0], subject, rest) if subject and rest else None


@dataclass(frozen=True, slots=True)
class Negated:
    """The sentence with "not". `words`: those of the sentence that changed. `whole`, `exact`: see the module."""

    text: str
    words: tuple[Word, ...]
    whole: bool
    exact: bool


def negated(text: str) -> Negated | None:
    """`text` denied, "not" after its auxiliary ("cannot" for can); None where the rule does not apply."""
    found = clause(text)
    if found is None:
        return None
    at, end = found.aux.span()
    can = found.aux[0].lower() == "can"
    new = f"{text[:end]}not{text[end:]}" if can else f"{text[:end]} not{text[end:]}"
    whole = points(found) and not set(found.rest) & read()["outside"]
    one = found.aux[0].lower() in ("is", "was") and found.subject[0] not in ("these", "those", "they", "we")
    exact = whole and one and not set(found.rest) & read()["definite"]
    return Negated(new, (Word("hypothesis", at, end),) if can else (), whole, exact)


def points(found: Clause) -> bool:
    """Whether the subject points at one thing or group: the, his, a name; or the clause says what there is."""
    first, known = found.subject[0], read()
    if found.subject == ("there",):
        return True
    if set(found.subject) & (known["quantities"] - {"a", "an"}):
        return False
    return first in known["definite"] or _is_name(found)


def _is_name(found: Clause) -> bool:
    """One or two words with capitals before is or was; a common word of our list in front ("Dogs", "Two") is no name."""
    written = _TOKEN.findall(found.text[: found.aux.start()])
    known = read()
    plain = found.subject[0] in classes() or found.subject[0] in known["quantities"] or found.subject[0] in ("there", "here")
    one = found.aux[0].lower() in ("is", "was", "has", "can", "will")
    return one and len(written) <= 2 and all(w[:1].isupper() for w in written) and not plain


def hedged(text: str, choice: int) -> str | None:
    """`text` said to be possible; None where it hedges already or asks. `choice` picks one of the wordings that fit.

    "might be" or "may be" only in a simple clause without quantity before the verb: "few men might be asleep" would not follow.
    """
    words = tokens(text)
    if not words or "?" in text or "!" in text or has_cue(text, AMBIGUITY_WIDE.cues):
        return None
    wordings = [f"Possibly {_small(text)}"]
    found = clause(text)
    if found is not None and found.aux[0].lower() in ("is", "are") and (points(found) or found.subject[0] in ("a", "an")):
        before, after = text[: found.aux.start()], text[found.aux.end() :]
        wordings += [f"{before}might be{after}", f"{before}may be{after}"]
    return wordings[choice % len(wordings)]


def _small(text: str) -> str:
    """`text` with a small letter first, where its first word is a common one: a name keeps its capital."""
    first = (_TOKEN.findall(text) or [""])[0].lower()
    common = first in classes() or first in (stop_words() | {"nobody", "nothing", "never"}) - {"i"}
    return text[:1].lower() + text[1:] if common else text
