"""The figures of a finished attack: what the recipe guarantees, success a model, strength, transfer, where it works, which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from robustnli import browse
from robustnli.charts import Chart
from robustnli.figures import escape_markdown
from robustnli.gallery import charts, counts
from robustnli.gallery.counts import Group
from robustnli.gallery.files import Finished
from robustnli.gallery.view import SKIPPED, UNCHANGED, UNJUDGED, View
from robustnli.ui.attacks import inputs, state
from robustnli.ui.attacks.state import address
from robustnli.ui.errors.overview import draw, table

GOLD = {
    "unconfirmed": ("Gold label unconfirmed", "orange", "The change may have changed the true label, too. Nobody has said what it is now."),
    "by rule": ("Gold label by rule, where one holds", "blue", "Where no rule gives the new label, the row says that it needs a person."),
    "kept": ("Gold label stays", "green", "What is added says nothing about the hypothesis."),
}
_FILTER = {"slice": "slice", "gold": "gold", "part": "part", "place": "place", "phenomenon": "phenomenon"}
TOP_WORDS = 15


def about(of: Finished, present: Mapping[str, str]) -> None:
    """What was done, by whose recipe, and what that guarantees. `present`: model -> fingerprint of the checkpoint that is here now."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{escape_markdown(of.title)}** · {escape_markdown(of.paper[:1].upper() + of.paper[1:])}", width="content")
            text, colour, why = GOLD.get(of.gold, GOLD["unconfirmed"])
            st.badge(text, color=colour, icon=":material/gavel:", help=why)  # type: ignore[arg-type]
        st.markdown(escape_markdown(of.guarantee))
        broken = f" *Broken* means: {escape_markdown(of.broken)}" if of.broken else ""
        st.caption(f"{_facts(of)}.{broken}")
        for note in of.notes:
            st.caption(escape_markdown(note))
        changed = [name for name, print_ in of.models.items() if present.get(name, print_) != print_]
        if changed:
            st.warning(
                f"{escape_markdown(', '.join(changed))} was another version of the checkpoint when this ran: run it again for the present one.",
                icon=":material/history:",
            )


def _facts(of: Finished) -> str:
    drawn = f" of {of.drawn_from:,}, drawn with seed {of.seed}" if of.n < of.drawn_from else ""
    k = f"k = {of.k}; " if of.budgeted else ""
    asked = of.queries / max(1, of.n * len(of.models))
    return f"{k}{of.n:,} pairs{drawn}; {asked:.1f} predictions asked a pair and model; {of.created[:10]}"


def headline(seen: View, budget: int) -> None:
    """Each model's success rate, with its counts and interval."""
    for column, model in zip(st.columns(len(seen.models)), seen.models, strict=True):
        with column, st.container(border=True):
            found, ended = counts.success(seen, seen.of(model), budget), counts.statuses(seen, model, budget)
            share = f"{100 * found.share:.1f} % broken" if found.of else "nothing to break"
            st.metric(model, share, help="Of the pairs that the model had right before")
            st.caption(f"{found.told()}; 95 %: {100 * found.low:.0f} to {100 * found.high:.0f}. {_left_out(ended)}")


def _left_out(ended: Mapping[str, int]) -> str:
    told = {SKIPPED: "wrong before", UNJUDGED: "need a person", UNCHANGED: "not applied"}
    return (
        "Left out: " + ", ".join(f"{ended[name]:,} {text}" for name, text in told.items() if name in ended) + "."
        if len(ended) > 2 or SKIPPED in ended
        else ""
    )


def strength(seen: View, budget: int, picture: str) -> None:
    """How accuracy falls with the budget, and how far an attack on one model carries over to the others."""
    left, right = st.columns([3, 2])
    with left:
        title = "Right and not broken" if seen.answer_stays else "Accuracy under attack"
        st.markdown(f"##### {title}", help="Of all pairs, those wrong before counting as wrong. Bars: 95 % Wilson intervals.")
        draw(charts.strength(seen), picture)
    with right:
        st.markdown(
            "##### Transfer", help="Of the pairs that broke the row's model and that the column's model had right: how many break it, too."
        )
        if len(seen.models) > 1:
            draw(charts.transfer(seen, budget), picture)
        else:
            st.info("Only one model was attacked: there is no other to carry the attack to.", icon=":material/info:")


def without_text(seen: View) -> None:
    """Say how many rows have no text, and how to get it."""
    if seen.without_text:
        st.warning(
            f"{seen.without_text:,} of {len(seen.table):,} rows are shown without their sentences, which are not kept with the attack. Name "
            "your copy of the data in ROBUSTNLI_SNLI and start the app again: they are found by hash.",
            icon=":material/lock_open:",
        )


