"""A data set folder to the hub, with the user's own token. The token is an argument, is kept nowhere, and stands in no message."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from robustnli.curated import Entry
from robustnli.errors import InputError, RunError
from robustnli.exchange.about import About
from robustnli.exchange.writing import export_to

_ID = re.compile(r"[A-Za-z0-9](?:[\w.\-]{0,94}[A-Za-z0-9])?/[A-Za-z0-9](?:[\w.\-]{0,94}[A-Za-z0-9])?")


def push(
    repo: str, entries: Collection[Entry], token: str, about: About | None = None, *, private: bool = True, people: bool = False,
    connect: Callable[[str], Any] | None = None,
) -> str:  # fmt: skip
    """Upload the entries as a data set `owner/name`, made where it is not there; returns its address.

    People are numbered unless `people`. `connect` gives the hub's client for a token (default: huggingface_hub). Raises InputError for a
    name or token that cannot be one, RunError where the hub says no; neither holds the token.
    """
    if not _ID.fullmatch(repo):
        raise InputError(f"{repo!r} is no name of a data set on the hub. Give owner/name.")
    if not token.strip() or not token.isascii() or any(c.isspace() for c in token.strip()):
        raise InputError("the token is empty or holds what no token does. Copy it anew from your account's settings on the hub.")
    with tempfile.TemporaryDirectory(prefix="robustnli-push-") as parent:
        folder = Path(parent) / "data"
        export_to(folder, entries, "dataset", replace(about or About(), people=people))
        failure = _upload(repo, folder, token.strip(), private, connect or _client)
    if failure:
        raise RunError(
            f"{repo}: the hub did not take the data set ({failure}). Check the token's right to write, the name and the network."
        )
    return f"https://huggingface.co/datasets/{repo}"


def _upload(repo: str, folder: Path, token: str, private: bool, connect: Callable[[str], Any]) -> str:
    """'' when it worked, else why not. The exception ends here, since its text and its frames may hold the token."""
    try:
        client = connect(token)
        client.create_repo(repo_id=repo, repo_type="dataset", private=private, exist_ok=True)
        client.upload_folder(repo_id=repo, repo_type="dataset", folder_path=str(folder), commit_message="Curated examples of robustnli")
    except Exception as error:  # the client raises dozens of types: connection, rights, names
        first = (str(error).strip().splitlines() or [""])[0]
        return f"{type(error).__name__}: {first}".replace(token, "***")[:300]
    return ""


def _client(token: str) -> Any:
    from huggingface_hub import HfApi

    return HfApi(token=token)
