"""Where SNLI's text is not at hand: how many rows lack it, and how to get it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from robustnli.browse import View
from robustnli.evidence import Texts, find_texts
from robustnli.figures import escape_markdown
from robustnli.records import FORMATS
from robustnli.ui.errors import state

_HELP = """The records hold no text of SNLI, only hashes that find it. Any one of these brings the sentences, the search, the length filter
and the cues; nothing is sent anywhere:

* set `ROBUSTNLI_SNLI` to the folder (or file) that holds your copy of SNLI, and start the app again;
* `hf download stanfordnlp/snli --repo-type dataset` puts a copy where this page looks for it;
* give the split's file here (JSONL, CSV, TSV or Parquet, plain or gzip)."""


def text(seen: View, at_hand: Texts) -> None:
    """Say how many rows have no text and ask for it; nothing where all rows have theirs."""
    if not seen.without_text:
        return
    n = len(seen.table)
    for problem in at_hand.unreadable:
        st.warning(escape_markdown(problem), icon=":material/warning:")
    if at_hand.pairs:
        st.warning(
            f"{seen.without_text:,} of {n:,} rows have no text in {escape_markdown(', '.join(at_hand.sources))}: no pair there has their "
            "hash. Another split, another version of the data, or changed sentences.",
            icon=":material/difference:",
        )
    with st.expander(
        f"{seen.without_text:,} of {n:,} rows are shown without their sentences: get SNLI's text", icon=":material/lock_open:"
    ):
        st.markdown(_HELP)
        given = st.file_uploader("A file of SNLI", key="errors.file", type=[f.removeprefix(".") for f in FORMATS] + ["gz"])
        if given is not None and st.button("Use this file", icon=":material/check:"):
            state.remember_texts(_read(given.name, given.getvalue(), set(seen.table["uid"])))
            st.rerun()


def _read(name: str, content: bytes, wanted: set[str]) -> Texts:
    """The texts of an uploaded file, of the rows wanted. Only its suffixes are taken from the name."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("file" + "".join(Path(name).suffixes[-2:])[:20])
        path.write_bytes(content)
        found = find_texts([path])
    pairs = {uid: pair for uid, pair in found.pairs.items() if uid in wanted}
    shown = Path(name).name
    return Texts(pairs, (shown,), tuple(problem.replace(str(path), shown) for problem in found.unreadable))
