"""Money (金额) as integer 分. Nothing here ever rounds silently: more than two decimals is a problem, not a sum."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from jiuzhu_cli.core.text import compact

FEN = 1
YUAN = 100
UNITS = {"元": 100, "角": 10, "分": 1, "百元": 10_000, "千元": 100_000, "万元": 1_000_000, "亿元": 10_000_000_000}
MAX_FEN = 10**15  # far over any roll; beyond it a typing error is certain
_DUST = Decimal("1e-6")  # 分
_NUMBER = re.compile(r"^[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?$|^[+-]?\.\d+$", re.ASCII)
_IN_COINS = re.compile(r"^(\d+)元(?:(\d)角)?零?(?:(\d)分)?整?$", re.ASCII)
# 元/月 says how often, not another amount; 元/年 would be another and stays unread
_PER_MONTH = re.compile(r"(?<=\d|元|万|整)[/每](?:人|户)?[/每·.]?月$|(?<=\d|元)/(?:人|户)(?:[/·.]月)?$|(?<=元)每?月$")
_CURRENCY = re.compile(r"^(?:(?:人民币|RMB|CNY)[:：]?)?[¥￥]?", re.IGNORECASE)
_BRACKETED = re.compile(r"\(([\d,.]+)元?\)", re.ASCII)  # how accountants write a negative amount
_MINUS = str.maketrans("−–﹣", "---")
_BLANK = frozenset(("", "-", "--", "—", "——", "/", "\\", "无", "暂无", "空"))
_SUFFIXES = (
    ("万元", "万元"),
    ("千元", "千元"),
    ("百元", "百元"),
    ("元整", "元"),
    ("元正", "元"),
    ("元", "元"),
    ("块", "元"),
    ("万", "万元"),
    ("千", "千元"),
)
_CAPITAL_DIGITS = "零壹贰叁肆伍陆柒捌玖"


@dataclass(frozen=True, slots=True)
class Amount:
    """The reading of one amount cell, in 分; ``problem`` is a finding code, None value means blank."""

    fen: int | None
    problem: str = ""
    notes: tuple[str, ...] = ()


def _written(raw: str, unit: str) -> tuple[str, str]:
    """A written amount without currency, period and unit, and the unit it is in: its own goes before the column's."""
    text = compact(raw).translate(_MINUS).replace("，", ",").replace("。", ".").lstrip("'")
    sign = "-" if text.startswith("-") and len(text) > 1 else ""
    text = sign + _CURRENCY.sub("", text.removeprefix(sign))
    text = _PER_MONTH.sub("", text)
    if bracketed := _BRACKETED.fullmatch(text):
        text = "-" + bracketed.group(1)
    for suffix, of in _SUFFIXES:
        if text.endswith(suffix) and text[-len(suffix) - 1 : -len(suffix)].isdigit():
            return (text, unit) if _IN_COINS.match(text) else (text[: -len(suffix)], of)
    return text, unit


def parse_amount(raw: Any, unit: str = "元") -> Amount:
    """Reads an amount cell given in ``unit``.

    A float is taken by its shortest decimal form. Only the dust that a formula's binary arithmetic leaves (0.1+0.2, less than
    a millionth of a 分) is brushed off, with a note; 690.005 stays ``amount_decimals``.
    Problems: ``amount_not_number``, ``amount_negative``, ``amount_decimals``, ``amount_too_large``.
    """
    if raw is None:
        return Amount(None)
    notes: tuple[str, ...] = ()
    if isinstance(raw, bool):
        return Amount(None, "amount_not_number")
    if isinstance(raw, int | float | Decimal):
        try:
            value = Decimal(str(raw))
        except InvalidOperation:
            return Amount(None, "amount_not_number")
    else:
        text, unit = _written(str(raw), unit)
        if text in _BLANK:
            return Amount(None)
        if coins := _IN_COINS.match(text):
            return Amount(int(coins[1]) * 100 + int(coins[2] or 0) * 10 + int(coins[3] or 0), notes=("amount_tidied",))
        if not _NUMBER.match(text):
            from_capitals = parse_capitals(
                text + ("元" if not text.endswith(("元", "角", "分", "整", "正", "圆")) else "")
            )
            if from_capitals is None:
                return Amount(None, "amount_not_number")
            return Amount(from_capitals, notes=("amount_tidied",))
        notes = ("amount_tidied",)
        value = Decimal(text.replace(",", ""))
    if not value.is_finite():
        return Amount(None, "amount_not_number")
    scaled = value * UNITS[unit]
    if scaled != scaled.to_integral_value():
        whole = scaled.to_integral_value(ROUND_HALF_UP)
        if not isinstance(raw, float) or abs(scaled - whole) >= _DUST:
            return Amount(None, "amount_decimals")
        scaled, notes = whole, ("amount_tidied",)
    if abs(scaled) > MAX_FEN:
        return Amount(None, "amount_too_large")
    if scaled < 0:
        return Amount(int(scaled), "amount_negative")
    return Amount(int(scaled), notes=notes)


