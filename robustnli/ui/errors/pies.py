"""Pies side by side, drawn in the browser (components.v2): a wedge, or its line below, is clicked; a camera saves the picture.

Every text reaches the page through `textContent`. A line is a real button with `aria-pressed`: Space and Enter filter, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from robustnli.pies import Pie, plain

_CSS = """
#root { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(13rem, 45%), 1fr)); gap: 1.2rem 1rem; margin-top: .2rem;
  font: 400 .95rem/1.45 var(--st-font, sans-serif); color: var(--st-text-color); }
figure { margin: 0; min-width: 0; display: flex; flex-direction: column; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: .45rem; overflow-wrap: anywhere; padding-inline-start: .3rem; }
.head b { font-weight: 600; }
.head span { white-space: nowrap; }
.head span, .note { opacity: .72; font-size: .85rem; }
.head button { margin-inline-start: auto; border: 0; background: none; padding: .1rem .25rem; color: inherit; opacity: .75; cursor: pointer; border-radius: .3rem; }
.head button:hover, .head button:focus-visible { opacity: 1; }
svg.pie { display: block; width: min(100%, 13.5rem); margin: .35rem auto .45rem; }
svg.pie path { stroke: var(--st-background-color, #fff); stroke-width: .9; cursor: pointer; }
svg.pie path:hover { opacity: .82; }
svg.pie path.on { stroke: var(--st-text-color); stroke-width: 2; }
svg.pie text { font-size: 7.6px; text-anchor: middle; dominant-baseline: middle; pointer-events: none; fill: #000; }
.line { display: flex; align-items: baseline; gap: .4rem; width: 100%; text-align: start; font: inherit; font-size: .88rem; color: inherit;
  background: none; border: 1px solid transparent; border-radius: .35rem; padding: .05rem .3rem; cursor: pointer; flex-wrap: wrap; }
.line:hover { border-color: var(--st-border-color, #8886); }
.line[aria-pressed="true"] { border-color: var(--st-primary-color); background: color-mix(in srgb, var(--st-primary-color) 12%, transparent); }
.line .box { width: .7rem; height: .7rem; border-radius: .15rem; align-self: center; flex: none; }
.line .range { opacity: .72; font-size: .8rem; }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
figure { container-type: inline-size; }
.head i { font-style: normal; }
@container (max-width: 12rem) { .head i { display: none; } }
.none { border: 1px dashed var(--st-border-color, #8886); border-radius: .5rem; padding: 1.2rem .6rem; margin: .4rem 0; text-align: center; }
.verdict { margin: .4rem .3rem 0; overflow-wrap: anywhere; }
.note { margin: .1rem .3rem 0; }
"""

_JS = """
const SVG = "http://www.w3.org/2000/svg";
const make = (tag, cls, text) => {
  const element = document.createElement(tag);
  if (cls) element.className = cls;
  if (text) element.textContent = text;
  return element;
};
const draw = (tag, attributes) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const save = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const picture = (svg, format, name) => {
  const blob = new Blob([svg], { type: "image/svg+xml" });
  if (format === "svg") return save(blob, name + ".svg");
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = image.width * 2;
    canvas.height = image.height * 2;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((made) => save(made, name + ".png"), "image/png");
  };
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
};
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector("#root");
  const focused = root.querySelector("button:focus")?.dataset.id;
  const figures = data.pies.map((pie) => {
    const figure = make("figure", "");
    const head = make("div", "head");
    const camera = make("button", "", "\u2913");
    camera.append(make("i", "", " " + data.format.toUpperCase()));
    camera.type = "button";
    camera.title = "Save this pie as " + data.format.toUpperCase();
    camera.setAttribute("aria-label", camera.title + ": " + pie.slice);
    camera.onclick = () => picture(pie.svg, data.format, "robustnli-pie-" + pie.slice.replace(/[^\\w-]+/g, "-"));
    head.append(make("b", "", pie.slice), make("span", "", pie.heading), camera);
    figure.append(head);
    if (pie.wedges.some((w) => w.path)) {
      const pressed = (w) => data.slice === pie.slice && data.outcome === w.outcome;
      const pick = (w) => setTriggerValue("picked", { slice: pie.slice, outcome: w.outcome, off: pressed(w) });
      const disc = draw("svg", { class: "pie", viewBox: "-51 -51 102 102", role: "img", "aria-label": pie.alt });
      for (const w of pie.wedges.filter((w) => w.path)) {
        const path = draw("path", { d: w.path, fill: w.colour, class: pressed(w) ? "on" : "", "data-outcome": w.outcome });
        const tip = draw("title", {});
        tip.textContent = w.outcome + " " + w.count + ": click to see its rows";
        path.append(tip);
        path.onclick = () => pick(w);
        disc.append(path);
      }
      for (const w of pie.wedges.filter((w) => w.at)) {
        const name = draw("text", { x: w.at[0], y: w.at[1] });
        name.textContent = w.outcome;
        disc.append(name);
      }
      figure.append(disc);
      for (const w of pie.wedges) {
        const line = make("button", "line");
        line.type = "button";
        line.dataset.id = pie.slice + "|" + w.outcome;
        line.setAttribute("aria-pressed", String(pressed(w)));
        const box = make("span", "box");
        box.style.background = w.colour;
        line.append(box, make("span", "", w.outcome + " " + w.count));
        if (w.interval) line.append(make("span", "range", "[" + w.interval + "]"));
        line.onclick = () => pick(w);
        figure.append(line);
      }
      if (pie.besides) figure.append(make("div", "note", pie.besides));
    } else {
      figure.append(make("div", "none", "Neither model errs here."));
    }
    figure.append(make("div", "verdict", (pie.few ? "? " : "") + pie.verdict));
    return figure;
  });
  root.replaceChildren(...figures);
  // The first paint of a session: the rest of the page, which takes a browser long, is asked for once these pies are on the screen.
  if (data.first) requestAnimationFrame(() => setTimeout(() => {
    performance.mark("robustnli-pies");
    setTriggerValue("painted", true);
  }));
  if (focused) [...root.querySelectorAll("button")].find((b) => b.dataset.id === focused)?.focus({ preventScroll: true });
}
"""

_pies = st.components.v2.component("robustnli_pies", html="<div id='root'>\n</div>", css=_CSS, js=_JS)


def side_by_side(
    pies: Sequence[Pie], *, key: str, picture: str, slice_: str, outcome: str, first: bool, pick: Callable[[str, str], None]
) -> None:  # fmt: skip
    """Draw the pies, and run the page again as soon as they are on the screen where it is the `first` time. A click calls `pick` with the slice and the outcome, "" for both where what is picked already is clicked again.

    `picture`: the format in which the camera saves; `slice_` and `outcome`: what is picked now.
    """

    def clicked() -> None:
        asked = st.session_state[key].picked
        if asked:
            pick(*(("", "") if asked.get("off") else (str(asked.get("slice", "")), str(asked.get("outcome", "")))))

    data = {"pies": [plain(pie) for pie in pies], "format": picture, "slice": slice_, "outcome": outcome, "first": first}
    _pies(data=data, key=key, on_picked_change=clicked, on_painted_change=lambda: None)
