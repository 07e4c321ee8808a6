"""Lines that no return file tells of, or only partly paid: settled by hand after asking the bank (人工核销), with a reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.payment_states import ANSWERABLE
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.returns import failure_file

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

PARTLY = "部分到账"


@dataclass(slots=True)
class Settled:
    """``state``: paid or failed; ``missing``: lines of the batch still without an answer."""

    batch: dict[str, Any]
    state: str
    lines: int
    amount_fen: int
    missing: int
    files: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        head = {"batch": self.batch["payment_id"], "month": self.batch["month"], "state": self.batch["state"]}
        keys = ("lines", "amount_fen", "missing", "files")
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
    """Books lines that are under way as paid or failed; all of ``numbers`` or none. What failed is owed again.

    UsageError without a reason or for a line that the batch does not have; RefusedError for a batch that was not exported, a
    line that has its answer, or a partly paid line called failed without ``reversed_`` (the bank took the part back: it would
    be paid in full again).
    """
    number = batch["payment_id"]
    if not reason.strip():
        raise UsageError("--reason 后面要写明依据", "例如 --reason '银行10月28日电话答复已入账，附回单'")
    if batch["state"] not in ANSWERABLE:
        raise RefusedError(f"第 {number} 批还没有送银行", "用 jiuzhu pay list 看各批到了哪一步", code="not_exported")
    store.lock.acquire(f"{actor} 正在运行 pay settle")
    try:
        lines = {line["line_no"]: line for line in payments.lines(store, number).to_pylist()}
        wanted = sorted(set(numbers))
        strange = [str(n) for n in wanted if n not in lines]
        if strange or not wanted:
            raise UsageError(
                f"第 {number} 批没有第 {'、'.join(strange)} 笔", f"用 jiuzhu pay show {number} 看哪些笔没有回音"
            )
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
        state = "paid" if paid else "failed"
        with store.transaction(actor=actor, command="pay settle", now=now) as tx:
            payments.settle(tx, number, wanted, state, reason.strip())
            detail = {"settled": state, "lines": wanted, "reason": mask_text(reason.strip()), "reversed": reversed_}
            tx.journal(f"payment:{number}", detail)
        batch = payments.batch(store, number) or batch
        files = []
        if not paid:
            for bank in sorted({lines[n]["bank"] for n in wanted}):
                files += failure_file(store, workspace, policy, batch, bank, actor=actor, now=now)
    finally:
        store.lock.release()
    missing = sum(1 for n, line in lines.items() if line["state"] == "sent" and n not in wanted)
    return Settled(batch, state, len(wanted), sum(lines[n]["amount_fen"] for n in wanted), missing, files)
