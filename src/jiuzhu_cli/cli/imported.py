"""What an import says on the screen: a table of what came in, what is wrong and where, what changed, what is next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jiuzhu_cli.cli.context import Context, short_name, shorten, table

if TYPE_CHECKING:
    from jiuzhu_cli.core.finding import Finding
    from jiuzhu_cli.intake.result import ImportResult, TableResult
    from jiuzhu_cli.policy.load import Policy

HOW = {"programme": "项目", "month": "月份", "area": "乡镇", "columns": "各列", "level": "金额", "category": "类别", "mapping": "列"}  # fmt: skip
SHORT = {
    "imported": "已导入", "corrected": "已更正", "already": "没有变化", "superseded_old": "旧表", "ask": "要您决定", "paid": "已在发放", "refused": "没有导入",
    "skipped": "不是台账",
}  # fmt: skip
_HELD = ("ask", "paid")  # nothing of it is taken in or sent back
_JUMPS = ("persons_jump", "amount_jump", "accounts_changed")
# what is said of a table however many there are: decided for the clerk, or money may go astray
_LOUD = (*_JUMPS, "id_recovered", "account_recovered")
FEW_TABLES = 8  # so many are each compared with last month on the screen, of more only those that need a look
MOST_KINDS = 8
# told with last month's figures, person by person
_TOLD_APART = ("account_changed", "account_and_payee_changed", "account_gone")


def import_lines(context: Context, result: ImportResult) -> list[str]:
    """Everything that is said of an import, line by line."""
    policy = context.policy()
    lines = [_overview(result, policy)] if result.tables else ["没有找到可以导入的文件。"]
    for one in result.tables:
        lines += _of_table(one, policy, few=len(result.tables) <= FEW_TABLES)
    return [*lines, *_closing(result)]


def _overview(result: ImportResult, policy: Policy) -> str:
    from jiuzhu_cli.core.money import yuan

    rows = []
    for one in result.tables:
        item = policy.programmes.get(one.programme) or policy.registers.get(one.programme)
        rows.append(
            (
                shorten(one.file, 23), short_name(item, one.category), one.area or ("全区" if item else "—"), one.month, one.batch or "",
                *(("", "", "") if one.status in _HELD else (one.accepted, one.refused, yuan(one.amount_fen, grouped=True))), SHORT[one.status],
            )
        )  # fmt: skip
    return table(rows, ["文件", "项目", "范围", "月份", "批次", "收下", "拒收", "金额（元）", "结果"])


def _of_table(one: TableResult, policy: Policy, *, few: bool) -> list[str]:
    from jiuzhu_cli.intake.changes import screen_lines
    from jiuzhu_cli.intake.reports import summary_lines

    errors = [f for f in one.findings if f.severity == "error"]
    warnings = [f for f in one.findings if f.severity == "warning"]
    compared = one.last_month if one.status != "already" else None
    shown = [f for f in warnings if few or errors or f.code in _LOUD]
    if compared is not None:
        shown = [f for f in shown if f.code not in _TOLD_APART]
    if one.status == "ask":  # why it is asked says as much
        shown = [f for f in shown if f.code not in _JUMPS]
    if one.status in ("already", "superseded_old", "skipped"):
        shown = []
    errors = [f for f in errors if not one.note or one.note not in f.values.values()]  # said already
    changed = compared is not None and bool(compared.accounts or few or any(f.code in _JUMPS for f in warnings))
    quiet = (
        one.status in ("imported", "already", "skipped")
        and not errors
        and not shown
        and one.stated_total_fen in (None, one.amount_fen)
    )
    lines = []
    if not quiet or changed:
        lines += ["", *summary_lines(one, policy)]
    if changed and compared is not None:
        lines += screen_lines(compared)
    lines += _findings([*errors, *shown], policy)
    if "mapping" in one.how:
        lines.append(f"  {one.how['mapping']}")
    book = one.errors_file or (compared.workbook if compared is not None else "")
    if book and (not quiet or changed):
        lines.append(f"  核对结果：{book}")
    if one.remainder_file:
        lines.append(f"  待改正的行：{one.remainder_file}（改正后直接导入它）")
    if one.todo:
        lines.append(f"  怎么办：{one.todo}")
    return lines


def _closing(result: ImportResult) -> list[str]:
    from jiuzhu_cli.core.money import yuan

    tables = [one for one in result.tables if one.status != "skipped"]
    fresh = [one for one in result.tables if one.status in ("imported", "corrected")]
    rolls = [one for one in fresh if one.kind == "roll"]
    months = sorted({one.month for one in rolls}, reverse=True)
    lines = [
        "",
        f"共 {len(tables)} 张表，新导入 {len(fresh)} 张，拒收 {sum(one.refused for one in tables if one.status not in _HELD)} 行。",
    ]
    if refused := sum(one.status == "refused" for one in tables):
        lines.append(f"没有导入的 {refused} 张，原因见上；改好后只导入那几个文件就行。")
    if others := len(result.tables) - len(tables):
        lines.append(f"另有 {others} 个文件不是台账，跳过了。")
    for month in months:
        lines.append(
            f"  {month} 新导入 {yuan(sum(one.amount_fen for one in rolls if one.month == month), grouped=True)} 元"
        )
    if any(one.remainder_file for one in result.tables):
        lines.append("拒收的行改在“待改正”工作簿里，再导入那个工作簿。")
    undecided = sum(one.status == "ask" for one in result.tables)
    if undecided:
        lines.append(f"有 {undecided} 张表要您决定：按上面的“怎么办”再导入一次，别的表不用再管。")
    if months:
        lines.append(f"下一步：jiuzhu dedupe run --month {months[0]}（已导入的：jiuzhu batch list）")
    elif not fresh and not undecided:
        lines.append("台账没有变化。下一步看 jiuzhu status。")
    return lines


def _findings(findings: list[Finding], policy: Policy) -> list[str]:
    """Findings of one table, what is alike in one line with its cells; the rest is in the check workbook."""
    from jiuzhu_cli.intake.result import message

    cells: dict[tuple[str, str], list[str]] = {}
    for finding in sorted(findings, key=lambda one: (one.severity != "error", one.source.row, one.source.column)):
        said = message(finding, policy)
        places = cells.setdefault((said["message"], said["todo"]), [])
        place = said["cell"] if finding.source.column else f"第 {finding.source.row} 行" if finding.source.row else ""
        if place and place not in places:
            places.append(place)
    lines = []
    for (text, todo), places in list(cells.items())[:MOST_KINDS]:
        where = "、".join(places[:6]) + (f" 等 {len(places)} 处" if len(places) > 6 else "") if places else "整表"
        lines.append(f"    {where}　{text}" + (f"。{todo}" if todo else ""))
    if len(cells) > MOST_KINDS:
        lines.append(f"    …… 还有 {len(cells) - MOST_KINDS} 种问题，见核对结果")
    return lines
