"""External lists: deaths, disability certificates, relatives of staff. Most of their people are on no roll."""

from __future__ import annotations

import numpy as np
import pandas as pd

from generator.habits import Habit
from generator.identity import citizen_ids
from generator.layout import Grid, Row, Table, lay_out
from generator.names import given_names, surnames
from generator.rolls import GRADES, KINDS
from generator.scenario import Scenario

Made = tuple[str, str, list[Grid]]


def make_registers(scenario: Scenario, rng: np.random.Generator) -> list[Made]:
    """(file name without suffix, container, sheets) of each register."""
    return [_deaths(scenario, rng), _certificates(scenario, rng), _relatives(scenario, rng)]


def _strangers(scenario: Scenario, rng: np.random.Generator, count: int, *, years: tuple[int, int]) -> pd.DataFrame:
    """People who are on no roll; their region code differs from everybody's in the world."""
    male = rng.random(count) < 0.5
    born = pd.Series(
        pd.to_datetime(rng.integers(*years, count).astype(str)) + pd.to_timedelta(rng.integers(0, 365, count), unit="D")
    )
    area = np.full(count, scenario.world.region.code[:4] + "99", dtype=object)
    return pd.DataFrame({"name": surnames(rng, count) + given_names(rng, male), "id_no": citizen_ids(area, born, male)})


def _lay(rows: list[Row], columns: tuple[str, ...], title: str, habit: Habit, rng: np.random.Generator) -> Grid:
    for number, row in enumerate(rows):
        row |= {"key": number, "case": number, "village": row.get("village", "")}
    return lay_out(Table("", columns, rows, (title,), grouped=False, total_fields=()), habit, rng, "Sheet1")


def _deaths(scenario: Scenario, rng: np.random.Generator) -> Made:
    month = scenario.world.month
    year, number = int(month[:4]), int(month[5:])
    names = scenario.world.persons.set_index("id_no")["name"]
    rows: list[Row] = [
        {"dead_name": names[id_no], "id_no": id_no, "death_date": day, "cancel_date": day}
        for id_no, day in scenario.deaths.items()
    ]
    others = _strangers(scenario, rng, len(names) // 12 + 5, years=(1925, 1970))
    # one of them bears the name of somebody on a roll
    others.loc[0, "name"] = names.iloc[0]
    for other in others.itertuples():
        day = f"{year}-{rng.integers(1, number + 1):02d}-{rng.integers(1, 28):02d}"
        rows.append({"dead_name": other.name, "id_no": other.id_no, "death_date": day, "cancel_date": day})
    order = rng.permutation(len(rows))
    habit = Habit("register", titles=1, total=False, footer=False, dates="dot")
    columns = ("serial", "dead_name", "id_no", "death_date", "cancel_date")
    grid = _lay([rows[i] for i in order], columns, f"{year}年1—{number}月死亡人员名单", habit, rng)
    return f"死亡人员名单{year}年{number}月", "xlsx", [grid]


def _certificates(scenario: Scenario, rng: np.random.Generator) -> Made:
    persons = scenario.world.persons
    rows: list[Row] = []
    for person in persons[persons["grade"] > 0].itertuples():
        rows.append(
            _certificate(
                person.name,
                person.id_no,
                person.kind,
                person.grade,
                "注销" if person.cancelled else "正常",
                person.town,
            )
        )
    others = _strangers(scenario, rng, len(rows) // 2 + 5, years=(1950, 2012))
    for number, other in enumerate(others.itertuples()):
        town = scenario.world.region.towns[number % len(scenario.world.region.towns)].name
        rows.append(_certificate(other.name, other.id_no, 1 + number % 4, 3 + number % 2, "正常", town))
    habit = Habit("register", titles=0, total=False, footer=False, dates="compact")
    columns = (
        "serial",
        "town",
        "name",
        "id_no",
        "disability_no",
        "disability_kind",
        "disability_grade",
        "issue_date",
        "valid_to",
        "status",
    )
    grid = _lay([rows[i] for i in rng.permutation(len(rows))], columns, "", habit, rng)
    return "残联持证残疾人名单", "csv-gb18030", [grid]


def _certificate(name: object, id_no: object, kind: object, grade: object, status: str, town: object) -> Row:
    return {
        "name": name, "id_no": id_no, "disability_no": f"{id_no}{kind}{grade}", "disability_kind": KINDS[int(str(kind))],
        "disability_grade": GRADES[int(str(grade))], "issue_date": "2020-05-18", "valid_to": "2030-05-17", "status": status, "town": town,
    }  # fmt: skip


def _relatives(scenario: Scenario, rng: np.random.Generator) -> Made:
    """Relatives of staff who are on the 低保 roll: all those that the rolls say are filed, and some that they do not."""
    roll = scenario.planter.rolls["subsistence_allowance"]
    heads = roll[roll["lead"].astype(bool)]
    filed = heads[heads["kin_filed"] == "是"]
    unfiled = heads[
        (heads["kin_filed"] == "否") & (heads["household"] % 37 == 0) & ~heads["household"].isin(scenario.planter.used)
    ].head(2)
    chosen = pd.concat([filed, unfiled])
    staff = _strangers(scenario, rng, len(chosen), years=(1970, 1995))
    rows: list[Row] = [
        {"staff_name": s.name, "staff_id": s.id_no, "organisation": f"{k.town}民政办", "kin_name": k.name, "kin_id": k.id_no,
         "kin_relation": "父母" if i % 2 else "兄弟姐妹", "filed_on": "2025-12-01"}
        for i, (s, k) in enumerate(zip(staff.itertuples(), chosen.itertuples(), strict=True))
    ]  # fmt: skip
    habit = Habit("register", titles=1, total=False, footer=False, dates="date")
    columns = ("serial", "staff_name", "staff_id", "organisation", "kin_name", "kin_id", "kin_relation", "filed_on")
    return "近亲属备案表", "xls", [_lay(rows, columns, "经办人员和村（社区）干部近亲属备案表", habit, rng)]
