"""What is asked of the attacks page: which finished attack, with how many words, and which rows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from robustnli.attack import RECIPES
from robustnli.browse import SEPARATOR
from robustnli.figures import escape_markdown
from robustnli.gallery.files import Finished
from robustnli.gallery.rows import Filters, options
from robustnli.gallery.view import View
from robustnli.ui.attacks import state
from robustnli.ui.attacks.state import address

PICTURES = ("svg", "png")
VIEWS = {"rows": "The rows", "where": "Where it works", "words": "Words that carry the model", "recipes": "All recipes"}
_WHAT = {"data": "data", "recipe": "recipe", "run": "finished attack"}


def choose(found: Sequence[Finished]) -> Finished:
    """The finished attack: its data, its recipe, and where there are several such, which of them."""
    sources = list(dict.fromkeys(f.data for f in found))
    data = address.select("Data", "data", sources, sources[0])
    here = [f for f in found if f.data == data]
    titles = {f.recipe: f.title for f in here}
    known = sorted(titles, key=lambda r: (list(RECIPES).index(r) if r in RECIPES else len(RECIPES), r))
    recipe = address.select("Recipe", "recipe", known, known[0], format_func=lambda r: f"{r}: {titles.get(r, r)}")
    runs = {f.name: f for f in here if f.recipe == recipe}
    if len(runs) == 1:
        return next(iter(runs.values()))
    name = address.select("Finished attack", "run", list(runs), next(iter(runs)), format_func=lambda n: _run(runs.get(n), n))
    return runs[name]


def _run(of: Finished | None, name: str) -> str:
    if of is None:
        return name
    k = f"k = {of.k}, " if of.budgeted else ""
    return f"{'shipped' if of.shipped else of.created[:16].replace('T', ' ')}: {k}{of.n:,} pairs, {', '.join(of.models)}"


def budget(seen: View) -> int:
    """With how many changed words an attack may succeed: every number up to the run's, where words are changed one after the other."""
    numbers = [str(n) for n in range(1, seen.most + 1)]
    if len(numbers) == 1:
        return int(address.one_of("k", numbers, "1"))
    return int(
        address.segments("Words changed at most", "k", numbers, "1", help="All figures and the rows' endings below are for this budget.")
    )


def picture() -> str:
    """The format in which a chart's camera saves it."""
    return address.segments("A chart's camera saves", "picture", PICTURES, PICTURES[0], format_func=str.upper)


def section() -> str:
    """Which part is open below the figures."""
    return address.segments("Show", "view", list(VIEWS), "rows", format_func=VIEWS.__getitem__, label_visibility="collapsed")


def one_model(seen: View) -> str:
    """The model whose words are shown."""
    return address.segments("Attacked model", "of", seen.models, seen.models[0])


def refused() -> None:
    """Say what the address asked for and is not here."""
    for name, value in address.refused():
        st.warning(
            f"The address asks for the {_WHAT.get(name, name)} {escape_markdown(value[:80])}, which is not here. The default is shown.",
            icon=":material/link_off:",
        )


def chips(filters: Filters, kept: int, n: int) -> None:
    """The filters at work, each a button that removes it, and how many rows fulfil them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{kept:,}** of {n:,} attacks" if filters.items() else f"All **{n:,}** attacks", width="content")
        for name, text in filters.told().items():
            st.button(
                escape_markdown(text), key=address.key(f"x.{name}"), icon=":material/close:", help="Remove this filter",
                on_click=state.set_filters, args=(filters.without(name),),
            )  # fmt: skip
        if len(filters.items()) > 1:
            st.button("Remove all", type="tertiary", on_click=state.set_filters, args=(Filters(),))


def row_filters(seen: View, filters: Filters) -> None:
    """The widgets of all filters."""
    st.text_input(
        "Search in the sentences", key=address.widget("q", filters.q), live="300ms", on_change=address.changed("q", str),
        placeholder="Words that a sentence holds, before or after the change", icon=":material/search:",
    )  # fmt: skip
    known = options(seen)
    first, second = ("model", "status"), {"q", "model", "status"}
    for column, name in zip(st.columns(2), first, strict=True):
        with column:
            _several(name, known, filters)
    with st.expander("More filters", icon=":material/tune:", expanded=bool(set(filters.items()) - second)):
        columns = st.columns(4)
        for column, names in zip(columns, (("gold", "fell"), ("slice", "phenomenon"), ("part", "place"), ("also",)), strict=True):
            with column:
                for name in names:
                    _several(name, known, filters)
        with columns[3]:
            st.text_input(
                "First word changed", key=address.widget("word", filters.word), on_change=address.changed("word", str), placeholder="any"
            )


_LABELS = {
    "model": "Attack on", "status": "Ended", "gold": "Gold label before", "fell": "Attacked model says then", "slice": "Slice",
    "phenomenon": "Phenomenon", "part": "Class of the first word changed", "place": "Its place", "also": "Breaks this model, too",
}  # fmt: skip


def _several(name: str, known: Mapping[str, Sequence[str]], filters: Filters) -> None:
    if known[name]:
        address.several(_LABELS[name], name, known[name], getattr(filters, name), SEPARATOR.join, placeholder="any")


def beside(of: Finished, found: Sequence[Finished]) -> list[Finished]:
    """One finished attack a recipe on the same data: the one shown, and of each other recipe the first."""
    first = {f.recipe: f for f in reversed(found) if f.data == of.data} | {of.recipe: of}
    return sorted(first.values(), key=lambda f: list(RECIPES).index(f.recipe) if f.recipe in RECIPES else len(RECIPES))
