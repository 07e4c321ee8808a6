"""Banks' words and codes for a payment sent back, and what the check says of a table that contradicts itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.policy.check import check_policy
from jiuzhu_cli.policy.load import Policy, load_policy

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(region="421002")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("户名不符", "name_mismatch"), ("E1012:账号、户名不符", "name_mismatch"), ("姓名或证件号不符", "identity_mismatch"), ("该账号不存在", "account_not_found"),
        ("无此户", "account_not_found"), ("账户已销户", "account_closed"), ("卡已注销，请换卡", "account_closed"), ("司法冻结", "account_frozen"),
        ("账户状态异常（全冻）", "account_frozen"), ("已口头挂失", "account_lost"), ("只收不付", "debit_blocked"), ("睡眠户", "dormant"), ("久悬账户", "dormant"),
        ("II类户限额", "over_limit"), ("ＩＩ类户限额", "over_limit"), ("超 过 单 笔 限 额", "over_limit"), ("收款行不存在", "wrong_bank"), ("非我行账户", "wrong_bank"),
        ("系统超时，请重试", "bank_system"), ("付款账户余额不足", "payer_funds"), ("协议不存在", "payer_funds"), ("AC04", "account_closed"), ("ac-04", "other"),
        ("RJCT AC01 IncorrectAccountNumber", "account_not_found"), ("BE01", "name_mismatch"), ("客户已死亡", "payee_deceased"), ("疑似重复", "duplicate"),
        ("", "other"), ("7788", "other"), ("天气不好", "other"), ("其它", "other"), ("ZAC04Z", "other"),
    ],
)  # fmt: skip
def test_words_and_codes_of_banks(policy: Policy, text: str, reason: str) -> None:
    assert policy.reasons.find(text).id == reason


def test_what_follows_from_a_reason(policy: Policy) -> None:
    table = policy.reasons
    assert not table["bank_system"].at_fault and table["account_closed"].again == "never"
    assert table["dormant"].again == "restored" and table["name_mismatch"].refused == "payee"
    assert table["a reason that was since removed"].id == "other"
    assert all(one.town and one.bureau and one.source for one in policy.return_reasons)


def own(tmp_path: Path, text: str) -> Policy:
    (tmp_path / "return_reasons.toml").write_text(text, "utf-8")
    return load_policy(tmp_path, region="421002")


def test_a_banks_own_codes_count_in_its_own_returns_only(tmp_path: Path) -> None:
    policy = own(tmp_path, '[[reasons]]\nid = "dormant"\nlayout_codes = { ccb_xlsx = ["4", "E-17"] }\n')
    assert policy.reasons.find("4", "ccb_xlsx").id == "dormant" and policy.reasons.find("4", "abc_xlsx").id == "other"
    assert policy.reasons.find("e-17 系统", "ccb_xlsx").id == "dormant"  # its own code goes before words
    assert policy.reasons.find("睡眠户", "abc_xlsx").id == "dormant"  # the shipped words stand
    assert not [p for p in check_policy(policy, TODAY) if "退回原因" in p.where]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('id = "dormant"\nwords = ["销户"]', "词“销户”同时属于"),
        ('id = "dormant"\ncodes = ["ac04"]', "代码“ac04”同时属于"),
        ('id = "dormant"\nlayout_codes = { ccb_xlss = ["4"] }', "没有代发格式“ccb_xlss”"),
        ('id = "dormant"\nagain = "yes"', "refused 与 again 矛盾"),
        ('id = "other"\nrefused = "account"', "refused 与 again 矛盾"),
        ('id = "dormant"\nwords = [" "]', "有空的词或代码"),
        ('id = "新"\nname = "新"\nrefused = "none"\nagain = "yes"\ntown = "t"\nbureau = "b"\nsource = "s"', "id 只能用小写字母"),
    ],
)  # fmt: skip
def test_the_check_finds_what_contradicts_itself(tmp_path: Path, text: str, said: str) -> None:
    found = [p for p in check_policy(own(tmp_path, f"[[reasons]]\n{text}\n"), TODAY) if "退回原因" in p.where]
    assert found and any(said in p.text for p in found)


def test_the_shipped_table_is_sound(policy: Policy) -> None:
    assert not [p for p in check_policy(policy, TODAY) if "return_reasons" in p.where or "退回原因" in p.where]
