"""What the site needs beside MkDocs: pages that live outside docs/, and links that lead out of docs/.

README.md and a few others are pages of the site, too. A link to one of them goes to its page; a link to any other file of the repository
is shown as its path, since the site does not hold it; one to a folder goes to the first page in it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {  # file of the repository -> its page in the site
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "robustnli/suite/README.md": "suite.md",
}
_LINK = re.compile(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)\s#]*)(#[^)\s]*)?\)")
_CODE = re.compile(r"(^```.*?^```|`[^`\n]*`(?!\]))", re.M | re.S)


def on_files(files: Any, config: Any) -> Any:
    """The pages from outside docs/ are among the site's files."""
    from mkdocs.structure.files import File

    for source, page in OUTSIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Links of this page, as the site has them."""
    return relinked(markdown, page.file.src_uri)


def relinked(markdown: str, page: str) -> str:
    """The text of a page (its path in the site) with links that lead somewhere in the site."""
    source = next((s for s, p in OUTSIDE.items() if p == page), f"docs/{page}")
    parts = _CODE.split(markdown)
    return "".join(part if i % 2 else _LINK.sub(lambda m: _link(m, source, page), part) for i, part in enumerate(parts))


def _link(found: re.Match[str], source: str, page: str) -> str:
    picture, text, path, anchor = found[1], found[2], found[3], found[4] or ""
    target = os.path.normpath(PurePosixPath(source).parent / path)
    if (ROOT / target).is_dir():
        inside = sorted((ROOT / target).glob("*.md"))
        target = str(inside[0].relative_to(ROOT)) if inside and target.startswith("docs/") else target
    if target in OUTSIDE:
        place = OUTSIDE[target]
    elif target.startswith("docs/") and (ROOT / target).is_file():
        place = target.removeprefix("docs/")
    else:
        return f"{text} (`{target}`)" if text.strip("`") != target else f"`{target}`"
    return f"{picture}[{text}]({os.path.relpath(place, PurePosixPath(page).parent)}{anchor})"
