"""Two months beside each other: everybody's change has a kind and a reason, and the sums lead from one month to the other."""

from __future__ import annotations

import pytest

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.payment import compare as module
from jiuzhu_cli.tabular.read import read_workbook
from tests.payment.conftest import LIVING, MONTH, NOW, Desk, person
from tests.payment.test_reconcile import BEFORE
from tests.support import make_id

CARE = "disability_care_subsidy"


def compare(desk: Desk, first: str = BEFORE, last: str = MONTH) -> module.Compared:
    return module.compare(desk.store, desk.workspace, desk.policy, first, last, actor="张经办", now=NOW)


def test_every_change_has_its_reason_and_the_sums_add_up(desk: Desk) -> None:
    before = [person(i) for i in range(1, 13)]
    before[9] |= {"addon_fen": 1_000, "base_fen": 9_010}
    before[10] |= {"covered_persons": 2}
    desk.roll(before, month=BEFORE)
    desk.roll([person(20)], programme=CARE, month=BEFORE)
    desk.pay(BEFORE)
    after = [person(i) for i in (1, 2, 6, 7, 8, 9, 10, 11)]
    after[1] |= {"account_no": "6217999900000000002"}
    after[6] |= {"amount_fen": 10_510, "addon_fen": 1_500, "base_fen": 9_010}
    after[7] |= {"amount_fen": 5_000, "covered_persons": 1}
    desk.roll([*after, person(13), person(20)])
    desk.roll([person(12)], area="乙镇", month=MONTH)
    desk.register(
        "death",
        [
            {"id_no": make_id(3), "name": "甲", "event_date": "2026-09-12"},
            {"id_no": make_id(6), "name": "乙", "event_date": "2026-09-13"},
        ],
    )
    desk.decision(1, make_id(4), "stop", 10_004, 0)
    desk.decision(2, make_id(7), "increase", 10_007, 12_000)
    desk.decision(3, make_id(13), "start", None, 10_013)
    desk.doubt(1, (make_id(8), LIVING, "甲镇"), (make_id(8), CARE, "甲镇"), disposition="stop_a")
    found = compare(desk)
    assert {key: n for key, (n, _) in found.by_reason.items()} == {
        ("gone", "death"): 2, ("gone", "decision"): 1, ("gone", "doubt"): 1, ("gone", "not_listed"): 1, ("gone", "moved"): 1,
        ("new", "start"): 1, ("new", "moved"): 1, ("up", "decision"): 1, ("up", "add_on"): 1, ("down", "persons"): 1,
    }  # fmt: skip
    assert found.after_fen == found.before_fen + sum(fen for _, fen in found.by_kind.values())
    assert (found.accounts, found.towns) == (1, 1)
    assert sum(one["after_fen"] for one in found.places) == found.after_fen
    book = read_workbook(desk.workspace.root / found.files[0]["path"])
    assert [sheet.name for sheet in book.sheets] == ["汇总", "原因", "明细"]
    assert book.sheets[2].height == 2 + 11 + 2  # title, headers; changes; account and town


def test_a_new_standard_is_the_reason_where_it_explains_the_amount(desk: Desk) -> None:
    from jiuzhu_cli.policy.load import load_policy

    programme = desk.policy.programmes[CARE]
    names = sorted(desk.policy.parameters.inputs(next(iter(programme.tariffs[0].amounts.values())), NOW.date(), ""))
    folder = desk.workspace.policy_dir / "parameters"
    folder.mkdir(exist_ok=True)
    text = f'[[parameter]]\nname = "{names[0]}"\nunit = "元/人/月"\narea = "421002"\nsource = "测试"\nvalues = [{{ since = 2026-09-01, value = 100 }}, {{ since = 2026-10-01, value = 120 }}]\n'
    (folder / "own.toml").write_text(text, "utf-8")
    desk.policy = load_policy(desk.workspace.policy_dir, region=desk.workspace.region)
    desk.roll([person(1, amount_fen=10_000), person(2, amount_fen=10_000)], programme=CARE, month=BEFORE)
    desk.roll([person(1, amount_fen=12_000), person(2, amount_fen=19_000)], programme=CARE)
    assert {key: n for key, (n, _) in compare(desk).by_reason.items()} == {("up", "standard"): 1, ("up", "list"): 1}


def test_months_without_lists_or_the_wrong_way_round_are_refused(desk: Desk) -> None:
    desk.roll([person(1)])
    with pytest.raises(UsageError):
        compare(desk, MONTH, BEFORE)
    with pytest.raises(RefusedError, match=BEFORE):
        compare(desk)


def test_one_off_aid_is_not_called_lost(desk: Desk) -> None:
    desk.roll([person(1, event_date="2026-09-03")], programme="temporary_assistance", month=BEFORE)
    desk.roll([person(2, event_date="2026-10-03")], programme="temporary_assistance")
    assert set(compare(desk).by_reason) == {("gone", "one_off"), ("new", "one_off")}
