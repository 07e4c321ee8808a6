"""jiuzhu status, doctor: where the month stands and what comes next; whether the workspace itself is sound."""

from __future__ import annotations

import typer

from jiuzhu_cli.cli.context import Context, table
from jiuzhu_cli.core.period import check_month


def command(
    ctx: typer.Context,
    month: str = typer.Option("", "--month", help="哪个月（YYYY-MM）；缺省为最近导入的月份。"),
    by_town: bool = typer.Option(False, "--by-town", help="另列各乡镇、各项目的户数、人数和金额。"),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.dedupe.deadline import Deadlines
    from jiuzhu_cli.ledger.doubts import waiting
    from jiuzhu_cli.ledger.status import figures_by_town, month_status

    context: Context = ctx.obj
    if month:
        check_month(month)
    policy = context.policy()
    with context.workspace.open_store() as store:
        state = month_status(store, month)
        towns = figures_by_town(store, state.month) if by_town else []
        open_doubts = waiting(store)
    deadlines = Deadlines(policy)
    late = sum(deadlines.overdue(doubt, context.today) for doubt in open_doubts)
    lines = [f"{context.workspace.bureau}　{state.month or '还没有导入任何花名册'}"]
    if state.rolls:
        names = {code: programme.name for code, programme in policy.programmes.items()}
        rows = [
            (
                names.get(r["programme"], r["programme"]),
                r["areas"],
                r["cases"],
                r["persons"],
                yuan(r["amount_fen"], grouped=True),
                r["refused"],
            )
            for r in state.rolls
        ]
        columns = zip(*(row[1:4] + row[5:] for row in rows), strict=True)
        areas, cases, persons, refused = (sum(column) for column in columns)
        rows.append(
            ("合计", areas, cases, persons, yuan(sum(r["amount_fen"] for r in state.rolls), grouped=True), refused)
        )
        lines += ["", table(rows, ["项目", "花名册", "户（件）", "在册人数", "金额（元）", "拒收行"])]
    if towns:
        names = {code: programme.name for code, programme in policy.programmes.items()} | {"": "合计"}
        shown = [
            (
                f["town"] or "全区",
                names.get(f["programme"], f["programme"]),
                f["cases"],
                f["persons"],
                yuan(f["amount_fen"], grouped=True),
            )
            for f in towns
        ]
        lines += ["", table(shown, ["乡镇", "项目", "户（件）", "在册人数", "金额（元）"])]
    lines += [""] + [f"{'✓' if step.done else '·'} {step.text}" for step in state.steps]
    if late:
        lines.append(f"! {late} 条强疑点过了核实期限还没有处理结果（jiuzhu dedupe list --overdue）")
    lines += ["", f"下一步：{state.next_text}", f"  {state.next_command}"]
    context.emit(state.as_json() | {"overdue_doubts": late} | ({"by_town": towns} if by_town else {}), lines)


def doctor(ctx: typer.Context) -> None:
    from jiuzhu_cli.ledger.doctor import examine

    context: Context = ctx.obj
    policy = context.policy()
    findings = examine(context.workspace, today=context.today)
    unconfirmed = policy.unconfirmed()
    if unconfirmed:
        names = "、".join(sorted({value.name for value in unconfirmed})[:6])
        findings.append(
            ("warning", f"{len(unconfirmed)} 项政策参数请核对：{names} …（jiuzhu policy list --unconfirmed）")
        )
    bad = [text for level, text in findings if level == "error"]
    lines = [f"{'✗' if level == 'error' else '!'} {text}" for level, text in findings] or ["工作区完好。"]
    context.emit({"ok": not bad, "findings": [{"level": level, "text": text} for level, text in findings]}, lines)
    if bad:
        raise typer.Exit(3)
