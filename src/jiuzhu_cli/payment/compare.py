"""Two months beside each other (两月比较): who is new, gone, up, down, paid to another account, moved, and why; per programme and town.

Compared is what each month owes (``payment.dues``), so that before + new + up − gone − down = after; beside it stands what was paid of the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger import dues as record
from jiuzhu_cli.ledger.files import record_file
from jiuzhu_cli.ledger.links import links_of
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.candidates import load_table
from jiuzhu_cli.payment.dues import balance, open_dues, policies_of
from jiuzhu_cli.payment.earlier import standard_change
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

LISTED = 100_000
KINDS = {"new": "新增", "gone": "减少", "up": "增加", "down": "降低", "same": "金额不变"}
REASONS = {
    "decision": "复核决定", "death": "死亡", "doubt": "疑点确认停发", "moved": "转项目", "head": "换户主", "start": "决定新增", "listed": "新列入名册",
    "not_listed": "名册已没有", "persons": "人数变化", "standard": "标准调整", "add_on": "加发变化", "income": "收入变化", "one_off": "一次性", "list": "名册金额变化", "": "",
}  # fmt: skip
_MORE = ("base_fen", "addon_fen", "care_fen", "income_fen", "covered_persons", "account_no")

_PAIRED = """
CREATE TABLE paired AS
WITH side AS (
  SELECT d.*, r.single OR r.instalments AS once, l.base_fen, coalesce(l.addon_fen, 0) + coalesce(l.care_fen, 0) AS addon_fen, l.income_fen, l.covered_persons, l.account_no
  FROM due d JOIN rule r ON r.month = d.month AND r.programme = d.programme LEFT JOIN lead l USING (row_id)),
both_sides AS (
  SELECT coalesce(a.programme, b.programme) AS programme, coalesce(a.recipient, b.recipient) AS recipient, coalesce(a.item, b.item) AS item, coalesce(b.name, a.name) AS name,
         a.town AS town_before, b.town AS town_after, coalesce(b.town, a.town) AS town, coalesce(b.village, a.village) AS village, coalesce(a.due_fen, 0) AS before_fen,
         coalesce(b.due_fen, 0) AS after_fen, coalesce(a.once, b.once) AS once, b.code, b.cause, b.detail, a.base_fen AS base_before, b.base_fen AS base_after,
         a.addon_fen AS addon_before, b.addon_fen AS addon_after, a.income_fen AS income_before, b.income_fen AS income_after, a.covered_persons AS persons_before,
         b.covered_persons AS persons_after, coalesce(a.account_no, '') AS account_before, coalesce(b.account_no, '') AS account_after
  FROM (SELECT * FROM side WHERE month = $first) a FULL JOIN (SELECT * FROM side WHERE month = $last) b USING (programme, recipient, item)),
told AS (
  SELECT p.*, CASE WHEN before_fen = 0 THEN 'new' WHEN after_fen = 0 THEN 'gone' WHEN after_fen > before_fen THEN 'up' WHEN after_fen < before_fen THEN 'down' ELSE 'same' END AS kind,
         x.case_id, x.action, k.event_date, o.programme AS other_programme, h.old_id_no IS NOT NULL AS head_changed, s.allowed_fen
  FROM both_sides p
  LEFT JOIN (SELECT DISTINCT ON (programme, id_no) * FROM between_decision ORDER BY effective_month DESC, case_id DESC) x ON x.programme = p.programme AND x.id_no = p.recipient
  LEFT JOIN dead k ON k.id_no = p.recipient AND months_of(k.event_date) < months_of($last)
  -- the same person under another programme in the other month only: changed over
  LEFT JOIN (SELECT recipient, before_fen = 0 AS is_new, min(programme) AS programme FROM both_sides WHERE (before_fen = 0) <> (after_fen = 0) AND NOT once GROUP BY ALL) o
         ON o.recipient = p.recipient AND o.is_new = (p.after_fen = 0) AND o.programme <> p.programme AND (p.before_fen = 0) <> (p.after_fen = 0)
  LEFT JOIN (SELECT DISTINCT programme, old_id_no, new_id_no FROM link WHERE kind = 'head_dead') h
         ON h.programme = p.programme AND (h.new_id_no = p.recipient AND p.before_fen = 0 OR h.old_id_no = p.recipient AND p.after_fen = 0)
  LEFT JOIN standard s ON s.programme = p.programme
  WHERE before_fen > 0 OR after_fen > 0)
