"""Repair: what may be learned, under which name; the training; a repair as a real process, cancelled and killed; the page."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from robustnli import cli, evidence, jobs, repairs, suite
from robustnli.checkpoints import fingerprint, resolve
from robustnli.compare import wilson
from robustnli.curated import Entry, Verdict, entry_uid
from robustnli.data import load as load_data
from robustnli.errors import InputError, RunError
from robustnli.models import load
from robustnli.pipeline import rehearse, replay
from robustnli.pipeline.measure import material
from robustnli.pipeline.repair import repair
from robustnli.records import write_rows
from robustnli.repairs import Asked, Settings, gather
from robustnli.store import open_store
from robustnli.types import Example, Label, Pair, Prediction, example

FIXTURES = Path(__file__).parent / "fixtures"
DEV = [item for item in suite.load() if item.split == "dev"]
TEST = [item for item in suite.load() if item.split == "test"]
TINY = Settings(epochs=60, learning_rate=1e-3, threads=1, replay=0.5)


class Silent:
    """Told, and says nothing; keeps the points and phases."""

    def __init__(self) -> None:
        self.points: list[dict[str, float]] = []
        self.phases: list[tuple[str, int]] = []
        self.steps = 0

    def phase(self, name: str, total: int) -> None:
        self.phases.append((name, total))
        self.steps = 0

    def step(self, count: int = 1) -> None:
        self.steps += count

    def curve(self, **point: float) -> None:
        self.points.append(point)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The tiny checkpoints, a home of its own, and tiny_train as SNLI."""
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ROBUSTNLI_CHECKPOINTS", str(FIXTURES))
    monkeypatch.setenv("ROBUSTNLI_SNLI", str(FIXTURES / "tiny_train.jsonl"))
    monkeypatch.setattr("robustnli.config.SHIPPED", tmp_path / "none")
    monkeypatch.setattr("robustnli.config.SHIPPED_RUNS", tmp_path / "none")
    threads = torch.get_num_threads()
    yield tmp_path / "home"
    os.environ.pop("ROBUSTNLI_THREADS", None)
    torch.set_num_threads(threads)
    for job in jobs.find_all():
        jobs.forget(job.id)


def strange(n: int) -> list[Example]:
    """Pairs of the tiny language under a rule that its model does not know: "Nobody ..." is neutral."""
    rows = [e for name in ("tiny_eval", "tiny_test") for e in load_data(str(FIXTURES / f"{name}.jsonl")).examples]
    return [example(e.pair.premise, e.pair.hypothesis, Label.NEUTRAL, "own") for e in rows if e.pair.hypothesis.startswith("Nobody")][:n]


def own_rows(n: int) -> tuple[repairs.Row, ...]:
    return tuple((e.pair.premise, e.pair.hypothesis, e.label.text) for e in strange(n))


def entry(text: str, gold: Label | None = Label.ENTAILMENT) -> Entry:
    original, edited = Pair("A potter sings.", f"Someone sings {text}."), Pair("A potter sings.", f"Nobody sings {text}.")
    return Entry(entry_uid(original, edited, gold), original, edited, gold, author="ada", created="2026-01-01T00:00:00+00:00")


# ---- what may be learned


def test_only_confirmed_curated_examples_are_learned_and_with_the_label_that_was_confirmed() -> None:
    entries = [entry(text) for text in ("loudly", "softly", "often", "never", "twice")]
    with open_store() as store:
        store.add(entries)
        uids = [e.uid for e in entries]
        store.judge(uids[:1], "ada", Verdict.KEEP)
        store.judge(uids[1:2], "ada", Verdict.RELABEL, Label.CONTRADICTION)
        store.judge(uids[2:3], "ada", Verdict.UNSURE)
        store.judge(uids[3:4], "ada", Verdict.REJECT)
        store.tag(uids[:1], "ada", add=["song"])
    assert repairs.confirmed_uids() == tuple(uids[:2]) and repairs.confirmed_uids(("song",)) == (uids[0],)
    assert [(e.pair, e.label) for e in gather(Asked(curated=tuple(uids[:2])))] == [
        (entries[0].edited, Label.ENTAILMENT), (entries[1].edited, Label.CONTRADICTION)
    ]  # fmt: skip
    for refused, word in ((uids[2], "unsure"), (uids[3], "reject"), (uids[4], "pending")):
        with pytest.raises(InputError, match=rf"1 of 2 curated examples have no label that a person confirmed.*{word}"):
            gather(Asked(curated=(uids[0], refused)))
    with pytest.raises(InputError, match="are gone"):
        gather(Asked(curated=("0" * 16,)))


