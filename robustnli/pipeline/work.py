"""The process behind a job: waits for its turn, does the work, and leaves either a result or a reason. `jobs` is the other side."""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from robustnli.errors import RobustNLIError
from robustnli.jobs import Tell, arguments, read, take_back, turn
from robustnli.records import write_json

Work = Callable[[dict[str, Any], Path, Tell], dict[str, Any]]
# kind of job -> module of this package whose `run(args, out, tell)` does it and returns the result. Imported when its turn has come: a
# job that waits needs no memory.
KINDS = {"attack": "robustnli.pipeline.gallery", "score": "robustnli.pipeline.own", "repair": "robustnli.pipeline.repair"}
_NICENESS = 5  # a page that somebody looks at goes first


def work(folder: Path, kinds: dict[str, str] = KINDS) -> bool:
    """Do the job of `folder` when its turn has come; whether it went well. Nothing of it is left when it did not."""
    os.nice(_NICENESS)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when torch is imported: threads that wait do not spin
    out = folder / "out"
    with turn(folder):
        tell = Tell(folder)
        tell.phase("starting", 0)
        try:
            run: Work = import_module(kinds[read(folder).kind]).run
            out.mkdir(exist_ok=True)
            result = run(arguments(folder), out, tell)
        except BaseException as error:
            take_back(folder)
            message = str(error) if isinstance(error, RobustNLIError) else f"This is a bug: {type(error).__name__}: {error}"
            write_json(folder / "failed.json", {"message": message, "trace": traceback.format_exc()})
            return False
        finally:
            shutil.rmtree(folder / "in", ignore_errors=True)
        write_json(folder / "result.json", result)
        return True
