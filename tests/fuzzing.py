"""Bad input for every entrance: each `Entrance` makes one try of a random generator, and either works or raises a RobustNLIError.

`tests/test_fuzz.py` runs a few of each with fixed seeds, `docs/reliability/fuzz.py` as many as a time allows. A try that raises anything
else, or takes more than `LIMIT` seconds of processor time, is a `Fault`, which tells the seed that shows it again.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import random
import shutil
import struct
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from robustnli import checkpoints, data, exchange, models, ownruns, slicefile, slices
from robustnli.attribution import METHODS, attribute, mask_map
from robustnli.browse import Filters as BrowseFilters
from robustnli.errors import RobustNLIError
from robustnli.masking import mask, spans
from robustnli.types import LABELS, Label, Pair, Word, example
from robustnli.ui import state
from robustnli.ui.curate.filters import Filters as CurateFilters
from tests.entries import mixed

FIXTURES = Path(__file__).parent / "fixtures"
LIMIT = 60.0  # seconds of processor time that one try may take
Rng = random.Random
Try = Callable[[Rng, Path], None]


class Fault(AssertionError):
    """A try that broke something; the text says which entrance, which seed, and what happened."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """One way in. `weight`: tries of it for each round of all entrances, since some cost a hundred times as much as others."""

    name: str
    once: Try
    weight: int = 1


@dataclass(slots=True)
class Count:
    """Tries of an entrance: how many, how many of them were refused with a message, and the slowest in seconds."""

    tries: int = 0
    refused: int = 0
    slowest: float = 0.0


def attempt(entrance: Entrance, seed: int, folder: Path, count: Count) -> None:
    """One try with that seed. Raises Fault."""
    place = folder / "try"
    place.mkdir()
    begun = time.process_time()
    try:
        entrance.once(Rng(f"{entrance.name} {seed}"), place)
    except RobustNLIError as error:
        count.refused += 1
        _clear(entrance, seed, error)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise Fault(f"{entrance.name}, seed {seed}: {''.join(traceback.format_exception(error)[-4:])[-3000:]}") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    took = time.process_time() - begun
    count.tries += 1
    count.slowest = max(count.slowest, took)
    if took > LIMIT:
        raise Fault(f"{entrance.name}, seed {seed}: took {took:.1f} s of processor time, {LIMIT:.0f} at most.")


def _clear(entrance: Entrance, seed: int, error: RobustNLIError) -> None:
    """A message is a sentence of bearable length, and can be printed."""
    told = str(error)
    if not told.strip() or len(told) > 20_000:
        raise Fault(f"{entrance.name}, seed {seed}: a message of {len(told)} characters: {told[:200]!r}")
    try:
        told.encode()
    except UnicodeEncodeError as wrong:
        raise Fault(f"{entrance.name}, seed {seed}: a message that cannot be printed: {told[:300]!r}") from wrong


# ---- text

_STRANGE = (
    "\x00", "\ufffd", "\u202e", "\u200f", "\u061c", "\u200d", "\u200b", "\ufeff", "\u00ad", "\u0301" * 40, "e\u0323\u0301\u0308", "[MASK]", "[SEP]",
    "[CLS]", "[PAD]", "[UNK]", "[MASK][MASK]", "[MASK", "MASK]", "##ing", "\n", "\r", "\t", "\x0b", "\x1c", "\x85", "\u2028", "\u3000", "'", "\u2019", "-", "\u2010",
    "=1+1", "<script>", "<img src=x onerror=alert(1)>", "$x^2$", ":material/x:", "n't", "ﬁ", "İ", "ß", "ǅ", "中文", "日本", "한국", "ไทย", "שלום",
    "العربية", "👩‍👩‍👧‍👦", "🏳️‍🌈", "𝔘𝔫𝔦", "\U000e0041", "\U0010ffff", "\uffff", "\ue000", "1e999", "NaN", "-0", "%00", "../", "a" * 300,
)  # fmt: skip


def text(rng: Rng, most: int = 60) -> str:
    """Any text: words, odd characters, markers, blanks only, or nothing."""
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(("", " ", "\n\n", "\u3000\u200b", "[SEP]", "[CLS] [SEP]", "[MASK] [MASK]", "\x00", ".", "\u0301", "\u202e\u202d"))
    parts = []
    for _ in range(rng.randint(1, most)):
        draw = rng.random()
        if draw < 0.4:
            parts.append(rng.choice(("a", "man", "is", "not", "playing", "guitar", "Nobody", "well-known", "can't")))
        elif draw < 0.7:
            parts.append(rng.choice(_STRANGE))
        elif draw < 0.9:
            parts.append(
                chr(rng.choice((rng.randrange(0x80), rng.randrange(0x3000), rng.randrange(0xD800), rng.randrange(0xE000, 0x110000))))
            )
        else:
            parts.append(chr(rng.randrange(0xD800, 0xE000)) if rng.random() < 0.05 else " ")
        parts.append(rng.choice(("", " ", " ", " ")))
    return "".join(parts)


def huge(rng: Rng) -> str:
    """A text of about a megabyte: one word, many words, one mark on a letter again and again, or masks only."""
    unit = rng.choice(("a", "a ", "\u0301", "[MASK] ", "'-", "中", "[", "x-", "\u202e", "n't ", "\x00", " ", "👩‍👩‍👧‍👦 "))
    return unit * (2 ** rng.choice((14, 14, 16, 16, 18, 20)) // len(unit.encode()))


@lru_cache(maxsize=2)
def tiny(name: str) -> models.NLIModel:
    return models.load(str(FIXTURES / name))


def typed_text(rng: Rng, _: Path) -> None:
    """Model calls on any text: probabilities are some, words are words of the text, a masked pair can be read again."""
    model = tiny(rng.choice(("tiny-baseline", "tiny-finetuned")))
    pair = Pair(text(rng), text(rng))
    _read(model, pair, rng)
    words = model.words(pair)
    assert all(pair.text(w.segment)[w.start : w.end].strip() and w.pieces > 0 for w in words)
    masked = mask(pair, rng.sample(words, rng.randint(0, len(words))))
    assert len(model.predict([masked, pair])) == 2
    method = rng.choice(("gradient", "gradient", *METHODS))
    got = attribute(
        model, model.fit(Pair(pair.premise[:200], pair.hypothesis[:200])).pair, target=rng.choice(LABELS), method=method, steps=8
    )
    assert len(got.words) == len(got.scores) and bool(np.isfinite([*got.scores, got.rest]).all())


def _read(model: models.NLIModel, pair: Pair, rng: Rng) -> None:
    (said,) = model.predict([pair])
    assert abs(sum(said.probs) - 1) < 1e-5 and all(0 <= p <= 1 for p in said.probs)
    fit = model.fit(pair)
    assert model.fit(fit.pair).cut == () and pair.premise.startswith(fit.pair.premise) and pair.hypothesis.startswith(fit.pair.hypothesis)
    assert len(model.encode([pair])[0].ids) <= model.max_length


def huge_text(rng: Rng, _: Path) -> None:
    """A megabyte in either sentence."""
    model = tiny("tiny-baseline")
    long, short = huge(rng), text(rng)
    pair = Pair(long, short) if rng.random() < 0.5 else Pair(short, long)
    _read(model, pair, rng)
    method = rng.choice(list(METHODS))
    attribute(model, pair, target=Label.NEUTRAL, method=method, steps=4)
    mask_map(model, pair)


def any_mask(rng: Rng, _: Path) -> None:
    """Words that may be none of the pair's."""
    pair = Pair(text(rng), text(rng))
    words = [
        Word(rng.choice(("premise", "hypothesis")), rng.randint(-2, 80), rng.randint(-2, 80), rng.randint(0, 3))
        for _ in range(rng.randint(0, 4))
    ]
    if rng.random() < 0.5:
        segment = rng.choice(("premise", "hypothesis"))
        words = [Word(segment, *span) for span in spans(pair.text(segment)) if rng.random() < 0.5]
    masked = mask(pair, words)
    assert len(masked.premise) + len(masked.hypothesis) >= 0


