"""`robustnli export`, `import` and `replay` as a user meets them, with a store of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from robustnli.curated import Verdict
from robustnli.exchange import read_entries
from robustnli.models import load
from robustnli.store import open_store
from tests.entries import by_uid, entry, mixed
from tests.test_cli import BASE, run
from tests.test_exchange import BAD, TOKEN


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's data folder of their own; the store's is there after the first command."""
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ROBUSTNLI_DATABASE_URL", raising=False)
    monkeypatch.setenv("ROBUSTNLI_ONLY_CHECKPOINTS", "1")
    return tmp_path


@pytest.fixture
def kept(home: Path) -> Path:
    with open_store() as store:
        store.add(mixed())
    return home


def test_export_and_import_elsewhere(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, err = run("export", "--out", str(kept / "a.zip"), "--seed", "3", "--title", "Trams")
    assert (status, err) == (0, "")
    assert out.strip().endswith("a.zip: 3 for training, 1 unsure. Left out, since nobody confirmed or somebody rejected them: 2.")
    monkeypatch.setenv("ROBUSTNLI_HOME", str(kept / "elsewhere"))
    status, out, _ = run("import", str(kept / "a.zip"))
    assert status == 0 and out.strip() == "4 examples from 4 rows. New: 4. There already: 0."
    assert run("import", str(kept / "a.zip"), "--json")[1].strip().endswith('"new": 0, "known": 4}')
    with open_store() as store:
        expected = {uid: e for uid, e in by_uid(mixed()).items() if e.split}
        assert {e.uid: (e.gold_after, e.opinions, e.said) for e in store.each()} == {
            uid: (e.gold_after, e.opinions, e.said) for uid, e in expected.items()
        }


@pytest.mark.parametrize(("end", "format"), [(".jsonl", ""), (".csv", ""), (".parquet", ""), ("", ""), (".csv", "textattack")])
def test_the_end_of_the_path_says_the_format(kept: Path, end: str, format: str) -> None:
    out = kept / f"out{end}"
    status, told, _ = run("export", "--out", str(out), "--json", *(["--format", format] if format else []))
    row = json.loads(told)
    assert status == 0 and (row["entries"], row["left_out"]) == (4, 2)
    assert len(read_entries(out).entries) == (2 if format else 4)


def test_export_of_a_part_and_of_everything(kept: Path) -> None:
    assert run("export", "--out", str(kept / "a.jsonl"), "--verdict", "unsure", "--verdict", "relabel", "--tag", "tram")[0] == 0
    assert {e.verdict for e in read_entries(kept / "a.jsonl").entries} == {Verdict.UNSURE, Verdict.RELABEL}
    assert run("export", "--out", str(kept / "b.jsonl"), "--everything", "--hide-authors")[0] == 0
    everything = read_entries(kept / "b.jsonl").entries
    assert len(everything) == 6 and {e.author for e in everything} == {"annotator 1"}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--out", "OUT/a.xlsx"), "no format ends in '.xlsx'"),
        (("--out", "OUT/a.zip", "--verdict", "kepp"), "Did you mean 'keep'"),
        (
            ("--out", "OUT/a.zip", "--tag", "nobody's"),
            "nothing to export: there is no curated example to choose from. Keep some first, or choose another verdict or tag.",
        ),
        (("--out", "OUT/a.zip", "--everything"), "JSONL only"),
        (("--out", "OUT/a", "--format", "parkuet"), "Did you mean 'parquet'"),
        ((), "Give --out FILE_OR_FOLDER or --push OWNER/NAME"),
    ],
)
def test_export_says_what_is_wrong(kept: Path, args: tuple[str, ...], says: str) -> None:
    status, out, err = run("export", *(a.replace("OUT", str(kept)) for a in args))
    assert status == 1 and out == "" and says in err and err.count("\n") == 1


