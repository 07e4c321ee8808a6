"""A city straight in the record, with every kind of doubt planted by the dozen: all found, nothing else, and the same bytes each time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import data  # noqa: F401 - finds the generator
from benchmarks.ledgers import MONTHS, city_workspace
from jiuzhu_cli.dedupe.run import DedupeResult, run_dedupe
from jiuzhu_cli.ledger.workspace import find_workspace
from jiuzhu_cli.policy.load import load_policy
from tests.e2e import scoring


def _run(folder: Path, region: str) -> DedupeResult:
    workspace = find_workspace(folder, explicit=True)
    with workspace.open_store() as store:
        return run_dedupe(
            workspace, store, load_policy(None, region=region), month=MONTHS[-1], month_from=MONTHS[0], actor="张经办"
        )


@pytest.fixture(scope="module", params=[("421002", 4711), ("230321", 815)], ids=["421002", "230321"])
def city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    region, seed = request.param
    yield city_workspace(tmp_path_factory.mktemp("city"), 4_000, seed=seed, each=12, region=region), region


def test_every_kind_is_found_and_nothing_else(city: tuple[Path, str], tmp_path: Path) -> None:
    folder, region = city
    once, again = (Path(shutil.copytree(folder, tmp_path / name)) for name in ("once", "again"))
    first, second = _run(once, region), _run(again, region)
    assert first.csv.read_bytes() == second.csv.read_bytes()
    assert first.workbook.read_bytes() == second.workbook.read_bytes()
    truth, doubts = scoring.read_truth(folder / "truth.json"), scoring.read_csv(first.csv)
    strong = scoring.score_doubts(truth, doubts)
    assert (strong.lost, strong.wrong) == ([], []), strong.explain()
    rules = [(case["kind"], case["programmes"][1]) for case in truth["candidates"]]
    some = scoring.score_candidates(truth, doubts, rules)
    assert (some.lost, some.wrong) == ([], []), some.explain()
    assert {case["kind"] for case in strong.found} == {"double", "after_event", "missed", "claim", "account"}
