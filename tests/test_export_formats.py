"""What each format carries: out and in again gives the same entries, or the part that the format states."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from robustnli.curated import Entry, Verdict, changed_words, entry_uid
from robustnli.data import load
from robustnli.errors import DataError, InputError
from robustnli.exchange import FORMATS, About, export_to, format_of, preview, read_entries
from robustnli.exchange.rows import safe, textattack_text, unsafe
from robustnli.types import Pair
from tests.entries import C, E, by_uid, entries, entry, mixed, sentences, texts

OUT = (Verdict.KEEP, Verdict.RELABEL, Verdict.UNSURE)
WHOLE = [name for name in FORMATS if name not in ("csv", "textattack")]
DATED = About(made_at="2026-03-01T12:00:00+00:00")
slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def target(folder: Path, name: str) -> Path:
    return folder / f"{name}{FORMATS[name].suffix}"


def there_and_back(items: list[Entry], name: str, *, everything: bool = False) -> dict[str, Entry]:
    with tempfile.TemporaryDirectory() as folder:
        path = target(Path(folder), name)
        export_to(path, items, name, everything=everything)
        found = read_entries(path)
    assert not found.problems and not found.notes
    return by_uid(found.entries)


@pytest.mark.parametrize("name", WHOLE)
@slowly
@given(items=st.lists(entries(OUT), min_size=1, max_size=4, unique_by=lambda e: e.uid))
def test_whole_formats_give_equal_entries(name: str, items: list[Entry]) -> None:
    assert there_and_back(items, name) == by_uid(items)


@slowly
@given(items=st.lists(entries(), min_size=1, max_size=4, unique_by=lambda e: e.uid))
def test_a_backup_gives_equal_entries_of_every_verdict(items: list[Entry]) -> None:
    assert there_and_back(items, "jsonl", everything=True) == by_uid(items)


@slowly
@given(items=st.lists(entries(OUT), min_size=1, max_size=4, unique_by=lambda e: e.uid))
def test_csv_carries_all_but_predictions_history_and_other_opinions(items: list[Entry]) -> None:
    expected = [replace(e, said=(), history=(), opinions=(e.opinion,) if e.opinion else ()) for e in items]
    assert there_and_back(items, "csv") == by_uid(expected)


@slowly
@given(item=entries((Verdict.KEEP,)), gap=st.sampled_from(["", "\n", " \n\n"]))
def test_textattack_carries_pairs_and_label(item: Entry, gap: str) -> None:
    pairs = [Pair(p.premise + gap + "x", p.hypothesis) for p in (item.original, item.edited)]
    item = replace(item, original=pairs[0], edited=pairs[1])
    if not item.said:
        item = replace(item, said=entry().said)
    gold = item.gold_after
    uid = entry_uid(*pairs, gold)
    expected = Entry(uid, *pairs, gold, "textattack", changed_words(*pairs))
    assert there_and_back([item], "textattack") == {uid: expected}


@given(cell=st.one_of(texts, sentences))
def test_safe_cells_come_back_and_start_no_formula(cell: str) -> None:
    out = safe(cell)
    assert unsafe(out) == cell
    assert out[:1] not in tuple("=+-@\t\r\n＝＋－＠") and out.lstrip()[:1] not in tuple("=+-@")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "  =1", "＝1", "\n-"])
def test_a_formula_is_quoted(cell: str) -> None:
    assert safe(cell) == "'" + cell and safe("'" + cell) == "''" + cell


def test_no_cell_of_the_csv_starts_a_formula(tmp_path: Path) -> None:
    said = replace(entry().said[0], model="=evil()")
    item = replace(entry(), note="@note", tags=("=tag",), author="+ann", recipe="-r", said=(said,))
    export_to(tmp_path / "a.csv", [replace(item, opinions=(replace(item.opinions[0], author="+ann", note="\tx"),))], "csv")
    rows = list(csv.reader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) == 2 and len(rows[0]) == len(rows[1]) == 22
    assert [c for row in rows for c in row if c[:1] in set("=+-@\t\r")] == []
    assert {"'@note", "'=tag", "'+ann", "'-r", "'\tx"} <= set(rows[1])


def test_csv_says_what_each_model_said(tmp_path: Path) -> None:
    export_to(tmp_path / "a.csv", [entry(), replace(entry(1), said=entry().said[:1])], "csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines()))
    assert (rows[0]["says.baseline.before"], rows[0]["says.baseline.after"]) == ("neutral", "entailment")
    assert (rows[0]["says.baseline.before_p"], rows[0]["says.finetuned.after_p"]) == ("0.7500", "0.6250")
    assert rows[1]["says.finetuned.after"] == "" and rows[1]["label"] == "neutral"


@pytest.mark.parametrize("name", list(FORMATS))
def test_only_what_a_person_confirmed_goes_out(tmp_path: Path, name: str) -> None:
    path = target(tmp_path, name)
    done = export_to(path, mixed(), name)
    assert (done.entries, done.train, done.unsure, done.left_out) == (4, 3, 1, 2)
    kept = {e.uid for e in read_entries(path).entries}
    uids = [e.uid for e in mixed()]
    assert kept == ({uids[0], uids[5]} if name == "textattack" else {uids[0], uids[1], uids[2], uids[5]})


def test_training_reads_the_files_and_takes_only_confirmed_labels(tmp_path: Path) -> None:
    items = mixed()
    expected = {(i.edited, i.gold_after) for i in items if i.gold_after is not None}
    for name in ("jsonl", "csv", "parquet"):
        path = target(tmp_path, name)
        export_to(path, [i for i in items if not i.edited.premise.startswith("=")], name)
        loaded = load(str(path))
        assert {(e.pair, e.label) for e in loaded.examples} == expected and loaded.unlabelled == 1
    export_to(tmp_path / "folder", items, "dataset")
    assert {(e.pair, e.label) for e in load(str(tmp_path / "folder")).examples} == expected
    export_to(tmp_path / "all.jsonl", items, "jsonl", everything=True)
    backup = load(str(tmp_path / "all.jsonl"))
    assert {(e.pair, e.label) for e in backup.examples} == expected and backup.unlabelled == 3


@pytest.mark.parametrize("name", ["zip", "dataset"])
@pytest.mark.parametrize("some", [[0, 1, 2], [0], [2]], ids=["both splits", "train only", "unsure only"])
def test_datasets_loads_the_folder_offline(tmp_path: Path, name: str, some: list[int]) -> None:
    import datasets

    items = [mixed()[i] for i in some]
    export_to(target(tmp_path, name), items, name, DATED)
    if name == "zip":
        zipfile.ZipFile(tmp_path / "zip.zip").extractall(tmp_path / "dataset")
    loaded = datasets.load_dataset(str(tmp_path / "dataset"), cache_dir=str(tmp_path / "cache"))
    assert set(loaded) == {i.split for i in items}
    for item in items:
        rows = loaded[item.split]
        for column in ("label", "original_label"):
            assert rows.features[column].names == ["entailment", "neutral", "contradiction"]
        row = next(r for r in rows if r["uid"] == item.uid)
        assert row["label"] == (-1 if item.gold_after is None else int(item.gold_after)) and row["premise"] == item.edited.premise
        assert row["said"][0]["after"] == [0.5, 0.25, 0.25]


def test_a_single_parquet_keeps_class_labels(tmp_path: Path) -> None:
    import datasets

    export_to(tmp_path / "a.parquet", mixed(), "parquet")
    loaded = datasets.load_dataset("parquet", data_files=str(tmp_path / "a.parquet"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.features["label"].names[2] == "contradiction" and sorted(loaded["label"]) == [-1, 1, 1, 2]


def test_the_manifest_is_true(tmp_path: Path) -> None:
    about = replace(DATED, seed=7, checkpoints=(("baseline", "f9"),), title="Trams")
    export_to(tmp_path / "a.zip", mixed(), "zip", about)
    archive = zipfile.ZipFile(tmp_path / "a.zip")
    told = json.loads(archive.read("manifest.json"))
    for file in told["files"]:
        content = archive.read(file["name"])
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])
    assert {f["name"]: f["rows"] for f in told["files"]} == {
        "README.md": 0, "data/train.parquet": 3, "data/unsure.parquet": 1, "entries.jsonl": 4, "entries.csv": 4, "textattack.csv": 2,
    }  # fmt: skip
    assert set(archive.namelist()) == {f["name"] for f in told["files"]} | {"manifest.json"}
    assert told["counts"] == {
        "entries": 4, "splits": {"train": 3, "unsure": 1}, "verdicts": {"keep": 2, "relabel": 1, "unsure": 1},
        "labels": {"neutral": 2, "contradiction": 1},
    }  # fmt: skip
    assert told["models"]["baseline"] == {"fingerprints": {"f0": 4}} and told["checkpoints"] == {"baseline": "f9"}
    assert (told["seed"], told["title"], told["recipes"], told["made_at"]) == (7, "Trams", {"mask": 4}, DATED.made_at)
    assert {"robustnli", "datasets", "pyarrow", "python"} <= set(told["versions"])
    assert told["slices"]["neutral"]["entries"] == 2 and told["slices"]["all"]["entries"] == 3


@pytest.mark.parametrize("name", ["zip", "jsonl", "csv", "parquet", "textattack"])
def test_the_same_entries_give_the_same_bytes_and_a_stream_those_of_a_file(tmp_path: Path, name: str) -> None:
    first, again = io.BytesIO(), io.BytesIO()
    export_to(first, mixed(), name, DATED)
    export_to(again, mixed(), name, DATED)
    export_to(tmp_path / "file", mixed(), name, DATED)
    assert first.getvalue() == again.getvalue() == (tmp_path / "file").read_bytes()


def test_the_card_escapes_foreign_text_and_its_yaml_is_read_back(tmp_path: Path) -> None:
    import yaml

    evil = '"><img src=x onerror=alert(1)> | [a](javascript:b) `c`: # {'
    said = replace(entry().said[0], model=evil)
    about = replace(DATED, title=evil, description=f"{evil}\n# no heading", license="cc-by-4.0")
    export_to(tmp_path / "d", [replace(entry(), recipe=evil, said=(said,))], "dataset", about)
    card = (tmp_path / "d" / "README.md").read_text()
    _, head, body = card.split("---\n", 2)
    told = yaml.safe_load(head)
    assert told["pretty_name"] == evil and told["license"] == "cc-by-4.0"
    assert "<img" not in body and "](" not in body and "\n# no heading" not in body and "`c`" not in body
    assert "wrote" not in body and "He is late" not in body  # no example in the card


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet", "zip", "dataset"])
def test_people_are_numbered_where_asked(tmp_path: Path, name: str) -> None:
    path = target(tmp_path, name)
    export_to(path, mixed(), name, replace(DATED, people=False))
    names = {e.author for e in read_entries(path).entries} | {o.author for e in read_entries(path).entries for o in e.opinions}
    assert names == ({"annotator 1"} if name == "csv" else {"annotator 1", "annotator 2"})
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    if name in ("jsonl", "csv"):
        assert b'ann"' not in files[0].read_bytes() and b"bob" not in files[0].read_bytes()


def test_textattack_rows_by_hand(tmp_path: Path) -> None:
    moved = replace(entry(1, Verdict.KEEP, gold=C), said=entry().said)  # wrong before: nothing to attack
    held = replace(entry(2), said=entry().said[1:])  # still neutral
    export_to(
        tmp_path / "a.csv",
        [entry(), moved, held, entry(3, Verdict.RELABEL, E), entry(4, Verdict.UNSURE)],
        "textattack",
        About(model="baseline"),
    )
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [r["result_type"] for r in rows] == ["Successful", "Skipped"]  # held: the model of the file was not asked
    assert rows[0]["original_text"] == "Premise: The cook waits for tram 0.<SPLIT>Hypothesis: He is late."
    assert [rows[0][k] for k in ("original_score", "perturbed_score", "original_output", "perturbed_output", "ground_truth_output")] == [
        "0.25", "0.75", "1", "0", "1",
    ]  # fmt: skip
    export_to(tmp_path / "b.csv", [held], "textattack")
    assert next(csv.DictReader((tmp_path / "b.csv").read_text().splitlines()))["result_type"] == "Failed"


def test_a_pair_is_joined_as_textattack_joins_two_fields() -> None:
    assert textattack_text("A\nB", "C") == "Premise: A<SPLIT>B<SPLIT>Hypothesis: C"


class Many(Collection[Entry]):
    """So many entries, none of which is kept."""

    def __init__(self, count: int, item: Entry):
        self.count, self.item = count, item

    def __len__(self) -> int:
        return self.count

    def __contains__(self, _: object) -> bool:
        return False

    def __iter__(self) -> Iterator[Entry]:
        return (replace(self.item, note=f"{i} " + "n" * 1000) for i in range(self.count))


class Sink:
    """Takes bytes and forgets them."""

    size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("jsonl", 100_000), ("zip", 20_000)])
def test_memory_does_not_grow_with_the_entries(name: str, count: int) -> None:
    code = f"""
