"""Matching a bank's return with the lines that were sent: by line number, account and amount, or by account, name and amount."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.names import normalise_name
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.payment.layout import BankFile

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankLayout

_NOT_DONE = ("未成功", "不成功", "没有成功", "未能成功")
_FAILED = ("失败", "退票", "退回", "退汇", "拒绝", "不符", "不存在", "销户", "冻结")

# a row finds its line by number; what else it says must agree
_BY_NUMBER = """
CREATE OR REPLACE TABLE pairing AS
SELECT b.row, b.outcome, b.paid, b.reason, b.amount AS stated, l.*,
       CASE WHEN l.line_id IS NULL THEN '第 ' || b.row || ' 行：本批没有这一笔（序号 ' || coalesce(b.line_no::VARCHAR, '空') || '）'
            WHEN b.account <> l.account THEN '第 ' || b.row || ' 行：账号与序号 ' || b.line_no || ' 的不同'
            WHEN b.amount IS DISTINCT FROM l.amount THEN '第 ' || b.row || ' 行：金额与发出的不同'
            WHEN count(*) OVER (PARTITION BY l.line_id) > 1 THEN '第 ' || b.row || ' 行：与另一行重复' END AS problem,
       l.line_id IS NULL OR b.account <> l.account AS stranger
FROM back b LEFT JOIN line l ON l.line_no = b.line_no
"""
# rows and lines of the same account, name and amount are paired off in order, lines still under way first; that is safe
# only when all of them have the same outcome and none is left over
_BY_KEY = """
CREATE OR REPLACE TABLE pairing AS
WITH b AS (SELECT *, row_number() OVER (PARTITION BY account, name, amount ORDER BY row) AS place,
                  count(*) OVER (PARTITION BY account, name, amount) AS rows_alike,
                  count(DISTINCT outcome) OVER (PARTITION BY account, name, amount) AS outcomes FROM back),
     l AS (SELECT *, row_number() OVER (PARTITION BY account, name, amount ORDER BY state <> 'sent', line_no) AS place,
                  count(*) FILTER (state = 'sent') OVER (PARTITION BY account, name, amount) AS under_way FROM line)
SELECT b.row, b.outcome, b.paid, b.reason, b.amount AS stated, l.* EXCLUDE (place, under_way),
       CASE WHEN l.line_id IS NULL AND b.place > 1 THEN '第 ' || b.row || ' 行：与另一行重复'
            WHEN l.line_id IS NULL AND EXISTS (SELECT 1 FROM line o WHERE o.account = b.account) THEN '第 ' || b.row || ' 行：金额或户名与发出的不同'
            WHEN l.line_id IS NULL THEN '第 ' || b.row || ' 行：本批没有这一笔'
            WHEN b.rows_alike < l.under_way OR (b.outcomes > 1 AND l.under_way > 1)
                 THEN '第 ' || b.row || ' 行：同账号同户名同金额有几笔，分不清是哪一笔' END AS problem,
       l.line_id IS NULL AND NOT EXISTS (SELECT 1 FROM line o WHERE o.account = b.account) AS stranger
FROM b LEFT JOIN l ON l.account = b.account AND l.name = b.name AND l.amount = b.amount AND l.place = b.place
"""
_CONFLICT = """
SELECT row, CASE WHEN outcome = '' THEN '第 ' || row || ' 行：结果看不懂'
                 WHEN state NOT IN ('sent', outcome) THEN '第 ' || row || ' 行：与已入账的结果不同' END AS problem
