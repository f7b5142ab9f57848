"""All caching. Models once a server, by path and fingerprint; results by fingerprint and values, bounded.

torch is imported inside, so that a page which only reads files never pays for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from robustnli.types import Attribution, Checkpoint, Label, MaskEffect, Method, Pair, Prediction, Radius, Word

if TYPE_CHECKING:
    from robustnli.models import NLIModel

ENTRIES = 2000
A = TypeVar("A")
B = TypeVar("B")


@st.cache_resource(max_entries=6, show_spinner="Loading the model")
def _model(path: str, fingerprint: str) -> NLIModel:
    from robustnli.models import load

    return load(path)


def model(checkpoint: Checkpoint) -> NLIModel:
    """The loaded model, shared by all sessions; loaded anew when the folder's fingerprint changes."""
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
def attribute(checkpoint: Checkpoint, pair: Pair, target: Label, method: Method) -> Attribution:
    """Word scores."""
    from robustnli.attribution import attribute as run

    return run(model(checkpoint), pair, target=target, method=method)


@st.cache_data(max_entries=ENTRIES, show_spinner=False)
def mask_map(checkpoint: Checkpoint, pair: Pair) -> tuple[MaskEffect, ...]:
    """Each hypothesis word masked alone."""
    from robustnli.attribution import mask_map as run

    return run(model(checkpoint), pair)


@st.cache_data(max_entries=200, show_spinner="Searching the smallest mask set")
def radius(checkpoint: Checkpoint, pair: Pair, budget: int) -> Radius:
    """The smallest mask set that flips the model."""
    from robustnli.attack import smallest_flip

    return smallest_flip(model(checkpoint), pair, budget=budget)


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
