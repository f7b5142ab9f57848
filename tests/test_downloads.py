"""A deferred download outlives other visitors' runs for a minute, and no longer."""

from __future__ import annotations

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from robustnli.ui import downloads


def made(monkeypatch: pytest.MonkeyPatch, *, kept: bool) -> tuple[MediaFileManager, MemoryMediaFileStorage, str]:
    monkeypatch.setattr(MediaFileManager, "_get_inactive_file_ids", downloads._inactive)
    if kept:
        monkeypatch.setattr(MediaFileManager, "_get_inactive_file_ids", downloads.long_unwanted)
    storage = MemoryMediaFileStorage("/media")
    manager = MediaFileManager(storage)
    asked = manager.add_deferred(lambda: b"rows", "text/csv", "1.2", file_name="rows.csv")
    return manager, storage, manager.execute_deferred(asked).rsplit("/", 1)[1]


def there(storage: MemoryMediaFileStorage, name: str) -> bool:
    try:
        return bool(storage.get_file(name).content)
    except MediaFileStorageError:
        return False


def test_others_do_not_take_a_download_away(monkeypatch: pytest.MonkeyPatch) -> None:
    manager, storage, name = made(monkeypatch, kept=True)
    now = 1000.0
    monkeypatch.setattr(downloads.time, "monotonic", lambda: now)
    for _ in range(40):
        manager.remove_orphaned_files()
    assert there(storage, name)
    now += downloads.SECONDS + 1
    manager.remove_orphaned_files()
    manager.remove_orphaned_files()
    assert not there(storage, name), "a file that nobody wants must not stay in memory"


def test_streamlit_alone_takes_it_away(monkeypatch: pytest.MonkeyPatch) -> None:
    manager, storage, name = made(monkeypatch, kept=False)
    manager.remove_orphaned_files()
    manager.remove_orphaned_files()
    assert not there(storage, name), "Streamlit keeps deferred downloads by itself now: robustnli/ui/downloads.py can go"


def test_the_server_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from robustnli.ui import server

    monkeypatch.setattr(MediaFileManager, "_get_inactive_file_ids", downloads._inactive)
    server.settings()
    assert MediaFileManager._get_inactive_file_ids is downloads.long_unwanted
