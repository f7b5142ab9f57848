"""Slices as files and as addresses: TOML that a person writes, and one short value for a URL. Both are checked field by field.

[[slice]]
name = "negation of the hypothesis"
cues = ["not", "n't", "nobody"]
where = "hypothesis"            # either (default), premise, hypothesis
longer_than = 5                 # words; also shorter_than
pattern = '\\bno \\w+'            # a regular expression, in any case
overlap_at_least = 0.5          # share of hypothesis words that stand in the premise; also overlap_at_most
label = "contradiction"
confidence_of = "older"         # or newer
confidence_at_least = 0.9       # also confidence_at_most
"""

from __future__ import annotations

import base64
import binascii
import json
import tomllib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from robustnli.errors import InputError, did_you_mean
from robustnli.slices import STANDARD, Slice, in_words
from robustnli.types import LABELS, Label

MAX_SLICES, MAX_FILE, MAX_DOTS, MAX_QUERY, _MAX_JSON = 100, 200_000, 600, 4000, 20_000
_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Slice)}
_KINDS = (
    ({"name", "about", "pattern", "where", "confidence_of"}, str, "a text in quotes"),
    ({"longer_than", "shorter_than"}, int, "a whole number"),
    ({"overlap_at_least", "overlap_at_most", "confidence_at_least", "confidence_at_most"}, int | float, "a number"),
)


def read_slices(path: Path) -> tuple[Slice, ...]:
    """The slices of a TOML file. Raises InputError that names the file, the slice and the field."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the file of slices cannot be read ({error.strerror}).") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the file of slices is not UTF-8. Save it as UTF-8.") from error
    return parse_slices(text, str(path))


def parse_slices(text: str, source: str) -> tuple[Slice, ...]:
    """The slices of a TOML text; `source` names it in errors. Raises InputError."""
    if len(text) > MAX_FILE:
        raise InputError(f"{source}: {len(text):,} characters; a file of slices has {MAX_FILE:,} at most.")
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > MAX_DOTS:  # a.a.a.a...: the parser's time and memory grow with the square of a key's parts
            raise InputError(f"{source}: line {number} holds more than {MAX_DOTS} dots. Write it with fewer.")
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: TOML's own, and a number of 5,000 digits
        raise InputError(f"{source}: this is not TOML ({error}).") from error
    tables = value.get("slice")
    if set(value) != {"slice"} or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise InputError(f"{source}: a file of slices holds [[slice]] tables and nothing else; it holds {', '.join(value) or 'nothing'}.")
    if len(tables) > MAX_SLICES:
        raise InputError(f"{source}: {len(tables)} slices; {MAX_SLICES} at most.")
    try:
        return unique(from_fields(table, number) for number, table in enumerate(tables, 1))
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def unique(parts: Iterable[Slice]) -> tuple[Slice, ...]:
    """The slices. Raises InputError where a name is given twice, or is one of the standard slices'."""
    kept: dict[str, Slice] = {}
    for part in parts:
        if part.name in kept or part.name in {s.name for s in STANDARD}:
            whose = "given twice" if part.name in kept else "that of a standard slice"
            raise InputError(f"slice {part.name!r}: the name is {whose}. Choose another.")
        kept[part.name] = part
    return tuple(kept.values())


def from_fields(values: Mapping[str, Any], number: int = 1) -> Slice:
    """The slice of plain values, as TOML and JSON have them. Raises InputError that names the slice (by `number` without a name)."""
    name = values.get("name")
    if not isinstance(name, str):
        raise InputError(f"slice {number}: name is {'missing' if name is None else repr(name)}; it must be a text in quotes.")
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _DEFAULTS:
            raise InputError(f"slice {name!r}: there is no field {key!r}.{did_you_mean(key, _DEFAULTS)}")
        made[key] = _checked(name, key, value)
    part = Slice(**{"about": "", **made})
    return part if part.about else Slice(**{**made, "about": in_words(part)})


def _checked(name: str, key: str, value: Any) -> Any:
    if key == "cues":
        if not isinstance(value, list) or not all(isinstance(cue, str) for cue in value):
            raise InputError(f'slice {name!r}: cues is {value!r}; it must be a list of texts, such as ["not", "no"].')
        return tuple(value)
    if key == "label":
        known = {label.text: label for label in LABELS}
        if value not in list(known):
            raise InputError(f"slice {name!r}: label is {value!r}; it must be one of {', '.join(known)}.")
        return known[value]
    kind, told = next((kind, told) for names, kind, told in _KINDS if key in names)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InputError(f"slice {name!r}: {key} is {value!r}; it must be {told}.")
    return value


def to_fields(part: Slice) -> dict[str, Any]:
    """The slice as plain values: its name, and what differs from the default."""
    values = {key: getattr(part, key) for key in _DEFAULTS}
    kept = {key: value for key, value in values.items() if value not in (_DEFAULTS[key], "")}
    if not part.asks_confidence:
        kept.pop("confidence_of", None)
    return {key: list(v) if key == "cues" else v.text if isinstance(v, Label) else v for key, v in kept.items()}


def to_toml(parts: Iterable[Slice]) -> str:
    """The slices as the TOML that `read_slices` reads."""
    return "\n".join("[[slice]]\n" + "".join(f"{key} = {_toml(v)}\n" for key, v in to_fields(part).items()) for part in parts)


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped; a lone surrogate is no character of either file.
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return text.encode("utf-8", "replace").decode()


def to_query(part: Slice) -> str:
    """The slice as one value for an address: what `from_query` reads. ASCII letters, digits, - and _."""
    text = json.dumps(to_fields(part), ensure_ascii=False, separators=(",", ":"))
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(text.encode("utf-8", "replace")) + packer.flush()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def from_query(text: str) -> Slice:
    """The slice of an address. Raises InputError for anything that `to_query` did not write, however large it would unpack."""
    broken = InputError("the address holds a slice that cannot be read. Copy the whole address, or ask for the slice as TOML.")
    if len(text) > MAX_QUERY:
        raise broken
    try:
        packed = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = json.loads(zlib.decompressobj(wbits=-15).decompress(packed, _MAX_JSON))
    except (ValueError, binascii.Error, zlib.error, RecursionError) as error:
        raise broken from error
    if not isinstance(values, dict):
        raise broken
    return from_fields(values)
