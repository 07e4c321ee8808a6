"""Sheets of random cells, whole and damaged: what is read as vectors is what the kept reader reads, or both refuse."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiuzhu_cli.core.errors import JiuzhuError
from jiuzhu_cli.tabular import guard
from jiuzhu_cli.tabular.read import read_workbook
from jiuzhu_cli.tabular.words import Unusual
from tests.tabular.test_guard import MAIN, raw_xlsx, sheet_xml
from tests.tabular.test_sheetxml import CELLS, ITEMS

STYLES = (
    f'<?xml version="1.0"?><styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>'
)
SCRAPS = [
    b"<", b">", b"</c>", b'<c r="B2">', b"<v>", b"</v>", b"<!-- -->", b'<row r="3">', b"</row>", b" ", b"\n", b"&amp;", b"<f>1</f>", b"x:",
    b"<![CDATA[a]]>", b"<?pi?>", b"</sheetData>", b"\xc4", b"<si>", b"</t></si>",
]  # fmt: skip


def number(chance: random.Random) -> str:
    kind = chance.randrange(6)
    if kind == 0:
        return str(chance.randint(-(10 ** chance.randint(1, 20)), 10 ** chance.randint(1, 20)))
    if kind == 1:
        return repr(chance.uniform(-1, 1) * 10.0 ** chance.randint(-20, 25))
    if kind == 2:
        return f"{chance.uniform(0, 10 ** chance.randint(0, 12)):.{chance.randint(0, 18)}f}"
    if kind == 3:
        return f"{chance.uniform(0, 10):.{chance.randint(0, 16)}E}"
    return "".join(chance.choice("0123456789.-+eE") for _ in range(chance.randint(1, 12)))


def sheet(chance: random.Random) -> str:
    rows = []
    for row in range(1, chance.randint(2, 14)):
        cells = []
        for column in range(chance.randint(0, 7)):
            style = f' s="{chance.randint(0, 2)}"' if chance.random() < 0.2 else ""
            body = chance.choice([*CELLS, *(f"><v>{number(chance)}</v>" for _ in range(30))])
            if chance.random() < 0.2:
                body = f' t="s"><v>{chance.randint(0, len(ITEMS))}</v>'
            if chance.random() < 0.8 and not (style and " s=" in body):
                cells.append(f'<c r="{chr(65 + column)}{row}"{style}{body}</c>')
        shown = chance.choice(["", ' spans="1:3"', ' hidden="1"'])
        rows.append(f'<row r="{row}"{shown}>{"".join(cells)}</row>')
    return sheet_xml("".join(rows))


def damaged(data: bytes, chance: random.Random) -> bytes:
    held = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at, kind = chance.randrange(len(held)), chance.randrange(4)
        if kind == 0:
            held[at] = chance.choice(b'<>/"= rcvts0123456789ABab&;\n\r_x-.')
        elif kind == 1:
            del held[at : at + chance.randint(1, 6)]
        elif kind == 2:
            held[at:at] = chance.choice(SCRAPS)
        else:
            place = chance.randrange(len(held))
            held[at:at] = held[place : place + chance.randint(1, 30)]
    return bytes(held)


def outcome(path: Path) -> Any:
    try:
        book = read_workbook(path)
    except JiuzhuError as error:
        return type(error)
    return [
        (one.width, one.height, one.merged, one.hidden_rows, one.hidden_columns, one.blank_rows,
         [(cells.kinds.tolist(), cells.text.to_pylist()) for cells in one.columns])
        for one in book.sheets
    ]  # fmt: skip


def refuse(*_: Any) -> None:
    raise Unusual("test")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("damage", [lambda data, _: data, damaged], ids=["whole", "damaged"])
def test_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    chance = random.Random(seed)
    shared = f'<?xml version="1.0"?><sst xmlns="{MAIN}">{"".join(ITEMS)}</sst>'.encode()
    for _ in range(20):
        strings = damage(shared, chance) if chance.random() < 0.2 else shared
        extra: dict[str, Any] = {"xl/sharedStrings.xml": strings, "xl/styles.xml": STYLES}
        path = raw_xlsx(tmp_path / "a.xlsx", damage(sheet(chance).encode(), chance), extra=extra)  # type: ignore[arg-type]
        found = outcome(path)
        with monkeypatch.context() as patch:
            patch.setattr(guard, "read_sheet", refuse)
            expected = outcome(path)
        if (
            found != expected
        ):  # the kept reader refuses a file for an error code that it does not know; ours is a finding
            assert isinstance(expected, type) and "#" in repr(found), path.read_bytes()
