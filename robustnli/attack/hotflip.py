"""`hotflip` (Ebrahimi et al. 2018, sections 3 and 4): a hypothesis word is exchanged for the word of our list that is
estimated to raise the loss most, (new - old embedding) . gradient; the best few estimates are then truly tried.

Only whole words are exchanged, for whole words of the same class (part of speech and form, words.py), so the sentence stays readable: never
a stop word, never a cue of negation or modality, "a" or "an" still fits, a capital stays a capital. A word of several pieces is estimated as if
each of its pieces became the new word (its gradients are summed); a new word is always one piece of the model's. Whether the new sentence
still has the old label nobody knows: "dog" for "cat" often changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from robustnli.attack.recipe import Options, Recipe, Walk, start
from robustnli.attack.text import as_written, exchange
from robustnli.attack.words import Candidates, candidates, classes, vowel
from robustnli.types import Attack, Example, Word

if TYPE_CHECKING:
    from robustnli.attack.slopes import Slopes
    from robustnli.models import NLIModel

TOP = 20  # estimates that are truly tried, for each word exchanged
PARTICLES = {"to", "up", "down", "off", "out", "away", "over", "back"}  # a verb before one of these means something of its own
Swap = tuple[Word, str]


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Words are exchanged one after the other, the truly best of the `TOP` estimates each time, until the prediction leaves the gold
    label, `k` are exchanged, or none of the tried lowers the gold label's probability.
    """
    from robustnli.attack.slopes import slopes

    known = candidates(model)
    walks = start(model, examples)
    originals: list[tuple[Word, ...]] = [()] * len(examples)
    swaps: list[dict[Word, str]] = [{} for _ in examples]
    for count in range(options.k):
        live = [i for i, w in enumerate(walks) if len(swaps[i]) == count and (count == 0 or w.holds)]
        found = slopes(model, [walks[i].pair for i in live], [examples[i].label for i in live])
        asks: dict[int, list[Swap]] = {}
        for i, slope in zip(live, found, strict=True):
            originals[i] = originals[i] or slope.words
            asks[i] = best(slope, known, examples[i], originals[i], swaps[i])
        _try(model, walks, swaps, asks)
    return [w.end("hotflip", note=_note(w, s)) for w, s in zip(walks, swaps, strict=True)]


def best(slope: Slopes, known: Candidates, item: Example, originals: Sequence[Word], done: Mapping[Word, str]) -> list[Swap]:
    """The `TOP` swaps with the largest estimated rise of the loss, best first. `slope` is of the pair with the swaps `done` made."""
    rises = slope.rise(known.vectors).tolist()  # (words, candidates)
    ranked: list[tuple[float, Word, str]] = []
    for word, row in zip(originals, rises, strict=False):  # a word stays in its place, since one word is put for one
        if word not in done:
            ranked += [(row[at], word, known.words[at]) for at in allowed(item, word, known)]
    ranked.sort(key=lambda item: -item[0])
    return [(word, as_written(new, word.of(item.pair))) for _, word, new in ranked[:TOP]]


def allowed(item: Example, word: Word, known: Candidates) -> list[int]:
    """Which candidates may be put for the word: of its class, not itself, and "a" or "an" before it still fits."""
    old, text = word.of(item.pair).lower(), item.pair.hypothesis.lower()
    before, after = text[: word.start].split()[-1:], text[word.end :].split()[:1]
    article = before[0] if before and before[0] in ("a", "an") else ""
    kind = classes().get(old, "")
    rows = () if "transitive" in kind and after and after[0] in PARTICLES else known.of.get(kind, ())
    return [at for at in rows if known.words[at] != old and (not article or vowel(known.words[at]) == (article == "an"))]


def _try(model: NLIModel, walks: Sequence[Walk], swaps: list[dict[Word, str]], asks: Mapping[int, Sequence[Swap]]) -> None:
    """Ask for all pairs at once; each walk takes its best swap, where one lowers the gold label's probability."""
    flat = [(i, {**swaps[i], word: new}) for i, row in asks.items() for word, new in row]
    pairs = [exchange(walks[i].example.pair, swap) for i, swap in flat]
    found = list(zip(flat, pairs, model.predict(pairs), strict=True))
    for i in asks:
        mine = [(said.probs[walks[i].example.label], swap, pair, said) for (j, swap), pair, said in found if j == i]
        walks[i].tried += len(mine)
        if not mine:
            continue
        prob, swap, pair, said = min(mine, key=lambda item: item[0])
        if prob < walks[i].after.probs[walks[i].example.label]:
            walks[i].step(pair, said, tuple(swap), asked=0)
            swaps[i] = swap


def _note(walk: Walk, swaps: Mapping[Word, str]) -> str:
    told = ", ".join(f"{word.of(walk.example.pair)} -> {new}" for word, new in swaps.items())
    return told or (
        "none of the words tried lowers the gold label" if walk.tried > 1 else "no word of the list may be put for any of these"
    )


RECIPE = Recipe(
    name="hotflip",
    title="HotFlip, whole words",
    paper="Ebrahimi et al. 2018, sections 3 and 4",
    guarantee="Every new word is a whole word of the same class, and the flip is a true prediction. "
    f"Only the {TOP} best first-order estimates are tried, so a better word may exist; a new word may change the meaning, so the gold label is unconfirmed.",
    gold="unconfirmed",
    budgeted=True,
    budget="words exchanged at most",
    function=attack,
)
