"""The command line as a user meets it: every command, JSON for machines, one line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from robustnli import cli
from robustnli.data import load
from robustnli.records import read_rows, write_rows

FIXTURES = Path(__file__).parent / "fixtures"
EVAL, BASE, FINE = (str(FIXTURES / name) for name in ("tiny_eval.jsonl", "tiny-baseline", "tiny-finetuned"))
COMMANDS = (
    "predict",
    "train",
    "attack",
    "finetune",
    "evaluate",
    "compare",
    "trim",
    "card",
    "reproduce",
    "augment",
    "mix",
    "blend",
    "suite",
    "export",
    "import",
    "replay",
    "bench",
    "score",
    "gallery",
    "repair",
    "app",
    "faithfulness",
    "doctor",
)


def run(*args: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of `robustnli ARGS`, through `main` so that its error handling is tested as well."""
    import contextlib
    import io
    import sys

    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["robustnli", *args]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    finally:
        sys.argv = before
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(command: str) -> None:
    result = CliRunner().invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0 and "Usage" in result.output
    assert f"robustnli {command}" in (FIXTURES.parent.parent / "README.md").read_text()


def test_no_command_is_untested() -> None:
    names = {c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback and not c.hidden}
    assert names == set(COMMANDS)


def test_predict() -> None:
    args = ("predict", "--premise", "A cat is sitting.", "--hypothesis", "A cat is swimming.", "--model", BASE, "--model", FINE)
    status, out, _ = run(*args, "--json")
    rows = json.loads(out)
    assert status == 0 and rows[0]["label"] == "contradiction" and len(rows) == 2
    assert "contradiction" in run(*args)[1]


def test_evaluate_and_compare() -> None:
    status, out, _ = run("evaluate", "--model", BASE, "--data", EVAL, "--json")
    scored = json.loads(out)
    assert (
        status == 0
        and scored["n"] == 300
        and scored["accuracy"] > 0.9
        and set(scored["classes"]) == {"entailment", "neutral", "contradiction"}
    )
    assert {"loss", "ece", "pairs_per_second", "accuracy_interval"} <= set(scored)
    status, out, _ = run("compare", "--before", BASE, "--after", FINE, "--data", EVAL, "--json")
    counts = json.loads(out)
    assert sum(counts[k] for k in ("fixed", "introduced", "remaining", "still_right")) == 300
    assert counts["remaining"] + counts["fixed"] == 300 - scored["correct"]
    parts = {row["slice"]: row for row in counts["slices"]}
    assert sum(parts[name]["n"] for name in scored["classes"]) == 300 and 30 < parts["negation"]["n"] < 300
    assert parts["ambiguity"]["verdict"] == "too few rows to tell" and parts["entailment"]["holm_p"] >= parts["entailment"]["mcnemar_p"]
    assert "no clear change" in run("compare", "--before", BASE, "--after", BASE, "--data", EVAL)[1]


def test_evaluate_by_source_adds_up(tmp_path: Path) -> None:
    lines = Path(EVAL).read_text().splitlines()[:90]
    rows = [json.loads(line) | {"source": ("even", "odd")[i % 2]} for i, line in enumerate(lines)]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    status, out, _ = run("evaluate", "--model", BASE, "--data", str(tmp_path / "x.jsonl"), "--by-source", "--json")
    told = json.loads(out)
    assert status == 0 and [s["source"] for s in told["sources"]] == ["even", "odd"]
    assert sum(s["n"] for s in told["sources"]) == told["n"] and sum(s["correct"] for s in told["sources"]) == told["correct"]


def test_mixing_commands(tmp_path: Path) -> None:
    made = tmp_path / "made.jsonl"
    status, out, _ = run("augment", "--kind", "logic", "--data", EVAL, "--rows", "30", "--out", str(made), "--json")
    assert status == 0 and json.loads(out)["n"] == 30 == len(made.read_text().splitlines())
    (tmp_path / "r.toml").write_text('seed = 1\nheld_out = 0.2\n[[source]]\nfile = "made"\n')
    args = ("--recipe", str(tmp_path / "r.toml"), "--data", str(tmp_path))
    status, out, _ = run("mix", *args, "--out", str(tmp_path / "t.jsonl.gz"), "--held-out", str(tmp_path / "h.csv"), "--json")
    told = json.loads(out)
    assert status == 0 and told["n"] + told["held_out"] == 30 and told["held_out"] > 0
    asked = ("blend", "--model", BASE, "--share", "0.5", "--model", FINE, "--share", "0.5", "--out", str(tmp_path / "mean"))
    assert run(*asked)[0] == 0 and run("evaluate", "--model", str(tmp_path / "mean"), "--data", EVAL)[0] == 0
    status, _, err = run(*asked)
    assert status == 1 and "exists already" in err


