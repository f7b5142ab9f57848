"""The server beside Streamlit: the headers of its answers, what it warms, and a wrong setting."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from robustnli.config import frame_ancestors
from robustnli.errors import InputError
from robustnli.ui.server import Guarded, headers

ROOT = Path(__file__).resolve().parent.parent


def policy() -> dict[str, set[str]]:
    return {name: set(values) for name, *values in (part.split() for part in headers()["Content-Security-Policy"].split(";"))}


def test_nothing_of_another_site_is_loaded_or_run() -> None:
    sources = set().union(*policy().values())
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:", "ws:", "wss:"}
    assert policy()["img-src"] == {"'self'", "data:", "blob:"} and policy()["frame-ancestors"] == {"'self'"}


def test_a_site_that_may_frame_the_app_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_FRAMED_BY", "https://huggingface.co https://*.example.org:8443")
    assert policy()["frame-ancestors"] == {"'self'", "https://huggingface.co", "https://*.example.org:8443"}


@pytest.mark.parametrize("wrong", ["*", "huggingface.co", "https://a.org;", "https://a.org/path", "javascript:x"])
def test_what_is_no_site_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROBUSTNLI_FRAMED_BY", wrong)
    with pytest.raises(InputError, match="is not a site"):
        frame_ancestors()


def test_every_answer_has_the_headers_and_keeps_its_own() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"etag", b"1"), (b"referrer-policy", b"unsafe-url")]})
        await send({"type": "http.response.body", "body": b"x"})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guarded(app)({"type": "http"}, None, send))  # type: ignore[arg-type]
    got = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    assert dict(got) == {"etag": "1"} | {name.lower(): value for name, value in headers().items()} and len(got) == len(dict(got))
    assert sent[1] == {"type": "http.response.body", "body": b"x"}


def test_the_server_warms_without_torch_and_for_what_is_shown_first() -> None:
    code = (
        "import sys; from robustnli.ui import server, cached; server.prepare()\n"
        "assert 'torch' not in sys.modules and 'pandas' in sys.modules and 'plotly' in sys.modules\n"
        "run = cached.runs()[0]; view = cached.evidence.read_records; cached.evidence.read_records = None\n"
        "print(len(cached.view(run, run.splits[0], *run.models[:2], None)[0].table))"  # asks for nothing anew
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("ROBUSTNLI_")}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0 and int(done.stdout) > 100, done.stderr


def test_no_visitor_waits_for_the_collector_to_look_at_what_lasts(shipped: Path) -> None:
    """With torch, pandas and a model a full collection looks at 260,000 objects while all visitors wait: 0.14 s a run."""
    code = (
        "import gc, sys; from robustnli.ui import server, cached; server.prepare()\n"
        "from robustnli.checkpoints import find; cached.model(next(item.checkpoint for item in find() if item.checkpoint))\n"
        "assert 'torch' in sys.modules and gc.isenabled(); gc.collect(); print(len(gc.get_objects()), gc.get_freeze_count())\n"
        "from streamlit import config; print(config.get_option('runner.postScriptGC'))"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("ROBUSTNLI_")} | {"ROBUSTNLI_CHECKPOINTS": str(shipped)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    looked_at, lasting, collects = done.stdout.split()
    assert int(looked_at) < 20_000 < 150_000 < int(lasting) and collects == "False"


def test_a_model_that_gave_way_to_another_leaves_memory(shipped: Path) -> None:
    """What is left out of collection is never freed where it refers to itself: a model must not be among it, nor be such a thing."""
    code = (
        "import gc, weakref; from robustnli.ui import server, cached; from robustnli.checkpoints import find; server.prepare()\n"
        "first, second = [item.checkpoint for item in find() if item.checkpoint][:2]\n"
        "alive = weakref.ref(cached.model(first)); cached.model(second); assert alive() is not None\n"
        "cached._model.clear(); print(alive() is None)"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("ROBUSTNLI_")} | {"ROBUSTNLI_CHECKPOINTS": str(shipped)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stdout + done.stderr


def test_a_wrong_setting_ends_the_start_with_one_line() -> None:
    env = os.environ | {"ROBUSTNLI_FRAMED_BY": "nowhere"}
    done = subprocess.run([sys.executable, "-c", "import app"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("error: ROBUSTNLI_FRAMED_BY: 'nowhere'") and "Traceback" not in done.stderr