SELECT *, after_fen - before_fen AS change_fen, before_fen > 0 AND after_fen > 0 AND account_before <> account_after AND account_before <> '' AND account_after <> '' AS account_changed,
       before_fen > 0 AND after_fen > 0 AND town_before <> town_after AS town_changed,
       CASE WHEN kind = 'same' THEN '' WHEN once THEN 'one_off' WHEN head_changed THEN 'head'
            WHEN kind = 'gone' THEN CASE WHEN code = 'dead' OR event_date IS NOT NULL THEN 'death' WHEN code = 'doubt_confirmed' THEN 'doubt' WHEN other_programme IS NOT NULL THEN 'moved'
                                         WHEN code = 'stopped' OR action IN ('stop', 'transfer', 'decrease') THEN 'decision' ELSE 'not_listed' END
            WHEN kind = 'new' THEN CASE WHEN other_programme IS NOT NULL THEN 'moved' WHEN action = 'start' OR code = 'started' THEN 'start' ELSE 'listed' END
            WHEN code = 'decided' OR action IN ('increase', 'decrease', 'grace') THEN 'decision'
            WHEN persons_before <> persons_after THEN 'persons'
            WHEN addon_after - addon_before = after_fen - before_fen THEN 'add_on'
            WHEN income_before <> income_after THEN 'income'
            WHEN allowed_fen >= abs(after_fen - before_fen) / greatest(coalesce(persons_after, 1), 1) THEN 'standard' ELSE 'list' END AS why
