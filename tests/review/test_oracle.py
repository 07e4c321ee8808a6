"""SQL over all cases at once against the plain-Python oracle, on random households; and what must hold of any amount."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.identity import check_char
from jiuzhu_cli.ledger.proposals import proposals_of
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.review.run import run_review
from tests.review import oracle
from tests.review.library import parameters_text
from tests.review.oracle import Household, Person, Place
from tests.support import make_workspace, put_register, put_roll

MONTH, DAY = "2026-10", date(2026, 10, 31)
CLASSES = ("老年人", "未成年人", "重度残疾人", "重病患者")
LINKOU = Place(
    {"农村": 63_200, "城市": 78_590}, addons={(c, k): fen for c in CLASSES for k, fen in (("农村", 10_400), ("城市", 14_200))},
    care={"自理": 19_100, "半自理": 31_900, "全护理": 47_800}, living=8_000, nursing={1: 10_000, 2: 8_000},
    old=((80, 2_500), (90, 10_000), (100, 30_000)),
)  # fmt: skip
SAMPLE = Place(
    {"农村": 60_000, "城市": 76_000}, care={"自理": 19_100, "半自理": 31_900, "全护理": 63_700}, living=8_000, nursing={1: 12_000, 2: 10_000},
    old=((80, 5_000), (90, 10_000), (100, 50_000)),
)  # fmt: skip
FAR = Place(
    {"农村": 48_050, "城市": 70_000}, unit=10, up=False, elder_from=70, margin=Fraction(2), third_grade_minds=True,
    addons={(c, k): fen + more for c, fen in zip(CLASSES, (5_000, 8_000, 12_000, 10_000), strict=True) for k, more in (("农村", 0), ("城市", 1_111))},
    care={"自理": 18_000, "半自理": 30_000, "全护理": 60_000}, living=8_000, nursing={1: 10_000, 2: 8_000, 3: 6_000},
    old=((80, 5_000), (90, 10_000), (100, 30_000)),
)  # fmt: skip
OWN: dict[str, Any] = {
    "低保标准_农村": Decimal("480.5"), "低保标准_城市": 700, "低保金取整单位": Decimal("0.1"), "低保金进位取整": False,
    "分类施保老年起龄": 70, "低保边缘倍数": 2, "护理补贴_含三级智力精神": True, "重度残疾人护理补贴标准_三级": 60,
    "照料护理标准_自理": 180, "照料护理标准_半自理": 300, "照料护理标准_全护理": 600,
} | {f"分类施保标准_{kind}_{what}": Decimal(fen) / 100 for (what, kind), fen in (FAR.addons or {}).items()}  # fmt: skip
# region, and what its own folder says over what is shipped
PLACES: dict[str, tuple[str, Place, dict[str, Any]]] = {
    "linkou": ("231025", LINKOU, {}), "sample": ("421002", SAMPLE, {}), "far": ("530824", FAR, OWN),
}  # fmt: skip


@dataclass(frozen=True)
class Single:
    """A person on a roll by person, paid ``fen``; ``care`` for extreme poverty."""

    programme: str
    person: Person
    paid: int
    kind: str = "农村"
    care: str = "自理"


class District:
    """Households and persons put on rolls and reviewed once; ``made`` finds the proposals of one of them."""

    def __init__(self, folder: Path, region: str, own: dict[str, Any]) -> None:
        self.workspace = make_workspace(folder / "bureau", region=region)
        overlay = self.workspace.root / "policy" / "parameters"
        overlay.mkdir(parents=True, exist_ok=True)
        if own:
            (overlay / "own.toml").write_text(parameters_text(region, MONTH, own), "utf-8")
        self.policy = load_policy(self.workspace.root / "policy", region=region)
        self.region, self.count = region, 0
        self.rolls: dict[str, list[dict[str, Any]]] = {}
        self.papers: list[dict[str, Any]] = []
        self.sick: list[dict[str, Any]] = []

    def _person(self, person: Person) -> str:
        self.count += 1
        first17 = f"{int(self.region) + self.count // 900:06d}{person.born:%Y%m%d}{self.count % 900 + 50:03d}"
        id_no = first17 + check_char(first17)
        if person.grade:
            grade = "一二三四"[person.grade - 1] + "级"
            self.papers.append({"id_no": id_no, "kind": person.kind, "grade": grade, "valid_from": "2020-01-01"})
        if person.ill:
            self.sick.append({"id_no": id_no, "kind": "尿毒症"})
        return id_no

    def household(self, programme: str, house: Household, paid: int | None) -> str:
        """Returns the lead's ID."""
        roll = self.rolls.setdefault(programme, [])
        case = roll[-1]["case_no"] + 1 if roll else 1
        ids = [self._person(one) for one in house.people]
        size = len(ids)
        for at, id_no in enumerate(ids):
            row: dict[str, Any] = {"id_no": id_no, "case_no": case, "lead": int(at == 0), "category": house.kind}
            if at == 0:
                period = "year" if house.yearly else "month"
                row |= {"household_size": size, "covered_persons": size, "income_fen": house.income, "income_period": period, "amount_fen": paid}  # fmt: skip
            roll.append(row)
        return ids[0]

    def single(self, one: Single) -> str:
        roll = self.rolls.setdefault(one.programme, [])
        id_no = self._person(one.person)
        roll.append({"id_no": id_no, "case_no": len(roll) + 1, "lead": 1, "category": one.kind, "amount_fen": one.paid})
        if one.programme == "extreme_poverty_support":
            roll[-1]["self_care"] = one.care
        return id_no

    def review(self) -> None:
        with self.workspace.open_store() as store:
            for programme, rows in self.rolls.items():
                put_roll(store, programme, "青溪镇", MONTH, rows)
            for register, rows in (
                ("disability_certificate", self.papers), ("severe_illness", self.sick), ("school_enrolment", []),
            ):  # fmt: skip
                put_register(store, register, rows)
            run_review(
                store, self.workspace, self.policy, MONTH, today=date(2026, 10, 22), actor="张经办", keep_rows=True,
                now=datetime(2026, 10, 22, 1, tzinfo=UTC),
            )  # fmt: skip
            self.made = {(one["programme"], one["id_no"]): one for one in proposals_of(store, MONTH)}


