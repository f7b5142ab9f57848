"""Many people at once, as real WebSocket clients: `python docs/reliability/load.py --sessions 20 --minutes 10`.

Each session types pairs of its own, masks words, looks at the error explorer and at the curated examples, and downloads both. Every message that it
gets is searched for the other sessions' words; every prediction is compared with what this process computes of the session's own pair. Exit
status 1 where anything was wrong, an answer was missing, or memory grew by more than `--growth` from a third of the time on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from robustnli.curated import Verdict
from robustnli.masking import mask
from robustnli.models import NLIModel, load
from robustnli.store import open_store
from robustnli.types import LABELS, Pair
from tests.e2e.serving import start
from tests.entries import entry

MODELS = ("baseline", "finetuned")  # what the Flip lab shows unasked
MARK = re.compile(rb"zq(\d{2,3})n\d+")
WHO = ("A man", "Two girls", "The cook", "Nobody", "A tall boy", "Some dogs")
DOES = ("is playing a guitar", "is not sleeping", "sells fruit", "may be late", "runs in a park", "reads a book")


class Wrong(AssertionError):
    """An answer that is not this session's, or is none."""


class Session:
    """One browser: a WebSocket, the widgets it touched, and what the page holds now."""

    def __init__(self, number: int, url: str, models: dict[str, NLIModel], times: dict[str, list[float]]):
        self.number, self.url, self.models, self.times = number, url, models, times
        self.rng = random.Random(number)
        self.words = 0
        self.widgets: dict[str, WidgetState] = {}
        self.ids: dict[str, str] = {}  # a widget's key -> its id
        self.seen: list[ForwardMsg] = []
        self.held: dict[str, ForwardMsg] = {}
        self.id = ""
        self.checked = 0
        self.page = ""
        self.query = ""

    async def connect(self) -> None:
        """Open the socket, as Streamlit's own page does."""
        self.socket = await websockets.connect(
            self.url.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit"], max_size=None
        )  # type: ignore[list-item]

    async def run(self, what: str) -> None:
        """Ask for a run with the widgets as they are, and take everything that it sends; its time counts under `what`."""
        back = BackMsg()
        back.rerun_script.query_string, back.rerun_script.page_name = self.query, self.page
        back.rerun_script.widget_states.widgets.extend(self.widgets.values())
        begun = time.perf_counter()
        await self.socket.send(back.SerializeToString())
        self.seen = []
        while True:
            kind, message = await self.next()
            if kind == "delta":
                self.seen.append(message)
                self.note(message)
            if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                break
        self.times[what].append(time.perf_counter() - begun)

    async def next(self) -> tuple[str, ForwardMsg]:
        """The next message, searched for what is not this session's."""
        raw = await asyncio.wait_for(self.socket.recv(), 120)
        others = {int(m) for m in MARK.findall(raw)} - {self.number}
        if others:
            raise Wrong(f"session {self.number} was sent words of session {sorted(others)}")
        message = ForwardMsg()
        message.ParseFromString(raw)
        kind = str(message.WhichOneof("type"))
        if kind == "ref_hash":  # sent before, and the same
            message = self.held[message.ref_hash]
            kind = str(message.WhichOneof("type"))
        elif message.hash:
            self.held[message.hash] = message
        if kind == "new_session":
            self.id = message.new_session.initialize.session_id
        if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            raise Wrong(f"session {self.number}: {message.delta.new_element.exception.type}: {message.delta.new_element.exception.message}")
        return kind, message

    def note(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        found = getattr(element, kind, None) if kind else None
        name = re.fullmatch(r"\$\$ID-[0-9a-f]+-(.+)", getattr(found, "id", "") or "")
        if name:
            self.ids[name[1]] = found.id  # type: ignore[union-attr]
            if kind == "text_input" and found.set_value:  # a browser takes over what the page sets, and sends it back with the next run
                self.widgets[name[1]] = WidgetState(id=found.id, string_value=found.value)

    def put(self, key: str, **value: Any) -> None:
        """A widget was touched."""
        state = WidgetState(id=self.ids[key])
        for field, given in value.items():
            if isinstance(given, list):
                getattr(state, field).data.extend(given)
                getattr(state, field).SetInParent()
            else:
                setattr(state, field, given)
        self.widgets[key] = state

    def pair(self) -> Pair:
        """A pair that no other session has, with this session's mark in both sentences."""
        self.words += 1
        name = f"zq{self.number:02d}n{self.words}"
        return Pair(f"{self.rng.choice(WHO)} {name} {self.rng.choice(DOES)}.", f"{self.rng.choice(WHO)} {name} {self.rng.choice(DOES)}.")

    # ---- what people do

    async def open_lab(self) -> None:
        """The Flip lab with a pair in its address."""
        self.now = self.pair()
        self.widgets, self.page, self.query = {}, "explore", urlencode({"p": self.now.premise, "h": self.now.hypothesis})
        await self.run("open the Flip lab")
        self.check(self.now)

    async def come_back(self) -> None:
        """The Flip lab again: it holds the pair that was left there; then another one is typed."""
        self.page, self.query = "explore", ""
        await self.run("come back to the Flip lab")
        if (self.widgets["p"].string_value, self.widgets["h"].string_value) != (self.now.premise, self.now.hypothesis):
            raise Wrong(f"session {self.number}: the pair that was left is gone: {self.now}")
        await self.type()

    async def type(self) -> None:
        """Another pair is typed."""
        self.now = self.pair()
        self.widgets.pop("pills", None)
        self.put("p", string_value=self.now.premise)
        self.put("h", string_value=self.now.hypothesis)
        await self.run("type")
        self.check(self.now)

    async def masked(self) -> None:
        """A word of the hypothesis is masked by its pill."""
        group = next(
            m.delta.new_element.button_group
            for m in self.seen
            if m.delta.new_element.WhichOneof("type") == "button_group" and m.delta.new_element.button_group.id.endswith("-pills")
        )
        options = [option.content for option in group.options]
        self.put("pills", string_array_value=[options[-1]])
        await self.run("mask")
        text = b"".join(m.SerializeToString() for m in self.seen)
        if b"[MASK]" not in text:
            raise Wrong(
                f"session {self.number}: a word was masked and none is shown masked: {[m.delta.new_element.progress.text for m in self.seen if m.delta.new_element.WhichOneof('type') == 'progress']}"
            )
        self.check(self.now, masked=True)

    def check(self, pair: Pair, *, masked: bool = False) -> None:
        """The bars hold what the models say of this pair; the chips hold its words."""
        shown = [m.delta.new_element.progress.text for m in self.seen if m.delta.new_element.WhichOneof("type") == "progress"]
        numbers = [
            (found[1], float(found[2]))
            for text in shown
            if (found := re.search(r"(entailment|neutral|contradiction)\W.*([01]\.\d{3})$", text))
        ]
        if len(numbers) != 3 * len(MODELS):
            raise Wrong(f"session {self.number}: {len(numbers)} probabilities where {3 * len(MODELS)} belong: {shown}")
        for at, name in enumerate(MODELS):
            model = self.models[name]
            asked = mask(pair, [w for w in model.words(pair) if w.segment == "hypothesis"][-1:]) if masked else pair
            probs = model.predict([asked])[0].probs
            for label, value in numbers[3 * at : 3 * at + 3]:
                expected = probs[next(i for i in LABELS if i.text == label)]
                if abs(value - expected) > 0.0011:
                    raise Wrong(
                        f"session {self.number}: {name} says {label} {value} of its pair, and should say {expected:.4f}, masked {masked}: {asked}; shown: {numbers}"
                    )
        self.checked += 1

    async def browse(self) -> None:
        """The error explorer, another slice each time, then another page of its rows."""
        name = self.rng.choice(("negation", "long", "ambiguity", "all"))
        self.page, self.query = "errors", urlencode({"slice": name, "page": str(self.rng.randint(1, 5)), "view": "rows"})
        await self.run("browse errors")
        await self.run("browse errors, drawn whole")
        await self.download("errors.rows.csv", "download rows", b"premise")

    async def curated(self) -> None:
        """The curated examples as a table, then as a download."""
        self.page, self.query = "curate", "view=table"
        await self.run("browse curated")
        self.query = "view=export"
        await self.run("open export")
        await self.download("curate.export", "export", b"PK")

    async def download(self, key: str, what: str, begins: bytes) -> None:
        """Press a download button: ask for the file's address, then get the file."""
        buttons = [m.delta.new_element.download_button for m in self.seen if m.delta.new_element.WhichOneof("type") == "download_button"]
        found = next((b for b in buttons if b.id.endswith(f"-{key}")), None)
        if found is None:
            raise Wrong(f"session {self.number}: no button {key}")
        begun = time.perf_counter()
        back = BackMsg()
        back.backend_operation_request.request_id = f"{self.number}-{time.time_ns()}"
        back.backend_operation_request.session_id = self.id
        back.backend_operation_request.deferred_file.file_id = found.deferred_file_id
        await self.socket.send(back.SerializeToString())
        while True:
            kind, message = await self.next()
            if kind == "backend_operation_response":
                break
        answer = message.backend_operation_response
        if answer.error_msg:
            raise Wrong(f"session {self.number}: {what}: {answer.error_msg}")
        content = await asyncio.to_thread(lambda: urllib.request.urlopen(self.url + answer.deferred_file.url, timeout=120).read())
        if begins not in content[:200]:
            raise Wrong(f"session {self.number}: {what} is not what it should be: {content[:80]!r}")
        self.times[what].append(time.perf_counter() - begun)

    async def live(self, until: float) -> None:
        """Do all this until the time is up, with the pauses that people make."""
        await self.connect()
        await self.open_lab()
        while time.monotonic() < until:
            for _ in range(self.rng.randint(2, 6)):
                await asyncio.sleep(self.rng.uniform(0.3, 3))
                await (self.type() if self.rng.random() < 0.6 else self.masked())
            await asyncio.sleep(self.rng.uniform(0.5, 3))
            await (self.browse() if self.rng.random() < 0.5 else self.curated())
            await asyncio.sleep(self.rng.uniform(0.5, 2))
            await self.come_back()
        await self.socket.close()


def memory(pid: int) -> float:
    """MiB that the server holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def play(url: str, pid: int, asked: argparse.Namespace) -> dict[str, Any]:
    """All sessions to their end; what was measured."""
    models = {name: load(name) for name in MODELS}
    times: dict[str, list[float]] = defaultdict(list)
    sessions = [Session(number, url, models, times) for number in range(asked.sessions)]
    begun = time.monotonic()
    until = begun + 60 * asked.minutes
    held: list[tuple[float, float]] = []

    async def watch() -> None:
        while True:
            held.append((time.monotonic() - begun, memory(pid)))
            await asyncio.sleep(2)

    watcher = asyncio.create_task(watch())
    ended = await asyncio.gather(*(one.live(until) for one in sessions), return_exceptions=True)
    watcher.cancel()
    wrong = [f"{type(e).__name__}: {e}" for e in ended if isinstance(e, BaseException)]
    settled = [mib for at, mib in held if at > 60 * asked.minutes / 3]
    growth = (settled[-1] - settled[0]) / settled[0] if settled else 0.0
    return {
        "sessions": asked.sessions, "minutes": asked.minutes, "runs": sum(map(len, times.values())), "checked_answers": sum(s.checked for s in sessions),
        "wrong": wrong, "memory_MiB": {"begin": round(held[0][1]), "after_a_third": round(settled[0]) if settled else 0, "end": round(held[-1][1])},
        "growth": round(growth, 4),
        "seconds": {name: {"n": len(t), "p50": round(at(t, 0.5), 2), "p95": round(at(t, 0.95), 2), "max": round(max(t), 2)} for name, t in sorted(times.items())},
    }  # fmt: skip


def at(values: list[float], share: float) -> float:
    """The value below which that share lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--sessions", type=int, default=20)
    ask.add_argument("--minutes", type=float, default=10)
    ask.add_argument("--port", type=int, default=8799)
    ask.add_argument("--growth", type=float, default=0.05)
    asked = ask.parse_args()
    with tempfile.TemporaryDirectory() as home:
        with open_store(f"sqlite:///{home}/curated.db") as store:
            store.add([entry(n, Verdict.KEEP) for n in range(200)])
        settings = {k: v for k, v in os.environ.items() if not k.startswith("ROBUSTNLI_")} | {"ROBUSTNLI_HOME": home}
        log = os.open(f"{home}/server.log", os.O_CREAT | os.O_WRONLY)
        server = start(asked.port, settings, log)
        try:
            told = asyncio.run(play(f"http://127.0.0.1:{asked.port}", server.pid, asked))
        finally:
            server.terminate()
            server.wait(20)
        os.close(log)
        told["tracebacks_in_the_log"] = (Path(home) / "server.log").read_text().count("Traceback")
    told["processors"] = os.cpu_count()
    print(json.dumps(told, indent=2))
    return bool(told["wrong"] or told["tracebacks_in_the_log"] or told["growth"] > asked.growth)


if __name__ == "__main__":
    sys.exit(main())
