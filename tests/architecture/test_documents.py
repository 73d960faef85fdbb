"""Markdown files whose links lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.architecture import sources

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
SKIPPED = {".venv", ".cache", ".git", "node_modules", "build", "dist"}


def documents() -> list[Path]:
    found = []
    for path in sorted(sources.ROOT.rglob("*.md")):
        parts = path.relative_to(sources.ROOT).parts
        if not any(part in SKIPPED or part.startswith(".") for part in parts[:-1]):
            found.append(path)
    return found


def anchors(text: str) -> set[str]:
    """The names that a document's headings can be linked by, as code hosts make them."""
    names = (re.sub(r"[^\w\- ]", "", title.lower()) for title in HEADING.findall(text))
    return {name.replace(" ", "-") for name in names}


def broken(document: Path) -> list[str]:
    text = CODE.sub("", FENCE.sub("", document.read_text()))
    wrong = []
    for target in LINK.findall(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name) if name else document
        page = path.suffix == ".md" and path.exists()
        lost = anchor and page and anchor not in anchors(path.read_text())
        if lost or not path.exists():
            wrong.append(target)
    return wrong


def test_there_are_documents() -> None:
    assert documents()


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_relative_links_lead_somewhere(document: Path) -> None:
    assert not broken(document)


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n[good](#a-title) [bad](#b) [gone](gone.md) [web](https://a.b/)\n")
    assert broken(page) == ["#b", "gone.md"]


NAMED_TEST = re.compile(r"`(?P<file>[\w/]+\.py)?::(?P<test>test_\w+)`")


def test_the_tests_that_documents_name_exist() -> None:
    """As `e2e/test_x.py::test_y`, or `::test_z` of the file named before."""
    named, missing = 0, []
    for document in documents():
        path = None
        for found in NAMED_TEST.finditer(document.read_text()):
            path = sources.ROOT / "tests" / found["file"] if found["file"] else path
            named += 1
            text = path.read_text() if path is not None and path.exists() else ""
            if f"def {found['test']}(" not in text:
                missing.append(f"{document.name}: {found[0]}")
    assert named, "none is named"
    assert not missing
