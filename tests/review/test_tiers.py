"""The six items of self-care: tiers, the assessed one against the roll's, old and late assessments, cells that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from tests.review.worlds import World
from tests.support import make_id

SUPPORT, ASSESSED = "extreme_poverty_support", "self_care_assessment"
ITEMS = ("吃饭", "穿衣", "上下床", "如厕", "室内行走", "洗澡")
ONE = make_id(1, born="19500101")
# 421002 rural: 780 and 191, 319, 637
FULL, HALF, SELF = 141700, 109900, 97100


def _answers(unmet: int, words: tuple[str, str] = ("能", "不能")) -> str:
    return json.dumps({item: words[1] if n < unmet else words[0] for n, item in enumerate(ITEMS)}, ensure_ascii=False)


def _person(amount: int, self_care: str | None, **more: Any) -> dict[str, Any]:
    return {"id_no": ONE, "name": "老人", "amount_fen": amount, "self_care": self_care, "category": "农村"} | more


def _line(unmet: int, on: str | None = "2026-05-01", **more: Any) -> dict[str, Any]:
    return {"id_no": ONE, "name": "老人", "event_date": on, "extra": _answers(unmet)} | more


@pytest.mark.parametrize(("unmet", "tier"), [(0, SELF), (1, HALF), (3, HALF), (4, FULL), (6, FULL)])
@pytest.mark.parametrize("words", [("是", "否"), ("能", "不能"), ("√", "×"), ("达到", "未达到"), ("自理", "依赖")])
def test_tiers_by_the_items_not_met(tmp_path: Path, unmet: int, tier: int, words: tuple[str, str]) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(tier, None))
    world.register(ASSESSED, _line(0, extra=_answers(unmet, words)))
    world.review()
    assert world.proposals() == []


def test_the_assessed_tier_raises_and_cuts(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(SELF, "自理"))
    world.register(ASSESSED, _line(4))
    world.review()
    one = world.one()
    assert (one["action"], one["amount_after_fen"]) == ("increase", FULL)
    assert "名册写自理，2026-05-01 评估六项中 4 项不能达到（吃饭、穿衣、上下床、如厕），为全护理" in one["reasons"]
    assert "第20—22条" in one["basis"]
    assert [step["adds_fen"] for step in one["steps"] if "adds_fen" in step] == [78000, 63700]
    assert "评估六项中 4 项" in str(one["steps"])
    world.register(ASSESSED, _line(0, "2026-09-01"), area="青溪镇")  # a later one counts
    world.review()
    assert world.proposals() == []


def test_a_right_amount_with_another_word_is_checked(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(FULL, "自理"))
    world.register(ASSESSED, _line(5))
    world.review()
    assert world.one()["action"] == "check"


def test_the_word_of_the_list_against_its_items(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(HALF, "半自理"))
    world.register(ASSESSED, _line(2, grade="完全丧失"))
    world.review()
    assert world.one()["action"] == "check"
    assert "评估结论写全护理，与六项不符" in world.one()["reasons"]


def test_without_all_items_the_lists_own_word_counts(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(SELF, "自理"))
    world.register(
        ASSESSED, _line(0, grade="部分丧失", extra=json.dumps({"吃饭": "能", "穿衣": "说不清"}, ensure_ascii=False))
    )
    world.review()
    assert (world.one()["action"], world.one()["amount_after_fen"]) == ("increase", HALF)
    world.register(
        ASSESSED, _line(0, "2026-06-01", extra=json.dumps({"吃饭": "能"}, ensure_ascii=False)), area="青溪镇"
    )
    world.review()  # the latest says nothing: the one before stands
    assert world.one()["amount_after_fen"] == HALF


def test_items_on_the_roll_itself(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(SELF, None, extra=_answers(2)))
    world.review()
    assert (world.one()["action"], world.one()["amount_after_fen"]) == ("increase", HALF)


def test_another_name_under_the_number_is_no_assessment(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(SELF, "自理"))
    world.register(ASSESSED, _line(6, name="别人"))
    world.review()
    assert world.proposals() == []


@pytest.mark.parametrize(
    ("on", "old"), [("2025-10-31", False), ("2025-09-30", True), (None, False), ("2026-11-02", False)]
)
def test_an_assessment_older_than_a_year(tmp_path: Path, on: str | None, old: bool) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(SELF, "自理"))
    world.register(ASSESSED, _line(0, on))
    world.review()
    assert [p["action"] for p in world.proposals()] == (["check"] if old else [])
    if old:
        assert "13 个月" in world.one()["reasons"]


@pytest.mark.parametrize(
    ("changed", "assessed", "late"),
    [
        ("2026-09-01", "2026-09-15", False),  # ten working days: to the 15th
        ("2026-09-01", "2026-09-16", True),
        ("2026-09-01", None, True),
        ("2026-10-20", None, False),
    ],
)
def test_a_change_is_assessed_within_ten_working_days(
    tmp_path: Path, changed: str, assessed: str | None, late: bool
) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(SELF, "自理"))
    world.register(ASSESSED, {"id_no": ONE, "name": "老人", "valid_from": changed}, _line(0, assessed or "2026-05-01"))
    world.review()
    assert [p["action"] for p in world.proposals()] == (["check"] if late else [])


def test_a_list_as_offices_write_it_goes_through_import(tmp_path: Path, capsys: Any) -> None:
    world = World.make(tmp_path)
    world.roll(SUPPORT, _person(SELF, "自理"))
    world.store.close()
    headers = ("序号", "姓名", "身份证号", *(f"{item}（能/不能）" for item in ITEMS), "评估日期", "评估结果")
    row = ("1", "老人", ONE, *("能", "不能", "能", "不能", "能", "能"), "2026-05-01", "部分丧失")
    path = tmp_path / "评估.xlsx"
    write_xlsx(
        path,
        [SheetSpec("名册", [ColumnSpec(one) for one in headers], [row], title="青溪镇特困人员生活自理能力评估结果")],
    )
    for words in (("import", str(path)), ("review", "run", "--month", "2026-10")):
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(world.workspace.root), "--today", "2026-10-22", *words, "--json"])
        out, err = capsys.readouterr()
        assert int(ended.value.code or 0) == 0, out + err
    with world.workspace.open_store() as store:
        assert [tuple(row) for row in store.query("SELECT action, amount_after_fen FROM proposal")] == [
            ("increase", HALF)
        ]
