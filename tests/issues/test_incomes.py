"""Income columns in every wording: whose it is, by month or by year, and a person's share is not the household's income."""

from __future__ import annotations

from pathlib import Path

import pytest

from jiuzhu_cli.intake.headers import income_field
from jiuzhu_cli.ledger.workspace import Workspace
from tests.intake.lists import codes, name, record, run_one, workbook
from tests.support import make_id, make_workspace

HEADERS = {
    "家庭年收入": "income_year",
    "年人均收入": "income_per_person_year",
    "家庭月人均收入": "income_per_person_month",
    "上年度家庭总收入": "income_year",
    "上年度家庭人均收入": "income_per_person_year",
    "上年人均纯收入": "income_per_person_year",
    "申请前12个月家庭总收入": "income_year",
    "申请前12个月人均收入": "income_per_person_year",
    "月人均可支配收入": "income_per_person_month",
    "人均收入（元/年）": "income_per_person_year",
    "人均收入（元/月）": "income_per_person_month",
    "家庭收入（元/年）": "income_year",
    "户年人均收入": "income_per_person_year",
    "家庭核算年收入": "income_year",
    "家庭收入": "",
    "年务工收入": "",
    "个人年收入": "",
    "收入来源": "",
    "年收入核减": "",
}


@pytest.mark.parametrize(("header", "field"), HEADERS.items())
def test_meaning(header: str, field: str) -> None:
    assert income_field([header]) == field


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


@pytest.mark.parametrize(
    ("header", "size", "income", "period", "warning"),
    [
        ("年人均收入", 3, 360000, "year", ""),
        ("家庭月人均收入", 3, 360000, "month", ""),
        ("上年度家庭总收入", 3, 120000, "year", ""),
        ("年人均收入", None, None, None, "income_size_unknown"),
        ("家庭人均收入", 3, 360000, None, "income_period_unknown"),
        ("家庭收入", 3, 120000, None, "income_period_unknown"),
    ],
)
def test_income_in_the_record(
    workspace: Workspace,
    tmp_path: Path,
    header: str,
    size: int | None,
    income: int | None,
    period: str | None,
    warning: str,
) -> None:
    rows = [[name(1), make_id(1), size, 2, 1200, 300, "421001000001"]]
    columns = ["户主姓名", "身份证号", "家庭人口", "保障人口", header, "户月保障金额", "银行账号"]
    table = run_one(workspace, workbook(tmp_path / "城关镇2026年10月农村低保.xlsx", columns, rows))
    assert record(workspace, "income_fen, income_period") == [(income, period)]
    assert {code for code in codes(table) if code.startswith("income")} == ({warning} if warning else set())
    if income is None:
        assert "1200" in record(workspace, "extra")[0][0]


@pytest.mark.parametrize("title", ["城关镇2026年第三季度高龄津贴发放表", "城关镇2026年7-9月高龄津贴发放表"])
@pytest.mark.parametrize("in_title", [True, False])
def test_a_quarter_needs_to_be_told_its_month(workspace: Workspace, tmp_path: Path, title: str, in_title: bool) -> None:
    from jiuzhu_cli.intake.table import Hints
    from tests.intake.lists import PERSON_HEADER, POLICY, person_rows

    path = tmp_path / ("a.xlsx" if in_title else f"{title}.xlsx")
    workbook(path, PERSON_HEADER, person_rows(range(1, 5)), title=title if in_title else "")
    table = run_one(workspace, path)
    [finding] = [f for f in table.findings if f.severity == "error"]
    assert (table.status, finding.code) == ("refused", "month_range")
    assert "--month" in POLICY.finding_text(finding.code, **finding.values)[1]
    told = run_one(workspace, path, hints=Hints(month="2026-09"))
    assert (told.status, told.month, told.accepted) == ("imported", "2026-09", 4)
