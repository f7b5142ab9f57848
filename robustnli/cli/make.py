"""Commands that make things: train, finetune, attack, trim, card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from robustnli.cli.options import Data, Dev, Json, Model, Out, Resume, Threads
from robustnli.cli.output import listed, load, progress, say, say_dropped
from robustnli.data import Loaded, load_all


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
    _train(load_all(data), dev, encoder, out, settings, resume, as_json, teachers=teacher or [])


def finetune(
    from_: Annotated[str, typer.Option("--from", help="The checkpoint to go on from: name, folder, or hub id.")],
    adversarial: Annotated[list[str], typer.Option(help="Adversarial examples, as `attack` writes them. May be repeated.")],
    data: Data,
    out: Out,
    dev: Dev = None,
    epochs: Annotated[float, typer.Option(help="Passes over the data.")] = 1.0,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of AdamW.")] = 5e-5,
    batch_size: Annotated[int, typer.Option(help="Pairs a step and process.")] = 64,
    dropout: Annotated[float, typer.Option(help="Dropout in the encoder and the head.")] = 0.0,
    label_smoothing: Annotated[float, typer.Option(help="Share of the target spread over the labels.")] = 0.0,
    evals: Annotated[int, typer.Option(help="Saves and dev evaluations over the run.")] = 4,
    patience: Annotated[int, typer.Option(help="Stop after so many evaluations without a better dev accuracy; 0: never.")] = 3,
    keep: Annotated[float, typer.Option(min=0, max=1, help="Share of the loss that holds on to what --from had right.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    threads: Threads = 0,
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Go on from a checkpoint with adversarial examples added to the data (the paper's recipe)."""
    from robustnli.checkpoints import resolve
    from robustnli.pipeline.train import TrainSettings

    settings = TrainSettings(
        epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, dropout=dropout, label_smoothing=label_smoothing, evals=evals,
        patience=patience, distill_weight=keep, seed=seed, threads=threads,
    )  # fmt: skip
    start = from_ if _is_hub(from_) else resolve(from_).path
    _train(load_all(data) + load_all(adversarial), dev, start, out, settings, resume, as_json, keep=start if keep else "")


def _train(
    loaded: Loaded, dev: list[str] | None, start: str, out: Path, settings: Any, resume: bool, as_json: bool,
    *, teachers: Sequence[str] = (), keep: str = "",
) -> None:  # fmt: skip
    from robustnli.pipeline.runs import leads
    from robustnli.pipeline.teach import keep_right, teach
    from robustnli.pipeline.train import hold_out
    from robustnli.pipeline.train import train as run

    say_dropped(loaded)
    examples, held = (list(loaded.examples), list(load_all(dev).examples)) if dev else hold_out(loaded.examples, seed=settings.seed)
    soft = teach(teachers, examples) if teachers else keep_right(keep, examples) if keep else None
    log = run(examples, held, encoder=start, out=out, settings=settings, resume=resume, soft=soft)
    if not leads():
        return
    row = {"out": str(out), "steps": log["steps"], "seconds": log["seconds"], "train_pairs": log["train_pairs"]} | log.get("chosen", {})
    say([row], as_json, lambda r: f"{r['out']}: {r['steps']} steps in {r['seconds']:.0f} s; kept {r['chosen']}; {r['tried']}")


def _list_recipes(asked: bool) -> None:
    if asked:
        from robustnli.attack import RECIPES

        for r in RECIPES.values():
            budget = f" --k: {r.budget}{f', up to {r.most}' if r.most else ''}." if r.budgeted else ""
            typer.echo(f"{r.name}\n  {r.title}; {r.paper}. Gold label: {r.gold}.{budget}\n  Broken: {r.broken}\n  {r.guarantee}\n")
        raise typer.Exit


def attack(
    model: Model,
    data: Data,
    out: Annotated[Path, typer.Option(help="Where to write the changed pairs (JSONL, CSV or Parquet).")],
    recipe: Annotated[str, typer.Option(help="How to attack; --recipes lists them.")] = "mask",
    per_class: Annotated[int, typer.Option(min=0, help="Examples drawn of each label; 0: attack all rows.")] = 5000,
    k: Annotated[int, typer.Option(min=1, help="The budget, such as words masked at most.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the draw, and of what a recipe draws.")] = 13,
    threads: Threads = 0,
    resume: Resume = False,
    recipes: Annotated[
        bool, typer.Option("--recipes", is_eager=True, callback=_list_recipes, help="List the recipes, with what each guarantees.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Attack labelled pairs by a recipe: by default the paper's, the hypothesis word with the largest loss gradient is masked.

    A run that was interrupted leaves its finished parts in OUT.partial; --resume goes on there, to the same bytes.
    """
    from robustnli.attack import named
    from robustnli.pipeline.generate import attack_to, sample
    from robustnli.pipeline.runs import leads
    from robustnli.records import check_writable

    named(recipe).check(k)
    check_writable(out)
    loaded = load_all(data)
    say_dropped(loaded)
    examples = sample(loaded.examples, per_class, seed) if per_class else list(loaded.examples)
    victim = load(model, threads)
    with progress("attack", len(examples)) as step:
        done = attack_to(
            out, victim, examples, recipe, k=k, seed=seed, resume=resume, progress=step, say=lambda line: typer.echo(f"note: {line}.", err=True)
        )  # fmt: skip
    if leads():
        row = {"out": str(out), "model": model, "recipe": recipe, "k": k, "seed": seed} | done
        say([row], as_json, lambda r: listed(r, "n broken held skipped accuracy_before accuracy_after success_rate predictions"))


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
    with progress("count pieces", len(texts)) as step:
        counts = count_pieces(model, texts, progress=step)
    facts = cut(model, out, counts, size)
    if check:
        held = load_all(check).examples
        for key, folder in (("accuracy_before", model), ("accuracy_after", out)):
            with progress(key, len(held)) as step:
                facts[key] = run(load(str(folder), threads), held, progress=step).metrics.accuracy
        facts["check_pairs"] = len(held)
        log = json.loads((out / "training_log.json").read_text(encoding="utf-8"))
        write_json(out / "training_log.json", log | {"trim": facts})
    say([facts], as_json, lambda r: listed(r, " ".join(r)))


def card(
    model: Annotated[Path, typer.Option(help="A checkpoint folder that `train` or `finetune` made.")],
    about: Annotated[Path, typer.Option(help="JSON: title, summary, data, encoder, licence, command, limits.")],
    figures: Annotated[list[str], typer.Option(help="NAME=FILE, the file being what `evaluate --json` printed. May be repeated.")],
) -> None:
    """Write a checkpoint's model card from its training log and measured figures."""
    from robustnli.pipeline.card import write_card

    read = {name: json.loads(Path(file).read_text(encoding="utf-8")) for name, _, file in (f.partition("=") for f in figures)}
    typer.echo(write_card(model, figures=read, about=json.loads(about.read_text(encoding="utf-8"))))


def _is_hub(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()
