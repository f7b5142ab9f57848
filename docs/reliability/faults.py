"""kill -9 at random moments, then go on: the same result, a whole database, nothing half-written. `python docs/reliability/faults.py --rounds 10`

Each round is one kill. `--only KIND` runs one kind; `--seed` draws other moments. The work is done in children that fork from a process which has
imported everything, so that a kill falls into the work and seldom into imports; `repair` and `reproduce` are real processes of their own.
`--others` tries a full disk, a folder that may not be written, a clock that goes back, a checkpoint that is replaced, two servers on one database.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
sys.path.insert(0, str(ROOT))

import torch
import transformers

from robustnli import api, checkpoints, cli, jobs, repairs
from robustnli.curated import Verdict
from robustnli.data import load as load_data
from robustnli.errors import RobustNLIError
from robustnli.exchange import About, Stored, export_to, read_entries
from robustnli.records import read_rows
from robustnli.store import Query, open_store
from robustnli.store.health import look
from robustnli.types import Pair
from tests.entries import entry

torch.set_num_threads(1)
Work = Callable[[], None]


def child(work: Work) -> int:
    """The id of a process that does the work and ends with 0, or with 1 where it raises."""
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 1)
        if not os.environ.get("LOUD"):
            os.dup2(nothing.fileno(), 2)
        try:
            work()
        except BaseException as error:
            (Path(tempfile.gettempdir()) / f"robustnli-fault-{os.getpid()}.txt").write_text(repr(error))
            os._exit(1)
    os._exit(0)


def whole(work: Work) -> float:
    """Do the work to its end in a child; the seconds it took."""
    begun = time.monotonic()
    pid = child(work)
    _, status = os.waitpid(pid, 0)
    told = Path(tempfile.gettempdir()) / f"robustnli-fault-{pid}.txt"
    assert status == 0, f"status {status}: {told.read_text() if told.exists() else ''}"
    return time.monotonic() - begun


def killed(work: Work, after: float) -> bool:
    """Do the work in a child that is killed so many seconds later; whether the kill came before its end."""
    pid = child(work)
    time.sleep(after)
    if os.waitpid(pid, os.WNOHANG) != (0, 0):
        return False
    os.killpg(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def command(*words: str) -> Work:
    """`robustnli WORDS`, in this process."""

    def work() -> None:
        sys.argv = ["robustnli", *words]
        try:
            cli.main()
        except SystemExit as ended:
            if ended.code:
                raise RuntimeError(f"status {ended.code}") from ended

    return work


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sound(file: Path) -> None:
    """The database is whole."""
    health = look(f"sqlite:///{file}")
    assert not health.faults and health.version == health.newest, health


class Kind:
    """One kind of work that is killed: made in a folder, with a clean run to compare with."""

    def __init__(self, folder: Path, rng: random.Random):
        self.folder, self.rng = folder, rng

    def prepare(self) -> None: ...

    def round(self, number: int) -> bool:
        """One kill and what follows; whether the kill came in time."""
        raise NotImplementedError


class Resumed(Kind):
    """Work with --resume: killed, gone on with, compared with the run that nobody killed."""

    def work(self, out: Path, resume: bool) -> Work:
        raise NotImplementedError

    def result(self, out: Path) -> str:
        return digest(out)

    def reader(self, out: Path) -> None:
        """What is at `out` is nothing or whole."""
        assert not out.exists() or self.result(out) == self.clean

    def prepare(self) -> None:
        out = self.folder / self.name("clean")
        self.seconds = whole(self.work(out, False))
        self.clean = self.result(out)

    def name(self, text: str) -> str:
        return text

    def round(self, number: int) -> bool:
        out = self.folder / self.name(f"run-{number}")
        hit = killed(self.work(out, False), self.rng.uniform(0, self.seconds))
        self.reader(out)
        if not out.exists():
            begun = any(p.name.startswith(out.name + ".") for p in self.folder.iterdir())
            whole(self.work(out, begun))
        assert self.result(out) == self.clean, "another result after the kill"
        for left in self.folder.glob(f"*run-{number}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        return hit


class Train(Resumed):
    def work(self, out: Path, resume: bool) -> Work:
        words = [
            "train",
            "--data",
            str(self.folder / "rows.jsonl"),
            "--dev",
            str(FIXTURES / "tiny_eval.jsonl"),
            "--encoder",
            str(FIXTURES / "tiny-baseline"),
            "--out",
            str(out),
        ]
        return command(*words, "--epochs", "2", "--evals", "4", "--threads", "1", *(["--resume"] if resume else []))

    def prepare(self) -> None:
        rows = (FIXTURES / "tiny_train.jsonl").read_text().splitlines(keepends=True)[:600]
        (self.folder / "rows.jsonl").write_text("".join(rows))
        super().prepare()

    def result(self, out: Path) -> str:
        return digest(out / "model.safetensors") + digest(out / "config.json")


class Attack(Resumed):
    def name(self, text: str) -> str:
        return f"{text}.jsonl"

    def work(self, out: Path, resume: bool) -> Work:
        words = [
            "attack",
            "--model",
            str(FIXTURES / "tiny-baseline"),
            "--data",
            str(FIXTURES / "tiny_train.jsonl"),
            "--recipe",
            "mask-minimal",
            "--k",
            "2",
            "--per-class",
            "0",
            "--out",
            str(out),
        ]
        return command(*words, "--threads", "1", *(["--resume"] if resume else []))


class Reproduce(Resumed):
    """Stages of the whole experiment on given checkpoints: attacks, answers, probe, audit, report."""

    def work(self, out: Path, resume: bool) -> Work:
        def work() -> None:
            from robustnli.pipeline.reproduce import plan, reproduce

            reproduce(plan("tiny", "clean", given=self.folder / "given", threads=1), out, only=("test",), say=lambda _: None)

        return work

    def prepare(self) -> None:
        for name in ("baseline", "finetuned"):
            shutil.copytree(FIXTURES / f"tiny-{name}", self.folder / "given" / name)
        super().prepare()

    def result(self, out: Path) -> str:
        return (out / "report.json").read_text() + digest(out / "records" / "test.parquet")

    def reader(self, out: Path) -> None:
        for file in out.rglob("*.json"):
            json.loads(file.read_text())
        for file in out.rglob("*.parquet"):
            assert list(read_rows(file))

    def round(self, number: int) -> bool:
        out = self.folder / f"run-{number}"
        hit = killed(self.work(out, False), self.rng.uniform(0, self.seconds))
        self.reader(out)
        whole(self.work(out, True))
        assert self.result(out) == self.clean
        shutil.rmtree(out)
        return hit


class Curate(Kind):
    """Two writers on one database, both killed: what was acknowledged is there, every write is whole or not at all."""

    def prepare(self) -> None:
        self.file = self.folder / "curated.db"
        self.acknowledged: set[str] = set()
        self.judged: set[str] = set()
        whole(lambda: open_store(self.url).close())

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def writer(self, first: int, log: Path) -> Work:
        def work() -> None:
            with open_store(self.url) as store, log.open("a", buffering=1) as told:
                for n in range(first, first + 9990, 10):
                    ten = [entry(n + k, Verdict.PENDING) for k in range(10)]
                    store.add(ten)
                    told.write(" ".join(("added", *(e.uid for e in ten), "\n")))
                    store.judge([e.uid for e in ten[:5]], "judge", Verdict.REJECT)
                    told.write(" ".join(("judged", *(e.uid for e in ten[:5]), "\n")))

        return work

    def round(self, number: int) -> bool:
        logs = [self.folder / f"{number}-{k}.log" for k in range(2)]
        pids = [child(self.writer(1_000_000 * (2 * number + k), log)) for k, log in enumerate(logs)]
        time.sleep(self.rng.uniform(0.02, 0.8))
        for pid in pids:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        sound(self.file)
        for line in (line for log in logs if log.exists() for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")):
            what, *uids = line.split()
            (self.acknowledged if what == "added" else self.judged).update(uids)

        def check() -> None:
            with open_store(self.url) as store:
                uids, rejected = set(store.uids()), set(store.uids(Query(verdicts=(Verdict.REJECT,))))
            assert self.acknowledged <= uids, "an acknowledged example is lost"
            assert self.judged <= rejected, "an acknowledged verdict is lost"
            assert not len(uids) % 10 and not len(rejected) % 5, "half a write"

        whole(check)
        return True


class Export(Kind):
    """An export over the former one, killed: at its place lies the old one or the new one, whole."""

    def prepare(self) -> None:
        self.out = self.folder / "out.zip"
        self.url = f"sqlite:///{self.folder / 'curated.db'}"

        def fill() -> None:
            with open_store(self.url) as store:
                store.add([entry(n) for n in range(1500)])

        whole(fill)
        self.seconds = whole(self.export)

    def export(self) -> None:
        with open_store(self.url) as store:
            export_to(self.out, Stored(store, Query()), "zip", About("t"))

    def round(self, number: int) -> bool:
        if number % 5 == 0:
            self.out.unlink(missing_ok=True)
        before = self.out.exists()
        hit = killed(self.export, self.rng.uniform(0, self.seconds))

        def check() -> None:
            assert self.out.exists() or not before
            if self.out.exists():
                with zipfile.ZipFile(self.out) as archive:
                    assert archive.testzip() is None
                assert len(read_entries(self.out).entries) == 1500

        whole(check)
        left = [p for p in self.folder.iterdir() if p.name.startswith(".out") or p.name.endswith(".partial")]
        for path in left:  # hidden beside it, read by nobody
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        sound(self.folder / "curated.db")
        return hit


class Repair(Kind):
    """A repair's own process, killed: it is known as dead and leaves no checkpoint and no run; asked again it gives the same weights."""

    def prepare(self) -> None:
        os.environ |= {
            "ROBUSTNLI_HOME": str(self.folder / "home"), "ROBUSTNLI_CHECKPOINTS": os.pathsep.join((str(FIXTURES), str(self.folder / "home" / "checkpoints"))),
            "ROBUSTNLI_ONLY_CHECKPOINTS": "1", "ROBUSTNLI_SNLI": str(FIXTURES / "tiny_train.jsonl"),
        }  # fmt: skip
        self.rows = tuple(
            (e.pair.premise, e.pair.hypothesis, e.label.text) for e in load_data(str(FIXTURES / "tiny_eval.jsonl")).examples[:12]
        )
        begun = time.monotonic()
        self.clean = self.done(self.start())
        self.seconds = time.monotonic() - begun

    def start(self) -> jobs.Job:
        settings = repairs.Settings(epochs=5, learning_rate=1e-3, threads=1, replay=0.5)
        return repairs.submit("tiny-baseline", repairs.Asked(rows=self.rows), "made", settings)

    def done(self, job: jobs.Job) -> str:
        while jobs.find(job.id).active:
            time.sleep(0.1)
        ended = jobs.find(job.id)
        assert ended.state == "done", ended.message
        made = digest(self.folder / "home" / "checkpoints" / "made" / "model.safetensors")
        repairs.remove("made")
        return made

    def round(self, number: int) -> bool:
        job = self.start()
        pid = json.loads((Path(job.folder) / "process.json").read_text())["pid"]
        time.sleep(self.rng.uniform(0.3 * self.seconds, self.seconds))
        hit = jobs.find(job.id).active
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        while jobs.find(job.id).active:
            time.sleep(0.05)
        if jobs.find(job.id).state != "done":
            for name in ("checkpoints", "runs"):
                folder = self.folder / "home" / name
                assert not folder.is_dir() or [p for p in folder.iterdir() if p.name[0] != "."] == []
            assert all(f.checkpoint for f in checkpoints.find())
        else:
            repairs.remove("made")
        if number % 3 == 0:
            assert self.done(self.start()) == self.clean
        return hit


