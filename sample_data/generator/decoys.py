"""Plants what must NOT be reported: legal stacking and look-alikes, and rolls that were never handed in."""

from __future__ import annotations

import pandas as pd

from generator import rolls as make
from generator.planter import (
    DE_FACTO,
    EXTREME,
    LIVING,
    MARGIN,
    NURSING,
    OLD_AGE,
    ORPHAN,
    RENOVATION,
    SUBSISTENCE,
    Planter,
)  # fmt: skip


def planted_decoys(p: Planter, count: int) -> None:
    """Look-alikes that need a change of the rolls."""
    status, size = p.persons["status"], p.size()
    children = p.knows(ORPHAN, DE_FACTO)
    for _, one in p.each((status == "orphan") & children, max(1, count // 2)):
        rows = make.base_rows(p.world, p.certify(one, 1))
        p.append(NURSING, make.finish_disability(p.world, rows, "nursing"))
        p.truth.decoy("孤儿可叠加护理补贴", one["id_no"], (ORPHAN, NURSING))
    child = (
        children & (status == "subsistence") & p.persons["age"].between(3, 15) & (p.persons["member"] >= 2) & p.quiet()
    )
    for person, one in p.each(child, max(1, count // 2)):
        roll = p.rolls[SUBSISTENCE]
        row = roll[roll["person"] == person].iloc[0]
        top_up = int(p.world.standards.de_facto_cap) - int(row["amount"]) // int(row["covered_persons"]) - 20_00
        if top_up > 0:
            p.append(DE_FACTO, make.base_rows(p.world, one).assign(amount=top_up, remark="补差"))
            p.truth.decoy("合计未超封顶", one["id_no"], (SUBSISTENCE, DE_FACTO))
    for code, mask in (
        (EXTREME, (status == "extreme") & (p.persons["age"] < 80) & (p.persons["grade"] == 0)),
        (OLD_AGE, status == "old"),
    ):
        for person, one in p.each(mask, count):
            p.deaths[person] = p.world.month + "-03"
            p.truth.decoy("当月死亡", one["id_no"], (code,))
    for person, one in p.each((status == "subsistence") & (p.persons["age"] >= 80) & (size == 1), max(1, count // 2)):
        town, village = p.other_town(one["town"].iloc[0], bool(one["urban"].iloc[0]))
        p.change(OLD_AGE, person, town=town, village=village, address=town + village)
        p.truth.decoy("在另一乡镇领高龄津贴", one["id_no"], (SUBSISTENCE, OLD_AGE), towns=(one["town"].iloc[0], town))
    certified = (status == "subsistence") & (p.persons["grade"] == 4)
    for person, one in p.each(certified, max(1, count // 2)):
        p.persons.loc[person, "cancelled"] = True
        p.drop(LIVING, one)
        p.truth.decoy("残疾证已注销", one["id_no"], (SUBSISTENCE, LIVING))
    _namesake(p)
    _institution(p)


def _namesake(p: Planter) -> None:
    """Two persons of one name on rolls that exclude each other."""
    status, quiet = p.persons["status"], p.quiet()
    for _, one in p.each((status == "subsistence") & quiet & (p.size() == 1), 1):
        for person, other in p.each((status == "extreme") & (p.persons["age"] < 80), 1):
            name = one["name"].iloc[0]
            p.persons.loc[person, "name"] = name
            for roll in p.rolls.values():
                rows = roll["person"] == person
                roll.loc[rows, ["name", "head_name", "payee_name"]] = name
            p.truth.decoy("同名不同人", [*one["id_no"], *other["id_no"]], (SUBSISTENCE, EXTREME))


def _institution(p: Planter) -> None:
    """Persons in centralised care whose money goes to one account of the home."""
    roll = p.rolls[EXTREME]
    mask = (roll["care_mode"] == "集中") & ~roll["household"].isin(p.used) & ~roll["town"].isin(p.closed)
    for town, rows in roll[mask].groupby("town"):
        if len(rows) >= 2:
            index = rows.index
            roll.loc[index, "payee_name"] = f"{town}福利院"
            roll.loc[index, "payee_id_no"] = ""
            roll.loc[index, ["account_no", "bank_name"]] = roll.loc[index[0], ["account_no", "bank_name"]].to_numpy()
            p.used.update(rows["household"])
            p.truth.decoy("集中供养付机构账户", rows["id_no"], (EXTREME,), towns=(str(town),))
            return


def note_natural_decoys(p: Planter, limit: int = 25) -> None:
    """Writes down the legal stacking that the clean rolls hold anyway."""
    ids = {code: set(roll["id_no"]) for code, roll in p.rolls.items()}
    touched = set(p.persons.loc[p.persons["household"].isin(p.used), "id_no"])
    legal = [
        ("低保叠加两项补贴", (SUBSISTENCE, LIVING, NURSING)), ("低保叠加高龄津贴", (SUBSISTENCE, OLD_AGE)),
        ("特困叠加高龄津贴", (EXTREME, OLD_AGE)), ("低保叠加临时救助", (SUBSISTENCE, "temporary_assistance")),
        ("低保户危改", (SUBSISTENCE, RENOVATION)),
    ]  # fmt: skip
    for rule, codes in legal:
        for id_no in sorted(set.intersection(*(ids[c] for c in codes)) - touched)[:limit]:
            p.truth.decoy(rule, [id_no], codes)
    alone = p.persons[make.single_persons(p.world)]
    for id_no, household in zip(alone["id_no"], alone["household"], strict=True):
        if household not in p.used:
            family = p.household(household)["id_no"]
            p.truth.decoy(
                "单人户与边缘家庭成员并存", [str(id_no), *map(str, family[family != id_no])], (SUBSISTENCE, MARGIN)
            )
    for code in (LIVING, NURSING):
        roll = p.rolls[code]
        shared = roll[(roll["payee_id_no"] != roll["id_no"]) & ~roll["id_no"].isin(touched)]
        for row in shared.head(limit).itertuples():
            p.truth.decoy("用户主账户", [str(row.id_no), str(row.payee_id_no)], (code, SUBSISTENCE))


def omit_rolls(p: Planter, omitted: dict[str, str]) -> None:
    """Takes whole rolls out: ``omitted`` town → programme. Nothing can be judged there, so nothing may be called missed or false."""
    for town, code in omitted.items():
        roll = p.rolls[code]
        gone = roll["town"] == town
        p.rolls[code] = roll[~gone].reset_index(drop=True)
        p.truth.not_imported.append({"programme": code, "town": town, "month": p.world.month})
        if code == SUBSISTENCE:
            _own_accounts(p, set(roll.loc[gone, "person"]))
        for id_no in roll.loc[gone, "id_no"].head(5):
            p.truth.decoy("该镇名册未导入", [id_no], (code,), towns=(town,))


def _own_accounts(p: Planter, persons: set[int]) -> None:
    """Where the household roll is not there, nothing shows that a shared account is the head's: use own accounts."""
    for roll in p.rolls.values():
        mask = roll["person"].isin(persons)
        source = p.persons.loc[roll.loc[mask, "person"]]
        for column, own in (
            ("account_no", "account"),
            ("bank_name", "bank"),
            ("payee_name", "name"),
            ("payee_id_no", "id_no"),
        ):
            roll.loc[mask, column] = source[own].to_numpy()


def _at_home(p: Planter, roll: pd.DataFrame) -> pd.DataFrame:
    """The roll with everybody in their own town only: who is on another town's roll now came there this month."""
    home = p.persons.loc[roll["person"], ["town", "village"]].reset_index(drop=True)
    roll = roll.reset_index(drop=True)
    away = roll["town"] != home["town"]
    twice = away & roll["person"].isin(roll.loc[~away, "person"])
    moved = roll.assign(town=home["town"], village=home["village"].where(away, roll["village"]))
    return moved[~twice]


def previous_month(p: Planter, towns: list[str], codes: tuple[str, ...], month: str) -> make.Rolls:
    """Last month's rolls of some towns: a few households were not there yet, and some moved from margin to subsistence."""
    before: make.Rolls = {}
    settled = set(
        p.persons.loc[~p.calm(), "household"]
    )  # who is due something by age or certificate was there before, too
    for code in codes:
        roll = _at_home(p, p.rolls[code])
        roll = roll[roll["town"].isin(towns)]
        fresh = (roll["household"] % 19 == 4) & ~roll["household"].isin(p.used | settled)
        before[code] = roll[~fresh]
    status = p.persons["status"] == "subsistence"
    movers = status & p.quiet() & (p.size() == 1) & p.persons["town"].isin(towns)
    for person, one in p.each(movers, 2):
        rows = before[SUBSISTENCE]
        gone = rows["person"] == person
        before[MARGIN] = pd.concat(
            [before[MARGIN], rows[gone].drop(columns=["amount", "base", "addon"])], ignore_index=True
        )
        before[SUBSISTENCE] = rows[~gone]
        p.change(SUBSISTENCE, person, start_month=p.world.month)
        p.truth.decoy("上月边缘本月低保", one["id_no"], (MARGIN, SUBSISTENCE), months=(month, p.world.month))
    return before
