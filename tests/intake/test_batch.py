"""New, known, corrected, a further part, in doubt: what a list is to the record; supplements, undo, files of the clerk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.ledger.rolls import list_batches, show_batch, undo_batch
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.tabular.read import read_workbook
from tests.intake.lists import NOW, PERSON_HEADER, codes, name, person_rows, record, run, run_one, workbook
from tests.support import make_id, make_workspace

OLD_AGE = "东城街道2026年10月高龄津贴.xlsx"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "ws")


def undo(workspace: Workspace, batch: int) -> dict[str, object]:
    with workspace.open_store() as store, store.transaction(actor="张经办", command="batch undo", now=NOW) as tx:
        return undo_batch(tx, store, batch)


def roll(
    folder: Path, serials: range | list[int], *, file: str = OLD_AGE, amount: float = 100, village: str = "一村"
) -> Path:
    return workbook(folder / file, PERSON_HEADER, person_rows(serials, amount, village))


def test_the_same_file_and_the_same_rows_in_another_file_change_nothing(workspace: Workspace, tmp_path: Path) -> None:
    first = run_one(workspace, roll(tmp_path, range(1, 9)))
    assert (first.status, first.added, first.amount_fen) == ("imported", 8, 80000)
    with workspace.open_store() as store:
        before = store.query("SELECT count(*), max(seq) FROM journal")[0][:]
    again = run_one(workspace, roll(tmp_path, range(1, 9)))
    other = run_one(
        workspace, roll(tmp_path / "b", [8, 7, 6, 5, 4, 3, 2, 1], file="东城街道高龄津贴2026-10（终）.xlsx")
    )
    assert [again.status, other.status] == ["already", "already"]
    assert again.batch == other.batch == first.batch
    assert OLD_AGE in other.note
    with workspace.open_store() as store:
        assert store.query("SELECT count(*), max(seq) FROM journal")[0][:] == before


def test_a_corrected_roll_supersedes_and_says_what_changed(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, roll(tmp_path, range(1, 11)))
    rows = person_rows(range(2, 12))
    rows[0][3] = 150
    second = run_one(workspace, workbook(tmp_path / "b" / OLD_AGE, PERSON_HEADER, rows))
    assert second.status == "corrected"
    assert (second.added, second.changed, second.withdrawn, second.unchanged) == (1, 1, 1, 8)
    assert second.changed_fields == {"amount_fen": 1}
    assert second.changes[0]["fields"] == {"amount_fen": [10000, 15000]}
    assert make_id(2) not in str(second.changes)
    assert len(record(workspace, "id_no")) == 10
    assert run_one(workspace, roll(tmp_path, range(1, 11))).status == "superseded_old"
    assert len(record(workspace, "id_no")) == 10


def test_disjoint_lists_are_parts_of_one_roll(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, roll(tmp_path, range(1, 5)))
    second = run_one(workspace, roll(tmp_path / "b", range(10, 15)))
    assert second.status == "imported"
    with workspace.open_store() as store:
        assert [(b["part"], b["status"]) for b in list_batches(store)] == [("", "active"), ("p2", "active")]


def test_urban_and_rural_are_parts_and_each_is_corrected_alone(workspace: Workspace, tmp_path: Path) -> None:
    urban, rural = "东城街道2026年10月城市低保.xlsx", "东城街道2026年10月农村低保.xlsx"
    run_one(workspace, roll(tmp_path, range(1, 5), file=urban))
    run_one(workspace, roll(tmp_path, range(10, 15), file=rural))
    corrected = run_one(workspace, roll(tmp_path / "b", range(10, 15), file=rural, amount=120))
    assert (corrected.status, corrected.changed) == ("corrected", 5)
    with workspace.open_store() as store:
        assert [(b["part"], b["status"]) for b in list_batches(store, every=True)] == [
            ("城市", "active"),
            ("农村", "superseded"),
            ("农村", "active"),
        ]


def test_in_between_is_asked_and_settled_by_a_word(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, roll(tmp_path, range(1, 11)))
    unsure = roll(tmp_path / "b", range(7, 19))
    result = run(workspace, unsure)
    assert (result.tables[0].status, result.exit_code) == ("ask", 4)
    assert len(record(workspace, "id_no")) == 10
    assert run_one(workspace, unsure, mode="append").status == "imported"
    assert len(record(workspace, "id_no")) == 22
    undo(workspace, 2)
    assert run_one(workspace, unsure, mode="replace").status == "corrected"
    assert len(record(workspace, "id_no")) == 12


def test_a_second_list_that_shares_a_few_persons_is_another_list(workspace: Workspace, tmp_path: Path) -> None:
    """Who stands on both is double aid for dedupe to find: asking here would keep everybody else from being read."""
    run_one(workspace, roll(tmp_path, range(1, 11)))
    assert run_one(workspace, roll(tmp_path / "b", range(9, 20))).status == "imported"
    assert len(record(workspace, "id_no")) == 21


def district(folder: Path, serials: dict[str, range], *, amount: float = 100) -> Path:
    rows = [[town, *row] for town, of in serials.items() for row in person_rows(of, amount)]
    return workbook(folder / "2026年10月全区高龄津贴.xlsx", ["乡镇", *PERSON_HEADER], rows)


def test_a_district_list_supersedes_its_towns_and_a_town_s_list_is_then_known(
    workspace: Workspace, tmp_path: Path
) -> None:
    run_one(workspace, roll(tmp_path, range(1, 6)))
    run_one(workspace, roll(tmp_path, range(10, 16), file="西城街道2026年10月高龄津贴.xlsx"))
    whole = {"东城街道": range(1, 6), "西城街道": range(10, 16)}
    assert run_one(workspace, district(tmp_path, whole)).status == "already"
    raised = run_one(workspace, district(tmp_path / "b", whole, amount=130))
    assert (raised.status, raised.area, raised.changed) == ("corrected", "", 11)
    with workspace.open_store() as store:
        assert len(list_batches(store)) == 1
        assert show_batch(store, int(raised.batch or 0))["replaced"] == [1, 2]
    known = run_one(workspace, roll(tmp_path / "c", range(1, 6), amount=130))
    assert known.status == "already"
    differing = run_one(workspace, roll(tmp_path / "d", range(1, 6), amount=140))
    assert differing.status == "ask"
    assert undo(workspace, int(raised.batch or 0))["active_again"] == [1, 2]
    assert len(record(workspace, "id_no")) == 11


def test_undo(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, roll(tmp_path, range(1, 6)))
    run_one(workspace, roll(tmp_path / "b", range(1, 7)))
    with pytest.raises(RefusedError, match="已被批次 2更正"):
        undo(workspace, 1)
    assert undo(workspace, 2)["active_again"] == [1]
    assert len(record(workspace, "id_no")) == 5
    with pytest.raises(RefusedError, match="已经撤销"):
        undo(workspace, 2)
    with pytest.raises(UsageError):
        undo(workspace, 99)
    assert run_one(workspace, roll(tmp_path / "b", range(1, 7))).status == "corrected"
    with workspace.open_store() as store:
        assert store.check_journal() == []


def put_payment(workspace: Workspace, state: str) -> None:
    with workspace.open_store() as store, store.transaction(actor="乙", command="test") as tx:
        row = store.query("SELECT row_id, id_no, name FROM roll_row LIMIT 1")[0]
        tx.execute(
            "INSERT INTO obligation (programme, month, recipient_id_no, recipient_name, town, village, amount_fen, persons, roll_row_id)"
            " VALUES ('old_age_allowance', '2026-10', ?, ?, '', '', 100, 1, ?)",
            (row[1], row[2], row[0]),
        )
        tx.execute(
            "INSERT INTO payment_batch (month, sequence, kind, state, lines, amount_fen, policy_digest, drafted_by, drafted_at)"
            " VALUES ('2026-10', 1, 'regular', 'draft', 1, 100, '', '乙', '')"
        )
        tx.execute(
            "INSERT INTO payment_line (payment_id, line_no, transfer_no, obligation_id, bank, account_no, payee_name, payee_id_no, amount_fen, state)"
            " VALUES (1, 1, 1, 1, '', '1', '', '', 100, 'due')"
        )
        for step in {"due": (), "sent": ("sent",), "cancelled": ("cancelled",)}.get(state, ("sent", state)):
            tx.execute("UPDATE payment_line SET state = ?", (step,))


def test_money_that_has_moved_holds_the_roll(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, roll(tmp_path, range(1, 6)))
    put_payment(workspace, "paid")
    with pytest.raises(RefusedError, match="不能撤销"):
        undo(workspace, 1)
    corrected = run(workspace, roll(tmp_path / "b", range(1, 6), amount=120))
    assert (corrected.tables[0].status, corrected.exit_code) == ("paid", 4) and "--replace" in corrected.tables[0].todo
    assert run_one(workspace, roll(tmp_path, range(1, 6))).status == "already"
    # said to be the corrected list: what is paid stays, the difference is back-pay or recovery
    replaced = run_one(workspace, roll(tmp_path / "b", range(1, 6), amount=120), mode="replace")
    assert (replaced.status, replaced.changed) == ("corrected", 5) and "pay back-pay" in replaced.todo
    with workspace.open_store() as store:
        assert store.query("SELECT state, amount_fen FROM payment_line")[0][:] == ("paid", 100)


def test_money_paid_by_the_first_list_holds_the_second_correction_too(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, roll(tmp_path, range(1, 6)))
    put_payment(workspace, "paid")
    run_one(workspace, roll(tmp_path / "b", range(1, 6), amount=120), mode="replace")
    third = roll(tmp_path / "c", range(1, 6), amount=130)
    held = run_one(workspace, third)
    assert held.status == "paid" and "已有 1 笔进入发放" in held.note and "--replace" in held.todo
    assert run_one(workspace, third, mode="replace").status == "corrected"


def test_a_batch_that_has_not_left_yet_holds_the_roll_whatever_is_said(workspace: Workspace, tmp_path: Path) -> None:
    run_one(workspace, roll(tmp_path, range(1, 6)))
    put_payment(workspace, "due")
    held = run_one(workspace, roll(tmp_path / "b", range(1, 6), amount=120), mode="replace")
    assert held.status == "paid" and "1 笔还没有送银行" in held.todo


def damaged(tmp_path: Path) -> Path:
    rows = person_rows(range(1, 11))
    rows[3][2] = str(rows[3][2])[:-1]
    rows[6][3] = "三百多"
    return workbook(tmp_path / OLD_AGE, PERSON_HEADER, rows)


def test_remainder_is_corrected_and_joins_its_roll(workspace: Workspace, tmp_path: Path) -> None:
    first = run(workspace, damaged(tmp_path))
    table = first.tables[0]
    assert (table.accepted, table.refused, first.exit_code) == (8, 2, 3)
    remainder = workspace.root / table.remainder_file
    assert stat.S_IMODE(remainder.stat().st_mode) == 0o600
    book = read_workbook(remainder)
    assert book.marks["jiuzhu_remainder_of"] == str(table.batch)
    header = next(r for r in range(5) if "身份证号" in [c[r] for c in book.sheets[0].columns])
    assert [book.sheets[0].columns[[c[header] for c in book.sheets[0].columns].index("姓名")][header + 1]] == [name(4)]

    import openpyxl

    sheet = openpyxl.load_workbook(remainder)
    page = sheet.active
    cells = {page.cell(header + 1, c).value: c for c in range(1, page.max_column + 1)}
    page.cell(header + 2, cells["身份证号"]).value = make_id(4)
    corrected = tmp_path / "改正.xlsx"
    sheet.save(corrected)
    second = run_one(workspace, corrected)
    assert (second.status, second.accepted, second.refused) == ("imported", 1, 1)
    assert second.remainder_file
    with workspace.open_store() as store:
        assert [(b["batch_id"], b["supplements"]) for b in list_batches(store)] == [(1, None), (2, 1)]
    assert len(record(workspace, "id_no")) == 9
    assert run_one(workspace, corrected).status == "already"
    # a corrected whole roll supersedes the supplement too; undo brings both back
    run_one(workspace, roll(tmp_path / "c", range(1, 11), amount=110))
    assert len(record(workspace, "id_no")) == 10
    assert undo(workspace, 3)["active_again"] == [1, 2]
    undo(workspace, 1)
    assert record(workspace, "id_no") == []
    assert run_one(workspace, corrected).status == "refused"


def test_a_refused_member_comes_back_to_the_household(workspace: Workspace, tmp_path: Path) -> None:
    header = ["姓名", "身份证号", "与户主关系", "保障金额"]
    rows = [["王伟", make_id(1), "户主", 500], ["王芳", make_id(2)[:-1], "女儿", None]]
    table = run_one(workspace, workbook(tmp_path / "东城街道2026年10月农村低保.xlsx", header, rows))
    import openpyxl

    book = openpyxl.load_workbook(workspace.root / table.remainder_file)
    page = book.active
    places = {cell.value: cell for row in page.iter_rows() for cell in row}
    page.cell(page.max_row, places["身份证号"].column).value = make_id(2)
    book.save(tmp_path / "改正.xlsx")
    again = run_one(workspace, tmp_path / "改正.xlsx")
    assert (again.status, again.refused) == ("imported", 0)
    assert record(workspace, "id_no, lead, head_id_no, r.amount_fen") == [
        (make_id(1), 1, make_id(1), 50000),
        (make_id(2), 0, make_id(1), None),
    ]


def test_strict_and_max_bad_pct_refuse_the_file(workspace: Workspace, tmp_path: Path) -> None:
    path = damaged(tmp_path)
    for options in ({"strict": True}, {"max_bad_pct": 10}):
        result = run(workspace, path, **options)
        assert (result.tables[0].status, result.tables[0].accepted, result.exit_code) == ("refused", 0, 3)
        assert result.tables[0].errors_file
    assert record(workspace, "id_no") == []
    assert run(workspace, path, max_bad_pct=20).tables[0].status == "imported"


def test_annotated_copy_has_reasons_and_is_written_again_when_lost(workspace: Workspace, tmp_path: Path) -> None:
    path = damaged(tmp_path)
    table = run_one(workspace, path)
    copy = workspace.root / table.errors_file
    book = read_workbook(copy)
    assert book.sheets[0].name == "核对结果"
    said = "".join(str(cell) for column in book.sheets[1].columns for cell in column if cell)
    assert "身份证号应为 18 位" in said
    before = copy.read_bytes()
    copy.unlink()
    (workspace.root / table.remainder_file).unlink()
    again = run_one(workspace, path)
    assert again.status == "already"
    assert copy.read_bytes() == before
    assert (workspace.root / again.remainder_file).exists()


def test_a_register_goes_through_the_same_door(workspace: Workspace, tmp_path: Path) -> None:
    header = ["姓名", "身份证号", "死亡日期"]
    rows = [[name(n), make_id(n), "2026-10-05"] for n in range(1, 6)] + [["王伟", "123", "2026-10-06"]]
    table = run_one(workspace, workbook(tmp_path / "死亡人员名单2026年10月.xlsx", header, rows))
    assert (table.kind, table.programme, table.accepted, table.refused) == ("register", "death", 5, 1)
    assert record(workspace, "id_no, event_date", kind="register")[0] == (make_id(1), "2026-10-05")
    rows[0][2] = "2026-10-07"
    again = run_one(workspace, workbook(tmp_path / "b" / "死亡人员名单2026年10月.xlsx", header, rows))
    assert (again.status, again.changed) == ("corrected", 1)


def test_a_death_without_its_day_is_taken_in(workspace: Workspace, tmp_path: Path) -> None:
    """It is looked into (after_death_undated); a list that knows only the day of the household registration's end counts from that."""
    blank = [[name(1), make_id(1), ""], [name(2), make_id(2), "2026-10-05"]]
    table = run_one(
        workspace, workbook(tmp_path / "死亡人员名单2026年10月.xlsx", ["姓名", "身份证号", "死亡日期"], blank)
    )
    assert (table.programme, table.accepted, table.refused) == ("death", 2, 0)
    ended = [[name(3), make_id(3), "2026-09-20"]]
    table = run_one(
        workspace, workbook(tmp_path / "b" / "死亡人员名单（公安）.xlsx", ["姓名", "身份证号", "注销日期"], ended)
    )
    assert (table.programme, table.accepted, table.refused) == ("death", 1, 0)
    assert record(workspace, "id_no, event_date, valid_from", kind="register")[-1] == (make_id(3), None, "2026-09-20")


