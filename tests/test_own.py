"""A file of one's own: read row by row, scored by checkpoints as a job or from the command line, renamed, removed."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robustnli import browse, evidence, jobs, ownruns
from robustnli.checkpoints import resolve
from robustnli.data import load as load_data
from robustnli.errors import DataError, InputError
from robustnli.models import load
from robustnli.pipeline import own
from robustnli.records import write_rows
from robustnli.slices import STANDARD
from robustnli.types import LABELS, Example
from tests.made import examples

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("tiny-baseline", "tiny-finetuned")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, only_tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("robustnli.config.SHIPPED_RUNS", tmp_path / "none")
    return tmp_path / "home"


def tiny() -> list[Example]:
    return list(load_data(str(ROOT / "tests" / "fixtures" / "tiny_test.jsonl")).examples)


def write(path: Path, items: list[Example]) -> Path:
    write_rows(path, ({"premise": e.pair.premise, "hypothesis": e.pair.hypothesis, "label": e.label.text} for e in items))
    return path


def quiet(name: str, total: int):  # type: ignore[no-untyped-def]
    return lambda count: None


def scored(folder: Path, items: list[Example], *, attack: bool) -> evidence.Run:
    own.score(
        ownruns.Upload(tuple(items)), [resolve(m) for m in MODELS], folder / "run", shown="mine.csv", attack=attack, phase=quiet
    )  # fmt: skip
    return evidence.read_run(folder / "run")


def test_the_records_say_what_the_models_say(tmp_path: Path) -> None:
    items = tiny()[:150]
    run = scored(tmp_path, items, attack=False)
    assert (run.models, run.splits, run.file) == (MODELS, ("file",), "mine.csv")
    table = evidence.read_records(run, "file")
    assert table["premise"].tolist() == [e.pair.premise for e in items] and table["gold"].tolist() == [int(e.label) for e in items]
    said = {name: load(name).predict([e.pair for e in items]) for name in MODELS}
    for name in MODELS:
        assert np.allclose(np.stack(table[f"probs.{name}"].to_numpy()), [p.probs for p in said[name]], atol=2e-2)  # products in bf16
    assert [set(names) for names in table["slices"]] == [{s.name for s in STANDARD if s.holds(e)} for e in items]
    seen = browse.view(evidence.join(table, evidence.Texts({}))[0], *MODELS)
    told = {row["slice"]: row for row in evidence.report(run)["splits"]["file"]["comparisons"][0]["sets"]["clean"]}
    labels = {m: [LABELS[i] for i in table[f"label.{m}"]] for m in MODELS}
    for part in browse.breakdowns(seen):
        mine = [i for i, e in enumerate(items) if part.slice in [s.name for s in STANDARD if s.holds(e)]]
        right = {m: [labels[m][i] == items[i].label for i in mine] for m in MODELS}
        fixed = sum(not a and b for a, b in zip(right[MODELS[0]], right[MODELS[1]], strict=True))
        assert part.n == len(mine) == told[part.slice]["n"] and part.fixed == fixed == told[part.slice]["fixed"]
    assert "# mine.csv" in (Path(run.path) / "report.md").read_text()


def test_the_attack_adds_its_words_and_leaves_the_clean_figures(tmp_path: Path) -> None:
    items = tiny()[:80]
    plain, attacked = (scored(tmp_path / str(on), items, attack=on) for on in (False, True))
    tables = [evidence.read_records(run, "file") for run in (plain, attacked)]
    for name in MODELS:
        assert (tables[0][f"label.{name}"] == tables[1][f"label.{name}"]).all() and f"masked.{name}" not in tables[0]
        for row, item in zip(tables[1].to_dict("records"), items, strict=True):
            spans = np.array(row[f"masked.{name}"]).reshape(-1, 3)
            assert 1 <= len(spans) <= 3 and all(0 <= a < b <= len(item.pair.hypothesis) for a, b, _ in spans)
    kinds = [set(evidence.report(run)["splits"]["file"]["comparisons"][0]["sets"]) for run in (plain, attacked)]
    assert kinds == [{"clean"}, {"clean", *(f"masked against {m}" for m in MODELS), "masked against either"}]
    masked = evidence.report(attacked)["splits"]["file"]["models"][MODELS[0]][f"masked against {MODELS[0]}"]
    assert masked["correct"] < evidence.report(plain)["splits"]["file"]["models"][MODELS[0]]["clean"]["correct"]


def test_two_models_are_needed(tmp_path: Path) -> None:
    for names in ([], MODELS[:1], (MODELS[0], MODELS[0])):
        with pytest.raises(InputError, match="two checkpoints of different names"):
            own.score(ownruns.Upload(()), [resolve(m) for m in names], tmp_path / "r", shown="x", attack=False, phase=quiet)


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".csv", ".csv.gz", ".tsv", ".parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    items = examples(20)
    upload = ownruns.read(write(tmp_path / f"pairs{suffix}", items), "pairs")
    assert [e.uid for e in upload.examples] == [e.uid for e in items] and upload.bad == () and upload.unlabelled == 0


def test_bad_rows_are_told_by_number_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "secret-folder.csv"
    path.write_text(
        "premise,hypothesis,label\nA cat sits.,It sits.,0\nA cat sits.,It runs.,entailed\n,It runs.,1\nA dog.,It barks.,-1\nA dog.,A cat.,2\n"
    )
    upload = ownruns.read(path, "mine.csv")
    assert [int(e.label) for e in upload.examples] == [0, 2] and upload.unlabelled == 1
    assert len(upload.bad) == 2 and all(text.startswith(f"mine.csv, row {n}: ") for n, text in zip((2, 3), upload.bad, strict=True))
    assert "Did you mean 'entailment'" in upload.bad[0] and "premise is ''" in upload.bad[1]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.csv", b"text,label\nx,1\n", "row 1: no column hypothesis"),
        ("a.jsonl", b'{"premise": "a b.", "hypothesis": "c d.", "label": 1}\n{"premise"\n', "row 2: not valid JSON"),
        ("a.jsonl", b'{"premise": "a b.", "hypothesis": "c d.", "label": -1}\n', "no labelled row"),
        ("a.jsonl", b"", "no labelled row"),
        ("a.tsv", b"premise\thypothesis\tlabel\nx\ty\tbad\n", "none of 1 rows can be read"),
        ("a.csv", b"\xff\xfe\x00", "not UTF-8"),
        ("a.parquet", b"PAR1 no", "not a readable Parquet"),
        ("a.csv.gz", b"no gzip", "not a whole gzip"),
        ("a.zip", b"PK", "cannot tell the format"),
    ],
)
def test_a_file_that_cannot_be_scored_says_why_and_names_no_folder(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=why) as caught:
        ownruns.read(tmp_path / name, "mine")
    assert str(tmp_path) not in str(caught.value)


def test_too_many_rows_and_a_file_that_unpacks_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "p.jsonl", examples(12))
    monkeypatch.setattr(ownruns, "MAX_ROWS", 12)
    assert len(ownruns.read(path, "p").examples) == 12
    monkeypatch.setattr(ownruns, "MAX_ROWS", 11)
    with pytest.raises(DataError, match="more than 11 rows"):
        ownruns.read(path, "p")
    monkeypatch.setattr(ownruns, "MAX_BYTES", 5 << 20)
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(b" " * (40 << 20)))
    with pytest.raises(DataError, match="more than 5 MB when unpacked"):
        ownruns.read(tmp_path / "bomb.jsonl.gz", "bomb")
    pd.DataFrame({"premise": ["a b c"] * 3_000_000, "hypothesis": range(3_000_000), "label": 1}).to_parquet(tmp_path / "bomb.parquet")
    with pytest.raises(DataError, match="more than 5 MB when unpacked"):
        ownruns.read(tmp_path / "bomb.parquet", "bomb")


@given(st.text(max_size=80))
def test_a_free_name_is_always_one_that_is_allowed(text: str) -> None:
    assert ownruns.check_name(ownruns.free_name(text))


@pytest.mark.parametrize("name", ["", " ", ".", "..", "../x", "a/b", "a\\b", "x" * 61, "a\nb/", "-rf", "a\0b", "CON.", "a:b"])
def test_a_name_that_no_folder_should_have(name: str) -> None:
    with pytest.raises(InputError, match="no name for a run"):
        ownruns.check_name(name)


def test_rename_and_remove(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
        scored(tmp_path / name, examples(6), attack=False)
        assert ownruns.place(tmp_path / name / "run", name) == name
    found = {run.name: run for run in evidence.find_runs()}
    assert set(found) == {"mine", "other"} and all(ownruns.is_own(run) for run in found.values())
    with pytest.raises(InputError, match="a run named 'other' already"):
        ownruns.rename(found["mine"], "other")
    assert ownruns.rename(found["mine"], " New  name ") == "New name" and ownruns.free_name("New name") == "New name 2"
    with pytest.raises(InputError, match="is gone"):
        ownruns.remove(found["mine"])
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    for act in (ownruns.remove, lambda run: ownruns.rename(run, "third")):
        with pytest.raises(InputError, match="read-only"):
            act(found["other"])
    monkeypatch.delenv("ROBUSTNLI_READONLY")
    ownruns.remove(found["other"])
    assert [run.name for run in evidence.find_runs()] == ["New name"]
    foreign = evidence.Run("shipped", str(tmp_path / "x"), MODELS, ("test",), {})
    with pytest.raises(InputError, match="not made of a file of yours"):
        ownruns.remove(foreign)


def job(items: list[Example], name: str = "my pairs", **more: object) -> jobs.Job:
    text = "".join(
        json.dumps({"premise": e.pair.premise, "hypothesis": e.pair.hypothesis, "label": e.label.text}) + "\n" for e in items
    )  # fmt: skip
    args = {"file": "data.jsonl", "shown": "pairs.jsonl", "models": list(MODELS), "name": name, **more}
    return jobs.submit("score", f"Score {name}", args, files={"data.jsonl": text.encode()})


def waited(found: jobs.Job, until: str) -> jobs.Job:
    end = time.time() + 120
    while True:
        now = jobs.find(found.id)
        if (until == "ended" and not now.active) or (until == "counting" and now.done):
            return now
        assert time.time() < end and (now.active or until == "ended"), now
        time.sleep(0.02)


@pytest.mark.slow
def test_three_thousand_rows_as_a_job_and_cancelled_in_the_middle(home: Path) -> None:
    items = examples(3000)
    stopped = waited(job(items, attack=True), "counting")
    assert 0 < stopped.done < stopped.total == 2 * 3000 and stopped.phase == "scoring and attacking"
    jobs.cancel(stopped.id)
    assert jobs.find(stopped.id).state == "cancelled"
    assert not ownruns.folder().exists() and not list(home.rglob("*.parquet")) and not list(home.rglob("data.jsonl"))
    done = waited(job(items), "ended")
    assert done.state == "done", done.message
    assert done.result == {"run": "my pairs", "rows": 3000}
    (run,) = evidence.find_runs()
    assert run.name == "my pairs" and len(evidence.read_records(run, "file")) == 3000
    assert not list(home.rglob("data.jsonl")), "the upload does not stay beside the records"


def test_a_job_says_what_is_wrong_with_the_file(home: Path) -> None:
    done = waited(
        jobs.submit(
            "score", "Score x", {"file": "d.csv", "shown": "x.csv", "models": list(MODELS), "name": "x"}, files={"d.csv": b"a,b\n1,2\n"}
        ),
        "ended",
    )
    assert done.state == "failed" and done.message.startswith("x.csv, row 1: no column premise") and str(home) not in done.message


def test_the_command_line_makes_the_same_run(tmp_path: Path, home: Path) -> None:
    path = write(tmp_path / "pairs.csv", tiny()[:40])
    with path.open("a") as stream:
        stream.write("A cat.,A dog.,perhaps\n")
    command = [sys.executable, "-m", "robustnli", "score", "--data", str(path), *(f"--model={m}" for m in MODELS)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 1 and "row 41: label 'perhaps'" in refused.stderr and not list(home.rglob("*.parquet"))
    done = subprocess.run([*command, "--skip-bad", "--json"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["run"], told["rows"], told["bad"]) == ("pairs", 40, 1) and "row 41" in done.stderr
    (run,) = evidence.find_runs()
    assert run.name == "pairs" and run.file == "pairs.csv" and [p.name for p in ownruns.folder().iterdir()] == ["pairs"]
