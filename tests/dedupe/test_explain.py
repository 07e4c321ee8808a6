"""Every doubt of the sample district is explained down to file, sheet, row and cell, and the files bear it out."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.names import read_name, same_name
from jiuzhu_cli.dedupe.explain import explain_doubt
from jiuzhu_cli.dedupe.run import DedupeResult, run_dedupe
from jiuzhu_cli.intake.batch import import_paths
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.tabular.cells import Sheet, column_index
from jiuzhu_cli.tabular.read import as_text, read_workbook
from jiuzhu_cli.workflow import SAMPLE_MONTH, sample_folder
from tests.dedupe.worlds import LOW, POOR, World, household, person, policy
from tests.support import make_id, make_workspace

INBOX = sample_folder() / "inbox"
TODAY = date(2026, 10, 21)


@cache
def sheets(name: str) -> dict[str, Sheet]:
    [path] = INBOX.rglob(name)
    return {sheet.name: sheet for sheet in read_workbook(path).sheets}


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, DedupeResult]:
    workspace = make_workspace(tmp_path_factory.mktemp("explain") / "区")
    now = datetime(2026, 10, 21, 1, 30, tzinfo=UTC)
    import_paths(workspace, policy(), [INBOX], today=TODAY, now=now, actor="张经办")
    store = workspace.open_store()
    return store, run_dedupe(workspace, store, policy(), month=SAMPLE_MONTH, actor="张经办", now=now, today=TODAY)


def test_every_doubt_is_explained_down_to_the_cell(district: tuple[Store, DedupeResult]) -> None:
    store, result = district
    assert len(result.doubts) > 40
    seen = set()
    for doubt in result.doubts:
        told = explain_doubt(store, policy(), doubt["doubt_id"], today=TODAY)
        assert told["rule"]["basis"], doubt
        assert told["rule"]["means"] or told["rule"]["note"] or told["doubt"]["code_name"], doubt
        assert sum(month["amount_fen"] for month in told["months"]) == doubt["amount_fen"]
        rows = [(side, told["records"][side]) for side in "ab" if told["records"][side]]
        assert rows and rows[0][1]["source_row"], doubt
        for side, record in rows:
            if record["source_row"] is None:
                assert (
                    doubt["kind"] in ("missed", "claim") or not doubt[f"source_{side}"]
                )  # what somebody lacks stands nowhere
                continue
            _bears_out(record, doubt[f"id_no_{side}"], doubt[f"name_{side}"])
            seen.add(doubt["kind"])
    assert {"double", "after_event", "account", "claim"} <= seen


def _bears_out(record: dict[str, Any], id_no: str, name: str) -> None:
    """The file's cell at the place told holds the number (or, where that was mended, the name); of several members in a cell, one."""
    sheet = sheets(record["file_name"])[record["sheet"]]

    def cell(field: str) -> str:
        column = record["cells"][field].get("column") or pytest.fail(f"{field}: {record}")
        return as_text(sheet.columns[column_index(column)][record["source_row"] - 1])

    numbers = [parse_id(part).value for part in re.split(r"[\s、,，;；/]+", cell("id_no"))]
    names = re.split(r"[\s、,，;；/]+", cell("name"))
    assert id_no in numbers or any(same_name(read_name(one).value, name) for one in names), (record["source"], id_no)


def test_sums_and_shares_are_told(world: World) -> None:
    world.roll(LOW, "东镇", *household(1, 90_000, 2, 1, 3))
    world.roll(POOR, "东镇", person(1, 80_000))
    world.run()
    [month] = explain_doubt(world.store, policy(), "d000001", today=TODAY)["months"]
    assert month["arithmetic"].startswith("甲方户 900.00 ÷ 3 人 = 300.00；甲方 300.00、乙方 800.00，取较低的 300.00 元")
    assert month["places"]["a"]["source_row"] == 3


def test_a_cap_is_told_with_its_excess(district: tuple[Store, DedupeResult]) -> None:
    store, result = district
    doubt = next(d for d in result.doubts if d["code"] == "over_cap")
    text = explain_doubt(store, policy(), doubt["doubt_id"], today=TODAY)["months"][0]["arithmetic"]
    assert "封顶" in text and "超出" in text


def run(arguments: list[str]) -> int:
    from jiuzhu_cli.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_on_the_screen_it_is_masked_unless_asked(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    account, other = "622202000000000001", make_id(2)
    world.roll(LOW, "东镇", person(1, account_no=account), month="2026-09")
    world.roll(LOW, "西镇", person(2, account_no=account), month="2026-09")
    world.run("2026-09")
    world.store.close()
    base = ["-C", str(world.workspace.root), "--today", "2026-12-01"]
    for words in (
        ["explain", "D000001"],
        ["dedupe", "explain", "d000001"],
        ["explain", "d1"],
        ["dedupe", "explain", "1"],
        ["explain", "D000001", "--json"],
    ):
        assert run([*base, *words]) == 0
        shown = capsys.readouterr().out
        assert make_id(1) not in shown and other not in shown and account not in shown
        assert f"东镇{LOW}2026-09.xlsx" in shown
    assert run([*base, "explain", "D000001", "--full"]) == 0
    shown = capsys.readouterr().out
    assert make_id(1) in shown and account in shown and "第2行" in shown and "【规则】" in shown
    assert "放在一起比的依据" in shown and "账号：相同" in shown  # two people: how the matching compares them
    assert run([*base, "explain", "D000099"]) == 2
    capsys.readouterr()
    assert run([*base, "dedupe", "list", "--overdue", "--json"]) == 0
    late = json.loads(capsys.readouterr().out)["doubts"]
    assert [d["doubt_id"] for d in late] in ([], ["D000001"])  # the record's clock is the machine's
    assert run([*base, "status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["overdue_doubts"] == len(late)
    assert run([*base, "dedupe", "list"]) == 2
    world.store = world.workspace.open_store()


def test_conflicts_and_diff_on_the_screen(world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from tests.dedupe.test_clerk import EAST, WEST, doubles, fill

    doubles(world, 1, month="2026-09")
    doubles(world, 1, 3)
    world.run("2026-09")
    book = world.run().workbook
    files = [fill(book, tmp_path / f"{name}.xlsx", {"D000001": said}) for name, said in (("东", EAST), ("西", WEST))]
    base = ["-C", str(world.workspace.root)]
    assert run([*base, "dedupe", "decide", *map(str, files)]) == 3
    shown = capsys.readouterr().out
    for word in ("东.xlsx", "西.xlsx", "Q3", "东镇赵", "2026-10-12", "双重享受（停发甲方）", "允许叠加", "--prefer"):
        assert word in shown
    assert run([*base, "dedupe", "decide", *map(str, files), "--prefer", "西.xlsx"]) == 0
    capsys.readouterr()
    assert run([*base, "dedupe", "diff", "2026-09", "2026-10", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["new"], told["decided"], told["gone"], Path(told["csv"]).exists()) == (1, 1, 0, True)
    assert run([*base, "dedupe", "diff", "2026-10", "2026-09"]) == 2
