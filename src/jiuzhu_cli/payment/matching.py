"""Matching a bank's return with what was sent: by the transfer's number, account and amount, or by account, name and amount.

A transfer is a row of the bank's file: one line, or several lines of one payee combined (``transfer_no``); what the bank says of
it holds for all its lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.names import normalise_name
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.payment.layout import BankFile
from jiuzhu_cli.policy.return_reasons import OTHER

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankLayout
    from jiuzhu_cli.policy.return_reasons import ReasonTable

_NOT_DONE = ("未成功", "不成功", "没有成功", "未能成功")
_FAILED = ("失败", "退票", "退回", "退汇", "拒绝", "不符", "不存在", "销户", "冻结")
UNSAID = "银行未说明原因"
PARTLY = "部分到账"

# lines → transfers; one that was reversed since (冲正) had been paid
_TRANSFERS = """
CREATE TABLE transfer AS
SELECT transfer_no, min(number) AS first_line, any_value(account) AS account, any_value(name) AS name, sum(amount)::BIGINT AS amount, max(answered) AS answered,
       CASE min(CASE state WHEN 'sent' THEN 1 WHEN 'paid' THEN 2 WHEN 'failed' THEN 3 WHEN 'reversed' THEN 4 ELSE 5 END)
            WHEN 1 THEN 'sent' WHEN 2 THEN 'paid' WHEN 3 THEN 'failed' WHEN 4 THEN 'reversed' ELSE 'cancelled' END AS state
FROM line GROUP BY transfer_no
"""
# the same where no line is combined with another
_SINGLE = """
CREATE VIEW transfer AS
SELECT transfer_no, number AS first_line, account, name, amount, answered, CASE WHEN state IN ('sent', 'paid', 'failed', 'reversed') THEN state ELSE 'cancelled' END AS state
FROM line
"""
# some banks give accounts back masked (6217****0001); a row without an account must name the payee
_SAME_ACCOUNT = """(b.account = l.account OR (b.account = '' AND b.name = l.name)
  OR (contains(b.account, '*') AND starts_with(l.account, split_part(b.account, '*', 1)) AND ends_with(l.account, split_part(b.account, '*', -1))
      AND length(replace(b.account, '*', '')) >= 4))"""
_PAIR = "b.row, b.outcome, b.word, b.paid, b.reason, b.code, b.amount AS stated, l.transfer_no, l.first_line, l.amount, l.answered, l.state"
# a row finds its transfer by number; what else it says must agree
_BY_NUMBER = f"""
CREATE OR REPLACE TABLE pairing AS
WITH several AS (SELECT line_no FROM back GROUP BY line_no HAVING count(*) > 1)
SELECT {_PAIR},
       CASE WHEN l.transfer_no IS NULL THEN '本批没有这一笔（序号 ' || coalesce(b.line_no::VARCHAR, '空') || '）'
            WHEN NOT {_SAME_ACCOUNT} THEN '账号与序号 ' || b.line_no || ' 的不同'
            WHEN b.amount IS DISTINCT FROM l.amount THEN '金额与发出的不同'
            WHEN s.line_no IS NOT NULL THEN '与另一行重复' END AS problem,
       l.transfer_no IS NULL OR NOT {_SAME_ACCOUNT} AS stranger