# ---- addresses


def spoilt(rng: Rng, value: str) -> str:
    """A text with some of its characters exchanged, lost, doubled, or others put in."""
    letters = list(value)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(letters) + 1)
        letters[at : at + rng.randint(0, 3)] = rng.choice(
            ("", text(rng, 2), rng.choice("0123456789-~_=.,%"), "".join(letters[at : at + 5]) * 2)
        )
    return "".join(letters)


def address(rng: Rng, _: Path) -> None:
    """Query parameters as the pages parse them."""
    values = {
        name: rng.choice(
            (text(rng, 5), spoilt(rng, rng.choice(("keep~reject", "negation", "1-20", "0.5-0.9", "h3-p2", "fixed", "10", "99999999"))))
        )
        for name in (
            "slice",
            "outcome",
            "label",
            "was",
            "said",
            "sure",
            "words",
            "phenomenon",
            "part",
            "q",
            "verdict",
            "tag",
            "mine",
            "flip",
        )
    }
    found = CurateFilters.parse(values)
    assert CurateFilters.parse(found.address()) == found
    found.told(), found.query("somebody")
    BrowseFilters.parse(values)
    names = state.parse_masks(values["q"] + "-h3-" + values["part"])
    assert len(names) <= 200 and "h3" in names
    with mock.patch.object(state.st, "session_state", {state.MASKS: [], "undo": []}):
        for value in (
            rng.choice((None, 1, text(rng, 3), [], {})),
            {"number": rng.choice((1, 2.5, float("nan"), float("inf"), "x", None, 10**400)), "masked": rng.choice((["h1", 5, None], 3))},
        ):
            state.masked_in_browser(value)


