"""Labelled pairs made by rule, to train on: one-word changes, negation, quantity, modality, who did what to whom, distraction.

Each kind is a function (examples, random) -> endless pairs; labels follow by the rule written beside it, except where SNLI's
convention is needed (premise and hypothesis tell of one event), and some rules take a label of the data over. Nothing made
here is ever scored: the challenge suite is written by hand.

lexical      a premise with one word exchanged (Glockner et al. 2018 tested models with such pairs)
negation     "not" put into or taken out of a sentence
distraction  a label kept while the premise grows by other people's doings, or either sentence by an idle truth
overlap      the same words, another role (McCoy et al. 2019 tested models with such pairs)
logic        quantity, monotonicity, modality, comparison, order in time, by small grammars of our own
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from robustnli.errors import DataError
from robustnli.pipeline import lexicon as lex
from robustnli.types import Example, Label, example

E, N, C = Label
Made = tuple[str, str, Label]
_AUX = re.compile(r"\b(is|are|was|were|has|have|can|will)\b(?! not\b|n't)", re.IGNORECASE)
_VOWEL = re.compile(r"\b([Aa])n? (?=[a-z])")


def augment(kind: str, examples: Sequence[Example], n: int, *, seed: int) -> list[Example]:
    """`n` different pairs of a kind, in random order of `seed`. Raises DataError for an unknown kind, or data too small for `n`."""
    if kind not in KINDS:
        raise DataError(f"no kind {kind!r} of made pairs. Known: {', '.join(KINDS)}.")
    chance = random.Random(f"{seed} {kind}")
    pool = list(examples)
    chance.shuffle(pool)
    made: dict[str, Example] = {}
    for p, h, label in islice(KINDS[kind](pool, chance), 40 * n + 1000):
        item = example(_tidy(p), _tidy(h), label, f"made:{kind}")
        made.setdefault(item.uid, item)
        if len(made) == n:
            return list(made.values())
    raise DataError(
        f"{kind}: only {len(made):,} of {n:,} pairs could be made from {len(pool):,} examples. Ask for fewer, or give more data."
    )


def _tidy(text: str) -> str:
    """ "'a' or 'an' as the next letter wants; one space; a capital first."""
    text = _VOWEL.sub(
        lambda m: (
            m[1]
            + (
                "n "
                if (text[m.end()] in "aeiou" and not text[m.end() :].startswith(("one", "uni", "use")))
                or text[m.end() :].startswith("hour")
                else " "
            )
        ),
        text,
    )
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]


def _swap(text: str, old: str, new: str) -> str | None:
    """`text` with its only occurrence of the word `old` exchanged; None where it occurs not once, or `new` is there already."""
    found = re.findall(rf"(?<![\w-]){re.escape(old)}(?![\w-])", text, re.IGNORECASE)
    if len(found) != 1 or re.search(rf"(?<!\w){re.escape(new)}(?!\w)", text, re.IGNORECASE):
        return None
    return re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, text, flags=re.IGNORECASE)


def _changes() -> dict[str, list[tuple[str, Label]]]:
    """word -> what may stand for it, and the label of (sentence, changed sentence)."""
    table: dict[str, list[tuple[str, Label]]] = {}
    for words in lex.EXCLUSIVE:
        for word in words:
            table.setdefault(word, []).extend((other, C) for other in words if other != word)
    for a, b in lex.OPPOSITE:
        table.setdefault(a, []).append((b, C))
        table.setdefault(b, []).append((a, C))
    for a, b in lex.SAME:
        table.setdefault(a, []).append((b, E))
        table.setdefault(b, []).append((a, E))
    for kind, whole in lex.KIND_OF:
        table.setdefault(kind, []).append((whole, E))
        if " " not in whole:
            table.setdefault(whole, []).append((kind, N))
    return table


