"""Income of households by SQL against a slow oracle of its own in plain Python with fractions; and what must hold of any household."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.period import first_day, last_day
from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, ROLL_COLUMNS, duck_type
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.review.eligibility import build_facts
from tests.support import make_id

REGIONS = {code: load_policy(region=code) for code in ("421002", "230321", "110101")}
MONTHS = ("2025-11", "2025-12", "2026-01", "2026-10")
COUNTED = ("其他收入", "房租", "退休金", "赡养费", "经营性收入", "利息")
EXCLUDED = ("低保金", "优抚金", "计生奖扶", "奖学金", "见义勇为奖励", "两项补贴", "临时救助")
BY_QUANTITY = {"种植业收入": "种植亩均年纯收入", "养羊": "羊只均年纯收入", "养牛": "牛头均年纯收入"}
DEDUCTED = {"赡养支出": None, "大病支出": "重病支出扣减比例", "康复支出": "残疾支出扣减比例"}
SWITCHED = {"基础养老金": "基础养老金不计入收入", "高龄津贴": "高龄津贴不计入收入", "惠农补贴": "惠农补贴不计入收入"}
MONTHLY = {"房租", "退休金", "赡养费", "工资", "基础养老金", "高龄津贴", "赡养支出"}  # 数量 is months
RELATIONS = ("配偶", "次子", "母亲", "弟弟", "侄子")
SITUATIONS = (None, None, None, "在校", "研究生在读", "服刑", "离婚", "宗教教职人员", "去世")
ABILITIES = (None, "有劳动能力", "部分丧失劳动能力", "完全丧失劳动能力")


def random_household(rng: random.Random) -> dict[str, Any]:
    """Members (the head first) and lines; ages of every kind, amounts down to the 分."""
    members: list[dict[str, Any]] = []
    for number in range(rng.randint(1, 5)):
        year = rng.choice((1940, 1955, 1966, 1971, 1980, 1985, 1999, 2006, 2007, 2008, 2015))
        members.append(
            {
                "relation": "本人" if number == 0 else rng.choice(RELATIONS),
                "born": date(year, rng.randint(1, 12), rng.randint(1, 28)),
                "situation": None if number == 0 else rng.choice(SITUATIONS),
                "since": rng.choice((None, "2022-10-31", "2022-11-30", "2023-10-31", "2023-11-01", "2024-05-01")),
                "ability": rng.choice(ABILITIES),
                "together": rng.choice((None, "是", "否")),
                "grade": rng.choice((None, None, 1, 2, 3)),
            }
        )
    lines = [random_line(rng, len(members)) for _ in range(rng.randint(1, 7))]
    return {"members": members, "lines": lines}


def random_line(rng: random.Random, members: int) -> dict[str, Any]:
    kind = rng.choice((*COUNTED, *EXCLUDED, *BY_QUANTITY, *DEDUCTED, *SWITCHED, "工资", "工资", "无收入"))
    line: dict[str, Any] = {
        "who": rng.randrange(members),
        "kind": kind,
        "amount": None,
        "period": None,
        "quantity": None,
    }
    if kind == "无收入":
        return line
    if kind in BY_QUANTITY and rng.random() < 0.7:
        return line | {"quantity": rng.choice(("3", "0.5", "12.3456", "7.25"))}
    line |= {"amount": rng.choice((0, 1, 99, rng.randint(1, 400_000))), "period": rng.choice(("年", "月"))}
    if kind in MONTHLY and line["period"] == "月" and rng.random() < 0.5:
        line["quantity"] = rng.choice(("1", "8", "9.5", "12"))
    return line


# the oracle ---------------------------------------------------------------------------------------------------


class Oracle:
    """One household at a time, as the page for clerks says it."""

    def __init__(self, policy: Policy, month: str) -> None:
        self.policy, self.month, self.day, self.end = policy, month, first_day(month), last_day(month)

    def value(self, name: str) -> Fraction | None:
        found = self.policy.parameter_or_none(name, self.day)
        return None if found is None else Fraction(found.value)

    def on(self, name: str) -> bool:
        return self.policy.switch(name, self.day)

    def years(self, since: date) -> int:
        return self.end.year - since.year - ((self.end.month, self.end.day) < (since.month, since.day))

    def counts(self, one: dict[str, Any]) -> bool | None:
        """None where nobody can tell: the rolls of these tests list the head only."""
        situation, age, grown = one["situation"], self.years(one["born"]), one["relation"] == "次子"
        begun = date.fromisoformat(one["since"]) if one["since"] else None
        if situation is not None and begun is not None and begun > self.end:
            situation = None
        if situation in ("去世", "服刑"):
            return False
        if situation == "宗教教职人员" and begun is not None and self.years(begun) >= 3:
            return False
        if situation == "离婚" and one["together"] != "是":
            return False
        if one["relation"] in ("本人", "配偶") or (grown and age < 18):
            return True
        if grown and situation == "在校":
            return True
        if grown and (one["ability"] == "完全丧失劳动能力" or (one["grade"] or 9) <= 2):
            return True
        if one["together"] == "否":
            return False
        if one["relation"] in ("次子", "母亲", "弟弟") and one["together"] == "是":
            return True
        return None

    def year(self, line: dict[str, Any]) -> Fraction | None:
        """The year's amount as stated, 分; None where none is."""
        if line["kind"] == "无收入":
            return Fraction(0)
        if line["amount"] is None:
            return None
        if line["amount"] == 0:
            return Fraction(0)
        months = Fraction(line["quantity"]) if line["quantity"] and line["kind"] in MONTHLY else Fraction(12)
        return line["amount"] * (months if line["period"] == "月" else 1)

    def line(self, line: dict[str, Any]) -> tuple[Fraction, Fraction] | None:
        """(what counts, what is deducted) in 分; None where it cannot be computed."""
        kind, year = line["kind"], self.year(line)
        if kind in EXCLUDED or (kind in SWITCHED and self.on(SWITCHED[kind])):
            return Fraction(0), Fraction(0)
        if kind in BY_QUANTITY and year is None:
            yields = self.value(BY_QUANTITY[kind])
            return None if yields is None else (Fraction(line["quantity"]) * yields * 100, Fraction(0))
        assert year is not None
        if kind in DEDUCTED:
            share = DEDUCTED[kind]
            return Fraction(0), year if share is None else year * (self.value(share) or 0) / 100
        if kind == "工资":
            costs = (
                year * (self.value("必要就业成本扣减比例") or 0) / 100
                + (self.value("必要就业成本月扣减额") or 0) * 1200
            )
            return year - min(year, costs), Fraction(0)
        return year, Fraction(0)

    def imputed(self, one: dict[str, Any], kinds: set[str], situation: str | None) -> Fraction:
        age, ability = self.years(one["born"]), one["ability"]
        if (
            not self.on("按劳动力推算务工收入")
            or kinds & {"工资", "经营性收入", "退休金"}
            or situation in ("在校", "研究生在读")
        ):
            return Fraction(0)
        low, high = self.value("推算收入起始年龄"), self.value("推算收入截止年龄")
        assert low is not None and high is not None
        if ability not in ("有劳动能力", "部分丧失劳动能力") or not low <= age < high:
            return Fraction(0)
        name = (
            "部分劳动能力"
            if ability == "部分丧失劳动能力"
            else "45岁以下"
            if age < 45
            else "45至54岁"
            if age < 55
            else "55岁以上"
        )
        wage, months, factor = (
            self.value("月最低工资标准"),
            self.value("推算收入月数"),
            self.value(f"劳动力系数_{name}"),
        )
        assert wage is not None and months is not None and factor is not None
        return wage * months * factor * 100

    def household(self, case: dict[str, Any]) -> tuple[int, int] | None:
        """(year in 分, persons), None where something is wanting."""
        counted = [self.counts(one) for one in case["members"]]
        if None in counted:
            return None
        gross = minus = Fraction(0)
        for line in case["lines"]:
            if counted[line["who"]]:
                found = self.line(line)
                if found is None:
                    return None
                gross, minus = gross + found[0], minus + found[1]
        for number, one in enumerate(case["members"]):
            if counted[number]:
                begun = date.fromisoformat(one["since"]) if one["since"] else None
                situation = None if begun is not None and begun > self.end else one["situation"]
                gross += self.imputed(one, {line["kind"] for line in case["lines"] if line["who"] == number}, situation)
                if (one["grade"] or 9) <= 2 and self.on("重度残疾定额扣减收入"):
                    minus += (self.value("重度残疾月扣减额") or 0) * 1200
        return int(max(Fraction(0), gross - minus)), counted.count(True)


