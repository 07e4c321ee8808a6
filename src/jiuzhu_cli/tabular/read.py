"""Opening workbooks: what a file is is decided by its content, and whatever cannot be read is refused with a reason."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.tabular.archive import file_bytes
from jiuzhu_cli.tabular.cells import Cell, CellError, Sheet, Workbook
from jiuzhu_cli.tabular.column import Column
from jiuzhu_cli.tabular.convert import Columns

if TYPE_CHECKING:
    from jiuzhu_cli.tabular.guard import Watch
    from jiuzhu_cli.tabular.scan import SheetFacts
    from jiuzhu_cli.tabular.sheetxml import SheetXml

__all__ = ["CellError", "Sheet", "Workbook", "read_workbook"]

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RESAVE = "用 WPS 或 Excel 打开，另存为 .xlsx 后再导入"


def read_workbook(path: Path, *, passwords: Sequence[str] = (), watch: Watch | None = None) -> Workbook:
    """Reads xlsx/xlsm, xls/et (BIFF) or a text table, by content, column-major and at true coordinates.

    ``path`` may lie inside an archive; ``passwords`` are tried on what is encrypted. DataError with a reason when it must
    be refused (damaged, a bomb, no table; code ``secret.ENCRYPTED`` when a password is wanting); OutsideError when the
    file cannot be opened. ``watch`` is told how far the reading of an xlsx has come.
    """
    stored = data = file_bytes(path, passwords)
    digest = hashlib.sha256(data).hexdigest()
    from jiuzhu_cli.tabular import biff
    from jiuzhu_cli.tabular.oldbiff import old_version
    from jiuzhu_cli.tabular.sniff import refuse_other

    if data.startswith(OLE_MAGIC):
        kind = biff.kind_of(data, path.name)
        if kind == "encrypted":
            from jiuzhu_cli.tabular.secret import decrypt

            data = decrypt(data, path.name, passwords)
            kind = "xls" if data.startswith(OLE_MAGIC) else "xlsx"
        if kind == "xls":
            return Workbook(path, "xls", _read_xls(data, path), digest)
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        from jiuzhu_cli.tabular.archive import refuse_archive
        from jiuzhu_cli.tabular.guard import inspect_xlsx

        refuse_archive(path, data, passwords)
        facts = inspect_xlsx(data, path.name, watch)
        if facts.hidden:
            sheets = [
                _vector_sheet(title, facts.read[title], hidden, facts.sheets[title])
                for title, hidden in facts.hidden.items()
            ]
        else:
            sheets = _read_calamine(data, path.name, facts.sheets, facts.read)
        return Workbook(path, "xlsx", sheets, digest, facts.marks, bare=data is stored and path.is_file())
    if biff.is_bare(data) or old_version(data):
        return Workbook(path, "xls", _read_xls(data, path), digest)
    refuse_other(data, path.name)
    kind, sheets = _read_text(data, path.name, path.stem)
    return Workbook(path, kind, sheets, digest)


def _read_text(data: bytes, name: str, stem: str) -> tuple[str, list[Sheet]]:
    """Web pages, XML spreadsheets and text tables: what it is, and its sheets."""
    from jiuzhu_cli.tabular import csvtext, markup

    kind = markup.text_kind(data)
    if kind == "html":
        from jiuzhu_cli.tabular.html import read_html

        return kind, read_html(markup.decode_markup(data, name), name, stem)
    if kind == "mhtml":
        from jiuzhu_cli.tabular.mhtml import read_mhtml

        return kind, read_mhtml(data, name, stem)
    if kind == "xmlss":
        from jiuzhu_cli.tabular.xmlss import read_xmlss

        return kind, read_xmlss(markup.decode_markup(data, name), name)
    if kind == "xml":
        raise DataError(f"“{name}”其实是 XML 文件，不是可以导入的表格", _RESAVE)
    columns, height = csvtext.read_text(data, name)
    return "csv", [Sheet(stem, width=len(columns), height=height, columns=columns)]


def _read_xls(data: bytes, path: Path) -> list[Sheet]:
    """A BIFF workbook, with or without its container; the reader knows only the format of Excel 97 and later."""
    from jiuzhu_cli.tabular import biff, oldbiff

    contained = data.startswith(OLE_MAGIC)
    book = biff.book_stream(data, path.name) if contained else data
    if oldbiff.old_version(book):
        return oldbiff.read_old(book, path.name, path.stem)
    whole = data if contained else biff.wrapped(book)
    return _read_calamine(whole, path.name, biff.inspect_xls(whole, path.name))


def _read_calamine(
    data: bytes, name: str, facts: Mapping[str, SheetFacts], read: Mapping[str, SheetXml] | None = None
) -> list[Sheet]:
    """All worksheets by calamine, with what it does not tell put back from ``facts`` (see ``scan.SheetFacts``).

    ``read``: sheets that were read as vectors.
    """
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    sheets, read = [], read or {}
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            for meta in book.sheets_metadata:
                if meta.typ != SheetTypeEnum.WorkSheet:
                    continue
                hidden, known = meta.visible != SheetVisibleEnum.Visible, facts.get(meta.name)
                if meta.name in read:
                    sheets.append(_vector_sheet(meta.name, read[meta.name], hidden, known))
                    continue
                source = book.get_sheet_by_name(meta.name)
                columns = Columns()
                columns.add(source.to_python(skip_empty_area=False))
                merged = [(a, b, c, d) for (a, b), (c, d) in source.merged_cell_ranges or []]
                made = [Column(cells) for cells in columns.columns]
                sheet = Sheet(meta.name, hidden, len(made), columns.height, made, merged)
                if known is not None:
                    for (row, column), error in known.errors.items():
                        sheet.put(row, column, error)
                    sheet.hidden_rows, sheet.hidden_columns = known.hidden_rows, known.hidden_columns
                    sheet.struck = known.struck
                    sheet.blank_rows = max(0, known.rows - sheet.height)
                sheets.append(sheet)
    except (CalamineError, OSError, ValueError, OverflowError) as error:
        raise DataError(f"“{name}”读不出来，可能已损坏", f"若能打开，{_RESAVE}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the reader's own failure, not an Exception
            raise
        raise DataError(f"“{name}”读不出来，可能已损坏", f"若能打开，{_RESAVE}") from None
    if not sheets:
        raise DataError(f"“{name}”里没有工作表", "请核对文件")
    return sheets


def _vector_sheet(name: str, read: SheetXml, hidden: bool, known: SheetFacts | None) -> Sheet:
    sheet = Sheet(name, hidden, len(read.columns), read.height, read.columns, read.merged)
    if known is not None:
        sheet.hidden_rows, sheet.hidden_columns = known.hidden_rows, known.hidden_columns
        sheet.struck = known.struck
        sheet.blank_rows = max(0, known.rows - sheet.height)
    return sheet


def as_text(cell: Cell) -> str:
    """A cell as a person would read it; dates as ISO, blanks empty."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d") if cell.time() == time() else cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return str(cell)
