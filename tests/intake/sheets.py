"""Sheets built by hand, row by row, as the reader hands them over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.finding import Finding
from jiuzhu_cli.intake.find import find_tables
from jiuzhu_cli.intake.table import Hints, Table
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.tabular.cells import Sheet, Workbook

TOWNS = ("城关镇", "青溪镇", "白石乡", "朝阳街道", "石桥镇", "大石桥镇")
TODAY = date(2026, 11, 21)
_POLICY: list[Policy] = []


def policy() -> Policy:
    if not _POLICY:
        _POLICY.append(load_policy(region="421002"))
    return _POLICY[0]


def sheet(
    rows: Sequence[Sequence[Any]],
    *,
    name: str = "Sheet1",
    merged: Sequence[tuple[int, int, int, int]] = (),
    **more: Any,
) -> Sheet:
    width = max((len(row) for row in rows), default=0)
    columns = [[row[index] if index < len(row) else None for row in rows] for index in range(width)]
    return Sheet(name, width=width, height=len(rows), columns=columns, merged=list(merged), **more)


def tables_of(
    *sheets: Sheet,
    file: str = "城关镇2026年10月农村低保花名册.xlsx",
    hints: Hints | None = None,
    folders: Sequence[str] = (),
    towns: Sequence[str] = TOWNS,
) -> tuple[list[Table], list[Finding]]:
    book = Workbook(Path(file), "xlsx", list(sheets), "0" * 64, {})
    return find_tables(
        book, policy(), hints=hints or Hints(), region="421002", towns=towns, today=TODAY, folders=folders
    )


def fields(table: Table) -> dict[str, str]:
    """Field → column letters, extras left out."""
    return {column.field: column.letters for column in table.columns if column.field}


def codes(table: Table) -> list[str]:
    return [finding.code for finding in table.findings]
