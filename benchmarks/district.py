"""A district to be reviewed, made as vectors: households whose amounts are right but for what was planted, and registers of everybody else.

100,000 households with 300,000 members and 2,000,000 lines of registers take some twenty seconds, most of it in SQLite.
"""

from __future__ import annotations

import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.data import REGION
from jiuzhu_cli.ledger.incoming import stage_lists
from jiuzhu_cli.ledger.rolls import BatchHead, TableHead, save_batch
from jiuzhu_cli.ledger.snapshot import duck_type
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import create_workspace
from jiuzhu_cli.policy.load import load_policy

MONTH = "2026-10"
LAST_DAY = np.datetime64("2026-10-31")
# 分, of the sample region from July 2026: rural, urban
STANDARD, BASIC = np.array([60_000, 76_000]), np.array([78_000, 98_800])
CARE, LIVING, NURSING = np.array([19_100, 31_900, 63_700]), 8_000, np.array([12_000, 10_000])
OLD = ((80, 5_000), (90, 10_000), (100, 50_000))
KINDS, SELF_CARE = np.array(["农村", "城市"]), np.array(["自理", "半自理", "全护理"])
GRADES, DISABILITIES = np.array(["一级", "二级", "三级", "四级"]), np.array(["肢体", "视力", "听力", "言语"])
TOWNS, VILLAGES = 20, 15
WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
# what is planted: share of the households, and the actions of which one must be proposed
PLANTED: dict[str, tuple[float, tuple[str, ...]]] = {
    "death_alone": (0.002, ("stop",)),
    "death_member": (0.004, ("decrease", "check")),
    "death_head": (0.003, ("transfer", "check")),
    "income_over": (0.004, ("stop", "grace", "transfer")),
    "paid_too_much": (0.005, ("decrease",)),
    "paid_too_little": (0.005, ("increase",)),
    "vehicle": (0.006, ("check",)),
    "imprisoned": (0.001, ("check", "decrease", "stop")),
    "too_young": (0.002, ("stop",)),
}
# a register's lines about other people of the district, as a share of all lines
STRANGERS = {
    "vehicle": 0.20, "social_insurance": 0.22, "pension": 0.13, "medical_insurance_enrolment": 0.10, "deposit": 0.09, "real_estate": 0.07,
    "business": 0.05, "housing_fund": 0.04, "tax": 0.03, "school_enrolment": 0.03, "disability_certificate": 0.015, "death": 0.008,
    "imprisonment": 0.002, "severe_illness": 0.005, "public_payroll": 0.01,
}  # fmt: skip
Columns = dict[str, Any]


