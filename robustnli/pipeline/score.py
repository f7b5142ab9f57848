"""Models on a split -> records: one flat row an example, with every model's answer, its attack, and all answers to each attack.

A record (see `evidence`, which reads them): `index` in the split's order of labelled rows, `uid` (hash of both sentences and gold),
`gold`, `slices`, `hard` (a hypothesis-only probe gets it wrong); for each model M `probs.M`, `status.M`, `broke_at.M`, `tried.M`,
`masked.M` (start, end, pieces of each word masked, flat, in the order masked), `scores.M` (what the hypothesis words were ranked
by), and `probs.N@M`: what model N says to the pair with M's first word masked; `outcome.M.N` for each older M and newer N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from robustnli.compare import outcome
from robustnli.masking import mask
from robustnli.models import NLIModel, load
from robustnli.pipeline import runs
from robustnli.pipeline.generate import generate
from robustnli.pipeline.report import DEPTHS, Attacked, Scored
from robustnli.records import Row
from robustnli.slices import STANDARD
from robustnli.types import Attack, Example, Label, Pair, Prediction, Status, Word


def attacked(out: Path, name: str, folder: Path, examples: Sequence[Example]) -> list[Row]:
    """One model's predictions and attacks, a row an example; finished parts of an interrupted call are kept."""
    model = load(str(folder))
    return runs.sharded(out, name, examples, lambda part: attack_rows(model, part))


def attack_rows(model: NLIModel, examples: Sequence[Example]) -> list[Row]:
    """The model's prediction of each example and its attack by up to three masks, as a record holds them."""
    return [_attack_row(a) for a in generate(model, examples, k=DEPTHS[-1])]


def _attack_row(attack: Attack) -> Row:
    """`broke_at`: how many masks the first flip took (0: wrong before; None: it held)."""
    broke = 0 if attack.status is Status.SKIPPED else len(attack.words) if attack.status is Status.BROKEN else None
    return {
        "probs": list(attack.before.probs),
        "status": attack.status.value,
        "broke_at": broke,
        "tried": attack.tried,
        "masked": [n for w in attack.words for n in (w.start, w.end, w.pieces)],
        "scores": [float(f"{score:.6g}") for score in attack.scores],
    }


def first_masked(item: Example, masked: Sequence[int]) -> Pair:
    """The example's pair with the first word masked of a record's `masked.M` (start, end, pieces, flat)."""
    return mask(item.pair, [Word("hypothesis", *masked[:3])] if masked else [])


def answers(folders: Mapping[str, Path], examples: Sequence[Example], attacks: Mapping[str, Sequence[Row]]) -> dict[str, list[list[float]]]:
    """ "N@M" -> what model N says to each pair with the first word masked that the attack on M masked."""
    said: dict[str, list[list[float]]] = {}
    for model, folder in folders.items():
        network = load(str(folder))
        for victim, rows in attacks.items():
            pairs = [first_masked(e, row["masked"]) for e, row in zip(examples, rows, strict=True)]
            said[f"{model}@{victim}"] = [list(p.probs) for p in network.predict(pairs)]
    return said


def records(
    examples: Sequence[Example], attacks: Mapping[str, Sequence[Row]], said: Mapping[str, Sequence[list[float]]], hard: set[int]
) -> list[Row]:
    """The flat rows, without any text. `attacks`: model -> its rows as `attacked` gives them, or with `probs` alone where none was made."""
    return [
        _record(i, e, {m: rows[i] for m, rows in attacks.items()}, {k: v[i] for k, v in said.items()}, i in hard)
        for i, e in enumerate(examples)
    ]


def _record(index: int, item: Example, attacks: Mapping[str, Row], said: Mapping[str, list[float]], hard: bool) -> Row:
    row: Row = {
        "index": index,
        "uid": item.uid,
        "gold": int(item.label),
        "slices": [part.name for part in STANDARD if part.holds(item)],
        "hard": hard,
    }
    for model, attack in attacks.items():
        row |= {f"{key}.{model}": attack[key] for key in ("probs", "status", "broke_at", "tried", "masked", "scores") if key in attack}
    row |= {f"probs.{key}": probs for key, probs in said.items()}
    for older, newer in combinations(attacks, 2):
        before, after = (Prediction(tuple(attacks[m]["probs"])) for m in (older, newer))  # type: ignore[arg-type]
        row[f"outcome.{older}.{newer}"] = outcome(item.label, before, after).value
    return row


def scored(name: str, rows: Sequence[Row], models: Sequence[str] = ()) -> Scored:
    """Records as what `report.build` reads. `models`: all of them, where not every one was attacked."""
    victims = [key.removeprefix("status.") for key in rows[0] if key.startswith("status.")]
    models = models or victims

    def said(key: str) -> list[Prediction]:
        return [Prediction(tuple(row[f"probs.{key}"])) for row in rows]

    attacks = {
        m: Attacked(
            {n: said(f"{n}@{m}") for n in models},
            tuple(row[f"broke_at.{m}"] for row in rows),
            tuple(row[f"tried.{m}"] for row in rows),
            tuple(len(row[f"masked.{m}"]) // 3 for row in rows),
        )
        for m in victims
    }
    parts = {part.name: [i for i, row in enumerate(rows) if part.name in row["slices"]] for part in STANDARD}
    gold = tuple(Label(row["gold"]) for row in rows)
    hard = [i for i, row in enumerate(rows) if row["hard"]]
    return Scored(name, gold, parts | ({"hypothesis-only-hard": hard} if hard else {}), {m: said(m) for m in models}, attacks)
