"""Which town and village a table is of (乡镇、村): the bureau's own towns first, then the shape of the words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from jiuzhu_cli.core.division import TOWN_END, is_full_town, short_town, short_village, town_kind
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.tabular.column import Column

__all__ = [
    "UNKNOWN",
    "Towns",
    "distinct_texts",
    "district_word",
    "is_full_town",
    "sheet_village",
    "short_town",
    "short_village",
    "towns_of",
]

UNKNOWN = "未注明"  # the area of a roll whose town nothing tells: it covers no town, least of all the whole district
_REMEMBERED = 5000  # texts of which it is kept what they name
# 镇雄县, 新乡市, 东乡族自治县 are no towns; 城关镇社区, 城关镇县城 are in one
_TOWN = re.compile(rf"([一-鿿]{{1,10}}?{TOWN_END})(?!族|(?![社小地辖全各片园校])[一-鿿]?[县市区](?![级城里直属残民]))")
_VILLAGE = re.compile(
    r"([一-鿿]{1,12}?(?:村民委员会|村委会|居民委员会|居委会|社区|村))(?!镇|乡|街|级|组织|干部|卫生|务)"
)
_CUT = re.compile(r"^.*(?:特别行政区|自治区|自治州|自治县|[省市县区旗州盟局厅部月年份号期批度日：:（(—\-_\s])")
_CUT_BEFORE_FLAG = re.compile(_CUT.pattern.replace("旗", ""))
_OFFICE = re.compile(
    r"(人民政府|政府|民政(办|所|办公室|服务站)|社会(事务|救助).*|(便民|为民)服务中心|党政办.*|街道办)$"
)
_NO_TOWN = frozenset(
    "城镇 乡镇 村镇 集镇 小城镇 城乡 各乡 各镇 全镇 全乡 本镇 本乡 各乡镇 街道 办事处 镇 乡 各街道 下乡 回乡 返乡 家乡 该镇 该乡 我镇 我乡 某镇 某乡 外乡 农乡 市镇 县镇 一镇 一乡 两镇 两乡 离乡 还乡 同乡 老乡".split()
)
_NO_VILLAGE = frozenset(
    "农村 乡村 行政村 自然村 各村 全村 本村 社区 村 城乡社区 新农村 各社区 本社区 所在村 贫困村 居村 到村 驻村 分村 按村".split()
)
_WELFARE = re.compile(r"低保|特困|救助|补贴|困难|残疾|高龄|名单|花名|危房|保障|供养|对象|人员|津贴")
_BENEFIT = re.compile(rf"^.*(?:{_WELFARE.pattern}|边缘户?|孤儿|危改|台账|[表册])")
_PLAIN_SHEET = re.compile(
    r"表|册|发|名单|汇总|明细|台账|新增|停|退|变|附|模板|说明|月|年|季|数据|城|农|集中|分散|低保|特困|残|高龄|救助|补贴|津贴|危|边缘|死亡|备案|查询|导出|总|合|全|家庭|人员|户|人|[补护残救慰助]|儿童|孤儿"
)
_WHOLE = re.compile(r"全[区县市旗]|[区县市旗]本级")
_DISTRICT = re.compile(r"[一-鿿]{2,}(?:自治[县旗]|[县市旗]|(?<![社小地片园景校辖街营灾库矿农老])区)(?![城里内级道])")
_CITIES = "邹诸禹项永麻应丰海凤韩宜肥塔盐聊运晋宣"  # 项城市, 邹城市 …: cities whose names end so
# 城市 of 城市低保 is the programme's word and no city's: 古渡街道城市低保, 古渡城市低保, but 河南省项城市低保
_URBAN = re.compile(
    rf"(?<=[镇乡道])城[市区]|(?<!^[{_CITIES}])(?<![^一-鿿][{_CITIES}])(?<!省[{_CITIES}])城市(?=居民|最低|低保|特困|困难|低收入|低边|边缘|[“三]|救助|临时|医疗|五保|分散|集中)"
)
_DEPARTMENT = re.compile(
    r"[县市区旗](?:[一-鿿]{0,6}(?:局|委员会|中心|联合会|联)|妇联|残联)|(?:民政|住建|住房和?城乡建设|卫健|教育|财政|人社|医保|公安|应急(?:管理)?|农业农村|乡村振兴)局"
    r"|残联|残疾人联合会|妇联|妇女联合会"
)


def _flat(text: str) -> str:
    """A text without blanks, the programme's 城市 blotted out."""
    return _URBAN.sub("□□", compact(text))


def district_word(text: str, *, sender: bool) -> str:
    """The words by which a text says that its list is the whole district's (全区, 某某县, a county department), or ''.

    ``sender``: the text may say who sends the list, so 县残联 or 民政局 counts.
    """
    flat = _flat(text)
    for pattern in (_WHOLE, _DISTRICT, *([_DEPARTMENT] if sender else [])):
        if match := pattern.search(flat):
            return match.group(0)
    return ""


