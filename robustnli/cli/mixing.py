"""Commands that make training data and models out of several: augment, mix, blend."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from robustnli.cli.options import Data, Json, Out
from robustnli.cli.output import listed, say, say_dropped
from robustnli.data import load_all
from robustnli.types import Example


def _rows(examples: Iterable[Example]) -> Iterable[dict[str, Any]]:
    for e in examples:
        yield {
            "uid": e.uid, "premise": e.pair.premise, "hypothesis": e.pair.hypothesis, "label": e.label.text, "label_id": int(e.label),
            "source": e.source,
        }  # fmt: skip


def augment(
    kind: Annotated[str, typer.Option(help="lexical, negation, distraction, overlap or logic.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Where to write the pairs (JSONL, CSV or Parquet).")],
    rows: Annotated[int, typer.Option(min=1, help="Pairs to make.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 13,
    as_json: Json = False,
) -> None:
    """Make labelled pairs by rule, from data and our own word lists, to train on."""
    from robustnli.pipeline.augment import augment as run
    from robustnli.records import check_writable, write_rows

    check_writable(out)
    loaded = load_all(data)
    say_dropped(loaded)
    made = run(kind, loaded.examples, rows, seed=seed)
    write_rows(out, _rows(made))
    say([{"out": str(out), "kind": kind, "n": len(made)}], as_json, lambda r: listed(r, "out kind n"))


def mix(
    recipe: Annotated[Path, typer.Option(help="A TOML recipe, such as docs/recipes/robust.toml.")],
    folder: Annotated[Path, typer.Option("--data", help="The folder that holds the recipe's files.")],
    out: Annotated[Path, typer.Option(help="Where to write the training rows (JSONL, CSV or Parquet).")],
    held_out: Annotated[Path, typer.Option(help="Where to write the rows kept for choosing.")],
    as_json: Json = False,
) -> None:
    """Write a training mixture, and hold-outs of each of its sources, from a recipe."""
    from robustnli.pipeline.mixture import mix as run
    from robustnli.pipeline.mixture import read_recipe
    from robustnli.records import check_writable, write_rows

    for path in (out, held_out):
        check_writable(path)
    trained, held = run(read_recipe(recipe), folder)
    write_rows(out, _rows(trained))
    write_rows(held_out, _rows(held))
    say([{"out": str(out), "n": len(trained), "held_out": len(held)}], as_json, lambda r: listed(r, "out n held_out"))


def blend(
    model: Annotated[list[str], typer.Option(help="A checkpoint: name or folder. Two or more; the first gives config and tokenizer.")],
    share: Annotated[list[float], typer.Option(help="The weight of each checkpoint, in the same order.")],
    out: Out,
    as_json: Json = False,
) -> None:
    """Average the weights of checkpoints that were tuned from one another."""
    from robustnli.checkpoints import resolve
    from robustnli.pipeline.blend import blend as run

    told = run([Path(resolve(name).path) for name in model], share, out)
    say([told], as_json, lambda r: f"{r['out']}: " + " + ".join(f"{p['share']:.2f} {p['name']}" for p in r["parts"]))
