"""The amounts that the sample's rolls follow, in 分 per month, from the policy data of the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

ADDON_NAMES = {"elder": "老年人", "minor": "未成年人", "severe": "重度残疾人"}


@dataclass(frozen=True, slots=True)
class Standards:
    """分/人/月 unless said otherwise. ``care``: nursing tier of 特困 by self-care; ``nursing``: 护理补贴 by disability grade;
    ``old_age``: by the age from which it is paid, ``old_age_poor`` the same for 低保, 特困 and 低保边缘;
    ``addons``: 分类施保 by (elder/minor/severe, urban)."""

    urban: int
    rural: int
    extreme_urban: int
    extreme_rural: int
    care: Mapping[str, int]
    living: int
    nursing: Mapping[int, int]
    old_age: Mapping[int, int]
    old_age_poor: Mapping[int, int]
    orphan: int
    de_facto_orphan: int
    de_facto_cap: int
    elder_care: int
    house: Mapping[str, int]  # 危改 by grade, 分/户
    addons: Mapping[tuple[str, bool], int] = field(default_factory=dict)
    margin_multiple: Decimal = Decimal("1.5")
    old_age_from: int = 80
    unit: int = 1  # 低保金 is rounded to this many 分
    round_up: bool = False
    nursing_grade_three: bool = False  # 三级智力、精神 get 护理补贴
    old_age_or_disability: bool = False  # 高龄津贴 and 两项补贴 are not paid side by side


FALLBACK = Standards(
    urban=760_00, rural=600_00, extreme_urban=988_00, extreme_rural=780_00,
    care={"自理": 191_00, "半护理": 319_00, "全护理": 478_00}, living=80_00, nursing={1: 100_00, 2: 100_00, 3: 80_00},
    old_age={80: 25_00, 90: 100_00, 100: 300_00}, old_age_poor={80: 100_00, 90: 100_00, 100: 300_00},
    orphan=1400_00, de_facto_orphan=1400_00, de_facto_cap=1400_00, elder_care=200_00, house={"C": 12000_00, "D": 24000_00},
)  # fmt: skip


def standards_for(region: str, month: str) -> Standards:
    """The standards of ``region`` in ``month`` from the product's own policy data; FALLBACK for what it does not state."""
    from jiuzhu_cli.policy.load import load_policy

    policy = load_policy(region=region)
    day = date(int(month[:4]), int(month[5:]), 1)

    def number(name: str) -> Decimal | None:
        found = policy.parameter_or_none(name, day)
        return found.value if found is not None and isinstance(found.value, Decimal) else None

    def fen(name: str, default: int) -> int:
        found = number(name)
        return default if found is None else int(found * 100)

    def switch(name: str) -> bool:
        found = policy.parameter_or_none(name, day)
        return found is not None and found.value is True

    f = FALLBACK
    ages = {age: fen(f"高龄津贴标准_{age}", amount) for age, amount in f.old_age.items()}
    care = {"自理": "自理", "半护理": "半自理", "全护理": "全护理"}
    grades = {1: "一级", 2: "二级", 3: "三级"}
    return Standards(
        urban=fen("低保标准_城市", f.urban), rural=fen("低保标准_农村", f.rural),
        extreme_urban=fen("特困基本生活标准_城市", f.extreme_urban), extreme_rural=fen("特困基本生活标准_农村", f.extreme_rural),
        care={word: fen(f"照料护理标准_{name}", f.care[word]) for word, name in care.items()},
        living=fen("困难残疾人生活补贴标准", f.living),
        nursing={grade: fen(f"重度残疾人护理补贴标准_{name}", f.nursing[grade]) for grade, name in grades.items()},
        old_age=ages,
        old_age_poor={age: fen(f"高龄津贴标准_{age}_困难", amount) for age, amount in ages.items()},
        orphan=fen("孤儿基本生活标准_散居", f.orphan), de_facto_orphan=fen("事实无人抚养儿童标准", f.de_facto_orphan),
        de_facto_cap=fen("低保与事实无人抚养合计封顶", f.de_facto_cap), elder_care=fen("养老护理补贴标准", f.elder_care),
        house={grade: fen(f"危改补助_{grade}级", amount) for grade, amount in f.house.items()},
        addons={
            (what, urban): fen(f"分类施保标准_{'城市' if urban else '农村'}_{name}", 0)
            for what, name in ADDON_NAMES.items() for urban in (True, False)
        },
        margin_multiple=number("低保边缘倍数") or f.margin_multiple,
        old_age_from=int(number("高龄起始年龄") or f.old_age_from),
        unit=fen("低保金取整单位", 1) or 1, round_up=switch("低保金进位取整"),
        nursing_grade_three=switch("护理补贴_含三级智力精神"), old_age_or_disability=switch("高龄津贴与两项补贴择高"),
    )  # fmt: skip


def known_programmes(region: str) -> frozenset[str]:
    """The programmes that the product ships."""
    from jiuzhu_cli.policy.load import load_policy

    return frozenset(load_policy(region=region).programmes)