def test_the_suites_test_half_is_never_learned() -> None:
    assert gather(Asked(suite=(DEV[0].example.uid,) * 2)) == [DEV[0].example]
    with pytest.raises(InputError, match="only measures"):
        gather(Asked(suite=(TEST[0].example.uid,)))
    with pytest.raises(InputError, match="row 2: a pair of the suite's test half"):
        gather(Asked(rows=(("A.", "B.", "neutral"), (TEST[0].pair.premise, TEST[0].pair.hypothesis, "neutral"))))
    with pytest.raises(InputError, match="no pair"):
        gather(Asked(suite=("nonsense",)))


def test_what_cannot_be_learned_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="no example is chosen"):
        gather(Asked())
    with pytest.raises(InputError, match="chosen twice, as neutral and as entailment"):
        gather(Asked(rows=(("A.", "B.", "neutral"), ("A.", "B.", "0"))))
    for row in (("A.", "B.", "-"), ("A.", " ", "0"), ("A.", "B.", "entails")):
        with pytest.raises(InputError, match="own examples, row 1"):
            gather(Asked(rows=(row,)))
    with pytest.raises(InputError, match="at most 2,000"):
        gather(Asked(rows=tuple((f"A {n}.", "B.", "0") for n in range(2001))))


def test_parts_of_the_suite_by_name() -> None:
    verbal = {i.example.uid for i in DEV if (i.slice, i.phenomenon) == ("negation", "verbal")}
    assert set(repairs.of_suite(["negation: verbal"])) == verbal and len(repairs.of_suite(["all"])) == len(DEV)
    with pytest.raises(InputError, match="Did you mean 'negation'"):
        repairs.of_suite(["negatoin"])


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"learning_rate": 1.0}, {"replay": 0.95}, {"threads": -1}, {"seed": -1}])
def test_settings_check_themselves(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(bad))):
        Settings(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".hidden", "x.training", "-x", "x" * 61, "x.", "a b", "ä", "a\nb"])
def test_a_name_that_no_folder_should_have(name: str) -> None:
    with pytest.raises(InputError, match="is no name for a checkpoint"):
        repairs.check_name(name)


def test_a_name_that_is_taken_is_refused_before_any_work(home: Path) -> None:
    for taken, what in (("tiny-baseline", "checkpoint"), ("Tiny-Baseline", "checkpoint"), ("mine", "checkpoint"), ("seen", "run")):
        (home / "checkpoints" / "mine").mkdir(parents=True, exist_ok=True)
        (home / "runs" / "seen").mkdir(parents=True, exist_ok=True)
        with pytest.raises(InputError, match=f"there is a {what} named {taken!r} already"):
            repairs.submit("tiny-baseline", Asked(rows=own_rows(1)), taken)
    assert jobs.find_all() == []
    assert repairs.free_name("tiny-baseline") == "tiny-baseline-repaired"
    (home / "checkpoints" / "tiny-baseline-repaired").mkdir()
    assert repairs.free_name("tiny-baseline") == repairs.free_name("tiny-baseline-repaired") == "tiny-baseline-repaired-2"
    with pytest.raises(InputError, match="parent's name"):
        shutil.copytree(FIXTURES / "tiny-baseline", home / "else" / "copy")
        repairs.submit(str(home / "else" / "copy"), Asked(rows=own_rows(1)), "copy")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80))
