"""Every container that offices send: what it is is told by its content; cells stand where the sender sees them."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from jiuzhu_cli.core.errors import DataError, OutsideError
from jiuzhu_cli.tabular import archive, biff
from jiuzhu_cli.tabular.cells import CellError, Sheet
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.secret import ENCRYPTED, Secrets
from tests.tabular import encrypted
from tests.tabular.makers import mhtml, old_xls, packed, page, raw_zip, xml_row, xmlss, zip_aes, zip_crypto

ID = "421002199001011234"


def rows(sheet: Sheet) -> list[list[Any]]:
    return [[cells[row] for cells in sheet.columns] for row in range(sheet.height)]


def sheets(tmp_path: Path, data: bytes, name: str = "表.xls") -> list[Sheet]:
    (tmp_path / name).write_bytes(data)
    return read_workbook(tmp_path / name).sheets


def refusal(tmp_path: Path, data: bytes, name: str = "表.xls") -> str:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError) as refused:
        read_workbook(tmp_path / name)
    assert refused.value.todo
    return refused.value.message


# web pages -------------------------------------------------------------------------------------------------

PLAIN = [["姓名", "身份证号", "金额"], ["张三", ID, "1,234.50"], ["李四", None, "8"]]


@pytest.mark.parametrize(
    ("charset", "encode"),
    [("utf-8", ""), ("gb2312", "gbk"), ("gbk", "gb18030"), ("utf-8", "gbk"), ("gb2312", "utf-8"), ("utf-8", "utf-8-sig"), ("utf-16", "utf-16")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["表.xls", "表.xlsx", "表.html", "表.csv"])
def test_a_page_in_any_encoding_under_any_name(tmp_path: Path, charset: str, encode: str, name: str) -> None:
    (sheet,) = sheets(tmp_path, page(PLAIN, charset=charset, encode=encode), name)
    assert (sheet.name, rows(sheet)) == ("名册", PLAIN)


def test_spans_hidden_parts_marks_and_text_around(tmp_path: Path) -> None:
    text = """<html><body><h2>青溪镇2026年10月<b>低保</b>花名册</h2><script>if (1<2) {"<td>x</td>"}</script>
    <table border=1><caption>单位：元</caption><col><col style='display:none'><col span=2>
    <tr><th rowspan=2>姓名<th colspan=2>证件<th rowspan=2>金额<br>（元）<tr><th>类型</th><th>号码</th></tr>
    <tr><td>张&nbsp;三</td><td>身份证</td><td x:str style="mso-number-format:'\\@'">421002199001011234</td><td x:num="1234.5">1,234.50</td></tr>
    <tr style="DISPLAY: none"><td>李<span style="display:none">1990</span>四<td>身份证<td>4.21E+17<td x:num="46329">2026/11/3</tr>
    <!-- <tr><td>注释里的人</td></tr> --><tr><td title="a>b">王五<p>备注</p></td><td></td><td>="001"</td><td>#N/A</td></tr>
    <tr><td x:num="421002199001011234">421002199001011234</td><td x:bool="TRUE">TRUE</td><td x:err="#REF!">#REF!</td><td>421002199001011234</td></tr>
    </table>制表人：某<br>审核人：某</body></html>"""
    (sheet,) = sheets(tmp_path, text.encode())
    assert rows(sheet) == [
        ["青溪镇2026年10月低保花名册", None, None, None], ["单位：元", None, None, None], ["姓名", "证件", None, "金额\n（元）"], [None, "类型", "号码", None],
        ["张 三", "身份证", ID, 1234.5], ["李四", "身份证", "4.21E+17", "2026/11/3"], ["王五\n备注", None, "001", CellError("#N/A")],
        [float(ID), True, CellError("#REF!"), ID], ["制表人：某", None, None, None], ["审核人：某", None, None, None],
    ]  # fmt: skip
    assert type(rows(sheet)[7][0]) is float
    assert sheet.merged == [(2, 0, 3, 0), (2, 1, 2, 2), (2, 3, 3, 3)]
    assert sheet.hidden_rows == {5} and sheet.hidden_columns == {1}


def test_several_tables_and_tables_in_frames_of_tables(tmp_path: Path) -> None:
    inner = "<table><tr><td>甲<td>1</table>"
    text = f"<table><tr><td><b></b>{inner}</td></tr></table><div>第二张</div><table><tr><td>乙<td>2</table><table style='display:none'><tr><td>丙</table>"
    (sheet,) = sheets(tmp_path, text.encode())
    assert rows(sheet) == [["甲", "1"], ["第二张", None], ["乙", "2"], ["丙", None]]
    assert sheet.hidden_rows == {3}


def test_hidden_cells_of_most_rows_are_a_hidden_column(tmp_path: Path) -> None:
    body = "".join(f"<tr><td style='display:none'>{n}</td><td>张{n}</td></tr>" for n in range(5))
    (sheet,) = sheets(tmp_path, f"<table><tr><th hidden>主键</th><th>姓名</th></tr>{body}</table>".encode())
    assert sheet.hidden_columns == {0} and rows(sheet)[1] == ["0", "张0"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<html><body>没有表</body></html>", "没有表格"), ("<html><frameset><frame src='表.files/sheet001.htm'></frameset></html>", ".files"),
        ("<table><tr>" + "<td rowspan=60000 colspan=16000>x" * 3000 + "</table>", "跨行跨列"), ("<table><tr><td>" * 100, "层层相套"),
        ("<table><tr><td>a<td colspan=99999>b<td>c</table>", "边界"), ("<table>" + "<tr><td colspan=16000>x<td>y" + "<tr>" * 1_000_000 + "<td>z</table>", "范围却一直到"),
    ],
)  # fmt: skip
def test_pages_that_are_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(tmp_path, text.encode())


def test_a_page_nobody_closed_and_quotes_nobody_closed(tmp_path: Path) -> None:
    (sheet,) = sheets(tmp_path, b'<table><tr><td title="x>A<td>B<tr><td>C' + b'<td "' * 50_000)
    assert rows(sheet)[1][0].startswith("C")
    (sheet,) = sheets(tmp_path, b"<table><tr><td>A</td></tr>" + b"<!-- " * 50_000 + b"<script>" * 50_000)
    assert rows(sheet) == [["A"]]


def test_words_before_the_table_do_not_make_it_text(tmp_path: Path) -> None:
    (sheet,) = sheets(tmp_path, "导出成功<div><table border=1>\r\n<tbody><tr><td>甲</td></tr></table>".encode("gbk"))
    assert rows(sheet) == [["导出成功"], ["甲"]]
    (sheet,) = sheets(tmp_path, "姓名,<table>\n张三,1\n".encode())
    assert rows(sheet) == [["姓名", "<table>"], ["张三", "1"]]


def test_single_file_page_has_a_sheet_a_part(tmp_path: Path) -> None:
    data = mhtml({"低保": page(PLAIN), "说明": page([["请核对"]]), "空": b"<html></html>"}, hidden=["说明"])
    found = sheets(tmp_path, data)
    assert [(s.name, s.hidden) for s in found] == [("低保", False), ("说明", True)]
    assert rows(found[0]) == PLAIN


# XML Spreadsheet 2003 --------------------------------------------------------------------------------------


def test_xml_spreadsheet(tmp_path: Path) -> None:
    body = (
        '<Column/><Column ss:Hidden="1" ss:Span="1"/>'
        '<Row><Cell ss:MergeAcross="3"><Data ss:Type="String">花名册</Data></Cell><Cell><Data ss:Type="String">尾</Data></Cell></Row>'
        '<Row ss:Index="3" ss:Hidden="1"><Cell ss:MergeDown="1"><Data ss:Type="String">张三</Data><Comment><Data>批注</Data></Comment></Cell>'
        f'<Cell ss:Index="3"><Data ss:Type="Number">{ID}</Data></Cell><Cell><Data ss:Type="String">{ID}</Data></Cell>'
        '<Cell><Data ss:Type="DateTime">2026-11-03T00:00:00.000</Data></Cell></Row>'
        '<Row><Cell><Data ss:Type="DateTime">2026-11-03T08:30:00.500</Data></Cell><Cell><Data ss:Type="DateTime">1899-12-31T08:30:00.000</Data></Cell>'
        '<Cell><Data ss:Type="Boolean">1</Data></Cell><Cell ss:Formula="=1/0"><Data ss:Type="Error">#DIV/0!</Data></Cell>'
        '<Cell ss:Formula="=A1"/><Cell><Data ss:Type="Number">512.50</Data></Cell><Cell><Data ss:Type="Number">3</Data></Cell>'
        '<Cell><ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40"><B>李</B>四</ss:Data></Cell></Row>'
        '<Row ss:Index="1048576"/>'
    )
    first, second = sheets(tmp_path, xmlss({"名册": body, "藏": xml_row(["a", 1])}, hidden=["藏"]))
    assert (first.name, first.hidden, second.name, second.hidden) == ("名册", False, "藏", True)
    assert rows(first)[0][:5] == ["花名册", None, None, None, "尾"]
    assert (
        rows(first)[2][:5] == ["张三", None, float(ID), ID, dt.date(2026, 11, 3)] and type(rows(first)[2][2]) is float
    )
    assert rows(first)[3] == [
        dt.datetime(2026, 11, 3, 8, 30, 0, 500_000), "08:30:00", True, CellError("#DIV/0!"), CellError("formula_without_value"), 512.5, 3, "李四",
    ]  # fmt: skip
    assert first.merged == [(0, 0, 0, 3), (2, 0, 3, 0)] and first.hidden_rows == {2} and first.hidden_columns == {1, 2}
    assert first.blank_rows == 0 and type(rows(first)[3][6]) is int


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "utf-16"])
def test_xml_spreadsheet_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    text = (
        xmlss({"名册": xml_row(["张三", 1])}).decode().replace('version="1.0"', f'version="1.0" encoding="{encoding}"')
    )
    (sheet,) = sheets(tmp_path, text.encode(encoding))
    assert rows(sheet) == [["张三", 1]]


@pytest.mark.parametrize(
    ("body", "doctype", "says"),
    [
        ("<Row/>", '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>', "DOCTYPE"),
        ('<Row><Cell><Data ss:Type="String">&x;</Data></Cell></Row>', '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "DOCTYPE"),
        ('<Row><Cell><Data ss:Type="String">&x;</Data></Cell></Row>', "", "损坏"), ("<Row>", "", "损坏"),
        ('<Row ss:Index="1048576"><Cell ss:Index="16384"><Data ss:Type="Number">1</Data></Cell></Row>', "", "XFD1048576"),
        ('<Row ss:Index="1048577"/>', "", "边界"), ('<Row ss:Index="x"/>', "", "ss:Index"), ('<Row ss:Index="0"/>', "", "ss:Index"),
        ("<a>" * 1000 + "</a>" * 1000, "", "嵌套"),
    ],
)  # fmt: skip
def test_xml_spreadsheets_that_are_refused(tmp_path: Path, body: str, doctype: str, says: str) -> None:
    assert says in refusal(tmp_path, xmlss({"名册": body}, doctype=doctype))


# BIFF ------------------------------------------------------------------------------------------------------

OLD = [
    ["姓名", "证号", "日期", ("error", 0x2A), ("formula", "合计")],
    ["张三", ID, ("date", 46329.0), ("date", 46329.5), 4.5],
    [float(ID), 12, -3, 1e15, ("date", 0.25)],
]


@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("contained", [False, True])
def test_workbooks_of_excel_2_to_95(tmp_path: Path, version: int, contained: bool) -> None:
    data = old_xls(version, OLD, hidden_row=1)
    (sheet,) = sheets(tmp_path, encrypted.compound({"Book": data}) if contained else data)
    assert rows(sheet) == [
        ["姓名", "证号", "日期", CellError("#N/A"), "合计"],
        ["张三", ID, dt.date(2026, 11, 3), dt.datetime(2026, 11, 3, 12), 4.5],
        [float(ID), 12, -3, 1e15, "06:00:00"],
    ]
    assert [type(cell) for cell in rows(sheet)[2]] == [float, int, int, float, str]
    assert sheet.hidden_rows == ({1} if version > 2 else set()) and sheet.name == ("名册" if version == 5 else "表")


def xls_bytes() -> bytes:
    book, out = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("名册")
    for row in range(200):
        for column, value in enumerate((f"张{row}", ID, row / 4)):
            sheet.write(row, column, value)
    book.save(out)
    return out.getvalue()


def xlsx_bytes(name: str = "张三") -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append([name, ID, 1.5])
    book.save(out)
    return out.getvalue()


def test_a_bare_stream_of_excel_97(tmp_path: Path) -> None:
    bare = biff.book_stream(xls_bytes(), "a")
    (sheet,) = sheets(tmp_path, bare)
    assert sheet.height == 200 and rows(sheet)[199] == ["张199", ID, 49.75]
    assert "损坏" in refusal(tmp_path, bare[:3000])
    assert "损坏" in refusal(tmp_path, old_xls(5, OLD)[:-60])


def test_a_far_cell_of_an_old_workbook(tmp_path: Path) -> None:
    book, out = xlwt.Workbook(), io.BytesIO()
    book.add_sheet("名册").write(0, 0, "姓名")
    book.get_sheet(0).write(65_535, 255, "x")
    book.save(out)
    assert "IV65536" in refusal(tmp_path, out.getvalue())


# text ------------------------------------------------------------------------------------------------------

TABLE = "姓名,身份证号,金额\r\n张三,421002199001011234,100.50\r\n李四；王五,,8\r\n"


@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le", "utf-16-be", "utf-16"])
def test_text_in_any_encoding_and_separator(tmp_path: Path, mark: str, encoding: str) -> None:
    (sheet,) = sheets(tmp_path, TABLE.replace(",", mark).encode(encoding), "a.txt")
    assert rows(sheet) == [["姓名", "身份证号", "金额"], ["张三", ID, "100.50"], ["李四；王五", None, "8"]]


def test_what_only_looks_like_a_separator(tmp_path: Path) -> None:
    (sheet,) = sheets(tmp_path, "姓名,成员\n张三,李四;王五;赵六\n钱七,孙八|周九|吴十\n".encode(), "a.csv")
    assert rows(sheet) == [["姓名", "成员"], ["张三", "李四;王五;赵六"], ["钱七", "孙八|周九|吴十"]]
    (sheet,) = sheets(tmp_path, "sep=;\r\n姓名;金额,元\r\n张三;1\r\n".encode("utf-16"), "a.csv")
    assert rows(sheet) == [["姓名", "金额,元"], ["张三", "1"]]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("甲,乙\n".encode("gbk") * 3 + b"\xff\xff,1\n", "第 4 行"), (b"\xff\xfe" + "甲\n乙\n".encode("utf-16-le") + b"\x00\xd8\n\x00", "第 3 行"),
        ("sep=,\n甲,乙\n1,\"2\n3,4\n".encode(), "第 3 行"),
    ],
)  # fmt: skip
def test_a_byte_that_cannot_be_names_its_line(tmp_path: Path, data: bytes, line: str) -> None:
    assert line in refusal(tmp_path, data, "a.csv")


def test_text_wider_than_a_sheet_and_one_endless_line(tmp_path: Path) -> None:
    assert "5001001 列" in refusal(tmp_path, b"a\n" + b"," * 5_001_000, "a.csv")
    assert "不是正常的表格" in refusal(tmp_path, b"a\n" * 200_000 + b"," * 16_000 + b"\n", "a.csv")


# passwords -------------------------------------------------------------------------------------------------

SCHEMES = {
    "agile": lambda: encrypted.agile(xlsx_bytes(), "密码1"), "standard": lambda: encrypted.standard(xlsx_bytes(), "密码1"),
    "rc4": lambda: encrypted.rc4(biff.book_stream(xls_bytes(), "a"), "密码1"), "crypto api": lambda: encrypted.crypto_api(biff.book_stream(xls_bytes(), "a"), "密码1"),
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_encrypted_workbooks(tmp_path: Path, scheme: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(SCHEMES[scheme]())
    for passwords in ([], ["错", "x" * 300, ""]):
        with pytest.raises(DataError) as refused:
            read_workbook(path, passwords=passwords)
        assert refused.value.code == ENCRYPTED and ("不对" in refused.value.message) == bool(passwords)
    assert rows(read_workbook(path, passwords=["错", "密码1"]).sheets[0])[0][1] == ID


def test_a_workbook_protected_against_writing_only_opens_without_a_question(tmp_path: Path) -> None:
    (sheet,) = sheets(tmp_path, encrypted.agile(xlsx_bytes(), "VelvetSweatshop"))
    assert rows(sheet) == [["张三", ID, 1.5]]


def test_an_encrypted_file_that_would_take_days(tmp_path: Path) -> None:
    data = encrypted.agile(xlsx_bytes(), "密码1")
    assert data.count(b'spinCount="100000"') == 1
    assert "加密参数" in refusal(tmp_path, data.replace(b'spinCount="100000"', b'spinCount="999999"'))


def test_secrets_ask_once_remember_and_give_up(tmp_path: Path) -> None:
    for name, password in (("a.xlsx", "甲"), ("b.xlsx", "甲"), ("c.xlsx", "乙")):
        (tmp_path / name).write_bytes(encrypted.agile(xlsx_bytes(name), password))
    asked: list[tuple[str, int]] = []
    answers = iter(["错", "甲", ""])

    def ask(name: str, wrong: int) -> str:
        asked.append((name, wrong))
        return next(answers)

    secrets = Secrets(ask=ask)

    def read(name: str) -> Any:
        path = tmp_path / name
        return secrets.unlock(path, lambda passwords: read_workbook(path, passwords=passwords))

    assert rows(read("a.xlsx").sheets[0])[0][0] == "a.xlsx" and rows(read("b.xlsx").sheets[0])[0][0] == "b.xlsx"
    for _ in range(2):
        with pytest.raises(DataError, match="密码"):
            read("c.xlsx")
    assert asked == [("a.xlsx", 0), ("a.xlsx", 1), ("c.xlsx", 0)]
    looked = Secrets(look_up=lambda path: ["错", "乙"], ask=ask)
    assert looked.unlock(tmp_path / "c.xlsx", lambda p: read_workbook(tmp_path / "c.xlsx", passwords=p)).sheets


# archives --------------------------------------------------------------------------------------------------


def listed(path: Path) -> list[str]:
    return [found.relative_to(path).as_posix() for found in archive.members(path) or []]


@pytest.mark.parametrize("gbk", [False, True])
def test_a_zip_is_a_folder(tmp_path: Path, gbk: bool) -> None:
    path = tmp_path / "包.zip"
    inner = packed({"龙泉乡/名册.csv": TABLE.encode()}, gbk=gbk)
    rubbish = {"__MACOSX/名册.xlsx": b"x", "~$名册.xlsx": b"x", "目录/.隐藏": b"x", "Thumbs.db": b"x"}
    path.write_bytes(
        packed({"青溪镇\\高龄.xlsx": xlsx_bytes(), "里.zip": inner, "低保.xls": xls_bytes()} | rubbish, gbk=gbk)
    )
    assert listed(path) == ["低保.xls", "里.zip/龙泉乡/名册.csv", "青溪镇/高龄.xlsx"]
    assert rows(read_workbook(path / "里.zip" / "龙泉乡" / "名册.csv").sheets[0])[1][0] == "张三"
    assert rows(read_workbook(path / "青溪镇" / "高龄.xlsx").sheets[0]) == [["张三", ID, 1.5]]
    assert archive.file_bytes(path / "低保.xls") == xls_bytes()
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(DataError, match="没有"):
        read_workbook(path / "没有.xls")
    with pytest.raises(OutsideError):
        read_workbook(tmp_path / "没有.zip" / "a.xls")


def test_what_is_no_archive(tmp_path: Path) -> None:
    for name, data in (("a.zip", xlsx_bytes()), ("b.zip", b"text"), ("c.zip", packed({"word/document.xml": b"x"}))):
        (tmp_path / name).write_bytes(data)
        assert archive.members(tmp_path / name) is None
    assert rows(read_workbook(tmp_path / "a.zip").sheets[0]) == [["张三", ID, 1.5]]


@pytest.mark.parametrize("make", [zip_crypto, zip_aes, lambda n, d, p: zip_aes(n, d, p, strength=1)])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_encrypted_members(tmp_path: Path, make: Any, encoding: str) -> None:
    path = tmp_path / "包.zip"
    path.write_bytes(make("表.csv", TABLE.encode(), "密码1".encode(encoding)))
    (member,) = archive.members(path) or []
    for passwords in ((), ("错",)):
        with pytest.raises(DataError) as refused:
            read_workbook(member, passwords=passwords)
        assert refused.value.code == ENCRYPTED and "包.zip/表.csv" in refused.value.message
    assert rows(read_workbook(member, passwords=["错", "密码1"]).sheets[0])[1][1] == ID


def test_wrong_passwords_never_read_as_something_else(tmp_path: Path) -> None:
    path = tmp_path / "包.zip"
    path.write_bytes(zip_crypto("表.csv", TABLE.encode(), b"right"))
    for number in range(600):  # one in 256 passes the check of one byte
        with pytest.raises(DataError) as refused:
            archive.file_bytes(path / "表.csv", [f"wrong{number}"])
        assert refused.value.code == ENCRYPTED


def test_a_name_in_the_unicode_field(tmp_path: Path) -> None:
    import struct
    import zlib

    name, text = b"x.csv", "名册.csv".encode()
    field = struct.pack("<HHBI", 0x7075, 5 + len(text), 1, zlib.crc32(name)) + text
    (tmp_path / "a.zip").write_bytes(raw_zip([(name, b"a,b\n1,2\n", 0, 0, field, b"a,b\n1,2\n")]))
    assert listed(tmp_path / "a.zip") == ["名册.csv"]


def bomb() -> bytes:
    return packed({"表.csv": b"0" * (40 << 20)})


def overlapping() -> bytes:
    data = bytearray(
        raw_zip([(b"a.csv", b"x" * 99, 0, 0, b"", b"x" * 99), (b"b.csv", b"x" * 99, 0, 0, b"", b"x" * 99)])
    )
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    return bytes(data)


REFUSED = {
    "slip": (lambda: packed({"../../../etc/a.csv": b"x"}), "以外"), "slip windows": (lambda: packed({"a\\..\\..\\b.csv": b"x"}), "以外"),
    "absolute": (lambda: packed({"/etc/a.csv": b"x"}), "以外"), "drive": (lambda: packed({"C:\\a.csv": b"x"}), "以外"),
    "control": (lambda: packed({"a\x07.csv": b"x"}), "文件名"), "long": (lambda: packed({"a" * 500 + ".csv": b"x"}), "文件名"),
    "twice": (lambda: raw_zip([(b"a.csv", b"x", 0, 0, b"", b"x")] * 2), "重名"), "bomb": (bomb, "炸弹"), "overlap": (overlapping, "重叠"),
    "many": (lambda: packed({f"{n}.csv": b"" for n in range(archive.MAX_MEMBERS + 1)}), "多得不正常"), "empty": (lambda: packed({}), "没有文件"),
    "cut": (lambda: packed({"a.csv": b"x" * 1000})[:-30], "损坏"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_archives_that_are_refused(tmp_path: Path, kind: str) -> None:
    make, says = REFUSED[kind]
    path = tmp_path / "包.zip"
    path.write_bytes(make())
    if kind != "empty":
        with pytest.raises(DataError, match=says):
            archive.members(path)
    assert says in refusal(tmp_path, make(), "包.zip")


def test_archives_in_archives_in_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "包.zip"
    path.write_bytes(packed({"b.zip": packed({"c.zip": packed({"a.csv": b"x"})})}))
    (member,) = archive.members(path) or []
    with pytest.raises(DataError, match="只打开一层"):
        read_workbook(member)


def test_unknown_methods_and_damage_inside(tmp_path: Path) -> None:
    path = tmp_path / "包.zip"
    path.write_bytes(raw_zip([(b"a.csv", b"xx", 0, 9, b"", b"xxxx")]))
    with pytest.raises(DataError, match="压缩或加密方式"):
        read_workbook(path / "a.csv")
    path.write_bytes(raw_zip([(b"a.csv", b"xx", 0, 0, b"", b"yy")]))
    with pytest.raises(DataError, match="损坏"):
        read_workbook(path / "a.csv")


@pytest.mark.parametrize(
    ("head", "says"), [(b"Rar!\x1a\x07\x01\x00", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\x1f\x8b\x08\x00", "gz")]
)
def test_other_archives_are_refused_with_advice(tmp_path: Path, head: bytes, says: str) -> None:
    assert says in refusal(tmp_path, head + bytes(100), "包.xls")


def test_no_zip_module_surprises(tmp_path: Path) -> None:
    """What ``zipfile`` writes with the names of documents is read as the document it is."""
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as made:
        made.writestr("content.xml", "x")
        made.writestr("mimetype", "x")
    assert "OpenDocument" in refusal(tmp_path, (tmp_path / "a.xlsx").read_bytes(), "a.xlsx")
