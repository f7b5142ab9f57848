"""Training: settings, batches, and a resume after kill -9 that ends where an uninterrupted run ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from robustnli.data import load as load_data
from robustnli.errors import CheckpointError, InputError, RunError
from robustnli.pipeline.train import WHOLE, BucketSampler, TrainSettings, average, class_weights, hold_out, newest_whole, prepare_folders
from robustnli.types import Label, example

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"batch_size": -1}, {"dropout": 1.5}, {"learning_rate": 0.0}])
def test_settings_check_themselves(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(bad))):
        TrainSettings(**bad)  # type: ignore[arg-type]


def test_batches_are_alike_in_length_and_depend_on_seed_and_epoch_alone() -> None:
    lengths = np.random.default_rng(0).integers(5, 80, 1000).tolist()
    sampler = BucketSampler(lengths, 16, seed=1)
    first, again = list(sampler), list(sampler)
    assert sorted(first) == list(range(1000)) and first == again
    sampler.set_epoch(1)
    assert sorted(sampler) == list(range(1000)) and list(sampler) != first
    assert list(BucketSampler(lengths, 16, seed=2)) != first
    spread = [np.ptp([lengths[i] for i in first[s : s + 16]]) for s in range(0, 992, 16)]
    assert np.mean(spread) < 8


def test_class_weights_are_inverse_frequency() -> None:
    rows = [example(str(i), "h", Label.NEUTRAL if i < 6 else Label(2 * (i % 2))) for i in range(12)]
    assert class_weights(rows).tolist() == pytest.approx([12 / (3 * 3), 12 / (3 * 6), 12 / (3 * 3)])
    with pytest.raises(RunError, match="entailment"):
        class_weights(rows[:6])


def test_hold_out_splits_by_premise() -> None:
    rows = [example(f"p{i // 3}", f"h{i}", Label(i % 3)) for i in range(300)]
    train, held = hold_out(rows, seed=1)
    assert len(train) + len(held) == 300 and len(held) == 15
    assert not {e.pair.premise for e in train} & {e.pair.premise for e in held}


def test_average_is_the_mean(tmp_path: Path) -> None:
    for i in range(3):
        save_file({"w": torch.full((2,), float(i))}, str(tmp_path / f"{i}.safetensors"))
    assert average([tmp_path / f"{i}.safetensors" for i in range(3)])["w"].tolist() == [1, 1]


def test_folders_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "done").mkdir()
    with pytest.raises(RunError, match="exists already"):
        prepare_folders(tmp_path / "done", resume=True)
    half = tmp_path / "run.training" / "checkpoint-5"
    half.mkdir(parents=True)
    assert newest_whole(half.parent) is None, "without its marker a save does not count"
    (half / WHOLE).write_text("")
    with pytest.raises(RunError, match="--resume"):
        prepare_folders(tmp_path / "run", resume=False)
    assert prepare_folders(tmp_path / "run", resume=True) == half.parent


def command(out: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "robustnli", "train", "--data", str(FIXTURES / "tiny_train.jsonl"), "--dev", str(FIXTURES / "tiny_eval.jsonl"),
        "--encoder", str(FIXTURES / "tiny-baseline"), "--out", str(out), "--epochs", "3", "--learning-rate", "1e-3", "--evals", "6",
        "--dropout", "0.1", "--threads", "1", "--json", *more,
    ]  # fmt: skip


@pytest.mark.slow
def test_resume_after_kill_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole = subprocess.run(command(tmp_path / "whole"), capture_output=True, text=True)
    assert whole.returncode == 0, whole.stderr
    killed = subprocess.Popen(command(tmp_path / "cut"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    work = tmp_path / "cut.training"
    deadline = time.time() + 120
    while time.time() < deadline and newest_whole(work) is None:
        time.sleep(0.05)
    time.sleep(0.3)  # into the steps after the save, which the resume must do again
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert newest_whole(work) and not (tmp_path / "cut").exists()
    assert subprocess.run(command(tmp_path / "cut"), capture_output=True).returncode == 1, "an interrupted run is not thrown away unasked"
    resumed = subprocess.run(command(tmp_path / "cut", "--resume"), capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stderr
    logs = [json.loads((tmp_path / name / "training_log.json").read_text()) for name in ("whole", "cut")]
    assert [log["resumed"] for log in logs] == [False, True]
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not work.exists()


def test_what_is_no_encoder_is_refused(tmp_path: Path) -> None:
    from robustnli.pipeline.encoder import start_from

    with pytest.raises(CheckpointError, match="no encoder"):
        start_from(str(tmp_path), dropout=0, attention_dropout=0)


def test_a_bert_folder_is_copied_by_name(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel, BertTokenizer

    from robustnli.pipeline.encoder import start_from

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man"]
    BertTokenizer(vocab={w: i for i, w in enumerate(vocabulary)}).save_pretrained(tmp_path)
    bert = BertModel(BertConfig(vocab_size=7, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24)).eval()
    bert.save_pretrained(tmp_path)
    start = start_from(str(tmp_path), dropout=0.0, attention_dropout=0.0)
    ids = torch.tensor([[2, 5, 6, 3]])
    with torch.no_grad():
        copied = start.model.electra.eval()(input_ids=ids).last_hidden_state
        assert torch.allclose(copied, bert(input_ids=ids).last_hidden_state, atol=1e-5)
    weights = load_file(tmp_path / "model.safetensors")
    save_file({k: v for k, v in weights.items() if "layer.1" not in k}, str(tmp_path / "model.safetensors"), metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="weights are missing"):
        start_from(str(tmp_path), dropout=0.0, attention_dropout=0.0)


def test_the_real_data_loads(data_dir: Path) -> None:
    loaded = load_data(str(data_dir / "eval" / "snli_dev.jsonl.gz"))
    assert (len(loaded.examples), loaded.unlabelled) == (9842, 0)
