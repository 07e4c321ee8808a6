"""Clean rolls of one month: per programme a table of persons in the ledger's own terms, before any table habit.

Columns of a roll: ``person, household, case, lead`` and the fields of the record; amounts in 分. The case's
figures stand on every row of the case; the layout decides where they are shown.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from generator.population import World

Rolls = dict[str, pd.DataFrame]
SELF_CARE = ("自理", "半护理", "全护理")
KINDS = {1: "视力", 2: "听力", 3: "言语", 4: "肢体", 5: "智力", 6: "精神", 7: "多重"}
GRADES = {1: "一级", 2: "二级", 3: "三级", 4: "四级"}
_CAUSES = ("因病", "因残", "缺劳力", "因学", "自身发展动力不足")
_STATUS_WORDS = {"subsistence": "低保", "margin": "低保边缘", "extreme": "特困"}


def single_persons(world: World) -> pd.Series:
    """Persons of a margin household who are on subsistence alone (单人户): severely disabled, not the head, every second one."""
    persons = world.persons
    mask = (persons["status"] == "margin") & persons["grade"].isin([1, 2]) & (persons["member"] > 0)
    return mask & (persons["household"] % 2 == 0)


def heads_of(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """The heads of the households of these rows, row by row."""
    everyone = world.persons
    heads = everyone[(everyone["member"] == 0) & everyone["household"].isin(rows["household"])]
    return heads.set_index("household").reindex(rows["household"])


def base_rows(world: World, persons: pd.DataFrame) -> pd.DataFrame:
    """The columns that every roll has, for these persons, each a case of its own."""
    heads = heads_of(world, persons)
    minors = (persons["age"] < 16).to_numpy() | ~persons["own_account"].to_numpy()
    shared = minors & (persons["member"] > 0).to_numpy() & persons["status"].isin(["subsistence", "margin"]).to_numpy()
    shared &= ~persons.index.isin(world.persons.index[single_persons(world)])

    def payee(column: str) -> np.ndarray:
        return np.where(shared, heads[column].to_numpy(), persons[column].to_numpy())

    return pd.DataFrame(
        {
            "person": persons.index, "household": persons["household"].to_numpy(), "case": np.arange(len(persons)), "lead": True,
            "name": persons["name"].to_numpy(), "id_no": persons["id_no"].to_numpy(), "relation": "本人",
            "head_name": persons["name"].to_numpy(), "head_id_no": persons["id_no"].to_numpy(),
            "town": persons["town"].to_numpy(), "village": persons["village"].to_numpy(),
            "phone": persons["phone"].to_numpy(), "address": persons["town"].to_numpy() + persons["village"].to_numpy(),
            "payee_name": payee("name"), "payee_id_no": payee("id_no"), "account_no": payee("account"), "bank_name": payee("bank"),
            "grade_no": persons["grade"].to_numpy(), "kind_no": persons["kind"].to_numpy(),
            "urban": persons["urban"].to_numpy(), "status": persons["status"].to_numpy(), "age": persons["age"].to_numpy(),
        }
    ).reset_index(drop=True)  # fmt: skip


def household_rows(world: World, persons: pd.DataFrame) -> pd.DataFrame:
    """Rows of household programmes: the household is the case, paid into the head's account."""
    rows = base_rows(world, persons)
    heads = heads_of(world, rows)
    for column, source in (
        ("head_name", "name"), ("head_id_no", "id_no"), ("payee_name", "name"), ("payee_id_no", "id_no"),
        ("account_no", "account"), ("bank_name", "bank"),
    ):  # fmt: skip
        rows[column] = heads[source].to_numpy()
    households = world.households.loc[rows["household"]]
    rows["relation"] = persons["relation"].to_numpy()
    rows["case"] = rows["household"]
    rows["lead"] = (persons["member"] == 0).to_numpy()
    rows["household_size"] = households["size"].to_numpy()
    rows["covered_persons"] = households["size"].to_numpy()
    rows["income"] = households["income"].to_numpy()
    rows["assets"] = rows["household"] % 7 * 1000_00
    rows["case_code"] = [f"{world.region.code}{n + 1:07d}" for n in rows["household"]]
    return rows


def _numbers(world: World, rows: pd.DataFrame) -> np.ndarray:
    return np.where(rows["urban"], world.standards.urban, world.standards.rural)


