"""Corrections of lines booked as paid (冲正): the bank sent the money back later (退汇), or the booking was wrong.

The money is then owed again and paid again, so two persons are needed: one asks, giving day, reference and reason, another confirms. A transfer
that holds several lines of one payee comes back as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jiuzhu_cli.core.actors import same_actor
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.payment_states import SENT
from jiuzhu_cli.ledger import corrections
from jiuzhu_cli.ledger.store import Store

KINDS = {"bank_returned": "退汇", "booked_wrong": "记错"}
STATES = {"asked": "待确认", "done": "已冲正", "dropped": "已撤回"}


@dataclass(frozen=True, slots=True)
class Corrected:
    """``rows``: as ``ledger.corrections.corrections``."""

    rows: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        keys = (
            "correction_id",
            "payment_id",
            "line_no",
            "programme",
            "month",
            "kind",
            "amount_fen",
            "on_date",
            "state",
            "asked_by",
            "answered_by",
        )
        return {
            "lines": len(self.rows),
            "amount_fen": sum(row["amount_fen"] for row in self.rows),
            "corrections": [{key: row[key] for key in keys} for row in self.rows],
        }


def ask(
    store: Store,
    batch: dict[str, Any],
    numbers: list[int],
    *,
    kind: str,
    on_date: date,
    reference: str,
    reason: str,
    today: date,
    actor: str,
    now: datetime,
) -> Corrected:
    """Asks that paid lines be reversed; all or none. UsageError for an unknown kind or line, an empty reason or a day to come; RefusedError for a
    batch that was not sent, a line that is not booked as paid, or one asked for already."""
    payment_id = batch["payment_id"]
    if kind not in KINDS:
        raise UsageError(f"没有“{kind}”这一种冲正", f"写 {' 或 '.join(KINDS.values())}")
    if not reason.strip():
        raise UsageError("--reason 后面要写明依据", "例如 --reason '银行11月3日退汇，账户已销户，退汇凭证0123'")
    if on_date > today:
        raise UsageError(f"日期 {on_date.isoformat()} 在今天之后", "写钱退回（或查出记错）的日期")
    if batch["state"] not in SENT:
        raise RefusedError(
            f"第 {payment_id} 批还没有送银行，没有可冲正的", "不发的用 jiuzhu pay cancel", code="not_exported"
        )
    found = corrections.paid_lines(store, payment_id, numbers)
    unpaid = [str(row["line_no"]) for row in found if row["state"] != "paid"]
    if unpaid:
        raise RefusedError(
            f"第 {payment_id} 批第 {'、'.join(unpaid)} 笔不是已到账，不用冲正，没有改动",
            "没有回音的用 jiuzhu pay settle；失败的更正后直接补发",
            code="not_paid",
        )
    with store.transaction(actor=actor, command="pay reverse", now=now) as tx:
        made = [
            corrections.ask(
                tx, row["line_id"], kind=kind, amount_fen=row["amount_fen"], on_date=on_date.isoformat(), reference=reference.strip(),
                reason=reason.strip(),
            )
            for row in found
        ]  # fmt: skip
        detail = {
            "reverse": kind, "asked": made, "lines": len(made), "amount_fen": sum(row["amount_fen"] for row in found), "reason": mask_text(reason.strip()),
        }  # fmt: skip
        tx.journal(f"payment:{payment_id}", detail)
    return Corrected([row for number in made for row in corrections.corrections(store, number=number)])


def answer(store: Store, numbers: list[int], *, done: bool, actor: str, now: datetime) -> Corrected:
    """Another person confirms, or it is dropped; all or none. UsageError for an unknown number; RefusedError for one's own or one answered before."""
    rows = []
    for number in dict.fromkeys(numbers):
        found = corrections.corrections(store, number=number)
        if not found:
            raise UsageError(f"没有冲正 {number}", "用 jiuzhu pay reverse 看清单")
        rows += found
    for row in rows:
        if row["state"] != "asked":
            raise RefusedError(
                f"冲正 {row['correction_id']} {STATES[row['state']]}，没有改动", "不用再办", code="already"
            )
        if done and same_actor(row["asked_by"], actor):
            raise RefusedError(
                f"冲正 {row['correction_id']} 是 {row['asked_by']} 提出的，不能自己确认",
                "请另一人确认：--actor 姓名",
                code="own_approval",
            )
    with store.transaction(actor=actor, command="pay reverse", now=now) as tx:
        for row in rows:
            corrections.answer(tx, row, done=done)
        for payment_id in dict.fromkeys(row["payment_id"] for row in rows):
            own = [row for row in rows if row["payment_id"] == payment_id]
            detail = {
                "reversed": done, "corrections": [row["correction_id"] for row in own], "lines": len(own), "amount_fen": sum(row["amount_fen"] for row in own),
            }  # fmt: skip
            tx.journal(f"payment:{payment_id}", detail)
    return Corrected(
        [row for number in dict.fromkeys(numbers) for row in corrections.corrections(store, number=number)]
    )


def waiting(store: Store) -> Corrected:
    """The corrections that wait for a second person."""
    return Corrected(corrections.corrections(store, states=("asked",)))
