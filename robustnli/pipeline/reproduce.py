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
from robustnli.errors import InputError, RunError, did_you_mean
from robustnli.models import load
from robustnli.pipeline import runs
from robustnli.pipeline.blend import blend
from robustnli.pipeline.evaluate import evaluate
from robustnli.pipeline.generate import generate, sample, to_row
from robustnli.pipeline.mixture import mix, read_recipe
from robustnli.pipeline.probe import fit
from robustnli.pipeline.report import build, to_markdown
from robustnli.pipeline.score import answers, attacked, scored
from robustnli.pipeline.score import records as records_of
from robustnli.pipeline.teach import keep_right
from robustnli.pipeline.train import TrainSettings, newest_whole, train
from robustnli.records import Row, write_json, write_rows
from robustnli.suite import load as load_suite
from robustnli.suite import to_row as suite_row
from robustnli.types import LABELS, Example, Prediction, Status

Scale = Literal["tiny", "shipped", "paper"]
Protocol = Literal["clean", "paper"]
LEAKS = "leaks: trained on the split it scores"
Data = dict[str, tuple[Example, ...]]
Done = Callable[[str, dict[str, Any], Callable[[], dict[str, Any]]], dict[str, Any]]
TIMED = 2000
FIXTURES = REPOSITORY / "tests" / "fixtures"
RECIPES = REPOSITORY / "docs" / "recipes"


