"""Every finding code that the sources can raise has a message and says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jiuzhu_cli.policy.load import load_policy

PACKAGE = Path(__file__).parent.parent / "src" / "jiuzhu_cli"
TEXTS = load_policy().findings
# Finding("code", …), problem="code", the codes that core readers return, and tables of codes named *_CODE(S)
_SOURCES = [
    *sorted((PACKAGE / "intake").glob("*.py")),
    *sorted((PACKAGE / "core").glob("*.py")),
    *sorted((PACKAGE / "tabular").glob("*.py")),
]
_CODE = re.compile(
    r"\bFinding\(\s*[\"']([a-z0-9_]+)[\"']|problem=[\"']([a-z0-9_]+)[\"']|_(?:finding|note|problem|report|warn|refuse)\(\s*[\"']([a-z0-9_]+)[\"']"
)


def codes() -> list[str]:
    found: set[str] = set()
    for path in _SOURCES:
        for match in _CODE.finditer(path.read_text("utf-8")):
            found |= {group for group in match.groups() if group}
    return sorted(found)


@pytest.mark.parametrize("code", codes())
def test_code_has_a_text(code: str) -> None:
    assert code in TEXTS


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_text_is_chinese_and_says_what_to_do(code: str) -> None:
    text = TEXTS[code]
    for words in (text.message, text.todo):  # a bare place-holder is filled by an error that brings both sentences
        assert re.search(r"[一-鿿]", words) or words in ("{reason}", "{todo}"), code
