"""`reduce`: input reduction (Feng et al. 2018, section 2): hypothesis words are taken out while the predicted label stays.

The paper ranks words by the gradient and searches with a beam; here each removal is truly tried and the best one is taken (their
definition of importance, section 2.1, with a beam of one): n words cost at most n (n + 1) / 2 predictions. The word whose removal leaves
the predicted label most probable goes first. The end is one word, or a hypothesis of which no word can go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from robustnli.attack.recipe import Options, Recipe, Walk, start
from robustnli.attack.text import without
from robustnli.types import Attack, Example, Prediction, Status, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel


def attack(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Each hypothesis reduced. `words` are those taken out, in order; `scores`, how much each alone lowers the predicted label.

    BROKEN: right before, and still the same answer when one word of several is left. HELD: the answer changed before that.
    """
    walks = start(model, examples)
    left = [[w for w in model.words(e.pair) if w.segment == "hypothesis"] for e in examples]
    sizes = [len(row) for row in left]
    scores: list[tuple[float, ...]] = [()] * len(examples)
    live = [i for i, row in enumerate(left) if len(row) > 1]
    while live:
        asks = [(i, word) for i in live for word in left[i]]
        pairs = [without(examples[i].pair, {*walks[i].words, word}) for i, word in asks]
        answers = dict(zip(asks, zip(pairs, model.predict(pairs), strict=True), strict=True))
        going = []
        for i in live:
            label = walks[i].before.label
            said = {word: answers[i, word][1] for word in left[i]}
            scores[i] = scores[i] or tuple(walks[i].before.probs[label] - p.probs[label] for p in said.values())
            walks[i].tried += len(said)
            word = _least(walks[i], said)
            if word is not None:
                walks[i].step(*answers[i, word], (*walks[i].words, word), asked=0)
                left[i].remove(word)
                going += [i] if len(left[i]) > 1 else []
        live = going
    return [_end(w, s, size) for w, s, size in zip(walks, scores, sizes, strict=True)]


def _least(walk: Walk, said: dict[Word, Prediction]) -> Word | None:
    """The word whose removal keeps the predicted label and leaves it most probable (the earlier of equals); None: each one changes it."""
    label = walk.before.label
    kept = [word for word, p in said.items() if p.label == label]
    return max(kept, key=lambda word: said[word].probs[label], default=None)


def _end(walk: Walk, scores: tuple[float, ...], size: int) -> Attack:
    left = size - len(walk.words)
    note = f"{left} of {size} words left, prediction unchanged" if size > 1 else "nothing to take out"
    wrong = walk.before.label != walk.example.label
    status = Status.SKIPPED if wrong else Status.BROKEN if left == 1 < size else Status.HELD
    return walk.end("reduce", scores, note=note, status=status)


RECIPE = Recipe(
    name="reduce",
    title="Input reduction",
    paper="Feng et al. 2018, section 2",
    guarantee="The reduced pair truly has the same predicted label, and in a hypothesis that held no single further word can go. "
    "It is greedy: another order may reduce further. What is left is no sentence, so it has no gold label of its own.",
    gold="unconfirmed",
    budgeted=False,
    broken="The model still gives its right answer when one word of the hypothesis is left, from which nobody could tell.",
    function=attack,
    chunk=32,
)
