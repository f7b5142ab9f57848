"""Whether robustnli can work here, check by check: what is so, and what to do where it is not. Nothing is changed, nothing asked of a network."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from robustnli import checkpoints, config, evidence
from robustnli.errors import RobustNLIError, did_you_mean
from robustnli.store.health import look
from robustnli.types import LABELS, Label, Pair

if TYPE_CHECKING:
    from robustnli.checkpoints import Found
    from robustnli.models import NLIModel

State = Literal["ok", "warning", "problem"]
PYTHON, TIGHT, FULL, SLOW = (3, 11), 1 << 30, 100 << 20, 20.0  # bytes free; pairs a second
# Pairs that every NLI model gets right that has learned anything, two a label.
CANONICAL: tuple[tuple[Pair, Label], ...] = (
    (Pair("A man is playing a guitar on a stage.", "The man performs music."), Label.ENTAILMENT),
    (Pair("Two dogs are running in a field.", "Some animals are outside in a field."), Label.ENTAILMENT),
    (Pair("A woman is reading a letter on the stairs.", "A woman is reading a letter about ships."), Label.NEUTRAL),
    (Pair("A man is walking on a street with an old umbrella.", "The man is going to visit his brother."), Label.NEUTRAL),
    (Pair("A boy is sleeping in his bed.", "A boy is running in a park."), Label.CONTRADICTION),
    (Pair("A cat is sitting on a table.", "There is no cat on the table."), Label.CONTRADICTION),
)
_OTHERS = {
    "ROBUSTNLI_DATA",
    "ROBUSTNLI_FUZZ",
    "ROBUSTNLI_PORT",
    "ROBUSTNLI_REQUIRE_BROWSER",
    "ROBUSTNLI_TEST_POSTGRES",
}  # of tests and make


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `todo` says what to do about it; "" where nothing is."""

    check: str
    state: State
    text: str
    todo: str = ""


def examine(*, models: bool = True) -> Iterator[Finding]:
    """Every finding, one after the other. `models`: checkpoints are loaded and asked, which takes some seconds."""
    yield python()
    yield from packages(requirements())
    yield from settings()
    yield from database()
    yield home()
    yield disk()
    found = checkpoints.find()
    yield from _any(found)
    loaded = None
    for item in found:
        yield from checkpoint(item)
        if models and item.checkpoint:
            findings, model = asked(item)
            loaded = loaded or model
            yield from findings
    yield runs()
    if loaded is not None:
        yield speed(loaded)


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Python's version."""
    text = ".".join(map(str, version))
    if version[:2] < PYTHON:
        return Finding("python", "problem", text, f"Install Python {PYTHON[0]}.{PYTHON[1]} or newer.")
    return Finding("python", "ok", text)


def requirements() -> dict[str, str]:
    """Package -> the version that this robustnli was tested with; {} where neither the package nor requirements.txt tells."""
    file = config.REPOSITORY / "requirements.txt"
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else metadata.requires("robustnli") or []
    except metadata.PackageNotFoundError:
        lines = []
    found = (re.fullmatch(r"([\w.-]+)(?:\[.*\])?\s*==\s*([\w.+]+)", line.strip()) for line in lines)
    return {match[1]: match[2] for match in found if match}


def packages(wanted: dict[str, str], version: Callable[[str], str] = metadata.version) -> Iterator[Finding]:
    """Each package that is missing or of another version; one line where all are as they should be."""
    wrong = False
    for name, pinned in wanted.items():
        try:
            here = version(name)
        except metadata.PackageNotFoundError:
            wrong = True
            yield Finding("packages", "problem", f"{name} is not installed", f"pip install {name}=={pinned}")
            continue
        if here.partition("+")[0] != pinned:
            wrong = True
            yield Finding("packages", "warning", f"{name} is {here}; tested with {pinned}", f"pip install {name}=={pinned}")
    if not wrong:
        yield Finding("packages", "ok", f"{len(wanted)} as in requirements.txt")


