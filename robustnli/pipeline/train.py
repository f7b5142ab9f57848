"""Training with `transformers.Trainer`: length buckets, class balance, saves that survive `kill -9`, a resume to the same end.

`out` appears only when the run is done; until then everything lies in `out.training/`, whose checkpoints carry a
marker once they are whole. `accelerate launch` spreads the same call over processes and machines.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import Dataset, Sampler
from transformers import (
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from robustnli.errors import InputError, RunError
from robustnli.pipeline.encoder import Start, start_from
from robustnli.records import write_json
from robustnli.types import LABELS, Example

WHOLE = "WHOLE"  # written into a checkpoint folder after everything else


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How to train; checked when made. Rates are per optimizer step, lengths in tokens."""

    epochs: float = 4.0
    batch_size: int = 64
    learning_rate: float = 2e-4
    warmup: float = 0.06
    weight_decay: float = 0.01
    layer_decay: float = 1.0
    label_smoothing: float = 0.0
    balance: bool = True
    dropout: float = 0.0
    attention_dropout: float = 0.0
    max_length: int = 128
    evals: int = 4
    average: int = 3
    patience: int = 0
    distill_weight: float = 0.0
    seed: int = 13
    threads: int = 0
    bf16: bool = True

    def __post_init__(self) -> None:
        positive = ("epochs", "batch_size", "learning_rate", "max_length", "evals", "average")
        for name in positive:
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must be above 0.")
        for name in ("warmup", "weight_decay", "label_smoothing", "dropout", "attention_dropout", "distill_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be between 0 and 1.")


class Encoded(Dataset):  # type: ignore[type-arg]
    """Tokenised examples; `lengths` in tokens. `soft` (n, 3): a teacher's probabilities to learn from as well."""

    def __init__(self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int, soft: np.ndarray | None = None):
        out = tokenizer(
            [e.pair.premise for e in examples], [e.pair.hypothesis for e in examples], truncation="longest_first", max_length=max_length
        )
        self.ids: list[list[int]] = out["input_ids"]
        self.types: list[list[int]] = out["token_type_ids"]
        self.labels = [int(e.label) for e in examples]
        self.lengths = [len(row) for row in self.ids]
        self.soft = soft

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = {"input_ids": self.ids[index], "token_type_ids": self.types[index], "labels": self.labels[index]}
        return row if self.soft is None else row | {"soft": self.soft[index].tolist()}


class BucketSampler(Sampler[int]):
    """Indices so that each batch holds rows of like length, batches in random order.

    The order depends on (seed, epoch) alone, never on a random state, so that a resumed run sees the same batches.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int, *, pool: int = 50):
        self.lengths, self.batch_size, self.seed, self.pool, self.epoch = np.asarray(lengths), batch_size, seed, pool, 0

    def set_epoch(self, epoch: int) -> None:
        """Trainer calls this at the start of each epoch, also after a resume."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng((self.seed, self.epoch))
        order = random.permutation(len(self.lengths))
        size = self.batch_size * self.pool
        batches: list[np.ndarray] = []
        for start in range(0, len(order), size):
            chunk = order[start : start + size]
            chunk = chunk[np.argsort(self.lengths[chunk], kind="stable")]
            batches += [chunk[i : i + self.batch_size] for i in range(0, len(chunk), self.batch_size)]
        # A short batch anywhere but at the end would shift every later one.
        whole = [b for b in batches if len(b) == self.batch_size]
        short = [b for b in batches if len(b) < self.batch_size]
        for i in random.permutation(len(whole)):
            yield from whole[i].tolist()
        for batch in short:
            yield from batch.tolist()


class NLITrainer(Trainer):
    """Trainer with length buckets, class weights, an optional teacher and a layer-wise learning rate."""

    def __init__(self, *, settings: TrainSettings, class_weights: torch.Tensor, **kwargs: Any):
        super().__init__(**kwargs)
        self.settings, self.class_weights = settings, class_weights

    def _get_train_sampler(self, train_dataset: Any = None) -> BucketSampler:
        return BucketSampler(self.train_dataset.lengths, self.args.per_device_train_batch_size, self.args.seed)  # type: ignore[union-attr]

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        labels, soft = inputs.pop("labels"), inputs.pop("soft", None)
        logits = forward_in(model, inputs, half=self.settings.bf16).float()  # (batch, 3)
        smoothing = self.settings.label_smoothing if model.training else 0.0
        weight = self.class_weights.to(logits.device) if model.training else None
        loss = torch.nn.functional.cross_entropy(logits, labels, weight=weight, label_smoothing=smoothing)
        if soft is not None and model.training:
            taught = -(soft * logits.log_softmax(-1)).sum(-1).mean()
            loss = (1 - self.settings.distill_weight) * loss + self.settings.distill_weight * taught
        return (loss, {"logits": logits}) if return_outputs else loss

    def create_optimizer(self, model: Any = None) -> Any:
        if getattr(self, "optimizer", None) is None:
            self.optimizer: Any = torch.optim.AdamW(_layer_groups(self.model, self.settings), fused=True)
        return self.optimizer


