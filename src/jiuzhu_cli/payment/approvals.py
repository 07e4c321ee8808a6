"""The states of a payment batch: draft → locked → approved → released → exported → reconciled → closed; or cancelled before (制单、锁定、审批)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.payment_states import APPROVED, WORDS
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger import overrides, payments
from jiuzhu_cli.ledger.payment_digests import computed_digests, control_of, seal, sealed_lines
from jiuzhu_cli.ledger.payment_moves import (
    Signer,
    expect,
    last_digest,
    moving,
    note_approval,
    set_approved,
    set_cancelled,
    set_locked,
)
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.keys import check_signer
from jiuzhu_cli.payment.levels import given, turn
from jiuzhu_cli.payment.plan import compute, drafted_from, lines_gone, payable
from jiuzhu_cli.payment.states import check_control, check_sums
from jiuzhu_cli.payment.transfers import crowded

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.load import Policy

WAITING = {
    "draft": "等待锁定",
    "locked": "等待审批",
    "approved": "等待导出",
    "released": "等待导出",
    "exported": "等待回盘",
}
NEXT = {
    "draft": "先锁定：jiuzhu pay lock",
    "locked": "由另一人审批：jiuzhu pay approve --actor 审批人",
    "approved": "导出银行文件：jiuzhu pay export",
    "released": "导出银行文件：jiuzhu pay export",
    "exported": "拿到回盘后：jiuzhu pay return 回盘文件",
    "reconciled": "这一批已办完，可以办结：jiuzhu pay close；有失败的，更正后补发：jiuzhu pay draft --month {month}",
    "closed": "这一批已办结",
    "cancelled": "重新制单：jiuzhu pay draft --month {month}",
}


def choose(
    store: Store, states: tuple[str, ...], *, number: int = 0, month: str = "", otherwise: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The batch meant: ``number``, or the single one in ``states`` of ``month`` (default: the latest month that has one).

    ``otherwise``: states to fall back to (to say of a finished batch that it is finished). UsageError for an unknown number or
    when several fit; RefusedError when none does.
    """
    if number:
        return payments.batch(store, number)
    if month:
        check_month(month)
    for wanted in (states, otherwise):
        target = month or (payments.latest_month(store, wanted) if wanted else "")
        fitting = payments.batches(store, month=target, states=wanted) if target and wanted else []
        if len(fitting) == 1 or (fitting and wanted is otherwise):
            return fitting[-1]
        if fitting:
            numbers = "、".join(str(b["payment_id"]) for b in fitting)
            raise UsageError(
                f"{target} 有几个批次都在等这一步：{numbers}",
                f"用 --batch 指明，例如 --batch {fitting[0]['payment_id']}",
            )
    raise _no_batch(store, states, month)


def _no_batch(store: Store, states: tuple[str, ...], month: str) -> RefusedError:
    """What there is instead, and the step that comes next for it."""
    standing = payments.batches(store, month=month)
    if not standing:
        return RefusedError(
            f"{month}{' ' if month else ''}还没有付款批次",
            f"先制单：jiuzhu pay draft --month {month or '月份'}",
            code="no_batch",
        )
    last = standing[-1]
    kind = WAITING.get(states[0], "") if len(states) == 1 else "可以取消"
    return RefusedError(
        f"没有{kind}的批次（{last['month']} 第 {last['payment_id']} 批{WORDS[last['state']]}）",
        NEXT[last["state"]].format(month=last["month"]),
        code="no_batch",
    )


def lock(
    store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any], *, actor: str, now: datetime
) -> dict[str, Any]:
    """Locks a draft: control totals and a SHA-256 over its lines. Returns the batch.

    RefusedError when it is no draft, or when the rolls, doubts or postings have changed since so that a line may no longer be
    paid as it stands.
    """
    if batch["state"] != "draft":
        raise RefusedError(
            f"第 {batch['payment_id']} 批{WORDS[batch['state']]}，不能再锁定",
            "用 jiuzhu pay list 看下一步",
            code="not_draft",
        )
    with moving(store, batch, actor=actor, command="pay lock"):
        lines = sealed_lines(store, batch["payment_id"])
        # a plan made anew of the same things would be the same, and takes as long as the draft
        if payments.draft_rests_on(store, batch["payment_id"]) != drafted_from(policy, workspace):
            _refuse_stale(store, workspace, policy, batch, lines)
        if payments.is_combined(store, batch["payment_id"]):
            _refuse_crowded(workspace, policy, batch, lines)
        check_sums(store, batch, lines)
        digests = computed_digests(store, lines)
        digest = control_of(batch, digests["digest"])
        unsealed = _unsealed(batch, digests)
        if unsealed:  # a draft of an earlier version
            store.stage("line_digest", digests.select(["line_id", "digest"]))
        with store.transaction(actor=actor, command="pay lock", now=now) as tx:
            if unsealed:
                seal(tx, batch["payment_id"])
            set_locked(tx, batch["payment_id"], digest)
            tx.journal(
                f"payment:{batch['payment_id']}",
                {"lines": batch["lines"], "amount_fen": batch["amount_fen"]},
                digest=digest,
            )
    return payments.batch(store, batch["payment_id"])