def test_several_lists_in_one_file_and_other_files_around_them(workspace: Workspace, tmp_path: Path) -> None:
    import openpyxl

    folder = tmp_path / "in"
    folder.mkdir()
    book = openpyxl.Workbook()
    for title, serials in (("高龄津贴", range(1, 4)), ("特困", range(10, 12))):
        sheet = book.create_sheet(title)
        sheet.append(PERSON_HEADER)
        for row in person_rows(serials):
            sheet.append(row)
    del book["Sheet"]
    book.save(folder / "东城街道2026年10月台账.xlsx")
    (folder / "~$东城街道2026年10月台账.xlsx").write_bytes(b"lock")
    (folder / "说明.docx").write_bytes(b"PK")
    (folder / "坏.xlsx").write_bytes(b"PK\x03\x04 torn off")
    result = run(workspace, folder)
    told = {(t.file, t.programme, t.status) for t in result.tables}
    assert ("东城街道2026年10月台账.xlsx", "old_age_allowance", "imported") in told
    assert ("东城街道2026年10月台账.xlsx", "extreme_poverty_support", "imported") in told
    assert ("说明.docx", "", "skipped") in told
    assert result.exit_code == 3
    assert not any(file.startswith("~$") for file, _, _ in told)
    with workspace.open_store() as store:
        assert len(list_batches(store)) == 2


