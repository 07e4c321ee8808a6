"""Plants what must be found: doubles, payments after death, missed aid, false status, shared accounts, wrong reviews.

Each planted fact takes a household of its own, so one plant never disturbs another.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from generator import rolls as make
from generator.months import months_back
from generator.planter import (
    DE_FACTO,
    ELDER_CARE,
    EXTREME,
    LIVING,
    MARGIN,
    NURSING,
    OLD_AGE,
    ORPHAN,
    RENOVATION,
    RIGID,
    SUBSISTENCE,
    Planter,
)  # fmt: skip
from generator.truth import Case

Plant = Callable[[Planter, int], None]


def two_programmes(p: Planter, count: int) -> None:
    """One person on two rolls that exclude each other."""
    status, quiet, size, world = p.persons["status"], p.quiet(), p.size(), p.world
    people = p.pick((status == "subsistence") & (size == 1) & quiet & (p.persons["age"] >= 60), count)
    p.append(EXTREME, make.finish_extreme(world, make.base_rows(world, people)))
    p.plant("double", "X", people, (SUBSISTENCE, EXTREME))
    people = p.pick((status == "margin") & (size == 1) & quiet, count)
    rows = make.household_rows(world, people)
    p.append(SUBSISTENCE, make.finish_subsistence(world, rows.assign(income=rows["income"] // 3)))
    p.plant("double", "X", people, (MARGIN, SUBSISTENCE))
    for code, grade, which in ((LIVING, 3, "living"), (NURSING, 1, "nursing")):
        people = p.certify(p.pick((status == "extreme") & (p.persons["age"] < 80), count), grade)
        p.append(code, make.finish_disability(world, make.base_rows(world, people), which))
        p.plant("double", "X", people, (EXTREME, code))


def children(p: Planter, count: int) -> None:
    """Orphans and de-facto orphans with what excludes, caps or replaces their allowance."""
    if not p.knows(ORPHAN, DE_FACTO):
        return
    status, world, count = p.persons["status"], p.world, max(1, count // 2)
    people = p.pick(status == "orphan", count)
    p.append(DE_FACTO, make.base_rows(world, people).assign(amount=world.standards.de_facto_orphan, remark=""))
    p.plant("double", "X", people, (ORPHAN, DE_FACTO))
    people = p.pick(status == "orphan", count)
    p.append(EXTREME, make.finish_extreme(world, make.base_rows(world, people)))
    p.plant("double", "X", people, (ORPHAN, EXTREME))
    people = p.certify(p.pick(status == "orphan", count), 4)
    p.append(LIVING, make.finish_disability(world, make.base_rows(world, people), "living"))
    p.plant("double", "X", people, (ORPHAN, LIVING))
    child = (status == "subsistence") & p.persons["age"].between(3, 15) & (p.persons["member"] >= 2) & p.quiet()
    people = p.pick(child, count)
    p.append(DE_FACTO, make.base_rows(world, people).assign(amount=world.standards.de_facto_cap, remark=""))
    p.plant("double", "T", people, (SUBSISTENCE, DE_FACTO))


def higher_one(p: Planter, count: int) -> None:
    if not p.knows(ELDER_CARE):
        return
    people = p.certify(p.pick(p.persons["status"] == "elder_care", max(1, count // 2)), 1)
    p.append(NURSING, make.finish_disability(p.world, make.base_rows(p.world, people), "nursing"))
    p.plant("double", "H", people, (ELDER_CARE, NURSING))


def household_level(p: Planter, count: int) -> None:
    """A household on two rolls that exclude each other per household."""
    if not p.knows(RIGID):
        return
    status, quiet, size = p.persons["status"], p.quiet(), p.size()
    for source, code in (("subsistence", SUBSISTENCE), ("margin", MARGIN)):
        heads = p.pick((status == source) & (size == 2) & quiet & (p.persons["member"] == 0), max(1, count // 2))
        members = p.persons[p.persons["household"].isin(heads["household"])]
        members = members[members.index.isin(p.rolls[code]["person"])]
        rows = make.household_rows(p.world, members)
        p.append(RIGID, rows.assign(start_month="2026-03", cause="医疗支出", remark=""))
        for _, family in members.groupby("household"):
            towns = (str(family["town"].iloc[0]),)
            p.truth.plant("double", "X户", family["id_no"], (code, RIGID), months=(p.world.month,), towns=towns)


def twice(p: Planter, count: int) -> None:
    """The same programme twice: in one town, or in two towns."""
    status, quiet, size = p.persons["status"], p.quiet(), p.size()
    hosts = (status == "subsistence") & quiet & (size <= 2) & (p.persons["member"] == 0)
    for _, one in p.each((status == "subsistence") & (size >= 3) & quiet & (p.persons["member"] == 2), count):
        host = p.pick(hosts & (p.persons["town"] == one["town"].iloc[0]), 1)
        if len(host):
            _join_household(p, one, host)
            p.plant("double", "同项目一镇两次", one, (SUBSISTENCE, SUBSISTENCE))
    _second_town(p, p.pick((status == "subsistence") & (size == 1) & quiet, count), SUBSISTENCE)
    _second_town(p, p.pick(status == "old", count), OLD_AGE)
    _second_town(p, p.pick((status == "disabled") & p.persons["grade"].isin([1, 2]), count), NURSING)


def _join_household(p: Planter, one: pd.DataFrame, host: pd.DataFrame) -> None:
    """The person appears as one more member of the host's household; that household's figures stay consistent."""
    roll = p.rolls[SUBSISTENCE]
    head = roll[roll["person"] == host.index[0]].iloc[0]
    extra = roll[roll["person"] == one.index[0]].copy()
    shared = ["case", "household", "head_name", "head_id_no", "village", "urban", "phone", "address", "payee_name", "payee_id_no",
              "account_no", "bank_name", "case_code", "income", "assets", "household_size", "covered_persons", "amount",
              "base", "start_month", "cause", "kin_filed"]  # fmt: skip
    extra[shared] = [head[name] for name in shared]
    words = ("女婿", "儿媳") if one["age"].iloc[0] >= 20 else ("外孙", "外孙女")
    extra["relation"], extra["lead"] = words[0 if one["male"].iloc[0] else 1], False
    at = int(roll.index[roll["case"] == head["case"]].max()) + 1
    roll = pd.concat([roll.iloc[:at], extra, roll.iloc[at:]], ignore_index=True)
    mask = roll["case"] == head["case"]
    roll.loc[mask, ["household_size", "covered_persons"]] = int(head["household_size"]) + 1
    figures = make.finish_subsistence(p.world, roll[mask])
    roll.loc[mask, ["amount", "base", "addon"]] = figures[["amount", "base", "addon"]]
    p.rolls[SUBSISTENCE] = roll


def _second_town(p: Planter, people: pd.DataFrame, code: str) -> None:
    """The same rows once more, in a village of another town."""
    if people.empty:
        return
    roll = p.rolls[code]
    places = {
        person: p.other_town(str(one["town"].iloc[0]), bool(one["urban"].iloc[0])) for person, one in p.singles(people)
    }
    copy = roll[roll["person"].isin(people.index)]
    town, village = ([places[int(person)][i] for person in copy["person"]] for i in (0, 1))
    p.append(code, copy.assign(town=town, village=village, address=[t + v for t, v in zip(town, village, strict=True)]))
    for person, one in p.singles(people):
        towns = (str(one["town"].iloc[0]), places[person][0])
        p.truth.plant("double", "同项目两镇", one["id_no"], (code, code), months=(p.world.month,), towns=towns)


def after_death(p: Planter, count: int) -> None:
    """Paid in months after the month of death. A 低保 household has three months to settle: those are another matter."""
    status, size, month = p.persons["status"], p.size(), p.world.month
    early, late = months_back(month, 5), months_back(month, 2)
    plans = [
        (EXTREME, (status == "extreme") & (p.persons["age"] < 80) & (p.persons["grade"] == 0), late),
        (OLD_AGE, status == "old", late),
        (NURSING, (status == "disabled") & p.persons["grade"].isin([1, 2]), early),
        (SUBSISTENCE, (status == "subsistence") & (size == 1) & p.quiet(), early),
    ]
    for code, mask, died in plans:
        people = p.pick(mask, count)
        p.deaths |= dict.fromkeys(people.index.tolist(), died + "-11")
        p.plant("after_event", "死亡后领取", people, (code,))
    for _, one in p.each((status == "subsistence") & (size >= 2) & p.quiet() & (p.persons["member"] > 0), count):
        p.deaths[int(one.index[0])] = late + "-20"
        heads = p.household(int(one["household"].iloc[0]))["id_no"].iloc[0]
        p.truth.review.append(_case("death", "成员死亡", one, SUBSISTENCE, note=heads))
        p.truth.tolerated.append(_case("after_event", "低保三个月内", one, SUBSISTENCE))


def missed(p: Planter, count: int) -> None:
    status, grade, age = p.persons["status"], p.persons["grade"], p.persons["age"]
    plans = [
        (LIVING, "subsistence_allowance", (status == "subsistence") & (grade == 4), "低保且持残疾证"),
        (NURSING, "subsistence_allowance", (status == "subsistence") & grade.isin([1, 2]), "一二级残疾"),
        (NURSING, "register:disability_certificate", (status == "disabled") & grade.isin([1, 2]), "一二级残疾"),
        (OLD_AGE, "subsistence_allowance", (status == "subsistence") & (age >= 80), "年满起龄"),
        (OLD_AGE, "extreme_poverty_support", (status == "extreme") & (age >= 80), "年满起龄"),
    ]
    for absent, has, mask, rule in plans:
        people = p.pick(mask, count)
        p.drop(absent, people)
        p.plant("missed", rule, people, (has, absent))


def claims(p: Planter, count: int) -> None:
    """Aid taken as a 低保 household by people who are on no 低保 roll."""
    status = p.persons["status"]
    people = p.pick((status == "ordinary") & ~p.persons["urban"], count)
    p.drop(RENOVATION, people)
    rows = make.finish_renovation(p.world, make.base_rows(p.world, people))
    p.append(RENOVATION, rows.assign(claimed_status="低保户"))
    p.plant("claim", "危改按低保户", people, (RENOVATION, SUBSISTENCE))
    people = p.pick(status == "old", count)
    p.drop(OLD_AGE, people)
    p.append(OLD_AGE, make.finish_old_age(p.world, make.base_rows(p.world, people).assign(status="subsistence")))
    p.plant("claim", "高龄按低保档", people, (OLD_AGE, SUBSISTENCE))


def shared_accounts(p: Planter, count: int) -> None:
    """One account under people who share neither household nor name of the account."""
    status, size = p.persons["status"], p.size()
    for code, mask, holders in (
        (SUBSISTENCE, (status == "subsistence") & (size == 1) & p.quiet(), 2),
        (OLD_AGE, status == "old", 3),
    ):
        for _ in range(max(1, count // 2)):
            group = p.pick(mask, holders)
            if len(group) < holders:
                continue
            first = group.iloc[0]
            for person in group.index[1:]:
                p.change(code, int(person), account_no=first["account"], bank_name=first["bank"])
            p.truth.plant(
                "account", "同一账号多人", group["id_no"], (code,), months=(p.world.month,), towns=tuple(group["town"])
            )


def reviews(p: Planter, count: int) -> None:
    """Stated figures that do not follow from the parameters."""
    status, quiet, s = p.persons["status"], p.quiet(), p.world.standards
    plain = (status == "subsistence") & quiet & (p.persons["member"] == 0)
    for person, one in p.each(plain, count):
        number = int(one["household"].iloc[0])
        standard = int(s.urban if one["urban"].iloc[0] else s.rural)
        size = int(p.world.households["size"].iloc[number])
        p.change(
            SUBSISTENCE, person, income=standard * 12 // 1000 * 100 * size, amount=200_00 * size, base=200_00 * size
        )
        p.truth.review.append(_case("over_income", "收入超标准", one, SUBSISTENCE))
    for step in (65_00, -40_00):
        for person, one in p.each(plain, max(1, count // 2)):
            roll = p.rolls[SUBSISTENCE]
            right = roll.loc[roll["person"] == person, "amount"].to_numpy()[0]
            p.change(SUBSISTENCE, person, amount=right + step, base=right + step)
            p.truth.review.append(_case("wrong_amount", "补差算错", one, SUBSISTENCE, note=str(right)))
    for person, one in p.each((status == "extreme") & (p.persons["age"] < 80) & (p.persons["grade"] == 0), count):
        roll = p.rolls[EXTREME]
        row = roll[roll["person"] == person].iloc[0]
        wrong = next(word for word in make.SELF_CARE if int(s.care[word]) != int(row["care"]))
        p.change(EXTREME, person, care=int(s.care[wrong]), amount=int(row["base"]) + int(s.care[wrong]))
        p.truth.review.append(
            _case("wrong_tier", "照料护理档次不符", one, EXTREME, note=str(row["base"] + row["care"]))
        )


PLANTS: tuple[Plant, ...] = (
    two_programmes, children, higher_one, household_level, twice, after_death, missed, claims, shared_accounts, reviews,
)  # fmt: skip


def _case(kind: str, rule: str, one: pd.DataFrame, code: str, note: str = "") -> Case:
    return Case(kind, rule, tuple(one["id_no"]), (code,), towns=tuple(one["town"]), note=note)
