"""Which programme or register a table is (救助项目、比对名单), which month, which category: from titles, names, columns.

In Chinese the last noun rules: 低保户危房改造花名册 is 危房改造. Where names overlap the longest counts: 低保边缘 over 低保.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import find_month, month_of
from jiuzhu_cli.core.text import compact

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

_BRACKETS = re.compile(r"[（(\[【〔][^（）()\[\]【】〔〕]*[)）\]】〕]")
_QUOTES = re.compile("[\"'“”‘’「」《》]")
_JOINT = re.compile(r"^[、,，和及与/／+＋&]|^(以及|并)")
_TWO_SUBSIDIES = re.compile(r"(残疾人)?两项补贴|残疾人双补|残疾人补贴")
_KIN = re.compile(r"近亲属.*(备案|登记)")  # 近亲属享受低保备案登记表: the programme stands inside the register's name
_RANGE = re.compile(
    r"(?<!\d)(?:20\d\d年)?(\d{1,2})月?份?[-—–~～至到、](?:20\d\d年)?(\d{1,2})月|[一二三四1-4]季度|[上下]半年"
)
_YEARLESS = re.compile(r"(?<![\d./\-])(?<!\d年)(\d{1,2}|十[一二]?|[一二三四五六七八九])月(?!\d{1,2}日)")
_SHORT_YEAR = re.compile(r"(?<![\d.])(2\d|3\d)[年.](\d{1,2})月(?!\d)")
_SHORT_POINT = re.compile(r"(?<![\d.])(2\d|3\d)\.(0?[1-9]|1[0-2])(?![\d.]|月|万|元|亿|%|岁)")  # 26.10
_DAY = re.compile(
    r"(20\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])(?:\d{2,6})?(?!\d)|(20\d\d)[-._年](\d{1,2})[-._月](\d{1,2})日?"
)
CHINESE_NUMBERS = {word: number for number, word in enumerate("一二三四五六七八九十", 1)} | {"十一": 11, "十二": 12}

_OTHER_BENEFIT = re.compile(
    r"补贴|津贴|慰问|资助|参保|助学|奖学|抚恤|优待|保险|救济|体检|物价|房租|廉租|公租|丧葬|安葬|报销|救助|福利|奖励|贷款"
)
_SAME_BENEFIT = re.compile(
    r"^(人员|对象|家庭|户|资金|金|补助|补贴|救助)*(供养|金|资金|补助|补贴|救助|津贴)?(资金|金|款)?(?=[发花名明汇清台公统月册表0-9]|$|户|人|家庭|对象|城|农|老)"
)
# Short names of benefits of the disabled that many others bear, too: 老党员生活补贴, 特困人员照料护理补贴 are none of theirs
_WEAK = frozenset({"生活补贴", "护理补贴"})
_WHEN_AND_WHERE = re.compile(r"^.*[年月份度号日镇乡道村县区市旗局办]")
_NOT_WHOSE = re.compile(r"困难|重度|[一二三四1-4、]+级|关于|附件|的")
_CHECKED = re.compile(r"(核对|比对|核查).{0,12}(结果|信息|报告|数据|反馈|名单)|(结果|信息|数据)(核对|比对|反馈)")

_GENERIC_WORDS = re.compile(
    r"社会|民政|困难群众|困难|群众|基本生活|各类|各项|城乡|农村|城市|资金|发放|惠民|惠农|一卡通|财政|本级|专项|[\dA-Za-z_.\-—、]"
)

Named = tuple[str, str]  # (kind, code)
_REMEMBERED = (
    5000  # texts whose programmes are kept: titles, names of sheets, files and folders come back again and again
)


# Lists about people who left or came: never the roll that is paid, which they would replace
_PARTIAL = re.compile(
    r"停发|停保|停止|退出|清退|退保|取消|注销|核减|减员|减少(人员|名单|对象)|不予|不符合|未通过|追缴|追回|已故|变动|增减|异动|疑点|作废|备份|模板|样表|空表|拟纳入|拟新增|待审|(?<![含及和有])新增|(?<![含及和有代])补发"
)
# What a title adds about the people of a whole roll: （较10月新增2人）, （其中停发3户）
_COUNTED = re.compile(r"(较|比|其中|另)[^（(）)]{0,12}\d+[人户名]|(新增|减少|核减|停发|取消|注销|退出)\d+[人户名]")


def partial_list(text: str) -> str:
    """The word by which a title says it is no whole roll (停发, 新增, 变动 …), '' when it says nothing of the kind."""
    flat = compact(text)
    told = _BRACKETS.sub(lambda remark: "" if _COUNTED.search(remark.group(0)) else remark.group(0), flat)
    match = _PARTIAL.search(told)
    return match.group(0) if match else ""


def names_other_benefit(text: str) -> bool:
    """Whether a text (what follows a programme's name, or a whole title) speaks of another benefit: 低保户春节慰问金."""
    return bool(_OTHER_BENEFIT.search(_SAME_BENEFIT.sub("", text, count=1)))


def title_of_other_benefit(text: str) -> bool:
    """Whether a title without a known name is that of some benefit we do not know (电费减免补贴), not just 救助资金发放表."""
    flat = _BRACKETS.sub("", compact(text))
    noun = _OTHER_BENEFIT.search(flat)
    if noun is None:
        return False
    before = re.sub(r"^.*[年月号份度镇乡道村县区市局]", "", flat[: noun.start()])
    return bool(_GENERIC_WORDS.sub("", before))


def _weak(flat: str, start: int, end: int) -> bool:
    if flat[start:end] not in _WEAK or "残" in flat:
        return False
    whose = _NOT_WHOSE.sub("", _GENERIC_WORDS.sub("", _WHEN_AND_WHERE.sub("", flat[:start])))
    return bool(re.search("[一-鿿]", whose))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One answer and where it was read, e.g. 标题“城关镇2026年10月农村低保花名册”."""

    place: str
    text: str

    def shown(self) -> str:
        text = self.text if len(self.text) <= 40 else self.text[:40] + "…"
        return f"{self.place}“{text}”" if text else self.place


class Names:
    """All names and aliases of programmes and registers, found in running text."""

    def __init__(self, policy: Policy) -> None:
        self.words: list[tuple[str, Named]] = []
        self.signatures: dict[Named, tuple[str, ...]] = {}
        shapes: list[tuple[str, Iterable[tuple[str, str, tuple[str, ...], tuple[str, ...]]]]] = [
            ("roll", ((p.code, p.name, p.aliases, p.signature) for p in policy.programmes.values())),
            ("register", ((r.code, r.name, r.aliases, r.signature) for r in policy.registers.values())),
        ]
        for kind, entries in shapes:
            for code, name, aliases, signature in entries:
                self.words += [(compact(word), (kind, code)) for word in (name, *aliases) if len(compact(word)) > 1]
                self.signatures[kind, code] = tuple(compact(word) for word in signature)
        self.words.sort(key=lambda pair: -len(pair[0]))
        self._found: dict[str, tuple[Named, ...]] = {}
        self._beginning: dict[str, list[tuple[str, Named]]] = {}  # first two characters → words, the longest first
        for word, named in self.words:
            self._beginning.setdefault(word[:2], []).append((word, named))
        self._rank = {pair: number for number, pair in enumerate(self.words)}
        self.living = ("roll", "disability_living_subsidy")
        self.care = ("roll", "disability_care_subsidy")

    def in_text(self, text: str) -> tuple[Named, ...]:
        """What the text names: one programme or register, several joined by 、 or 和, or ()."""
        if text not in self._found:
            if len(self._found) > _REMEMBERED:
                self._found.clear()
            flat = _QUOTES.sub("", compact(text))
            bare = _BRACKETS.sub("", flat)
            found = self._read(bare) or (self._read(flat) if flat != bare else ())
            if (
                found and found[-1][0] == "roll" and _CHECKED.search(flat)
            ):  # what came back about people, no list of theirs
                found = self._registers_in(flat)
            self._found[text] = found
        return self._found[text]

    def _registers_in(self, flat: str) -> tuple[Named, ...]:
        """The one register whose name stands anywhere in the text; () when none or several do."""
        found = {named for word, named in self.words if named[0] == "register" and word in flat}
        return (found.pop(),) if len(found) == 1 else ()

    def _read(self, flat: str) -> tuple[Named, ...]:
        hits: list[tuple[int, int, Named]] = []
        taken = [False] * len(flat)
        begins = {flat[at : at + 2] for at in range(len(flat) - 1)}
        words = [pair for begin in begins for pair in self._beginning.get(begin, ())]
        for word, named in sorted(words, key=lambda pair: self._rank[pair]):
            at = flat.find(word)
            while at >= 0:
                end = at + len(word)
                if not any(taken[at:end]):
                    hits.append((at, end, named))
                    taken[at:end] = [True] * len(word)
                at = flat.find(word, at + 1)
        both = _TWO_SUBSIDIES.search(flat)
        inside = both and any(start <= both.start() and both.end() <= end for start, end, _ in hits)
        if both and not inside and max((end for _, end, _ in hits), default=0) <= both.end():
            return (self.living, self.care)
        hits = [hit for hit in hits if not _weak(flat, hit[0], hit[1])]
        if kin := _KIN.search(flat):
            hits = [hit for hit in hits if hit[1] > kin.end()] or [
                (kin.start(), kin.end(), ("register", "staff_and_cadres"))
            ]
        if not hits:
            return ()
        hits.sort()
        if names_other_benefit(flat[hits[-1][1] :]):
            return ()
        out = [hits[-1]]
        for hit in reversed(hits[:-1]):
            between = flat[hit[1] : out[0][0]]
            if (
                hit[2][0] == out[0][2][0]
                and len(between) <= 6
                and _JOINT.search(re.sub(r"^(人员|对象|家庭|户|资金)", "", between))
            ):
                out.insert(0, hit)
            else:
                break
        return tuple(dict.fromkeys(named for _, _, named in out))

    def by_columns(self, keys: Sequence[str], *, paid: bool) -> tuple[Named | None, list[str]]:
        """The programme or register whose signature columns are there, alone ahead of all others; and those columns.

        ``paid``: the table has an amount and an account, so it is no register.
        """
        scores: dict[Named, list[str]] = {}
        have = set(keys)
        for named, words in self.signatures.items():
            if named[0] == "register" and paid:
                continue
            hits = [word for word in words if word in have or (len(word) >= 4 and any(word in key for key in have))]
            if hits:
                scores[named] = hits
        if not scores:
            return None, []
        ranked = sorted(scores, key=lambda named: (-len(scores[named]), -sum(map(len, scores[named]))))
        if len(ranked) > 1 and len(scores[ranked[0]]) == len(scores[ranked[1]]):
            return None, []
        return ranked[0], scores[ranked[0]]


def category_in(text: str, categories: dict[str, tuple[str, ...]]) -> str:
    """The canonical category that a text names (农村低保 → 农村), '' when none or several."""
    flat = compact(text)
    taken = [False] * len(flat)
    found: set[str] = set()
    words = [(word, canonical) for canonical, many in categories.items() for word in (canonical, *many)]
    for word, canonical in sorted(words, key=lambda pair: -len(pair[0])):
        if len(word) < 2 or word == "居民":  # 农村居民, 城镇居民: says nothing in a title
            continue
        at = flat.find(word)
        while at >= 0:
            if not any(taken[at : at + len(word)]):
                taken[at : at + len(word)] = [True] * len(word)
                found.add(canonical)
            at = flat.find(word, at + 1)
    return found.pop() if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class MonthFound:
    """A month read from a text. ``sure``: 'stated', 'short' (two-digit year), 'day' (only a full date), 'yearless'."""

    month: str
    sure: str


def month_in(text: str, *, year: str = "", today: date) -> MonthFound | None:
    """The month that one text states; ``year`` is what other texts say about the year of a month without one."""
    flat = compact(re.sub(r"(20\d\d[-._/]\d{1,2})\s+(?=\d)", r"\1，", text))  # 2026.10 80周岁以上老人
    if is_range(flat):
        return None
    year = year_in(flat) or year
    days = [match.group(0) for match in _DAY.finditer(flat)]
    bare = _DAY.sub(" ", flat)
    if month := find_month(bare):
        return MonthFound(month, "stated")
    short = _SHORT_YEAR.search(bare)
    if short and 1 <= int(short.group(2)) <= 12:
        return MonthFound(f"20{short.group(1)}-{int(short.group(2)):02d}", "short")
    if match := _YEARLESS.search(bare):
        word = match.group(1)
        number = int(word) if word.isdigit() else CHINESE_NUMBERS.get(word, 0)
        if 1 <= number <= 12:
            if year:
                return MonthFound(f"{year}-{number:02d}", "stated")
            this = month_of(today)
            month = f"{today.year:04d}-{number:02d}"
            return MonthFound(month if month <= this else f"{today.year - 1:04d}-{number:02d}", "yearless")
    if point := _SHORT_POINT.search(bare):
        return MonthFound(f"20{point.group(1)}-{int(point.group(2)):02d}", "yearless")
    if days and (month := find_month(days[0][:10] if "年" in days[0] or "-" in days[0] else days[0][:8])):
        return MonthFound(month, "day")
    return None


def is_range(text: str) -> bool:
    """Whether a text speaks of several months (1-10月, 第四季度): then no single month can be read from it."""
    match = _RANGE.search(compact(text))
    if not match:
        return False
    first, last = match.group(1), match.group(2)
    return first is None or int(first) != int(last)


def year_in(text: str) -> str:
    match = re.search(r"(?<!\d)(20\d\d)(?:年|(?!\d))", compact(text))
    return match.group(1) if match else ""


def months_of_values(values: Iterable[object], year: str = "") -> dict[object, str]:
    """Each distinct value of a month column → its month ('' when unreadable); ``year`` completes a bare 10 or 10月."""
    out: dict[object, str] = {}
    for value in values:
        if isinstance(value, date):
            out[value] = month_of(value)
        elif isinstance(value, int | float) and 200001 <= value <= 209912:
            out[value] = find_month(str(int(value)))
        elif isinstance(value, str):
            out[value] = find_month(value)
        else:
            out[value] = ""
        bare = re.fullmatch(r"(\d{1,2})(?:\.0)?月?份?", compact(str(value))) if year and not out[value] else None
        if bare and 1 <= int(bare.group(1)) <= 12:
            out[value] = f"{year}-{int(bare.group(1)):02d}"
    return out
