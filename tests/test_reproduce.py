"""The whole experiment on the tiny model: every stage for real, done once, gone on with after kill -9, leaks told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, Features, Value
from safetensors.torch import load_file
from transformers import ElectraConfig, ElectraForPreTraining, ElectraForSequenceClassification

from robustnli.checkpoints import fingerprint
from robustnli.data import load as load_data
from robustnli.errors import InputError, RunError
from robustnli.formats import FORMS, audit
from robustnli.models import load
from robustnli.pipeline import runs
from robustnli.pipeline.reproduce import LEAKS, Robust, plan, publish, reproduce
from robustnli.pipeline.score import _attack_row
from robustnli.pipeline.train import TrainSettings
from robustnli.records import read_rows
from robustnli.types import LABELS, Attack, Example, Label, Outcome, Prediction, Status, Word, example

FIXTURES = Path(__file__).parent / "fixtures"
MODELS = ("baseline", "finetuned")
SCORED = {f"attacked-{part}-{model}" for part in ("dev", "test") for model in MODELS} | {"answers-dev", "answers-test"}
STAGES = {"baseline", "masked", "finetuned", "probe", "audit", "speed", *SCORED}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "clean"
    begun = time.perf_counter()
    reproduce(plan("tiny", "clean", threads=1), out, say=lambda _: None)
    assert time.perf_counter() - begun < 90
    return out


def report(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())


@pytest.mark.slow
def test_every_stage_leaves_its_files_and_the_counts_add_up(run: Path) -> None:
    assert {p.stem for p in (run / "stages").glob("*.json")} == STAGES
    told = report(run)
    assert told["stamp"] is None and told["trained_on_scored_rows"] == 0 and "leaks" not in (run / "report.md").read_text()
    assert "Pairs a second, predicted: baseline " in (run / "report.md").read_text()
    for split in told["splits"].values():
        assert split["models"]["baseline"]["clean"]["accuracy"] > 0.85
        sets = split["comparisons"][0]["sets"]
        assert list(sets) == ["clean", "masked against baseline", "masked against finetuned", "masked against either"]
        for rows in sets.values():
            assert all(r["fixed"] + r["introduced"] + r["remaining"] + r["still_right"] == r["n"] for r in rows)
        either, *one = (sets[f"masked against {name}"] for name in ("either", *MODELS))
        assert [r["fixed"] for r in either] == [a["fixed"] + b["fixed"] for a, b in zip(*one, strict=True)]
        for name, strength in split["attacks"].items():
            falling = [strength["depths"][k]["accuracy"] for k in "123"]
            assert falling == sorted(falling, reverse=True) and falling[0] < split["models"][name]["clean"]["accuracy"] - 0.2
            assert split["transfer"][name][name] == pytest.approx(split["models"][name][f"masked against {name}"]["accuracy"])
    assert told["splits"]["test"]["comparisons"][0]["sets"]["clean"][-1]["slice"] == "hypothesis-only-hard"


@pytest.mark.slow
def test_records_hold_no_text_and_give_the_report_back(run: Path) -> None:
    rows = [row for _, row in read_rows(run / "records" / "test.parquet")]
    examples = load_data(str(FIXTURES / "tiny_test.jsonl")).examples
    assert [row["uid"] for row in rows] == [e.uid for e in examples]
    assert "guitar" not in json.dumps(rows)
    right = sum(max(range(3), key=row["probs.baseline"].__getitem__) == row["gold"] for row in rows)
    assert right == report(run)["splits"]["test"]["models"]["baseline"]["clean"]["correct"]
    model = load(str(run / "checkpoints" / "baseline"))
    for row, e in zip(rows, examples, strict=True):
        start, end, _ = row["masked.baseline"][:3]
        scores = row["scores.baseline"]
        words = [e.pair.hypothesis[w.start : w.end] for w in model.words(e.pair) if w.segment == "hypothesis"]
        assert words[scores.index(max(scores))] == e.pair.hypothesis[start:end], "the word masked is the one with the largest score"


@pytest.mark.slow
def test_outcomes_in_the_records_are_those_of_the_report(run: Path) -> None:
    rows = [row for _, row in read_rows(run / "records" / "test.parquet")]
    told = report(run)["splits"]["test"]["comparisons"][0]["sets"]["clean"][0]
    for outcome in Outcome:
        assert sum(r["outcome.baseline.finetuned"] == outcome.value for r in rows) == told[outcome.name.lower()]
    masked = report(run)["splits"]["test"]["comparisons"][0]["sets"]["masked against baseline"][0]
    right = [max(range(3), key=r["probs.finetuned@baseline"].__getitem__) == r["gold"] for r in rows]
    assert sum(right) == masked["fixed"] + masked["still_right"]


@pytest.mark.slow
def test_given_checkpoints_are_scored_and_only_what_may_be_shown_is_published(run: Path, tmp_path: Path) -> None:
    asked = plan("tiny", "clean", given=run / "checkpoints", threads=1)
    told = reproduce(asked, tmp_path / "run", say=lambda _: None)
    assert told["splits"] == report(run)["splits"]
    assert {p.stem for p in (tmp_path / "run" / "stages").iterdir()} == STAGES - {"baseline", "masked", "finetuned"}
    publish(tmp_path / "run", tmp_path / "shown")
    publish(tmp_path / "run", tmp_path / "shown")  # over the older one
    assert {p.name for p in (tmp_path / "shown").rglob("*") if p.is_file()} == {
        "manifest.json", "report.json", "report.md", "dev.parquet", "test.parquet",
    }  # fmt: skip
    assert str(tmp_path) not in (tmp_path / "shown" / "manifest.json").read_text()
    with pytest.raises(RunError, match="no finished run"):
        publish(tmp_path, tmp_path / "elsewhere")
    with pytest.raises(RunError, match="at least 2"):
        reproduce(plan("tiny", "clean", given=tmp_path, threads=1), tmp_path / "none", say=lambda _: None)


@pytest.mark.slow
def test_a_second_call_does_nothing_again_and_one_stage_restarts_alone(run: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in (run / "stages").iterdir()}
    said: list[str] = []
    first = report(run)
    assert reproduce(plan("tiny", "clean", threads=1), run, say=said.append) == first
    assert all("done before" in line for line in said) and len(said) == len(STAGES)
    runs.again(run, "probe")
    assert reproduce(plan("tiny", "clean", threads=1), run, say=said.append) == first
    changed = {p.name for p in (run / "stages").iterdir() if p.stat().st_mtime_ns != before[p.name]}
    assert changed == {"probe.json"}
    with pytest.raises(RunError, match="no finished stage 'prob'; finished are answers-dev"):
        runs.again(run, "prob")
    with pytest.raises(RunError, match="another protocol"):
        reproduce(plan("tiny", "paper", threads=1), run, say=said.append)


@pytest.mark.slow
def test_killed_anywhere_the_run_ends_the_same(run: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "robustnli",
        "reproduce",
        "--scale",
        "tiny",
        "--threads",
        "1",
        "--out",
        str(tmp_path / "run"),
        "--json",
    ]
    kills = 0
    for wait in (5.0, 9.0, 12.0):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills, "no kill hit the run"
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert report(tmp_path / "run") == report(run)


def launched(out: Path) -> None:
    """The tiny run in two real processes (gloo)."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = ["-m", "robustnli", "reproduce", "--scale", "tiny", "--threads", "1", "--out", str(out), "--json"]
    done = subprocess.run([*launcher, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == report(out), "only the first process prints"


@pytest.mark.slow
def test_two_processes_make_the_same_adversarial_set_and_the_same_figures(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(run, out)
    for name in ("masked", *SCORED):
        (out / "stages" / f"{name}.json").unlink()
    for name in ("masked.jsonl", "report.json", "records/test.parquet"):
        (out / name).unlink()
    launched(out)
    assert (out / "masked.jsonl").read_bytes() == (run / "masked.jsonl").read_bytes()
    assert report(out) == report(run)


@pytest.mark.slow
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    launched(tmp_path / "run")
    told = report(tmp_path / "run")["splits"]["test"]["models"]
    assert all(told[name]["clean"]["accuracy"] > 0.85 for name in ("baseline", "finetuned"))
    log = json.loads((tmp_path / "run" / "checkpoints" / "baseline" / "training_log.json").read_text())
    assert log["steps"] == 3 * 24, "3,000 pairs in steps of two times 64, three times over"


def hub_folders(folder: Path) -> None:
    """Local folders of the very names and form that the hub has: the encoder without a classifier, Parquet splits with rows of label -1."""
    tiny = FIXTURES / "tiny-baseline"
    encoder = ElectraForPreTraining(ElectraConfig.from_pretrained(tiny))
    encoder.electra.load_state_dict(ElectraForSequenceClassification.from_pretrained(tiny).electra.state_dict())
    encoder.save_pretrained(folder / "google" / "electra-small-discriminator")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tiny / name, folder / "google" / "electra-small-discriminator" / name)
    features = Features({"premise": Value("string"), "hypothesis": Value("string"), "label": ClassLabel(names=[n.text for n in LABELS])})
    (folder / "stanfordnlp" / "snli" / "plain_text").mkdir(parents=True)
    for name, file in (("train", "train"), ("validation", "eval"), ("test", "test")):
        rows = load_data(str(FIXTURES / f"tiny_{file}.jsonl")).examples
        columns = {
            "premise": [e.pair.premise for e in rows] + ["Nobody agreed on this one."],
            "hypothesis": [e.pair.hypothesis for e in rows] + ["So it has no label."],
            "label": [int(e.label) for e in rows] + [-1],
        }
        target = folder / "stanfordnlp" / "snli" / "plain_text" / f"{name}-00000-of-00001.parquet"
        Dataset.from_dict(columns, features=features).to_parquet(str(target))


@pytest.mark.slow
def test_the_papers_scale_on_local_folders_of_the_hubs_form(tmp_path: Path) -> None:
    hub_folders(tmp_path)
    command = [sys.executable, "-m", "robustnli", "reproduce", "--scale", "paper", "--threads", "1", "--out", "run", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"HF_HOME": str(tmp_path / "hf")})
    assert done.returncode == 0, done.stderr
    out = tmp_path / "run"
    assert {p.stem for p in (out / "stages").glob("*.json")} == STAGES
    told = report(out)
    assert (told["scale"], told["protocol"], told["stamp"]) == ("paper", "clean", None)
    assert told["splits"]["test"]["n"] == 300, "the row that has no label is dropped"
    log = json.loads((out / "checkpoints" / "baseline" / "training_log.json").read_text())
    assert log["encoder"].startswith("electra-small-discriminator") and log["train_pairs"] == 3000
    assert told["splits"]["test"]["models"]["baseline"]["clean"]["accuracy"] > 0.6, "the encoder's weights were taken over"
    speed = json.loads((out / "manifest.json").read_text())["pairs_per_second"]
    assert set(speed) == set(MODELS) and min(speed.values()) > 0


@pytest.mark.slow
def test_the_papers_protocol_is_stamped_as_the_leak_it_is(tmp_path: Path) -> None:
    asked = plan("tiny", "paper", start=FIXTURES / "tiny-baseline", threads=1)
    told = reproduce(asked, tmp_path / "run", say=lambda _: None)
    assert fingerprint(tmp_path / "run" / "checkpoints" / "baseline") == fingerprint(FIXTURES / "tiny-baseline")
    assert told["stamp"] == LEAKS and told["trained_on_scored_rows"] == 300  # 200 of each label at most: all there are
    text = (tmp_path / "run" / "report.md").read_text()
    assert text.count(LEAKS) == 2 and "300 scored pairs" in text


@pytest.mark.slow
def test_robust_is_the_mean_of_the_baseline_and_runs_one_after_the_other(run: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('seed = 3\nheld_out = 0.1\n[[source]]\nfile = "tiny_train"\nrows = 400\n', encoding="utf-8")
    once = TrainSettings(epochs=0.5, learning_rate=5e-4, evals=1, threads=1)
    how = Robust(recipe=str(recipe), folder=str(FIXTURES), per_class=20, runs=(once, once), shares=((0.5, 0.5), (0.2, 0.3, 0.5)))
    asked = replace(plan("tiny", "clean", start=run / "checkpoints" / "baseline", threads=1), robust=how)
    told = reproduce(asked, tmp_path / "run", only=("test",), say=lambda _: None)
    assert list(told["splits"]["test"]["models"]) == ["baseline", "finetuned", "robust"]
    made = tmp_path / "run" / "checkpoints"
    logs = {name: json.loads((made / name / "training_log.json").read_text()) for name in ("run-2", "robust")}
    assert logs["run-2"]["encoder"].startswith("blend-1, sha256"), "the second run starts from the mean after the first"
    assert [(part["name"], round(part["share"], 6)) for part in logs["robust"]["blend"]] == [
        ("baseline", 0.2),
        ("run-1", 0.3),
        ("run-2", 0.5),
    ]
    weights = [load_file(made / name / "model.safetensors") for name in ("baseline", "run-1", "run-2", "robust")]
    key = "classifier.out_proj.weight"
    mean = sum(share * part[key].float() for share, part in zip((0.2, 0.3, 0.5), weights, strict=False))
    assert (weights[3][key].float() - mean).abs().max() < 1e-3 * mean.abs().max()


def test_records_keep_the_order_of_small_scores() -> None:
    """A sure model's gradients are tiny: their order is what ranks the words."""
    sure = Prediction((1.0, 0.0, 0.0))
    item = example("A lamp glows.", "Light.", Label.ENTAILMENT)
    made = _attack_row(Attack(item, "mask", Status.HELD, item.pair, (Word("hypothesis", 0, 5),), sure, sure, 2, (3.21e-9, 1.23e-9, 0.5)))
    assert made["scores"] == [3.21e-9, 1.23e-9, 0.5] and made["masked"] == [0, 5, 1] and made["broke_at"] is None


def test_plans() -> None:
    paper = plan("paper", "paper")
    assert (
        paper.encoder == "google/electra-small-discriminator"
        and paper.sources.dev == "stanfordnlp/snli:validation"
        and paper.per_class == 5000
    )
    with pytest.raises(InputError, match="--data"):
        plan("shipped", "clean")
    assert plan("shipped", "clean", data=Path("d"), encoder="e").sources.test == "d/eval/snli_test.jsonl.gz"


@pytest.mark.parametrize("how", [{"encoder": "e"}, {"given": Path("checkpoints")}])
def test_a_run_of_any_plan_is_found_again(how: dict, tmp_path: Path) -> None:
    asked = asdict(plan("shipped", "clean", data=Path("d"), **how))
    assert (asked["robust"] is None) == ("given" in how), "nothing is trained where checkpoints are given"
    for _ in range(2):
        runs.open_run(tmp_path / "run", asked)
    with pytest.raises(RunError, match="another seed"):
        runs.open_run(tmp_path / "run", asked | {"seed": 99})


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(RunError, match="holds no run"):
        runs.open_run(tmp_path, {})
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_stage_is_done_again_when_its_inputs_change(tmp_path: Path) -> None:
    calls: list[int] = []

    def work() -> dict[str, int]:
        calls.append(1)
        return {"n": len(calls)}

    def once(key: int) -> dict:
        return runs.stage(tmp_path, "s", {"key": key}, work, lambda _: None)

    assert [once(1), once(1), once(2), once(2)] == [{"n": 1}, {"n": 1}, {"n": 2}, {"n": 2}]


def test_finished_shards_are_not_done_again(tmp_path: Path) -> None:
    examples = [example(f"p{i}", "h", Label.NEUTRAL) for i in range(10)]
    asked: list[str] = []

    def work(part: list[Example]) -> list[dict]:
        asked.extend(e.pair.premise for e in part)
        if "p7" in asked and len(asked) < 12:
            raise KeyboardInterrupt
        return [{"premise": e.pair.premise} for e in part]

    with pytest.raises(KeyboardInterrupt):
        runs.sharded(tmp_path, "s", examples, work, size=4)
    rows = runs.sharded(tmp_path, "s", examples, work, size=4)
    assert [row["premise"] for row in rows] == [f"p{i}" for i in range(10)]
    assert asked.count("p0") == 1 and asked.count("p5") == 2


def test_the_audits_forms() -> None:
    model = load(str(FIXTURES / "tiny-baseline"))
    pair = load_data(str(FIXTURES / "tiny_test.jsonl")).examples[0].pair
    whole = model.encode([pair])[0]
    forms = {name: form(whole) for name, form in FORMS.items()}
    alone = {s: model._backend.encode(pair.text(s)).ids for s in ("premise", "hypothesis")}
    assert list(forms["premise only"].ids) == alone["premise"] and list(forms["hypothesis only"].ids) == alone["hypothesis"]
    assert forms["one string"].ids == whole.ids and set(forms["one string"].types) == {0} != set(whole.types)
    assert set(forms["hypothesis only"].types) == {0}
    assert audit(model, [pair])["two segments"] == model.predict([pair])