FROM pairing WHERE problem IS NULL
"""


@dataclass(slots=True)
class Match:
    """``outcome``: Arrow table ``line_id, state, reason`` of what is new. ``problems``: Chinese, by row; [] when all fits."""

    rows: int
    problems: list[str]
    unknown: int
    fresh: int = 0
    succeeded: int = 0
    failed: int = 0
    partial: int = 0
    missing: int = 0
    amount_fen: int = 0
    failed_fen: int = 0
    outcome: pa.Table = field(default=None)

    def figures(self) -> dict[str, int]:
        return {
            "lines": self.rows, "succeeded": self.succeeded, "failed": self.failed, "partial": self.partial, "missing": self.missing,
            "unknown": self.unknown, "amount_fen": self.amount_fen,
        }  # fmt: skip


def outcome_of(layout: BankLayout, text: str) -> str:
    """``paid``, ``failed``, ``partial``, or ``''`` when the bank's word cannot be told for sure: that holds the whole file.

    Whole words (codes) first. A word that speaks of success and of failure is never guessed: calling a paid line failed would
    pay it again.
    """
    word = compact(text)
    if word in layout.failure:
        return "failed"
    if word in layout.success:
        return "paid"
    if not word or word.isascii():
        return ""
    if "部分" in word:
        return "partial"
    if any(sign in word for sign in _NOT_DONE):
        return "failed"
    good = any(sign in word for sign in layout.success if not sign.isascii())
    bad = any(sign in word for sign in (*layout.failure, *_FAILED) if not sign.isascii())
    if good == bad:
        return ""
    return "paid" if good and not any(sign in word for sign in "未不无非") else "failed" if bad else ""


def match_return(layout: BankLayout, file: BankFile, lines: pa.Table) -> Match:
    """Pairs every row of ``file`` with one line of ``lines`` (all of the batch's lines of this bank)."""
    import duckdb
    import pyarrow as pa

    if not len(file):
        return Match(0, ["文件里没有付款结果"], 0)
    connection = duckdb.connect(":memory:")
    incoming = _rows(layout, file)
    sent = pa.table(
        {
            "line_id": lines["line_id"], "line_no": lines["line_no"], "amount": lines["amount_fen"], "state": lines["state"],
            "account": _each(compact, lines["account_no"].to_pylist()), "name": _each(normalise_name, lines["payee_name"].to_pylist()),
        }
    )  # fmt: skip
    connection.register("back_rows", incoming)
    connection.register("sent_rows", sent)
    connection.execute("CREATE TABLE back AS SELECT * FROM back_rows")
    connection.execute("CREATE TABLE line AS SELECT * FROM sent_rows")
    numbered = "line_no" in file.columns and None not in file.columns["line_no"]
    named = "payee_name" in file.columns
    best: Match | None = None
    # banks that number their files anew are matched by account, name and amount
    for sql in [_BY_NUMBER] * numbered + [_BY_KEY] * named:
        connection.execute(sql)
        found = _read_pairing(connection, len(file))
        if best is None or not found.problems:
            best = found
        if not best.problems:
            break
    connection.close()
    return best or Match(len(file), ["没有序号，也没有户名，无法逐笔核对"], len(file))


def _each(change: Callable[[str], str], texts: list[str | None]) -> pa.Array:
    """``change`` applied to each text, once for equal ones; plain digits need none."""
    import pyarrow as pa

    if None not in texts and "".join(texts).isdecimal() and "".join(texts).isascii():  # type: ignore[arg-type]
        return pa.array(texts, pa.string())
    known = {text: change(text or "") for text in set(texts)}
    return pa.array([known[text] for text in texts], pa.string())


def _rows(layout: BankLayout, file: BankFile) -> Any:
    import pyarrow as pa

    count = len(file)
    columns = file.columns
    words = {text: outcome_of(layout, text) for text in set(columns.get("result", []))}
    outcomes = [words[text] for text in columns.get("result", [""] * count)]
    paid = columns.get("paid_amount", [None] * count)
    amounts = columns.get("amount", [None] * count)
    for index, real in enumerate(paid):
        if real is not None and amounts[index] is not None and outcomes[index]:
            outcomes[index] = "paid" if real == amounts[index] else "failed" if real == 0 else "partial"
    return pa.table(
        {
            "row": pa.array(file.rows, pa.int64()),
            "line_no": pa.array(columns.get("line_no", [None] * count), pa.int64()),
            "account": _each(compact, columns.get("account_no", [""] * count)),
            "name": _each(normalise_name, columns.get("payee_name", [""] * count)),
            "amount": pa.array(amounts, pa.int64()),
            "paid": pa.array(paid, pa.int64()),
            "outcome": pa.array(outcomes, pa.string()),
            "reason": pa.array([text or "" for text in columns.get("reason", [""] * count)], pa.string()),
        }
    )


def _read_pairing(connection: Any, rows: int) -> Match:
    wrong = connection.execute(
        f"SELECT row, problem FROM pairing WHERE problem IS NOT NULL UNION ALL SELECT row, problem FROM ({_CONFLICT}) WHERE problem IS NOT NULL"
        " ORDER BY row"
    ).fetchall()
    unknown = connection.execute("SELECT count(*) FROM pairing WHERE stranger").fetchall()[0][0]
    problems = [text for _, text in wrong]
    if problems:
        return Match(rows, problems, unknown)
    counted = connection.execute(
        "SELECT count(*) FILTER (state = 'sent' AND outcome <> 'partial'), count(*) FILTER (outcome = 'paid'), count(*) FILTER (outcome = 'failed'),"
        " count(*) FILTER (outcome = 'partial'), coalesce(sum(amount) FILTER (outcome = 'paid'), 0)::BIGINT,"
        " coalesce(sum(amount) FILTER (outcome = 'failed'), 0)::BIGINT FROM pairing"
    ).fetchall()[0]
    missing = connection.execute(
        "SELECT count(*) FROM line WHERE state = 'sent' AND line_id NOT IN (SELECT line_id FROM pairing)"
    ).fetchall()[0][0]
    outcome = connection.sql(
        "SELECT line_id, CASE outcome WHEN 'partial' THEN 'sent' ELSE outcome END AS state, CASE WHEN outcome = 'paid' THEN '' WHEN outcome = 'partial'"
        " THEN '部分到账' || coalesce('：' || printf('%.2f', paid / 100.0) || ' 元', '') ELSE coalesce(nullif(reason, ''), '银行未说明原因') END AS reason"
        " FROM pairing WHERE state = 'sent' ORDER BY line_id"
    ).to_arrow_table()
    fresh, paid, failed, partial, amount, failed_fen = counted
    return Match(
        rows, [], 0, fresh=outcome.num_rows if fresh or partial else 0, succeeded=paid, failed=failed, partial=partial, missing=missing,
        amount_fen=amount, failed_fen=failed_fen, outcome=outcome,
    )  # fmt: skip
