"""Who may import whom, which third-party package lives where, and how long files may be: docs/architecture.md, held by the AST."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROWS = (
    {"types", "errors"},
    {
        "config",
        "records",
        "masking",
        "metrics",
        "compare",
        "examples",
        "figures",
        "slices",
        "charts",
        "pies",
        "marked",
        "curated",
        "fast",
        "typed",
        "batching",
        "memory",
    },
    {"data", "checkpoints", "models", "loading", "suite", "slicefile", "jobs", "store"},
    {"attribution", "evidence", "browse", "discover", "exchange", "ownruns", "rowentries", "repairs", "showcase", "method", "formats"},
    {"attack", "gallery", "doctor"},
    {"pipeline", "ui", "testing"},
    {"cli", "__main__", "api"},
)
# Inside a row a module may use these neighbours; any other import within a row is refused.
NEIGHBOURS = {
    ("errors", "types"),
    ("models", "checkpoints"),
    ("models", "loading"),
    ("data", "suite"),
    ("curated", "masking"),
    ("typed", "masking"),
    ("__main__", "cli"),
    ("charts", "compare"),
    ("charts", "metrics"),
    ("pies", "charts"),
    ("pies", "compare"),
    ("browse", "evidence"),
    ("gallery", "attack"),
    ("ownruns", "evidence"),
    ("rowentries", "browse"),
}
FENCES = {
    "streamlit": {"ui", "pages", "app"},
    "torch": {"fast", "batching", "loading", "models", "attribution", "attack", "pipeline", "cli"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "captum": {"attribution", "pipeline"},  # the bench times Captum's own classes against ours
    "datasets": {"data", "exchange", "records", "pipeline"},
    "transformers": {"loading", "pipeline"},
}
LAZY_ONLY = {"config", "checkpoints", "masking", "compare", "figures", "data", "records", "metrics", "ui", "cli", "api"}


def row(module: str) -> int:
    return next(i for i, modules in enumerate(ROWS) if module in modules)


def imports(tree: ast.AST, *, top_only: bool = False) -> set[str]:
    """Dotted names that are imported; `if TYPE_CHECKING` is not run and does not count."""
    found: set[str] = set()
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        stack += ast.iter_child_nodes(node)
    return found


def violations(module: str, source: str) -> list[str]:
    """What is wrong with a module of the package ('models'), a page ('pages') or app.py ('app')."""
    tree = ast.parse(source)
    out = []
    mine = len(ROWS) if module in ("pages", "app") else row(module)
    for name in imports(tree):
        parts = name.split(".")
        if parts[0] == "robustnli" and len(parts) > 1:
            other = parts[1]
            if other == module or not any(other in modules for modules in ROWS):
                continue
            if row(other) > mine or (row(other) == mine and (module, other) not in NEIGHBOURS):
                out.append(f"{module} imports {other}")
        elif parts[0] in FENCES and module not in FENCES[parts[0]]:
            out.append(f"{module} imports {parts[0]}")
    if module in LAZY_ONLY:
        out += [f"{module} imports {n} when it is imported" for n in imports(tree, top_only=True) if n.split(".")[0] == "torch"]
    return out


def sources() -> list[tuple[str, Path]]:
    package = [(p.relative_to(ROOT / "robustnli").parts[0].removesuffix(".py"), p) for p in (ROOT / "robustnli").rglob("*.py")]
    pages = [("pages", p) for p in (ROOT / "pages").glob("*.py")]
    return [item for item in package if item[0] != "__init__"] + pages + [("app", ROOT / "app.py")]


@pytest.mark.parametrize(("module", "path"), sources(), ids=lambda v: v.name if isinstance(v, Path) else v)
def test_layers(module: str, path: Path) -> None:
    assert violations(module, path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("types", "import robustnli.errors"),
        ("masking", "from robustnli.models import load"),
        ("models", "import streamlit"),
        ("figures", "def f():\n    import torch"),
        ("ui", "from robustnli.pipeline import train"),
        ("cli", "import torch"),
        ("compare", "from captum.attr import Saliency"),
    ],
)
def test_a_violation_is_seen(module: str, source: str) -> None:
    assert violations(module, source)


def test_lengths() -> None:
    long = {str(p): len(p.read_text().splitlines()) for _, p in sources()}
    assert {p: n for p, n in long.items() if n > 400} == {}
    assert {p: n for p, n in long.items() if "/pages/" in p and n > 150} == {}


def test_values_are_light() -> None:
    code = "import sys, robustnli.types; sys.exit(bool({'torch', 'streamlit', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_page_imports_no_torch_until_a_model_is_loaded() -> None:
    code = "import sys, robustnli.ui.panels, robustnli.ui.inputs, robustnli.checkpoints; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