def _refuse_stale(store: Store, workspace: Workspace, policy: Policy, batch: dict[str, Any], lines: pa.Table) -> None:
    """Every line must still be in the plan computed now, with the same recipient, amount, account and bank."""
    plan = compute(
        store,
        workspace,
        policy,
        batch["month"],
        # only the batch's own: others, left out of it, would be served first where money is short
        payable(policy, sorted({row["programme"] for row in payments.by_programme(store, batch["payment_id"])})),
        override=batch["override_reason"],
        without=batch["payment_id"],
        sealed=False,
    )
    gone = lines_gone(lines, plan.lines)
    if gone:
        raise RefusedError(
            f"制单之后情况有变：{gone} 笔已不能照原样发（名册、疑点、公示或决定有改动）",
            f"重新制单后再锁定：jiuzhu pay draft --month {batch['month']}",
            code="stale_draft",
        )


def _refuse_crowded(workspace: Workspace, policy: Policy, batch: dict[str, Any], lines: pa.Table) -> None:
    """Combined transfers must still fit their bank's file: the layout may have changed since they were drafted."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.register("drafted", lines)
        found = crowded(connection, "drafted", workspace, policy)
    if found:
        raise RefusedError(
            f"制单之后格式有变：{found[0].layout}有 {len({one.transfer_no for one in found})} 笔合并的转账写不下（{found[0].what}）",
            f"重新制单就不合并，再锁定：jiuzhu pay draft --month {batch['month']}",
            code="stale_draft",
        )


def _unsealed(batch: dict[str, Any], digests: pa.Table) -> bool:
    """Whether the draft's lines have no digests yet. RefusedError when some digest is not its line's: the draft was altered."""
    if digests["digest"].equals(digests["stored"]):
        return False
    if digests["stored"].unique().to_pylist() == [""]:
        return True
    raise RefusedError(
        f"第 {batch['payment_id']} 批的明细在制单之后被改动过",
        "运行 jiuzhu audit check 查清；重新制单后再锁定",
        code="control_differs",
    )


def approve(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    batch: dict[str, Any],
    *,
    actor: str,
    now: datetime,
    signer: Signer | None = None,
) -> dict[str, Any]:
    """Approves a locked batch, at the level whose turn it is; it stays locked while a further level has to follow.

    RefusedError when it is not locked, when the approver drafted it, has approved it before or is not of the level, does not sign
    and must, or when its lines changed.
    """
    if batch["state"] in APPROVED:
        raise RefusedError(
            f"第 {batch['payment_id']} 批已由 {batch['approved_by']} 审批过，现在{WORDS[batch['state']]}",
            NEXT[batch["state"]].format(month=batch["month"]),
            code="not_locked",
        )
    if batch["state"] != "locked":
        todo = "先锁定：jiuzhu pay lock" if batch["state"] == "draft" else "用 jiuzhu pay list 看下一步"
        raise RefusedError(f"第 {batch['payment_id']} 批{WORDS[batch['state']]}，不能审批", todo, code="not_locked")
    with moving(store, batch, actor=actor, command="pay approve"):
        newest = last_digest(store, batch["payment_id"])
        now_due = turn(policy, batch, given(store, batch["payment_id"]), actor)
        level = now_due.level.name if now_due.level else ""
        check_signer(store, workspace, actor, signer)
        check_control(store, batch)
        with store.transaction(actor=actor, command="pay approve", now=now) as tx:
            expect(tx, batch["payment_id"], newest)
            if now_due.after:
                note_approval(tx, batch["payment_id"], level, signer)
            else:
                overrides.agree_batch(tx, batch["payment_id"])
                set_approved(tx, batch["payment_id"], level, signer)
            detail = {
                "lines": batch["lines"],
                "amount_fen": batch["amount_fen"],
                "drafted_by": batch["drafted_by"],
                "override": batch["override_reason"],
                "level": level,
                "waiting": list(now_due.after),
                "let_through": overrides.seal(tx, batch["payment_id"]),
            }
            tx.journal(f"payment:{batch['payment_id']}", detail, digest=batch["control_sha256"])
    return payments.batch(store, batch["payment_id"])


def cancel(store: Store, batch: dict[str, Any], *, reason: str, actor: str, now: datetime) -> dict[str, Any]:
    """Cancels a batch that has not been exported; its obligations are owed again. RefusedError once it was exported."""
    if batch["state"] not in ("draft", "locked", "approved"):
        raise RefusedError(
            f"第 {batch['payment_id']} 批{WORDS[batch['state']]}，不能取消",
            "钱可能已经出去：等银行回盘，多发的用 jiuzhu pay recover 追回"
            if batch["state"] != "cancelled"
            else "不用再取消",
            code="not_cancellable",
        )
    reason = mask_text(reason.strip())
    with (
        moving(store, batch, actor=actor, command="pay cancel"),
        store.transaction(actor=actor, command="pay cancel", now=now) as tx,
    ):
        set_cancelled(tx, batch["payment_id"], reason)
        tx.journal(
            f"payment:{batch['payment_id']}",
            {"reason": reason, "from": batch["state"], "amount_fen": batch["amount_fen"]},
        )
    return payments.batch(store, batch["payment_id"])


def as_json(batch: dict[str, Any]) -> dict[str, Any]:
    """A batch as the CLI contract has it, without files."""
    keys = (
        "month", "sequence", "kind", "state", "lines", "amount_fen", "control_sha256", "drafted_by", "locked_by", "approved_by", "released_by",
        "exported_at", "closed_by", "closed_at",
    )  # fmt: skip
    return {
        "batch": batch["payment_id"],
        **{key: batch[key] for key in keys},
        "override": batch["override_reason"],
        "files": [],
    }
