"""`trigger` (Wallace et al. 2019, section 2): one to three words that, put before any hypothesis, move the model's answers.

They are found on development examples by the paper's search: the loss's gradient, averaged over a batch, ranks the words of our list for
one place of the trigger; the best are truly tried, and a small beam goes on from place to place until a round gains
nothing. Then they are put before the hypotheses of other examples: found on dev, scored on test. Words are those of words.py: no stop word,
no cue, no piece of a word. The estimate takes a word as it is written inside a sentence.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustnli.attack.recipe import Options, Recipe, Trigger, start
from robustnli.attack.words import Candidates, candidates
from robustnli.errors import InputError
from robustnli.suite import load as load_suite
from robustnli.types import Attack, Example, Label, Prediction

if TYPE_CHECKING:
    from robustnli.models import NLIModel

SAMPLE, TOP, BEAM, ROUNDS, MOST = 64, 8, 2, 3, 3
START = "the"  # the paper's neutral first trigger, repeated
Words = tuple[str, ...]


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """The trigger before each hypothesis. Of the untouched pair no word is changed: `words` is ()."""
    trigger = options.trigger
    assert trigger is not None, "find_many finds one where none is given"
    walks = start(model, examples)
    pairs = [trigger.before(e.pair) for e in examples]
    for walk, pair, said in zip(walks, pairs, model.predict(pairs), strict=True):
        walk.step(pair, said, ())
    return [w.end("trigger", note=told(trigger)) for w in walks]


def told(trigger: Trigger) -> str:
    """The trigger and where it comes from, in words."""
    source = f" of {trigger.source}" if trigger.source else ""
    return f"trigger '{trigger.text}', found on {trigger.n} pairs{source}, of which it broke {trigger.success:.0%}"


def dev_examples(seed: int = 13, n: int = SAMPLE) -> list[Example]:
    """`n` examples of the challenge suite's dev split, drawn by the seed."""
    return random.Random(f"trigger {seed}").sample([i.example for i in load_suite() if i.split == "dev"], n)


def find_trigger(
    model: NLIModel, examples: Sequence[Example], *, length: int = 1, target: Label | None = None, seed: int = 13,
    progress: Callable[[int], None] | None = None, source: str = "",
) -> Trigger:  # fmt: skip
    """The trigger of `length` words that raises the loss of the gold labels most; with a `target`, lowers the loss of that label.

    At most `SAMPLE` of the examples, drawn by the seed, that are right before and not of the target are searched on. `progress` is told
    how many of `ROUNDS * length` steps are done. Raises InputError for a length out of 1 to 3, or where no example is left.
    """
    if not 1 <= length <= MOST:
        raise InputError(f"trigger: the length is {length}; it has 1 to {MOST} words.")
    search = _Search(model, candidates(model), [], target)
    pool = [e for e in examples if e.label != target]
    chosen = random.Random(seed).sample(pool, min(SAMPLE, len(pool)))
    search.items = [w.example for w in start(model, chosen) if w.holds]
    search.tried = len(chosen)
    if not search.items:
        raise InputError(f"trigger: none of {len(chosen)} examples is right before{' and of another label' if target is not None else ''}.")
    beam = [(search.ask([(START,) * length])[0], (START,) * length)]
    for done in range(ROUNDS):
        before = beam[0][0]
        for place in range(length):
            beam = search.improve(beam, place)
            if progress:
                progress(1)
        if beam[0][0] <= before:
            if progress and done + 1 < ROUNDS:
                progress((ROUNDS - done - 1) * length)
            break
    words = beam[0][1]
    return Trigger(words, target, search.success[words], len(search.items), search.tried, seed, source)


@dataclass(slots=True)
class _Search:
    """What a search keeps: examples, the target, the share each asked trigger broke, predictions asked."""

    model: NLIModel
    known: Candidates
    items: list[Example]
    target: Label | None
    success: dict[Words, float]
    gain: dict[Words, float]
    tried: int

    def __init__(self, model: NLIModel, known: Candidates, items: list[Example], target: Label | None):
        self.model, self.known, self.items, self.target = model, known, items, target
        self.success, self.gain, self.tried = {}, {}, 0

    def ask(self, triggers: Sequence[Words]) -> list[float]:
        """The mean gain of each trigger: the loss of the gold label, or of the target the log probability. Each is asked once."""
        new = [t for t in dict.fromkeys(triggers) if t not in self.gain]
        pairs = [Trigger(t, None, 0, 0, 0, 0).before(e.pair) for t in new for e in self.items]
        said = self.model.predict(pairs)
        self.tried += len(pairs)
        for at, words in enumerate(new):
            rows = list(zip(self.items, said[at * len(self.items) : (at + 1) * len(self.items)], strict=True))
            self.gain[words] = sum(self._gain(e, p) for e, p in rows) / len(rows)
            self.success[words] = sum(p.label != e.label for e, p in rows) / len(rows)
        return [self.gain[t] for t in triggers]

    def _gain(self, item: Example, said: Prediction) -> float:
        from math import log

        prob = max(said.probs[item.label if self.target is None else self.target], 1e-12)
        return -log(prob) if self.target is None else log(prob)

    def improve(self, beam: list[tuple[float, Words]], place: int) -> list[tuple[float, Words]]:
        """The `BEAM` best of the beam and of what the `TOP` estimated words at that place make of each of it."""
        from robustnli.attack.slopes import slopes

        tries = [words for _, words in beam]
        for _, words in beam:
            pairs = [Trigger(words, None, 0, 0, 0, 0).before(e.pair) for e in self.items]
            targets = [e.label if self.target is None else self.target for e in self.items]
            found = slopes(self.model, pairs, targets)
            rise = [sum(column) for column in zip(*(s.rise(self.known.vectors)[place].tolist() for s in found), strict=True)]
            order = sorted(range(len(rise)), key=rise.__getitem__, reverse=self.target is None)
            tries += [(*words[:place], self.known.words[at], *words[place + 1 :]) for at in order[:TOP]]
        tries = list(dict.fromkeys(tries))
        return sorted(zip(self.ask(tries), tries, strict=True), key=lambda item: -item[0])[:BEAM]


RECIPE = Recipe(
    name="trigger",
    title="Universal trigger",
    paper="Wallace et al. 2019, section 2",
    guarantee="The same words stand before every hypothesis; they were found on other examples (suite dev, unless a trigger is given), and each flip is a "
    "true prediction. The search is a small beam, so a stronger trigger may exist; the words may change the meaning, so the gold label is unconfirmed.",
    gold="unconfirmed",
    budgeted=True,
    budget="words of the trigger",
    most=MOST,
    function=attack,
    chunk=256,
)
