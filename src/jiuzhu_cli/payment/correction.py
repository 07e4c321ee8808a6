"""Corrections of lines booked as paid (冲正): the bank sent the money back later (退汇), or the booking was wrong; and of lines booked as refused that the
bank had paid after all (实际到账).

The money is then owed again and paid again, or owed no longer, so two persons are needed: one asks, giving day, reference and reason, another confirms.
A transfer that holds several lines of one payee is corrected as a whole. Until a payment after all is confirmed nothing is paid again (gate
``said_paid``); once it was paid again, that payment has to come back first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jiuzhu_cli.core.actors import same_actor
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.core.payment_states import SENT
from jiuzhu_cli.ledger import corrections
from jiuzhu_cli.ledger.corrections import AFTER_ALL
from jiuzhu_cli.ledger.store import Store

KINDS = {"bank_returned": "退汇", "booked_wrong": "记错", AFTER_ALL: "实际到账"}
STATES = {"asked": "待确认", "done": "已冲正", "dropped": "已撤回"}


def state_word(row: dict[str, Any]) -> str:
    """What became of a correction."""
    return "已改记到账" if row["state"] == "done" and row["kind"] == AFTER_ALL else STATES[row["state"]]


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
    """Asks that paid lines be reversed, or refused ones (``AFTER_ALL``) be booked as paid; all or none. UsageError for an unknown kind or line, an empty
    reason or a day to come; RefusedError for a batch that was not sent, a line that is not booked so, that was paid again, or asked for already."""
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
    found = corrections.lines(store, payment_id, numbers)
    unpaid = [str(row["line_no"]) for row in found if row["state"] != ("failed" if kind == AFTER_ALL else "paid")]
    if unpaid and kind == AFTER_ALL:
        raise RefusedError(
            f"第 {payment_id} 批第 {'、'.join(unpaid)} 笔没有记作失败，不用改记到账，没有改动",
            "没有回音的用 jiuzhu pay settle --paid；已冲正的与银行查清后照常补发",
            code="not_failed",
        )
    if unpaid:
        raise RefusedError(
            f"第 {payment_id} 批第 {'、'.join(unpaid)} 笔不是已到账，不用冲正，没有改动",
            "没有回音的用 jiuzhu pay settle；失败的更正后直接补发",
            code="not_paid",
        )
    with store.transaction(actor=actor, command="pay reverse", now=now) as tx:
        if kind == AFTER_ALL:
            _check_once(store, [row["line_id"] for row in found])
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
            raise RefusedError(f"冲正 {row['correction_id']} {state_word(row)}，没有改动", "不用再办", code="already")
        if done and same_actor(row["asked_by"], actor):
            raise RefusedError(
                f"冲正 {row['correction_id']} 是 {row['asked_by']} 提出的，不能自己确认",
                "请另一人确认：--actor 姓名",
                code="own_approval",
            )
    with store.transaction(actor=actor, command="pay reverse", now=now) as tx:
        if done:
            _check_once(store, [row["line_id"] for row in rows if row["kind"] == AFTER_ALL])
        for row in rows:
            corrections.answer(tx, row, done=done)
        for payment_id in dict.fromkeys(row["payment_id"] for row in rows):
            own = [row for row in rows if row["payment_id"] == payment_id]
            detail = {
                "reversed": done, "kinds": sorted({row["kind"] for row in own}), "corrections": [row["correction_id"] for row in own], "lines": len(own), "amount_fen": sum(row["amount_fen"] for row in own),
            }  # fmt: skip
            tx.journal(f"payment:{payment_id}", detail)
    return Corrected(
        [row for number in dict.fromkeys(numbers) for row in corrections.corrections(store, number=number)]
    )


def _check_once(store: Store, lines: list[int]) -> None:
    """RefusedError when the money of these refused lines was paid again or is on its way, or what they had kept back has come in otherwise."""
    again = corrections.paid_again(store, lines) if lines else []
    sent = [row for row in again if row["state"] != "due"]
    if again:
        one = (sent or again)[0]
        where = f"第 {one['payment_id']} 批第 {one['other_no']} 笔"
        more = f"（这样的共 {len({row['line_id'] for row in again})} 笔）" if len(again) > 1 else ""
        if sent:
            raise RefusedError(
                f"第 {one['line_no']} 笔的款已由{where}另行补发{more}，没有改动：两笔都记到账就是发了两次",
                f"向银行查清两笔是否都到账。都到账的，先把补发的一笔追回或请银行退回，记 jiuzhu pay reverse --batch {one['payment_id']}"
                f" --line {one['other_no']} 冲正，再改记这一笔",
                code="paid_again",
            )
        draft = one["batch_state"] == "draft"
        raise RefusedError(
            f"第 {one['line_no']} 笔的款已在{where}里等着补发{more}，没有改动",
            (
                f"jiuzhu pay cancel --batch {one['payment_id']}"
                if draft or one["batch_state"] in ("locked", "approved")
                else f"jiuzhu pay release --undo --batch {one['payment_id']} --reason 原因，再 jiuzhu pay cancel --batch {one['payment_id']}"
            )
            + "，提出并确认实际到账以后再制单",
            code="in_batch",
        )
    kept = corrections.set_off_again(store, lines) if lines else []
    if kept:
        raise RefusedError(
            f"这一笔当时抵扣了追缴 {kept[0]['recovery_id']} 的 {yuan(kept[0]['kept_fen'])} 元，记失败以后那项追缴已另行收回，只剩 {yuan(kept[0]['open_fen'])} 元，没有改动",
            "以后的发放又抵扣过、还没有送银行的，取消那一批再改记；已经收回的与本人、财务查清，退还多收的部分后另行调账",
            code="set_off_again",
        )


def waiting(store: Store) -> Corrected:
    """The corrections that wait for a second person."""
    return Corrected(corrections.corrections(store, states=("asked",)))
