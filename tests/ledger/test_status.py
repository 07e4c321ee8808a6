"""Where a month stands: figures by town add up, the next step follows what was done."""

from __future__ import annotations

from pathlib import Path

from jiuzhu_cli.ledger.status import figures_by_town, month_status
from tests.support import make_id, make_workspace, put_roll

LOW, OLD, MONTH = "subsistence_allowance", "old_age_allowance", "2026-10"


def test_figures_by_town_count_a_household_once_and_add_up(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "w").open_store() as store:
        head = {"id_no": make_id(1), "case_no": 1, "lead": 1, "amount_fen": 50_000}
        member = {"id_no": make_id(2), "case_no": 1, "lead": 0, "amount_fen": None}
        put_roll(store, LOW, "乙镇", MONTH, [head, member])
        put_roll(store, OLD, "乙镇", MONTH, [{"id_no": make_id(3), "amount_fen": 5_000}])
        put_roll(store, OLD, "甲镇", MONTH, [{"id_no": make_id(4), "amount_fen": 10_000}])
        put_roll(store, OLD, "甲镇", "2026-09", [{"id_no": make_id(4), "amount_fen": 10_000}])
        figures = {
            (f["town"], f["programme"]): (f["cases"], f["persons"], f["amount_fen"])
            for f in figures_by_town(store, MONTH)
        }
        assert figures == {
            ("乙镇", LOW): (1, 2, 50_000),
            ("乙镇", OLD): (1, 1, 5_000),
            ("乙镇", ""): (2, 3, 55_000),
            ("甲镇", OLD): (1, 1, 10_000),
            ("甲镇", ""): (1, 1, 10_000),
            ("", LOW): (1, 2, 50_000),
            ("", OLD): (2, 2, 15_000),
            ("", ""): (3, 4, 65_000),
        }
        assert [f["town"] for f in figures_by_town(store, MONTH)][-1] == ""
        assert figures_by_town(store, "2026-01") == []
        assert "dedupe run" in month_status(store, MONTH).next_command


def test_an_empty_ledger_asks_for_an_import(tmp_path: Path) -> None:
    with make_workspace(tmp_path / "w").open_store() as store:
        state = month_status(store)
        assert (state.month, state.rolls) == ("", []) and "import" in state.next_command
