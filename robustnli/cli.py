"""The command line: a thin shell over the library. Bad input ends in one line on stderr and exit status 1."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from robustnli import __version__
from robustnli.data import Loaded, load_all
from robustnli.errors import RobustNLIError
from robustnli.types import Pair

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Model = Annotated[str, typer.Option(help="A checkpoint: its name, a folder, or a hub id.")]
Data = Annotated[
    list[str], typer.Option(help="FILE (JSONL, CSV, TSV, Parquet; plain or .gz) or FOLDER_OR_HUB_ID[:SPLIT]. May be repeated.")
]
Dev = Annotated[list[str] | None, typer.Option(help="Held-out data to choose on; without it 5 % of the premises are held out.")]
Out = Annotated[Path, typer.Option(help="The new checkpoint folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Threads = Annotated[int, typer.Option(min=0, help="Threads of torch; 0: its own choice.")]


def main() -> None:
    """Run the command line; a RobustNLIError becomes one clear line."""
    try:
        app()
    except RobustNLIError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("stopped.", err=True)
        sys.exit(130)


@app.command()
def predict(
    premise: Annotated[str, typer.Option(help="The premise.")],
    hypothesis: Annotated[str, typer.Option(help="The hypothesis; [MASK] is the mask token.")],
    model: Annotated[
        list[str] | None, typer.Option(help="A checkpoint: name, folder, or hub id. May be repeated; default: all shipped.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict one pair with each model."""
    from robustnli.checkpoints import find
    from robustnli.errors import InputError
    from robustnli.models import load

    for name, text in (("premise", premise), ("hypothesis", hypothesis)):
        if not text.strip():
            raise InputError(f"the {name} is empty. Give a sentence.")
    names = model or [found.name for found in find() if found.checkpoint]
    if not names:
        raise InputError("no checkpoint was found. Name one with --model.")
    rows = []
    for name in names:
        loaded = load(name)
        fitted = loaded.fit(Pair(premise, hypothesis))
        for notice in fitted.cut:
            typer.echo(f"note: {notice}", err=True)
        prediction = loaded.predict([fitted.pair])[0]
        rows.append({"model": name, "label": prediction.label.text, "probs": dict(zip(_labels(), prediction.probs, strict=True))})
    _say(rows, as_json, lambda row: f"{row['model']:<20} {row['label']:<14}" + "  ".join(f"{k} {v:.3f}" for k, v in row["probs"].items()))


