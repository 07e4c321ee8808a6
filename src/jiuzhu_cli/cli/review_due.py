"""jiuzhu review due: what is due in a month, by village; the calendar; the forms for the visitors."""

from __future__ import annotations

import typer

from jiuzhu_cli.cli.context import Context, first_few, relative, table


def due(
    ctx: typer.Context,
    month: str = typer.Option(..., "--month", help="月份，例如 2026-10。"),
    ahead: int = typer.Option(0, "--ahead", metavar="月数", help="另排今后几个月的日历，例如 12。"),
    split_by_town: bool = typer.Option(False, "--split-by-town", help="另按乡镇各出一个走访清单，便于下发、分别交回。"),
    cards: bool = typer.Option(False, "--cards", help="另出打印用的入户核查走访表，一户一页，一个乡镇一个文件。"),
    town: str = typer.Option("", "--town", metavar="乡镇", help="乡镇清单和打印表只出这一个乡镇的。"),
) -> None:
    from jiuzhu_cli.review.due import run_due

    context: Context = ctx.obj
    policy = context.policy(month)
    with context.workspace.open_store() as store:
        result = run_due(
            store, context.workspace, policy, month, today=context.today, now=context.now, actor=context.actor, ahead=ahead,
            split_by_town=split_by_town, cards=cards, town=town,
        )  # fmt: skip
    tasks = {one.id: one.name for one in policy.review_tasks}
    told = "，".join(f"{tasks.get(task, task)} {count}" for task, count in result.by_task.items())
    lines = [
        f"{month} 应复核走访 {result.due} 户（人），涉及 {len(result.by_village)} 个村（社区）；没有起始月份的 {result.unknown} 户（人）也列入。"
    ]
    if told:
        lines.append(
            f"按事项：{told}。其中逾期 {result.overdue} 户（人），台账里从来没有复核记录的 {result.unseen} 户（人）。"
        )
    lines += [
        f"类别不明：{policy.programmes[code].name} {count} 户（人），按每 {result.defaults[code]} 个月一次；导入核查分类台账，或在花名册的档次列写 A、B、C。"
        for code, count in result.class_unknown.items()
    ]
    if result.unconfirmed:
        lines.append(
            f"请核对：周期用到的参数还没有按本地文件核对：{'、'.join(result.unconfirmed[:4])}{' …' if len(result.unconfirmed) > 4 else ''}"
        )
    if result.by_village:
        rows = [(place, str(count)) for place, count in result.by_village.items()]
        lines.append(table(rows, ["乡镇/村", "户（人）"]))
    if result.months:
        lines.append(table([(m, str(count)) for m, count in result.months.items()], ["月份", "安排（户次）"]))
    lines.append(f"清单：{relative(context.workspace, result.workbook)}")
    lines += first_few([f"乡镇清单：{relative(context.workspace, path)}" for path in result.towns])
    lines += first_few([f"打印表：{relative(context.workspace, path)}" for path in result.cards])
    if result.calendar:
        lines.append(f"日历：{relative(context.workspace, result.calendar)}")
    if result.due:
        lines.append("下一步：清单发给乡镇、村；去过的填入户日期、发现情况，交回后运行 jiuzhu import 填好的清单。")
    context.emit(result.as_json(), lines)


def deadlines(
    ctx: typer.Context,
    on: str = typer.Option("", "--on", metavar="日期", help="算到哪一天：YYYY-MM-DD；不写是今天。"),
    fail_on: str = typer.Option(
        "", "--fail-on", metavar="overdue|warning", help="有超期（或即将到期）的，退出码 3，便于脚本判断。"
    ),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.period import parse_date
    from jiuzhu_cli.review.deadlines import STATES, run_deadlines, warnings_of

    context: Context = ctx.obj
    day, problem = parse_date(on) if on else (context.today, "")
    if problem or day is None:
        raise UsageError(f"日期“{on}”写法不对", "写成 YYYY-MM-DD，例如 2026-11-03")
    if fail_on not in ("", "overdue", "warning"):
        raise UsageError(f"--fail-on 不能写“{fail_on}”", "写 overdue（超期）或 warning（超期和即将到期）")
    with context.workspace.open_store() as store:
        result = run_deadlines(store, context.workspace, context.policy(), day, now=context.now, actor=context.actor)
    lines = [
        f"{day.isoformat()} 办理时限："
        + "，".join(f"{title} {result.count(state)} 件" for state, title in STATES.items())
        + "。"
    ]
    lines += warnings_of(result)
    steps = {one.step.id: one.step.name for one in result.timed}
    for title, counted in (
        ("环节", {steps[key]: counts for key, counts in result.by(lambda one: one.step.id).items()}),
        ("乡镇", {key or "未注明": counts for key, counts in result.by(lambda one: one.item.town).items()}),
    ):
        rows = [(name, *(str(counts.get(state, 0)) for state in STATES)) for name, counts in counted.items()]
        if rows:
            lines.append(table(rows, [title, *STATES.values()]))
    lines += [
        f"清单：{relative(context.workspace, result.csv)}",
        f"工作簿：{relative(context.workspace, result.workbook)}",
    ]
    if result.count("overdue", "warning"):
        lines.append("下一步：先办“超期未办”，再办“即将到期”；办好的日期补进办理进度台账，jiuzhu import 后再运行一次。")
    context.emit(result.as_json(), lines)
    if (fail_on and result.count("overdue")) or (fail_on == "warning" and result.count("warning")):
        raise typer.Exit(3)
