"""Work that outlives a page: each job is a process of its own, one at a time, in the order they were asked for.

A job is a folder under the user's data folder: `job.json` (kind, title, arguments), `alive` (locked by the process as long as it
lives, so that a job that died is known as dead), `progress.json`, `result.json` or `failed.json` or `cancelled`, `log.txt`, and `out/`,
which the work fills. What it wants to stay elsewhere is moved there by `place`. A failed, cancelled or killed job leaves neither `out/`
nor what it placed. The work itself is `pipeline/work.py`; nothing here imports torch.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from robustnli.config import REPOSITORY, home, readonly
from robustnli.errors import InputError, RunError
from robustnli.records import write_json

Kind = Literal["attack", "score", "repair"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
KEPT = 50  # finished jobs whose folders stay
PATIENCE = 3.0  # seconds between asking a process to end and ending it


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now. `done` of `total` steps of `phase`, `seconds` since the work began; `ahead`: jobs that come before it.

    `message` says why it failed; `result` is what the work returned, {} until it is done; what it wrote lies in `folder`/out.
    """

    id: str
    kind: Kind
    title: str
    state: State
    folder: str
    phase: str = ""
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    ahead: int = 0
    message: str = ""
    result: dict[str, Any] | None = None

    @property
    def active(self) -> bool:
        """Queued or running."""
        return self.state in ("queued", "running")

    @property
    def left(self) -> float | None:
        """Seconds to go at the speed so far; None while that cannot be told."""
        return self.seconds / self.done * (self.total - self.done) if self.state == "running" and self.done else None


def root() -> Path:
    """The folder of all jobs."""
    return home() / "jobs"


def submit(kind: Kind, title: str, args: dict[str, Any], *, files: Mapping[str, bytes] | None = None) -> Job:
    """Start a job, or put it at the queue's end. `args` are plain values (JSON). Raises InputError in read-only mode.

    `files`: name -> content of what the work reads; they lie in `folder`/in as long as the job is under way.
    """
    _may_write()
    _tidy()
    folder = root() / f"{time.time_ns():020d}-{secrets.token_hex(3)}"
    folder.mkdir(parents=True)
    for name, content in (files or {}).items():
        assert name == Path(name).name and not name.startswith("."), name
        (folder / "in").mkdir(exist_ok=True)
        (folder / "in" / name).write_bytes(content)
    with (folder / "alive").open("w") as alive, (folder / "log.txt").open("w") as log:
        # Locked before anybody can find the job, and inherited by its process: there is no moment in which a live job looks dead.
        fcntl.flock(alive, fcntl.LOCK_EX)
        write_json(folder / "job.json", {"kind": kind, "title": title, "args": args, "submitted": time.time()})
        process = subprocess.Popen(
            [sys.executable, "-m", "robustnli", "work", str(folder)], cwd=REPOSITORY, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True, pass_fds=(alive.fileno(),),
        )  # fmt: skip
        write_json(folder / "process.json", {"pid": process.pid})
    threading.Thread(target=process.wait, daemon=True).start()  # or it stays a zombie
    return read(folder)


def _may_write() -> None:
    if readonly():
        raise InputError("this server is read-only (ROBUSTNLI_READONLY): nothing can be run or written here. Install the app to do so.")


def find(job_id: str) -> Job:
    """The job of that id. Raises RunError when there is none."""
    folder = root() / job_id
    if not job_id or "/" in job_id or not (folder / "job.json").is_file():
        raise RunError(f"no job {job_id!r}: it was removed, or belongs to another server. Start it again.")
    return read(folder)


def find_all(kind: Kind | None = None) -> list[Job]:
    """All jobs (of a kind), the newest first."""
    folders = sorted((p for p in root().glob("*-*") if (p / "job.json").is_file()), reverse=True) if root().is_dir() else []
    return [job for job in map(read, folders) if kind in (None, job.kind)]


def read(folder: Path) -> Job:
    """The job of a folder, as it is now."""
    about = _json(folder / "job.json")
    now = _json(folder / "progress.json")
    state, message, result = _state(folder, bool(now))
    started = float(now.get("started", 0))
    ahead = sum(1 for other in root().glob("*-*") if other.name < folder.name and _alive(other)) if state == "queued" else 0
    return Job(
        folder.name, about["kind"], about["title"], state, str(folder), now.get("phase", ""), now.get("done", 0), now.get("total", 0),
        max(0.0, float(now.get("at", 0)) - started), ahead, message, result,
    )  # fmt: skip


def arguments(folder: Path) -> dict[str, Any]:
    """What the job was asked with."""
    args: dict[str, Any] = _json(folder / "job.json")["args"]
    return args


