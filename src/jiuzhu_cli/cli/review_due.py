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
) -> None:
    from jiuzhu_cli.review.due import run_due

    context: Context = ctx.obj
    policy = context.policy(month)
    with context.workspace.open_store() as store:
        result = run_due(
            store, context.workspace, policy, month, today=context.today, now=context.now, actor=context.actor, ahead=ahead,
            split_by_town=split_by_town, cards=cards,
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
