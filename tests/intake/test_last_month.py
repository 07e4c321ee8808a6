"""A roll against the month before and against the roll it corrects: told, warned of, asked about; the same when asked again."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiuzhu_cli.intake.compare import compare
from jiuzhu_cli.intake.result import TableResult
from jiuzhu_cli.ledger.earlier import NUMBERS, TEXTS
from jiuzhu_cli.ledger.workspace import CONFIG_NAME, Workspace, find_workspace
from jiuzhu_cli.tabular.read import read_workbook
from tests.intake.lists import PERSON_HEADER, POLICY, codes, person_rows, record, run, run_one, workbook
from tests.support import make_id, make_workspace

TOWN = "东城街道"
HEADER = [*PERSON_HEADER, "开户名"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def rows_of(serials: Any) -> list[list[Any]]:
    return [[*row, row[1]] for row in person_rows(list(serials))]


def month(folder: Path, number: int, rows: list[list[Any]], *, area: str = TOWN, what: str = "高龄津贴") -> Path:
    return workbook(folder / str(number) / f"{area}2026年{number}月{what}.xlsx", HEADER, rows)


def told(result: TableResult) -> dict[str, Any]:
    assert result.last_month is not None
    return result.as_json(POLICY)["last_month"]


def test_what_changed_is_told(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, month(tmp_path, 9, rows_of(range(1, 41))))
    rows = rows_of(range(3, 43))
    rows[0][4] = "421001009999"
    rows[1][4], rows[1][5] = "421001008888", "王别人"
    rows[2][3] = 150
    rows[3][4] = None
    rows[4][2] = str(rows[4][2])[:-1] + ("0" if str(rows[4][2])[-1] != "0" else "1")
    one = run_one(workspace, month(tmp_path, 10, rows), recover=False)
    found = told(one)
    assert one.status == "imported" and one.last_month is not None
    assert {key: found[key] for key in ("month", "added", "withdrawn", "waiting", "amount_changed", "account_changed", "payee_changed")} == {
        "month": "2026-09", "added": 2, "withdrawn": 2, "waiting": 1, "amount_changed": 1, "account_changed": 3, "payee_changed": 1,
    }  # fmt: skip
    assert (found["persons_before"], found["persons_after"]) == (40, 40)
    assert found["amount_fen_before"] == 400000 and found["amount_fen_after"] == 395000
    kinds = [(f.code, f.source.cell()) for f in one.findings if "account" in f.code]
    assert set(kinds) == {("account_and_payee_changed", "E3"), ("account_changed", "E2"), ("account_gone", "E5"), ("account_missing", "E5")} or {
        ("account_and_payee_changed", "E3"), ("account_changed", "E2"), ("account_gone", "E5"),
    } <= set(kinds)  # fmt: skip
    assert "421001009999" not in str(found) and make_id(3) not in str(found)
    book = read_workbook(workspace.root / found["workbook"])
    sheet = next(sheet for sheet in book.sheets if sheet.name == "与上月比")
    header = list(sheet.columns[0]).index("变化")
    assert Counter(sheet.columns[0][header + 1 :]) == {
        "账号和户名都换了": 1, "账号换了": 1, "账号没有了": 1, "撤下": 2, "新增": 2, "金额变了": 1,
    }  # fmt: skip
    assert not re.search(r"42100100(9999|8888)", str([list(column) for column in sheet.columns]))


def test_the_same_file_again_says_the_same_and_writes_the_same(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, month(tmp_path, 9, rows_of(range(1, 31))))
    path = month(tmp_path, 10, rows_of(range(2, 32)))
    first = run_one(workspace, path)
    book = workspace.root / told(first)["workbook"]
    before = book.read_bytes()
    assert not first.errors_file  # nothing is wrong; the changes alone make the workbook
    book.unlink()
    again = run_one(workspace, path)
    assert again.status == "already" and told(again) == told(first)
    assert book.read_bytes() == before


def test_the_same_file_again_where_a_column_holds_nothing(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, month(tmp_path, 9, rows_of(range(1, 31))))
    path = month(tmp_path, 10, [[*row[:4], "", ""] for row in rows_of(range(2, 32))])
    first = run_one(workspace, path)
    again = run_one(workspace, path)
    assert again.status == "already" and told(again) == told(first)


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        (rows_of(range(1, 13)), "人数"),
        ([[*row[:4], f"4210010077{n:04d}", row[5]] for n, row in enumerate(rows_of(range(1, 41)))], "换了账号"),
        ([[*row[:3], 180, *row[4:]] for row in rows_of(range(1, 41))], "平均每人"),
    ],
)
def test_far_too_much_is_asked_about_first(
    workspace: Workspace, tmp_path: Path, rows: list[list[Any]], note: str
) -> None:
    run_one(workspace, month(tmp_path, 9, rows_of(range(1, 41))))
    path = month(tmp_path, 10, rows)
    result = run(workspace, path)
    one = result.tables[0]
    assert (one.status, one.batch, one.accepted, result.exit_code) == ("ask", None, 0, 4)
    assert note in one.note and "--accept-change" in one.todo
    assert len(record(workspace, "id_no")) == 40
    assert (workspace.root / told(one)["workbook"]).exists()
    assert "与上月比" in [sheet.name for sheet in read_workbook(workspace.root / told(one)["workbook"]).sheets]
    accepted = run_one(workspace, path, accept_change=True)
    assert accepted.status == "imported" and accepted.accepted == len(rows)
    with workspace.open_store() as store:
        [detail] = store.query("SELECT detail FROM journal WHERE detail LIKE '%accepted_change%'")
    assert note in detail[0] and "persons_before" in detail[0]


def test_alarms_follow_the_settings(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, month(tmp_path, 9, rows_of(range(1, 41))))
    path = month(tmp_path, 10, rows_of(range(1, 31)))
    assert {"persons_jump", "amount_jump"} <= codes(run_one(workspace, path))
    config = workspace.root / CONFIG_NAME
    config.write_text(config.read_text("utf-8").replace("alarm_pct = 20", "alarm_pct = 60").replace("ask_pct = 50", "ask_pct = 10"), "utf-8")  # fmt: skip
    stricter = find_workspace(workspace.root, explicit=True)
    one = run_one(stricter, month(tmp_path, 11, rows_of(range(1, 25))))
    assert one.status == "ask" and not {"persons_jump", "amount_jump"} & codes(one)
    config.write_text(config.read_text("utf-8").replace("alarm_persons = 20", "alarm_persons = 100"), "utf-8")
    assert run_one(find_workspace(workspace.root, explicit=True), month(tmp_path, 11, rows_of(range(1, 25)))).status == "imported"  # fmt: skip


def test_what_is_not_compared(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, month(tmp_path, 9, rows_of(range(1, 41))))
    assert run_one(workspace, month(tmp_path, 10, rows_of(range(50, 90)), area="西城街道")).last_month is None
    assert run_one(workspace, month(tmp_path, 10, rows_of(range(100, 140)), what="孤儿基本生活费")).last_month is None
    once = [["一村", row[1], row[2], 500, row[4], row[5]] for row in rows_of(range(1, 30))]
    run_one(workspace, month(tmp_path, 9, once, what="临时救助"))
    assert run_one(workspace, month(tmp_path, 10, once[:3], what="临时救助")).last_month is None


def test_a_town_is_compared_with_its_part_of_the_district(workspace: Workspace, tmp_path: Path) -> None:
    rows = [[town, *row] for n, row in enumerate(rows_of(range(1, 61))) for town in [[TOWN, "西城街道"][n % 2]]]
    run_one(workspace, workbook(tmp_path / "9" / "全区2026年9月高龄津贴.xlsx", ["乡镇", *HEADER], rows))
    mine = [row[1:] for row in rows if row[0] == TOWN]
    found = told(run_one(workspace, month(tmp_path, 10, mine[1:])))
    assert (found["persons_before"], found["added"], found["withdrawn"]) == (30, 0, 1)


def test_further_parts_are_not_withdrawn(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, month(tmp_path, 9, rows_of(range(1, 61))))
    run_one(workspace, month(tmp_path, 10, rows_of(range(1, 41))))
    second = workbook(tmp_path / "b" / f"{TOWN}2026年10月高龄津贴补报.xlsx", HEADER, rows_of(range(41, 61)))
    found = told(run_one(workspace, second, mode="append"))
    assert (found["withdrawn"], found["added"], found["persons_after"]) == (0, 0, 60)


def test_a_corrected_roll_tells_changed_accounts_too(workspace: Workspace, tmp_path: Path) -> None:
    rows = rows_of(range(1, 31))
    run_one(workspace, month(tmp_path, 10, rows))
    rows[5][4] = "421001007777"
    second = run_one(workspace, month(tmp_path / "b", 10, rows))
    assert second.status == "corrected" and ("account_changed", "E7") in {
        (f.code, f.source.cell()) for f in second.findings
    }
    book = read_workbook(workspace.root / second.errors_file)
    assert "与原表比" in [sheet.name for sheet in book.sheets]


# the comparison itself ---------------------------------------------------------------------------------------


def table(rows: list[dict[str, Any]]) -> pa.Table:
    base = dict.fromkeys(TEXTS) | dict.fromkeys(NUMBERS, 1) | {"amount_fen": None, "household_size": None, "lead": 1}
    full = [base | {"case_no": n, "source_row": n + 2} | row for n, row in enumerate(rows, 1)]
    kinds = dict.fromkeys(TEXTS, pa.string()) | dict.fromkeys(NUMBERS, pa.int64())
    return pa.table({name: pa.array([row[name] for row in full], kind) for name, kind in kinds.items()})


def test_a_household_whose_head_changed_is_the_same_case() -> None:
    before = table(
        [
            {"id_no": "甲", "name": "甲", "case_no": 1, "amount_fen": 100, "account_no": "1" * 12},
            {"id_no": "乙", "name": "乙", "case_no": 1, "lead": 0},
        ]
    )
    now = table([{"id_no": "乙", "name": "乙", "case_no": 1, "amount_fen": 90, "account_no": "2" * 12}])
    found = compare(now, before, month="2026-09", batches=[1])
    assert Counter(line.kind for line in found.lines) == {"账号和户名都换了": 1, "撤下": 1, "金额变了": 1}
    split = table([{"id_no": "甲", "amount_fen": 100, "account_no": "1" * 12}, {"id_no": "乙", "amount_fen": 50, "account_no": "2" * 12}])  # fmt: skip
    assert compare(split, before, month="2026-09", batches=[1]).lines == []


PERSON = st.fixed_dictionaries(
    {"amount_fen": st.one_of(st.none(), st.integers(1, 9)), "account_no": st.sampled_from([None, "1" * 12, "2" * 12]), "household_size": st.sampled_from([None, 1, 2])}
)  # fmt: skip


@given(before=st.dictionaries(st.integers(0, 9), PERSON), now=st.dictionaries(st.integers(0, 9), PERSON))
@settings(max_examples=80, deadline=None)
def test_compared_as_by_hand(before: dict[int, dict[str, Any]], now: dict[int, dict[str, Any]]) -> None:
    def rows(people: dict[int, dict[str, Any]]) -> pa.Table:
        return table(
            [{"id_no": str(key), "name": f"人{key}", "village": "村", **values} for key, values in people.items()]
        )

    found = compare(rows(now), rows(before), month="2026-09", batches=[1])
    both = set(before) & set(now)
    assert found.count("新增") == len(set(now) - set(before)) and found.count("撤下") == len(set(before) - set(now))
    for kind, field in (("金额变了", "amount_fen"), ("家庭人口变了", "household_size")):
        differ = [
            k for k in both if None not in (before[k][field], now[k][field]) and before[k][field] != now[k][field]
        ]
        assert found.count(kind) == len(differ)
    listed = any(before[k]["account_no"] for k in both) and any(now[k]["account_no"] for k in both)
    changed = [k for k in both if before[k]["account_no"] != now[k]["account_no"]] if listed else []
    assert sorted(line.id_no for line in found.accounts) == sorted(map(str, changed))
    assert found.amount_fen_before == sum(p["amount_fen"] or 0 for p in before.values())
    assert (found.persons_before, found.persons_after) == (len(before), len(now))


def test_months_of_one_folder_are_compared_in_their_order(workspace: Workspace, tmp_path: Path) -> None:
    month(tmp_path / "inbox", 9, rows_of(range(1, 41)))
    month(tmp_path / "inbox", 10, rows_of(range(3, 41)))
    september, october = run(workspace, tmp_path / "inbox").tables
    assert (september.month, october.month) == ("2026-09", "2026-10")
    assert september.last_month is None and told(october)["withdrawn"] == 2
