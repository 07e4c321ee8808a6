"""A copy of an xlsx workbook with marks in its sheets and sheets of ours in front, made by changing only the parts concerned.

Charts, pictures, conditional formats, drop-downs, print settings and what only WPS or Excel understands stay byte for byte.
Macros are left behind.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from jiuzhu_cli.tabular import remarks
from jiuzhu_cli.tabular.frontsheet import FrontSheet
from jiuzhu_cli.tabular.ours import may_be_front
from jiuzhu_cli.tabular.package import (  # fmt: skip
    LARGE,
    RELATIONS,
    Odd,
    Package,
    Packed,
    Writer,
    attributes,
    before_end,
    escape,
    prefix_of,
    relations_part,
    with_relation,
)
from jiuzhu_cli.tabular.sheetpatch import SheetMarks, SheetPatch
from jiuzhu_cli.tabular.styles import EMPTY, Styles
from jiuzhu_cli.tabular.write import SheetSpec

Comments = Mapping[str, Mapping[tuple[int, int], str]]
MAX_REMARKS = 2_000  # comments in one sheet: with more of them Excel takes minutes to open it
_TYPES = "[Content_Types].xml"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_HEAD = 1 << 16
_UNPATCHED = re.compile(r"(^_xmlsignatures/|/activeX/|/macrosheets/|/dialogsheets/)", re.IGNORECASE)
_OTHER_BOOKS = (
    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    b"application/vnd.ms-excel.template.macroEnabled.main+xml",
    b"application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml",
)
_MACRO = re.compile(r"(^|/)vba[^/]*\.(bin|xml)$", re.IGNORECASE)


class Draft:
    """A copy with its marks put in and its large sheets packed, before it is known what stands in front of them.

    They wait in nameless files in ``folder``, until it is closed.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        sheets: Mapping[str, SheetMarks],
        comments: Comments,
        known: Collection[str],
        folder: Path,
    ) -> None:
        """``source`` with ``sheets`` and ``comments`` (by sheet name and 0-based cell) put in.

        Fronts of an earlier copy, which are not among the ``known`` sheets, go. Odd when the package is not as Excel, WPS and LibreOffice write it.
        """
        with ExitStack() as opened:
            package = opened.enter_context(closing(Package(source)))
            self._copy = _Copy(package)
            self._copy.drop_fronts(known)
            self._copy.mark(sheets, comments)
            self._copy.pack(lambda: opened.enter_context(tempfile.TemporaryFile(dir=folder)))
            self._opened = opened.pop_all()

    def close(self) -> None:
        self._opened.close()

    def write(self, target: Path, fronts: Sequence[SheetSpec]) -> None:
        """Writes the copy with ``fronts`` first, whose names must be free. Once only."""
        self._copy.put_in_front(fronts)
        with target.open("wb") as file:
            self._copy.write(Writer(file))


def new_workbook(target: Path, fronts: Sequence[SheetSpec]) -> None:
    """A workbook of ``fronts`` alone."""
    import io
    import zipfile

    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        for name, data in _NOTHING.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    package = Package(empty)
    copy = _Copy(package)
    copy.put_in_front(fronts)
    with target.open("wb") as file:
        copy.write(Writer(file))