FROM back b LEFT JOIN transfer l ON l.transfer_no = b.line_no LEFT JOIN several s ON s.line_no = b.line_no
"""
# rows and transfers of the same account, name and amount are paired off in order, those under way first; that is safe
# only when all of them have the same outcome and none is left over. Few accounts stand there twice: only those are counted.
_BY_KEY = f"""
CREATE OR REPLACE TABLE pairing AS
WITH several AS MATERIALIZED (SELECT account FROM back GROUP BY account HAVING count(*) > 1 UNION SELECT account FROM transfer GROUP BY account HAVING count(*) > 1),
     b AS (SELECT *, 1 AS place, 1 AS rows_alike, 1 AS outcomes FROM back ANTI JOIN several USING (account)
           UNION ALL SELECT *, row_number() OVER (PARTITION BY account, name, amount ORDER BY row),
                  count(*) OVER (PARTITION BY account, name, amount),
                  count(DISTINCT outcome) OVER (PARTITION BY account, name, amount) FROM back SEMI JOIN several USING (account)),
     l AS (SELECT *, 1 AS place, (state = 'sent')::BIGINT AS under_way FROM transfer ANTI JOIN several USING (account)
           UNION ALL SELECT *, row_number() OVER (PARTITION BY account, name, amount ORDER BY state <> 'sent', transfer_no),
                  count(*) FILTER (state = 'sent') OVER (PARTITION BY account, name, amount) FROM transfer SEMI JOIN several USING (account))
SELECT {_PAIR},
       CASE WHEN l.transfer_no IS NULL AND b.place > 1 THEN '与另一行重复'
            WHEN l.transfer_no IS NULL THEN '本批没有这一笔'
            WHEN b.rows_alike < l.under_way OR (b.outcomes > 1 AND l.under_way > 1)
                 THEN '同账号同户名同金额有几笔，分不清是哪一笔' END AS problem,
       l.transfer_no IS NULL AS stranger, CASE WHEN l.transfer_no IS NULL THEN b.account END AS given
FROM b LEFT JOIN l ON l.account = b.account AND l.name = b.name AND l.amount = b.amount AND l.place = b.place
"""
# of a row that fits none the account may be known all the same
_KNOWN = """
UPDATE pairing SET stranger = false, problem = CASE WHEN problem = '与另一行重复' THEN problem ELSE '金额或户名与发出的不同' END
WHERE stranger AND given IN (SELECT account FROM transfer)
"""
# what is on record is never overwritten: a line called failed after it was paid is money that came back (退汇)
_CONFLICT = """
SELECT row, transfer_no, first_line, kind, coalesce(problem, CASE kind
         WHEN 'unread' THEN '结果看不懂（' || coalesce(nullif(left(word, 12), ''), '没有写') || '）' WHEN 'unsent' THEN '本批这一笔没有送出'
         WHEN 'late' THEN '与已入账的结果不同：已记到账（' || day || '），后来又说失败（' || coalesce(nullif(reason, ''), '没有写原因') || '）：是退汇'
         ELSE '与已入账的结果不同：已记' || CASE state WHEN 'failed' THEN '失败' ELSE '到账' END || '（' || day || '），这里说' || CASE outcome WHEN 'paid' THEN '成功' ELSE '部分到账' END
              || CASE state WHEN 'failed' THEN '：可能已另行补发，不能照收' ELSE '' END END) AS what
FROM (SELECT *, left(answered, 10) AS day, CASE
        WHEN problem IS NOT NULL THEN '' WHEN outcome = '' THEN 'unread' WHEN state = 'cancelled' THEN 'unsent'
        WHEN state = 'paid' AND outcome = 'failed' THEN 'late'
        WHEN (state = 'paid' AND outcome = 'partial') OR (state = 'failed' AND outcome <> 'failed') THEN 'contradiction' END AS kind FROM pairing)
WHERE kind IS NOT NULL ORDER BY row
"""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a row (1-based; 0: the file). ``kind``: ``late`` (退汇 of a paid line), ``contradiction`` of what is on record,
    ``unread``, ``unsent``; '' when it fits no transfer. ``line_no``: the first line of the transfer, as commands name it."""

    row: int
    what: str
    kind: str = ""
    transfer_no: int = 0
    line_no: int = 0

    def __str__(self) -> str:
        return f"第 {self.row} 行：{self.what}" if self.row else self.what


