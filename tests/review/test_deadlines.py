"""Time limits: steps from the imported register of progress and from the record itself, pauses, switches, years without holidays."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.review.deadlines import DeadlineRun, run_deadlines
from tests.review.test_decisions import HEARD, fill
from tests.review.test_due import bring
from tests.review.worlds import NOW, World, household
from tests.support import make_id

HEADER = ("姓名", "身份证号", "救助项目", "乡镇", "申请日期", "受理日期", "启动调查日期", "提请核对日期", "启动核对日期", "公示起", "公示止", "上报日期", "确认日期",
          "不予同意日期", "告知日期", "特殊情况", "暂停开始", "暂停结束", "暂停原因", "办结日期")  # fmt: skip
NAMES = "甲乙丙丁戊己庚辛壬癸"


def progress(world: World, *lines: dict[str, Any], title: str = "青溪镇低保办理进度台账") -> None:
    """A workbook as an office keeps it, imported."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([title])
    sheet.append(HEADER)
    for number, line in enumerate(lines, 1):
        base = {
            "姓名": f"王{NAMES[(number - 1) % 10]}",
            "身份证号": make_id(number),
            "救助项目": "低保",
            "乡镇": "青溪镇",
        }
        sheet.append([(base | line).get(word) for word in HEADER])
    path = world.workspace.root.parent / "进度.xlsx"
    book.save(path)
    told = bring(world, path).as_json(world.policy)["files"]
    assert [(one["programme"], one["refused"]) for one in told] == [("case_progress", 0)], told


def run(world: World, on: date, policy: Policy | None = None) -> DeadlineRun:
    return run_deadlines(world.store, world.workspace, policy or world.policy, on, now=NOW, actor="张经办")


def told(result: DeadlineRun) -> dict[tuple[str, str], tuple[str, str, int]]:
    return {(one.item.name, one.step.id): (one.state, str(one.deadline), one.days) for one in result.timed}


def own(folder: Path, text: str = "", holidays: str = "") -> Policy:
    for name, content in (("parameters/x.toml", text), ("holidays.toml", holidays)):
        if content:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, "utf-8")
    return load_policy(folder, region="421002")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path)


def test_every_step_of_an_application(world: World) -> None:
    progress(
        world,
        {
            "受理日期": date(2026, 9, 29)
        },  # 3 working days: 09-30, 10-08, 10-09 → survey overdue on 10-12 by 10-10 (worked) and 10-12
        {"受理日期": "2026-10-09", "启动调查日期": "2026.10.15"},  # due 10-13: two days late
        {"受理日期": "2026-10-09", "启动调查日期": "2026-10-10", "提请核对日期": "2026-10-09"},
        {
            "受理日期": "2026-10-09",
            "启动调查日期": "2026-10-10",
            "公示起": "2026-10-10",
            "公示止": "2026-10-14",
        },  # five days only
        {"受理日期": "2026-10-09", "启动调查日期": "2026-10-10", "公示起": "2026-10-10", "公示止": "2026-10-16"},
        {"受理日期": "2026-08-03", "启动调查日期": "2026-08-04", "不予同意日期": "2026-10-09"},  # refused, not told yet
        {"受理日期": "2026-08-03", "启动调查日期": "2026-08-04", "办结日期": "2026-08-10"},  # withdrawn
    )
    found = told(run(world, date(2026, 10, 12)))
    assert found == {
        ("王甲", "survey"): ("overdue", "2026-10-09", 2),
        ("王乙", "survey"): ("warning", "2026-10-13", 1),  # on that day it had not begun
        ("王丙", "check"): ("warning", "2026-10-13", 1),
        ("王己", "refusal"): ("warning", "2026-10-13", 1),
        ("王己", "whole"): ("late", "2026-09-14", 14),
    }
    later = told(run(world, date(2026, 10, 20)))
    assert later["王乙", "survey"] == ("late", "2026-10-13", 2)
    assert later["王丁", "post"] == ("short", "2026-10-16", 2)
    assert ("王戊", "post") not in later
    assert later["王己", "refusal"][:1] == ("overdue",)
    assert not any(name == "王庚" for name, _ in later)


def test_special_cases_and_delegation_have_their_own_limits(world: World, tmp_path: Path) -> None:
    progress(
        world,
        {"受理日期": "2026-08-03", "启动调查日期": "2026-08-04"},
        {"受理日期": "2026-08-03", "启动调查日期": "2026-08-04", "特殊情况": "是"},
    )
    day = date(2026, 9, 10)
    assert told(run(world, day)) == {("王甲", "whole"): ("warning", "2026-09-14", 2)}
    delegated = own(
        tmp_path / "own",
        '[[parameter]]\nname = "审核确认权限下放"\narea = "421002"\nsource = "区里的决定"\nvalues = [{ since = 2026-01-01, value = true }]\n',
    )
    assert told(run(world, day, delegated)) == {("王甲", "whole"): ("overdue", "2026-08-31", 8)}


