"""Money to be recovered (追缴): paid out, and only then known to be owed to nobody. Found, claimed, booked as it comes back, or waived.

A claim is a line's: what it was paid above what is due (``payment.dues``), never less than what has come back of it already. Run again it says the
same; when a list or a decision changes, the claim changes by an entry of its own.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger import recoveries
from jiuzhu_cli.ledger.dues import months_owed
from jiuzhu_cli.ledger.files import record_file, recorded_files
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.dues import KEY, add_payments, open_dues, policies_of
from jiuzhu_cli.tabular.files import sha256_of
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

WORDS = {
    "dead": "死亡后发放", "doubt_confirmed": "已确认重复", "stopped": "停发后发放", "decided_lower": "决定调减", "overpaid": "多发", "withdrawn": "名册已撤回",
}  # fmt: skip
BASIS = {
    "dead": "死亡次月起停发（特困人员认定办法第24条；低保按最低生活保障审核确认办法动态管理）",
    "doubt_confirmed": "同一待遇不得重复享受；骗取的依《社会救助法》第73条",
    "stopped": "终止决定生效后不再发放",
    "decided_lower": "调减决定自生效月份起执行",
    "overpaid": "更正后的花名册",
    "withdrawn": "更正后的花名册",
}
NUMBER, DAY, AMOUNT, RECEIPT, WAIVED, WHY, SET_OFF = (
    "追缴编号", "追回日期", "追回金额（元）", "收据号", "免收金额（元）", "免收理由", "以后抵扣",
)  # fmt: skip
LINE_WORDS = {"sent": "已送银行，未回盘", "paid": "已到账", "failed": "银行退回", "reversed": "已冲正"}

# Each line's claim: what came back of it stays claimed; the rest of what the person had too much is claimed of the newest lines first.
_TARGETS = f"""
WITH out AS (
  SELECT {KEY}, l.line_id, l.amount_fen + l.set_off_fen AS gross FROM obligation o JOIN line l USING (obligation_id) WHERE l.state IN ('paid', 'sent')),
over AS (
  SELECT {KEY}, greatest(sum(gross) - coalesce(any_value(d.due_fen), 0), 0)::BIGINT AS over_fen FROM out LEFT JOIN due d USING ({KEY}) GROUP BY ALL),
claimed AS (SELECT c.*, c.repaid_fen - coalesce(b.fen, 0) + c.set_off_fen AS kept_fen, coalesce(b.fen, 0) AS doubt_had FROM claim c LEFT JOIN by_doubt b USING (recovery_id)),
each_line AS (
  SELECT o.programme, o.month, o.recipient, o.item, o.line_id, o.gross, v.over_fen, coalesce(c.kept_fen, 0) AS kept_fen, coalesce(c.claimed_fen, 0) AS claimed_fen,
         coalesce(c.waived_fen, 0) AS waived_fen, coalesce(c.doubt_had, 0) AS doubt_had
  FROM out o JOIN over v USING ({KEY}) LEFT JOIN claimed c USING (line_id) WHERE v.over_fen > 0 OR c.line_id IS NOT NULL
  UNION ALL
  SELECT c.programme, c.month, c.recipient, c.item, c.line_id, 0, 0, c.kept_fen, c.claimed_fen, c.waived_fen, c.doubt_had FROM claimed c WHERE c.line_id NOT IN (SELECT line_id FROM out)),
