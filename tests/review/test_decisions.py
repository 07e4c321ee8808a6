"""Decisions come back by workbook: nothing is cut or stopped unheard (社会救助法第48条)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.ledger.proposals import effective_changes
from jiuzhu_cli.review.decisions import Decided, decide_from
from tests.review.worlds import NOW, World, household
from tests.support import make_id, put_roll


def fill(world: World, path: Path, answers: dict[str, dict[str, Any]]) -> Path:
    """Writes ``answers`` (name → header → value) into the workbook's cells, as a clerk would."""
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        header: dict[str, int] = {}
        for row in sheet.iter_rows():
            words = {str(c.value): c.column for c in row if c.value is not None}
            if "建议编号" in words:
                header = words
            elif header:
                name = sheet.cell(row[0].row, header["姓名"]).value
                for word, value in answers.get(str(name), {}).items():
                    sheet.cell(row[0].row, header[word]).value = value
    target = path.with_name("填好.xlsx")
    book.save(target)
    return target


def decide(world: World, path: Path, today: date = date(2026, 11, 20)) -> Decided:
    return decide_from(world.store, path, today=today, now=NOW, actor="李审核")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.make(tmp_path)
    world.roll(
        "subsistence_allowance",
        household(1, 65000, 0, 1),  # decrease to 600
        household(2, 55000, 0, 1),  # increase to 600
        household(3, 10000, 70000, 1),  # stop
        household(4, 60000, 0, 1),  # dead in September
    )
    world.register("death", {"id_no": make_id(4, born="19800101"), "name": "户主4", "event_date": "2026-09-10"})
    return world


HEARD = {"决定": "同意", "听取意见日期": "2026-11-02", "书面告知日期": "2026-11-05"}


def test_a_whole_workbook(world: World) -> None:
    path = fill(
        world,
        world.review().workbook,
        {
            "户主1": HEARD | {"备注": "已入户"},
            "户主2": {"决定": "同意"},
            "户主3": {"决定": "不同意", "备注": "已外出务工"},
            "户主4": {"决定": "同意"},
        },
    )
    result = decide(world, path)
    assert (result.applied, result.unchanged, result.effective, result.refused) == (4, 0, 3, [])
    states = {p["name"]: (p["state"], p["effective_month"], p["decided_by"]) for p in world.proposals()}
    assert states["户主1"] == ("effective", "2026-12", "李审核")  # the month after the notice
    assert states["户主2"] == ("effective", "2026-12", "李审核")
    assert states["户主3"][0] == "rejected"
    assert states["户主4"] == ("effective", "2026-10", "李审核")  # the month after the death
    again = decide(world, path)
    assert (again.applied, again.unchanged) == (0, 4)


def test_decisions_survive_a_new_run_and_stand_in_the_new_workbook(world: World) -> None:
    decide(world, fill(world, world.review().workbook, {"户主1": HEARD}))
    result = world.review()
    assert {p["name"]: p["state"] for p in world.proposals()}["户主1"] == "effective"
    again = decide(world, result.workbook)
    assert (again.applied, again.unchanged, again.refused) == (0, 1, [])


@pytest.mark.parametrize(
    ("answer", "column", "word"),
    [
        ({"决定": "同意"}, "O", "听取意见日期"),
        ({"决定": "同意", "听取意见日期": "2026-11-02"}, "P", "书面告知日期"),
        ({"决定": "同意", "书面告知日期": "2026-11-05"}, "O", "听取意见日期"),
        (HEARD | {"书面告知日期": "2026-11-01"}, "P", "早于"),
        (HEARD | {"书面告知日期": "2026-11-30"}, "P", "今天之后"),
        (HEARD | {"听取意见日期": "11月初"}, "O", "不是日期"),
        (HEARD | {"听取意见日期": "2026-11-31"}, "O", "不是日期"),
        (HEARD | {"决定": "大概同意"}, "N", "看不懂"),
        (HEARD | {"备注": "=1+1"}, "Q", "错误值"),
    ],
)
def test_refused_with_its_cell(world: World, answer: dict[str, str], column: str, word: str) -> None:
    result = decide(world, fill(world, world.review().workbook, {"户主1": answer, "户主2": {"决定": "同意"}}))
    assert result.applied == 1  # the good row is taken
    assert [(one["sheet"], one["cell"][0]) for one in result.refused] == [("调减", column)]
    assert word in result.refused[0]["reason"]
    assert {p["name"]: p["state"] for p in world.proposals()}["户主1"] == "open"
    if "今天" not in word and "不是" not in word and word not in ("看不懂", "错误值"):
        assert "48条" in result.refused[0]["reason"]


