"""Invented names, vectorised: common surnames by weight, given-name characters by sex, minority names, rare characters."""

from __future__ import annotations

import numpy as np

Rng = np.random.Generator
Texts = np.ndarray

_SURNAMES = [
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常",
    "欧阳", "司马", "诸葛", "上官",
]  # fmt: skip
_WEIGHTS = 1.0 / (np.arange(len(_SURNAMES)) + 4.0)
_MALE = list("伟强军勇刚建国平明华志文德福林松柏海山江涛波辉斌鹏飞龙宝贵成才万友全永祥瑞正义忠诚学礼长春富贤祖光荣世昌")
_FEMALE = list("秀英芳兰梅桂香玉珍凤霞红丽娟燕玲琴美云莲菊翠花淑贞惠敏静雪月娥巧素芬萍慧琳莹春艳小银彩爱金荷")
_RARE = ["䶮", "㛃", "𬭎", "堃", "喆", "祎", "珺"]
_MINORITY_FIRST = ["阿木", "吉克", "阿依", "古丽", "热依", "曲比", "沙马", "木果", "卓玛", "扎西", "乌兰", "玛依"]
_MINORITY_LAST = ["尔布", "阿牛", "买买提", "依不拉", "次仁", "拉吉", "子日", "努尔", "巴图", "达瓦", "石子", "木嘎"]

MINORITY_PROVINCES = ("51", "52", "53", "54", "62", "63", "64", "65")


def surnames(rng: Rng, count: int) -> Texts:
    return rng.choice(np.array(_SURNAMES, dtype=object), count, p=_WEIGHTS / _WEIGHTS.sum())


def given_names(rng: Rng, male: np.ndarray) -> Texts:
    """One or two characters each; about one in 150 holds a rare character."""
    count = len(male)

    def characters() -> Texts:
        return np.where(
            male, rng.choice(np.array(_MALE, dtype=object), count), rng.choice(np.array(_FEMALE, dtype=object), count)
        )

    first, second = characters(), characters()
    rare = rng.random(count) < 0.007
    second = np.where(rare, rng.choice(np.array(_RARE, dtype=object), count), second)
    second = np.where((rng.random(count) < 0.22) & ~rare, "", second)
    return first + second


def minority_names(rng: Rng, count: int) -> Texts:
    """Two parts joined by the interpunct U+00B7."""
    first = rng.choice(np.array(_MINORITY_FIRST, dtype=object), count)
    last = rng.choice(np.array(_MINORITY_LAST, dtype=object), count)
    return first + "·" + last


def minority_share(region: str) -> float:
    return 0.12 if region[:2] in MINORITY_PROVINCES else 0.01
