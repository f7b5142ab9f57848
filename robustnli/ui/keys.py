"""The keyboard shortcuts of all pages, and the list of them that "?" opens on every page.

The list lives in the browser alone: opening it runs nothing on the server, and interrupts nothing.
"""

from __future__ import annotations

import streamlit as st

Keys = tuple[tuple[str, str], ...]
REVIEW: Keys = (
    ("A", "accept: the label before is still right"), ("1 2 3", "the label is now entailment, neutral, contradiction"), ("U", "unsure"),
    ("X", "reject: no usable example"), ("N", "next"), ("P", "previous"), ("Z", "undo your last action"),
)  # fmt: skip
EVERYWHERE: Keys = (("?", "this list"), ("Esc", "close it"), ("Tab", "the next control"), ("R", "run the page again"))
PAGES: dict[str, Keys] = {
    "Flip lab": (("Tab", "from word to word"), ("Space", "mask the word, or take the mask away"), ("Enter", "the same")),
    "Errors": (("Tab", "to a line below a pie"), ("Space", "filter by it, or stop to")),
    "Curate": REVIEW,
}

_CSS = """
#open { position: fixed; right: 1rem; bottom: 1rem; z-index: 1000; width: 2.1rem; height: 2.1rem; border-radius: 50%; cursor: pointer;
  border: 1px solid var(--st-border-color, #8886); background: var(--st-background-color, #fff); color: var(--st-text-color, #000);
  font: 600 1rem/1 var(--st-font, sans-serif); opacity: .75; }
#open:hover, #open:focus-visible { opacity: 1; border-color: var(--st-primary-color); }
dialog { border: 1px solid var(--st-border-color, #8886); border-radius: .6rem; padding: 1rem 1.4rem 1.2rem; max-width: min(30rem, 90vw);
  background: var(--st-background-color, #fff); color: var(--st-text-color, #000); font: 400 .95rem/1.5 var(--st-font, sans-serif); }
dialog::backdrop { background: #0006; }
h2 { font-size: 1.15rem; margin: 0 0 .3rem; }
h3 { font-size: .95rem; margin: .7rem 0 .2rem; }
.line { display: flex; gap: .8rem; padding: .1rem 0; }
kbd { min-width: 3.4rem; font: 600 .85rem/1.5 ui-monospace, monospace; }
#shut { float: right; border: 0; background: none; color: inherit; font-size: 1.2rem; cursor: pointer; }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
"""

_JS = """
export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector("#root");
  const make = (tag, text) => {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  };
  let box = root.querySelector("dialog");
  if (!box) {
    const button = make("button", "?");
    button.id = "open";
    button.type = "button";
    button.title = "Keyboard shortcuts";
    button.setAttribute("aria-label", "Keyboard shortcuts");
    box = make("dialog", "");
    box.setAttribute("aria-label", "Keyboard shortcuts");
    box.onclick = (event) => { if (event.target === box) box.close(); };
    button.onclick = () => box.showModal();
    root.append(button, box);
  }
  const shut = make("button", "\\u00d7");
  shut.id = "shut";
  shut.type = "button";
  shut.setAttribute("aria-label", "Close");
  shut.onclick = () => box.close();
  const parts = [shut, make("h2", "Keyboard shortcuts")];
  for (const group of data.groups) {
    parts.push(make("h3", group.name));
    for (const [key, does] of group.keys) {
      const line = make("div", "");
      line.className = "line";
      line.append(make("kbd", key), make("span", does));
      parts.push(line);
    }
  }
  box.replaceChildren(...parts);
  const pressed = (event) => {
    const at = event.composedPath()[0];
    const typing = at instanceof HTMLElement && (at.isContentEditable || at.matches("input, textarea, select"));
    if (event.key !== "?" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (box.open) box.close();
    else box.showModal();
  };
  if (window.robustnliKeys) document.removeEventListener("keydown", window.robustnliKeys);
  window.robustnliKeys = pressed;
  document.addEventListener("keydown", pressed);
}
"""

_list = st.components.v2.component("robustnli_keys", html="<div id='root'>\n</div>", css=_CSS, js=_JS)


def groups(page: str) -> list[dict[str, object]]:
    """The open page's keys first, then those that work everywhere, then other pages'."""
    names = [name for name in (page, *PAGES) if name in PAGES]
    found: dict[str, Keys] = {name: PAGES[name] for name in dict.fromkeys(names)}
    ordered = {page: found.pop(page)} if page in found else {}
    return [{"name": name, "keys": [list(k) for k in keys]} for name, keys in (ordered | {"On every page": EVERYWHERE} | found).items()]


def listed(page: str) -> None:
    """A round button in the corner, and the key "?", open the list. `page`: the title of the page that is shown."""
    _list(data={"groups": groups(page)}, key="keys")
