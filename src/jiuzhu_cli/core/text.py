"""Text as Chinese offices type it: full-width forms, invisible characters, headers in many spellings."""

from __future__ import annotations

import re

_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_INVISIBLE = dict.fromkeys(
    [
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        0x2060,
        0xFEFF,
        0x00AD,
        *range(0x00, 0x09),
        0x0B,
        0x0C,
        *range(0x0E, 0x20),
        0x7F,
    ]
)
_SPACES = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f]+")
_BRACKETS = re.compile(r"[（(〔\[【][^（()）〔〕\[\]【】]*[)）〕\]】]")

_NUMBERING = re.compile(r"^[0-9０-９]{1,2}[.．、](?=[^0-9０-９])")


def half_width(text: str) -> str:
    """Full-width ASCII and the ideographic space become ASCII; Chinese punctuation outside that block stays."""
    return text.translate(_WIDTH)


def strip_invisible(text: str) -> str:
    """Without zero-width, bidi and control characters (tab and newline stay)."""
    return text.translate(_INVISIBLE)


def tidy(text: str) -> str:
    """One line: invisible characters gone, runs of white space folded to one space, ends stripped."""
    return _SPACES.sub(" ", strip_invisible(text)).strip()


def compact(text: str) -> str:
    """``tidy`` and half-width, with no space at all: for IDs, accounts, headers, area names."""
    return _SPACES.sub("", strip_invisible(half_width(text)))


def header_key(text: str) -> str:
    """A header reduced to what it says: no spaces, line breaks, bracketed remarks or numbering; 帐 and 账 are one.

    >>> header_key("银 行\\n帐号（一卡通）")
    '银行账号'
    """
    flat = _SPACES.sub("", strip_invisible(text))
    bare = _NUMBERING.sub("", _BRACKETS.sub("", flat))
    return half_width(bare or flat).replace("帐", "账").strip("*:：_-—").lower()


def header_brackets(text: str) -> list[str]:
    """The bracketed remarks of a header, brackets removed: the unit in ``金额（万元）``."""
    return [half_width(m.group(0)[1:-1]).strip() for m in _BRACKETS.finditer(_SPACES.sub("", strip_invisible(text)))]
