"""What a repair is asked with: which examples, from which checkpoint, under which name, with which settings. No model, no torch.

A repair goes on from a checkpoint with a few examples for some seconds, and leaves a new checkpoint; `pipeline/repair.py` does it as a
job. What is asked is checked here, before any work: by the page, by the command line, and by the job once more.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robustnli import jobs, suite
from robustnli.checkpoints import find, resolve
from robustnli.config import checkpoint_roots, home, readonly, run_roots
from robustnli.curated import Entry, Verdict
from robustnli.data import parse_label
from robustnli.errors import InputError, did_you_mean
from robustnli.jobs import Job
from robustnli.store import Query, Store, open_store
from robustnli.types import Example, example

MAX_EXAMPLES, MAX_NAME = 2000, 60
FILE = "examples.jsonl"  # what a job reads
CONFIRMED = (Verdict.KEEP, Verdict.RELABEL)
EXAMPLES = "examples"  # the split of a repair's run that holds the examples themselves
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
Row = tuple[str, str, str]  # premise, hypothesis, label


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train; checked when made. `epochs`: passes over the examples at most, since it ends when all are learned.

    `replay`: of the pairs of each step, the share that is rehearsed so that the model does not forget. `threads`: 0 takes two where
    the machine has them.
    """

    epochs: int = 20
    learning_rate: float = 1e-4
    replay: float = 0.75
    seed: int = 13
    threads: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("epochs", 1, 100),
            ("learning_rate", 1e-7, 1e-2),
            ("replay", 0, 0.9),
            ("threads", 0, 64),
            ("seed", 0, 2**31 - 1),
        ):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} is {getattr(self, name)}; it must be between {low:g} and {high:g}.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be learned: `curated` uids of the store, `suite` uids of the suite's dev half, `rows` of the user's own file."""

    curated: tuple[str, ...] = ()
    suite: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


def submit(parent: str, asked: Asked, name: str, settings: Settings | None = None, *, store: Store | None = None) -> Job:
    """Start a repair, or put it at the queue's end. Raises InputError or CheckpointError for what cannot be done.

    `store`: where the curated examples are; default: that of `open_store`.
    """
    if why := out_of_sight():
        raise InputError(why)
    examples, settings, name = gather(asked, store), settings or Settings(), check_name(name)
    if resolve(parent).name == name:
        raise InputError(f"the new checkpoint cannot have its parent's name, {name!r}. Choose another name.")
    rows = ({"premise": e.pair.premise, "hypothesis": e.pair.hypothesis, "label": e.label.text, "source": e.source} for e in examples)
    file = "".join(json.dumps(row) + "\n" for row in rows).encode()
    title = f"{name}: {len(examples):,} example{'' if len(examples) == 1 else 's'} taught to {Path(parent).name}"
    return jobs.submit("repair", title, {"parent": parent, "name": name, "settings": asdict(settings)}, files={FILE: file})


def gather(asked: Asked, store: Store | None = None) -> list[Example]:
    """The examples, each once. Raises InputError where one has no confirmed label, belongs to the suite's test half, or contradicts another."""
    found = [*_curated(asked.curated, store), *_suite(asked.suite), *_rows(asked.rows)]
    examples = list({item.uid: item for item in found}.values())
    if not examples:
        raise InputError("no example is chosen. Choose curated examples with a confirmed label, parts of the suite's dev half, or a file.")
    if len(examples) > MAX_EXAMPLES:
        raise InputError(f"{len(examples):,} examples; a repair learns at most {MAX_EXAMPLES:,}. For more there is `robustnli finetune`.")
    _refuse_contradictions(examples)
    return examples


def confirmed(entries: Iterable[Entry]) -> list[Example]:
    """What is trained on of curated entries: the edited pair with the label that a person gave it. Raises InputError where none did."""
    items = list(entries)
    if open_ones := [item for item in items if item.gold_after is None]:
        shown = f"{open_ones[0].edited.hypothesis[:60]!r} ({open_ones[0].verdict.value})"
        raise InputError(
            f"{len(open_ones):,} of {len(items):,} curated examples have no label that a person confirmed, the first {shown}. "
            "Judge them in the review (keep or relabel), or leave them out."
        )
    return [example(e.edited.premise, e.edited.hypothesis, e.gold_after, "curated") for e in items if e.gold_after is not None]


@contextmanager
def _opened(store: Store | None) -> Iterator[Store]:
    if store is not None:
        yield store
    else:
        with open_store() as own:
            yield own


def confirmed_uids(tags: tuple[str, ...] = (), store: Store | None = None) -> tuple[str, ...]:
    """Uids of all curated examples that have a confirmed label (and one of the tags)."""
    with _opened(store) as kept:
        return tuple(kept.uids(Query(verdicts=CONFIRMED, tags=tags, order="oldest")))


def of_suite(names: Sequence[str]) -> tuple[str, ...]:
    """Uids of the suite's dev half: of these slices and phenomena ("slice" or "slice: phenomenon"), or `all`."""
    known = {"all"} | set(suite.PHENOMENA) | {f"{part}: {kind}" for part, kinds in suite.PHENOMENA.items() for kind in kinds}
    for name in names:
        if name not in known:
            raise InputError(f"the suite has no slice or phenomenon {name!r}.{did_you_mean(name, known)}")
    return tuple(
        item.example.uid
        for item in suite.load()
        if item.split == "dev" and {"all", item.slice, f"{item.slice}: {item.phenomenon}"} & set(names)
    )


