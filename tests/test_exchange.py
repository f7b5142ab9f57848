"""Import of strangers' files, replay, and the way to the hub: what is read, what is refused and how it is told."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robustnli.curated import Opinion, Said, Verdict
from robustnli.errors import DataError, InputError, RobustNLIError, RunError
from robustnli.exchange import About, Stored, export_to, preview, push, read_entries, reading, replay
from robustnli.exchange.rows import full_row
from robustnli.store import Query, open_store
from robustnli.types import Pair, Prediction
from tests.entries import C, E, N, by_uid, entry, mixed


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


PAIRS = "premise,hypothesis,label\nA maid sings.,She hums.,entailment\nA maid sings.,She sleeps.,2\nA maid sings.,She is tall.,\n"


# ---- plain pairs


def test_pairs_become_entries_that_nobody_has_judged(tmp_path: Path) -> None:
    found = read_entries(written(tmp_path / "a.csv", PAIRS), author="ann", at="2026-01-01T00:00:00+00:00")
    assert found.kind == "pairs" and found.summary == "3 examples from 3 rows."
    assert [e.gold_before for e in found.entries] == [E, C, None]
    first = found.entries[0]
    assert first.edited == first.original == Pair("A maid sings.", "She hums.") and first.verdict is Verdict.PENDING
    assert (first.author, first.created, first.recipe, first.changed) == ("ann", "2026-01-01T00:00:00+00:00", "imported", ())


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("a.csv", PAIRS, "utf-8-sig"),
        ("a.csv", PAIRS.replace(",", ";"), "utf-8"),
        ("a.csv", PAIRS.replace(",", "\t"), "utf-16"),
        ("a.csv", PAIRS.replace("\n", "\r\n"), "utf-8"),
        ("a.tsv", PAIRS.replace(",", "\t"), "utf-8"),
        ("a.csv", PAIRS.replace("premise,hypothesis,label", "Sentence1,sentence 2,gold-label"), "utf-8"),
    ],
    ids=["with a mark", "semicolons", "UTF-16 and tabs", "CRLF", "TSV", "other names"],
)
def test_pairs_as_programs_write_them(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    found = read_entries(written(tmp_path / name, text, encoding))
    assert [(e.edited.hypothesis, e.gold_before) for e in found.entries] == [("She hums.", E), ("She sleeps.", C), ("She is tall.", None)]


def test_pairs_in_every_other_format(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = list(csv.DictReader(io.StringIO(PAIRS)))
    lines = "".join(json.dumps(r) + "\n\n" for r in rows)
    written(tmp_path / "a.jsonl", lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(PAIRS.encode()))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(tmp_path / "a.csv.gz", "some/where/a.csv.gz")
        archive.writestr("__MACOSX/a.jsonl", "rubbish")
        archive.writestr("some/notes.txt", "rubbish")
    expected = read_entries(written(tmp_path / "a.csv", PAIRS)).entries
    for name in ("a.jsonl", "a.jsonl.gz", "a.csv.gz", "a.parquet", "b.zip"):
        assert read_entries(tmp_path / name).entries == expected, name


def test_a_parquet_with_its_own_order_of_labels_is_read_by_name(tmp_path: Path) -> None:
    import datasets

    features = datasets.Features(
        {"premise": datasets.Value("string"), "hypothesis": datasets.Value("string")}
        | {"label": datasets.ClassLabel(names=["contradiction", "entailment", "neutral"])}
    )
    rows = {"premise": ["A cook eats."] * 3, "hypothesis": ["a", "b", "c"], "label": [0, 1, 2]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "a.parquet")
    assert [e.gold_before for e in read_entries(tmp_path / "a.parquet").entries] == [C, E, N]


def test_a_mapping_of_the_user(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "x,y,was,now,why\nA maid sings.,She hums.,0,1,half sung\nA man naps.,He rests.,0,0,\n")
    seen = preview(path)
    assert seen.columns == ("x", "y", "was", "now", "why") and seen.mapping == {} and seen.first[1]["y"] == "He rests."
    with pytest.raises(InputError, match=r"no column is known to hold the premise and the hypothesis\. Say which one does"):
        read_entries(path)
    mapping = {"premise": "x", "hypothesis": "y", "original_label": "was", "label": "now", "note": "why"}
    found = read_entries(path, mapping, author="ann", at="t").entries
    assert found[0].opinions == (Opinion("ann", Verdict.RELABEL, N, "", "t"),) and found[0].note == "half sung"
    assert found[1].opinions == (Opinion("ann", Verdict.KEEP, E, "", "t"),) and found[1].split == "train"


def test_an_original_pair_beside_the_edited_one(tmp_path: Path) -> None:
    row = {"premise": "A maid sings.", "hypothesis": "She hums.", "original_hypothesis": "She sings.", "label": "neutral", "tags": "a, b,"}
    (found,) = read_entries(written(tmp_path / "a.jsonl", json.dumps(row))).entries
    assert found.original == Pair("A maid sings.", "She sings.") and found.edited == Pair("A maid sings.", "She hums.")
    assert [w.of(found.original) for w in found.changed] == ["sings"] and found.tags == ("a", "b") and found.gold_before == N


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"premis": "premise", "hypothesis": "hypothesis"}, "Did you mean 'premise'"),
        ({"premise": "premiss", "hypothesis": "hypothesis"}, "no column 'premiss'. Did you mean 'premise'"),
        ({"premise": "premise"}, "no column is known to hold the hypothesis"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(tmp_path: Path, mapping: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_entries(written(tmp_path / "a.csv", PAIRS), mapping)


def test_another_order_of_label_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "premise,hypothesis,label\na,b,0\na,c,1.0\na,d,neutral\na,e,-1\n")
    assert [e.gold_before for e in read_entries(path, labels=(C, E, N)).entries] == [C, E, N, None]
    with pytest.raises(InputError, match="once"):
        read_entries(path, labels=(C, C, N))


# ---- bad rows


BAD = 'premise,hypothesis,label\na,b,0\na,,0\n,b,0\na,b,maybe\na,b\na,b,0,0\na,c,1\n"a"x,b,0\na,d,2\n'


def test_bad_rows_are_told_by_number_and_nothing_is_half_imported(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", BAD)
    found = read_entries(path)
    assert found.entries == () and (found.rows, found.bad) == (9, 6)
    assert [p.row for p in found.problems] == [2, 3, 4, 5, 6, 8]
    told = [str(p) for p in found.problems]
    assert told[0] == "row 2: hypothesis is '', where a sentence is expected."
    assert "'maybe' is none of entailment (0)" in told[2] and "fewer fields than the header's 3" in told[3] and "more fields" in told[4]
    assert found.summary.startswith("Nothing was read: 6 of 9 rows cannot be used")
    skipped = read_entries(path, skip_bad=True)
    assert [e.edited.hypothesis for e in skipped.entries] == ["b", "c", "d"] and skipped.problems == found.problems
    assert skipped.summary == "3 examples from 9 rows. Skipped because it cannot be used: 6 rows."


def test_bad_lines_of_jsonl_are_told_by_number(tmp_path: Path) -> None:
    good = json.dumps({"premise": "a", "hypothesis": "b"})
    lines = [good, "{", "[1]", '{"premise": "a", "hypothesis": 3}', '{"premise": "a", "hypothesis": "\\ud800"}', "[" * 100_000, "9" * 5000]
    found = read_entries(written(tmp_path / "a.jsonl", "\n".join(lines)))
    assert [p.row for p in found.problems] == [2, 3, 4, 5, 6, 7] and found.rows == 7
    assert "not valid JSON" in found.problems[0].text and "a list" in found.problems[1].text and "surrogate" in found.problems[3].text


def test_problems_name_the_file_of_a_folder(tmp_path: Path) -> None:
    written(tmp_path / "one.csv", PAIRS)
    written(tmp_path / "two.csv", "premise,hypothesis,label\na,,0\n")
    (problem,) = read_entries(tmp_path).problems
    assert str(problem) == "two.csv, row 1: hypothesis is '', where a sentence is expected."


def test_many_problems_are_counted_and_not_all_kept(tmp_path: Path) -> None:
    found = read_entries(written(tmp_path / "a.csv", "premise,hypothesis\n" + "a,\n" * 1500 + "a,b\n"))
    assert (len(found.problems), found.bad, found.rows) == (1000, 1500, 1501)


def test_the_same_twice_is_read_once(tmp_path: Path) -> None:
    found = read_entries(written(tmp_path / "a.csv", PAIRS + PAIRS.split("\n", 1)[1]))
    assert (len(found.entries), found.twice) == (3, 3) and found.summary.endswith("Read once though it stands there again: 3 rows.")


def spoiled(**fields: Any) -> dict[str, Any]:
    return full_row(entry()) | fields


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (spoiled(opinions=[{"author": "a", "verdict": "keep", "label": "entailment"}]), "keep means the label before"),
        (spoiled(opinions=[{"author": "a", "verdict": "relabel", "label": "neutral"}]), "relabel needs a label other"),
        (spoiled(opinions=[{"author": "a", "verdict": "keeep"}]), "Did you mean 'keep'"),
        (spoiled(opinions=[{"author": "a", "verdict": "unsure"}] * 2), "two of one author"),
        (spoiled(opinions=[3]), "opinions holds 3"),
        (spoiled(opinions={"a": 1}), "where a list is expected"),
        (spoiled(said=[{"model": "m", "fingerprint": "f", "before": [0.5, 0.5, 0.5], "after": [1, 0, 0]}]), "sum to 1"),
        (spoiled(said=[{"model": "m", "fingerprint": "f", "before": [1, 0, 0], "after": [float("nan"), 0, 1]}]), "three probabilities"),
        (spoiled(said=[{"model": "m", "fingerprint": "f", "before": [1, 0, 0]}]), "holds None as the prediction after"),
        (spoiled(changed=[{"segment": "premise", "start": 9, "end": 999, "pieces": 1}]), "no word of the original premise"),
        (spoiled(changed=[{"segment": "title", "start": 0, "end": 1, "pieces": 1}]), "segment, start, end and pieces"),
        (spoiled(tags=["a", 3]), "a tag is 3, where text is expected"),
        (spoiled(tags=["a"] * 1001), "1,001 items; 1,000 is the most"),
        (spoiled(note="n" * 20_001), "note has 20,001 characters"),
        (spoiled(premise="p" * 100_001), "premise has 100,001 characters"),
        (spoiled(original_label="perhaps"), "original_label: label 'perhaps'"),
        (spoiled(schema=99), "Update robustnli"),
        (spoiled(history=["x"]), "history holds 'x'"),
    ],
)
def test_a_spoiled_entry_says_what_is_wrong(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    found = read_entries(written(tmp_path / "a.jsonl", json.dumps(row)))
    assert found.entries == () and says in found.problems[0].text


@settings(max_examples=200, deadline=None)
@given(
    name=st.sampled_from(sorted(full_row(entry()))),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["author", "verdict", "label", "segment"]), inner),
        max_leaves=5,
    ),
)
def test_any_value_in_any_field_is_an_entry_or_a_problem(tmp_path_factory: pytest.TempPathFactory, name: str, value: object) -> None:
    path = tmp_path_factory.mktemp("any") / "a.jsonl"
    path.write_text(json.dumps(spoiled(**{name: value})))
    found = read_entries(path, skip_bad=True)
    assert len(found.entries) + found.bad == 1


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.zip", "a.tsv.gz"])
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / name
    path.write_bytes(content)
    try:
        read_entries(path)
    except RobustNLIError as error:
        assert str(error)


# ---- files that are refused as a whole


def test_what_is_no_file_of_rows_is_refused(tmp_path: Path) -> None:
    cases = {
        "latin.csv": ("premise,hypothesis\ncafé,b\n".encode("latin-1"), "not UTF-8 text"),
        "empty.csv": (b"", "first line is empty"),
        "empty.jsonl": (b"", "no row that can be read"),
        "head.csv": (b"premise,hypothesis\n", "no row that can be read"),
        "bad.parquet": (b"PAR1 rubbish", "not a readable Parquet file"),
        "bad.zip": (b"PK rubbish", "not a whole zip file"),
        "bad.csv.gz": (gzip.compress(b"premise,hypothesis\na,b\n" * 2000)[:-20], "not a whole gzip file"),
        "book.xlsx": (b"x", "cannot tell the format"),
    }
    for name, (content, says) in cases.items():
        (tmp_path / name).write_bytes(content)
        for read in (read_entries,) if "gz" in name else (preview, read_entries):  # a preview reads the first rows alone
            with pytest.raises(DataError, match=says):
                read(tmp_path / name)
    with pytest.raises(DataError, match="no such file or folder"):
        read_entries(tmp_path / "absent.csv")


def test_a_zip_or_folder_without_rows_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("read.me", "x")
    (tmp_path / "folder").mkdir()
    for name in ("a.zip", "folder"):
        with pytest.raises(DataError, match="holds no file of rows"):
            preview(tmp_path / name)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("entries.jsonl", "w") as member:
        for _ in range(300):
            member.write(b" " * (1 << 20))
    assert (tmp_path / "a.zip").stat().st_size < 1 << 20
    with pytest.raises(DataError, match="300 MiB, unpacked; 256 MiB is the most"):
        preview(tmp_path / "a.zip")


def test_a_zip_that_lies_about_its_size_gives_no_more_than_it_states(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("entries.jsonl", b" " * 5_000_000)
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    size = (5_000_000).to_bytes(4, "little")
    while size in raw:
        at = raw.index(size)
        raw[at : at + 4] = (10).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(raw)
    with pytest.raises(DataError, match="not a whole zip file"):
        preview(tmp_path / "a.zip")


def test_a_gzip_bomb_is_refused_while_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 1 << 20)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"premise,hypothesis\n" + b"a,%s\n" % (b"b" * 10_000) * 1000))
    with pytest.raises(DataError, match="1 MiB is the most"):
        read_entries(tmp_path / "a.csv.gz")


def test_a_parquet_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow
    import pyarrow.parquet

    monkeypatch.setattr(reading, "MAX_BYTES", 8 << 20)
    rows = [{"premise": "p" * 100_000, "hypothesis": "h"}] * 2000  # one text, two thousand times: small in the file, 200 MB in memory
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 1 << 20
    with pytest.raises(DataError, match="8 MiB is the most"):
        read_entries(tmp_path / "a.parquet")


def test_too_much_of_anything_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.csv", "premise,hypothesis\n" + "".join(f"a,b{i}\n" for i in range(40)))
    monkeypatch.setattr(reading, "MAX_ROWS", 30)
    with pytest.raises(DataError, match="more than 30 rows"):
        read_entries(path)
    monkeypatch.setattr(reading, "MAX_FILES", 3)
    (tmp_path / "many").mkdir()
    for i in range(4):
        (tmp_path / "many" / f"{i}.csv").touch()
    with pytest.raises(DataError, match="more than 3 files"):
        preview(tmp_path / "many")


def test_a_locked_zip_is_refused(tmp_path: Path) -> None:
    export_to(tmp_path / "a.zip", mixed(), "zip")
    raw = (tmp_path / "a.zip").read_bytes()
    at = -1
    locked = bytearray(raw)
    while (at := raw.find(b"PK\x01\x02", at + 1)) >= 0:
        locked[at + 8] |= 1  # the flag of each member in the central directory
    (tmp_path / "a.zip").write_bytes(locked)
    with pytest.raises(DataError, match="locked with a password"):
        read_entries(tmp_path / "a.zip")


def test_names_in_a_zip_lead_nowhere(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../escaped.csv", PAIRS)
    # Hidden or foreign as the name is, its content is read from a place of our own.
    with pytest.raises(DataError, match="holds no file of rows"):
        read_entries(tmp_path / "a.zip")
    assert not list(tmp_path.parent.glob("escaped.csv"))


# ---- our own formats, changed by hand


def test_a_zip_packed_again_with_its_folder_is_read(tmp_path: Path) -> None:
    export_to(tmp_path / "a.zip", mixed(), "zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as old, zipfile.ZipFile(tmp_path / "b.zip", "w") as new:
        for name in old.namelist():
            new.writestr(f"my folder/{name}", old.read(name))
    assert by_uid(read_entries(tmp_path / "b.zip").entries) == by_uid(e for e in mixed() if e.split)


def test_a_text_changed_by_hand_loses_its_verdict_and_says_so(tmp_path: Path) -> None:
    export_to(tmp_path / "a.zip", mixed(), "zip")
    zipfile.ZipFile(tmp_path / "a.zip").extractall(tmp_path / "d")
    file = tmp_path / "d" / "entries.jsonl"
    file.write_text(file.read_text().replace("[MASK] for tram 0", "[MASK] for bus 0"))
    found = read_entries(tmp_path / "d")
    changed = next(e for e in found.entries if "bus" in e.edited.premise)
    assert changed.verdict is Verdict.PENDING and changed.uid not in by_uid(mixed())
    assert found.notes[0] == "entries.jsonl was changed after it was exported: its manifest has another hash."
    assert found.notes[1].startswith("1 pairs were changed after they were exported")
    assert read_entries(tmp_path / "a.zip").notes == ()


def test_textattack_logs_with_marked_words_are_read(tmp_path: Path) -> None:
    head = "original_text,perturbed_text,original_score,ground_truth_output,result_type\n"
    old = "[[[[Premise]]]]: A [[maid]] sings.<SPLIT>[[[[Hypothesis]]]]: She [[hums]]."
    new = "[[[[Premise]]]]: A [[cook]] sings.<SPLIT>[[[[Hypothesis]]]]: She [[[MASK]]]."
    path = written(tmp_path / "log.csv", head + f'"{old}","{new}",0.01,1.0,Successful\n"{old}","no pair",0.1,0,Failed\n')
    found = read_entries(path, skip_bad=True, labels=(C, E, N))
    (item,) = found.entries
    assert found.kind == "textattack" and item.original == Pair("A maid sings.", "She hums.")
    assert item.edited == Pair("A cook sings.", "She [MASK].") and item.gold_before == E and item.verdict is Verdict.PENDING
    assert found.problems[0].row == 2 and "Premise: ...<SPLIT>Hypothesis: ..." in found.problems[0].text


# ---- from and to a store


def test_a_store_is_exported_piece_by_piece_and_read_elsewhere(tmp_path: Path) -> None:
    items = [entry(i, Verdict.KEEP) for i in range(1203)]
    with open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        store.add([*items, entry(5000, Verdict.PENDING)])
        stored = Stored(store, Query(order="oldest"))
        assert len(stored) == 1204 and [e.uid for e in stored] == [e.uid for e in items] + [entry(5000).uid] and items[7] in stored
        export_to(tmp_path / "a.parquet", stored, "parquet")
        limited = Stored(store, Query(order="newest", limit=3, offset=1))
        assert [e.uid for e in limited] == [items[1202].uid, items[1201].uid, items[1200].uid]
    with open_store(f"sqlite:///{tmp_path / 'b.db'}") as other:
        added = other.add(read_entries(tmp_path / "a.parquet").entries)
        assert len(added.new) == 1203 and {e.edited for e in other.each()} == {e.edited for e in items}


# ---- replay


def asks(answers: dict[str, Prediction], seen: list[int]) -> Any:
    def predict(pairs: Sequence[Pair]) -> list[Prediction]:
        seen.append(len(pairs))
        return [next((p for word, p in answers.items() if word in pair.premise), Prediction((0.0, 1.0, 0.0))) for pair in pairs]

    return predict


def test_replay_counts_what_no_longer_flips() -> None:
    flipped = [entry(i) for i in range(5)]  # baseline: neutral, then entailment
    steady = replace(entry(90), said=(Said("baseline", "f0", Prediction((0.0, 1.0, 0.0)), Prediction((0.25, 0.75, 0.0))),))
    unasked = replace(entry(91), said=())
    to_c = Prediction((0.0, 0.25, 0.75))
    answers = {f"[MASK] for tram {n}.": to_c for n in (0, 1, 90, 91)}
    seen: list[int] = []
    drift = replay([*flipped, steady, unasked], "baseline", "f9", asks(answers, seen))
    assert (drift.flipped_then, drift.no_longer, drift.newly, drift.unasked, drift.other_checkpoint) == (5, 3, 1, 1, 6)
    assert [row.no_longer for row in drift.rows] == [False, False, True, True, True, False, False]
    assert drift.rows[0].moved == 0.5  # entailment after the edit: 0.5 then, 0 now
    assert [row.right_now for row in drift.rows[:3]] == [False, False, True] and seen == [14]
    assert drift.summary == (
        "3 of 5 no longer flip baseline; 1 newly do; baseline was not asked about 1 before, of which 1 flip it now; "
        "its checkpoint is another one than then for 6 of 6."
    )


def test_replay_of_the_same_checkpoint_does_not_drift() -> None:
    items = [entry(i) for i in range(300)]
    then = items[0].said[0]
    done: list[int] = []
    drift = replay(
        items, "baseline", "f0", lambda ps: [then.after if "[MASK]" in p.premise else then.before for p in ps], progress=done.append
    )
    assert (drift.no_longer, drift.newly, max(row.moved for row in drift.rows)) == (0, 0, 0.0)
    assert drift.summary == "0 of 300 no longer flip baseline; its checkpoint is the same one as then." and done == [128, 256, 300]


def test_replay_of_nothing() -> None:
    assert replay([], "m", "f", asks({}, [])).summary == "There is nothing to ask about."


# ---- the hub

TOKEN = "hf_abcDEF0123456789"


class Hub:
    """Stands in for the hub's client: keeps what it is given, or fails with the token in its text."""

    def __init__(self, fails: str = ""):
        self.fails, self.repo, self.files = fails, {}, {}  # type: ignore[var-annotated]

    def __call__(self, token: str) -> Hub:
        self.token = token
        return self

    def create_repo(self, **options: Any) -> None:
        self.repo = options

    def upload_folder(self, **options: Any) -> None:
        if self.fails:
            raise ConnectionError(f"401 for url https://x?token={self.token} with {self.fails}")
        root = Path(options["folder_path"])
        self.files = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_push_uploads_the_data_set_folder_without_names() -> None:
    hub = Hub()
    assert push("ann/trams", mixed(), f" {TOKEN}\n", About(), connect=hub) == "https://huggingface.co/datasets/ann/trams"
    assert hub.token == TOKEN and hub.repo == {"repo_id": "ann/trams", "repo_type": "dataset", "private": True, "exist_ok": True}
    assert set(hub.files) == {"README.md", "data/train.parquet", "data/unsure.parquet"}
    assert b"annotator 1" in hub.files["data/train.parquet"] and b"bob" not in hub.files["data/train.parquet"]
    assert not any(TOKEN.encode() in content for content in hub.files.values())


def test_the_token_stands_in_no_message_and_no_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    import traceback

    caplog.set_level(logging.DEBUG)
    with pytest.raises(RunError, match="the hub did not take the data set") as caught:
        push("ann/trams", mixed(), TOKEN, connect=Hub("no right"))
    told = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert TOKEN not in told and "***" in told and caught.value.__cause__ is None and caught.value.__context__ is None


@pytest.mark.parametrize(
    ("repo", "token"), [("trams", TOKEN), ("a/b/c", TOKEN), ("../x", TOKEN), ("a/b", ""), ("a/b", "two words"), ("a/b", "é")]
)
def test_push_refuses_bad_names_and_tokens(repo: str, token: str) -> None:
    hub = Hub()
    with pytest.raises(InputError) as caught:
        push(repo, mixed(), token, connect=hub)
    assert hub.repo == {} and (len(token) < 3 or token not in str(caught.value))
