"""What moves a payment batch beside locking and approving: release, return to draft, closing; and what must hold before it moves on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.actors import same_actor
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.payment_states import WORDS
from jiuzhu_cli.ledger import payments, returns
from jiuzhu_cli.ledger.audit import intact, release_problems
from jiuzhu_cli.ledger.payment_digests import control_holds, sealed_lines, sums_differ
from jiuzhu_cli.ledger.payment_moves import Signer, moves, moving, set_closed, set_held_back, set_released, set_reopened
from jiuzhu_cli.ledger.store import Store, arrow_driver
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.keys import check_signer
from jiuzhu_cli.payment.levels import given

if TYPE_CHECKING:
    import pyarrow as pa


@contextlib.contextmanager
def locked_lines(store: Store, batch: dict[str, Any], *, more: Sequence[str] = ()) -> Iterator[pa.Table]:
    """The batch's lines (``sealed_lines``), to be worked on while they, and the record as a whole, are looked through beside it.

    RefusedError at the end when the record is not to be trusted or the lines are not the ones locked, before whatever was found inside.
    """
    import duckdb  # noqa: F401 - all that the threads need is loaded before they are: half loaded by one it is none to another
    import pyarrow.acero  # noqa: F401

    arrow_driver()
    error: Exception | None = None
    with ThreadPoolExecutor(2) as pool:
        looking = pool.submit(intact, store)
        same = None
        try:
            lines = sealed_lines(store, batch["payment_id"], more=more)
            same = pool.submit(control_holds, store, batch, lines)
            yield lines
        except Exception as found:
            error = found
        for problem in release_problems(store, batch["payment_id"], sound=looking.result()):
            raise RefusedError(
                f"{problem.text}，停止发放", "运行 jiuzhu audit check 查清", code=problem.code
            ) from error
        if same is not None and not same.result():
            raise RefusedError(
                f"第 {batch['payment_id']} 批的明细与锁定时不一致，停止发放",
                "运行 jiuzhu audit check 查清；需要时取消该批重新制单",
                code="control_differs",
            ) from error
    if error is not None:
        raise error


def check_control(store: Store, batch: dict[str, Any]) -> None:
    """RefusedError when the lines on record are not the ones locked, or when the record as a whole is not to be trusted."""
    with locked_lines(store, batch):
        pass


def check_sums(store: Store, batch: dict[str, Any], lines: pa.Table) -> None:
    """RefusedError when lines, towns, programmes and banks do not come to the same, or to what the draft declared."""
    found = sums_differ(store, batch, lines)
    if found:
        raise RefusedError(
            f"第 {batch['payment_id']} 批合计不平：{found}",
            "运行 jiuzhu audit check 查清；重新制单后再办",
            code="sums_differ",
        )


def check_signed(store: Store, workspace: Workspace, batch: dict[str, Any]) -> None:
    """RefusedError when signatures are demanded of everybody and an approval that holds, or the release, has none."""
    if not workspace.get("payment", "require_signature", False):
        return
    unsigned = [one["actor"] for one in given(store, batch["payment_id"]) if not one["signer"]]
    unsigned += [
        one["actor"]
        for one in moves(store, batch["payment_id"])[-1:]
        if one["to_state"] == "released" and not one["signer"]
    ]
    if unsigned:
        raise RefusedError(
            f"第 {batch['payment_id']} 批由 {'、'.join(unsigned)} 经手的没有签名，停止发放",
            "退回草稿，重新锁定、签名审批：jiuzhu pay reopen --reason 原因",
            code="unsigned",
        )


def release(
    store: Store,
    workspace: Workspace,
    batch: dict[str, Any],
    *,
    actor: str,
    now: datetime,
    signer: Signer | None = None,
) -> dict[str, Any]:
    """Releases an approved batch to the bank: the last word before its files are written. Not by who drafted it."""
    _must_be(batch, ("approved",), "放行", "审批过的批次才能放行：jiuzhu pay approve --actor 审批人")
    if same_actor(actor, batch["drafted_by"]):
        raise RefusedError(
            f"第 {batch['payment_id']} 批是 {actor} 制的单，不能自己放行",
            "请另一人放行：--actor 放行人",
            code="own_release",
        )
    with moving(store, batch, actor=actor, command="pay release"):
        check_signer(store, workspace, actor, signer)
        with locked_lines(store, batch) as lines:
            check_signed(store, workspace, batch)
            check_sums(store, batch, lines)
        with store.transaction(actor=actor, command="pay release", now=now) as tx:
            set_released(tx, batch["payment_id"], signer)
            tx.journal(
                f"payment:{batch['payment_id']}",
                {"lines": batch["lines"], "amount_fen": batch["amount_fen"]},
                digest=batch["control_sha256"],
            )
    return payments.batch(store, batch["payment_id"])


def may_release_itself(
    store: Store, workspace: Workspace, batch: dict[str, Any], actor: str, signer: Signer | None
) -> None:
    """Whether an export may release an approved batch on the way; RefusedError when another person has to, or a signature is wanting."""
    if workspace.get("payment", "separate_release", False):
        raise RefusedError(
            f"第 {batch['payment_id']} 批还没有放行，不能导出",
            "由制单人以外的人放行：jiuzhu pay release --actor 放行人",
            code="not_released",
        )
    check_signer(store, workspace, actor, signer)


def hold_back(store: Store, batch: dict[str, Any], *, reason: str, actor: str, now: datetime) -> dict[str, Any]:
    """Takes a release back; the batch is approved as before. Nothing has been written for the bank yet."""
    _must_be(batch, ("released",), "收回放行", "放行了、还没有导出的批次才能收回")
    return _back(store, batch, "pay release --undo", reason, set_held_back, actor=actor, now=now)


def reopen(store: Store, batch: dict[str, Any], *, reason: str, actor: str, now: datetime) -> dict[str, Any]:
    """Back to a draft, with a reason: approvals given until now no longer hold."""
    if batch["state"] == "released":
        raise RefusedError(
            f"第 {batch['payment_id']} 批已放行，不能直接退回",
            "先收回放行：jiuzhu pay release --undo --reason 原因",
            code="not_reopenable",
        )
    _must_be(batch, ("locked", "approved"), "退回", "锁定、审批了的批次才能退回草稿；已导出的用追缴、补发更正")
    return _back(store, batch, "pay reopen", reason, set_reopened, actor=actor, now=now)


def close(store: Store, batch: dict[str, Any], *, reason: str, actor: str, now: datetime) -> dict[str, Any]:
    """Closes a batch whose every line has its answer: no answer of the bank is booked on it any more (money that comes back later still is)."""
    if batch["state"] == "exported":
        waiting = len(returns.under_way(store, batch["payment_id"]))
        raise RefusedError(
            f"第 {batch['payment_id']} 批还有 {waiting} 笔没有结果，不能办结",
            "读回盘（jiuzhu pay return），或向银行问清后记上（jiuzhu pay settle）",
            code="not_reconciled",
        )
    _must_be(batch, ("reconciled",), "办结", "每一笔都有了结果的批次才能办结")
    with moving(store, batch, actor=actor, command="pay close"):
        check_control(store, batch)
        why = mask_text(reason.strip())
        with store.transaction(actor=actor, command="pay close", now=now) as tx:
            set_closed(tx, batch["payment_id"], why)
            tx.journal(f"payment:{batch['payment_id']}", {"reason": why, "amount_fen": batch["amount_fen"]})
    return payments.batch(store, batch["payment_id"])


def _back(
    store: Store, batch: dict[str, Any], command: str, reason: str, write: Any, *, actor: str, now: datetime
) -> dict[str, Any]:
    if not reason.strip():
        raise UsageError("--reason 后面要写明原因", "例如 --reason '收款账号要更正'")
    why = mask_text(reason.strip())
    with (
        moving(store, batch, actor=actor, command=command),
        store.transaction(actor=actor, command=command, now=now) as tx,
    ):
        write(tx, batch["payment_id"], why)
        tx.journal(f"payment:{batch['payment_id']}", {"reason": why, "amount_fen": batch["amount_fen"]})
    return payments.batch(store, batch["payment_id"])


def _must_be(batch: dict[str, Any], states: tuple[str, ...], step: str, todo: str) -> None:
    if batch["state"] not in states:
        raise RefusedError(f"第 {batch['payment_id']} 批{WORDS[batch['state']]}，不能{step}", todo, code="wrong_state")
