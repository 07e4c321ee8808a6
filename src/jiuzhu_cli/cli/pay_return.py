"""jiuzhu pay return, settle: what the bank answers, read from its files or told by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from jiuzhu_cli.cli import pay_papers
from jiuzhu_cli.cli.context import Context, table


def return_(
    ctx: typer.Context,
    file: Path = typer.Argument(..., metavar="回盘文件", help="银行给回来的文件。"),
    bank: str = typer.Option("", "--bank", help="代发格式代码；缺省自动认。"),
    batch: int = typer.Option(0, "--batch", help="批次号；缺省自动认。"),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment import returns

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        read = returns.read_return(
            store, context.workspace, policy, file, bank=bank, number=batch, actor=context.actor, now=context.now
        )
        papers, told = pay_papers.after_answers(context, store, read.batch["payment_id"])
    number = read.batch["payment_id"]
    name = policy.banks[read.bank].name if read.bank in policy.banks else read.bank
    lines = [
        f"已读回盘：第 {number} 批 {name}，{read.lines} 笔",
        f"  成功 {read.succeeded} 笔 {yuan(read.amount_fen, grouped=True)} 元，失败 {read.failed} 笔，部分到账 {read.partial} 笔，"
        f"没有回音 {read.missing} 笔",
    ]
    if read.by_reason:
        rows = [(policy.reasons[code].name, count, policy.reasons[code].todo) for code, count in read.by_reason.items()]
        lines.append(table(rows, ["失败原因", "笔数", "怎么办"]))
    lines += _follow_up(read.files, read.mending, read.batch["month"])
    if read.only_failures and read.missing:
        lines.append(
            f"这家银行只回失败的：其余 {read.missing} 笔由另一人向银行确认后记作到账：jiuzhu pay settle --batch {number} --bank {read.bank}"
            " --rest-paid --reason 依据 --actor 确认人"
        )
    if read.batch["state"] == "reconciled" and not read.mending and not read.files:
        told += [
            f"第 {number} 批每一笔都有结果了。下一步：对账 jiuzhu pay reconcile，再办结 jiuzhu pay close --batch {number}"
        ]
    elif read.batch["state"] == "exported" and not read.files:
        told += [f"第 {number} 批还有没读的回盘，哪些笔没有回音：jiuzhu pay show {number}"]
    context.emit(read.as_json() | ({"papers": papers} if papers else {}), [*lines, *told])


def settle(
    ctx: typer.Context,
    batch: int = typer.Option(0, "--batch", help="批次号；缺省为正等这一步的那一批。"),
    line: list[int] = typer.Option([], "--line", metavar="序号", help="批次里的第几笔（可写多次）。"),
    paid: bool = typer.Option(False, "--paid", help="银行答复已到账。"),
    failed: bool = typer.Option(False, "--failed", help="银行答复没有到账：重新算作未发，可补发。"),
    rest_paid: bool = typer.Option(False, "--rest-paid", help="只回失败的银行：没有说失败的都已到账（由另一人确认）。"),
    bank: str = typer.Option("", "--bank", help="--rest-paid 说的是哪种代发格式。"),
    reason: str = typer.Option(..., "--reason", metavar="依据", help="银行怎么答复的（记入日志）。"),
    reversed_: bool = typer.Option(False, "--reversed", help="部分到账的，银行已把到账部分冲回。"),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment import approvals, settlement

    if rest_paid and (paid or failed or line or reversed_):
        raise UsageError("--rest-paid 说的是整批其余的款，不与 --line、--paid、--failed、--reversed 同用", "分开运行")
    if not rest_paid and paid == failed:
        raise UsageError("--paid 和 --failed 要写一个", "到账写 --paid，没有到账写 --failed")
    if not rest_paid and not line:
        raise UsageError("没有写是哪几笔", "用 --line 序号 指明，可写多次")
    context: Context = ctx.obj
    policy = context.policy()
    by: dict[str, Any] = {"reason": reason, "actor": context.actor, "now": context.now}
    with context.workspace.open_store() as store:
        chosen = approvals.choose(store, ("exported",), number=batch)
        if rest_paid:
            done = settlement.settle_rest(store, policy, chosen, bank, **by)
        else:
            done = settlement.settle(
                store, context.workspace, policy, chosen, line, paid=paid, reversed_=reversed_, **by
            )
        papers, told = pay_papers.after_answers(context, store, done.batch["payment_id"])
    word = "失败" if failed else "到账"
    lines = [
        f"第 {done.batch['payment_id']} 批 {done.lines} 笔 {yuan(done.amount_fen, grouped=True)} 元记作{word}，还有 {done.missing} 笔没有回音"
    ]
    lines += _follow_up(done.files, done.mending, done.batch["month"]) if failed else []
    context.emit(done.as_json() | ({"papers": papers} if papers else {}), [*lines, *told])


def _follow_up(files: list[dict[str, Any]], mending: list[dict[str, Any]], month: str) -> list[str]:
    """Where the failed lines stand and what comes next."""
    lines = [f"失败名单：{entry['path']}" for entry in files]
    lines += [f"更正表（{entry['town'] or '未注明乡镇'}，{entry['lines']} 笔）：{entry['path']}" for entry in mending]
    if mending:
        lines.append(f"下一步：更正表交乡镇填好后导入：jiuzhu import 更正表，再补发：jiuzhu pay draft --month {month}")
    elif files:
        lines.append(f"下一步：问题解决后补发：jiuzhu pay draft --month {month}")
    return lines