FROM told
"""


@dataclass(slots=True)
class Compared:
    """``by_kind``: kind → (lines, change in 分); ``by_reason``: (kind, reason) → the same; ``places``: a row a programme and town."""

    first: str
    last: str
    before_fen: int
    after_fen: int
    by_kind: dict[str, tuple[int, int]]
    by_reason: dict[tuple[str, str], tuple[int, int]]
    accounts: int
    towns: int
    places: list[dict[str, Any]]
    files: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.first,
            "to": self.last,
            "before_fen": self.before_fen,
            "after_fen": self.after_fen,
            "by_kind": {kind: {"lines": n, "change_fen": fen} for kind, (n, fen) in self.by_kind.items()},
            "by_reason": [
                {"kind": kind, "reason": why, "lines": n, "change_fen": fen}
                for (kind, why), (n, fen) in self.by_reason.items()
            ],
            "account_changed": self.accounts,
            "town_changed": self.towns,
            "by_place": self.places,
            "files": self.files,
        }


def compare(
    store: Store, workspace: Workspace, policy: Policy, first: str, last: str, *, actor: str, now: datetime
) -> Compared:
    """Compares two months and writes the workbook. UsageError when they are the same or the wrong way round; RefusedError when one has no list."""
    if check_month(first) >= check_month(last):
        raise UsageError(f"月份 {first} 和 {last} 的先后不对", "先写早的月份，再写晚的")
    months = [first, last]
    policies = policies_of(store, policy, months)
    connection = open_dues(store, policies, months, more=_MORE)
    try:
        listed = {row[0] for row in connection.execute("SELECT DISTINCT month FROM list").fetchall()}
        missing = [month for month in months if month not in listed]
        if missing:
            raise RefusedError(f"{'、'.join(missing)} 没有花名册，比不了", "先导入那个月的花名册", code="nothing")
        _add(connection, store, policies[last], first, last)
        connection.execute(_PAIRED, {"first": first, "last": last})
        balance(connection, store, [last])
        found = _found(connection, first, last)
        found.files = [_workbook(connection, store, workspace, policies[last], found, actor=actor, now=now)]
    finally:
        connection.close()
    return found


def _add(connection: duckdb.DuckDBPyConnection, store: Store, policy: Policy, first: str, last: str) -> None:
    """Decisions that took effect in between, heads that changed, and by how much the standards moved."""
    load_table(connection, "between_decision", record.decided_between(store, first, last))
    connection.execute("CREATE TABLE link (programme VARCHAR, old_id_no VARCHAR, new_id_no VARCHAR, kind VARCHAR)")
    links = [(one["programme"], one["old_id_no"], one["new_id_no"], one["kind"]) for one in links_of(store, last)]
    if links:
        connection.executemany("INSERT INTO link VALUES (?, ?, ?, ?)", links)
    connection.execute("CREATE TABLE standard (programme VARCHAR, allowed_fen BIGINT)")
    codes = [row[0] for row in connection.execute("SELECT DISTINCT programme FROM due ORDER BY 1").fetchall()]
    moved = [
        (code, standard_change(policy, policy.programmes[code], first, last))
        for code in codes
        if code in policy.programmes
    ]
    if moved := [row for row in moved if row[1]]:
        connection.executemany("INSERT INTO standard VALUES (?, ?)", moved)


def _found(connection: duckdb.DuckDBPyConnection, first: str, last: str) -> Compared:
    before, after, accounts, towns = connection.execute(
        "SELECT coalesce(sum(before_fen), 0), coalesce(sum(after_fen), 0), count(*) FILTER (account_changed), count(*) FILTER (town_changed) FROM paired"
    ).fetchall()[0]
    by_reason = connection.execute(
        "SELECT kind, why, count(*), sum(change_fen) FROM paired GROUP BY ALL ORDER BY kind, count(*) DESC, why"
    ).fetchall()
    by_kind = dict.fromkeys(KINDS, (0, 0))
    for kind, _, count, fen in by_reason:
        by_kind[kind] = (by_kind[kind][0] + count, by_kind[kind][1] + int(fen))
    sums = ", ".join(
        f"count(*) FILTER (kind = '{kind}') AS {kind}_lines, coalesce(sum(change_fen) FILTER (kind = '{kind}'), 0)::BIGINT AS {kind}_fen"
        for kind in ("new", "gone", "up", "down")
    )
    places = connection.sql(
        "SELECT programme, town, sum(before_fen)::BIGINT AS before_fen, sum(after_fen)::BIGINT AS after_fen, count(*) FILTER (before_fen > 0) AS before_lines,"
        f" count(*) FILTER (after_fen > 0) AS after_lines, {sums}, count(*) FILTER (account_changed) AS account_changed, count(*) FILTER (town_changed) AS town_changed"
        " FROM paired GROUP BY ALL ORDER BY programme, town"
    ).to_arrow_table().to_pylist()  # fmt: skip
    return Compared(
        first, last, int(before), int(after), by_kind, {(kind, why): (n, int(fen)) for kind, why, n, fen in by_reason if kind != "same"}, accounts, towns, places,
    )  # fmt: skip


def _workbook(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    workspace: Workspace,
    policy: Policy,
    found: Compared,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    names = {code: programme.name for code, programme in policy.programmes.items()}
    head = [
        ColumnSpec("救助项目", 20), ColumnSpec("乡镇", 14), ColumnSpec(f"{found.first}笔数", 12, "count"), ColumnSpec(f"{found.first}应发（元）", 16, "amount"),
        *(spec for word in ("新增", "减少", "增加", "降低") for spec in (ColumnSpec(f"{word}笔数", 10, "count"), ColumnSpec(f"{word}（元）", 14, "amount"))),
        ColumnSpec(f"{found.last}笔数", 12, "count"), ColumnSpec(f"{found.last}应发（元）", 16, "amount"), ColumnSpec("换账号", 8, "count"), ColumnSpec("换乡镇", 8, "count"),
    ]  # fmt: skip
    keys = (
        "before_lines", "before_fen", "new_lines", "new_fen", "gone_lines", "gone_fen", "up_lines", "up_fen", "down_lines", "down_fen", "after_lines", "after_fen",
        "account_changed", "town_changed",
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (names.get(one["programme"], one["programme"]), one["town"], *(one[key] for key in keys))
        for one in found.places
    ]
    rows.append(("合计", "", *(sum(one[key] for one in found.places) for key in keys)))
    reasons = [(KINDS[kind], REASONS[why], n, fen) for (kind, why), (n, fen) in found.by_reason.items()]
    title = f"{found.first} 与 {found.last} 应发比较"
    why_head = [
        ColumnSpec("变化", 10),
        ColumnSpec("原因", 20),
        ColumnSpec("笔数", 10, "count"),
        ColumnSpec("金额变化（元）", 16, "amount"),
    ]
    sheets = [
        SheetSpec(name="汇总", columns=head, rows=rows, title=title, notes=[f"{found.last} 应发 = {found.first} 应发 + 新增 + 增加 + 减少 + 降低（后两项为负数）"]),
        SheetSpec(name="原因", columns=why_head, rows=reasons, title=title),
        _details(connection, names, found.last),
    ]  # fmt: skip
    path = workspace.internal / "pay" / f"比较_{found.first}_{found.last}.xlsx"
    digest = write_xlsx(path, sheets)
    changed = sum(n for kind, (n, _) in found.by_kind.items() if kind != "same")
    entity = f"compare:{found.first}..{found.last}"
    with store.transaction(actor=actor, command="pay compare", now=now) as tx:
        record_file(
            tx,
            workspace,
            path,
            entity=entity,
            kind="comparison",
            sha256=digest,
            lines=changed,
            amount_fen=found.after_fen - found.before_fen,
        )
        tx.journal(entity, {"lines": changed, "amount_fen": found.after_fen - found.before_fen}, digest=digest)
    return {
        "path": workspace.relative(path),
        "lines": changed,
        "amount_fen": found.after_fen - found.before_fen,
        "sha256": digest,
    }


def _details(connection: duckdb.DuckDBPyConnection, names: dict[str, str], last: str) -> SheetSpec:
    """Everyone whose amount, account or town is another, with what has become of the second month's money."""
    found = connection.execute(
        "SELECT p.kind, p.why, p.programme, p.town, p.village, p.name, p.recipient, p.before_fen, p.after_fen, p.change_fen, p.case_id, p.event_date, p.other_programme,"
        " p.town_before, p.town_after, p.town_changed, p.account_changed, p.account_before, p.account_after, b.paid_fen, b.sent_fen + b.drafted_fen, b.failed, h.reason"
        " FROM paired p LEFT JOIN balance b ON b.programme = p.programme AND b.recipient = p.recipient AND b.item = p.item AND b.month = ? LEFT JOIN (SELECT programme, recipient,"
        " string_agg(DISTINCT reason, '；' ORDER BY reason) AS reason FROM held GROUP BY ALL) h ON h.programme = p.programme AND h.recipient = p.recipient"
        f" WHERE p.kind <> 'same' OR p.account_changed OR p.town_changed ORDER BY p.programme, p.town, p.kind, p.village, p.recipient, p.item LIMIT {LISTED + 1}",
        [last],
    ).fetchall()
    rows = []
    for (
        kind,
        why,
        code,
        town,
        village,
        name,
        person,
        before,
        after,
        change,
        case,
        died,
        other,
        was,
        now_in,
        moved,
        account,
        old,
        new,
        paid,
        under_way,
        failed,
        held,
    ) in found[:LISTED]:
        told = [f"决定 {case}"] if case and why in ("decision", "start") else []
        told += [f"死亡日期 {died}"] if why == "death" and died else []
        told += [f"另一项目：{names.get(other, other)}"] if why == "moved" else []
        told += [f"{was} → {now_in}"] if moved else []
        state = (
            ""
            if not after
            else "已到账"
            if paid
            else "在途"
            if under_way
            else "失败待补发"
            if failed
            else f"拦下：{held}"
            if held
            else "未制单"
        )
        rows.append((
            KINDS[kind], REASONS[why], names.get(code, code), town, village, name, person, before, after, change, "；".join(told), f"{old} → {new}" if account else "", state,
        ))  # fmt: skip
    head = [
        ColumnSpec("变化", 8), ColumnSpec("原因", 14), ColumnSpec("救助项目", 18), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10),
        ColumnSpec("身份证号", 22), ColumnSpec("前（元）", 12, "amount"), ColumnSpec("后（元）", 12, "amount"), ColumnSpec("变化（元）", 12, "amount"),
        ColumnSpec("说明", 30, wrap=True), ColumnSpec("换账号", 40), ColumnSpec("发放", 24, wrap=True),
    ]  # fmt: skip
    notes = [f"只列前 {LISTED} 笔"] if len(found) > LISTED else []
    return SheetSpec(name="明细", columns=head, rows=rows, title="逐笔变化", notes=notes)
