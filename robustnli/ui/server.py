"""What the server does beside Streamlit: it warms up while the first browser loads, and its answers carry headers that keep other sites out."""

from __future__ import annotations

import inspect
import logging
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.pages_manager import PagesManager

from robustnli.config import frame_ancestors
from robustnli.errors import RobustNLIError
from robustnli.memory import few_arenas, lasting
from robustnli.ui.downloads import keep_a_minute

# Seconds after which a thread that computes in Python lets others on. An answer takes some hundred steps in torch, each of which waits for its turn anew:
# with twenty visitors 5 ms, Python's own, made the slowest answers a quarter slower.
SWITCH = 0.001
# What the pages of records import, the slowest first; torch is not among it. PIL and pyarrow.dataset are Streamlit's and pandas' own late imports.
WARM = (
    "pandas",
    "pyarrow.dataset",
    "PIL.Image",
    "robustnli.ui.errors.own",
    "robustnli.ui.errors.behind",
    "robustnli.ui.slice_lab",
    "robustnli.ui.home",
)


@asynccontextmanager
async def warm(app: object) -> AsyncIterator[None]:
    """Do beside the server's start what the first visitor would else wait for; and run app.py for every page.

    Streamlit sees the folder pages/ and would, until app.py has told it otherwise, answer a link to a page with that page alone.
    """
    PagesManager.uses_pages_directory = False
    # Streamlit warns of every cache that is asked outside a session, which is what this thread is for.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(lambda record: record.threadName != "warm")
    threading.Thread(target=prepare, name="warm", daemon=True).start()
    yield


def prepare() -> None:
    """Import what the first page needs, and compute what the error explorer shows first."""
    try:
        with lasting():
            for name in WARM:
                import_module(name)
            inspect.stack()  # Streamlit asks once which file each module came from: a tenth of a second
            cached = import_module("robustnli.ui.cached")
            for run in cached.runs()[:1]:
                cached.view(run, run.splits[0], run.models[0], run.models[1], None)
    except Exception:  # the page that needs it will tell the visitor
        logging.getLogger(__name__).exception("could not prepare the first page")


class Guarded:
    """ASGI middleware: each answer says that the browser may load, run and show nothing from another site, and who may frame the app.

    Streamlit's own page holds inline styles, and plotly.js and Vega make functions of text: so 'unsafe-inline' and 'unsafe-eval' must stay. Pictures,
    fonts, frames and connections are held to this server.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, with the headers."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)


def headers() -> dict[str, str]:
    """Header -> value, of every answer."""
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' ws: wss: data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(("'self'", *frame_ancestors())),
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def settings() -> dict[str, Any]:
    """What `st.App` is made with; ends the start with one line where a setting is wrong."""
    try:
        frame_ancestors()
    except RobustNLIError as error:
        raise SystemExit(f"error: {error}") from None
    few_arenas()
    sys.setswitchinterval(SWITCH)
    keep_a_minute()
    return {"lifespan": warm, "middleware": [Middleware(Guarded)]}
