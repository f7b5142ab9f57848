"""What the entries are filtered by, as a value: from and to the address, in words, and as the store's `Query`. No streamlit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from robustnli.curated import Verdict
from robustnli.slices import STANDARD
from robustnli.store import Query
from robustnli.ui.curate.card import VERDICT_NAMES

MINE = {"todo": "I have not judged", "done": "I have judged"}
_SEVERAL = ("verdict", "tag", "author", "recipe", "flip")
_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_SLICES = {part.name: part for part in STANDARD}
_NAMES = {
    "verdict": "outcome", "tag": "tag", "author": "author", "recipe": "recipe", "flip": "flipped", "slice": "slice", "q": "text", "mine": "only what",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """Within a field any of the values fits; every field given must fit. `slice` is one of the standard slices of the edited pair.

    `flip`: models whose prediction the edit changed. `mine`: "todo" what the reader has not judged, "done" what the reader has.
    """

    verdict: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    recipe: tuple[str, ...] = ()
    flip: tuple[str, ...] = ()
    slice: str = ""
    q: str = ""
    mine: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Filters:
        """The filters of an address; what makes no sense in it asks for nothing."""
        several = {name: split(values.get(name, "")) for name in _SEVERAL}
        several["verdict"] = tuple(v for v in several["verdict"] if v in _VERDICTS)
        part, mine = values.get("slice", ""), values.get("mine", "")
        return cls(**several, slice=part if part in _SLICES else "", q=values.get("q", ""), mine=mine if mine in MINE else "")

    def address(self) -> dict[str, str]:
        """Field -> text of the address, of the fields that ask for something."""
        return {name: value if isinstance(value, str) else join(value) for name, value in self.items().items()}

    def items(self) -> dict[str, Any]:
        """Field -> value, of the fields that ask for something."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name))}

    def told(self) -> dict[str, str]:
        """Field -> what it asks for, in words."""
        out = {}
        for name, value in self.items().items():
            values = (MINE[value] if name == "mine" else value,) if isinstance(value, str) else value
            if name == "verdict":
                values = tuple(VERDICT_NAMES[_VERDICTS[v]] for v in value)
            out[name] = f"{_NAMES[name]}: {' or '.join(values)}"
        return out

    def without(self, *names: str) -> Filters:
        """The filters with these fields asking for nothing."""
        empty = {f.name: f.default for f in fields(self) if f.name in names}
        return replace(self, **empty)  # type: ignore[arg-type]

    def query(self, reader: str) -> Query:
        """The same as the store's question, the oldest entry first; `slice` is not in it (see `in_slice`)."""
        return Query(
            verdicts=tuple(_VERDICTS[v] for v in self.verdict), tags=self.tag, recipes=self.recipe, authors=self.author, text=self.q,
            flipped=self.flip, judged_by=reader if self.mine == "done" else "", not_judged_by=reader if self.mine == "todo" else "",
            order="oldest",
        )  # fmt: skip


def join(values: tuple[str, ...] | list[str]) -> str:
    """Several values as one text of the address."""
    return "~".join(value.replace("%", "%25").replace("~", "%7E") for value in values)


def split(text: str) -> tuple[str, ...]:
    """The values of such a text."""
    return tuple(dict.fromkeys(value.replace("%7E", "~").replace("%25", "%") for value in text.split("~") if value))