def lexical(examples: Sequence[Example], chance: random.Random) -> Iterator[Made]:
    """A premise against itself with one word changed: exclusive or opposite -> C, same or more general -> E, more special -> N."""
    table = _changes()
    wanted = [E, C, N]
    for turn in range(1_000_000):
        text = examples[turn % len(examples)].pair.premise
        options = [(w, new, label) for w in dict.fromkeys(re.findall(r"[a-z]+", text.lower())) for new, label in table.get(w, ())]
        label = wanted[turn % 3]
        options = [o for o in options if o[2] == label]
        if not options:
            if turn % 5 == 0:  # a detail more: the changed sentence says what the first leaves open
                more = chance.choice(lex.PLACES)
                bare = text.rstrip(" .")
                if len(bare.split()) < 9 and label != C:
                    yield (f"{bare} {more}.", f"{bare}.", E) if label == E else (f"{bare}.", f"{bare} {more}.", N)
            continue
        old, new, label = chance.choice(options)
        changed = _swap(text, old, new)
        if changed:
            yield text, changed, label


def negate(sentence: str) -> str | None:
    """The sentence with its first auxiliary denied ("is" -> "is not" or "isn't"); None without one, or with a negation already."""
    if re.search(r"\b(not|no|never|nobody|nothing|without)\b|n't\b", sentence, re.IGNORECASE):
        return None
    found = _AUX.search(sentence)
    if not found or found.start() == 0:
        return None
    word = found.group()
    short = "can't" if word == "can" else "won't" if word == "will" else f"{word}n't"
    denied = short if len(sentence) % 3 == 0 else "cannot" if word == "can" else f"{word} not"
    return sentence[: found.start()] + denied + sentence[found.end() :]


def negation(examples: Sequence[Example], chance: random.Random) -> Iterator[Made]:
    """Denied hypotheses (E <-> C where both tell of one subject, N stays) and sentences against their own denials."""
    for turn in range(1_000_000):
        item = examples[turn % len(examples)]
        p, h = item.pair.premise, item.pair.hypothesis
        denied = negate(h)
        if denied is None:
            continue
        subject = h[: _AUX.search(h).start()].split()[-1].lower()  # type: ignore[union-attr]
        if item.label == E:
            yield p, denied, C
        elif item.label == N:
            yield p, denied, N
        elif re.search(rf"\b{re.escape(subject)}\b", p, re.IGNORECASE):
            yield p, denied, E
        bare = h.rstrip(" .")
        low = bare[:1].lower() + bare[1:]
        ways: tuple[Made, ...] = (
            (h, denied, C),
            (denied, h, C),
            (denied, denied.rstrip(".") + ".", E),
            (h, f"It is not true that {low}.", C),
            (f"It is false that {low}.", denied, E),
            (denied, f"It is not the case that {low}.", E),
            (f"It is not true that {denied[:1].lower()}{denied[1:].rstrip(' .')}.", h, E),
            (f"Nobody doubts that {low}.", h, E),
            (f"{bare}, and nobody else is there.", h, E),
            (f"{bare}, not the other way round.", h, E),
        )
        yield chance.choice(ways)
        if item.label == N:
            yield denied, p, N


