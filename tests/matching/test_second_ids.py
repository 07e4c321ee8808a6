"""Two sound IDs in one person: only where all else agrees and nobody else in the data is like it. By the thousand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jiuzhu_cli.matching.engine import match_records
from jiuzhu_cli.matching.weights import Second
from tests.matching.others import Habits, make_other_lists
from tests.matching.people import HARD, STANDARD, Mix, make_lists, pair_scores
from tests.matching.test_engine import families, ids, table


@pytest.mark.parametrize(
    ("mix", "precision", "recall"),
    [
        (replace(STANDARD, twins=0.02), 0.9993, 0.9975),
        (replace(STANDARD, popular=0.6, heaped=0.5), 0.9993, 0.9970),
        (replace(HARD, second_id=0.0), 0.9965, 0.985),
        (replace(HARD, no_phone=0.6, no_account=0.5), 0.9960, 0.975),
    ],
    ids=["twins", "popular names, heaped dates", "no second IDs", "few telephones"],
)
def test_mixes_never_tuned_on(mix: Mix, precision: float, recall: float) -> None:
    lists = make_lists(20_000, mix, 990)
    right, found, _ = pair_scores(lists.person, match_records(lists.records).person)
    assert right >= precision
    assert found >= recall


def test_people_of_another_kind() -> None:
    """Other names, villages, families and errors, by other code."""
    lists = make_other_lists(12_000, 5)
    right, found, _ = pair_scores(lists.person, match_records(lists.records).person)
    assert right >= 0.992
    assert found >= 0.980


def test_without_second_ids_joining_costs_no_precision() -> None:
    for lists in (make_lists(30_000, STANDARD, 991), make_other_lists(12_000, 6, Habits(second_id=0.0, members_id=0.0, twins=0.05))):  # fmt: skip
        apart = pair_scores(lists.person, match_records(lists.records, join_second=False).person)
        joined = pair_scores(lists.person, match_records(lists.records).person)
        assert joined[0] >= apart[0] - 0.0002


def test_second_ids_are_found() -> None:
    lists = make_lists(30_000, HARD, 992)
    apart = pair_scores(lists.person, match_records(lists.records, join_second=False).person)
    joined = pair_scores(lists.person, match_records(lists.records).person)
    assert joined[1] > apart[1] + 0.0015
    assert joined[0] >= apart[0] - 0.0002


def test_twins_of_one_sounding_name_stay_two() -> None:
    """Both numbers sound, one birth date, one household, 张伟 and 张玮: the numbers' place and date are one."""
    size = 1500
    home, people = families(size, 21)
    people["name"] = [("张雨" if place % 2 else "张宇") + chr(0x5000 + h) for place, h in enumerate(home)]
    births = [f"{1950 + h % 70}-{h % 12 + 1:02d}-{h % 28 + 1:02d}" for h in home]
    numbers = ids(np.full(2 * size, 421002), births, (home // 3) % 900 + 10 + np.arange(2 * size) % 2)
    matched = match_records(table(id_no=numbers, **people))
    # such numbers look rounded by Excel, and the other twin's begins alike
    cut_off = sum(number.endswith("000") for number in numbers)
    assert len(np.unique(matched.person)) >= 2 * size - cut_off
    assert cut_off <= 4
    assert matched.by_key["same_person"] >= 0.99 * size  # but a clerk may look


def test_one_big_village_of_popular_names() -> None:
    """Thousands of people of thirty names, most born on the 1st of a month: hundreds share name, birth date and village."""
    size, rng = 4000, np.random.default_rng(8)
    names = [a + b for a in "王李张" for b in ("伟", "芳", "秀英", "建国", "桂兰", "志强", "丽", "军", "敏", "静")]
    births = [
        f"{1940 + int(y)}-{int(m):02d}-01"
        for y, m in zip(rng.integers(0, 60, size), rng.integers(1, 13, size), strict=True)
    ]
    areas = rng.permutation(np.arange(size)) % 90 + 420100
    numbers = ids(areas, births, rng.permutation(size) % 997 + 1)
    records = table(
        id_no=numbers, name=[names[n] for n in rng.integers(0, 30, size)], village=["大河村"] * size, birth_date=births
    )
    person = match_records(records).person
    assert len(np.unique(numbers)) - len(np.unique(person)) <= 2


def test_three_numbers_never_meet() -> None:
    numbers = ids(np.array([421002, 230321, 420106]), ["1950-03-04"] * 3, np.array([11, 39, 77]))
    person = match_records(
        table(id_no=numbers, name=["欧阳振华"] * 3, village=["东风村"] * 3, phone=["13812345678"] * 3)
    ).person
    assert person.tolist() == [0, 1, 2]


def test_how_common_they_are_decides() -> None:
    """The clerks found hardly any: what met before does not."""
    numbers = ids(np.array([421002, 230321]), ["1950-03-04"] * 2, np.array([11, 39]))
    records = table(id_no=numbers, name=["欧阳振华"] * 2, village=["东风村"] * 2)
    assert match_records(records).person.tolist() == [0, 0]
    assert match_records(records, second_ids=Second(share=1e-6)).person.tolist() == [0, 1]
