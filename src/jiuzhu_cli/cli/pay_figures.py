"""jiuzhu pay status, compare: how the payments stand, and two months beside each other."""

from __future__ import annotations

import typer

from jiuzhu_cli.cli.context import Context, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command(
    "status",
    help="发放情况：每批到哪一步、等谁，拦下和补发追缴待办，成功率、及时率，按项目、乡镇、资金来源，对指标的执行。",
)
def status(
    ctx: typer.Context,
    first: str = typer.Option("", "--from", help="从哪个月；缺省为那一年的 1 月。"),
    last: str = typer.Option("", "--to", help="到哪个月；缺省为最近有批次的月份。"),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.core.payment_states import WORDS
    from jiuzhu_cli.payment.standing import Rates, standing

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        found = standing(store, policy, first=first, last=last, today=context.today)
    lines = [f"{found.first} 至 {found.last}"]
    rows = [
        (b["payment_id"], b["month"], b["sequence"], WORDS[b["state"]], b["lines"], yuan(b["amount_fen"], grouped=True), f"等{b['waits_for']}：{b['waits']}" if b["waits"] else "")
        for b in found.batches
    ]  # fmt: skip
    lines += (
        [table(rows, ["批次", "月份", "序号", "状态", "笔数", "金额（元）", "等谁"])] if rows else ["还没有付款批次。"]
    )
    outside = [(what, n, yuan(fen, grouped=True), command) for what, n, fen, command in found.outside]
    lines += [table(outside, ["另有", "笔数", "金额（元）", "怎么办"])] if outside else []

    def shown(name: str, rates: Rates) -> tuple[str, int, str, int, str, str]:
        sums = rates.sums
        return (
            name,
            sums["paid"],
            yuan(sums["paid_fen"], grouped=True),
            sums["failed"] + sums["reversed"],
            _percent(rates.success),
            _percent(rates.timely),
        )

    heads = ["到账笔数", "到账（元）", "失败和退汇", "成功率", "及时率"]
    if found.batches:
        programmes = [
            shown(policy.programmes[code].name if code in policy.programmes else code, one)
            for code, one in found.by_programme.items()
        ]
        lines.append(table([*programmes, shown("合计", found.total)], ["救助项目", *heads]))
        lines.append(table([shown(town, one) for town, one in found.by_town.items()], ["乡镇", *heads]))
        lines.append(f"及时：送银行不晚于当月 {found.due_day} 日（参数 发放截止日）。")
        if found.by_source:  # nothing was paid yet
            sources = [(level, yuan(fen, grouped=True)) for level, fen in found.by_source.items()]
            lines.append(table(sources, ["资金来源", "到账（元）"]))
    budget = found.budget
    lines.append(
        f"{budget.year} 年指标 {yuan(budget.amount_fen, grouped=True)} 元，已支出 {yuan(budget.out_fen, grouped=True)} 元，剩余 {yuan(budget.left_fen, grouped=True)} 元"
        f"（执行 {_percent(budget.out_fen / budget.amount_fen if budget.amount_fen else None)}）：jiuzhu pay budget"
        if budget.budgets
        else f"{budget.year} 年经费指标：未填（登记：jiuzhu pay budget --import 指标表）"
    )
    context.emit(found.as_json(), lines)


@app.command(
    "compare",
    help="两个月比较：新增、减少、增加、降低、换账号、换乡镇，各因什么（决定、死亡、标准、加发、转项目），按项目和乡镇。",
)
def compare(
    ctx: typer.Context,
    first: str = typer.Argument(..., metavar="前一个月", help="YYYY-MM。"),
    last: str = typer.Argument(..., metavar="后一个月", help="YYYY-MM。"),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment import compare as stage

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        found = stage.compare(store, context.workspace, policy, first, last, actor=context.actor, now=context.now)
    parts = "，".join(
        f"{stage.KINDS[kind]} {n} 笔 {yuan(fen, grouped=True)}"
        for kind, (n, fen) in found.by_kind.items()
        if kind != "same" and n
    )
    lines = [
        f"应发 {found.first} {yuan(found.before_fen, grouped=True)} 元 → {found.last} {yuan(found.after_fen, grouped=True)} 元" + (f"：{parts}" if parts else "，没有变化"),
        f"金额不变 {found.by_kind['same'][0]} 笔；换账号 {found.accounts} 笔，换乡镇 {found.towns} 笔",
    ]  # fmt: skip
    rows = [
        (stage.KINDS[kind], stage.REASONS[why], n, yuan(fen, grouped=True))
        for (kind, why), (n, fen) in found.by_reason.items()
    ]
    lines += [table(rows, ["变化", "原因", "笔数", "金额变化（元）"])] if rows else []
    lines += [f"工作簿：{file['path']}" for file in found.files]
    context.emit(found.as_json(), lines)


def _percent(rate: float | None) -> str:
    return "—" if rate is None else f"{rate:.2%}"
