"""Tries bad input on every entrance for so many seconds, and prints how much was tried: `python docs/reliability/fuzz.py --seconds 600`.

`--only` names an entrance, `--seed` where to begin (another one tries other input), `--go-on` collects faults instead of ending at the first.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fuzzing import ENTRANCES, Count, Fault, attempt

HANG = 120  # seconds by the clock after which a try is given up as hanging


def hangs(*_: object) -> None:
    """The alarm rang: raise in the try that hangs."""
    raise TimeoutError(f"no answer within {HANG} s")


def main() -> int:
    """Try until the time is up; the exit status is 1 where something broke."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=60)
    ask.add_argument("--only", default="")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--go-on", action="store_true")
    ask.add_argument("--memory", type=int, default=8, help="GiB of address space that the process may take")
    asked = ask.parse_args()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (asked.memory << 30, asked.memory << 30))
    signal.signal(signal.SIGALRM, hangs)
    chosen = [e for e in ENTRANCES if not asked.only or e.name == asked.only]
    counts = {e.name: Count() for e in chosen}
    faults: list[str] = []
    seed, until = asked.seed, time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < until and (asked.go_on or not faults):
            for entrance in chosen:
                for n in range(entrance.weight):
                    signal.alarm(HANG)
                    try:
                        attempt(entrance, seed * 1000 + n, Path(folder), counts[entrance.name])
                    except Fault as fault:
                        faults.append(str(fault))
                        print(f"FAULT {fault}", file=sys.stderr, flush=True)
                    finally:
                        signal.alarm(0)
            seed += 1
    told = {name: {"tries": c.tries, "refused": c.refused, "slowest_s": round(c.slowest, 2)} for name, c in counts.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(
        json.dumps(
            {"tries": sum(c.tries for c in counts.values()), "faults": len(faults), "peak_MiB": peak, "next_seed": seed, "entrances": told},
            indent=2,
        )
    )
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