def test_a_free_name_is_a_good_name(parent: str) -> None:
    assert repairs.check_name(repairs.free_name(parent))


# ---- what is rehearsed


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 400))
def test_made_pairs_are_different_and_follow_from_the_seed(seed: int, n: int) -> None:
    pairs = replay.made(n, seed=seed)
    assert len(pairs) == n == len(set(pairs)) and pairs == replay.made(n, seed=seed)
    for pair in pairs:
        assert pair.premise.strip() and pair.hypothesis.strip() and "  " not in pair.premise + pair.hypothesis


def test_made_pairs_are_of_several_kinds() -> None:
    pairs = replay.made(600, seed=1)
    words = [set(re.findall(r"\w+", p.hypothesis.lower())) for p in pairs]
    assert sum(bool(w & {"not", "no", "nobody", "never", "none"}) for w in words) > 20
    assert sum(p.premise.startswith(("A man", "A woman", "The children", "Two men")) for p in pairs) > 60


def test_snli_is_rehearsed_where_it_is_at_hand_its_training_pairs_first_and_never_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("snli_test", "snli_dev", "snli_train"):
        write_rows(tmp_path / f"{name}.jsonl", ({"premise": f"{name} {n}.", "hypothesis": "H.", "label": 0} for n in range(50)))
    monkeypatch.setenv("ROBUSTNLI_SNLI", str(tmp_path))
    known = Pair("snli_train 7.", "H.")
    drawn = replay.draw(49, seed=1, apart_from={known})
    assert drawn.source == "SNLI (snli_train.jsonl)" and len(set(drawn.pairs)) == 49 and known not in drawn.pairs
    assert {p.premise.split()[0] for p in drawn.pairs} == {"snli_train"}
    (tmp_path / "snli_train.jsonl").write_text("no JSON at all")
    assert {p.premise.split()[0] for p in replay.draw(9, seed=1).pairs} == {"snli_dev"}
    (tmp_path / "snli_dev.jsonl").unlink()
    assert replay.draw(9, seed=1).source == replay.MADE and len(replay.draw(9, seed=1).pairs) == 9
    assert replay.draw(0, seed=1).pairs == ()


# ---- the training