def _content(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def distraction(examples: Sequence[Example], chance: random.Random) -> Iterator[Made]:
    """The data's pairs, labels kept: the premise grown by other doings or scenes, or either sentence by an idle truth."""
    for turn in range(1_000_000):
        item = examples[turn % len(examples)]
        p, h = item.pair.premise.rstrip(" ."), item.pair.hypothesis.rstrip(" .")
        other = examples[chance.randrange(len(examples))].pair.premise.rstrip(" .")
        shared = _content(other) & _content(f"{p} {h}")
        scene, filler = chance.choice(lex.SCENES), chance.choice(lex.FILLERS)
        low = other[:1].lower() + other[1:]
        ways = [
            (f"{p}, {filler}.", h + "."),
            (f"{p}.", f"{h} {filler}."),
            (f"{p} " + " ".join([filler] * chance.randint(2, 4)) + ".", h + "."),
            (f"{scene} {p}. {chance.choice(lex.SCENES)}", h + "."),
            (f"{p}. {scene}", h + "."),
        ]
        if not shared:
            ways += [(f"{other}. {p}.", h + "."), (f"{p}. {other}.", h + "."), (f"{p}, while in another place {low}.", h + ".")] * 2
            ways += [(f"{scene} {other}. {p}. {chance.choice(lex.SCENES)}", h + ".")]
        yield *chance.choice(ways), item.label


def overlap(examples: Sequence[Example], chance: random.Random) -> Iterator[Made]:
    """Sentences of our own grammar whose hypothesis has only words of the premise: E where it follows, N where it does not."""
    while True:
        a, b, c = (f"{chance.choice(('the', 'the', 'the old', 'the young'))} {w}" for w in chance.sample(lex.PEOPLE, 3))
        if chance.random() < 0.3:
            a, b, c = (w + "s" for w in (a, b, c))
        did, done = chance.choice(lex.DEEDS)
        act, base = chance.choice(lex.ACTS)
        where = chance.choice(lex.PLACES)
        be = "were" if a.endswith("s") else "was"
        yield from chance.sample(
            (
                (f"{a} {did} {b}.", f"{b} {did} {a}.", N),
                (f"{a} {be} {done} by {b}.", f"{b} {did} {a}.", E),
                (f"{a} {be} {done} by {b}.", f"{a} {did} {b}.", N),
                (f"{a} near {b} {act}.", f"{b} {act}.", N),
                (f"{a} near {b} {act}.", f"{a} {act}.", E),
                (f"{a} who {did} {b} {act}.", f"{b} {act}.", N),
                (f"{a} who {did} {b} {act}.", f"{a} {did} {b}.", E),
                (f"{a} who {did} {b} {act} {where}.", f"{a} {act}.", E),
                (f"{a} and {b} {did} {c}.", f"{b} {did} {c}.", E),
                (f"{a} and {b} {did} {c}.", f"{a} {did} {b}.", N),
                (f"{a} {did} {b} and {c}.", f"{a} {did} {c}.", E),
                (f"{a} {did} {b} and {c} {act}.", f"{a} {did} {c}.", N),
                (f"{a} believed that {b} {act}.", f"{b} {act}.", N),
                (f"{a} knew that {b} {act}.", f"{b} {act}.", E),
                (f"{a} forgot that {b} {act}.", f"{b} {act}.", E),
                (f"{a} thought {b} {did} {c}.", f"{b} {did} {c}.", N),
                (f"If {a} {act}, {b} {did} {c}.", f"{b} {did} {c}.", N),
                (f"Because {a} {act}, {b} {did} {c}.", f"{b} {did} {c}.", E),
                (f"Unless {a} {act}, {b} {did} {c}.", f"{a} {act}.", N),
                (f"Although {a} {act}, {b} {did} {c}.", f"{a} {act}.", E),
                (f"Perhaps {a} {did} {b}.", f"{a} {did} {b}.", N),
                (f"Certainly {a} {did} {b}.", f"{a} {did} {b}.", E),
                (f"{a} or {b} {act}.", f"{a} {act}.", N),
                (f"When {a} {did} {b}, {c} {act}.", f"{a} {did} {b}.", E),
                (f"While {a} {act} {b} {did} {c}.", f"{a} {act} {b}.", N),
                (f"{a} hoped to {base}.", f"{a} {act}.", N),
                (f"{a} managed to {base}.", f"{a} {act}.", E),
                (f"{a} failed to {base}.", f"{a} {act}.", C),
                (f"{a} refused to {base}.", f"{a} {act}.", C),
                (f"{a} denied that {b} {act}.", f"{b} {act}.", N),
                (f"{a} {did} {b}, not {c}.", f"{a} {did} {c}.", C),
                (f"{a}, not {b}, {did} {c}.", f"{b} {did} {c}.", C),
                (f"{a}, not {b}, {did} {c}.", f"{a} {did} {c}.", E),
                (f"{a} {act} before {b} {act}.", f"{b} {act} before {a} {act}.", C),
                (f"{a} {act} before {b} {act}.", f"{b} {act} after {a} {act}.", E),
                (f"{a} {did} {b} after {c} {act}.", f"{a} {did} {b} before {c} {act}.", C),
            ),
            4,
        )


def logic(examples: Sequence[Example], chance: random.Random) -> Iterator[Made]:
    """Quantity, monotonicity under negation, modality, comparison, order: small grammars; three labels by rule."""
    while True:
        one, many = chance.choice(lex.THINGS)
        other = chance.choice([t for t in lex.THINGS if t[0] != one])
        did, base, part = chance.choice(lex.HANDLING)
        trait, more = chance.sample(lex.TRAITS, 2)
        name, friend = chance.sample(lex.NAMES, 2)
        act, go = chance.choice(lex.ACTS)
        where, there = chance.sample(lex.PLACES, 2)
        i = chance.randrange(2, len(lex.NUMBERS) - 2)
        less, count, higher = lex.NUMBERS[i - 1 - chance.randrange(2)], lex.NUMBERS[i], lex.NUMBERS[i + 1 + chance.randrange(2)]
        yield from chance.sample(
            (
                (f"All of the {many} are {trait}.", f"Some of the {many} are {trait}.", E),
                (f"All of the {many} are {trait}.", f"None of the {many} are {trait}.", C),
                (f"Some of the {many} are {trait}.", f"All of the {many} are {trait}.", N),
                (f"Not all of the {many} are {trait}.", f"All of the {many} are {trait}.", C),
                (f"Not all of the {many} are {trait}.", f"At least one {one} is not {trait}.", E),
                (f"None of the {many} are {trait}.", f"Some of the {many} are {trait}.", C),
                (f"Most of the {many} are {trait}.", f"Some of the {many} are {trait}.", E),
                (f"Most of the {many} are {trait}.", f"All of the {many} are {trait}.", N),
                (f"Every {one} {where} is {trait}.", f"No {one} {where} is {trait}.", C),
                (f"Every {one} is {trait}.", f"Every {one} {where} is {trait}.", E),
                (f"No {one} is {trait}.", f"No {one} {where} is {trait}.", E),
                (f"No {one} {where} is {trait}.", f"No {one} is {trait}.", N),
                (f"{name} {did} a {one} {where}.", f"{name} {did} a {one}.", E),
                (f"{name} {did} a {one}.", f"{name} {did} a {one} {where}.", N),
                (f"{name} did not {base} a {one}.", f"{name} did not {base} a {trait} {one}.", E),
                (f"{name} did not {base} a {trait} {one}.", f"{name} did not {base} a {one}.", N),
                (f"{name} never {did} any {many}.", f"{name} {did} a {trait} {one}.", C),
                (f"Nobody {did} the {trait} {one}.", f"{name} {did} the {trait} {one}.", C),
                (f"Nobody {did} the {one} {where}.", f"{name} did not {base} the {one} {where}.", E),
                (f"{name} {did} nothing but {many}.", f"{name} {did} {other[1]}.", C),
                (f"{name} {did} the {many} without {friend}.", f"{friend} was with {name} for it.", C),
                (f"Neither {name} nor {friend} {act}.", f"{friend} {act}.", C),
                (f"Neither {name} nor {friend} {act}.", f"{name} did not {go}.", E),
                (f"{name} or {friend} {act}, but not both.", f"Both {name} and {friend} {act}.", C),
                (f"Either {name} or {friend} {act}.", f"{friend} {act}.", N),
                (f"{name} {act}, but {friend} did not.", f"{friend} {act}.", C),
                (f"{name} {act}, but {friend} did not.", f"{name} {act}.", E),
                (f"Not only {name} but also {friend} {act}.", f"{name} {act}.", E),
                (f"It was not {name} but {friend} who {act}.", f"{name} {act}.", C),
                (f"It was not {name} but {friend} who {act}.", f"{friend} {act}.", E),
                (f"{name} {did} {count} {many}.", f"{name} {did} more than {less} {many}.", E),
                (f"{name} {did} exactly {count} {many}.", f"{name} {did} exactly {higher} {many}.", C),
                (f"{name} {did} at least {count} {many}.", f"{name} {did} {higher} {many}.", N),
                (f"{name} {did} at least {count} {many}.", f"{name} {did} fewer than {less} {many}.", C),
                (f"{name} {did} at most {count} {many}.", f"{name} {did} more than {higher} {many}.", C),
                (f"{name} {did} fewer than {count} {many}.", f"{name} {did} fewer than {higher} {many}.", E),
                (f"{name} {did} several {many}.", f"{name} {did} {count} {many}.", N),
                (f"{name} {did} {count} {many} and {higher} {other[1]}.", f"{name} {did} more {other[1]} than {many}.", E),
                (f"{name} {did} {count} {many} and {higher} {other[1]}.", f"{name} {did} more {many} than {other[1]}.", C),
                (f"{name} may have {part} the {one}.", f"{name} {did} the {one}.", N),
                (f"{name} might {go} {where}.", f"{name} will {go} {where}.", N),
                (f"{name} may or may not {go}.", f"{name} will not {go}.", N),
                (f"{name} could have {part} the {one}, but did not.", f"{name} {did} the {one}.", C),
                (f"{name} should have {part} the {one}, but forgot to.", f"{name} {did} the {one}.", C),
                (f"{name} must have {part} the {one}; {friend} watched it.", f"{friend} watched {name}.", E),
                (f"{name} is allowed to {base} the {one}.", f"{name} {did} the {one}.", N),
                (f"{name} wanted to {base} the {one}.", f"{name} {did} the {one}.", N),
                (f"Perhaps the {one} is {trait}.", f"The {one} is {trait}.", N),
                (f"The {one} is {trait}, but not {more}.", f"The {one} is {more}.", C),
                (f"The {one} is {trait} and {more}.", f"The {one} is {more}.", E),
                (f"The {one} is {trait} or {more}.", f"The {one} is {more}.", N),
                (f"The {one} is not {trait} any more.", f"The {one} is {trait}.", C),
                (f"{name} is taller than {friend}.", f"{friend} is taller than {name}.", C),
                (f"{name} is taller than {friend}.", f"{friend} is shorter than {name}.", E),
                (f"{name} is older than {friend}.", f"{name} is taller than {friend}.", N),
                (f"{name} is not as old as {friend}.", f"{friend} is older than {name}.", E),
                (f"{name} gave {friend} the {one}.", f"{friend} got the {one} from {name}.", E),
                (f"{name} gave {friend} the {one}.", f"{friend} gave {name} the {one}.", N),
                (f"{name} {act} {where}, not {there}.", f"{name} {act} {there}.", C),
                (f"{name} told {friend} about the {one} before {friend} {act}.", f"{friend} {act} before {name} mentioned the {one}.", C),
                (f"{name} only {did} the {one} because {friend} {act}.", f"{name} {did} the {one}.", E),
                (f"{name} did not {go} until {friend} {act}.", f"{friend} {act} before {name} {act}.", E),
                (f"Hardly any {one} was {trait}.", f"Most of the {many} were {trait}.", C),
                (f"{name} without hesitating {did} the {one}.", f"{name} {did} the {one}.", E),
                (f"It is not true that {name} {did} no {many}.", f"{name} {did} at least one {one}.", E),
                (f"{name} was not the one who {did} the {one}.", f"{name} {did} the {one}.", C),
                (f"{name} was not the only one who {did} the {one}.", f"{name} {did} the {one}.", E),
            ),
            4,
        )


KINDS: dict[str, Callable[[Sequence[Example], random.Random], Iterator[Made]]] = {
    "lexical": lexical,
    "negation": negation,
    "distraction": distraction,
    "overlap": overlap,
    "logic": logic,
}
