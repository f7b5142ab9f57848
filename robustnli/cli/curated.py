"""Commands of the curated examples: export, import, replay."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from robustnli.cli.options import Json, Threads
from robustnli.cli.output import load, progress, say

if TYPE_CHECKING:
    from robustnli.exchange import Again, Preview
    from robustnli.store import Query
    from robustnli.types import Label

Verdicts = Annotated[list[str] | None, typer.Option(help="Only entries of this verdict: keep, relabel, unsure, ... May be repeated.")]
Tags = Annotated[list[str] | None, typer.Option(help="Only entries with this tag. May be repeated: any of them.")]


def export(
    out: Annotated[Path | None, typer.Option(help="A file (.zip, .jsonl, .csv, .parquet), or a new folder that `datasets` loads.")] = None,
    format: Annotated[str, typer.Option(help="zip, jsonl, csv, parquet, textattack, dataset; without it, as --out ends.")] = "",
    verdict: Verdicts = None,
    tag: Tags = None,
    everything: Annotated[bool, typer.Option("--everything", help="With pending and rejected ones, as a backup (JSONL).")] = False,
    title: Annotated[str, typer.Option(help="The title of the data set card.")] = "Curated NLI examples",
    license: Annotated[str, typer.Option(help="The license for the card, such as cc-by-4.0.")] = "",
    seed: Annotated[int | None, typer.Option(help="A seed to note in the manifest.")] = None,
    model: Annotated[str, typer.Option(help="Whose predictions TextAttack's file has; default: the one asked most.")] = "",
    hide_authors: Annotated[bool, typer.Option("--hide-authors", help="Number the people instead of naming them.")] = False,
    push: Annotated[str, typer.Option(help="Upload as data set OWNER/NAME with the token of HF_TOKEN; authors are hidden.")] = "",
    public: Annotated[bool, typer.Option("--public", help="With --push: everybody may see a data set made anew.")] = False,
    as_json: Json = False,
) -> None:
    """Write the curated examples that a person confirmed, for training and for other tools."""
    from robustnli.checkpoints import find
    from robustnli.errors import InputError
    from robustnli.exchange import About, Stored, export_to, format_of
    from robustnli.exchange import push as upload
    from robustnli.store import open_store

    if not out and not push:
        raise InputError("where to? Give --out FILE_OR_FOLDER or --push OWNER/NAME.")
    kind = format or (format_of(out) if out else "dataset")
    checkpoints = tuple((f.name, f.checkpoint.fingerprint) for f in find() if f.checkpoint)
    about = About(title, license=license, seed=seed, checkpoints=checkpoints, model=model, people=not hide_authors)
    with open_store() as store:
        entries = Stored(store, _query(verdict, tag))
        if out:
            done = export_to(out, entries, kind, about, everything=everything)
            files = [{"name": f.name, "rows": f.rows, "bytes": f.bytes, "sha256": f.sha256} for f in done.files]
            row = {"out": str(out), "format": kind, "entries": done.entries, "train": done.train, "unsure": done.unsure}
            say([row | {"left_out": done.left_out, "files": files}], as_json, _exported)
        if push:
            where = upload(push, entries, os.environ.get("HF_TOKEN", ""), about, private=not public)
            say([{"pushed": where}], as_json, lambda r: r["pushed"])


def import_(
    file: Annotated[
        Path, typer.Argument(help="A file, zip or folder that export wrote, TextAttack's log, or pairs (CSV, TSV, JSONL, Parquet).")
    ],
    map: Annotated[list[str] | None, typer.Option(help="FIELD=COLUMN for plain pairs, such as premise=sentence1. May be repeated.")] = None,
    labels: Annotated[
        str, typer.Option(help="What the numbers 0,1,2 mean in pairs and in TextAttack's log.")
    ] = "entailment,neutral,contradiction",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows that cannot be used; without it, nothing is imported.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be imported; change nothing.")] = False,
    author: Annotated[str, typer.Option(help="Whose the entries are that name nobody; default: the user of this computer.")] = "",
    as_json: Json = False,
) -> None:
    """Add examples of a file to the curated ones: all of them, or none where a row is bad."""
    from robustnli.errors import DataError
    from robustnli.exchange import preview, read_entries
    from robustnli.store import open_store

    mapping, who = _mapping(map or []), author.strip() or _me()
    found = read_entries(file, mapping, skip_bad=skip_bad, author=who, at=_now(), labels=_labels(labels))
    for problem in found.problems[:20]:
        typer.echo(f"note: {_shown(str(problem), 400)}", err=True)
    if found.bad > 20:
        typer.echo(f"note: {found.bad - 20:,} more rows cannot be used.", err=True)
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    row: dict[str, Any] = {"file": str(file), "kind": found.kind, "rows": found.rows, "bad": found.bad, "summary": found.summary}
    if dry_run:
        seen = preview(file)
        row |= {"mapping": mapping or seen.mapping, "columns": list(seen.columns), "readable": len(found.entries)}
        say([row], as_json, lambda r: _previewed(r, seen))
        return
    if not found.entries:
        raise DataError(found.summary)
    with open_store() as store:
        added = store.add(found.entries, by=who)
    row |= {"new": len(added.new), "known": len(added.known)}
    say([row], as_json, lambda r: f"{r['summary']} New: {r['new']:,}. There already: {r['known']:,}.")


def replay(
    model: Annotated[list[str], typer.Option(help="A checkpoint: its name, a folder, or a hub id. May be repeated.")],
    verdict: Verdicts = None,
    tag: Tags = None,
    all_rows: Annotated[bool, typer.Option("--all", help="List every entry, not only those that drifted.")] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Ask a model about the curated examples again, and count those that no longer flip it."""
    from robustnli.errors import DataError
    from robustnli.exchange import replay as run
    from robustnli.store import open_store

    with open_store() as store:
        entries = store.entries(_query(verdict, tag))
    if not entries:
        raise DataError("there is no curated example to ask about. Keep some first, or choose another verdict or tag.")
    rows = []
    for name in model:
        asked = load(name, threads)
        with progress(name, len(entries)) as step:
            done = 0

            def told(count: int, step: Any = step) -> None:
                nonlocal done
                step(count - done)
                done = count

            drift = run(entries, asked.checkpoint.name, asked.checkpoint.fingerprint, asked.predict, progress=told)
        listed = [row for row in drift.rows if all_rows or row.no_longer or row.newly]
        counts = {key: getattr(drift, key) for key in ("flipped_then", "no_longer", "newly", "unasked", "other_checkpoint", "summary")}
        rows.append({"model": name, "fingerprint": drift.fingerprint, **counts, "rows": [_again(row) for row in listed]})
    say(rows, as_json, _drift)


