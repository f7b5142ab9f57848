"""Settings from the environment, read when asked for; checked, with defaults that need none.

ROBUSTNLI_CHECKPOINTS        more folders of checkpoints, separated as in PATH
ROBUSTNLI_ONLY_CHECKPOINTS   1: only those folders, not the shipped and the user's own
ROBUSTNLI_HOME               the user's data folder (default: ~/.local/share/robustnli)
ROBUSTNLI_THREADS            threads of one model call (default 1: right for a server with several users)
"""

from __future__ import annotations

import os
from pathlib import Path

from robustnli.errors import InputError

REPOSITORY = Path(__file__).resolve().parent.parent
SHIPPED = REPOSITORY / "cache" / "checkpoints"


def home() -> Path:
    """The user's data folder; not made here."""
    default = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "robustnli"
    return Path(os.environ.get("ROBUSTNLI_HOME") or default)


def checkpoint_roots() -> tuple[Path, ...]:
    """The folders whose subfolders may be loaded as checkpoints: shipped, the user's own, and those of the environment."""
    extra = tuple(Path(part) for part in os.environ.get("ROBUSTNLI_CHECKPOINTS", "").split(os.pathsep) if part)
    if os.environ.get("ROBUSTNLI_ONLY_CHECKPOINTS", "") not in ("", "0"):
        return extra
    return (SHIPPED, home() / "checkpoints", *extra)


def threads() -> int:
    """Threads for one model call. Raises InputError for anything but a whole number above 0."""
    text = os.environ.get("ROBUSTNLI_THREADS", "1")
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"ROBUSTNLI_THREADS is {text!r}; it must be a whole number above 0, such as 1.")
    return int(text)
