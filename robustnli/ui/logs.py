"""What the server notes of itself: one line of JSON an event, with the time and the session, and nothing that a user typed.

An event is a name of ours and values that cannot hold text of a user: numbers, truth values, and identifiers such as an error's kind. The session is
told by a hash of Streamlit's own id, which changes with every visit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time

from streamlit.runtime.scriptrunner import get_script_run_ctx

_IDENTIFIER = re.compile(r"[A-Za-z][\w.]{0,60}", re.ASCII)
_log = logging.getLogger("robustnli.events")


def event(name: str, **values: float | bool | str) -> None:
    """Note an event. Raises ValueError for a value that could be a user's text: a bug, since no caller may give one."""
    for value in (name, *values.values()):
        if isinstance(value, str) and not _IDENTIFIER.fullmatch(value):
            raise ValueError("an event holds numbers and identifiers, never text")
    if not _log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        _log.addHandler(handler)
        _log.setLevel(logging.INFO)
        _log.propagate = False
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    _log.info(json.dumps({"at": at, "event": name, "session": session()} | values))


def session() -> str:
    """A short name of the session that this run belongs to; "" outside of one."""
    context = get_script_run_ctx(suppress_warning=True)
    return hashlib.sha256(context.session_id.encode()).hexdigest()[:10] if context else ""