def settings() -> Iterator[Finding]:
    """Settings of the environment that are wrong, or that nobody reads."""
    known = {*re.findall(r"^(ROBUSTNLI_\w+)", config.__doc__ or "", re.M)}
    given = sorted(name for name in os.environ if name.startswith("ROBUSTNLI_") and name not in _OTHERS)
    wrong = False
    for name in given:
        if name not in known:
            wrong = True
            yield Finding("settings", "warning", f"{name} is read by nobody", f"Unset it.{did_you_mean(name, known)}")
    for read in (config.threads, config.frame_ancestors):
        try:
            read()
        except RobustNLIError as error:
            wrong = True
            yield Finding("settings", "problem", str(error), "Correct or unset it.")
    for name, roots in (("CHECKPOINTS", config.checkpoint_roots()), ("RUNS", config.run_roots()), ("ATTACKS", config.attack_roots())):
        named = [Path(part) for part in os.environ.get(f"ROBUSTNLI_{name}", "").split(os.pathsep) if part]
        for root in roots:
            if root in named and not root.is_dir():
                wrong = True
                yield Finding("settings", "warning", f"ROBUSTNLI_{name}: {root} is no folder", "Correct the path.")
    if not wrong:
        set_here = ", ".join(f"{name}={_shown(name)}" for name in given) or "none set"
        yield Finding("settings", "ok", set_here)


def _shown(name: str) -> str:
    """A setting's value; of an address without its password."""
    return re.sub(r"//[^/@]*@", "//…@", os.environ[name])


def database() -> Iterator[Finding]:
    """The database of curated examples: reachable, whole, of the newest version."""
    try:
        health = look(config.database_url())
    except (RobustNLIError, OSError) as error:
        yield Finding("database", "problem", str(error), "Mend what the message names; `robustnli export` writes a backup while it works.")
        return
    if health.faults:
        yield Finding(
            "database", "problem", f"{health.where} is damaged: {health.faults[0]}",
            "Move the file away and import your last export, or restore a backup of it.",
        )  # fmt: skip
    elif health.version is None:
        yield Finding("database", "ok", f"{health.where}: none yet; it is made when the first example is kept")
    elif not health.version.isdigit() or int(health.version) > int(health.newest):
        yield Finding(
            "database", "problem", f"{health.where} is of version {health.version}, newer than {health.newest}",
            "Update robustnli, or name another database in ROBUSTNLI_DATABASE_URL.",
        )  # fmt: skip
    elif health.version != health.newest:
        yield Finding(
            "database", "problem" if config.readonly() else "warning", f"{health.where} is of version {health.version}; newest: {health.newest}",
            "Start the app once without ROBUSTNLI_READONLY: it is brought up to date.",
        )  # fmt: skip
    else:
        yield Finding("database", "ok", f"{health.where}, version {health.version}, whole")


def home() -> Finding:
    """Whether the user's data folder can be written to."""
    folder = _nearest(config.home())
    if config.readonly():
        return Finding("home", "ok", f"{config.home()}: not written to, since ROBUSTNLI_READONLY is set")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return Finding(
            "home", "problem", f"{config.home()} cannot be written to ({error.strerror})", "Set ROBUSTNLI_HOME to a folder that can be."
        )
    return Finding("home", "ok", f"{config.home()} can be written to")


def disk() -> Finding:
    """Space where curated examples and new checkpoints go."""
    free = shutil.disk_usage(_nearest(config.home())).free
    text = f"{free / 2**30:.1f} GiB free at {config.home()}"
    if free >= TIGHT or config.readonly():
        return Finding("disk", "ok", text)
    todo = "Free some space, or set ROBUSTNLI_HOME to another disk: a repair needs about 100 MiB."
    return Finding("disk", "problem" if free < FULL else "warning", text, todo)


def _nearest(path: Path) -> Path:
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.is_dir())