def test_a_step_sees_what_a_prediction_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of rows of different lengths, padded, is the negative log of the probabilities that `predict` gives one by one."""
    monkeypatch.setattr(rehearse, "half_precision", lambda: False)
    model = load("tiny-baseline")
    items = load_data(str(FIXTURES / "tiny_eval.jsonl")).examples[:24]
    said = [model.predict([e.pair])[0] for e in items]
    told = Silent()
    rehearse.rehearse(
        model, items[:16], [e.pair for e in items[16:]], said[16:], passes=1, learning_rate=1e-9, replay=1 / 3, seed=1, tell=told
    )
    by_hand = -sum(torch.log(torch.tensor(p.probs[e.label])) for p, e in zip(said[:16], items[:16], strict=True)) / 16
    entropy = [-sum(x * torch.log(torch.tensor(x)) for x in p.probs) for p in said[16:]]
    assert len(told.points) == 1 and told.points[0]["loss"] == pytest.approx(float(by_hand), rel=1e-3)
    assert told.points[0]["replay"] == pytest.approx(float(sum(entropy)) / 8, rel=1e-3)


def test_a_checkpoint_with_its_own_order_of_labels_learns_the_right_ones(tmp_path: Path) -> None:
    turned = tmp_path / "turned"
    shutil.copytree(FIXTURES / "tiny-baseline", turned)
    config = json.loads((turned / "config.json").read_text())
    order = [2, 0, 1]  # its class i is our class order[i]
    config["id2label"] = {str(i): Label(o).text for i, o in enumerate(order)}
    config["label2id"] = {Label(o).text: i for i, o in enumerate(order)}
    (turned / "config.json").write_text(json.dumps(config))
    weights = load_file(turned / "model.safetensors")
    for key in ("classifier.out_proj.weight", "classifier.out_proj.bias"):
        weights[key] = weights[key][order].contiguous()
    save_file(weights, str(turned / "model.safetensors"), metadata={"format": "pt"})
    items = strange(12)
    assert [p.label for p in load(str(turned)).predict([e.pair for e in items])] == [
        p.label for p in load("tiny-baseline").predict([e.pair for e in items])
    ]
    told = repair(items, str(turned), tmp_path / "out", name="child", settings=TINY, tell=Silent())
    assert told["right_before"] < 4 and told["learned"] >= 11
    said = load(str(tmp_path / "out" / "child")).predict([e.pair for e in items])
    assert sum(p.label is Label.NEUTRAL for p in said) == told["learned"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(3, 90), min_size=1, max_size=120), st.integers(1, 40), st.integers(0, 99))
def test_batches_hold_each_row_once_a_round_and_are_alike_in_length(lengths: list[int], each: int, seed: int) -> None:
    chance = random.Random(seed)
    parts = -(-len(lengths) // each)
    batches = rehearse._alike(lengths, range(len(lengths)), parts, chance)
    assert sorted(i for rows in batches for i in rows) == list(range(len(lengths)))
    assert len(batches) == parts and max(map(len, batches)) - min(map(len, batches)) <= 1 and max(map(len, batches)) <= each
    spans = sorted((min(lengths[i] for i in rows), max(lengths[i] for i in rows)) for rows in batches)
    assert all(later[0] >= earlier[1] - rehearse._JITTER for earlier, later in itertools.pairwise(spans)), (
        "no batch reaches far into another"
    )
    endless = rehearse._endless(lengths, each, chance)
    seen: list[int] = []
    while len(seen) < 2 * len(lengths):
        seen += next(endless)
    assert Counter(seen[: len(lengths)]) == Counter(range(len(lengths))) and next(rehearse._endless([], each, chance), None) is None


def test_training_ends_when_all_is_learned() -> None:
    model = load("tiny-baseline")
    items = [e for e in load_data(str(FIXTURES / "tiny_eval.jsonl")).examples[:40] if model.predict([e.pair])[0].probs[e.label] > 0.9]
    learned = rehearse.rehearse(model, items, [], [], passes=50, learning_rate=1e-6, replay=0.0, seed=1, tell=Silent())
    assert (learned.passes, learned.right) == (1, len(items))


def test_the_way_back_ends_where_the_examples_would_be_lost() -> None:
    """Weights that answer all examples only when new for 70 %: a bias that must outweigh the old one."""
    model = load("tiny-baseline")
    old = {key: value.clone() for key, value in model.network.state_dict().items()}
    item = strange(1)
    own = model.order[Label.NEUTRAL]
    logits = model.network(**rehearse._padded(model.network.config, model.encode([item[0].pair]))).logits[0].detach()
    gap = float(logits.max() - logits[own])
    assert gap > 0, "the old weights have it wrong"
    with torch.no_grad():
        model.network.classifier.out_proj.bias[own] += gap / 0.65
    assert rehearse.walk_back(model, old, item) == 0.7
    now = model.network.state_dict()["classifier.out_proj.bias"] - old["classifier.out_proj.bias"]
    assert float(now[own]) == pytest.approx(0.7 * gap / 0.65, rel=1e-4) and float(now.abs().sum()) == pytest.approx(
        float(now[own]), rel=1e-4
    )
    with torch.no_grad():
        model.network.classifier.out_proj.bias[own] = old["classifier.out_proj.bias"][own] + gap * 0.5
    assert rehearse.walk_back(model, old, item) == 0.5, "an example that was not learned keeps nothing from going back"


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict, Path, list[Example], Silent]]:
    """A repair of tiny-baseline, made once: (figures, its folder, its examples, what was told)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBUSTNLI_CHECKPOINTS", str(FIXTURES))
        patch.setenv("ROBUSTNLI_SNLI", str(FIXTURES))
        patch.setattr("robustnli.config.SHIPPED_RUNS", Path("nowhere"))
        patch.setenv("ROBUSTNLI_HOME", str(tmp_path_factory.mktemp("home")))
        out, told, items = tmp_path_factory.mktemp("repair"), Silent(), [*strange(20), *(i.example for i in DEV[:4])]
        yield repair(items, "tiny-baseline", out, name="child", settings=TINY, tell=told), out, items, told