@lru_cache(maxsize=1)
def _view() -> Any:
    import pandas as pd

    from robustnli.browse import view
    from tests.made import examples, records

    items = examples(40)
    table = pd.DataFrame(records(items))
    for model in ("baseline", "finetuned"):
        probs = np.array(table[f"probs.{model}"].tolist())
        table[f"label.{model}"], table[f"confidence.{model}"] = probs.argmax(1), probs.max(1)
    return view(table, "baseline", "finetuned")


def filtered(rng: Rng, _: Path) -> None:
    """Filters of an address on a run's rows: whatever is asked, rows come out, and the address that is written says the same."""
    from robustnli import browse

    seen = _view()
    asked = {name: rng.choice((text(rng, 3), spoilt(rng, good))) for name, good in (
        ("slice", "negation"), ("outcome", "fixed~introduced"), ("label", "neutral"), ("was", "neutral~entailment"), ("said", "contradiction"),
        ("sure", "20-90"), ("words", "3-12"), ("phenomenon", "verbal"), ("part", "dev"), ("q", "the baker"),
    )}  # fmt: skip
    filters = browse.Filters.parse(asked, seen)
    kept = browse.keep(seen, filters)
    assert len(kept) == 40 and browse.Filters.parse(filters.query(), seen) == filters


# ---- slices

_PIECES = (
    "a", "b", ".", "\\w", "\\b", "\\d", "(", ")", "(?:", "[", "]", "[^", "*", "+", "?", "{2,}", "{1,9}", "{0,60000}", "|", "^", "$", "\\1", "(?<n>", "(?P=n)", "(?=", "(?!",
    "(?<=", "(?R)", "(?1)", "(?>", "*+", "\\p{L}", "\\N{DIGIT ONE}", "\\X", "{e<=3}", "(?i)", "(?b)", "(?|", "\\K", "(*FAIL)", "\\L<x>", "[[:alpha:]--[a]]", "\\", "{", "}",
)  # fmt: skip
_SLOW = (
    "(a|aa)+$", "(a+)+b", "(.*)*\\1x", "(a?){40}a{40}", "(?:a*)*b", "(x+x+)+y", "(?:(?:a{1,100}){1,100}){1,100}b", "(\\w+\\s?)*[^a-z ]$", "(?:a|b|ab)*c",
    "(?:foo|a){e<=20}z{e<=20}", "(?R)?a", "(a(?1)?b)*c", "((((a*)*)*)*)*b", "(?:.{0,60000}){0,60000}", ".*.*.*.*.*.*.*.*x", "(?:a{0,60000}){0,60000}b",
    "(?<=(a+)+)b", "\\X*\\X*\\X*b", "(?:(?:a?){9999}){9999}",
)  # fmt: skip


def pattern(rng: Rng, _: Path) -> None:
    """A regular expression, also one that blows up: it is refused, or its time on a table is bounded."""
    draw = rng.random()
    value = rng.choice(_SLOW) if draw < 0.1 else "".join(rng.choice(_PIECES) for _ in range(rng.randint(1, 14)))
    if draw > 0.97:
        value = ("(" * 240 + "a" + ")" * 240, "(?:" * 120 + "a" + ")*" * 120, "a{9999}" * 60, "(?:a|" * 80 + "b" + ")" * 80)[
            rng.randrange(4)
        ]
    part = slices.Slice(name="x", about="x", pattern=value)
    long = rng.choice(("a" * 60, "ab" * 40, "the cat " * 30, "a" * 5000))
    item = example(long, long + "!", Label.NEUTRAL)
    begun = time.monotonic()
    part.holds(item)
    part.spans(item.pair)
    assert time.monotonic() - begun < 60