def finish_subsistence(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """Amounts and the other stated fields of subsistence rows: standard x persons - household income, plus add-ons."""
    shortfall = _numbers(world, rows) * rows["covered_persons"] - rows["income"]
    unit = world.standards.unit
    base = -(-shortfall // unit) * unit if world.standards.round_up else (2 * shortfall + unit) // (2 * unit) * unit
    addon = _addons(world, rows).groupby(rows["case"]).transform("sum")
    return rows.assign(
        amount=base + addon, base=base, addon=addon,
        category=np.where(rows["urban"], "城市", "农村"),
        start_month=[f"20{18 + n % 8}-{n % 12 + 1:02d}" for n in rows["household"]],
        cause=[_CAUSES[n % 5] for n in rows["household"]],
        kin_filed=np.where(rows["household"] % 41 == 0, "是", "否"),
        work_ability=np.where((rows["age"] >= 60) | (rows["age"] < 16) | rows["grade_no"].between(1, 2), "无", "有"),
        remark="",
    )  # fmt: skip


def _addons(world: World, rows: pd.DataFrame) -> pd.Series:
    """分类施保 of each person: the highest that applies, once."""
    applies = {"elder": rows["age"] >= 60, "minor": rows["age"] < 18, "severe": rows["grade_no"].between(1, 2)}
    best = np.zeros(len(rows), dtype=int)
    for what, holds in applies.items():
        urban, rural = (world.standards.addons.get((what, kind), 0) for kind in (True, False))
        best = np.maximum(best, np.where(holds, np.where(rows["urban"], urban, rural), 0))
    return pd.Series(best, index=rows.index)


def subsistence(world: World) -> pd.DataFrame:
    persons = world.persons
    families = household_rows(world, persons[persons["status"] == "subsistence"])
    alone = base_rows(world, persons[single_persons(world)])
    alone = alone.assign(
        case=alone["person"] + 10_000_000, household_size=1, covered_persons=1, income=0, assets=0,
        case_code=[f"{world.region.code}D{n:06d}" for n in alone["person"]],
        account_no=persons.loc[alone["person"], "account"].to_numpy(),
        bank_name=persons.loc[alone["person"], "bank"].to_numpy(), payee_name=alone["name"], payee_id_no=alone["id_no"],
    )  # fmt: skip
    rows = finish_subsistence(world, pd.concat([families, alone], ignore_index=True))
    rows["remark"] = np.where(rows["case"] >= 10_000_000, "单人户", "")
    return rows


def margin(world: World) -> pd.DataFrame:
    persons = world.persons
    rows = household_rows(world, persons[(persons["status"] == "margin") & ~single_persons(world)])
    counts = rows.groupby("case")["person"].transform("size")
    return rows.assign(
        covered_persons=counts, category=np.where(rows["urban"], "城市", "农村"), start_month="2025-11",
        cause=[_CAUSES[n % 5] for n in rows["household"]], remark="",
    )  # fmt: skip


def rigid(world: World) -> pd.DataFrame:
    persons = world.persons
    rows = household_rows(world, persons[persons["status"] == "rigid"])
    return rows.assign(start_month="2026-03", cause="医疗支出", remark="")


def extreme(world: World) -> pd.DataFrame:
    persons = world.persons
    rows = base_rows(world, persons[persons["status"] == "extreme"])
    return finish_extreme(world, rows)


def finish_extreme(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    s = world.standards
    basic = np.where(rows["urban"], int(s.extreme_urban), int(s.extreme_rural))
    self_care = np.array(SELF_CARE, dtype=object)[(rows["person"].to_numpy() * 7 + world.seed) % 3]
    care = np.array([int(s.care[word]) for word in self_care])
    in_home = rows["person"].to_numpy() % 4 == 0
    return rows.assign(
        base=basic, care=care, amount=basic + care, self_care=self_care,
        care_mode=np.where(in_home, "集中", "分散"),
        category=np.where(rows["urban"], "城市", "农村"), start_month="2022-05", remark="",
    )  # fmt: skip


def living(world: World) -> pd.DataFrame:
    persons = world.persons
    on_roll = (persons["status"] == "subsistence") | single_persons(world)
    return finish_disability(world, base_rows(world, persons[on_roll & (persons["grade"] > 0)]), "living")


def nursing_due(world: World) -> pd.Series:
    """Grades one and two; where the district says so, also grade three of mind and intellect."""
    persons = world.persons
    due = persons["grade"].isin([1, 2])
    if world.standards.nursing_grade_three:
        due |= (persons["grade"] == 3) & persons["kind"].isin([5, 6])
    return due


def nursing(world: World) -> pd.DataFrame:
    persons = world.persons
    due = nursing_due(world) & (persons["status"] != "extreme")
    return finish_disability(world, base_rows(world, persons[due]), "nursing")


def finish_disability(world: World, rows: pd.DataFrame, which: str) -> pd.DataFrame:
    s = world.standards
    if which == "living":
        amount = np.full(len(rows), int(s.living))
    else:
        amount = np.array([s.nursing.get(int(g), s.nursing[2]) for g in rows["grade_no"]], dtype=int)
    return rows.assign(
        amount=amount,
        disability_no=rows["id_no"].astype(object) + rows["kind_no"].astype(str) + rows["grade_no"].astype(str),
        disability_kind=rows["kind_no"].map(KINDS), disability_grade=rows["grade_no"].map(GRADES),
        start_month="2021-01", remark="",
    )  # fmt: skip


def old_age(world: World) -> pd.DataFrame:
    persons = world.persons
    rows = base_rows(world, persons[persons["age"] >= world.standards.old_age_from])
    return finish_old_age(world, rows)


def finish_old_age(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    """By age, and by status: the poor tier is for 低保, 特困 and 低保边缘."""
    claimed = rows["status"].map(_STATUS_WORDS).fillna("其他")
    amount = np.zeros(len(rows), dtype=int)
    for start in sorted(world.standards.old_age):
        value = np.where(
            claimed == "其他", int(world.standards.old_age[start]), int(world.standards.old_age_poor[start])
        )
        amount = np.where(rows["age"] >= start, value, amount)
    return rows.assign(amount=amount, claimed_status=claimed, remark="")


def temporary(world: World) -> pd.DataFrame:
    persons = world.persons
    share = (persons["member"] == 0) & (persons["household"] % 17 == 3)
    rows = base_rows(world, persons[share])
    number = rows["person"].to_numpy()
    reasons = np.array(["突发疾病", "火灾", "交通事故", "子女就学", "意外伤害"], dtype=object)
    return rows.assign(
        amount=(number % 9 + 1) * 300_00, cause=reasons[number % 5],
        category=np.where(number % 3 == 0, "急难型", "支出型"),
        household_size=world.households.loc[rows["household"], "size"].to_numpy(),
        event_date=[f"{world.month}-{n % 20 + 1:02d}" for n in number], remark="",
    )  # fmt: skip


def renovation(world: World) -> pd.DataFrame:
    persons = world.persons
    share = (persons["member"] == 0) & (persons["household"] % 13 == 5) & ~persons["urban"]
    share &= persons["status"].isin(["subsistence", "margin", "extreme", "ordinary", "rigid"])
    return finish_renovation(world, base_rows(world, persons[share]))


def finish_renovation(world: World, rows: pd.DataFrame) -> pd.DataFrame:
    number = rows["person"].to_numpy()
    words = {"subsistence": "低保户", "margin": "低保边缘户", "extreme": "分散供养特困人员"}
    return rows.assign(
        claimed_status=rows["status"].map(words).fillna("其他脱贫户"),
        grade=np.where(number % 3 == 0, "C级", "D级"), amount=np.where(number % 3 == 0, world.standards.house["C"], world.standards.house["D"]),
        stage=np.array(["已竣工", "施工中", "已验收"], dtype=object)[number % 3],
        household_size=world.households.loc[rows["household"], "size"].to_numpy(),
        event_date=[f"2026-0{n % 8 + 1}-15" for n in number], remark="",
    )  # fmt: skip


def _fixed(status: str, standard: str) -> Callable[[World], pd.DataFrame]:
    def roll(world: World) -> pd.DataFrame:
        persons = world.persons
        rows = base_rows(world, persons[persons["status"] == status])
        return rows.assign(amount=int(getattr(world.standards, standard)), start_month="2024-03", remark="")

    return roll


ROLLS: dict[str, Callable[[World], pd.DataFrame]] = {
    "subsistence_allowance": subsistence,
    "extreme_poverty_support": extreme,
    "disability_living_subsidy": living,
    "disability_care_subsidy": nursing,
    "old_age_allowance": old_age,
    "temporary_assistance": temporary,
    "dilapidated_house_renovation": renovation,
    "low_income_margin": margin,
    "rigid_expenditure": rigid,
    "orphan_allowance": _fixed("orphan", "orphan"),
    "de_facto_orphan_allowance": _fixed("de_facto", "de_facto_orphan"),
    "elder_care_subsidy": _fixed("elder_care", "elder_care"),
}


def make_rolls(world: World) -> Rolls:
    return {code: make(world) for code, make in ROLLS.items()}
