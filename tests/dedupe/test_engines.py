"""DuckDB and Spark find the same doubts, with the same words, in a ledger that has every kind of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.doubt import RUN_KINDS
from jiuzhu_cli.dedupe.engine import hand_over
from jiuzhu_cli.dedupe.facts import ROLL_COLUMNS
from jiuzhu_cli.dedupe.run import DedupeResult
from jiuzhu_cli.ledger.lookback import load_lookback
from jiuzhu_cli.ledger.snapshot import open_snapshot
from jiuzhu_cli.policy.load import Policy, load_policy
from tests.dedupe import test_checks, test_kinds, test_missed
from tests.dedupe.test_households import marriage
from tests.dedupe.test_persons import alike
from tests.dedupe.worlds import (
    CARE,
    HELP,
    HOUSE,
    LIVING,
    LOW,
    MARGIN,
    MONTH,
    OLD,
    POOR,
    Corner,
    World,
    flush,
    household,
    person,
)
from tests.spark import needs_spark
from tests.support import REGION, make_id

MONTHS = ("2026-09", "2026-10")


def _fill(world: World, seed: int) -> World:
    """Two months, two towns and a town told only by villages; people drawn often enough to meet each other in every programme."""
    pick = random.Random(seed)
    born = ["19400615", "19800101", "20100301"]

    def who(fen: int | None = None, **more: Any) -> dict[str, Any]:
        serial = pick.randrange(1, 60)
        return person(serial, fen, born=born[serial % 3]) | more

    for month in MONTHS:
        for town in ("东镇", "西镇"):
            for programme in (LOW, MARGIN):
                rows: list[dict[str, Any]] = []
                for case in range(1, 9):
                    serials = pick.sample(range(1, 60), 3)
                    more = {
                        "category": pick.choice(["城市", "农村"]),
                        "account_no": pick.choice(["62220001", "62220002", None]),
                    }
                    rows += household(
                        case, None if programme == MARGIN else pick.randrange(100, 900) * 100, *serials, **more
                    )
                for row in rows:
                    if not row["lead"]:
                        row["account_no"] = None
                world.roll(programme, town, *rows, month=month)
            for programme in (POOR, LIVING, CARE, OLD, HOUSE, HELP):
                more = (
                    {"claimed_status": pick.choice(["低保户", "低保边缘户", "特困人员", "非低保户", None])}
                    if programme in (HOUSE, OLD)
                    else {}
                )
                more |= {"cause": pick.choice(["火灾", "疾病", None])} if programme == HELP else {}
                rows = [
                    who(pick.randrange(50, 500) * 100, account_no=pick.choice(["62220001", "62220003", None]), **more)
                    for _ in range(9)
                ]
                world.roll(programme, town, *rows, month=month)
    world.roll(OLD, "南镇/一村", who(8_000, town="南镇", village="一村"))
    world.roll(LOW, "", *household(1, 50_000, 58, 59, town="北镇"), *[who(10_000, town="东镇") for _ in range(3)])
    people = [{"id_no": make_id(n, born=born[n % 3]), "name": "某"} for n in range(1, 60)]
    world.register(
        "death",
        *[one | {"event_date": pick.choice(["2026-08-31", "2026-10-02", None])} for one in pick.sample(people, 5)],
    )
    world.register("imprisonment", *[one | {"valid_from": "2026-08-10"} for one in pick.sample(people, 3)])
    world.register("work_injury_care", *[one | {"valid_from": "2025-01-01"} for one in pick.sample(people, 4)])
    world.register("severe_illness", *[one | {"valid_from": "2026-01-01"} for one in pick.sample(people, 6)])
    certified = [one | {"grade": pick.choice(["一级", "二级", "3级", "四级"]), "kind": pick.choice(["肢体", "智力", "精神残疾"])} for one in pick.sample(people, 25)]  # fmt: skip
    for one in certified:
        one |= {"town": pick.choice(["东镇", "西镇", "南镇", ""]), "valid_to": pick.choice([None, None, "2026-08-31"])}
    world.register("disability_certificate", *certified)
    pairs = [pick.sample(people, 2) for _ in range(4)]
    world.register("marriage", *[{**a, "related_id_no": b["id_no"], "related_name": "某"} for a, b in pairs])
    return world


def _households(w: Any) -> None:
    """Divorced, registered apart, husband and wife, one book, one door."""
    w.roll(LOW, "东镇", *(person(n, start_month="2026-03") for n in (1, 3, 5, 7, 8)), person(11, address="东镇一村3组12号"),
           person(12, address="东镇一村 3组12号"))  # fmt: skip
    w.roll(LOW, "西镇", person(6))
    w.register("marriage", marriage(2, 1, "离婚登记", "2025-10-08"), marriage(5, 6, "结婚登记", "2001-05-01"))
    book = {"name": "王", "certificate_no": "420001", "status": "正常"}
    w.register("household_registration", {"id_no": make_id(3), "name": "王", "status": "分户", "event_date": "2026-01-08"},
               book | {"id_no": make_id(7)}, book | {"id_no": make_id(8)})  # fmt: skip


def _numbers(w: Any) -> None:
    """Two numbers, two names, somebody dead under another number."""
    w.roll(LOW, "东镇", alike(1, village="二村"), alike(3, "陈桂花"))
    w.roll(POOR, "东镇", alike(2, village="二村"), alike(4, "李四海"))
    w.roll(OLD, "西镇", alike(3, "赵大海", born="19700101"))
    w.register("death", {"id_no": make_id(104), "name": "李四海", "event_date": "2026-08-01"})


def _accounts(w: Any) -> None:
    """A card changed, many at once, and one in a stranger's name."""
    for month, changed in (("2026-09", 0), ("2026-10", 12)):
        cards = (f"6222{int(n <= changed)}200{n:08d}" for n in range(1, 101))
        w.roll(LOW, "东镇", *(person(n, account_no=card) for n, card in enumerate(cards, 1)), month=month)
        w.roll(LOW, "西镇", person(201, account_no=f"62222200000000{month[-2:]}"), month=month)
    w.roll(POOR, "西镇", person(202, account_no="6222220000000077", payee_name="赵外人", payee_id_no=make_id(301)))


