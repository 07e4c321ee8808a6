"""Who is due: cycles by programme, class and town; visits come back through import and reset the clock; the calendar; the forms."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jiuzhu_cli.intake.batch import import_paths
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.review.due import DueRun, run_due
from jiuzhu_cli.review.visits import class_of, programmes_in
from tests.review.worlds import MONTH, NOW, TODAY, World, household, policy_of
from tests.support import make_id

LOW, OLD, POOR = "subsistence_allowance", "old_age_allowance", "extreme_poverty_support"


def due(world: World, month: str = MONTH, **more: Any) -> DueRun:
    return run_due(
        world.store,
        world.workspace,
        more.pop("policy", world.policy),
        month,
        today=TODAY,
        now=NOW,
        actor="张经办",
        **more,
    )


def listed(path: Path) -> dict[str, dict[str, Any]]:
    """Name → cells by header, over all sheets."""
    found: dict[str, dict[str, Any]] = {}
    for sheet in openpyxl.load_workbook(path).worksheets:
        header: list[Any] = []
        for row in sheet.iter_rows(values_only=True):
            if "身份证号" in row:
                header = list(row)
            elif header:
                cells = dict(zip(header, row, strict=True))
                found[cells["姓名"]] = cells
    return found


def own(tmp_path: Path, **files: str) -> Policy:
    folder = tmp_path / "own"
    for name, text in files.items():
        path = folder / (f"{name}.toml" if name != "parameters" else "parameters/x.toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return load_policy(folder, region="421002")


@pytest.mark.parametrize(
    ("grade", "category", "months", "name"),
    [
        ("A", "农村", 12, "A类"), ("b类", "农村", 6, "B类"), ("Ｃ类", "城市", 3, "C类"), ("红", "农村", 6, "C类"), ("黄色", "城市", 6, "B类"),
        ("一档", "农村", 12, None), (None, "城市", 12, None), ("A类（长期）", "农村", 12, "A类"),
    ],
)  # fmt: skip
def test_cycles_by_class_and_category(tmp_path: Path, grade: str, category: str, months: int, name: str) -> None:
    world = World.make(tmp_path)
    year, month = divmod(2026 * 12 + 9 - months, 12)
    started = f"{year}-{month + 1:02d}"
    late = f"{year + (month + 1) // 12}-{(month + 1) % 12 + 1:02d}"
    world.roll(
        LOW,
        household(1, 60000, 0, 1, start_month=started, grade=grade, category=category),  # due this month
        household(2, 60000, 0, 1, start_month=late, grade=grade, category=category),  # next month
    )
    result = due(world)
    assert (result.due, result.overdue, result.by_task) == (1, 0, {"review": 1})
    assert listed(result.workbook)["户主1"]["核查类别"] == name
    assert result.class_unknown == ({} if name else {LOW: 2})
    assert result.defaults == ({} if name else {LOW: 12})


def test_how_long_overdue_and_never_seen(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        LOW,
        household(1, 60000, 0, 1, start_month="2025-08"),  # due in August: two months late
        household(2, 60000, 0, 1, start_month="2019-01"),  # never seen done
        household(3, 60000, 0, 1),
        household(4, 60000, 0, 1, start_month="2026-01"),
    )
    world.roll(POOR, {"id_no": make_id(9), "name": "特1", "amount_fen": 1, "start_month": "2025-10"})
    result = due(world)
    assert (result.due, result.overdue, result.unseen, result.unknown) == (4, 1, 1, 1)
    told = {name: (row["到期月份"], row["逾期"]) for name, row in listed(result.workbook).items()}
    assert told == {
        "户主1": ("2026-08", "逾期 2 个月"), "户主2": ("2020-01", "没有复核记录"), "户主3": ("2026-10", "没有起始月份"), "特1": ("2026-10", None),
    }  # fmt: skip


def test_towns_classes_and_visits_of_the_bureaus_own(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        LOW,
        household(1, 60000, 0, 1, start_month="2026-08", grade="B"),
        household(2, 60000, 0, 1, start_month="2026-08", grade="C"),
    )
    world.roll(LOW, household(3, 60000, 0, 1, start_month="2026-08", grade="B"), area="白水镇")
    policy = own(
        tmp_path,
        cycles='[[cycles]]\nid = "own_town"\non = ["subsistence_allowance"]\ntowns = ["白水镇"]\nmonths = 2\nsource = "镇里的规定"\n',
        parameters='[[parameter]]\nname = "按类别走访"\narea = "421002"\nsource = "区里的规定"\nvalues = [{ since = 2026-01-01, value = true }]\n',
    )
    result = due(world, policy=policy)
    told = {name: row["事项"] for name, row in listed(result.workbook).items()}
    assert told == {"户主1": "走访", "户主2": "走访", "户主3": "复核、走访"}
    assert due(world).due == 0  # without the bureau's own folder nobody is
    assert due(world, policy=policy_of("230321")).due == 0


def fill(path: Path, answers: dict[str, dict[str, Any]], name: str = "") -> Path:
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        header: dict[str, int] = {}
        for row in sheet.iter_rows():
            words = {str(c.value): c.column for c in row if c.value is not None}
            if "身份证号" in words:
                header = words
            elif header:
                for word, value in answers.get(str(sheet.cell(row[0].row, header["姓名"]).value), {}).items():
                    sheet.cell(row[0].row, header[word]).value = value
    target = path.with_name(name or "交回.xlsx")
    book.save(target)
    return target


def bring(world: World, path: Path) -> Any:
    return import_paths(world.workspace, world.policy, [path], today=TODAY, now=NOW, actor="张经办")


def test_what_comes_back_is_known_at_once_and_resets_the_clock(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        LOW,
        household(1, 60000, 0, 2, name="王甲", start_month="2025-09", village="东风村"),
        household(2, 60000, 0, 1, name="王乙", start_month="2025-09", village="东风村"),
        household(3, 60000, 0, 1, name="王丙", start_month="2025-09", village="红旗村"),
        household(4, 60000, 0, 1, name="王丁", start_month="2025-09", village="红旗村"),
    )
    first = due(world, split_by_town=True)
    assert first.due == 4
    a = fill(first.towns[0], {
        "王甲": {"入户日期": date(2026, 10, 12), "入户人员": "王二、李三", "发现情况": "收入变化", "现家庭月收入（元）": 350.5, "签字": "已签字", "核查类别": "B类"},
        "王乙": {"入户日期": "2026-10-12", "发现情况": "无人在家"},
    }, "甲交回.xlsx")  # fmt: skip
    b = fill(first.towns[0], {"王丙": {"入户日期": "2026.10.13", "发现情况": "无变化"}}, "乙交回.xlsx")
    for path in (a, b):
        bring(world, path)
    rows = world.store.query(
        "SELECT b.programme, b.area, b.month, r.name, r.event_date, r.status, r.grade, r.amount_fen, r.extra FROM register_row r JOIN batch b USING (batch_id)"
        " WHERE b.status = 'active' ORDER BY r.id_no"
    )
    assert [tuple(row)[:8] for row in rows] == [
        ("visit_record", "青溪镇", "2026-10", "王甲", "2026-10-12", "收入变化", "B类", 35050),
        ("visit_record", "青溪镇", "2026-10", "王乙", "2026-10-12", "无人在家", None, None),
        ("visit_record", "青溪镇", "2026-10", "王丙", "2026-10-13", "无变化", None, None),
    ]  # fmt: skip
    again = due(world)
    assert set(listed(again.workbook)) == {"王乙", "王丁"}  # nobody was met at 王乙's
    world.roll(
        LOW,
        *(household(n, 60000, 0, 1, name=f"王{w}", start_month="2025-09") for n, w in enumerate("甲乙丙丁", 1)),
        month="2027-04",
    )
    later = listed(due(world, "2027-04").workbook)
    assert later["王甲"]["核查类别"] == "B类"  # half a year after the visit, by the class that the visit gave
    assert later["王甲"]["上次复核/起始"] == "2026-10复核" and "王丙" not in later


def test_a_blank_form_brings_no_line(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(LOW, household(1, 60000, 0, 1, start_month="2025-09"))
    bring(world, due(world).workbook)
    assert world.store.query("SELECT count(*) FROM register_row")[0][0] == 0


def test_certification_needs_its_word(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    old = [
        {"id_no": make_id(n, born="19400101"), "name": f"陈{w}", "amount_fen": 5000, "start_month": "2026-04"}
        for n, w in enumerate("甲乙丙", 1)
    ]
    world.roll(OLD, *old)
    first = due(world)
    assert first.by_task == {"certify": 3}
    bring(world, fill(first.workbook, {
        "陈甲": {"入户日期": "2026-10-12", "生存认证": "已认证"}, "陈乙": {"入户日期": "2026-10-12", "生存认证": "未认证"}, "陈丙": {"入户日期": "2026-10-12"},
    }))  # fmt: skip
    assert set(listed(due(world).workbook)) == {"陈乙", "陈丙"}


def test_members_count_for_their_household_and_other_programmes_do_not(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        LOW,
        household(1, 60000, 0, 2, start_month="2025-10", case_no=1),
        {"id_no": make_id(7), "name": "妻", "case_no": 1, "lead": 0},
        household(2, 60000, 0, 1, start_month="2025-10", case_no=2),
    )
    world.register(
        "visit_record",
        {"id_no": make_id(7), "name": "妻", "event_date": "2026-10-02"},
        {
            "id_no": make_id(2, born="19800101"),
            "name": "户主2",
            "event_date": "2026-10-02",
            "extra": '{"救助项目": "高龄津贴"}',
        },
    )
    assert sorted(listed(due(world).workbook)) == ["户主2"]


def test_the_calendar_is_even_and_never_later_than_due(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(
        LOW,
        *(
            household(n, 60000, 0, 1, start_month="2019-01", village="东风村") for n in range(1, 25)
        ),  # no record: spread over the year
        *(household(n, 60000, 0, 1, start_month="2026-02", village="红旗村") for n in range(30, 36)),  # due in 2027-02
        household(40, 60000, 0, 1, start_month="2025-08", village="红旗村"),  # late: at once
        household(
            41, 60000, 0, 1, start_month="2026-09", village="红旗村", grade="C", category="城市"
        ),  # each third month
    )
    result = due(world, ahead=12)
    assert result.calendar is not None
    book = openpyxl.load_workbook(result.calendar)
    rows = {row[1]: row[3:] for row in book["日历"].iter_rows(values_only=True) if row[0] == "青溪镇"}
    assert rows["东风村"] == (*[2] * 12, 24)
    assert rows["红旗村"] == (2, 0, 2, 3, 2, 0, 1, 0, 0, 1, 0, 0, 11) or sum(rows["红旗村"][:-1]) == rows["红旗村"][-1]
    assert sum(result.months.values()) == 24 + 6 + 1 + 4
    detail = list(book["逐户"].iter_rows(min_row=4, values_only=True))
    red = [row for row in detail if row[2] == "红旗村" and row[8] == "2027-02"]
    assert sorted(row[0] for row in red) == ["2026-12", "2026-12", "2027-01", "2027-01", "2027-02", "2027-02"]
    assert all(row[0] <= row[8] or row[8] < "2026-10" for row in detail if row[7].endswith("复核") or row[8] >= MONTH)
    assert due(world, ahead=12).calendar.read_bytes() == result.calendar.read_bytes()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("word", "found"), [("A", "A"), ("a类", "A"), ("红 色", "C"), ("甲", ""), ("AB", ""), ("A档（一）", "A"), ("", "")]
)
def test_words_of_classes(word: str, found: str) -> None:
    assert class_of(word, policy_of("421002")) == found


def test_words_of_programmes() -> None:
    policy = policy_of("421002")
    assert programmes_in("低保、高龄津贴", policy) == [LOW, OLD]
    assert programmes_in("低保和什么", policy) == []
