"""The files an import leaves for the clerk: the annotated copy and the workbook of rows to be corrected.

Both are written after the commit, from the source and its findings only, so that running the import again writes the
same bytes under the same names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.intake.clean import plain_text
from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.intake.result import STATUS_WORDS, TableResult, message
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.annotate import MAX_KEPT_CELLS, CellMark, CopyDraft, annotate_copy, write_fronts
from jiuzhu_cli.tabular.cells import CellError, Workbook
from jiuzhu_cli.tabular.files import safe_name
from jiuzhu_cli.tabular.ours import FRONTS
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

SEVERITIES = {"error": "拒收", "warning": "请核对", "notice": "说明"}


def errors_name(source: str) -> str:
    return f"{safe_name(Path(source).stem, limit=60)}_核对结果.xlsx"


class Marks(NamedTuple):
    """What is put into the sheets: coloured cells, reasons by sheet and 1-based row, the row of each sheet's header."""

    cells: list[CellMark]
    reasons: dict[tuple[str, int], str]
    header_rows: dict[str, int]


def marks_of(tables: Sequence[Prepared], results: Sequence[TableResult], policy: Policy) -> Marks:
    """What the findings of a file mark in its copy."""
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
    return Marks(marks, joined, header_rows(tables))


def header_rows(tables: Sequence[Prepared]) -> dict[str, int]:
    """The 1-based row of the last line of each sheet's first header."""
    return {table.table.sheet: table.table.header_last + 1 for table in reversed(tables)}


def write_errors(
    target: Path,
    book: Workbook,
    tables: Sequence[Prepared],
    results: Sequence[TableResult],
    policy: Policy,
    changes: Sequence[SheetSpec] = (),
    draft: CopyDraft | None = None,
) -> str:
    """The annotated copy: bad cells red, reasons in a last column, a summary and ``changes`` in front. Returns the SHA-256.

    A file with nothing wrong gives the summary and the changes alone.
    Of a text file so large that a full copy would take longer than the import itself only the concerned rows are given,
    each with its row number of the original.
    """
    marks, joined, headers = marks_of(tables, results, policy)
    fronts = [_summary(results, policy), *changes]
    if not any(finding.severity != "notice" for result in results for finding in result.findings):
        return write_fronts(target, fronts)
    if book.kind != "xlsx" and sum(sheet.width * sheet.height for sheet in book.sheets) > MAX_KEPT_CELLS:
        return write_xlsx(target, [*fronts, *_concerned(book, tables, marks, joined)])
    return annotate_copy(book.path, target, marks, joined, *fronts, header_rows=headers, book=book, draft=draft)


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
    return SheetSpec("核对结果", columns, rows, title=FRONTS["核对结果"], notes=notes)


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


def _text(cell: Any) -> str | None:
    return str(cell) if isinstance(cell, CellError) else plain_text(cell)


def summary_lines(result: TableResult, policy: Policy) -> list[str]:
    """What happened to one table, for the screen."""
    item = policy.programmes.get(result.programme) or policy.registers.get(result.programme)
    what = " ".join(
        filter(None, [item.name if item else "认不出是什么表", result.category, result.area or "全区", result.month])
    )
    read = result.sheet or item  # of a file in which nothing could be found its name is all that there is to say
    lines = [f"{result.file}　{result.sheet}　{what}" if read else result.file]
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
