"""What a damaged number still says: which sound numbers can have become it. Nothing is repaired here.

Excel keeps 15 digits of a number cell and writes zeros behind them; a double moves an 18-digit number to a neighbour; people
mistype one digit, swap two, lose one or double one. Each leaves a stem or a few dozen sound numbers (policy-reference §4);
which of them is meant only another record of the same person can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jiuzhu_cli.core.identity import birth_date, check_char
from jiuzhu_cli.core.text import compact

KEPT = 15  # digits that Excel keeps of a number
MIN_STEM = 14  # address and birth date: with less a name alone would decide
MIN_ACCOUNT_STEM = 12
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?E\+?(\d+)", re.IGNORECASE)
_UNREAD = re.compile(r"[?？*＊□〓#]")


@dataclass(frozen=True, slots=True)
class Damage:
    """Sound numbers that fit: those that begin with ``stem`` and are ``length`` long (0: any), those in ``probes``, and
    those that a double keeps as ``double`` (0: none)."""

    stem: str = ""
    length: int = 0
    probes: frozenset[str] = frozenset()
    double: float = 0.0

    def fits(self, number: str) -> bool:
        """Whether the sound ``number`` can have become the damaged one."""
        if number in self.probes or (self.double and number.isdigit() and float(number) == self.double):
            return True
        return bool(self.stem) and number.startswith(self.stem) and self.length in (0, len(number))

    def among(self, numbers: Iterable[str]) -> list[str]:
        """Those of ``numbers`` that fit, each once, sorted."""
        return sorted({number for number in numbers if self.fits(number)})

    def __bool__(self) -> bool:
        return bool(self.stem or self.probes or self.double)


def id_damage(raw: Any) -> Damage:
    """What a refused ID cell still says; false where it is too little to look for (a few digits, a masked number).

    Number cell or …000: the first 15 digits, or the numbers that a double makes that very value. 18 characters: one digit wrong,
    two neighbours swapped, one or two unreadable. 17 or 19: one lost or one too many. 14 to 16 digits: the beginning.
    """
    if isinstance(raw, bool) or raw is None:
        return Damage()
    if isinstance(raw, int | float):
        return _number_damage(raw)
    text = compact(str(raw)).upper()
    if found := _SCIENTIFIC.fullmatch(text):
        return _stem(found, 17, MIN_STEM, 18)
    if re.fullmatch(r"\d{18}\.0+", text):
        return _number_damage(int(text.partition(".")[0]))
    text = re.sub(r"[^0-9X?？*＊□〓#]", "", text)
    unread = len(_UNREAD.findall(text))
    if unread:
        return Damage(probes=_sound(_filled(text))) if unread <= 2 and len(text) == 18 else Damage()
    body = text.replace("X", "")
    changed_places = len(text) == 18 and text[16] == "X"  # the check character and the digit before it
    if len(body) < len(text) - 1 or ("X" in text[:-1] and not changed_places):
        return Damage()
    if len(text) == 18:
        if text.endswith("000"):
            return Damage(text[:KEPT], 18)
        return Damage(probes=_sound([*_one_wrong(text), *_swapped(text)]))
    if len(text) == 17:
        return Damage(probes=_sound(text[:at] + digit + text[at:] for at in range(18) for digit in "0123456789X"))
    if len(text) == 19:
        return Damage(probes=_sound(text[:at] + text[at + 1 :] for at in range(19)))
    return Damage(text, 18) if MIN_STEM <= len(text) <= 16 and text.isdigit() else Damage()


def account_damage(raw: Any) -> Damage:
    """What a refused account cell still says: the first 15 digits of a number cell, or what 科学计数 left; else false."""
    if isinstance(raw, bool) or raw is None:
        return Damage()
    if isinstance(raw, int | float):
        if not 10**15 <= raw < 10**25:
            return Damage()
        digits = f"{Decimal(repr(raw)):f}".partition(".")[0]
        if digits[KEPT:].strip("0") == "":
            return Damage(digits[:KEPT], len(digits), double=float(raw))
        return Damage(double=float(raw))
    text = compact(str(raw)).lstrip("'‘’`").replace("-", "").upper()
    if found := _SCIENTIFIC.fullmatch(text):
        return _stem(found, int(found.group(3)), MIN_ACCOUNT_STEM, int(found.group(3)) + 1)
    if re.fullmatch(r"\d{16,25}(\.0+)?", text):
        digits, point, _ = text.partition(".")
        if not digits[KEPT:].strip("0"):
            return Damage(digits[:KEPT], len(digits))
        return Damage(double=float(digits)) if point else Damage()
    return Damage()


def _stem(found: re.Match[str], exponent: int, least: int, length: int) -> Damage:
    """The mantissa but its last digit, which may have been rounded, where the exponent is that of the whole number."""
    digits = found.group(1) + (found.group(2) or "")
    kept = digits[: min(len(digits) - 1, KEPT)]
    return Damage(kept, length) if int(found.group(3)) == exponent and len(kept) >= least else Damage()


def _number_damage(value: float) -> Damage:
    if not 10**17 <= value < 10**18 or value != int(value):
        return Damage()
    digits = f"{Decimal(repr(value)):f}".partition(".")[0]  # a double by its shortest form: Excel wrote no more digits
    near = _sound(_neighbours(int(value), float(value)))
    return Damage(digits[:KEPT], 18, near) if digits.endswith("000") else Damage(probes=near)


def _neighbours(near: int, value: float) -> list[str]:
    """Whole numbers that a double keeps as ``value``."""
    reach = 2 ** max(0, near.bit_length() - 53)
    return [str(number) for number in range(near - reach, near + reach + 1) if float(number) == value]


def _sound(numbers: Iterable[str]) -> frozenset[str]:
    """Those whose check digit and birth date hold."""
    return frozenset(
        n
        for n in numbers
        if len(n) == 18 and n[:17].isdigit() and check_char(n[:17]) == n[17] and birth_date(n) is not None
    )


def _one_wrong(text: str) -> list[str]:
    if not text[:17].isdigit():
        return []
    out = [text[:17] + check_char(text[:17])]
    return out + [text[:at] + digit + text[at + 1 :] for at in range(17) for digit in "0123456789" if digit != text[at]]


def _swapped(text: str) -> list[str]:
    return [text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(17) if text[at] != text[at + 1]]


def _filled(text: str) -> list[str]:
    out = [text]
    for at in (found.start() for found in _UNREAD.finditer(text)):
        choices = "0123456789X" if at == 17 else "0123456789"
        out = [number[:at] + digit + number[at + 1 :] for number in out for digit in choices]
    return out
