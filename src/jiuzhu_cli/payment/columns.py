"""What a column of a bank's file holds, by its header and by what stands in it; what is not certain says so."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from jiuzhu_cli.core.account import bank_code_check, parse_account
from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.payment.sheets import SYNONYMS

_SHARE = 0.8  # of the filled cells
_NAME = re.compile(r"[一-鿿㐀-䶿]{2,4}|[一-鿿㐀-䶿]{1,12}(?:[·•.][一-鿿㐀-䶿]{1,12})+")
_BANK = re.compile(r"银行|信用社|信用联社|农商行|农信|邮储|邮政储蓄|支行|分理处")
_PURPOSE = re.compile(r"低保|补贴|补助|救助|救济|津贴|供养|工资|养老|生活费|护理|抚恤|慰问")
_REASON = re.compile(r"不符|不存在|销户|冻结|挂失|止付|无此|有误|错误|久悬|睡眠|不动户|只收不付|超限|注销")
_MONEY = re.compile(r"\d{1,12}(\.\d{1,4})?|\d{1,3}(,\d{3})+(\.\d{1,2})?", re.ASCII)
_MONTH = re.compile(r"20\d{2}(-?)(0[1-9]|1[0-2])", re.ASCII)
_DAY = re.compile(r"20\d{2}([-/.]?)(0[1-9]|1[0-2])\1(0[1-9]|[12]\d|3[01])", re.ASCII)
GOOD = ("成功", "已发放", "已到账", "入账成功", "正常")
BAD = ("失败", "退票", "退汇", "退回", "未到账", "不成功", "未成功", "拒绝")
_ENDS = {
    "amount": ("金额", "合计", "总额", "实发数", "应发数", "补贴款"),
    "persons": ("人口数", "人数"),
    "payee_id_no": ("身份证号", "身份证号码", "证件号码"),
}
_HEADS: dict[str, tuple[str, ...]] = SYNONYMS | {
    "bank_name": (
        "开户银行",
        "开户行",
        "开户行名称",
        "开户行名",
        "收款银行",
        "收款行",
        "收款人开户行",
        "银行名称",
        "收款账号开户行",
        "发放银行",
    ),
    "bank_code": ("联行号", "行号", "跨行行号", "收款行行号", "收款行联行号", "大额行号"),
    "own_flag": ("行别", "跨行标志", "行内外标志", "是否跨行", "本行标志", "汇路"),
    "purpose": ("用途", "汇款用途", "摘要", "附言", "资金用途"),
    "phone": ("手机号", "手机号码", "联系电话", "电话", "短信手机号", "收款人手机号"),
    "address": ("家庭地址", "收款人家庭地址", "地址", "住址"),
    "branch": ("开户网点", "网点"),
    "month": ("月份", "所属月份", "发放月份"),
    "agreement_no": ("协议号", "协议书号", "代发协议号", "签约号", "合同号"),
    "payer_account": ("付款账号", "付款人账号", "单位账号"),
    "payer_name": ("付款账号名称", "付款户名", "付款人名称", "单位名称"),
}


@dataclass(slots=True)
class Guess:
    """One column as drafted. ``doubt``: Chinese, why it must be checked (请核对); '' when header or content leave no other reading."""

    name: str
    source: str
    doubt: str = ""
    extra: dict[str, Any] = field(default_factory=dict)  # further keys of the column: decimals, point, style …


def by_header(name: str) -> str:
    """The source that a header means; '' when it is none that banks use."""
    key = header_key(name) if name else ""
    found = next((source for source, words in _HEADS.items() if key in {header_key(word) for word in words}), "")
    return found or next((source for source, ends in _ENDS.items() if key.endswith(ends)), "")


def guess(name: str, texts: Sequence[str], number: int) -> Guess:
    """What the column called ``name`` ('' without a header), the ``number``-th from 1, holds."""
    said = by_header(name)
    held, extra, sure = by_content(texts)
    shown = name or (_NAMES.get(held) or f"栏{number}")
    fits = (said, *_FITS.get(said, ()))
    if not any(texts) and said in _OF_ANSWER:
        return Guess(shown, "const:", "样例里是空的，像是银行回盘时填的，写出时留空")
    if said and (held in fits or not any(texts)):
        doubt = "" if any(texts) or said in _FREE else "样例里这一列是空的，按表头认的"
        return Guess(shown, said, doubt, extra if held in fits and said != "persons" else {})
    if said in _STRICT and held in ("const", ""):
        return Guess(shown, "const" if held == "const" else "const:", f"表头像{_NAMES[said]}，内容不是")
    if said and held in ("", "const"):
        return Guess(shown, said, "" if said in _FREE else "按表头认的，内容看不出")
    if said:
        return Guess(shown, said, f"表头说是{_NAMES.get(said, said)}，内容却像{_NAMES.get(held, held)}")
    if held and not (name and extra.get("whole")):
        return Guess(shown, held, "" if sure and not name else "按内容认的", extra)
    return Guess(shown, "const:", "看不出是什么，写出时留空")


_OF_ANSWER = ("result", "reason", "paid_amount")
_STRICT = ("bank_code", "payee_id_no", "phone", "amount", "line_no", "persons")
_FREE = ("reason", "purpose", "address", "branch", "bank_name", "result", "payer_name", "payee_name", "own_flag")
_FITS = {
    "paid_amount": ("amount",), "amount": ("paid_amount",), "payer_account": ("account_no",), "reason": ("purpose", "result", "bank_name"),
    "branch": ("bank_name",), "agreement_no": ("account_no",), "payer_name": ("payee_name",), "persons": ("amount", "line_no"),
}  # fmt: skip
_NAMES = {
    "line_no": "序号", "payee_id_no": "身份证号", "account_no": "账号", "payee_name": "户名", "amount": "金额", "phone": "手机号", "bank_name": "开户银行",
    "bank_code": "联行号", "result": "结果", "reason": "失败原因", "purpose": "用途", "month": "月份", "date": "日期", "paid_amount": "实发金额",
    "agreement_no": "协议号", "payer_account": "付款账号", "payer_name": "付款户名", "own_flag": "行别", "address": "地址", "branch": "网点", "persons": "人数",
}  # fmt: skip


def by_content(texts: Sequence[str]) -> tuple[str, dict[str, Any], bool]:
    """``(source, further keys, sure)``; ('', {}, False) when nothing tells, ('const', …) for one value on every line."""
    filled = [text for text in map(compact, texts) if text]
    if not filled:
        return "", {}, False
    distinct = set(filled)
    numbers = [int(text) for text in filled if text.isascii() and text.isdecimal() and len(text) <= 10]
    if len(numbers) == len(texts) >= 2 and all(b - a == 1 for a, b in itertools.pairwise(numbers)):
        return "line_no", {}, len(texts) >= 3
    if _most(filled, lambda text: len(text) in (15, 18) and parse_id(text).ok):
        return "payee_id_no", {}, True
    if _most(filled, lambda text: bool(re.fullmatch(r"1[3-9]\d{9}", text))) and len(distinct) > 1:
        return "phone", {}, True
    if _most(filled, _is_bank_code):
        return "bank_code", {}, True
    if _most(filled, lambda text: any(word in text for word in (*GOOD, *BAD))) and len(distinct) <= 12:
        return "result", {}, True
    if all(_MONEY.fullmatch(text) for text in filled) and any("." in text or "," in text for text in filled):
        places = Counter(len(text.partition(".")[2]) for text in filled)
        decimals = places.most_common(1)[0][0]
        return "amount", ({} if len(places) > 1 or decimals == 2 else {"decimals": decimals}), True
    if _most(filled, lambda text: bool(_REASON.search(text))):
        return "reason", {}, True
    if (found := _dated(filled))[0]:
        return found
    if len(distinct) == 1 and _PURPOSE.search(filled[0]) and re.search(r"20\d{2}", filled[0]):
        return "purpose", {}, False
    if len(distinct) == 1 and _BANK.search(filled[0]):
        return "bank_name", {}, False
    if len(distinct) == 1 and len(texts) > 1:
        return "const", {}, False
    if _most(filled, lambda text: 10 <= len(text) <= 32 and parse_account(text)[0] is not None) and len(
        distinct
    ) * 2 > len(filled):
        return "account_no", {}, True
    if _most(filled, lambda text: bool(_BANK.search(text))):
        return "bank_name", {}, True
    if _most(filled, lambda text: bool(_PURPOSE.search(text))):
        return "purpose", {}, True
    if _most(filled, lambda text: bool(_NAME.fullmatch(text))) and len(distinct) * 3 > len(filled):
        return "payee_name", {}, True
    if len(numbers) == len(texts):
        return "amount", {"whole": True}, False
    return "", {}, False


def _most(texts: Sequence[str], holds: Callable[[str], bool]) -> bool:
    return sum(map(holds, texts)) >= _SHARE * len(texts)


def _is_bank_code(text: str) -> bool:
    return len(text) == 12 and text.isascii() and text.isdecimal() and bank_code_check(text[:11]) == text[11]


def _dated(filled: Sequence[str]) -> tuple[str, dict[str, Any], bool]:
    for pattern, source in ((_DAY, "date"), (_MONTH, "month")):
        first = pattern.fullmatch(filled[0])
        if first and all(pattern.fullmatch(text) for text in filled):
            mark = first.group(1)
            style = mark.join(("yyyy", "MM", "dd") if source == "date" else ("yyyy", "MM"))
            return source, ({"style": style} if (source, mark) not in (("date", ""), ("month", "-")) else {}), True
    return "", {}, False
