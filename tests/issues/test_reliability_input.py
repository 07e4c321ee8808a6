"""Attacks and accidents on the way in (design: reliability, rows 13–22), each a real file through ``jiuzhu import`` as a program.

Held for every one: an exit code of the contract, Chinese words, no traceback, bounded time, nothing half read in the record.
"""

from __future__ import annotations

import io
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from jiuzhu_cli.core.identity import check_char
from tests.issues.desk import Answer, Program, clean, leftovers
from tests.support import make_id, make_workspace
from tests.tabular import encrypted
from tests.tabular.makers import old_xls, packed, page, xml_row, xmlss, zip_aes
from tests.tabular.test_guard import MAIN, raw_xlsx, sheet_xml

pytestmark = pytest.mark.slow
HEADER = ["姓名", "身份证号", "发放金额", "银行账号"]
TITLE = "青溪镇2026年10月高龄津贴发放花名册"
SECONDS = 60  # of wall time, on a machine that does other things as well


def person(serial: int, **values: Any) -> list[Any]:
    row = {
        "name": f"王{chr(0x4E00 + serial)}",
        "id": make_id(serial),
        "amount": 100,
        "account": f"42100100{serial:06d}",
    }
    return list((row | values).values())


PEOPLE = [person(n) for n in range(1, 9)]


def book(rows: list[list[Any]], *, title: str = TITLE) -> bytes:
    made, out = openpyxl.Workbook(), io.BytesIO()
    for row in ([title], HEADER, *rows):
        made.active.append(row)
    made.save(out)
    return out.getvalue()


def text(rows: list[list[Any]], *, header: list[str] = HEADER) -> str:
    return "".join(
        ",".join("" if cell is None else str(cell) for cell in row) + "\r\n" for row in ([TITLE], header, *rows)
    )


class Desk:
    """A workspace and an inbox; ``put`` a file, ``go``, and look at what is in the record."""

    def __init__(self, program: Program, root: Path, inbox: Path) -> None:
        self.program, self.root, self.inbox = program, root, inbox
        inbox.mkdir()

    def put(self, name: str, data: bytes | str) -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def go(self, *words: str | Path) -> Answer:
        begun = time.perf_counter()
        answer = self.program.run(self.root, "--json", "import", *(words or (self.inbox,)))
        assert clean(answer), answer.err[-2000:]
        assert time.perf_counter() - begun < SECONDS
        assert leftovers(self.root) == []
        return answer

    def stored(self) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.root / "ledger.db") as record:
            return record.execute(
                "SELECT r.name, r.id_no, r.amount_fen, r.account_no FROM roll_row r JOIN batch USING (batch_id) WHERE status = 'active' ORDER BY row_id"
            ).fetchall()


def said(answer: Answer) -> str:
    """Everything that the clerk is told about tables and their findings."""
    parts = [answer.err]
    for one in answer.data["files"]:
        parts += [
            one["status"],
            one["note"],
            one["todo"],
            *(f"{m['code']} {m['cell']} {m['message']}" for m in one["messages"]),
        ]
    return "\n".join(parts)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("blank") / "ws").root


@pytest.fixture
def desk(program: Program, blank: Path, tmp_path: Path) -> Iterator[Desk]:
    shutil.copytree(blank, tmp_path / "ws")
    yield Desk(program, tmp_path / "ws", tmp_path / "收到")


def stored_people(rows: list[list[Any]]) -> list[tuple[Any, ...]]:
    return [(r[0], r[1], r[2] * 100, r[3]) for r in rows]


# 13, 14: bombs, far cells, entities ------------------------------------------------------------------------

FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
DTD = '<?xml version="1.0"?><!DOCTYPE x [{}]>'
LOL = '<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";" * 1}{("&" + chr(97 + n) + ";") * 9}">' for n in range(9))  # fmt: skip
XXE = '<!ENTITY a SYSTEM "file:///etc/passwd">'


def xlsx(tmp_path: Path, sheet: str, **options: Any) -> bytes:
    return raw_xlsx(tmp_path / "made.xlsx", sheet, **options).read_bytes()


def entity(kind: str) -> str:
    return f'{DTD.format(kind)}<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="str"><v>&a;</v></c></row></sheetData></worksheet>'