KINDS: dict[str, type[Kind]] = {
    "train": Train,
    "attack": Attack,
    "reproduce": Reproduce,
    "curate": Curate,
    "export": Export,
    "repair": Repair,
}
SHARE = {"train": 0.6, "attack": 1, "reproduce": 0.4, "curate": 1.5, "export": 1.5, "repair": 0.3}


# ---- other faults


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Any:
    """A file system of that size, where mounting is allowed; else None."""
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True).returncode == 0
    try:
        yield folder if made else None
    finally:
        if made:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def full_disk(folder: Path) -> str:
    """A database and an export on a disk that runs full: a message, nothing half, and after some space is free it goes on."""
    with small_disk(folder / "small", "2m") as disk:
        if disk is None:
            return "not tried: mounting is not allowed here"
        url = f"sqlite:///{disk / 'curated.db'}"
        kept = 0
        with open_store(url) as store:
            try:
                for n in range(0, 100_000, 100):
                    store.add([entry(n + k) for k in range(100)])
                    kept += 100
                raise AssertionError("the disk never ran full")
            except RobustNLIError as error:
                told = str(error)
            assert store.count() == kept, "half a write"
            try:
                export_to(disk / "out.zip", Stored(store, Query()), "zip", About("t"))
                raise AssertionError("the export fits")
            except (RobustNLIError, OSError):
                assert not (disk / "out.zip").exists()
        assert not look(url).faults
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        with open_store(url) as store:
            assert store.add([entry(10**6)]).new and store.count() == kept + 1
    return f"{kept:,} examples kept, then: {told[-90:]}"