def test_dates_as_excel_dates_are_read(world: World) -> None:
    answer = {"决定": "同意", "听取意见日期": date(2026, 11, 2), "书面告知日期": date(2026, 11, 5)}
    assert decide(world, fill(world, world.review().workbook, {"户主1": answer})).applied == 1


def test_unknown_and_gone_cases_are_refused(world: World, tmp_path: Path) -> None:
    path = fill(world, world.review().workbook, {"户主2": {"决定": "同意"}})
    with world.store.transaction(actor="测试", command="test") as tx:
        tx.execute("UPDATE proposal SET state = 'gone' WHERE name = '户主2'")
        tx.journal("test", {})
    assert "不成立" in decide(world, path).refused[0]["reason"]
    other = World.make(tmp_path / "other")
    assert (
        "没有编号" in decide_from(other.store, path, today=date(2026, 11, 20), now=NOW, actor="李").refused[0]["reason"]
    )


def test_an_effective_decision_is_not_taken_back_by_a_cell(world: World) -> None:
    workbook = world.review().workbook
    decide(world, fill(world, workbook, {"户主2": {"决定": "同意"}}))
    assert "已决定并生效" in decide(world, fill(world, workbook, {"户主2": {"决定": "不同意"}})).refused[0]["reason"]


def test_any_other_workbook_is_refused(world: World, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["姓名", "金额"])
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(DataError):
        decide(world, tmp_path / "x.xlsx")


def test_what_payment_is_told(world: World) -> None:
    """From the month after the decision, as long as the roll still shows what was decided on."""
    decide(
        world,
        fill(
            world,
            world.review().workbook,
            {"户主1": HEARD, "户主2": {"决定": "同意"}, "户主3": HEARD, "户主4": {"决定": "同意"}},
        ),
    )

    def told(month: str) -> dict[str, tuple[str, int | None]]:
        return {c.id_no: (c.action, c.amount_after_fen) for c in effective_changes(world.store, month)}

    ids = {n: make_id(n, born="19800101") for n in (1, 2, 3, 4)}
    assert told("2026-10") == {ids[4]: ("stop", 0)}
    put_roll(
        world.store, "subsistence_allowance", "青溪镇", "2026-12",
        [household(1, 65000, 0, 1), household(2, 60000, 0, 1), household(3, 10000, 70000, 1), household(4, 60000, 0, 1)],
    )  # fmt: skip
    assert told("2026-12") == {ids[1]: ("decrease", 60000), ids[3]: ("stop", 0), ids[4]: ("stop", 0)}
    # left the roll, then taken up again: the stop is over
    put_roll(world.store, "subsistence_allowance", "青溪镇", "2027-01", [household(1, 60000, 0, 1)])
    put_roll(
        world.store,
        "subsistence_allowance",
        "青溪镇",
        "2027-02",
        [household(1, 60000, 0, 1), household(3, 10000, 70000, 1)],
    )
    assert told("2027-02") == {}
    # and the review of December does not ask again what has been decided
    assert world.review("2026-12").in_force == 3


def test_journal_names_no_person(world: World) -> None:
    decide(world, fill(world, world.review().workbook, {"户主2": {"决定": "同意"}}))
    text = "".join(row["detail"] for row in world.store.query("SELECT detail FROM journal"))
    assert make_id(2, born="19800101") not in text
    assert world.store.check_journal() == []
