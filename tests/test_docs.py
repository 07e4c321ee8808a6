"""What the pages tell people to type can be typed: every ``jiuzhu …`` command in README and docs parses against the real tree,
options and all; what the pages of docs point at is there; every command is in some page.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from jiuzhu_cli.cli.main import COMMANDS, _hoist, build_command

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
SPAN = re.compile(r"`(jiuzhu [^`]*)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


def commands_of(page: Path) -> list[str]:
    """The command lines of a page: lines of shell blocks, and code spans, without comments, ``$`` and what follows ``&&``."""
    text = page.read_text("utf-8")
    lines = [
        line
        for language, block in FENCE.findall(text)
        if language in ("", "sh", "bash", "console")
        for line in block.splitlines()
    ]
    lines += SPAN.findall(FENCE.sub("", text))
    found = []
    for line in lines:
        parts = [re.split(r"\s#", part)[0].strip() for part in line.removeprefix("$ ").split("&&")]
        found += [part for part in parts if part.startswith("jiuzhu ")]
    return found


CASES = sorted({(page.name, line) for page in PAGES for line in commands_of(page)})


@pytest.mark.parametrize(("page", "line"), CASES)
def test_a_command_shown_can_be_typed(page: str, line: str) -> None:
    rest, _, _ = _hoist(shlex.split(line)[1:])
    command: click.Command = build_command()
    context = click.Context(command, info_name="jiuzhu")
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, line
        command, context = found, click.Context(found, info_name=name, parent=context)
    words = {part for param in command.params for part in param.opts}
    unknown = {word.partition("=")[0] for word in rest if word.startswith("-")} - words - {"--help", "--version"}
    assert not unknown, f"{page}: {line}"
    if rest and not isinstance(command, click.Group):
        context.resilient_parsing = True  # a page may name a command without its required parts
        command.parse_args(context, list(rest))


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "docs"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [target for target in LINK.findall(page.read_text("utf-8")) if not (page.parent / target).exists()]
    assert not missing


def test_every_command_is_told_of() -> None:
    told = {line.split()[1] for _, line in CASES if len(line.split()) > 1}
    assert set(COMMANDS) <= told
