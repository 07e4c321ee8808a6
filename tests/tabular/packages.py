"""What holds of every xlsx package, and workbooks with things that only their makers understand."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

CONTENT = "{http://schemas.openxmlformats.org/package/2006/content-types}"
RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def check_package(path: Path) -> dict[str, bytes]:
    """Asserts that parts are whole, well-formed, of one name each, typed and related to; gives them by name."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len({name.lower() for name in names}) == len(names)
        parts = {name: archive.read(name) for name in names}
    for name, data in parts.items():
        if name.endswith((".xml", ".rels", ".vml")):
            ET.parse(io.BytesIO(data))
    types = ET.fromstring(parts["[Content_Types].xml"])
    defaults = [one.get("Extension", "").lower() for one in types.iter(f"{CONTENT}Default")]
    overrides = [one.get("PartName", "") for one in types.iter(f"{CONTENT}Override")]
    assert len(set(defaults)) == len(defaults) and len(set(overrides)) == len(overrides)
    for name in names:
        assert name.rpartition(".")[2].lower() in defaults or f"/{name}" in overrides, name
    for name, data in parts.items():
        if name.endswith(".rels"):
            owner = posixpath.dirname(posixpath.dirname(name))
            relations = list(ET.fromstring(data).iter(RELATION))
            assert len({one.get("Id") for one in relations}) == len(relations)
            for one in relations:
                if one.get("TargetMode") != "External":
                    target = posixpath.normpath(posixpath.join("/", owner, one.get("Target", ""))).lstrip("/")
                    assert target in parts, (name, target)
    for name, data in parts.items():
        if re.fullmatch(r"xl/worksheets/[^/]*\.xml", name):
            rows = [int(row.get("r", 0)) for row in ET.fromstring(data).iter(f"{{{MAIN}}}row")]
            assert rows == sorted(set(rows)), name
    return parts


def rich_workbook(path: Path) -> Path:
    """A ledger with a chart, data bars, drop-downs, comments, a merged cell, a frozen pane, a filter, names and print settings."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path))
    sheet, other = book.add_worksheet("名册"), book.add_worksheet("统计")
    text = book.add_format({"num_format": "@", "border": 1})
    money = book.add_format({"num_format": "#,##0.00", "font_color": "blue"})
    sheet.merge_range("A1:F1", "某镇2026年10月城市低保名册", book.add_format({"bold": True, "font_size": 18}))
    for column, header in enumerate(["序号", "姓名", "身份证号", "金额", "账号", "备注"]):
        sheet.write(1, column, header)
    for row in range(2, 32):
        sheet.write_number(row, 0, row - 1)
        sheet.write_string(row, 1, f"人{row}", text)
        sheet.write_string(row, 2, f"42100219700101{row:04d}", text)
        sheet.write_number(row, 3, 300 + row, money)
        sheet.write_string(row, 4, f"6217{row:015d}", text)
    sheet.merge_range(4, 5, 6, 5, "一家", text)
    sheet.write_formula(32, 3, "=SUM(D3:D32)", money, 9465)
    sheet.write_comment("B3", "原来的批注", {"author": "镇民政办"})
    sheet.conditional_format(2, 3, 31, 3, {"type": "data_bar"})
    sheet.data_validation(2, 5, 31, 5, {"validate": "list", "source": ["是", "否"]})
    sheet.set_column("C:C", 22)
    sheet.set_column("E:H", 22, None, {"hidden": False})
    sheet.set_row(7, 20)
    sheet.freeze_panes(2, 2)
    sheet.autofilter(1, 0, 31, 5)
    sheet.repeat_rows(0, 1)
    sheet.print_area(0, 0, 32, 5)
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "=名册!$D$3:$D$32"})
    other.insert_chart("B2", chart)
    other.activate()
    book.define_name("金额区", "=名册!$D$3:$D$9")
    book.close()
    return path


def rewritten(
    path: Path, changes: dict[str, tuple[str, str]], target: Path, added: dict[str, bytes] | None = None
) -> Path:
    """A copy of a package with texts of parts replaced (each must be there) and parts added."""
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name in archive.namelist():
            data = archive.read(name).decode() if name in changes else archive.read(name)
            if isinstance(data, str):
                before, after = changes[name]
                assert re.search(before, data), (name, before)
                data = re.sub(before, after, data).encode()
            out.writestr(name, data)
        for name, data in (added or {}).items():
            out.writestr(name, data)
    return target
