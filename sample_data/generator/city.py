"""A city as columns, for ledgers of a million persons: rolls and registers in the record's own terms, planted by vectors, no workbooks.

The population, the rolls and most plants are those of a scenario; what a scenario plants person by person is planted here by the thousand.
Earlier months are the last one without some families that came later, and with some that were on the margin's roll before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from generator import plants
from generator import rolls as make
from generator.identity import citizen_ids
from generator.months import months_back
from generator.names import given_names, surnames
from generator.places import make_region
from generator.planter import (
    EXTREME,
    MARGIN,
    NURSING,
    OLD_AGE,
    RENOVATION,
    RIGID,
    SUBSISTENCE,
    Planter,
)
from generator.population import make_world
from generator.rolls import GRADES, KINDS, Rolls, make_rolls
from generator.standards import Standards
from generator.truth import Truth

TEMPORARY = "temporary_assistance"
Register = pd.DataFrame  # columns of ``register_row`` that hold anything


@dataclass
class City:
    """``rolls``: month → programme → roll, as of ``rolls.make_rolls``. ``registers``: code → lines. Strong and candidate doubts: ``truth.planted``, ``truth.candidates``."""

    rolls: dict[str, Rolls]
    registers: dict[str, Register]
    truth: Truth
    towns: list[str]


def make_city(
    region_code: str,
    standards: Standards,
    *,
    persons: int,
    months: Sequence[str],
    seed: int,
    towns: int = 60,
    each: int = 1000,
) -> City:
    """``months``: in order, the last is the month judged. ``each``: how many of every planted fact. Same arguments, same city."""
    month = months[-1]
    region = make_region(region_code, towns)
    world = make_world(region, standards, persons=persons, month=month, seed=seed)
    world.persons["cancelled"] = False
    truth = Truth(seed, region_code, list(months), [t.name for t in region.towns])
    planter = Planter(world, make_rolls(world), truth, np.random.default_rng([seed, 11]), frozenset())
    for plant in _PLANTS:
        plant(planter, each)
    facts = _Lists(planter, np.random.default_rng([seed, 13]))
    registers = facts.make(each)
    rolls = _earlier(planter, months, each) | {month: planter.rolls}
    _note_candidates(planter, registers)
    return City(rolls, registers, truth, truth.towns)


def _households_twice(p: Planter, count: int) -> None:
    """Households on two rolls that exclude each other per household."""
    status, quiet, size = p.persons["status"], p.quiet(), p.size()
    for source, code in (("subsistence", SUBSISTENCE), ("margin", MARGIN)):
        heads = p.pick((status == source) & (size == 2) & quiet & (p.persons["member"] == 0), max(1, count // 2))
        members = p.persons[p.persons["household"].isin(heads["household"])]
        members = members[members.index.isin(p.rolls[code]["person"])]
        p.append(
            RIGID, make.household_rows(p.world, members).assign(start_month="2026-03", cause="医疗支出", remark="")
        )
        for _, family in members.groupby("household"):
            p.truth.plant("double", "X户", family["id_no"], (code, RIGID))


def _listed_twice(p: Planter, count: int) -> None:
    """The same programme twice: in two villages of a town, in two towns; one-off aid twice for one cause."""
    status, quiet, size, grade = p.persons["status"], p.quiet(), p.size(), p.persons["grade"]
    single = (status == "subsistence") & (size == 1) & quiet
    _again(p, p.pick(single, count), SUBSISTENCE, other_town=False)
    _again(p, p.pick(single, count), SUBSISTENCE, other_town=True)
    _again(p, p.pick(status == "old", count), OLD_AGE, other_town=True)
    _again(p, p.pick((status == "disabled") & grade.isin([1, 2]), count), NURSING, other_town=True)
    aided = p.persons.index.isin(p.rolls[TEMPORARY]["person"]) & p.calm()
    _again(p, p.pick(aided, count // 2), TEMPORARY, other_town=False)
    people = p.pick(aided, count // 2)  # another cause: legal
    copy = p.rolls[TEMPORARY][p.rolls[TEMPORARY]["person"].isin(people.index)]
    p.append(TEMPORARY, copy.assign(cause="他故", event_date=p.world.month + "-25"))


def _again(p: Planter, people: pd.DataFrame, code: str, *, other_town: bool) -> None:
    roll = p.rolls[code]
    copy = roll[roll["person"].isin(people.index)]
    towns = p.world.region.towns
    index = {town.name: number for number, town in enumerate(towns)}
    number = copy["town"].map(index).to_numpy()
    if other_town:
        number = (number + p.rng.integers(1, len(towns), len(copy))) % len(towns)
    chosen = [towns[n] for n in number]
    village = [t.villages[int(at * len(t.villages))] for t, at in zip(chosen, p.rng.random(len(copy)), strict=True)]
    p.append(code, copy.assign(town=[t.name for t in chosen], village=village))
    for id_no in people["id_no"]:
        p.truth.plant("double", "同项目两次", (id_no,), (code, code))


def _dead(p: Planter, count: int) -> None:
    """Paid after the month of death; died this month; died long ago and taken off."""
    status, size, month, age = p.persons["status"], p.size(), p.world.month, p.persons["age"]
    long_ago, late = months_back(month, 5) + "-11", months_back(month, 1) + "-20"
    plain = (status == "extreme") & (age < 80) & (p.persons["grade"] == 0)
    for code, mask, died in (
        (EXTREME, plain, late), (OLD_AGE, status == "old", late),
        (NURSING, (status == "disabled") & p.persons["grade"].isin([1, 2]), long_ago),
        (SUBSISTENCE, (status == "subsistence") & (size == 1) & p.quiet(), long_ago),
        (SUBSISTENCE, (status == "subsistence") & (size >= 2) & p.quiet() & (p.persons["member"] > 0), late),
    ):  # fmt: skip
        people = p.pick(mask, count)
        p.deaths |= dict.fromkeys(people.index.tolist(), died)
        p.plant("after_event", "死亡后领取", people, (code,))
    people = p.pick(plain, count)
    p.deaths |= dict.fromkeys(people.index.tolist(), month + "-03")


def _accounts(p: Planter, count: int) -> None:
    """One account under people of different households."""
    status = p.persons["status"]
    for code, mask, holders in (
        (SUBSISTENCE, (status == "subsistence") & (p.size() == 1) & p.quiet(), 2), (OLD_AGE, status == "old", 3),
    ):  # fmt: skip
        people = p.pick(mask, count // 2 * holders)
        groups = np.arange(len(people)) // holders
        roll = p.rolls[code]
        first = people["account"].to_numpy()[groups * holders]
        account = roll["person"].map(dict(zip(people.index, first, strict=True)))
        roll["account_no"] = account.where(account.notna(), roll["account_no"])
        for group in people["id_no"].to_numpy()[: len(people) // holders * holders].reshape(-1, holders):
            p.truth.plant("account", "同一账号多人", group, (code,))


_PLANTS: tuple[Callable[[Planter, int], None], ...] = (
    plants.two_programmes, plants.children, plants.higher_one, _households_twice, _listed_twice, _dead, plants.missed, plants.claims, _accounts,
)  # fmt: skip


class _Lists:
    """The registers of a city and what is planted by them."""

    def __init__(self, p: Planter, rng: np.random.Generator) -> None:
        self.p, self.rng = p, rng

    def make(self, count: int) -> dict[str, Register]:
        prisoners = self._imprisonment(count)
        return {
            "death": self._deaths(0, 1), "cremation": self._deaths(0, 3), "disability_certificate": self._certificates(count),
            "imprisonment": prisoners, "school_enrolment": self._school(), "severe_illness": self._illness(),
            "dilapidated_house_survey": self._houses(), "marriage": self._marriages(count),
            "household_registration": self._registration(count), "staff_and_cadres": self._staff(count),
        }  # fmt: skip

    def _strangers(self, count: int, first: int, last: int, area: str = "") -> pd.DataFrame:
        male = self.rng.random(count) < 0.5
        years = pd.to_datetime(self.rng.integers(first, last, count).astype(str))
        born = pd.Series(years + pd.to_timedelta(self.rng.integers(0, 365, count), unit="D"))
        code = np.full(count, area or self.p.world.region.code[:4] + "99", dtype=object)
        name = surnames(self.rng, count) + given_names(self.rng, male)
        return pd.DataFrame({"name": name, "id_no": citizen_ids(code, born, male)})

    def _towns(self, count: int) -> np.ndarray:
        names = np.array([t.name for t in self.p.world.region.towns], dtype=object)
        return names[self.rng.integers(0, len(names), count)]

    def _deaths(self, start: int, step: int) -> Register:
        index = list(self.p.deaths)[start::step]
        dead = self.p.persons.loc[index, ["name", "id_no"]].assign(event_date=[self.p.deaths[i] for i in index])
        others = self._strangers(len(self.p.persons) // 30, 1925, 1970)
        days = pd.to_datetime(self.p.world.month + "-01") - pd.to_timedelta(
            self.rng.integers(1, 700, len(others)), unit="D"
        )
        return pd.concat([dead, others.assign(event_date=days.strftime("%Y-%m-%d"))]).assign(
            valid_from=lambda d: d["event_date"]
        )

    def _certificates(self, count: int) -> Register:
        p = self.p
        lapsed = p.pick((p.persons["status"] == "disabled") & p.persons["grade"].isin([1, 2]), count // 2)
        p.plant("after_event", "残疾证失效", lapsed, (NURSING, "register:disability_certificate"))
        held = p.persons[p.persons["grade"] > 0]
        held = held.assign(status=np.where(held.index.isin(lapsed.index), "注销", "正常"))
        others = self._strangers(len(held) // 2, 1950, 2012, "420199").assign(
            kind=4, grade=3, status="正常", town=lambda o: self._towns(len(o))
        )
        both = pd.concat([held[["name", "id_no", "kind", "grade", "status", "town"]], others])
        numbers = both["id_no"] + both["kind"].astype(str) + both["grade"].astype(str)
        return both.assign(
            certificate_no=numbers, kind=both["kind"].map(KINDS), grade=both["grade"].map(GRADES), valid_from="2020-05-18",
            valid_to=np.where(both["status"] == "注销", months_back(p.world.month, 6) + "-17", "2030-05-17"),
        )  # fmt: skip

    def _imprisonment(self, count: int) -> Register:
        p, month = self.p, self.p.world.month
        single = (p.persons["status"] == "subsistence") & (p.size() == 1) & p.quiet()
        inside = p.pick(single, count)
        p.plant("after_event", "服刑期间领取", inside, ("register:imprisonment", SUBSISTENCE))
        freed = p.pick(single, count)  # let go in the course of the month: not all month inside
        parts = [
            inside[["name", "id_no"]].assign(
                valid_from=months_back(month, 8) + "-05", valid_to=months_back(month, -20) + "-04"
            ),
            freed[["name", "id_no"]].assign(
                valid_from=months_back(month, 30) + "-05", valid_to=months_back(month, 4) + "-09"
            ),
            self._strangers(len(p.persons) // 60, 1960, 2003).assign(valid_from="2024-01-01", valid_to="2029-01-01"),
        ]
        return pd.concat(parts)

    def _school(self) -> Register:
        young = self.p.persons[self.p.persons["age"].between(7, 17)]
        return young[["name", "id_no", "town"]].assign(
            valid_from="2024-09-01", valid_to="2028-07-01", kind="义务教育", status="在读"
        )

    def _illness(self) -> Register:
        persons = self.p.persons
        ill = persons[
            (persons["household"] % 23 == 7)
            & persons["status"].isin(["subsistence", "margin"])
            & (persons["member"] == 0)
        ]
        return ill[["name", "id_no", "town"]].assign(kind="恶性肿瘤", event_date="2025-11-03", valid_from="2025-12-01")

    def _houses(self) -> Register:
        persons = self.p.persons
        owners = persons[(persons["household"] % 29 == 4) & (persons["member"] == 0) & ~persons["urban"]]
        grade = np.array(["A级", "C级", "D级"], dtype=object)[owners["household"].to_numpy() % 3]
        return owners[["name", "id_no", "town", "village"]].assign(grade=grade, event_date="2026-04-12")

    def _marriages(self, count: int) -> Register:
        """All couples, and couples who live on two rolls and share an account: legal."""
        p = self.p
        persons = p.persons
        wives = persons[(persons["member"] == 1) & (persons["relation"] == "配偶")]
        heads = make.heads_of(p.world, wives)
        couples = pd.DataFrame({
            "name": heads["name"].to_numpy(), "id_no": heads["id_no"].to_numpy(),
            "related_name": wives["name"].to_numpy(), "related_id_no": wives["id_no"].to_numpy(),
        })  # fmt: skip
        apart = p.pick(persons["status"] == "old", count // 2 * 2)
        first, second = apart.iloc[0::2], apart.iloc[1::2]
        first = first.iloc[: len(second)]
        roll = p.rolls[OLD_AGE]
        account = roll["person"].map(dict(zip(second.index, first["account"], strict=True)))
        roll["account_no"] = account.where(account.notna(), roll["account_no"])
        legal = pd.DataFrame({
            "name": first["name"].to_numpy(), "id_no": first["id_no"].to_numpy(),
            "related_name": second["name"].to_numpy(), "related_id_no": second["id_no"].to_numpy(),
        })  # fmt: skip
        return pd.concat([couples, legal]).assign(event_date="1999-10-01", kind="结婚登记")

    def _registration(self, count: int) -> Register:
        """Everybody of the city's households of two and more; and people of eighty who are on no roll at all (政策找人)."""
        p = self.p
        members = p.persons[p.size() >= 2]
        heads = make.heads_of(p.world, members)
        lines = members[["name", "id_no", "town", "village", "relation"]].assign(
            related_name=heads["name"].to_numpy(), related_id_no=heads["id_no"].to_numpy(), status="正常",
            certificate_no=("H" + members["household"].astype(str)),
        )  # fmt: skip
        old = self._strangers(count, 1930, 1945, "429099").assign(
            town=lambda o: self._towns(len(o)), relation="户主", status="正常"
        )
        for id_no in old["id_no"]:
            p.truth.plant("missed", "户籍在册年满起龄", (id_no,), ("register:household_registration", OLD_AGE))
        return pd.concat([lines, old])

    def _staff(self, count: int) -> Register:
        kin = self.p.pick((self.p.persons["status"] == "subsistence") & (self.p.persons["member"] == 0), count)
        staff = self._strangers(len(kin), 1970, 1995)
        roll = self.p.rolls[SUBSISTENCE]
        filed = set(roll.loc[roll["kin_filed"] == "是", "id_no"])
        for id_no, relative in zip(kin["id_no"], staff["id_no"], strict=True):
            if id_no not in filed:
                case = plants.Case(
                    "kinship", "近亲属未备案", (id_no, relative), (SUBSISTENCE, "register:staff_and_cadres")
                )
                self.p.truth.candidates.append(case)
        return staff.assign(related_name=kin["name"].to_numpy(), related_id_no=kin["id_no"].to_numpy(), relation="父母",
                            organisation=kin["town"].to_numpy() + "民政办", event_date="2025-12-01")  # fmt: skip


