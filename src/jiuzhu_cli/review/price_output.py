"""The files of a price subsidy: a roll in the form that import reads, and a summary by programme and town with what is to be checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.review.output import folder_of, value_text
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.review.price import PriceRun, Rate

_ROLL = (
    ColumnSpec("序号", 6, "count"), ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20),
    ColumnSpec("类别", 8), ColumnSpec("补贴月份", 10), ColumnSpec("发放金额", 12, "amount"), ColumnSpec("户名", 10), ColumnSpec("收款人身份证号", 20),
    ColumnSpec("银行账号", 22), ColumnSpec("开户银行", 18), ColumnSpec("联系电话", 13), ColumnSpec("家庭住址", 24, wrap=True), ColumnSpec("备注", 26, wrap=True),
)  # fmt: skip
_SUMS = (ColumnSpec("项目或乡镇", 24), ColumnSpec("人数", 10, "count"), ColumnSpec("金额（元）", 16, "amount"))
_OPEN = (
    ColumnSpec("乡镇", 12), ColumnSpec("村（社区）", 12), ColumnSpec("姓名", 10), ColumnSpec("身份证号", 20), ColumnSpec("计入项目", 18),
    ColumnSpec("是否在名册内", 12), ColumnSpec("情况", 44, wrap=True),
)  # fmt: skip


def write_price(
    workspace: Workspace, policy: Policy, result: PriceRun, paid: list[dict[str, Any]], doubtful: list[dict[str, Any]]
) -> list[tuple[Path, str, str]]:
    """Writes roll and summary; ``(path, sha256, kind)``, the roll first."""
    from jiuzhu_cli.review.price import PROGRAMME

    folder = folder_of(workspace, result.month)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name, month = policy.programmes[PROGRAMME].name, result.month
    sides = {one.code: one.name for one in policy.programmes.values()}
    sides |= {f"register:{one.code}": one.name for one in policy.registers.values()}
    roll, summary = folder / f"{name}名册-{month}.xlsx", folder / f"{name}汇总-{month}.xlsx"
    body = [
        (
            number, one["town"], one["village"], one["name"], one["id_no"], one["kind"], month, one["amount_fen"], one["payee_name"], one["payee_id_no"],
            one["account_no"], one["bank_name"], one["phone"], one["address"], _remark(one, sides),
        )
        for number, one in enumerate(paid, 1)
    ]  # fmt: skip
    shown = f"{month[:4]}年{int(month[5:])}月{name}发放名册"
    digest = write_xlsx(roll, [SheetSpec("名册", _ROLL, body, title=shown)])
    sums = [
        SheetSpec(title, _SUMS, [*((names.get(key, key) or "未注明", *values) for key, values in found.items()), ("合计", result.persons, result.amount_fen)],
                  title=f"{month} {name}{title}")
        for title, found, names in (("按项目", result.by_programme, sides), ("按乡镇", result.by_town, {}))
    ]  # fmt: skip
    checked = [
        (
            one["town"], one["village"], one["name"], one["id_no"], sides.get(one["side"], one["side"]), "否" if one["reason"] else "是",
            one["reason"] or f"名册没有列出的成员 {one['persons'] - 1} 人一并列在这一行，请核对他们没有在别的项目领取",
        )
        for one in doubtful
    ]  # fmt: skip
    sheets = [_basis(policy, result, sides), *sums]
    if checked:
        sheets.append(SheetSpec("待核", _OPEN, checked, title=f"{month} {name}待核", notes=["内部资料，不得外传。"]))
    return [
        (roll, digest, "price_roll"),
        (summary, write_xlsx(summary, sheets, marks={"jiuzhu": "price", "month": month}), "price_summary"),
    ]


def _remark(one: dict[str, Any], sides: dict[str, str]) -> str:
    told = f"计入{sides.get(one['side'], one['side'])}"
    return told if one["persons"] == 1 else f"{told}；{one['persons']} 人 × {yuan(one['each_fen'])} 元"


def _basis(policy: Policy, result: PriceRun, sides: dict[str, str]) -> SheetSpec:
    """Why it starts and how each amount comes about: index, threshold, parameter, date, document."""
    rows: list[tuple[str, str, str]] = []
    for word, value in result.index.values.items():
        rows.append((word, "未写" if value is None else f"{value}%", result.index.source))
    for one in result.triggers:
        holds = {True: "成立", False: "不成立", None: "指数不全，算不出"}[one["holds"]]
        limits = "，".join(f"{name} {value}" for name, value in one["thresholds"].items())
        rows.append(("启动条件", holds, f"{one['when']}（{limits}）；{one['source']}"))
    rows += [_rate(rate, sides) for rate in result.rates]
    if result.deadline:
        rows.append(("最迟发放", result.deadline.isoformat(), f"指数 {result.index.published} 公布"))
    rows += [(value.name, "请核对", f"{value_text(value)}（{value.source}）") for value in result.unconfirmed]
    return SheetSpec(
        "说明",
        (ColumnSpec("项目", 34, wrap=True), ColumnSpec("值", 16), ColumnSpec("依据", 70, wrap=True)),
        rows,
        title=f"{result.month} {policy.programmes['price_subsidy'].name}测算",
        notes=["名册核对后用 jiuzhu import 导入，再照常比对、公示、发放；改了名册或政策的，再运行一次，文件重写。"],
        autofilter=False,
    )


def _rate(rate: Rate, sides: dict[str, str]) -> tuple[str, str, str]:
    used = "；".join(f"{one.name} {one.value}{one.unit}（自 {one.since}，{one.source}）" for one in rate.values)
    where = sides.get(rate.cover.side, rate.cover.side) + (f"（{rate.kind}）" if rate.kind else "")
    return (
        where,
        f"{yuan(rate.fen)} 元",
        f"{rate.cover.amounts[rate.kind]} ＝ {rate.exact.normalize():f} 元，取整一次；{used}；{rate.cover.source}",
    )
