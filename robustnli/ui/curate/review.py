"""The review queue: one entry at a time, judged with a key. Somebody else's verdict stays hidden until the reader has judged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from robustnli.curated import Entry, Opinion, Verdict
from robustnli.store import Query
from robustnli.types import LABELS, MASK, Label, Pair
from robustnli.ui import cached, people
from robustnli.ui import state as app_state
from robustnli.ui.curate import card, edit
from robustnli.ui.curate.filters import Filters
from robustnli.ui.curate.state import act, address, clear, field, go, left, open_pair, value
from robustnli.ui.keys import REVIEW as KEYS
from robustnli.ui.people import Person


def review_ui(who: Person, filters: Filters, found: Sequence[str]) -> None:
    """Draw the entry at hand of those `found`, and everything that can be done with it."""
    done = set(cached.curated(Query(judged_by=who.name))) if who.name else set()
    todo = [uid for uid in found if uid not in done]
    at = _at(found, todo)
    entry = cached.store().get(found[at])
    _progress(who, filters, found, at)
    wide, narrow = st.columns([9, 5], gap="medium")
    with wide:
        with st.container(border=True, key="curate_card"):
            st.html(card.facts_html(entry))
            st.html(card.pair_html(entry))
            st.html(card.models_html(entry.said))
        _verdicts(who, entry, found, at, todo)
    with narrow:
        _about(who, entry)
        edit.edit_ui(who, entry)


def _at(found: Sequence[str], todo: Sequence[str]) -> int:
    """The place of the entry asked for; else of the first that waits for the reader; else the first."""
    asked = address.get("id")
    uid = asked if asked in set(found) else todo[0] if todo else found[0]
    if uid != asked:
        address.settle("id", uid)
    return found.index(uid)


def _progress(who: Person, filters: Filters, found: Sequence[str], at: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if who.may_write:
            # Of all that fit, were there no filter that judging itself changes.
            every = filters.without("verdict", "mine")
            total = cached.curated(every.query(who.name), every.slice)
            judged = len(set(total) & set(cached.curated(Query(judged_by=who.name))))
            st.progress(judged / len(total), text=f"**{judged:,} of {len(total):,}** judged by you", width=230)
        st.button(
            "Previous", icon=":material/arrow_back:", shortcut="P", key="curate.previous", disabled=at == 0, on_click=go,
            args=(found[max(0, at - 1)],),
        )  # fmt: skip
        st.button(
            "Next", icon=":material/arrow_forward:", shortcut="N", key="curate.next", disabled=at + 1 == len(found), on_click=go,
            args=(found[min(len(found) - 1, at + 1)],),
        )  # fmt: skip
        st.caption(f"Entry {at + 1:,} of {len(found):,}", width="content")
        with st.popover("Keys", icon=":material/keyboard:", type="tertiary"):
            st.table({"key": [key for key, _ in KEYS], "does": [does for _, does in KEYS]}, hide_index=True, border="horizontal")


def _verdicts(who: Person, entry: Entry, found: Sequence[str], at: int, todo: Sequence[str]) -> None:
    """The buttons that judge, and the note that goes with a verdict."""
    onward = _onward(found, at, todo)
    own = next((o for o in entry.opinions if o.author == who.name), None) if who.may_write else None

    def button(label: str, key: str, icon: str, verdict: Verdict, given: Label | None, why: str = "", help_: str = "") -> None:
        chosen = own is not None and (own.verdict, own.label) == (verdict, given)
        st.button(
            label, key=f"curate.judge.{key}", icon=icon, shortcut=key, type="primary" if chosen else "secondary", disabled=bool(who.why or why),
            help=who.why or why or help_, on_click=act, args=(partial(_judge, entry, verdict, given, onward),),
        )  # fmt: skip

    before = entry.gold_before
    with st.container(horizontal=True, gap="xsmall", key="curate_verdicts"):
        button(
            f"Still {before.text}" if before is not None else "Accept", "A", ":material/check:", Verdict.KEEP, before,
            "" if before is not None else "There was no label before the edit: give one with 1, 2 or 3.", "Accept: the label before the edit is still right",
        )  # fmt: skip
        for number, label in enumerate(LABELS, 1):
            same = before in (None, label)
            button(
                label.text, str(number), "", Verdict.KEEP if same else Verdict.RELABEL, label, "",
                "The same as Accept" if before == label else f"The edited pair is {label.text}",
            )  # fmt: skip
        button("Unsure", "U", ":material/help:", Verdict.UNSURE, None, "", "Exported as a split of its own, never trained on")
        button("Reject", "X", ":material/close:", Verdict.REJECT, None, "", "No usable example: exported nowhere")
    if who.may_write:
        st.text_input(
            "A note with your verdict", key=field("opinion", entry.uid), max_chars=1000, label_visibility="collapsed",
            placeholder="A note with your verdict: Enter, then judge",
        )  # fmt: skip


def _onward(found: Sequence[str], at: int, todo: Sequence[str]) -> str:
    """Where a verdict leads: the next entry that waits for the reader, from here on and then from the start; else this one again."""
    waiting = set(todo) - {found[at]}
    return next((uid for uid in (*found[at + 1 :], *found[:at]) if uid in waiting), found[at])


def _judge(entry: Entry, verdict: Verdict, label: Label | None, onward: str) -> str:
    author = people.author()
    (judged,) = cached.store().judge([entry.uid], author, verdict, label, value("opinion", entry.uid))
    clear("opinion", entry.uid)
    left(entry.uid)
    go(onward)
    own = card.said_of(verdict, label)
    others = [o for o in judged.opinions if o.author != author]
    if not others:
        return own
    return f"{own}. " + "; ".join(_compared(o, verdict, label) for o in others)


def _compared(other: Opinion, verdict: Verdict, label: Label | None) -> str:
    same = (other.verdict, other.label) == (verdict, label)
    return (
        f"{other.author or 'somebody'} agrees" if same else f"{other.author or 'somebody'} says: {card.said_of(other.verdict, other.label)}"
    )


def _about(who: Person, entry: Entry) -> None:
    """The verdicts as far as the reader may see them, the note, the history, the way to the Flip lab."""
    hidden = hidden_from(who, entry)
    shown = [o for o in entry.opinions if o not in hidden]
    if shown:
        st.html(card.opinions_html(shown))
    elif not hidden:
        st.caption("Nobody has judged this entry yet.")
    if hidden:
        others = "Another reader has" if len(hidden) == 1 else f"{len(hidden)} other readers have"
        st.info(f"{others} judged this. What they said shows once you have.", icon=":material/visibility_off:")
    elif entry.agreement is not None:
        agree = entry.agreement
        st.badge(
            f"{len(entry.opinions)} readers {'agree' if agree else 'disagree'}", icon=":material/handshake:" if agree else ":material/call_split:",
            color="green" if agree else "orange",
        )  # fmt: skip
    if entry.note:
        st.html(card.note_html(entry.note))
    _flip_lab(entry)
    with st.expander("History", icon=":material/history:"):
        st.html(card.history_html(entry.history, lambda c: not hidden or not c.field.startswith("opinion")))


def hidden_from(who: Person, entry: Entry) -> list[Opinion]:
    """Opinions that the reader must not see yet: those of others, as long as the reader, who may judge, has not."""
    if not who.may_write or any(o.author == who.name for o in entry.opinions):
        return []
    return list(entry.opinions)


def _flip_lab(entry: Entry) -> None:
    st.button(
        "Open in Flip lab", key="curate.lab", icon=":material/swap_horiz:", type="tertiary", on_click=open_pair, args=(lab_query(entry),)
    )


def lab_query(entry: Entry) -> dict[str, str]:
    """The Flip lab's address of an entry: the original pair with its words masked, or, where words were not masked, the edited pair."""
    masked = bool(entry.changed) and MASK in entry.edited.premise + entry.edited.hypothesis
    pair: Pair = entry.original if masked else entry.edited
    gold = entry.gold_before if masked else entry.gold_after
    ids = app_state.word_ids(entry.original)
    masks = [ids[w.segment, w.start] for w in entry.changed if (w.segment, w.start) in ids] if masked else []
    query = {app_state.PREMISE: pair.premise, app_state.HYPOTHESIS: pair.hypothesis, "m": "-".join(masks)}
    query[app_state.GOLD] = gold.text if gold is not None else ""
    names = [s.model for s in entry.said[:2]]
    return {k: v for k, v in (query | dict(zip((app_state.OLDER, app_state.NEWER), names, strict=False))).items() if v}
