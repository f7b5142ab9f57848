"""What is shown: predictions, verdicts, chips, the mask map, the search for a flip. Each draws values it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from robustnli.curated import BY_HAND, Entry, Said, entry_uid
from robustnli.figures import FLIP, SIGNED, chip_rows, colour, escape_markdown, legend, mask_map_rows, scale, score_rows
from robustnli.masking import mask
from robustnli.types import LABELS, Attribution, Checkpoint, Label, MaskEffect, Method, Pair, Prediction, Radius, Word
from robustnli.ui import cached, keep, state, tokens

METHOD_UNITS: dict[Method, str] = {
    "gradient": "gradient",
    "input_x_gradient": "share of the logit",
    "integrated_gradients": "share of the logit",
    "leave_one_out": "change of probability",
}
BUDGET, LONG_BUDGET = 200, 40
MAP_WORDS = 60  # hypothesis words up to which the mask map is drawn unasked


@dataclass(frozen=True, slots=True)
class Side:
    """Everything one model says about the pair: before and after masking."""

    checkpoint: Checkpoint
    pair: Pair
    cut: tuple[str, ...]
    words: tuple[Word, ...]
    ids: tuple[str, ...]
    before: Prediction
    masked: Pair
    after: Prediction
    attribution: Attribution
    effects: tuple[MaskEffect, ...] | None  # of each hypothesis word masked alone; None: not asked yet

    @property
    def maskable(self) -> int:
        """Words of the hypothesis."""
        return sum(w.segment == "hypothesis" for w in self.words)

    @property
    def flipped(self) -> bool:
        """Whether masking changed the label."""
        return self.before.label != self.after.label


def side(checkpoint: Checkpoint, pair: Pair, masks: Sequence[str], target: Label | None, method: Method) -> Side:
    """Ask one model what the page shows first; all of it cached by fingerprint and values."""
    fitted, cut = cached.fit(checkpoint, pair)
    words = cached.words(checkpoint, fitted)
    names = state.word_ids(pair)
    ids = tuple(names.get((w.segment, w.start), "") for w in words)
    effects = None
    if method == "gradient" and sum(w.segment == "hypothesis" for w in words) <= MAP_WORDS:
        before, attribution, effects = cached.look_and_map(checkpoint, fitted, target)
    else:
        before, attribution = cached.look(checkpoint, fitted, target, method)
    masked = mask(fitted, [w for w, name in zip(words, ids, strict=True) if name in set(masks)])
    after = before if masked == fitted else cached.predict(checkpoint, masked)
    return Side(checkpoint, fitted, cut, words, ids, before, masked, after, attribution, effects)


def notices(sides: Sequence[Side]) -> None:
    """What had to be cut, once each."""
    for text in dict.fromkeys(text for s in sides for text in s.cut):
        st.warning(text, icon=":material/content_cut:")


def verdict(sides: Sequence[Side], gold: Label | None) -> None:
    """One sentence: do the models agree with each other, and with gold?"""
    sentence = ", ".join(
        f"**{escape_markdown(s.checkpoint.name)}** says **{s.after.label.text}**{_right(s, gold) if len(sides) > 1 else ''}" for s in sides
    )
    wrong = [s for s in sides if gold is not None and s.after.label != gold]
    if len({s.after.label for s in sides}) > 1:
        st.warning(f"The models disagree: {sentence}{_gold(gold)}.", icon=":material/call_split:")
    elif wrong:
        st.error(f"{sentence}{_gold(gold)}.", icon=":material/close:")
    else:
        st.success(f"{sentence}{_gold(gold)}.", icon=":material/check:")


def _right(s: Side, gold: Label | None) -> str:
    return "" if gold is None else " (right)" if s.after.label == gold else " (wrong)"


def _gold(gold: Label | None) -> str:
    return f"; gold is **{gold.text}**" if gold is not None else ""


def prediction(s: Side, gold: Label | None, *, masked: bool) -> None:
    """Three probabilities; after masking, each with what it was before; a flip as a banner."""
    mark = "" if gold is None else "  :material/check: right" if s.after.label == gold else "  :material/close: wrong"
    st.markdown(f"##### {escape_markdown(s.checkpoint.name)}: {s.after.label.text}{mark}")
    if masked and s.flipped:
        st.error(f"**FLIP**  {s.before.label.text} \u2192 **{s.after.label.text}**", icon=":material/swap_horiz:")
    elif masked:
        st.info(f"No flip: still **{s.after.label.text}**", icon=":material/shield:")
    else:  # as tall as the banners, so that a word does not move away under the pointer that clicked it
        st.info("No word is masked.", icon=":material/visibility:")
    for label in LABELS:
        now, then = s.after.probs[label], s.before.probs[label]
        name = f"**{label.text}**" if label == s.after.label else label.text
        st.progress(min(1.0, max(0.0, now)), text=f"{name}  {then:.3f} \u2192 {now:.3f}" if masked else f"{name}  {now:.3f}")


def words(s: Side, masks: Sequence[str]) -> None:
    """The chips of one model with their scale. Each model has its own: a sure model's gradients are small throughout."""
    st.caption(f"{escape_markdown(s.checkpoint.name)}: what bears on **{s.attribution.target.text}**, nothing masked")
    rows = chip_rows(s.pair, s.words, s.ids, s.attribution, scale(s.attribution))
    steps, title = legend(s.attribution), METHOD_UNITS[s.attribution.method]
    tokens.chips(rows, key=f"chips_{s.checkpoint.name}", masked=masks, steps=steps, scale=title)
    if s.attribution.gap is not None:
        st.caption(f"completeness gap {s.attribution.gap:+.4f} of a change of {s.attribution.change:+.3f} in the logit")


