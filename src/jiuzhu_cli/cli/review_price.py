"""jiuzhu review price: the price subsidy of a month."""

from __future__ import annotations

import typer

from jiuzhu_cli.cli.context import Context, relative, table
from jiuzhu_cli.core.money import yuan


def price(ctx: typer.Context, month: str = typer.Option(..., "--month", help="补贴月份，例如 2026-09。")) -> None:
    from jiuzhu_cli.review.price import run_price

    context: Context = ctx.obj
    policy = context.policy()  # today's: indices are published after the month, which may be paid by then
    with context.workspace.open_store() as store:
        result = run_price(
            store, context.workspace, policy, month, today=context.today, now=context.now, actor=context.actor
        )
    told = "，".join(
        f"{word} {'未写' if value is None else f'{value}%'}" for word, value in result.index.values.items()
    )
    lines = [f"{month} 价格临时补贴：{'启动' if result.started else '没有启动'}（{told}）。"]
    holds = {True: "成立", False: "不成立", None: "指数不全"}
    lines += [f"  {one['when']}：{holds[one['holds']]}" for one in result.triggers]
    if result.started:
        lines.append(f"发给 {result.persons} 人，合计 {yuan(result.amount_fen)} 元；一人只发一份。")
        names = {code: one.name for code, one in policy.programmes.items()}
        names |= {f"register:{code}": one.name for code, one in policy.registers.items()}
        rows = [(names.get(code, code), str(n), yuan(fen)) for code, (n, fen) in result.by_programme.items()]
        lines.append(table(rows, ["计入项目", "人数", "金额（元）"]))
        if result.deadline:
            lines.append(f"最迟 {result.deadline} 发放（指数公布后的工作日）。")
        if result.absent:
            lines.append(f"没有导入当月名册、没有发给他们的：{'、'.join(names.get(one, one) for one in result.absent)}")
        if result.open_cases:
            lines.append(f"待核 {result.open_cases} 人没有列入，见汇总的“待核”表。")
        if result.unconfirmed:
            lines.append(f"请核对：{'、'.join(one.name for one in result.unconfirmed)}")
        assert result.roll and result.summary
        lines += [
            f"名册：{relative(context.workspace, result.roll)}",
            f"汇总：{relative(context.workspace, result.summary)}",
            f"下一步：核对名册后 jiuzhu import {relative(context.workspace, result.roll)}，再照常比对、公示、发放。",
        ]
    context.emit(result.as_json(), lines)
