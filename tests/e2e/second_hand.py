"""A hostile quarter of a district that the program has never met: people, rolls, registers, plants and decoys.

Written by another hand than ``sample_data/generator`` (nothing of it is used here). ``Truth`` says what every table holds,
what must be found and what must not.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.second_hand_style import Person
from tests.e2e.second_hand_tables import Case, Grid, Roll

AUGUST, SEPTEMBER, OCTOBER = "2026-08", "2026-09", "2026-10"
LOW, POOR, MARGIN = "subsistence_allowance", "extreme_poverty_support", "low_income_margin"
LIVING, CARE, OLD = "disability_living_subsidy", "disability_care_subsidy", "old_age_allowance"
URGENT, HOUSE, RIGID = "temporary_assistance", "dilapidated_house_renovation", "rigid_expenditure"
ORPHAN, LEFT, ELDER = "orphan_allowance", "de_facto_orphan_allowance", "elder_care_subsidy"
# region code, district as it calls itself, towns: places of a street come last letters 街道
REGIONS = {
    "530128": ("禄劝彝族苗族自治县", ["南山镇", "南山街道", "大河乡", "河乡", "东岭彝族乡", "城关镇", "石门镇"]),
    "152523": ("苏尼特左旗", ["南山镇", "南山街道", "大河苏木", "河苏木", "满都拉图镇", "城关镇", "石门镇"]),
    "360781": ("瑞金市", ["象湖镇", "象湖街道", "叶坪乡", "坪乡", "云石山畲族乡", "城关镇", "沙洲坝镇"]),
    "610113": ("雁塔区", ["南山镇", "南山街道", "大河乡", "河乡", "城东回族镇", "城关街道", "石门镇"]),
    "331127": ("景宁畲族自治县", ["红星镇", "红星街道", "大均乡", "均乡", "东坑民族乡", "城关镇", "沙湾镇"]),
    "410423": ("鲁山县", ["南山镇", "南山街道", "大河乡", "河乡", "东岭回族乡", "城关镇", "石门镇"]),
}
# the bureau's own file of standards: 元/人/月
STANDARDS = {
    "低保标准_城市": 777, "低保标准_农村": 543, "特困基本生活标准_城市": 1011, "特困基本生活标准_农村": 707, "照料护理标准_自理": 205,
    "照料护理标准_半自理": 333, "照料护理标准_全护理": 501, "困难残疾人生活补贴标准": 83, "重度残疾人护理补贴标准_一级": 97,
    "重度残疾人护理补贴标准_二级": 97, "高龄津贴标准_80": 55, "高龄津贴标准_80_困难": 105, "高龄津贴标准_90": 155,
    "高龄津贴标准_90_困难": 205, "低保与事实无人抚养合计封顶": 1300, "事实无人抚养儿童标准": 1300, "孤儿基本生活标准_散居": 1300,
}  # fmt: skip
NO_ADDONS = [
    f"分类施保标准_{place}_{who}"
    for place in ("城市", "农村")
    for who in ("老年人", "未成年人", "重度残疾人", "重病患者")
]
GRADES = ["一级", "二级", "三级", "四级"]
KINDS = ["视力", "听力", "言语", "肢体", "智力", "精神", "多重"]
SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛范彭鲁韦马苗方俞任袁柳史唐"
)
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英建国玉兰凤梅福生光荣春华永德学文志清才贵山珍素云"
BANKS = ["农业银行", "中国农业银行股份有限公司", "农村信用社", "邮储银行", "建设银行", "工商银行", "中国银行"]


@dataclass(frozen=True)
class Plant:
    """One fact that must be found: ``kind``, the persons it may name, and the two programmes ('' where there is none)."""

    kind: str
    why: str
    persons: frozenset[str]
    a: str
    b: str = ""
    strong: bool = True


@dataclass
class World:
    region: str
    district: str
    towns: list[str]
    rolls: list[Roll] = field(default_factory=list)
    corrected: list[Roll] = field(default_factory=list)  # the same lists, mended, as imported later
    registers: list[tuple[Path, list[Grid]]] = field(default_factory=list)
    plants: list[Plant] = field(default_factory=list)
    legal: dict[str, str] = field(default_factory=dict)  # person → why nothing may be said of them
    reviews: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # (programme, head) → actions that are right


class People:
    """Makes people, each once."""

    def __init__(self, rng: random.Random, region: str) -> None:
        self.rng, self.region = rng, region
        self.used: set[str] = set()

    def one(self, born: str = "", *, check: str = "", bank: str = "") -> Person:
        rng = self.rng
        while True:
            day = born or f"{rng.randint(1968, 1990)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}"
            body = (
                f"{rng.choice([self.region, self.region[:4] + '22', '510781', '500154'])}{day}{rng.randint(1, 998):03d}"
            )
            weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
            id_no = body + "10X98765432"[sum(w * int(d) for w, d in zip(weights, body, strict=True)) % 11]
            if id_no not in self.used and not id_no.endswith("000") and (not check or id_no[-1] == check):
                self.used.add(id_no)
                name = rng.choice(SURNAMES) + "".join(rng.choice(GIVEN) for _ in range(rng.choice([1, 2, 2])))
                phone = f"13{rng.randint(0, 9)}{rng.randint(0, 99999999):08d}"
                return Person(name, id_no, self.account(), bank or rng.choice(BANKS), phone)

    def account(self) -> str:
        """A card of 19 digits that passes Luhn, or a passbook of 17."""
        if self.rng.random() < 0.2:
            return f"8{self.rng.randint(0, 10**16 - 1):016d}"
        body = f"6217{self.rng.randint(0, 10**14 - 1):014d}"
        total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(body)))
        return body + str(-total % 10)

    def child(self) -> Person:
        return self.one(f"{self.rng.randint(2012, 2019)}{self.rng.randint(1, 12):02d}{self.rng.randint(1, 28):02d}")

    def elder(self, first: int = 1950, last: int = 1962) -> Person:
        return self.one(f"{self.rng.randint(first, last)}{self.rng.randint(1, 9):02d}{self.rng.randint(1, 28):02d}")


class Builder:
    """Fills a ``World``: ordinary people first, then plants and decoys put among them, each with people of its own."""

    def __init__(self, region: str, seed: int, households: int) -> None:
        self.rng = random.Random(f"{region}/{seed}")
        district, towns = REGIONS[region]
        self.world = World(region, district, towns)
        self.people = People(self.rng, region)
        self.households = households
        self.lists: dict[tuple[str, str, str, str], list[Case]] = {}  # programme, month, town, part
        self.deaths: list[tuple[Person, Any, Any]] = []
        self.cremations: list[tuple[Person, Any]] = []
        self.certificates: list[tuple[Person, str, str, int, str, str]] = []
        self.kin: list[tuple[Person, Person, str]] = []

    # ---- pieces ------------------------------------------------------------------------------------------

    def village(self, town: str) -> str:
        names = ["东山", "西河", "前进"]
        return self.rng.choice(names) + ("社区" if town.endswith("街道") else "嘎查" if town.endswith("苏木") else "村")

    def urban(self, town: str, part: str = "") -> bool:
        return part == "城市" or (not part and town.endswith("街道"))

    def household(self, town: str, people: list[Person], part: str = "") -> Case:
        """A 低保 household paid exactly its 补差."""
        standard = STANDARDS["低保标准_城市" if self.urban(town, part) else "低保标准_农村"]
        income = self.rng.randint(60, standard - 120) * len(people)  # 元/户/月
        relations = ["户主", *self.rng.choices(["配偶", "子", "女", "之子", "长女", "孙子"], k=len(people) - 1)]
        return Case(town, self.village(town), people, relations, (standard * len(people) - income) * 100,
                    {"income": income * 100, "category": "城市" if self.urban(town, part) else "农村"})  # fmt: skip

    def poor(self, town: str, person: Person, mode: str = "") -> Case:
        place = "城市" if self.urban(town) else "农村"
        level = self.rng.choice(["自理", "半自理", "全护理"])
        base, care = STANDARDS[f"特困基本生活标准_{place}"], STANDARDS[f"照料护理标准_{level}"]
        words = {
            "自理": ["全自理", "具备生活自理能力", "自理"],
            "半自理": ["半护理", "部分丧失", "半自理"],
            "全护理": ["全护理", "完全丧失", "不能自理"],
        }
        facts = {"care_mode": mode or self.rng.choice(["集中", "分散", "分散供养", "集中供养"]), "base": base * 100, "care": care * 100,
                 "self_care": self.rng.choice(words[level])}  # fmt: skip
        return Case(town, self.village(town), [person], ["本人"], (base + care) * 100, facts)

    def single(self, town: str, person: Person, yuan: int | None, payee: Person | None = None, **facts: Any) -> Case:
        return Case(town, self.village(town), [person], ["本人"], None if yuan is None else yuan * 100, facts, payee)

    def old(self, town: str, person: Person, status: str = "其他", payee: Person | None = None) -> Case:
        ninety = person.id_no[6:10] < "1936"
        yuan = STANDARDS[f"高龄津贴标准_{90 if ninety else 80}" + ("_困难" if status != "其他" else "")]
        return self.single(town, person, yuan, payee, status=status)

    def put(self, programme: str, town: str, case: Case, month: str = OCTOBER, part: str = "") -> Case:
        self.lists.setdefault((programme, month, town, part), []).append(case)
        return case

    def low(self, town: str, *people: Person, part: str = "", month: str = OCTOBER) -> Case:
        return self.put(LOW, town, self.household(town, list(people), part), month, part)

    def plant(self, kind: str, why: str, persons: list[Person], a: str, b: str = "", *, strong: bool = True) -> None:
        self.world.plants.append(Plant(kind, why, frozenset(p.id_no for p in persons), a, b, strong))

    def spare(self, why: str, *people: Person) -> None:
        self.world.legal.update({person.id_no: why for person in people})

    def certify(
        self, person: Person, town: str, grade: int, kind: str = "肢体", until: str = "2031-05-01", state: str = "正常"
    ) -> None:
        self.certificates.append((person, town, kind, grade, until, state))

    # ---- ordinary people -----------------------------------------------------------------------------------

    def ordinary(self) -> None:
        new, rng = self.people, self.rng
        for number, town in enumerate(self.world.towns):
            parts = ["城市", "农村"] if number == 5 else [""]
            for _ in range(self.households if number != 6 else 0):
                part = rng.choice(parts)
                others = [new.one() if rng.random() < 0.5 else new.child() for _ in range(rng.choice([0, 1, 1, 2, 3]))]
                self.low(town, new.one(), *others, part=part)
                if number < 2:
                    self.low(town, new.one(), month=SEPTEMBER)
            for _ in range(max(4, self.households // 3)):
                self.put(
                    POOR,
                    town,
                    self.poor(town, new.elder(), "集中" if number == 0 else ""),
                    part="集中" if number == 0 else "",
                )
                if number == 0:
                    self.put(POOR, town, self.poor(town, new.elder(), "分散"), part="分散")
                self.put(LIVING, town, self.single(town, new.one(), 83, grade=rng.choice(GRADES)))
                self.put(CARE, town, self.single(town, new.one(), 97, grade=rng.choice(GRADES[:2])))
                if number < 6:
                    self.put(OLD, town, self.old(town, new.elder(1932, 1945)))
                if number < 5:
                    self.put(MARGIN, town, self.margin(town, new.one(), new.child()))
                    self.put(
                        URGENT,
                        town,
                        self.urgent(town, new.one()),
                        part=rng.choice(["第一批", "第二批"]) if number == 0 else "",
                    )
                self.put(HOUSE, town, self.house(town, new.one(), "一般户"))
        for people in [
            case.people
            for (programme, *_), cases in self.lists.items()
            if programme in (LIVING, CARE)
            for case in cases
        ]:
            self.certify(people[0], "", 2)
            self.spare("ordinary disabled person", people[0])
        for programme, yuan in ((ORPHAN, 1300), (LEFT, 1300), (ELDER, 120)):
            for _ in range(4):
                person = new.elder() if programme == ELDER else new.child()
                town = rng.choice(self.world.towns)
                self.put(programme, town, self.single(town, person, yuan))
        # the ordinary receive 生活补贴 and 护理补贴 together, or their certificate would be a missed 护理补贴
        for case in [c for (p, *_), cases in self.lists.items() if p == LIVING for c in cases]:
            self.put(CARE, case.town, self.single(case.town, case.people[0], 97, grade="二级"))

    def margin(self, town: str, *people: Person) -> Case:
        case = self.household(town, list(people))
        standard = STANDARDS["低保标准_城市" if self.urban(town) else "低保标准_农村"]
        case.fen, case.facts["income"] = None, standard * len(people) * 120
        return case

    def urgent(self, town: str, person: Person, cause: str = "") -> Case:
        yuan = self.rng.choice([500, 800, 1200, 1500, 2000])
        return self.single(town, person, yuan, cause=cause or self.rng.choice(["突发疾病住院", "火灾", "交通意外", "子女上学支出大"]),
                           kind=self.rng.choice(["急难型", "支出型"]), granted=f"2026.10.{self.rng.randint(10, 19)}")  # fmt: skip

    def house(self, town: str, person: Person, status: str) -> Case:
        level = self.rng.choice(["C", "D"])
        return self.single(
            town,
            person,
            12000 if level == "C" else 24000,
            house=level + "级",
            mode="修缮" if level == "C" else "新建",
            status=status,
        )