@dataclass(frozen=True, slots=True)
class Sources:
    """The three splits, as `data.load` takes them."""

    train: str
    dev: str
    test: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Robust:
    """How the robust checkpoint is made from the baseline: runs on a mixture and masked pairs, and after each a mean of weights.

    `shares`: for each run, those of the baseline and of the runs so far in the mean that the next run starts from; the last mean is
    the checkpoint. `per_class` training pairs of each label are masked for it.
    """

    recipe: str
    folder: str
    per_class: int
    runs: tuple[TrainSettings, ...]
    shares: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that decides a run's result. `per_class` pairs of each label are attacked for fine-tuning.

    `given`: a folder of checkpoints to score instead of training any; `start`: a checkpoint to take as the baseline.
    """

    scale: Scale
    protocol: Protocol
    encoder: str
    sources: Sources
    per_class: int
    baseline: TrainSettings
    finetuned: TrainSettings
    robust: Robust | None = None
    given: str | None = None
    start: str | None = None
    seed: int = 13


def plan(
    scale: Scale, protocol: Protocol, *, data: Path | None = None, encoder: str | None = None, given: Path | None = None,
    start: Path | None = None, threads: int = 0,
) -> Plan:  # fmt: skip
    """The plan of a scale. `shipped` needs `data` (a folder with train/ and eval/), and an encoder, a `start` or `given` checkpoints."""
    robust: Robust | None = None
    if scale == "tiny":
        first = TrainSettings(epochs=3, learning_rate=1e-3, dropout=0.1, evals=3, threads=threads)
        second = TrainSettings(epochs=2, learning_rate=5e-4, evals=2, threads=threads)
        sources = Sources(*(str(FIXTURES / f"tiny_{name}.jsonl") for name in ("train", "eval", "test")))
        begin, per_class = encoder or str(FIXTURES / "tiny-baseline"), 200
    elif scale == "paper":
        first = TrainSettings(epochs=3, learning_rate=1e-4, dropout=0.1, threads=threads)
        second = TrainSettings(epochs=1, learning_rate=5e-5, dropout=0.1, patience=3, threads=threads)
        sources = Sources(*(f"stanfordnlp/snli:{name}" for name in ("train", "validation", "test")))
        begin, per_class = encoder or "google/electra-small-discriminator", 5000
    elif data is None or (encoder is None and given is None and start is None):
        raise InputError("the shipped scale needs --data (a folder with train/ and eval/) and --encoder, --baseline or --given.")
    else:
        first, second = shipped_baseline(threads), shipped_finetuned(threads)
        sources = Sources(
            *(str(data / name) for name in ("train/snli_train.jsonl.gz", "eval/snli_dev.jsonl.gz", "eval/snli_test.jsonl.gz"))
        )
        begin, per_class = encoder or "", 5000
        robust = shipped_robust(data / "train", threads) if protocol == "clean" and given is None else None
    return Plan(
        scale=scale, protocol=protocol, encoder=begin, sources=sources, per_class=per_class, baseline=first, finetuned=second, robust=robust,
        given=str(given) if given else None, start=str(start) if start else None,
    )  # fmt: skip


def shipped_baseline(threads: int) -> TrainSettings:
    """What the shipped baseline was trained with."""
    return TrainSettings(
        epochs=4, learning_rate=1.5e-4, dropout=0.1, label_smoothing=0.05, layer_decay=0.95, evals=6, seed=21, threads=threads
    )


def shipped_finetuned(threads: int) -> TrainSettings:
    """What the shipped finetuned checkpoint was trained with."""
    return TrainSettings(epochs=1, learning_rate=1e-4, dropout=0.1, label_smoothing=0.05, evals=4, patience=3, seed=13, threads=threads)


def shipped_robust(folder: Path, threads: int) -> Robust:
    """What the shipped robust checkpoint was made with: see docs/experiments.md."""
    common: dict[str, Any] = {"epochs": 0.5, "dropout": 0.1, "label_smoothing": 0.05, "threads": threads}
    one = TrainSettings(learning_rate=1e-4, evals=3, seed=13, **common)
    two = TrainSettings(learning_rate=8e-5, evals=2, seed=29, **common)
    shares = ((0.3, 0.7), (0.15, 0.35, 0.5))  # of the baseline and the runs; the second is half and half of the first mean and run 2
    return Robust(recipe=str(RECIPES / "robust.toml"), folder=str(folder), per_class=8000, runs=(one, two), shares=shares)


def reproduce(plan: Plan, out: Path, *, only: Sequence[str] = (), say: Callable[[str], None] = print) -> dict[str, Any]:
    """Do every stage of `plan` that `out` does not hold yet; returns the report, which also lies in out/report.json and report.md.

    `only`: score just these splits for now; a later call scores the others. Raises InputError for a split that there is not.
    """
    named = ("dev", "test", "suite") if plan.scale == "shipped" else ("dev", "test")
    if unknown := sorted(set(only) - set(named)):
        raise InputError(f"no split {unknown[0]!r} to score.{did_you_mean(unknown[0], named)}")
    runs.open_run(out, asdict(plan))
    data = {name: load_source(source).examples for name, source in asdict(plan.sources).items()}
    splits = {name: data[name] for name in ("dev", "test")} | ({"suite": load_source("suite").examples} if plan.scale == "shipped" else {})
    splits = {name: rows for name, rows in splits.items() if not only or name in only}
    hashes = {name: runs.content_hash(rows) for name, rows in (data | splits).items()}

    def done(name: str, inputs: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        alone = name in ("probe", "audit", "speed", "robust") or name.startswith(("answers", "blend"))
        return runs.stage(out, name, inputs, work, say, together=not alone)

    folders = given(Path(plan.given)) if plan.given else _checkpoints(plan, out, data, hashes, done)
    models = {name: fingerprint(folder) for name, folder in folders.items()}
    probe = done("probe", {"train": hashes["train"], "test": hashes["test"]}, lambda: _probe(data))
    records = {part: _records(out, part, rows, folders, models, probe, hashes[part], done) for part, rows in splits.items()}
    audit = done("audit", {"models": models, "test": hashes["test"]}, lambda: _audit(folders, data["test"]))
    speed = done("speed", {"models": models, "test": hashes["test"]}, lambda: _speed(folders, data["test"]))
    leaked = {e.uid for e in _drawn(plan, data)} if plan.protocol == "paper" else set()
    stamp = {"scale": plan.scale, "protocol": plan.protocol, "stamp": LEAKS if plan.protocol == "paper" else None}
    report = stamp | build(
        [scored(*item) for item in records.items()], probe=probe, audit=audit, leaked=sum(e.uid in leaked for e in data["test"])
    )
    if runs.leads():
        for part, rows in records.items():
            write_rows(out / "records" / f"{part}.parquet", _with_text(splits[part], rows) if part == "suite" else rows)
        write_json(out / "report.json", report)
        (out / "report.md").write_text(to_markdown(report, speed), encoding="utf-8")
        write_json(out / "manifest.json", _manifest(plan, out, hashes, models) | {"pairs_per_second": speed} | stamp)
    runs.meet()
    return report


def publish(run: Path, folder: Path) -> None:
    """Copy what may be shown of a finished run (manifest, report, records; no training data, no stage) over `folder`."""
    if not (run / "manifest.json").is_file():
        raise RunError(f"{run} holds no finished run. Let `robustnli reproduce --out {run}` end first.")
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(run / "records", temporary / "records")
    for name in ("manifest.json", "report.json", "report.md"):
        shutil.copyfile(run / name, temporary / name)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.replace(folder)


def given(folder: Path) -> dict[str, Path]:
    """The checkpoints in a folder, from older to newer: baseline, finetuned, robust, then the others by name."""
    names = [path.name for path in folder.iterdir() if (path / "config.json").is_file()] if folder.is_dir() else []
    if len(names) < 2:
        raise RunError(f"{folder} holds {len(names)} checkpoints, and at least 2 are compared.")
    order = ("baseline", "finetuned", "robust")
    return {n: folder / n for n in sorted(names, key=lambda n: (order.index(n) if n in order else len(order), n))}


def _records(
    out: Path, part: str, examples: Sequence[Example], folders: dict[str, Path], models: dict[str, str], probe: dict[str, Any], data: str,
    done: Done,
) -> list[Row]:  # fmt: skip
    """The stages attacked-PART-MODEL and answers-PART, and the records they make."""
    attacks: dict[str, list[Row]] = {}
    for name, folder in folders.items():
        stage = f"attacked-{part}-{name}"
        work = partial(lambda stage, folder: {"rows": attacked(out, stage, folder, examples)}, stage, folder)
        attacks[name] = done(stage, {"model": models[name], "data": data}, work)["rows"]
    said = done(f"answers-{part}", {"models": models, "data": data}, lambda: answers(folders, examples, attacks))
    return records_of(examples, attacks, said, set(probe["hard"]) if part == "test" else set())


def _with_text(examples: Sequence[Example], rows: Sequence[Row]) -> list[Row]:
    """Our own suite's records carry its sentences and fields as well."""
    fields = {item.example.uid: suite_row(item) for item in load_suite()}
    return [
        {"premise": e.pair.premise, "hypothesis": e.pair.hypothesis} | fields[e.uid] | row for e, row in zip(examples, rows, strict=True)
    ]