@dataclass(slots=True)
class Match:
    """``outcome``: Arrow table ``line_id, state, reason, reason_code`` of what is new. ``problems``: by row; [] when all fits.

    Figures count transfers (rows of the bank's file); ``missing``: those of this bank that no return has told of yet.
    """

    rows: int
    problems: list[Wrong]
    unknown: int
    fresh: int = 0
    succeeded: int = 0
    failed: int = 0
    partial: int = 0
    missing: int = 0
    amount_fen: int = 0
    failed_fen: int = 0
    outcome: pa.Table = field(default=None)
    by_reason: dict[str, int] = field(default_factory=dict)

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


def match_return(layout: BankLayout, file: BankFile, lines: pa.Table, reasons: ReasonTable) -> Match:
    """Pairs every row of ``file`` with one transfer of ``lines`` (all of the batch's lines of this bank)."""
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(file):
        waiting = len(lines.filter(pc.equal(lines["state"], "sent"))["transfer_no"].unique())
        if layout.returns_only_failures:  # none failed
            return Match(0, [], 0, fresh=waiting, missing=waiting, outcome=_nothing())
        return Match(0, [Wrong(0, "文件里没有付款结果")], 0)
    connection = duckdb.connect(":memory:")
    incoming = _rows(layout, file, reasons)
    sent = pa.table(
        {
            "line_id": lines["line_id"], "number": lines["line_no"], "transfer_no": lines["transfer_no"], "amount": lines["amount_fen"], "state": lines["state"],
            "answered": lines["returned_at"], "noted": lines["reason"], "account": _each(compact, lines["account_no"]),
            "name": _each(normalise_name, lines["payee_name"]),
        }
    )  # fmt: skip
    connection.register("back", incoming)
    connection.register("line", sent)
    connection.execute(_SINGLE if sent["number"].equals(sent["transfer_no"]) else _TRANSFERS)
    numbered = "line_no" in file.columns and not incoming["line_no"].null_count
    named = "payee_name" in file.columns and "account_no" in file.columns
    best: Match | None = None
    # banks that number their files anew are matched by account, name and amount
    for sql in [_BY_NUMBER] * numbered + [_BY_KEY] * named:
        connection.execute(sql)
        if sql is _BY_KEY:
            connection.execute(_KNOWN)
        found = _read_pairing(connection, len(file))
        if best is None or len(found.problems) < len(best.problems):
            best = found
        if all(wrong.kind for wrong in best.problems):
            break
    connection.close()
    return best or Match(len(file), [Wrong(0, "没有序号，也没有户名，无法逐笔核对")], len(file))


def _nothing() -> pa.Table:
    import pyarrow as pa

    names = ("state", "reason", "reason_code")
    return pa.table({"line_id": pa.array([], pa.int64()), **{name: pa.array([], pa.string()) for name in names}})


def _vector(values: Any, kind: pa.DataType) -> pa.Array:
    """A column of a file (a list, or Arrow) as Arrow."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)


def _each(change: Callable[[str], str], values: Any) -> pa.Array:
    """``change`` applied to each text (none is ''), once for equal ones; plain digits need none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = _vector(values, pa.string())
    if not texts.null_count and pc.all(pc.ascii_is_decimal(texts)).as_py():
        return texts
    return _told(texts, change)


def _told(texts: pa.Array, change: Callable[[str], str]) -> pa.Array:
    import pyarrow as pa

    coded = texts.dictionary_encode()
    known = [*map(change, coded.dictionary.to_pylist()), change("")]
    return pa.array(known, pa.string()).take(coded.indices.fill_null(len(known) - 1))


