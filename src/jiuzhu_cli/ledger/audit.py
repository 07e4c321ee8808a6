"""The audit (查账): the chain of the journal, the digests of files, the totals that must agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.core.payment_states import APPROVED, FIXED, sql_list
from jiuzhu_cli.ledger.files import changed_files
from jiuzhu_cli.ledger.move_audit import move_problems
from jiuzhu_cli.ledger.overrides import override_problems
from jiuzhu_cli.ledger.payment_digests import control_holds, sealed_lines, sums_differ
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace

_APPROVALS = (
    f"SELECT 'payment:' || p.payment_id FROM payment_batch p WHERE p.state IN {sql_list(APPROVED)} AND NOT EXISTS (SELECT 1 FROM"
    " journal j WHERE j.entity = 'payment:' || p.payment_id AND j.command = 'pay approve' AND j.actor = p.approved_by AND"
    " j.digest = p.control_sha256 AND json_extract(j.detail, '$.drafted_by') = p.drafted_by)"
)
_TOTALS = {
    "batch_totals": (
        "SELECT 'batch:' || b.batch_id FROM batch b LEFT JOIN (SELECT batch_id, COUNT(*) n, SUM(CASE WHEN lead = 1 THEN amount_fen END) fen FROM"
        " roll_row GROUP BY batch_id) r USING (batch_id) WHERE b.kind = 'roll' AND b.amount_fen <> COALESCE(r.fen, 0)",
        "{entity} 的金额合计与其行不符",
    ),
    "payment_totals": (
        "SELECT 'payment:' || p.payment_id FROM payment_batch p LEFT JOIN (SELECT payment_id, COUNT(*) n, SUM(amount_fen) fen FROM payment_line"
        " GROUP BY payment_id) l USING (payment_id) WHERE p.state <> 'cancelled' AND (p.lines <> COALESCE(l.n, 0) OR p.amount_fen <> COALESCE(l.fen, 0))",
        "{entity} 的笔数或金额与其明细不符",
    ),
    "paper_totals": (  # sums that the papers printed, of the lines as they are locked now
        "SELECT 'payment:' || p.payment_id FROM payment_batch p JOIN (SELECT payment_id, control_sha256, SUM(lines) n, SUM(amount_fen) fen"
        " FROM payment_sum GROUP BY payment_id, control_sha256) s USING (payment_id, control_sha256) WHERE p.lines <> s.n OR p.amount_fen <> s.fen",
        "{entity} 的审批单、汇总表所用的合计与批次不符",
    ),
    "paid_twice": (
        "SELECT 'obligation:' || obligation_id FROM payment_line WHERE state IN ('due','sent','paid') GROUP BY obligation_id HAVING COUNT(*) > 1",
        "{entity} 有两笔有效付款",
    ),
    "line_amounts": (
        "SELECT 'line:' || l.line_id FROM payment_line l JOIN obligation o USING (obligation_id) WHERE l.amount_fen > o.amount_fen AND l.state IN ('due','sent','paid')",
        "{entity} 的金额超过应发",
    ),
    "own_approval": (
        "SELECT 'payment:' || payment_id FROM payment_batch WHERE approved_by <> '' AND approved_by = drafted_by",
        "{entity} 由制单人自己审批",
    ),
    "approval_unrecorded": (_APPROVALS, "{entity} 的审批与操作日志对不上"),
}
# locked batches; of those of before line digests, an obligation owed again was told anew by the later batch: that cannot be computed any more
_LOCKED = (
    f"SELECT payment_id FROM payment_batch p WHERE state IN {sql_list(FIXED)} AND NOT EXISTS (SELECT 1 FROM payment_line l JOIN payment_line n"
    " USING (obligation_id) WHERE l.payment_id = p.payment_id AND l.digest = '' AND n.line_id > l.line_id)"
)


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    entity: str
    text: str


@dataclass(frozen=True, slots=True)
class AuditResult:
    entries: int
    files: int
    payments: int
    problems: tuple[Problem, ...]
    filled: tuple[
        str, ...
    ] = ()  # forms that somebody has filled in since they were written: nothing is wrong with that

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "entries": self.entries,
            "files": self.files,
            "payments": self.payments,
            "filled": list(self.filled),
            "problems": [{"code": p.code, "entity": p.entity, "text": p.text} for p in self.problems],
        }


def check_ledger(store: Store, workspace: Workspace) -> AuditResult:
    """All checks at once; a sound ledger gives no problem."""
    problems = [
        Problem("journal_broken", f"journal:{seq}", f"日志第 {seq} 条被改动或前后不连") for seq in store.check_journal()
    ]
    integrity = [row[0] for row in store.query("PRAGMA integrity_check(5)")]
    if integrity != ["ok"]:
        problems.append(Problem("database_damaged", "ledger", "台账数据库内部结构有损坏"))
    problems += [
        Problem("foreign_key", row[0], f"{row[0]} 有失去出处的行") for row in store.query("PRAGMA foreign_key_check")
    ]
    for code, (sql, text) in _TOTALS.items():
        problems += [Problem(code, row[0], text.format(entity=row[0])) for row in store.query(sql)]
    locked = {row["payment_id"] for row in store.query(_LOCKED)}
    unbalanced: list[Problem] = []
    for row in store.query(f"SELECT * FROM payment_batch WHERE state IN {sql_list(('draft', *FIXED))}"):
        batch, entity = dict(row), f"payment:{row['payment_id']}"
        lines = sealed_lines(store, batch["payment_id"])
        if batch["payment_id"] in locked and not control_holds(store, batch, lines):
            problems.append(Problem("control_differs", entity, f"{entity} 的明细与锁定时不一致"))
        if found := sums_differ(store, batch, lines):
            unbalanced.append(Problem("sums_differ", entity, f"{entity} 合计不平：{found}"))
    problems += unbalanced
    problems += [Problem(*found) for found in (*move_problems(store), *override_problems(store))]
    words = {"missing": "不见了", "altered": "内容被改动"}
    changed = changed_files(store, workspace)
    problems += [
        Problem(f"file_{why}", path, f"产出文件 {path} {words[why]}") for path, why in changed if why != "filled"
    ]
    count = store.query(
        "SELECT (SELECT COUNT(*) FROM journal), (SELECT COUNT(*) FROM output_file), (SELECT COUNT(*) FROM payment_batch)"
    )[0]
    filled = tuple(path for path, why in changed if why == "filled")
    return AuditResult(count[0], count[1], count[2], tuple(problems), filled)


def intact(store: Store) -> bool:
    """Whether the database hangs together, every page and row of it. Reads on a connection of its own: any thread may ask."""
    return bool(store.arrow("PRAGMA quick_check(1)")[0].to_pylist() == ["ok"])


def release_problems(store: Store, payment_id: int, *, sound: bool) -> list[Problem]:
    """Why the batch must not go on to the bank whatever its state says: a broken journal, a damaged database (not ``sound``, see ``intact``), an
    approval nobody gave."""
    problems = [
        Problem("journal_broken", f"journal:{seq}", f"日志第 {seq} 条被改动或前后不连") for seq in store.check_journal()
    ]
    if not sound:
        problems.append(Problem("database_damaged", "ledger", "台账数据库内部结构有损坏"))
    unrecorded = store.query(f"{_APPROVALS} AND p.payment_id = ?", (payment_id,))
    problems += [Problem(*found) for found in move_problems(store, payment_id)]
    return problems + [
        Problem("approval_unrecorded", row[0], f"第 {payment_id} 批的审批与操作日志对不上") for row in unrecorded
    ]


def journal_entries(store: Store, *, last: int = 30, entity: str = "") -> list[dict[str, Any]]:
    """The newest ``last`` entries (of ``entity`` when given), oldest first."""
    where, params = ("WHERE entity = ?", [entity]) if entity else ("", [])
    rows = store.query(
        f"SELECT seq, at, actor, command, entity, detail, digest FROM journal {where} ORDER BY seq DESC LIMIT ?",
        [*params, last],
    )
    return [dict(row) for row in reversed(rows)]
