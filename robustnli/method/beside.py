"""Reports of finished runs beside the paper: the table, the slices, the leak, the input formats. Every figure is read from a run's files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robustnli.charts import p_text
from robustnli.compare import mcnemar, wilson
from robustnli.config import run_roots
from robustnli.method.paper import PrintedPie, printed
from robustnli.types import ErrorBreakdown

SCORED = "test"
SLICES = ("negation", "ambiguity", "long")


@dataclass(frozen=True, slots=True)
class Report:
    """A run's report.json and manifest.json, and the folder's path."""

    path: Path
    report: Mapping[str, Any]
    manifest: Mapping[str, Any]

    @property
    def models(self) -> tuple[str, ...]:
        """From older to newer."""
        return tuple(self.report["splits"][SCORED]["models"])

    def figures(self, model: str, kind: str = "clean") -> Mapping[str, Any]:
        """A model's figures on SNLI test: clean, or masked against a model."""
        found: Mapping[str, Any] = self.report["splits"][SCORED]["models"][model][kind]
        return found


def reports() -> dict[str, Report]:
    """Protocol -> the first whole experiment of it that is here, the shipped one before others: `clean`, and `paper` where it was made."""
    folders = [p for root in run_roots() if root.is_dir() for p in sorted(root.iterdir()) if p.name[0] != "."]
    found: dict[str, Report] = {}
    for folder in sorted(folders, key=lambda p: p.name not in ("shipped", "paper")):
        one = _read(folder)
        if one is not None:
            found.setdefault(str(one.report["protocol"]), one)
    return {protocol: found[protocol] for protocol in ("clean", "paper") if protocol in found}


def _read(folder: Path) -> Report | None:
    """The report in a folder; None for what is no whole experiment, or cannot be read."""
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        whole = report["protocol"] in ("clean", "paper") and len(report["splits"][SCORED]["models"]) > 1
        return Report(folder, report, manifest) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def table(found: Mapping[str, Report]) -> list[dict[str, str]]:
    """The paper's table beside ours: a row a figure, a column a model of the paper and of each protocol that was run."""
    rows = []
    for row in printed()["row"]:
        name = str(row["figure"])
        cells = {"figure": name} | {f"paper: {m}": _figure(name, row.get(m)) for m in ("baseline", "finetuned")}
        for protocol, one in found.items():
            cells |= {f"ours, {protocol} protocol: {model}": _ours(one, model, name) for model in one.models}
        rows.append(cells | {"printed in": str(row["where"])})
    return rows


def _figure(name: str, value: float | None, interval: Sequence[float] | None = None) -> str:
    if value is None:
        return "-"
    if name.startswith("accuracy"):
        return f"{value:.2%}".replace("%", " %") + (f" ({interval[0]:.2%} to {interval[1]:.2%})".replace("%", " %") if interval else "")
    return f"{value:.4f}" if name.startswith("loss") else f"{value:,.0f}"


def _ours(one: Report, model: str, name: str) -> str:
    if name == "pairs a second":
        speed = one.manifest.get("pairs_per_second") or {}
        return _figure(name, speed.get(model))
    kind = f"masked against {one.models[0]}" if name.endswith("masked") else "clean"
    found = one.figures(model, kind)
    plain = name.split(",")[0]
    return _figure(plain, found[plain], found["accuracy_interval"] if plain == "accuracy" else None)


def comparison(one: Report, older: str, newer: str, split: str = SCORED) -> dict[str, ErrorBreakdown]:
    """Slice -> the four counts of two models on clean pairs."""
    for item in one.report["splits"][split]["comparisons"]:
        if (item["before"], item["after"]) == (older, newer):
            return {
                row["slice"]: ErrorBreakdown(row["slice"], row["fixed"], row["introduced"], row["remaining"], row["still_right"])
                for row in item["sets"]["clean"]
            }
    return {}


def pie_rows(pies: Sequence[PrintedPie], found: Mapping[str, Report]) -> list[dict[str, str]]:
    """The paper's pies and ours of the same slices, a row each: counts first, both denominators with Wilson intervals, McNemar's test."""
    rows = []
    for pie in pies:
        rows.append({"slice": pie.slice, "whose": "paper", "rows": "-"} | counted(pie.counts))
        for protocol, one in found.items():
            older, newer = one.models[:2]
            counts = comparison(one, older, newer).get(pie.slice)
            if counts:
                rows.append({"slice": pie.slice, "whose": f"ours, {protocol} protocol", "rows": f"{counts.n:,}"} | counted(counts))
    return rows


def counted(counts: ErrorBreakdown) -> dict[str, str]:
    """One comparison as cells."""
    either = counts.fixed + counts.introduced + counts.remaining
    older = counts.fixed + counts.remaining
    return {
        "rows with an error": f"{either:,}",
        "fixed": f"{counts.fixed:,}", "introduced": f"{counts.introduced:,}", "remaining": f"{counts.remaining:,}",
        "fixed of all errors": _share(counts.fixed, either), "introduced of all errors": _share(counts.introduced, either),
        "fixed of the older model's errors": _share(counts.fixed, older),
        "McNemar": f"p {p_text(mcnemar(counts.fixed, counts.introduced))}" if counts.fixed + counts.introduced else "-",
    }  # fmt: skip


def _share(hits: int, n: int) -> str:
    if not n:
        return "-"
    low, high = wilson(hits, n)
    return f"{hits / n:.1%} ({low:.0%} to {high:.0%})".replace("%", " %")


def formats(one: Report) -> list[dict[str, str]]:
    """The input-format audit of a run: a row a model and form."""
    return [
        {
            "model": model, "given as": form, "right": f"{found['right']:,} of {found['n']:,}",
            "accuracy": _share(found["right"], found["n"]),
        }
        | {f"says {label}": f"{n:,}" for label, n in found["predicted"].items()}
        for model, forms in one.report["input_formats"].items()
        for form, found in forms.items()
    ]  # fmt: skip
