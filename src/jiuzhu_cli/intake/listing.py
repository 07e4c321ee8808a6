"""All findings of an import as one list: where, what, why, what to do; for a file that people filter or scripts read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.intake.result import ImportResult, TableResult, message
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.files import write_bytes
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

SEVERITIES = {"error": "拒收", "warning": "请核对", "notice": "说明"}
KINDS = (".csv", ".json", ".xlsx")
_COLUMNS = {  # key: heading, width, breaks into lines
    "file": ("文件", 28, True), "sheet": ("工作表", 16, False), "row": ("行", 8, False), "column": ("列", 6, False),
    "header": ("表头", 16, False), "field": ("字段", 16, False), "code": ("代码", 22, False), "severity": ("程度", 8, False),
    "shown": ("内容（已遮盖）", 22, False), "message": ("原因", 44, True), "todo": ("怎么办", 44, True), "batch": ("批次", 8, False),
}  # fmt: skip


def finding_rows(tables: list[TableResult], policy: Policy) -> Iterator[dict[str, Any]]:
    """Every finding, in the order of the files and their rows: ``file, sheet, row, column, header, field, code, severity, shown, message, todo, batch``."""
    for table in tables:
        for finding in sorted(table.findings, key=lambda one: (one.source.sheet, one.source.row, one.source.column)):
            said = message(finding, policy)
            known = policy.glossary.get(finding.column_field)
            yield {
                "file": table.file,
                "sheet": finding.source.sheet or table.sheet,
                "row": finding.source.row or None,
                "column": finding.source.column,
                "header": str(finding.values.get("header", "")),
                "field": known.name if known is not None else finding.column_field,
                "code": finding.code,
                "severity": finding.severity,
                "shown": finding.shown,
                "message": said["message"],
                "todo": said["todo"],
                "batch": table.batch,
            }


def check_target(path: Path) -> None:
    """UsageError when ``path`` is no kind of file that findings are written to."""
    if path.suffix.lower() not in KINDS:
        raise UsageError(f"--findings 不认识 {path.suffix or '没有扩展名的文件'}", "写成 .csv、.xlsx 或 .json 文件")


def write_findings(path: Path, result: ImportResult, policy: Policy) -> int:
    """Writes all findings to ``path`` by its suffix; returns how many. OutsideError when it cannot be written."""
    check_target(path)
    rows = list(finding_rows(result.tables, policy))
    if path.suffix.lower() == ".json":
        write_bytes(path, (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode())
        return len(rows)
    told = [[SEVERITIES[row[key]] if key == "severity" else row[key] for key in _COLUMNS] for row in rows]
    if path.suffix.lower() == ".csv":
        write_csv(path, [heading for heading, _, _ in _COLUMNS.values()], told)
    else:
        columns = [
            ColumnSpec(heading, width, "count" if key in ("row", "batch") else "text", wrap=wrap)
            for key, (heading, width, wrap) in _COLUMNS.items()
        ]
        write_xlsx(path, [SheetSpec("问题清单", columns, told, title="导入发现的问题")])
    return len(rows)
