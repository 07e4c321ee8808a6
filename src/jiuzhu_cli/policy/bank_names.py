"""Banks (开户银行): one name for the many ways offices write one, and the bank that a 联行号 belongs to.

Data: ``bank_names.toml``, one entry a bank: ``code`` (the first three digits of its 联行号), ``name``, ``aliases`` (words found in
what offices write). The longest word that stands in a text decides: 邮政储蓄 before 邮储, 农村商业银行 before 商业银行.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from jiuzhu_cli.core.text import compact
from jiuzhu_cli.policy.model import Bank


@dataclass(frozen=True)
class BankNames:
    """Banks by the words that mean them and by the type code of a 联行号."""

    by_word: dict[str, Bank]
    by_code: dict[str, Bank]

    def find(self, text: str) -> Bank | None:
        """The bank that ``text`` (中国邮储银行某某支行, 农行) names; None when none or two alike."""
        flat = compact(text)
        words = sorted((word for word in self.by_word if word in flat), key=len, reverse=True)
        found = {self.by_word[word].name for word in words if len(word) == len(words[0])} if words else set()
        return self.by_word[words[0]] if len(found) == 1 else None

    def of_code(self, bank_code: str) -> Bank | None:
        """The bank of a 联行号 (12 digits)."""
        return self.by_code.get(bank_code[:3])

    def differ(self, text: str, bank_code: str) -> tuple[str, str] | None:
        """(bank of the code, bank as written) where both are known and are not one; rural banks of all kinds are alike."""
        written, coded = self.find(text), self.of_code(bank_code)
        if written is None or coded is None or written.family == coded.family:
            return None
        return coded.name, written.name


def read_bank_names(tables: Iterable[tuple[str, dict[str, Any]]], build: Callable[..., Bank]) -> BankNames:
    """From the package's and the bureau's ``bank_names.toml``; an entry of the same name replaces the earlier one."""
    merged: dict[str, Bank] = {}
    for shown, table in tables:
        for data in table.get("banks", []):
            bank = build(Bank, data, shown, str(data.get("name", "")))
            merged[bank.name] = bank
    words = {compact(word): bank for bank in merged.values() for word in (bank.name, *bank.aliases)}
    codes = {code: bank for bank in merged.values() for code in bank.codes if re.fullmatch(r"\d{3}", code)}
    return BankNames(words, codes)
