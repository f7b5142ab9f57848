"""Rows of the error explorer as curated examples: as they are, or with the word masked that broke a model. Pure.

An example that was not changed has the same pair before and after. A masked one is offered only where one mask broke the model, since
the records hold what every model says to a pair with its first word masked, and nothing of a second mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from robustnli.browse import View
from robustnli.curated import Entry, Said, entry_uid
from robustnli.masking import mask
from robustnli.types import Label, Pair, Prediction, Word

AS_IT_IS, MASKED = "as it is", "mask"  # recipes: none, and the paper's attack


def maskable(seen: View, model: str) -> np.ndarray:
    """(n,) bool: the rows with text whose model one mask broke."""
    if f"broke_at.{model}" not in seen.table or f"probs.{seen.older}@{model}" not in seen.table:
        return np.zeros(len(seen.table), dtype=bool)
    broke = seen.table[f"broke_at.{model}"].to_numpy(dtype=float)
    return np.asarray((broke == 1) & seen.table["premise"].notna().to_numpy())


def entries(seen: View, at: Iterable[int], fingerprints: Mapping[str, str], *, masked: str = "") -> list[Entry]:
    """The rows at these positions as examples that nobody has judged yet; one without text is left out, and the same pair stands once.

    `fingerprints`: model -> that of its checkpoint. `masked`: the model whose breaking mask is put in; "" keeps rows as they are.
    """
    usable = maskable(seen, masked) if masked else seen.table["premise"].notna().to_numpy()
    found: dict[str, Entry] = {}
    for position in at:
        if usable[position]:
            entry = _entry(seen, seen.table.iloc[int(position)], fingerprints, masked)
            found.setdefault(entry.uid, entry)
    return list(found.values())


def _entry(seen: View, row: Any, fingerprints: Mapping[str, str], masked: str) -> Entry:
    original, gold = Pair(row["premise"], row["hypothesis"]), Label(int(row["gold"]))
    words = (Word("hypothesis", *(int(n) for n in row[f"masked.{masked}"][:3])),) if masked else ()
    edited = mask(original, words)
    said = tuple(
        Said(
            model,
            fingerprints[model],
            _prediction(row[f"probs.{model}"]),
            _prediction(row[f"probs.{model}{f'@{masked}' if masked else ''}"]),
        )
        for model in fingerprints
    )
    tags = tuple(dict.fromkeys(str(row[name]).lower() for name in ("outcome", "slice", "phenomenon") if isinstance(row.get(name), str)))
    return Entry(
        entry_uid(original, edited, gold), original, edited, gold, recipe=MASKED if masked else AS_IT_IS, changed=words, said=said, tags=tags
    )  # fmt: skip


def _prediction(probs: Any) -> Prediction:
    first, second, third = (round(float(p), 4) for p in probs)
    return Prediction((first, second, third))
