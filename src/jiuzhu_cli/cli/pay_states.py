"""jiuzhu pay lock, approve, release, reopen, cancel, close, log: the way of a batch from hand to hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli import pay_gates
from jiuzhu_cli.cli.context import Context, moment, table
from jiuzhu_cli.cli.pay_key import KEY, PASSWORD, signer
from jiuzhu_cli.cli.pay_papers import at_step

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store

app = typer.Typer(rich_markup_mode=None)

BATCH = typer.Option(0, "--batch", help="批次号；缺省为正等这一步的那一批。")
MONTH = typer.Option("", "--month", help="月份 YYYY-MM；缺省为最近的月份。")
REASON = typer.Option(..., "--reason", metavar="原因", help="为什么（记入流转记录和日志）。")


@app.command("lock", help="锁定草稿：定下笔数、金额和摘要，此后不能再改。")
def lock(ctx: typer.Context, batch: int = BATCH, month: str = MONTH) -> None:
    from jiuzhu_cli.payment import approvals

    context: Context = ctx.obj

    def run(store: Store) -> dict[str, Any]:
        chosen = approvals.choose(store, ("draft",), number=batch, month=month)
        policy = context.policy(chosen["month"])
        return approvals.lock(store, context.workspace, policy, chosen, actor=context.actor, now=context.now)

    _step(context, run, "已锁定", "由另一人审批：jiuzhu pay approve --actor 审批人")


@app.command("approve", help="审批：制单人不能审批自己的单；设了审批层级的，逐级审批。")
def approve(
    ctx: typer.Context,
    batch: int = BATCH,
    month: str = MONTH,
    key: Path | None = KEY,
    password_file: Path | None = PASSWORD,
) -> None:
    from jiuzhu_cli.core.payment_states import APPROVED
    from jiuzhu_cli.payment import approvals, levels

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        chosen = approvals.choose(store, ("locked",), number=batch, month=month, otherwise=("draft", *APPROVED))
        signed = signer(context, store, key, password_file) if chosen["state"] == "locked" else None
        done = approvals.approve(
            store, context.workspace, policy, chosen, actor=context.actor, now=context.now, signer=signed
        )
        given = levels.given(store, done["payment_id"])
        left = [one.name for one in levels.waiting(policy, done, given)]
        papers, told = at_step(context, store, done, again=True)
        through, let_through = pay_gates.let_through(store, done["payment_id"])
    data = approvals.as_json(done) | {"approvals": given, "waiting_for": left if done["state"] == "locked" else []}
    data |= let_through | ({"papers": papers} if papers else {})
    if done["state"] == "locked":
        lines = [
            f"{given[-1]['level']}已审批：{title(done)}",
            *told,
            f"下一步：由{left[0]}审批：jiuzhu pay approve --actor 审批人",
        ]
    else:
        lines = [f"已审批：{title(done)}", *told, f"下一步：{_after_approval(context)}"]
    context.emit(data, [lines[0], *through, *lines[1:]])


@app.command("release", help="放行：审批之后、导出之前的最后一关，制单人不能放行；--undo 收回。")
def release(
    ctx: typer.Context,
    batch: int = BATCH,
    month: str = MONTH,
    undo: bool = typer.Option(False, "--undo", help="收回放行（还没有导出的），要写 --reason。"),
    reason: str = typer.Option("", "--reason", metavar="原因", help="为什么收回。"),
    key: Path | None = KEY,
    password_file: Path | None = PASSWORD,
) -> None:
    from jiuzhu_cli.core.payment_states import SENT
    from jiuzhu_cli.payment import approvals, states

    context: Context = ctx.obj

    def run(store: Store) -> dict[str, Any]:
        wanted = "released" if undo else "approved"
        others = ("draft", "locked", *(("approved",) if undo else ("released",)), *SENT)
        chosen = approvals.choose(store, (wanted,), number=batch, month=month, otherwise=others)
        if undo:
            return states.hold_back(store, chosen, reason=reason, actor=context.actor, now=context.now)
        signed = signer(context, store, key, password_file) if chosen["state"] == "approved" else None
        return states.release(store, context.workspace, chosen, actor=context.actor, now=context.now, signer=signed)

    if undo:
        _step(context, run, "已收回放行", "再放行：jiuzhu pay release；要改的退回草稿：jiuzhu pay reopen --reason 原因")
    else:
        _step(context, run, "已放行", "导出银行文件：jiuzhu pay export")


@app.command("reopen", help="退回草稿：锁定或审批之后发现要改的；原来的审批作废。")
def reopen(ctx: typer.Context, reason: str = REASON, batch: int = BATCH, month: str = MONTH) -> None:
    from jiuzhu_cli.core.payment_states import SENT
    from jiuzhu_cli.payment import approvals, states

    context: Context = ctx.obj

    def run(store: Store) -> dict[str, Any]:
        others = ("draft", "released", *SENT)
        chosen = approvals.choose(store, ("locked", "approved"), number=batch, month=month, otherwise=others)
        return states.reopen(store, chosen, reason=reason, actor=context.actor, now=context.now)

    _step(context, run, "已退回草稿", "更正后重新制单、锁定、审批：jiuzhu pay draft --month {month}")


@app.command("cancel", help="取消还没有导出的批次；里面的款重新算作未发。")
def cancel(
    ctx: typer.Context,
    batch: int = BATCH,
    month: str = MONTH,
    reason: str = typer.Option("", "--reason", help="为什么取消（记入日志）。"),
) -> None:
    from jiuzhu_cli.payment import approvals

    context: Context = ctx.obj

    def run(store: Store) -> dict[str, Any]:
        chosen = approvals.choose(store, ("draft", "locked", "approved"), number=batch, month=month)
        return approvals.cancel(store, chosen, reason=reason, actor=context.actor, now=context.now)

    _step(context, run, "已取消", "更正后重新制单：jiuzhu pay draft --month {month}")


@app.command("close", help="办结：每一笔都有了结果的批次，此后不能再入账。")
def close(
    ctx: typer.Context,
    batch: int = BATCH,
    month: str = MONTH,
    reason: str = typer.Option("", "--reason", metavar="说明", help="记入流转记录，例如对账单的编号。"),
) -> None:
    from jiuzhu_cli.payment import approvals, states

    context: Context = ctx.obj

    def run(store: Store) -> dict[str, Any]:
        others = ("exported", "closed", "draft", "locked", "approved", "released")
        chosen = approvals.choose(store, ("reconciled",), number=batch, month=month, otherwise=others)
        return states.close(store, chosen, reason=reason, actor=context.actor, now=context.now)

    _step(context, run, "已办结", "失败的笔，更正账号后补发：jiuzhu pay draft --month {month}")


@app.command("log", help="看一个批次的流转：谁、何时、从哪一步到哪一步、为什么、签没签名。")
def log(ctx: typer.Context, batch: int = typer.Argument(0, metavar="[批次号]", help="缺省为最近一批。")) -> None:
    from jiuzhu_cli.core.payment_states import WORDS
    from jiuzhu_cli.ledger.move_audit import move_problems
    from jiuzhu_cli.ledger.payment_moves import moves
    from jiuzhu_cli.payment import approvals

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        chosen = approvals.choose(store, (), number=batch, otherwise=tuple(WORDS))
        way = moves(store, chosen["payment_id"])
        problems = [text for _, _, text in move_problems(store, chosen["payment_id"])]
    rows = [
        (
            moment(one["at"]), one["actor"], _move_word(one), one["level"], one["reason"], one["signer"],
            one["digest"][:12],
        )
        for one in way
    ]  # fmt: skip
    heads = ["时间（北京）", "经办人", "做了什么", "层级", "原因", "签名密钥", "摘要"]
    lines = [title(chosen), table(rows, heads), *(f"✗ {text}" for text in problems)]
    lines.append("有问题：不要再发放，先查清上面各条。" if problems else "流转完整，签名都对。")
    context.emit(approvals.as_json(chosen) | {"moves": way, "problems": problems}, lines)
    if problems:
        raise typer.Exit(3)


def _move_word(move: dict[str, Any]) -> str:
    from jiuzhu_cli.core.payment_states import WORDS

    words = {
        ("", "draft"): "制单", ("draft", "draft"): "重新制单", ("draft", "locked"): "锁定", ("locked", "locked"): "审批",
        ("locked", "approved"): "审批", ("approved", "released"): "放行", ("released", "approved"): "收回放行",
        ("released", "exported"): "导出", ("exported", "reconciled"): "回盘完毕", ("reconciled", "closed"): "办结",
        ("locked", "draft"): "退回草稿", ("approved", "draft"): "退回草稿",
    }  # fmt: skip
    state = (move["from_state"], move["to_state"])
    return words.get(state, WORDS.get(move["to_state"], move["to_state"]))


def _after_approval(context: Context) -> str:
    if context.workspace.get("payment", "separate_release", False):
        return "由制单人以外的人放行：jiuzhu pay release --actor 放行人"
    return "导出银行文件：jiuzhu pay export"


def title(batch: dict[str, Any]) -> str:
    """第 3 批，2026-10 第 1 次，12 笔 3,400.00 元."""
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.core.payment_states import KINDS

    kind = "" if batch["kind"] == "regular" else f"（{KINDS[batch['kind']]}）"
    return f"第 {batch['payment_id']} 批，{batch['month']} 第 {batch['sequence']} 次{kind}，{batch['lines']} 笔 {yuan(batch['amount_fen'], grouped=True)} 元"


def _step(context: Context, run: Callable[[Store], dict[str, Any]], done: str, following: str) -> None:
    from jiuzhu_cli.payment.approvals import as_json

    with context.workspace.open_store() as store:
        batch = run(store)
        papers, told = at_step(context, store, batch)
        through = pay_gates.let_through(store, batch["payment_id"])[0] if batch["state"] == "locked" else []
    data = as_json(batch) | ({"papers": papers} if papers else {})
    context.emit(
        data, [f"{done}：{title(batch)}", *through, *told, "下一步：" + following.replace("{month}", batch["month"])]
    )
