"""Masks (脱敏) for what leaves the bureau or is shown on a screen, and the scan for what slipped through."""

from __future__ import annotations

import re

from jiuzhu_cli.core.identity import check_char

_ID18 = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
_ID15 = re.compile(r"(?<!\d)\d{15}(?!\d)")
_CARD = re.compile(r"(?<!\d)\d{12,22}(?!\d)")
_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_HIDE = re.compile(r"(?<![0-9A-Za-z])\d{10,21}[\dXx](?![0-9A-Za-z])")


def mask_id(id_no: str) -> str:
    """First 6 and last 4 of an ID; everything of a short one."""
    return id_no[:6] + "*" * (len(id_no) - 10) + id_no[-4:] if len(id_no) >= 15 else "*" * len(id_no)


def mask_account(account: str) -> str:
    """First 4 and last 4 of an account or card."""
    return account[:4] + "*" * (len(account) - 8) + account[-4:] if len(account) >= 12 else "*" * len(account)


def mask_phone(phone: str) -> str:
    return phone[:3] + "****" + phone[-4:] if len(phone) == 11 else "*" * len(phone)


def mask_name(name: str) -> str:
    """Second character hidden: 张* , 张*明, 欧*娜娜; a name with interpunct keeps its first character."""
    if len(name) < 2:
        return "*" if name else ""
    return name[0] + "*" + name[2:] if "·" not in name else name[0] + "*" * (len(name) - 1)


def mask_text(text: str) -> str:
    """Any text with every run of 11 or more digits (ID, card, phone) masked; for logs, errors and findings."""

    def hide(match: re.Match[str]) -> str:
        run = match.group(0)
        return mask_phone(run) if len(run) == 11 else mask_id(run) if len(run) in (15, 18) else mask_account(run)

    return _HIDE.sub(hide, text)


def find_personal_numbers(text: str) -> list[str]:
    """Kinds of full personal numbers in ``text`` (``id18``, ``id15``, ``account``, ``phone``); [] when clean.

    Used to hold back a posting list: any 18-character number counts, its check digit right or wrong.
    """
    kinds = []
    if _ID18.search(text):
        kinds.append("id18")
    if _ID15.search(text):
        kinds.append("id15")
    if any(len(m.group(0)) not in (15, 18) for m in _CARD.finditer(text)):
        kinds.append("account")
    if _PHONE.search(text):
        kinds.append("phone")
    return kinds


def looks_like_id(text: str) -> bool:
    """Whether ``text`` is a well-formed 18-character ID with a right check digit."""
    return bool(_ID18.fullmatch(text)) and check_char(text[:17]) == text[17].upper()