def slice_file(rng: Rng, _: Path) -> None:
    """TOML of slices, spoilt; what is read is written and read the same."""
    good = slicefile.to_toml((
        slices.Slice(name="one", about="it", cues=("not", "n't"), where="hypothesis", longer_than=3, overlap_at_least=0.5),
        slices.Slice(name="two", about="b", pattern=r"\bno \w+", label=Label.NEUTRAL, confidence_at_least=0.25),
    ))  # fmt: skip
    value = rng.choice((
        lambda: spoilt(rng, good),
        lambda: "[[slice]]\n" + "\n".join(f"{rng.choice(('name', 'cues', 'label', 'where', 'longer_than', 'pattern', 'about', 'x'))} = {_toml_value(rng)}" for _ in range(4)),
        lambda: text(rng),
        lambda: "[[slice]]\nname = " + "[" * rng.choice((10, 5000, 90_000)),
        lambda: "a." * rng.choice((10, 5000, 90_000)) + "b = 1",
    ))()  # fmt: skip
    parts = slicefile.parse_slices(value, "mine.toml")
    assert slicefile.parse_slices(slicefile.to_toml(parts), "again") == parts if parts else True


def _toml_value(rng: Rng) -> str:
    return rng.choice((
        "1", "-1", "1e400", "nan", "inf", "true", '"negation"', '"one"', "[]", '["a", 1]', '""', "1979-05-27", "{a=1}", "9" * rng.choice((30, 5000)),
        json.dumps(text(rng, 3).encode("utf-8", "replace").decode()),
    ))  # fmt: skip


def slice_address(rng: Rng, _: Path) -> None:
    """A slice's value in an address, spoilt, or packed from something else."""
    import base64
    import zlib

    good = slicefile.to_query(slices.Slice(name="one", about="it", cues=("not",), pattern="a+"))
    packed = zlib.compressobj(9, wbits=-15)
    inside = rng.choice(
        (
            b"[" * 100_000,
            b"[" * 9000,
            b"0" * 2**24,
            json.dumps({"name": text(rng, 3), "cues": [text(rng, 2)]}).encode(),
            b'{"name": 1e999}',
            b'{"name":"a","longer_than":' + b"9" * 5000 + b"}",
            b"null",
        )
    )
    made = base64.urlsafe_b64encode(packed.compress(inside) + packed.flush()).decode().rstrip("=")
    part = slicefile.from_query(rng.choice((spoilt(rng, good), made, text(rng))))
    assert slicefile.from_query(slicefile.to_query(part)) == part


# ---- files of data


def _rows(rng: Rng, n: int) -> list[dict[str, Any]]:
    return [
        {
            "premise": f"A cook waits for tram {i}.",
            "hypothesis": rng.choice(("He is late.", "=1+1", text(rng, 4))),
            "label": rng.choice(("neutral", "entailment", 2, "contradiction")),
        }
        for i in range(n)
    ]


def _cells(rows: Sequence[dict[str, Any]], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["premise", "hypothesis", "label"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _damage(rng: Rng, content: bytes) -> bytes:
    """The content with bytes flipped, cut, doubled or put in."""
    out = bytearray(content)
    for _ in range(rng.choice((0, 1, 1, 2, 5, 30))):
        at = rng.randrange(len(out) + 1)
        draw = rng.randrange(6)
        if draw == 0:
            out[at : at + 1] = bytes([rng.randrange(256)])
        elif draw == 1:
            del out[at:]
        elif draw == 2:
            del out[at : at + rng.randint(1, 40)]
        elif draw == 3:
            out[at:at] = out[at : at + rng.randint(1, 200)]
        elif draw == 4:
            out[at:at] = rng.randbytes(rng.randint(1, 20))
        else:
            out[at : at + 4] = struct.pack("<i", rng.choice((-1, 0, 2**31 - 1, 65535)))
    return bytes(out)


def _parquet(rng: Rng, rows: Sequence[dict[str, Any]]) -> bytes:
    """Parquet of the rows, or with columns of other types, and with metadata that means nothing."""
    n = len(rows)
    table = pa.table(
        {
            "premise": [str(r["premise"]) for r in rows],
            "hypothesis": [r["hypothesis"].encode("utf-8", "replace").decode() for r in rows],
            "label": pa.array([rng.randint(-1, 4) for _ in rows]),
        }
    )
    others = (
        pa.array([2**63 - 1] * n), pa.array([[1, 2]] * n), pa.array([{"a": None}] * n), pa.array([b"\xff\xfe"] * n), pa.array([None] * n), pa.array([1.5] * n),
        pa.array([-(2**62)] * n, pa.timestamp("s")), pa.array([2**60] * n, pa.timestamp("us", "Nowhere/Town")), pa.array([2**40] * n, pa.date64()), pa.array([2**62] * n, pa.duration("ms")),
        pa.array(["x"] * n).dictionary_encode(), pa.array([True] * n), pa.array([[("k", 1), ("k", 2)]] * n, pa.map_(pa.string(), pa.int64())), pa.array([2**31 - 1] * n, pa.date32()),
        pa.array([86_399_999_999_999] * n, pa.time64("ns")), pa.array(["x" * 100_000] * n),
    )  # fmt: skip
    for _ in range(rng.randint(0, 3)):
        name = rng.choice(("premise", "hypothesis", "label", "source", "extra", "premise"))
        column = rng.choice(others)
        if name in table.column_names and rng.random() < 0.8:
            table = table.set_column(table.column_names.index(name), name, column)
        else:
            table = table.append_column(name, column)  # also twice under one name
    notes = rng.choice(
        (
            None,
            None,
            b"{",
            b"[]",
            b'{"info": 1}',
            b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}',
            b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 3}}}}',
            b"\xff",
            b"[" * 100_000,
        )
    )
    if notes is not None:
        table = table.replace_schema_metadata({b"huggingface": notes})
    out = io.BytesIO()
    try:
        pq.write_table(table, out)
    except pa.ArrowException:  # a type that Parquet does not have
        return b"PAR1"
    return out.getvalue()


