"""Words as buttons: `chips` draws them in the browser (components.v2), `pills` is the plain control that does the same.

User text reaches the page only through `textContent`. A chip is a real <button> with `aria-pressed`: click, Space and Enter toggle it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
.sign, .mask { font-size: .7rem; margin-inline-start: .25rem; opacity: .85; }
.mask { font-weight: 700; }
"""

_JS = """
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
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
      const button = make("button", "chip", "");
      button.type = "button";
      button.dataset.id = chip.id;
      button.title = chip.title;
      button.style.background = chip.colour;
      button.setAttribute("aria-pressed", String(chip.masked));
      button.setAttribute("aria-label", (chip.masked ? "masked: " : "") + chip.title);
      button.append(make("span", "text", chip.text));
      if (chip.masked) button.append(make("span", "mask", chip.mask));
      else if (chip.sign) button.append(make("span", "sign", chip.sign));
      button.onclick = () => setTriggerValue("clicked", chip.id);
      chips.append(button);
    }
    box.append(chips);
    return box;
  });
  root.replaceChildren(...rows);
  if (focused) root.querySelector(`button[data-id="${focused}"]`)?.focus();
}
"""

_chips = st.components.v2.component("robustnli_chips", html="<div id='root'>\n</div>", css=_CSS, js=_JS)


def chips(rows: Sequence[dict[str, Any]], *, key: str, on_click: Callable[[str], None]) -> None:
    """Draw rows of chips as `figures.chip_rows` makes them; a click calls `on_click` with the word's id, then the page runs again."""

    def clicked() -> None:
        name = st.session_state[key].clicked
        if name:
            on_click(str(name))

    _chips(data={"rows": list(rows)}, key=key, on_clicked_change=clicked)


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
