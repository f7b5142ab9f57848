"""The one place where an error is shown. A RobustNLIError becomes a sentence; any other exception is a bug and stays visible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from robustnli.checkpoints import Found
from robustnli.errors import RobustNLIError
from robustnli.figures import escape_markdown


@contextmanager
def shown() -> Iterator[None]:
    """Run the body; show a RobustNLIError as text and go on after the block."""
    try:
        yield
    except RobustNLIError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")


def broken_checkpoints(found: list[Found]) -> None:
    """Say which checkpoints cannot be used, one sentence each."""
    for item in found:
        if item.checkpoint is None:
            st.warning(escape_markdown(item.problem), icon=":material/warning:")