def wide_xls() -> bytes:
    """An xls whose extent is a lie."""
    made, out = xlwt.Workbook(), io.BytesIO()
    made.add_sheet("表").write(0, 0, "姓名")
    made.save(out)
    data = out.getvalue()
    at = data.index(b"\x00\x02\x0e\x00")
    return data[: at + 4] + b"\x00\x00\x00\x00\xff\xff\xff\x7f\x00\x00\xff\x7f" + data[at + 16 :]


ATTACKS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "zip bomb": (lambda p: xlsx(p, sheet_xml(" " * (64 << 20))), "压缩炸弹"),
    "bomb in the strings": (lambda p: xlsx(p, sheet_xml(""), extra={"xl/sharedStrings.xml": " " * (64 << 20)}), "压缩炸弹"),
    "too many parts": (lambda p: xlsx(p, sheet_xml(""), extra={f"xl/x{n}.xml": "<a/>" for n in range(5001)}), "部件"),
    "far cell": (lambda p: xlsx(p, sheet_xml(FAR)), "XFD1048576"),
    "far cell, dimension lies": (lambda p: xlsx(p, sheet_xml(FAR, dimension="A1:B2")), "XFD1048576"),
    "beyond the edges": (lambda p: xlsx(p, sheet_xml('<row r="1"><c r="ZZZ9999999"><v>2</v></c></row>')), "边界"),
    "far cell, xml": (lambda p: xmlss({"表": xml_row(["a"]) + '<Row ss:Index="1048576"><Cell ss:Index="16384"><Data ss:Type="Number">1</Data></Cell></Row>'}), "XFD1048576"),
    "far cell, page": (lambda p: b"<table><tr><td>a" + b"<td colspan=16383>b" + b"<tr>" * 1_000_000 + b"<td>z</table>", "范围却一直到"),
    "spans, page": (lambda p: b"<table><tr>" + b"<td rowspan=65000 colspan=16000>x" * 3000, "跨行跨列"),
    "extent lies, xls": (lambda p: wide_xls(), "损坏"),
    "entity bomb": (lambda p: xlsx(p, entity(LOL)), "DOCTYPE"),
    "entity from a file": (lambda p: xlsx(p, entity(XXE)), "DOCTYPE"),
    "entity in the strings": (lambda p: xlsx(p, sheet_xml(""), extra={"xl/sharedStrings.xml": entity(LOL)}), "DOCTYPE"),
    "entity in the workbook": (lambda p: xlsx(p, sheet_xml(""), workbook=entity(XXE)), "DOCTYPE"),
    "entity in the properties": (lambda p: xlsx(p, sheet_xml(""), extra={"docProps/custom.xml": entity(LOL)}), "DOCTYPE"),
    "entity, xml": (lambda p: xmlss({"表": xml_row(["&a;"])}, doctype=f"<!DOCTYPE x [{LOL}]>"), "DOCTYPE"),
    "entity from a file, xml": (lambda p: xmlss({"表": xml_row(["&a;"])}, doctype=f"<!DOCTYPE x [{XXE}]>"), "DOCTYPE"),
    "archive bomb": (lambda p: packed({"表.csv": b"0" * (64 << 20)}), "压缩炸弹"),
    "archive of many": (lambda p: packed({f"{n}.csv": b"" for n in range(5001)}), "多得不正常"),
    "archive that points outside": (lambda p: packed({"../../表.csv": text(PEOPLE).encode()}), "以外"),
    "rar": (lambda p: b"Rar!\x1a\x07\x01\x00" + bytes(200), "RAR"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".zip"])
def test_attacks_are_refused_with_their_reasons_and_the_rest_goes_on(suffix: str, desk: Desk, tmp_path: Path) -> None:
    for number, (make, _) in enumerate(ATTACKS.values()):
        desk.put(f"{number:02d}{suffix}", make(tmp_path))
    desk.put("好.xlsx", book(PEOPLE))
    answer = desk.go()
    found = {one["file"]: one for one in answer.data["files"]}
    assert answer.code == 3 and found.pop("好.xlsx")["status"] == "imported"
    for number, (attack, (_, says)) in enumerate(ATTACKS.items()):
        one = found[f"{number:02d}{suffix}"]
        assert one["status"] == "refused" and says in one["note"] and one["todo"], (attack, one)
    assert desk.stored() == stored_people(PEOPLE)
    assert not (desk.root.parent / "表.csv").exists()