def _any(found: list[Found]) -> Iterator[Finding]:
    if not any(item.checkpoint for item in found):
        yield Finding(
            "checkpoints", "problem", "there is none that can be loaded",
            "Name a folder that holds some in ROBUSTNLI_CHECKPOINTS, or install robustnli with its checkpoints.",
        )  # fmt: skip


def checkpoint(item: Found) -> Iterator[Finding]:
    """Whether a checkpoint's folder is in order, and its weights are those that its card names."""
    name = f"checkpoint {item.name}"
    if item.checkpoint is None:
        yield Finding(name, "problem", item.problem, f"Mend it, or move {item.path} away.")
        return
    card, weights = Path(item.path) / "README.md", Path(item.path) / "model.safetensors"
    told = re.search(r"sha256 `([0-9a-f]{64})`", card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else None
    if told is None:
        yield Finding(name, "ok", f"fingerprint {item.checkpoint.fingerprint}; no card that names its sha256")
        return
    with weights.open("rb") as stream:
        here = hashlib.file_digest(stream, "sha256").hexdigest()
    if here != told[1]:
        yield Finding(
            name, "problem", f"its weights are not those of its card (sha256 {here[:12]}…, card {told[1][:12]}…)",
            "Copy the whole checkpoint again; if you trained it anew, write its card anew (robustnli card).",
        )  # fmt: skip
    else:
        yield Finding(name, "ok", f"fingerprint {item.checkpoint.fingerprint}, sha256 as its card says")


def asked(item: Found) -> tuple[list[Finding], NLIModel | None]:
    """(whether it loads and knows its labels, the model)."""
    from robustnli.models import load

    name = f"model {item.name}"
    try:
        model = load(item.path)
        said = [prediction.label for prediction in model.predict([pair for pair, _ in CANONICAL])]
    except RobustNLIError as error:
        return [Finding(name, "problem", str(error), f"Copy {item.path} again.")], None
    return [labels(name, said)], model


def labels(name: str, said: list[Label]) -> Finding:
    """Whether a model's labels mean what their names say, from its answers to `CANONICAL`."""
    right = sum(a == gold for a, (_, gold) in zip(said, CANONICAL, strict=True))
    for order in permutations(LABELS):
        if sum(order[a] == gold for a, (_, gold) in zip(said, CANONICAL, strict=True)) == len(CANONICAL) > right:
            meant = ", ".join(f"{label.text} is {order[label].text}" for label in LABELS if order[label] != label)
            return Finding(
                name, "problem", f"its labels are in another order than id2label says: {meant}", "Correct id2label in its config.json."
            )
    if right < len(CANONICAL) - 2:
        return Finding(
            name, "warning", f"{right} of {len(CANONICAL)} plain pairs right", "It has learned little, or other labels than NLI's."
        )
    return Finding(name, "ok", f"loads; {right} of {len(CANONICAL)} plain pairs right")


def runs() -> Finding:
    """Finished runs for the error explorer."""
    found = evidence.find_runs()
    if not found:
        return Finding(
            "runs", "warning", "no finished run to browse", "Make one with `robustnli score`, or name a folder in ROBUSTNLI_RUNS."
        )
    return Finding("runs", "ok", ", ".join(f"{run.name} ({len(run.models)} models)" for run in found[:5]))


def speed(model: NLIModel) -> Finding:
    """Pairs a second, of one small batch."""
    pairs = [pair for pair, _ in CANONICAL] * 6
    model.predict(pairs)
    begun = time.perf_counter()
    model.predict(pairs)
    rate = len(pairs) / max(time.perf_counter() - begun, 1e-9)
    text = f"{rate:,.0f} pairs/s with {config.threads()} of {os.cpu_count()} threads ({model.checkpoint.name})"
    if rate < SLOW:
        return Finding("speed", "warning", text, "The machine is slow or busy; more threads: ROBUSTNLI_THREADS.")
    return Finding("speed", "ok", text)
