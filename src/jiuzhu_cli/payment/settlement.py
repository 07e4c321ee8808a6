"""Lines that no return file tells of, or only partly paid: settled by hand after asking the bank (人工核销), with a reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.actors import same_actor
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.payment_states import ANSWERABLE
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger import returns as record
from jiuzhu_cli.ledger.sent import bank_codes
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.failures import failure_files
from jiuzhu_cli.payment.matching import PARTLY

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy


@dataclass(slots=True)
class Settled:
    """``state``: paid or failed; ``missing``: lines of the batch still without an answer."""

    batch: dict[str, Any]
    state: str
    lines: int
    amount_fen: int
    missing: int
    files: list[dict[str, Any]] = field(default_factory=list)
    mending: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        head = {"batch": self.batch["payment_id"], "month": self.batch["month"], "state": self.batch["state"]}
        keys = ("lines", "amount_fen", "missing", "files", "mending")
        return head | {"settled": self.state} | {key: getattr(self, key) for key in keys}


def settle(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    numbers: Collection[int],
    *,
    paid: bool,
    reason: str,
    reversed_: bool = False,
    actor: str,
    now: datetime,
) -> Settled:
    """Books lines that are under way as paid or failed; all of ``numbers`` (with the lines combined with them) or none. What failed is
    owed again, its reason told from the words of ``reason``.

    UsageError without a reason or for a line that the batch does not have; RefusedError for a batch that was not exported, a
    line that has its answer, or a partly paid line called failed without ``reversed_`` (the bank took the part back: it would
    be paid in full again).
    """
    number = batch["payment_id"]
    if not reason.strip():
        raise UsageError("--reason 后面要写明依据", "例如 --reason '银行10月28日电话答复已入账，附回单'")
    if batch["state"] not in ANSWERABLE:
        raise RefusedError(f"第 {number} 批还没有送银行", "用 jiuzhu pay list 看各批到了哪一步", code="not_exported")
    with store.writing(actor, "pay settle"):
        lines = record.lines_with(
            store, number, numbers
        )  # what the bank says of a transfer holds for every line combined in it
        strange = [str(n) for n in sorted(set(numbers)) if n not in lines]
        if strange or not numbers:
            raise UsageError(
                f"第 {number} 批没有第 {'、'.join(strange)} 笔", f"用 jiuzhu pay show {number} 看哪些笔没有回音"
            )
        wanted = list(lines)
        done = [str(n) for n in wanted if lines[n]["state"] != "sent"]
        if done:
            raise RefusedError(
                f"第 {number} 批第 {'、'.join(done)} 笔已有结果，没有改动",
                "多发的用 jiuzhu pay recover",
                code="already",
            )
        partly = [str(n) for n in wanted if lines[n]["reason"].startswith(PARTLY)]
        if partly and not paid and not reversed_:
            raise RefusedError(
                f"第 {'、'.join(partly)} 笔已部分到账，记作失败会全额重发",
                "请银行补足后记作 --paid；银行已把到账部分冲回的，加 --reversed",
                code="partly_paid",
            )
        state, banks = "paid" if paid else "failed", sorted({lines[n]["bank"] for n in wanted})
        with store.transaction(actor=actor, command="pay settle", now=now) as tx:
            for bank in banks:  # a bank's own codes mean what they mean in its own returns
                told = policy.reasons.find(reason, bank).id
                record.settle(
                    tx, number, [n for n in wanted if lines[n]["bank"] == bank], state, reason.strip(), told
                )  # fmt: skip
            detail = {"settled": state, "lines": wanted, "reason": mask_text(reason.strip()), "reversed": reversed_}
            tx.journal(f"payment:{number}", detail)
        batch = payments.batch(store, number)
        files: list[dict[str, Any]] = []
        mending: list[dict[str, Any]] = []
        for bank in banks if not paid else ():
            listed, mending = failure_files(store, workspace, policy, batch, bank, actor=actor, now=now)
            files += listed
    missing = record.count_under_way(store, number)
    amount = sum(lines[n]["amount_fen"] for n in wanted)
    return Settled(batch, state, len(wanted), amount, missing, files, mending)


def settle_rest(
    store: Store, policy: Policy, batch: dict[str, Any], bank: str, *, reason: str, actor: str, now: datetime
) -> Settled:
    """Books as paid what a bank that names only failures (``returns_only_failures``) has not named: two persons stand for it.

    Partly paid lines stay under way. UsageError without a reason, for a bank that is not in the batch or whose returns name every row;
    RefusedError for a batch that was not exported, when nothing is left, and when the same person exported the batch or read that
    bank's return: whoever confirms must be another.
    """
    number = batch["payment_id"]
    if not reason.strip():
        raise UsageError("--reason 后面要写明依据", "例如 --reason '银行10月28日书面确认其余均已入账'")
    if batch["state"] not in ANSWERABLE:
        raise RefusedError(f"第 {number} 批还没有送银行", "用 jiuzhu pay list 看各批到了哪一步", code="not_exported")
    with store.writing(actor, "pay settle"):
        banks = sorted(
            code
            for code in bank_codes(store, number)
            if code in policy.banks and policy.banks[code].returns_only_failures
        )
        if bank not in banks and (bank or len(banks) != 1):
            raise UsageError(
                f"第 {number} 批里“{bank}”不是只回失败的格式" if bank else f"第 {number} 批只回失败的格式有 {len(banks)} 种，要指明",
                "只回失败的银行，在 policy/banks/ 该格式里写 returns_only_failures = true；指明用 --bank 格式",
            )  # fmt: skip
        bank = bank or banks[0]
        by = record.handled_by(store, number, bank)
        if any(same_actor(actor, name) for name in by):
            raise RefusedError(
                f"{actor} 制单、导出或读过这家银行的回盘，其余的要由另一人确认到账",
                "请另一人确认：--actor 确认人",
                code="own_confirmation",
            )
        with store.transaction(actor=actor, command="pay settle", now=now) as tx:
            count, amount = record.settle_rest(tx, number, bank)
            if not count:
                raise RefusedError(
                    f"第 {number} 批这家银行没有还在等结果的款", "用 jiuzhu pay show 查看", code="already"
                )
            detail = {"settled": "paid", "rest_of": bank, "lines": count, "amount_fen": amount}
            tx.journal(
                f"payment:{number}", detail | {"reason": mask_text(reason.strip()), "returns_read_by": sorted(by)}
            )
        missing = record.count_under_way(store, number)
    return Settled(payments.batch(store, number), "paid", count, amount, missing)
