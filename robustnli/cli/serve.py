"""The command that starts the app."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from robustnli.config import REPOSITORY
from robustnli.errors import RunError


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8501,
    address: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0: every one of this machine.")] = "localhost",
    browser: Annotated[bool, typer.Option("--browser", help="Open it in the browser.")] = False,
) -> None:
    """Start the app: of the repository, or of the installed wheel. It runs until Ctrl-C."""
    script = REPOSITORY / "app.py"
    if not script.is_file():
        raise RunError(f"no app.py in {REPOSITORY}: this copy of robustnli was installed without the app. Build it with `make wheel`.")
    sys.stdout.flush()
    # This process becomes the server, so that whoever started it can stop it; the settings beside app.py are Streamlit's.
    os.execv(
        sys.executable,
        [
            sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.address", address,
            "--server.headless", "false" if browser else "true",
        ],
    )  # fmt: skip
