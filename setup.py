"""What pyproject.toml cannot say: a wheel carries what the app needs of the repository in `robustnli/_app` (see `robustnli.config.REPOSITORY`)."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CARRIED = (
    "app.py", "pages/*.py", ".streamlit/config.toml", "cache/**/*", "docs/recipes/*.toml", "tests/fixtures/tiny-*/*", "tests/fixtures/*.jsonl"
)  # fmt: skip


def carried() -> list[Path]:
    """The files, named from the repository's root; nothing hidden but what is named, no unfinished training."""
    found = {path for pattern in CARRIED for path in ROOT.glob(pattern) if path.is_file()}
    named = (path.relative_to(ROOT) for path in found)
    return sorted(
        n for n in named if n.parts[0] == ".streamlit" or not any(p.startswith((".", "__")) or p.endswith(".training") for p in n.parts)
    )


class BuildWithApp(build_py):
    """`build_py`, and a copy of the carried files where a wheel is built; an editable install finds the repository itself."""

    def run(self) -> None:
        """Build the modules, then copy."""
        super().run()
        if not self.editable_mode:
            for name in carried():
                target = Path(self.build_lib, "robustnli", "_app", name)
                self.mkpath(str(target.parent))
                self.copy_file(str(ROOT / name), str(target))

    def get_source_files(self) -> list[str]:
        """So that a source archive carries them, too."""
        return [*super().get_source_files(), *map(str, carried())]


setup(cmdclass={"build_py": BuildWithApp})
