"""jiuzhu import: rolls and registers in, whatever their habit; what was understood, taken in and refused is said."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from jiuzhu_cli.cli.context import Context, short_name, shorten, table
from jiuzhu_cli.cli.passwords import make_secrets, refuse_in_arguments

if TYPE_CHECKING:
    from jiuzhu_cli.core.finding import Finding
    from jiuzhu_cli.policy.load import Policy


HOW = {
    "programme": "项目",
    "month": "月份",
    "area": "乡镇",
    "columns": "各列",
    "level": "金额",
    "category": "类别",
    "mapping": "列",
}


SHORT = {
    "imported": "已导入", "corrected": "已更正", "already": "没有变化", "superseded_old": "旧表", "ask": "要您决定", "paid": "已在发放", "refused": "没有导入",
    "skipped": "不是台账",
}  # fmt: skip


def command(
    ctx: typer.Context,
    paths: list[Path] = typer.Argument(..., metavar="文件或文件夹…", help="要导入的文件，或整个文件夹。"),
    programme: str = typer.Option("", "--programme", "-p", help="表里认不出项目时指明：名称、简称或代码。"),
    month: str = typer.Option("", "--month", "-m", help="表里认不出月份时指明：YYYY-MM。"),
    area: str = typer.Option("", "--area", help="表里认不出乡镇时指明。"),
    mapping: list[str] = typer.Option([], "--map", help="指明某列是什么，例如 --map 打款数=发放金额；可写多次。"),
    strict: bool = typer.Option(False, "--strict", help="有一行不能收下，就整份退回。"),
    accept_valid: bool = typer.Option(False, "--accept-valid", help="收下好的行，坏的行另存待改正（缺省就是这样）。"),
    max_bad_pct: float | None = typer.Option(None, "--max-bad-pct", help="坏行超过百分之几就整份退回。"),
    replace: bool = typer.Option(False, "--replace", help="人员只有部分相同时，当作更正过的整份花名册。"),
    append: bool = typer.Option(False, "--append", help="当作同一项目同月的另一批人。"),
    amount_level: str = typer.Option(
        "", "--amount-level", help="成员行上的金额是 household（整户的）还是 person（各人的）。"
    ),
    password: str = typer.Option("", "--password", hidden=True, help="不再使用：密码不能写在命令行里。"),
    password_file: Path | None = typer.Option(
        None, "--password-file", help="加密文件的密码所在的文件：每行一个，权限 0600。不写时在终端里询问。"
    ),
    keyring: bool = typer.Option(False, "--keyring", help="从系统钥匙串取密码（jiuzhu/单位名称，文件名或文件夹名）。"),
    explain: bool = typer.Option(False, "--explain", help="说明每张表、每一列是怎么认出来的。"),
) -> None:
    from jiuzhu_cli.core.errors import UsageError
    from jiuzhu_cli.core.period import check_month
    from jiuzhu_cli.intake.batch import Options, import_paths
    from jiuzhu_cli.intake.table import Hints

    context: Context = ctx.obj
    refuse_in_arguments(password)
    if (replace and append) or (strict and accept_valid):
        raise UsageError("这两个选项只能用一个：--replace/--append，--strict/--accept-valid", "去掉其中一个")
    if amount_level not in ("", "household", "person"):
        raise UsageError(f"--amount-level “{amount_level}”不认识", "写 household（整户的）或 person（各人的）")
    if max_bad_pct is not None and not 0 <= max_bad_pct <= 100:
        raise UsageError("--max-bad-pct 要写 0 至 100 的数", "例如 --max-bad-pct 5")
    pairs = dict(pair.partition("=")[::2] for pair in mapping)
    if any(not key or not value for key, value in pairs.items()):
        raise UsageError("--map 要写成 表头=字段", "例如 --map 打款数=发放金额")
    policy = context.policy()
    known = [*policy.programmes, *policy.registers]
    if programme and programme not in known:
        _check_known(policy, programme)
    options = Options(
        hints=Hints(programme, check_month(month) if month else "", area, pairs),
        strict=strict,
        max_bad_pct=max_bad_pct,
        mode="replace" if replace else "append" if append else "",
        level=amount_level,  # type: ignore[arg-type]
    )
    gc.disable()  # millions of cells, no cycles worth looking for
    on_terminal = sys.stderr.isatty() and not context.quiet
    result = import_paths(
        context.workspace,
        policy,
        paths,
        options,
        today=context.today,
        now=context.now,
        actor=context.actor,
        progress=(lambda name: context.say(f"正在读 {name}")) if on_terminal else None,
        secrets=make_secrets(password_file, keyring=keyring, bureau=context.workspace.bureau),
    )
    context.emit(result.as_json(policy), _lines(context, result, explain))
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _check_known(policy, text: str) -> None:  # type: ignore[no-untyped-def]
    from jiuzhu_cli.core.errors import UsageError

    try:
        policy.programme(text)
    except UsageError:
        try:
            policy.register(text)
        except UsageError:
            raise UsageError(
                f"没有叫“{text}”的项目或名单",
                "用 jiuzhu policy list --programmes、jiuzhu policy list --registers 查看全部",
            ) from None


def _lines(context: Context, result, explain: bool) -> list[str]:  # type: ignore[no-untyped-def]
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.intake.reports import summary_lines

    policy = context.policy()
    rows = []
    for one in result.tables:
        item = policy.programmes.get(one.programme) or policy.registers.get(one.programme)
        rows.append(
            (
                shorten(one.file, 23),
                short_name(item, one.category),
                one.area or ("全区" if item else "—"),
                one.month,
                one.batch or "",
                one.accepted,
                one.refused,
                yuan(one.amount_fen, grouped=True),
                SHORT[one.status],
            )
        )
    headers = ["文件", "项目", "范围", "月份", "批次", "收下", "拒收", "金额（元）", "结果"]
    lines = [table(rows, headers)] if rows else ["没有找到可以导入的文件。"]
    for one in result.tables:
        errors = [f for f in one.findings if f.severity == "error"]
        quiet = (
            one.status in ("imported", "already", "skipped")
            and not errors
            and one.stated_total_fen in (None, one.amount_fen)
        )
        if not quiet or explain:
            lines += ["", *summary_lines(one, policy)]
        if explain:
            lines += [f"    {HOW.get(key, key)}：{why}" for key, why in one.how.items()]
        if not quiet:
            lines += _findings([*errors, *(f for f in one.findings if f.severity == "warning")], policy)
        if "mapping" in one.how:
            lines.append(f"  {one.how['mapping']}")
        if one.errors_file:
            lines.append(f"  核对结果：{one.errors_file}") if not quiet else None
        if one.remainder_file:
            lines.append(f"  待改正的行：{one.remainder_file}（改正后直接导入它）")
        if one.todo:
            lines.append(f"  怎么办：{one.todo}")
    fresh = [one for one in result.tables if one.status in ("imported", "corrected")]
    months = sorted({one.month for one in fresh if one.kind == "roll"}, reverse=True)
    sums = [
        (month, sum(one.amount_fen for one in fresh if one.month == month and one.kind == "roll")) for month in months
    ]
    lines += [
        "",
        f"共 {len(result.tables)} 张表，新导入 {len(fresh)} 张，拒收 {sum(one.refused for one in result.tables)} 行。",
    ]
    lines += [f"  {month} 新导入 {yuan(total, grouped=True)} 元" for month, total in sums]
    if any(one.refused for one in result.tables):
        lines.append("拒收的行改在“待改正”工作簿里，再导入那个工作簿。")
    if months:
        lines.append(f"下一步：jiuzhu dedupe run --month {months[0]}（已导入的：jiuzhu batch list）")
    elif not fresh:
        lines.append("台账没有变化。下一步看 jiuzhu status。")
    return lines


def _findings(findings: list[Finding], policy: Policy) -> list[str]:
    """Findings of one table, what is alike in one line with its cells; the rest is in the check workbook."""
    from jiuzhu_cli.intake.result import message

    cells: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        said = message(finding, policy)
        places = cells.setdefault((said["message"], said["todo"]), [])
        if said["cell"] and said["cell"] not in places:
            places.append(said["cell"])
    lines = []
    for (text, todo), places in list(cells.items())[:8]:
        where = "、".join(places[:6]) + (f" 等 {len(places)} 处" if len(places) > 6 else "") if places else "整表"
        lines.append(f"    {where}　{text}" + (f"。{todo}" if todo else ""))
    if len(cells) > 8:
        lines.append(f"    …… 还有 {len(cells) - 8} 种问题，见核对结果")
    return lines
