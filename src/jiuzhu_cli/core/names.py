"""Names (姓名): one spelling for the ledger, one looser key for comparison."""

from __future__ import annotations

import re
from typing import Any

from jiuzhu_cli.core.text import half_width, strip_invisible

INTERPUNCT = "·"
_INTERPUNCTS = dict.fromkeys(map(ord, "•‧∙⋅・･．｡●"), INTERPUNCT)
_SPACE = re.compile(r"\s+")
_WRONG = re.compile(r"[0-9=<>{}\[\]@#$%^&+|\\/\"!！;；,，:：]")


def normalise_name(raw: Any) -> str:
    """A name without spaces and invisible characters, interpunct as U+00B7. Rare characters stay as they are."""
    if raw is None:
        return ""
    text = strip_invisible(str(raw)).translate(_INTERPUNCTS)
    text = half_width(text)
    if re.search(r"[一-鿿㐀-䶿\U00020000-\U0003ffff]", text):
        text = _SPACE.sub("", text)
        text = re.sub(r"(?<=[一-鿿])\.(?=[一-鿿])", INTERPUNCT, text)
    return _SPACE.sub(" ", text).strip().strip("'*")


def name_problem(name: str) -> str:
    """Finding code when ``name`` (normalised) cannot be a person's name: ``name_missing``, ``name_characters``, ``name_length``."""
    if not name:
        return "name_missing"
    if _WRONG.search(name):
        return "name_characters"
    return "name_length" if len(name) > 50 else ""


def same_name(left: str, right: str) -> bool:
    """Equal but for case, interpunct and brackets; for a payee against an account's holder."""

    def key(name: str) -> str:
        return re.sub(r"[·\s.（）()]", "", normalise_name(name)).casefold()

    return key(left) == key(right)
