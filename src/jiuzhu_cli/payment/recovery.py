"""Money to be recovered (追缴): paid out, and only then known to be owed to nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger import recoveries
from jiuzhu_cli.ledger.files import record_file
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

WORDS = {
    "dead": "死亡后发放", "doubt_confirmed": "已确认重复", "stopped": "停发后发放", "overpaid": "多发", "withdrawn": "名册已撤回",
}  # fmt: skip
BASIS = {
    "dead": "死亡次月起停发（特困人员认定办法第24条；低保按最低生活保障审核确认办法动态管理）",
    "doubt_confirmed": "同一待遇不得重复享受；骗取的依《社会救助法》第73条",
    "stopped": "终止决定生效后不再发放",
    "overpaid": "更正后的花名册",
    "withdrawn": "更正后的花名册",
}


@dataclass(slots=True)
class Recoveries:
    """``rows``: as ``ledger.recoveries.recoveries``; ``by_code``: cause → (lines, 分)."""

    rows: list[dict[str, Any]]
    by_code: dict[str, tuple[int, int]]
    files: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "lines": len(self.rows),
            "amount_fen": sum(row["over_fen"] for row in self.rows),
            "by_code": {code: {"lines": n, "amount_fen": fen} for code, (n, fen) in self.by_code.items()},
            "files": self.files,
        }


def recover(
    store: Store, workspace: Workspace, policy: Policy, *, month: str = "", actor: str, now: datetime
) -> Recoveries:
    """Lists what must come back, of ``month`` or of all months, and writes the workbook; nothing is booked."""
    if month:
        check_month(month)
    grace = {code: p.review.death_grace_months for code, p in policy.programmes.items()}
    rows = recoveries.recoveries(store, month=month, grace=grace)
    by_code: dict[str, tuple[int, int]] = {}
    for row in rows:
        count, fen = by_code.get(row["code"], (0, 0))
        by_code[row["code"]] = (count + 1, fen + row["over_fen"])
    found = Recoveries(rows, by_code)
    if rows:
        found.files = [_workbook(store, workspace, policy, found, month, actor=actor, now=now)]
    return found


def _workbook(
    store: Store, workspace: Workspace, policy: Policy, found: Recoveries, month: str, *, actor: str, now: datetime
) -> dict[str, Any]:
    names = {code: programme.name for code, programme in policy.programmes.items()}
    states = {"sent": "已送银行，未回盘", "paid": "已到账"}
    rows = [
        (
            row["town"], row["village"], row["recipient_name"], row["recipient_id_no"], names.get(row["programme"], row["programme"]), row["month"],
            row["amount_fen"], row["over_fen"], states[row["state"]], row["payment_id"], WORDS[row["code"]], row["reason"], BASIS[row["code"]], "", "",
        )
        for row in found.rows
    ]  # fmt: skip
    head = [
        ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 22), ColumnSpec("救助项目", 20),
        ColumnSpec("月份", 10), ColumnSpec("已发（元）", 12, "amount"), ColumnSpec("应追回（元）", 12, "amount"), ColumnSpec("发放状态", 16),
        ColumnSpec("批次", 8, "count"), ColumnSpec("原因", 12), ColumnSpec("说明", 40, wrap=True), ColumnSpec("依据", 40, wrap=True),
        ColumnSpec("追回日期", 12), ColumnSpec("追回金额（元）", 14),
    ]  # fmt: skip
    stem = f"追缴台账_{month}" if month else "追缴台账"
    path = workspace.internal / "pay" / f"{stem}.xlsx"
    total = sum(row["over_fen"] for row in found.rows)
    paid = sum(row["amount_fen"] for row in found.rows)
    sums = ("合计", f"{len(rows)} 笔", "", "", "", "", paid, total, "", None, *[""] * 5)
    digest = write_xlsx(
        path, [SheetSpec(name="追缴", columns=head, rows=[*rows, sums], title=f"应追回 {len(rows)} 笔")]
    )
    with store.transaction(actor=actor, command="pay recover", now=now) as tx:
        record_file(
            tx,
            workspace,
            path,
            entity=f"recovery:{month or 'all'}",
            kind="recovery",
            sha256=digest,
            lines=len(rows),
            amount_fen=total,
        )
        tx.journal(f"recovery:{month or 'all'}", {"lines": len(rows), "amount_fen": total}, digest=digest)
    return {"path": workspace.relative(path), "bank": "", "lines": len(rows), "amount_fen": total, "sha256": digest}
