"""Events: JSON with time and session, and never a user's text."""

from __future__ import annotations

import json
import logging

import pytest
from streamlit.testing.v1 import AppTest

from robustnli.ui import logs


@pytest.fixture
def lines() -> list[str]:
    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("robustnli.events")
    before, log.handlers = log.handlers, [handler]
    log.setLevel(logging.INFO)
    yield found
    log.handlers = before


def test_an_event_is_a_line_of_json(lines: list[str]) -> None:
    logs.event("scored", rows=12, attacked=True, kind="InputError")
    told = json.loads(lines[0])
    assert told.pop("at").endswith("Z") and told == {"event": "scored", "session": "", "rows": 12, "attacked": True, "kind": "InputError"}


@pytest.mark.parametrize("text", ["A potter sleeps.", "two words", "x" * 80, "é", "a\nb", ""])
def test_what_could_be_a_users_text_is_refused(text: str, lines: list[str]) -> None:
    with pytest.raises(ValueError, match="never text"):
        logs.event("refused", value=text)
    assert lines == []


def test_a_refusal_on_a_page_is_noted_by_its_kind_without_its_text(lines: list[str]) -> None:
    def script() -> None:
        from robustnli.errors import InputError
        from robustnli.ui import problems

        with problems.shown():
            raise InputError("the secret sentence of a user cannot be used.")

    app = AppTest.from_function(script).run()
    assert "secret" in app.error[0].value
    (told,) = map(json.loads, lines)
    assert (told["event"], told["kind"]) == ("refused", "InputError") and len(told["session"]) == 10 and "secret" not in lines[0]
