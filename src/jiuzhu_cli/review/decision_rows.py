"""The rows of filled-in review workbooks, and how their cells read: words and days, an error naming the cell's header."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.review.output import CASE, CHECKER, DECISION, HEARING, MAKER, NOTICE, REMARK, SEEN
from jiuzhu_cli.tabular.cells import CellError, Sheet, column_letters
from jiuzhu_cli.tabular.read import as_text, read_workbook

HEADERS = (CASE, DECISION, HEARING, NOTICE, REMARK, MAKER, CHECKER)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``cells`` header → (address, value). ``seen``: the newest batch of decisions when its workbook was written."""

    path: Path
    sheet: str
    row: int  # 1-based
    case_id: str
    cells: dict[str, tuple[str, Any]]
    seen: int

    def cell(self, header: str) -> str:
        return self.cells.get(header, (f"A{self.row}", None))[0]

    @property
    def place(self) -> str:
        return f"{self.path.name} {self.sheet} {self.cell(DECISION)}"


class Refused(Exception):
    """A row that cannot be taken, with the header of the cell that is at fault."""

    def __init__(self, header: str, reason: str, todo: str) -> None:
        super().__init__(reason)
        self.header, self.reason, self.todo = header, reason, todo


def read_rows(path: Path) -> tuple[list[Row], str]:
    """The rows of one workbook and its SHA-256; DataError when it holds none."""
    book = read_workbook(path)
    told = book.marks.get(SEEN, "")
    seen = int(told) if told.isdecimal() else 0
    rows = [row for sheet in book.sheets if not sheet.hidden for row in _rows(path, sheet, seen)]
    if not rows:
        raise DataError(
            f"“{path.name}”里没有复核建议（找不到“{CASE}”和“{DECISION}”两列）",
            "用 jiuzhu review run 生成的工作簿填写，不要改表头",
        )
    return rows, book.sha256


def _rows(path: Path, sheet: Sheet, seen: int) -> list[Row]:
    """The rows of a sheet that has the workbook's headers, wherever the header row has come to stand."""
    header: dict[str, int] = {}
    found: list[Row] = []
    for index in range(sheet.height):
        values = [column[index] if index < len(column) else None for column in sheet.columns]
        words = {compact(value): place for place, value in enumerate(values) if isinstance(value, str)}
        if CASE in words and DECISION in words:
            header = {name: words[name] for name in HEADERS if name in words}
            continue
        if not header:
            continue
        case_id = compact(as_text(values[header[CASE]])) if values[header[CASE]] is not None else ""
        cells = {name: (f"{column_letters(place)}{index + 1}", values[place]) for name, place in header.items()}
        if case_id or any(cells[name][1] not in (None, "") for name in cells):
            found.append(Row(path, sheet.name, index + 1, case_id, cells, seen))
    return found


def text_of(row: Row, header: str, *, raw: bool = False) -> str:
    value = row.cells.get(header, ("", None))[1]
    if value is None:
        return ""
    if isinstance(value, CellError):
        raise Refused(header, f"单元格是错误值 {value}", "改成文字或日期")
    text = as_text(value)
    return text if raw else compact(text)


def day_of(row: Row, header: str, today: date) -> date | None:
    value = row.cells.get(header, ("", None))[1]
    if isinstance(value, CellError):
        raise Refused(header, f"单元格是错误值 {value}", "填 YYYY-MM-DD")
    day, problem = parse_date(value)
    if problem:
        raise Refused(header, f"“{header}”不是日期", "填 YYYY-MM-DD，例如 2026-11-03")
    if day is not None and day > today:
        raise Refused(header, f"“{header}”{day.isoformat()} 在今天之后", "事情做了以后再填")
    return day