def test_stated_total_and_unit_and_place(workspace: Workspace, tmp_path: Path) -> None:
    header = ["村", "姓名", "身份证号", "救助金额（万元）"]
    rows = [["一村", name(1), make_id(1), 0.12], ["二村", name(2), make_id(2), 0.3], ["合计", None, None, 0.5]]
    table = run_one(workspace, workbook(tmp_path / "东城街道2026年10月临时救助.xlsx", header, rows))
    assert (table.amount_fen, table.stated_total_fen) == (420000, 500000)
    assert "total_mismatch" in codes(table)
    assert record(workspace, "town, village, r.amount_fen") == [
        ("东城街道", "一村", 120000),
        ("东城街道", "二村", 300000),
    ]


def test_a_damaged_account_refuses_a_payable_row_only(workspace: Workspace, tmp_path: Path) -> None:
    rows = person_rows(range(1, 4))
    rows[1][4] = 6.2284804025648e18
    payable = run_one(workspace, workbook(tmp_path / OLD_AGE, PERSON_HEADER, rows))
    assert payable.refused == 1
    header = ["村", "姓名", "身份证号", "家庭人口", "银行账号"]
    status = run_one(workspace, workbook(tmp_path / "东城街道2026年10月低保边缘.xlsx", header, rows))
    assert (status.refused, "account_numeric" in codes(status)) == (0, True)


