"""Lists as workbooks and their import, for tests of the second half of intake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl

from jiuzhu_cli.intake.batch import Options, import_paths
from jiuzhu_cli.intake.result import ImportResult, TableResult
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import load_policy
from tests.support import REGION, make_id

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
POLICY = load_policy(None, region=REGION)
NAMES = [a + b for a in "王李张刘陈杨赵黄周吴" for b in "伟芳娜敏静丽强磊军洋"]
PERSON_HEADER = ["村", "姓名", "身份证号", "发放金额", "银行账号"]


def name(serial: int) -> str:
    return NAMES[serial % len(NAMES)]


def workbook(
    path: Path,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    title: str = "",
    merges: Sequence[str] = (),
    marks: dict[str, str] | None = None,
) -> Path:
    """One sheet: perhaps a title, the header, the rows, vertical merges by cell range."""
    book = openpyxl.Workbook()
    sheet = book.active
    if title:
        sheet.append([title])
    sheet.append(list(header))
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def person_rows(serials: Sequence[int], amount: float = 100, village: str = "一村") -> list[list[Any]]:
    """Rows under PERSON_HEADER."""
    return [[village, name(s), make_id(s), amount, f"42100100{s:06d}"] for s in serials]


def run(workspace: Workspace, *paths: Path, **options: Any) -> ImportResult:
    return import_paths(workspace, POLICY, list(paths), Options(**options), today=TODAY, now=NOW, actor="张经办")


def run_one(workspace: Workspace, path: Path, **options: Any) -> TableResult:
    result = run(workspace, path, **options)
    assert len(result.tables) == 1, [(t.sheet, t.note) for t in result.tables]
    return result.tables[0]


def record(workspace: Workspace, columns: str, *, kind: str = "roll", status: str = "active") -> list[tuple[Any, ...]]:
    """Columns of the live rows, in order of batch and row."""
    with workspace.open_store() as store:
        sql = f"SELECT {columns} FROM {kind}_row r JOIN batch b USING (batch_id) WHERE b.status = ? ORDER BY r.batch_id, r.row_id"
        return [tuple(row) for row in store.query(sql, (status,))]


def codes(result: TableResult) -> set[str]:
    return {finding.code for finding in result.findings}