@app.command()
def train(
    data: Data,
    encoder: Annotated[str, typer.Option(help="What to start from: an ELECTRA folder or hub id, or a local BERT folder.")],
    out: Out,
    dev: Dev = None,
    epochs: Annotated[float, typer.Option(help="Passes over the data.")] = 4.0,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of AdamW.")] = 2e-4,
    batch_size: Annotated[int, typer.Option(help="Pairs a step and process.")] = 64,
    evals: Annotated[int, typer.Option(help="Saves and dev evaluations over the run.")] = 4,
    dropout: Annotated[float, typer.Option(help="Dropout in the encoder and the head.")] = 0.0,
    label_smoothing: Annotated[float, typer.Option(help="Share of the target spread over the labels.")] = 0.0,
    layer_decay: Annotated[float, typer.Option(help="Learning rate of a layer relative to the one above.")] = 1.0,
    teacher: Annotated[list[str] | None, typer.Option(help="Checkpoints to distil from (their mean probabilities).")] = None,
    distill_weight: Annotated[float, typer.Option(help="Share of the teacher's loss.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    threads: Threads = 0,
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Train a classifier on labelled pairs."""
    from robustnli.pipeline.train import TrainSettings

    settings = TrainSettings(
        epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, evals=evals, dropout=dropout, label_smoothing=label_smoothing,
        layer_decay=layer_decay, distill_weight=distill_weight if teacher else 0.0, seed=seed, threads=threads,
    )  # fmt: skip
    _train(load_all(data), dev, encoder, out, settings, resume, as_json, teacher or [])


@app.command()
def finetune(
    from_: Annotated[str, typer.Option("--from", help="The checkpoint to go on from: name, folder, or hub id.")],
    adversarial: Annotated[list[str], typer.Option(help="Adversarial examples, as `attack` writes them. May be repeated.")],
    data: Data,
    out: Out,
    dev: Dev = None,
    epochs: Annotated[float, typer.Option(help="Passes over the data.")] = 1.0,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of AdamW.")] = 5e-5,
    batch_size: Annotated[int, typer.Option(help="Pairs a step and process.")] = 64,
    evals: Annotated[int, typer.Option(help="Saves and dev evaluations over the run.")] = 4,
    patience: Annotated[int, typer.Option(help="Stop after so many evaluations without a better dev accuracy; 0: never.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    threads: Threads = 0,
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Go on from a checkpoint with adversarial examples added to the data (the paper's recipe)."""
    from robustnli.checkpoints import resolve
    from robustnli.pipeline.train import TrainSettings

    settings = TrainSettings(
        epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, evals=evals, patience=patience, seed=seed, threads=threads
    )
    start = from_ if _is_hub(from_) else resolve(from_).path
    _train(load_all(data) + load_all(adversarial), dev, start, out, settings, resume, as_json, [])


def _train(
    loaded: Loaded, dev: list[str] | None, start: str, out: Path, settings: Any, resume: bool, as_json: bool, teachers: list[str]
) -> None:
    from robustnli.pipeline.train import hold_out, teach
    from robustnli.pipeline.train import train as run

    _say_dropped(loaded)
    examples, held = (list(loaded.examples), list(load_all(dev).examples)) if dev else hold_out(loaded.examples, seed=settings.seed)
    soft = teach(teachers, examples) if teachers else None
    log = run(examples, held, encoder=start, out=out, settings=settings, resume=resume, soft=soft)
    row = {"out": str(out), "steps": log["steps"], "seconds": log["seconds"], "train_pairs": log["train_pairs"]} | log.get("chosen", {})
    _say([row], as_json, lambda r: f"{r['out']}: {r['steps']} steps in {r['seconds']:.0f} s; kept {r['chosen']}; {r['tried']}")


@app.command()
def attack(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option(help="Where to write the masked examples (JSONL, CSV or Parquet).")],
    per_class: Annotated[int, typer.Option(min=0, help="Examples drawn of each label; 0: attack all rows.")] = 5000,
    k: Annotated[int, typer.Option(min=1, help="Words masked at most.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 13,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Mask the hypothesis word with the largest loss gradient, and predict again (the paper's attack)."""
    from robustnli.pipeline.generate import generate, sample, summary, to_row
    from robustnli.records import file_format, write_rows

    file_format(out)
    loaded = load_all(data)
    _say_dropped(loaded)
    examples = sample(loaded.examples, per_class, seed) if per_class else list(loaded.examples)
    victim = _load(model, threads)
    with _progress("attack", len(examples)) as step:
        attacks = generate(victim, examples, k=k, progress=step)
    write_rows(out, (to_row(a, victim, seed=seed) for a in attacks))
    row = {"out": str(out), "model": model, "k": k, "seed": seed} | summary(attacks)
    _say([row], as_json, lambda r: _counts(r, "n broken held skipped accuracy_before accuracy_after success_rate predictions"))


@app.command()
def evaluate(model: Model, data: Data, threads: Threads = 0, as_json: Json = False) -> None:
    """Accuracy, loss, calibration, per-class precision / recall / F1 and speed of a model on labelled pairs."""
    from robustnli.pipeline.evaluate import evaluate as run
    from robustnli.pipeline.evaluate import summary

    loaded = load_all(data)
    _say_dropped(loaded)
    judged = _load(model, threads)
    with _progress("evaluate", len(loaded.examples)) as step:
        row = {"model": model, "data": data} | summary(run(judged, loaded.examples, progress=step))
    _say([row], as_json, _evaluation_text)


@app.command()
def compare(
    before: Annotated[str, typer.Option(help="The older model.")],
    after: Annotated[str, typer.Option(help="The newer model.")],
    data: Data,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit 1 when significantly more is broken than fixed (p < 0.05).")
    ] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Count the errors fixed, introduced and remaining from one model to another."""
    from robustnli.pipeline.evaluate import compare as run
    from robustnli.pipeline.evaluate import comparison_summary
    from robustnli.pipeline.evaluate import evaluate as score

    loaded = load_all(data)
    _say_dropped(loaded)
    scored = []
    for name in (before, after):
        judged = _load(name, threads)
        with _progress(name, len(loaded.examples)) as step:
            scored.append(score(judged, loaded.examples, progress=step))
    accuracies = {"accuracy_before": scored[0].metrics.accuracy, "accuracy_after": scored[1].metrics.accuracy}
    row = {"before": before, "after": after} | comparison_summary(run(loaded.examples, scored[0], scored[1])) | accuracies
    _say([row], as_json, lambda r: _counts(r, "n fixed introduced remaining still_right accuracy_before accuracy_after mcnemar_p"))
    if fail_on_regression and row["introduced"] > row["fixed"] and row["mcnemar_p"] < 0.05:
        typer.echo(f"regression: {row['introduced']} introduced against {row['fixed']} fixed (p = {row['mcnemar_p']:.2g}).", err=True)
        raise typer.Exit(1)


@app.command()
def trim(
    model: Annotated[Path, typer.Option(help="A checkpoint folder.")],
    data: Data,
    out: Out,
    size: Annotated[int, typer.Option(min=100, help="Pieces to keep at most.")] = 12_000,
    check: Annotated[list[str] | None, typer.Option(help="Labelled data to measure the cost on.")] = None,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Shrink a checkpoint's vocabulary to the pieces that `data` uses most, and measure what that costs.

    A source given twice counts twice.
    """
    from robustnli.pipeline.evaluate import evaluate as run
    from robustnli.pipeline.vocabulary import count_pieces, texts_of
    from robustnli.pipeline.vocabulary import trim as cut
    from robustnli.records import write_json

    texts = [text for source in data for text in texts_of([(e.pair.premise, e.pair.hypothesis) for e in load_all([source]).examples])]
    with _progress("count pieces", len(texts)) as step:
        counts = count_pieces(model, texts, progress=step)
    facts = cut(model, out, counts, size)
    if check:
        held = load_all(check).examples
        for key, folder in (("accuracy_before", model), ("accuracy_after", out)):
            with _progress(key, len(held)) as step:
                facts[key] = run(_load(str(folder), threads), held, progress=step).metrics.accuracy
        facts["check_pairs"] = len(held)
        log = json.loads((out / "training_log.json").read_text(encoding="utf-8"))
        write_json(out / "training_log.json", log | {"trim": facts})
    _say([facts], as_json, lambda r: _counts(r, " ".join(r)))


@app.command()
def card(
    model: Annotated[Path, typer.Option(help="A checkpoint folder that `train` or `finetune` made.")],
    about: Annotated[Path, typer.Option(help="JSON: title, summary, data, encoder, licence, command, limits.")],
    figures: Annotated[list[str], typer.Option(help="NAME=FILE, the file being what `evaluate --json` printed. May be repeated.")],
) -> None:
    """Write a checkpoint's model card from its training log and measured figures."""
    from robustnli.pipeline.card import write_card

    read = {name: json.loads(Path(file).read_text(encoding="utf-8")) for name, _, file in (f.partition("=") for f in figures)}
    typer.echo(write_card(model, figures=read, about=json.loads(about.read_text(encoding="utf-8"))))


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"robustnli {__version__}")
        raise typer.Exit


def _labels() -> tuple[str, ...]:
    from robustnli.types import LABELS

    return tuple(label.text for label in LABELS)


def _is_hub(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()


def _load(name: str, threads: int) -> Any:
    import torch

    from robustnli.models import load

    model = load(name)
    if threads:
        torch.set_num_threads(threads)
    return model


def _say_dropped(loaded: Loaded) -> None:
    if loaded.unlabelled:
        typer.echo(f"note: {loaded.unlabelled:,} unlabelled rows dropped, {len(loaded.examples):,} kept.", err=True)


def _say(rows: list[dict[str, Any]], as_json: bool, line: Callable[[dict[str, Any]], str]) -> None:
    if as_json:
        typer.echo(json.dumps(rows[0] if len(rows) == 1 else rows))
    else:
        for row in rows:
            typer.echo(line(row))


def _counts(row: dict[str, Any], keys: str) -> str:
    return "  ".join(f"{key} {row[key]:.4g}" if isinstance(row[key], float) else f"{key} {row[key]}" for key in keys.split())


def _evaluation_text(row: dict[str, Any]) -> str:
    low, high = row["accuracy_interval"]
    head = f"{row['model']}: accuracy {row['accuracy']:.2%} ({low:.2%} to {high:.2%}), {row['correct']:,} of {row['n']:,}"
    rest = f"loss {row['loss']:.4f}, ECE {row['ece']:.4f}, {row['pairs_per_second']:.0f} pairs/s"
    table = [
        f"  {name:<14} precision {c['precision']:.3f}  recall {c['recall']:.3f}  F1 {c['f1']:.3f}  n {c['support']}"
        for name, c in row["classes"].items()
    ]
    return "\n".join([head, rest, *table])


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr with time left; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda more: bar.advance(task, more)
