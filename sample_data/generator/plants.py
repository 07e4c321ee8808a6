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
    status, quiet, size = p.persons["status"], p.quiet(), p.size()
    for _, one in p.each((status == "subsistence") & (size == 1) & quiet & (p.persons["age"] >= 60), count):
        p.append(EXTREME, make.finish_extreme(p.world, make.base_rows(p.world, one)))
        _double(p, "X", one, SUBSISTENCE, EXTREME)
    for _, one in p.each((status == "margin") & (size == 1) & quiet, count):
        rows = make.household_rows(p.world, one)
        p.append(SUBSISTENCE, make.finish_subsistence(p.world, rows.assign(income=rows["income"] // 3)))
        _double(p, "X", one, MARGIN, SUBSISTENCE)
    for _, one in p.each((status == "extreme") & (p.persons["age"] < 80), count):
        person = int(one.index[0])
        p.certify(person, 3)
        p.append(LIVING, make.finish_disability(p.world, make.base_rows(p.world, p.persons.loc[[person]]), "living"))
        _double(p, "X", one, EXTREME, LIVING)
    for _, one in p.each((status == "extreme") & (p.persons["age"] < 80), count):
        person = int(one.index[0])
        p.certify(person, 1)
        p.append(NURSING, make.finish_disability(p.world, make.base_rows(p.world, p.persons.loc[[person]]), "nursing"))
        _double(p, "X", one, EXTREME, NURSING)


def children(p: Planter, count: int) -> None:
    """Orphans and de-facto orphans with what excludes, caps or replaces their allowance."""
    if not p.knows(ORPHAN, DE_FACTO):
        return
    status = p.persons["status"]
    count = max(1, count // 2)
    for _, one in p.each(status == "orphan", count):
        p.append(
            DE_FACTO, make.base_rows(p.world, one).assign(amount=int(p.world.standards.de_facto_orphan), remark="")
        )
        _double(p, "X", one, ORPHAN, DE_FACTO)
    for _, one in p.each(status == "orphan", count):
        p.append(EXTREME, make.finish_extreme(p.world, make.base_rows(p.world, one)))
        _double(p, "X", one, ORPHAN, EXTREME)
    for _, one in p.each(status == "orphan", count):
        person = int(one.index[0])
        p.certify(person, 4)
        p.append(LIVING, make.finish_disability(p.world, make.base_rows(p.world, p.persons.loc[[person]]), "living"))
        _double(p, "X", one, ORPHAN, LIVING)
    child = (status == "subsistence") & p.persons["age"].between(3, 15) & (p.persons["member"] >= 2) & p.quiet()
    for _, one in p.each(child, count):
        amount = int(p.world.standards.de_facto_cap)
        p.append(DE_FACTO, make.base_rows(p.world, one).assign(amount=amount, remark=""))
        _double(p, "T", one, SUBSISTENCE, DE_FACTO)


def higher_one(p: Planter, count: int) -> None:
    if not p.knows(ELDER_CARE):
        return
    for _, one in p.each(p.persons["status"] == "elder_care", max(1, count // 2)):
        person = int(one.index[0])
        p.certify(person, 1)
        p.append(NURSING, make.finish_disability(p.world, make.base_rows(p.world, p.persons.loc[[person]]), "nursing"))
        _double(p, "H", one, ELDER_CARE, NURSING)


def household_level(p: Planter, count: int) -> None:
    """A household on two rolls that exclude each other per household."""
    if not p.knows(RIGID):
        return
    status, quiet, size = p.persons["status"], p.quiet(), p.size()
    for source, code in (("subsistence", SUBSISTENCE), ("margin", MARGIN)):
        for _, one in p.each((status == source) & (size == 2) & quiet & (p.persons["member"] == 0), max(1, count // 2)):
            members = p.household(int(one["household"].iloc[0]))
            members = members[members["id_no"].isin(p.rolls[code]["id_no"])]
            rows = make.household_rows(p.world, members)
            p.append(RIGID, rows.assign(start_month="2026-03", cause="医疗支出", remark=""))
            p.truth.plant(
                "double", "X户", members["id_no"], (code, RIGID), months=(p.world.month,), towns=tuple(one["town"])
            )


def twice(p: Planter, count: int) -> None:
    """The same programme twice: in one town, or in two towns."""
    status, quiet, size, month = p.persons["status"], p.quiet(), p.size(), p.world.month
    for _, one in p.each((status == "subsistence") & (size >= 3) & quiet & (p.persons["member"] == 2), count):
        same_town = (status == "subsistence") & (p.persons["town"] == one["town"].iloc[0]) & quiet & (size <= 2)
        host = p.pick(same_town & (p.persons["member"] == 0), 1)
        if len(host):
            _join_household(p, one, host)
            p.truth.plant(
                "double",
                "同项目一镇两次",
                one["id_no"],
                (SUBSISTENCE, SUBSISTENCE),
                months=(month,),
                towns=tuple(one["town"]),
            )
    for _, one in p.each((status == "subsistence") & (size == 1) & quiet, count):
        _second_town(p, one, SUBSISTENCE)
    for _, one in p.each(status == "old", count):
        _second_town(p, one, OLD_AGE)
    for _, one in p.each((status == "disabled") & p.persons["grade"].isin([1, 2]), count):
        _second_town(p, one, NURSING)


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


def _second_town(p: Planter, one: pd.DataFrame, code: str) -> None:
    roll = p.rolls[code]
    town, village = p.other_town(one["town"].iloc[0], bool(one["urban"].iloc[0]))
    copy = roll[roll["person"] == one.index[0]].assign(town=town, village=village, address=town + village)
    p.append(code, copy)
    p.truth.plant(
        "double", "同项目两镇", one["id_no"], (code, code), months=(p.world.month,), towns=(one["town"].iloc[0], town)
    )


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
        for _, one in p.each(mask, count):
            p.deaths[int(one.index[0])] = died + "-11"
            p.truth.plant("after_event", "死亡后领取", one["id_no"], (code,), months=(month,), towns=tuple(one["town"]))
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
        for person, one in p.each(mask, count):
            p.drop(absent, person)
            p.truth.plant(
                "missed", rule, one["id_no"], (has, absent), months=(p.world.month,), towns=tuple(one["town"])
            )


def claims(p: Planter, count: int) -> None:
    """Aid taken as a 低保 household by people who are on no 低保 roll."""
    status = p.persons["status"]
    for _, one in p.each((status == "ordinary") & ~p.persons["urban"], count):
        p.drop(RENOVATION, int(one.index[0]))
        rows = make.finish_renovation(p.world, make.base_rows(p.world, one))
        p.append(RENOVATION, rows.assign(claimed_status="低保户"))
        p.truth.plant(
            "claim",
            "危改按低保户",
            one["id_no"],
            (RENOVATION, SUBSISTENCE),
            months=(p.world.month,),
            towns=tuple(one["town"]),
        )
    for person, one in p.each(status == "old", count):
        claimed = make.finish_old_age(p.world, make.base_rows(p.world, one).assign(status="subsistence"))
        p.change(OLD_AGE, person, claimed_status="低保", amount=claimed["amount"].to_numpy()[0])
        p.truth.plant(
            "claim",
            "高龄按低保档",
            one["id_no"],
            (OLD_AGE, SUBSISTENCE),
            months=(p.world.month,),
            towns=tuple(one["town"]),
        )


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


def _double(p: Planter, rule: str, one: pd.DataFrame, a: str, b: str) -> None:
    p.truth.plant("double", rule, one["id_no"], (a, b), months=(p.world.month,), towns=tuple(one["town"]))


def _case(kind: str, rule: str, one: pd.DataFrame, code: str, note: str = "") -> Case:
    return Case(kind, rule, tuple(one["id_no"]), (code,), towns=tuple(one["town"]), note=note)
