"""`robustnli attack --recipe`: rows, a kill and a resume to the same bytes, refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from robustnli.attack import RECIPES
from robustnli.data import load as load_data
from robustnli.records import read_rows
from tests.test_cli import BASE, EVAL, FIXTURES, run

TRAIN = str(FIXTURES / "tiny_train.jsonl")


def rows(path: Path) -> list[dict[str, object]]:
    return [row for _, row in read_rows(path)]


def test_recipes_are_listed() -> None:
    status, out, _ = run("attack", "--recipes")
    assert status == 0 and all(f"\n{name}\n" in f"\n{out}" and r.guarantee in out for name, r in RECIPES.items())


def test_rows_carry_what_was_changed_and_the_label_after(tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    told = json.loads(
        run(
            "attack", "--model", BASE, "--data", EVAL, "--recipe", "lengthen", "--k", "2", "--per-class", "20", "--out", str(out), "--json"
        )[1]
    )
    assert told["recipe"] == "lengthen" and told["k"] == 2 and told["labels_confirmed"] == 60
    for row in rows(out):
        assert (row["recipe"], row["k"], row["label_confirmed"], row["label"]) == ("lengthen", 2, True, row["original_label"])
        assert str(row["premise"]).startswith(str(row["original_premise"])) and row["hypothesis"] == row["original_hypothesis"]
    assert len(load_data(str(out)).examples) == 60 and not out.with_name("a.jsonl.partial").exists()


def test_the_label_is_the_rules_where_it_gives_one(tmp_path: Path) -> None:
    data, out = tmp_path / "d.csv", tmp_path / "a.csv"
    data.write_text(
        "premise,hypothesis,label\nThe man is eating an apple.,The potter is eating.,entailment\nThe potter is eating.,A man is tall.,neutral\n"
    )
    told = json.loads(
        run("attack", "--model", BASE, "--data", str(data), "--recipe", "negate", "--per-class", "0", "--out", str(out), "--json")[1]
    )
    sure, unsure = rows(out)
    assert (sure["label"], sure["original_label"], sure["label_confirmed"]) == ("contradiction", "entailment", "True")
    assert (unsure["label"], unsure["label_confirmed"]) == ("neutral", "False") and told["labels_confirmed"] == 1
    assert told["accuracy_after"] == sum(json.loads(str(r["after"]))[int(str(r["label_id"]))] > 0.5 for r in (sure, unsure)) / 2


def test_a_trigger_is_told(tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    status, _, err = run("attack", "--model", BASE, "--data", EVAL, "--recipe", "trigger", "--per-class", "5", "--out", str(out))
    assert status == 0 and "note: trigger '" in err and "of suite dev" in err
    assert len({str(r["hypothesis"]).split()[0] for r in rows(out)}) == 1


def test_bad_asks_leave_nothing(tmp_path: Path) -> None:
    there = ("attack", "--model", BASE, "--data", EVAL, "--out", str(tmp_path / "a.jsonl"))
    for more, said in ((("--recipe", "hotflop"), "Did you mean 'hotflip'"), (("--recipe", "trigger", "--k", "9"), "3 at most")):
        status, _, err = run(*there, *more)
        assert status == 1 and said in err and err.count("\n") == 1 and not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.parquet"])
def test_a_killed_attack_goes_on_to_the_same_bytes(tmp_path: Path, name: str) -> None:
    whole, out = tmp_path / "whole" / name, tmp_path / "killed" / name
    ask = ["attack", "--model", BASE, "--data", TRAIN, "--recipe", "occlude", "--k", "2", "--per-class", "0"]
    assert run(*ask, "--out", str(whole))[0] == 0
    parts = out.with_name(f"{name}.partial")
    command = [sys.executable, "-m", "robustnli", *ask, "--out", str(out)]
    process = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=FIXTURES.parent.parent
    )
    deadline = time.monotonic() + 200
    while not list(parts.glob("shards/attack/0*.jsonl")):
        assert process.poll() is None and time.monotonic() < deadline, process.stderr and process.stderr.read()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stderr
    process.stderr.close()
    done = {p.name: p.stat().st_mtime_ns for p in parts.glob("shards/attack/0*.jsonl")}
    assert not out.exists() and 0 < len(done) < 8, "killed in the midst of it"
    status, _, err = run(*ask, "--out", str(out))
    assert status == 1 and "--resume" in err
    status, _, err = run(*ask, "--seed", "14", "--resume", "--out", str(out))
    assert status == 1 and "another seed" in err
    kept = {p.name: p.stat().st_mtime_ns for p in parts.glob("shards/attack/0*.jsonl")}
    assert kept == done
    assert run(*ask, "--resume", "--out", str(out))[0] == 0
    assert out.read_bytes() == whole.read_bytes() and not parts.exists()
