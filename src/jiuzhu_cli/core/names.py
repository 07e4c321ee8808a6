"""Names (姓名): one spelling for the ledger, one looser key for comparison.

What offices write beside a name is taken out and told (张三（已故）, 张三(户主)); the four ways in which a character that could not be
typed is written around (policy-reference §4: 非 GBK 字, 张yan, 拆字 张龙天, 张？) are told and left as they are: nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jiuzhu_cli.core.text import half_width, strip_invisible

INTERPUNCT = "·"
_INTERPUNCTS = dict.fromkeys(map(ord, "•‧∙⋅・･．｡●᛫‣◦◆﹒․"), INTERPUNCT)
_SPACE = re.compile(r"\s+")
HAN = "[一-鿿㐀-䶿々〇\U00020000-\U0003ffff]"
_CHINESE = re.compile(HAN)
_WRONG = re.compile(r"[0-9=<>{}\[\]@#$%^&+|\\/\"!！;；,，:：]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_BRACKETS = re.compile(r"[(〔\[【「《<]([^()〔〕\[\]【】「」《》<>]*)[)〕\]】」》>]")
_GONE = r"已(?:故|亡|殁)|已?(?:去世|死亡|病故|病逝|过世|身故|离世|销户)"
_DEAD = rf"{_GONE}|故|亡|殁"
_REMARK = re.compile(
    rf"{_DEAD}|户主|申请人|本人|户|户代表|丈夫|夫|妻子?|父亲?|母亲?|长?[子女]|儿子|女儿|[长次三四五]?[子女]|[男女老大小幼]|孙[子女]?|外孙女?|儿媳|女婿|媳妇|配偶|兄弟?|弟|姐妹?|妹"
    r"|(?:曾用名|原名|又名|别名|小名|乳名|身份证名|户口名)[:：]?.*|.*代领.*|监护人.*|委托.*|由.*代.*|孤儿|残疾人?|低保|五保户?|特困|边缘户?|新增|停发|停保|退出|注销|迁出|迁入|转入|转出|暂停|在册|复核"
    r"|服刑.*|外出.*|住院|精神病?|智障|聋哑|盲人?|党员|军属|烈属|单人保?|[一二三四五六七八九十\d]{1,2}[组社队号村]"
)
_TAIL = re.compile(rf"(?<={HAN}{HAN})[\s\-—_/、,，]*({_GONE}|(?<=[\s\-—_/、,，])(?:户主|本人|申请人))$")
_DEAD_ONLY = re.compile(_DEAD)
_POLITE = "女士|先生|同志|大爷|大妈|大娘|奶奶|爷爷|师傅|小姐"
_NOBODY = re.compile(rf"某|^[〃〞々″”“\"']+$|^同上$|^{HAN}{{1,2}}(?:{_POLITE})$")
_UNREAD = re.compile(r"[?？�□〓■◇*＊×_]")
_MARKS = re.compile(rf"^[*★☆▲△※√✓✔◎]+(?={HAN}{{2}})|(?<={HAN}{HAN})[*★☆▲△※√✓✔◎]+$")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
# parts of characters that stand in no name by themselves, and whole characters often typed as two (䶮: 龙天, 顗: 岂页)
_SPLIT = re.compile(r"[钅纟氵艹亻忄扌犭礻衤饣讠刂冫宀廴辶阝彳灬疒罒癶虍丬爿攵夂囗勹亠]|龙天|岂页")
# For readers of whole columns: a name only of characters U+4E00–U+9FA5 (all of them in GBK) and interpuncts reads as itself
# unless this finds something in it, and it can only do so where one of the characters stands. RE2 understands it.
ODD_NAME = rf"某|^同上$|(?:{_DEAD}|{_POLITE})$|{_SPLIT.pattern}|^·|··|·$"
ODD_CHARACTERS = frozenset(
    "某故亡殁死逝去过离销女先同爷妈娘奶师小龙岂·" + _SPLIT.pattern[1 : _SPLIT.pattern.index("]")]
)

_HIDDEN_18 = dict(  # PUA of GBK and GB18030-2000 that only GB18030-2022 gives a code point; the others: ``_from_private``
    zip(
        (0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832, 0xE843, 0xE854, 0xE864, 0xE816, 0xE817, 0xE818, 0xE831, 0xE83B, 0xE855),
        (0x9FB4, 0x9FB5, 0x9FB6, 0x9FB7, 0x9FB8, 0x9FB9, 0x9FBA, 0x9FBB, 0x20087, 0x20089, 0x200CC, 0x215D7, 0x2298F, 0x241FE),
        strict=True,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """The reading of one name cell. ``value`` is canonical; ``problem`` refuses it, ``notes`` are finding codes to tell.

    ``remark``: what stood beside the name and was taken out.
    """

    value: str
    problem: str = ""
    notes: tuple[str, ...] = ()
    remark: str = ""


@lru_cache(maxsize=1)
def _from_private() -> dict[int, str]:
    """Characters that old fonts and GBK keep in the private use area: U+E815 … U+E864 are the cells FE50 … FEA0.

    Source: GB 18030, where those cells are characters of Unicode; U+E863 is 䶮.
    """
    out = {code: chr(char) for code, char in _HIDDEN_18.items()}
    cells = [low for low in range(0x50, 0xA1) if low != 0x7F]
    for place, low in enumerate(cells):
        char = bytes((0xFE, low)).decode("gb18030")
        if not _PRIVATE.match(char):
            out[0xE815 + place] = char
    return out


def read_name(raw: Any) -> Name:
    """Reads one name cell.

    The value has no spaces or invisible characters, interpunct as U+00B7, brackets and remarks taken out where they are
    remarks. Problems: ``name_missing``, ``name_characters``, ``name_length``, ``name_nobody`` (李某某, 王女士, 〃: nobody in particular), ``name_masked``
    (张*: hidden on purpose). Notes: ``name_remark`` or ``name_dead`` (已故) with ``remark``, ``name_brackets`` (brackets that are no
    known remark), ``name_pinyin`` (张yan), ``name_unread`` (张？), ``name_split`` (拆字), ``rare_character`` (not in GBK: some
    banks cannot write it), ``characters_private`` (a private-use character that no table explains).
    """
    if raw is None:
        return Name("", "name_missing")
    text = half_width(strip_invisible(str(raw)).translate(_INTERPUNCTS))
    if _PRIVATE.search(text):
        text = text.translate(_from_private())
    text = text.strip().strip("'‘’`").strip()
    text, remark = _without_remark(text)
    chinese = bool(_CHINESE.search(text))
    if chinese:
        text = re.sub(rf"(?<={HAN})\.(?={HAN})", INTERPUNCT, _SPACE.sub("", text))
        text = _MARKS.sub("", text)  # before or behind, no hidden character
    text = re.sub("·+", INTERPUNCT, _SPACE.sub(" ", text)).strip().strip(INTERPUNCT)
    problem = _problem(text)
    return Name(text, problem, () if problem else tuple(_notes(text, remark, chinese)), remark)


def _without_remark(text: str) -> tuple[str, str]:
    remarks = []
    for found in _BRACKETS.finditer(text):
        inside = _SPACE.sub("", found.group(1))
        if not inside or _REMARK.fullmatch(inside):
            remarks.append(inside)
            text = text.replace(found.group(0), "", 1)
    if tail := _TAIL.search(text.strip()):
        remarks.append(tail.group(1))
        text = text.strip()[: tail.start()]
    return text, "、".join(filter(None, remarks))


def _problem(name: str) -> str:
    if not name:
        return "name_missing"
    if re.search(r"[*＊×]", name):
        return "name_masked"
    if _WRONG.search(name):
        return "name_characters"
    if _NOBODY.search(name):
        return "name_nobody"
    return "name_length" if len(name) > 50 else ""


def _notes(name: str, remark: str, chinese: bool) -> list[str]:
    notes = []
    if remark:
        notes.append("name_dead" if _DEAD_ONLY.search(remark) else "name_remark")
    if re.search(r"[()〔〕【】「」]", name):
        notes.append("name_brackets")
    if _UNREAD.search(name):
        notes.append("name_unread")
    elif chinese and _LATIN.search(name) and INTERPUNCT not in name:
        notes.append("name_pinyin")
    if _SPLIT.search(name):
        notes.append("name_split")
    if _PRIVATE.search(name):
        notes.append("characters_private")
    elif not _in_gbk(name):
        notes.append("rare_character")
    return notes


def _in_gbk(name: str) -> bool:
    try:
        name.encode("gbk")
    except UnicodeEncodeError:
        return all(not _CHINESE.match(char) or _one_in_gbk(char) for char in name)
    return True


def _one_in_gbk(char: str) -> bool:
    try:
        char.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def normalise_name(raw: Any) -> str:
    """The canonical spelling of a name; "" for a blank. See ``read_name``."""
    return read_name(raw).value


def name_problem(name: str) -> str:
    """Finding code when ``name`` (normalised) cannot be a person's name: see ``read_name``."""
    return _problem(name)


def same_name(left: str, right: str) -> bool:
    """Equal but for case, interpunct and brackets; for a payee against an account's holder."""
    return left == right or name_key(left) == name_key(right)


def name_key(name: str) -> str:
    """A name without interpunct, blanks, points and the signs of brackets, case folded."""
    return re.sub(r"[·\s.（）()]", "", normalise_name(name)).casefold()
