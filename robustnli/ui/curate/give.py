"""Export: what the filters leave, in a format, written when the button is pressed; or to the hub with the user's own token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from io import BufferedRandom, RawIOBase
from tempfile import TemporaryFile
from typing import Any, cast

import streamlit as st

from robustnli.curated import Entry, Verdict
from robustnli.exchange import FORMATS, About, export_to, push
from robustnli.store import Query
from robustnli.ui import cached
from robustnli.ui.curate import asking
from robustnli.ui.curate.filters import Filters
from robustnli.ui.curate.state import act, clear, field, value
from robustnli.ui.people import Person

NOWHERE = {Verdict.PENDING: "not judged yet", Verdict.REJECT: "rejected"}
NAMES = {"zip": "Everything in one zip", "jsonl": "JSONL", "csv": "CSV", "parquet": "Parquet", "textattack": "TextAttack's CSV"}
FILE = "robustnli-curated"


class Chosen(Sequence[Entry]):
    """Entries read from the store as they are gone through, some hundreds in memory."""

    def __init__(self, uids: Sequence[str]):
        self._uids = uids

    def __len__(self) -> int:
        return len(self._uids)

    def __getitem__(self, at: Any) -> Any:
        found = {e.uid: e for e in cached.store().entries(Query(uids=tuple([self._uids[at]] if isinstance(at, int) else self._uids[at])))}
        return found[self._uids[at]] if isinstance(at, int) else [found[uid] for uid in self._uids[at] if uid in found]

    def __iter__(self) -> Any:
        for start in range(0, len(self._uids), 500):
            yield from self[start : start + 500]


def give_ui(who: Person, filters: Filters, found: Sequence[str]) -> None:
    """Draw what would go out and what would not, the formats, and the buttons."""
    counts = _counts(who, filters)
    train = counts[Verdict.KEEP] + counts[Verdict.RELABEL]
    ready = train + counts[Verdict.UNSURE]
    for column, (name, number, meaning) in zip(
        st.columns(3),
        (("For training", train, "A person said what the label is now."), ("Unsure", counts[Verdict.UNSURE], "A split of its own, not for training."),
         ("Stay here", sum(counts[v] for v in NOWHERE), _stays(counts))),
        strict=True,
    ):  # fmt: skip
        column.metric(name, f"{number:,}", border=True, help=meaning)
    st.caption(
        f"Of the {len(found):,} entries that fit the filters. An example goes out only after a person said what its label is: {_stays(counts)}."
    )
    names = [name for name in FORMATS if name in NAMES]  # a folder cannot be downloaded; the zip holds it
    kind = st.radio(
        "Format", names, key=field("format"), format_func=NAMES.__getitem__, captions=[FORMATS[name].about for name in names],
    )  # fmt: skip
    about = _about()
    everything = kind == "jsonl" and st.toggle(
        "A backup: what nobody confirmed, too",
        key=field("everything"),
        help="For moving or saving all entries; never train on such a file.",
    )
    fits = bool(found) if everything else bool(ready)
    st.download_button(
        f"Download {len(found) if everything else ready:,} examples", partial(_written, list(found), str(kind), about, bool(everything)),
        f"{FILE}{'-textattack' if kind == 'textattack' else ''}{FORMATS[str(kind)].suffix}", FORMATS[str(kind)].mime, on_click="ignore", type="primary",
        icon=":material/download:", key="curate.export", disabled=not fits, help=None if fits else "Judge some first: nothing is confirmed.",
    )  # fmt: skip
    _hub(who, list(found), about, bool(ready))


def _counts(who: Person, filters: Filters) -> Counter[Verdict]:
    out: Counter[Verdict] = Counter()
    for verdict in Verdict:
        if not filters.verdict or verdict.value in filters.verdict:
            out[verdict] = len(cached.curated(replace(filters.query(who.name), verdicts=(verdict,)), filters.slice))
    return out


def _stays(counts: Counter[Verdict]) -> str:
    return " and ".join(f"{counts[v]:,} {name}" for v, name in NOWHERE.items()) + " stay"


def _about() -> About:
    with st.expander("Title, licence, names", icon=":material/edit_note:"):
        title = st.text_input("Title of the data set", "Curated NLI examples", key=field("title"), max_chars=200)
        licence = st.text_input(
            "Licence", key=field("licence"), placeholder="cc-by-4.0", max_chars=60, help="As the hub names it; goes into the card."
        )
        people_ = st.toggle("Name the authors", value=True, key=field("people"), help="Otherwise they are numbered.")
    checkpoints = tuple((c.name, c.fingerprint) for c in asking.at_hand().values())
    return About(title=title or "Curated NLI examples", license=licence or "", people=people_, checkpoints=checkpoints)


def _written(uids: list[str], kind: str, about: About, everything: bool) -> RawIOBase:
    """The export as a file that is gone when it is closed; called when the button is pressed."""
    raw = cast(RawIOBase, TemporaryFile(buffering=0))  # noqa: SIM115 - Streamlit reads it after this returns
    out = BufferedRandom(raw)
    export_to(out, Chosen(uids), kind, about, everything=everything)
    out.flush()
    out.detach()
    raw.seek(0)
    return raw


def _hub(who: Person, uids: list[str], about: About, ready: bool) -> None:
    with st.expander("Send it to the Hugging Face hub", icon=":material/cloud_upload:"):
        st.caption("With your own token, used for this one upload and kept nowhere. Authors are numbered unless they are named above.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Data set", key=field("repo"), placeholder="owner/name", max_chars=200, width=240)
            st.text_input("Token", key=field("token"), type="password", max_chars=400, width=240, autocomplete="off")
            private = st.toggle("Private", value=True, key=field("private"))
            st.button(
                "Send", icon=":material/cloud_upload:", key="curate.push", disabled=not ready or not who.may_write, help=who.why or None, on_click=act,
                args=(partial(_send, uids, about, private),),
            )  # fmt: skip


def _send(uids: list[str], about: About, private: bool) -> str:
    token = value("token")
    clear("token")
    address = push(value("repo").strip(), Chosen(uids), token, about, private=private, people=about.people)
    return f"Sent: {address}"
