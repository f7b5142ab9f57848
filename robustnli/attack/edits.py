"""`negate`, `hedge`, `lengthen`: minimal edits by rule, and the gold label where it follows from the rule. Else `Attack.gold` is None: a person has to say.

Where a premise p and hypothesis h are labelled by what follows (entailment: p makes h true; contradiction: p makes h false; neutral: neither):

negate    h becomes not-h, "not" after the auxiliary of a simple clause (clauses.py).
          entailment -> contradiction, where the negation denies the whole sentence.
          neutral -> neutral, where it is exactly not-h: what decides neither h nor its opposite decides neither of them afterwards.
          contradiction -> unknown: SNLI's contradictions rest on the premise and hypothesis telling of one event ("a potter sleeps" against "the heron runs"),
          and of "the dog does not run" the premise then says nothing. Indefinite subjects -> unknown: another man may be meant.
hedge     h becomes "possibly h". entailment -> entailment: what is, is possible. A contradiction may be read either way (the premise rules it out, yet
          "possibly" hardly commits), and of a neutral pair "possibly h" is often simply true: both unknown.
lengthen  p grows by sentences of edits.toml. The label is kept, whatever it is: each is a lasting fact, true before it was said, so p with it is true in
          just the same situations as p alone, and rules in or out what p did. None speaks of people or of the scene, and one that shares a word with the
          pair is not taken, so that a hypothesis cannot be about it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from robustnli.attack.clauses import hedged, negated, read, tokens
from robustnli.attack.recipe import Options, Recipe, Walk, start
from robustnli.types import Attack, Example, Label, Pair, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel

Edit = tuple[str, tuple[Word, ...], Label | None]


def negate(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Each hypothesis denied; one that is no simple clause stays as it is, with a note."""
    return _once(model, examples, "negate", _negate)


def hedge(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Each hypothesis said to be possible, in a wording drawn by the seed and the example."""
    return _once(model, examples, "hedge", lambda e: _hedge(e, options.seed))


def _negate(item: Example) -> Edit | None:
    made = negated(item.pair.hypothesis)
    if made is None:
        return None
    gold = None
    if item.label == Label.ENTAILMENT and made.whole:
        gold = Label.CONTRADICTION
    if item.label == Label.NEUTRAL and made.exact:
        gold = Label.NEUTRAL
    return made.text, made.words, gold


def _hedge(item: Example, seed: int) -> Edit | None:
    text = hedged(item.pair.hypothesis, _chance(item, seed).randrange(60))
    return (text, (), Label.ENTAILMENT if item.label == Label.ENTAILMENT else None) if text else None


def _chance(item: Example, seed: int) -> random.Random:
    """Random numbers of this example alone, so that its place in the list decides nothing."""
    return random.Random(f"{seed} {item.uid}")


def _once(model: NLIModel, examples: Sequence[Example], name: str, rule: Callable[[Example], Edit | None]) -> list[Attack]:
    walks = start(model, examples)
    edits = [rule(e) for e in examples]
    live = [(w, edit) for w, edit in zip(walks, edits, strict=True) if edit is not None]
    pairs = [Pair(w.example.pair.premise, edit[0]) for w, edit in live]
    for (walk, edit), pair, said in zip(live, pairs, model.predict(pairs), strict=True):
        walk.step(pair, said, edit[1])
    return [_end(w, name, edit) for w, edit in zip(walks, edits, strict=True)]


def _end(walk: Walk, name: str, edit: Edit | None) -> Attack:
    if edit is None:
        return walk.end(name, note="unchanged: the rule does not fit this hypothesis")
    gold = edit[2]
    return walk.end(name, gold=gold, note=f"{gold.text} by rule" if gold is not None else "needs a person: no rule gives its label")


def lengthen(model: NLIModel, examples: Sequence[Example], options: Options) -> list[Attack]:
    """Facts are added to the premise one by one, drawn by the seed and the example, until the prediction leaves the gold label or `k` are added."""
    walks = start(model, examples)
    facts = [_unrelated(e, options.seed) for e in examples]
    notes = ["" if row else "unchanged: each fact of the list shares a word with the pair" for row in facts]
    for count in range(1, options.k + 1):
        live = [i for i, w in enumerate(walks) if len(facts[i]) >= count and (count == 1 or w.holds)]
        grown = {i: longer(examples[i].pair, facts[i][:count]) for i in live}
        for i in [i for i in live if not _fits(model, grown[i])]:
            del grown[i]
            facts[i] = facts[i][: count - 1]
            notes[i] = "the premise with another fact is longer than the model reads"
        for (i, pair), said in zip(grown.items(), model.predict(list(grown.values())), strict=True):
            walks[i].step(pair, said, ())
    return [w.end("lengthen", gold=w.example.label, note=note) for w, note in zip(walks, notes, strict=True)]


def _unrelated(item: Example, seed: int) -> list[str]:
    """The facts that share no telling word with the pair, in random order."""
    known = {*tokens(item.pair.premise), *tokens(item.pair.hypothesis)} - read()["structure"]
    facts = [fact for fact in read()["facts"] if not known & {*tokens(fact)}]
    _chance(item, seed).shuffle(facts)
    return facts


def longer(pair: Pair, facts: Sequence[str]) -> Pair:
    """`pair` with the facts after its premise, which ends with a full stop then."""
    premise = pair.premise.rstrip()
    end = "" if premise.endswith((".", "!", "?", '"', "”", "'", "’")) or not premise else "."
    return Pair(" ".join([premise + end, *facts]).strip(), pair.hypothesis)


def _fits(model: NLIModel, pair: Pair) -> bool:
    """Whether the model reads all of it; a text has at most as many pieces as characters."""
    return len(pair.premise) + len(pair.hypothesis) + 4 <= model.max_length or not model.fit(pair).cut


NEGATE = Recipe(
    name="negate",
    title="Negated hypothesis",
    paper="rule of this project; compare Naik et al. 2018 (stress test: negation)",
    guarantee="Where the note says 'by rule', the new label follows by logic from the old one, and the status is judged by it. "
    "Elsewhere a person has to say, and 'broken' only means that the answer left the old label; hypotheses that are no simple clause stay unchanged.",
    gold="by rule",
    budgeted=False,
    broken="The model is right before and, after the edit, not at the label that the rule gives (where none is given: not at the old label).",
    function=negate,
    chunk=256,
)
HEDGE = Recipe(
    name="hedge",
    title="Hedged hypothesis",
    paper="rule of this project",
    guarantee="An entailed hypothesis stays entailed: what is, is possible. For the other labels a person has to say, "
    "and 'broken' only means that the answer left the old label; hypotheses that hedge already, or ask, stay unchanged.",
    gold="by rule",
    budgeted=False,
    broken=NEGATE.broken,
    function=hedge,
    chunk=256,
)
LENGTHEN = Recipe(
    name="lengthen",
    title="Premise lengthened by facts",
    paper="rule of this project; compare Naik et al. 2018 (stress test: length mismatch)",
    guarantee="The label is kept: what is added is true anyway, and speaks of nothing in the pair, so the premise says as much as before. "
    "Other facts, or another place for them, may break what held.",
    gold="kept",
    budgeted=True,
    budget="facts added at most",
    most=len(read()["facts"]),
    function=lengthen,
    chunk=256,
)
