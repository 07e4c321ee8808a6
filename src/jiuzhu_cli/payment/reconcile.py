"""The proof of the payments (对账): per person and programme, due = paid + waiting + set off − claimed back, and every difference with its reason.

``due`` is computed anew from lists, decisions, deaths, stops and each month's own policy (``payment.dues``); the other side is what batches, holds,
back-pay and claims have on record. Whatever stands on neither side is a difference: nobody's decision, and nobody's money.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_id
from jiuzhu_cli.core.period import check_month, months_between
from jiuzhu_cli.ledger.files import record_file
from jiuzhu_cli.ledger.reconciliation import disagreements, months_on_record
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.dues import balance, open_dues, policies_of
from jiuzhu_cli.payment.holds import BY_CODE
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

LONGEST = 36  # months
LISTED = 100_000  # rows of a sheet; the figures count all
WAITING = {
    "drafted": "已制单未送", "sent": "已送未回盘", "failed": "失败待补发", "held": "拦下", "back_pay": "补发已定", "to_decide": "补发待定", "not_drafted": "未制单",
}  # fmt: skip
DIFFERENCES = {
    "missed": ("应发未制单", "jiuzhu pay draft --month {month}，或 jiuzhu pay back-pay 随下月补发"),
    "raised": ("应发变多，差额还没有补", "jiuzhu pay back-pay 列出补发"),
    "started": ("决定早于名册，前几个月没有发", "jiuzhu pay back-pay 列出补发"),
    "overpaid": ("多发，还没有立追缴账", "jiuzhu pay recover 立账"),
    "no_basis": ("已发，名册里已没有依据", "jiuzhu pay recover 立账"),
    "claimed_too_much": ("追缴账多于多发的", "jiuzhu pay recover 更正"),
}
PROBLEMS = {
    "batch_lines": "批次的笔数或金额与明细不符",
    "batch_journal": "批次与操作日志里锁定的不符",
    "batch_manifest": "批次与导出清单里的银行文件合计不符",
    "reversal_unrecorded": "已冲正的笔没有冲正记录",
    "set_off_unlinked": "抵扣的金额与追缴账不符",
    "came_back_too_much": "追回、抵扣和免收多于应追回",
}
SUMS = (
    "due",
    "paid",
    *WAITING,
    "set_off",
    "repaid",
    "set_off_back",
    "waived",
    "open",
    "claimed",
    "declined",
    "difference",
)

# Where what is left stands; the first that holds. What is owed once may be held in any month that lists it. A programme of which the month has no line yet was not drafted. What is out (paid or at the bank) and lower than due waits only as back-pay found.
_TOLD = """
CREATE TABLE told AS
WITH rest AS (
  SELECT b.*, least(greatest(left_fen, 0), said_no_fen) AS declined_fen, greatest(left_fen, 0) - least(greatest(left_fen, 0), said_no_fen) AS rest_fen, coalesce(h.code, i.code) AS hold,
         coalesce(m.batches, 0) = coalesce(m.drafts, 0) OR q.programme IS NULL AS no_batch
  FROM balance b LEFT JOIN (SELECT month, programme, recipient, string_agg(DISTINCT code, ',' ORDER BY code) AS code FROM held GROUP BY ALL) h
         ON h.month = b.month AND h.programme = b.programme AND h.recipient = b.recipient
  LEFT JOIN (SELECT programme, recipient, item, string_agg(DISTINCT code, ',' ORDER BY code) AS code FROM listed_item JOIN held USING (month, programme, recipient) GROUP BY ALL) i
         ON i.programme = b.programme AND i.recipient = b.recipient AND i.item = b.item
  LEFT JOIN batch_of m ON m.month = b.month
  LEFT JOIN (SELECT DISTINCT month, programme FROM obligation) q ON q.month = b.month AND q.programme = b.programme),
parted AS (
  SELECT *, CASE WHEN failed AND NOT out THEN rest_fen ELSE 0 END AS failed_fen,
         CASE WHEN failed AND NOT out THEN 0 ELSE least(rest_fen, said_yes_fen) END AS back_pay_fen,
         CASE WHEN failed AND NOT out THEN 0 ELSE least(greatest(rest_fen - said_yes_fen, 0), unsaid_fen) END AS to_decide_fen FROM rest)
