"""Repair: what is to be learned, from which checkpoint, under which name; the repairs under way; what the last ones did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from robustnli import jobs, repairs, suite
from robustnli.checkpoints import find
from robustnli.curated import Verdict
from robustnli.errors import RobustNLIError
from robustnli.figures import escape_markdown
from robustnli.jobs import Job
from robustnli.records import FORMATS
from robustnli.repairs import CONFIRMED, MAX_EXAMPLES, Asked, Row, Settings
from robustnli.store import Query
from robustnli.types import LABELS, Example
from robustnli.ui import cached, people, problems
from robustnli.ui import jobs as jobs_ui
from robustnli.ui.curate import repaired
from robustnli.ui.curate.card import VERDICT_NAMES

_NAME, _PARENT, _FOR = "repair.name", "repair.parent", "repair.named_for"


def repair_ui() -> None:
    """Draw the repairs waiting or running, what the last one did, the form, and the ones before."""
    st.markdown(
        "Teach a checkpoint a few examples, and see at once what that fixed and what it broke elsewhere. A short training in a process of "
        "its own; it rehearses other pairs meanwhile, so that the model does not forget. The result is a new checkpoint."
    )
    found = jobs.find_all("repair")
    for job in found:
        if job.active:
            under_way(job)
    ended = [job for job in found if not job.active]
    if ended:
        repaired.newest(ended[0])
    with problems.shown():
        form()
    repaired.earlier(ended[1:])


def under_way(job: Job) -> None:
    """A repair that waits or runs: progress, and how far it has learned."""
    with st.container(border=True):
        jobs_ui.progress(job)
        _learning(job.id)


@st.fragment(run_every="1s")
def _learning(job_id: str) -> None:
    try:
        points = jobs.curve(jobs.find(job_id))
    except RobustNLIError:  # removed a moment ago; the page is about to be drawn anew
        return
    if len(points) > 1:
        repaired.curve(points)


def form() -> None:
    """Ask for everything, and start."""
    usable = [item.name for item in find() if item.checkpoint]
    if not usable:
        st.info("No usable checkpoint was found to go on from.", icon=":material/folder_off:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("##### What to learn")
        asked = _asked()
        examples, why_not = _gathered(asked)
    with right:
        st.markdown("##### From what, to what")
        parent = st.selectbox("Checkpoint to go on from", usable, key=_PARENT, persist_state="session")
        name = _name(parent)
        settings = _settings()
    why = people.person().why or repairs.out_of_sight() or why_not or _name_problem(name)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            f"Fine-tune on {len(examples):,} example{'' if len(examples) == 1 else 's'}" if examples else "Fine-tune", type="primary",
            icon=":material/build:", disabled=bool(why), help=escape_markdown(why) or None, key="repair.go",
        )  # fmt: skip
        st.caption(f":material/info: {escape_markdown(why)}" if why else f":material/timer: {about(examples)}")
    if pressed:
        people.author()
        repairs.submit(parent, asked, name, settings, store=cached.store())
        st.session_state.pop(_FOR, None)  # the next one gets another name
        st.rerun()


def about(examples: Sequence[Example]) -> str:
    """How long it will take, in words."""
    seconds = 15 + 0.25 * len(examples)
    return f"About {jobs_ui.duration(10 * round(seconds / 10))} on two cores that have nothing else to do."


def _asked() -> Asked:
    curated = _curated()
    parts = _parts()
    options = list(parts)
    chosen = st.multiselect(
        "Parts of the suite's dev half", options, key="repair.suite", placeholder="none", persist_state="session",
        format_func=lambda name: f"{name} ({parts[name]:,})",
        help="Our own pairs with labels on which two annotators agreed. The test half is never learned: it measures.",
    )  # fmt: skip
    return Asked(curated, repairs.of_suite(chosen), _own())


def _curated() -> tuple[str, ...]:
    facets = cached.curated_facets()
    counts = {verdict: facets.verdicts.get(verdict, 0) for verdict in CONFIRMED}
    waiting = facets.verdicts.get(Verdict.PENDING, 0) + facets.verdicts.get(Verdict.UNSURE, 0)
    if not sum(counts.values()):
        st.caption(
            f"None of your {facets.total:,} curated examples has a label that a person confirmed: judge them under Review."
            if facets.total else "No curated examples yet: keep some in the Flip lab, the error explorer or an attack."
        )  # fmt: skip
        return ()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        verdicts = st.multiselect(
            "Curated examples", [v.value for v in CONFIRMED], [v.value for v in CONFIRMED if counts[v]], key="repair.verdicts",
            format_func=lambda v: f"{VERDICT_NAMES[Verdict(v)]} ({counts[Verdict(v)]:,})", placeholder="none", persist_state="session",
        )  # fmt: skip
        tags = st.multiselect(
            "Only with a tag", list(facets.tags), key="repair.tags", format_func=lambda t: f"{t} ({facets.tags.get(t, 0):,})",
            placeholder="any", persist_state="session", disabled=not facets.tags,
        )  # fmt: skip
    if waiting:
        st.caption(f"{waiting:,} more have no confirmed label (pending or unsure) and are left out.")
    wanted = tuple(Verdict(v) for v in verdicts)
    return cached.curated(Query(verdicts=wanted, tags=tuple(tags), order="oldest")) if wanted else ()


def _parts() -> dict[str, int]:
    """Slices and phenomena of the suite's dev half, each with its number of pairs."""
    items = [item for item in suite.load() if item.split == "dev"]
    counts = Counter(name for item in items for name in (item.slice, f"{item.slice}: {item.phenomenon}"))
    return {name: counts[name] for part, kinds in suite.PHENOMENA.items() for name in (part, *(f"{part}: {kind}" for kind in kinds))}