def _rows(layout: BankLayout, file: BankFile, reasons: ReasonTable) -> pa.Table:
    """The file as ``row, line_no, account, name, amount, paid, outcome, word, reason, code`` (the bank's word; the reason's id)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count, columns = len(file), file.columns

    def texts(source: str) -> pa.Array:
        return _vector(columns[source], pa.string()) if source in columns else pa.repeat("", count)

    def numbers(source: str) -> pa.Array:
        return _vector(columns[source], pa.int64()) if source in columns else pa.nulls(count, pa.int64())

    word, amount, paid = texts("result"), numbers("amount"), numbers("paid_amount")
    unsaid = "failed" if layout.returns_only_failures else ""
    outcome = _told(word, lambda text: outcome_of(layout, text)) if "result" in columns else pa.repeat(unsaid, count)
    if "paid_amount" in columns:
        told = pc.and_(pc.is_valid(pc.add(paid, amount)), pc.not_equal(outcome, ""))
        real = pc.if_else(pc.equal(paid, amount), "paid", pc.if_else(pc.equal(paid, 0), "failed", "partial"))
        outcome = pc.if_else(told, real, outcome)
    said = pc.fill_null(texts("reason"), "")
    if "result" in columns:  # a bank without a column of reasons says them in the result: 失败-账户已销户
        in_word = pc.and_(pc.equal(said, ""), pc.equal(outcome, "failed"))
        said = pc.if_else(in_word, pc.fill_null(word, ""), said)
    codes: dict[str, str] = {}
    plain = {compact(word) for word in layout.failure}

    def code_of(text: str) -> str:
        if text not in codes:
            codes[text] = reasons.find(text, layout.code).id
        return codes[text]

    return pa.table(
        {
            "row": _vector(file.rows, pa.int64()),
            "line_no": numbers("line_no"),
            "account": _each(compact, texts("account_no")),
            "name": _each(normalise_name, texts("payee_name")),
            "amount": amount,
            "paid": paid,
            "outcome": outcome,
            "word": word,
            "reason": _told(said, lambda text: "" if code_of(text) == OTHER and compact(text) in plain else text),
            "code": _told(said, code_of),
        }
    )


def _read_pairing(connection: Any, rows: int) -> Match:
    wrong = [
        Wrong(row, text, kind, number or 0, line or 0)
        for row, number, line, kind, text in connection.execute(_CONFLICT).fetchall()
    ]
    unknown = connection.execute("SELECT count(*) FROM pairing WHERE stranger").fetchall()[0][0]
    if wrong:
        return Match(rows, wrong, unknown)
    paid, failed, partial, amount, failed_fen = connection.execute(
        "SELECT count(*) FILTER (outcome = 'paid'), count(*) FILTER (outcome = 'failed'), count(*) FILTER (outcome = 'partial'),"
        " coalesce(sum(amount) FILTER (outcome = 'paid'), 0)::BIGINT, coalesce(sum(amount) FILTER (outcome = 'failed'), 0)::BIGINT FROM pairing"
    ).fetchall()[0]
    missing = connection.execute(
        "SELECT count(*) FROM transfer WHERE state = 'sent' AND transfer_no NOT IN (SELECT transfer_no FROM pairing)"
    ).fetchall()[0][0]
    by_reason = connection.execute(
        "SELECT code, count(*) FROM pairing WHERE outcome = 'failed' GROUP BY code ORDER BY count(*) DESC, code"
    ).fetchall()
    outcome = connection.sql(
        "FROM (SELECT l.line_id, CASE p.outcome WHEN 'partial' THEN 'sent' ELSE p.outcome END AS state, CASE WHEN p.outcome = 'paid' THEN ''"
        f" WHEN p.outcome = 'partial' THEN '{PARTLY}' || coalesce('：' || printf('%.2f', p.paid / 100.0) || ' 元', '')"
        f" ELSE coalesce(nullif(p.reason, ''), '{UNSAID}') END AS reason, CASE p.outcome WHEN 'failed' THEN p.code ELSE '' END AS reason_code, l.noted"
        " FROM pairing p JOIN line l USING (transfer_no) WHERE l.state = 'sent') SELECT * EXCLUDE (noted) WHERE state <> 'sent' OR reason <> noted ORDER BY line_id"
    ).to_arrow_table()
    return Match(
        rows, [], 0, fresh=outcome.num_rows, succeeded=paid, failed=failed, partial=partial, missing=missing, amount_fen=amount,
        failed_fen=failed_fen, outcome=outcome, by_reason=dict(by_reason),
    )  # fmt: skip
