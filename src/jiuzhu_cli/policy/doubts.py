"""Codes of doubts (``data/doubts.toml``): their kind (``core/doubt.py``), names, notes and wording."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from jiuzhu_cli.policy.model import DoubtCode

FILE = "doubts.toml"


def read_doubts(tables: Iterable[tuple[str, dict[str, Any]]], build: Callable[..., Any]) -> dict[str, DoubtCode]:
    """By code: the shipped table and the bureau's over it, key by key. PolicyError (by ``build``) names file and code."""
    merged: dict[str, tuple[str, dict[str, Any]]] = {}
    for shown, table in tables:
        entries = table.get("codes", {})
        for code, data in entries.items() if isinstance(entries, dict) else ():
            merged[code] = (shown, merged.get(code, ("", {"code": code}))[1] | data)
    return {code: build(DoubtCode, data, shown, code) for code, (shown, data) in merged.items()}


@cache
def shipped() -> dict[str, DoubtCode]:
    """The codes that come with the program: for their names where no policy is at hand."""
    from jiuzhu_cli.policy.files import DATA
    from jiuzhu_cli.policy.parts import build, parse_toml

    return read_doubts([(FILE, parse_toml((DATA / FILE).read_bytes(), FILE))], build)
