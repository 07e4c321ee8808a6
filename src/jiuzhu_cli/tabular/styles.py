"""Styles of an existing workbook with more added at the end: what stands there keeps its number."""

from __future__ import annotations

import re

from jiuzhu_cli.tabular.package import Odd, before_end, escape, prefix_of
from jiuzhu_cli.tabular.write import FILLS, FONT

EMPTY = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    f'<fonts count="1"><font><sz val="11"/><name val="{FONT}"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
).encode()
HEADER_FILL = "#D9E1F2"
_KINDS = {"fonts": "font", "fills": "fill", "borders": "border", "cellXfs": "xf"}


class Styles:
    """Cell formats by number, those of ``data`` and new ones; ``bytes()`` gives the part with all of them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._prefix = prefix_of(data, "styleSheet")
        p = re.escape(self._prefix)
        self._count: dict[str, int] = {}
        self._added: dict[str, list[str]] = {kind: [] for kind in _KINDS}
        self._known: dict[tuple[str, object], int] = {}
        self._ours: set[int] = set()  # fills that an earlier copy put in
        for block, kind in _KINDS.items():
            inside = re.search(rb"<" + p + block.encode() + rb"\b[^>]*>(.*?)</" + p + block.encode() + rb">", data, re.DOTALL)  # fmt: skip
            if inside is None:
                raise Odd(block)
            self._count[block] = len(re.findall(rb"<" + p + kind.encode() + rb"(?=[\s/>])", inside.group(1)))
            if block == "fills":
                every = re.findall(rb"<" + p + rb"fill>.*?</" + p + rb"fill>", inside.group(1), re.DOTALL)
                ours = [f'rgb="FF{FILLS[colour][1:]}"'.encode() for colour in ("red", "yellow")]
                self._ours = {number for number, xml in enumerate(every) if any(colour in xml for colour in ours)}
                if len(every) != self._count[block]:
                    self._ours = set()
            if block == "cellXfs":
                found = re.findall(rb"<" + p + rb"xf\b(?:[^>]*?/>|[^>]*>.*?</" + p + rb"xf>)", inside.group(1), re.DOTALL)  # fmt: skip
                self._formats = [xf.decode() for xf in found]
        if len(self._formats) != self._count["cellXfs"]:
            raise Odd("cellXfs")

    def _add(self, block: str, xml: str) -> int:
        key = (block, xml)
        if key not in self._known:
            self._known[key] = self._count[block] + len(self._added[block])
            self._added[block].append(xml)
        return self._known[key]

    def _xf(self, number: int) -> str:
        """The cell format ``number`` as it is written, old or new."""
        formats = [*self._formats, *self._added["cellXfs"]]
        if not 0 <= number < len(formats):
            raise Odd("style number")
        return formats[number]

    def _fill(self, colour: str) -> int:
        p = self._prefix.decode()
        solid = f'<{p}fgColor rgb="FF{colour[1:]}"/><{p}bgColor indexed="64"/>'
        return self._add("fills", f'<{p}fill><{p}patternFill patternType="solid">{solid}</{p}patternFill></{p}fill>')

    def coloured(self, number: int, colour: str) -> int:
        """The format ``number`` on a ground of ``write.FILLS``, all else as it is."""
        key = (colour, number)
        if key not in self._known:
            tag, rest = re.fullmatch(r"(<[^>]*?)(/?>.*)", self._xf(number), re.DOTALL).groups()  # type: ignore[union-attr]
            tag = re.sub(r'\s(?:fillId|applyFill)\s*=\s*(?:"[^"]*"|\'[^\']*\')', "", tag).rstrip()
            fill = self._fill(FILLS[colour])
            self._known[key] = self._add("cellXfs", f'{tag} fillId="{fill}" applyFill="1"{rest}')
        return self._known[key]

    def bare(self, number: int) -> int:
        """The format ``number`` without the ground that ``coloured`` once gave it; the same where it has another."""
        fill = re.search(r'\sfillId\s*=\s*["\'](\d+)', self._xf(number))
        if fill is None or int(fill.group(1)) not in self._ours:
            return number
        key = ("bare", number)
        if key not in self._known:
            xf = re.sub(r'(\sfillId\s*=\s*["\'])\d+', r"\g<1>0", self._xf(number), count=1)
            self._known[key] = self._add("cellXfs", xf)
        return self._known[key]

    def format(
        self, *, size: float = 11, bold: bool = False, fill: str = "", box: bool = False, number: int = 0, centre: bool = False,
        right: bool = False, wrap: bool = True,
    ) -> int:  # fmt: skip
        """A format of our own: ``fill`` a colour (#RRGGBB), ``number`` a built-in number format (1: 0, 2: 0.00, 49: text)."""
        p = self._prefix.decode()
        weight = f"<{p}b/>" if bold else ""
        name = escape(FONT)
        font = self._add("fonts", f'<{p}font>{weight}<{p}sz val="{size:g}"/><{p}name val="{name}"/><{p}charset val="134"/></{p}font>')  # fmt: skip
        border = 0
        if box:
            side = "".join(
                f'<{p}{s} style="thin"><{p}color rgb="FF999999"/></{p}{s}>' for s in ("left", "right", "top", "bottom")
            )
            border = self._add("borders", f"<{p}border>{side}<{p}diagonal/></{p}border>")
        across = ' horizontal="center"' if centre else ' horizontal="right"' if right else ""
        lines = ' wrapText="1"' if wrap else ""
        return self._add(
            "cellXfs",
            f'<{p}xf numFmtId="{number}" fontId="{font}" fillId="{self._fill(fill) if fill else 0}" borderId="{border}" xfId="0"'
            f' applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">'
            f'<{p}alignment{across} vertical="center"{lines}/></{p}xf>',
        )

    def bytes(self) -> bytes:
        data = self._data
        for block, added in self._added.items():
            if added:
                name = self._prefix + block.encode()
                start = data.index(b"<" + name)
                end = data.index(b"</" + name, start)
                block_data = before_end(data[start:end] + b"</" + name + b">", name, "".join(added).encode())
                block_data = block_data[: -len(name) - 3]
                total = self._count[block] + len(added)
                tag, rest = block_data[: block_data.index(b">")], block_data[block_data.index(b">") :]
                tag = re.sub(rb'(\scount\s*=\s*)(?:"[^"]*"|\'[^\']*\')', rb'\g<1>"%d"' % total, tag)
                data = data[:start] + tag + rest + data[end:]
        return data