def where(seen: View, budget: int, picture: str) -> None:
    """Success by slice, label, word class, place and phenomenon; a click on a point filters the rows."""
    st.caption("Share of the pairs right before that were broken; hollow: under 30, too few to tell. Click a point to see its rows.")
    shown = [(name, title, parts(seen), first) for name, (title, parts, first) in counts.BY.items()]
    drawn = [(name, title, counts.by(seen, parts, 1 if first else budget), first) for name, title, parts, first in shown]
    drawn = [item for item in drawn if item[2]]
    columns = [column for _ in range(0, len(drawn), 2) for column in st.columns(2)]
    for column, (name, title, groups, first) in zip(columns, drawn, strict=False):
        with column:
            st.markdown(f"##### {title}", help="Counted with this one word changed." if first and seen.stepwise else None)
            _forest(name, charts.forest(f"{name}-{seen.finished.name}", name, groups, models=seen.models), picture)
    if not any(first for *_, first in drawn):
        st.info("No single word is what this recipe changes, so there is no word class or place to tell.", icon=":material/info:")


def _forest(name: str, chart: Chart, picture: str) -> None:
    key = address.clicked(chart.name)
    config = {
        "displaylogo": False, "displayModeBar": True, "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": picture, "filename": f"robustnli-{chart.name}", "scale": 2},
    }  # fmt: skip
    st.plotly_chart(
        chart.figure, key=key, on_select=lambda: _point(key, name), selection_mode="points", config=config, alt=chart.alt
    )  # fmt: skip
    table(chart.name, chart.rows)


def _point(key: str, name: str) -> None:
    points = st.session_state[key]["selection"]["points"]
    asked = charts.picked(dict(points[0])) if points else None
    if asked:
        group, model = asked
        address.put(**{_FILTER[name]: group, "model": model, "status": "", "view": ""})
        address.renew()


def words(seen: View, picture: str) -> None:
    """The words whose change alone flips a model most often; a click on a row of the table shows the attacks."""
    model = inputs.one_model(seen)
    found = counts.words(seen, model)
    if not found:
        st.info("No single word is what this recipe changes: no word can be counted.", icon=":material/info:")
        return
    flips = sum(w.rate.hits for w in found)
    st.caption(
        f"{len(found):,} words were the first to be changed in the attacks on {escape_markdown(model)} that count, {sum(w.rate.of for w in found):,} "
        f"in all; {flips:,} times that alone broke it. Most flips first; most words are too few to tell alone."
    )
    left, right = st.columns(2)
    with left:
        draw(charts.word_forest(seen, model, found[:TOP_WORDS]), picture, data=False)
    with right:
        _word_table(seen, model, charts.word_rows(found))


def _word_table(seen: View, model: str, rows: Sequence[Mapping[str, object]]) -> None:
    key = address.clicked("words")
    frame = pd.DataFrame(rows)

    def chosen() -> None:
        at = st.session_state[key]["selection"]["rows"]
        if at:
            address.put(word=str(rows[at[0]]["word"]), model=model, view="")
            address.renew()

    st.dataframe(
        frame, hide_index=True, width="stretch", height=420, key=key, selection_mode="single-row", on_select=chosen,
        alt=f"Words changed first in the attacks on {model}",
    )  # fmt: skip
    st.download_button(
        "CSV", lambda: browse.csv(frame), f"robustnli-words-{model}.csv", "text/csv", key=address.key("csv.words"), on_click="ignore",
        icon=":material/download:",
    )  # fmt: skip


def recipes(views: Sequence[View], budget: int, picture: str) -> None:
    """All recipes on the same data side by side; a click on a row of the table opens it."""
    models = tuple(dict.fromkeys(m for v in views for m in v.models))
    found = counts.overview(views, budget)
    most = f"at most {budget} word{'s' if budget > 1 else ''} where words are changed one by one"
    st.caption(
        f"Success on {escape_markdown(views[0].finished.data)}, with {most}. What a recipe does to the gold label differs: see the table."
    )
    groups = [Group(str(row["recipe"]), row["success"]) for row in found]
    draw(charts.forest("recipes", "recipe", groups, models=models), picture)
    rows = [
        {
            "recipe": r["recipe"],
            "what": r["title"],
            "paper": r["paper"],
            "k": r["k"],
            "gold label": r["gold"],
            "queries a pair": round(r["queries"], 1),
        }
        | {f"{m} broken": r["success"][m].told() for m in models if m in r["success"]}
        | {f"{m} right under attack": r["accuracy"][m].told() for m in models if m in r["accuracy"]}
        for r in found
    ]
    key = address.clicked("recipes")

    def chosen() -> None:
        at = st.session_state[key]["selection"]["rows"]
        if at:
            of = views[at[0]].finished
            state.show(of.data, of.recipe, of.name)

    st.markdown("##### Every recipe", help="Click a row's box to open it.")
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch", key=key, selection_mode="single-row", on_select=chosen, alt="One row a recipe"
    )  # fmt: skip
