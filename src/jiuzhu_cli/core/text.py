"""Text as Chinese offices type it: full-width forms, invisible characters, headers in many spellings."""

from __future__ import annotations

import re
from functools import lru_cache

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
# all that ``compact`` changes: control characters, spaces, what is invisible, full-width ASCII
_LOOSE = re.compile("[\x00-\x20\x7f\x85\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff\uff01-\uff5e]")
_SPACES = re.compile(r"[\s\u00a0\u2000-\u200a\u202f\u205f]+")
_BRACKETS = re.compile(r"[（(〔\[【][^（()）〔〕\[\]【】]*[)）〕\]】]")
_OPEN_BRACKET = re.compile(r"(?<=.)[（(〔\[【][^（()）〔〕\[\]【】]{0,8}$")  # its other half was lost
_NUMBERING = re.compile(r"^(?:[0-9０-９]{1,2}[.．、)）]|[一二三四五六七八九十]{1,2}、|[①-⑳])(?=[^0-9０-９])")
# Words of headers as they stand in files from elsewhere, and slips of the pen met in headers again and again
_SIMPLIFIED = str.maketrans(
    "與殘壽專屬繳納領達險帐帳賬戶號碼證銀開電話聯繫係係關補貼發額實應總計類別級鎮鄉組縣區齡無標準護養貧災傷職員單間數療費還價時樓錄簽狀態務險學費業備註現稱謂藉拔",
    "与残寿专属缴纳领达险账账账户号码证银开电话联系系系关补贴发额实应总计类别级镇乡组县区龄无标准护养贫灾伤职员单间数疗费还价时楼录签状态务险学费业备注现称谓籍拨",
)
# Hebrew to Arabic (Uyghur, Kazakh), Tibetan, Mongolian, Yi, Hangul: the second language of a header in autonomous areas
_MINORITY = re.compile("[\u0590-\u08ff\u0f00-\u0fff\u1800-\u18af\ua000-\ua4cf\uac00-\ud7af\ufb50-\ufdff\ufe70-\ufefe]+")
_EDGES = "*＊★☆●#:：;；_-—~～、，,。.·/\"'“”‘’?？!！"


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
    if _LOOSE.search(text) is None:
        return text
    return _SPACES.sub("", strip_invisible(half_width(text)))


@lru_cache(maxsize=8192)  # the same headers come back from file to file
def header_key(text: str) -> str:
    """A header reduced to what it says: no spaces, line breaks, bracketed remarks, numbering or marks at its ends.

    帐 and 账, traditional and simplified forms, and common slips (身分证, 户藉) are one; a second language beside Chinese is left out.

    >>> header_key("3.银 行\\n帐号（一卡通）")
    '银行账号'
    """
    flat = _SPACES.sub("", strip_invisible(text))
    flat = _MINORITY.sub("", flat) or flat
    bare = _OPEN_BRACKET.sub("", _BRACKETS.sub("", flat)).strip(_EDGES)
    bare = _NUMBERING.sub("", bare) or bare or flat
    return half_width(bare.translate(_SIMPLIFIED)).replace("身分", "身份").replace("连系", "联系").strip(_EDGES).lower()


def header_brackets(text: str) -> list[str]:
    """The bracketed remarks of a header, brackets removed: the unit in ``金额（万元）``."""
    return [half_width(m.group(0)[1:-1]).strip() for m in _BRACKETS.finditer(_SPACES.sub("", strip_invisible(text)))]


def small_number(text: str) -> int | None:
    """A whole number in figures or, up to ninety-nine, in Chinese numerals (三, 十二, 二十); None for anything else."""
    if text.isascii() and text.isdigit():
        return int(text)
    if not re.fullmatch(r"[一二两三四五六七八九]?十?[一二三四五六七八九]?", text) or not text:
        return None
    tens, ten, ones = text.partition("十")
    if not ten:
        return _NUMERALS[text] if len(text) == 1 else None
    return (_NUMERALS[tens] if tens else 1) * 10 + (_NUMERALS[ones] if ones else 0)


_NUMERALS = {char: value for value, char in enumerate("一二三四五六七八九", 1)} | {"两": 2}


def natural_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts numbers in names by their value: 9月 comes before 10月."""
    parts = re.split(r"([0-9]{1,18})", text)
    return tuple((1, int(part), "") if at % 2 else (0, 0, part) for at, part in enumerate(parts))
