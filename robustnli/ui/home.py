"""The home page: one sentence, one example that flips at a click, and a door to each job, with what is behind it now.

Everything is read from records and from the database; no model is loaded here.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from robustnli import showcase
from robustnli.browse import ALL, View, breakdowns
from robustnli.charts import verdicts
from robustnli.curated import Verdict
from robustnli.errors import RobustNLIError
from robustnli.evidence import NAMES
from robustnli.examples import READY, STARTERS
from robustnli.figures import escape_markdown
from robustnli.pies import pie
from robustnli.ui import cached, problems, state

FLIP_LAB, ERRORS, ATTACKS, CURATE, METHOD = (f"pages/{name}.py" for name in ("explore", "errors", "attacks", "curate", "method"))
SPLIT = "suite"


_ASKED = "home.asked"


def follow() -> None:
    """An address of the Flip lab from when it was the first page leads there still; so does a button of this page."""
    asked = st.session_state.pop(_ASKED, None) or state.linked(st.query_params.to_dict())
    if asked:
        state.forget()
        st.switch_page(FLIP_LAB, query_params=asked)


def seen() -> View | None:
    """The first run's first two models on the suite; None where there is no such run, or it cannot be read (told)."""
    for run in cached.runs()[:1]:
        if SPLIT in run.splits:
            with problems.shown():
                return cached.view(run, SPLIT, run.models[0], run.models[1], None)[0]
    return None


def first_visit(view: View | None) -> None:
    """The sentence, and the example that flips."""
    st.title("robustnli")
    st.markdown(
        "**Find the word a language-inference model leans on, mask it, and watch its answer flip** - then see what fine-tuning fixed, broke and "
        "left, and keep what you found."
    )
    shown = cached.showcase(view)[0] if view else None
    with st.container(border=True, key="home_first"):
        if shown is None:
            ready = READY[0]
            st.text(f"{ready.pair.premise}\n{ready.pair.hypothesis}")
            _go(
                "Open it in the Flip lab",
                "first",
                {state.PREMISE: ready.pair.premise, state.HYPOTHESIS: ready.pair.hypothesis, state.GOLD: ready.gold.text},
            )
            return
        st.html(showcase.flip_html(shown))
        query = {state.PREMISE: shown.pair.premise, state.HYPOTHESIS: shown.pair.hypothesis, state.GOLD: shown.gold.text}
        query |= _models(shown.older, shown.newer) | {state.URL_MASKS: f"h{shown.number}"}
        _go(f"Mask *{escape_markdown(shown.word)}* and watch it flip", "first", query, primary=True)


def _models(*names: str) -> dict[str, str]:
    """The address's part that names the models, where both are here."""
    here = cached.fingerprints()
    return dict(zip((state.OLDER, state.NEWER), names, strict=True)) if all(name in here for name in names) else {}


def doors(view: View | None) -> None:
    """The three jobs, each with a look at what is behind its door now."""
    jobs: tuple[tuple[str, str, Callable[[View | None], None], str, str], ...] = (
        ("swap_horiz", "Find what a model leans on", _leans, FLIP_LAB, "Flip lab"),
        ("pie_chart", "See what was fixed and broken", _broke, ERRORS, "Errors"),
        ("rate_review", "Keep, confirm and repair", _kept, CURATE, "Curate"),
    )
    for column, (icon, title, draw, page, name) in zip(st.columns(3), jobs, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"##### :material/{icon}: {title}")
            draw(view)
            st.page_link(page, label=f"Open {name}", icon=":material/arrow_forward:")


def _leans(view: View | None) -> None:
    shown = cached.showcase(view)[1] if view else None
    if shown is None:
        st.markdown("Type a pair, mask a word with a click, and read each word's score of four methods.")
        return
    st.html(showcase.scored_html(shown))
    st.caption(f"Loss gradient of {escape_markdown(shown.model)}: the stronger the colour, the more it leans on the word.")


def _broke(view: View | None) -> None:
    if view is None:
        st.markdown("No finished run was found. `robustnli reproduce` makes one, and a file of your own is scored on the page.")
        return
    parts = breakdowns(view, [ALL])
    st.html(showcase.pie_html(pie(parts[0], "either", verdicts(parts)[ALL])))
    st.caption(
        f"{escape_markdown(view.older)} to {escape_markdown(view.newer)} on the {NAMES[SPLIT].lower()}, {parts[0].n:,} rows; percent of all "
        "errors of either model."
    )


def _kept(_: View | None) -> None:
    try:
        facets = cached.curated_facets() if cached.anything_kept() else None
    except RobustNLIError:  # Curate itself tells what is wrong
        st.markdown("The database of kept examples is out of reach; Curate says why.")
        return
    if facets is None or not facets.total:
        st.html(showcase.labels_html({"kept": 0, "ready to try the review with": len(STARTERS)}))
        st.caption("Keep what flips a model; a person says what its label is now; export it, or teach it to a model.")
        return
    waiting = facets.verdicts.get(Verdict.PENDING, 0)
    st.html(showcase.labels_html({"kept": facets.total, "wait for a reader": waiting, "judged": facets.total - waiting}))
    st.caption("Examples that flip a model. Judged ones are exported, replayed, or taught to a model.")


def besides() -> None:
    """The two other pages, in a line each."""
    with st.container(horizontal=True, gap="medium"):
        found = len(cached.finished_attacks())
        st.page_link(ATTACKS, label=f"Attacks: {f'{found} finished' if found else 'recipes'}, against every model", icon=":material/bolt:")
        st.page_link(METHOD, label="Method: what the figures show and do not show", icon=":material/menu_book:")


def _go(label: str, name: str, query: dict[str, str], *, primary: bool = False) -> None:
    st.button(
        label, key=f"home.{name}", type="primary" if primary else "secondary", icon=":material/swap_horiz:", on_click=_ask, args=(query,)
    )  # fmt: skip


def _ask(query: dict[str, str]) -> None:
    st.session_state[_ASKED] = query