def _earlier(p: Planter, months: Sequence[str], count: int) -> dict[str, Rolls]:
    """The months before: families of nobody due anything that came later, and singles who were on the margin's roll before."""
    persons, out = p.persons, {}
    free = (
        p.calm()
        & ~persons["household"].isin(p.used)
        & persons["status"].isin(["subsistence", "margin", "extreme", "ordinary", "rigid"])
    )
    movers = p.pick((persons["status"] == "subsistence") & p.quiet() & (p.size() == 1), count)
    for back, month in enumerate(reversed(months[:-1]), 1):
        later = set(persons.loc[free & (persons["household"] % 37 < back), "household"])
        rolls = {code: roll[~roll["household"].isin(later)] for code, roll in p.rolls.items()}
        if back >= len(months) // 2:
            moved = rolls[SUBSISTENCE]["person"].isin(movers.index)
            before = rolls[SUBSISTENCE][moved].drop(columns=["amount", "base", "addon"])
            rolls |= {MARGIN: pd.concat([rolls[MARGIN], before]), SUBSISTENCE: rolls[SUBSISTENCE][~moved]}
        # what is given once stands in the month's list only
        rolls |= {code: rolls[code].iloc[:0] for code in (TEMPORARY, RENOVATION)}
        out[month] = rolls
    return out


