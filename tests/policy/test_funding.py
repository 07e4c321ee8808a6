"""Who pays: written shares, what is not written, and sums that are divided without losing a 分."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from jiuzhu_cli.policy.funding import OPEN, Share, divided, shares_of
from jiuzhu_cli.policy.load import Policy, load_policy


def written(tmp_path: Path, **percents: str) -> Policy:
    folder = tmp_path / "parameters"
    folder.mkdir()
    text = "".join(
        f'[[parameter]]\nname = "资金分担_最低生活保障_{name}"\nunit = "%"\nsource = "测试"\n'
        f"values = [{{ since = 2026-01-01, value = {value} }}]\n"
        for name, value in percents.items()
    )
    (folder / "shares.toml").write_text(text, "utf-8")
    return load_policy(tmp_path)


def told(policy: Policy, kind: str = "", month: str = "2026-09") -> list[tuple[str, str | None]]:
    return [(share.level, share.percent_text) for share in shares_of(policy, "最低生活保障", kind, month)]


def test_nothing_written_is_left_open(tmp_path: Path) -> None:
    assert told(load_policy(tmp_path)) == [(OPEN, None)]


def test_what_is_not_written_of_a_hundred_is_left_open(tmp_path: Path) -> None:
    policy = written(tmp_path, 中央="62.5", 县="10")
    assert told(policy) == [("中央", "62.5"), ("县", "10"), (OPEN, None)]
    assert told(policy, month="2025-12") == [(OPEN, None)], "not in force yet"


def test_city_and_country_may_differ(tmp_path: Path) -> None:
    policy = written(tmp_path, 中央="60", 县="40", 农村_中央="80", 农村_县="20")
    assert told(policy, "农村") == [("中央", "80"), ("县", "20")]
    assert told(policy, "城市") == [("中央", "60"), ("县", "40")]


def test_more_than_a_hundred_is_no_division(tmp_path: Path) -> None:
    assert told(written(tmp_path, 中央="80", 县="30")) == [(OPEN, None)]


def test_who_pays_nothing_gets_no_rounding() -> None:
    shares = [Share("中央", Fraction(50)), Share("省", Fraction(50)), Share("县", Fraction(0))]
    assert divided(3, shares) == [2, 1, 0]


@given(st.integers(-(10**13), 10**13), st.lists(st.integers(0, 40), max_size=4))
def test_the_parts_add_up_and_are_within_one_fen(amount: int, percents: list[int]) -> None:
    percents = percents if sum(percents) <= 100 else []
    shares = [Share("中央", Fraction(p)) for p in percents] + [Share(OPEN, None)]
    parts = divided(amount, shares)
    assert sum(parts) == amount
    for part, percent in zip(parts, [*percents, 100 - sum(percents)], strict=True):
        assert abs(part - Fraction(amount * percent, 100)) <= 1
        assert part * (1 if amount >= 0 else -1) >= 0
