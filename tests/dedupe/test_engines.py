"""DuckDB and Spark find the same doubts, with the same words, in a ledger that has every kind of them."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any

from jiuzhu_cli.dedupe.engine import hand_over
from jiuzhu_cli.dedupe.facts import ROLL_COLUMNS
from jiuzhu_cli.ledger.lookback import load_lookback
from jiuzhu_cli.ledger.snapshot import open_snapshot
from tests.dedupe.worlds import CARE, HELP, HOUSE, LIVING, LOW, MARGIN, MONTH, OLD, POOR, World, household, person
from tests.spark import needs_spark
from tests.support import make_id

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


@needs_spark
def test_spark_finds_the_same_doubts(tmp_path: Path) -> None:
    found = []
    for engine in ("duckdb", "spark"):
        (tmp_path / engine).mkdir()
        world = _fill(World(tmp_path / engine), seed=5)
        found.append(world.run(month="2026-10", month_from="2026-09", engine=engine, now=datetime(2026, 11, 2, 9, 0)))
        world.store.close()
    here, spark = found
    codes = {doubt["code"] for doubt in here.doubts}
    assert len(codes) >= 14, sorted(codes)
    assert len(spark.doubts) == len(here.doubts)
    for theirs, ours in zip(spark.doubts, here.doubts, strict=True):
        assert theirs == ours
    assert spark.not_judged == here.not_judged
    assert here.not_judged and here.csv.read_bytes() == spark.csv.read_bytes()