def _own() -> tuple[Row, ...]:
    with st.expander("A file of your own", icon=":material/upload_file:"):
        given = st.file_uploader(
            "Labelled pairs: premise, hypothesis, label", key="repair.file", type=[f.removeprefix(".") for f in FORMATS] + ["gz"]
        )
        if given is None:
            return ()
        with problems.shown():
            held = cached.upload(given.name, given.getvalue())
            st.caption(f"{len(held.examples):,} labelled pairs in {escape_markdown(Path(given.name).name)}.")
            if held.bad:
                st.warning(f"{len(held.bad):,} rows are left out. {escape_markdown(held.bad[0])}", icon=":material/warning:")
            return tuple((e.pair.premise, e.pair.hypothesis, e.label.text) for e in held.examples[: MAX_EXAMPLES + 1])
    return ()


def _gathered(asked: Asked) -> tuple[list[Example], str]:
    """(the examples, what stands in the way); says what they are."""
    if not (asked.curated or asked.suite or asked.rows):
        return [], "Choose something to learn."
    try:
        examples = repairs.gather(asked, cached.store())
    except RobustNLIError as error:
        return [], str(error)
    labels = Counter(e.label for e in examples)
    told = " · ".join(f"{label.text} {labels[label]:,}" for label in LABELS)
    st.markdown(f"**{len(examples):,}** example{'' if len(examples) == 1 else 's'}: {told}")
    if len(labels) == 1 and len(examples) > 1:
        st.caption(":material/warning: All have one label: the model may learn to say just that. Add examples with other labels.")
    return examples, ""


def _name(parent: str) -> str:
    if st.session_state.get(_FOR) != parent or not st.session_state.get(_NAME):
        st.session_state[_NAME], st.session_state[_FOR] = repairs.free_name(parent), parent
    return str(st.text_input("Name of the new checkpoint", key=_NAME, max_chars=repairs.MAX_NAME, persist_state="session"))


def _name_problem(name: str) -> str:
    try:
        repairs.check_name(name)
    except RobustNLIError as error:
        return str(error)
    return ""


def _settings() -> Settings:
    usual = Settings()
    with st.expander("Advanced settings", icon=":material/tune:"):
        epochs = st.number_input(
            "Passes over the examples, at most", 1, 100, usual.epochs, key="repair.epochs", persist_state="session",
            help="It ends as soon as all examples are learned: each step beyond that only forgets.",
        )  # fmt: skip
        rate = st.number_input(
            "Learning rate", 1e-6, 1e-3, usual.learning_rate, 1e-5, "%.0e", key="repair.rate", persist_state="session",
            help="Higher learns faster and forgets more.",
        )  # fmt: skip
        replay = st.slider(
            "Rehearsed pairs, percent of each step", 0, 90, round(100 * usual.replay), 5, key="repair.replay", persist_state="session",
            help="Other pairs, held to what the parent says of them. 0: none; the model then forgets most.",
        )  # fmt: skip
        seed = st.number_input("Seed", 0, 2**31 - 1, usual.seed, key="repair.seed", persist_state="session")
    return Settings(epochs=int(epochs), learning_rate=float(rate), replay=replay / 100, seed=int(seed))
