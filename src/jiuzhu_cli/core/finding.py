"""Findings: what is wrong with a cell, a row or a table, said so that the sender can mend it.

A finding carries codes and values; its Chinese text comes from ``data/findings.toml`` (see ``policy.findings``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Where a value stood: file name, sheet, 1-based row (0: the whole table), column letters ("" : the whole row)."""

    file: str
    sheet: str = ""
    row: int = 0
    column: str = ""

    def cell(self) -> str:
        return f"{self.column}{self.row}" if self.row else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``error`` refuses the row (or the table when ``source.row`` is 0); the others only inform.

    ``column_field`` is the glossary field; ``shown`` is the offending value, already masked; ``values`` fill the message's placeholders, also masked.
    """

    code: str
    severity: Severity
    source: SourceRef
    column_field: str = ""
    shown: str = ""
    values: dict[str, str | int] = field(default_factory=dict)
