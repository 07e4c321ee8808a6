"""Which town and village a table is of (乡镇、村): the bureau's own towns first, then the shape of the words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from jiuzhu_cli.core.text import compact

_TOWN_END = r"(?:民族乡|镇|乡|街道办事处|街道|办事处|苏木|管委会)"
_TOWN = re.compile(rf"([一-鿿]{{1,10}}?{_TOWN_END})")
_VILLAGE = re.compile(
    r"([一-鿿]{1,12}?(?:村民委员会|村委会|居民委员会|居委会|社区|村))(?!镇|乡|街|级|组织|干部|卫生|务)"
)
_CUT = re.compile(r"^.*(?:特别行政区|自治区|自治州|自治县|[省市县区旗州盟局厅部月年份号期批度日：:（(—\-_\s])")
_SHORT_END = re.compile(r"(街道办事处|街道|办事处|[一-鿿]{1,3}族乡|民族乡|镇|乡|苏木|管委会)$")
_NO_TOWN = frozenset(
    "城镇 乡镇 村镇 集镇 小城镇 城乡 各乡 各镇 全镇 全乡 本镇 本乡 各乡镇 街道 办事处 镇 乡 各街道 下乡 回乡 返乡 家乡".split()
)
_NO_VILLAGE = frozenset(
    "农村 乡村 行政村 自然村 各村 全村 本村 社区 村 城乡社区 新农村 各社区 本社区 所在村 贫困村 居村 到村 驻村 分村 按村".split()
)
_WELFARE = re.compile(r"低保|特困|救助|补贴|困难|残疾|高龄|名单|花名|危房|保障|供养|对象|人员|津贴")
_PLAIN_SHEET = re.compile(
    r"表|册|名单|汇总|明细|台账|新增|停|退|变|附|模板|说明|月|年|季|数据|城|农|集中|分散|低保|特困|残|高龄|救助|补贴|津贴|危|边缘|死亡|备案|查询|导出|总|合|全|家庭|人员|户|人"
)


class Towns:
    """The configured towns (全称) of the bureau, also found by their everyday short names (城关镇 / 城关)."""

    def __init__(self, towns: Sequence[str]) -> None:
        self.names = [compact(town) for town in towns if compact(town)]
        shorts: dict[str, str] = {}
        for town in self.names:
            short = _SHORT_END.sub("", town)
            if len(short) >= 2 and short != town:
                shorts[short] = "" if short in shorts else town  # two towns of one short name: no answer
        self.shorts = {short: town for short, town in shorts.items() if town}
        every = sorted([*self.names, *self.shorts], key=len, reverse=True)
        self._words = re.compile("|".join(map(re.escape, every))) if every else None

    def canonical(self, text: str) -> str:
        """A cell of a town column as the town's full name; unknown ones stay as they are (without 省市县 before them)."""
        flat = compact(text)
        return self.find(flat)[0] or _strip(flat) or flat

    def find(self, text: str) -> tuple[str, str]:
        """(town, village) that a text names; '' for what it does not."""
        flat = compact(text)
        town, end = self._town(flat)
        return town, _village(flat[end:] if town else flat)

    def _town(self, flat: str) -> tuple[str, int]:
        if self._words is not None:
            for match in self._words.finditer(flat):
                word = match.group(0)
                if word in self.shorts and word not in self.names:
                    after = flat[match.end() :]
                    if re.match(r"[一-鿿]?(村|社区|居委会|组|县|市|区|路|小区)", after):
                        continue
                    found = self.shorts[word]
                    tail = _SHORT_END.search(found)
                    same = re.match(_TOWN_END, after)
                    if same and tail and not tail.group(0).startswith(same.group(0)[0]):
                        continue  # 朝阳乡 where only 朝阳街道 is configured
                    return found, match.end() + (same.end() if same else 0)
                return word, match.end() + (3 if flat[match.end() :].startswith("办事处") else 0)
        for match in _TOWN.finditer(flat):
            word = _strip(match.group(1))
            if word not in _NO_TOWN and 2 <= len(_SHORT_END.sub("", word)) <= 8 and not _WELFARE.search(word):
                return (word[:-3] if word.endswith("街道办事处") else word), match.end()
        return "", 0


def _strip(word: str) -> str:
    """Without the province, city and county before it, and without what came before in the sentence."""
    rest = _CUT.sub("", word)
    return rest if len(rest) >= 2 else word


def _village(flat: str) -> str:
    for match in _VILLAGE.finditer(flat):
        word = _strip(match.group(1))
        if word in _NO_VILLAGE or _WELFARE.search(word) or len(word) < 2 or re.search(r"(城乡|农|乡)村$", word):
            continue
        return short_village(word)
    return ""


def short_village(name: str) -> str:
    """前进村村民委员会 and 前进村委会 as 前进村; 东街居委会 stays."""
    return re.sub(r"村?(村民委员会|村委会)$", "村", compact(name))


def sheet_village(name: str, *, many: bool) -> str:
    """The village that a sheet's name is (东风村, 3.东风村); with ``many`` alike sheets a bare 东风 counts too."""
    flat = re.sub(r"^\d+[.、\-_]?|[（(]\d+[)）]$|\d+$", "", compact(name))
    if found := _village(flat):
        return found
    if many and re.fullmatch(r"[一-鿿]{2,5}", flat) and not _PLAIN_SHEET.search(flat):
        return flat
    return ""


def distinct_texts(values: Iterable[object]) -> dict[str, int]:
    """Distinct non-blank texts of a column with their counts."""
    counted = Counter(values)
    return {text: count for text, count in counted.items() if isinstance(text, str) and text and not text.isspace()}
