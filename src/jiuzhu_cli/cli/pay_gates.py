"""jiuzhu pay override and budget: single cases let through a gate by two persons; the year's budgets and what they paid for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, first_few, moment, table

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy

app = typer.Typer(rich_markup_mode=None)
overrides = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

REASON = typer.Option(..., "--reason", metavar="理由", help="写明依据，印在审批单上，记入日志。")


@overrides.command("ask", help="申请放行一笔：一人申请，另一人同意后才算，只管这一个月。")
def ask(
    ctx: typer.Context,
    person: str = typer.Argument(..., metavar="人", help="领款人：身份证号，或“姓名+身份证后四位”，或姓名。"),
    month: str = typer.Option(..., "--month", help="月份 YYYY-MM。"),
    programme: str = typer.Option("", "--programme", "-p", help="救助项目；只有一个项目被拦的可以不写。"),
    hold: str = typer.Option("", "--hold", metavar="原因", help="放行哪个拦下原因（名称或代码）；只有一个的可以不写。"),
    reason: str = REASON,
) -> None:
    from jiuzhu_cli.ledger.people import find_person
    from jiuzhu_cli.payment import overrides as desk

    context: Context = ctx.obj
    policy = context.policy(month)
    with context.workspace.open_store() as store:
        who = find_person(store, person).id_no
        rows = desk.ask(
            store, context.workspace, policy, month, who, reason=reason, programme=programme, gate=hold,
            actor=context.actor, now=context.now,
        )  # fmt: skip
    lines = [f"已申请：{_said(policy, row)}" for row in rows]
    numbers = " ".join(str(row["override_id"]) for row in rows)
    lines.append(f"下一步：由另一人同意：jiuzhu pay override agree {numbers} --actor 同意人")
    context.emit({"overrides": [_plain(row) for row in rows]}, lines)


@overrides.command("agree", help="同意放行：申请人不能同意自己的申请。")
def agree(
    ctx: typer.Context, numbers: list[int] = typer.Argument(..., metavar="编号…", help="pay override list 里的编号。")
) -> None:
    from jiuzhu_cli.payment import overrides as desk

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        rows = desk.agree(store, numbers, actor=context.actor, now=context.now)
    lines = [f"已同意：{_said(policy, row)}" for row in rows]
    lines.append(f"下一步：重新制单：jiuzhu pay draft --month {rows[0]['month']}")
    context.emit({"overrides": [_plain(row) for row in rows]}, lines)


@overrides.command("end", help="不同意，或撤回已同意的放行。")
def end(
    ctx: typer.Context,
    number: int = typer.Argument(..., metavar="编号", help="pay override list 里的编号。"),
    reason: str = REASON,
) -> None:
    from jiuzhu_cli.payment import overrides as desk

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        row = desk.end(store, number, reason=reason, actor=context.actor, now=context.now)
    context.emit({"overrides": [_plain(row)]}, [f"已撤回：{_said(policy, row)}", "已经制单的，重新制单"])


@overrides.command("list", help="单笔放行的清单：谁申请、谁同意、还算不算。")
def list_(ctx: typer.Context, month: str = typer.Option("", "--month", help="月份 YYYY-MM；缺省全部。")) -> None:
    from jiuzhu_cli.core.period import check_month
    from jiuzhu_cli.ledger import overrides as record
    from jiuzhu_cli.payment.holds import BY_CODE

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        rows = record.asked(store, check_month(month) if month else "")
    shown = [
        (
            row["override_id"], row["month"], _name(policy, row["programme"]), row["recipient_name"], BY_CODE[row["code"]].name, row["reason"],
            row["asked_by"], row["agreed_by"], _state(row),
        )
        for row in rows
    ]  # fmt: skip
    heads = ["编号", "月份", "项目", "姓名", "拦下原因", "放行理由", "申请", "同意", "情况"]
    context.emit(
        {"overrides": [_plain(row) for row in rows]}, [table(shown, heads) if shown else "没有单笔放行的申请。"]
    )


@app.command("budget", help="经费指标：各级下达多少、已支出多少、还剩多少；--import 读财政给的指标表。")
def budget(
    ctx: typer.Context,
    year: int = typer.Option(0, "--year", help="年度；缺省今年。"),
    file: Path = typer.Option(
        None, "--import", metavar="指标表", help="xlsx、xls 或 csv，一笔指标一行；写进 policy/budgets/。"
    ),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.payment.budget import execution

    context: Context = ctx.obj
    data: dict[str, Any] = {}
    lines: list[str] = []
    if file is not None:
        from jiuzhu_cli.payment.budget_sheet import import_budgets

        with context.workspace.open_store() as store:
            taken = import_budgets(
                store, context.workspace, context.policy(), file, year=year or context.today.year, actor=context.actor, now=context.now,
            )  # fmt: skip
        context.forget_policy()
        data["imported"] = taken.as_json()
        lines.append(f"新登记 {taken.added} 笔指标，已登记过的 {taken.unchanged} 笔：policy/{taken.path}")
    policy = context.policy()
    with context.workspace.open_store() as store:
        found = execution(store, policy, year or context.today.year)
    rows = [
        (
            one.budget.document, one.budget.level, "、".join(_name(policy, code) for code in one.programmes), yuan(one.budget.amount_fen, grouped=True),
            yuan(one.used_fen, grouped=True), yuan(one.left_fen, grouped=True),
        )
        for one in found.budgets
    ]  # fmt: skip
    heads = ["文号", "资金来源", "用于", "指标（元）", "已用（元）", "剩余（元）"]
    lines += [f"{found.year} 年经费指标："] if rows else [f"{found.year} 年没有登记经费指标，超支不会拦下。"]
    lines += [table(rows, heads)] if rows else []
    spent = [
        (
            _name(policy, one.programme), one.level, yuan(one.out_fen, grouped=True), yuan(one.due_fen, grouped=True),
            "没有登记" if one.over_fen is None else yuan(one.over_fen, grouped=True) if one.over_fen else "",
        )
        for one in found.levels
    ]  # fmt: skip
    lines += [table(spent, ["项目", "资金来源", "已支出（元）", "已制单未送（元）", "超出指标（元）"])] if spent else []
    context.emit(found.as_json() | data, lines)


def let_through(store: Store, payment_id: int) -> tuple[list[str], dict[str, Any]]:
    """What a batch lets through its gates: lines to say before somebody approves it, and the JSON keys ``overrides`` (by gate and reason) and
    ``override_lines``."""
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.ledger import overrides as record
    from jiuzhu_cli.payment.holds import BY_CODE

    sums = record.summary(store, payment_id)
    if not sums:
        return [], {"overrides": [], "override_lines": []}
    rows = [
        (
            BY_CODE[one["code"]].name, "单笔" if one["single"] else "整批", one["lines"], yuan(one["amount_fen"], grouped=True), one["reason"],
            one["asked_by"], one["agreed_by"] or "待审批",
        )
        for one in sums
    ]  # fmt: skip
    lines = [
        "放行了被拦下的款（审批即同意整批放行）：",
        table(rows, ["拦下原因", "放行", "笔数", "金额（元）", "理由", "申请", "同意"]),
    ]
    each = [
        {key: value for key, value in row.items() if key != "recipient_id_no"}
        for row in record.of_batch(store, payment_id)
    ]
    names = [f"  {row['line_no']} {row['recipient_name']}：{row['hold_reason']}" for row in each]
    return [*lines, *first_few(names, 10)], {"overrides": sums, "override_lines": each}


def _said(policy: Policy, row: dict[str, Any]) -> str:
    from jiuzhu_cli.payment.holds import BY_CODE

    return (
        f"第 {row['override_id']} 号，{row['month']} {_name(policy, row['programme'])} {row['recipient_name']}，"
        f"{BY_CODE[row['code']].name}（{row['hold_reason']}），理由：{row['reason']}"
    )


def _state(row: dict[str, Any]) -> str:
    if row["ended_at"]:
        return f"{row['ended_by']} 撤回：{row['ended_reason']}"
    return f"{moment(row['agreed_at'])} 同意" if row["agreed_at"] else "待同意"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "recipient_id_no"}


def _name(policy: Policy, code: str) -> str:
    return policy.programmes[code].name if code in policy.programmes else code
