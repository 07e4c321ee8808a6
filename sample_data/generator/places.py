"""Invented towns and villages. Region 421002 has a fixed list; any other region code gets its own, drawn from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEMS = (
    "青溪 白石 龙口 双河 马坪 高桥 新塘 枫林 太平 桃源 柳树 东岭 平安 清水 永安 石桥 大石桥 梅岭 花园 金山 古渡 长坪 南湾 北港 安乐 松山 红旗 竹园 云台 三岔"
).split()
_VILLAGE_STEMS = (
    "前进 胜利 红星 团结 幸福 新建 张家湾 李家垸 王家岗 杨树坪 大塘 小河 上坝 下坝 老街 新农 跃进 朝阳 光明 黄泥岗 槐树 石板 沙洲 荷塘 岭上 东风 民主 向阳 丰收 五星"
).split()
_FIXED = {
    "421002": (
        "青溪镇 白石镇 龙口镇 双河乡 马坪镇 高桥镇 枫林乡 石桥镇 大石桥镇 朝阳街道 花园街道".split(),
        "示例区",
    )
}
_ETHNIC = {"53": "彝族", "51": "藏族", "52": "苗族", "65": "回族", "63": "土族"}


@dataclass(frozen=True, slots=True)
class Town:
    name: str
    urban: bool
    villages: tuple[str, ...]

    @property
    def short(self) -> str:
        """The everyday name: 青溪镇 → 青溪."""
        for suffix in ("街道", "彝族乡", "藏族乡", "苗族乡", "回族乡", "土族乡", "镇", "乡"):
            if self.name.endswith(suffix):
                return self.name[: -len(suffix)]
        return self.name


@dataclass(frozen=True, slots=True)
class Region:
    code: str
    name: str
    towns: tuple[Town, ...]


def make_region(code: str, towns: int = 9) -> Region:
    """The region ``code`` with ``towns`` towns; the same code always gives the same places."""
    rng = np.random.default_rng(int(code))
    if code in _FIXED and towns <= len(_FIXED[code][0]):
        names, name = _FIXED[code]
        # the last two are streets; keep them when fewer towns are asked for
        chosen = [*names[: towns - 2], *names[-2:]]
    else:
        name = "样例县"
        stems = [str(stem) for stem in rng.permutation(_STEMS)]
        while len(stems) < towns:
            stems += [prefix + stem for prefix in ("新", "上", "下", "东", "西") for stem in _STEMS]
        suffixes = ["镇"] * 5 + ["乡"] * 2 + ["街道"]
        chosen = [stem + str(rng.choice(suffixes)) for stem in stems[:towns]]
        if code[:2] in _ETHNIC:
            chosen[1] = stems[1] + _ETHNIC[code[:2]] + "乡"
        chosen[0], chosen[-1] = stems[0] + "镇", stems[towns - 1] + "街道"
    return Region(code, name, tuple(_town(rng, town) for town in chosen))


def _town(rng: np.random.Generator, name: str) -> Town:
    urban = name.endswith("街道")
    stems = rng.choice(_VILLAGE_STEMS, size=int(rng.integers(3, 6)), replace=False)
    villages = [str(stem) + ("社区" if urban else "村") for stem in stems]
    if not urban and rng.random() < 0.35:
        villages[-1] = villages[-1][:-1] + "社区"  # the town's own seat: its residents are urban
    return Town(name, urban, tuple(villages))