def test_lists_of_one_file_never_correct_each_other(workspace: Workspace, tmp_path: Path) -> None:
    """Sheets by village of a district list; one village's name stands in two towns, one person in two sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    sheets = {
        "东风村": [("东城街道", 1), ("西城街道", 2), ("西城街道", 3)],
        "胜利村": [("西城街道", 4), ("西城街道", 3), ("西城街道", 5)],
    }
    for title, persons in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(["乡镇", *PERSON_HEADER])
        for town, serial in persons:
            sheet.append([town, *person_rows([serial], village=title)[0]])
    path = tmp_path / "2026年10月高龄津贴.xlsx"
    book.save(path)
    result = run(workspace, path)
    assert {t.status for t in result.tables} == {"imported"}
    assert {t.area for t in result.tables} == {""}
    assert len(record(workspace, "id_no")) == 6
    assert {t.status for t in run(workspace, path).tables} == {"already"}


def test_a_file_asked_for_by_name_that_is_no_list_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "in" / "jiuzhu.toml"
    file.parent.mkdir()
    file.write_text("x = 1")
    named, inside = run(workspace, file), run(workspace, file.parent)
    assert (named.exit_code, named.tables[0].status, bool(named.tables[0].todo)) == (3, "refused", True)
    assert (inside.exit_code, inside.tables[0].status) == (0, "skipped")


def test_the_check_workbook_counts_findings_by_code(workspace: Workspace, tmp_path: Path) -> None:
    rows = person_rows(range(1, 31))
    for row in rows[:2]:
        row[2] = row[2][:-1] + ("0" if row[2][-1] != "0" else "1")
    table = run_one(workspace, workbook(tmp_path / OLD_AGE, PERSON_HEADER, rows))
    first = read_workbook(workspace.root / table.errors_file).sheets[0]
    texts = [str(cell) for column in first.columns for cell in column if cell is not None]
    assert any("2 处：C2、C3" in text for text in texts)


def test_a_total_that_the_sum_exceeds_by_a_factor_is_not_imported(workspace: Workspace, tmp_path: Path) -> None:
    rows = [*person_rows(range(1, 7)), ["合计", None, None, 200, None]]
    table = run_one(workspace, workbook(tmp_path / OLD_AGE, PERSON_HEADER, rows))
    assert (table.status, [f.code for f in table.findings if f.severity == "error"]) == ("refused", ["total_by_factor"])