# ---- random people: nobody has a birthday in the month, of which either custom (from the month, from the month after) is right


def some_person(rng: random.Random) -> Person:
    years, month = rng.randint(1, 105), rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12])
    born = date(2026 - years, month, rng.randint(1, 28))
    kind, grade = ("", 0)
    if rng.random() < 0.3:
        kind, grade = rng.choice(("肢体", "视力", "听力", "言语", "智力", "精神")), rng.randint(1, 4)
    return Person(born, kind, grade, rng.random() < 0.1)


def some_household(rng: random.Random, place: Place) -> Household:
    people = tuple(some_person(rng) for _ in range(rng.randint(1, 6)))
    kind = rng.choice(("城市", "农村"))
    line = place.standard[kind] * len(people)
    income = int(line * rng.choice((0, 0.2, 0.5, 0.9, 0.999, 1, 1.001, 1.2, float(place.margin), 2.5)))
    income = max(0, income + rng.choice((-1, 0, 1, rng.randint(-3_000, 3_000))))
    yearly = rng.random() < 0.5
    return Household(kind, people, income * 12 + rng.randint(0, 11) if yearly else income, yearly)


def near(due: int, rng: random.Random) -> int:
    return max(0, rng.choice((due, due, due + rng.choice((-1, 1)) * rng.choice((1, 10, 100, 10_400)), rng.randint(0, 400_000))))  # fmt: skip


def told(one: dict[str, Any] | None) -> str:
    return (
        "—"
        if one is None
        else f"{one['action']} {one['amount_before_fen']}→{one['amount_after_fen']}：{one['reasons']}"
    )


def check_allowance(made: dict[str, Any] | None, paid: int, due: int, poor: bool) -> str:
    """'' or what is wrong about a household of the allowance."""
    if not poor:
        right = made is not None and (made["action"], made["amount_after_fen"]) in (("stop", 0), ("grace", paid))
    elif paid == due:
        right = made is not None and made["action"] == "keep"
    else:
        # so little is wanting that it is rounded to nothing: nothing is paid
        action = "increase" if due > paid else "decrease" if due else "stop"
        right = made is not None and (made["action"], made["amount_after_fen"]) == (action, due)
    return "" if right else f"paid {paid}, due {due}, poor {poor}: {told(made)}"