def test_attack_then_compare_fails_on_regression(tmp_path: Path) -> None:
    outs = []
    for name in ("a.jsonl", "b.jsonl"):
        status, out, _ = run("attack", "--model", BASE, "--data", EVAL, "--per-class", "60", "--out", str(tmp_path / name), "--json")
        assert status == 0
        outs.append(json.loads(out))
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes(), "deterministic for a seed"
    told, rows = outs[0], [row for _, row in read_rows(tmp_path / "a.jsonl")]
    assert told["n"] == len(rows) == 180 and told["broken"] + told["held"] + told["skipped"] == 180
    assert [sum(r["label"] == x for r in rows) for x in ("entailment", "neutral", "contradiction")] == [60, 60, 60]
    assert all("[MASK]" in r["hypothesis"] and r["label_confirmed"] is False for r in rows)
    assert len(load(str(tmp_path / "a.jsonl")).examples) == 180
    there = ("compare", "--before", BASE, "--after", FINE, "--data", str(tmp_path / "a.jsonl"), "--fail-on-regression")
    assert run(*there)[0] == 0
    status, _, err = run("compare", "--before", FINE, "--after", BASE, "--data", str(tmp_path / "a.jsonl"), "--fail-on-regression")
    assert status == 1 and "regression:" in err


def test_unlabelled_rows_are_counted_aloud(tmp_path: Path) -> None:
    write_rows(
        tmp_path / "a.csv",
        [{"premise": "A cat is sitting.", "hypothesis": "A cat is swimming.", "label": x} for x in ("contradiction", "-1")],
    )
    status, _, err = run("evaluate", "--model", BASE, "--data", str(tmp_path / "a.csv"))
    assert status == 0 and "1 unlabelled rows dropped" in err


OWN = """
[[slice]]
name = "negated hypotheses of the sure"
cues = ["not", "no", "never", "n't"]
where = "hypothesis"
confidence_of = "newer"
confidence_at_least = 0.9
[[slice]]
name = "wh"
pattern = "[w](?=h)"
"""


def test_compare_counts_slices_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    there = ("compare", "--before", BASE, "--after", FINE, "--data", EVAL)
    plain = json.loads(run(*there, "--json")[1])
    status, out, _ = run(*there, "--slices", str(tmp_path / "own.toml"), "--json")
    told = json.loads(out)
    assert status == 0 and [r["slice"] for r in told["slices"]][-2:] == ["negated hypotheses of the sure", "wh"]
    assert [r["n"] for r in told["slices"][:-2]] == [r["n"] for r in plain["slices"]], "the standard ones stay"
    sure, wh = told["slices"][-2:]
    assert 0 < sure["n"] < next(r["n"] for r in plain["slices"] if r["slice"] == "negation")
    assert wh["n"] == sum("wh" in (e.pair.premise + " " + e.pair.hypothesis).lower() for e in load(EVAL).examples)
    assert "negated hypotheses of the sure  " in run(*there, "--slices", str(tmp_path / "own.toml"))[1]
    assert "--slices" in run("compare", "--help")[1]


