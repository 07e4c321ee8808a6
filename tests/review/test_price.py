"""The price subsidy: when it starts, who is paid (each once), how much, and that its roll can be imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.policy.load import load_policy
from jiuzhu_cli.review.price import PriceRun, run_price
from jiuzhu_cli.tabular.read import read_workbook
from tests.review.worlds import MONTH, NOW, TODAY, World, household
from tests.support import make_id

LOW, ORPHAN, EXTREME, MARGIN = (
    "subsistence_allowance",
    "orphan_allowance",
    "extreme_poverty_support",
    "low_income_margin",
)
ACCOUNT = "6217000010001234569"


def _index(
    world: World,
    month: str = MONTH,
    cpi: float | None = 3.6,
    food: float | None = None,
    low: float | None = 4.2,
    extra: str = "",
) -> None:
    told = "".join(
        f"{key} = {value}\n" for key, value in (("cpi", cpi), ("food", food), ("low_income", low)) if value is not None
    )
    folder = world.workspace.root / "policy"
    folder.mkdir(exist_ok=True)
    (folder / "price.toml").write_text(
        f'[[months]]\nid = "{month}"\n{told}published = 2026-09-28\nsource = "某市统计局"\n{extra}', encoding="utf-8"
    )
    world.policy = load_policy(folder, region="421002")


def _run(world: World, month: str = MONTH) -> PriceRun:
    return run_price(world.store, world.workspace, world.policy, month, today=TODAY, now=NOW, actor="张经办")


def _roll(result: PriceRun) -> list[dict[str, Any]]:
    assert result.roll
    sheet = read_workbook(result.roll).sheets[0]
    rows = [[sheet.columns[c][r] for c in range(15)] for r in range(sheet.height)]
    return [dict(zip(rows[1], row, strict=True)) for row in rows[2:]]


@pytest.mark.parametrize(
    ("month", "cpi", "food", "started"),
    [
        ("2026-10", 3.5, None, True), ("2026-10", 3.49, None, False), ("2026-10", 3.4, 6.0, True), ("2026-10", None, 6.1, True),
        ("2026-10", None, 5.9, False), ("2022-09", 3.0, None, True), ("2023-03", 3.0, None, True), ("2023-04", 3.0, None, False),
        ("2022-08", 3.0, None, False),
    ],
)  # fmt: skip
def test_when_it_starts(tmp_path: Path, month: str, cpi: float | None, food: float | None, started: bool) -> None:
    world = World.make(tmp_path)
    _index(world, month, cpi, food, 2.0)
    world.policy = load_policy(world.workspace.root / "policy", region="999999")  # standards since 2020
    world.roll(LOW, household(1, 60000, 0, 1, category="城市"), month=month)
    assert _run(world, month).started is started


def test_each_person_once_and_the_amount_by_the_standard(tmp_path: Path) -> None:
    world = World.make(tmp_path)  # 760 in town, 600 in the country; × 4.2 % = 31.92, 25.20
    _index(world)
    child = make_id(9, born="20160101")
    world.roll(
        LOW,
        household(1, 120000, 0, 2, case_no=1, lead=1, account_no=ACCOUNT, payee_name="户主1", bank_name="农业银行"),
        {"id_no": child, "name": "儿童", "case_no": 1, "lead": 0},
        household(2, 76000, 0, 1, case_no=2, lead=1, category="城市"),
    )
    world.roll(ORPHAN, {"id_no": child, "name": "儿童", "amount_fen": 140000, "category": "散居"})
    world.roll(EXTREME, {"id_no": make_id(11), "name": "特困", "amount_fen": 97100, "category": "城镇"}, area="白石镇")
    world.roll(MARGIN, {"id_no": make_id(12), "name": "边缘", "category": "农村"})
    result = _run(world)
    assert result.started
    assert dict(result.by_programme.items()) == {
        LOW: (3, 2520 * 2 + 3192),
        EXTREME: (1, 3192),
    }
    assert (result.persons, result.amount_fen, result.open_cases) == (4, 2520 * 2 + 3192 * 2, 0)
    assert result.by_town["白石镇"] == (1, 3192)
    assert set(result.absent) == {"single_person_allowance", "de_facto_orphan_allowance"}
    assert result.deadline is not None
    assert (
        result.deadline.isoformat() == "2026-10-30"
    )  # 20 working days after 28 September: the holidays are off, Saturday 10 October is worked
    rows = {row["身份证号"]: row for row in _roll(result)}
    assert rows[child]["银行账号"] == ACCOUNT  # the household's account, in the name of its head
    assert rows[child]["户名"] == "户主1"
    assert "最低生活保障" in rows[child]["备注"]


def test_an_orphan_without_town_or_country_is_named_not_guessed(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _index(world)
    world.roll(ORPHAN, {"id_no": make_id(1, born="20160101"), "name": "儿童", "amount_fen": 140000, "category": "散居"})
    assert (_run(world).persons, _run(world).open_cases) == (0, 1)
    parameters = world.workspace.root / "policy" / "parameters"
    parameters.mkdir()
    (parameters / "own.toml").write_text(
        '[[parameter]]\nname = "价格补贴未注明城乡的按"\narea = "421002"\nsource = "某发改〔2026〕1号"\nvalues = [{ since = 2026-01-01, value = "城市" }]\n',
        encoding="utf-8",
    )
    _index(world)
    assert (_run(world).persons, _run(world).amount_fen) == (1, 3192)


def test_who_died_before_the_month_and_who_was_stopped_are_left_out(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _index(world)
    world.roll(LOW, *[household(n, 60000, 0, 1, case_no=n, lead=1) for n in (1, 2, 3, 4)])
    world.register("death", {"id_no": make_id(1, born="19800101"), "name": "户主1", "event_date": "2026-09-30"},
                   {"id_no": make_id(2, born="19800101"), "name": "户主2", "event_date": "2026-10-02"},
                   {"id_no": make_id(3, born="19800101"), "name": "别人", "event_date": "2026-09-02"})  # fmt: skip
    result = _run(world)
    assert {row["姓名"] for row in _roll(result)} == {"户主2", "户主4"}
    assert result.open_cases == 2


def test_members_that_a_list_does_not_name_are_counted_and_said(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _index(world)
    world.roll(LOW, household(1, 180000, 0, 3), household(2, 60000, 0, 1))
    result = _run(world)
    assert (result.persons, result.amount_fen) == (4, 4 * 2520)
    assert [row["发放金额"] for row in _roll(result)] == [75.6, 25.2]
    assert "3 人" in _roll(result)[0]["备注"]


def test_widened_months_have_the_margin_and_the_unemployed(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _index(world, "2022-10", 3.1, None, 2.0)
    world.policy = load_policy(
        world.workspace.root / "policy", region="999999"
    )  # 785.9 and 621.3 by the national default
    world.roll(MARGIN, {"id_no": make_id(1), "name": "边缘", "category": "城市"}, month="2022-10")
    world.register(
        "unemployment_benefit",
        {"id_no": make_id(1), "name": "边缘", "valid_from": "2022-01-01"},
        {"id_no": make_id(2), "name": "失业", "valid_from": "2022-01-01"},
        {"id_no": make_id(3), "name": "已停", "valid_from": "2022-01-01", "valid_to": "2022-08-31"},
    )
    result = _run(world, "2022-10")
    assert result.by_programme == {MARGIN: (1, 1572)}  # 785.9 × 2 % = 15.718, rounded once
    assert result.open_cases == 1


def test_again_the_same_files(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    _index(world)
    world.roll(LOW, household(1, 60000, 0, 1), household(2, 60000, 0, 1))
    first = _run(world)
    assert first.roll and first.summary
    before = (first.roll.read_bytes(), first.summary.read_bytes())
    again = _run(world)
    assert again.roll and again.summary
    assert (again.roll.read_bytes(), again.summary.read_bytes()) == before


def test_wanting_indices_are_asked_for(tmp_path: Path) -> None:
    world = World.make(tmp_path)
    with pytest.raises(UsageError, match="价格指数"):
        _run(world)
    _index(world, low=None)
    world.roll(LOW, household(1, 60000, 0, 1))
    with pytest.raises(UsageError, match="低收入居民价格同比"):
        _run(world)
    _index(world, low=-0.5)
    with pytest.raises(UsageError, match="不大于零"):
        _run(world)


def test_the_roll_goes_through_import(tmp_path: Path, capsys: Any) -> None:
    world = World.make(tmp_path)
    _index(world)
    world.roll(LOW, household(1, 120000, 0, 2, case_no=1, lead=1, account_no=ACCOUNT, name="王大明", bank_name="农业银行"),
               {"id_no": make_id(9, born="20160101"), "name": "儿童", "case_no": 1, "lead": 0, "relation": "子"})  # fmt: skip
    world.store.close()

    def run(*words: str) -> dict[str, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(world.workspace.root), "--today", "2026-11-02", *words, "--json"])
        out, err = capsys.readouterr()
        assert int(ended.value.code or 0) == 0, out + err
        return json.loads(out)  # type: ignore[no-any-return]

    made = run("review", "price", "--month", MONTH)
    assert (made["persons"], made["amount_fen"]) == (2, 5040)
    run("import", made["roll"])
    with world.workspace.open_store() as store:
        rows = store.query(
            "SELECT r.name, r.amount_fen, r.account_no, b.month, r.town FROM roll_row r JOIN batch b USING (batch_id)"
            " WHERE b.programme = 'price_subsidy' AND b.status = 'active' ORDER BY r.name"
        )
        assert [tuple(row) for row in rows] == [
            ("儿童", 2520, ACCOUNT, MONTH, "青溪镇"), ("王大明", 2520, ACCOUNT, MONTH, "青溪镇")
        ]  # fmt: skip
