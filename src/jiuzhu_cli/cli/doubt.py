"""One doubt explained on the screen; for ``jiuzhu explain D000012`` and ``jiuzhu dedupe explain``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jiuzhu_cli.cli.context import Context, indented, moment, table

NUMBER = re.compile(r"[Dd]\d{1,9}", re.ASCII)
_EVENTS = {"decided": "处理", "reopened": "退回待核实", "gone": "名册上不再出现", "back": "名册上又出现"}
_SIDES = (("a", "甲方"), ("b", "乙方"))


def tell(context: Context, doubt_id: str, *, full: bool) -> None:
    from jiuzhu_cli.cli.privacy import masked
    from jiuzhu_cli.dedupe.explain import explain_doubt
    from jiuzhu_cli.ledger.people import names_beside

    policy = context.policy()
    with context.workspace.open_store() as store:
        data = explain_doubt(store, policy, doubt_id, today=context.today)
        people = {data["doubt"][f"id_no_{side}"] for side, _ in _SIDES} - {""}
        beside = set() if full else set().union(*(names_beside(store, one) for one in people))
    if not full:
        data = masked(data, beside)
    context.emit(data, _lines(data))


def _lines(data: dict[str, Any]) -> Iterator[str]:
    from jiuzhu_cli.core.doubt import BLOCKING_KINDS, verdict_label
    from jiuzhu_cli.core.money import yuan

    doubt = data["doubt"]
    span = (
        doubt["month_from"]
        if doubt["month_from"] == doubt["month_to"]
        else f"{doubt['month_from']} 至 {doubt['month_to']}"
    )
    gone = "，名册上已不再出现" if doubt["state"] == "gone" else ""
    yield f"{doubt['doubt_id']}　{doubt['kind_name']}：{doubt['code_name']}（{doubt['severity_name']}）　{span}{gone}"
    yield from indented(doubt["evidence"], "  ")
    yield ""
    yield "【规则】"
    rule = data["rule"]
    for label, text in (
        ("内容", rule["means"]),
        ("说明", rule["note"]),
        ("条件", rule["when"]),
        ("依据", rule["basis"]),
    ):
        if text:
            yield from indented(f"{label}：{text}", "  ")
    if data["months"]:
        yield ""
        yield "【各月金额】"
        rows = [
            (m["month"], m["arithmetic"], *(_place(m["places"].get(side)) for side, _ in _SIDES))
            for m in data["months"]
        ]
        yield table(rows, ["月份", "涉及金额怎么来的", "甲方出处", "乙方出处"])
        if len(rows) > 1:
            fens = [m["amount_fen"] for m in data["months"]]
            yield f"  合计：{' + '.join(yuan(fen) for fen in fens)} = {yuan(sum(fens))} 元"
    for side, label in _SIDES:
        found = data["records"][side]
        if found is None:
            continue
        yield ""
        yield f"【{label}】{found['programme_name']}"
        yield from indented(f"出处：{found['source'] or '不在名册上'}", "  ")
        for name, value in found["values"].items():
            cell = found["cells"].get(name, {})
            where = f"（{cell['column']}{found['source_row']} “{cell['header']}”）" if cell.get("column") else ""
            shown = f"{yuan(value)} 元" if name.endswith("_fen") and isinstance(value, int) else value
            yield from indented(f"{cell.get('label', name)}：{shown}{where}", "    ")
        if found["lead_row"]:
            lead = found["lead_row"]
            yield f"    户主 {lead['name']}（第{lead['source_row']}行），户金额 {yuan(lead['amount_fen']) or '未载'} 元，账号 {lead['account_no'] or '未载'}"
    if data["match"]:
        yield ""
        yield "【两个号码】"
        match = data["match"]
        if match["places"]:
            yield "  号码不同的位置：" + "、".join(
                f"第{a}位" if a == b else f"第{a}至{b}位" for a, b in match["places"]
            )
        for word, value in match["told"].items():
            yield from indented(f"{word}：{value}", "  ")
        for line in match["compared"].get("lines", ()):
            yield from indented(line, "  ")
    yield ""
    yield f"【处理】{doubt['verdict']}"
    for side, label in _SIDES:
        if side in data["payment"]["sides"]:
            yield f"  {label}当月发放：{data['payment']['sides'][side]['says']}"
    if data["payment"]["deadline"]:
        yield f"  核实期限：{data['payment']['deadline']}{'，已超期' if data['payment']['overdue'] else ''}"
    for line in data["payment"]["recovered"]:
        yield f"  已追回：{line['month']} {yuan(line['amount_fen'])} 元（第 {line['payment_id']} 批）"
    rows = []
    for event in data["history"]:
        said = ""
        if event["disposition"]:
            said = verdict_label(
                {"kind": doubt["kind"], "result": event["result"], "disposition": event["disposition"]}
            )
        why = f"原为{said}；{event['source']}" if event["event"] == "reopened" else said
        checked = " ".join(part for part in (event["checked_by"], event["checked_on"]) if part)
        source = event["source"] if event["event"] == "decided" else ""
        rows.append((moment(event["at"]), event["actor"], _EVENTS[event["event"]], why, checked, event["note"], source))
    if rows:
        yield table(rows, ["时间（北京）", "经办人", "经过", "结果", "核实", "备注", "来自"])
    elif doubt["disposition"] == "pending":
        blocks = doubt["severity"] == "strong" and doubt["kind"] in BLOCKING_KINDS
        yield "  强疑点拦住当月的款，核实前不发。" if blocks else "  不拦发放，请核实后填处理结果。"


def _place(place: dict[str, Any] | None) -> str:
    if place is None:
        return ""
    old = "" if place["batch_status"] == "active" else "（该批名册已替换）"
    return " ".join(part for part in (place["file_name"], place["sheet"], f"第{place['source_row']}行") if part) + old
