"""Every format in and out; a bad row is named by number; nothing unlabelled passes silently."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli.data import load, load_all, parse_label
from robustnli.errors import DataError
from robustnli.records import read_rows, write_rows
from robustnli.types import Label, Pair, example

ROWS: list[dict[str, Any]] = [
    {"premise": 'A "quoted", man', "hypothesis": "é 😀 مرحبا", "label": "entailment"},
    {"premise": "B", "hypothesis": "=1+1", "label": "contradiction"},
]
FORMATS = ["a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz", "a.parquet"]


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(name: str, tmp_path: Path) -> None:
    assert write_rows(tmp_path / name, ROWS) == 2
    assert [row for _, row in read_rows(tmp_path / name)] == ROWS
    assert [e.pair for e in load(str(tmp_path / name)).examples] == [Pair(r["premise"], r["hypothesis"]) for r in ROWS]
    assert [p.name for p in tmp_path.iterdir()] == [name], "nothing temporary stays"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1), min_size=1, max_size=5))
def test_any_text_survives(texts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            write_rows(Path(folder) / name, [{"text": t} for t in texts])
            assert [row["text"] for _, row in read_rows(Path(folder) / name)] == texts, name


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_rows(tmp_path / name, ROWS)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_rows(path, ROWS)

    def broken() -> Any:
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_rows(path, broken())
    assert len(list(read_rows(path))) == 2 and len(list(tmp_path.iterdir())) == 1


def test_snli_spelling_and_unlabelled_rows(tmp_path: Path) -> None:
    rows = [{"sentence1": "P", "sentence2": "H", "gold_label": label} for label in ("neutral", "-", "contradiction", "")]
    write_rows(tmp_path / "a.jsonl", rows)
    write_rows(tmp_path / "b.jsonl", [{"premise": "P", "hypothesis": "H", "label": label} for label in (0, -1, 2)])
    loaded = load_all([str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")])
    assert [e.label for e in loaded.examples] == [Label.NEUTRAL, Label.CONTRADICTION, Label.ENTAILMENT, Label.CONTRADICTION]
    assert loaded.unlabelled == 3


def test_a_tsv_keeps_bare_quotation_marks(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('sentence1\tsentence2\tgold_label\nHe said "no\tHe spoke\tentailment\n')
    assert load(str(tmp_path / "a.tsv")).examples[0].pair.premise == 'He said "no'


BAD = {
    "unknown label": ("a.jsonl", '{"premise":"P","hypothesis":"H","label":"entailmnt"}', "row 1.*Did you mean 'entailment'"),
    "label 3": ("a.jsonl", '{"premise":"P","hypothesis":"H","label":3}', "row 1.*label 3"),
    "empty premise": ("a.jsonl", '{"premise":" ","hypothesis":"H","label":0}', "row 1: premise"),
    "number as text": ("a.jsonl", '{"premise":5,"hypothesis":"H","label":0}', "row 1: premise is 5"),
    "no JSON": ("a.jsonl", '{"premise":"P","hypothesis":"H","label":0}\n{nope', "row 2: not valid JSON"),
    "a list": ("a.jsonl", "[1]", "row 1: a list"),
    "no column": ("a.csv", "premise,label\nP,0\n", "no column hypothesis"),
    "short row": ("a.csv", "premise,hypothesis,label\nP,H,0\nP,H\n", "row 2: has fewer fields"),
    "long row": ("a.csv", "premise,hypothesis,label\nP,H,0,9\n", "row 1: has more fields"),
    "nothing": ("a.jsonl", "", "no labelled row"),
    "all unlabelled": ("a.jsonl", '{"premise":"P","hypothesis":"H","label":-1}', "no labelled row .1 unlabelled"),
    "unknown format": ("a.xlsx", "x", "neither a file|cannot tell the format"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_say_what_is_wrong(kind: str, tmp_path: Path) -> None:
    name, text, said = BAD[kind]
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        load(str(tmp_path / name))


def test_broken_bytes_say_what_is_wrong(tmp_path: Path) -> None:
    good = gzip.compress(json.dumps(ROWS[0]).encode() * 100)
    for name, content, said in (
        ("cut.jsonl.gz", good[: len(good) // 2], "gzip"),
        ("no.jsonl.gz", b"plain", "gzip"),
        ("latin.jsonl", "é".encode("latin-1"), "UTF-8"),
        ("no.parquet", b"PAR1nope", "Parquet"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=said):
            load(str(tmp_path / name))
    with pytest.raises(DataError, match="no such file"):
        load(str(tmp_path / "absent.csv"))


def test_a_folder_of_the_hubs_form(tmp_path: Path) -> None:
    """As stanfordnlp/snli lies on the hub: Parquet files by split, ClassLabel, label -1 among them."""
    import datasets

    features = datasets.Features(
        {
            "premise": datasets.Value("string"),
            "hypothesis": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["contradiction", "entailment", "neutral"]),
        }
    )
    table = datasets.Dataset.from_dict({"premise": ["P", "Q", "R"], "hypothesis": ["H", "I", "J"], "label": [1, -1, 0]}, features=features)
    folder = tmp_path / "plain_text"
    folder.mkdir()
    for split in ("train", "test"):
        table.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: plain_text\n  data_files:\n  - split: train\n    path: plain_text/train-*\n  - split: test\n    path: plain_text/test-*\n---\n"
    )
    expected = [Label.ENTAILMENT, Label.CONTRADICTION]
    for source in (f"{tmp_path}:test", str(tmp_path), str(folder / "train-00000-of-00001.parquet")):
        loaded = load(source)
        assert [e.label for e in loaded.examples] == expected and loaded.unlabelled == 1, "names decide, not the file's ids"
    with pytest.raises(DataError, match="could not load"):
        load(f"{tmp_path}:nosuchsplit")


def test_what_is_no_source_is_said_at_once() -> None:
    with pytest.raises(DataError, match="neither a file, nor a folder, nor a hub id"):
        load("nothing-here")


def test_labels_and_uids() -> None:
    assert parse_label(" Neutral ") is Label.NEUTRAL and parse_label(2.0) is Label.CONTRADICTION and parse_label(None) is None
    a, b = example("P", "H", Label.NEUTRAL), example("P", "H", Label.NEUTRAL, "elsewhere")
    assert a.uid == b.uid != example("P", "H", Label.ENTAILMENT).uid and len(a.uid) == 16