# the engine ---------------------------------------------------------------------------------------------------


def measure(
    policy: Policy, month: str, cases: list[dict[str, Any]], mix: random.Random | None = None
) -> list[tuple[int, int] | None]:
    """(income12, persons) of each household by the program's SQL; ``mix`` shuffles what the registers hold."""
    connection = duckdb.connect(":memory:")
    tables = {
        "roll": ("programme", "area", "month", "file_name", "sheet", *ROLL_COLUMNS),
        "register": ("register", "month", "file_name", "sheet", *REGISTER_COLUMNS),
        "coverage": ("programme", "area", "month"),
        "register_coverage": ("register", "area"),
    }
    for name, columns in tables.items():
        connection.execute(f'CREATE TABLE "{name}" ({", ".join(f"{c} {duck_type(c)}" for c in columns)})')
    roll, register = [], []
    for number, case in enumerate(cases, 1):
        ids = [make_id((number * 7 + at) % 499 + 1, born=one["born"].strftime("%Y%m%d"), area=f"4210{number % 90 + 10:02d}") for at, one in enumerate(case["members"])]  # fmt: skip
        roll.append({"programme": "subsistence_allowance", "area": "", "month": month, "row_id": number, "batch_id": 1, "case_no": number, "lead": 1, "id_no": ids[0], "name": "户主", "town": "某镇", "village": "", "category": "农村", "household_size": 9, "income_fen": 0, "income_period": "year", "amount_fen": 0})  # fmt: skip
        base = {"month": "", "name": "某人", "town": "", "village": "", "related_id_no": ids[0]}
        for at, one in enumerate(case["members"]):
            register.append(base | {"register": "household_member", "id_no": ids[at], "relation": one["relation"], "status": one["situation"], "valid_from": one["since"] if one["situation"] else None, "grade": one["ability"], "kind": one["together"]})  # fmt: skip
            if one["grade"]:
                register.append(base | {"register": "disability_certificate", "id_no": ids[at], "related_id_no": None, "grade": "一二三"[one["grade"] - 1] + "级", "kind": "肢体"})  # fmt: skip
        register += [
            base | {"register": "income_item", "id_no": ids[line["who"]], "kind": line["kind"], "amount_fen": line["amount"], "grade": line["period"], "quantity": line["quantity"]}
            for line in case["lines"]
        ]  # fmt: skip
    if mix is not None:
        mix.shuffle(register)
    for name, rows in (("roll", roll), ("register", register)):
        for at, row in enumerate(rows, 1):
            told = {"row_id": at} | row
            connection.execute(
                f"INSERT INTO {name} ({','.join(told)}) VALUES ({','.join('?' * len(told))})", list(told.values())
            )
    build_facts(connection, policy, month)
    found = connection.execute("SELECT income12, persons FROM measured_income ORDER BY case_no").fetchall()
    connection.close()
    assert len(found) == len(cases)
    return [None if row[0] is None else (row[0], row[1]) for row in found]


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("month", MONTHS)
def test_sql_and_the_oracle_agree(region: str, month: str) -> None:
    rng = random.Random(f"{region}{month}")
    cases = [random_household(rng) for _ in range(150)]
    oracle = Oracle(REGIONS[region], month)
    wanted = [oracle.household(case) for case in cases]
    found = measure(REGIONS[region], month, cases)
    for case, left, right in zip(cases, found, wanted, strict=True):
        assert left == right, case
    assert sum(one is not None for one in wanted) > 40


