"""Where paid money is booked: what ships, and what the bureau's own file may not get wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.policy.accounts import check_accounts, subject_of
from jiuzhu_cli.policy.load import load_policy

TODAY = date(2026, 11, 30)


def said(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "accounts.toml").write_text(text, "utf-8")
    return [problem.text for problem in check_accounts(load_policy(tmp_path), TODAY)]


def test_every_programme_that_is_paid_has_its_subjects_and_the_books_balance() -> None:
    policy = load_policy()
    assert list(check_accounts(policy, TODAY)) == []
    for programme in policy.programmes.values():
        if programme.payment.payable and programme.benefit not in ("status", "service"):
            kinds = [kind for kind in ("城市", "农村") if kind in programme.categories] or [""]
            assert all(subject_of(policy.subjects, programme.code, kind) for kind in kinds), programme.code


def test_the_categorys_own_subject_goes_before_the_general_one() -> None:
    subjects = load_policy().subjects
    rural = subject_of(subjects, "subsistence_allowance", "农村")
    assert rural is not None and rural.function_code == "2081902"
    assert subject_of(subjects, "subsistence_allowance", "") is None, "neither 城市 nor 农村: nobody guesses"
    emergency = subject_of(subjects, "temporary_assistance", "急难型")
    assert emergency is not None and emergency.function_code == "2082001"


def test_one_key_of_an_entry_can_be_changed(tmp_path: Path) -> None:
    text = '[[entries]]\nid = "financial_credit"\ncode = "1011"\nname = "零余额账户用款额度"\ncertainty = "confirmed"\n'
    assert said(tmp_path, text) == []
    entry = next(one for one in load_policy(tmp_path).entries if one.id == "financial_credit")
    assert (entry.side, entry.code, entry.certainty) == ("credit", "1011", "confirmed")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[subjects]]\nid="x"\nprogramme="old_age"\ncertainty="unknown"\nsource="s"\n', "没有代码为“old_age”的项目"),
        ('[[subjects]]\nid="x"\nprogramme="subsistence_allowance"\ncategory="市"\ncertainty="unknown"\nsource="s"\n', "没有类别"),
        ('[[subjects]]\nid="orphan_allowance"\nfunction_code="20810"\n', "应是 7 位数字"),
        ('[[subjects]]\nid="x"\nprogramme="orphan_allowance"\ncertainty="unknown"\nsource="s"\n', "同一个项目"),
        ('[[subjects]]\nid="price_subsidy"\ncertainty="confirmed"\n', "没有写"),
        ('[[entries]]\nid="more"\nbooks="财务会计"\nside="debit"\ncode="5001"\nname="x"\ncertainty="likely"\nsource="s"\n', "各一条"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(tmp_path: Path, text: str, words: str) -> None:
    assert any(words in problem for problem in said(tmp_path, text))
