"""Back-pay (补发): what a month that was paid still owes, found over the record, listed, decided on, then drafted with the current month.

Found is what ``payment.dues`` says is due above what went out: a list corrected upwards or a decision that takes effect backwards after the payment,
a start decided for months before the list, a month that was missed, money recovered that turns out to be due. Where a decision of record or the
month's own gates say so nothing is left to decide; what only a corrected list says is confirmed by a person first (parameter 补发须确认).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.payment_states import LIVE, sql_list
from jiuzhu_cli.core.period import check_month, first_day, months_between
from jiuzhu_cli.ledger import back_pays
from jiuzhu_cli.ledger.files import record_file
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.dues import KEY, add_payments, open_dues, policies_of, read_standing_again, weigh
from jiuzhu_cli.payment.recovery import claim_over
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

KINDS = {"roll": "名册更正", "case": "复核决定", "missed": "漏发", "objection": "异议成立", "recovery": "追回后又应发"}
STATES = {"found": "待确认", "confirmed": "待制单", "declined": "不补", "gone": "已不成立"}
ASK = "补发须确认"

# Only of months that were paid. A difference needs the month's own line to be paid; a whole month needs that nothing was ever drafted or
# held of the person, while others of the programme were paid. A cause is paid, or declined, once: what it makes due beyond that has the cause
# with the next number ("case:R000012#2"), found and confirmed by itself; a whole month is asked for anew.
_FOUND = f"""
WITH owing AS (
  SELECT b.programme, b.month, b.recipient, b.item, b.name, b.town, b.village, b.row_id, b.owed_fen - b.said_no_fen AS amount_fen, b.owed_fen AS whole_fen, b.due_fen, b.paid_fen, b.detail,
         CASE WHEN b.code = 'started' THEN b.cause WHEN NOT b.out THEN 'missed' WHEN b.due_fen <= b.paid_fen + b.set_off_fen THEN 'recovery:' || c.recovery_id
              WHEN o.objection_id IS NOT NULL AND b.corrects = 1 THEN 'objection:' || o.objection_id ELSE b.cause END AS cause
  FROM balance b LEFT JOIN (SELECT {KEY}, min(recovery_id) AS recovery_id FROM claim WHERE repaid_fen + set_off_fen > 0 GROUP BY ALL) c USING ({KEY})
  LEFT JOIN (SELECT programme, month, id_no, max(objection_id) AS objection_id FROM upheld GROUP BY ALL) o
    ON o.programme = b.programme AND o.month = b.month AND o.id_no = b.recipient
  LEFT JOIN (SELECT DISTINCT month, programme, recipient FROM held) h ON h.month = b.month AND h.programme = b.programme AND h.recipient = b.recipient
  WHERE b.row_id IS NOT NULL AND b.owed_fen - b.said_no_fen > 0 AND b.sent_fen = 0 AND b.month IN (SELECT month FROM paid_month)
    AND (b.out OR b.code = 'started' OR (NOT b.owed AND h.recipient IS NULL AND EXISTS (SELECT 1 FROM obligation d WHERE d.month = b.month AND d.programme = b.programme)) OR (b.owed AND NOT b.out AND b.missed))),
numbered AS (
  SELECT o.programme, o.month, o.recipient, o.item, o.cause FROM obligation o JOIN line l USING (obligation_id) WHERE o.purpose = 'back_pay' AND l.state IN {sql_list(LIVE)}
  UNION ALL SELECT {KEY}, cause FROM found WHERE state = 'declined' AND cause <> 'missed'),
taken AS (
  SELECT {KEY}, split_part(n.cause, '#', 1) AS cause, list(DISTINCT coalesce(TRY_CAST(split_part(n.cause, '#', 2) AS INTEGER), 1)) AS numbers FROM numbered n GROUP BY ALL)
SELECT w.* REPLACE (CASE WHEN list_contains(t.numbers, 1) THEN w.cause || '#' || list_min(list_filter(range(2, len(t.numbers) + 2), lambda n: NOT list_contains(t.numbers, n)))
                         ELSE w.cause END AS cause, CASE WHEN w.cause = 'missed' THEN w.whole_fen ELSE w.amount_fen END AS amount_fen)