@pytest.mark.parametrize("place", PLACES)
def test_a_whole_district_as_the_oracle_says(tmp_path: Path, place: str) -> None:
    """1,500 households and 1,500 persons a region, the paid amounts right, near, or far off."""
    region, rules, own = PLACES[place]
    rng = random.Random(f"{place} 20261001")
    district = District(tmp_path, region, own)
    houses: list[tuple[str, str, Household, int]] = []
    for number in range(1_500):
        house = some_household(rng, rules)
        if number % 4 == 3:
            houses.append(("low_income_margin", district.household("low_income_margin", house, None), house, 0))
        else:
            paid = near(oracle.allowance(house, rules, DAY), rng)
            houses.append(
                ("subsistence_allowance", district.household("subsistence_allowance", house, paid), house, paid)
            )
    singles: list[tuple[str, Single]] = []
    for number in range(1_500):
        person, kind, care = some_person(rng), rng.choice(("城市", "农村")), rng.choice(("自理", "半自理", "全护理"))
        programme = ("extreme_poverty_support", "disability_care_subsidy", "old_age_allowance")[number % 3]
        due = {
            "extreme_poverty_support": oracle.support(kind, care, rules), "disability_care_subsidy": oracle.nursing_subsidy(person, rules),
            "old_age_allowance": oracle.old_age(person, rules, DAY),
        }[programme]  # fmt: skip
        one = Single(programme, person, near(due, rng), kind, care)
        singles.append((district.single(one), one))
    district.review()
    wrong = []
    for programme, id_no, house, paid in houses:
        made = district.made.get((programme, id_no))
        if programme == "subsistence_allowance":
            said = check_allowance(made, paid, oracle.allowance(house, rules, DAY), oracle.is_poor(house, rules))
        else:
            enough, below = oracle.is_margin(house, rules)
            action = None if enough and below else "check" if below else "stop"
            made_action = made["action"] if made and made["action"] != "keep" else None
            said = "" if made_action == action else f"margin {enough} {below}: {told(made)}"
        wrong += [f"{said} {house}"] if said else []
    for id_no, one in singles:
        said = check_single(district.made.get((one.programme, id_no)), one, rules)
        wrong += [f"{said} {one}"] if said else []
    assert not wrong, f"{len(wrong)} of {len(houses) + len(singles)}:\n" + "\n".join(wrong[:8])


def check_single(made: dict[str, Any] | None, one: Single, rules: Place) -> str:
    action, after = (made["action"], made["amount_after_fen"]) if made else (None, None)
    if one.programme == "extreme_poverty_support":
        due, entitled, refused = oracle.support(one.kind, one.care, rules), oracle.cannot_work(one.person, DAY), "check"
    elif one.programme == "disability_care_subsidy":
        due = oracle.nursing_subsidy(one.person, rules)
        entitled, refused = due > 0, "stop"
    else:
        due = oracle.old_age(one.person, rules, DAY)
        entitled, refused = due > 0, "stop"
    if not entitled and one.paid != due and refused == "check":
        right = action in ("check", "increase", "decrease")  # the amount is said, and the doubt beside it
        right = right and "无劳动能力" in (made or {"reasons": ""})["reasons"]
    elif not entitled:
        right = action == refused
    elif one.paid == due:
        right = action == "keep"
    else:
        right = (action, after) == ("increase" if due > one.paid else "decrease", due)
    return "" if right else f"due {due}, entitled {entitled}: {told(made)}"


# ---- properties, with shrinking: few households at a time

PERSONS = st.builds(
    Person,
    st.dates(date(1930, 1, 1), date(2026, 1, 1)).filter(lambda day: day.month != 10),
    st.sampled_from(("肢体", "智力", "精神", "听力")), st.integers(0, 4), st.booleans(),
)  # fmt: skip
HOUSES = st.builds(
    Household, st.sampled_from(("城市", "农村")), st.lists(PERSONS, min_size=1, max_size=5).map(tuple),
    st.integers(0, 600_000), st.booleans(),
)  # fmt: skip
FEW = settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False
)


def amounts(folder: Path, place: str, houses: Iterable[Household]) -> list[int]:
    """What the program says is due: each household is paid one 分, which is never right."""
    region, _, own = PLACES[place]
    district = District(folder, region, own)
    leads = [district.household("subsistence_allowance", house, 1) for house in houses]
    district.review()
    found = [district.made[("subsistence_allowance", id_no)] for id_no in leads]
    assert all(one["action"] in ("increase", "stop", "grace") for one in found), [told(one) for one in found]
    return [one["amount_after_fen"] if one["action"] != "grace" else 0 for one in found]


@given(houses=st.lists(HOUSES, min_size=8, max_size=25), place=st.sampled_from(sorted(PLACES)))
@FEW
def test_properties_of_the_allowance(
    tmp_path_factory: pytest.TempPathFactory, houses: Sequence[Household], place: str
) -> None:
    """Never negative; equal to the oracle; more income never means more money; who is listed first changes nothing; rounded once."""
    rules = PLACES[place][1]
    turned = [replace(one, people=one.people[1:] + one.people[:1]) for one in houses]
    richer = [replace(one, income=one.income + 777 * (12 if one.yearly else 1)) for one in houses]
    found = amounts(tmp_path_factory.mktemp("p"), place, [*houses, *turned, *richer])
    count = len(houses)
    for at, house in enumerate(houses):
        due, same, less = found[at], found[count + at], found[2 * count + at]
        assert due >= 0
        assert due == oracle.allowance(house, rules, DAY)
        assert due == same, "the order of the members changed the amount"
        assert less <= due, "more income, more money"
        short = Fraction(rules.standard[house.kind] * len(house.people)) - oracle.monthly(house)
        if short > 0:
            base = due - sum(oracle.addon(one, house.kind, rules, DAY) for one in house.people) if due else 0
            off = base - short
            assert (0 <= off < rules.unit) if rules.up else abs(off) <= Fraction(rules.unit, 2), (
                "rounded more than once"
            )
