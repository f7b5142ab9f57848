"""A file that a download button made stays for a minute, whatever other visitors do.

Streamlit makes a deferred download's file for no session, and throws away what is no session's whenever any visitor's script ends: the second time,
the file is gone. With twenty visitors one download in sixteen ended in 404, between the address and the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from streamlit.runtime.media_file_manager import MediaFileManager, MediaFileMetadata

SECONDS = 60.0
_unwanted_since: WeakKeyDictionary[MediaFileMetadata, float] = WeakKeyDictionary()
_inactive: Callable[[MediaFileManager], set[str]] = MediaFileManager._get_inactive_file_ids


def long_unwanted(manager: MediaFileManager) -> set[str]:
    """The files that no session has used for a minute. The caller holds the manager's lock."""
    now, files = time.monotonic(), manager._file_metadata
    return {name for name in _inactive(manager) if now - _unwanted_since.setdefault(files[name], now) >= SECONDS}


def keep_a_minute() -> None:
    """Let this process's server throw away only what was unwanted for a minute."""
    MediaFileManager._get_inactive_file_ids = long_unwanted  # type: ignore[method-assign,assignment]