def _checkpoints(plan: Plan, out: Path, data: Data, hashes: dict[str, str], done: Done) -> dict[str, Path]:
    """The stages baseline, masked, finetuned, and those of robust."""
    folders = {name: out / "checkpoints" / name for name in ("baseline", "finetuned")}
    held, base = data["dev"], folders["baseline"]
    inputs = {"train": hashes["train"], "dev": hashes["dev"]}
    if plan.start:
        done("baseline", {"given": fingerprint(Path(plan.start))}, partial(_copy, Path(plan.start), base))
    else:
        done("baseline", inputs, lambda: _train(data["train"], held, plan.encoder, base, plan.baseline))
    drawn, file = _drawn(plan, data), out / "masked.jsonl"
    hit = {"model": fingerprint(base), "examples": runs.content_hash(drawn)}
    done("masked", hit, lambda: _mask(out, "masked", base, drawn, file, plan.seed))
    more = load_source(str(file)).examples
    second = inputs | {"from": fingerprint(base), "masked": runs.content_hash(more)}
    done("finetuned", second, lambda: _train((*data["train"], *more), held, str(base), folders["finetuned"], plan.finetuned))
    if plan.robust:
        folders["robust"] = _robust(plan.robust, out, data, base, plan.seed, done)
    return folders


def _copy(source: Path, folder: Path) -> dict[str, Any]:
    if runs.leads():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
    runs.meet()
    return {"copied": source.name}