def yuan(fen: int | None, *, grouped: bool = False) -> str:
    """``12345`` as ``123.45``; always two decimals. None is an empty string."""
    if fen is None:
        return ""
    sign, rest = ("-" if fen < 0 else ""), abs(fen)
    whole = f"{rest // 100:,}" if grouped else str(rest // 100)
    return f"{sign}{whole}.{rest % 100:02d}"


def round_fen(value: Decimal, to: int = FEN, *, up: bool = False) -> int:
    """``value`` in 分 rounded once to a multiple of ``to`` 分: half up, or always up (取整进位)."""
    steps = (value / to).to_integral_value(ROUND_CEILING if up else ROUND_HALF_UP)
    return int(steps) * to


def capitals(fen: int) -> str:
    """An amount in capital figures (大写): ``123450`` is 壹仟贰佰叁拾肆元伍角整."""
    if fen < 0:
        return "负" + capitals(-fen)
    whole, jiao, cent = fen // 100, fen // 10 % 10, fen % 10
    out = _capital_integer(whole) + "元" if whole else ""
    if not whole and not jiao and not cent:
        return "零元整"
    if jiao:
        out += _CAPITAL_DIGITS[jiao] + "角"
    elif cent and whole:
        out += "零"
    return out + (_CAPITAL_DIGITS[cent] + "分" if cent else "整")


def _capital_integer(value: int) -> str:
    groups, out = [], ""
    while value:
        groups.append(value % 10000)
        value //= 10000
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if not group:
            continue
        if out and (group < 1000 or (index + 1 < len(groups) and not groups[index + 1])):
            out += "零"
        zero = False
        for power, unit in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
            digit = group // power % 10
            if digit:
                out += ("零" if zero else "") + _CAPITAL_DIGITS[digit] + unit
                zero = False
            elif group >= power:
                zero = True
        out += ("", "万", "亿", "万亿")[index]
    return out


def parse_capitals(text: str) -> int | None:
    """Capital figures back to 分, or None when the text is not one."""
    flat = compact(text).replace("圆", "元").replace("人民币", "").replace("两", "贰")
    plain = "零一二三四五六七八九"
    for index, char in enumerate(plain):
        flat = flat.replace(char, _CAPITAL_DIGITS[index])
    flat = flat.replace("十", "拾").replace("百", "佰").replace("千", "仟").replace("整", "").replace("正", "")
    if not flat or not re.fullmatch(r"[零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分]+", flat) or "元" not in flat + "元":
        return None
    whole, _, rest = flat.partition("元") if "元" in flat else ("", "", flat)
    total = section = digit = 0
    for char in whole:
        if char in _CAPITAL_DIGITS:
            digit = _CAPITAL_DIGITS.index(char)
        elif char in "拾佰仟":
            section += (digit or 1) * {"拾": 10, "佰": 100, "仟": 1000}[char]
            digit = 0
        else:
            scale = 10**4 if char == "万" else 10**8
            total = (total + section + digit) * scale if char == "亿" else total + (section + digit) * scale
            section = digit = 0
    fen = (total + section + digit) * 100
    for match in re.finditer(r"零?([壹贰叁肆伍陆柒捌玖])([角分])", rest):
        fen += _CAPITAL_DIGITS.index(match.group(1)) * (10 if match.group(2) == "角" else 1)
    # read back: 二百三 is no 203, 三二一 no amount at all
    return fen if _bare(capitals(fen)) == _bare(flat) else None


def _bare(text: str) -> str:
    flat = text.replace("整", "").replace("零角", "").replace("零分", "").replace("元零", "元")
    return (
        re.sub(r"^壹拾", "拾", flat if flat.endswith(("元", "角", "分")) else flat + "元").removeprefix("零元")
        or "零元"
    )
