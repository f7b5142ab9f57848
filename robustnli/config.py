"""Settings from the environment, read when asked for; checked, with defaults that need none.

ROBUSTNLI_CHECKPOINTS        more folders of checkpoints, separated as in PATH
ROBUSTNLI_ONLY_CHECKPOINTS   1: only those folders, not the shipped and the user's own
ROBUSTNLI_RUNS               more folders of finished runs to browse, separated as in PATH
ROBUSTNLI_ONLY_RUNS          1: only those folders, not the shipped and the user's own
ROBUSTNLI_ATTACKS            more folders of finished attacks to browse, separated as in PATH
ROBUSTNLI_ONLY_ATTACKS       1: only those folders, not the shipped and the user's own
ROBUSTNLI_SNLI               where SNLI's own text is: a file, or a folder of JSONL / CSV / Parquet files
ROBUSTNLI_HOME               the user's data folder (default: ~/.local/share/robustnli)
ROBUSTNLI_DATABASE_URL       where curated examples are kept: postgresql://... or sqlite:///file (default: curated.db in that folder)
ROBUSTNLI_READONLY           1: a public demo; nothing can be written, run or trained
ROBUSTNLI_FRAMED_BY          sites that may show the app in a frame of theirs, separated by blanks (default: none)
ROBUSTNLI_THREADS            batches of one model call that are computed at once (default 1: right for a server with several users)
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from robustnli.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
# Where app.py, pages/, cache/ and docs/recipes/ are: the repository, or what a wheel carries of it (setup.py).
REPOSITORY = _PACKAGE / "_app" if (_PACKAGE / "_app" / "app.py").is_file() else _PACKAGE.parent
SHIPPED = REPOSITORY / "cache" / "checkpoints"
SHIPPED_RUNS = REPOSITORY / "cache" / "runs"
SHIPPED_ATTACKS = REPOSITORY / "cache" / "attacks"


def home() -> Path:
    """The user's data folder; not made here."""
    default = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "robustnli"
    return Path(os.environ.get("ROBUSTNLI_HOME") or default)


def database_url() -> str:
    """The address of the database of curated examples."""
    return os.environ.get("ROBUSTNLI_DATABASE_URL") or f"sqlite:///{home() / 'curated.db'}"


def checkpoint_roots() -> tuple[Path, ...]:
    """The folders whose subfolders may be loaded as checkpoints: shipped, the user's own, and those of the environment."""
    extra = tuple(Path(part) for part in os.environ.get("ROBUSTNLI_CHECKPOINTS", "").split(os.pathsep) if part)
    if os.environ.get("ROBUSTNLI_ONLY_CHECKPOINTS", "") not in ("", "0"):
        return extra
    return (SHIPPED, home() / "checkpoints", *extra)


def run_roots() -> tuple[Path, ...]:
    """The folders whose subfolders may be browsed as finished runs."""
    extra = tuple(Path(part) for part in os.environ.get("ROBUSTNLI_RUNS", "").split(os.pathsep) if part)
    if os.environ.get("ROBUSTNLI_ONLY_RUNS", "") not in ("", "0"):
        return extra
    return (SHIPPED_RUNS, home() / "runs", *extra)


def attack_roots() -> tuple[Path, ...]:
    """The folders whose subfolders may be browsed as finished attacks."""
    extra = tuple(Path(part) for part in os.environ.get("ROBUSTNLI_ATTACKS", "").split(os.pathsep) if part)
    if os.environ.get("ROBUSTNLI_ONLY_ATTACKS", "") not in ("", "0"):
        return extra
    return (SHIPPED_ATTACKS, home() / "attacks", *extra)


def snli_files() -> list[Path]:
    """Files that may hold SNLI's text: those of ROBUSTNLI_SNLI, else what the hub's cache has of stanfordnlp/snli. Asks no network."""
    named = os.environ.get("ROBUSTNLI_SNLI", "")
    if named:
        path = Path(named)
        return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else []
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface") / "hub")
    return sorted((hub / "datasets--stanfordnlp--snli" / "snapshots").glob("*/**/*.parquet"))


def readonly() -> bool:
    """Whether this server may write nothing."""
    return os.environ.get("ROBUSTNLI_READONLY", "") not in ("", "0")


def threads() -> int:
    """Threads for one model call. Raises InputError for anything but a whole number above 0."""
    text = os.environ.get("ROBUSTNLI_THREADS", "1")
    if not text.isdigit() or int(text) < 1:
        raise InputError(f"ROBUSTNLI_THREADS is {text!r}; it must be a whole number above 0, such as 1.")
    return int(text)


def cores() -> int:
    """Threads for offline work: ROBUSTNLI_THREADS where it is set, else this process's share of the cores it may use."""
    if "ROBUSTNLI_THREADS" in os.environ:
        return threads()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable // int(os.environ.get("WORLD_SIZE", "1")))


def frame_ancestors() -> tuple[str, ...]:
    """The other sites that may show the app in a frame: https://HOST, or https://*.HOST."""
    named = os.environ.get("ROBUSTNLI_FRAMED_BY", "").split()
    if wrong := [site for site in named if not re.fullmatch(r"https?://[\w.*-]+(:\d+)?", site)]:
        raise InputError(f"ROBUSTNLI_FRAMED_BY: {wrong[0]!r} is not a site such as https://huggingface.co")
    return tuple(named)
