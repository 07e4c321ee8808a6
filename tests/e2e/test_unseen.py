"""A folder of ledgers that nobody has seen: fresh regions, seeds, table habits, damage; the real program; the planted truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from generator.bank import make_return
from generator.folder import write_folder
from generator.scenario import make_scenario
from generator.standards import known_programmes, standards_for

from jiuzhu_cli.policy.load import load_policy
from tests.e2e import scoring
from tests.e2e.program import Program

MONTH, BEFORE = "2026-10", "2026-09"
# region, seed, habits of the catalogue (else random mixtures), towns; 640181 has no parameters of its own
WORLDS = [("421002", 31, True, 11), ("230321", 32, False, 8), ("530128", 33, False, 9), ("640181", 34, False, 10)]

pytestmark = pytest.mark.slow


@dataclass
class Month:
    region: str
    truth: dict[str, Any]
    program: Program
    inbox: Path
    files: list[dict[str, Any]]
    unaided: Path  # a workspace in which nothing damaged was looked up elsewhere
    doubts: list[dict[str, str]]
    proposals: list[dict[str, str]]


@pytest.fixture(scope="module", params=WORLDS, ids=[f"{region}-{seed}" for region, seed, _, _ in WORLDS])
def month(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Month:
    region, seed, catalogue, towns = request.param
    folder = tmp_path_factory.mktemp(region)
    made = make_scenario(
        region,
        standards_for(region, MONTH),
        persons=700,
        month=MONTH,
        seed=seed,
        towns=towns,
        programmes=known_programmes(region),
    )
    write_folder(made, folder, catalogue=catalogue)
    program = Program(folder / "workspace")
    program.init(region)
    files = program.run("import", folder / "inbox", expect=(3,)).data["files"]
    unaided = Program(folder / "unaided")
    unaided.init(region)
    unaided.run("import", folder / "inbox", "--no-recover", expect=(3,))
    found = program.run("dedupe", "run", "--month", MONTH, "--from", BEFORE, expect=(0, 3)).data
    proposed = program.run("review", "run", "--month", MONTH, expect=(0, 3)).data
    return Month(
        region, scoring.read_truth(folder / "truth.json"), program, folder / "inbox", files,
        unaided.workspace, scoring.read_csv(program.path(found["csv"])), scoring.read_csv(program.path(proposed["csv"])),
    )  # fmt: skip


def test_every_readable_row_is_imported_and_no_other(month: Month) -> None:
    assert scoring.row_differences(month.truth, month.unaided) == []


def test_a_damaged_number_comes_back_as_the_person_it_was_or_not_at_all(month: Month) -> None:
    assert scoring.row_differences(month.truth, month.program.workspace, recovered=True) == []
    assert any(file["findings_by_code"].get("id_recovered") for file in month.files)


def test_every_row_stands_in_its_village(month: Month) -> None:
    assert scoring.village_differences(month.truth, month.program.workspace) == []


def test_the_money_on_the_record_is_the_money_on_the_rolls(month: Month) -> None:
    assert scoring.amount_differences(month.truth, month.unaided) == []


def test_every_damaged_cell_is_named(month: Month) -> None:
    assert month.truth["damaged"]
    assert scoring.unreported_damage(month.truth, month.files) == []


def test_everything_planted_is_found_and_nothing_legal_is_reported(month: Month) -> None:
    score = scoring.score_doubts(month.truth, month.doubts)
    assert not score.lost and not score.wrong, score.explain()


def test_one_planted_fact_is_one_doubt(month: Month) -> None:
    often = Counter(
        (case["kind"], case["rule"], *case["persons"])
        for case in month.truth["planted"]
        if case["kind"] != "account"
        for doubt in month.doubts
        if doubt["severity"] == "strong" and scoring.fits(case, doubt)
    )
    assert [case for case, count in often.items() if count > 1] == []


def test_reviews_find_wrong_amounts_incomes_tiers_and_deaths(month: Month) -> None:
    assert scoring.lost_reviews(month.truth, month.proposals) == []


def test_reviews_leave_right_amounts_alone(month: Month) -> None:
    assert scoring.unfounded_reviews(month.truth, month.proposals) == []


def test_importing_the_same_folder_again_changes_nothing(month: Month) -> None:
    before = sorted(scoring.ledger_rows(month.program.workspace))
    again = month.program.run("import", month.inbox, expect=(0, 3)).data["files"]
    assert sorted(scoring.ledger_rows(month.program.workspace)) == before
    refused = [(entry["file"], entry["sheet"]) for entry in month.files if entry["status"] == "refused"]
    changed = [
        entry for entry in again if entry["status"] != "already" and (entry["file"], entry["sheet"]) not in refused
    ]
    assert changed == []


@pytest.mark.parametrize("month", WORLDS[:2], indirect=True, ids=[world[0] for world in WORLDS[:2]])
def test_a_month_is_posted_and_paid_once(month: Month) -> None:
    program = month.program
    program.run("post", "make", "--month", MONTH, "--round", "first", "--today", "2026-10-21", expect=(0, 3))
    program.run("post", "close", "--month", MONTH, "--today", "2026-11-02")
    program.run("post", "make", "--month", MONTH, "--round", "final", "--today", "2026-11-02", expect=(0, 3))
    program.run("post", "close", "--month", MONTH, "--today", "2026-11-12")
    draft = program.run("pay", "draft", "--month", MONTH, "--actor", "张经办").data
    program.run("pay", "lock", "--actor", "张经办")
    program.run("pay", "approve", "--actor", "张经办", expect=(4,))
    program.run("pay", "approve", "--actor", "李科长")
    files = program.run("pay", "export", "--actor", "张经办").data["files"]
    assert sum(file["lines"] for file in files) == draft["lines"] > 0
    assert sum(file["amount_fen"] for file in files) == draft["amount_fen"]
    banks = load_policy(region=month.region).banks
    for seed, file in enumerate(files):
        exported = program.path(file["path"])
        target = month.inbox.parent / f"return{seed}{exported.suffix}"
        planned = make_return(exported, banks[file["bank"]], target, seed=seed, failed=min(2, file["lines"] - 1))
        told = program.run("pay", "return", target, expect=(0, 3)).data
        assert (told["succeeded"], told["failed"], told["amount_fen"]) == (
            planned.succeeded,
            planned.failed,
            planned.paid_fen,
        )
    paid = scoring.paid_rows(program.workspace)
    assert max(Counter(paid).values(), default=0) <= 1
    assert scoring.paid_in_doubt(month.truth, paid) == []
    program.run("audit", "check")
