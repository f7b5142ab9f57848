"""Words as buttons: `chips` draws them in the browser (components.v2), `pills` is the plain control that does the same.

The browser keeps the list of masked words and sends it whole at each click, numbered: a quick second click loses nothing, and a page
that was drawn before it cannot take it back. Both models' chips share one list.

User text reaches the page only through `textContent`. A chip is a real <button> with `aria-pressed`: click, Space and Enter toggle it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from robustnli.figures import escape_markdown
from robustnli.ui import state

_CSS = """
.row { margin: 0 0 .6rem 0; }
.name { font: 600 .75rem/1.6 var(--st-font, sans-serif); color: var(--st-text-color); opacity: .7; }
.chips { display: flex; flex-wrap: wrap; gap: .3rem; }
button {
  font: 400 1rem/1.4 var(--st-font, sans-serif); color: var(--st-text-color); cursor: pointer; max-width: 100%; overflow-wrap: anywhere;
  border: 1px solid var(--st-border-color, #8884); border-radius: .4rem; padding: .15rem .45rem; background: transparent; text-align: start;
}
button:hover { border-color: var(--st-primary-color); }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
button[aria-pressed="true"] { border: 2px dashed var(--st-text-color); background: repeating-linear-gradient(45deg, transparent 0 5px, #8883 5px 10px) !important; }
button[aria-pressed="true"] .text { text-decoration: line-through; opacity: .75; }
.plain { color: var(--st-text-color); opacity: .75; padding: .15rem 0; overflow-wrap: anywhere; max-width: 100%; }
.legend { display: flex; gap: .3rem; font: 400 .75rem/1.6 var(--st-font, sans-serif); color: var(--st-text-color); }
.legend span { padding: 0 .5rem; border-radius: .3rem; border: 1px solid var(--st-border-color, #8884); }
.sign, .mask { font-size: .7rem; margin-inline-start: .25rem; opacity: .85; }
.mask { font-weight: 700; }
"""

_JS = """
export default function (component) {
  const { data, parentElement, setStateValue } = component;
  let shared = window.robustnliMasks;
  if (!shared || shared.session !== data.session) shared = window.robustnliMasks = { session: data.session, number: data.number, masked: data.masked };
  if (data.number >= shared.number) { shared.number = data.number; shared.masked = data.masked; }
  const show = (button, masked) => {
    button.setAttribute("aria-pressed", String(masked));
    button.setAttribute("aria-label", (masked ? "masked: " : "") + button.title);
    button.querySelector(".mask").hidden = !masked;
    button.querySelector(".sign").hidden = masked;
  };
  const root = parentElement.querySelector("#root");
  const focused = root.querySelector("button:focus")?.dataset.id;
  const make = (tag, cls, text) => {
    const element = document.createElement(tag);
    element.className = cls;
    element.textContent = text;
    return element;
  };
  const rows = data.rows.map((row) => {
    const box = make("div", "row", "");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", row.name);
    box.append(make("div", "name", row.name));
    const chips = make("div", "chips", "");
    chips.dir = "auto";
    for (const chip of row.chips) {
      if (chip.plain) {
        chips.append(make("span", "plain", chip.plain));
        continue;
      }
      const button = make("button", "chip", "");
      button.type = "button";
      button.dataset.id = chip.id;
      button.title = chip.title;
      button.style.background = chip.colour;
      button.append(make("span", "text", chip.text), make("span", "mask", chip.mask), make("span", "sign", chip.sign));
      show(button, shared.masked.includes(chip.id));
      button.onclick = () => {
        const masked = !shared.masked.includes(chip.id);
        shared.masked = masked ? [...shared.masked, chip.id] : shared.masked.filter((id) => id !== chip.id);
        shared.number += 1;
        show(button, masked);
        setStateValue("masks", { number: shared.number, masked: shared.masked });
      };
      chips.append(button);
    }
    box.append(chips);
    return box;
  });
  const legend = make("div", "legend", "");
  legend.append(make("div", "", data.scale));
  for (const step of data.legend) {
    const swatch = make("span", "", step.text);
    swatch.style.background = step.colour;
    legend.append(swatch);
  }
  root.replaceChildren(...rows, legend);
  if (focused) root.querySelector(`button[data-id="${focused}"]`)?.focus({ preventScroll: true });
}
"""

_chips = st.components.v2.component("robustnli_chips", html="<div id='root'>\n</div>", css=_CSS, js=_JS)


def chips(rows: Sequence[dict[str, Any]], *, key: str, masked: Sequence[str], steps: Sequence[dict[str, str]], scale: str) -> None:
    """Draw rows of chips as `figures.chip_rows` makes them, and the scale's steps; a click masks a word, or unmasks it."""

    def changed() -> None:
        state.masked_in_browser(st.session_state[key].masks)

    session, number = state.browser_masks()
    data = {"rows": list(rows), "masked": list(masked), "legend": list(steps), "scale": scale, "session": session, "number": number}
    _chips(data=data, key=key, on_masks_change=changed)


def pills(labels: dict[str, str]) -> None:
    """The same masks as plain buttons: word id -> word. For keyboards, screen readers and tests."""
    known = list(labels)
    st.session_state[state.PILLS] = state.masks(known)

    def show(name: str) -> str:
        twice = sum(text == labels[name] for text in labels.values()) > 1
        return escape_markdown(labels[name]) + (f" ({name})" if twice else "")

    def changed() -> None:
        chosen = set(st.session_state[state.PILLS])
        kept = [n for n in state.masks(known) if n in chosen]
        state.set_masks([*kept, *(n for n in known if n in chosen and n not in kept)])

    st.pills("Masked words", known, selection_mode="multi", key=state.PILLS, format_func=show, on_change=changed)
