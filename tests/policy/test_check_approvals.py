"""Levels of approval that could not protect are told by ``policy check``."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jiuzhu_cli.policy.check_approvals import check_approvals
from jiuzhu_cli.policy.load import load_policy

OFFICE = '[[levels]]\nid = "a"\nname = "科室"\nup_to = 100\npersons = ["张某"]\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[[levels]]\nid = "b"\nname = "局长"\n', set()),
        ('[[levels]]\nid = "b"\nname = "科室"\n', {"批一次就都算批了"}),
        ('[[levels]]\nid = "b"\nname = "局长"\nup_to = 100\n', {"分不出先后", "谁也批不了"}),
        ('[[levels]]\nid = "b"\nname = "局长"\npersons = ["张 某"]\n', {"可能没有人能批"}),
        ("", {"谁也批不了"}),
    ],
)
def test_levels(tmp_path: Path, more: str, said: set[str]) -> None:
    (tmp_path / "approvals.toml").write_text(OFFICE + more, "utf-8")
    found = [problem.text for problem in check_approvals(load_policy(tmp_path, region="421002"), date(2026, 10, 1))]
    assert all(any(part in text for text in found) for part in said) and bool(found) == bool(said)


def test_the_shipped_policy_has_no_levels_and_agreements_it_knows() -> None:
    policy = load_policy(region="421002")
    assert policy.approval_levels == () and not list(check_approvals(policy, date(2026, 10, 1)))