def full_disk_training(folder: Path) -> str:
    """A training whose output disk is full ends with a message and leaves no checkpoint; with space it is done."""
    with small_disk(folder / "small2", "400k") as disk:
        if disk is None:
            return "not tried: mounting is not allowed here"
        kind = Train(folder, random.Random(0))
        (folder / "rows.jsonl").write_text("".join((FIXTURES / "tiny_train.jsonl").read_text().splitlines(keepends=True)[:200]))
        pid = child(kind.work(disk / "made", False))
        _, status = os.waitpid(pid, 0)
        assert status != 0 and not (disk / "made").exists()
    return "ended with an error, no checkpoint at its place"


def read_only_folder(folder: Path) -> str:
    """A data folder on a file system that may not be written: told, and reading goes on."""
    with small_disk(folder / "frozen", "8m") as disk:
        if disk is None:
            return "not tried: mounting is not allowed here"
        with open_store(f"sqlite:///{disk / 'curated.db'}") as store:
            store.add([entry(1)])
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        try:
            with open_store(f"sqlite:///{disk / 'curated.db'}") as store:
                store.add([entry(2)])
            raise AssertionError("it was written")
        except RobustNLIError as error:
            told = str(error)
        os.environ["ROBUSTNLI_READONLY"] = "1"
        try:
            with open_store(f"sqlite:///{disk / 'curated.db'}") as store:
                assert store.count() == 1
        finally:
            del os.environ["ROBUSTNLI_READONLY"]
    return told[-100:]


