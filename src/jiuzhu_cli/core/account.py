"""Bank accounts (银行账号) and the banks' own numbers (联行号, CNAPS) as text. Digits that are lost are never made up.

Only cards of UnionPay (62…, 16 to 19 digits) carry a check digit (Luhn); passbooks, old accounts and those of companies do not
(policy-reference §3).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from jiuzhu_cli.core.text import compact

_BLANK = frozenset(("", "/", "\\", "无", "暂无", "空", "没有", "未办", "未开户", "待补", "现金"))
_PREFIX = re.compile(
    r"^[一-鿿()（）]{1,16}[:：]|^(?:账号|帐号|卡号|账户|帐户|一卡通号?|存折号?|银行卡号?|银行账号)[:：]?(?=\d)"
)
_REMARK = re.compile(r"[(（\[【][^0-9()（）\[\]【】]{1,16}[)）\]】]$")
_MASKED = re.compile(r"\d{2,10}[*＊#xX●]{2,}\d{0,8}")
_SEVERAL = re.compile(r"(?<!\d)\d{12,25}[/、,，;；\n\s|]+\d{12,25}(?!\d)")


def luhn(number: str) -> bool:
    """Whether the check digit of a card number holds (Luhn, ISO/IEC 7812)."""
    total = 0
    for position, char in enumerate(reversed(number)):
        value = ord(char) - 48
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def is_card(account: str) -> bool:
    """A UnionPay card number: only these carry a check digit (policy-reference §3); passbooks and old accounts do not."""
    return account.startswith("62") and 16 <= len(account) <= 19


def parse_account(raw: Any) -> tuple[str | None, str]:
    """One account cell as ``(account, problem)``.

    Problems: ``account_numeric`` (a number cell over 15 digits, or the zeros Excel leaves: digits are lost),
    ``account_scientific``, ``account_several`` (two in one cell), ``account_masked``, ``account_characters``, ``account_length``,
    ``account_luhn``; ``account_zeros`` keeps its value.
    """
    if raw is None:
        return None, ""
    if isinstance(raw, bool):
        return None, "account_characters"
    if isinstance(raw, int | float):
        if not abs(raw) < 10**15 or raw != int(raw):
            return None, "account_numeric"
        raw = str(int(raw))
    if _SEVERAL.search(str(raw)) and len({*re.findall(r"\d{12,25}", str(raw))}) > 1:
        return None, "account_several"
    text = compact(str(raw)).lstrip("'‘’`").replace("-", "").replace("—", "")
    if text in _BLANK:
        return None, ""
    if re.fullmatch(r"\d(\.\d+)?[Ee]\+?\d+", text):
        return None, "account_scientific"
    text = _REMARK.sub("", _PREFIX.sub("", text))
    if text.endswith(".0") and text[:-2].isdigit():
        if len(text) > 17:
            return None, "account_numeric"  # it has been a number of double precision
        text = text[:-2]
    if not (text.isascii() and text.isdigit()):
        return None, "account_masked" if _MASKED.fullmatch(text) else "account_characters"
    if not 6 <= len(text) <= 32 or not text.strip("0"):
        return None, "account_length"
    if is_card(text) and not luhn(text):
        return None, "account_luhn"
    # 18 digits or more whose 16th and later are all zero: an account that has once been a number. A card's check digit
    # that holds all the same leaves it as likely to be genuine: then it is only said.
    if len(text) >= 18 and not text[15:].strip("0"):
        return (text, "account_zeros") if is_card(text) else (None, "account_numeric")
    return text, ""


def bank_code_check(first11: str) -> str:
    """The check digit of a 联行号 (CNAPS): ISO 7064 MOD 11,10 over its first 11 digits."""
    rest = 10
    for char in first11:
        rest = ((rest + int(char)) % 10 or 10) * 2 % 11
    return str((11 - rest) % 10)


def parse_bank_code(raw: Any) -> tuple[str | None, str]:
    """One cell of a 联行号 column: 3 digits of bank, 4 of place, 4 of branch, 1 check digit.

    Problems: ``bank_code_length``, ``bank_code_check``; a bare bank type (102, 403) has none of its own and tells nothing more.
    """
    if raw is None or isinstance(raw, bool):
        return None, "" if raw is None else "bank_code_length"
    if isinstance(raw, int | float):
        raw = f"{Decimal(repr(raw)):f}".removesuffix(".0")
    text = compact(str(raw)).lstrip("'‘’`").replace("-", "")
    if text in _BLANK or text == "—":
        return None, ""
    if not (text.isascii() and text.isdigit() and len(text) == 12):
        return None, "bank_code_length"
    return (text, "") if bank_code_check(text[:11]) == text[11] else (None, "bank_code_check")
