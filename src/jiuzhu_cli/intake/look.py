"""How files are understood, without taking anything in (``import --explain``): every column, every row passed over, every question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.finding import Finding
from jiuzhu_cli.intake.areas import UNKNOWN, is_full_town
from jiuzhu_cli.intake.job import Job, Options, Setting, read_job, supplemented_roll
from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.intake.result import TableResult, message
from jiuzhu_cli.intake.sources import source_files, source_groups, towns_in_names
from jiuzhu_cli.intake.table import Table
from jiuzhu_cli.ledger import rolls
from jiuzhu_cli.ledger.mappings import active_mappings
from jiuzhu_cli.ledger.store import SCHEMA_VERSION, Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.load import Policy
from jiuzhu_cli.tabular.cells import Workbook
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.secret import Secrets

REASONS = {
    "repeated_header": "重复的表头",
    "total": "合计行",
    "subtotal": "小计行",
    "note": "说明文字",
    "signature": "制表、审核等落款",
    "blank": "空行",
    "group": "小标题（村名等）",
    "prefilled": "只有序号或村名，没有人",
    "other_programme": "属于别的项目，另成一张表",
    "other_month": "属于别的月份，另成一张表",
    "month_blank": "这个月没有金额",
}
LEVELS = {"household": "整户", "person": "每人"}


@dataclass(slots=True)
class Seen:
    """One table as understood; ``data`` is the JSON form, ``questions`` what would be asked: (what, what to type)."""

    file: str
    data: dict[str, Any]
    questions: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)  # warnings about the whole table


def look(
    workspace: Workspace,
    policy: Policy,
    paths: Sequence[Path],
    options: Options,
    *,
    today: date,
    secrets: Secrets | None = None,
    read: Callable[[Path, Sequence[str]], Workbook] | None = None,
) -> Iterator[Seen]:
    """The tables of files and folders, in order. Nothing is written: not the record, not the workspace, no copies of files.

    ``read`` opens a file with these passwords (default: in this process). Damaged files are seen, too: their ``data`` has ``note`` and ``todo`` and no columns.
    """
    keys = secrets or Secrets()
    opened = read or (lambda one, passwords: read_workbook(one, passwords=passwords))
    groups = source_groups(source_files(paths, workspace, keys))
    setting = Setting.of(workspace, policy, options, today=today, asked=paths)
    with Store(workspace.ledger_path, migrate=False) as store:
        if store.version == SCHEMA_VERSION:
            setting = setting.remembering(active_mappings(store))
        recorded = {area.partition("/")[0] for area in rolls.areas(store)}
        known = towns_in_names(source for group in groups for source in group) | set(filter(is_full_town, recorded))
        known.update(policy.divisions.likely_towns([*setting.towns, *known]))
        for path, root in (source for group in groups for source in group):
            job = read_job(
                path,
                root,
                setting,
                lambda one: keys.unlock(one, lambda passwords: opened(one, passwords)),
                lambda book: supplemented_roll(store, book),
                known=sorted(known),
            )
            yield from _tables(job, policy)
            job.book = None  # a folder may hold many


def _tables(job: Job, policy: Policy) -> Iterator[Seen]:
    prepared = {id(result): one for one, result in zip(job.tables, job.results, strict=False)}
    for result in job.results:
        yield _seen(result, prepared.get(id(result)), policy)


def _seen(result: TableResult, prepared: Prepared | None, policy: Policy) -> Seen:
    item = policy.programmes.get(result.programme) or policy.registers.get(result.programme)
    data: dict[str, Any] = {
        "file": result.file,
        "sheet": result.sheet,
        "title": result.title,
        "kind": result.kind,
        "programme": result.programme,
        "programme_name": item.name if item else "",
        "month": result.month,
        "area": result.area,
        "category": result.category,
        "rows": result.rows,
        "accepted": result.accepted,
        "refused": result.refused,
        "amount_fen": result.amount_fen,
        "stated_total_fen": result.stated_total_fen,
        "how": result.how,
        "refused_by": _refused_by(result, policy),
        "findings_by_code": dict(sorted(Counter(finding.code for finding in result.findings).items())),
        "note": result.note,
        "todo": result.todo,
    }
    if prepared is not None:
        data |= _of_table(prepared.table, policy)
    seen = Seen(result.file, data)
    for finding in result.findings:
        if finding.source.row:
            continue
        told = message(finding, policy)
        if _asks(finding, result):
            seen.questions.append((told["message"], told["todo"]))
        elif finding.severity != "notice":
            seen.remarks.append((told["message"], told["todo"]))
    if prepared is not None and prepared.damaged:
        text = f"有 {len(prepared.damaged)} 处身份证号或账号损坏"
        seen.remarks.append((text, "导入时会到台账和同来的别的表里找，只有一处对得上的才收下并标明"))
    data["questions"] = [{"question": text, "answer": todo} for text, todo in seen.questions]
    data["remarks"] = [{"remark": text, "todo": todo} for text, todo in seen.remarks]
    return seen


def _refused_by(result: TableResult, policy: Policy) -> dict[str, int]:
    """Why rows would be refused: the finding's name and how many rows."""
    rows = {(f.code, f.source.row) for f in result.findings if f.severity == "error" and f.source.row}
    counted = Counter(code for code, _ in rows)
    return {policy.findings[code].name: count for code, count in counted.most_common()}


def _asks(finding: Finding, result: TableResult) -> bool:
    return finding.severity == "error" or (finding.code == "area_unknown" and result.area == UNKNOWN)


def _of_table(table: Table, policy: Policy) -> dict[str, Any]:
    names = {code: entry.name for code, entry in policy.glossary.items()}
    return {
        "header_rows": [table.header_first + 1, table.header_last + 1],
        "data_rows": [int(table.rows[0]) + 1, int(table.rows[-1]) + 1] if len(table.rows) else [],
        "columns": [
            {
                "column": column.letters,
                "header": column.header,
                "field": column.field,
                "name": names.get(column.field, ""),
                "why": column.why or "没有表头，内容也认不出，原样保留",
                "unit": column.unit
                if column.field.endswith("_fen") or policy_type(policy, column.field) == "amount"
                else "",
                "level": LEVELS.get(column.level, ""),
            }
            for column in table.columns
        ],
        "skipped": [
            {"rows": rows, "reason": reason, "text": REASONS.get(reason, reason)}
            for rows, reason in _blocks(table.skipped)
        ],
        "stated_households": table.stated_households,
        "stated_persons": table.stated_persons,
        "village": table.village,
    }


def policy_type(policy: Policy, field: str) -> str:
    entry = policy.glossary.get(field)
    return entry.type if entry is not None else ""


def _blocks(skipped: Sequence[tuple[int, str]]) -> list[tuple[str, str]]:
    """Rows passed over, 1-based, neighbours of one reason together: ('13-15', 'note')."""
    blocks: list[list[Any]] = []
    for row, reason in sorted(skipped):
        if blocks and blocks[-1][2] == reason and row == blocks[-1][1] + 1:
            blocks[-1][1] = row
        else:
            blocks.append([row, row, reason])
    return [(str(a + 1) if a == b else f"{a + 1}-{b + 1}", reason) for a, b, reason in blocks]
