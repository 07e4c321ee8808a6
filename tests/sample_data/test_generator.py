"""The generator: same seed same bytes, valid numbers, and a world whose only wrongs are the planted ones."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from generator.folder import write_folder
from generator.scenario import Scenario, make_scenario
from generator.standards import FALLBACK

from jiuzhu_cli.core.identity import birth_date, parse_id, sex

SEEDS = [("421002", 1), ("230321", 2), ("530128", 3), ("640181", 4)]


def scenario(region: str = "421002", seed: int = 1, persons: int = 900) -> Scenario:
    return make_scenario(region, FALLBACK, persons=persons, month="2026-10", seed=seed)


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_folder(scenario(persons=300), tmp_path / name)
    left = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    right = {p.relative_to(tmp_path / "b"): p.read_bytes() for p in (tmp_path / "b").rglob("*") if p.is_file()}
    assert left == right


def test_numbers_are_valid_and_unique() -> None:
    persons = scenario(persons=4000).world.persons
    assert persons["id_no"].is_unique
    for row in persons.itertuples():
        assert parse_id(row.id_no).value == row.id_no
        assert birth_date(str(row.id_no)) == row.born.date()  # type: ignore[union-attr]
        assert sex(str(row.id_no)) == ("男" if row.male else "女")
        assert not str(row.id_no).endswith("000")


@pytest.mark.parametrize(("region", "seed"), SEEDS)
def test_a_naive_oracle_finds_exactly_the_planted_doubles(region: str, seed: int) -> None:
    made = scenario(region, seed)
    exclusive = {
        frozenset(pair)
        for pair in [
            ("subsistence_allowance", "extreme_poverty_support"), ("subsistence_allowance", "low_income_margin"),
            ("extreme_poverty_support", "disability_living_subsidy"), ("extreme_poverty_support", "disability_care_subsidy"),
            ("extreme_poverty_support", "orphan_allowance"), ("extreme_poverty_support", "de_facto_orphan_allowance"),
            ("orphan_allowance", "de_facto_orphan_allowance"), ("orphan_allowance", "disability_living_subsidy"),
        ]
    }  # fmt: skip
    holds: dict[str, list[str]] = defaultdict(list)
    for code, roll in made.rolls["2026-10"].items():
        for id_no in roll["id_no"]:
            holds[id_no].append(code)
    found = set()
    for id_no, codes in holds.items():
        for i, a in enumerate(codes):
            for b in codes[i + 1 :]:
                if a == b or frozenset((a, b)) in exclusive:
                    found.add((id_no, frozenset((a, b))))
    rules = ("X", "同项目一镇两次", "同项目两镇")
    planted = {
        (case.persons[0], frozenset(case.programmes))
        for case in made.truth.planted
        if case.kind == "double" and case.rule in rules
    }
    assert found == planted


@pytest.mark.parametrize(("region", "seed"), SEEDS)
def test_a_naive_oracle_finds_exactly_the_planted_missed(region: str, seed: int) -> None:
    made = scenario(region, seed)
    rolls = {code: set(roll["id_no"]) for code, roll in made.rolls["2026-10"].items()}
    open_towns = {t["town"] for t in made.truth.not_imported if t["programme"] == "old_age_allowance"}
    found = set()
    for person in made.world.persons.itertuples():
        id_no, extreme = str(person.id_no), person.id_no in rolls["extreme_poverty_support"]
        valid = person.grade > 0 and not person.cancelled
        if (
            valid
            and id_no in rolls["subsistence_allowance"]
            and id_no not in rolls["disability_living_subsidy"]
            and not extreme
        ):
            found.add((id_no, "disability_living_subsidy"))
        if valid and person.grade <= 2 and not extreme and id_no not in rolls["disability_care_subsidy"]:
            found.add((id_no, "disability_care_subsidy"))
        if person.age >= 80 and id_no not in rolls["old_age_allowance"] and person.town not in open_towns:
            found.add((id_no, "old_age_allowance"))
    planted = {(c.persons[0], c.programmes[1]) for c in made.truth.planted if c.kind == "missed"}
    assert found == planted


def test_every_kind_is_planted_in_a_folder_of_the_default_size(tmp_path: Path) -> None:
    made = scenario(persons=1000)
    write_folder(made, tmp_path)
    kinds = {case.kind for case in made.truth.planted}
    assert kinds == {"double", "missed", "claim", "after_event", "account"}
    assert {d.what for d in made.truth.damaged} >= {
        "scientific", "number", "zeros", "one_digit", "missing", "short", "amount_words", "amount_negative", "account_number", "date_impossible",
    }  # fmt: skip
    assert {case.kind for case in made.truth.review} == {"over_income", "wrong_amount", "wrong_tier", "death"}
    assert len({f["habit"] for f in made.truth.files if "habit" in f}) >= 8