def test_a_repair_learns_its_examples_keeps_the_rest_and_leaves_the_parent_alone(
    repaired: tuple[dict, Path, list[Example], Silent], tmp_path: Path
) -> None:
    told, out, items, _ = repaired
    assert told["right_before"] <= 8 and told["learned"] >= 0.9 * len(items) == pytest.approx(21.6)
    assert told["held"] == 200 and told["held_same"] >= 150
    parent = FIXTURES / "tiny-baseline"
    assert not [p for p in parent.iterdir() if p.name in ("README.md", "training_log.json")]
    mine, old = load_file(out / "child" / "model.safetensors"), load_file(parent / "model.safetensors")
    assert {k: (v.shape, v.dtype) for k, v in mine.items()} == {k: (v.shape, v.dtype) for k, v in old.items()}
    assert {p.name for p in parent.iterdir()} | {"README.md", "training_log.json"} == {p.name for p in (out / "child").iterdir()}
    forgetful = repair(items, "tiny-baseline", tmp_path / "out", name="child", settings=Settings(
        epochs=60, learning_rate=1e-3, threads=1, replay=0.0), tell=Silent())  # fmt: skip
    assert forgetful["replay"] == "none" and forgetful["held"] == 0


def test_the_run_says_what_the_two_checkpoints_say(repaired: tuple[dict, Path, list[Example], Silent]) -> None:
    told, out, items, _ = repaired
    run = evidence.read_run(out / "run")
    assert (run.models, run.splits) == (("tiny-baseline", "child"), ("suite", "examples"))
    assert dict(run.fingerprints) == {
        m: fingerprint(p) for m, p in (("tiny-baseline", FIXTURES / "tiny-baseline"), ("child", out / "child"))
    }
    table = evidence.read_records(run, "suite")
    assert set(table["split"]) == {"test"} == set(told["suite_halves"]), "a pair of dev was learned"
    said = {name: load(str(path)).predict([Pair(p, h) for p, h in zip(table["premise"], table["hypothesis"], strict=True)][:60])
            for name, path in (("tiny-baseline", FIXTURES / "tiny-baseline"), ("child", out / "child"))}  # fmt: skip
    for name, answers in said.items():
        assert [int(p.label) for p in answers] == table[f"label.{name}"].tolist()[:60]
    right = {name: (table[f"label.{name}"] == table["gold"]) for name in said}
    whole = told["suite"][0]
    assert whole["fixed"] == int((~right["tiny-baseline"] & right["child"]).sum())
    assert whole["introduced"] == int((right["tiny-baseline"] & ~right["child"]).sum())
    assert [row["slice"] for row in told["suite"]] == ["all", "negation", "ambiguity", "long", "plain"]
    own = evidence.read_records(run, "examples")
    assert own["hypothesis"].tolist() == [e.pair.hypothesis for e in items]
    assert int((own["label.child"] == own["gold"]).sum()) == told["learned"]


def test_the_card_tells_parent_examples_settings_and_what_was_measured(repaired: tuple[dict, Path, list[Example], Silent]) -> None:
    told, out, _, _ = repaired
    text = (out / "child" / "README.md").read_text()
    whole = told["suite"][0]
    low, high = wilson(whole["fixed"] + whole["still_right"], whole["n"])
    for piece in (
        f"`{resolve('tiny-baseline').fingerprint}`", "20 own, 4 suite dev", told["hash"], "learning_rate 0.001", "SNLI (tiny_train.jsonl)",
        f"{told['learned']} of 24 learned ({told['right_before']} were right before)", f"{low:.2%} to {high:.2%}",
    ):  # fmt: skip
        assert piece in text
    assert not re.search(r"/(work|tmp|home|root)/", text + (out / "child" / "training_log.json").read_text())


