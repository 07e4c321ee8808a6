"""Values as the cells of a workbook show them: text with marked characters, 分 as 元, days and times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Marked:
    """A text cell of which some characters are red and bold: ``spans`` of (from, to), in order, not touching."""

    text: str
    spans: tuple[tuple[int, int], ...]


class Yuan(float):
    """元 that XlsxWriter writes in its shortest exact form: its own 16 digits make 0.07 into 0.07000000000000001."""

    def __format__(self, spec: str) -> str:
        return f"{float(self):.2f}".rstrip("0").rstrip(".")


def exact_yuan(fen: int) -> str:
    """元 in their shortest exact form; of whole 分 without a float."""
    if fen.__class__ is not int or not 0 <= fen < 1 << 50:
        return f"{Yuan(fen / 100)}"
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def shown(value: Any, kind: str) -> str:
    """A value as the cell shows it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Marked):
        return value.text
    if kind == "amount":
        return f"{value / 100:.2f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
