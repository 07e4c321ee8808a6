"""jiuzhu review: proposals of a month, visit lists, decisions."""

from __future__ import annotations

import typer

from jiuzhu_cli.cli import review_decisions, review_due, review_price
from jiuzhu_cli.cli.context import Context, relative, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("run", help="复核当月花名册：低保补差、特困档次、死亡、已核实的重复、近亲属备案，出建议清单和工作簿。")
def run(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份，例如 2026-10。"),
    all_cases: bool = typer.Option(False, "--all", help="核对相符的也写进清单（不变）。"),
    split_by_town: bool = typer.Option(
        False, "--split-by-town", help="另按乡镇各出一个工作簿，便于下发，填好分别读回。"
    ),
) -> None:
    from jiuzhu_cli.review.output import ACTIONS, value_text
    from jiuzhu_cli.review.run import run_review

    context: Context = ctx.obj
    policy = context.policy(month)
    with context.workspace.open_store() as store:
        result = run_review(
            store, context.workspace, policy, month, today=context.today, now=context.now, actor=context.actor, keep_rows=all_cases,
            split_by_town=split_by_town,
        )  # fmt: skip
    data = result.as_json()
    lines = [f"{month} 复核建议 {result.proposals} 件，核对相符 {result.kept} 户（人）。"]
    if result.by_action:
        lines.append(table([(ACTIONS[a], str(n)) for a, n in result.by_action.items()], ["建议", "件数"]))
    moved = {
        name: sum(one[name] for one in result.movement) for name in ("entered", "ended", "relinked", "transferred")
    }
    if any(moved.values()):
        lines.append(
            f"与上月名册比：新进 {moved['entered']} 户（人），退出 {moved['ended']} 户（人）；另有停旧建新 {moved['relinked']} 户、转项目 {moved['transferred']} 户（人），不计新进和退出。"
        )
    if result.in_force:
        lines.append(f"另有 {result.in_force} 件已作过决定，花名册还没有改过来。")
    for gap in result.not_judged:
        name = policy.programmes[gap["programme"]].name if gap["programme"] in policy.programmes else ""
        where = " ".join(part for part in (name, gap["area"]) if part)
        lines.append(f"没有核算：{where + '：' if where else ''}{gap['reason']}")
    if result.unconfirmed:
        names = "、".join(f"{one.name} {value_text(one)}" for one in result.unconfirmed[:4])
        more = " …" if len(result.unconfirmed) > 4 else ""
        lines.append(f"请核对：用到的 {len(result.unconfirmed)} 个参数还没有按本地文件核对：{names}{more}")
        lines.append("  （全部见工作簿“说明”表，或 jiuzhu policy list --unconfirmed）")
    lines += [
        f"! 先前的工作簿有人填过、还没有读回，原样另存：先读回 jiuzhu review decide {relative(context.workspace, one)}"
        for one in result.filled
    ]
    lines += [
        f"清单：{relative(context.workspace, result.csv)}",
        f"工作簿：{relative(context.workspace, result.workbook)}",
        *([f"另有 {len(result.towns)} 个乡镇的工作簿在同一文件夹，填好后可以分别读回。"] if result.towns else []),
        "下一步：在工作簿里填“决定”；停发、调减须先听取意见、再书面告知（社会救助法第48条），填好两个日期，然后",
        f"  jiuzhu review decide {relative(context.workspace, result.workbook)}",
    ]
    context.emit(data, lines)


@app.command("income", help="按收入核算明细逐户测算家庭收入：应计、不计、扣减、推算，每一步有依据；出工作簿。")
def income(ctx: typer.Context, month: str = typer.Option(..., "--month", help="月份，例如 2026-10。")) -> None:
    from jiuzhu_cli.cli.privacy import masked
    from jiuzhu_cli.review.income_output import run_income
    from jiuzhu_cli.review.output import value_text

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = run_income(
            store, context.workspace, context.policy(month), month, now=context.now, actor=context.actor
        )  # fmt: skip
    lines = [
        f"{month} 有收入明细的 {result.households} 户（人），核算 {result.measured} 户，与名册不同 {result.differs} 户，缺内容没有核算 {result.gaps} 户。"
    ]
    lines.append(table([(name, str(count)) for name, count in result.by_verdict.items()], ["结论", "户（人）"]))
    if result.unconfirmed:
        names = "、".join(f"{one.name} {value_text(one)}" for one in result.unconfirmed[:4])
        lines.append(
            f"请核对：用到的 {len(result.unconfirmed)} 个参数还没有按本地文件核对：{names}{' …' if len(result.unconfirmed) > 4 else ''}"
        )
    lines.append(f"工作簿：{relative(context.workspace, result.workbook)}")
    context.emit(masked(result.as_json()), lines)


app.command("due", help="当月到期应复核、走访、认证的户（人），按村出清单；可排日历、出打印表。")(review_due.due)
app.command("price", help="测算当月价格临时补贴是否启动、发给谁、多少，出可导入的名册和汇总。")(review_price.price)
app.command(
    "decide",
    help="读回填好的复核工作簿（可多个，可写文件夹）；停发、调减缺听取意见或书面告知日期的不予生效，退出码 3。",
)(review_decisions.decide)
app.command("decisions", help="列出作过决定的批次：编号、谁在什么时候读入、几件。")(review_decisions.decisions)
app.command("undo", help="撤回一个决定批次；它影响的月份已经发放或锁定的不能撤回，退出码 4。")(review_decisions.undo)
app.command("deadlines", help="各环节办理时限：超期的、快到期的、暂停计时的，按环节和乡镇。")(review_due.deadlines)
app.command("notices", help="决定之后要送的告知书：送给谁、何时之前、救济途径、送了没有。")(review_decisions.notices)