BAD = {
    "no slices": (
        ["compare", "--before", BASE, "--after", FINE, "--data", EVAL, "--slices", "absent.toml"],
        "absent.toml: the file of slices",
    ),
    "no file": (["evaluate", "--model", BASE, "--data", "absent.jsonl"], "no such file"),
    "no model": (["evaluate", "--model", "nope", "--data", EVAL], "no checkpoint 'nope'"),
    "empty premise": (["predict", "--premise", " ", "--hypothesis", "x", "--model", BASE], "premise is empty"),
    "format": (["attack", "--model", BASE, "--data", EVAL, "--out", "x.docx"], "cannot tell the format"),
    "epochs": (["train", "--data", EVAL, "--encoder", BASE, "--out", "new", "--epochs", "-1"], "epochs is -1"),
    "existing out": (["train", "--data", EVAL, "--encoder", BASE, "--out", BASE], "exists already"),
    "unwritable": (["attack", "--model", BASE, "--data", EVAL, "--out", f"{EVAL}/a.jsonl"], "cannot be written"),
    "no such card": (["card", "--model", "nope", "--about", "nope.json", "--figures", "a=nope"], "nope: No such file"),
    "nothing to trim": (["trim", "--model", "nope", "--data", EVAL, "--out", "new"], "no tokenizer.json"),
    "no encoder": (["train", "--data", EVAL, "--encoder", "nope", "--out", "new"], "nope: no such folder"),
    "no split": (["reproduce", "--scale", "tiny", "--only", "tset", "--out", "new-run"], "no split 'tset' to score. Did you mean 'test'?"),
    "small vocabulary": (["trim", "--model", BASE, "--data", EVAL, "--out", "new", "--size", "100"], "too small"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_one_line_and_a_status(kind: str) -> None:
    args, said = BAD[kind]
    status, out, err = run(*args)
    assert status == 1 and out == ""
    assert said in err and err.startswith("error: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["attack", "--model", BASE, "--data", EVAL, "--out", "x.jsonl", "--k", "0"], "--k"),
        (["predict", "--premise", "x"], "--hypothesis"),
        (["pridect"], "pridect"),
    ],
)
def test_a_bad_option_is_one_line_and_a_status(args: list[str], told: str) -> None:
    status, out, err = run(*args)
    assert status == 2 and out == "" and told in err and err.startswith("error: ") and err.count("\n") == 1


def test_trim_keeps_predictions_where_all_pieces_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "trimmed"
    size = str(len(json.loads((Path(BASE) / "tokenizer.json").read_text())["model"]["vocab"]) - 5)
    status, told, _ = run("trim", "--model", BASE, "--data", EVAL, "--out", str(out), "--size", size, "--check", EVAL, "--json")
    facts = json.loads(told)
    assert status == 0 and facts["pieces_after"] < facts["pieces_before"] and facts["running_pieces_kept"] > 0.99
    assert 0.8 < facts["accuracy_after"] < facts["accuracy_before"], "five words of a small vocabulary are gone"
    pair = ("--premise", "A cat is sitting.", "--hypothesis", "A [MASK] is running.")
    a, b = (json.loads(run("predict", *pair, "--model", m, "--json")[1])["probs"] for m in (BASE, str(out)))
    assert a == pytest.approx(b, abs=1e-6)


@pytest.mark.slow
def test_finetuning_repairs_what_the_attack_breaks(tmp_path: Path) -> None:
    masked, out = str(tmp_path / "masked.jsonl"), str(tmp_path / "repaired")
    assert run("attack", "--model", BASE, "--data", str(FIXTURES / "tiny_train.jsonl"), "--per-class", "400", "--out", masked)[0] == 0
    status, _, err = run(
        "finetune", "--from", BASE, "--adversarial", masked, "--data", str(FIXTURES / "tiny_train.jsonl"), "--dev", EVAL, "--out", out,
        "--epochs", "4", "--learning-rate", "1e-3", "--threads", "1", "--json",
    )  # fmt: skip
    assert status == 0, err
    assert {"model.safetensors", "config.json", "tokenizer.json", "training_log.json"} <= {p.name for p in Path(out).iterdir()}
    fresh = str(tmp_path / "fresh.jsonl")
    run("attack", "--model", BASE, "--data", EVAL, "--per-class", "0", "--out", fresh)
    before, after = (json.loads(run("evaluate", "--model", m, "--data", fresh, "--json")[1])["accuracy"] for m in (BASE, out))
    assert after > before + 0.1
    about = {k: k for k in ("title", "summary", "data", "encoder", "licence", "command", "limits")}
    (tmp_path / "about.json").write_text(json.dumps(about))
    (tmp_path / "f.json").write_text(run("evaluate", "--model", out, "--data", EVAL, "--json")[1])
    status, text, _ = run("card", "--model", out, "--about", str(tmp_path / "about.json"), "--figures", f"held out={tmp_path / 'f.json'}")
    assert status == 0 and "| held out | 300 |" in text and text.strip() == (Path(out) / "README.md").read_text().strip()


def test_bench_writes_its_tables(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("<!-- bench -->\n<!-- /bench -->\n<!-- live -->\n<!-- /live -->\n")
    args = ("bench", "--quick", "--model", BASE, "--data", EVAL, "--jobs", "predict", "--against", "pipeline", "--write", str(page))
    status, out, _ = run(*args, "--json")
    assert status == 0 and json.loads(out)["asked"]["quick"] and "pipeline, one by one" in page.read_text()
    status, out, _ = run("bench", "--live", "--quick", "--model", BASE, "--model", FINE, "--users", "2", "--write", str(page))
    assert status == 0 and "2 users at once" in out and out.strip() in page.read_text()
    status, _, err = run("bench", "--live", "--growth")
    assert status == 1 and "give one" in err


def test_app_becomes_streamlit_on_this_repositorys_script(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda program, argv: started.append(argv))
    assert run("app", "--port", "8789", "--address", "0.0.0.0")[0] == 0
    (argv,) = started
    script = FIXTURES.parent.parent / "app.py"
    assert argv[1:5] == ["-m", "streamlit", "run", str(script)] and argv[5:] == [
        "--server.port", "8789", "--server.address", "0.0.0.0", "--server.headless", "true",
    ]  # fmt: skip
    assert run("app", "--port", "70000")[0] == 2


def test_app_without_its_files_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("robustnli.cli.serve.REPOSITORY", tmp_path)
    status, _, err = run("app")
    assert status == 1 and "installed without the app" in err