def ids_of(born: np.ndarray, male: np.ndarray, *, area: int) -> pa.Array:
    """Valid IDs, all different. ``born``: numpy days. Persons of one day and sex are numbered through, then in the next address code."""
    year = born.astype("datetime64[Y]").astype(int) + 1970
    month = born.astype("datetime64[M]").astype(int) % 12 + 1
    day = (born - born.astype("datetime64[M]")).astype(int) + 1
    group = born.astype(int) * 2 + male
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0])
    rank = np.empty(len(born), np.int64)
    rank[order] = np.arange(len(born)) - np.repeat(first, np.diff(np.r_[first, len(born)]))
    serial = rank % 499 * 2 + np.where(male, 1, 2)
    whole = (area + rank // 499) * 10**11 + (year * 10_000 + month * 100 + day) * 1000 + serial
    digits = (whole[:, None] // 10 ** np.arange(16, -1, -1)) % 10
    check = pa.array(list("10X98765432")).take(pa.array(digits @ WEIGHTS % 11))
    return pc.binary_join_element_wise(pa.array(whole).cast(pa.string()), check, "")


def born_at(ages: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Birth dates of persons who are so old on the month's last day, none of them with a birthday in the months before it."""
    years = (LAST_DAY.astype("datetime64[Y]") - ages.astype("timedelta64[Y]")).astype("datetime64[D]")
    return years + rng.integers(0, 180, len(ages)).astype("timedelta64[D]")


class District:
    """``households`` with three members each, ``lines`` of registers. ``lists``: (kind, code, area, columns); ``truth``: one a planted thing."""

    def __init__(self, households: int, lines: int, *, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.lists: list[tuple[str, str, str, Columns]] = []
        self.truth: list[dict[str, Any]] = []
        self.lines = lines
        # 0 subsistence, 1 margin, 2 extreme poverty (one person)
        self.of = rng.choice(3, households, p=[0.75, 0.15, 0.10])
        self.size = np.where(self.of == 2, 1, rng.choice(6, households, p=[0.12, 0.20, 0.26, 0.24, 0.12, 0.06]) + 1)
        self.urban = rng.random(households) < 0.3
        self.town = rng.integers(0, TOWNS, households)
        self.village = rng.integers(0, VILLAGES, households)
        self.first = np.r_[0, np.cumsum(self.size)[:-1]]
        persons = int(self.size.sum())
        self.home = np.repeat(np.arange(households), self.size)
        self.lead = np.zeros(persons, bool)
        self.lead[self.first] = True
        self.age = np.where(self.lead, rng.integers(35, 79, persons), rng.integers(1, 96, persons))
        self.age = np.where(self.of[self.home] == 2, rng.integers(66, 96, persons), self.age)
        self.age[self.age == 79] = 78
        self.male = rng.random(persons) < 0.5
        people = born_at(self.age, rng)
        strangers = rng.integers(1, 95, max(1000, lines // 3))
        every = ids_of(
            np.r_[people, born_at(strangers, rng)],
            np.r_[self.male, rng.random(len(strangers)) < 0.5],
            area=int(REGION) // 100 * 100,
        )
        self.ids, self.others = every[:persons], every[persons:]
        names = pa.array([a + b for a in "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨" for b in ("建国 秀英 桂兰 志强 海燕 玉珍 明 丽华 文斌 春梅 国栋 小龙 凤英 德胜 淑芬 军").split()])  # fmt: skip
        drawn = names.take(pa.array(rng.integers(0, len(names), len(every))))
        self.names, self.other_names = drawn[:persons], drawn[persons:]
        self.plants = self._plant()
        self._households()
        self._persons()
        self._registers()

    def _plant(self) -> dict[str, np.ndarray]:
        """Which households have what, each at most one thing."""
        subsistence = self.of == 0
        # income planted over the line and amounts planted wrong need nothing of the household; who dies decides its size
        fits = {
            "death_alone": subsistence & (self.size == 1),
            "death_member": subsistence & (self.size > 1),
            "death_head": subsistence & (self.size > 1),
            "too_young": np.ones(len(self.of), bool),
            "vehicle": self.of != 1,
        }
        order, taken, found = self.rng.permutation(len(self.of)), np.zeros(len(self.of), bool), {}
        for name, (share, _) in PLANTED.items():
            free = order[fits.get(name, subsistence)[order] & ~taken[order]]
            found[name] = np.sort(free[: max(2, int(share * len(order)))])
            taken[found[name]] = True
        self.taken = taken
        return found

    def _tell(self, plant: str, programme: str, persons: np.ndarray) -> None:
        for id_no in self.ids.take(pa.array(persons)).to_pylist():
            self.truth.append({"plant": plant, "programme": programme, "id_no": id_no, "actions": PLANTED[plant][1]})

    def _programme(self, home: int) -> str:
        return ("subsistence_allowance", "low_income_margin", "extreme_poverty_support")[self.of[home]]

    def _households(self) -> None:
        rng, standard = self.rng, STANDARD[self.urban.astype(int)]
        due = standard * self.size
        income = (due * rng.uniform(0.05, 0.9, len(due))).astype(np.int64)
        over = self.plants["income_over"]
        income[self.of == 1] = (due * rng.uniform(1.05, 1.4, len(due))).astype(np.int64)[self.of == 1]
        amount = -(-(due - income) // 100) * 100
        income[over] = due[over] + 100 * rng.integers(0, 50_000, len(over))
        amount[self.plants["paid_too_much"]] += 5_000
        amount[self.plants["paid_too_little"]] -= 100
        yearly = rng.random(len(due)) < 0.5
        for plant in ("death_alone", "death_member", "death_head", "income_over", "paid_too_much", "paid_too_little"):
            self._tell(plant, "subsistence_allowance", self.first[self.plants[plant]])
        for code, number in (("subsistence_allowance", 0), ("low_income_margin", 1)):
            for town in range(TOWNS):
                chosen = np.flatnonzero((self.of == number) & (self.town == town))
                rows = np.flatnonzero(np.isin(self.home, chosen))
                home, lead = self.home[rows], self.lead[rows]

                def case(values: np.ndarray, home: np.ndarray = home, lead: np.ndarray = lead) -> pa.Array:
                    return pa.array(values[home], mask=~lead)

                columns = self._people(rows) | {
                    "case_no": pa.array(np.searchsorted(chosen, home) + 1),
                    "lead": pa.array(lead.astype(np.int64)),
                    "relation": pa.array(np.where(lead, "户主", "家庭成员")),
                    "head_id_no": self.ids.take(pa.array(self.first[home])),
                    "head_name": self.names.take(pa.array(self.first[home])),
                    "category": pa.array(KINDS[self.urban[home].astype(int)]),
                    "household_size": case(self.size),
                    "covered_persons": case(self.size),
                    "income_fen": case(np.where(yearly, income * 12, income)),
                    "income_period": case(np.where(yearly, "year", "month")),
                    "assets_fen": case(rng.integers(0, 500_000, len(due))),
                    "kin_filed": case(np.full(len(due), "否")),
                    "start_month": case(np.full(len(due), "2026-03")),
                }
                if number == 0:
                    columns["amount_fen"] = case(amount)
                self.lists.append(("roll", code, f"第{town + 1}镇", columns))

    def _people(self, rows: np.ndarray) -> Columns:
        home = self.home[rows]
        towns = pa.array([f"第{n + 1}镇" for n in range(TOWNS)])
        villages = pa.array([f"第{n + 1}村" for n in range(VILLAGES)])
        place = pc.binary_join_element_wise(
            towns.take(pa.array(self.town[home])), villages.take(pa.array(self.village[home])), ""
        )
        number = pa.array(self.rng.integers(1, 400, len(rows))).cast(pa.string())
        return {
            "id_no": self.ids.take(pa.array(rows)),
            "name": self.names.take(pa.array(rows)),
            "town": towns.take(pa.array(self.town[home])),
            "village": villages.take(pa.array(self.village[home])),
            "address": pc.binary_join_element_wise(place, number, "号", ""),
            "account_no": pa.array(6_217_000_000_000_000_000 + rows).cast(pa.string()),
            "bank_name": pa.array(np.full(len(rows), "中国邮政储蓄银行")),
            "phone": pa.array(13_800_000_000 + rows).cast(pa.string()),
        }

    def _alone(self, code: str, rows: np.ndarray, **more: Any) -> None:
        columns = self._people(rows) | {
            "case_no": pa.array(np.arange(len(rows)) + 1),
            "lead": pa.array(np.ones(len(rows), np.int64)),
            "category": pa.array(KINDS[self.urban[self.home[rows]].astype(int)]),
        }
        self.lists.append(("roll", code, "", columns | {name: pa.array(value) for name, value in more.items()}))

    def _persons(self) -> None:
        """Extreme poverty, old age, the two disability subsidies: whoever has a claim is on the roll, with the right amount."""
        rng, of = self.rng, self.of[self.home]
        poor = np.flatnonzero(of == 2)
        care = rng.choice(3, len(poor), p=[0.7, 0.2, 0.1])
        self._alone(
            "extreme_poverty_support", poor, self_care=SELF_CARE[care], care_mode=np.full(len(poor), "分散"),
            amount_fen=BASIC[self.urban[self.home[poor]].astype(int)] + CARE[care],
        )  # fmt: skip
        # too young: somebody of 78 who is paid
        young = np.flatnonzero(self.age == 78)
        young = young[np.isin(self.home[young], self.plants["too_young"])]
        self._tell("too_young", "old_age_allowance", young)
        old = np.sort(np.r_[np.flatnonzero(self.age >= 80), young])
        paid = np.select([self.age[old] >= age for age, _ in OLD[::-1]], [fen for _, fen in OLD[::-1]], OLD[0][1])
        self._alone("old_age_allowance", old, amount_fen=paid)
        # nobody of a household in which something else is planted: a death would end these, too
        disabled = np.flatnonzero((of == 0) & (rng.random(len(of)) < 0.1) & ~self.taken[self.home])
        self.disabled, self.grade = disabled, rng.choice(4, len(disabled), p=[0.15, 0.25, 0.3, 0.3])
        self._alone("disability_living_subsidy", disabled, amount_fen=np.full(len(disabled), LIVING))
        severe = self.grade < 2
        self._alone("disability_care_subsidy", disabled[severe], amount_fen=NURSING[self.grade[severe]])

    def _registers(self) -> None:
        rng, plants = self.rng, self.plants
        heads = {name: self.first[homes] for name, homes in plants.items()}
        dead = np.r_[heads["death_alone"], heads["death_head"], heads["death_member"] + 1]
        # who died goes on old_age and others, too: those lines must stop as well
        old = dead[self.age[dead] >= 80]
        self._tell("death_alone", "old_age_allowance", old)
        members = heads["imprisoned"] + self.size[plants["imprisoned"]] - 1
        self._tell("imprisoned", "old_age_allowance", members[self.age[members] >= 80])
        for plant in ("vehicle", "imprisoned"):
            for home in plants[plant]:
                self._tell(plant, self._programme(int(home)), self.first[[home]])
        calm = np.flatnonzero(~self.taken[self.home])
        scooters = rng.choice(calm, len(calm) // 50, replace=False)
        cars = heads["vehicle"]
        own: dict[str, tuple[np.ndarray, Columns]] = {
            "death": (dead, {"event_date": np.full(len(dead), "2026-09-12")}),
            "imprisonment": (members, {"valid_from": np.full(len(members), "2026-05-02"), "valid_to": np.full(len(members), "2029-05-01")}),
            "vehicle": (np.r_[cars, scooters], {"kind": np.r_[np.full(len(cars), "小型轿车"), rng.choice(["普通二轮摩托车", "残疾人专用机动轮椅车"], len(scooters))], "valid_from": np.full(len(cars) + len(scooters), "2024-04-01"), "status": np.full(len(cars) + len(scooters), "正常")}),
            "disability_certificate": (self.disabled, {"grade": GRADES[self.grade], "kind": rng.choice(DISABILITIES, len(self.disabled)), "valid_from": np.full(len(self.disabled), "2020-01-01"), "status": np.full(len(self.disabled), "正常")}),
            "medical_insurance_enrolment": (np.arange(len(self.age)), {}),
        }  # fmt: skip
        for code, share in STRANGERS.items():
            count = int(share * self.lines)
            rows, columns = own.get(code, (np.zeros(0, np.int64), {}))
            others = pa.array(rng.integers(0, len(self.others), count))
            values = {
                name: pa.concat_arrays([pa.array(value), pa.array(rng.choice(value, count))])
                for name, value in columns.items()
            }
            values["id_no"] = pa.concat_arrays([self.ids.take(pa.array(rows)), self.others.take(others)])
            values["name"] = pa.concat_arrays([self.names.take(pa.array(rows)), self.other_names.take(others)])
            if code in ("pension", "deposit", "housing_fund", "social_insurance", "tax"):
                values["amount_fen"] = pa.array(rng.integers(10_000, 900_000, len(values["id_no"])))
                values["organisation"] = pa.array(np.full(len(values["id_no"]), "某某单位"))
            self.lists.append(("register", code, "", values))

    def fill(self, ledger: Path) -> dict[str, int]:
        """Saves all lists; returns how many rows of each kind."""
        digest, total = load_policy(region=REGION).digest, {"roll": 0, "register": 0}
        with Store(ledger) as store:
            for kind, code, area, columns in self.lists:
                rows = len(columns["id_no"])
                place = {"table_no": pa.array(np.ones(rows, np.int64)), "source_row": pa.array(np.arange(rows) + 3)}
                table = pa.table({name: _typed(name, values) for name, values in (columns | place).items()})
                staged = stage_lists(store, [(kind, table)])
                name = f"{area or '全区'}{code}.xlsx"
                mark = sha256(name.encode()).hexdigest()
                amount = pc.sum(table.column("amount_fen")).as_py() or 0 if "amount_fen" in columns else 0
                head = BatchHead(
                    kind, code, area, MONTH, "", name, mark, mark, rows, rows, 0, amount if kind == "roll" else 0, None, digest
                )  # fmt: skip
                told = [{"column": "A", "header": c, "field": c, "why": "header"} for c in staged[0].columns]
                head_table = TableHead(1, "Sheet1", 2, json.dumps(told), rows, rows, 0, None, name)
                with store.transaction(actor="样例", command="import") as tx:
                    batch = save_batch(tx, head, [head_table], staged[0], [])
                    tx.journal(f"batch:{batch}", {"rows": rows})
                total[kind] += rows
        return total


def _typed(name: str, values: Any) -> pa.Array:
    made = values if isinstance(values, pa.Array) else pa.array(values)
    return made.cast(pa.int64() if duck_type(name) == "BIGINT" else pa.string())


def district_workspace(work: Path, households: int, lines: int, *, seed: int) -> Path:
    """A workspace with one month of a district, ``truth.json`` beside; made once, then kept."""
    target = work / f"district{households}-{lines}-{seed}"
    if (target / "truth.json").exists():
        return target
    started = time.monotonic()
    made = District(households, lines, seed=seed)
    between = time.monotonic()
    create_workspace(target, region=REGION, name="示例区民政局", towns=tuple(f"第{n + 1}镇" for n in range(TOWNS)))
    rows = made.fill(target / "ledger.db")
    truth = {"rows": rows, "persons": len(made.age), "households": households, "planted": made.truth}
    (target / "truth.json").write_text(json.dumps(truth, ensure_ascii=False), encoding="utf-8")
    print(f"{target.name}: made in {between - started:.0f} s, filled in {time.monotonic() - between:.0f} s, {rows}", file=sys.stderr)  # fmt: skip
    return target