def clock_back(folder: Path) -> str:
    """The clock goes back by a day between two jobs and two writes: both are done, the later write is undone first."""
    os.environ["ROBUSTNLI_HOME"] = str(folder / "clock")
    real = time.time, time.time_ns
    url = f"sqlite:///{folder / 'clock.db'}"
    try:
        with open_store(url) as store:
            store.add([entry(1)], by="ann")
            first = repairs_job()
            time.time, time.time_ns = lambda: real[0]() - 86_400, lambda: real[1]() - 86_400 * 10**9  # type: ignore[assignment]
            second = repairs_job()
            store.add([entry(2)], by="ann")
            store.undo("ann")
            assert [e.uid for e in store.entries()] == [entry(1).uid], "the newest action is undone, whatever the clock said"
            for job in (first, second):
                until = time.monotonic() + 300
                while jobs.find(job.id).active:
                    assert time.monotonic() < until, "a job waits for ever"
                    time.sleep(0.2)
                assert jobs.find(job.id).state == "done", jobs.find(job.id).message
    finally:
        time.time, time.time_ns = real  # type: ignore[assignment]
    return "both jobs done, the newest write undone first"


def repairs_job() -> jobs.Job:
    os.environ |= {
        "ROBUSTNLI_CHECKPOINTS": os.pathsep.join((str(FIXTURES), os.environ["ROBUSTNLI_HOME"] + "/checkpoints")),
        "ROBUSTNLI_ONLY_CHECKPOINTS": "1",
        "ROBUSTNLI_SNLI": str(FIXTURES / "tiny_train.jsonl"),
    }
    rows = tuple((e.pair.premise, e.pair.hypothesis, e.label.text) for e in load_data(str(FIXTURES / "tiny_eval.jsonl")).examples[:6])
    return repairs.submit(
        "tiny-baseline", repairs.Asked(rows=rows), repairs.free_name("tiny-baseline"), repairs.Settings(epochs=2, threads=1, replay=0.0)
    )