FROM owing w LEFT JOIN taken t USING ({KEY}, cause)
WHERE w.cause <> 'missed' OR t.numbers IS NULL  -- drafted whole: the draft is made anew
ORDER BY w.month, w.programme, w.town, w.village, w.recipient, w.item
"""


@dataclass(slots=True)
class Found:
    """``rows``: open back-pay as ``ledger.back_pays.back_pays`` (what is paid or gone is left out)."""

    rows: list[dict[str, Any]]
    counts: dict[str, int]
    files: list[dict[str, Any]] = field(default_factory=list)

    def sums(self) -> dict[str, tuple[int, int]]:
        """``found, confirmed, drafted`` → (rows, 分)."""
        found = dict.fromkeys(("found", "confirmed", "drafted"), (0, 0))
        for row in self.rows:
            key = "drafted" if row["drafted"] else row["state"]
            if key in found:
                found[key] = (found[key][0] + 1, found[key][1] + row["amount_fen"])
        return found

    def as_json(self) -> dict[str, Any]:
        keys = ("back_pay_id", "programme", "month", "town", "cause", "amount_fen", "state", "reason")
        return {
            "lines": len(self.rows),
            "amount_fen": sum(row["amount_fen"] for row in self.rows),
            **self.counts,
            **{name: {"lines": n, "amount_fen": fen} for name, (n, fen) in self.sums().items()},
            "rows": [{key: row[key] for key in keys} | {"drafted": bool(row["drafted"])} for row in self.rows],
            "files": self.files,
        }


def find(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    *,
    month: str = "",
    write: bool = True,
    actor: str,
    now: datetime,
) -> Found:
    """Looks for back-pay of all paid months up to ``month`` (default: the last paid one), notes it and writes the list. Claims are made to agree
    with the record first: what is claimed back is not owed."""
    if month:
        check_month(month)
    with store.writing(actor, "pay back-pay"):
        paid = back_pays.paid_months(store, month or "9999-12")
        counts = {"added": 0, "changed": 0, "gone": 0}
        if paid:
            found = _search(store, workspace, policy, paid, actor=actor, now=now)
            standing = back_pays.back_pays(store, states=("found", "confirmed"))
            if found or standing:
                with store.transaction(actor=actor, command="pay back-pay", now=now) as tx:
                    counts = back_pays.save_found(tx, found, paid)
                    if any(counts.values()):
                        detail = counts | {"lines": len(found), "amount_fen": sum(row["amount_fen"] for row in found)}
                        tx.journal("back_pay:all", detail)
        return _standing(store, workspace, policy, counts, write=write, actor=actor, now=now)


def confirm_all(
    store: Store, workspace: Workspace, policy: Policy, *, month: str = "", note: str, actor: str, now: datetime
) -> tuple[Found, int, int]:
    """Looks for back-pay, confirms all that waits for it, and lists what stands then; also how many were confirmed and their sum in 分. Errors as ``decide``."""
    with store.writing(actor, "pay back-pay"):
        found = find(store, workspace, policy, month=month, write=False, actor=actor, now=now)
        numbers = [row["back_pay_id"] for row in found.rows if row["state"] == "found"]
        count, fen = decide(store, numbers, confirmed=True, note=note, actor=actor, now=now)
        # a confirmation changes nothing that the search looks at, and the lock is held since: it would find the same
        counts = dict.fromkeys(found.counts, 0)
        return _standing(store, workspace, policy, counts, write=True, actor=actor, now=now), count, fen


def _standing(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    counts: dict[str, int],
    *,
    write: bool,
    actor: str,
    now: datetime,
) -> Found:
    result = Found(back_pays.back_pays(store, states=("found", "confirmed", "declined")), counts)
    if write and result.rows:
        result.files = [_workbook(store, workspace, policy, result, actor=actor, now=now)]
    return result


def decide(
    store: Store, numbers: Sequence[int], *, confirmed: bool, note: str, actor: str, now: datetime
) -> tuple[int, int]:
    """Confirms or declines back-pay by number, all or none; returns how many and their sum in 分. UsageError without a note or for an unknown
    number; RefusedError for what is drafted or no longer stands."""
    if not note.strip():
        raise UsageError("--reason 后面要写明依据", "例如 --reason '乡镇更正说明，经核实应补'")
    if not numbers:
        raise RefusedError("没有待确认的补发", "用 jiuzhu pay back-pay 看清单", code="nothing")
    with store.transaction(actor=actor, command="pay back-pay", now=now) as tx:
        total = back_pays.decide(tx, numbers, state="confirmed" if confirmed else "declined", note=note.strip())
        tx.journal("back_pay:all", {"confirmed" if confirmed else "declined": len(set(numbers)), "amount_fen": total})
    return len(set(numbers)), total


def _search(
    store: Store, workspace: Workspace, policy: Policy, paid: list[str], *, actor: str, now: datetime
) -> list[dict[str, Any]]:
    """Claims are made to agree first, over the same dues."""
    months = months_between(paid[0], paid[-1])
    policies = policies_of(store, policy, months)
    connection = open_dues(store, policies, months)
    try:
        add_payments(connection, store, months)
        if any(claim_over(connection, store, actor=actor, now=now)):
            read_standing_again(connection, store, months)
        weigh(connection)
        connection.execute("CREATE TABLE paid_month AS SELECT unnest(?::VARCHAR[]) AS month", [paid])
        connection.register("upheld", back_pays.upheld(store))
        rows = connection.sql(_FOUND).to_arrow_table().to_pylist()
        rows = _without_held(connection, store, workspace, policies, rows)
    finally:
        connection.close()
    return [row | _said(row, policies[row["month"]]) for row in rows]


def _without_held(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    workspace: Workspace,
    policies: dict[str, Policy],
    rows: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Of the months that were missed only what the month's own gates let pass; the plan of today tells."""
    from jiuzhu_cli.payment.plan import compute, payable

    passed = set()
    for month in sorted({row["month"] for row in rows if row["cause"] == "missed"}):
        own = policies[month]
        lines = compute(store, workspace, own, month, payable(own, ())).lines
        keys = ("programme", "recipient_id_no", "item")
        passed |= {(month, *key) for key in zip(*(lines[name].to_pylist() for name in keys), strict=True)}
    drafted = {
        tuple(row)
        for row in connection.execute(
            "SELECT month, programme, recipient, item FROM obligation WHERE cause = 'missed'"
        ).fetchall()
    }
    return [
        row
        for row in rows
        if row["cause"] != "missed"
        or (row["month"], row["programme"], row["recipient"], row["item"]) in passed | drafted
    ]


