"""The bench: its arithmetic by hand, and that what is timed gives the rivals' answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from robustnli.data import load as load_data
from robustnli.errors import InputError
from robustnli.pipeline.bench import bench, fraction
from robustnli.pipeline.bench.flops import attack, backward, forward, training
from robustnli.pipeline.bench.growth import long_pairs, measure
from robustnli.pipeline.bench.jobs import counted, model_of
from robustnli.pipeline.bench.live import live, percentiles
from robustnli.pipeline.bench.tables import AIMS, aims, kind, replace, text, write
from robustnli.pipeline.bench.timing import Timing, ceiling, interleave
from robustnli.types import Pair

FIXTURES = Path(__file__).parent / "fixtures"
SHAPE = {"num_hidden_layers": 2, "hidden_size": 4, "embedding_size": 2, "intermediate_size": 8, "num_attention_heads": 2}


def test_flops_by_hand() -> None:
    """3 tokens, width 4, inner 8, embedding 2, two layers; a product of (a, b) and (b, c) is 2abc."""
    project = 2 * 3 * 2 * 4
    linear = 2 * 3 * 4 * 4 * 4 + 2 * 3 * 4 * 8 * 2  # query, key, value, output; up and down
    attention = 2 * 3 * 3 * 4 * 2  # scores and mixtures, over all heads
    last = (
        2 * 3 * 4 * 4 * 2 + 2 * 1 * 4 * 4 * 2 + 2 * 1 * 4 * 8 * 2 + 2 * 1 * 3 * 4 * 2
    )  # key, value; of [CLS] alone: query, output, up, down, attention
    head = 2 * 4 * 4 + 2 * 4 * 3
    assert forward(SHAPE, 3, whole=True) == project + 2 * (linear + attention) + head
    assert forward(SHAPE, 3) == project + linear + attention + last + head
    assert backward(SHAPE, 3, whole=True) == forward(SHAPE, 3, whole=True) + 2 * attention
    assert backward(SHAPE, 3) == forward(SHAPE, 3) + attention + 2 * 1 * 3 * 4 * 2
    assert attack(SHAPE, 3) == 2 * forward(SHAPE, 3) + backward(SHAPE, 3)
    assert training(SHAPE, 3) == 3 * (project + 2 * linear + head) + 3 * 2 * attention
    one_width = SHAPE | {"embedding_size": 4}
    assert forward(one_width, 3) == forward(SHAPE, 3) - project


def test_electra_smalls_pair_takes_half_a_gflop() -> None:
    small = {"num_hidden_layers": 12, "hidden_size": 256, "embedding_size": 128, "intermediate_size": 1024}
    assert forward(small, 27, whole=True) / 1e9 == pytest.approx(0.52, abs=0.01)
    assert attack(small, 27, whole=True) / 1e9 == pytest.approx(1.56, abs=0.02)


def test_a_timing_and_a_fraction() -> None:
    timing = Timing((2.0, 1.0, 4.0), 9.0, 10)
    assert timing.rate == 5 and timing.summary()["least"] == 2.5 and timing.summary()["most"] == 10
    roofs = {"float32": {"best": 100.0, "big": 1.0, "like_the_model": 1.0}, "bfloat16": {"best": 200.0}}
    assert fraction({"bfloat16": 100.0, "float32": 25.0}, 1.0, roofs) == pytest.approx(0.75)
    assert percentiles([*range(1, 101)]) == {"p50": 50.5, "p95": 95, "least": 1, "most": 100}


def test_contenders_take_turns() -> None:
    done: list[str] = []
    timings = interleave({name: (1, lambda name=name: done.append(name)) for name in "ab"}, 3)  # type: ignore[misc]
    assert "".join(done) == "ab" + "ab" + "ba" + "ab"
    assert all(len(t.seconds) == 3 for t in timings.values())


def test_the_ceiling_is_the_best_of_what_was_measured() -> None:
    roof = ceiling(torch.float32, ((64, 64), (64, 128)), seconds=0.01)
    assert roof["best"] >= roof["big"] > 0 and roof["best"] >= roof["like_the_model"] > 0


@pytest.fixture(scope="module")
def quick() -> dict:
    examples = load_data(str(FIXTURES / "tiny_eval.jsonl")).examples
    return bench([str(FIXTURES / "tiny-baseline")], examples, quick=True)


def test_the_fast_paths_answer_as_the_naive_ones(quick: dict) -> None:
    (model,) = quick["models"]
    agreement = {job["job"]: job["agreement"] for job in model["jobs"]}
    assert agreement["attack"]["naive"] == agreement["predict"]["pipeline"] == agreement["attribute"]["captum"] == 1
    assert agreement["mask map"]["one by one"] == 1
    assert agreement["attack"]["flips"] > 0 and agreement["attack"]["flips confirmed"] == 1
    if "bfloat16" in model["ceiling_gflops"]:
        assert agreement["attack"]["same words as float32"] >= 0.96 and agreement["predict"]["bfloat16 as float32"] >= 0.96


def test_its_figures_hang_together(quick: dict) -> None:
    (model,) = quick["models"]
    assert model["shape"]["num_hidden_layers"] == 2 and quick["asked"]["pairs"] == 32
    for job in model["jobs"]:
        first = next(iter(job["contenders"].values()))
        for c in job["contenders"].values():
            assert 0 < c["least"] <= c["pairs_per_second"] <= c["most"]
        for name, times in job["times_faster"].items():
            assert times == pytest.approx(first["pairs_per_second"] / job["contenders"][name]["pairs_per_second"])
    attack_job, predict_job = model["jobs"][0]["contenders"]["float32"], model["jobs"][1]["contenders"]["float32"]
    expected = predict_job["gflop_a_pair"] * 1e9 * predict_job["pairs_per_second"] / model["ceiling_gflops"]["float32"]["best"] / 1e9
    assert predict_job["fraction_of_ceiling"] == pytest.approx(expected)
    assert attack_job["gflop_a_pair"] == pytest.approx(3 * predict_job["gflop_a_pair"], rel=0.2)


def test_the_work_of_the_attack_is_counted_as_it_is_done() -> None:
    model = model_of(str(FIXTURES / "tiny-baseline"))
    encodings = model.encode([Pair("A cat is sitting.", "A cat is swimming."), Pair("A dog.", "A cat.")])
    with counted(model) as gflop:
        model.ask(encodings, {0: None})
    lengths = [len(e.ids) for e in encodings]
    config = model.parts.config
    assert gflop == {"float32": (forward(config, lengths[0]) + backward(config, lengths[0]) + forward(config, lengths[1])) / 1e9}
    model.ask(encodings, {})
    assert list(gflop) == ["float32"]


def test_every_aim_is_judged_and_every_table_written(quick: dict, tmp_path: Path) -> None:
    (model,) = quick["models"]
    judged = aims(model)
    assert len(judged) == len(AIMS) - (0 if "bfloat16" in model["ceiling_gflops"] else 2)
    assert all(reached == (got >= aim) for _, aim, got, reached in judged)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    write(page, json.loads(json.dumps(quick)))
    told = page.read_text()
    assert told.startswith("before\n") and told.endswith("after\n") and "old" not in told and "tiny-baseline" in told
    with pytest.raises(InputError, match="live"):
        replace(page, "live", "")


def test_the_live_bench_checks_each_answer() -> None:
    pairs = [Pair("A cat is sitting.", "A cat is swimming."), Pair("A dog is running in a park.", "The dog is late.")]
    result = live([str(FIXTURES / "tiny-baseline"), str(FIXTURES / "tiny-finetuned")], pairs, users=3, quick=True)
    assert result["all_users"]["wrong"] == 0 and result["all_users"]["answers"] >= 3
    assert kind(result) == "live" and "3 users at once" in text(result)
    assert result["one_click"]["p50"] < result["one_user"]["p95"]


def test_growth_measures_what_it_says() -> None:
    row = measure(str(FIXTURES / "tiny-baseline"), [str(FIXTURES / "tiny_eval.jsonl")], "pairs", 40, 1)
    assert row["pairs"] == 40 and row["seconds"] > 0 and row["peak_memory"] >= row["memory_before"] > 0
    model = model_of(str(FIXTURES / "tiny-baseline"))
    for length in (8, 64, 512):
        items = long_pairs(length, 2)
        assert {len(e.ids) for e in model.encode([item.pair for item in items])} == {length} and len(items) == 2


def test_what_there_is_not_is_refused() -> None:
    examples = load_data(str(FIXTURES / "tiny_eval.jsonl")).examples[:2]
    for change in ({"against": ["textattack"]}, {"only": ["dance"]}, {"pairs": 0}):
        with pytest.raises(InputError):
            bench([str(FIXTURES / "tiny-baseline")], examples, quick=True, **change)  # type: ignore[arg-type]


def test_it_runs_with_the_threads_it_states() -> None:
    before = torch.get_num_threads()
    examples, seen = load_data(str(FIXTURES / "tiny_eval.jsonl")).examples, []
    try:
        made = bench(
            ["baseline"],
            examples,
            only=["predict"],
            against=[],
            quick=True,
            threads=2,
            say=lambda line: seen.append(torch.get_num_threads()),
        )
    finally:
        torch.set_num_threads(before)
    assert seen == [2] == [made["asked"]["threads"]], "loading a model sets the threads that a server needs"
