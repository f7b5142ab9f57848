"""An attack of one's own: the form that starts it, and the attacks under way or just ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from robustnli import jobs, suite
from robustnli.attack import RECIPES
from robustnli.checkpoints import find
from robustnli.config import snli_files
from robustnli.curated import Verdict
from robustnli.errors import DataError
from robustnli.figures import escape_markdown
from robustnli.gallery.files import Finished, remove
from robustnli.records import FORMATS
from robustnli.ui import cached, people, problems
from robustnli.ui import jobs as drawn
from robustnli.ui.attacks import state

MOST_PAIRS = 20_000
PAIRS = 200  # drawn unless asked for more: minutes at most
_OWN, _CURATED = "file", "curated"


@dataclass(frozen=True, slots=True)
class Source:
    """Where pairs come from: its title, the job's `data`, how many there are, and the pairs where the job cannot read them itself."""

    title: str
    data: str
    n: int
    rows: tuple[tuple[str, str, str], ...] = ()


def under_way(found: Sequence[Finished]) -> None:
    """Attacks waiting, running or just ended, each with what can be done with it."""
    for job in jobs.find_all("attack"):
        if job.active:
            drawn.progress(job)
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            made = next((f for f in found if job.result and f.name == job.result.get("name")), None)
            if job.state != "done":
                drawn.progress(job)
            elif made:
                st.success(f"{escape_markdown(job.title)} is done.", icon=":material/check:")
                st.button(
                    "Show it", key=state.form(f"show.{job.id}"), type="primary", on_click=_show, args=(job.id, made), icon=":material/visibility:"
                )  # fmt: skip
            else:
                st.info(f"{escape_markdown(job.title)} was done; its folder is gone.", icon=":material/folder_off:")
            st.button("Dismiss", key=state.form(f"gone.{job.id}"), on_click=jobs.forget, args=(job.id,), type="tertiary")


def _show(job_id: str, made: Finished) -> None:
    jobs.forget(job_id)
    state.show(made.data, made.recipe, made.name)


def form(*, open_at_once: bool) -> None:
    """Recipe, data, models, budget, and the button that starts it."""
    with st.expander("Run an attack of your own", icon=":material/play_circle:", expanded=open_at_once), problems.shown():
        _form()


