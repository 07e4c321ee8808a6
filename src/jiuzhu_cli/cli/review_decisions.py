"""jiuzhu review decide, decisions, undo: decisions read back, listed, taken back."""

from __future__ import annotations

from pathlib import Path

import typer

from jiuzhu_cli.cli.context import Context, first_few, moment, relative, shorten, table


def decide(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="文件…", help="填好的复核工作簿；可多个，也可以是文件夹。"),
    prefer: list[Path] = typer.Option([], "--prefer", metavar="文件", help="同一户决定不一样时，以这个文件为准。"),
) -> None:
    from jiuzhu_cli.review.decisions import decide_files

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = decide_files(
            store, _expanded(files), today=context.today, now=context.now, actor=context.actor, policy=context.policy(), prefer=prefer
        )  # fmt: skip
    lines = [
        f"已记录 {result.applied} 件（其中生效 {result.effective} 件），原已记录 {result.unchanged} 件，退回 {len(result.refused)} 件。"
    ]
    in_conflict = {conflict.case_id for conflict in result.conflicts}
    lines += first_few(
        [
            f"✗ {one['file']} {one['sheet']} {one['cell']}：{one['reason']}。{one['todo']}"
            for one in result.refused if one["case_id"] not in in_conflict
        ]
    )  # fmt: skip
    shown: list[str] = []
    for conflict in result.conflicts:
        shown.append(f"✗ {conflict.case_id} 各处决定不一样，没有采用：")
        for side in conflict.sides:
            who = f"，决定人 {side.maker}" if side.maker else ""
            read = f"，{side.actor} 于 {moment(side.at)} 读入" if side.at else ""
            note = f"，备注：{side.note}" if side.note else ""
            shown.append(f"    {side.place}：{side.verdict}{who}{read}{note}")
    lines += first_few(shown, 40)
    if result.conflicts:
        lines.append("商定后改其中一份再读入，或加 --prefer 文件 以它为准。")
    if len(result.refused) > sum(len(conflict.sides) for conflict in result.conflicts):
        lines.append("退回的没有记录；改好表里这些格，再运行一次。")
    if result.unchecked:
        lines.append(
            f"提醒：{result.unchecked} 件停发、调减没有复核人。当地要求双人的，把参数“减停须复核人”写成 true（docs/复核说明.md）。"
        )
    if result.decision is not None:
        lines.append(
            f"这是决定批次 {result.decision}；决定错了，发放以前可以撤回：jiuzhu review undo {result.decision}"
        )
        lines.append("下一步：jiuzhu review notices 列出要送达的告知书。")
    context.emit(result.as_json(), lines)
    if result.refused:
        raise typer.Exit(3)


def _expanded(files: list[Path]) -> list[Path]:
    """Folders as the workbooks in them; Excel's lock files are none. UsageError for a folder without any."""
    from jiuzhu_cli.core.errors import UsageError

    out: list[Path] = []
    for file in files:
        if not file.is_dir():
            out.append(file)
            continue
        inside = sorted(path for path in file.glob("*.xlsx") if not path.name.startswith(("~$", ".")))
        if not inside:
            raise UsageError(f"文件夹“{file.name or '.'}”里没有 xlsx 工作簿", "写填好的复核工作簿，或放着它们的文件夹")
        out += inside
    return out


def decisions(ctx: typer.Context) -> None:
    from jiuzhu_cli.ledger.decisions import decision_batches

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        batches = decision_batches(store)
    rows = [
        (
            b["decision_id"],
            b["months"] or "",
            b["applied"],
            b["effective"],
            b["actor"],
            moment(b["created_at"]),
            "有效" if b["state"] == "active" else f"已撤回（{b['undone_by']} {moment(b['undone_at'])}）",
            shorten(b["file_names"], 24),
        )
        for b in batches
    ]
    headers = ["批次", "复核月份", "件数", "生效", "读入的人", "时间", "状态", "文件"]
    context.emit({"decisions": batches}, [table(rows, headers)] if rows else ["还没有读回过决定。"])


def undo(ctx: typer.Context, decision: int = typer.Argument(..., metavar="批次", help="决定批次的编号。")) -> None:
    from jiuzhu_cli.core.errors import RefusedError
    from jiuzhu_cli.ledger.decisions import undo_decisions

    context: Context = ctx.obj
    asked = not context.yes and not context.json
    if asked and not context.confirmed(f"撤回决定批次 {decision}？"):
        raise RefusedError("没有撤回", "确认后加 --yes 再运行")
    with (
        context.workspace.open_store() as store,
        store.transaction(actor=context.actor, command="review undo", now=context.now) as tx,
    ):
        done = undo_decisions(tx, decision)
    lines = (
        [
            f"决定批次 {decision} 已撤回，{done['undone']} 件回到决定以前。",
            "改好工作簿后，再用 jiuzhu review decide 读入。",
        ]
        if done["undone"]
        else [f"决定批次 {decision} 已经撤回过了，没有改动。"]
    )
    context.emit(done, lines)


def notices(
    ctx: typer.Context,
    month: str = typer.Option("", "--month", help="哪个月的复核建议；不写则列出各月还没有送的。"),
) -> None:
    from jiuzhu_cli.core.period import check_month
    from jiuzhu_cli.review.notices import STATES, run_notices

    context: Context = ctx.obj
    with context.workspace.open_store() as store:
        result = run_notices(
            store, context.workspace, context.policy(), check_month(month) if month else "", today=context.today, now=context.now,
            actor=context.actor,
        )  # fmt: skip
    data = result.as_json()
    lines = [
        f"{month or '各月'} 告知书 {data['notices']} 份："
        + "，".join(f"{title} {data[state]}" for state, title in STATES.items())
        + "。"
    ]
    names = {one.kind.id: one.kind.name for one in result.notices}
    if names:
        lines.append(
            table([(names[kind], str(count)) for kind, count in data["by_notice"].items()], ["告知书", "份数"])
        )
    lines += [
        f"清单：{relative(context.workspace, result.csv)}",
        f"工作簿：{relative(context.workspace, result.workbook)}",
    ]
    if data["unsent"] or data["overdue"]:
        lines.append("下一步：送达后把日期填在复核建议工作簿的“书面告知日期”，再用 jiuzhu review decide 读回。")
    context.emit(data, lines)