SELECT *, CASE WHEN NOT out AND hold IS NOT NULL THEN rest_fen - failed_fen - back_pay_fen - to_decide_fen ELSE 0 END AS held_fen,
       CASE WHEN NOT out AND hold IS NULL AND no_batch THEN rest_fen - failed_fen - back_pay_fen - to_decide_fen ELSE 0 END AS not_drafted_fen,
       CASE WHEN left_fen < 0 THEN left_fen WHEN out OR (hold IS NULL AND NOT no_batch) THEN rest_fen - failed_fen - back_pay_fen - to_decide_fen ELSE 0 END AS difference_fen,
       CASE WHEN left_fen < 0 AND row_id IS NULL THEN 'no_basis' WHEN left_fen < 0 THEN 'overpaid'
            WHEN left_fen > 0 AND claimed_fen > 0 AND due_fen <= paid_fen + sent_fen + set_off_fen AND repaid_fen + back_fen < claimed_fen THEN 'claimed_too_much'
            WHEN out THEN 'raised' WHEN code = 'started' THEN 'started' ELSE 'missed' END AS why
FROM parted
"""
_SUMS = (
    "count(*) AS lines, count(DISTINCT recipient) AS persons, "
    + ", ".join(f"coalesce(sum({'back' if name == 'set_off_back' else name}_fen), 0)::BIGINT AS {name}_fen" for name in SUMS)
)  # fmt: skip


@dataclass(slots=True)
class Reconciled:
    """``sums``: 分 by the names of ``SUMS``; ``differences``: rows that do not balance, with ``why``; ``problems``: as ``ledger.reconciliation``."""

    first: str
    last: str
    sums: dict[str, int]
    persons: int
    by_programme: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    files: list[dict[str, Any]] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        return not self.differences and not self.problems

    @property
    def waiting_fen(self) -> int:
        return sum(self.sums[name] for name in WAITING)

    @property
    def by_reason(self) -> dict[str, tuple[int, int]]:
        """Reason → (persons' lines, 分 owed to them; negative: had too much)."""
        found: dict[str, tuple[int, int]] = {}
        for row in self.differences:
            count, fen = found.get(row["why"], (0, 0))
            found[row["why"]] = (count + 1, fen + row["difference_fen"])
        return found

    def as_json(self) -> dict[str, Any]:
        shown = ("programme", "month", "town", "why", "due_fen", "paid_fen", "difference_fen")
        return {
            "from": self.first,
            "to": self.last,
            "balanced": self.balanced,
            "persons": self.persons,
            **{f"{name}_fen": fen for name, fen in self.sums.items()},
            "waiting_fen": self.waiting_fen,
            "differences": len(self.differences),
            "by_reason": {why: {"lines": n, "difference_fen": fen} for why, (n, fen) in self.by_reason.items()},
            "first_differences": [
                {"id_no": mask_id(row["recipient"])} | {name: row[name] for name in shown}
                for row in self.differences[:50]
            ],
            "by_programme": self.by_programme,
            "problems": self.problems,
            "files": self.files,
        }


def reconcile(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    *,
    first: str = "",
    last: str = "",
    write: bool = True,
    actor: str,
    now: datetime,
) -> Reconciled:
    """Balances the months from ``first`` to ``last`` (by default all on record) and writes the workbook. UsageError for a span that is none or longer
    than ``LONGEST`` months; RefusedError when the record has neither lists nor payments there."""
    months = _months(store, first, last)
    connection = open_dues(store, policies_of(store, policy, months), months)
    try:
        balance(connection, store, months)
        connection.execute(_TOLD)
        _held_today(connection, store, workspace, policy)
        found = _found(connection, months)
        found.problems = disagreements(store, months[0], months[-1])
        if write:
            found.files = [_workbook(connection, store, workspace, policy, found, actor=actor, now=now)]
    finally:
        connection.close()
    return found


def _months(store: Store, first: str, last: str) -> list[str]:
    if first:
        check_month(first)
    if last:
        check_month(last)
    known = [m for m in months_on_record(store) if (not first or m >= first) and (not last or m <= last)]
    if first and last and first > last:
        raise UsageError(f"月份从 {first} 到 {last} 是倒的", "从早到晚写")
    if not known:
        raise RefusedError(
            "这段时间没有花名册，也没有付款，没有可对的账", "用 jiuzhu pay list 看有哪些月份", code="nothing"
        )
    months = months_between(known[0], known[-1])
    if len(months) > LONGEST:
        raise UsageError(f"{len(months)} 个月太长，一次最多对 {LONGEST} 个月", "用 --from、--to 分段对")
    return months


def _held_today(connection: duckdb.DuckDBPyConnection, store: Store, workspace: Workspace, policy: Policy) -> None:
    """Cases that look missed may be held by something that came up after the last draft: the plan of today tells."""
    from jiuzhu_cli.payment.plan import compute, payable

    months = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT coalesce(i.month, t.month) FROM told t LEFT JOIN listed_item i USING (programme, recipient, item)"
            " WHERE why = 'missed' AND difference_fen > 0 ORDER BY 1"
        ).fetchall()
    ]
    for month, own in policies_of(store, policy, months).items():
        plan = compute(store, workspace, own, month, payable(own, ()))
        connection.register("incoming", plan.holds.select(["programme", "recipient_id_no", "code"]))
        connection.execute(
            "UPDATE told SET held_fen = difference_fen, difference_fen = 0, hold = h.code FROM (SELECT programme, recipient_id_no,"
            " string_agg(DISTINCT code, ',' ORDER BY code) AS code FROM incoming GROUP BY ALL) h"
            " WHERE told.why = 'missed' AND difference_fen > 0 AND h.programme = told.programme AND h.recipient_id_no = told.recipient AND (told.month = $1 OR EXISTS"
            " (SELECT 1 FROM listed_item i WHERE i.programme = told.programme AND i.recipient = told.recipient AND i.item = told.item AND i.month = $1))",
            [month],
        )
        connection.unregister("incoming")


