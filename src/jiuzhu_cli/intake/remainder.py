"""The workbook of rows that were sent back: corrected, it is imported alone and its rows join their roll.

It is known by its document properties; where a program dropped those, by the number that its title shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.period import find_month
from jiuzhu_cli.intake.cases import CASE_FIELDS, SHARED_FIELDS
from jiuzhu_cli.intake.clean import plain_text
from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.intake.result import TableResult, message
from jiuzhu_cli.intake.rows import OUR_HEADERS, LeftOut, Rows
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.cells import CellError, Workbook
from jiuzhu_cli.tabular.files import safe_name
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

REMAINDER_OF = "jiuzhu_remainder_of"
_LEVEL = "jiuzhu_amount_level"
_SHOWN = re.compile(r"待改正的行（补入批次(\d+)(，金额按人)?）")
_NOTE = "改好红色的格子，保存后直接导入这个文件，改好的行会补进原来的名册。没改的行留着，以后再导入也不会重复。标题里的批次号不要改。"
_HOUSEHOLDS_OWN = {  # figures that stand with the household, which is on the roll already
    *CASE_FIELDS, "income_month", "income_year", "income_per_person_month", "income_per_person_year", "months_paid", "back_pay",
}  # fmt: skip
HEAD_HEADERS = ("户主姓名", "户主身份证号")


def remainder_name(source: str, batch: int) -> str:
    return f"{safe_name(Path(source).stem, limit=60)}_待改正_{batch}.xlsx"


def known_remainder(book: Workbook) -> bool:
    """Whether ``book`` is a workbook of rows sent back; sets its marks from the title where they were lost.

    The marks of one known by its title lack programme and area: the batch tells them.
    """
    if REMAINDER_OF not in book.marks:
        found = set(_titles(book))
        if not found:
            return False
        numbers = {number for number, _, _ in found}
        book.marks[REMAINDER_OF] = numbers.pop() if len(numbers) == 1 else "、".join(sorted(numbers))
        if all(personal for _, personal, _ in found):
            book.marks[_LEVEL] = "person"
        months = {month for _, _, month in found}
        if months != {""}:
            book.marks["jiuzhu_month"] = "、".join(sorted(months))
    return True


def _titles(book: Workbook) -> Iterator[tuple[str, bool, str]]:
    """Number, whether amounts are each person's, and month of every title of ours."""
    for sheet in book.sheets:
        for column in sheet.columns[:3]:
            for cell in column[:3]:
                if isinstance(cell, str) and (match := _SHOWN.search(re.sub(r"\s", "", cell))):
                    yield match.group(1), bool(match.group(2)), find_month(cell)


def rows_present(prepared: Prepared) -> set[int]:
    """1-based rows that were sent back only because their persons are on the roll already: nothing is to be mended in them."""
    errors: dict[int, set[str]] = {}
    for finding in prepared.findings:
        if finding.severity == "error" and finding.source.row:
            errors.setdefault(finding.source.row, set()).add(finding.code)
    return {row for row, codes in errors.items() if codes == {"already_in_roll"}}


def to_mend(prepared: Prepared) -> list[int]:
    """0-based rows that somebody has to correct."""
    present = rows_present(prepared)
    return [row for row in prepared.refused_rows() if row + 1 not in present]


def members_to_mend(prepared: Prepared) -> list[LeftOut]:
    """Members listed in a cell whose own household was taken in without them."""
    rows = prepared.rows
    return [one for one in rows.left_out if not rows.refused[one.person]] if rows is not None else []


def asks_back(prepared: Prepared) -> bool:
    """Whether something of a table is to be corrected and sent again."""
    return bool(to_mend(prepared) or members_to_mend(prepared))


def write_remainder(
    target: Path, tables: Sequence[Prepared], batch: int, policy: Policy, results: Sequence[TableResult]
) -> tuple[str, int]:
    """Just the refused rows of a batch, ready to be corrected and imported. Returns SHA-256 and the number of rows.

    Headers are the glossary's own terms (so that they are surely understood again), cells the text as it stood. A refused
    member of a household carries the head's name and ID, and no figures of the household's.
    """
    sheets: list[SheetSpec] = []
    lines = 0
    for prepared, result in zip(tables, results, strict=True):
        for make in (_remainder_sheet, _members_sheet):
            spec = make(prepared, result, policy, len(sheets) + 1, batch)
            if spec is not None:
                sheets.append(spec)
                lines += len(spec.rows)
    first = tables[0]
    marks = {
        REMAINDER_OF: str(batch),
        "jiuzhu_programme": first.table.code,
        "jiuzhu_month": first.table.month,
        "jiuzhu_area": first.area,
    }
    if any(t.rows is not None and t.rows.personal for t in tables):
        marks[_LEVEL] = "person"
    return write_xlsx(target, sheets, marks=marks), lines


