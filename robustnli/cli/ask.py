"""Commands that ask models: predict, evaluate, compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robustnli.cli.options import Data, Json, Model, Threads
from robustnli.cli.output import load, progress, say, say_dropped
from robustnli.data import load_all
from robustnli.types import LABELS, Example, Pair, Prediction

if TYPE_CHECKING:
    from robustnli.slices import Slice


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
    from robustnli.models import load as load_model

    for name, text in (("premise", premise), ("hypothesis", hypothesis)):
        if not text.strip():
            raise InputError(f"the {name} is empty. Give a sentence.")
    names = model or [found.name for found in find() if found.checkpoint]
    if not names:
        raise InputError("no checkpoint was found. Name one with --model.")
    rows = []
    for name in names:
        loaded = load_model(name)
        fitted = loaded.fit(Pair(premise, hypothesis))
        for notice in fitted.cut:
            typer.echo(f"note: {notice}", err=True)
        prediction = loaded.predict([fitted.pair])[0]
        rows.append(
            {
                "model": name,
                "label": prediction.label.text,
                "probs": dict(zip((label.text for label in LABELS), prediction.probs, strict=True)),
            }
        )
    say(rows, as_json, lambda row: f"{row['model']:<20} {row['label']:<14}" + "  ".join(f"{k} {v:.3f}" for k, v in row["probs"].items()))


def evaluate(
    model: Model,
    data: Data,
    by_source: Annotated[bool, typer.Option("--by-source", help="Accuracy per source as well, where the data names sources.")] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Accuracy, loss, calibration, per-class precision / recall / F1 and speed of a model on labelled pairs."""
    from robustnli.pipeline.evaluate import evaluate as run
    from robustnli.pipeline.evaluate import sources, summary

    loaded = load_all(data)
    say_dropped(loaded)
    judged = load(model, threads)
    with progress("evaluate", len(loaded.examples)) as step:
        evaluation = run(judged, loaded.examples, progress=step)
    row = {"model": model, "data": data} | summary(evaluation)
    if by_source:
        row["sources"] = sources(loaded.examples, evaluation.predictions)
    say([row], as_json, _evaluation_text)


def compare(
    before: Annotated[str, typer.Option(help="The older model.")],
    after: Annotated[str, typer.Option(help="The newer model.")],
    data: Data,
    slices: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file of slices of your own, counted beside the standard ones: tables called slice, each with name and any of cues, pattern, "
            "where, longer_than, shorter_than, overlap_at_least, overlap_at_most, label, confidence_of, confidence_at_least, "
            "confidence_at_most. The slice lab of the app exports such a file."
        ),
    ] = None,
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit 1 when significantly more is broken than fixed (p < 0.05).")
    ] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Count the errors fixed, introduced and remaining from one model to another, over all rows and per slice."""
    from robustnli.pipeline.evaluate import compare as run
    from robustnli.pipeline.evaluate import comparison_summary, rows_of
    from robustnli.pipeline.evaluate import evaluate as score
    from robustnli.slicefile import read_slices

    own = read_slices(slices) if slices else ()
    loaded = load_all(data)
    say_dropped(loaded)
    scored = []
    for name in (before, after):
        judged = load(name, threads)
        with progress(name, len(loaded.examples)) as step:
            scored.append(score(judged, loaded.examples, progress=step))
    older, newer = (s.predictions for s in scored)
    named = rows_of(loaded.examples) | _rows_of_own(loaded.examples, older, newer, own)
    parts = comparison_summary(run([e.label for e in loaded.examples], older, newer, named))
    row = {"before": before, "after": after, **parts[0], "slices": parts[1:]}
    say([row], as_json, lambda r: _comparison_text([r, *r["slices"]]))
    if fail_on_regression and row["introduced"] > row["fixed"] and row["mcnemar_p"] < 0.05:
        typer.echo(f"regression: {row['introduced']} introduced against {row['fixed']} fixed (p = {row['mcnemar_p']:.2g}).", err=True)
        raise typer.Exit(1)


def _rows_of_own(
    examples: Sequence[Example], older: Sequence[Prediction], newer: Sequence[Prediction], own: Sequence[Slice]
) -> dict[str, list[int]]:
    """Name of a user's slice -> the numbers of its rows; their conditions on confidence are those of these two models."""
    if not own:
        return {}
    import pandas as pd

    from robustnli.slices import WHICH, holds

    columns: dict[str, list[Any]] = {
        "premise": [e.pair.premise for e in examples],
        "hypothesis": [e.pair.hypothesis for e in examples],
        "gold": [int(e.label) for e in examples],
    }
    for which, said in zip(WHICH, (older, newer), strict=True):
        columns[f"confidence.{which}"] = [p.confidence for p in said]
    table = pd.DataFrame(columns)
    return {part.name: holds(table, part, *WHICH).nonzero()[0].tolist() for part in own}


def _evaluation_text(row: dict[str, Any]) -> str:
    low, high = row["accuracy_interval"]
    head = f"{row['model']}: accuracy {row['accuracy']:.2%} ({low:.2%} to {high:.2%}), {row['correct']:,} of {row['n']:,}"
    rest = f"loss {row['loss']:.4f}, ECE {row['ece']:.4f}, {row['pairs_per_second']:.0f} pairs/s"
    table = [
        f"  {name:<14} precision {c['precision']:.3f}  recall {c['recall']:.3f}  F1 {c['f1']:.3f}  n {c['support']}"
        for name, c in row["classes"].items()
    ]
    table += [f"  {s['source']:<24} {s['correct']:>6} of {s['n']:>6}  {s['accuracy']:7.2%}" for s in row.get("sources", ())]
    return "\n".join([head, rest, *table])


def _comparison_text(rows: list[dict[str, Any]]) -> str:
    width = max(18, *(len(r["slice"]) + 2 for r in rows))
    head = f"{'slice':<{width}}{'n':>7}{'fixed':>7}{'introd.':>8}{'remain.':>8}{'still right':>12}{'before':>9}{'after':>9}{'p':>9}{'Holm p':>9}  verdict"
    return "\n".join([head, *(_comparison_line(r, width) for r in rows)])


def _comparison_line(r: dict[str, Any], width: int) -> str:
    counts = f"{r['n']:>7}{r['fixed']:>7}{r['introduced']:>8}{r['remaining']:>8}{r['still_right']:>12}"
    shares = "".join(f"{'-' if r[key] is None else f'{r[key]:.2%}':>9}" for key in ("accuracy_before", "accuracy_after"))
    return f"{r['slice']:<{width}}{counts}{shares}{r['mcnemar_p']:>9.2g}{r['holm_p']:>9.2g}  {r['verdict']}"