@pytest.mark.parametrize("attack", ["zip bomb", "far cell", "entity bomb", "archive bomb"])
def test_an_attack_alone(attack: str, desk: Desk, tmp_path: Path) -> None:
    make, says = ATTACKS[attack]
    answer = desk.go(desk.put("坏.xlsx", make(tmp_path)))
    assert answer.code == 3 and says in said(answer) and desk.stored() == []


# 15, 16: emptiness, hidden things --------------------------------------------------------------------------


def test_a_million_blank_styled_rows(desk: Desk, tmp_path: Path) -> None:
    rows = [[TITLE], HEADER, *PEOPLE]
    data = "".join(
        f'<row r="{n}">'
        + "".join(f'<c r="{"ABCD"[c]}{n}" t="str"><v>{cell}</v></c>' for c, cell in enumerate(row))
        + "</row>"
        for n, row in enumerate(rows, 1)
    )
    data += "".join(
        f'<row r="{n}" spans="1:3"><c r="A{n}" s="0"/><c r="B{n}" s="0"/></row>' for n in range(20, 1_000_001)
    )
    desk.put("高龄.xlsx", xlsx(tmp_path, sheet_xml(data, dimension="A1:D1000000")))
    answer = desk.go()
    assert answer.code == 0 and desk.stored() == stored_people(PEOPLE)


def test_hidden_rows_columns_and_sheets_are_told(desk: Desk) -> None:
    made, out = openpyxl.Workbook(), io.BytesIO()
    for row in ([TITLE], [*HEADER, "内部备注"], *([*row, "x"] for row in PEOPLE)):
        made.active.append(row)
    made.active.row_dimensions[5].hidden = True
    made.active.column_dimensions["E"].hidden = True
    other = made.create_sheet("旧名册")
    other.sheet_state = "veryHidden"
    for row in ([TITLE.replace("10月", "9月")], HEADER, *PEOPLE[:3]):
        other.append(row)
    made.save(out)
    desk.put("高龄.xlsx", out.getvalue())
    answer = desk.go()
    words = said(answer)
    assert {"rows_hidden", "columns_hidden", "sheet_hidden"} <= {
        code for one in answer.data["files"] for code in one["findings_by_code"]
    }
    assert "旧名册" in words and len(desk.stored()) in (len(PEOPLE), len(PEOPLE) + 3)


@pytest.mark.parametrize("container", ["page", "xml"])
def test_hidden_rows_of_other_containers_are_told(container: str, desk: Desk) -> None:
    if container == "page":
        made = page([HEADER, *PEOPLE], title=TITLE).replace(
            b"<tr><td>\xe7\x8e\x8b\xe4\xb8\x83", b"<tr style='display:none'><td>\xe7\x8e\x8b\xe4\xb8\x83"
        )
    else:
        rows = [xml_row(row, 'ss:Hidden="1"' if n == 6 else "") for n, row in enumerate([[TITLE], HEADER, *PEOPLE])]
        made = xmlss({"名册": "".join(rows)})
    desk.put("高龄.xls", made)
    answer = desk.go()
    assert "rows_hidden" in answer.data["files"][0]["findings_by_code"] and len(desk.stored()) == len(PEOPLE)


# 17 to 19: damaged and odd values --------------------------------------------------------------------------


def zeros_id() -> str:
    """An ID that Excel has cut to …000, whose check digit happens to hold."""
    return next(
        f"{a}19400101000"[:18] for a in range(421002, 421999) if check_char(f"{a}1940010100"[:17].ljust(17, "0")) == "0"
    )


