"""What a case should be paid and whether it qualifies, slowly and plainly: Python, exact fractions, one case at a time, no SQL.

Written from the documents (社会救助法, 民发〔2021〕57号, 《特困人员认定办法》, 国发〔2015〕52号), not from the program, and only for cases of which every
fact is known. Amounts are in 分.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

YUAN = 100


@dataclass(frozen=True)
class Place:
    """What a place has decided. Money in 分 a month."""

    standard: Mapping[str, int]  # by 城市/农村
    unit: int = YUAN  # amounts are whole multiples of it
    up: bool = True  # upwards, else to the nearest (half up)
    addons: Mapping[tuple[str, str], int] | None = None  # (老年人…, 城市/农村)
    elder_from: int = 60
    minor_below: int = 18
    margin: Fraction = Fraction(3, 2)
    care: Mapping[str, int] | None = None
    living: int = 0
    nursing: Mapping[int, int] | None = None
    third_grade_minds: bool = False  # 护理补贴 for grade 3 of mind and psyche, too
    old: Sequence[tuple[int, int]] = ()  # (from age, amount), ascending


@dataclass(frozen=True)
class Person:
    """``kind`` and ``grade`` of a valid certificate ('' and 0: none)."""

    born: date
    kind: str = ""
    grade: int = 0
    ill: bool = False


@dataclass(frozen=True)
class Household:
    kind: str  # 城市, 农村
    people: tuple[Person, ...]
    income: int  # 分
    yearly: bool = False


def age(born: date, day: date) -> int:
    """Full years on ``day``."""
    years = day.year - born.year
    return years - 1 if (day.month, day.day) < (born.month, born.day) else years


def monthly(house: Household) -> Fraction:
    """The household's income a month; nothing is rounded."""
    return Fraction(house.income, 12) if house.yearly else Fraction(house.income)


def per_head(house: Household) -> Fraction:
    return monthly(house) / len(house.people)


def addon(person: Person, kind: str, place: Place, day: date) -> int:
    """分类施保 (57号第27条): old people, minors, the severely disabled, the gravely ill; one count a person, the highest."""
    years = age(person.born, day)
    classes = []
    if years >= place.elder_from:
        classes.append("老年人")
    if years < place.minor_below:
        classes.append("未成年人")
    if person.grade in (1, 2):
        classes.append("重度残疾人")
    if person.ill:
        classes.append("重病患者")
    return max([(place.addons or {}).get((one, kind), 0) for one in classes], default=0)


def rounded(exact: Fraction, place: Place) -> int:
    """The one rounding there is."""
    units = exact / place.unit
    whole = units.numerator // units.denominator
    rest = units - whole
    if (place.up and rest > 0) or (not place.up and rest >= Fraction(1, 2)):
        whole += 1
    return whole * place.unit


def allowance(house: Household, place: Place, day: date) -> int:
    """低保金: 标准 × 人数 − 家庭月收入, and 分类施保 where anything is due at all."""
    short = Fraction(place.standard[house.kind] * len(house.people)) - monthly(house)
    if short <= 0:
        return 0
    base = rounded(short, place)
    return base + sum(addon(one, house.kind, place, day) for one in house.people) if base else 0


def is_poor(house: Household, place: Place) -> bool:
    """低保: 人均月收入低于当地标准 (57号第4条)."""
    return per_head(house) < place.standard[house.kind]


def is_margin(house: Household, place: Place) -> tuple[bool, bool]:
    """低保边缘: (not poor enough for 低保, below the line of the margin) (社会救助法第21条)."""
    standard = place.standard[house.kind]
    return per_head(house) >= standard, per_head(house) < standard * place.margin


def may_be_alone(person: Person) -> bool:
    """单人户 (57号第8条): 一、二级残疾, 三级智力、精神残疾, 重特大疾病."""
    return person.grade in (1, 2) or (person.grade == 3 and person.kind in ("智力", "精神")) or person.ill


def support(kind: str, care: str, place: Place) -> int:
    """特困: basic (1.3 times the standard, up to a whole 元) and care by self-care."""
    exact = Fraction(place.standard[kind] * 13, 10 * YUAN)
    basic = -(-exact.numerator // exact.denominator) * YUAN
    return basic + (place.care or {})[care]


def cannot_work(person: Person, day: date) -> bool:
    """无劳动能力 (《特困人员认定办法》第5条); who came in as a child stays to 18 (第24条)."""
    years = age(person.born, day)
    minds = person.kind in ("智力", "精神") and person.grade in (1, 2, 3)
    limbs = person.kind == "肢体" and person.grade in (1, 2)
    return years >= 60 or years < 18 or minds or limbs or (person.kind == "视力" and person.grade == 1)


def nursing_subsidy(person: Person, place: Place) -> int:
    """重度残疾人护理补贴 by grade; 0: not entitled."""
    third = place.third_grade_minds and person.grade == 3 and person.kind in ("智力", "精神")
    return (place.nursing or {}).get(person.grade, 0) if person.grade in (1, 2) or third else 0


def old_age(person: Person, place: Place, day: date) -> int:
    """高龄津贴 by age; 0: too young."""
    years = age(person.born, day)
    return max([(low, fen) for low, fen in place.old if years >= low], default=(0, 0))[1]