def test_progress_is_told_step_by_step(repaired: tuple[dict, Path, list[Example], Silent]) -> None:
    told, _, _, said = repaired
    assert [name for name, _ in said.phases] == ["asking the parent", "training", "measuring"]
    assert said.steps == said.phases[-1][1], "the last phase was counted to its end"
    assert [point["step"] for point in said.points] == list(range(1, told["steps"] + 1))
    assert said.points[-1]["loss"] < said.points[0]["loss"]


def test_what_was_trained_on_does_not_measure() -> None:
    near = TEST[0]
    mine = example(near.pair.premise.upper(), "Something else.", Label.NEUTRAL, "own")
    what = material([mine], [])
    group = [i for i in TEST if i.group == near.group]
    assert what.left_out == len(group) and not {i.example.uid for i in group} & {i.example.uid for i in what.suite}
    assert len(what.suite) == len(suite.load()) - len(group)
    assert {i.split for i in material([DEV[0].example], []).suite} == {"test"}


# ---- as a process


def ended(job: jobs.Job, seconds: float = 200) -> jobs.Job:
    until = time.time() + seconds
    while (now := jobs.find(job.id)).active:
        assert time.time() < until, now
        time.sleep(0.1)
    return now


def left(home: Path) -> list[str]:
    """What lies where checkpoints and runs go, hidden or not, and what jobs have made."""
    return sorted(
        str(p.relative_to(home)) for pattern in ("checkpoints/*", "runs/*", "jobs/*/out", "jobs/*/in") for p in home.glob(pattern)
    )


def asked(name: str, **more: float) -> jobs.Job:
    how = {"epochs": 60, "learning_rate": 1e-3, "threads": 1, "replay": 0.5} | more
    return repairs.submit("tiny-baseline", Asked(rows=own_rows(20)), name, Settings(**how))  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_repair_as_a_job_leaves_a_checkpoint_and_its_run(home: Path) -> None:
    job = asked("mine")
    with pytest.raises(InputError, match="there is a repair under way named 'mine' already"):
        asked("mine")
    done = ended(job)
    assert done.state == "done" and done.result is not None, (done.message, (Path(done.folder) / "log.txt").read_text())
    assert done.result["learned"] >= 18 and left(home) == ["checkpoints/mine", f"jobs/{job.id}/out", "runs/mine"]
    assert resolve("mine").path == str(home / "checkpoints" / "mine")
    assert next(run for run in evidence.find_runs() if run.name == "mine").models == ("tiny-baseline", "mine")
    assert [point["step"] for point in jobs.curve(done)] == list(range(1, done.result["steps"] + 1))
    with pytest.raises(InputError, match="there is a checkpoint named 'mine'"):
        asked("mine")
    jobs.forget(job.id)
    assert left(home) == ["checkpoints/mine", "runs/mine"], "the checkpoint outlives the job's folder"
    assert repairs.is_repair("mine") and not repairs.is_repair("tiny-baseline") and not repairs.is_repair("../mine")
    repairs.remove("mine")
    assert left(home) == []
    with pytest.raises(InputError, match="not made by a repair"):
        repairs.remove("tiny-baseline")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cancel", "kill"])
@pytest.mark.parametrize("phase", ["asking the parent", "training", "measuring"])
def test_a_repair_that_is_stopped_leaves_nothing(home: Path, how: str, phase: str) -> None:
    job = asked("mine", **({"epochs": 100, "learning_rate": 1e-7} if phase == "training" else {"epochs": 1}))
    until = time.time() + 200
    while (now := jobs.find(job.id)).phase != phase:
        assert now.active and time.time() < until, now
        time.sleep(0.002)
    if how == "cancel":
        jobs.cancel(job.id)
    else:
        os.kill(json.loads((Path(job.folder) / "process.json").read_text())["pid"], signal.SIGKILL)
    assert ended(job).state == {"cancel": "cancelled", "kill": "failed"}[how]
    assert left(home) == [] and repairs.free_name("mine") == "mine-repaired" and repairs.check_name("mine")


