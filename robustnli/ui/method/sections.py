"""The Method page from top to bottom: what is shown and what is not, the table, the pies, the leak, the glossary, how to cite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from robustnli import __version__, showcase
from robustnli.figures import escape_markdown
from robustnli.method import beside, cards, paper
from robustnli.method.beside import Report
from robustnli.pies import pie

CONTENTS = {
    "shows": "What is shown, and what is not", "table": "The paper's table beside ours", "pies": "The paper's pies, counted again",
    "leak": "The leak", "formats": "How a pair is given to a model", "scores": "What word scores tell", "training": "Training",
    "cards": "Model cards", "glossary": "Glossary", "cite": "How to cite",
}  # fmt: skip
_MAKE = "robustnli reproduce --scale shipped --protocol paper --data DATA --baseline cache/checkpoints/baseline --out runs/leaky --publish cache/runs/paper"
_NONE = "No run was found: its figures cannot stand here. `robustnli reproduce` makes one."


def heading(name: str) -> None:
    """A section's heading, which an address can name."""
    st.subheader(CONTENTS[name], anchor=name, divider="gray")


def contents() -> None:
    """Links to the sections."""
    st.markdown(" · ".join(f"[{title}](#{name})" for name, title in CONTENTS.items()))


def shows(found: Mapping[str, Report]) -> None:
    """The claim of each page and its limit, in two columns."""
    heading("shows")
    left, right = st.columns(2)
    with left:
        st.markdown(
            "**It shows**\n"
            "- what each model says, live, to any pair, and which single masks change that - by asking, not by guessing\n"
            "- what a newer model fixed and broke on held-out data, with counts, intervals and a paired test\n"
            "- how strong attacks are, each with what it guarantees, made anew against every model\n"
            "- whether the gain survives an attack on the newer model itself, which the paper did not ask"
        )
    with right:
        st.markdown(
            "**It does not show**\n"
            "- that a model understands: the challenge suite says it does not\n"
            "- that a masked pair keeps its gold label: the mask may hide the evidence, and only a person can say so\n"
            "- why a model answered: word scores are estimates, and how good they are is measured below\n"
            "- the paper's own checkpoints: ours have another encoder and saw a part of SNLI (see the model cards)"
        )
    if "clean" in found:
        one = found["clean"]
        suite = one.report["splits"].get("suite")
        if suite:
            told = ", ".join(
                f"{escape_markdown(model)} {kinds['clean']['correct']:,} of {suite['n']:,}" for model, kinds in suite["models"].items()
            )
            st.caption(f"Right on the challenge suite: {told}. By chance one in three.")


def table(found: Mapping[str, Report]) -> None:
    """The paper's table, and our figures of the same kind."""
    heading("table")
    printed = paper.printed()
    st.markdown(
        f"The paper scores {printed['model']} on {printed['scored_on']}, from which its adversarial examples were drawn as well. Ours, clean "
        "protocol: attacked pairs come from *train*, *dev* chooses, **SNLI test** is scored and was never trained on. *Masked*: the one "
        "hypothesis word with the largest loss gradient of the baseline is [MASK], the gold label kept. Brackets: 95 % Wilson intervals."
    )
    if not found:
        st.info(_NONE, icon=":material/folder_off:")
        return
    st.dataframe(turned(beside.table(found)), hide_index=True, width="stretch", height="content", alt="The paper's figures beside ours")
    st.caption(" ".join(f"{row['figure'].capitalize()}: {row['where']}." for row in printed["row"]))
    _missing(found)


def turned(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The table with a row a model, so that it is narrow."""
    columns = [name for name in rows[0] if name not in ("figure", "printed in")]
    return [{"whose": name} | {row["figure"]: row.get(name, "-") for row in rows} for name in columns]


def _missing(found: Mapping[str, Report]) -> None:
    if "paper" not in found:
        with st.container(border=True):
            st.markdown("**The paper's own protocol is not here yet.** This makes it, and the page then shows it beside the clean one:")
            st.code(_MAKE, language="sh", wrap_lines=True)


def pies(found: Mapping[str, Report]) -> None:
    """The paper's pies with the counts they must stand on, and ours of the same slices."""
    heading("pies")
    st.markdown(
        "The paper prints percentages and no counts. The smallest counts that give them are below: **the pies stand on a few dozen errors "
        "each.** Its text says *of the errors made by the baseline*, but the pies are of all errors of either model; both are given."
    )
    printed = paper.pies()
    for column, one in zip(st.columns(len(printed)), printed, strict=True):
        with column:
            st.markdown(f"**{escape_markdown(one.slice)}**, {one.counts.n} errors")
            st.html(showcase.pie_html(pie(one.counts, "either", "")))
            st.caption("Printed: " + " / ".join(f"{p:g} %" for p in one.percents) + f" ({one.where})")
    st.dataframe(
        beside.pie_rows(printed, found), hide_index=True, width="stretch", height="content", alt="The paper's pies and ours as counts"
    )
    st.caption(
        "Brackets: 95 % Wilson intervals. McNemar: exact, fixed against introduced. Ours: the older two models on clean pairs of SNLI test, "
        "slices by the paper's cue words as whole words."
    )


def leak(found: Mapping[str, Report]) -> None:
    """How many scored rows were trained on, in each protocol."""
    heading("leak")
    printed = paper.printed()
    rows = found["clean"].report["splits"].get("dev", {}).get("n") if "clean" in found else None
    known = f", of which SNLI has {rows:,} with a label" if rows else ""
    st.markdown(
        f"The paper draws its adversarial examples from the set on which it then reports {_printed('accuracy', 'finetuned'):.2%} accuracy: the "
        "same premises, nearly the same hypotheses, the same labels. A model that saw them may have learned these rows rather than to be "
        f"robust. (It also speaks of {printed['validation_rows']:,} validation rows{known}, and of {printed['per_class']:,} drawn of each "
        "class.)".replace("%", " %")
    )
    for protocol, one in found.items():
        scored, trained = one.report["splits"][beside.SCORED]["n"], one.report["trained_on_scored_rows"]
        gain = [f"{escape_markdown(m)} {one.figures(m)['accuracy']:.2%}".replace("%", " %") for m in one.models]
        st.markdown(
            f"- **{protocol} protocol**: {trained:,} of the {scored:,} scored pairs were trained on, one word masked. Accuracy: {', '.join(gain)}."
        )
    if "paper" not in found:
        st.caption("The paper's protocol was not run here yet: the command stands under the table above.")


def _printed(figure: str, model: str) -> float:
    return float(next(row[model] for row in paper.printed()["row"] if row["figure"] == figure))


def glossary() -> None:
    """The words of the app."""
    heading("glossary")
    with st.expander(f"{len(cards.glossary())} words, each with one meaning everywhere", icon=":material/dictionary:"):
        st.markdown("\n".join(f"- **{escape_markdown(word)}**: {escape_markdown(text)}" for word, text in cards.glossary().items()))


def cite() -> None:
    """The paper and this software as BibTeX."""
    heading("cite")
    printed = paper.printed()
    st.code(
        f"@software{{robustnli,\n  title = {{robustnli: find the word an NLI model leans on, and see what fine-tuning fixed and broke}},\n"
        f"  version = {{{__version__}}}\n}}\n\n"
        f"@misc{{khan-robustness,\n  author = {{{printed['author']}}},\n  title = {{{printed['title']}}}\n}}",
        language="bibtex",
        wrap_lines=True,
    )
    st.caption(
        "With figures of a run, give its name and the fingerprints in its manifest. Data: SNLI (Bowman et al. 2015); the methods' papers stand "
        "beside each recipe and in the model cards."
    )
