"""What every release of the suite must fulfil; each check returns sentences that say what is wrong, none when all is well."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from robustnli.slices import AMBIGUITY_WIDE, NEGATION_WIDE, find_cues
from robustnli.suite import PHENOMENA, SPLITS, Item, groups
from robustnli.types import LABELS

LONG_WORDS, SHORT_WORDS, PLAIN_WORDS = (21, 60), 20, 18
FRAME = 7  # words in a row that two groups must not share
ALIKE = 0.8  # Jaccard overlap of a pair's words above which two groups are near-duplicates
BALANCE = 0.02
MINIMUM = {"negation": 400, "ambiguity": 400, "long": 400, "plain": 300}


def validate(items: Sequence[Item]) -> list[str]:
    """Every check but the one against other data."""
    each = [f"{item.example.uid}: {fault}" for item in items for fault in faults(item)]
    return [*each, *group_faults(items), *frames(items), *near_duplicates(items), *balance(items), *vocabulary(items)]


def words(text: str) -> list[str]:
    """Lower-case words, punctuation dropped."""
    return re.findall(r"[a-z0-9']+", text.lower())


def faults(item: Item) -> list[str]:
    """What is wrong with one pair by itself: form, spans, its slice's rule."""
    out = []
    if item.phenomenon not in PHENOMENA.get(item.slice, ()):
        out.append(f"phenomenon {item.phenomenon!r} is none of slice {item.slice!r}")
    if item.split not in SPLITS:
        out.append(f"split {item.split!r}")
    for text in (item.pair.premise, item.pair.hypothesis):
        if not text.isascii() or not text.isprintable() or text != " ".join(text.split()) or "{" in text or "}" in text:
            out.append(f"odd characters or spaces in {text!r}")
        elif not (text[0].isupper() or text[0] in '"0123456789') or text[-1] not in '.!?"':
            out.append(f"no full sentence: {text!r}")
    if not item.deciding:
        out.append("no deciding words")
    for segment, start, end in item.deciding:
        text = item.pair.text(segment) if segment in ("premise", "hypothesis") else ""
        inside = text[start:end]
        if not 0 <= start < end <= len(text) or inside != inside.strip():
            out.append(f"deciding span {segment} {start}:{end} is not in the text")
        elif (start and text[start - 1].isalnum()) or (end < len(text) and text[end].isalnum()):
            out.append(f"deciding span {inside!r} cuts a word")
    return out + _slice_faults(item)


def _slice_faults(item: Item) -> list[str]:
    texts = (item.pair.premise, item.pair.hypothesis)
    long = max(len(text.split()) for text in texts)
    negated = any(find_cues(text, NEGATION_WIDE.cues) for text in texts)
    if item.slice == "negation" and not negated:
        return ["no negation cue"]
    if item.slice == "long" and not LONG_WORDS[0] <= long <= LONG_WORDS[1]:
        return [f"{long} words, where long means {LONG_WORDS[0]} to {LONG_WORDS[1]}"]
    if item.slice != "long" and long > SHORT_WORDS:
        return [f"{long} words; over {SHORT_WORDS} belongs to long"]
    if item.slice == "plain" and (negated or any(find_cues(text, AMBIGUITY_WIDE.cues) for text in texts)):
        return ["a cue of negation or ambiguity in a control"]
    return []


def group_faults(items: Sequence[Item]) -> list[str]:
    """Groups: 3 to 5 pairs of one slice and split, all three labels, one sentence shared, no pair twice, no group torn apart."""
    out = []
    for name, members in groups(items).items():
        if not 3 <= len(members) <= 5:
            out.append(f"group {name}: {len(members)} pairs")
        if len({(m.slice, m.split, m.phenomenon) for m in members}) > 1:
            out.append(f"group {name}: more than one slice, phenomenon or split")
        if {m.label for m in members} != set(LABELS):
            out.append(f"group {name}: not all three labels")
        if len({m.pair.premise for m in members}) > 1 and len({m.pair.hypothesis for m in members}) > 1:
            out.append(f"group {name}: no sentence is shared")
    twice = [pair for pair, n in Counter((i.pair.premise.lower(), i.pair.hypothesis.lower()) for i in items).items() if n > 1]
    return out + [f"pair twice: {pair}" for pair in twice]


def frames(items: Sequence[Item]) -> list[str]:
    """Runs of more than six words that two groups share."""
    where: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for item in items:
        for text in (item.pair.premise, item.pair.hypothesis):
            tokens = words(text)
            for i in range(len(tokens) - FRAME + 1):
                where[tuple(tokens[i : i + FRAME])].add(item.group)
    return [f"{' '.join(run)!r} is shared by groups {', '.join(sorted(names))}" for run, names in where.items() if len(names) > 1]


def near_duplicates(items: Sequence[Item]) -> list[str]:
    """Groups whose pairs use almost the same words."""
    bags = {name: {w for m in members for w in words(m.pair.premise + " " + m.pair.hypothesis)} for name, members in groups(items).items()}
    close = ((a, b) for a, b in combinations(bags, 2) if len(bags[a] & bags[b]) > ALIKE * len(bags[a] | bags[b]))
    return [f"groups {a} and {b} use almost the same words" for a, b in close]


def balance(items: Sequence[Item]) -> list[str]:
    """Enough pairs a slice, labels within 2 % of a third, groups half dev and half test."""
    out = []
    for name, least in MINIMUM.items():
        members = [i for i in items if i.slice == name]
        if len(members) < least:
            out.append(f"slice {name}: {len(members)} pairs, at least {least} are wanted")
        for label in LABELS:
            share = sum(i.label == label for i in members) / max(1, len(members))
            if abs(share - 1 / 3) > BALANCE:
                out.append(f"slice {name}: {share:.1%} are {label.text}")
        dev = len({i.group for i in members if i.split == "dev"}) - len({i.group for i in members if i.split == "test"})
        if abs(dev) > 1:
            out.append(f"slice {name}: {dev:+d} more groups in dev than in test")
    return out


def vocabulary(items: Sequence[Item]) -> list[str]:
    """Spread: many different words, and no sentence opening worn out."""
    used = Counter(w for i in {(m.group, t) for m in items for t in (m.pair.premise, m.pair.hypothesis)} for w in words(i[1]))
    out = [] if len(used) >= 2 * len(groups(items)) else [f"only {len(used)} different words in {len(groups(items))} groups"]
    openings = Counter(
        opening for _, opening in {(i.group, tuple(words(t)[:3])) for i in items for t in (i.pair.premise, i.pair.hypothesis)}
    )
    limit = max(5, len(groups(items)) // 25)
    return out + [f"{n} groups have a sentence that opens with {' '.join(o)!r}" for o, n in openings.items() if n > limit]


def overlap(items: Sequence[Item], others: Iterable[tuple[str, str]]) -> list[str]:
    """Pairs of the suite that stand in other data, letter case and punctuation aside."""
    mine = {(tuple(words(i.pair.premise)), tuple(words(i.pair.hypothesis))): i.example.uid for i in items}
    found = {mine[key] for p, h in others if (key := (tuple(words(p)), tuple(words(h)))) in mine}
    return [f"{uid} stands in other data" for uid in sorted(found)]