@pytest.mark.slow
def test_a_repair_that_fails_says_why_and_leaves_nothing(home: Path) -> None:
    job = asked("mine")
    (home / "checkpoints" / "mine").mkdir(parents=True)  # somebody was faster
    (home / "checkpoints" / "mine" / "theirs").write_text("x")
    now = ended(job)
    assert now.state == "failed" and "there is a checkpoint named 'mine' already" in now.message
    assert (home / "checkpoints" / "mine" / "theirs").read_text() == "x", "what is another's stays"


def test_a_read_only_server_repairs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    with pytest.raises(InputError, match="read-only"):
        asked("mine")
    with pytest.raises(InputError, match="read-only"):
        repairs.remove("mine")
    assert jobs.find_all() == []


@pytest.mark.slow
def test_the_command(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(tmp_path / "mine.csv", ({"premise": p, "hypothesis": h, "label": label} for p, h, label in own_rows(20)))
    command = [
        "robustnli",
        "repair",
        "--from",
        "tiny-baseline",
        "--data",
        str(tmp_path / "mine.csv"),
        "--epochs",
        "60",
        "--learning-rate",
        "1e-3",
    ]

    def call(*more: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", [*command, *more])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return stopped.value.code, *capsys.readouterr()  # type: ignore[return-value]

    status, out, err = call("--threads", "1", "--json")
    assert status == 0, err
    assert json.loads(out)["name"] == "tiny-baseline-repaired" and "training ..." in err
    assert (home / "checkpoints" / "tiny-baseline-repaired" / "model.safetensors").is_file()
    status, _, err = call("--name", "tiny-baseline-repaired")
    assert status == 1 and "Choose another name" in err
    status, _, err = call("--suite", "negatoin")
    assert status == 1 and "Did you mean 'negation'" in err


# ---- what a job placed


def test_what_a_job_placed_is_taken_back_and_never_what_is_anothers(tmp_path: Path) -> None:
    folder, made, target = tmp_path / "job", tmp_path / "job" / "out" / "made", tmp_path / "home" / "made"
    made.mkdir(parents=True)
    (made / "x").write_text("x")
    jobs.place(folder, made, target)
    assert (target / "x").read_text() == "x" and not made.exists()
    target.rename(tmp_path / "elsewhere")
    target.mkdir()
    jobs.take_back(folder)
    assert target.is_dir(), "another folder of that name"
    target.rmdir()
    (tmp_path / "elsewhere").rename(target)
    jobs.take_back(folder)
    assert list(target.parent.iterdir()) == [] and not (folder / "out").exists()
    made.mkdir(parents=True)
    target.mkdir()
    (target / "theirs").write_text("x")
    with pytest.raises(RunError, match="Choose another name"):
        jobs.place(folder, made, target)
    jobs.take_back(folder)
    assert (target / "theirs").read_text() == "x"


def test_known_answers_are_those_of_a_run_of_the_very_checkpoint(repaired: tuple[dict, Path, list[Example], Silent], home: Path) -> None:
    from robustnli.pipeline.measure import ask, known_answers

    told, out, items, _ = repaired
    assert known_answers(resolve("tiny-baseline")) == {}
    shutil.copytree(out / "run", home / "runs" / "before")
    known = known_answers(resolve("tiny-baseline"))
    what = material(items, [])
    assert set(known) == {i.example.uid for i in what.suite}
    known[what.suite[0].example.uid] = Prediction((0.0, 0.0, 1.0))
    counted = Silent()
    said = ask(load("tiny-baseline"), what, counted, known=known)
    assert said.suite[0].probs == (0.0, 0.0, 1.0), "taken from the run, not asked"
    assert counted.steps == len(what.pairs) and len(said.examples) == len(items) == told["examples"]
