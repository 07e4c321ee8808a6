"""The files an import leaves for the clerk: the annotated copy and the workbook of rows to be corrected.

Both are written after the commit, from the source and its findings only, so that running the import again writes the
same bytes under the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.intake.cases import CASE_FIELDS, SHARED_FIELDS
from jiuzhu_cli.intake.clean import plain_text
from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.intake.result import STATUS_WORDS, TableResult, message
from jiuzhu_cli.intake.rows import Rows
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.annotate import MAX_KEPT_CELLS, CellMark, annotate_copy, write_fronts
from jiuzhu_cli.tabular.cells import CellError, Workbook
from jiuzhu_cli.tabular.files import safe_name
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

REMAINDER_OF = "jiuzhu_remainder_of"
SEVERITIES = {"error": "拒收", "warning": "请核对", "notice": "说明"}
_HOUSEHOLDS_OWN = {  # figures that stand with the household, which is on the roll already
    *CASE_FIELDS, "income_month", "income_year", "income_per_person_month", "income_per_person_year", "months_paid", "back_pay",
}  # fmt: skip
HEAD_HEADERS = ("户主姓名", "户主身份证号")


def errors_name(source: str) -> str:
    return f"{safe_name(Path(source).stem, limit=60)}_核对结果.xlsx"


def remainder_name(source: str, batch: int) -> str:
    return f"{safe_name(Path(source).stem, limit=60)}_待改正_{batch}.xlsx"


def write_errors(
    target: Path,
    book: Workbook,
    tables: Sequence[Prepared],
    results: Sequence[TableResult],
    policy: Policy,
    changes: Sequence[SheetSpec] = (),
) -> str:
    """The annotated copy: bad cells red, reasons in a last column, a summary and ``changes`` in front. Returns the SHA-256.

    A file with nothing wrong gives the summary and the changes alone.
    Of a text file so large that a full copy would take longer than the import itself only the concerned rows are given,
    each with its row number of the original.
    """
    marks: list[CellMark] = []
    reasons: dict[tuple[str, int], list[str]] = {}
    for result in results:
        for finding in result.findings:
            if finding.severity == "notice" or not finding.source.row:
                continue
            said = message(finding, policy)
            text = f"{SEVERITIES[finding.severity]}：{said['message']}。{said['todo']}"
            if finding.source.column:
                colour: Literal["red", "yellow"] = "red" if finding.severity == "error" else "yellow"
                marks.append(CellMark(finding.source.sheet, finding.source.row, finding.source.column, text, colour))
            reasons.setdefault((finding.source.sheet, finding.source.row), []).append(text)
    joined = {place: "\n".join(texts) for place, texts in reasons.items()}
    fronts = [_summary(results, policy), *changes]
    if not any(finding.severity != "notice" for result in results for finding in result.findings):
        return write_fronts(target, fronts)
    if book.kind != "xlsx" and sum(sheet.width * sheet.height for sheet in book.sheets) > MAX_KEPT_CELLS:
        return write_xlsx(target, [*fronts, *_concerned(book, tables, marks, joined)])
    headers = {table.table.sheet: table.table.header_last + 1 for table in reversed(tables)}
    return annotate_copy(book.path, target, marks, joined, *fronts, header_rows=headers, book=book)


def _summary(results: Sequence[TableResult], policy: Policy) -> SheetSpec:
    rows: list[list[Any]] = []
    for result in results:
        item = policy.programmes.get(result.programme) or policy.registers.get(result.programme)
        rows.append(
            [
                result.sheet, item.name if item else "", result.area or "全区", result.month, result.rows, result.accepted,
                result.refused, result.amount_fen, result.stated_total_fen, "", "", "",
            ]
        )  # fmt: skip
        rows += [[result.sheet, *[None] * 8, *told] for told in _by_code(result, policy)]
    columns = [
        ColumnSpec("工作表", 16), ColumnSpec("项目", 16), ColumnSpec("范围", 14), ColumnSpec("月份", 10),
        ColumnSpec("行数", 8, "count"), ColumnSpec("收下", 8, "count"), ColumnSpec("拒收", 8, "count"),
        ColumnSpec("收下金额", 14, "amount"), ColumnSpec("表中合计", 14, "amount"), ColumnSpec("程度", 8),
        ColumnSpec("问题", 40, wrap=True), ColumnSpec("怎么办", 40, wrap=True),
    ]  # fmt: skip
    worst = {finding.severity for result in results for finding in result.findings}
    if "error" in worst:
        notes = [
            "红色的被退回，黄色的已收下、请核对，最后一列写明原因和办法。只需改“待改正”工作簿里的行，改好后直接导入即可。"
        ]
    elif "warning" in worst:
        notes = ["没有退回的行。黄色单元格请核对，最后一列写明原因；确有错误的，改正后重新导入整份名册。"]
    else:
        notes = ["没有发现问题。"]
    return SheetSpec("核对结果", columns, rows, title="导入核对结果", notes=notes)


def _by_code(result: TableResult, policy: Policy) -> list[tuple[str, str, str]]:
    """Degree, problem and remedy of a table's findings, the gravest first; what stands at cells is one line a code."""
    out: dict[tuple[str, str, str], list[str]] = {}
    remedies: dict[tuple[str, str, str], tuple[str, str]] = {}
    for finding in result.findings:
        said, source = message(finding, policy), finding.source
        key: tuple[str, str, str] = (finding.severity, finding.code, "" if source.row else said["message"])
        place = f"{source.column}{source.row}" if source.column else f"第{source.row}行"
        out.setdefault(key, []).extend([place] if source.row else [])
        remedies.setdefault(key, (said["message"], said["todo"]))
    lines = []
    for key, every in sorted(out.items(), key=lambda item: list(SEVERITIES).index(item[0][0])):
        text, todo = remedies[key]
        places = list(dict.fromkeys(every))
        if places:
            name = policy.findings[key[1]].name if len(places) > 1 else text
            text = f"{name}　{len(places)} 处：{'、'.join(places[:10])}{' 等' if len(places) > 10 else ''}"
        lines.append((SEVERITIES[key[0]], text, todo))
    return lines