class _Copy:
    def __init__(self, package: Package) -> None:
        self._package = package
        if any(_UNPATCHED.search(name) for name in package.infos):
            raise Odd("signed, or with controls or macro sheets")
        self._parts: dict[str, Iterable[bytes]] = {}  # changed and new ones
        self._large: dict[str, Packed | None] = {}
        self._types = package.read(_TYPES)
        self._types_prefix = prefix_of(self._types, "Types")
        self._book = next((part for kind, part in package.relations("").values() if kind == "officeDocument"), "")
        self._relations = package.relations(self._book)
        self._xml = package.read(self._book)
        self._p = prefix_of(self._xml, "workbook")
        self._rels: dict[str, bytes] = {}
        styles = next((part for kind, part in self._relations.values() if kind == "styles"), "")
        self._styles = Styles(package.read(styles) if styles else EMPTY)
        self._styles_part = styles or self._new("xl/styles.xml", "styles", _SPREADSHEET + "styles+xml")
        self._leave_macros()

    def _new(self, name: str, kind: str, content_type: str, owner: str = "") -> str:
        """A free part name like ``name``, related to ``owner`` (the workbook) and with its content type noted."""
        stem, dot, suffix = name.rpartition(".")
        part, number = name, 1
        while part in self._package.infos or part in self._parts:
            number += 1
            part = f"{stem}{number}{dot}{suffix}"
        self._parts[part] = ()
        self._relate(owner or self._book, kind, part)
        self._type("Override", "PartName", "/" + part, content_type)
        return part

    def _relate(self, owner: str, kind: str, part: str) -> str:
        name = relations_part(owner)
        before = self._rels.get(name) or (self._package.read(name) if name in self._package.infos else None)
        self._rels[name], made = with_relation(before, kind, part, f"jiuzhu{kind.capitalize()}")
        return made

    def _type(self, element: str, key: str, value: str, content_type: str) -> None:
        p = self._types_prefix.decode()
        entry = f'<{p}{element} {key}="{value}" ContentType="{content_type}"/>'
        self._types = before_end(self._types, self._types_prefix + b"Types", entry.encode())

    def _leave_macros(self) -> None:
        gone = [name for name in self._package.infos if _MACRO.search(name)]
        if gone:
            for name in gone:
                del self._package.infos[name]
            name = relations_part(self._book)
            self._rels[name] = re.sub(rb"<[^>]*/vbaProject[\"'][^>]*>", b"", self._rels.get(name) or self._package.read(name))  # fmt: skip
            self._types = re.sub(rb"<[^>]*vba(?:Project|Data)[^>]*>", b"", self._types)
            if any(part.endswith(".bin") for part in self._package.infos) and b'"bin"' not in self._types:
                self._type("Default", "Extension", "bin", _SPREADSHEET + "printerSettings")
        for other in _OTHER_BOOKS:
            self._types = self._types.replace(other, (_SPREADSHEET + "sheet.main+xml").encode())

    def _sheets(self) -> list[tuple[str, str, str, bytes]]:
        """Name, part, kind and tag of each sheet, in order."""
        p = re.escape(self._p)
        block = re.search(rb"<" + p + rb"sheets\b.*?</" + p + rb"sheets>", self._xml, re.DOTALL)
        out = []
        for tag in re.findall(rb"<" + p + rb"sheet\s[^>]*>", block.group(0)) if block else []:
            told = attributes(tag)
            relation = next((value for name, value in told.items() if name.endswith(":id")), "")
            kind, part = self._relations.get(relation, ("", ""))
            out.append((told["name"], part, kind, tag))
        return out

    def drop_fronts(self, known: Collection[str]) -> None:
        """Takes out the fronts of an earlier copy; names that hold in one sheet keep theirs."""
        while ours := [
            (place, part, tag)
            for place, (name, part, _, tag) in enumerate(self._sheets())
            if may_be_front(name) and name not in known
        ]:
            place, part, tag = ours[0]
            self._xml = self._xml.replace(tag, b"", 1)
            own = re.compile(rb"<" + re.escape(self._p) + rb"definedName\b[^>]*\slocalSheetId\s*=\s*[\"']%d[\"'][^>]*>[^<]*</[^>]*>" % place)  # fmt: skip
            self._xml = self._shifted(own.sub(b"", self._xml), lambda number, at=place: number - (number > at))  # type: ignore[misc]
            name = relations_part(self._book)
            relations = self._rels.get(name) or self._package.read(name)
            gone = [entry for entry, (_, target) in self._relations.items() if target == part]
            for entry in gone:
                relations = re.sub(rb"<[^>]*\sId\s*=\s*[\"']%s[\"'][^>]*>" % entry.encode(), b"", relations)
            self._rels[name] = relations
            self._types = re.sub(
                rb"<[^>]*\sPartName\s*=\s*[\"']/%s[\"'][^>]*>" % re.escape(part.encode()), b"", self._types
            )
            for one in (part, relations_part(part)):
                self._package.infos.pop(one, None)

    @staticmethod
    def _shifted(xml: bytes, to: Callable[[int], int]) -> bytes:
        return re.sub(rb'(\slocalSheetId\s*=\s*["\'])(\d+)', lambda m: m[1] + b"%d" % to(int(m[2])), xml)

    # sheets -------------------------------------------------------------------------------------------------

    def mark(self, marks: Mapping[str, SheetMarks], comments: Comments) -> None:
        """Marks and comments into the sheets; a sheet that is selected is so no longer."""
        found = {name: part for name, part, kind, _ in self._sheets() if kind == "worksheet"}
        if not set(marks) | set(comments) <= set(found):
            raise Odd("sheets")
        for number, (name, part) in enumerate(found.items(), 1):
            mark = replace(marks.get(name, SheetMarks()))
            mark.deselect = b"tabSelected" in self._package.start_of(part, _HEAD)
            texts = dict(sorted(comments.get(name, {}).items())[:MAX_REMARKS])
            again = bool(mark.old)
            if texts or again:
                mark.drawing = self._remarks(part, texts, number, again=again)
            if (
                mark.cells
                or mark.old
                or mark.reasons
                or mark.reason_column is not None
                or mark.drawing
                or mark.deselect
            ):
                # the styles grow while the sheet goes through: sheets first, styles after them
                self._parts[part] = SheetPatch(self._package.pieces(part), mark, self._styles)
                if self._package.infos[part].file_size > LARGE:
                    self._large[part] = None

    def pack(self, spool: Callable[[], BinaryIO]) -> None:
        """Puts the marks into the large sheets now; each goes into a file of ``spool``. The small ones follow when all is written."""
        for part in self._large:
            self._large[part] = Packed.of(self._parts[part], spool())

    def _remarks(self, sheet: str, texts: Mapping[tuple[int, int], str], number: int, *, again: bool) -> str:
        """Comments and their drawing; returns the relation of a new drawing, '' when the sheet needs none.

        ``again``: without those of an earlier copy.
        """
        relations = self._package.relations(sheet)
        part = next((target for kind, target in relations.values() if kind == "comments"), "")
        if not part and not texts:
            return ""
        data = self._package.read(part) if part else remarks.NEW_COMMENTS
        part = part or self._new("xl/comments_jiuzhu.xml", "comments", _SPREADSHEET + "comments+xml", sheet)
        data, gone = remarks.without_ours(data) if again else (data, set())
        data, places = remarks.with_comments(data, texts)
        self._parts[part] = [data]
        drawings = [target for kind, target in relations.values() if kind == "vmlDrawing"]
        for drawing in drawings:
            old = self._package.read(drawing)
            if b"ClientData" in old:  # the drawing of a page header has none
                self._parts[drawing] = [remarks.with_shapes(remarks.without_shapes(old, gone), places, texts)]
                return ""
        if not places:
            return ""
        if not re.search(rb'Extension\s*=\s*["\']vml["\']', self._types, re.IGNORECASE):
            self._type("Default", "Extension", "vml", "application/vnd.openxmlformats-officedocument.vmlDrawing")
        name, count = "xl/drawings/vmlDrawing_jiuzhu.vml", 1
        while name in self._package.infos or name in self._parts:
            count += 1
            name = f"xl/drawings/vmlDrawing_jiuzhu{count}.vml"
        self._parts[name] = [remarks.with_shapes(remarks.new_drawing(number), places, texts)]
        return self._relate(sheet, "vmlDrawing", name)

    def put_in_front(self, fronts: Sequence[SheetSpec]) -> None:
        """Sheets of ours before all others, the first of them open; names and views of the others keep their sheets."""
        p = re.escape(self._p)
        block = re.search(rb"<" + p + rb"sheets\b[^>]*>|<" + p + rb"sheets\s*/>", self._xml)
        if block is None:
            raise Odd("sheets")
        used = [int(number) for number in re.findall(rb'\ssheetId\s*=\s*["\'](\d+)', self._xml)]
        made = []
        for place, spec in enumerate(fronts):
            part = self._new("xl/worksheets/jiuzhu_sheet.xml", "worksheet", _SPREADSHEET + "worksheet+xml")
            self._parts[part] = FrontSheet(spec, self._styles, selected=place == 0)
            owner = self._rels[relations_part(self._book)]
            relation = re.findall(rb'Id="(jiuzhuWorksheet\d*)"', owner)[-1].decode()
            number = max([*used, 0]) + 1
            used.append(number)
            made.append(
                f'<{self._p.decode()}sheet name="{escape(spec.name)}" sheetId="{number}" xmlns:r="{RELATIONS}" r:id="{relation}"/>'
            )
        xml = self._xml[: block.end()] + "".join(made).encode() + self._xml[block.end() :]
        shift = len(fronts)
        xml = self._shifted(xml, lambda number: number + shift)
        opened = re.compile(rb'\s(?:activeTab|firstSheet)\s*=\s*(?:"[^"]*"|\'[^\']*\')')
        xml = re.sub(rb"<" + p + rb"workbookView\b[^>]*>", lambda m: opened.sub(b"", m[0]), xml)
        self._parts[self._book] = [xml]

    def write(self, writer: Writer) -> None:
        self._parts[_TYPES] = [self._types]
        for name, data in self._rels.items():
            self._parts[name] = [data]
        self._parts.pop(self._styles_part, None)
        names = [name for name in self._package.infos if name != self._styles_part]
        for name in [*names, *(name for name in self._parts if name not in self._package.infos)]:
            if (part := self._large.get(name)) is not None:
                writer.paste(name, part)
            elif name in self._parts:
                writer.add(name, self._parts[name])
            else:
                writer.copy(self._package, name)
        writer.add(self._styles_part, [self._styles.bytes()])  # last: formats are added while the sheets go through
        writer.close()


_NOTHING = {
    _TYPES: '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SPREADSHEET}sheet.main+xml"/></Types>',
    "_rels/.rels": '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets></sheets></workbook>',
}
