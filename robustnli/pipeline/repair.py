"""Repair: teach a checkpoint a few examples, and see what that fixed and what it broke. The job "repair".

Parent -> what it says of replay pairs -> a short training, and back as far as may be (`rehearse`) -> a checkpoint folder -> parent
against child (`measure`) -> card and run. Everything is made in the job's own folder; at the end run and checkpoint are moved to their
places, one step each.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from robustnli import jobs
from robustnli.checkpoints import check, resolve
from robustnli.data import load as load_data
from robustnli.errors import InputError
from robustnli.models import NLIModel, load
from robustnli.pipeline.measure import ask, card, figures, known_answers, material, write_run
from robustnli.pipeline.rehearse import Telling, rehearse, walk_back
from robustnli.pipeline.replay import draw
from robustnli.pipeline.runs import content_hash
from robustnli.records import write_json
from robustnli.repairs import FILE, Settings, check_name, places
from robustnli.types import Example, Prediction

REPLAY = 900  # pairs that are rehearsed, drawn anew from these in every step
HELD = 200  # pairs of the same kind that are not, to see what was forgotten
_COPIED = (".json", ".txt", ".model")  # what a checkpoint folder has besides its weights
_LEFT = ("training_log.json", "model.safetensors.index.json")


def run(args: dict[str, Any], out: Path, tell: jobs.Tell) -> dict[str, Any]:
    """The job "repair": see `repairs.submit`. Returns the figures, and under which name checkpoint and run are to be found."""
    name = check_name(args["name"], queued=False)
    examples = load_data(str(out.parent / "in" / FILE)).examples
    told = repair(examples, args["parent"], out, name=name, settings=Settings(**args["settings"]), tell=tell)
    checkpoint, kept = places(name)
    jobs.place(out.parent, out / "run", kept)
    jobs.place(out.parent, out / name, checkpoint)
    return told


def repair(examples: Sequence[Example], parent: str, out: Path, *, name: str, settings: Settings, tell: Telling) -> dict[str, Any]:
    """Make the checkpoint `out`/`name` and the run `out`/run; returns the figures. Nothing outside `out` is written.

    Raises CheckpointError for a parent that cannot be opened, InputError for one of the child's name.
    """
    before = resolve(parent)
    if before.name == name:
        raise InputError(f"the new checkpoint cannot have its parent's name, {name!r}. Choose another name.")
    threads = settings.threads or min(2, os.cpu_count() or 1)
    os.environ["ROBUSTNLI_THREADS"] = str(threads)  # what `load` sets
    model = load(before.path)
    drawn = draw(REPLAY + HELD, seed=settings.seed, apart_from={e.pair for e in examples}) if settings.replay else None
    pairs = drawn.pairs if drawn else ()
    cut = len(pairs) * REPLAY // (REPLAY + HELD)
    known, held = pairs[:cut], pairs[cut:]
    what = material(examples, held)
    tell.phase("asking the parent", len(known) + len(what.pairs))
    said = _predict(model, known, tell)
    answers = ask(model, what, tell, known=known_answers(before))
    old = {key: value.clone() for key, value in model.network.state_dict().items()}
    learned = rehearse(
        model, examples, known, said, passes=settings.epochs, learning_rate=settings.learning_rate, replay=settings.replay,
        seed=settings.seed, tell=tell,
    )  # fmt: skip
    share = walk_back(model, old, examples)
    write(model, Path(before.path), out / name)
    after = check(out / name, confined=False)
    tell.phase("measuring", len(what.pairs))
    now = ask(load(after.path), what, tell)
    about = {
        "parent": before.name, "name": name, "replay": drawn.source if drawn else "none", "settings": asdict(settings) | {"threads": threads},
        "hash": content_hash(examples), "passes": learned.passes, "steps": learned.steps, "seconds": learned.seconds,
        "right_at_end": learned.right, "share": share,
    } | figures(what, answers, now)  # fmt: skip
    told = card(name, before, after, what, (answers, now), about)
    (out / name / "README.md").write_text(told, encoding="utf-8")
    write_json(out / name / "training_log.json", about | {"fingerprint_of_parent": before.fingerprint, "history": list(learned.history)})
    write_run(out / "run", (before, after), what, (answers, now), about)
    return about


def _predict(model: NLIModel, pairs: Sequence[Any], tell: Telling) -> list[Prediction]:
    out: list[Prediction] = []
    for start in range(0, len(pairs), 128):
        out += model.bulk.predict(pairs[start : start + 128])
        tell.step(len(pairs[start : start + 128]))
    return out


def write(model: NLIModel, parent: Path, folder: Path) -> None:
    """A checkpoint folder like the parent's, with the weights that `model.network` has now, in the precision of the parent's file."""
    folder.mkdir(parents=True)
    for path in parent.iterdir():
        if path.is_file() and path.suffix in _COPIED and path.name not in _LEFT:
            shutil.copyfile(path, folder / path.name)
    with safe_open(str(parent / "model.safetensors"), framework="pt") as old:
        names = {old.get_slice(key).get_dtype() for key in old.keys()}  # noqa: SIM118 - no mapping
    kind = torch.float16 if names & {"F16"} else torch.bfloat16 if names & {"BF16"} else torch.float32
    weights = {
        key: value.detach().to(kind if value.is_floating_point() else value.dtype, copy=True).contiguous()
        for key, value in model.network.state_dict().items()
    }
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
