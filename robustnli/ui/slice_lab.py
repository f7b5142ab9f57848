"""The slice lab: make a slice, see at once what it holds and what became of its errors; and where two models differ most.

A page calls `own_rows` (or `own_slices`) where it draws pies above the panel: they need the session alone. The address holds the slice
being edited in the query parameter `lab`, which the panel reads and writes; a page that writes the whole address
(`st.query_params.from_dict`) adds `address()` to it, and keeps no `lab` of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st

from robustnli.compare import TOO_FEW, mcnemar, verdict, wilson
from robustnli.discover import Difference, Search
from robustnli.errors import InputError
from robustnli.evidence import OUTCOMES, outcomes
from robustnli.figures import escape_markdown
from robustnli.marked import marked
from robustnli.slicefile import MAX_FILE, to_toml
from robustnli.slices import MAX_CUE, MAX_CUES, MAX_NAME, MAX_PATTERN, MAX_WORDS, STANDARD, WHERES, WHICH, Slice, substrings
from robustnli.types import LABELS, ErrorBreakdown, Pair, Segment
from robustnli.ui import cached
from robustnli.ui import slice_state as state
from robustnli.ui.slice_state import address, own_slices

__all__ = ["address", "differences_ui", "own_rows", "own_slices", "slice_lab_ui"]
SAMPLES = 5
_CUES_LENGTH = MAX_CUES * (MAX_CUE + 4)
Spans = Callable[[Pair], Sequence[tuple[Segment, int, int]]]


def own_rows(table: pd.DataFrame, before: str, after: str) -> dict[str, np.ndarray]:
    """Name of each own slice -> which rows it holds, (n,) bool; one that cannot be had is left out (the panel tells why)."""
    key = _key(table, before, after)
    found = {part.name: cached.slice_rows(table, key, part, before, after) for part in own_slices()}
    return {name: rows for name, rows in found.items() if not isinstance(rows, str)}


def slice_lab_ui(table: pd.DataFrame, before: str, after: str) -> tuple[Slice, ...]:
    """Draw the panel on records with text (see `evidence.join`); returns the user's slices, as `own_slices`."""
    state.start()
    st.markdown("##### Slice lab")
    _problems()
    _editor(before, after)
    try:
        part = state.current()
    except InputError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
    else:
        _keeping(part)
        rows = cached.slice_rows(table, _key(table, before, after), part, before, after)
        if isinstance(rows, str):
            st.error(escape_markdown(rows), icon=":material/error:")
        else:
            _result(table, part, rows, before, after)
    _files()
    state.write_url()
    return own_slices()


def _problems() -> None:
    if told := state.problem():
        st.warning(escape_markdown(told), icon=":material/link_off:")