import resource
from tests.test_export_formats import Many, Sink
from tests.entries import entry
from robustnli.exchange import export_to
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
export_to(Sink(), Many(3000, entry()), {name!r})
before, sink = peak(), Sink()
export_to(sink, Many({count}, entry()), {name!r})
print(peak() - before, sink.size)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    grown, size = (float(part) for part in done.stdout.split())
    assert size > (1500 * count if name == "jsonl" else 100_000) and grown < 20  # MiB; the rows are over 1.5 KiB each


def test_progress_is_told() -> None:
    seen: list[int] = []
    export_to(Sink(), Many(2500, entry()), "jsonl", progress=seen.append)
    assert seen == [1000, 2000]


def test_nothing_is_left_where_an_export_fails(tmp_path: Path) -> None:
    broken = replace(entry(), note="\ud800")
    for name in FORMATS:
        with pytest.raises(DataError, match=f"entry {broken.uid}: holds half a character"):
            export_to(target(tmp_path, name), [entry(1, Verdict.UNSURE), replace(broken, edited=Pair("\ud800", "x"))], name)
    assert os.listdir(tmp_path) == []


def test_entries_that_change_meanwhile_are_refused(tmp_path: Path) -> None:
    class Fewer(Many):
        def __iter__(self) -> Iterator[Entry]:
            self.count -= 1
            return super().__iter__()

    with pytest.raises(DataError, match="changed while they were exported: 9 at first, 8"):
        export_to(tmp_path / "a.jsonl", Fewer(10, entry()), "jsonl")
    assert os.listdir(tmp_path) == []