BAD_VALUES: dict[str, tuple[dict[str, Any], str]] = {
    "id as a number": ({"id": 421002199001011234}, "id_numeric"), "id as a double": ({"id": 4.21002199001011e17}, "id_numeric"),
    "id in scientific": ({"id": "4.21002E+17"}, "id_scientific"), "id ending 000": ({"id": "421002199001011000"}, "id_"),
    "id wrong check digit": ({"id": make_id(77)[:17] + ("1" if make_id(77)[17] != "1" else "2")}, "id_checksum"),
    "id of 31 November": ({"id": "421002194011310011"}, "id_"), "id missing": ({"id": None}, "id_missing"),
    "account as a number": ({"account": 6217001234567890123}, "account_numeric"), "account in scientific": ({"account": "6.217E+18"}, "account_scientific"),
    "negative": ({"amount": -100}, "amount_negative"), "three decimals": ({"amount": 100.125}, "amount_decimals"), "over the cap": ({"amount": 99999999999}, "amount_too_large"),
    "nan": ({"amount": "NaN"}, "amount_not_number"), "inf": ({"amount": "Inf"}, "amount_not_number"), "infinity": ({"amount": "1e999"}, "amount_"),
    "words": ({"amount": "一百多"}, "amount_not_number"), "no name": ({"name": None}, "name_missing"),
}  # fmt: skip


@pytest.mark.parametrize("container", ["xlsx", "csv", "page", "xml"])
def test_bad_values_refuse_their_rows_with_cell_and_code(container: str, desk: Desk) -> None:
    cases = {
        case: (
            person(50 + number, **values),
            f"{'ABCD'[['name', 'id', 'amount', 'account'].index(next(iter(values)))]}",
            code,
        )
        for number, (case, (values, code)) in enumerate(BAD_VALUES.items())
        if container in ("xlsx", "xml") or isinstance(next(iter(values.values())), str | None)  # text holds no numbers
    }
    rows = [*PEOPLE, *(row for row, _, _ in cases.values())]
    put = {
        "xlsx": lambda: desk.put("高龄.xlsx", book(rows)), "csv": lambda: desk.put("高龄.csv", text(rows)),
        "page": lambda: desk.put("高龄.xls", page([HEADER, *rows], title=TITLE)),
        "xml": lambda: desk.put("高龄.xls", xmlss({"名册": "".join(map(xml_row, [[TITLE], HEADER, *rows]))})),
    }  # fmt: skip
    put[container]()
    answer = desk.go()
    (one,) = answer.data["files"]
    told = {m["cell"]: m["code"] for m in one["messages"]}
    for number, (case, (_, column, code)) in enumerate(cases.items()):
        assert told.get(f"{column}{number + 11}", "").startswith(code), (case, one["messages"])
    assert answer.code == 3 and one["refused"] == len(cases) and one["accepted"] == len(PEOPLE)
    assert desk.stored() == stored_people(PEOPLE)


