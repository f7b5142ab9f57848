"""Inline changes of an entry: the edited pair, the note, the tags; and removing it. Only its owner may; tags and note go with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from robustnli.curated import Entry
from robustnli.errors import InputError
from robustnli.types import Pair
from robustnli.ui import cached, keep, people
from robustnli.ui.curate import asking
from robustnli.ui.curate.state import act, field, forget_trail, go
from robustnli.ui.people import Person

MAX_SENTENCE = 20_000


def edit_ui(who: Person, entry: Entry) -> None:
    """Draw the fields, filled with what the entry holds; nothing is changed before Save."""
    why = who.why or ("" if entry.author == who.name else "Only its author may change or remove it; you can judge it.")
    with st.expander("Edit, tags, remove", icon=":material/edit:"):
        if why:
            st.caption(f":material/lock: {why}")
            return
        with st.form(f"curate.edit.{entry.uid}", border=False):
            for name, text in (("premise", entry.edited.premise), ("hypothesis", entry.edited.hypothesis)):
                st.text_area(
                    f"{name.capitalize()} after the edit", text, key=_key(name, entry), max_chars=MAX_SENTENCE, height="content",
                    help="Another text is another example: it has to be judged anew, and the models are asked again.",
                )  # fmt: skip
            st.text_area("Note", entry.note, key=_key("note", entry), max_chars=keep.MAX_NOTE, height="content")
            tags = sorted({*cached.curated_facets().tags, *entry.tags})
            st.multiselect("Tags", tags, list(entry.tags), key=_key("tags", entry), accept_new_options=True, placeholder="Choose or type")
            st.form_submit_button("Save", icon=":material/save:", type="primary", on_click=act, args=(partial(_save, entry),))
        st.button(
            "Remove this entry", icon=":material/delete:", type="tertiary", key="curate.remove", on_click=act, args=(partial(remove, [entry.uid]),),
            help="Undo brings it back",
        )  # fmt: skip


def _key(name: str, entry: Entry) -> str:
    """The key of a field: another one after each change, so that it shows what the entry holds now, also after an undo."""
    return field(name, f"{entry.uid}.{len(entry.history)}")


def _save(entry: Entry) -> str:
    author, store = people.author(), cached.store()
    edited, note, tags = _typed(entry)
    uid = entry.uid
    if edited != entry.edited or note != entry.note:
        said = asking.said([(entry.original, edited)], [s.model for s in entry.said])[0] if edited != entry.edited else entry.said
        uid = store.edit(uid, author, edited=edited, note=note, said=said).uid
    add, drop = [t for t in tags if t not in entry.tags], [t for t in entry.tags if t not in tags]
    if add or drop:
        store.tag([uid], author, add=add, remove=drop)
    if uid != entry.uid:
        go(uid)
        forget_trail()
    return "Saved." if (uid, note) != (entry.uid, entry.note) or add or drop else "Nothing was changed."


def _typed(entry: Entry) -> tuple[Pair, str, tuple[str, ...]]:
    """The edited pair, the note and the tags as they stand in the fields. Raises InputError for an empty sentence."""
    held = {name: st.session_state.get(_key(name, entry)) for name in ("premise", "hypothesis", "note", "tags")}
    sentences = [str(held[name] or "").replace("\x00", "\ufffd")[:MAX_SENTENCE].strip() for name in ("premise", "hypothesis")]
    for name, text in zip(("premise", "hypothesis"), sentences, strict=True):
        if not text:
            raise InputError(f"the {name} is empty. Write a sentence, or remove the entry.")
    # Tags that came from a file keep their form; only new ones are made plain.
    chosen: Sequence[str] = held["tags"] or ()
    tags = tuple(dict.fromkeys(t for tag in chosen for t in ((tag,) if tag in entry.tags else keep.clean_tags([tag]))))
    pair = Pair(sentences[0], sentences[1])
    same = pair == Pair(entry.edited.premise.strip(), entry.edited.hypothesis.strip())
    return entry.edited if same else pair, str(held["note"] or "").strip()[: keep.MAX_NOTE], tags


def remove(uids: Sequence[str]) -> str:
    """Remove entries under the name of who is at the page; told in a sentence."""
    cached.store().remove(uids, people.author())
    forget_trail()
    return f"{'Removed' if len(uids) == 1 else f'{len(uids):,} removed'}. Undo brings {'it' if len(uids) == 1 else 'them'} back."