def _curated(uids: Sequence[str], store: Store | None) -> list[Example]:
    if not uids:
        return []
    with _opened(store) as kept:
        entries = kept.entries(Query(uids=tuple(uids), order="oldest"))
    if missing := set(uids) - {e.uid for e in entries}:
        raise InputError(f"{len(missing):,} of {len(uids):,} curated examples are gone: removed or edited meanwhile. Choose them again.")
    return confirmed(entries)


def _suite(uids: Sequence[str]) -> list[Example]:
    known = {item.example.uid: item for item in suite.load()} if uids else {}
    for uid in uids:
        if uid not in known:
            raise InputError(f"the suite has no pair {uid!r}. Its uids are in the files of robustnli/suite.")
        if known[uid].split != "dev":
            raise InputError("a pair of the suite's test half was chosen: that half only measures. Choose pairs of the dev half.")
    return [known[uid].example for uid in uids]


def _rows(rows: Sequence[Row]) -> list[Example]:
    out = []
    tested = {item.pair for item in suite.load() if item.split == "test"} if rows else set()
    for number, (premise, hypothesis, text) in enumerate(rows, 1):
        try:
            label = parse_label(text)
        except ValueError as error:
            raise InputError(f"own examples, row {number}: {error}") from error
        if label is None or not premise.strip() or not hypothesis.strip():
            raise InputError(f"own examples, row {number}: a premise, a hypothesis and a label are needed.")
        out.append(example(premise, hypothesis, label, "own"))
        if out[-1].pair in tested:
            raise InputError(f"own examples, row {number}: a pair of the suite's test half, which only measures. Leave it out.")
    return out


def _refuse_contradictions(examples: Sequence[Example]) -> None:
    labels: dict[Any, Example] = {}
    for item in examples:
        other = labels.setdefault(item.pair, item)
        if other.label != item.label:
            raise InputError(
                f"the pair with the hypothesis {item.pair.hypothesis[:60]!r} is chosen twice, as {other.label.text} and as "
                f"{item.label.text}. Settle which it is."
            )


def check_name(name: str, *, queued: bool = True) -> str:
    """The name as it is used. Raises InputError for one that no folder should have, or that is taken; `queued`: by a waiting repair, too."""
    name = name.strip()
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME or name.endswith((".", ".training")):
        raise InputError(
            f"{name[:MAX_NAME]!r} is no name for a checkpoint: give it 1 to {MAX_NAME} letters, digits or any of - _ . , beginning with a letter "
            "or digit."
        )
    for what, taken in (("checkpoint", _checkpoints()), ("run", _runs()), ("repair under way", _waiting() if queued else set())):
        if name.lower() in taken:
            raise InputError(f"there is a {what} named {name!r} already. Choose another name.")
    return name


def free_name(parent: str) -> str:
    """A name that nothing has: the parent's with "-repaired", and a number where that is taken."""
    kept = (
        re.sub(r"[^\w.-]+", "-", re.sub(r"-repaired(-\d+)?$", "", Path(parent).name), flags=re.ASCII).strip("-._")[: MAX_NAME - 16]
        or "model"
    )
    taken = _checkpoints() | _runs() | _waiting()
    names = (f"{kept}-repaired" + (f"-{n}" if n > 1 else "") for n in range(1, len(taken) + 2))
    return next(name for name in names if name.lower() not in taken)


def places(name: str) -> tuple[Path, Path]:
    """Where a repair's checkpoint and its run go."""
    return home() / "checkpoints" / name, home() / "runs" / name


def out_of_sight() -> str:
    """Why a new checkpoint would not be found where it is put, and the way out; "" where it would."""
    folder = places("x")[0].parent
    if folder.resolve() in [root.resolve() for root in checkpoint_roots()]:
        return ""
    return (
        "this server opens only the checkpoints of ROBUSTNLI_CHECKPOINTS (ROBUSTNLI_ONLY_CHECKPOINTS is set), and a new one goes to "
        "the checkpoints folder of ROBUSTNLI_HOME. Name that folder in ROBUSTNLI_CHECKPOINTS too."
    )


def is_repair(name: str) -> bool:
    """Whether a checkpoint of that name was made by a repair here, and may be removed."""
    log = places(name)[0] / "training_log.json"
    return bool(_NAME.fullmatch(name)) and log.is_file() and "fingerprint_of_parent" in log.read_text(encoding="utf-8")


def remove(name: str) -> None:
    """Remove a repair's checkpoint and its run. Raises InputError for any other checkpoint, and in read-only mode."""
    if readonly():
        raise InputError("this server is read-only (ROBUSTNLI_READONLY): no checkpoint can be removed here.")
    if not is_repair(name):
        raise InputError(f"the checkpoint {name!r} was not made by a repair here: it is not removed from the app.")
    for folder in places(name):
        shutil.rmtree(folder, ignore_errors=True)


def _checkpoints() -> set[str]:
    folder = home() / "checkpoints"
    here = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return {name.lower() for name in (*here, *(item.name for item in find()))}


def _runs() -> set[str]:
    return {path.name.lower() for root in (home() / "runs", *run_roots()) if root.is_dir() for path in root.iterdir()}


def _waiting() -> set[str]:
    return {str(jobs.arguments(Path(job.folder)).get("name", "")).lower() for job in jobs.find_all("repair") if job.active}
