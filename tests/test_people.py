"""Who is at the page: each mode, and that nobody writes who may not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from streamlit.testing.v1 import AppTest

from robustnli.errors import InputError
from robustnli.ui import people


def be(monkeypatch: pytest.MonkeyPatch, user: Mapping[str, object], *, readonly: bool = False) -> None:
    monkeypatch.setattr(people, "_user", lambda: user)
    monkeypatch.setenv("ROBUSTNLI_READONLY", "1" if readonly else "")


def test_signed_in_is_named_by_a_verified_e_mail_else_by_what_nobody_else_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, {"is_logged_in": True, "email": "ada@example.org", "name": "Ada"})
    assert people.person() == people.Person("ada@example.org", "signed in") and people.author() == "ada@example.org"
    be(monkeypatch, {"is_logged_in": True, "email": "ada@example.org", "email_verified": False, "name": "Ada", "iss": "idp", "sub": "7"})
    assert people.person().name == "Ada (idp 7)", "anybody can claim an e-mail that was not verified"


def test_a_visitor_and_a_read_only_server_write_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, {"is_logged_in": False})
    who = people.person()
    assert (who.mode, who.may_write) == ("visitor", False) and "Sign in" in who.why
    with pytest.raises(InputError, match="Sign in"):
        people.author()
    for user in ({}, {"is_logged_in": True, "email": "ada@example.org"}):
        be(monkeypatch, user, readonly=True)
        assert people.person().mode == "read only"
        with pytest.raises(InputError, match="read-only"):
            people.author()


def test_without_sign_in_the_name_is_the_computers_user_or_the_one_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    be(monkeypatch, {"email": "test@example.com"})
    assert people.person() == people.Person("ada", "single user")

    def nobody() -> str:
        raise OSError("no user of that number")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert people.person().name == "me"


@pytest.mark.parametrize(
    ("typed", "kept"), [("  Ada \n Byron ", "Ada Byron"), ("a\x00b\u202ec", "a b c"), ("x" * 999, "x" * people.LONGEST)]
)
def test_a_name_is_one_short_line(typed: str, kept: str) -> None:
    assert people.clean(typed) == kept


def test_the_field_changes_the_name_and_an_empty_one_gives_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setenv("ROBUSTNLI_READONLY", "")
    at = AppTest.from_string("import streamlit as st\nfrom robustnli.ui import people\nst.text(people.who_ui().name)").run()
    assert at.text[0].value == "ada"
    at.text_input[0].set_value(" bob ").run()
    assert at.text[0].value == "bob" and not at.exception
    at.text_input[0].set_value("").run()
    assert at.text[0].value == "ada"


def test_with_sign_in_configured_the_page_offers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    at = AppTest.from_string("import streamlit as st\nfrom robustnli.ui import people\nst.text(people.who_ui().mode)")
    at.secrets["auth"] = {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "x", "client_id": "a", "client_secret": "b",
                          "server_metadata_url": "http://localhost/none"}  # fmt: skip
    at.run()
    assert at.text[0].value == "visitor" and [b.label for b in at.button] == ["Sign in"]
    be(monkeypatch, {"is_logged_in": True, "email": "ada@example.org"})
    at.run()
    assert at.text[0].value == "signed in" and [b.label for b in at.button] == ["Sign out"]
