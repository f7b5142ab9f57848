"""Jobs: a process each, one at a time, in order; what is left when one ends, fails, is cancelled or is killed."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from robustnli import jobs
from robustnli.errors import InputError, RunError

# A stand-in for the real works: as long as asked, with a file in `out`.
WORK = """
import sys, time
from pathlib import Path
from robustnli import jobs
from robustnli.errors import DataError
from robustnli.pipeline import work

def run(args, out, tell):
    (out / "made").write_text("x")
    for file in args.get("read", ()):
        (out / "copied").write_bytes((out.parent / "in" / file).read_bytes())
    tell.phase("counting", args["steps"])
    for n in range(args["steps"]):
        time.sleep(args.get("each", 0.02)); tell.step(); tell.curve(step=n, loss=1 / (n + 1))
    if args.get("place"):
        jobs.place(out.parent, out, Path(args["place"]))
        time.sleep(args.get("after", 0)); tell.phase("placed", 0); time.sleep(args.get("after", 0))
    if args.get("fail"):
        raise DataError("row 7 has no label. Give it one.")
    return {"steps": args["steps"], "ended": time.time()}

sys.modules["stand_in"] = sys.modules["__main__"]
raise SystemExit(not work.work(Path(sys.argv[-1]), {"attack": "stand_in"}))
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_HOME", str(tmp_path / "home"))
    real = subprocess.Popen

    def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", WORK, command[-1]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(jobs.subprocess, "Popen", popen)


def ended(job: jobs.Job, seconds: float = 60) -> jobs.Job:
    until = time.time() + seconds
    while (now := jobs.find(job.id)).active:
        assert time.time() < until, now
        time.sleep(0.05)
    return now


def running(job: jobs.Job) -> jobs.Job:
    until = time.time() + 60
    while not (now := jobs.find(job.id)).done:
        assert now.active and time.time() < until, now
        time.sleep(0.02)
    return now


def test_a_job_tells_its_progress_and_leaves_its_result() -> None:
    job = jobs.submit("attack", "count", {"steps": 60})
    assert job.state == "queued"
    now = running(job)
    assert (now.state, now.phase, now.total) == ("running", "counting", 60) and now.left is not None and now.left > 0
    done = ended(job)
    assert done.state == "done" and done.result is not None and done.result["steps"] == 60
    assert (Path(done.folder) / "out" / "made").read_text() == "x"
    assert [point["step"] for point in jobs.curve(done)] == list(range(60))


def test_a_job_reads_the_files_given_with_it_and_they_do_not_stay() -> None:
    job = ended(jobs.submit("attack", "read", {"steps": 1, "read": ["pairs.csv"]}, files={"pairs.csv": b"\xffab"}))
    assert (Path(job.folder) / "out" / "copied").read_bytes() == b"\xffab" and not (Path(job.folder) / "in").exists()
    stopped = running(jobs.submit("attack", "stopped", {"steps": 10_000}, files={"pairs.csv": b"ab"}))
    jobs.cancel(stopped.id)
    assert not (Path(stopped.folder) / "in").exists()


def test_one_at_a_time_in_the_order_they_were_asked_for() -> None:
    asked = [jobs.submit("attack", f"{n}", {"steps": 10}) for n in range(3)]
    assert [jobs.find(job.id).ahead for job in asked] == [0, 1, 2]
    results = [ended(job).result for job in asked]
    times = [result["ended"] for result in results if result]
    assert len(times) == 3 and times == sorted(times)
    assert all(later - earlier > 0.2 for earlier, later in itertools.pairwise(times))  # 10 steps of 20 ms each, not at once


def test_a_failure_says_why_and_leaves_nothing_behind() -> None:
    job = ended(jobs.submit("attack", "fail", {"steps": 1, "fail": True}))
    assert (job.state, job.message) == ("failed", "row 7 has no label. Give it one.")
    assert not (Path(job.folder) / "out").exists()
    assert ended(jobs.submit("attack", "next", {"steps": 1})).state == "done"


def test_a_cancelled_job_leaves_nothing_and_the_next_one_begins() -> None:
    first = jobs.submit("attack", "long", {"steps": 10_000})
    second = jobs.submit("attack", "short", {"steps": 1})
    running(first)
    jobs.cancel(first.id)
    assert jobs.find(first.id).state == "cancelled" and not (Path(first.folder) / "out").exists()
    assert ended(second).state == "done"
    jobs.cancel(second.id)
    assert jobs.find(second.id).state == "done"


@pytest.mark.parametrize("how", ["end", "fail", "cancel", "kill"])
def test_what_a_job_placed_stays_only_if_it_ends_well(tmp_path: Path, how: str) -> None:
    target = tmp_path / "home" / "checkpoints" / "made"
    job = jobs.submit(
        "attack", "placing", {"steps": 1, "place": str(target), "fail": how == "fail", "after": 0 if how in ("end", "fail") else 30}
    )
    if how in ("cancel", "kill"):
        until = time.time() + 60
        while not target.exists():
            assert time.time() < until
            time.sleep(0.01)
    if how == "cancel":
        jobs.cancel(job.id)
    if how == "kill":
        os.kill(json.loads((Path(job.folder) / "process.json").read_text())["pid"], signal.SIGKILL)
    assert ended(job).state == {"end": "done", "cancel": "cancelled"}.get(how, "failed")
    assert [p.name for p in target.parent.iterdir()] == (["made"] if how == "end" else [])


def test_a_waiting_job_can_be_cancelled() -> None:
    first, second = jobs.submit("attack", "long", {"steps": 10_000}), jobs.submit("attack", "waits", {"steps": 1})
    jobs.cancel(second.id)
    assert jobs.find(second.id).state == "cancelled" and jobs.find(first.id).active
    jobs.forget(first.id)
    with pytest.raises(RunError, match="Start it again"):
        jobs.find(first.id)


def test_a_killed_process_is_known_as_dead() -> None:
    job = running(jobs.submit("attack", "killed", {"steps": 10_000}))
    os.kill(json.loads((Path(job.folder) / "process.json").read_text())["pid"], signal.SIGKILL)
    assert "Start it again" in ended(job, 10).message
    assert ended(jobs.submit("attack", "next", {"steps": 1})).state == "done"


def test_a_read_only_server_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1")
    with pytest.raises(InputError, match="read-only"):
        jobs.submit("attack", "no", {})
    assert jobs.find_all() == []


@pytest.mark.parametrize("name", ["", "../x", "20990101-abc"])
def test_an_unknown_id(name: str) -> None:
    with pytest.raises(RunError, match="no job"):
        jobs.find(name)


def test_old_jobs_go_but_never_a_live_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KEPT", 1)
    ended_ones = [ended(jobs.submit("attack", f"{n}", {"steps": 1})) for n in range(2)]
    live = jobs.submit("attack", "live", {"steps": 10_000})
    jobs.submit("attack", "one more", {"steps": 1})
    left = {job.id for job in jobs.find_all()}
    assert live.id in left and ended_ones[0].id not in left
    jobs.forget(live.id)


def test_many_threads_ask_at_once() -> None:
    out: list[jobs.Job] = []
    threads = [threading.Thread(target=lambda: out.append(jobs.submit("attack", "t", {"steps": 1}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ended(job).state for job in out] == ["done"] * 4
