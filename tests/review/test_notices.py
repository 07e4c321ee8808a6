"""The notices that decisions need: kinds, recipients, the day by which they must be there, sent or not."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from jiuzhu_cli.review.decisions import decide_files
from jiuzhu_cli.review.notices import NoticeRun, run_notices
from tests.review.test_decisions import HEARD, fill
from tests.review.worlds import MONTH, NOW, World, household
from tests.support import make_id


def notices(world: World, month: str = MONTH, today: date = date(2026, 10, 30)) -> NoticeRun:
    return run_notices(world.store, world.workspace, world.policy, month, today=today, now=NOW, actor="张经办")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    world.roll(
        "subsistence_allowance",
        household(1, 65000, 0, 1), household(2, 55000, 0, 1), household(3, 10000, 70000, 1), household(4, 60000, 0, 1), household(5, 65000, 0, 1),
    )  # fmt: skip
    world.register("death", {"id_no": make_id(4, born="19800101"), "name": "户主4", "event_date": "2026-09-10"})
    book = world.review().workbook
    filled = fill(
        world, book,
        {"户主1": HEARD, "户主2": {"决定": "同意"}, "户主3": HEARD | {"决定": "不同意"}, "户主4": {"决定": "同意"}},
    )  # fmt: skip
    decide_files(world.store, [filled], today=date(2026, 11, 20), now=NOW, actor="李")  # read in on 2026-10-22
    return world


def test_which_and_to_whom(world: World) -> None:
    result = notices(world)
    told = {n.proposal["name"]: (n.kind.id, n.state, n.recipient, str(n.deadline), n.sent_on) for n in result.notices}
    assert told == {
        "户主1": ("decrease", "sent", "户主1", "2026-10-27", "2026-11-05"),
        "户主4": ("stop", "overdue", "家属或供养机构", "2026-10-27", ""),
    }  # a rise and a stop that was refused need none
    assert result.as_json() | {} == result.as_json()
    assert (result.as_json()["sent"], result.as_json()["overdue"], result.as_json()["unsent"]) == (1, 1, 0)
    assert [n.proposal["name"] for n in notices(world, "").notices] == ["户主4"]
    assert notices(world, "", date(2026, 10, 26)).notices[0].state == "unsent"


def test_every_notice_against_a_person_names_the_remedy(world: World) -> None:
    result = notices(world)
    rows = list(csv.DictReader(result.csv.read_text("utf-8-sig").splitlines()))
    assert {r["notice"] for r in rows if "行政复议" in r["remedy"] and "行政诉讼" in r["remedy"]} == {
        "stop",
        "decrease",
    }
    cells = [str(c) for row in openpyxl.load_workbook(result.workbook).active.iter_rows(values_only=True) for c in row]
    assert "超期未送" in cells
    before = result.workbook.read_bytes()
    assert notices(world).workbook.read_bytes() == before


def test_the_day_of_a_notice_comes_back_with_the_workbook(world: World) -> None:
    book = world.review().workbook
    filled = fill(world, book, {"户主4": {"书面告知日期": "2026-10-26"}})
    assert decide_files(world.store, [filled], today=date(2026, 11, 20), now=NOW, actor="李").applied == 1
    assert {n.state for n in notices(world).notices} == {"sent"}