def _found(connection: duckdb.DuckDBPyConnection, months: list[str]) -> Reconciled:
    def rows(sql: str) -> list[dict[str, Any]]:
        return connection.sql(sql).to_arrow_table().to_pylist()

    [total] = rows(f"SELECT {_SUMS} FROM told")
    by_programme = rows(
        f"SELECT programme, month, {_SUMS}, count(*) FILTER (difference_fen <> 0) AS differences FROM told GROUP BY ALL ORDER BY programme, month"
    )
    differences = rows(
        "SELECT programme, month, town, village, name, recipient, item, due_fen, paid_fen, sent_fen, drafted_fen, set_off_fen, claimed_fen, difference_fen, why"
        " FROM told WHERE difference_fen <> 0 ORDER BY month, programme, town, village, recipient, item"
    )
    return Reconciled(
        months[0],
        months[-1],
        {name: total[f"{name}_fen"] for name in SUMS},
        total["persons"],
        by_programme,
        differences,
        [],
    )


def _workbook(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    workspace: Workspace,
    policy: Policy,
    found: Reconciled,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    names = {code: programme.name for code, programme in policy.programmes.items()}
    span = found.first if found.first == found.last else f"{found.first}至{found.last}"
    path = workspace.internal / "pay" / f"对账_{span}.xlsx"
    sheets = [_totals(found, names, span), _differences(found, names), _waiting(connection, names)]
    digest = write_xlsx(path, sheets)
    entity = f"reconcile:{found.first}..{found.last}"
    detail = {
        "balanced": found.balanced,
        "differences": len(found.differences),
        "due_fen": found.sums["due"],
        "problems": len(found.problems),
    }
    with store.transaction(actor=actor, command="pay reconcile", now=now) as tx:
        record_file(
            tx,
            workspace,
            path,
            entity=entity,
            kind="reconciliation",
            sha256=digest,
            lines=len(found.differences),
            amount_fen=found.sums["due"],
        )
        tx.journal(entity, detail, digest=digest)
    return {
        "path": workspace.relative(path),
        "lines": len(found.differences),
        "amount_fen": found.sums["due"],
        "sha256": digest,
    }


def _totals(found: Reconciled, names: dict[str, str], span: str) -> SheetSpec:
    money = [
        "应发",
        "已到账",
        *WAITING.values(),
        "抵扣",
        "多发：已追回",
        "多发：已抵扣",
        "多发：免收",
        "多发：尚欠",
        "不补",
        "差异",
    ]
    keys = [name for name in SUMS if name != "claimed"]  # as ``money`` is called
    head = [
        ColumnSpec("救助项目", 20), ColumnSpec("月份", 10), ColumnSpec("人数", 10, "count"), ColumnSpec("笔数", 10, "count"),
        *(ColumnSpec(f"{name}（元）", 14, "amount") for name in money), ColumnSpec("差异笔数", 10, "count"),
    ]  # fmt: skip
    rows = [
        (names.get(one["programme"], one["programme"]), one["month"], one["persons"], one["lines"], *(one[f"{key}_fen"] for key in keys), one["differences"])
        for one in found.by_programme
    ]  # fmt: skip
    lines = sum(one["lines"] for one in found.by_programme)
    rows.append(("合计", "", found.persons, lines, *(found.sums[key] for key in keys), len(found.differences)))
    notes = [
        "应发 = 已到账 + 等待中的各项 + 抵扣 + 不补 − 多发（已追回 + 已抵扣 + 免收 + 尚欠）+ 差异；差异不为零的逐笔列在“差异”表。"
    ]
    if found.problems:
        notes += [f"✗ {one['entity']}：{PROBLEMS[one['code']]}" for one in found.problems[:50]]
    verdict = (
        "平" if found.balanced else f"不平：差异 {len(found.differences)} 笔，台账内部不符 {len(found.problems)} 处"
    )
    return SheetSpec(name="汇总", columns=head, rows=rows, title=f"{span} 发放对账：{verdict}", notes=notes)


def _differences(found: Reconciled, names: dict[str, str]) -> SheetSpec:
    rows = [
        (
            row["month"], names.get(row["programme"], row["programme"]), row["town"], row["village"], row["name"], row["recipient"], row["due_fen"],
            row["paid_fen"], row["sent_fen"] + row["drafted_fen"], row["set_off_fen"], row["claimed_fen"], row["difference_fen"], DIFFERENCES[row["why"]][0],
            DIFFERENCES[row["why"]][1].format(month=row["month"]),
        )
        for row in found.differences[:LISTED]
    ]  # fmt: skip
    more = len(found.differences) - len(rows)
    heads = ("应发", "已到账", "在途", "抵扣", "已立追缴", "差异")
    head = [
        *_PERSON, *(ColumnSpec(f"{name}（元）", 12, "amount") for name in heads), ColumnSpec("原因", 24, wrap=True), ColumnSpec("怎么办", 40, wrap=True),
    ]  # fmt: skip
    notes = [f"只列前 {LISTED} 笔，另有 {more} 笔"] if more > 0 else []
    return SheetSpec(
        name="差异",
        columns=head,
        rows=rows,
        title=f"差异 {len(found.differences)} 笔（正数欠对象，负数多发）",
        notes=notes,
    )


_PERSON = [
    ColumnSpec("月份", 10), ColumnSpec("救助项目", 18), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 22),
]  # fmt: skip