def _query(verdicts: Sequence[str] | None, tags: Sequence[str] | None) -> Query:
    from robustnli.curated import Verdict
    from robustnli.errors import InputError, did_you_mean
    from robustnli.store import Query

    known = {verdict.value: verdict for verdict in Verdict}
    for name in verdicts or ():
        if name not in known:
            raise InputError(f"there is no verdict {name!r}.{did_you_mean(name, known)}")
    return Query(verdicts=tuple(known[name] for name in verdicts or ()), tags=tuple(tags or ()), order="oldest")


def _mapping(texts: Sequence[str]) -> dict[str, str]:
    from robustnli.errors import InputError

    pairs = [text.partition("=") for text in texts]
    for (field, cut, column), text in zip(pairs, texts, strict=True):
        if not (field and cut and column):
            raise InputError(f"--map {text!r} is not FIELD=COLUMN, such as premise=sentence1.")
    return {field.strip(): column for field, _, column in pairs}


def _labels(text: str) -> list[Label]:
    from robustnli.errors import InputError
    from robustnli.types import LABELS

    known = {label.text: label for label in LABELS}
    names = [name.strip().lower() for name in text.split(",")]
    if sorted(names) != sorted(known):
        raise InputError(f"--labels {text!r}: name entailment, neutral and contradiction, once each, in the order of the numbers 0,1,2.")
    return [known[name] for name in names]


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "me"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _shown(text: str, longest: int = 70) -> str:
    """Foreign text on one line, cut, without characters that a terminal would obey."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def _exported(row: dict[str, Any]) -> str:
    left = f" Left out, since nobody confirmed or somebody rejected them: {row['left_out']:,}." if row["left_out"] else ""
    return f"{row['out']}: {row['train']:,} for training, {row['unsure']:,} unsure.{left}"


def _previewed(row: dict[str, Any], seen: Preview) -> str:
    lines = [f"{row['file']}: {seen.about}.", f"columns: {_shown(', '.join(seen.columns), 400)}"]
    if row["mapping"]:
        lines.append("mapping: " + ", ".join(f"{field}={_shown(column)}" for field, column in row["mapping"].items()))
    for first in seen.first[:3]:
        lines.append("  " + _shown(" | ".join(str(value) for value in first.values() if isinstance(value, str | int) and value != ""), 130))
    return "\n".join([*lines, row["summary"], "Nothing was changed: this was a dry run."])


def _again(row: Again) -> dict[str, Any]:
    then = row.then and {"before": row.then.before.label.text, "after": row.then.after.label.text, "fingerprint": row.then.fingerprint}
    now = {"before": row.now.before.label.text, "after": row.now.after.label.text}
    pair = {"premise": row.entry.edited.premise, "hypothesis": row.entry.edited.hypothesis}
    return {"uid": row.entry.uid, **pair, "then": then, "now": now, "no_longer": row.no_longer, "newly": row.newly, "moved": row.moved}


def _drift(report: dict[str, Any]) -> str:
    def said(answer: dict[str, str] | None) -> str:
        return f"{answer['before']} -> {answer['after']}" if answer else "not asked"

    lines = [f"  {r['uid']}  then {said(r['then'])}, now {said(r['now'])}: {_shown(r['hypothesis'])}" for r in report["rows"]]
    return "\n".join([report["summary"], *lines])