HOUSEHOLDS = st.builds(lambda seed: random_household(random.Random(seed)), st.integers(0, 10**9))
CALM = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HERE, MONTH = REGIONS["421002"], "2026-10"


@CALM
@given(st.lists(HOUSEHOLDS, min_size=1, max_size=8), st.integers(0, 10**6))
def test_the_order_of_members_and_lines_says_nothing(cases: list[dict[str, Any]], seed: int) -> None:
    assert measure(HERE, MONTH, cases) == measure(HERE, MONTH, cases, random.Random(seed))


@CALM
@given(st.lists(HOUSEHOLDS, min_size=1, max_size=8), st.integers(1, 500_000), st.sampled_from((*COUNTED, *EXCLUDED)))
def test_more_income_is_never_less_and_what_is_excluded_changes_nothing(
    cases: list[dict[str, Any]], fen: int, kind: str
) -> None:
    def added(amount: int) -> list[dict[str, Any]]:
        line = {"who": 0, "kind": kind, "amount": amount, "period": "年", "quantity": None}
        return [case | {"lines": [*case["lines"], line]} for case in cases]

    less, more = measure(HERE, MONTH, added(0)), measure(HERE, MONTH, added(fen))
    for before, after in zip(less, more, strict=True):
        assert (before is None) == (after is None)
        if before is not None and after is not None:
            assert 0 <= before[0] <= after[0] <= before[0] + fen
            assert kind not in EXCLUDED or before == after


@CALM
@given(st.lists(HOUSEHOLDS, min_size=1, max_size=8), st.integers(1, 500_000))
def test_more_that_is_deducted_is_never_more_income(cases: list[dict[str, Any]], fen: int) -> None:
    line = {"who": 0, "kind": "赡养支出", "amount": fen, "period": "年", "quantity": None}
    after = measure(HERE, MONTH, [case | {"lines": [*case["lines"], line]} for case in cases])
    for left, right in zip(measure(HERE, MONTH, cases), after, strict=True):
        if left is not None and right is not None:
            assert 0 <= right[0] <= left[0]
