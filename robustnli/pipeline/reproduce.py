"""The whole experiment as one call: baseline, attack, fine-tuning, both attacks on the held-out data, records, report.

`clean` attacks training pairs, tunes on dev and scores test. `paper` does as the paper printed: the adversarial examples come
from the very split that is scored, so the fine-tuned model has seen it; every output is stamped with that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from robustnli.checkpoints import fingerprint
from robustnli.config import REPOSITORY
from robustnli.data import load as load_source
from robustnli.errors import InputError
from robustnli.models import NLIModel, load
from robustnli.pipeline import runs
from robustnli.pipeline.generate import generate, sample, to_row
from robustnli.pipeline.probe import fit
from robustnli.pipeline.report import DEPTHS, Attacked, Scored, build, to_markdown
from robustnli.pipeline.train import TrainSettings, newest_whole, train
from robustnli.records import Row, write_json, write_rows
from robustnli.slices import STANDARD
from robustnli.types import LABELS, Attack, Example, Prediction, Status

Scale = Literal["tiny", "shipped", "paper"]
Protocol = Literal["clean", "paper"]
LEAKS = "leaks: trained on the split it scores"
Data = dict[str, tuple[Example, ...]]
Done = Callable[[str, dict[str, Any], Callable[[], dict[str, Any]]], dict[str, Any]]
FIXTURES = REPOSITORY / "tests" / "fixtures"


@dataclass(frozen=True, slots=True)
class Sources:
    """The three splits, as `data.load` takes them."""

    train: str
    dev: str
    test: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that decides a run's result. `per_class` pairs of each label are attacked for fine-tuning."""

    scale: Scale
    protocol: Protocol
    encoder: str
    sources: Sources
    per_class: int
    baseline: TrainSettings
    finetuned: TrainSettings
    seed: int = 13


def plan(scale: Scale, protocol: Protocol, *, data: Path | None = None, encoder: str | None = None, threads: int = 0) -> Plan:
    """The plan of a scale. `shipped` needs `data` (a folder with train/snli_train and eval/snli_dev, snli_test) and an encoder."""
    if scale == "tiny":
        first = TrainSettings(epochs=3, learning_rate=1e-3, dropout=0.1, evals=3, threads=threads)
        second = TrainSettings(epochs=2, learning_rate=5e-4, evals=2, threads=threads)
        sources = Sources(*(str(FIXTURES / f"tiny_{name}.jsonl") for name in ("train", "eval", "test")))
        start, per_class = encoder or str(FIXTURES / "tiny-baseline"), 200
    elif scale == "paper":
        first = TrainSettings(epochs=3, learning_rate=1e-4, dropout=0.1, threads=threads)
        second = TrainSettings(epochs=1, learning_rate=5e-5, dropout=0.1, patience=3, threads=threads)
        sources = Sources(*(f"stanfordnlp/snli:{name}" for name in ("train", "validation", "test")))
        start, per_class = encoder or "google/electra-small-discriminator", 5000
    elif data is None or encoder is None:
        raise InputError("the shipped scale needs --data (a folder with train/ and eval/) and --encoder (a folder or hub id).")
    else:
        first, second = shipped_baseline(threads), shipped_finetuned(threads)
        sources = Sources(
            *(str(data / name) for name in ("train/snli_train.jsonl.gz", "eval/snli_dev.jsonl.gz", "eval/snli_test.jsonl.gz"))
        )
        start, per_class = encoder, 5000
    return Plan(scale=scale, protocol=protocol, encoder=start, sources=sources, per_class=per_class, baseline=first, finetuned=second)


def shipped_baseline(threads: int) -> TrainSettings:
    """What the shipped baseline was trained with."""
    return TrainSettings(
        epochs=4, learning_rate=1.5e-4, dropout=0.1, label_smoothing=0.05, layer_decay=0.95, evals=6, seed=21, threads=threads
    )


def shipped_finetuned(threads: int) -> TrainSettings:
    """What the shipped finetuned checkpoint was trained with."""
    return TrainSettings(epochs=1, learning_rate=1e-4, dropout=0.1, label_smoothing=0.05, evals=4, patience=3, seed=13, threads=threads)