def replaced_checkpoint(folder: Path) -> str:
    """A checkpoint is exchanged under its name while it is in use: the next answer is the new one's."""
    root = folder / "roots"
    shutil.copytree(FIXTURES / "tiny-baseline", root / "mine")
    os.environ |= {"ROBUSTNLI_CHECKPOINTS": str(root), "ROBUSTNLI_ONLY_CHECKPOINTS": "1"}
    pair = Pair("A man is playing a guitar on a stage.", "The person is playing an instrument.")
    before, print_before = api.predict("mine", pair), checkpoints.resolve("mine").fingerprint
    shutil.copytree(FIXTURES / "tiny-finetuned", root / ".new")
    shutil.move(root / "mine", root / ".old")
    shutil.move(root / ".new", root / "mine")
    after, print_after = api.predict("mine", pair), checkpoints.resolve("mine").fingerprint
    assert before != after and print_before != print_after and after == api.predict(str(FIXTURES / "tiny-finetuned"), pair)
    return f"fingerprint {print_before} became {print_after}, and so did the answer"


OTHERS = {
    "full disk": full_disk,
    "full disk in training": full_disk_training,
    "read-only folder": read_only_folder,
    "clock going back": clock_back,
    "checkpoint replaced": replaced_checkpoint,
}


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rounds", type=int, default=10, help="kills of each kind, about; slow kinds get fewer, quick ones more")
    ask.add_argument("--only", default="", choices=["", *KINDS])
    ask.add_argument("--others", action="store_true")
    ask.add_argument("--seed", type=int, default=1)
    asked = ask.parse_args()
    told: dict[str, Any] = {}
    transformers.utils.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        if asked.others:
            for name, fault in OTHERS.items():
                place = Path(folder) / name.replace(" ", "-")
                place.mkdir()
                told[name] = fault(place)
                print(name, "->", told[name], file=sys.stderr, flush=True)
        else:
            for name, kind in KINDS.items():
                if asked.only in ("", name):
                    told[name] = run(name, kind, Path(folder) / name, asked)
                    print(name, told[name], file=sys.stderr, flush=True)
            told["kills"] = sum(row["rounds"] for row in told.values())
    print(json.dumps(told, indent=2))
    return 0


def run(name: str, kind: type[Kind], folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """So many rounds of a kind; how many kills fell into the work."""
    folder.mkdir()
    begun = time.monotonic()
    made = kind(folder, random.Random(f"{name} {asked.seed}"))
    made.prepare()
    rounds = max(1, round(asked.rounds * SHARE[name]))
    hits = sum(made.round(number) for number in range(rounds))
    return {"rounds": rounds, "killed_in_the_work": hits, "seconds": round(time.monotonic() - begun)}


if __name__ == "__main__":
    sys.exit(main())
