"""Everything the package raises for users. A message says what was wrong, the value, and the way out.

RobustNLIError            show its text to the user; any other exception is a bug
├── InputError            a typed text, an option, a URL state
├── DataError             a data file or one of its rows
├── CheckpointError       a checkpoint that is missing, broken, unsafe or not an NLI model
├── StoreError            the database of curated examples: locked, full, damaged, out of reach, of a newer version
└── RunError              an offline run that cannot start or go on
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RobustNLIError(Exception):
    """Base of all errors whose text is meant for the user."""


class InputError(RobustNLIError):
    """A value the user gave cannot be used."""


class DataError(RobustNLIError):
    """A data source cannot be read; a bad row is named by its number."""


class CheckpointError(RobustNLIError):
    """A checkpoint cannot be used."""


class StoreError(RobustNLIError):
    """The database of curated examples cannot be used."""


class RunError(RobustNLIError):
    """An offline run cannot start or go on."""


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """' Did you mean ...?' for a near match, else ' Known: ...'."""
    names = sorted(known)
    near = difflib.get_close_matches(value.lower(), names, n=1)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(names)}." if names else ""