def test_bad_requests_say_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the 2 entries is confirmed: judge them first"):
        export_to(tmp_path / "a.zip", [entry(0, Verdict.PENDING), entry(1, Verdict.REJECT)])
    with pytest.raises(DataError, match="there is no curated example"):
        export_to(tmp_path / "a.zip", [])
    with pytest.raises(InputError, match="Did you mean 'parquet'"):
        export_to(tmp_path / "a", mixed(), "parkuet")
    with pytest.raises(InputError, match="JSONL only"):
        export_to(tmp_path / "a.zip", mixed(), "zip", everything=True)
    with pytest.raises(InputError, match="choose zip"):
        export_to(Sink(), mixed(), "dataset")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(DataError, match="exists already"):
        export_to(tmp_path / "full", mixed(), "dataset")
    assert sorted(os.listdir(tmp_path)) == ["full"]


@pytest.mark.parametrize(
    ("path", "name"), [("a.ZIP", "zip"), ("a.jsonl", "jsonl"), ("a.csv", "csv"), ("a.parquet", "parquet"), ("a", "dataset")]
)
def test_the_end_of_a_path_says_the_format(path: str, name: str) -> None:
    assert format_of(Path(path)) == name


def test_a_path_of_no_format_is_refused() -> None:
    with pytest.raises(InputError, match=r"no format ends in '\.xlsx'"):
        format_of(Path("a.xlsx"))


def test_formats_are_light_until_used() -> None:
    code = "import sys, robustnli.exchange; sys.exit(bool({'torch', 'datasets', 'pyarrow', 'streamlit', 'sqlalchemy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_preview_shows_cells_as_they_were(tmp_path: Path) -> None:
    export_to(tmp_path / "a.csv", [replace(entry(), note="=1")], "csv")
    seen = preview(tmp_path / "a.csv")
    assert seen.kind == "csv" and seen.first[0]["note"] == "=1" and seen.mapping == {}
