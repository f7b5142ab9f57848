"""Who is at the page, and whether they may write. Every write of the app asks `author` for the name it is written under.

read only     ROBUSTNLI_READONLY is set: nobody writes (the store and the jobs refuse it, too)
signed in     st.login is configured ([auth] in secrets.toml) and somebody signed in: what they add is theirs
visitor       st.login is configured and nobody signed in: reads, and writes nothing
single user   no st.login: whoever is here writes, under a name they may type; the browser keeps it in a cookie
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote

import streamlit as st

from robustnli.config import readonly
from robustnli.errors import InputError
from robustnli.figures import escape_markdown

Mode = Literal["single user", "signed in", "read only", "visitor"]
LONGEST = 200  # characters of a name: enough for any e-mail, so that no two become one
_NAME, _FIELD, _COOKIE = "people.name", "people.field", "robustnli_name"

_JS = """
export default function (component) {
  const { data } = component;
  const year = 31536000;
  if (data.name) document.cookie = `${data.cookie}=${data.name}; path=/; max-age=${year}; SameSite=Lax`;
}
"""
_remember = st.components.v2.component("robustnli_name", html="<span>\n</span>", js=_JS)


@dataclass(frozen=True, slots=True)
class Person:
    """Who is at the page. `why` tells a person who may not write what stands in the way and what to do; "" for one who may."""

    name: str
    mode: Mode
    why: str = ""

    @property
    def may_write(self) -> bool:
        """Whether this person may add, judge and change."""
        return not self.why


def person() -> Person:
    """Who is at the page now."""
    user = _user()
    signed = user.get("is_logged_in")
    if readonly():
        return Person(
            _identity(user) if signed else "",
            "read only",
            "This server is read-only: look, but nothing can be kept. Install the app to do so.",
        )
    if signed is None:
        return Person(_typed(), "single user")
    if not signed:
        return Person("", "visitor", "Sign in to keep or judge examples: on this server they belong to somebody.")
    return Person(_identity(user), "signed in")


def author() -> str:
    """The name that a write goes under. Raises InputError for who may not write, whatever the page shows."""
    who = person()
    if not who.may_write:
        raise InputError(who.why)
    return who.name


def clean(name: str) -> str:
    """A name as it is kept: one line, at most `LONGEST` characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST].strip()


def who_ui() -> Person:
    """Draw who is at the page: the name to type in single-user mode, sign in or out where st.login is configured. Returns the person."""
    who = person()
    if who.mode == "single user":
        _name_field(who)
    elif who.mode == "signed in":
        with st.popover(escape_markdown(who.name), icon=":material/person:"):
            st.caption("Signed in. What you add is yours; what others added you can judge, not change.")
            st.button("Sign out", on_click=st.logout, icon=":material/logout:", key="people.out")
    elif who.mode == "visitor":
        st.button("Sign in", on_click=sign_in, icon=":material/login:", key="people.in", type="primary", help=who.why)
    else:
        st.badge("Read-only", icon=":material/lock:", color="gray", help=who.why)
    return who


def sign_in() -> None:
    """Ask the sign-in provider; the first one where several are named."""
    st.login(next(iter(_providers()), None))


def _providers() -> list[str]:
    """Named providers of [auth], () where it holds one without a name."""
    section: Mapping[str, Any] = _secrets().get("auth", {})
    return [] if "client_id" in section else [name for name, value in section.items() if isinstance(value, Mapping)]


def _name_field(who: Person) -> None:
    st.session_state.setdefault(_FIELD, who.name)  # set only once: a run under way must not take back what is being typed
    with st.popover(escape_markdown(who.name), icon=":material/person:"):
        st.text_input("Your name", key=_FIELD, max_chars=LONGEST, on_change=_renamed)
        st.caption(
            "Single-user mode: no sign-in is configured on this server, so that whoever opens it may write. A second reader types "
            "another name here and gives a second opinion, without seeing the first."
        )
        if _NAME in st.session_state:
            _remember(data={"name": quote(who.name), "cookie": _COOKIE}, key="people.cookie", height="content")


def _renamed() -> None:
    st.session_state[_NAME] = st.session_state[_FIELD] = clean(st.session_state[_FIELD]) or _default()


def _typed() -> str:
    """The name typed in this session, else the one that the browser kept, else the user of this computer."""
    if _NAME in st.session_state:
        return str(st.session_state[_NAME])
    return clean(unquote(st.context.cookies.get(_COOKIE) or "")) or _default()


def _default() -> str:
    try:
        return clean(getpass.getuser()) or "me"
    except (OSError, KeyError):
        return "me"


def _user() -> Mapping[str, Any]:
    """What the sign-in tells of the user; without `is_logged_in` where no sign-in is configured."""
    user = st.user.to_dict()
    return user | {"is_logged_in": False} if "is_logged_in" not in user and _secrets().get("auth") else user


def _secrets() -> Mapping[str, Any]:
    return st.secrets if st.secrets.load_if_toml_exists() else {}


def _identity(user: Mapping[str, Any]) -> str:
    """An e-mail that the provider does not call unverified; else its own number for the user, which nobody else can have."""
    email = str(user.get("email") or "") if user.get("email_verified", True) not in (False, "false") else ""
    return clean(email or f"{user.get('name') or 'user'} ({user.get('iss') or ''} {user.get('sub') or ''})")
