"""The shipped policy data hang together, for the sample regions and any other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, ROLL_COLUMNS
from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.glossary import header_clashes, header_index
from jiuzhu_cli.policy.load import load_policy

TODAY = date(2026, 11, 21)
EIGHT = (
    "subsistence_allowance extreme_poverty_support disability_living_subsidy disability_care_subsidy old_age_allowance"
    " temporary_assistance dilapidated_house_renovation low_income_margin"
).split()


@pytest.mark.parametrize("region", ["421002", "230321", "231025", "110101", "659001", ""])
def test_policy_is_sound_everywhere(region: str) -> None:
    assert [p for p in check_policy(load_policy(region=region), TODAY) if p.level == "error"] == []


def test_every_column_of_the_record_is_in_the_glossary() -> None:
    internal = {"row_id", "batch_id", "table_no", "source_row", "case_no", "lead", "extra"}
    fields = load_policy().glossary
    assert set(ROLL_COLUMNS) | set(REGISTER_COLUMNS) <= set(fields) | internal
    assert all(field.use != "column" or field.code in {*ROLL_COLUMNS, *REGISTER_COLUMNS} for field in fields.values())


def test_a_header_means_one_field() -> None:
    assert header_clashes(load_policy().glossary) == []


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("户月保障金额（元）", "amount_fen"),
        ("银行帐号", "account_no"),
        ("老人 姓名", "name"),
        ("户主身份证号", "head_id_no"),
        ("公民身份号码", "id_no"),
        ("最初享受月", "start_month"),
        ("最初享受月(份)", "start_month"),
        ("所属省级", "province"),
        ("村（居）", "village"),
        ("是否近亲属备案", "kin_filed"),
        ("照料护理总费用（元）", "care_fen"),
        ("收款人全称", "payee_name"),
        ("最终确定发放该人补贴总金额", "amount_fen"),
        ("低保（特困）证号", "case_code"),
        ("家庭年收入", "income_year"),
        ("残疾类别及等级", "disability_kind_grade"),
        ("原始类型", "claimed_status"),
    ],
)
def test_headers_of_real_ledgers(header: str, field: str) -> None:
    assert header_index(load_policy().glossary)[header_key(header)] == field


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("低保", "subsistence_allowance"),
        ("五保", "extreme_poverty_support"),
        ("高龄津贴", "old_age_allowance"),
        ("low_income_margin", "low_income_margin"),
        (" 危改 ", "dilapidated_house_renovation"),
    ],
)
def test_programmes_by_code_name_or_alias(text: str, code: str) -> None:
    assert load_policy().programme(text).code == code


def test_disability_subsidies_and_children_are_never_posted() -> None:
    programmes = load_policy().programmes
    hidden = {
        "disability_living_subsidy",
        "disability_care_subsidy",
        "orphan_allowance",
        "de_facto_orphan_allowance",
        "distressed_child_allowance",
    }
    for code in hidden:
        assert (
            not programmes[code].posting.allowed and programmes[code].posting.reason and programmes[code].posting.basis
        )
    assert set(EIGHT) <= set(programmes)
    shown = {column for p in programmes.values() if p.posting.allowed for column in p.posting.columns}
    assert not shown & {"id_no", "account_no", "phone", "address", "illness", "disability_grade", "disability_kind"}


def test_other_regions_get_unconfirmed_defaults() -> None:
    policy = load_policy(region="110101")
    value = policy.parameter("低保标准_农村", TODAY)
    assert value.confirmed is False and value.area == ""
    assert "低保标准_农村" in {one.name for one in policy.unconfirmed()}


def test_two_regions_have_their_own_values() -> None:
    names = ("低保标准_农村", "特困基本生活标准_农村", "照料护理标准_全护理", "高龄津贴标准_80_困难")
    here = [load_policy(region="421002").parameter(name, TODAY).value for name in names]
    there = [load_policy(region="230321").parameter(name, TODAY).value for name in names]
    assert here != there and [int(v) for v in there] == [632, 822, 478, 100]


def test_dates_matter_within_the_year() -> None:
    policy = load_policy(region="421002")
    assert [policy.parameter("低保标准_农村", date(2026, m, 1)).value for m in (1, 6, 7)] == [585, 585, 600]


def test_digest_is_stable_and_follows_the_files(tmp_path: Path) -> None:
    assert load_policy().digest == load_policy().digest
    (tmp_path / "findings.toml").write_text('[codes.id_missing]\ntodo = "补"\n', "utf-8")
    assert load_policy(tmp_path).digest != load_policy().digest


def test_working_days_know_the_long_holidays() -> None:
    off, worked = load_policy().days_off()
    assert date(2026, 2, 17) in off and date(2026, 2, 14) in worked and date(2025, 10, 8) in off
    assert not off & worked