def forward_in(model: Any, inputs: dict[str, Any], *, half: bool) -> torch.Tensor:
    """Logits; `half` runs the whole network in bf16 on casts of the float32 weights.

    On a CPU this is 1.4 times autocast's speed, which keeps norms, GELU and softmax in float32; the gradients
    arrive at the float32 weights, so nothing of an update is rounded away.
    """
    if not half:
        logits: torch.Tensor = model(**inputs).logits
        return logits
    cast = {name: p.to(torch.bfloat16) for name, p in model.named_parameters()}
    logits = torch.func.functional_call(model, cast, kwargs=inputs).logits
    return logits


def _layer_groups(model: Any, settings: TrainSettings) -> list[dict[str, Any]]:
    """Parameter groups: the head at the full rate, each layer below at `layer_decay` of the one above."""
    depth = model.config.num_hidden_layers
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, parameter in model.named_parameters():
        level = depth + 1 if name.startswith("classifier") else 0
        if ".layer." in name:
            level = int(name.split(".layer.")[1].split(".")[0]) + 1
        decay = 0.0 if name.endswith("bias") or "LayerNorm" in name else settings.weight_decay
        rate = settings.learning_rate * settings.layer_decay ** (depth + 1 - level)
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": params, "lr": rate, "weight_decay": decay} for (rate, decay), params in groups.items()]


class MarkWhole(TrainerCallback):
    """Marks a checkpoint once all of it is on disk, so that a resume never takes half a one."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero:
            for path in folder.iterdir():
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
            (folder / WHOLE).write_text("")


class TellProgress(TrainerCallback):
    """One line on stderr for each log entry, where no bar is drawn."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if state.is_world_process_zero and args.disable_tqdm and logs:
            told = "  ".join(
                f"{key} {float(value):.4g}" for key, value in logs.items() if key in ("loss", "eval_loss", "eval_accuracy", "epoch")
            )
            print(f"step {state.global_step} of {state.max_steps}  {told}", file=sys.stderr, flush=True)


class StopAtPlateau(TrainerCallback):
    """Stops after `patience` evaluations without a better dev accuracy."""

    def __init__(self, patience: int):
        self.patience = patience

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        scores = [row["eval_accuracy"] for row in state.log_history if "eval_accuracy" in row]
        if len(scores) > self.patience and scores.index(max(scores)) < len(scores) - self.patience:
            control.should_training_stop = True


def class_weights(examples: Sequence[Example]) -> torch.Tensor:
    """Inverse frequency, mean 1 over the examples: each class counts the same in the loss. Shape (3,)."""
    counts = np.bincount([int(e.label) for e in examples], minlength=len(LABELS))
    if (counts == 0).any():
        absent = ", ".join(label.text for label in LABELS if counts[label] == 0)
        raise RunError(f"no training example is labelled {absent}. Give data with all three labels.")
    return torch.tensor(counts.sum() / (len(LABELS) * counts), dtype=torch.float32)


def hold_out(examples: Sequence[Example], *, seed: int, share: float = 0.05) -> tuple[list[Example], list[Example]]:
    """(train, held out): all pairs of one premise go to one side, so that no premise is in both."""
    premises = sorted({e.pair.premise for e in examples})
    held = set(np.random.default_rng(seed).choice(premises, max(1, round(len(premises) * share)), replace=False).tolist())
    return [e for e in examples if e.pair.premise not in held], [e for e in examples if e.pair.premise in held]


