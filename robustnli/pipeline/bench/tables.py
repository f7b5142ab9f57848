"""Results as Markdown tables, each aim with reached or not reached, and put in their place in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from robustnli.errors import InputError

RIVALS = {"naive": "the paper's loop", "captum": "Captum Saliency, one by one", "pipeline": "transformers pipeline, one by one"}
# (model, job, figure) -> what is wanted of it, from issue 8; `least` unless it says otherwise
AIMS: tuple[tuple[str, str, str, float], ...] = (
    ("attack", "naive", "times the paper's own loop", 22),
    ("attack", "fraction", "of the matrix-product ceiling", 0.55),
    ("predict", "pipeline", "times the pipeline one by one", 6),
    ("predict", "fraction", "of the matrix-product ceiling", 0.65),
    ("attack", "same words as float32", "of pairs: the words masked are float32's", 0.995),
    ("attack", "same outcome as float32", "of pairs: labels and outcome are float32's", 0.995),
    ("attack", "flips confirmed", "of reported flips confirmed in float32", 1.0),
)


def kind(result: dict[str, Any]) -> str:
    """Which part of the page a result belongs to."""
    return "live" if "one_user" in result else "growth" if "lengths" in result else "bench"


def text(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    return {"live": _live, "growth": _growth, "bench": _bench}[kind(result)](result)


def write(file: Path, result: dict[str, Any]) -> None:
    """Put the result between its marks, `<!-- bench -->` and `<!-- /bench -->`. Raises InputError where the file has none."""
    replace(file, kind(result), text(result))


def replace(file: Path, mark: str, told: str) -> None:
    """Put text between the marks of that name in a file."""
    page = file.read_text(encoding="utf-8") if file.is_file() else ""
    start, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    if start not in page or end not in page:
        raise InputError(f"{file}: no lines {start} and {end}, between which the tables would go.")
    head, tail = page.split(start, 1)[0], page.split(end, 1)[1]
    file.write_text(f"{head}{start}\n{told.strip()}\n{end}{tail}", encoding="utf-8")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def machine(m: dict[str, Any]) -> str:
    """The machine in a sentence."""
    return f"{m['processor']}, {m['cores']} cores; Python {m['python']}, torch {m['torch']}, transformers {m['transformers']}."


def verdict(reached: bool) -> str:
    """The word for it."""
    return "reached" if reached else "**not reached**"


def _bench(result: dict[str, Any]) -> str:
    asked = result["asked"]
    how = (
        f"{machine(result['machine'])} {asked['threads']} thread{'s' if asked['threads'] > 1 else ''}; {asked['pairs']} pairs of {asked['source']}; "
        f"{asked['rounds']} rounds in turn, medians; peak memory of the whole run {result['peak_memory']:,.0f} MiB."
    )
    waited = max(c["waited"] for model in result["models"] for job in model["jobs"] for c in job["contenders"].values())
    if asked["clock"] == "cpu":
        how += " Times are the processor's alone, since the machine was busy with other work."
    elif waited > 0.1:
        how += f" **The machine was busy: a contender had no processor for {waited:.0%} of its time.**"
    parts = [how + (" **A quick run: its figures say nothing about speed.**" if asked["quick"] else "")]
    for model in result["models"]:
        parts += [_head(model), *_tables_of(model), _aims(model)]
    return "\n\n".join(parts)


def _head(model: dict[str, Any]) -> str:
    shape = model["shape"]
    told = f"{shape['num_hidden_layers']} layers, width {shape['hidden_size']}; {model['mean_tokens']:.1f} tokens a pair"
    roofs = []
    for name, before in model["ceiling_gflops"].items():
        after = model["ceiling_gflops_after"][name]
        roofs.append(
            f"{name} {before['best']:.0f} GFLOP/s ({before['like_the_model']:.0f} on this model's shapes; {after['best']:.0f} when measured again at the end)"
        )
    return f"### {model['model']}\n\n{told}. Ceiling of matrix products: {'; '.join(roofs)}."


def _tables_of(model: dict[str, Any]) -> list[str]:
    rows = []
    for job in model["jobs"]:
        for name, c in job["contenders"].items():
            ours = "gflop_a_pair" in c
            who = f"robustnli, {name}" if ours else RIVALS.get(name, f"transformers, {name}")
            rate = f"{c['pairs_per_second']:.1f} ({c['least']:.1f} to {c['most']:.1f})"
            share = f"{c['fraction_of_ceiling']:.0%}" if ours else ""
            times = f"{job['times_faster'][name]:.1f}" if name in job["times_faster"] else ""
            rows.append((job["job"], who, rate, f"{c['gflop_a_pair']:.2f}" if ours else "", share, times, f"{c['warmup_seconds']:.2f}"))
    head = ("job", "by", "pairs/s (least to most)", "GFLOP a pair", "of the ceiling", "our best is faster by", "warm-up, s")
    said = [
        f"{job['job']}: "
        + ", ".join(f"{name} {value:.4g}" if name == "flips" else f"{name} {value:.2%}" for name, value in job["agreement"].items())
        for job in model["jobs"]
        if job["agreement"]
    ]
    return [table(head, rows), "Agreement: " + "; ".join(said) + "." if said else ""]


def aims(model: dict[str, Any]) -> list[tuple[str, float, float, bool]]:
    """(what, aim, measured, reached) of each aim that the result can judge."""
    out = []
    for name, figure, what, least in AIMS:
        job = next((j for j in model["jobs"] if j["job"] == name), None)
        if job is None:
            continue
        first = next(iter(job["contenders"].values()))
        known = job["agreement"] | job["times_faster"] | {"fraction": first["fraction_of_ceiling"]}
        if figure in known:
            out.append((f"{name}: {what}", least, known[figure], known[figure] >= least))
    return out


def _aims(model: dict[str, Any]) -> str:
    rows = [(what, _figure(aim), _figure(got), verdict(reached)) for what, aim, got, reached in aims(model)]
    return table(("aim", "at least", "measured", ""), rows) if rows else ""


def _figure(value: float) -> str:
    return f"{value:.2%}" if value <= 1 else f"{value:.1f}"


def _live(r: dict[str, Any]) -> str:
    one, crowd, held = r["one_user"], r["all_users"], r["memory_mib"]
    how = (
        f"{machine(r['machine'])} Models {' and '.join(r['models'])}; {r['pairs']} pairs, {r['mean_tokens']:.1f} tokens and {r['mean_hypothesis_words']:.1f} "
        f"hypothesis words on average; {r['threads_of_a_call']} thread a model call; nothing cached; server time without the page's own drawing. "
        f"Loading both models: {r['load_seconds']:.2f} s."
    )
    flat = held["last"] - held["first"]
    rows = [
        ("both models, all numbers", f"{one['p50']:.1f}", f"{one['p95']:.1f}", f"{one['most']:.1f}"),
        ("one model, all numbers", *(f"{r['one_user_one_model'][k]:.1f}" for k in ("p50", "p95", "most"))),
        ("both models, a click on a word", *(f"{r['one_click'][k]:.1f}" for k in ("p50", "p95", "most"))),
        (f"{r['users']} users at once, a pair a second each", *(f"{crowd[k]:.1f}" for k in ("p50", "p95", "most"))),
    ]
    judged = [
        ("one user, p50 under 40 ms", f"{one['p50']:.1f} ms", verdict(one["p50"] < 40)),
        ("one user, p95 under 80 ms", f"{one['p95']:.1f} ms", verdict(one["p95"] < 80)),
        (f"{r['users']} users, p95 under 400 ms", f"{crowd['p95']:.1f} ms", verdict(crowd["p95"] < 400)),
        ("no wrong answer", f"{crowd['wrong']} of {crowd['answers']}", verdict(crowd["wrong"] == 0)),
        (
            f"memory flat over {crowd['seconds']:.0f} s (within 20 MiB)",
            f"{held['first']:.0f} to {held['last']:.0f} MiB",
            verdict(flat < 20),
        ),
        (
            "memory with two models under 700 MB",
            f"{held['first'] * 1.048576:.0f} MB here, without the page",
            verdict(held["first"] * 1.048576 < 700),
        ),
    ]
    return "\n\n".join((how, table(("asked", "p50, ms", "p95", "most"), rows), table(("aim", "measured", ""), judged)))


def _growth(r: dict[str, Any]) -> str:
    rows = [
        (f"{row['pairs']:,}", f"{row['seconds']:.1f}", f"{row['pairs_per_second']:.0f}", f"{row['peak_memory']:.0f}") for row in r["pairs"]
    ]
    lengths = [
        (f"{row['value']}", f"{row['pairs_per_second']:.1f}", f"{row['pairs_per_second'] * row['value']:,.0f}", f"{row['peak_memory']:.0f}")
        for row in r["lengths"]
    ]
    return "\n\n".join(
        (
            f"{machine(r['machine'])} {r['model']}, {r['threads']} thread{'s' if r['threads'] > 1 else ''}.",
            table(("pairs attacked", "seconds", "pairs/s", "peak memory, MiB"), rows),
            table(("tokens a pair", "pairs/s", "tokens/s", "peak memory, MiB"), lengths),
        )
    )
