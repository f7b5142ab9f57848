"""Curated examples made up for tests: some by hand, and any at all by hypothesis."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from robustnli.curated import Change, Entry, Opinion, Said, Verdict, entry_uid, opinion_on
from robustnli.types import LABELS, Label, Pair, Prediction, Word

E, N, C = LABELS


def entry(
    number: int = 0, verdict: Verdict = Verdict.KEEP, label: Label | None = None, *, gold: Label | None = N, by: str = "ann"
) -> Entry:
    """A cook's [MASK]ed example, judged by its author; `label` is the one after where the verdict needs it."""
    original = Pair(f"The cook waits for tram {number}.", "He is late.")
    edited = Pair(f"The cook [MASK] for tram {number}.", "He is late.")
    said = (
        Said("baseline", "f0", Prediction((0.125, 0.75, 0.125)), Prediction((0.5, 0.25, 0.25))),
        Said("finetuned", "f1", Prediction((0.25, 0.5, 0.25)), Prediction((0.125, 0.625, 0.25))),
    )
    made = Entry(
        entry_uid(original, edited, gold), original, edited, gold, "mask", (Word("premise", 9, 14, 2),), said, "a note", ("tram", "a, b\\"),
        by, "2026-02-03T04:05:06+00:00", (), (Change("2026-02-03T05:00:00+00:00", by, "note", "", "a note"),),
    )  # fmt: skip
    if verdict is Verdict.PENDING:
        return made
    return replace(made, opinions=(opinion_on(made, by, verdict, label, "seen", "2026-02-04T00:00:00+00:00"),))


def mixed() -> list[Entry]:
    """One entry of each verdict, and one that two people judged differently."""
    first = entry(5)
    doubted = replace(first, opinions=(*first.opinions, Opinion("bob", Verdict.UNSURE, None, "hm", "2026-02-05T00:00:00+00:00")))
    return [entry(0), entry(1, Verdict.RELABEL, C), entry(2, Verdict.UNSURE), entry(3, Verdict.PENDING), entry(4, Verdict.REJECT), doubted]


def by_uid(entries: object) -> dict[str, Entry]:
    """The entries by uid, so that order does not matter; no two are the same."""
    listed = list(entries)  # type: ignore[call-overload]
    found = {e.uid: e for e in listed}
    assert len(found) == len(listed)
    return found


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
# Often what breaks CSV, spreadsheets and TextAttack's log.
words = st.sampled_from(["=1+1", "'=x", "''@", "-", "+", "\t", "\r", "\n", '"', ",", ";", "\\", "[[a]]", "a", "b c", "é", "\x00", "\u2028"])
sentences = st.one_of(texts, st.lists(words, max_size=6).map("".join)).filter(lambda t: bool(t.strip()))
labels = st.sampled_from(LABELS)


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    parts = draw(st.tuples(*[st.integers(1, 1000)] * 3))
    return Prediction(tuple(p / sum(parts) for p in parts))


@st.composite
def entries(draw: st.DrawFn, verdicts: tuple[Verdict, ...] = tuple(Verdict)) -> Entry:
    """Any entry that can be; its author has judged it with one of these verdicts."""
    original, edited = (Pair(draw(sentences), draw(sentences)) for _ in range(2))
    gold = draw(st.none() | labels)
    changed = []
    for segment in ("premise", "hypothesis"):
        size = len(original.text(segment))  # type: ignore[arg-type]
        start = draw(st.integers(0, size - 1))
        changed.append(Word(segment, start, draw(st.integers(start + 1, size)), draw(st.integers(1, 9))))  # type: ignore[arg-type]
    said = draw(st.lists(st.builds(Said, texts, texts, predictions(), predictions()), max_size=2, unique_by=lambda s: s.model))
    author, others = draw(texts), draw(st.lists(texts, max_size=2, unique=True))
    made = Entry(
        entry_uid(original, edited, gold), original, edited, gold, draw(sentences), tuple(changed), tuple(said), draw(texts),
        tuple(draw(st.lists(st.one_of(texts, words).filter(bool), max_size=3, unique=True))), author, draw(texts),
        history=tuple(draw(st.lists(st.builds(Change, texts, texts, texts, texts, texts), max_size=2))),
    )  # fmt: skip
    opinions = [_opinion(draw, made, name, tuple(Verdict)) for name in others if name != author]
    return replace(made, opinions=(*opinions, _opinion(draw, made, author, verdicts)))


def _opinion(draw: st.DrawFn, made: Entry, author: str, verdicts: tuple[Verdict, ...]) -> Opinion:
    verdict = draw(st.sampled_from(verdicts))
    free = [label for label in LABELS if label != made.gold_before]
    label = draw(st.sampled_from(free)) if verdict is Verdict.RELABEL or (verdict is Verdict.KEEP and made.gold_before is None) else None
    return opinion_on(made, author, verdict, label, draw(texts), draw(texts))
