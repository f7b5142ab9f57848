"""The one place where an error is shown. A RobustNLIError becomes a sentence; any other exception is a bug and stays visible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from robustnli.checkpoints import Found
from robustnli.errors import RobustNLIError
from robustnli.figures import escape_markdown
from robustnli.ui import logs, state


@contextmanager
def shown() -> Iterator[None]:
    """Run the body; show a RobustNLIError as text and go on after the block."""
    try:
        yield
    except RobustNLIError as error:
        logs.event("refused", kind=type(error).__name__)
        st.error(escape_markdown(str(error)), icon=":material/error:")


_WHAT = {state.OLDER: "model", state.NEWER: "model", state.METHOD: "word score", state.TARGET: "target", state.GOLD: "gold label"}


def refused_choices() -> None:
    """Say what the address asked for and is not to be had here: a model that was removed, say, or a folder."""
    for key, value in state.refused():
        st.warning(
            f"The address asks for the {_WHAT[key]} {escape_markdown(value[:80])}, which is not here. The default is shown.",
            icon=":material/link_off:",
        )


def broken_checkpoints(found: list[Found]) -> None:
    """Say which checkpoints cannot be used, one sentence each."""
    for item in found:
        if item.checkpoint is None:
            st.warning(escape_markdown(item.problem), icon=":material/warning:")
