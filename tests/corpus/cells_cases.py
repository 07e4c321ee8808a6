"""Cells: what Excel and clerks do to values, row by row, and which cell is blamed."""

from __future__ import annotations

from tests.corpus.book import FILE, HEADER, HOMES, TITLE, File, Page, account, case, name, one, people, person
from tests.support import make_id

ITEMS = ["序号", "村", "姓名", "身份证号", "发放金额", "开户银行", "银行账号"]


@case()
def ditto_marks_down_a_list() -> File:
    rows = [
        [1, "东风村", name(1), make_id(1), 100, "农商银行", account(1)],
        [2, "〃", name(2), make_id(2), "〃", "同上", account(2)],
        [3, "″", name(3), make_id(3), "″", "″", account(3)],
        [4, "前进村", name(4), make_id(4), 120, "同上", account(4)],
        [5, '"', name(5), make_id(5), "同上", "〃", account(5)],
    ]
    return one([TITLE], ITEMS, *rows)


@case()
def ditto_mark_for_an_id_is_refused() -> File:
    """Nobody has the ID of the row above."""
    return one(
        [TITLE], HEADER, person(1), [2, name(2), "同上", 100, account(2)], [3, "〃", make_id(3), 100, account(3)]
    )


@case()
def dashes_and_spaces_for_nothing() -> File:
    head = [*HEADER, "联系电话", "备注"]
    return one([TITLE], head, [*person(1), "-", " "], [*person(2), "—", "/"], [*person(3), "无", None])


@case()
def numbers_stored_as_text() -> File:
    """Green triangles."""
    return one(
        [TITLE],
        HEADER,
        *(["1", name(n), make_id(n), "100.00", account(n)] for n in (1, 2)),
        ["合计", None, None, "200.00"],
    )


@case()
def ids_with_blanks_quotes_and_small_x() -> File:
    rows = [
        [1, name(1), f" {make_id(1)[:6]} {make_id(1)[6:14]} {make_id(1)[14:]}", 100, account(1)],
        [2, name(2), f"'{make_id(2)}", 100, account(2)],
        [3, name(3), make_id(3).lower(), 100, account(3)],  # ends with X
        [4, name(4), "".join(chr(ord(c) + 0xFEE0) for c in make_id(4)), 100, account(4)],
    ]
    return one([TITLE], HEADER, *rows)


@case()
def id_turned_into_a_number() -> File:
    return one([TITLE], HEADER, person(1), [2, name(2), float(make_id(2)[:17] + "0"), 100, account(2)], person(3))


@case()
def id_with_a_wrong_digit() -> File:
    wrong = make_id(2)[:16] + str((int(make_id(2)[16]) + 1) % 10) + make_id(2)[17]
    return one([TITLE], HEADER, person(1), [2, name(2), wrong, 100, account(2)], person(3))


@case()
def rows_without_id_without_name_without_amount() -> File:
    return one(
        [TITLE],
        HEADER,
        person(1),
        [2, name(2), None, 100, account(2)],
        [3, None, make_id(3), 100, account(3)],
        [4, name(4), make_id(4), None, account(4)],
    )


@case()
def amounts_as_people_write_them() -> File:
    amounts = ["¥100.00", "100元", "1,100.00", "１００", " 100 ", 100.0]
    return one([TITLE], HEADER, *(person(n, amount) for n, amount in enumerate(amounts, 1)))


@case()
def amounts_that_cannot_be_paid() -> File:
    return one([TITLE], HEADER, person(1), person(2, "一百"), person(3, -100), person(4, 100.123), person(5, "100+20"))


@case()
def the_same_person_twice() -> File:
    return one([TITLE], HEADER, *people(1, 2), person(1, serial=3))


@case()
def names_with_blanks_inside() -> File:
    rows = [[n, f"{name(n)[0]}　{name(n)[1:]}", make_id(n), 100, account(n)] for n in (1, 2)]
    return one([TITLE], HEADER, *rows)


@case()
def rows_crossed_out() -> File:
    """Struck through: somebody meant to take the row out; it is read and said."""
    return one([TITLE], HEADER, *people(1, 2, 3), struck=[4])


@case()
def one_cell_crossed_out() -> File:
    """A struck remark says nothing of the person; a struck name does."""
    rows = [[*person(1), "旧账号"], [*person(2), None], [*person(3), None]]
    return one([TITLE], [*HEADER, "备注"], *rows, struck=["F3", "B5", "C5"])


@case()
def crossed_out_in_old_excel() -> File:
    return File(FILE.replace("xlsx", "xls"), [Page([[TITLE], HEADER, *people(1, 2, 3)], struck=[4])])


@case()
def village_written_once_above_its_rows() -> File:
    rows = [
        ["东风村", name(1), make_id(1), 100], [None, name(2), make_id(2), 100],
        ["前进村", name(3), make_id(3), 100], [None, name(4), make_id(4), 100],
    ]  # fmt: skip
    return one([TITLE], ["村", "姓名", "身份证号", "发放金额"], *rows)


@case()
def village_merged_down() -> File:
    rows = [
        ["东风村", name(1), make_id(1), 100], [None, name(2), make_id(2), 100], ["前进村", name(3), make_id(3), 100],
    ]  # fmt: skip
    return one([TITLE], ["村", "姓名", "身份证号", "发放金额"], *rows, merges=["A3:A4"])


@case()
def payee_is_somebody_else() -> File:
    head = ["序号", "姓名", "身份证号", "发放金额", "代领人姓名", "代领人身份证号", "银行账号"]
    rows = [
        [1, name(1), make_id(1), 100, name(8), make_id(8), account(8)],
        [2, name(2), make_id(2), 100, None, None, account(2)],
    ]
    return one([TITLE], head, *rows)


@case()
def excel_errors_in_cells() -> File:
    return one([TITLE], HEADER, person(1), [2, name(2), make_id(2), "#N/A", account(2)], person(3))


@case()
def serial_column_filled_with_dots() -> File:
    rows = [["1.", *person(1)[1:]], ["2、", *person(2)[1:]], ["（3）", *person(3)[1:]]]
    return one([TITLE], HEADER, *rows)


@case()
def amount_cells_merged_over_two_households() -> File:
    """A sum merged over two people's rows says nobody's share."""
    return one([TITLE], HEADER, person(1, 200), person(2, None), person(3), merges=["D3:D4"])


@case()
def household_rows_out_of_order() -> File:
    head = ["户主身份证号", "姓名", "身份证号", "与户主关系", "户月保障金额"]
    rows = [
        [make_id(1), name(2), make_id(2), "配偶", 600],
        [make_id(3), name(3), make_id(3), "户主", 350],
        [make_id(1), name(1), make_id(1), "户主", 600],
    ]
    return one(["城关镇2026年10月农村低保花名册"], head, *rows, file=HOMES)