def _note_candidates(p: Planter, registers: dict[str, Register]) -> None:
    """Candidates that follow from the clean rolls: margin people who may have subsistence alone, unsafe houses without renovation.

    Where something else was planted they may be proposed or not: barred, dead, on another roll in an earlier month.
    """
    persons = p.persons
    ill = persons["id_no"].isin(registers["severe_illness"]["id_no"])
    severe = persons["grade"].between(1, 2) | ((persons["grade"] == 3) & persons["kind"].isin([5, 6]))
    survey = registers["dilapidated_house_survey"]
    unsafe = persons["id_no"].isin(survey.loc[survey["grade"] != "A级", "id_no"])
    unsafe &= ~persons.index.isin(p.rolls[RENOVATION]["person"])
    used = persons["household"].isin(p.used)
    extreme = p.rolls[EXTREME]
    on = {code: persons.index.isin(p.rolls[code]["person"]) for code in (SUBSISTENCE, MARGIN)}
    on[EXTREME] = persons.index.isin(extreme.loc[extreme["care_mode"] != "集中", "person"])
    # whom no roll has, disabled or gravely ill in an unsafe house: the hint B20, beyond the classes of B13
    unaided = ~persons.index.isin(np.concatenate([roll["person"].to_numpy() for roll in p.rolls.values()]))
    hinted = unaided & ((persons["grade"] > 0) | ill)
    for rule, mask, due in (
        ("边缘单人保", (on[MARGIN] | used) & (ill | severe), SUBSISTENCE),
        ("危房未改", (on[SUBSISTENCE] | on[EXTREME] | on[MARGIN] | hinted | used) & unsafe, RENOVATION),
    ):  # fmt: skip
        for target, some in ((p.truth.candidates, mask & ~used), (p.truth.tolerated, mask & used)):
            target += [plants.Case("missed", rule, (id_no,), ("", due)) for id_no in persons.loc[some, "id_no"]]
