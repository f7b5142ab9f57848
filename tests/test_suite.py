"""The challenge suite: what a release must fulfil, checks that see a fault, and the probe that must stay near chance."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from robustnli import suite
from robustnli.data import load as load_data
from robustnli.errors import DataError
from robustnli.pipeline.probe import fit
from robustnli.records import write_rows
from robustnli.suite import Item, checks, reports
from robustnli.types import LABELS, Label, Prediction, example

ITEMS = suite.load()


def test_a_release_passes_every_check() -> None:
    assert checks.validate(ITEMS) == []
    assert len(ITEMS) >= 1500


def test_the_hypothesis_alone_tells_next_to_nothing() -> None:
    dev, test = ([i.example for i in ITEMS if i.split == split] for split in suite.SPLITS)
    for train, held in ((dev, test), (test, dev)):
        right = sum(p.label == e.label for p, e in zip(fit(train).predict([e.pair.hypothesis for e in held]), held, strict=True))
        assert right / len(held) <= 0.45


def test_no_pair_stands_in_the_data_at_hand(data_dir: Path) -> None:
    for path in sorted(data_dir.rglob("*.jsonl.gz")):
        try:
            rows = load_data(str(path)).examples
        except DataError:
            continue  # files of another form (labels of several readings) hold no plain pairs
        assert checks.overlap(ITEMS, ((e.pair.premise, e.pair.hypothesis) for e in rows)) == [], path.name


def test_overlap_sees_a_pair_in_other_clothes() -> None:
    pair = ITEMS[0].pair
    assert checks.overlap(ITEMS, [(pair.premise.upper() + " !", pair.hypothesis)])


def test_labels_were_given_twice() -> None:
    told = reports.agreement()
    assert told["pairs"] >= len(ITEMS) and 0.6 < told["kappa"] <= 1 and told["agreed"] / told["pairs"] == pytest.approx(told["raw"])


def change(index: int = 0, **fields: object) -> list[Item]:
    return [dataclasses.replace(i, **fields) if n == index else i for n, i in enumerate(ITEMS)]


def reworded(item: Item, premise: str | None = None, hypothesis: str | None = None, label: Label | None = None) -> Item:
    row = item.example
    new = example(premise or row.pair.premise, hypothesis or row.pair.hypothesis, row.label if label is None else label, row.source)
    return dataclasses.replace(item, example=new)


def with_first(item: Item) -> list[Item]:
    return [item, *ITEMS[1:]]


@pytest.mark.parametrize(
    ("items", "told"),
    [
        (lambda: change(phenomenon="sarcasm"), "phenomenon"),
        (lambda: change(deciding=()), "no deciding words"),
        (lambda: change(deciding=(("premise", 1, 9999),)), "not in the text"),
        (lambda: change(deciding=(("premise", 1, 3),)), "cuts a word"),
        (lambda: change(split="test" if ITEMS[0].split == "dev" else "dev"), "more than one slice, phenomenon or split"),
        (lambda: with_first(reworded(ITEMS[0], premise="Caf\u00e9 tables stood outside.")), "odd characters"),
        (lambda: with_first(reworded(ITEMS[0], premise="no capital here.")), "no full sentence"),
        (lambda: with_first(reworded(ITEMS[0], label=LABELS[(ITEMS[0].label + 1) % 3])), "not all three labels"),
        (lambda: [*ITEMS, ITEMS[0]], "pair twice"),
        (lambda: ITEMS[6:], "groups in dev"),
        (lambda: ITEMS[:600], "at least"),
        (lambda: with_first(reworded(ITEMS[0], premise=ITEMS[40].pair.premise)), "is shared by groups"),
    ],
)
def test_each_check_sees_its_fault(items, told: str) -> None:
    assert any(told in fault for fault in checks.validate(items()))


def test_slice_rules_see_their_fault() -> None:
    first = {name: next(i for i in ITEMS if i.slice == name) for name in suite.PHENOMENA}
    assert checks.faults(reworded(first["negation"], premise="It is damp.", hypothesis="It is wet."))[-1] == "no negation cue"
    assert "long means" in checks.faults(reworded(first["long"], premise="It is damp."))[-1]
    assert "control" in checks.faults(reworded(first["plain"], premise="It is not dry."))[-1]


def test_near_duplicates_are_seen() -> None:
    twin = [dataclasses.replace(i, group="twin") for i in ITEMS if i.group == ITEMS[0].group]
    assert checks.near_duplicates([*ITEMS, *twin])


def test_rows_and_items_are_the_same_thing() -> None:
    assert all(suite.parse(suite.to_row(item)) == item for item in ITEMS)
    row = suite.to_row(ITEMS[0])
    with pytest.raises(DataError, match="uid"):
        suite.parse(row | {"premise": "Another sentence."})
    with pytest.raises(DataError, match="note"):
        suite.parse({key: value for key, value in row.items() if key != "note"})


def test_datasets_reads_an_export(tmp_path: Path) -> None:
    import datasets

    assert reports.export(tmp_path / "suite") >= 5
    with pytest.raises(DataError, match="exists"):
        reports.export(tmp_path / "suite")
    files = {split: str(tmp_path / "suite" / f"{split}.jsonl") for split in suite.SPLITS}
    loaded = datasets.load_dataset("json", data_files=files, cache_dir=str(tmp_path / "cache"))
    assert sum(len(loaded[split]) for split in suite.SPLITS) == len(ITEMS)
    assert loaded["dev"][0]["label"] in {label.text for label in LABELS}


def test_the_suite_is_a_data_source(tmp_path: Path) -> None:
    assert len(load_data("suite").examples) == len(ITEMS) == sum(len(load_data(f"suite:{split}").examples) for split in suite.SPLITS)
    with pytest.raises(DataError, match="no split 'train'"):
        load_data("suite:train")
    write_rows(tmp_path / "x.csv", ({k: v for k, v in suite.to_row(i).items() if k != "deciding"} for i in ITEMS))
    assert [e.uid for e in load_data(str(tmp_path / "x.csv")).examples] == [i.example.uid for i in ITEMS]


def test_kappa_by_hand() -> None:
    labels = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15  # agreed 0.7, chance 0.5
    assert reports.kappa(labels) == pytest.approx(0.4)
    assert reports.kappa([("a", "a")]) == 1.0
    with pytest.raises(DataError):
        reports.kappa([])


def test_scores_count_pairs_and_whole_groups() -> None:
    always = [Prediction((0.1, 0.8, 0.1))] * len(ITEMS)
    rows = {row["part"]: row for row in reports.scores(ITEMS, always)}
    assert rows["all"]["right"] == sum(i.label == Label.NEUTRAL for i in ITEMS)
    assert rows["groups wholly right"]["right"] == 0
    perfect = [Prediction(tuple(float(k == i.label) for k in range(3))) for i in ITEMS]  # type: ignore[arg-type]
    assert all(row["accuracy"] == 1 for row in reports.scores(ITEMS, perfect))
    assert "100.0%" in reports.table(reports.scores(ITEMS, perfect))


def test_counts_add_up() -> None:
    told = reports.stats(ITEMS)
    assert sum(s["pairs"] for s in told["slices"].values()) == told["pairs"] == sum(told["splits"].values())
    assert all(sum(s["labels"].values()) == s["pairs"] == sum(s["phenomena"].values()) for s in told["slices"].values())
    json.dumps(told)
