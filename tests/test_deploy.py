"""The app elsewhere: the wheel by building and starting it, the files of hosts and of GPUs by reading them as their readers do."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, its words) of a Dockerfile, comments left out, continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(first.upper(), rest) for first, _, rest in (line.partition(" ") for line in joined.splitlines())]


@pytest.fixture(scope="module")
def docker() -> list[tuple[str, str]]:
    return instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def test_the_image_is_slim_pinned_and_runs_as_nobody_special(docker: list[tuple[str, str]]) -> None:
    by_name = dict(docker)
    known = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT"}
    assert {name for name, _ in docker} <= known and docker[0][0] == "FROM"
    assert re.fullmatch(r"python:3\.1[1-9]-slim-\w+", by_name["FROM"])
    names = [name for name, _ in docker]
    assert by_name["USER"] not in ("root", "0") and names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")
    for _, command in (pair for pair in docker if pair[0] == "RUN"):
        assert "sudo" not in command and "apt-get upgrade" not in command
    installs = " ".join(command for name, command in docker if name == "RUN")
    assert "whl/cpu" in installs and "--constraint requirements.lock" in installs and "PIP_NO_CACHE_DIR=1" in by_name["ENV"]
    assert not [w for w in shlex.split(installs) if w.startswith("torch==")], "its version is that of requirements.txt"


def test_the_image_starts_the_app_and_asks_whether_it_lives(docker: list[tuple[str, str]]) -> None:
    by_name = dict(docker)
    start = yaml.safe_load(by_name["ENTRYPOINT"])
    assert start[:2] == ["robustnli", "app"] and start[start.index("--address") + 1] == "0.0.0.0"
    port = start[start.index("--port") + 1]
    assert by_name["EXPOSE"] == port and f"127.0.0.1:{port}/_stcore/health" in by_name["HEALTHCHECK"]
    assert compile(yaml.safe_load(by_name["HEALTHCHECK"].split("CMD ")[1])[2], "health", "exec")


def test_the_image_holds_what_the_app_needs_and_no_tests_or_history() -> None:
    rules = [r for r in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if r and not r.startswith("#")]
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "*" and all((ROOT / name).exists() for name in kept)
    assert {
        "app.py",
        "pages",
        "cache",
        "robustnli",
        "pyproject.toml",
        "setup.py",
        "requirements.txt",
        "requirements.lock",
        ".streamlit/config.toml",
    } <= kept
    assert not kept & {"tests", ".git", ".venv"}


def test_the_space_is_of_kind_docker_and_knows_the_port(docker: list[tuple[str, str]]) -> None:
    _, header, body = (ROOT / "docs" / "deploy" / "space" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    told = yaml.safe_load(header)
    assert told["sdk"] == "docker" and str(told["app_port"]) == dict(docker)["EXPOSE"] and told["title"] and "Dockerfile" in body
    assert len(told["short_description"]) <= 60, "the hub refuses a longer one"


def test_streamlits_cloud_finds_its_files() -> None:
    assert (ROOT / "app.py").is_file() and (ROOT / "requirements.txt").is_file() and (ROOT / ".streamlit" / "config.toml").is_file()
    secrets = tomllib.loads((ROOT / "docs" / "deploy" / "streamlit" / "secrets.toml").read_text(encoding="utf-8"))
    assert secrets["ROBUSTNLI_READONLY"] == "1" and all(isinstance(v, str) for v in secrets.values()), "they become environment variables"


@pytest.mark.parametrize("gpus", [1, 2, 8])
def test_accelerate_reads_its_configurations(gpus: int) -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    path = str(ROOT / "docs" / "accelerate" / f"{gpus}gpu.yaml")
    read = load_config_from_file(path)
    assert read.num_processes == gpus and read.mixed_precision == "no" and not read.use_cpu
    assert read.distributed_type.value == ("NO" if gpus == 1 else "MULTI_GPU")
    line = re.search(r"^# accelerate launch (.*)$", Path(path).read_text(encoding="utf-8"), re.M)
    assert line and f"docs/accelerate/{gpus}gpu.yaml" in line[1]
    args, _, _ = _validate_launch_command(launch_command_parser().parse_args(["--config_file", path, "-m", "robustnli"]))
    assert args.num_processes == gpus and args.multi_gpu == (gpus > 1) and not args.cpu


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    real = {".".join(p.parent.relative_to(ROOT).parts) for p in (ROOT / "robustnli").rglob("__init__.py") if "_app" not in p.parts}
    assert set(listed) == real, "pyproject.toml: a package that is not listed is missing in the wheel"


def test_every_file_of_the_package_that_is_no_module_is_listed() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    listed = {
        path for package, patterns in data.items() for pattern in patterns for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    real = {p for p in (ROOT / "robustnli").rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc") and "_app" not in p.parts}
    assert real == listed


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which a wheel of this tree was unpacked; its one checkpoint is the tiny one, so that this takes seconds."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")
    for name in ("robustnli", "pages", ".streamlit", "docs/recipes", "tests/fixtures"):
        shutil.copytree(ROOT / name, source / name, ignore=skipped)
    for name in ("app.py", "setup.py", "pyproject.toml", "requirements.txt", "README.md"):
        shutil.copyfile(ROOT / name, source / name)
    shutil.copytree(FIXTURES / "tiny-baseline", source / "cache" / "checkpoints" / "baseline")
    (source / "cache" / "checkpoints" / "half.training").mkdir()
    (source / "cache" / "checkpoints" / "half.training" / "model.safetensors").write_text("unfinished")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        str(source / "dist"),
        ".",
    ]
    done = subprocess.run(build, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def elsewhere(site: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """`python ARGS` in an empty folder, with the unpacked wheel and no setting."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("ROBUSTNLI_")}
    env |= {"PYTHONPATH": str(site), "ROBUSTNLI_HOME": str(folder / "home")}
    return subprocess.run([sys.executable, *args], cwd=folder, env=env, capture_output=True, text=True)


