"""jiuzhu show: one person, one file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from jiuzhu_cli.cli import words
from jiuzhu_cli.cli.context import Context, moment, table


def command(
    ctx: typer.Context,
    person: str = typer.Argument(..., metavar="人", help="身份证号，或“姓名+身份证后四位”，或姓名。"),
    full: bool = typer.Option(False, "--full", help="显示完整姓名、身份证号、账号等（缺省脱敏）。"),
) -> None:
    from jiuzhu_cli.cli.privacy import masked
    from jiuzhu_cli.ledger.people import find_person, person_file

    context: Context = ctx.obj
    policy = context.policy()
    with context.workspace.open_store() as store:
        found = find_person(store, person)
        data: dict[str, Any] = {
            "person": {"name": found.names[0], "id_no": found.id_no, "names": [{"name": n} for n in found.names], "places": list(found.places)},
            **person_file(store, found.id_no),
        }  # fmt: skip
    if not full:
        data = masked(data)
    names = {p.code: p.name for p in policy.programmes.values()}
    for register in policy.registers.values():
        names[register.code] = names[f"register:{register.code}"] = register.name
    context.emit(data, _lines(data, names))


def _lines(data: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    from jiuzhu_cli.cli import claims
    from jiuzhu_cli.cli.payment_basis import source
    from jiuzhu_cli.core.doubt import verdict_label
    from jiuzhu_cli.core.money import yuan
    from jiuzhu_cli.dedupe.evidence import CODES
    from jiuzhu_cli.review.output import ACTIONS

    def called(code: str) -> str:
        return names.get(code, code)

    who = data["person"]
    yield f"{who['name']} {who['id_no']}　{'、'.join(who['places'])}"
    sections: list[tuple[str, list[str], list[tuple[Any, ...]]]] = [
        (
            "在册", ["月份", "项目", "乡镇/村", "金额（元）", "账号", "来源", "状态"],
            [(r["month"], called(r["programme"]), "/".join(p for p in (r["town"], r["village"]) if p), yuan(r["amount_fen"]), r["account_no"] or "",
              f"{r['file_name']} {r['sheet']} 第 {r['source_row']} 行", "" if r["status"] == "active" else words.BATCH_STATES[r["status"]]) for r in data["rolls"]],
        ),
        (
            "同户成员", ["月份", "项目", "姓名", "身份证号", "关系", "户金额（元）"],
            [(m["month"], called(m["programme"]), m["name"], m["id_no"], m["relation"] or ("领取人" if m["lead"] else ""), yuan(m["amount_fen"]))
             for m in data["members"]] if len({m["id_no"] for m in data["members"]}) > 1 else [],
        ),
        (
            "比对名单", ["名单", "日期", "状态", "来源"],
            [(called(r["register"]), r["event_date"] or r["valid_from"] or "", r["status"] or "", f"{r['file_name']} {r['sheet']} 第 {r['source_row']} 行") for r in data["registers"]],
        ),
        (
            "疑点", ["编号", "疑点类型", "甲方项目", "乙方项目", "月份", "处理"],
            [(d["doubt_id"], CODES.get(d["code"], d["code"]), called(d["programme_a"]), called(d["programme_b"]), _span(d["month_from"], d["month_to"]),
              "不再成立" if d["state"] == "gone" else verdict_label(d)) for d in data["doubts"]],
        ),
        (
            "复核", ["编号", "月份", "项目", "建议", "现金额", "建议金额", "状态", "生效", "理由"],
            [(p["case_id"], p["month"], called(p["programme"]), ACTIONS[p["action"]], yuan(p["amount_before_fen"]), yuan(p["amount_after_fen"]), words.PROPOSAL_STATES[p["state"]], p["effective_month"], p["reasons"])
             for p in data["proposals"]],
        ),
        (
            "公示", ["月份", "项目", "轮次", "起", "止", "状态"],
            [(p["month"], called(p["programme"]), words.ROUNDS[p["round"]], p["from_date"], p["to_date"], words.POSTING_STATES[p["state"]]) for p in data["postings"]],
        ),
        ("异议", ["收到", "内容", "状态", "处理"], [(o["received_on"], o["text"], words.OBJECTION_STATES[o["state"]], o["resolution"]) for o in data["objections"]]),
        (
            "发放", ["月份", "项目", "金额（元）", "收款人", "账号", "状态", "原因"],
            [(p["month"] + ("（补发）" if p["purpose"] == "back_pay" else ""), called(p["programme"]), yuan(p["line_fen"] if p["line_fen"] is not None else p["amount_fen"]), p["payee_name"] or p["recipient_name"],
              p["account_no"] or "", words.LINE_STATES.get(p["state"], "未列入批次"), p["reason"] or "") for p in data["payments"]],
        ),
        (
            "发放依据", ["批次", "月份", "项目", "名册和决定"],
            [(p["payment_id"], p["month"], called(p["programme"]), source(p)) for p in data["payments"] if p["basis"] and p["state"] != "cancelled"],
        ),
        ("未列入发放", ["批次", "月份", "项目", "金额（元）", "原因"], [(h["payment_id"], h["month"], called(h["programme"]), yuan(h["amount_fen"]), h["reason"]) for h in data["holds"]]),
        *claims.sections(data, names),
        ("日志", ["时间（北京）", "经办人", "命令", "对象"], [(moment(e["at"]), e["actor"], e["command"], words.entity(e["entity"])) for e in data["events"]]),
    ]  # fmt: skip
    for title, headers, rows in sections:
        if rows:
            yield ""
            yield f"【{title}】"
            yield table(rows, headers)


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} 至 {last}"
