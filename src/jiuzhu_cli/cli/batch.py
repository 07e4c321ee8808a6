"""jiuzhu batch: what has been imported, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from jiuzhu_cli.cli.context import Context, first_few, moment, short_name, shorten, table
from jiuzhu_cli.cli.words import BATCH_STATES as STATES

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list", help="列出批次；缺省只列有效的。")
def list_(
    ctx: typer.Context,
    month: str = typer.Option("", "--month", "-m", help="只看某月：YYYY-MM。"),
    every: bool = typer.Option(False, "--all", help="连已被更正、已撤销的一起列出。"),
) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.core.period import check_month
    from jiuzhu_cli.ledger.rolls import list_batches

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        batches = list_batches(store, month=check_month(month) if month else "", every=every)
    rows = [
        (
            b["batch_id"],
            short_name(policy.programmes.get(b["programme"]) or policy.registers.get(b["programme"]), b["part"]),
            b["area"] or "全区",
            b["month"],
            b["accepted"],
            b["refused"],
            yuan(b["amount_fen"], grouped=True),
            STATES[b["status"]] + (f"（补入 {b['supplements']}）" if b["supplements"] else ""),
            shorten(b["file_name"], 18),
        )
        for b in batches
    ]
    headers = ["批次", "项目", "范围", "月份", "收下", "拒收", "金额（元）", "状态", "文件"]
    context.emit({"batches": batches}, [table(rows, headers)] if rows else ["还没有导入过。"])


@app.command("show", help="查看一个批次：来自哪张表、各列怎么认的、有哪些问题。")
def show(ctx: typer.Context, batch: int = typer.Argument(..., metavar="批次", help="批次编号。")) -> None:
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.ledger.rolls import show_batch

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        found = show_batch(store, batch)
    lines = [
        f"批次 {batch}　{_name(policy, found['programme'], found['part'])}　{found['area'] or '全区'}　{found['month']}　{STATES[found['status']]}",
        f"文件 {found['file_name']}，{found['actor']} 于 {moment(found['created_at'])}（北京时间）导入，收下 {found['accepted']} 行、拒收 {found['refused']} 行，"
        f"{yuan(found['amount_fen'], grouped=True)} 元",
    ]
    if found["replaced"]:
        lines.append(
            f"更正了批次 {'、'.join(map(str, found['replaced']))}：新增 {found['added']}，变更 {found['changed']}，撤下 {found['withdrawn']}，不变 {found['unchanged']}"
        )
    for one in found["tables"]:
        lines += ["", f"工作表 {one['sheet']}　表头第 {one['header_row']} 行　{one['title']}"]
        lines.append(
            table(
                [(c["column"], c["header"].replace("|", " / "), _field(policy, c["field"])) for c in one["columns"]],
                ["列", "表头", "认作"],
            )
        )
    told = []
    for finding in found["findings"]:
        values = {"shown": finding["shown"], "field_name": _field(policy, finding["field"]), **finding["detail"]}
        message, todo = policy.finding_text(finding["code"], **values)
        told.append(f"  {_cell(finding)}　{message}" + (f"。{todo}" if todo else ""))
    lines += ["", f"问题 {len(told)} 条："] if told else []
    lines += first_few(told)
    context.emit(found, lines)


@app.command("undo", help="撤销一个批次；被它更正的那份恢复有效。已进入发放的不能撤销。")
def undo(ctx: typer.Context, batch: int = typer.Argument(..., metavar="批次", help="批次编号。")) -> None:
    from jiuzhu_cli.core.errors import RefusedError
    from jiuzhu_cli.ledger.rolls import undo_batch

    context: Context = ctx.obj
    asked = not context.yes and not context.json
    if asked and not context.confirmed(f"撤销批次 {batch}？"):
        raise RefusedError("没有撤销", "确认后加 --yes 再运行")
    with (
        context.workspace.open_store() as store,
        store.transaction(actor=context.actor, command="batch undo", now=context.now) as tx,
    ):
        done = undo_batch(tx, store, batch)
    back = "、".join(map(str, done["active_again"]))
    along = "、".join(str(one) for one in done["undone"] if one != batch)
    lines = [
        f"批次 {batch} 已撤销。"
        + (f"补入它的批次 {along} 一并撤销。" if along else "")
        + (f"批次 {back} 恢复有效。" if back else "")
    ]
    context.emit(done, lines)


def _cell(finding: dict[str, Any]) -> str:
    if not finding["row"]:
        return "整表"
    return f"{finding['column_letters']}{finding['row']}" if finding["column_letters"] else f"第 {finding['row']} 行"


def _name(policy: Policy, code: str, part: str = "") -> str:
    item = policy.programmes.get(code) or policy.registers.get(code)
    return (item.name if item else code) + (f"（{part}）" if part else "")


def _field(policy: Policy, code: str) -> str:
    if not code:
        return "（原样保留）"
    return policy.glossary[code].name if code in policy.glossary else code