room AS (
  SELECT *, greatest(gross - kept_fen, 0) AS room_fen,
         greatest(over_fen - sum(kept_fen) FILTER (gross > 0) OVER (PARTITION BY {KEY}), 0) AS rest_fen,
         coalesce(sum(greatest(gross - kept_fen, 0)) OVER (PARTITION BY {KEY} ORDER BY line_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before_fen
  FROM each_line),
target AS (SELECT *, (kept_fen + least(room_fen, greatest(coalesce(rest_fen, 0) - before_fen, 0)))::BIGINT AS target_fen FROM room)
SELECT t.line_id, t.target_fen, t.claimed_fen, t.waived_fen, t.kept_fen, t.doubt_had, r.doubt_id,
       CASE WHEN d.code IN ('dead', 'doubt_confirmed', 'stopped') THEN d.code WHEN d.code = 'decided' THEN 'decided_lower' WHEN d.code IS NOT NULL THEN 'overpaid'
            WHEN k.event_date IS NOT NULL THEN 'dead' WHEN s.doubt_id IS NOT NULL THEN 'doubt_confirmed' WHEN e.case_id IS NOT NULL THEN 'stopped' ELSE 'withdrawn' END AS code,
       coalesce(d.cause, CASE WHEN k.event_date IS NOT NULL THEN 'death' END, 'doubt:' || s.doubt_id, 'case:' || e.case_id, 'roll:') AS cause,
       coalesce(d.detail, k.event_date, s.basis, e.effective_month, '') AS detail, coalesce(d.due_fen, 0) AS due_fen
FROM target t LEFT JOIN due d USING ({KEY})
LEFT JOIN dead k ON k.id_no = t.recipient AND months_of(t.month) > months_of(k.event_date)
LEFT JOIN (SELECT DISTINCT ON (id_no, programme, month) * FROM stop_side ORDER BY effect DESC, doubt_id) s ON s.id_no = t.recipient AND s.programme = t.programme AND s.month = t.month
LEFT JOIN (SELECT DISTINCT ON (id_no, programme) * FROM ended ORDER BY effective_month, case_id) e ON e.id_no = t.recipient AND e.programme = t.programme AND e.effective_month <= t.month
LEFT JOIN (SELECT line_id, min(doubt_id) AS doubt_id FROM recovered GROUP BY ALL) r USING (line_id)
ORDER BY t.month, t.line_id
"""


@dataclass(slots=True)
class Recoveries:
    """``rows``: open claims as ``ledger.recoveries.claims`` with ``over_fen``; ``by_code``: cause → (lines, 分); ``sums`` over all claims, in 分."""

    rows: list[dict[str, Any]]
    by_code: dict[str, tuple[int, int]]
    sums: dict[str, int]
    opened: int = 0
    changed: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    kept: str = ""  # a filled-in workbook that was not written over

    def as_json(self) -> dict[str, Any]:
        return {
            "lines": len(self.rows),
            "amount_fen": sum(row["over_fen"] for row in self.rows),
            "by_code": {code: {"lines": n, "amount_fen": fen} for code, (n, fen) in self.by_code.items()},
            "opened": self.opened,
            "changed": self.changed,
            **self.sums,
            "files": self.files,
            "kept": self.kept,
        }


def recover(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    *,
    month: str = "",
    read: Path | None = None,
    actor: str,
    now: datetime,
) -> Recoveries:
    """Opens and corrects the claims of ``month`` or of all months, then lists what is still to come back and writes the workbook.

    A workbook that lies there filled in is left alone (``kept``) and the new one gets a number, unless it is ``read``: then all of it was booked.
    """
    if month:
        check_month(month)
    with store.writing(actor, "pay recover"):
        opened, changed = claim(store, policy, [month] if month else months_owed(store), actor=actor, now=now)
        found = _listed(store, month)
        found.opened, found.changed = opened, changed
        if found.rows:
            path, found.kept = _place(store, workspace, month, read)
            found.files = [_workbook(store, workspace, policy, found, month, path, actor=actor, now=now)]
    return found


def claim(store: Store, policy: Policy, months: list[str], *, actor: str, now: datetime) -> tuple[int, int]:
    """Makes the claims of ``months`` agree with what is due; returns how many were opened, how many changed."""
    if not months:
        return 0, 0
    connection = open_dues(store, policies_of(store, policy, months), months)
    try:
        add_payments(connection, store, months)
        return claim_over(connection, store, actor=actor, now=now)
    finally:
        connection.close()


def claim_over(connection: duckdb.DuckDBPyConnection, store: Store, *, actor: str, now: datetime) -> tuple[int, int]:
    """``claim`` over dues and payments that are open (``open_dues``, ``add_payments``), which stay as they are."""
    wanted = [
        row for row in targets(connection, store) if any(row[name] for name in ("claim_fen", "waiver_fen", "doubt_fen"))
    ]
    if not wanted:
        return 0, 0
    with store.transaction(actor=actor, command="pay recover", now=now) as tx:
        opened, changed = recoveries.open_claims(tx, wanted)
        detail = {"opened": opened, "changed": changed, "amount_fen": sum(row["claim_fen"] for row in wanted)}
        tx.journal("recovery:all", detail)
    return opened, changed


def targets(connection: duckdb.DuckDBPyConnection, store: Store) -> list[dict[str, Any]]:
    """What each line's claim must become: rows for ``ledger.recoveries.open_claims`` (with nothing to change, too)."""
    connection.execute("CREATE TABLE by_doubt (recovery_id BIGINT, fen BIGINT)")
    connection.execute("CREATE TABLE recovered (line_id BIGINT, doubt_id VARCHAR)")
    for table, rows in (
        ("by_doubt", list(recoveries.by_doubt(store).items())),
        ("recovered", [(row["line_id"], row["doubt_id"]) for row in recoveries.recovered_lines(store)]),
    ):
        if rows:
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
    return [_row(one) for one in connection.sql(_TARGETS).to_arrow_table().to_pylist()]


def _row(one: dict[str, Any]) -> dict[str, Any]:
    target, kept = one["target_fen"], one["kept_fen"]
    waived = min(one["waived_fen"], target - kept)
    back = target - kept - waived if one["doubt_id"] else 0
    return {
        "line_id": one["line_id"],
        "code": one["code"],
        "cause": one["cause"],
        "reason": _reason(one),
        "claim_fen": target - one["claimed_fen"],
        "waiver_fen": waived - one["waived_fen"],
        "doubt_fen": back - one["doubt_had"],
        "doubt_id": one["doubt_id"] or "",
    }


def _reason(one: dict[str, Any]) -> str:
    from jiuzhu_cli.core.money import yuan

    number, detail = one["cause"].partition(":")[2], one["detail"]
    return {
        "dead": f"死亡日期 {detail}",
        "doubt_confirmed": f"疑点 {number} 已确认停发：{detail}",
        "stopped": f"停发决定 {number}，自 {detail} 起",
        "decided_lower": f"复核决定 {number} 自 {detail} 起为 {yuan(one['due_fen'])} 元",
        "overpaid": "更正后的名册金额较低",
        "withdrawn": "更正后的名册里已没有此人",
    }[str(one["code"])]


def _listed(store: Store, month: str) -> Recoveries:
    every = recoveries.claims(store, month=month)
    rows = [row | {"over_fen": row["open_fen"]} for row in every if row["open_fen"] > 0]
    by_code: dict[str, tuple[int, int]] = {}
    for row in rows:
        count, fen = by_code.get(row["code"], (0, 0))
        by_code[row["code"]] = (count + 1, fen + row["over_fen"])
    names = ("claimed_fen", "repaid_fen", "waived_fen", "set_off_fen")
    return Recoveries(rows, by_code, {"claims": len(every)} | {name: sum(row[name] for row in every) for name in names})


def _place(store: Store, workspace: Workspace, month: str, read: Path | None) -> tuple[Path, str]:
    """Where the workbook is written, and the one that somebody has filled in and nobody has read ('' for none)."""
    recorded = {str(row["path"]): row["sha256"] for row in recorded_files(store, entity=f"recovery:{month or 'all'}")}
    stem, kept = f"追缴台账_{month}" if month else "追缴台账", ""
    for number in itertools.count(1):
        path = workspace.internal / "pay" / (f"{stem}_{number}.xlsx" if number > 1 else f"{stem}.xlsx")
        if not path.exists():
            break
        digest = sha256_of(path)
        if digest == recorded.get(workspace.relative(path)) or (read is not None and digest == sha256_of(read)):
            break
        kept = workspace.relative(path)
    return path, kept


def _workbook(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    found: Recoveries,
    month: str,
    path: Path,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    names = {code: programme.name for code, programme in policy.programmes.items()}
    rows = [
        (
            row["recovery_id"], row["town"], row["village"], row["recipient_name"], row["recipient_id_no"], names.get(row["programme"], row["programme"]),
            row["month"], row["amount_fen"], row["claimed_fen"], row["repaid_fen"] + row["set_off_fen"], row["waived_fen"], row["over_fen"],
            LINE_WORDS.get(row["state"], row["state"]), row["payment_id"], WORDS[row["code"]], row["reason"], BASIS[row["code"]],
            "", None, "", None, "", "是" if row["set_off"] else "",
        )
        for row in found.rows
    ]  # fmt: skip
    head = [
        ColumnSpec(NUMBER, 10, "count"), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 22),
        ColumnSpec("救助项目", 20), ColumnSpec("月份", 10), ColumnSpec("已发（元）", 12, "amount"), ColumnSpec("应追回（元）", 12, "amount"),
        ColumnSpec("已追回（元）", 12, "amount"), ColumnSpec("已免收（元）", 12, "amount"), ColumnSpec("尚欠（元）", 12, "amount"), ColumnSpec("发放状态", 16),
        ColumnSpec("批次", 8, "count"), ColumnSpec("原因", 12), ColumnSpec("说明", 40, wrap=True), ColumnSpec("依据", 40, wrap=True),
        ColumnSpec(DAY, 14), ColumnSpec(AMOUNT, 14, "amount"), ColumnSpec(RECEIPT, 16), ColumnSpec(WAIVED, 14, "amount"), ColumnSpec(WHY, 24, wrap=True),
        ColumnSpec(SET_OFF, 10, choices=("是", "否")),
    ]  # fmt: skip
    total = sum(row["over_fen"] for row in found.rows)
    back = sum(row["repaid_fen"] + row["set_off_fen"] for row in found.rows)
    paid, claimed, waived = (
        sum(row[name] for row in found.rows) for name in ("amount_fen", "claimed_fen", "waived_fen")
    )
    columns = (paid, claimed, back, waived, total)
    sums = (None, "合计", f"{len(rows)} 笔", "", "", "", "", *columns, "", None, *[""] * 4, None, "", None, "", "")  # fmt: skip
    notes = [
        "钱回来一次填一次：追回日期、追回金额、收据号（分期的各填各的）；免收的填金额和理由，由另一人确认后才算；同意从以后的发放里抵扣的，“以后抵扣”选“是”。",
        f"填好后读回：jiuzhu pay recover {path.name}；读两遍不会记两遍。",
    ]
    sheet = SheetSpec(name="追缴", columns=head, rows=[*rows, sums], title=f"尚需追回 {len(rows)} 笔", notes=notes)
    digest = write_xlsx(path, [sheet])
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