@pytest.fixture(scope="module")
def switched(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The policy with its switches on, under which the cases of ``test_missed`` speak."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "parameters").mkdir()
    (folder / "parameters" / "a.toml").write_text(test_missed.SWITCHES + _TIERS + _SWITCH, "utf-8")
    (folder / "relations.toml").write_text(_RELATIONS, "utf-8")
    return load_policy(folder, region=REGION)


_TIERS = "".join(
    f'[[parameter]]\nname = "{name}"\nunit = "元/人/月"\nsource = "试"\nvalues = [{{ since = 2020-01-01, value = {value} }}]\n'
    for name, value in (("高龄津贴标准_80", 25), ("高龄津贴标准_80_困难", 100), ("合计封顶_试", 1000))
)


_RELATIONS = "".join(
    f'[[relations]]\nid = "own-{kind}"\na = "{a}"\nb = "{b}"\nkind = "{kind}"\nbasis = "试"\n{more}'
    for kind, a, b, more in (("T", LOW, HELP, 'cap = "合计封顶_试"\n'), ("H", CARE, OLD, ""))
)


_SWITCH = '[[parameter]]\nname = "困难残疾人生活补贴_含低保边缘"\nsource = "试"\nvalues = [{ since = 2020-01-01, value = true }]\n'


def _grounds(w: Any) -> None:
    """The subsidy of the disabled poor without the status that it is given for; paid although declared missing."""
    w.roll(LIVING, "东镇", person(1))
    for programme in (LOW, MARGIN):
        w.roll(programme, "东镇", person(90, None if programme == MARGIN else 40_000))
    w.roll(LOW, "西镇", person(5))
    w.register("missing_declared", {"id_no": make_id(5), "name": "王", "valid_from": "2026-01-01"})


def _of_own_relations(w: Any) -> None:
    w.roll(LOW, "东镇", person(3, 90_000))
    w.roll(HELP, "东镇", person(3, 80_000))
    w.roll(CARE, "东镇", person(4, 6_000, born="19300101"))
    w.roll(OLD, "东镇", person(4, 5_000, born="19300101"))


def _tiers(w: Any) -> None:
    for town in ("东镇", "西镇"):
        w.roll(OLD, town, *(person(n, 10_000, born="19400101") for n in (1, 2)))
        for programme in (LOW, POOR, MARGIN):
            w.roll(programme, town, person(90, None if programme == MARGIN else 40_000))


def _every_case(world: World) -> None:
    """What the tests of each kind look at, all in one ledger."""
    lines: dict[str, list[dict[str, Any]]] = {}
    own = [_households, _numbers, _accounts, _tiers, _of_own_relations, _grounds]
    for number, case in enumerate([*own, *test_checks.CASES, *test_missed.CASES, *test_kinds.CASES]):
        case(Corner(world, number, lines))  # type: ignore[arg-type]
    flush(world, lines)


class _Taken(dict[str, int]):
    """Rows a table that an engine was given."""

    def load(self, name: str, rows: Any) -> None:
        self[name] = rows.num_rows


def test_all_that_the_checks_look_at_is_handed_over(world: World) -> None:
    """Addresses of cases too, which are a view and no table."""
    world.roll(
        LOW,
        "东镇",
        *household(1, 50_000, 1, 2, address="东镇一村3号"),
        person(3, case_no=2, lead=1, address="东镇一村4号"),
    )
    snapshot = open_snapshot(world.store, months=(MONTH, MONTH), roll_columns=ROLL_COLUMNS)
    load_lookback(world.store, snapshot, window=(MONTH, MONTH), since=MONTH, once=[], once_since=MONTH, homes=[LOW])
    taken = _Taken()
    hand_over(snapshot, taken)  # type: ignore[arg-type]
    snapshot.close()
    assert (taken["roll"], taken["case_home"]) == (3, 2)
    assert {"origin", "coverage", "register_coverage", "register", "before", "paid_before", "imported"} <= taken.keys()


def _run(folder: Path, policy: Policy, engine: str, fill: Callable[[World], Any]) -> DedupeResult:
    folder.mkdir()
    world = World(folder)
    fill(world)
    result = world.run(
        month="2026-10",
        month_from="2026-09",
        policy=policy,
        engine=engine,
        now=datetime(2026, 11, 2, 9, 0),
        accept_doubles=True,
    )
    world.store.close()
    return result


def _both(world: World) -> None:
    _fill(world, seed=5)
    _every_case(world)


def test_the_ledger_has_every_code(tmp_path: Path, switched: Policy) -> None:
    """Every code of ``data/doubts.toml``: a new one needs a case here, so that both engines are seen to find it."""
    result = _run(tmp_path / "duckdb", switched, "duckdb", _both)
    assert {doubt["code"] for doubt in result.doubts} == set(switched.doubts)
    assert {doubt["kind"] for doubt in result.doubts} == set(RUN_KINDS)


@needs_spark
def test_spark_finds_the_same_doubts(tmp_path: Path, switched: Policy) -> None:
    here, spark = (_run(tmp_path / engine, switched, engine, _both) for engine in ("duckdb", "spark"))
    assert len(spark.doubts) == len(here.doubts)
    for theirs, ours in zip(spark.doubts, here.doubts, strict=True):
        assert theirs == ours
    assert spark.not_judged == here.not_judged
    assert here.not_judged and here.csv.read_bytes() == spark.csv.read_bytes()