def _robust(how: Robust, out: Path, data: Data, base: Path, seed: int, done: Done) -> Path:
    """The stages masked-more, run-1, blend-1, run-2, ..., robust."""
    drawn, file = sample(data["train"], how.per_class, seed), out / "masked-more.jsonl"
    done("masked-more", {"model": fingerprint(base)}, lambda: _mask(out, "masked-more", base, drawn, file, seed))
    mixed, held = mix(read_recipe(Path(how.recipe)), Path(how.folder))
    rows, dev = (*mixed, *load_source(str(file)).examples), (*data["dev"], *held)
    parts, start = [base], base
    for number, (settings, shares) in enumerate(zip(how.runs, how.shares, strict=True), 1):
        folder = out / "checkpoints" / f"run-{number}"
        inputs = {"from": fingerprint(start), "train": runs.content_hash(rows), "dev": runs.content_hash(dev)}
        done(folder.name, inputs, partial(_train, rows, dev, str(start), folder, settings))
        parts.append(folder)
        start = out / "checkpoints" / ("robust" if number == len(how.runs) else f"blend-{number}")
        done(
            start.name,
            {"parts": [fingerprint(part) for part in parts], "shares": list(shares)},
            partial(_blend, tuple(parts), shares, start),
        )
    return start


def _blend(parts: Sequence[Path], shares: Sequence[float], folder: Path) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    return blend(parts, shares, folder)


def _drawn(plan: Plan, data: Data) -> list[Example]:
    return sample(data["test" if plan.protocol == "paper" else "train"], plan.per_class, plan.seed)


def _train(examples: Sequence[Example], dev: Sequence[Example], start: str, folder: Path, settings: TrainSettings) -> dict[str, Any]:
    """Train into `folder`; go on from an interrupted call."""
    resume = newest_whole(folder.with_name(folder.name + ".training")) is not None
    runs.meet()
    if runs.leads():
        shutil.rmtree(folder, ignore_errors=True)
    runs.meet()
    soft = keep_right(start, examples) if settings.distill_weight else None
    log = train(list(examples), list(dev), encoder=start, out=folder, settings=settings, resume=resume, soft=soft)
    runs.meet()
    return {"steps": log["steps"], "seconds": log["seconds"], "chosen": log["chosen"], "fingerprint": fingerprint(folder)}


def _mask(out: Path, name: str, folder: Path, examples: Sequence[Example], file: Path, seed: int) -> dict[str, Any]:
    model = load(str(folder))
    rows = runs.sharded(out, name, examples, lambda part: [to_row(a, model, seed=seed) for a in generate(model, part)])
    if runs.leads():
        write_rows(file, rows)
    runs.meet()
    count = {status.value: sum(row["status"] == status.value for row in rows) for status in Status}
    return {"n": len(rows), **count}


def _probe(data: Data) -> dict[str, Any]:
    probe = fit(data["train"])
    said = probe.predict([e.pair.hypothesis for e in data["test"]])
    hard = [i for i, (e, p) in enumerate(zip(data["test"], said, strict=True)) if p.label != e.label]
    return {"hard": hard, "right": len(said) - len(hard), "n": len(said)}


def _audit(folders: dict[str, Path], examples: Sequence[Example]) -> dict[str, Any]:
    from robustnli.formats import audit

    out: dict[str, Any] = {}
    for name, folder in folders.items():
        forms = audit(load(str(folder)).bulk, [e.pair for e in examples])
        out[name] = {form: _shares(examples, said) for form, said in forms.items()}
    return out


def _speed(folders: dict[str, Path], examples: Sequence[Example]) -> dict[str, Any]:
    """Pairs a second that each model predicts, over at most `TIMED` of the examples. Beside the report, which is the same whatever the machine."""
    return {name: round(evaluate(load(str(folder)), examples[:TIMED]).pairs_per_second, 1) for name, folder in folders.items()}


def _shares(examples: Sequence[Example], said: Sequence[Prediction]) -> dict[str, Any]:
    right = sum(p.label == e.label for e, p in zip(examples, said, strict=True))
    return {"right": right, "n": len(said), "predicted": {label.text: sum(p.label == label for p in said) for label in LABELS}}


def _manifest(plan: Plan, out: Path, hashes: dict[str, str], models: dict[str, str]) -> dict[str, Any]:
    stages = {file.stem: json.loads(file.read_text(encoding="utf-8"))["seconds"] for file in sorted((out / "stages").glob("*.json"))}
    settings = _without_folders(asdict(plan))
    return {"plan": settings, "data": hashes, "checkpoints": models, "seconds": stages, "machine": runs.machine()}


def _without_folders(value: Any) -> Any:
    """Plain values with every path of this machine cut to its last part."""
    if isinstance(value, dict):
        return {key: _without_folders(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(inner) for inner in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