def train(
    examples: Sequence[Example],
    dev: Sequence[Example],
    *,
    encoder: str,
    out: Path,
    settings: TrainSettings,
    resume: bool = False,
    soft: np.ndarray | None = None,
) -> dict[str, Any]:
    """Train from `encoder` and leave a whole checkpoint folder in `out`; returns its training log.

    The end is the average of the last `average` saves or the best single one, whichever is better on `dev`.
    `resume` goes on from the newest whole checkpoint of an interrupted call with the same arguments.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    set_seed(settings.seed)
    start = start_from(encoder, dropout=settings.dropout, attention_dropout=settings.attention_dropout)
    work = prepare_folders(out, resume=resume)
    data = Encoded(examples, start.tokenizer, settings.max_length, soft)
    by_length = sorted(dev, key=lambda e: len(e.pair.premise) + len(e.pair.hypothesis))  # the Trainer pads each batch to its longest
    held = Encoded(by_length, start.tokenizer, settings.max_length)
    trainer = _trainer(start, data, held, class_weights(examples) if settings.balance else torch.ones(len(LABELS)), work, settings)
    begun = time.time()
    last = newest_whole(work) if resume else None
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    log: dict[str, Any] = {
        "encoder": start.origin,
        "settings": asdict(settings),
        "train_pairs": len(data),
        "dev_pairs": len(held),
        "steps": trainer.state.global_step,
        "seconds": round(time.time() - begun, 1),
        "resumed": last is not None,
        "history": trainer.state.log_history,
    }
    if start.trim:
        log["trim"] = start.trim
    log["chosen"] = _choose(trainer, work, settings)  # evaluation gathers over all processes
    if trainer.is_world_process_zero():
        finish(trainer, start, out, work, log)
    trainer.accelerator.wait_for_everyone()
    return log


def prepare_folders(out: Path, *, resume: bool) -> Path:
    """The work folder of a run that will end in `out`. Raises RunError rather than overwrite anything."""
    work = out.with_name(out.name + ".training")
    if out.exists():
        raise RunError(f"{out} exists already. Give another --out, or move it away first.")
    if newest_whole(work) and not resume:
        raise RunError(f"{work} holds an interrupted run. Go on with --resume, or delete that folder to start again.")
    if not resume and os.environ.get("RANK", "0") == "0":
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    return work


def newest_whole(work: Path) -> Path | None:
    """The newest checkpoint in `work` that was saved to its end."""
    whole = [path.parent for path in work.glob(f"checkpoint-*/{WHOLE}")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def _trainer(start: Start, data: Encoded, dev: Encoded, weights: torch.Tensor, work: Path, settings: TrainSettings) -> NLITrainer:
    world = int(os.environ.get("WORLD_SIZE", "1"))
    steps = math.ceil(math.ceil(len(data) / (settings.batch_size * world)) * settings.epochs)
    every = math.ceil(steps / settings.evals)  # the last of them is the last step
    arguments = TrainingArguments(
        output_dir=str(work),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=128,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=settings.warmup,
        max_grad_norm=1.0,
        eval_strategy="steps",
        eval_steps=every,
        save_steps=every,
        save_total_limit=max(settings.average, settings.patience + 1) + 1,
        logging_steps=max(1, every // 8),
        seed=settings.seed,
        use_cpu=not torch.cuda.is_available(),
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=not sys.stderr.isatty(),
    )
    callbacks: list[TrainerCallback] = [MarkWhole(), TellProgress()]
    if settings.patience:
        callbacks.append(StopAtPlateau(settings.patience))
    trainer = NLITrainer(
        settings=settings,
        class_weights=weights,
        model=start.model,
        args=arguments,
        train_dataset=data,
        eval_dataset=dev,
        data_collator=DataCollatorWithPadding(start.tokenizer),
        compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(-1) == p.label_ids).mean())},
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)  # it prints to stdout, which is the result's
    return trainer


def _choose(trainer: NLITrainer, work: Path, settings: TrainSettings) -> dict[str, Any]:
    """Load into the trainer's model the better on dev of: the best save, the average of the last saves."""
    saves = sorted(work.glob(f"checkpoint-*/{WHOLE}"), key=lambda p: int(p.parent.name.split("-")[1]))
    scores = {row["step"]: row["eval_accuracy"] for row in trainer.state.log_history if "eval_accuracy" in row}
    best = max((s.parent for s in saves), key=lambda folder: scores.get(int(folder.name.split("-")[1]), 0.0))
    averaged = [s.parent for s in saves][-settings.average :]
    single = load_file(best / "model.safetensors")
    mean = average([folder / "model.safetensors" for folder in averaged])
    tried = []
    for name, weights in ((best.name, single), (f"average of {', '.join(f.name for f in averaged)}", mean)):
        trainer.model.load_state_dict(weights)
        metrics = trainer.evaluate()
        tried.append({"weights": name, "dev_accuracy": metrics["eval_accuracy"], "dev_loss": metrics["eval_loss"]})
    chosen = max(tried, key=lambda row: (row["dev_accuracy"], -row["dev_loss"]))
    trainer.model.load_state_dict(single if chosen is tried[0] else mean)
    return {"chosen": chosen["weights"], "tried": tried}


def average(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    """The element-wise mean of safetensors files with the same names and shapes (float32)."""
    total = {key: value.float() for key, value in load_file(paths[0]).items()}
    for path in paths[1:]:
        for key, value in load_file(path).items():
            total[key] += value.float()
    return {key: value / len(paths) for key, value in total.items()}


def finish(trainer: NLITrainer, start: Start, out: Path, work: Path, log: dict[str, Any]) -> None:
    """Write the checkpoint folder beside `out`, then move it there in one step and delete the work folder."""
    folder = work / "final"
    shutil.rmtree(folder, ignore_errors=True)
    write_checkpoint(trainer.model, start.tokenizer, folder)
    write_json(folder / "training_log.json", json.loads(json.dumps(log, default=float)))
    folder.replace(out)
    shutil.rmtree(work, ignore_errors=True)


def write_checkpoint(model: Any, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """The Hugging Face folder: half-precision model.safetensors, config.json with id2label, tokenizer."""
    folder.mkdir(parents=True)
    tokenizer.save_pretrained(folder)
    # A trained tokenizer.json may carry a sentence encoder's truncation to 128; ours is decided by the caller.
    spec = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    spec["truncation"] = spec["padding"] = None
    (folder / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    config = json.loads(model.config.to_json_string(use_diff=False))
    keep = dict(model.config.to_diff_dict()) | {k: config[k] for k in ("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers")}
    keep |= {"architectures": ["ElectraForSequenceClassification"], "dtype": "float16"}
    write_json(folder / "config.json", keep)
    weights = {key: value.detach().to(torch.float16).contiguous() for key, value in model.state_dict().items()}
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
