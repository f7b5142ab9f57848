"""All caching. Models once a server, by path and fingerprint; results by fingerprint and values, bounded.

torch is imported inside, so that a page which only reads files never pays for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from robustnli import browse, discover, evidence, ownruns, slices
from robustnli import showcase as showcase_of
from robustnli.checkpoints import find
from robustnli.config import database_url, snli_files
from robustnli.discover import Search
from robustnli.errors import InputError
from robustnli.evidence import Run, Texts
from robustnli.gallery import files as finished_files
from robustnli.gallery import view as finished_view
from robustnli.gallery.files import Finished
from robustnli.memory import lasting
from robustnli.slices import Slice
from robustnli.types import Attribution, Checkpoint, Example, Label, MaskEffect, Method, Pair, Prediction, Radius, Word

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from robustnli.exchange import Imported, Preview
    from robustnli.models import NLIModel
    from robustnli.store import Facets, Query, Store

ENTRIES = 2000
A = TypeVar("A")
B = TypeVar("B")


@cache
def _loader() -> Callable[[str], NLIModel]:
    with lasting():  # torch, that is; not a model, which may give way to another
        from robustnli.models import load
    return load


@st.cache_resource(max_entries=6, show_spinner="Loading the model")
def _model(path: str, fingerprint: str) -> NLIModel:
    return _loader()(path)


def model(checkpoint: Checkpoint) -> NLIModel:
    """The loaded model, shared by all sessions; loaded anew when the folder's fingerprint changes."""
    _loader()  # before the cache is asked: its frames, which hold the model, must not be among what lasts
    return _model(checkpoint.path, checkpoint.fingerprint)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def fit(checkpoint: Checkpoint, pair: Pair) -> tuple[Pair, tuple[str, ...]]:
    """`pair` as far as the model can read it, and sentences that tell what was cut."""
    fitted = model(checkpoint).fit(pair)
    return fitted.pair, fitted.cut


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def words(checkpoint: Checkpoint, pair: Pair) -> tuple[Word, ...]:
    """The words of both sentences as this model's tokenizer sees them."""
    return model(checkpoint).words(pair)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def predict(checkpoint: Checkpoint, pair: Pair) -> Prediction:
    """The model's prediction."""
    return model(checkpoint).predict([pair])[0]


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def look(checkpoint: Checkpoint, pair: Pair, target: Label | None, method: Method) -> tuple[Prediction, Attribution]:
    """The model's prediction, and word scores for `target`; None: for the label it predicts."""
    from robustnli.attribution import look as run

    return run(model(checkpoint), pair, target=target, method=method)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def look_and_map(checkpoint: Checkpoint, pair: Pair, target: Label | None) -> tuple[Prediction, Attribution, tuple[MaskEffect, ...]]:
    """`look` with the loss gradient, and `mask_map`, in one go."""
    from robustnli.attribution import look_and_map as run

    return run(model(checkpoint), pair, target=target)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def mask_map(checkpoint: Checkpoint, pair: Pair) -> tuple[MaskEffect, ...]:
    """Each hypothesis word masked alone."""
    from robustnli.attribution import mask_map as run

    return run(model(checkpoint), pair)


@st.cache_data(max_entries=ENTRIES, show_spinner="Asking in four forms")
def four_forms(checkpoint: Checkpoint, pair: Pair) -> dict[str, Prediction]:
    """What the model says to the pair in each form of the input-format audit."""
    from robustnli.formats import audit

    return {form: said[0] for form, said in audit(model(checkpoint), [pair]).items()}


@st.cache_data(max_entries=200, show_spinner="Searching the smallest mask set")
def radius(checkpoint: Checkpoint, pair: Pair, budget: int) -> Radius:
    """The smallest mask set that flips the model."""
    from robustnli.attack import smallest_flip

    return smallest_flip(model(checkpoint), pair, budget=budget)


@st.cache_resource(max_entries=4, show_spinner=False)
def _store(url: str) -> Store:
    from robustnli.store import open_store

    return open_store(url)


def _database() -> str:
    secret = st.secrets.get("connections", {}).get("robustnli", {}).get("url", "") if st.secrets.load_if_toml_exists() else ""
    return os.environ.get("ROBUSTNLI_DATABASE_URL") or str(secret) or database_url()


