"""What a random list is and how its township writes it: plain data, the plainest choice of each habit first.

A plan shows only what is not plain, so that a failing example reads like a description of the workbook.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Any

from jiuzhu_cli.core.identity import check_char

VILLAGES = ("东风村", "前进村", "红星社区", "太平村")
TOWN, MONTH = "城关镇", "2026-10"
SURNAMES = "王李张刘陈杨黄赵周吴徐孙马胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛郝顾龚邵万"
GIVEN = "建国 秀英 桂兰 志强 玉梅 海燕 德胜 春花 文斌 立新 小芹 永福 金凤 传宝 明 霞 勇 芬 佳怡 浩然 子涵 欣妍 宗保 翠莲".split()
ODD_NAMES = ("欧阳建国", "阿卜杜拉·买买提", "司马秀英", "才让多杰", "迪丽努尔·艾合买提")

HABITS: dict[str, tuple[Any, ...]] = {
    "paid_by": ("person", "household"),
    "home": ("blank", "merged", "repeated", "head_id", "ditto", "silent", "cells", "mixed", "numbered"),
    "alone": ("columns", "one_cell"),
    "months": (1, 3),
    "form": ("xlsx", "xls", "csv"),
    "says": ("title", "file", "sheet", "lines"),
    "above": ((), ("unit",), ("unit", "note"), ("page", "blank"), ("form", "unit")),
    "pad": ((0, 0), (1, 0), (0, 1), (2, 2)),  # rows above, columns left
    "head": ("one", "bands", "ordinal", "units", "translated", "tall"),
    "words": (0, 1, 2, 3),
    "dress": ("", "spaces", "breaks", "stars", "colons", "numbers", "brackets"),
    "shuffle": (0, 1, 2, 3),
    "extra": ((), ("网格员",), ("是否脱贫户", "备注"), ("备注", "文化程度", "网格员")),
    "gap": (0, 1),
    "place": ("column", "above", "merged", "ditto", "headings", "sheets", "tables", "none"),
    "page": (0, 3, 5),
    "page_with": ("", "title", "sum", "carried", "number"),
    "sums": ("", "village", "both", "total", "words", "capitals", "above"),
    "label": ("first", "name", "village"),
    "label_words": ("合计", "合　计", "总计", "合 计：", "总 计"),
    "blank": (0, 1, 2),
    "foot": ((), ("sign",), ("note", "sign"), ("blank", "sign", "date"), ("end", "note")),
    "prefilled": (0, 2),
    "ids": ("plain", "spaces", "quote", "wide", "small"),
    "money": ("number", "text", "yuan", "comma", "sign"),
    "names": ("plain", "spaced"),
    "panels": (1, 2),
    "hidden": (False, True),
    "summary": (False, True),
    "margin": (False, True),
}  # fmt: skip

ERRORS = ("checksum", "short", "no_id", "no_name", "no_amount", "minus", "words", "float_id", "account")


@dataclass(frozen=True)
class Person:
    name: str
    id_no: str
    relation: str
    account: str
    phone: str


@dataclass(frozen=True)
class Home:
    """One case: its persons (the head first; alone where the programme is paid by person), its village, its money in 分."""

    village: str
    fen: int
    persons: tuple[Person, ...]


@dataclass(frozen=True)
class Plan:
    """``sizes``: persons of each case; ``errors``: (case, person in it, what is wrong); ``seed`` makes the people."""

    sizes: tuple[int, ...]
    errors: tuple[tuple[int, int, str], ...]
    seed: int
    habits: tuple[tuple[str, Any], ...]

    def __getitem__(self, habit: str) -> Any:
        return dict(self.habits)[habit]

    def __repr__(self) -> str:
        odd = ", ".join(f"{key}={value!r}" for key, value in self.habits if value != HABITS[key][0])
        rest = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self)[:3])
        return f"Plan({rest}; {odd})"

    def homes(self) -> list[Home]:
        """The cases, villages in order."""
        rng = random.Random(self.seed)
        ids: set[str] = set()
        names: set[str] = set()
        alone = self["paid_by"] == "person"
        kin = ("户主", "配偶", "之子", "之女", "母亲")
        villages = sorted(rng.randrange(len(VILLAGES)) for _ in self.sizes)
        out = []
        for size, village in zip(self.sizes, villages, strict=True):
            persons = []
            for at in range(1 if alone else size):
                while (id_no := _id(rng)) in ids:
                    pass
                while (name := _name(rng)) in names:
                    pass
                ids.add(id_no)
                names.add(name)
                account = f"8{rng.randrange(10**14):014d}"
                persons.append(Person(name, id_no, kin[at], account, f"139{rng.randrange(10**8):08d}"))
            fen = rng.choice([5000, 10000, 12050, 33300, 60000, 98765]) * (1 if alone else max(1, size - 1))
            out.append(Home(VILLAGES[village], fen, tuple(persons)))
        return out


def _id(rng: random.Random) -> str:
    born = f"{rng.randint(1935, 2008)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
    first = f"{rng.choice(['421002', '420106', '610104', '110101'])}{born}{rng.randint(0, 9)}{rng.randint(1, 99):02d}"
    return first + check_char(first)


def _name(rng: random.Random) -> str:
    return rng.choice(ODD_NAMES) if rng.random() < 0.05 else rng.choice(SURNAMES) + rng.choice(GIVEN)


def random_plan(rng: random.Random, *, odd: float = 0.35) -> Plan:
    """A plan in which each habit departs from the plain one with the chance ``odd``."""
    habits = {key: rng.choice(options[1:]) if rng.random() < odd else options[0] for key, options in HABITS.items()}
    if rng.random() < 0.5:
        habits["paid_by"] = rng.choice(HABITS["paid_by"])
        habits["home"] = rng.choice(HABITS["home"])
    sizes = tuple(rng.choice([1, 1, 2, 3, 4]) for _ in range(rng.randint(1, 9)))
    errors = tuple(
        (rng.randrange(len(sizes)), rng.randrange(4), rng.choice(ERRORS)) for _ in range(rng.choice([0, 0, 0, 1, 1, 2]))
    )
    return settled(Plan(sizes, errors, rng.randrange(10**6), tuple(habits.items())))


def settled(plan: Plan) -> Plan:
    """The plan without what cannot be together: merges in a text file, panels of households …"""
    habits = dict(plan.habits)
    if habits["form"] == "csv":
        habits["home"] = "blank" if habits["home"] == "merged" else habits["home"]
        habits["place"] = "above" if habits["place"] in ("merged", "sheets") else habits["place"]
        habits["head"] = "one" if habits["head"] in ("bands", "tall") else habits["head"]
        habits["hidden"] = False
        habits["says"] = "title" if habits["says"] == "sheet" else habits["says"]
        habits["summary"] = False
    if habits["paid_by"] == "household" or habits["place"] in ("headings", "sheets", "tables"):
        habits["panels"] = 1
    if habits["months"] > 1:  # sums of three columns and amounts repeated a row have tests of their own
        habits["sums"] = "total" if habits["sums"] else ""
        habits["page_with"] = "title" if habits["page_with"] in ("sum", "carried") else habits["page_with"]
        habits["says"] = "title" if habits["says"] in ("sheet", "lines") else habits["says"]
        habits |= {"panels": 1, "home": "blank" if habits["home"] in ("repeated", "silent") else habits["home"]}
        habits["head"] = "one" if habits["head"] == "units" else habits["head"]
        habits["place"] = "column" if habits["place"] == "tables" else habits["place"]
    if habits["place"] == "tables":
        habits["says"] = "title" if habits["says"] in ("sheet", "lines") else habits["says"]
        habits["summary"] = False
    if habits["panels"] > 1:
        habits |= {
            "head": "one",
            "gap": 0,
            "place": "none",
            "page": 0,
            "sums": "",
            "blank": 0,
            "foot": (),
            "prefilled": 0,
        }
        habits |= {"hidden": False, "extra": ()}
    one_row_a_home = habits["paid_by"] == "household" and habits["home"] in ("cells", "mixed", "numbered")
    if one_row_a_home and habits["place"] == "merged":
        habits["place"] = "column"
    if habits["place"] == "sheets" and habits["says"] == "sheet":
        habits["says"] = "title"
    if habits["page"] == 0:
        habits["page_with"] = ""
    if habits["paid_by"] == "household" and habits["page_with"] in ("sum", "carried") and habits["home"] == "merged":
        habits["page_with"] = "title"
    if habits["label"] == "village" and habits["place"] in ("headings", "sheets", "tables", "none"):
        habits["label"] = "first"
    seen: dict[tuple[int, int], str] = {}
    for case, at, what in plan.errors:
        size = 1 if habits["paid_by"] == "person" else plan.sizes[case]
        if one_row_a_home and at % size:  # members in a cell: their own test
            continue
        seen.setdefault((case, at % size), what)
    errors = tuple((case, at, what) for (case, at), what in sorted(seen.items()))
    return Plan(plan.sizes, errors, plan.seed, tuple(habits.items()))
