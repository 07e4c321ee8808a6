"""Names of towns and villages (乡镇、村) and the parts of a 12-digit division code: what is common to a short and a full name.

A code of 12 digits: 2 province, 2 city, 2 county, 3 town, 3 village; zeros behind (policy-reference §4).
"""

from __future__ import annotations

import re

from jiuzhu_cli.core.text import compact

_PEOPLES = (
    "维吾尔 哈萨克 柯尔克孜 达斡尔 塔吉克 鄂温克 俄罗斯 乌孜别克 鄂伦春 塔塔尔 蒙古 布依 朝鲜 哈尼 土家 傈僳 仡佬 东乡 高山 拉祜 纳西 仫佬 锡伯 景颇 毛南"
    " 撒拉 布朗 阿昌 普米 基诺 德昂 保安 裕固 门巴 独龙 赫哲 珞巴 壮 满 回 苗 彝 藏 侗 瑶 白 黎 傣 畲 水 佤 羌 土 怒 京"
)
ETHNIC = rf"(?:(?:{'|'.join(_PEOPLES.split())})族)+(?:自治)?[乡镇]|民族[乡镇]"
TOWN_END = rf"(?:{ETHNIC}|镇|乡|街道办事处|街道|办事处|苏木|管委会)"
_SHORT_END = re.compile(rf"({ETHNIC}|街道办事处|街道|办事处|镇|乡|苏木|管委会)$")
_GROUP = re.compile(r"第?[一二三四五六七八九十百\d]+(?:村民)?(?:小组|组|社|队|屯)$")
_VILLAGE_END = re.compile(
    r"(?:社区居民委员会|村民委员会|居民委员会|社区居委会|社区村委会|村委会|居委会|生活区|嘎查(?:委员会)?|社区|村|家委会|委员会)$"
)
_COUNTY_END = re.compile(
    rf"(?:(?:各族|(?:(?:{'|'.join(_PEOPLES.split())})族)+)?自治[县旗]|特区|林区|新区|矿区|[县市区旗])$"
)
_KINDS = (
    ("社区", "社区"),
    ("居委会", "社区"),
    ("居民委员会", "社区"),
    ("家委会", "社区"),
    ("嘎查", "村"),
    ("村", "村"),
)


def short_town(name: str) -> str:
    """The everyday name of a town: 屏山街道 and 屏山街道办事处 as 屏山, 东岭彝族乡 as 东岭; '' when nothing is left."""
    return _SHORT_END.sub("", compact(name))


def town_kind(name: str) -> str:
    """'镇', '乡', '街' …: what kind of town a full name says it is, '' when it says none."""
    tail = _SHORT_END.search(name)
    return "" if tail is None else "街" if tail.group(1)[0] in "街办" else tail.group(1)[-1]


def is_full_town(name: str) -> bool:
    """Whether a town's name says what kind of town it is (乌东德镇), not only 乌东德."""
    return bool(town_kind(name)) and bool(short_town(name))


def short_village(name: str) -> str:
    """前进村村民委员会 and 前进村委会 as 前进村; 东街居委会 stays."""
    return re.sub(r"村?(村民委员会|村委会)$", "村", compact(name))


def village_key(name: str) -> str:
    """What a village's names have in common: 前进村, 前进村委会, 前进村3组, 前进社区 are 前进."""
    flat = _GROUP.sub("", compact(name)) or compact(name)
    bare = flat
    while (short := _VILLAGE_END.sub("", bare)) not in (bare, ""):
        bare = short
    return bare


def village_kind(name: str) -> str:
    """'村' or '社区' where a name says which, else ''."""
    flat = _GROUP.sub("", compact(name))
    return next((kind for word, kind in _KINDS if word in flat[-6:]), "")


def short_county(name: str) -> str:
    """鸡东县 as 鸡东, 巴东土家族苗族自治县 as 巴东; a name of one character (沙市区's 沙市 apart) keeps its ending."""
    bare = _COUNTY_END.sub("", compact(name))
    return bare if len(bare) >= 2 else compact(name)