def store() -> Store:
    """The curated examples: of ROBUSTNLI_DATABASE_URL, else of Streamlit's secret connections.robustnli.url, else of the data folder."""
    return _store(_database())


def anything_kept() -> bool:
    """Whether there is a database of curated examples to look into: to look makes none."""
    address = _database()
    return not address.startswith("sqlite:///") or Path(address.removeprefix("sqlite:///")).is_file()


@st.cache_data(max_entries=100, show_spinner=False)
def _curated(where: str, version: int, query: Query, part: str, _kept: Store) -> tuple[str, ...]:
    if not part:
        return tuple(_kept.uids(query))
    wanted = next(s for s in slices.STANDARD if s.name == part)
    return tuple(uid for uid, pair, label in _kept.pairs(query) if _in_slice(wanted, pair, label))


@lru_cache(maxsize=100_000)
def _in_slice(part: Slice, pair: Pair, label: Label | None) -> bool:
    return (part.label is None or part.label == label) and part.holds(Example("", pair, Label.NEUTRAL if label is None else label))


def curated(query: Query, part: str = "") -> tuple[str, ...]:
    """The uids of curated entries that fit, in the query's order; `part`: only those whose edited pair is in that standard slice."""
    kept = store()
    return _curated(kept.where, kept.version(), query, part, kept)


@st.cache_data(max_entries=20, show_spinner=False)
def _curated_facets(where: str, version: int, _kept: Store) -> Facets:
    return _kept.facets()


def curated_facets() -> Facets:
    """Which tags, recipes, authors and models the curated entries have, with counts."""
    kept = store()
    return _curated_facets(kept.where, kept.version(), kept)


@st.cache_data(max_entries=50, show_spinner=False)
def _agreement(where: str, version: int, query: Query, _kept: Store) -> tuple[int, int]:
    return _kept.agreement(query)


def agreement(query: Query) -> tuple[int, int]:
    """(how many of the curated entries that fit have two readers or more, on how many of those they agree)."""
    kept = store()
    return _agreement(kept.where, kept.version(), query, kept)


@contextmanager
def _on_disk(name: str, data: bytes) -> Iterator[Path]:
    with TemporaryDirectory(prefix="robustnli-import-") as folder:
        path = Path(folder) / (Path(name).name or "file")
        path.write_bytes(data)
        yield path


@st.cache_resource(max_entries=4, show_spinner=False)
def look_at_file(name: str, data: bytes) -> Preview:
    """What an uploaded file of examples is."""
    from robustnli import exchange

    with _on_disk(name, data) as path:
        return exchange.preview(path)


@st.cache_resource(max_entries=4, show_spinner="Reading the file")
def read_file(name: str, data: bytes, mapping: dict[str, str], skip_bad: bool, labels: tuple[Label, ...]) -> Imported:
    """All examples of an uploaded file, as nobody's yet."""
    from robustnli import exchange

    with _on_disk(name, data) as path:
        return exchange.read_entries(path, mapping or None, skip_bad=skip_bad, labels=labels)


def together(work: Callable[[A], B], items: Sequence[A]) -> list[Callable[[], B]]:
    """`work` on all items at once, each in a thread; torch lets go of the interpreter while it computes.

    Returns one call an item that gives its result or raises what its work raised.
    """
    context = get_script_run_ctx()

    def task(item: A) -> B:
        add_script_run_ctx(threading.current_thread(), context)
        return work(item)

    with ThreadPoolExecutor(max(1, len(items))) as pool:
        return [pool.submit(task, item).result for item in items]


# Tables of records are shared, not copied: taking 10,000 rows out of `cache_data` costs more than all the rest of a run. No one writes
# to them.
@st.cache_resource(max_entries=6, show_spinner="Reading the records")
def _records(path: str, stamp: int, split: str, _run: Run) -> pd.DataFrame:
    return evidence.read_records(_run, split)


@st.cache_resource(max_entries=4, show_spinner="Reading SNLI's text")
def _texts(files: tuple[tuple[str, int], ...]) -> Texts:
    return evidence.find_texts([Path(name) for name, _ in files])


@st.cache_resource(max_entries=12, show_spinner=False)
def _view(key: str, older: str, newer: str, _table: pd.DataFrame, _texts_at_hand: Texts) -> browse.View:
    joined, missing = evidence.join(_table, _texts_at_hand)
    return browse.view(joined, older, newer, missing, key)