def _waiting(connection: duckdb.DuckDBPyConnection, names: dict[str, str]) -> SheetSpec:
    """Who is still owed, why, and whose money is still to come back; a month that was not drafted yet is left to its figures."""
    columns = [name for name in WAITING if name != "not_drafted"]
    where = " OR ".join(f"{name}_fen > 0" for name in (*columns, "open"))
    found = connection.sql(
        f"SELECT month, programme, town, village, name, recipient, due_fen, paid_fen, {', '.join(f'{name}_fen' for name in columns)}, open_fen, hold"
        f" FROM told WHERE {where} ORDER BY month, programme, town, village, recipient, item LIMIT {LISTED + 1}"
    ).fetchall()
    rows = [
        (
            row[0],
            names.get(row[1], row[1]),
            *row[2:-1],
            "、".join(_hold_name(code) for code in (row[-1] or "").split(",") if code),
        )
        for row in found[:LISTED]
    ]
    head = [
        *_PERSON, ColumnSpec("应发（元）", 12, "amount"), ColumnSpec("已到账（元）", 12, "amount"),
        *(ColumnSpec(f"{WAITING[name]}（元）", 12, "amount") for name in columns), ColumnSpec("尚待追回（元）", 12, "amount"), ColumnSpec("拦下原因", 24, wrap=True),
    ]  # fmt: skip
    notes = [f"只列前 {LISTED} 笔"] if len(found) > LISTED else []
    return SheetSpec(name="未结", columns=head, rows=rows, title="还没有办结的", notes=notes)


def _hold_name(code: str) -> str:
    return BY_CODE[code].name if code in BY_CODE else code