def test_pauses_stop_the_clock(world: World) -> None:
    same = {"受理日期": "2026-10-09", "启动调查日期": "2026-10-10", "上报日期": "2026-10-12"}  # ten working days: 10-26
    progress(
        world,
        same,
        same | {"暂停开始": "2026-10-14", "暂停结束": "2026-10-20"},  # five working days more: 11-02
        same | {"暂停开始": "2026-10-14", "暂停原因": "等核对结果"},  # still standing
        {
            "姓名": "王乙",
            "身份证号": make_id(2),
            "受理日期": "2026-10-09",
            "暂停开始": "2026-10-19",
            "暂停结束": "2026-10-21",
        },  # overlaps: one day more
    )
    result = run(world, date(2026, 10, 28))
    assert told(result) == {
        ("王甲", "confirm"): ("overdue", "2026-10-26", 2),
        ("王丙", "confirm"): ("paused", "None", 9),
        ("王丙", "whole"): ("paused", "None", 27),
    }
    book = openpyxl.load_workbook(result.workbook)
    assert any("等核对结果" in str(cell) for row in book["暂停计时"].iter_rows(values_only=True) for cell in row)
    assert told(run(world, date(2026, 11, 2)))["王乙", "confirm"] == ("warning", "2026-11-03", 1)


def test_the_first_day_counts_where_the_bureau_says_so(world: World, tmp_path: Path) -> None:
    progress(world, {"受理日期": "2026-10-12"})
    policy = own(
        tmp_path / "own",
        '[[parameter]]\nname = "办理时限含首日"\narea = "421002"\nsource = "区里的口径"\nvalues = [{ since = 2026-01-01, value = true }]\n',
    )
    assert told(run(world, date(2026, 10, 15))) == {("王甲", "survey"): ("warning", "2026-10-15", 0)}
    assert told(run(world, date(2026, 10, 15), policy)) == {("王甲", "survey"): ("overdue", "2026-10-14", 1)}


def test_a_year_without_holidays_is_said(world: World, tmp_path: Path) -> None:
    progress(world, {"受理日期": "2026-12-20", "启动调查日期": "2026-12-21"})
    result = run(world, date(2026, 12, 31))
    assert result.unknown_years == [2027]
    assert "2027" in str(openpyxl.load_workbook(result.workbook)["汇总"]["A2"].value) + str(
        openpyxl.load_workbook(result.workbook)["汇总"]["A3"].value
    )
    # one day entered by hand is no table of the year
    one = own(
        tmp_path / "a", holidays='[[holidays]]\nname = "本地"\nfirst = 2027-01-01\nlast = 2027-01-01\nsource = "x"\n'
    )
    assert run(world, date(2026, 12, 31), one).unknown_years == [2027]
    whole = own(
        tmp_path / "b", holidays='[[holidays]]\nname = "春节等"\nfirst = 2027-01-01\nlast = 2027-01-31\nsource = "x"\n'
    )
    assert run(world, date(2026, 12, 31), whole).unknown_years == []


def test_what_the_record_knows_itself(world: World) -> None:
    """A death (three months), a stop without decision (ten working days), a doubt, a posting not closed."""
    world.roll(
        "subsistence_allowance",
        household(1, 10000, 70000, 1),
        household(2, 60000, 0, 1),
        household(3, 60000, 0, 2, case_no=9),
    )
    world.register("death", {"id_no": make_id(2, born="19800101"), "name": "户主2", "event_date": "2026-08-31"})
    book = world.review().workbook  # proposed on 2026-10-22
    with world.store.transaction(actor="测试", command="test") as tx:
        tx.execute(
            "INSERT INTO posting (programme, town, village, month, round, households, persons, amount_fen, from_date, to_date, content_sha256, state, created_by, created_at)"
            " VALUES ('subsistence_allowance','青溪镇','一村','2026-10','first',1,1,1,'2026-10-20','2026-10-26','','open','甲','2026-10-19T00:00:00Z')"
        )
        tx.journal("test", {})
    found = told(run(world, date(2026, 11, 27)))
    assert found["户主1", "decide"] == ("overdue", "2026-11-05", 16)
    assert found["户主2", "death"] == ("warning", "2026-11-30", 3)
    assert found["公示 1", "posting_close"][:2] == ("overdue", "2026-10-29")
    from tests.review.test_decision_batches import decide

    decide(world, fill(world, book, {"户主1": HEARD, "户主2": {"决定": "同意"}}))
    after = told(run(world, date(2026, 11, 27)))
    assert not {key for key in after if key[1] == "death"}
    assert after["户主1", "notice"] == ("late", "2026-10-27", 7)  # decided on 10-22, told on 11-05
    assert after["户主2", "notice"] == ("overdue", "2026-10-27", 23)  # the family of the dead is told, too


def test_the_files(world: World) -> None:
    progress(world, {"受理日期": "2026-09-29", "救助项目": ""}, {"受理日期": "2026-09-29", "启动调查日期": "十月初"})
    result = run(world, date(2026, 10, 12))
    assert result.without_programme == 1 and len(result.unread) == 1
    rows = list(csv.DictReader(result.csv.read_text("utf-8-sig").splitlines()))
    assert [(r["step"], r["state"], r["deadline"], r["days"], r["name"]) for r in rows] == [
        ("survey", "overdue", "2026-10-09", "2", "王乙")
    ]
    first = result.workbook.read_bytes()
    assert run(world, date(2026, 10, 12)).workbook.read_bytes() == first