class Towns:
    """The bureau's towns (全称), also found by their everyday short names (城关镇 / 城关).

    ``towns`` are configured; ``known`` are full names read elsewhere (other columns, titles, files), which only serve
    where the configured ones say nothing. A short name of two towns stands for neither: see ``rivals``.
    """

    def __init__(self, towns: Sequence[str], known: Iterable[str] = (), own: str = "") -> None:
        self._own = own
        self.names = list(dict.fromkeys(compact(town) for town in towns if compact(town)))
        self.known = [
            town for town in dict.fromkeys(map(compact, known)) if town not in self.names and is_full_town(town)
        ]
        several = self._by_short(self.known) | self._by_short(self.names)
        if is_full_town(own):
            several[short_town(own)] = [own]
        self.several = {short: towns for short, towns in several.items() if len(towns) > 1}
        self.shorts = {short: towns[0] for short, towns in several.items() if len(towns) == 1}
        full = {*self.names, *self.known}
        every = sorted({*full, *self.shorts}, key=len, reverse=True)
        self._full = full
        self._words = re.compile("|".join(map(re.escape, every))) if every else None
        self._found: dict[str, tuple[str, str]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """By what it was made of: what it remembers stays where it is."""
        return towns_of, (tuple(self.names), tuple(self.known), self._own)

    @staticmethod
    def _by_short(names: Iterable[str]) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {}
        for town in names:
            short = short_town(town)
            if len(short) >= 2 and short != town:
                out.setdefault(short, []).append(town)
        return out

    def knowing(self, names: Iterable[str], own: str = "") -> Towns:
        """These towns and further full ``names``; ``own`` is the town meant where its short name is another's too."""
        return towns_of(tuple(self.names), (*self.known, *names), own)

    def canonical(self, text: str) -> str:
        """A cell of a town column as the town's full name; unknown ones stay as they are (without 省市县 before them)."""
        flat = compact(text)
        if found := self.find(flat)[0]:
            return found
        bare = _OFFICE.sub("", _strip(flat) or flat)
        return self.shorts.get(bare) or bare or flat

    def rivals(self, text: str) -> list[str]:
        """The towns that a short name may mean when it may mean several, else []."""
        return self.several.get(_OFFICE.sub("", _strip(compact(text))), [])

    def find(self, text: str) -> tuple[str, str]:
        """(town, village) that a text names; '' for what it does not."""
        known = self._found.get(text)  # the same columns, titles and folders are asked about again and again
        if known is None:
            flat = _flat(text)
            town, end = self._town(flat)
            known = town, _village(flat[end:] if town else flat)
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[text] = known
        return known

    def _town(self, flat: str) -> tuple[str, int]:
        if self._words is not None:
            for match in self._words.finditer(flat):
                word = match.group(0)
                if word in self._full:
                    return word, match.end() + (3 if flat[match.end() :].startswith("办事处") else 0)
                after = flat[match.end() :]
                if re.match(r"[一-鿿]?(村|社区|居委会|组|县|市|区|路|小区)", after):
                    continue
                found = self.shorts[word]
                same = re.match(TOWN_END, after)
                if same and town_kind(found) and town_kind(word + same.group(0)) != town_kind(found):
                    continue  # 朝阳乡 where only 朝阳街道 is configured
                return found, match.end() + (same.end() if same else 0)
        for match in _TOWN.finditer(flat):
            word = _BENEFIT.sub("", _strip(match.group(1)))  # 特困东岭彝族乡
            short = short_town(word)
            if len(short) == 1 and (
                short in "镇乡村县市区按分到进由" or flat[match.end() :].startswith(tuple("镇乡街村"))
            ):
                continue  # 唐镇 is one, 乡镇街道 and 按乡镇 are none
            if word not in _NO_TOWN and 1 <= len(short) <= 8 and not _WELFARE.search(word):
                return (word[:-3] if word.endswith("街道办事处") else word), match.end()
        return "", 0


@lru_cache(maxsize=256)
def towns_of(towns: tuple[str, ...], known: tuple[str, ...] = (), own: str = "") -> Towns:
    """``Towns``, made once for the files of a folder."""
    return Towns(towns, known, own)


def _strip(word: str) -> str:
    """Without the province, city and county before it, and without what came before in the sentence."""
    rest = _CUT.sub("", word)
    if short_town(rest) == "" and word.removesuffix(rest).endswith("旗"):
        rest = re.sub(r"^.*旗(?=[一-鿿]{1,3}旗)", "", _CUT_BEFORE_FLAG.sub("", word))  # 红旗街道 is no 街道 of 红旗
    return rest if len(rest) >= 2 else word


def _village(flat: str) -> str:
    for match in _VILLAGE.finditer(flat):
        word = _strip(match.group(1))
        if word in _NO_VILLAGE or _WELFARE.search(word) or len(word) < 2 or re.search(r"(城乡|农|乡)村$", word):
            continue
        return short_village(word)
    return ""


def sheet_village(name: str, *, many: bool) -> str:
    """The village that a sheet's name is (东风村, 3.东风村); with ``many`` alike sheets a bare 东风 counts too."""
    flat = re.sub(r"^\d+[.、\-_]?|[（(]\d+[)）]$|\d+$", "", compact(name))
    if found := _village(flat):
        return found
    if many and re.fullmatch(r"[一-鿿]{2,5}", flat) and not _PLAIN_SHEET.search(flat):
        return flat
    return ""


def distinct_texts(column: Column) -> dict[str, int]:
    """Distinct non-blank texts of a column with their counts, in order of appearance."""
    cells, codes = column.distinct()
    counted = zip(cells, np.bincount(codes, minlength=len(cells)).tolist(), strict=True)
    return {text: count for text, count in counted if isinstance(text, str) and text and not text.isspace()}