def _remainder_sheet(
    prepared: Prepared, result: TableResult, policy: Policy, number: int, batch: int
) -> SheetSpec | None:
    rows = prepared.rows
    refused = set(to_mend(prepared))
    if rows is None or not refused:
        return None
    table = prepared.table
    columns = [c for c in table.columns if c.field != "serial_no" and c.header not in OUR_HEADERS]
    with_head = bool(rows.lists_members) and "head_id_no" not in rows.columns
    specs = [ColumnSpec(_header(column, rows, policy), 0) for column in columns]
    if with_head:
        specs += [ColumnSpec(header, 20) for header in HEAD_HEADERS if header not in {s.header for s in specs}]
    specs += [ColumnSpec("原表行号", 10), ColumnSpec("退回原因", 60, wrap=True)]
    reasons: dict[int, list[str]] = {}
    bad: dict[int, set[str]] = {}
    for finding in result.findings:
        if finding.severity == "error" and finding.source.row:
            said = message(finding, policy)
            reasons.setdefault(finding.source.row, []).append(f"{said['message']}。{said['todo']}")
            bad.setdefault(finding.source.row, set()).add(finding.source.column)
    person_of: dict[int, int] = {}
    for person, origin in enumerate(rows.origin.tolist()):
        person_of.setdefault(int(table.rows[origin]), person)
    lines: list[list[Any]] = []
    fills: dict[tuple[int, int], str] = {}
    for row in sorted(refused):
        person = person_of[row]
        line = [_remainder_cell(rows, person, row, column) for column in columns]
        for place, column in enumerate(columns):
            if column.letters in bad.get(row + 1, ()):
                fills[(len(lines), place)] = "red"
        if with_head:
            heads = [rows.get("head_name")[person], rows.get("head_id_no")[person]]
            line += [
                value
                for value, header in zip(heads, HEAD_HEADERS, strict=True)
                if header not in {s.header for s in specs[: len(columns)]}
            ]
        lines.append([*line, str(row + 1), "\n".join(reasons.get(row + 1, []))])
    title = _title(prepared, rows, policy, batch)
    return SheetSpec(f"{number} {table.sheet}"[:28], specs, lines, title=title, notes=[_NOTE], fills=fills)


def _members_sheet(
    prepared: Prepared, result: TableResult, policy: Policy, number: int, batch: int
) -> SheetSpec | None:
    """Members out of a shared cell, a row each, with the head of the household that they join; it has its figures already."""
    rows, lost = prepared.rows, members_to_mend(prepared)
    if rows is None or not lost:
        return None
    amount = [ColumnSpec("发放金额", 10)] if "amount_fen" in rows.columns else []
    heads = [ColumnSpec(header, 20) for header in HEAD_HEADERS]
    own = [ColumnSpec("姓名", 10), ColumnSpec("身份证号", 22), ColumnSpec("与户主关系", 10)]
    places = [ColumnSpec("乡镇", 12), ColumnSpec("村", 12)]
    specs = [*places, *heads, *own, *amount, ColumnSpec("原表行号", 10), ColumnSpec("退回原因", 60, wrap=True)]
    reason = "。".join(policy.finding_text("member_id_damaged"))
    columns = [rows.get(name) for name in ("town", "village", "name", "id_no")]
    lines = []
    for one in lost:
        known = [column[one.person] for column in columns]
        blank = [None] * len(amount)
        line = [*known, one.name, one.id_no, one.relation, *blank, str(rows.source_row(one.person)), reason]
        lines.append(line)
    wrong = 2 + len(heads) + 1
    fills = {(at, wrong): "red" for at in range(len(lines))}
    title = _title(prepared, rows, policy, batch)
    sheet = f"{number} {prepared.table.sheet}"[:26] + "成员"
    return SheetSpec(sheet, specs, lines, title=title, notes=[_NOTE], fills=fills)


def _title(prepared: Prepared, rows: Rows, policy: Policy, batch: int) -> str:
    table = prepared.table
    name = policy.programmes[table.code].name if table.code in policy.programmes else policy.registers[table.code].name
    year, _, month = table.month.partition("-")
    when = f"{year}年{int(month)}月" if month else ""
    title = f"{prepared.area.replace('/', '')}{when}{prepared.category}{name}待改正的行"
    return title + f"（补入批次 {batch}{'，金额按人' if rows.personal else ''}）"


def _header(column: Any, rows: Rows, policy: Policy) -> str:
    if rows.columns.get(column.field) is not column and column.field:
        return str(column.header).replace("|", "")
    known = policy.glossary.get(column.field)
    if known is None or rows.table.kind == "register":
        return str(column.header).replace("|", "")
    unit = f"（{column.unit}）" if known.type == "amount" and column.unit != "元" else ""
    level = "户" if known.type == "amount" and column.level == "household" and known.code == "amount_fen" else ""
    return ("户月保障金额" if level else known.name) + unit


def _remainder_cell(rows: Rows, person: int, row: int, column: Any) -> str | None:
    member = rows.lists_members and not rows.lead[person]
    joins_known_head = member and not rows.refused[rows.owner[person]]
    if joins_known_head and column.field in _HOUSEHOLDS_OWN and not rows.personal:
        return None
    text = _text(rows.sheet.columns[column.index][row])
    if text is None and column.field in (*SHARED_FIELDS, "head_name", "head_id_no"):
        value = rows.get(column.field)[person]
        return None if value is None else str(value)
    return text


def _text(cell: Any) -> str | None:
    return str(cell) if isinstance(cell, CellError) else plain_text(cell)