def runs() -> list[Run]:
    """Finished runs, looked for anew where a folder of runs changed."""
    return evidence.find_runs()


def texts(split: str) -> Texts:
    """SNLI's text of a split: from files whose name tells the split, else from all but the training files."""
    names = ("dev", "validation") if split == "dev" else (split,)
    found = [path for path in snli_files() if "train" not in path.name]
    named = [path for path in found if any(name in path.name for name in names)]
    return _texts(tuple((str(path), path.stat().st_mtime_ns) for path in named or found))


def view(run: Run, split: str, older: str, newer: str, uploaded: Texts | None) -> tuple[browse.View, Texts]:
    """Two models of a run on a split, and the text that was joined. An uploaded file's text goes before that found on this machine."""
    stamp = (Path(run.path) / "records" / f"{split}.parquet").stat().st_mtime_ns
    table = _records(run.path, stamp, split, run)
    at_hand = Texts({}) if "premise" in table else uploaded or texts(split)
    # A uid is a hash of the text: the same uids are the same text.
    key = " | ".join((run.path, str(stamp), split, older, newer, str(hash(frozenset(at_hand.pairs)))))
    return _view(key, older, newer, table, at_hand), at_hand


@st.cache_data(max_entries=12, show_spinner=False)
def _showcase(key: str, older: str, newer: str, _seen: browse.View) -> tuple[showcase_of.Flip | None, showcase_of.Scored | None]:
    first = showcase_of.flip(_seen.table, older, newer)
    return first, showcase_of.scored(_seen.table, older, first.pair if first else None)


def showcase(seen: browse.View) -> tuple[showcase_of.Flip | None, showcase_of.Scored | None]:
    """What the home page shows of a view: a pair that one mask flips, and another with its word scores."""
    return _showcase(seen.key, seen.older, seen.newer, seen)


@st.cache_resource(max_entries=3, show_spinner="Reading the file")
def upload(name: str, content: bytes) -> ownruns.Upload:
    """The rows of a file given on the page."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / ownruns.plain_name(name)
        path.write_bytes(content)
        return ownruns.read(path, Path(name).name)


@st.cache_data(max_entries=300, show_spinner=False)
def slice_rows(_table: pd.DataFrame, key: str, part: Slice, before: str, after: str) -> np.ndarray | str:
    """Which rows a user's slice holds; what is wrong where they cannot be told, so that it is not tried again. `key` tells the table."""
    try:
        return slices.holds(_table, part, before, after)
    except InputError as error:
        return str(error)


@st.cache_data(max_entries=300, show_spinner=False)
def over_matched(_table: pd.DataFrame, key: str, part: Slice, before: str, after: str) -> np.ndarray:
    """Which rows a search for the slice's cues as substrings would add. `key` tells the table."""
    return slices.over_matched(_table, part, before, after)


@st.cache_resource(max_entries=30, show_spinner="Trying slices")
def differences(_table: pd.DataFrame, key: str, before: str, after: str, own: tuple[Slice, ...]) -> Search:
    """Where the models differ most. `key` tells the table."""
    return discover.differences(_table, before, after, own=own)


def finished_attacks() -> list[Finished]:
    """Finished attacks, looked for anew at each run: a folder may have come or gone."""
    return finished_files.find_finished()


def fingerprints() -> dict[str, str]:
    """Name -> fingerprint of the checkpoints that are here now."""
    return {item.name: item.checkpoint.fingerprint for item in find() if item.checkpoint}


@st.cache_resource(max_entries=24, show_spinner="Reading the attack")
def _attack_view(key: str, _finished: Finished, _texts_at_hand: Texts | None) -> finished_view.View:
    return finished_view.view(_finished, *finished_files.read_rows(_finished, _texts_at_hand), key)


def attack_view(finished: Finished) -> finished_view.View:
    """A finished attack's rows, counted from; shared by all sessions and never written to."""
    stamp = (Path(finished.path) / "rows.parquet").stat().st_mtime_ns
    snli = {"SNLI dev": "dev", "SNLI test": "test"}.get(finished.data)
    at_hand = texts(snli) if snli else None
    return _attack_view(f"{finished.path} | {stamp} | {len(at_hand.pairs) if at_hand else 0}", finished, at_hand)
