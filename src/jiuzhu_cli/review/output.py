"""What a review run leaves for people: the list (CSV) and the workbook that clerks fill in, both written from the record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.tabular.files import safe_name
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from jiuzhu_cli.tabular.writecsv import write_csv

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

ACTIONS = {
    "stop": "停发",
    "decrease": "调减",
    "increase": "调增",
    "transfer": "停旧建新",
    "check": "核查",
    "grace": "渐退",
    "start": "新增",
    "keep": "不变",
}
CSV_HEADER = (
    "case_id", "id_no", "name", "programme", "area", "action", "month", "amount_before_fen", "amount_after_fen", "reasons", "basis", "needs_hearing",
)  # fmt: skip
AGREE, REJECT = "同意", "不同意"
CASE, DECISION, HEARING, NOTICE, REMARK = "建议编号", "决定", "听取意见日期", "书面告知日期", "备注"
MAKER, CHECKER = "决定人", "复核人"
SEEN = "jiuzhu_decisions"  # mark of a workbook: the newest batch of decisions when it was written
STATES = {"open": "", "agreed": AGREE, "effective": AGREE, "rejected": REJECT}
_COLUMNS = (
    ColumnSpec(CASE, 10),
    ColumnSpec("身份证号", 20),
    ColumnSpec("姓名", 10),
    ColumnSpec("救助项目", 16),
    ColumnSpec("乡镇/村", 18),
    ColumnSpec("现金额（元）", 12, "amount"),
    ColumnSpec("建议金额（元）", 12, "amount"),
    ColumnSpec("差额（元）", 12, "amount"),
    ColumnSpec("拟生效月份", 11),
    ColumnSpec("理由", 44, wrap=True),
    ColumnSpec("计算过程", 44, wrap=True),
    ColumnSpec("依据", 36, wrap=True),
    ColumnSpec("须听取意见", 11),
    ColumnSpec(DECISION, 10, choices=(AGREE, REJECT)),
    ColumnSpec(HEARING, 14),
    ColumnSpec(NOTICE, 14),
    ColumnSpec(REMARK, 24, wrap=True),
    ColumnSpec(MAKER, 10),
    ColumnSpec(CHECKER, 10),
)


def folder_of(workspace: Workspace, month: str) -> Path:
    return workspace.internal / "review" / month


def write_outputs(
    workspace: Workspace,
    policy: Policy,
    month: str,
    rows: Sequence[dict[str, Any]],
    not_judged: Sequence[dict[str, Any]],
    unconfirmed: Sequence[ParameterValue],
    *,
    seen: int = 0,
    split_by_town: bool = False,
) -> list[tuple[Path, str, str]]:
    """Writes list and workbook of the month's proposals; returns ``(path, sha256, kind)``, the CSV first. Same record, same bytes.

    ``seen``: the newest batch of decisions. ``split_by_town``: a workbook for each town besides, to be sent out and read back in parts.
    """
    folder = folder_of(workspace, month)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    listed = folder / f"review-{month}.csv"
    digest = write_csv(listed, CSV_HEADER, [_csv_row(row) for row in rows])
    book = folder / f"复核建议-{month}.xlsx"
    names = {p.code: p.name for p in policy.programmes.values()}
    marks = {"jiuzhu": "review", "month": month, SEEN: str(seen)}
    book_digest = write_xlsx(book, _sheets(month, rows, not_judged, unconfirmed, names), marks=marks)
    written = [(listed, digest, "review_csv"), (book, book_digest, "review_workbook")]
    towns: dict[str, list[dict[str, Any]]] = {}
    for row in rows if split_by_town else ():
        towns.setdefault(row["area"].partition("/")[0], []).append(row)
    for town, own in sorted(towns.items()):
        path = folder / f"复核建议-{month}-{safe_name(town or '未注明乡镇')}.xlsx"
        written.append(
            (path, write_xlsx(path, _sheets(month, own, (), unconfirmed, names), marks=marks), "review_town")
        )
    return written


def _sheets(
    month: str,
    rows: Sequence[dict[str, Any]],
    not_judged: Sequence[dict[str, Any]],
    unconfirmed: Sequence[ParameterValue],
    names: dict[str, str],
) -> list[SheetSpec]:
    sheets = [_summary(month, rows, not_judged, unconfirmed, names)]
    for action, title in ACTIONS.items():
        chosen = [row for row in rows if row["action"] == action]
        if chosen:
            sheets.append(_sheet(title, month, chosen, names))
    return sheets


def _csv_row(row: dict[str, Any]) -> list[Any]:
    fields = {"amount_before_fen", "amount_after_fen"}
    return [("" if row[name] is None else row[name]) if name in fields else row[name] for name in CSV_HEADER]


def value_text(value: ParameterValue) -> str:
    """A parameter's value with its unit, as people read it: switches are 是 or 否."""
    if isinstance(value.value, bool):
        return "是" if value.value else "否"
    return f"{value.value}{value.unit}"