def _form() -> None:
    left, right = st.columns(2)
    with left:
        recipe = st.selectbox(
            "Recipe to run", list(RECIPES), key=state.form("recipe"), format_func=lambda r: f"{r}: {RECIPES[r].title}"
        )  # fmt: skip
        chosen = RECIPES[recipe]
        st.caption(f"{escape_markdown(chosen.paper[:1].upper() + chosen.paper[1:])}. {escape_markdown(chosen.guarantee)}")
    with right:
        source = _source()
    names = [f.name for f in find() if f.checkpoint]
    models = st.multiselect("Models to attack", names, default=names[:3], key=state.form("models"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        k = 1
        if chosen.budgeted:
            k = int(st.number_input(
                f"k: {chosen.budget}", 1, chosen.most or 10, min(3, chosen.most or 3), key=state.form(f"k.{recipe}"), width=260
            ))  # fmt: skip
        most = source.n if source else MOST_PAIRS
        sample = int(st.number_input(
            "Pairs at most", 1, max(1, most), min(PAIRS, max(1, most)), key=state.form(f"n.{most}"), width=160,
            help=f"{most:,} there are; fewer are drawn at random by the seed.",
        ))  # fmt: skip
        seed = int(st.number_input("Seed", 0, 2**31 - 1, 13, key=state.form("seed"), width=120))
        why = people.person().why or ("" if source else "There are no pairs yet to attack.") or ("" if models else "Choose a model.")
        pressed = st.button("Run", type="primary", icon=":material/play_arrow:", disabled=bool(why), help=why or None, key=state.form("go"))
    if why:
        st.caption(f":material/info: {escape_markdown(why)}")
    if pressed and source:
        people.author()
        args = {"recipe": recipe, "data": source.data, "models": models, "k": k, "seed": seed, "sample": sample}
        jobs.submit("attack", f"{recipe} on {source.title}", args | ({"rows": source.rows} if source.rows else {}))
        st.rerun()


def _source() -> Source | None:
    """The pairs chosen; None while a file is awaited."""
    halves = {s: sum(item.split == s for item in suite.load()) for s in suite.SPLITS}
    known = {"suite": Source("Challenge suite", "suite", sum(halves.values()))}
    known |= {f"suite:{s}": Source(f"Challenge suite, {s} half", f"suite:{s}", n) for s, n in halves.items()}
    known |= {f"snli:{d}": Source(f"SNLI {d}", f"snli:{d}", MOST_PAIRS) for d, names in _SNLI.items() if _at_hand(names)}
    titles = {_OWN: "A file of your own", _CURATED: "Curated examples whose label is confirmed"} | {
        name: source.title for name, source in known.items()
    }
    order = ["suite", *(name for name in known if name != "suite"), _CURATED, _OWN]
    chosen = st.selectbox("Data to attack", order, key=state.form("data"), format_func=titles.__getitem__)
    return known[chosen] if chosen in known else _curated() if chosen == _CURATED else _upload()


def _curated() -> Source | None:
    """The edited pairs that a person kept or relabelled, with the label they were given."""
    from robustnli.store import Query  # here: SQLAlchemy takes its time to load

    kept = cached.store().entries(Query(verdicts=(Verdict.KEEP, Verdict.RELABEL), order="oldest", limit=MOST_PAIRS))
    rows = [(e.edited.premise, e.edited.hypothesis, e.gold_after.text) for e in kept if e.gold_after is not None]
    rows = [row for row in rows if row[0].strip() and row[1].strip()]
    if not rows:
        st.info("No curated example has a confirmed label yet. Keep some, and judge them on the page Curate.", icon=":material/inbox:")
        return None
    return Source("Curated examples", "Curated examples", len(rows), tuple(rows))


_SNLI = {"dev": ("dev", "validation"), "test": ("test",)}


def _at_hand(names: tuple[str, ...]) -> bool:
    return any(name in path.name for path in snli_files() for name in names)


def _upload() -> Source | None:
    given = st.file_uploader(
        "Labelled pairs: premise, hypothesis, label", key=state.form("file"), type=[f.removeprefix(".") for f in FORMATS] + ["gz"]
    )  # fmt: skip
    if given is None:
        return None
    found = cached.upload(given.name, given.getvalue())
    if len(found.examples) > MOST_PAIRS:
        raise DataError(
            f"{given.name}: {len(found.examples):,} labelled pairs; the page takes {MOST_PAIRS:,}. Use `robustnli gallery --data`."
        )
    st.caption(
        f"{len(found.examples):,} labelled pairs in {escape_markdown(given.name)}; {found.unlabelled:,} rows without a label are left out."
    )
    if found.bad:
        more = f" And {len(found.bad) - 1:,} more." if len(found.bad) > 1 else ""
        st.warning(
            f"{len(found.bad):,} rows cannot be read and are left out. {escape_markdown(found.bad[0])}{more}", icon=":material/warning:"
        )
    name = Path(given.name).name
    return Source(name, name, len(found.examples), tuple((e.pair.premise, e.pair.hypothesis, e.label.text) for e in found.examples))


def manage(of: Finished) -> None:
    """Remove a finished attack of one's own."""
    if not of.own or people.person().why:
        return
    with st.popover("Remove this attack", icon=":material/delete:", type="tertiary"):
        st.caption("Its rows go for good. What was kept from it stays among the curated examples.")
        if st.button("Remove it", key=state.form("remove"), type="primary"):
            with problems.shown():
                remove(of)
                state.show("", "")
                st.rerun()
