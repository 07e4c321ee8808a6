"""Comments of a worksheet: the part with their texts and the old drawing that shows them, added to what is there.

Formats: ECMA-376 part 1, 18.7 (comments), part 4 (VML).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from jiuzhu_cli.tabular.cells import column_letters, split_reference
from jiuzhu_cli.tabular.package import Odd, before_end, escape, prefix_of

AUTHOR = "jiuzhu"
_ADDED = "【核对】"  # begins what we add to a comment that is there
_NAMESPACES = {
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
}
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
NEW_COMMENTS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<comments xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><authors></authors><commentList></commentList></comments>'
)


def new_drawing(number: int) -> bytes:
    """An empty drawing; ``number`` (from 1) keeps the shape IDs of the sheets apart."""
    spaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in _NAMESPACES.items())
    layout = f'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{number}"/></o:shapelayout>'
    return f"<xml {spaces}>{layout}{_SHAPE_TYPE}</xml>".encode()


def with_comments(data: bytes, texts: Mapping[tuple[int, int], str]) -> tuple[bytes, list[tuple[int, int]]]:
    """A comments part with ``texts`` by 0-based cell; also the cells that had no comment before (they need a shape).

    A cell that has one keeps it, ours below it.
    """
    prefix = prefix_of(data, "comments")
    p, bare = prefix.decode(), re.escape(prefix)
    authors = re.search(rb"<" + bare + rb"authors\b[^>]*?(?:/>|>(.*?)</" + bare + rb"authors>)", data, re.DOTALL)
    if authors is None:
        raise Odd("authors")
    author = len(re.findall(rb"<" + bare + rb"author(?=[\s/>])", authors.group(1) or b""))
    data = data[: authors.start()] + before_end(authors.group(0), prefix + b"authors", f"<{p}author>{AUTHOR}</{p}author>".encode()) + data[authors.end() :]  # fmt: skip
    one = _comment(bare)
    there = {match.group(1).decode() for match in one.finditer(data)}
    wanted = {f"{column_letters(column)}{row + 1}": (row, column) for row, column in texts}

    def joined(match: re.Match[bytes]) -> bytes:
        place = wanted.get(match.group(1).decode())
        if place is None:
            return match.group(0)
        text = re.sub(
            rb"(<" + bare + rb"text\s*>)\s*(<" + bare + rb"t\b[^>]*>[^<]*</" + bare + rb"t>)",
            rb"\1<" + prefix + rb"r>\2</" + prefix + rb"r>", match.group(0),
        )  # fmt: skip
        return before_end(text, prefix + b"text", _run(p, f"\n{_ADDED}{texts[place]}").encode())

    data = one.sub(joined, data)
    fresh = sorted(place for reference, place in wanted.items() if reference not in there)
    made = [
        f'<{p}comment ref="{column_letters(column)}{row + 1}" authorId="{author}"><{p}text>{_run(p, texts[row, column])}</{p}text></{p}comment>'
        for row, column in fresh
    ]
    return before_end(data, prefix + b"commentList", "".join(made).encode()), fresh


def without_ours(data: bytes) -> tuple[bytes, set[tuple[int, int]]]:
    """A comments part without what an earlier copy put in, and the 0-based cells that have no comment any more."""
    prefix = prefix_of(data, "comments")
    bare = re.escape(prefix)
    authors = re.findall(rb"<" + bare + rb"author(?:\s[^>]*)?(?:/>|>(.*?)</" + bare + rb"author>)", data, re.DOTALL)
    ours = {b"%d" % number for number, name in enumerate(authors) if name == AUTHOR.encode()}
    gone: set[tuple[int, int]] = set()

    def kept(match: re.Match[bytes]) -> bytes:
        author = re.search(rb"\sauthorId\s*=\s*[\"'](\d+)", match.group(0))
        if author is None or author.group(1) not in ours:
            ends = _ADDED.encode()
            run = rb"<" + bare + rb"r>(?:(?!</" + bare + rb"r>).)*?" + ends + rb".*?</" + bare + rb"r>"
            return re.sub(run, b"", match.group(0), flags=re.DOTALL)
        place = split_reference(match.group(1).decode())
        if place is not None:
            gone.add(place)
        return b""

    return _comment(bare).sub(kept, data), gone


def without_shapes(drawing: bytes, places: set[tuple[int, int]]) -> bytes:
    """A drawing without the note boxes of ``places``."""

    def kept(match: re.Match[bytes]) -> bytes:
        row = re.search(rb"<x:Row>\s*(\d+)", match.group(0))
        column = re.search(rb"<x:Column>\s*(\d+)", match.group(0))
        note = row is not None and column is not None and b'ObjectType="Note"' in match.group(0)
        return b"" if note and (int(row.group(1)), int(column.group(1))) in places else match.group(0)  # type: ignore[union-attr]

    return re.sub(rb"<v:shape\s.*?</v:shape>", kept, drawing, flags=re.DOTALL)


def _comment(bare: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"<" + bare + rb"comment\b[^>]*?\sref\s*=\s*[\"']([A-Z]+\d+)[\"'][^>]*>.*?</" + bare + rb"comment>", re.DOTALL)  # fmt: skip


def _run(p: str, text: str) -> str:
    face = f'<{p}rPr><{p}sz val="10"/><{p}color indexed="81"/><{p}rFont val="宋体"/><{p}charset val="134"/></{p}rPr>'
    return f'<{p}r>{face}<{p}t xml:space="preserve">{escape(text)}</{p}t></{p}r>'


def with_shapes(drawing: bytes, places: list[tuple[int, int]], texts: Mapping[tuple[int, int], str]) -> bytes:
    """A drawing with a hidden note box beside each of ``places``."""
    missing = [name for name in _NAMESPACES if f"xmlns:{name}=".encode() not in drawing]
    spaces = "".join(f' xmlns:{name}="{_NAMESPACES[name]}"' for name in missing)
    map_data = re.search(rb"<o:idmap\b[^>]*?data\s*=\s*[\"'](\d+)", drawing)
    numbers = [int(found) for found in re.findall(rb"_x0000_s(\d+)", drawing)]
    first = max([1024 * int(map_data.group(1)) if map_data else 1024, *numbers]) + 1
    shapes = [] if b"_x0000_t202" in drawing else [_SHAPE_TYPE.replace("<v:shapetype", f"<v:shapetype{spaces}", 1)]
    for number, (row, column) in enumerate(places, first):
        height = 3 + min(len(texts[row, column]) // 14, 12)
        anchor = f"{column + 1}, 12, {max(row - 1, 0)}, 8, {column + 4}, 30, {max(row - 1, 0) + height}, 4"
        shapes.append(
            f'<v:shape{spaces} id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;margin-left:80pt;margin-top:5pt;width:180pt;'
            f'height:{18 * height}pt;z-index:1;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/>'
            f'<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto">'
            f'<div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
            f"<x:Anchor>{anchor}</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"
        )
    return before_end(drawing, b"xml", "".join(shapes).encode())