def test_push_takes_the_token_of_the_environment_and_shows_it_nowhere(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from robustnli.exchange import hub
    from tests.test_exchange import Hub

    stand_in = Hub()
    monkeypatch.setattr(hub, "_client", stand_in)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    status, out, err = run("export", "--push", "ann/trams")
    assert (status, out.strip(), err) == (0, "https://huggingface.co/datasets/ann/trams", "") and stand_in.repo["private"] is True
    stand_in.fails = "no right"
    status, out, err = run("export", "--push", "ann/trams", "--public")
    assert status == 1 and stand_in.repo["private"] is False and TOKEN not in out + err
    monkeypatch.delenv("HF_TOKEN")
    assert "the token is empty" in run("export", "--push", "ann/trams")[2]


def test_a_dry_run_changes_nothing(home: Path) -> None:
    path = home / "a.csv"
    path.write_text("context;claim;gold\nA maid sings.;She hums.\x1b[31m;0\n")
    status, out, _ = run("import", str(path), "--dry-run")
    assert status == 0 and "pairs of your own" in out and "mapping: premise=context, hypothesis=claim, label=gold" in out
    assert "She hums." in out and "\x1b" not in out and "1 example from 1 row." in out
    assert json.loads(run("import", str(path), "--dry-run", "--json")[1])["readable"] == 1
    assert not (home / "home").exists()


def test_import_of_pairs_with_a_mapping_and_labels(home: Path) -> None:
    path = home / "a.csv"
    path.write_text("x,y,z\nA maid sings.,She hums.,0\n")
    args = ("import", str(path), "--map", "premise=x", "--map", "hypothesis=y", "--map", "label=z", "--author", "ann")
    assert run(*args, "--labels", "contradiction, entailment, neutral")[0] == 0
    with open_store() as store:
        (found,) = store.entries()
        assert found.gold_before is not None and found.gold_before.text == "contradiction" and found.author == "ann"
        assert store.undo("ann") is not None and store.count() == 0


def test_bad_rows_stop_an_import_unless_they_are_skipped(home: Path) -> None:
    path = home / "a.csv"
    path.write_text(BAD)
    status, out, err = run("import", str(path))
    assert status == 1 and out == "" and err.count("note: row") == 6 and "row 2: hypothesis is ''" in err
    assert "error: Nothing was read: 6 of 9 rows" in err and not (home / "home").exists()
    status, out, err = run("import", str(path), "--skip-bad")
    assert status == 0 and out.startswith("3 examples from 9 rows. Skipped") and "New: 3" in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--map", "premise"), "'premise' is not FIELD=COLUMN"),
        (("--map", "premis=x", "--map", "hypothesis=y"), "Did you mean 'premise'"),
        (("--labels", "neutral,neutral,entailment"), "once each"),
    ],
)
def test_import_says_what_is_wrong(home: Path, args: tuple[str, ...], says: str) -> None:
    (home / "a.csv").write_text("premise,hypothesis\na,b\n")
    status, _, err = run("import", str(home / "a.csv"), *args)
    assert status == 1 and says in err and err.count("\n") == 1
    assert "no such file" in run("import", str(home / "absent.csv"))[2]


def test_a_server_that_may_not_be_written_to_imports_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "a.csv").write_text("premise,hypothesis\na,b\n")
    assert run("import", str(home / "a.csv"))[0] == 0
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    (home / "a.csv").write_text("premise,hypothesis\na,c\n")
    status, _, err = run("import", str(home / "a.csv"))
    assert status == 1 and "ROBUSTNLI_READONLY" in err
    monkeypatch.delenv("ROBUSTNLI_READONLY")
    with open_store() as store:
        assert store.count() == 1


def test_replay_asks_the_model_again(kept: Path) -> None:
    status, out, _ = run("replay", "--model", BASE, "--model", BASE, "--all", "--json")
    first, second = json.loads(out)
    assert status == 0 and first == second and len(first["rows"]) == 6
    model = load(BASE)
    item = entry(0)
    row = next(r for r in first["rows"] if r["uid"] == item.uid)
    before, after = (p.label.text for p in model.predict([item.original, item.edited]))
    assert row["now"] == {"before": before, "after": after} and row["then"] is None and first["unasked"] == 6


def test_replay_tells_the_drift(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.conftest import FIXTURES

    (kept / "roots").mkdir()
    (kept / "roots" / "baseline").symlink_to(FIXTURES / "tiny-baseline")
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", f"{kept / 'roots'}:{FIXTURES}")
    status, out, _ = run("replay", "--model", "baseline", "--verdict", "keep")
    flips = sum(b.label != a.label for b, a in (load(BASE).predict([e.original, e.edited]) for e in (mixed()[0], mixed()[5])))
    assert status == 0 and out.startswith(f"{2 - flips} of 2 no longer flip baseline")
    assert "its checkpoint is another one than then for 2 of 2." in out and out.count("then neutral -> entailment, now ") == 2 - flips


def test_replay_without_examples_says_so(home: Path) -> None:
    assert "there is no curated example" in run("replay", "--model", BASE)[2]