def test_a_wheel_holds_the_app_and_nothing_unfinished(installed: Path) -> None:
    app = installed / "robustnli" / "_app"
    pages = {p.name for p in (ROOT / "pages").glob("*.py")}
    assert (app / "app.py").is_file() and {p.name for p in (app / "pages").iterdir()} == pages
    assert (app / ".streamlit" / "config.toml").is_file() and (app / "docs" / "recipes" / "robust.toml").is_file()
    assert [p.name for p in (app / "cache" / "checkpoints").iterdir()] == ["baseline"]
    assert (installed / "robustnli" / "py.typed").is_file() and not [p for p in installed.rglob("*") if p.suffix == ".pyc"]


def test_a_wheel_answers_anywhere(installed: Path, tmp_path: Path) -> None:
    said = elsewhere(
        installed, tmp_path, "-m", "robustnli", "predict", "--premise", "A cat is sitting.", "--hypothesis", "A cat is swimming."
    )
    assert said.returncode == 0 and said.stdout.split()[:2] == ["baseline", "contradiction"], said.stderr
    told = elsewhere(installed, tmp_path, "-m", "robustnli", "app", "--help")
    assert told.returncode == 0 and "--port" in told.stdout, told.stderr
    code = "import robustnli.config as c, robustnli.pipeline.reproduce as r; print(c.REPOSITORY, r.RECIPES.is_dir(), r.FIXTURES.is_dir())"
    found = elsewhere(installed, tmp_path, "-c", code)
    assert found.stdout.split() == [str(installed / "robustnli" / "_app"), "True", "True"], found.stderr


def test_a_wheel_draws_its_pages(installed: Path, tmp_path: Path) -> None:
    code = (
        "from streamlit.testing.v1 import AppTest; from robustnli.config import REPOSITORY as R\n"
        "at = AppTest.from_file(str(R / 'app.py'), default_timeout=120).run(); assert not at.exception, at.exception\n"
        "print(at.title[0].value)\n"
        "for page in sorted((R / 'pages').glob('*.py')):\n"
        "    at.switch_page(f'pages/{page.name}').run(); assert not at.exception, (page, at.exception)"
    )
    done = elsewhere(installed, tmp_path, "-c", code)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