def reproduce(plan: Plan, out: Path, *, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Do every stage of `plan` that `out` does not hold yet; returns the report, which also lies in out/report.json and report.md."""
    runs.open_run(out, asdict(plan))
    data = {name: load_source(source).examples for name, source in asdict(plan.sources).items()}
    hashes = {name: runs.content_hash(rows) for name, rows in data.items()}
    folders = {name: out / "checkpoints" / name for name in ("baseline", "finetuned")}

    def done(name: str, inputs: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return runs.stage(out, name, inputs, work, say, together=name not in ("probe", "audit"))

    _checkpoints(plan, out, data, hashes, folders, done)
    models = {name: fingerprint(folder) for name, folder in folders.items()}
    records: dict[str, list[Row]] = {}
    for part in ("dev", "test"):
        work = partial(_score, out, folders, data[part], part)
        records[part] = done(f"scored-{part}", {"models": models, "data": hashes[part]}, work)["rows"]
    probe = done("probe", {"train": hashes["train"], "test": hashes["test"]}, lambda: _probe(data))
    audit = done("audit", {"models": models, "test": hashes["test"]}, lambda: _audit(folders, data["test"]))
    leaked = {e.uid for e in _drawn(plan, data)} if plan.protocol == "paper" else set()
    splits = [_scored(part, data[part], rows) for part, rows in records.items()]
    report = {"scale": plan.scale, "protocol": plan.protocol, "stamp": LEAKS if plan.protocol == "paper" else None} | build(
        splits, probe=probe, audit=audit, leaked=sum(e.uid in leaked for e in data["test"])
    )
    if runs.leads():
        for part, rows in records.items():
            write_rows(out / "records" / f"{part}.parquet", rows)
        write_json(out / "report.json", report)
        (out / "report.md").write_text(to_markdown(report), encoding="utf-8")
        write_json(out / "manifest.json", _manifest(plan, out, hashes, models))
    runs.meet()
    return report


def _checkpoints(plan: Plan, out: Path, data: Data, hashes: dict[str, str], folders: dict[str, Path], done: Done) -> None:
    """The stages baseline, masked, finetuned."""
    held, base = data["dev"], folders["baseline"]
    inputs = {"train": hashes["train"], "dev": hashes["dev"]}
    done("baseline", inputs, lambda: _train(data["train"], held, plan.encoder, base, plan.baseline))
    drawn, file = _drawn(plan, data), out / "masked.jsonl"
    attacked = {"model": fingerprint(base), "examples": runs.content_hash(drawn)}
    done("masked", attacked, lambda: _mask(out, base, drawn, file, plan.seed))
    more = load_source(str(file)).examples
    second = inputs | {"from": fingerprint(base), "masked": runs.content_hash(more)}
    done("finetuned", second, lambda: _train((*data["train"], *more), held, str(base), folders["finetuned"], plan.finetuned))


def _drawn(plan: Plan, data: Data) -> list[Example]:
    return sample(data["test" if plan.protocol == "paper" else "train"], plan.per_class, plan.seed)


def _train(examples: Sequence[Example], dev: Sequence[Example], start: str, folder: Path, settings: TrainSettings) -> dict[str, Any]:
    """Train into `folder`; go on from an interrupted call."""
    resume = newest_whole(folder.with_name(folder.name + ".training")) is not None
    runs.meet()
    if runs.leads():
        shutil.rmtree(folder, ignore_errors=True)
    runs.meet()
    log = train(list(examples), list(dev), encoder=start, out=folder, settings=settings, resume=resume)
    runs.meet()
    return {"steps": log["steps"], "seconds": log["seconds"], "chosen": log["chosen"], "fingerprint": fingerprint(folder)}


def _mask(out: Path, folder: Path, examples: Sequence[Example], file: Path, seed: int) -> dict[str, Any]:
    model = load(str(folder))
    rows = runs.sharded(out, "masked", examples, lambda part: [to_row(a, model, seed=seed) for a in generate(model, part)])
    if runs.leads():
        write_rows(file, rows)
    runs.meet()
    count = {status.value: sum(row["status"] == status.value for row in rows) for status in Status}
    return {"n": len(rows), **count}


def _score(out: Path, folders: dict[str, Path], examples: Sequence[Example], part: str) -> dict[str, Any]:
    """rows: one row an example, no text: gold, slices, each model's probabilities, and both attacks with each model's answer to them."""
    models = {name: load(str(folder)) for name, folder in folders.items()}
    return {"rows": runs.sharded(out, f"scored-{part}", examples, lambda rows: _score_rows(models, rows))}


def _score_rows(models: dict[str, NLIModel], examples: Sequence[Example]) -> list[Row]:
    rows: list[Row] = [
        {"uid": e.uid, "gold": int(e.label), "slices": [part.name for part in STANDARD if part.holds(e)], "probs": {}, "attacks": {}}
        for e in examples
    ]
    for name, model in models.items():
        for row, prediction in zip(rows, model.predict([e.pair for e in examples]), strict=True):
            row["probs"][name] = list(prediction.probs)
        deepest = generate(model, examples, k=DEPTHS[-1])
        first = generate(model, examples, k=1)
        answers = {other: scorer.predict([a.pair for a in first]) for other, scorer in models.items()}
        for i, row in enumerate(rows):
            row["attacks"][name] = _attack_row(first[i], deepest[i]) | {
                "probs": {other: list(said[i].probs) for other, said in answers.items()}
            }
    return rows


def _attack_row(first: Attack, deepest: Attack) -> Row:
    """`masked`: [start, end, pieces] of the words in the order masked; `broke_at`: how many masks the first flip took (0: wrong before)."""
    broke = 0 if deepest.status is Status.SKIPPED else len(deepest.words) if deepest.status is Status.BROKEN else None
    return {
        "masked": [[w.start, w.end, w.pieces] for w in first.words],
        "scores": [round(score, 6) for score in deepest.scores],
        "status": first.status.value,
        "broke_at": broke,
        "tried": deepest.tried,
        "words_masked": len(deepest.words),
    }


def _scored(part: str, examples: Sequence[Example], rows: Sequence[Row]) -> Scored:
    names = list(rows[0]["probs"])
    predictions = {name: [Prediction(tuple(row["probs"][name])) for row in rows] for name in names}
    attacks = {
        name: Attacked(
            {other: [Prediction(tuple(row["attacks"][name]["probs"][other])) for row in rows] for other in names},
            tuple(row["attacks"][name]["broke_at"] for row in rows),
            tuple(row["attacks"][name]["tried"] for row in rows),
            tuple(row["attacks"][name]["words_masked"] for row in rows),
        )
        for name in names
    }
    return Scored(part, tuple(examples), predictions, attacks)


def _probe(data: Data) -> dict[str, Any]:
    probe = fit(data["train"])
    said = probe.predict([e.pair.hypothesis for e in data["test"]])
    return {"hard": [i for i, (e, p) in enumerate(zip(data["test"], said, strict=True)) if p.label != e.label], "n": len(said)}


def _audit(folders: dict[str, Path], examples: Sequence[Example]) -> dict[str, Any]:
    from robustnli.pipeline.audit import audit

    out: dict[str, Any] = {}
    for name, folder in folders.items():
        forms = audit(load(str(folder)), [e.pair for e in examples])
        out[name] = {form: _shares(examples, said) for form, said in forms.items()}
    return out


def _shares(examples: Sequence[Example], said: Sequence[Prediction]) -> dict[str, Any]:
    right = sum(p.label == e.label for e, p in zip(examples, said, strict=True))
    return {"right": right, "n": len(said), "predicted": {label.text: sum(p.label == label for p in said) for label in LABELS}}


def _manifest(plan: Plan, out: Path, hashes: dict[str, str], models: dict[str, str]) -> dict[str, Any]:
    stages = {file.stem: json.loads(file.read_text(encoding="utf-8"))["seconds"] for file in sorted((out / "stages").glob("*.json"))}
    names = {key: Path(source).name for key, source in asdict(plan.sources).items()}
    settings = asdict(plan) | {"encoder": Path(plan.encoder).name, "sources": names}  # no path of this machine
    return {"plan": settings, "data": hashes, "checkpoints": models, "seconds": stages, "machine": runs.machine()}