def _editor(before: str, after: str) -> None:
    """The widgets of the draft."""
    shown = state.draft()
    begun, name = st.columns(2)
    starts = [part.name for part in STANDARD] + list(state.saved()) + [state.EMPTY]
    begun.selectbox(
        "Start from", starts, key=state.widget("base", state.base()), on_change=state.begin,
        help="A standard slice to edit, one that you saved, or an empty one.",
    )  # fmt: skip
    _text(name, "name", "Name", shown, MAX_NAME, "Under which the slice is saved, drawn and exported.")
    _text(
        st, "cues", "Cue words, with commas between", shown, _CUES_LENGTH,
        f"The slice holds rows with one of these words or phrases, as a whole word, in any case; at most {MAX_CUES}. n't is found at the end of a word.",
    )  # fmt: skip
    _text(
        st, "pattern", "Regular expression", shown, MAX_PATTERN,
        r"Found in a sentence, in any case, such as \b(two|three) \w+s\b. It may take 2 seconds.",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choice("where", "Cues, expression and length look at", WHERES, shown, lambda w: "either sentence" if w == "either" else f"the {w}")
        for field, label in (("longer", "Longer than, words"), ("shorter", "Shorter than, words")):
            st.number_input(
                label, 0, MAX_WORDS, key=state.widget(field, shown[field]), on_change=state.changed(field), width=170,
                placeholder="no limit", step=1,
            )  # fmt: skip
        _choice("label", "Gold label", (state.ANY, *(label.text for label in LABELS)), shown, str)
    overlap, sure, which = st.columns([3, 3, 2])
    with overlap:
        _band("overlap", "Hypothesis words that stand in the premise", shown)
    with sure:
        _band("confidence", "Confidence of a model", shown)
    names = dict(zip(map(str, WHICH), (f"{before} (older)", f"{after} (newer)"), strict=True))
    which.selectbox(
        "Whose confidence", list(names), key=state.widget("which", shown["which"]), on_change=state.changed("which"),
        format_func=names.__getitem__,
    )  # fmt: skip


def _text(place: Any, name: str, label: str, shown: state.Draft, longest: int, told: str) -> None:
    key = state.widget(name, shown[name])
    place.text_input(label, key=key, live="250ms", on_change=state.changed(name), max_chars=longest, help=told)


def _choice(name: str, label: str, options: Sequence[str], shown: state.Draft, told: Callable[[str], str]) -> None:
    st.segmented_control(
        label, options, key=state.widget(name, shown[name]), on_change=state.changed(name), format_func=told, required=True
    )  # fmt: skip


def _band(name: str, label: str, shown: state.Draft) -> None:
    st.slider(label, 0.0, 100.0, step=1.0, format="%g %%", key=state.widget(name, shown[name]), on_change=state.changed(name))


def _keeping(part: Slice) -> None:
    """Save, remove."""
    with st.container(horizontal=True, vertical_alignment="center"):
        full = len(state.saved()) >= state.MAX_SAVED and part.name not in state.saved()
        unchanged = state.changed_draft() is None
        st.button("Save", on_click=state.save, disabled=full or unchanged, icon=":material/bookmark_add:", key="lab.b.save")
        st.button(
            "Remove", on_click=state.remove, disabled=state.base() not in state.saved(), icon=":material/delete:", key="lab.b.remove"
        )  # fmt: skip
        st.caption(_kept(part, full, unchanged))


def _kept(part: Slice, full: bool, unchanged: bool) -> str:
    if full:
        return f"{state.MAX_SAVED} slices are saved, which is the limit: remove one to save this one."
    if unchanged and part.name not in state.saved():
        return "Change something to make this slice your own."
    saved = "Saved for this session" if unchanged else "Not saved yet, and drawn beside the others already"
    if not state.link(part):
        return f"{saved}. The slice is too long for an address: share it as TOML."
    return f"{saved}. The address of this page holds the slice: send it to share the slice."


def _result(table: pd.DataFrame, part: Slice, rows: np.ndarray, before: str, after: str) -> None:
    """What the slice holds, what became of its errors, samples."""
    gold = table["gold"].to_numpy()
    n, size = int(rows.sum()), len(rows)
    st.markdown(f"**{n:,} of {size:,} rows** ({_percent(n, size)}): {escape_markdown(part.about)}")
    if part.asks_text and (missing := int(table["premise"].isna().sum())):
        st.caption(f"{missing:,} rows have no text here and fulfil no condition on text.")
    kinds = outcomes(gold, *(table[f"label.{m}"].to_numpy() for m in (before, after)))
    mix, broken = st.columns(2)
    with mix:
        counts = [int((gold[rows] == int(label)).sum()) for label in LABELS]
        everywhere = [int((gold == int(label)).sum()) for label in LABELS]
        frame = pd.DataFrame(
            {
                "gold": [label.text for label in LABELS],
                "rows": counts,
                "of the slice": [_percent(c, n) for c in counts],
                "of all rows": [_percent(c, size) for c in everywhere],
            }
        )
        st.dataframe(frame, hide_index=True, width="stretch", key="lab.mix", alt="Gold labels of the slice and of all rows")
    with broken:
        _breakdown(ErrorBreakdown(part.name, *(int((kinds[rows] == o).sum()) for o in OUTCOMES)), before, after)
    _samples(table, part, rows, kinds, before, after)


def _percent(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else "-"


def _breakdown(counts: ErrorBreakdown, before: str, after: str) -> None:
    """The four counts, intervals, the verdict in words."""
    p = mcnemar(counts.fixed, counts.introduced)
    told = [
        f"**{counts.fixed:,} fixed, {counts.introduced:,} introduced**, {counts.remaining:,} remaining, {counts.still_right:,} still right"
    ]
    for name, right in ((before, counts.introduced + counts.still_right), (after, counts.fixed + counts.still_right)):
        told.append(f"{escape_markdown(name)} is right on {right:,}: {_interval(right, counts.n)}")
    errors = counts.fixed + counts.remaining
    told.append(f"of {errors:,} errors of {escape_markdown(before)}, {counts.fixed:,} are fixed: {_interval(counts.fixed, errors)}")
    changed = counts.fixed + counts.introduced
    said = verdict(counts, p)
    told.append(
        f"**{said}** (under {TOO_FEW})"
        if counts.n < TOO_FEW
        else f"**{said}**: {changed:,} row{'' if changed == 1 else 's'} changed, McNemar's exact p = {p:.2g}"
    )
    st.markdown("\n".join(f"* {line}" for line in told))


def _interval(count: int, of: int) -> str:
    low, high = wilson(count, of)
    return f"{count / of:.1%} ({low:.1%} to {high:.1%})" if of else "none"


def _samples(table: pd.DataFrame, part: Slice, rows: np.ndarray, kinds: np.ndarray, before: str, after: str) -> None:
    """Rows of the slice with the match marked; beside them, where there are cues, what a search for substrings would add."""
    more = cached.over_matched(table, _key(table, before, after), part, before, after) if part.cues else np.zeros(len(table), dtype=bool)
    places = st.columns(2) if part.cues else [st.container()]
    with places[0]:
        st.markdown("**In the slice**, the match marked")
        _cards(table, rows, lambda pair: _found(part, pair), kinds, before, after)
    if part.cues:

        def inside(pair: Pair) -> list[tuple[Segment, int, int]]:
            return [(segment, *span) for segment in part.segments for span in substrings(pair.text(segment), part.cues)]

        with places[1]:
            n = int(more.sum())
            st.markdown(
                f"**Not in the slice**: {n:,} rows that hold a cue only inside another word, which a search for substrings would add"
            )
            _cards(table, more, inside, kinds, before, after)
    if rows.sum() > SAMPLES or more.sum() > SAMPLES:
        st.button("Other samples", on_click=state.other_samples, icon=":material/casino:", key="lab.b.other")


def _found(part: Slice, pair: Pair) -> Sequence[tuple[Segment, int, int]]:
    try:
        return part.spans(pair)
    except InputError:  # found in time, but not all of its places
        return ()


def _cards(table: pd.DataFrame, rows: np.ndarray, spans: Spans, kinds: np.ndarray, before: str, after: str) -> None:
    """A few of the rows, drawn by the seed. Every text of the data is escaped."""
    readable = np.flatnonzero(rows & table["premise"].notna().to_numpy() & table["hypothesis"].notna().to_numpy())
    if not len(readable):
        st.caption("None." if not rows.any() else "No text at hand for these rows.")
        return
    chosen = np.sort(np.random.default_rng(state.seed()).choice(readable, min(SAMPLES, len(readable)), replace=False))
    cards = []
    for i in chosen:
        row = table.iloc[i]
        pair = Pair(row["premise"], row["hypothesis"])
        found = spans(pair)
        says = " · ".join(f"{escape(m)} says {LABELS[int(row[f'label.{m}'])].text}" for m in (before, after))
        lines = "".join(
            f'<div dir="auto" style="overflow-wrap:anywhere"><span style="opacity:.7;font-size:.85rem">{s.capitalize()}&ensp;</span>'
            f"{marked(pair.text(s), [(a, b) for segment, a, b in found if segment == s], ())}</div>"
            for s in cast(tuple[Segment, ...], ("premise", "hypothesis"))
        )
        head = f"<b>{escape(str(kinds[i]))}</b> · gold {LABELS[int(row['gold'])].text} · {says}"
        cards.append(f'<div style="margin-bottom:.9rem"><div style="opacity:.85;font-size:.85rem">{head}</div>{lines}</div>')
    st.html("".join(cards))


def _files() -> None:
    """Export and import as TOML."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        own = own_slices()
        st.download_button(
            f"Export as TOML ({len(own)})", to_toml(own), "slices.toml", "application/toml", on_click="ignore", disabled=not own,
            icon=":material/download:", key="lab.b.export", help="For `robustnli compare --slices slices.toml`, and to be imported here.",
        )  # fmt: skip
        with st.popover("Import TOML", icon=":material/upload:"):
            given = st.file_uploader("A file of slices", type="toml", key="lab.file", max_upload_size=1)
            content = given.getvalue()[: MAX_FILE + 1] if given else b""
            st.button(
                "Add its slices", on_click=state.take_file, args=(given.name if given else "", content), disabled=given is None, key="lab.b.import"
            )  # fmt: skip


def differences_ui(
    table: pd.DataFrame, before: str, after: str, chosen: str = "", choose: Callable[[str], None] = lambda text: None
) -> Difference | None:  # fmt: skip
    """Draw "Where do they differ most?": slices of up to two conditions with the largest significant net change.

    Returns the one whose conditions are `chosen`, else None; its `rows` tell which rows it holds. `choose` is called with the
    conditions of the row that is clicked in the table, "" where it is clicked again.
    """
    st.markdown("##### Where do they differ most?")
    key = _key(table, before, after)
    usable = own_rows(table, before, after)
    # The draft is not among them: the search would be made anew with each key that is typed.
    search = cached.differences(table, key, before, after, tuple(part for name, part in state.saved().items() if name in usable))
    if not search.found:
        few = f"No slice has {TOO_FEW} rows or more: too few to tell." if not search.tried else ""
        st.info(few or f"None of {search.tried:,} slices changed beyond what chance gives so many.", icon=":material/balance:")
    else:
        _differences(search, chosen, choose)
    picked = next((d for d in search.found if d.counts.slice == chosen), None)
    if chosen and picked is None:
        st.warning(f"The address asks for the slice {escape_markdown(chosen[:200])}, which is not among these.", icon=":material/link_off:")
    return picked


def _differences(search: Search, chosen: str, choose: Callable[[str], None]) -> None:
    """What was tried, and the table of what was found, with the chosen row marked."""
    st.caption(
        f"{search.tried:,} slices of one and two conditions with {TOO_FEW} rows or more were tried, and {search.significant:,} of them changed "
        "significantly (McNemar's exact test; of such, 5 % may be false, after Benjamini and Hochberg); shown are those that no clearer one "
        "explains, largest net change first. They were looked for, so their own numbers flatter them: what you find here is a question to "
        "ask of other data, such as another split. Slices overlap. Where a condition is the older model's low confidence, "
        "any other model would fix some."
    )
    names = [d.counts.slice for d in search.found]
    key = state.differences([names.index(chosen)] if chosen in names else [])
    st.dataframe(
        pd.DataFrame([_line(d) for d in search.found]), hide_index=True, width="stretch", key=key, selection_mode="single-row",
        on_select=lambda: choose(next((names[i] for i in state.clicked_rows(key) if i < len(names)), "")),
        column_config={"p, adjusted": st.column_config.NumberColumn(format="%.2g")},
        alt="Slices with the largest significant net change, one a row",
    )  # fmt: skip


def _line(d: Difference) -> dict[str, Any]:
    return {
        "slice": d.counts.slice,
        "rows": d.counts.n,
        "net": d.net,
        "net in 100 rows": round(100 * d.net / d.counts.n, 1),
        "fixed": d.counts.fixed,
        "introduced": d.counts.introduced,
        "p, adjusted": d.adjusted,
        "remaining": d.counts.remaining,
        "still right": d.counts.still_right,
    }


def _key(table: pd.DataFrame, before: str, after: str) -> str:
    """A fingerprint of what slices read of the table, in a few milliseconds for 10,000 rows."""
    digest = hashlib.sha256(f"{before}\x1f{after}\x1f{list(table.columns)}".encode("utf-8", "replace"))
    columns = ["uid"] if "uid" in table else [c for c in ("premise", "hypothesis") if c in table]
    for column in (*columns, "gold", f"label.{before}", f"label.{after}"):
        digest.update(pd.util.hash_pandas_object(table[column], index=False).to_numpy().tobytes())
    if "premise" in table:
        digest.update(table["premise"].notna().to_numpy().tobytes())
    return digest.hexdigest()
