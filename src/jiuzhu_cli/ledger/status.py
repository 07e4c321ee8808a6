"""Where a month stands: what was imported, compared, reviewed, posted, paid, and what a clerk does next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jiuzhu_cli.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Step:
    code: str
    done: bool
    text: str
    figures: dict[str, int]


@dataclass(frozen=True, slots=True)
class MonthStatus:
    """``rolls`` per programme: ``programme, areas, cases, persons, amount_fen, refused``."""

    month: str
    rolls: list[dict[str, Any]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    next_text: str = ""
    next_command: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "rolls": self.rolls,
            "steps": [{"step": s.code, "done": s.done, "text": s.text, **s.figures} for s in self.steps],
            "next": {"text": self.next_text, "command": self.next_command},
        }


# refused rows that have come back by a remainder workbook (the rows still wrong in it are its own refusals)
_BACK = "WITH back AS (SELECT supplements AS batch_id, SUM(rows) AS back FROM batch WHERE status = 'active' AND supplements IS NOT NULL GROUP BY supplements)"
_ROLLS = f"""
{_BACK}
SELECT b.programme, COUNT(*) AS areas, SUM(r.cases) AS cases, SUM(r.persons) AS persons, SUM(b.amount_fen) AS amount_fen, SUM(MAX(0, b.refused - COALESCE(s.back, 0))) AS refused
FROM batch b LEFT JOIN back s USING (batch_id) LEFT JOIN (SELECT batch_id, SUM(lead) AS cases, COUNT(*) AS persons FROM roll_row GROUP BY batch_id) r USING (batch_id)
WHERE b.kind = 'roll' AND b.status = 'active' AND b.month = ? GROUP BY b.programme ORDER BY b.programme
"""
_PLACES = """
SELECT b.programme, CASE WHEN r.town = '' THEN '未注明' ELSE r.town END AS town, r.lead AS cases, 1 AS persons, COALESCE(r.amount_fen, 0) AS amount_fen
FROM batch b JOIN roll_row r USING (batch_id) WHERE b.kind = 'roll' AND b.status = 'active' AND b.month = ?
"""
_WAYS = {
    "draft": "lock",
    "locked": "approve --actor 审批人",
    "approved": "export",
    "released": "export",
    "exported": "return 银行回盘文件",
}


def month_status(store: Store, month: str = "") -> MonthStatus:
    """Figures of ``month`` (default: the latest month with a live roll) and the next command."""
    if not month:
        month = store.query("SELECT COALESCE(MAX(month), '') FROM batch WHERE kind = 'roll' AND status = 'active'")[0][
            0
        ]
    if not month:
        return MonthStatus("", next_text="导入各乡镇、各部门的表", next_command="jiuzhu import inbox")
    rolls = [dict(row) for row in store.query(_ROLLS, [month])]

    def count(sql: str) -> int:
        return int(store.query(sql, [month])[0][0] or 0)

    refused = count(
        f"{_BACK} SELECT SUM(MAX(0, b.refused - COALESCE(s.back, 0))) FROM batch b LEFT JOIN back s USING (batch_id) WHERE b.status = 'active' AND b.month = ?"
    )
    compared = count("SELECT COUNT(*) FROM journal WHERE command LIKE 'dedupe run%' AND entity = 'dedupe:' || ?")
    strong = count(
        "SELECT COUNT(*) FROM doubt WHERE state = 'open' AND severity = 'strong' AND disposition = 'pending' AND month_from <= ?1 AND month_to >= ?1"
    )
    doubts = count("SELECT COUNT(*) FROM doubt WHERE state = 'open' AND month_from <= ?1 AND month_to >= ?1")
    reviewed = count("SELECT COUNT(*) FROM journal WHERE command LIKE 'review run%' AND entity = 'review:' || ?")
    undecided = count("SELECT COUNT(*) FROM proposal WHERE state = 'open' AND month = ?")
    posted = count("SELECT COUNT(*) FROM posting WHERE state <> 'replaced' AND month = ?")
    open_posts = count("SELECT COUNT(*) FROM posting WHERE state = 'open' AND month = ?")
    objections = count(
        "SELECT COUNT(*) FROM objection o JOIN posting p USING (posting_id) WHERE o.state = 'open' AND p.month = ?"
    )
    batches = [
        dict(r)
        for r in store.query(
            "SELECT payment_id, state, lines, amount_fen FROM payment_batch WHERE month = ? AND state <> 'cancelled' ORDER BY sequence",
            [month],
        )
    ]
    paid = count(
        "SELECT COUNT(*) FROM payment_line l JOIN payment_batch p USING (payment_id) WHERE l.state = 'paid' AND p.month = ?"
    )
    failed = count(
        "SELECT COUNT(*) FROM obligation o WHERE o.month = ? AND EXISTS (SELECT 1 FROM payment_line l WHERE l.obligation_id = o.obligation_id AND l.state = 'failed')"
        " AND NOT EXISTS (SELECT 1 FROM payment_line l WHERE l.obligation_id = o.obligation_id AND l.state IN ('due','sent','paid'))"
    )
    # what waits for us before what waits for the bank
    pending = sorted((b for b in batches if b["state"] in _WAYS), key=lambda b: b["state"] == "exported")
    sent = count(
        "SELECT COUNT(*) FROM payment_line l JOIN payment_batch p USING (payment_id) WHERE l.state = 'sent' AND p.month = ?"
    )
    written = {
        row["entity"]: row["path"]
        for row in store.query(
            "SELECT entity, path FROM output_file WHERE kind IN ('doubts_workbook', 'review_workbook') ORDER BY path DESC"
        )
    }
    books = (written.get(f"dedupe:{month}", "疑点工作簿.xlsx"), written.get(f"review:{month}", "复核建议.xlsx"))
    steps = [
        Step(
            "import",
            True,
            f"导入：{sum(r['areas'] for r in rolls)} 份花名册" + (f"，其中 {refused} 行拒收待改" if refused else ""),
            {"refused": refused},
        ),
        Step(
            "dedupe",
            bool(compared),
            f"比对：疑点 {doubts} 条，待核实的强疑点 {strong} 条" if compared else "比对：还没有运行",
            {"doubts": doubts, "strong_pending": strong},
        ),
        Step(
            "review",
            bool(reviewed),
            f"复核：待决定 {undecided} 件" if reviewed else "复核：还没有运行",
            {"undecided": undecided},
        ),
        Step(
            "post",
            bool(posted and not open_posts),
            f"公示：{posted} 张，未结束 {open_posts} 张，未答复异议 {objections} 件" if posted else "公示：还没有生成",
            {"postings": posted, "open": open_posts, "objections": objections},
        ),
        Step(
            "pay",
            bool(batches) and not pending,
            f"发放：批次 {len(batches)} 个，已送银行 {sent} 笔，到账 {paid} 笔，失败待补发 {failed} 笔"
            if batches
            else "发放：还没有制单",
            {"batches": len(batches), "sent": sent, "paid": paid, "failed": failed},
        ),
    ]
    text, command = _next(
        month,
        compared=compared,
        reviewed=reviewed,
        posted=posted,
        open_posts=open_posts,
        strong=strong,
        pending=pending,
        batches=batches,
        failed=failed,
        undecided=undecided,
        books=books,
    )
    return MonthStatus(month, rolls, steps, text, command)


def _next(
    month: str,
    *,
    compared: int,
    reviewed: int,
    posted: int,
    open_posts: int,
    strong: int,
    pending: list[dict[str, Any]],
    batches: list[dict[str, Any]],
    failed: int,
    undecided: int,
    books: tuple[str, str],
) -> tuple[str, str]:
    """The first thing not yet done, as words and a command. ``books``: the workbooks of doubts and of proposals."""
    if pending:
        words = {
            "draft": "锁定发放批次",
            "locked": "由另一人审批",
            "approved": "生成银行文件",
            "released": "生成银行文件",
            "exported": "银行回盘后读回结果",
        }
        state = pending[0]["state"]
        return f"{words[state]}（批次 {pending[0]['payment_id']}）", f"jiuzhu pay {_WAYS[state]}"
    if not compared:
        return "跨项目比对，找重复、漏发、死亡后领取", f"jiuzhu dedupe run --month {month}"
    if strong and not batches:
        return (
            f"核实 {strong} 条强疑点，在疑点工作簿里选处理结果后读回",
            f"jiuzhu dedupe decide {books[0]}",
        )
    if not reviewed:
        return "按政策重算资格和金额", f"jiuzhu review run --month {month}"
    if undecided and not posted:
        return (
            f"核实 {undecided} 件复核建议，填决定（停发、调减填两个日期）后读回；暂不办的可以先公示：jiuzhu post make --month {month}",
            f"jiuzhu review decide {books[1]}",
        )
    if not posted:
        return "生成各村公示单", f"jiuzhu post make --month {month}"
    if open_posts:
        return "公示期满且无异议后结束公示", f"jiuzhu post close --month {month}"
    if not batches:
        return "制作发放批次", f"jiuzhu pay draft --month {month}"
    if failed:
        return f"补发 {failed} 笔失败的付款（先更正账号）", f"jiuzhu pay draft --month {month}"
    return "本月已办完；查一遍账并备份", "jiuzhu audit check && jiuzhu backup"


def figures_by_town(store: Store, month: str) -> list[dict[str, Any]]:
    """The month by town and programme: ``town, programme, cases, persons, amount_fen`` (分), with totals.

    Programme '' is a town's total, town '' the whole district's; towns in order of their names, totals last.
    """
    import pandas as pd

    rows = pd.DataFrame(
        [tuple(row) for row in store.query(_PLACES, [month])],
        columns=["programme", "town", "cases", "persons", "amount_fen"],
    )
    if rows.empty:
        return []
    parts = [
        rows.assign(town=town, programme=programme)
        for town in (rows["town"], "")
        for programme in (rows["programme"], "")
    ]
    summed = pd.concat(parts).groupby(["town", "programme"], as_index=False)[["cases", "persons", "amount_fen"]].sum()
    ordered = summed.sort_values(["town", "programme"], key=lambda column: column.where(column != "", "\U0010ffff"))
    return [{str(key): value for key, value in record.items()} for record in ordered.to_dict("records")]
