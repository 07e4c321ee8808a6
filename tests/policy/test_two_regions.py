"""The same inbox in two regions: import, compare, review. Everything that differs follows from data alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.cli.main import main
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx
from tests.support import make_id, make_workspace

MONTH, TOWN = "2026-10", "朝阳街道"
REGIONS = ("421002", "640502")


def person(serial: int, age: int = 46, male: bool = True) -> str:
    return make_id(serial, born=f"{2026 - age}0101", male=male)


def name(serial: int) -> str:
    return "王" + "甲乙丙丁戊己庚辛壬癸"[serial % 10] + "一二三四"[serial // 10]


def account(serial: int) -> str:
    return f"8101{serial:011d}"


def write(folder: Path, title: str, headers: str, rows: list[list[Any]]) -> None:
    columns = [ColumnSpec(one, 12) for one in headers.split()]
    write_xlsx(
        folder / f"{TOWN}{title}.xlsx", [SheetSpec("Sheet1", columns, [[str(one) for one in row] for row in rows])]
    )


def inbox(folder: Path) -> None:
    folder.mkdir()
    low = [  # serial, persons, income, assets, amount, grade
        (1, 1, 0, 0, "690", "A"), (2, 1, 0, 0, "760", "B"), (3, 6, 0, 0, "4560", ""), (4, 1, 0, 10000, "760", ""), (5, 1, 0, 0, "690", "A"),
    ]  # fmt: skip
    write(
        folder, "2026年10月城市低保花名册", "户主姓名 身份证号 家庭人口 保障人口 家庭月收入 家庭金融资产 分档类型 月保障金额 银行账号",
        [[name(n), person(n, 72 if n == 5 else 46), size, size, income, assets, grade, amount, account(n)] for n, size, income, assets, amount, grade in low],
    )  # fmt: skip
    write(folder, "2026年10月高龄津贴发放表", "老人姓名 身份证号码 津贴金额 银行卡号", [[name(11), person(11, 72), "30", account(11)], [name(12), person(12, 85), "60", account(12)]])  # fmt: skip
    write(
        folder,
        "2026年10月养老护理补贴",
        "姓名 身份证号 补贴金额 银行账号",
        [[name(21), person(21, 75), "200", account(21)]],
    )
    write(
        folder, "2026年10月重度残疾人护理补贴", "姓名 身份证号 残疾类别 残疾等级 补贴金额 银行账号",
        [[name(21), person(21, 75), "肢体", "一级", "100", account(21)], [name(22), person(22, 30), "智力", "三级", "80", account(22)]],
    )  # fmt: skip
    write(folder, "残疾人证名单", "姓名 身份证号 残疾证号 残疾类别 残疾等级 残疾证状态", [[name(21), person(21, 75), person(21, 75) + "41", "肢体", "一级", "正常"], [name(22), person(22, 30), person(22, 30) + "53", "智力", "三级", "正常"]])  # fmt: skip
    write(folder, "2026年10月冬季取暖补贴", "户主姓名 身份证号 取暖方式 取暖补贴金额 银行账号", [[name(1), person(1), "煤", "100", account(1)], [name(31), person(31), "电", "150", account(31)]])  # fmt: skip


@dataclass
class Bureau:
    imported: dict[str, str]
    doubts: set[tuple[str, str]]
    proposals: dict[tuple[str, str], tuple[str, int | None, str]]


@pytest.fixture(scope="module")
def bureaus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bureau]:
    import contextlib
    import io

    folder = tmp_path_factory.mktemp("inbox") / "来表"
    inbox(folder)
    found = {}
    for region in REGIONS:
        work = make_workspace(tmp_path_factory.mktemp(region) / "w", region=region)

        def run(*words: str, work: Any = work) -> Any:
            out = io.StringIO()
            with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
                main(["-C", str(work.root), "--today", "2026-10-22", "--json", *words])
            assert ended.value.code in (0, 3, None), out.getvalue()
            return json.loads(out.getvalue())

        imported = run("import", str(folder), "--month", MONTH)
        run("dedupe", "run", "--month", MONTH)
        run("review", "run", "--month", MONTH)
        from jiuzhu_cli.ledger.doubts import doubts_of
        from jiuzhu_cli.ledger.proposals import proposals_of

        with work.open_store() as store:
            doubts = {(one["id_no_a"], one["rule"] or one["code"]) for one in doubts_of(store, (MONTH, MONTH))}
            made = {(one["programme"], one["id_no"]): (one["action"], one["amount_after_fen"], one["reasons"]) for one in proposals_of(store, MONTH)}  # fmt: skip
        found[region] = Bureau({one["file"]: one["status"] for one in imported["files"]}, doubts, made)
    return found


LOW, OLD, CARE, HEAT = "subsistence_allowance", "old_age_allowance", "disability_care_subsidy", "winter_heating"


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ((LOW, person(1)), ("increase", 76000), None),  # 差额 760 against grade A 690
        ((LOW, person(2)), None, ("decrease", 61000)),  # 差额 fits, grade B does not
        ((LOW, person(3)), None, ("check", None)),  # more than five persons; no grade told
        ((LOW, person(4)), None, ("stop", 0)),  # 10,000 元: 24 months of 760, 12 of 700
        ((OLD, person(11, 72)), ("stop", 0), None),  # from 80, from 70
        ((OLD, person(12, 85)), ("decrease", 5000), None),  # 50 and 60
        ((CARE, person(22, 30)), ("stop", 0), None),  # third grade of 智力
        ((HEAT, person(1)), None, ("increase", 15000)),  # a programme that only one region has
        ((HEAT, person(31)), None, ("stop", 0)),
    ],
)  # fmt: skip
def test_proposals_follow_the_region(
    bureaus: dict[str, Bureau],
    key: tuple[str, str],
    first: tuple[str, int | None] | None,
    second: tuple[str, int | None] | None,
) -> None:
    for region, wanted in zip(REGIONS, (first, second), strict=True):
        found = bureaus[region].proposals.get(key)
        assert (found[:2] if found else None) == wanted, (region, found)


def test_reasons_are_the_regions_own(bureaus: dict[str, Bureau]) -> None:
    assert "本地规定五人以上" in bureaus["640502"].proposals[LOW, person(3)][2]
    assert "择高" in bureaus["421002"].proposals[CARE, person(21, 75)][2]
    assert (CARE, person(21, 75)) not in bureaus["640502"].proposals  # stacked there


def test_doubts_follow_the_region(bureaus: dict[str, Bureau]) -> None:
    first, second = (bureaus[region].doubts for region in REGIONS)
    assert {(person(21, 75), "A21"), (person(22, 30), "K03b")} <= first - second
    assert {(person(5, 72), "B06"), (person(21, 75), "B06")} <= second - first  # 70 is old enough there


def test_a_programme_of_one_region_is_no_roll_in_the_other(bureaus: dict[str, Bureau]) -> None:
    file = f"{TOWN}2026年10月冬季取暖补贴.xlsx"
    assert [bureaus[region].imported[file] for region in REGIONS] == ["refused", "imported"]


def test_derived_values_and_floors_are_the_regions_own() -> None:
    from datetime import date

    from jiuzhu_cli.policy.load import load_policy

    day = date(2026, 10, 1)
    first, second = (load_policy(region=region) for region in REGIONS)
    names = ("特困基本生活标准_农村", "低保边缘标准_城市", "照料护理标准_自理", "核查周期_A类")
    assert [int(first.parameter(name, day).value) for name in names] == [780, 1140, 191, 12]
    assert [int(second.parameter(name, day).value) for name in names] == [780, 1400, 83, 6]  # 520 × 1.5; × 2; 1650 / 20
    assert first.digest != second.digest and "winter_heating" not in first.programmes
    rules = {rule.name: rule.on_fail for rule in second.programmes[LOW].rules}
    assert rules["金融资产未超限"] == "stop" and len(rules) == len(first.programmes[LOW].rules) + 1
