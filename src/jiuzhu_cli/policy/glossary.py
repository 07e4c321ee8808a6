"""The glossary (词汇表): fields, their Chinese names and the headers that mean them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.policy.model import GlossaryField


def merge_glossary(
    tables: Iterable[tuple[str, Mapping[str, Any]]], make: Callable[[str, str, Any], GlossaryField]
) -> dict[str, GlossaryField]:
    """Fields by code; a later file adds aliases to a field and overrides its other keys.

    A header that a later file gives to another field is taken from the earlier one: the bureau's own word wins.
    """
    merged: dict[str, tuple[str, dict[str, Any]]] = {}
    for shown, table in tables:
        for code, data in table.items():
            if not isinstance(data, Mapping):
                raise PolicyError(f"政策文件 {shown} 的“{code}”应是一组键和值", f"写成 [{code}]")
            before = merged.get(code, ("", {"code": code}))[1]
            aliases = [*before.get("aliases", []), *data.get("aliases", [])]
            taken = {header_key(str(word)) for word in data.get("aliases", [])}
            for other, (source, entry) in merged.items():
                if other != code and source != shown and taken:
                    entry["aliases"] = [word for word in entry.get("aliases", []) if header_key(str(word)) not in taken]
            merged[code] = (shown, before | dict(data) | {"aliases": list(dict.fromkeys(aliases))})
    return {code: make(shown, code, data) for code, (shown, data) in merged.items()}


def header_index(glossary: Mapping[str, GlossaryField]) -> dict[str, str]:
    """``header_key`` → field code, for every alias and name; the first field that claims a header keeps it."""
    index: dict[str, str] = {}
    for field in glossary.values():
        if field.use != "derived":
            for word in (field.name, *field.aliases):
                index.setdefault(header_key(word), field.code)
    return index


def header_clashes(glossary: Mapping[str, GlossaryField]) -> list[tuple[str, str, str]]:
    """Headers that two fields claim: (header, first field, second field)."""
    owner: dict[str, str] = {}
    clashes = []
    for field in glossary.values():
        if field.use != "derived":
            for word in {header_key(word): None for word in (field.name, *field.aliases)}:
                if owner.setdefault(word, field.code) != field.code:
                    clashes.append((word, owner[word], field.code))
    return clashes
