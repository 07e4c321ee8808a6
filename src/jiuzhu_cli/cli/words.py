"""Chinese for the codes of the record, where several commands show them: states, rounds, journal entries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jiuzhu_cli.core.payment_states import KINDS
from jiuzhu_cli.core.payment_states import WORDS as PAYMENT_STATES

PROPOSAL_STATES = {
    "open": "待决定",
    "gone": "不再成立",
    "agreed": "已同意",
    "rejected": "不同意",
    "effective": "已生效",
}
POSTING_STATES = {"open": "公示中", "closed": "已结束", "replaced": "已换新榜"}
ROUNDS = {"first": "第一榜", "final": "第二榜"}
OBJECTION_STATES = {"open": "待答复", "upheld": "成立", "dismissed": "不成立"}
LINE_STATES = {
    "due": "待发",
    "sent": "已送银行",
    "paid": "已到账",
    "failed": "失败",
    "reversed": "已冲正",
    "cancelled": "已取消",
}
CONTAINERS = {
    "xlsx": "xlsx",
    "xls": "xls",
    "delimited": "分隔文本",
    "fixed": "定长文本",
    "pain001": "XML（pain.001）",
    "none": "银行自己的工具",
}
CERTAINTY = {"verified": "已见来源", "partial": "部分", "inferred": "推断", "unknown": "没有来源"}
BATCH_STATES = {"active": "有效", "superseded": "已被更正", "undone": "已撤销"}

_ENTITIES = {
    "batch": "导入批次", "doubt": "疑点", "dedupe": "比对", "review": "复核", "proposal": "复核建议", "posting": "公示", "objection": "异议",
    "payment": "付款批次", "override": "单笔放行", "budget": "经费指标", "recovery": "追缴", "back_pay": "补发", "reconcile": "对账", "compare": "两月比较",
    "signer": "签名密钥", "ledger": "台账", "payment_papers": "单据", "mending": "失败更正表", "held_return": "未收的回盘", "decision": "决定表", "mapping": "表头记录",
    "pay": "发放", "line": "付款明细",
}  # fmt: skip
_KEYS = {
    "accepted": "收下", "accepted_change": "仍收下：", "action": "", "added": "新增", "amount_fen": "金额", "applied": "记录", "area": "", "bank": "格式", "backup": "备份",
    "changed": "变更", "drafted_by": "制单", "due": "到期", "effective_month": "生效", "failed": "失败", "file": "文件", "from": "自", "gone": "消失",
    "hearing": "听取意见", "held": "拦下", "holds": "拦下", "households": "户", "kept": "另存", "kind": "", "lines": "笔数", "missing": "没有回音",
    "level": "层级", "month": "", "move": "", "notice": "书面告知", "open": "待核实", "override": "理由", "partial": "部分到账", "posting": "公示", "programme": "",
    "proposals": "建议", "reason": "原因", "received_on": "收到", "refused": "拒收", "released": "放行", "reopened": "退回", "restored": "恢复自",
    "round": "", "rows": "行", "state": "", "succeeded": "成功", "supersedes": "替换批次", "to": "至", "undone": "撤销", "unknown": "不认识",
    "withdrawn": "撤下", "disposition": "", "unchanged": "未变", "opened": "新立", "repaid": "记追回", "waived_asked": "免收待确认", "confirmed": "确认", "declined": "不补",
    "differences": "差异", "asked": "提出冲正", "corrections": "冲正",
}  # fmt: skip
_VALUES = {
    "posted": "出榜", "closed": "结束", "asked": "申请", "agreed": "同意", "ended": "撤回", "received": "登记", "resolved": "答复", "withdrawn": "撤下", **KINDS,
    **PROPOSAL_STATES, **OBJECTION_STATES, **ROUNDS, "open": "",
}  # fmt: skip


def entity(text: str) -> str:
    """``payment:1`` → 付款批次 1."""
    kind, _, number = text.partition(":")
    return f"{_ENTITIES.get(kind, kind)} {number}".strip() if kind in _ENTITIES else text


def journal_detail(detail: str, names: Mapping[str, str]) -> str:
    """A journal entry's figures as words; empty ones and digests are left to --json. ``names``: programmes and dispositions by code."""
    from jiuzhu_cli.core.money import yuan

    try:
        found = json.loads(detail)
    except ValueError:
        return detail
    told = []
    for key, value in found.items() if isinstance(found, dict) else ():
        if key not in _KEYS or value in (None, "", 0, False) or isinstance(value, dict):
            continue
        shown: Any = yuan(value, grouped=True) + " 元" if key == "amount_fen" else value
        if key == "move":
            shown = "→".join(PAYMENT_STATES.get(state, "新") for state in str(value).split(">"))
        elif isinstance(value, list):
            shown = "、".join(map(str, value))
        elif isinstance(value, str):
            shown = names.get(value) or _VALUES.get(value, value)
        if shown:
            told.append(f"{_KEYS[key]} {shown}".strip())
    return "，".join(told)