def test_error_cells_are_findings_not_blanks(desk: Desk) -> None:
    made, out = openpyxl.Workbook(), io.BytesIO()
    for row in ([TITLE], HEADER, *PEOPLE, *(person(50 + n) for n in range(16))):
        made.active.append(row)
    for number in range(16):
        cell = made.active.cell(11 + number, number % 4 + 1)
        cell.value = ("#N/A", "#REF!", "#VALUE!", "=1+1")[number // 4]
        if number < 12:
            cell.data_type = "e"
    made.save(out)
    desk.put("高龄.xlsx", out.getvalue())
    answer = desk.go()
    told = {m["cell"]: m for m in answer.data["files"][0]["messages"] if m["severity"] == "error"}
    assert answer.code == 3 and set(told) == {f"{'ABCD'[n % 4]}{11 + n}" for n in range(16)}
    for number in range(16):
        one = told[f"{'ABCD'[number % 4]}{11 + number}"]
        assert one["code"] in ("cell_error", "formula_without_value")
        assert ("公式" if number >= 12 else ("#N/A", "#REF!", "#VALUE!")[number // 4]) in one["message"] + one["shown"]
    assert desk.stored() == stored_people(PEOPLE)


@pytest.mark.parametrize("version", [4, 5, 8])
def test_an_error_cell_of_an_old_workbook(version: int, desk: Desk) -> None:
    if version == 8:
        made, out = xlwt.Workbook(), io.BytesIO()
        sheet = made.add_sheet("名册", cell_overwrite_ok=True)
        for number, row in enumerate([[TITLE], HEADER, *PEOPLE]):
            for column, cell in enumerate(row):
                sheet.write(number, column, cell)
        sheet.row(4).set_cell_error(2, 0x2A)
        made.save(out)
        data = out.getvalue()
    else:
        rows = [list(row) for row in PEOPLE]
        rows[2][2] = ("error", 0x2A)
        data = old_xls(version, [[TITLE], HEADER, *rows])
    desk.put("高龄.et", data)
    answer = desk.go()
    assert answer.code == 3 and any(
        m["code"] == "cell_error" and m["cell"] == "C5" for m in answer.data["files"][0]["messages"]
    )
    assert len(desk.stored()) == len(PEOPLE) - 1


GOOD_VALUES: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "full width": ({"amount": "１００．５０"}, (None, None, 10050, None)), "thousands": ({"amount": "1,100.50"}, (None, None, 110050, None)),
    "yuan": ({"amount": "¥100.5元"}, (None, None, 10050, None)), "capitals": ({"amount": "壹佰元整"}, (None, None, 10000, None)),
    "id small x and spaces": ({"id": " " + make_id(24)[:6] + " " + make_id(24)[6:].lower()}, (None, make_id(24), None, None)),
    "id full width": ({"id": "".join(chr(ord(c) + 0xFEE0) for c in make_id(25))}, (None, make_id(25), None, None)),
    "id with an apostrophe": ({"id": "'" + make_id(26)}, (None, make_id(26), None, None)),
    "account with spaces": ({"account": "4210 0100 0009"}, (None, None, None, "421001000009")),
}  # fmt: skip


def test_odd_but_clear_values_are_read(desk: Desk) -> None:
    rows = [person(20 + n, **values) for n, (values, _) in enumerate(GOOD_VALUES.values())]
    desk.put("高龄.xlsx", book([*PEOPLE, *rows]))
    answer = desk.go()
    assert answer.code == 0, said(answer)
    for number, (case, (_, expected)) in enumerate(GOOD_VALUES.items()):
        plain = stored_people([person(20 + number)])[0]
        wanted = tuple(given if given is not None else usual for given, usual in zip(expected, plain, strict=True))
        assert desk.stored()[len(PEOPLE) + number] == wanted, case


def test_dates_that_cannot_be_are_never_stored(desk: Desk) -> None:
    days = ["2026-11-31", "民国115年3月1日", "2026.13.1", "31/02/2026", "20261131"]
    rows = [[*row, "1970-01-01"] for row in PEOPLE] + [[*person(20 + n), day] for n, day in enumerate(days)]
    desk.put("高龄.csv", text(rows, header=[*HEADER, "出生日期"]))
    answer = desk.go()
    told = {m["cell"]: m["code"] for m in answer.data["files"][0]["messages"]}
    assert all(told.get(f"E{11 + n}", "").startswith("date_") for n in range(len(days))), said(answer)


# 20: lying names, passwords, encodings ---------------------------------------------------------------------


def saved_xls() -> bytes:
    made, out = xlwt.Workbook(), io.BytesIO()
    sheet = made.add_sheet("名册")
    for number, row in enumerate([[TITLE], HEADER, *PEOPLE]):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    made.save(out)
    return out.getvalue()


CONTAINERS: dict[str, Callable[[], bytes]] = {
    "xlsx": lambda: book(PEOPLE), "xls": saved_xls, "excel 95": lambda: old_xls(5, [[TITLE], HEADER, *PEOPLE]),
    "excel 2": lambda: old_xls(2, [[TITLE], HEADER, *PEOPLE]), "utf-8": lambda: text(PEOPLE).encode(), "bom": lambda: text(PEOPLE).encode("utf-8-sig"),
    "gb18030": lambda: text(PEOPLE).encode("gb18030"), "utf-16": lambda: text(PEOPLE).encode("utf-16"), "utf-16-be": lambda: text(PEOPLE).encode("utf-16-be"),
    "tabs": lambda: text(PEOPLE).replace(",", "\t").encode(), "semicolons": lambda: text(PEOPLE).replace(",", ";").encode("gb18030"),
    "page": lambda: page([HEADER, *PEOPLE], title=TITLE, charset="gbk"), "xml": lambda: xmlss({"名册": "".join(map(xml_row, [[TITLE], HEADER, *PEOPLE]))}),
}  # fmt: skip


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_content_decides_under_every_name(container: str, desk: Desk) -> None:
    data = CONTAINERS[container]()
    for number, suffix in enumerate((".xlsx", ".xls", ".et", ".csv", ".txt", ".dat")):
        desk.put(f"{number}{suffix}", data)
    if container not in ("xlsx", "xls", "excel 95", "page", "xml"):
        (desk.inbox / "5.dat").unlink()  # text under an unknown name may be anything
    answer = desk.go()
    assert answer.code == 0 and [one["status"] for one in answer.data["files"]].count("imported") == 1
    assert {one["status"] for one in answer.data["files"]} == {"imported", "already"}, said(answer)
    assert desk.stored() == stored_people(PEOPLE)


def test_other_files_in_a_folder_are_passed_over_but_archives_never(desk: Desk) -> None:
    desk.put("好.xlsx", book(PEOPLE))
    for name, data in (
        ("说明.docx", packed({"word/document.xml": b"x"})),
        ("扫描.pdf", b"%PDF-1.7"),
        ("照片.jpg", b"\xff\xd8\xff\xe0"),
        ("读我.md", b"# x"),
    ):
        desk.put(name, data)
    answer = desk.go()
    assert answer.code == 0 and [one["status"] for one in answer.data["files"]].count("skipped") == 4
    desk.put("白石镇.7z", b"7z\xbc\xaf\x27\x1c" + bytes(100))
    answer = desk.go()
    assert answer.code == 3 and "7z" in said(answer)
    for name in ("说明.docx", "扫描.pdf"):
        answer = desk.go(desk.inbox / name)
        assert answer.code == 3 and desk.stored() == stored_people(PEOPLE)


def password_file(folder: Path, *passwords: str) -> Path:
    path = folder / "密码.txt"
    path.write_text("".join(word + "\n" for word in passwords), "utf-8")
    path.chmod(0o600)
    return path


def test_passwords_from_a_file_and_the_rest_goes_on(desk: Desk, tmp_path: Path) -> None:
    desk.put("一.xlsx", encrypted.agile(book(PEOPLE[:3]), "甲"))
    desk.put(
        "二.zip", zip_aes("白石镇/名册.csv", text(PEOPLE[3:5]).replace("青溪镇", "白石镇").encode(), "乙".encode())
    )
    desk.put("三.xls", encrypted.standard(book(PEOPLE), "丙"))
    desk.put("四.xlsx", book(PEOPLE[5:], title=TITLE.replace("青溪镇", "龙泉乡")))
    answer = desk.go("--password-file", password_file(tmp_path, "甲", "乙"), desk.inbox)
    assert answer.code == 3 and [one["status"] for one in answer.data["files"]] == [
        "imported",
        "refused",
        "imported",
        "imported",
    ]
    assert "三.xls" in said(answer) and "密码不对" in said(answer)
    assert len(desk.stored()) == 8
    answer = desk.go()
    assert answer.code == 3 and "加了打开密码" in said(answer) and "--password-file" in said(answer)


def test_no_password_in_the_arguments_none_that_others_can_read(desk: Desk, tmp_path: Path) -> None:
    path = desk.put("一.xlsx", encrypted.agile(book(PEOPLE), "甲"))
    answer = desk.program.run(desk.root, "import", "--password", "甲", path)
    assert (
        answer.code == 2 and clean(answer) and "--password-file" in answer.err and "甲" not in answer.err + answer.out
    )
    words = password_file(tmp_path, "甲")
    words.chmod(0o644)
    answer = desk.program.run(desk.root, "import", "--password-file", words, path)
    assert answer.code == 2 and "chmod 600" in answer.err and desk.stored() == []
    answer = desk.program.run(desk.root, "import", "--password-file", tmp_path / "没有", path)
    assert answer.code == 5 and clean(answer)
    assert "--password " not in desk.program.run(None, "import", "--help").out


def test_a_byte_that_cannot_be_names_its_line(desk: Desk) -> None:
    lines = text(PEOPLE).encode("gb18030").split(b"\r\n")
    lines[4] = lines[4][:1] + b"\xff" + lines[4][1:]
    desk.put("高龄.csv", b"\r\n".join(lines))
    answer = desk.go()
    assert answer.code == 3 and "第 5 行" in said(answer) and desk.stored() == []


# zip archives are folders ----------------------------------------------------------------------------------


@pytest.mark.parametrize("gbk", [False, True])
def test_a_zip_is_imported_like_the_folder_it_holds(gbk: bool, desk: Desk) -> None:
    rows = [HEADER, *PEOPLE[:3]]
    inner = packed({"龙泉乡/2026年10月高龄津贴.xls": page(rows)}, gbk=gbk)
    files = {
        "青溪镇/2026年10月高龄津贴.csv": text(PEOPLE[3:6]).split("\r\n", 1)[1].encode("gb18030"),
        "白石镇/2026年10月高龄津贴.xls": old_xls(4, [HEADER, *PEOPLE[6:]]), "里.zip": inner, "说明.txt.lnk": b"x",
    }  # fmt: skip
    desk.put("各乡镇.zip", packed(files, gbk=gbk))
    answer = desk.go()
    assert answer.code == 0, said(answer)
    made = {
        one["file"]: (one["area"], one["month"], one["status"])
        for one in answer.data["files"]
        if one["status"] != "skipped"
    }
    assert made == {
        "各乡镇.zip/青溪镇/2026年10月高龄津贴.csv": ("青溪镇", "2026-10", "imported"),
        "各乡镇.zip/白石镇/2026年10月高龄津贴.xls": ("白石镇", "2026-10", "imported"),
        "各乡镇.zip/里.zip/龙泉乡/2026年10月高龄津贴.xls": ("龙泉乡", "2026-10", "imported"),
    }
    before = desk.stored()
    again = desk.go(desk.inbox / "各乡镇.zip")
    assert {one["status"] for one in again.data["files"]} <= {"already", "skipped"} and desk.stored() == before
    for name, data in files.items():  # the same files unpacked, too
        if not name.endswith(".zip"):
            desk.put(name, data)
    (desk.inbox / "各乡镇.zip").unlink()
    assert {one["status"] for one in desk.go().data["files"]} <= {"already", "skipped"} and desk.stored() == before


def test_the_remainder_of_a_list_in_a_zip_comes_back(desk: Desk) -> None:
    rows = [*PEOPLE, person(50, id=make_id(50)[:17] + "?")]
    desk.put("包.zip", packed({"青溪镇/名册.xlsx": book(rows)}))
    answer = desk.go()
    (one,) = answer.data["files"]
    assert answer.code == 3 and one["accepted"] == 8 and one["errors_file"] and one["remainder_file"]
    remainder = openpyxl.load_workbook(one["remainder_file"])
    sheet = next(s for s in remainder.worksheets if any(c.value == "身份证号" for r in s.iter_rows() for c in r))
    (cell,) = [c for r in sheet.iter_rows() for c in r if isinstance(c.value, str) and c.value.endswith("?")]
    cell.value = make_id(50)
    corrected = desk.put("改好.xlsx", b"")
    remainder.save(corrected)
    assert desk.go(corrected).code == 0 and len(desk.stored()) == 9


# 21: headers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (["姓名", "身份证号", "发放金额", "发放金额"], "amount_column_ambiguous"), (["姓名", "身份证号", "身份证号", "发放金额"], ""),
        (["姓名", "编号", "发放金额", "银行账号"], ""), (["姓名", "身份证号", "甲", "银行账号"], ""), (["甲", "乙", "丙", "丁"], ""),
    ],
)  # fmt: skip
def test_headers_in_doubt_book_no_wrong_money(header: list[str], code: str, desk: Desk) -> None:
    rows = [list(row) for row in PEOPLE]
    if header.count("发放金额") == 2:
        rows = [[r[0], r[1], r[2], r[2] + 1] for r in rows]
    if header.count("身份证号") == 2:
        rows = [[r[0], r[1], make_id(n + 100), r[2]] for n, r in enumerate(rows)]
    desk.put("高龄.csv", text(rows, header=header))
    answer = desk.go(desk.inbox / "高龄.csv")
    stored = desk.stored()
    assert code in said(answer)
    if stored:  # what was taken in is right in every value that matters
        assert [row[:3] for row in stored] == [row[:3] for row in stored_people(PEOPLE)]
    else:
        assert answer.code in (3, 4)