def steps_text(steps: Sequence[dict[str, Any]]) -> str:
    """An amount's way in lines, each figure with the date and document of its parameter."""
    lines = []
    for step in steps:
        line = f"{step['label']} {step.get('value', '')}".rstrip()
        if step.get("how"):
            line += f" ＝ {step['how']}" if "adds_fen" in step else f"（{step['how']}）"
        if step.get("source"):
            line += f"（自 {step['since']}，{step['source']}{'' if step['confirmed'] else '，请核对'}）"
        lines.append(line)
    return "\n".join(lines)


def _sheet(title: str, month: str, rows: Sequence[dict[str, Any]], names: dict[str, str]) -> SheetSpec:
    body = []
    for row in rows:
        before, after = row["amount_before_fen"], row["amount_after_fen"]
        body.append(
            (
                row["case_id"],
                row["id_no"],
                row["name"],
                names.get(row["programme"], row["programme"]),
                row["area"],
                before,
                after,
                after - before if before is not None and after is not None else None,
                row["effective_month"],
                row["reasons"],
                steps_text(row["steps"]),
                row["basis"],
                "是" if row["needs_hearing"] else "否",
                STATES[row["state"]],
                row["hearing_date"],
                row["notice_date"],
                row["decision_note"],
                row["maker"],
                row["checker"],
            )
        )
    yellow = {(i, j): "yellow" for i, row in enumerate(rows) if row["needs_hearing"] for j in (14, 15)}
    return SheetSpec(
        title,
        _COLUMNS,
        body,
        title=f"{month} 复核建议：{title}",
        notes=[
            "在“决定”列选同意或不同意；黄格须填日期（YYYY-MM-DD），缺一不能生效。决定人、复核人不能是同一人。内部资料，不得外传。"
        ],
        fills=yellow,
        freeze_columns=3,
    )


def _summary(
    month: str,
    rows: Sequence[dict[str, Any]],
    not_judged: Sequence[dict[str, Any]],
    unconfirmed: Sequence[ParameterValue],
    names: dict[str, str],
) -> SheetSpec:
    counts = Counter((row["programme"], row["action"]) for row in rows)
    body: list[tuple[str, str, int | None, int | None, str]] = []
    for (programme, action), number in sorted(counts.items()):
        chosen = [row for row in rows if row["programme"] == programme and row["action"] == action]
        change = sum(
            row["amount_after_fen"] - row["amount_before_fen"]
            for row in chosen
            if row["amount_after_fen"] is not None and row["amount_before_fen"] is not None
        )
        body.append(
            (names.get(programme, programme), ACTIONS[action], number, None if action == "check" else change, "")
        )
    for gap in not_judged:
        where = "：".join(part for part in (names.get(gap["programme"], ""), gap["area"]) if part)
        body.append((where or "各项目", "没有核算", gap["cases"] or None, None, gap["reason"]))
    for value in unconfirmed:
        body.append((value.name, "请核对", None, None, f"{value_text(value)}（{value.source}）"))
    return SheetSpec(
        "说明",
        (ColumnSpec("项目", 34, wrap=True), ColumnSpec("建议", 10), ColumnSpec("户（人）数", 11, "count"), ColumnSpec("月增减（元）", 14, "amount"), ColumnSpec("说明", 58, wrap=True)),
        body,
        title=f"{month} 动态复核建议",
        notes=[
            "怎么办：一、逐表核实，在“决定”列选同意或不同意，备注写明情况。",
            "二、停发、调减须先听取救助对象意见，作出决定后书面告知并说明理由（社会救助法第48条），两个日期填在黄格里；告知书写明可申请行政复议或提起行政诉讼。",
            "三、对象已死亡的停发不需听取本人意见，书面告知家属或供养机构。",
            "四、填好后运行 jiuzhu review decide 本文件。生效从决定次月起；死亡的从死亡次月起。“核查”只记录结果，不改金额。",
        ],
        autofilter=False,
    )  # fmt: skip