def _plain(rng: Rng) -> tuple[str, bytes]:
    """(suffix, content) of a file of rows, in any format, whole."""
    rows = _rows(rng, rng.randint(1, 12))
    kind = rng.choice((".jsonl", ".json", ".csv", ".tsv", ".parquet"))
    if kind in (".jsonl", ".json"):
        return kind, "\n".join(json.dumps(row) for row in rows).encode()
    if kind == ".parquet":
        return kind, _parquet(rng, rows)
    return kind, _cells(rows, "\t" if kind == ".tsv" else rng.choice((",", ",", ";"))).encode("utf-8", "replace")


def _odd(rng: Rng) -> tuple[str, bytes]:
    """(suffix, content) of a file made to be a nuisance."""
    row = '{"premise": "A cook waits.", "hypothesis": "He is late.", "label": "neutral"}'
    draw = rng.randrange(20)
    if draw == 0:
        return ".jsonl", row.replace('"neutral"', "9" * rng.choice((20, 400, 5000))).encode()
    if draw == 1:
        return ".jsonl", (rng.choice("[{") * rng.choice((500, 100_000))).encode()
    if draw == 2:
        return ".jsonl", row.replace("waits", "\\ud800").encode()
    if draw == 3:
        return ".jsonl", row.replace(
            '"neutral"', rng.choice(("NaN", "Infinity", "-1e999", "1e308", "null", "[]", "{}", "true", '"\\u0000"', '"0.0"', "2.0", "1.5"))
        ).encode()
    if draw == 4:
        return ".csv", row.encode("utf-16")
    if draw == 5:
        return rng.choice((".csv", ".jsonl")), row.encode("utf-16-le")
    if draw == 6:
        return ".csv", "premise,hypothesis,label\nÄrger,größer,neutral\n".encode("latin-1")
    if draw == 7:
        return ".csv", b"premise,premise,hypothesis,hypothesis,label,label\na,b,c,d,neutral,0\n"
    if draw == 8:
        return ".csv", b'premise,hypothesis,label\n"a' + b"b\n" * 1000 + b",c,neutral\n"
    if draw == 9:
        return ".csv", b"premise,hypothesis,label\n=cmd|' /C calc'!A0,@SUM(1),neutral\n+1,-1,entailment\n"
    if draw == 10:
        return ".csv", b"premise,hypothesis,label" + b",x" * rng.choice((10, 20_000)) + b"\na,b,neutral\n"
    if draw == 11:
        return ".csv", b"premise,hypothesis,label\n" + b"a" * (17 << 20) + b",b,neutral\n"
    if draw == 12:
        return ".jsonl.gz", gzip.compress(b"\x00" * (8 << 20))
    if draw == 13:
        return ".csv.gz", gzip.compress(row.encode())[: rng.randint(1, 40)]
    if draw == 14:
        return ".jsonl", b""
    if draw == 15:
        return rng.choice((".csv", ".tsv", ".jsonl", ".parquet", ".zip", ".gz", ".txt", ".xlsx", "")), rng.randbytes(
            rng.choice((1, 10, 1000))
        )
    if draw == 16:
        return ".csv", b"\x00" * 1000
    if draw == 17:
        return ".tsv", b'premise\thypothesis\tlabel\r\n"a\tb\tneutral\r\r\n\x0c\x1c\x85\n'
    if draw == 18:
        return ".jsonl", (row + "\n").encode() + row.replace("neutral", "maybe").encode() + b"\n\n[1]\n5\n" + b"\xef\xbb\xbf" + row.encode()
    return ".csv", ("premise,hypothesis,label\n" + f"{text(rng)},{text(rng)},{text(rng, 2)}\n" * 3).encode("utf-8", "replace")