def _concerned(
    book: Workbook, tables: Sequence[Prepared], marks: Sequence[CellMark], reasons: dict[tuple[str, int], str]
) -> list[SheetSpec]:
    """Per table: the rows with a finding, red cells and reasons, under the original headers."""
    red: dict[tuple[str, int], list[int]] = {}
    for mark in marks:
        row, column = mark.place
        red.setdefault((mark.sheet, row + 1), []).append(column)
    sheets = []
    by_name = {sheet.name: sheet for sheet in book.sheets}
    for number, prepared in enumerate(tables, 1):
        table = prepared.table
        sheet = by_name[table.sheet]
        own = set(table.rows.tolist())
        rows: list[list[Any]] = []
        fills: dict[tuple[int, int], str] = {}
        for (name, row), text in sorted(reasons.items()):
            if name != table.sheet or row - 1 not in own:
                continue
            for place, one in enumerate(table.columns):
                if one.index in red.get((name, row), ()):
                    fills[(len(rows), place + 1)] = "red"
            rows.append([str(row), *(_text(sheet.columns[c.index][row - 1]) for c in table.columns), text])
        columns = [ColumnSpec("原表行号", 10)]
        columns += [ColumnSpec(c.header.replace("|", " "), 0) for c in table.columns]
        columns.append(ColumnSpec("核对结果", 60, wrap=True))
        note = "原表很大，这里只列有问题的行，行号是原表的行号。"
        sheets.append(SheetSpec(f"{number} {table.sheet}"[:28], columns, rows, notes=[note], fills=fills))
    return sheets


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
        spec = _remainder_sheet(prepared, result, policy, len(sheets) + 1)
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
        marks["jiuzhu_amount_level"] = "person"
    return write_xlsx(target, sheets, marks=marks), lines


def _remainder_sheet(prepared: Prepared, result: TableResult, policy: Policy, number: int) -> SheetSpec | None:
    rows = prepared.rows
    refused = set(prepared.refused_rows())
    if rows is None or not refused:
        return None
    table = prepared.table
    columns = [c for c in table.columns if c.field not in ("serial_no",)]
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
    name = policy.programmes[table.code].name if table.code in policy.programmes else policy.registers[table.code].name
    year, _, month = table.month.partition("-")
    when = f"{year}年{int(month)}月" if month else ""
    title = f"{prepared.area.replace('/', '')}{when}{prepared.category}{name}待改正的行"
    return SheetSpec(f"{number} {table.sheet}"[:28], specs, lines, title=title, fills=fills)


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


def summary_lines(result: TableResult, policy: Policy) -> list[str]:
    """What happened to one table, for the screen."""
    item = policy.programmes.get(result.programme) or policy.registers.get(result.programme)
    what = " ".join(
        filter(None, [item.name if item else "认不出是什么表", result.category, result.area or "全区", result.month])
    )
    lines = [f"{result.file}　{result.sheet}　{what}"]
    lines.append(f"  {STATUS_WORDS[result.status]}{'：' + result.note if result.note else ''}")
    if result.status == "corrected":
        lines.append(
            f"  新增 {result.added} 人，变更 {result.changed} 人，撤下 {result.withdrawn} 人，不变 {result.unchanged} 人"
        )
    taken = result.status in ("imported", "corrected")
    if taken and result.stated_total_fen is not None and result.stated_total_fen != result.amount_fen:
        lines.append(
            f"  收下 {yuan(result.amount_fen, grouped=True)} 元，表中合计 {yuan(result.stated_total_fen, grouped=True)} 元"
        )
    return lines
