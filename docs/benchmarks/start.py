"""Start-up and clicks, in a real browser: how long from `streamlit run app.py` to the first page and the first prediction, how much memory
the server holds with two models, and how long a click on a word takes to change the screen,
with what the browser driver adds.

    python docs/benchmarks/start.py [--rounds 3] [--clicks 20] [--write docs/benchmarks.md] [--json]

Needs playwright and a Chromium on the PATH. The browser runs already when the clock starts, and asks for the page once the server listens, as
`streamlit run` has it open one. The clock runs on the wall, so the machine must be quiet.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from robustnli.pipeline import runs
from robustnli.pipeline.bench.live import percentiles
from robustnli.pipeline.bench.tables import machine, replace, table, verdict

ROOT = Path(__file__).resolve().parents[2]
BANNER = re.compile("No flip|FLIP")


def once(browser: Browser, clicks: int) -> dict[str, Any]:
    """Two starts, each on a free port. The home page: seconds to its title. The Flip lab: seconds to title, verdict and mask map, memory in MB,
    milliseconds of each click."""
    with _started(browser, "/") as (page, _, begun):
        page.get_by_role("heading", name="robustnli").first.wait_for()
        home = time.perf_counter() - begun
    with _started(browser, "/explore") as (page, app, begun):
        page.get_by_role("heading", name="Flip lab").wait_for()
        painted = time.perf_counter() - begun
        page.get_by_text("says").first.wait_for()
        predicted = time.perf_counter() - begun
        page.get_by_text("Mask map").wait_for()
        mapped = time.perf_counter() - begun
        time.sleep(1)
        memory = psutil.Process(app.pid).memory_info().rss / 1e6
        taken = [_click(page) for _ in range(clicks)]
    return {"home": home, "painted": painted, "predicted": predicted, "mapped": mapped, "memory_mb": memory, "clicks": taken}


@contextmanager
def _started(browser: Browser, path: str) -> Iterator[tuple[Page, subprocess.Popen[bytes], float]]:
    """The browser's page of an app that was just started, the app, and when."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = browser.new_page(viewport={"width": 1400, "height": 1800})
    page.set_default_timeout(60_000)
    where = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    begun = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *where],
        cwd=ROOT, env=os.environ | {"OMP_WAIT_POLICY": "passive"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while True:  # not the browser itself: each refused page costs it as much as a page, on the server's processors
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if app.poll() is not None or time.perf_counter() - begun > 60:
                    raise
                time.sleep(0.01)
        page.goto(f"http://127.0.0.1:{port}{path}", wait_until="commit")
        yield page, app, begun
    finally:
        page.close()
        app.terminate()
        app.wait(10)


def _click(page: Page) -> float:
    """Milliseconds from a click on a word until the banner tells of flip or no flip; then it is reset."""
    chip = page.locator("button.chip").first
    chip.wait_for()
    begun = time.perf_counter()
    chip.click()
    page.get_by_text(BANNER).first.wait_for()
    taken = 1e3 * (time.perf_counter() - begun)
    page.get_by_role("button", name="Reset").click()
    page.get_by_text("No word is masked.").first.wait_for()
    time.sleep(0.3)
    return taken


def told(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    middle = {key: statistics.median(r[key] for r in result["rounds"]) for key in ("home", "painted", "predicted", "mapped", "memory_mb")}
    rows = [
        ("first page painted, under 2.5 s", f"{middle['home']:.2f} s", verdict(middle["home"] < 2.5)),
        ("the Flip lab painted where it is the first, under 2.5 s", f"{middle['painted']:.2f} s", verdict(middle["painted"] < 2.5)),
        ("first prediction, under 6 s", f"{middle['predicted']:.2f} s", verdict(middle["predicted"] < 6)),
        ("memory with two models, under 700 MB", f"{middle['memory_mb']:.0f} MB", verdict(middle["memory_mb"] < 700)),
    ]
    clicks = [ms for r in result["rounds"] for ms in r["clicks"]]
    if clicks:
        p = percentiles(clicks)
        rows.append(
            (
                "a click on a word to the changed screen, p95 under 300 ms",
                f"p50 {p['p50']:.0f}, p95 {p['p95']:.0f} ms",
                verdict(p["p95"] < 300),
            )
        )
    how = f"{machine(result['machine'])} Medians of {len(result['rounds'])} starts; the whole Flip lab with its mask map after {middle['mapped']:.2f} s."
    return f"{how}\n\n{table(('aim', 'measured', ''), rows)}"


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        rounds = [once(browser, asked.clicks) for _ in range(asked.rounds)]
        browser.close()
    result = {"machine": runs.machine(), "rounds": rounds}
    if asked.write:
        replace(asked.write, "start", told(result))
    print(json.dumps(result) if asked.json else told(result))


if __name__ == "__main__":
    main()
