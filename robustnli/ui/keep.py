""" "Keep": puts examples into the curated ones, from any page. The button says whether they were new, and leads to them.

Everything that costs time waits for the click: an unclicked button builds nothing and asks no database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from robustnli.curated import Entry
from robustnli.errors import RobustNLIError
from robustnli.figures import escape_markdown
from robustnli.ui import cached, people

CURATE = "pages/curate.py"
MASKED = "mask by hand"  # the recipe of words that a person masked; "mask" alone is the paper's attack
MAX_NOTE, MAX_TAG = 2000, 40
Source = Sequence[Entry] | Callable[[], Sequence[Entry]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the last click on a button came to: uids that are new, uids that were there, or what went wrong."""

    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    problem: str = ""

    def told(self) -> str:
        """In a sentence."""
        if self.problem:
            return self.problem
        if len(self.new) + len(self.known) == 1:
            return "Kept." if self.new else "Already kept."
        known = f" {len(self.known):,} were there already." if self.known else ""
        return f"{len(self.new):,} kept.{known}" if self.new else f"All {len(self.known):,} were kept already."


def keep_button(
    entries: Source, label: str = "Keep", key: str = "keep", *, details: bool = False, disabled: str = "", who: people.Person | None = None
) -> None:  # fmt: skip
    """Draw the button; a click adds `entries` (asked for only then) under the name of who is at the page, and the next run tells it.

    `details`: with a field for a note and tags. `disabled`: why there is nothing to keep; "" where there is. `who` is at the page,
    where a page with many buttons has asked already. The words "Kept" stay as long as the same entries are offered; entries that a
    callable gives are told of once.
    """
    if uid := st.session_state.pop(f"keep.left.{key}", None):
        st.switch_page(CURATE, query_params={"id": uid})
    why = (who or people.person()).why or disabled
    with st.container(horizontal=True, vertical_alignment="center", key=f"keep.row.{key}"):
        st.button(
            label, key=f"keep.{key}", icon=":material/bookmark_add:", disabled=bool(why), on_click=_click, args=(entries, key, details),
            help=why or "Puts it into the curated examples, where you confirm its label and train on it.",
        )  # fmt: skip
        if details and not why:
            _details(key)
        _told(entries, key)


def now() -> str:
    """The time as entries hold it: UTC, ISO 8601 with seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def clean_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Tags as they are kept: lower case, one line, no empty one, none twice."""
    return tuple(dict.fromkeys(tag for tag in (people.clean(t).lower().replace(",", " ")[:MAX_TAG].strip() for t in tags) if tag))


def _details(key: str) -> None:
    with st.popover("Note and tags", icon=":material/sell:", type="tertiary"):
        st.text_area("Note", key=f"keep.note.{key}", max_chars=MAX_NOTE, height=90, placeholder="What this example shows")
        st.text_input("Tags", key=f"keep.tags.{key}", max_chars=400, placeholder="negation, for the talk", help="Separated by commas")
        st.caption("Both are optional; they go with the next click on Keep.")


def _click(entries: Source, key: str, details: bool) -> None:
    try:
        author = people.author()
        note, tags = (str(st.session_state.get(f"keep.{field}.{key}") or "") if details else "" for field in ("note", "tags"))
        given = entries() if callable(entries) else entries
        added = cached.store().add([stamped(e, author, note=note, tags=tags.split(",")) for e in given])
        kept = Kept(tuple(added.new), tuple(added.known))
    except RobustNLIError as error:
        kept = Kept(problem=str(error))
    st.session_state[f"keep.said.{key}"] = kept


def stamped(entry: Entry, author: str, *, note: str = "", tags: Sequence[str] = ()) -> Entry:
    """The entry as this author's, made now, with a note where it has none, and with more tags."""
    every = tuple(dict.fromkeys((*entry.tags, *clean_tags(tags))))
    return replace(entry, author=author, created=now(), note=entry.note or note.strip()[:MAX_NOTE], tags=every)


def _told(entries: Source, key: str) -> None:
    """What the last click came to, as long as it is about these entries; and the way to them."""
    kept: Kept | None = st.session_state.get(f"keep.said.{key}")
    if kept is None:
        return
    if callable(entries):
        del st.session_state[f"keep.said.{key}"]
    elif not kept.problem and {e.uid for e in entries} != {*kept.new, *kept.known}:
        return
    if kept.problem:
        st.markdown(f":material/error: {escape_markdown(kept.problem)}", width="content")
        return
    icon = ":green[:material/bookmark_added:]" if kept.new else ":material/bookmark:"
    st.markdown(f"{icon} {kept.told()}", width="content")
    first = (*kept.new, *kept.known)[:1]
    if first:
        st.button(
            "Review it" if len(kept.new) + len(kept.known) == 1 else "Review them", key=f"keep.go.{key}", type="tertiary",
            icon=":material/arrow_forward:", on_click=_leave, args=(key, first[0]), help="Opens Curate",
        )  # fmt: skip


def _leave(key: str, uid: str) -> None:
    st.session_state[f"keep.left.{key}"] = uid