def _said(row: dict[str, Any], policy: Policy) -> dict[str, Any]:
    kind, _, number = row["cause"].partition("#")[0].partition(":")
    due, paid = yuan(row["due_fen"]), yuan(row["paid_fen"])
    reason = {
        "roll": f"名册更正（导入批次 {number}）：应发 {due} 元，已发 {paid} 元",
        "case": f"复核决定 {number} 自 {row['detail']} 起：应发 {due} 元，已发 {paid} 元",
        "missed": f"{row['month']} 在册应发 {due} 元，没有制单也没有拦下",
        "objection": f"异议 {number} 成立，名册已更正：应发 {due} 元，已发 {paid} 元",
        "recovery": f"追缴 {number} 已追回的钱后来查明应发",
    }[kind]
    sure = kind in ("case", "missed") or not policy.switch(ASK, first_day(row["month"]))
    return {"reason": reason, "sure": sure}


def _workbook(
    store: Store, workspace: Workspace, policy: Policy, found: Found, *, actor: str, now: datetime
) -> dict[str, Any]:
    names = {code: programme.name for code, programme in policy.programmes.items()}
    rows = [
        (
            row["back_pay_id"], row["month"], names.get(row["programme"], row["programme"]), row["town"], row["village"], row["recipient_name"],
            row["recipient_id_no"], row["amount_fen"], KINDS[row["cause"].partition(":")[0]], row["reason"],
            "已制单" if row["drafted"] else STATES[row["state"]], row["decision_note"],
        )
        for row in found.rows
    ]  # fmt: skip
    total = sum(row["amount_fen"] for row in found.rows)
    head = [
        ColumnSpec("编号", 8, "count"), ColumnSpec("所属月份", 10), ColumnSpec("救助项目", 18), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12),
        ColumnSpec("姓名", 10), ColumnSpec("身份证号", 22), ColumnSpec("补发（元）", 12, "amount"), ColumnSpec("种类", 12), ColumnSpec("原因", 44, wrap=True),
        ColumnSpec("状态", 10), ColumnSpec("决定依据", 30, wrap=True),
    ]  # fmt: skip
    rows.append((None, "合计", f"{len(found.rows)} 笔", "", "", "", "", total, "", "", "", ""))
    path = workspace.internal / "pay" / "补发清单.xlsx"
    notes = [
        "“待确认”的核实后：jiuzhu pay back-pay --confirm 编号 --reason 依据（不该补的 --decline）；“待制单”的下次 pay draft 一并制单，只补一次。"
    ]
    digest = write_xlsx(
        path, [SheetSpec(name="补发", columns=head, rows=rows, title=f"补发清单 {len(found.rows)} 笔", notes=notes)]
    )
    with store.transaction(actor=actor, command="pay back-pay", now=now) as tx:
        record_file(
            tx,
            workspace,
            path,
            entity="back_pay:all",
            kind="back_pay",
            sha256=digest,
            lines=len(found.rows),
            amount_fen=total,
        )
        tx.journal("back_pay:all", {"lines": len(found.rows), "amount_fen": total}, digest=digest)
    return {"path": workspace.relative(path), "lines": len(found.rows), "amount_fen": total, "sha256": digest}
