"""The command that measures speed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from robustnli.cli.options import Json
from robustnli.cli.output import say
from robustnli.errors import InputError


def bench(
    model: Annotated[
        list[str] | None, typer.Option(help="A checkpoint, or electra-small: its shape with random weights. May be repeated.")
    ] = None,
    data: Annotated[list[str] | None, typer.Option(help="Pairs to time on, such as SNLI; default: the challenge suite.")] = None,
    against: Annotated[
        str, typer.Option(help="Rivals, with commas: naive (the paper's loop), captum, pipeline.")
    ] = "naive,captum,pipeline",
    jobs: Annotated[str, typer.Option(help="Jobs, with commas; default all: attack, predict, attribute, mask map, train step.")] = "",
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of a round; a rival does every 32nd.")] = 512,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each contender, in turn.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    clock: Annotated[Literal["wall", "cpu"], typer.Option(help="cpu: the processor's time alone, for a busy machine.")] = "wall",
    quick: Annotated[bool, typer.Option("--quick", help="Few pairs, two rounds: shows that it runs, not how fast.")] = False,
    live: Annotated[bool, typer.Option("--live", help="The page's questions instead: latency for one user and for many.")] = False,
    users: Annotated[int, typer.Option(min=1, help="With --live: how many at once.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.1, help="With --live: for how long.")] = 30.0,
    growth: Annotated[bool, typer.Option("--growth", help="Time and memory by number of pairs and by length instead.")] = False,
    write: Annotated[Path | None, typer.Option(help="Put the results into this file's tables (docs/benchmarks.md) as well.")] = None,
    as_json: Json = False,
) -> None:
    """Time whole jobs against what everybody would write and against this machine's matrix-product ceiling."""
    if live and growth:
        raise InputError("--live and --growth are two runs: give one of them.")
    names = model or (["baseline", "finetuned"] if live else ["baseline"] if growth else ["baseline", "electra-small"])
    source = data or ["suite"]

    def note(line: str) -> None:
        typer.echo(line, err=True)

    from robustnli.pipeline.bench import tables

    if live:
        result = _live(names, data, users, seconds, quick)
    elif growth:
        from robustnli.pipeline.bench.growth import growth as run

        small: dict[str, Any] = {"pairs": (20, 40), "lengths": (8, 16)} if quick else {}
        result = run(names[0], source, threads=threads, say=note, **small)
    else:
        result = _jobs(names, source, _split(against), _split(jobs), pairs, rounds, quick, threads, clock, note)
    if write:
        tables.write(write, result)
    say([result], as_json, lambda row: tables.text(row))


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _jobs(
    names: list[str],
    source: list[str],
    against: list[str],
    only: list[str],
    pairs: int,
    rounds: int,
    quick: bool,
    threads: int,
    clock: Literal["wall", "cpu"],
    note: Any,
) -> dict[str, Any]:
    from robustnli.data import load_all
    from robustnli.pipeline.bench import JOBS
    from robustnli.pipeline.bench import bench as run

    told = ", ".join(Path(part).name for part in source)
    examples = load_all(source).examples
    return run(
        names,
        examples,
        pairs=pairs,
        rounds=rounds,
        against=against,
        only=only or JOBS,
        quick=quick,
        threads=threads,
        clock=clock,
        source=told,
        say=note,
    )


def _live(names: list[str], data: list[str] | None, users: int, seconds: float, quick: bool) -> dict[str, Any]:
    from robustnli.data import load_all
    from robustnli.examples import READY
    from robustnli.pipeline.bench.live import live as run

    typed = [e.pair for e in load_all(data).examples] if data else [ready.pair for ready in READY]
    return run(names, typed, users=users, seconds=seconds, quick=quick)
