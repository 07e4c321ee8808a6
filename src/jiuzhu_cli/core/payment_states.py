"""The states of a payment batch (付款批次) and of its lines: words, and the one table of what may follow what.

draft (草稿) → locked (已锁定) → approved (已审批) → released (已放行) → exported (已导出) → reconciled (已对账) → closed (已办结). The ledger's triggers
hold the same tables (``ledger/schema.sql``), so that no program can move a batch otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

WORDS = {
    "draft": "草稿", "locked": "已锁定", "approved": "已审批", "released": "已放行", "exported": "已导出", "reconciled": "已对账",
    "closed": "已办结", "cancelled": "已取消",
}  # fmt: skip

KINDS = {"regular": "正常发放", "retry": "失败重发", "back_pay": "补发以前月份"}  # of batches

MOVES = frozenset({
    ("draft", "locked"), ("locked", "approved"), ("approved", "released"), ("released", "exported"), ("exported", "reconciled"),
    ("reconciled", "closed"),
    # back, with a reason: nothing has left the house yet
    ("locked", "draft"), ("approved", "draft"), ("released", "approved"),
    ("draft", "cancelled"), ("locked", "cancelled"), ("approved", "cancelled"),
})  # fmt: skip

OPEN = ("draft", "locked", "approved", "released", "exported")  # something is still to be done
FIXED = ("locked", "approved", "released", "exported", "reconciled", "closed")  # lines and sums stand
APPROVED = ("approved", "released", "exported", "reconciled", "closed")
SENT = ("exported", "reconciled", "closed")  # the money has left, or may have
ANSWERABLE = ("exported", "reconciled")  # a return of the bank may still be booked

LINE_MOVES = frozenset({
    ("due", "sent"), ("due", "cancelled"), ("sent", "paid"), ("sent", "failed"),
    ("paid", "reversed"),  # 冲正: the money came back, it is owed again
    ("failed", "paid"),  # the bank's refusal was wrong: by a correction of two persons only
})  # fmt: skip
LIVE = ("due", "sent", "paid")  # an obligation has one line in these at most
OUT = ("sent", "paid")  # paid, or under way at the bank


def sql_list(states: Iterable[str]) -> str:
    """``('a','b')`` for SQL; only for the words above."""
    return "(" + ",".join(f"'{state}'" for state in states) + ")"