def explain(sides: Sequence[Side]) -> None:
    """How to read the colours, and how to mask."""
    st.caption(_legend(sides[0].attribution.method))


def _legend(method: Method) -> str:
    click = "Click a word, or focus it and press Space, to mask it; again to unmask."
    if method in SIGNED:
        return (
            f"Vermillion with + speaks for the label, blue with \u2212 against it; stronger colour, larger score within the model. {click}"
        )
    return f"Stronger colour: the loss reacts more to this word, within one model. Magnitudes have no sign. {click}"


def controls(sides: Sequence[Side], labels: dict[str, str]) -> None:
    """Mask the top k words of the older model, undo, reset; and the pills."""
    ranked = sorted(
        (-abs(score), name)
        for word, name, score in zip(sides[0].words, sides[0].ids, sides[0].attribution.scores, strict=True)
        if word.segment == "hypothesis"
    )
    name = escape_markdown(sides[0].checkpoint.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        k = st.number_input(
            "Words to mask", 1, max(1, len(ranked)), 1, key=state.TOP_K, help="How many hypothesis words to mask", width=130
        )  # fmt: skip
        st.button(
            f"Mask the top words of {name}", on_click=state.set_masks, args=([word for _, word in ranked[: int(k)]],), disabled=not ranked,
            help=f"The hypothesis words with the largest scores for {name}",
        )  # fmt: skip
        st.button("Undo", on_click=state.undo, disabled=not state.can_undo(), width=110)
        st.button("Reset", on_click=state.set_masks, args=([],), disabled=not state.masks(list(labels)), width=110)
    tokens.pills(labels)


def keeping(sides: Sequence[Side], gold: Label | None, masks: Sequence[str]) -> None:
    """The button that keeps the pair as it is masked now, with what the models say of it: see `kept`."""
    keep.keep_button(
        [kept(sides, gold, masks)], "Keep this flip" if any(s.flipped for s in sides) else "Keep this pair", "flip_lab", details=True
    )


def kept(sides: Sequence[Side], gold: Label | None, masks: Sequence[str]) -> Entry:
    """The pair and its masked form as an entry of nobody yet. The text is the older model's; the newer one is asked about that text, which
    is another than its own where their vocabularies cut a masked word differently."""
    first = sides[0]
    words = tuple(w for w, name in zip(first.words, first.ids, strict=True) if name in set(masks))
    edited = mask(first.pair, words)
    said = tuple(
        Said(
            s.checkpoint.name,
            s.checkpoint.fingerprint,
            s.before if s.pair == first.pair else cached.predict(s.checkpoint, first.pair),
            s.after if s.masked == edited else cached.predict(s.checkpoint, edited),
        )
        for s in sides
    )
    recipe = keep.MASKED if words else BY_HAND
    return Entry(entry_uid(first.pair, edited, gold), first.pair, edited, gold, recipe, words, said)


def tables(sides: Sequence[Side], *, long_map: bool) -> None:
    """The mask map, and the word scores as a table. `long_map`: the map of a long hypothesis as well, which takes its time."""
    names = [s.checkpoint.name for s in sides]
    st.markdown("##### Mask map")
    if sides[0].maskable > MAP_WORDS and not long_map:
        st.info(f"The hypothesis has {sides[0].maskable} words; masking each of them takes {sides[0].maskable} predictions a model.")
        st.button("Draw the mask map all the same", on_click=state.ask_long_map, icon=":material/grid_on:")
    else:
        _mask_map(sides, names)
    with st.expander("Word scores as a table"):
        st.dataframe(pd.DataFrame(score_rows(sides[0].pair, names, [s.attribution for s in sides])), hide_index=True, width="stretch")


def _mask_map(sides: Sequence[Side], names: Sequence[str]) -> None:
    # Where it is asked only now, everything above it is on the screen meanwhile.
    asked = cached.together(lambda s: s.effects or cached.mask_map(s.checkpoint, s.pair), sides)
    effects = [answer() for answer in asked]
    rows = mask_map_rows(sides[0].pair, names, [s.before for s in sides], effects)
    flips = {s.checkpoint.name: sum(e.after.label != s.before.label for e in each) for s, each in zip(sides, effects, strict=True)}
    told = "; ".join(f"{escape_markdown(name)} flips on {n} of {len(rows)}" for name, n in flips.items())
    st.caption(
        f"Each hypothesis word masked alone, whatever is masked above: {told}. *change* is that of the probability of the label predicted before; {FLIP} marks a flip."
    )
    changes = {f"{name}: change": st.column_config.NumberColumn(format="%+.3f") for name in names}
    frame = pd.DataFrame(rows).style.map(lambda v: f"background-color: {colour(-v, 1.0)}" if v == v else "", subset=list(changes))
    st.dataframe(frame, hide_index=True, column_config=changes, width="stretch", alt="Mask map: one row a hypothesis word")


def breaking(sides: Sequence[Side]) -> None:
    """ "Try to break it": the smallest mask set that flips each model, and a button that applies it."""
    st.markdown("##### Try to break it")
    asked = (tuple(s.checkpoint.fingerprint for s in sides), sides[0].pair)
    budget = BUDGET if len(sides[0].words) <= 2 * MAP_WORDS else LONG_BUDGET  # each try reads the whole pair
    if st.button(f"Search the smallest set of words that flips each model (at most {budget} tries each)", icon=":material/search:"):
        st.session_state[state.SEARCHED] = asked
    if st.session_state.get(state.SEARCHED) != asked:
        return
    for s in sides:
        found = cached.radius(s.checkpoint, s.pair, budget)
        text, button = st.columns([3, 1], vertical_alignment="center")
        text.markdown(_radius(s, found))
        if found.words:
            ids = [name for word, name in zip(s.words, s.ids, strict=True) if word in found.words]
            button.button("Apply", key=f"apply_{s.checkpoint.name}", on_click=state.set_masks, args=(ids,), width="stretch")


def _radius(s: Side, found: Radius) -> str:
    name = f"**{escape_markdown(s.checkpoint.name)}**"
    if found.words is None or found.after is None:
        why = "whatever is masked" if found.proven_minimal else "none found within the budget"
        return f"{name} holds: {why} ({found.tried} tries)."
    count = f"{len(found.words)} word{'s' if len(found.words) > 1 else ''}"
    which = ", ".join(escape_markdown(word.of(s.pair)) for word in found.words)
    sure = "the smallest set there is" if found.proven_minimal else "perhaps not the smallest set"
    return (
        f"{name} falls after **{count}** ({which}): {s.before.label.text} \u2192 **{found.after.label.text}**; {sure}, {found.tried} tries."
    )
