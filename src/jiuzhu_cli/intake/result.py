"""What an import did, table by table, as the command line's contract says it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from jiuzhu_cli.core.finding import Finding
from jiuzhu_cli.intake.compare import Comparison
from jiuzhu_cli.policy.load import Policy

MAX_MESSAGES = 200
Status = Literal["imported", "corrected", "already", "superseded_old", "ask", "paid", "refused", "skipped"]
STATUS_WORDS = {
    "imported": "已导入",
    "corrected": "已更正",
    "already": "此前已导入，没有变化",
    "superseded_old": "是已被更正的旧表，没有变化",
    "ask": "没有导入，需要您决定",
    "paid": "没有导入，这份花名册已在发放",
    "refused": "没有导入",
    "skipped": "不是台账，跳过",
}


@dataclass(slots=True)
class TableResult:
    """One table found (or a file in which none could be). Counts are of source rows, persons in ``added`` … ``unchanged``."""

    file: str
    sheet: str = ""
    title: str = ""
    kind: str = ""
    programme: str = ""
    area: str = ""
    month: str = ""
    category: str = ""
    batch: int | None = None
    status: Status = "refused"
    rows: int = 0
    accepted: int = 0
    refused: int = 0
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    amount_fen: int = 0
    stated_total_fen: int | None = None
    errors_file: str = ""
    remainder_file: str = ""
    note: str = ""  # what was decided, in Chinese
    todo: str = ""
    findings: list[Finding] = field(default_factory=list)
    changed_fields: dict[str, int] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    how: dict[str, str] = field(default_factory=dict)
    last_month: Comparison | None = None

    def as_json(self, policy: Policy) -> dict[str, Any]:
        shown = sorted(self.findings, key=lambda f: {"error": 0, "warning": 1, "notice": 2}[f.severity])[:MAX_MESSAGES]
        return {
            "file": self.file,
            "sheet": self.sheet,
            "title": self.title,
            "kind": self.kind,
            "programme": self.programme,
            "area": self.area,
            "month": self.month,
            "category": self.category,
            "batch": self.batch,
            "status": self.status,
            "rows": self.rows,
            "accepted": self.accepted,
            "refused": self.refused,
            "findings": len(self.findings),
            "findings_by_code": dict(sorted(Counter(f.code for f in self.findings).items())),
            "added": self.added,
            "changed": self.changed,
            "withdrawn": self.withdrawn,
            "unchanged": self.unchanged,
            "changed_fields": self.changed_fields,
            "changes": self.changes,
            "amount_fen": self.amount_fen,
            "stated_total_fen": self.stated_total_fen,
            "errors_file": self.errors_file or None,
            "remainder_file": self.remainder_file or None,
            "note": self.note,
            "todo": self.todo,
            "how": self.how,
            "last_month": self.last_month.as_json() if self.last_month is not None else None,
            "messages": [message(finding, policy) for finding in shown],
            "messages_cut": max(0, len(self.findings) - MAX_MESSAGES),
        }


def message(finding: Finding, policy: Policy) -> dict[str, Any]:
    """A finding in words: ``code, severity, sheet, cell, row, field, shown, message, todo``."""
    known = policy.glossary.get(finding.column_field)
    values = values_of(finding) | {"field_name": known.name if known is not None else finding.column_field}
    text, todo = policy.finding_text(finding.code, **values)
    return {
        "code": finding.code,
        "severity": finding.severity,
        "sheet": finding.source.sheet,
        "cell": finding.source.cell(),
        "row": finding.source.row,
        "field": finding.column_field,
        "shown": finding.shown,
        "message": text,
        "todo": todo,
    }


def values_of(finding: Finding) -> dict[str, Any]:
    """What the text of a finding may speak of."""
    return {
        "shown": finding.shown,
        "cell": finding.source.cell(),
        "row": finding.source.row,
        "column": finding.source.column,
        "sheet": finding.source.sheet,
        "field": finding.column_field,
        **finding.values,
    }


@dataclass(slots=True)
class ImportResult:
    """All tables of one import, in the order of the files."""

    tables: list[TableResult] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """4 when something waits for a decision or money has moved, 3 when rows or tables were refused, else 0."""
        if any(table.status in ("ask", "paid") for table in self.tables):
            return 4
        quiet = ("superseded_old", "skipped")
        refused = any(
            t.status == "refused"
            or (t.status not in quiet and (t.refused or any(f.severity == "error" for f in t.findings)))
            for t in self.tables
        )
        return 3 if refused else 0

    def as_json(self, policy: Policy) -> dict[str, Any]:
        tables = self.tables
        return {
            "files": [table.as_json(policy) for table in tables],
            "tables": len(tables),
            "rows": sum(table.rows for table in tables),
            "accepted": sum(table.accepted for table in tables),
            "refused": sum(table.refused for table in tables),
        }
