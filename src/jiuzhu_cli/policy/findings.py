"""The text of findings (``data/findings.toml``): what is wrong and what to do, with the finding's values filled in."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.policy.model import FindingText


def fill(findings: Mapping[str, FindingText], code: str, values: Mapping[str, object]) -> tuple[str, str]:
    """(message, todo) of ``code``; a placeholder without a value stays readable as ``…``. PolicyError for an unknown code."""
    text = findings.get(code)
    if text is None:
        raise PolicyError(f"发现代码“{code}”没有说明文字", "在 findings.toml 里补上这一条")
    return format_text(text.message, values), format_text(text.todo, values)


def format_text(template: str, values: Mapping[str, object]) -> str:
    """``template`` with its placeholders filled; one without a value stays readable as ``…``."""
    # field by field, so that a value with braces or a missing one never raises and never reaches attributes
    parts = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(str(values.get(name, "…")))
    return "".join(parts)


def placeholders(template: str) -> set[str]:
    """Names that the template wants filled. ValueError when its braces do not match."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}
