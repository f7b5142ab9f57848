"""What stands where no example is kept yet: the three ways to get some, and a few ready ones to try the review with."""

from __future__ import annotations

import streamlit as st

from robustnli.curated import BY_HAND, Entry, Said, changed_words, entry_uid
from robustnli.examples import READY, STARTERS, Starter
from robustnli.ui import cached, keep, people
from robustnli.ui.curate import asking
from robustnli.ui.curate.state import act, address, go_to
from robustnli.ui.people import Person

_WAYS = (
    ("swap_horiz", "Flip lab", "Type a pair, change it until a model flips, press **Keep**.", "pages/explore.py"),
    ("bolt", "Attacks", "Let a recipe find what breaks a model; keep one row, or all that broke. The error explorer keeps rows, too.", "pages/attacks.py"),
    ("upload", "Import", "Bring a file: an earlier export, TextAttack's log, or plain pairs.", ""),
)  # fmt: skip


def welcome_ui(who: Person) -> None:
    """Draw the ways, each with what leads there."""
    st.markdown(
        "Examples you keep wait here for a person to **say what their label is now**: an edit may destroy the evidence for the old one. "
        "Only then they are exported, and trained on. Nothing is kept yet. Three ways to begin:"
    )
    for column, (icon, name, text, page) in zip(st.columns(3), _WAYS, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"##### :material/{icon}: {name}")
            st.markdown(text)
            if page:
                st.button(f"Go to {name}", key=f"curate.way.{name}", on_click=go_to, args=(page,), icon=":material/arrow_forward:")
            else:
                st.button(
                    "Import a file", key="curate.way.import", on_click=_import, icon=":material/arrow_forward:", disabled=not who.may_write
                )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Add {len(STARTERS)} ready examples", type="primary", icon=":material/auto_awesome:", key="curate.starters", on_click=act,
            args=(add_starters,), disabled=not who.may_write, help=who.why or "Sentences of our own, to try the review with. Undo takes them away.",
        )  # fmt: skip
        st.caption("or try the review first, on sentences of our own; the first two models here are asked about them.", width="content")


def _import() -> None:
    address.put(view="import")


def add_starters() -> str:
    """Add the ready examples with what the first two models say of them; told in a sentence."""
    author = people.author()
    said = asking.said([(READY[s.of].pair, s.edited) for s in STARTERS])
    added = cached.store().add([keep.stamped(_entry(s, answers), author) for s, answers in zip(STARTERS, said, strict=True)])
    return f"{len(added.new)} examples added."


def _entry(starter: Starter, answers: tuple[Said, ...]) -> Entry:
    pair, gold = READY[starter.of].pair, READY[starter.of].gold
    return Entry(
        entry_uid(pair, starter.edited, gold), pair, starter.edited, gold, keep.MASKED if starter.masked else BY_HAND,
        changed_words(pair, starter.edited), answers, tags=starter.tags,
    )  # fmt: skip