def _zip(rng: Rng) -> bytes:
    """A zip of rows: also with odd names, twice the same, nested, or a lie about its sizes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for _ in range(rng.randint(0, 3)):
            kind, content = _plain(rng) if rng.random() < 0.7 else _odd(rng)
            name = rng.choice(
                (
                    "entries.jsonl",
                    f"data{kind}",
                    f"../../up{kind}",
                    f"/root{kind}",
                    f"a/b{kind}",
                    "manifest.json",
                    "__MACOSX/x",
                    f"\u202ex{kind}",
                    "a\\b.jsonl",
                    "x" * 300 + kind,
                )
            )
            with contextlib.suppress(UserWarning):
                archive.writestr(name, content)
        if rng.random() < 0.2:
            archive.writestr(
                "manifest.json", rng.choice(("{", "[]", '{"files": 1}', '{"files": [{"name": "entries.jsonl", "sha256": "0"}]}'))
            )
    return out.getvalue()


@lru_cache(maxsize=1)
def _exports() -> tuple[tuple[str, bytes], ...]:
    """What our own export writes, in each format."""
    import tempfile

    from robustnli.exchange import About, export_to

    found = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".zip", ".jsonl", ".csv", ".parquet"):
            path = Path(folder) / f"out{suffix}"
            export_to(path, mixed(), suffix.removeprefix("."), About("t"))
            found.append((suffix, path.read_bytes()))
    return tuple(found)


def _file(rng: Rng, folder: Path) -> Path:
    draw = rng.random()
    if draw < 0.35:
        suffix, content = _plain(rng)
    elif draw < 0.6:
        suffix, content = _odd(rng)
    elif draw < 0.75:
        suffix, content = ".zip", _zip(rng)
    else:
        suffix, content = rng.choice(_exports())
    if rng.random() < 0.15 and not suffix.endswith(".gz"):
        suffix, content = suffix + ".gz", gzip.compress(content)
    if rng.random() < 0.7:
        content = _damage(rng, content)
    path = folder / f"file{suffix}"
    path.write_bytes(content)
    return path


def data_file(rng: Rng, folder: Path) -> None:
    """A file as the command line reads it."""
    loaded = data.load(str(_file(rng, folder)))
    assert loaded.examples
    if rng.random() < 0.2:
        tiny("tiny-baseline").predict([e.pair for e in loaded.examples[:3]])


def own_file(rng: Rng, folder: Path) -> None:
    """A file as the error explorer scores it."""
    path = _file(rng, folder)
    plain = path.rename(folder / ownruns.plain_name(path.name))
    found = ownruns.read(plain, path.name)
    assert found.examples and str(folder) not in " ".join(found.bad)


def import_file(rng: Rng, folder: Path) -> None:
    """A file, zip or folder as the curated examples import it: read whole, or refused, and what was read can be kept."""
    path = _file(rng, folder)
    if rng.random() < 0.1:
        path = folder
    mapping = rng.choice((None, None, {"premise": "premise", "hypothesis": "hypothesis"}, {"premise": text(rng, 1)}))
    exchange.preview(path)
    found = exchange.read_entries(path, mapping, skip_bad=rng.random() < 0.5, author="ann", at="now")
    assert len({e.uid for e in found.entries}) == len(found.entries) <= found.rows
    if found.entries and rng.random() < 0.1:
        from robustnli.store import open_store

        with open_store(f"sqlite:///{folder / 'curated.db'}") as store:
            assert len(store.add(found.entries).new) == store.count() == len(found.entries)


def row_fields(rng: Rng, folder: Path) -> None:
    """Full rows of curated examples whose fields hold anything."""
    from robustnli.exchange.rows import full_row

    rows = [json.loads(json.dumps(full_row(e))) for e in mixed()]
    for row in rows:
        for _ in range(rng.randint(0, 3)):
            spot: Any = row
            while isinstance(spot, dict | list) and spot:
                key = rng.choice(list(spot)) if isinstance(spot, dict) else rng.randrange(len(spot))
                if not isinstance(spot[key], dict | list) or not spot[key] or rng.random() < 0.4:
                    spot[key] = rng.choice(
                        (None, -1, 10**30, 1e999, True, "", text(rng, 3), [], {}, [[]], {"a": 1}, "x" * 200_000, "9" * 50)
                    )
                    break
                spot = spot[key]
    path = folder / "entries.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    exchange.read_entries(path, skip_bad=True, author="ann", at="now")


# ---- checkpoint folders


def checkpoint(rng: Rng, folder: Path) -> None:
    """A checkpoint folder with something wrong: it is listed with a sentence, or loads and answers; finding never fails."""
    root = folder / "root"
    made = root / "made"
    shutil.copytree(FIXTURES / rng.choice(("tiny-baseline", "tiny-finetuned")), made)
    for _ in range(rng.choice((1, 1, 2))):
        rng.choice((_spoil_json, _spoil_json, _spoil_weights, _spoil_weights, _spoil_files, _spoil_bytes))(rng, made, folder)
    with mock.patch.dict(os.environ, {"ROBUSTNLI_CHECKPOINTS": str(root), "ROBUSTNLI_ONLY_CHECKPOINTS": "1"}):
        found = checkpoints.find()
        assert all((f.checkpoint is None) == bool(f.problem) for f in found)
        (said,) = models.load("made").predict([Pair("A man is playing a guitar on a stage.", "A person plays.")])
        assert abs(sum(said.probs) - 1) < 1e-5


_VALUES = (
    None,
    0,
    1,
    -1,
    2,
    3,
    7,
    100_000,
    10**9,
    10**30,
    0.5,
    -0.5,
    1e300,
    "",
    "x",
    "gelu",
    "relu",
    [],
    {},
    [1],
    True,
    False,
    {"0": "a"},
    "../x",
    "électra",
)


def _spoil_json(rng: Rng, made: Path, _: Path) -> None:
    path = made / rng.choice(("config.json", "config.json", "tokenizer.json", "tokenizer_config.json"))
    if not path.is_file():
        return
    with contextlib.suppress(ValueError):
        value = json.loads(path.read_text(encoding="utf-8", errors="replace"))
        spot: Any = value
        while isinstance(spot, dict | list) and spot:
            key = rng.choice(list(spot)) if isinstance(spot, dict) else rng.randrange(len(spot))
            if not isinstance(spot[key], dict | list) or not spot[key] or rng.random() < 0.3:
                if rng.random() < 0.3:
                    del spot[key]
                else:
                    spot[key] = rng.choice(_VALUES)
                break
            spot = spot[key]
        if path.name == "config.json" and rng.random() < 0.2:
            value |= rng.choice(
                (
                    {"auto_map": {"AutoConfig": "evil.Config"}},
                    {"model_type": "bert"},
                    {"architectures": ["GPT2LMHeadModel"]},
                    {"quantization_config": {"bits": 4}},
                    {"_name_or_path": "../x"},
                    {"dtype": "float64"},
                )
            )
        path.write_text(json.dumps(value), encoding="utf-8")


def _spoil_weights(rng: Rng, made: Path, _: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    path = made / "model.safetensors"
    try:
        weights = load_file(path)
        name = rng.choice(sorted(weights))
        old = weights[name]
    except Exception:
        return
    draw = rng.randrange(7)
    if draw == 0:
        del weights[name]
    elif draw == 1:
        weights[name] = torch.zeros(rng.choice(((1,), (0,), (3, 3), (*old.shape, 1), tuple(n + 1 for n in old.shape))))
    elif draw == 2:
        broken = old.clone()
        broken.view(-1)[rng.randrange(max(1, old.numel()))] = (
            rng.choice((float("nan"), float("inf"), 3e38)) if broken.is_floating_point() else 0
        )
        weights[name] = broken
    elif draw == 3:
        weights[name] = old.to(rng.choice((torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool)))
    elif draw == 4:
        weights[name] = old * rng.choice((0.0, 1e30, -1.0)) if old.is_floating_point() else old
    elif draw == 5:
        weights[text(rng, 2).encode("utf-8", "replace").decode() or "x"] = torch.zeros(2)
    else:
        weights = {name: old}
    save_file({k: v.contiguous() for k, v in weights.items()}, path)


def _spoil_files(rng: Rng, made: Path, folder: Path) -> None:
    files = sorted(p for p in made.iterdir() if p.is_file())
    path = rng.choice(files) if files else made / "config.json"
    draw = rng.randrange(9)
    if draw == 0:
        path.unlink(missing_ok=True)
    elif draw == 1:
        path.unlink(missing_ok=True)
        path.mkdir()
    elif draw == 2:
        path.unlink(missing_ok=True)
        path.symlink_to(folder / "nowhere" / "file")
    elif draw == 3:  # the file is real, and lies outside
        outside = folder / f"outside-{path.name}"
        if path.is_file():
            shutil.move(path, outside)
            path.symlink_to(outside)
    elif draw == 4:
        (made / "model.safetensors").unlink(missing_ok=True)
        (made / rng.choice(("pytorch_model.bin", "model.pt", "x.pkl"))).write_bytes(b"\x80\x04cos\nsystem\n(S'false'\ntR.")
    elif draw == 5:
        os.mkfifo(made / rng.choice(("pipe.json", "pipe.txt", "added_tokens.json")))
    elif draw == 6:
        path.unlink(missing_ok=True)
        path.symlink_to(made)
    elif draw == 7:
        (made / "dir.json").mkdir(exist_ok=True)
    else:
        path.unlink(missing_ok=True)
        os.symlink(path.name, path)  # onto itself


def _spoil_bytes(rng: Rng, made: Path, _: Path) -> None:
    files = sorted(p for p in made.iterdir() if p.is_file() and not p.is_symlink())
    if files:
        path = rng.choice(files)
        path.write_bytes(_damage(rng, path.read_bytes()) if rng.random() < 0.8 else rng.randbytes(rng.choice((0, 8, 200))))


# ---- finished runs and attacks


def run_folder(rng: Rng, folder: Path) -> None:
    """A finished run whose files are spoilt: finding never fails, reading tells what is wrong."""
    from robustnli import browse, evidence

    made = folder / "runs" / "made"
    shutil.copytree(_made_run(), made)
    _spoil_run(rng, made)
    with mock.patch.dict(os.environ, {"ROBUSTNLI_RUNS": str(folder / "runs"), "ROBUSTNLI_ONLY_RUNS": "1"}):
        for run in evidence.find_runs():
            for split in run.splits:
                table, missing = evidence.join(evidence.read_records(run, split), evidence.Texts({}))
                seen = browse.view(table, run.models[0], run.models[1], missing)
                assert len(browse.keep(seen, BrowseFilters.parse({"slice": "negation"}, seen))) == len(table)


@lru_cache(maxsize=1)
def _made_run() -> Path:
    import atexit
    import tempfile

    from tests.made import examples, make_run, records

    folder = tempfile.mkdtemp(prefix="robustnli-fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_run(Path(folder) / "made", {"test": records(examples(12))})


def _spoil_run(rng: Rng, made: Path) -> None:
    path = rng.choice((made / "manifest.json", made / "records" / "test.parquet"))
    draw = rng.randrange(4)
    if draw == 0:
        path.write_bytes(_damage(rng, path.read_bytes()))
    elif draw == 1 and path.suffix == ".json":
        path.write_text(
            json.dumps(
                rng.choice(
                    (
                        1,
                        [],
                        {},
                        {"checkpoints": 3},
                        {"checkpoints": {"baseline": 1}},
                        {"checkpoints": [], "stamp": []},
                        {"file": 5},
                        {"stamp": {"a": 1}},
                        {"checkpoints": {"x": "y"}},
                    )
                )
            )
        )
    elif draw == 1:
        table = pq.read_table(path)
        names = table.column_names
        name = rng.choice(names)
        other = rng.choice(
            (pa.array([1] * len(table)), pa.array(["x"] * len(table)), pa.array([[0.1, 0.2]] * len(table)), pa.array([None] * len(table)))
        )
        table = table.drop_columns([name]) if rng.random() < 0.4 else table.set_column(names.index(name), name, other)
        pq.write_table(table, path)
    elif draw == 2:
        path.unlink()
        path.mkdir()
    else:
        path.unlink()


ENTRANCES = (
    Entrance("typed text", typed_text, 6),
    Entrance("a megabyte of text", huge_text),
    Entrance("masked words", any_mask, 60),
    Entrance("address", address, 60),
    Entrance("address of filters", filtered, 30),
    Entrance("pattern", pattern, 10),
    Entrance("file of slices", slice_file, 60),
    Entrance("slice in an address", slice_address, 40),
    Entrance("data file", data_file, 40),
    Entrance("own file to score", own_file, 40),
    Entrance("file to import", import_file, 40),
    Entrance("fields of an imported row", row_fields, 30),
    Entrance("checkpoint folder", checkpoint, 12),
    Entrance("folder of a run", run_folder, 20),
)
