"""jiuzhu review: proposals of a month, visit lists, decisions."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context, first_few, relative, table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("run", help="复核当月花名册：低保补差、特困档次、死亡、已核实的重复、近亲属备案，出建议清单和工作簿。")
def run(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份，例如 2026-10。"),
    all_cases: bool = typer.Option(False, "--all", help="核对相符的也写进清单（不变）。"),
) -> None:
    from jiuzhu_cli.review.output import ACTIONS, value_text
    from jiuzhu_cli.review.run import run_review

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        result = run_review(
            store, context.workspace, policy, month, today=context.today, now=context.now, actor=context.actor, keep_rows=all_cases
        )  # fmt: skip
    data = result.as_json()
    lines = [f"{month} 复核建议 {result.proposals} 件，核对相符 {result.kept} 户（人）。"]
    if result.by_action:
        lines.append(table([(ACTIONS[a], str(n)) for a, n in result.by_action.items()], ["建议", "件数"]))
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
        f"清单：{relative(context.workspace, result.csv)}",
        f"工作簿：{relative(context.workspace, result.workbook)}",
        "下一步：在工作簿里填“决定”；停发、调减须先听取意见、再书面告知（社会救助法第48条），填好两个日期，然后",
        f"  jiuzhu review decide {relative(context.workspace, result.workbook)}",
    ]
    context.emit(data, lines)


@app.command("decide", help="读回填好的复核工作簿；停发、调减缺听取意见或书面告知日期的不予生效，退出码 3。")
def decide(
    ctx: typer.Context, files: list[Path] = typer.Argument(..., metavar="文件…", help="填好的复核工作簿，可多个。")
) -> None:
    from jiuzhu_cli.review.decisions import Decided, decide_from

    context: Context = ctx.obj
    result = Decided()
    with context.workspace.open_store() as store:
        for file in files:
            result += decide_from(store, file, today=context.today, now=context.now, actor=context.actor)
    lines = [
        f"已记录 {result.applied} 件（其中生效 {result.effective} 件），原已记录 {result.unchanged} 件，退回 {len(result.refused)} 件。"
    ]
    lines += first_few(
        [f"✗ {one['file']} {one['sheet']} {one['cell']}：{one['reason']}。{one['todo']}" for one in result.refused]
    )
    if result.refused:
        lines.append("退回的没有记录；改好表里这些格，再运行一次。")
    context.emit(result.as_json(), lines)
    if result.refused:
        raise typer.Exit(3)


@app.command("due", help="当月到期应复核或走访的户（人），按村出清单。")
def due(ctx: typer.Context, month: str = typer.Option(..., "--month", help="月份，例如 2026-10。")) -> None:
    from jiuzhu_cli.review.due import run_due

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = run_due(
            store, context.workspace, context.policy(), month, today=context.today, now=context.now, actor=context.actor
        )
    data = result.as_json()
    lines = [
        f"{month} 应复核走访 {result.due} 户（人），涉及 {len(result.by_village)} 个村（社区）；没有起始月份的 {result.unknown} 户（人）也列入。"
    ]
    if result.by_village:
        lines.append(
            table([(place, str(count)) for place, count in result.by_village.items()], ["乡镇/村", "户（人）"])
        )
    lines.append(f"清单：{relative(context.workspace, result.workbook)}")
    context.emit(data, lines)
