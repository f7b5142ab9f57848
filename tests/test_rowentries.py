"""Rows kept as curated examples: unchanged, or with the one word masked that broke a model."""

from __future__ import annotations

import numpy as np
import pytest

from robustnli import browse, evidence, rowentries
from robustnli.curated import Verdict, entry_uid
from robustnli.types import MASK, Label
from tests.made import MODELS, examples, make_run, suite_rows

PRINTS = {m: f"print-of-{m}" for m in MODELS[:2]}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> browse.View:
    rows = suite_rows(examples(60))
    for i, row in enumerate(rows):
        for victim in MODELS:
            row |= {f"probs.{m}@{victim}": [0.1 + 0.01 * (i % 5), 0.2, 0.7 - 0.01 * (i % 5)] for m in MODELS}
    rows[7]["broke_at.baseline"], rows[7]["status.baseline"] = 2, "broken"
    rows[9]["premise"] = None
    run = evidence.read_run(make_run(tmp_path_factory.mktemp("rows") / "r", {"suite": rows}))
    return browse.view(evidence.read_records(run, "suite"), *MODELS[:2])


def test_a_row_as_it_is_has_the_same_pair_before_and_after(seen: browse.View) -> None:
    (entry,) = rowentries.entries(seen, [3], PRINTS)
    row = seen.table.iloc[3]
    assert entry.original == entry.edited and (entry.original.premise, entry.gold_before) == (row["premise"], Label(row["gold"]))
    assert entry.uid == entry_uid(entry.original, entry.edited, entry.gold_before) and entry.recipe == "as it is" and not entry.changed
    assert entry.verdict is Verdict.PENDING and entry.tags == (row["outcome"], row["slice"], row["phenomenon"])
    assert [(s.model, s.fingerprint) for s in entry.said] == list(PRINTS.items())
    for said in entry.said:
        assert said.before == said.after and said.before.probs == pytest.approx(row[f"probs.{said.model}"], abs=1e-4)


def test_a_masked_row_holds_the_first_mask_and_what_every_model_says_to_it(seen: browse.View) -> None:
    usable = rowentries.maskable(seen, "baseline")
    at = int(np.flatnonzero(usable)[0])
    (entry,) = rowentries.entries(seen, [at], PRINTS, masked="baseline")
    row = seen.table.iloc[at]
    start, end, _ = row["masked.baseline"]
    assert entry.edited.hypothesis == row["hypothesis"][:start] + MASK + row["hypothesis"][end:] and entry.recipe == "mask"
    assert [w.of(entry.original) for w in entry.changed] == [row["hypothesis"][start:end]]
    for said in entry.said:
        assert said.after.probs == pytest.approx(row[f"probs.{said.model}@baseline"], abs=1e-4)
        assert said.before.probs == pytest.approx(row[f"probs.{said.model}"], abs=1e-4)


def test_only_rows_that_one_mask_broke_are_masked_and_none_without_text_is_kept(seen: browse.View) -> None:
    broke = seen.table["broke_at.baseline"]
    usable = rowentries.maskable(seen, "baseline")
    assert usable.tolist() == [b == 1 and i != 9 for i, b in enumerate(broke)] and not usable[7] and 0 < usable.sum() < 60
    assert len(rowentries.entries(seen, range(60), PRINTS, masked="baseline")) == usable.sum()
    assert len(rowentries.entries(seen, range(60), PRINTS)) == 59
    bare = browse.view(seen.table.drop(columns=[c for c in seen.table if c.startswith(("broke_at", "before", "after"))]), *MODELS[:2])
    assert not rowentries.maskable(bare, "baseline").any()


def test_the_same_pair_stands_once(seen: browse.View) -> None:
    assert len(rowentries.entries(seen, [3, 3, 4], PRINTS)) == 2
