"""The whole trip of st.login in a real browser: a visitor reads, somebody signed in writes under their own name, and signs out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from robustnli.store import open_store
from tests.e2e.provider import EMAIL, provide
from tests.e2e.serving import free_port, serve

pytestmark = pytest.mark.browser


def test_a_visitor_reads_and_who_signed_in_writes_under_their_name(chromium: str, tmp_path: Path) -> None:
    port = free_port()
    told = tmp_path / "secrets.toml"
    with provide("robustnli") as issuer:
        told.write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{"x" * 40}"\nclient_id = "robustnli"\n'
            f'client_secret = "s"\nserver_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
        )
        with (
            serve(port=port, ROBUSTNLI_HOME=str(tmp_path / "home"), STREAMLIT_SECRETS_FILES=str(told)) as url,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1400, "height": 1400})
            page.set_default_timeout(60_000)
            expect.set_options(timeout=60_000)
            page.goto(f"{url}/explore?p=A+cat+is+sitting.&h=A+cat+is+swimming.&m=h4")
            expect(page.get_by_role("button", name="Keep")).to_be_disabled()
            page.goto(f"{url}/curate")
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("button", name="Sign in")).to_have_count(0)  # the provider sends people to the home page
            page.goto(f"{url}/explore?p=A+cat+is+sitting.&h=A+cat+is+swimming.&m=h4")
            page.get_by_role("button", name="Keep").click()
            expect(page.get_by_text("Kept")).to_be_visible()
            with open_store(f"sqlite:///{tmp_path / 'home' / 'curated.db'}") as store:
                (entry,) = store.entries()
            assert entry.author == EMAIL
            page.goto(f"{url}/curate")
            page.get_by_role("button", name=EMAIL).click()
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url(f"{url}/")
            page.goto(f"{url}/curate")
            expect(page.get_by_role("button", name="Sign in")).to_be_visible()
            browser.close()
