"""Import: a file is looked at, its columns are named, its bad rows are told by number, and then all of it is kept or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from robustnli import exchange
from robustnli.curated import Entry
from robustnli.exchange import FIELDS, Preview
from robustnli.exchange.importing import owned
from robustnli.figures import escape_markdown
from robustnli.types import LABELS, Label
from robustnli.ui import cached, keep, people, problems
from robustnli.ui.curate.state import act, field, open_view, renew, upload
from robustnli.ui.people import Person

KINDS = ["jsonl", "csv", "tsv", "parquet", "zip", "gz", "json"]
SHOWN = 200  # bad rows listed
IMPORTED = " (imported)"


def bring_ui(who: Person) -> None:
    """Draw the upload, then what is in the file, then the button that keeps it."""
    st.markdown("An earlier export (zip, JSONL, CSV, Parquet), TextAttack's CSV log, or pairs of your own with a premise and a hypothesis.")
    file = st.file_uploader("A file of examples", KINDS, key=upload(), disabled=not who.may_write, help=who.why or None)
    if who.why:
        st.info(who.why, icon=":material/lock:")
    if file is None:
        return
    with problems.shown():
        data = file.getvalue()
        seen = cached.look_at_file(file.name, data)
        _looks(seen)
        mapping, labels = _mapping(seen)
        skip = st.toggle("Skip bad rows", key=field("skip"), help="Otherwise one bad row keeps the whole file out.")
        read = cached.read_file(file.name, data, mapping, skip, labels)
        _told(read)
        st.button(
            f"Import {len(read.entries):,} examples", type="primary", icon=":material/upload:", key="curate.import",
            disabled=not read.entries or not who.may_write, on_click=act, args=(partial(_import, read.entries),),
        )  # fmt: skip


def adopted(entry: Entry, who: Person) -> Entry:
    """The entry as this person may bring it. On a server with sign-in it is the person's own, and what the file says of other people is
    marked as imported: nobody can bring a verdict under another's name."""
    if who.mode != "signed in":
        return entry

    def name(author: str) -> str:
        return author if author in ("", who.name) or author.endswith(IMPORTED) else author + IMPORTED

    opinions = {name(o.author): replace(o, author=name(o.author)) for o in entry.opinions}
    history = tuple(replace(c, author=name(c.author)) for c in entry.history)
    return replace(entry, author=who.name, opinions=tuple(opinions.values()), history=history)


def _looks(seen: Preview) -> None:
    st.markdown(f"This looks like **{escape_markdown(seen.about)}**. Its first rows:")
    frame = pd.DataFrame(
        [{str(k): v if isinstance(v, str | int | float | bool) else str(v) for k, v in row.items() if v is not None} for row in seen.first]
    )
    st.dataframe(
        frame.astype(str), hide_index=True, width="stretch", height=min(38 + 35 * len(frame), 250), alt="The first rows of the file"
    )
    for note in seen.notes:
        st.warning(escape_markdown(note), icon=":material/info:")


def _mapping(seen: Preview) -> tuple[dict[str, str], tuple[Label, ...]]:
    """Which column holds which field, and what label numbers mean; asked only of plain pairs, whose columns anybody may have named."""
    if seen.kind != "pairs":
        return {}, LABELS
    st.markdown("Which column holds what?")
    chosen: dict[str, str] = {}
    fields = list(FIELDS.items())
    for begin in range(0, len(fields), 4):
        for column, (name, about) in zip(st.columns(4), fields[begin : begin + 4], strict=False):
            guess = seen.mapping.get(name)
            value = column.selectbox(
                name.replace("_", " ").capitalize(), seen.columns, index=seen.columns.index(guess) if guess else None, placeholder="none",
                help=about, key=field("map", f"{name}.{len(seen.columns)}"),
            )  # fmt: skip
            if value:
                chosen[name] = value
    orders = {"0 1 2 = entailment neutral contradiction": LABELS, "0 1 2 = contradiction entailment neutral": (LABELS[2], LABELS[0], LABELS[1]),
              "0 1 2 = contradiction neutral entailment": (LABELS[2], LABELS[1], LABELS[0])}  # fmt: skip
    order = st.selectbox("Labels that are numbers", list(orders), key=field("labels"), width=420)
    return chosen or {"premise": "", "hypothesis": ""}, orders[order]


def _told(read: exchange.Imported) -> None:
    tell = st.success if not read.bad else st.warning if read.entries else st.error
    tell(escape_markdown(read.summary), icon=":material/fact_check:")
    for note in read.notes:
        st.warning(escape_markdown(note), icon=":material/info:")
    if read.problems:
        with st.expander(f"The bad rows ({read.bad:,})", expanded=True, icon=":material/error:"):
            rows = [{"file": p.file, "row": p.row, "what is wrong": p.text} for p in read.problems[:SHOWN]]
            st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", alt="Rows that cannot be used")
            if read.bad > SHOWN:
                st.caption(f"The first {SHOWN:,} of {read.bad:,}.")


def _import(entries: Sequence[Entry]) -> str:
    who, author = people.person(), people.author()
    added = cached.store().add([adopted(owned(e, author, keep.now()), who) for e in entries], by=author)
    renew()
    open_view("table")
    known = f" {len(added.known):,} were there already." if added.known else ""
    return f"{len(added.new):,} examples imported.{known}"