def cancel(job_id: str) -> None:
    """End a job and remove what it wrote. A job that has ended already stays as it is. Raises InputError in read-only mode."""
    job = find(job_id)
    _may_write()
    folder = Path(job.folder)
    if not job.active:
        return
    (folder / "cancelled").touch()
    _end(folder)
    take_back(folder)


def forget(job_id: str) -> None:
    """Remove an ended job's folder. A job under way is cancelled first."""
    cancel(job_id)
    shutil.rmtree(root() / job_id, ignore_errors=True)


def place(folder: Path, made: Path, target: Path) -> None:
    """Move a folder that the job made to its place in one step; it stays there only if the job ends well.

    Raises RunError where something is there already.
    """
    now = made.stat()
    write_json(folder / "placed.json", [*_placed(folder), [str(target), now.st_dev, now.st_ino]])
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        made.rename(target)
    except OSError as error:
        raise RunError(f"{target.name!r} cannot be put into {target.parent.name}: {error.strerror}. Choose another name.") from error


def take_back(folder: Path) -> None:
    """Remove what a job that did not end well has: its `in/` and `out/`, and what it placed (known by its inode; never another's)."""
    for target, device, inode in _placed(folder):
        place = Path(target)
        with contextlib.suppress(OSError):
            now = place.lstat()
            if (now.st_dev, now.st_ino) == (device, inode):
                gone = place.rename(place.with_name(f".{place.name}.{secrets.token_hex(3)}"))  # in one step, like its coming
                shutil.rmtree(gone, ignore_errors=True)
    for name in ("out", "in"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _placed(folder: Path) -> list[tuple[str, int, int]]:
    rows: list[tuple[str, int, int]] = _json(folder / "placed.json") or []  # type: ignore[assignment]
    return rows


class Tell:
    """What the work says of itself: `phase` begins a part of so many steps, `step` counts, `curve` adds a point to curve.jsonl."""

    def __init__(self, folder: Path):
        self._folder, self._started, self._written = folder, time.time(), 0.0
        self._phase, self._done, self._total = "", 0, 0

    def phase(self, name: str, total: int) -> None:
        """A new part of the work begins; the clock of `left` begins with it."""
        self._phase, self._done, self._total, self._started = name, 0, total, time.time()
        self._write()

    def step(self, count: int = 1) -> None:
        """So many more steps are done."""
        self._done += count
        if time.time() - self._written > 0.2 or self._done >= self._total:
            self._write()

    def curve(self, **point: float) -> None:
        """A point of a learning curve, such as step=10, loss=0.7."""
        with (self._folder / "curve.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(point) + "\n")

    def _write(self) -> None:
        self._written = time.time()
        now = {"phase": self._phase, "done": self._done, "total": self._total, "started": self._started, "at": self._written}
        write_json(self._folder / "progress.json", now)


def curve(job: Job) -> list[dict[str, float]]:
    """The points that the work told so far; a line that is not whole yet is left out."""
    file = Path(job.folder) / "curve.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Inside: it is this job's turn, and no other's. Waits until every job before it has ended."""
    while any(other.name < folder.name and _alive(other) for other in root().glob("*-*")):
        time.sleep(0.2)
    with (root() / ".turn").open("a") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _state(folder: Path, started: bool) -> tuple[State, str, dict[str, Any] | None]:
    if (folder / "cancelled").exists():
        return "cancelled", "", None
    alive = _alive(folder)  # asked before the result is looked for: a process writes that before it ends
    if (folder / "result.json").is_file():
        return "done", "", _json(folder / "result.json")
    if (folder / "failed.json").is_file():
        return "failed", str(_json(folder / "failed.json").get("message", "")), None
    if alive:
        return ("running" if started else "queued"), "", None
    take_back(folder)  # killed: nobody else could
    return "failed", "The process ended before its work was done: stopped from outside, or out of memory. Start it again.", None


def _alive(folder: Path) -> bool:
    """Whether the job's process lives: it holds the lock on `alive`."""
    try:
        with (folder / "alive").open("r") as stream:
            return not _lockable(stream)
    except OSError:
        return False


def _lockable(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _end(folder: Path) -> None:
    """Ask the process and its children to end; end them after `PATIENCE` seconds."""
    deadline = time.time() + PATIENCE
    while _alive(folder):
        with contextlib.suppress(ProcessLookupError, KeyError):  # KeyError: started in this very moment
            os.killpg(_json(folder / "process.json")["pid"], signal.SIGTERM if time.time() < deadline else signal.SIGKILL)
        time.sleep(0.05)


def _tidy() -> None:
    """Remove the oldest ended jobs beyond `KEPT`."""
    ended = [job for job in find_all() if not job.active]
    for job in ended[KEPT:]:
        shutil.rmtree(job.folder, ignore_errors=True)


def _json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value
