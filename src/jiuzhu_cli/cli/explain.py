"""jiuzhu explain: why one person gets what, rule by rule; or why one doubt stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from jiuzhu_cli.cli import claims, payment_basis, words
from jiuzhu_cli.cli.context import Context, indented, table

RESULTS = {"pass": "符合", "fail": "不符合", "unknown": "资料不全"}
HAPPENED = {True: "有", False: "没有", None: "不能判断"}
STATUS = {"satisfied": "已享受", "absent": "未享受", "barred": "不可兼得", "unknown": "不能判断"}


def command(
    ctx: typer.Context,
    person: str = typer.Argument(
        ..., metavar="人或疑点编号", help="身份证号，或“姓名+身份证后四位”，或姓名；或疑点编号，例如 D000012。"
    ),
    month: str = typer.Option("", "--month", help="月份；缺省为此人最近在册的月份。"),
    full: bool = typer.Option(False, "--full", help="显示完整姓名、身份证号和账号（缺省脱敏）。"),
    every: bool = typer.Option(False, "--all", help="没有发生的、不能判断的事项也逐项列出。"),
) -> None:
    from jiuzhu_cli.cli import doubt
    from jiuzhu_cli.cli.privacy import masked
    from jiuzhu_cli.ledger.people import find_person, latest_month, names_beside
    from jiuzhu_cli.review.explain import explain_person

    context: Context = ctx.obj
    if doubt.NUMBER.fullmatch(person.strip()):
        doubt.tell(context, person.strip(), full=full)
        return
    with context.workspace.open_store() as store:
        found = find_person(store, person)
        policy = context.policy(month or latest_month(store, found.id_no))
        data = explain_person(store, policy, found, month, today=context.today)
        beside = set() if full else names_beside(store, found.id_no)
    if not full:
        data = masked(data, beside)
    names = {programme.code: programme.name for programme in policy.programmes.values()}
    context.emit(data, _lines(data, names, every=every))


def _income(found: dict[str, Any] | None) -> Iterator[str]:
    """A household's income, line by line."""
    from jiuzhu_cli.core.money import yuan

    if found is None:
        return
    if found["steps"]:
        told = f"全年 {yuan(found['year_fen'])} 元" if found["year_fen"] is not None else "没有核算，仍用名册所载"
        yield f"家庭收入（按明细）：{told}"
        yield table(
            [(one["name"], one["label"], one["how"], one["value"], one["basis"]) for one in found["steps"]],
            ["姓名", "项目", "怎样算", "计入全年（元）", "依据"],
        )
    if found["leads"]:
        yield f"线索（不自动计入）：{found['leads']}"


def _verdict(entry: dict[str, Any]) -> Iterator[str]:
    """What it comes to: the amount with its steps, what is proposed, what was proposed before."""
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.review.output import ACTIONS, steps_text

    should = entry["should"]
    if should is None:
        yield "金额：没有核算（缺收入、人数等，或该项目不按公式核算）。"
    else:
        span = (
            yuan(should["low_fen"])
            if should["low_fen"] == should["high_fen"]
            else f"{yuan(should['low_fen'])} 至 {yuan(should['high_fen'])}"
        )
        yield f"金额：应发 {span} 元，{'相符' if should['fits'] else '不相符'}。"
        yield "  " + steps_text(should["steps"]).replace("\n", "\n  ")
    if entry["proposal"]:
        made = entry["proposal"]
        yield f"建议{ACTIONS[made['action']]}：{made['reasons']}（{made['basis']}）"
    for one in entry["proposals"]:
        yield f"已有复核建议 {one['case_id']}：{ACTIONS[one['action']]}，{words.PROPOSAL_STATES[one['state']]}，{one['effective_month']} 起"


def _happened(found: list[dict[str, Any]], *, every: bool) -> Iterator[str]:
    """What has come about, each with its values; what has not, or cannot be told, by name unless ``every``."""
    shown = [one for one in found if every or one["result"] is True]
    if shown:
        yield table(
            [
                (
                    one["name"],
                    HAPPENED[one["result"]],
                    "，".join(
                        [f"{word} {value if value is not None else '未知'}" for word, value in one["values"].items()] + one["lines"]
                    ),
                    "，".join(f"{name} {value['value']}{value['unit']}{'' if value['confirmed'] else '（请核对）'}" for name, value in one["thresholds"].items()),
                    one["source"],
                )
                for one in sorted(shown, key=lambda one: one["result"] is not True)
            ],
            ["事项", "有无", "取值、名单", "标准", "依据"],
        )  # fmt: skip
    for result, words_before in ((False, "没有发生"), (None, "不能判断（名单没有导入或资料不全）")):
        rest = [] if every else [one["name"] for one in found if one["result"] is result]
        if rest:
            yield f"{words_before} {len(rest)} 项：{'、'.join(dict.fromkeys(rest))}（逐项看：--all）"


def _lines(data: dict[str, Any], names: dict[str, str], *, every: bool) -> Iterator[str]:
    from jiuzhu_cli.core.money import yuan

    who = data["person"]
    yield f"{who['name']} {who['id_no']}　{'、'.join(who['places'])}　{data['month']}"
    if not data["programmes"]:
        yield "当月不在任何花名册上。"
    for entry in data["programmes"]:
        source = entry["source"]
        place = "/".join(part for part in (entry["town"], entry["village"]) if part)
        yield ""
        yield f"【{entry['name']}】{place}　花名册金额 {yuan(entry['amount_fen']) or '未载'} 元（{source['file']} {source['sheet']} 第 {source['row']} 行）"
        yield from _verdict(entry)
        rules = [one for one in data["rules"] if one["programme"] == entry["programme"]]
        if rules:
            yield table(
                [
                    (
                        one["rule"],
                        RESULTS[one["result"]],
                        "，".join(f"{word} {value if value is not None else '未知'}" for word, value in one["values"].items()),
                        "，".join(f"{name} {value['value']}{value['unit']}{'' if value['confirmed'] else '（请核对）'}" for name, value in one["thresholds"].items()),
                        one["source"],
                    )
                    for one in rules
                ],
                ["规则", "结果", "取值", "标准", "依据"],
            )  # fmt: skip
        yield from _happened([one for one in data["events"] if one["programme"] == entry["programme"]], every=every)
        yield from _income(entry["income"])
    if data["entitlements"]:
        yield ""
        yield table(
            [(e["name"], STATUS[e["status"]], e["why"], f"{e['because']}{' 且 ' + e['condition'] if e['condition'] else ''}", e["basis"]) for e in data["entitlements"]],
            ["应享项目", "情况", "说明", "因为", "依据"],
        )  # fmt: skip
    if data["payments"]:
        yield ""
        yield table(
            [(p["month"], names.get(p["programme"], p["programme"]), yuan(p["amount_fen"]), words.LINE_STATES.get(p["state"], "未列入批次"), p["reason"] or "") for p in data["payments"]],
            ["月份", "项目", "金额（元）", "状态", "原因"],
        )  # fmt: skip
    for title, headers, rows in claims.sections(data, names):
        if rows:
            yield f"【{title}】"
            yield table(rows, headers)
    for paid in data["payments"]:
        if paid["month"] == data["month"] and paid["basis"] and paid["state"] != "cancelled":
            yield f"【发放依据】{names.get(paid['programme'], paid['programme'])} 第 {paid['payment_id']} 批 {yuan(paid['line_fen'])} 元：{payment_basis.source(paid)}"
            yield from indented(payment_basis.standards(paid), "  ")
    for reason in data["not_judged"]:
        yield f"没有核算：{reason}"
