"""Names and IDs in one cell (张三420…, 李四（420…）, 妻：王五 420…) taken apart into two columns; 姓 and 名 in two joined into one.

The column keeps the IDs, a column behind the sheet's last gets the names; headers and letters say where they stood. What
follows reads them as any other name and ID, one to a cell or several.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jiuzhu_cli.core.text import compact, half_width, header_key
from jiuzhu_cli.intake.letters import longest_bytes
from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.column import Column

if TYPE_CHECKING:
    from jiuzhu_cli.intake.body import Body
    from jiuzhu_cli.intake.grid import Grid
    from jiuzhu_cli.intake.layout import Header
    from jiuzhu_cli.tabular.read import Sheet

_ID = re.compile(r"(?<![\dXx*])(\d[\dXx*]{13,18})(?![\dXx*])")
_HAN = re.compile(r"[一-鿿㐀-䶿\U00020000-\U0003ffff][一-鿿㐀-䶿\U00020000-\U0003ffff·•．]*")
_LABEL = re.compile(r"公民身份号码|身份证号码?|身份证|证件号码?|号码|姓名|成员|名字")
_KIN = re.compile(
    r"户主|本人|申请人|配偶|妻子?|丈夫|夫|[之长次三四五]?[子女]|儿子|女儿|儿媳|女婿|父亲?|母亲?|祖[父母]|外?孙子?女?|[兄弟姐妹]+|岳[父母]|公公|婆婆"
)
_HEADER = re.compile(r"姓名|身份证|成员|人员|对象|户主|申请人|家属|共同生活")
_ID_AND_NAME = re.compile(r"姓名|名字|公民身份号码|身份证件?(号码|号)?|证件(号码|号)|号码|[及和与、，,/／+＋&（）()]")
_OWN_ID = re.compile(r"身份证|公民身份号码|身份号码|证件号")
_PLAIN = re.compile(r"(其他|其它|同户|保障|享受|低保|救助|补贴)?(人员|对象|人口|老?年?人)?")
_MEMBERS = re.compile(r"成员|家属|共同生活|家庭")
_SURNAME, _GIVEN = frozenset(("姓", "姓氏")), frozenset(("名", "名字"))
_NOBODY = frozenset("无 没有 暂无 空 单身 一人 独居".split())
_SAMPLE = 60
_SHORTEST = 21  # bytes of a name and an ID
_FEWEST = 0.5  # share of filled cells that must hold both


def take_apart(sheet: Sheet, grid: Grid, body: Body) -> None:
    """Every column of ``body`` whose cells hold names together with IDs becomes two; sheet, grid and header are changed."""
    header = body.header
    for index, words in list(header.parts.items()):
        if not _HEADER.search(header_key("".join(words))) or index >= grid.width:
            continue
        rows = body.rows
        column = grid.columns[index]
        if longest_bytes(column.text[header.last + 1 :]) < _SHORTEST:
            continue  # names alone, IDs alone
        sample = column.take(rows[:: max(1, len(rows) // _SAMPLE)])[:]
        cells = [cell for cell in sample if isinstance(cell, str) and cell.strip()]
        both = sum(len(cell) > 16 and bool(_HAN.search(cell)) and _holds_both(cell) for cell in cells)
        if not both or both < _FEWEST * len(cells):
            continue
        found = {row: people_in(cell) for row in rows.tolist() if isinstance(cell := grid.columns[index][row], str)}
        several = any(len(people) > 1 for people in found.values())
        _replace(sheet, grid, body, index, found, _whose(header, index, several=several))


def join_names(sheet: Sheet, grid: Grid, body: Body) -> None:
    """姓 beside 名, both filled, become 姓名 in the first of the two columns; sheet, grid and header are changed."""
    parts = body.header.parts
    for left in sorted(parts):
        words = [header_key(parts[at][-1]) for at in (left, left + 1) if at in parts]
        if len(words) < 2 or words[0] not in _SURNAME or words[1] not in _GIVEN or left + 1 >= grid.width:
            continue
        names, rest = list(grid.columns[left]), list(grid.columns[left + 1])
        for row in body.rows.tolist():
            both = [str(cell).strip() for cell in (names[row], rest[row]) if cell is not None]
            names[row], rest[row] = "".join(both) or None, None
        for target in {id(sheet): sheet, id(grid.sheet): grid.sheet}.values():
            target.columns[left], target.columns[left + 1] = Column(names), Column(rest)
        grid.columns = grid.sheet.columns
        parts[left] = [*parts[left][:-1], "姓名"]
        del parts[left + 1]


def _whose(header: Header, index: int, *, several: bool) -> str:
    """Whom the column names by its words (监护人, 户主 …): members where it lists them, or beside an ID of the row's own."""
    word = _ID_AND_NAME.sub("", header_key("".join(header.parts[index])))
    others = (header_key("".join(parts)) for at, parts in header.parts.items() if at != index)
    own_id = any(_OWN_ID.search(key) for key in others)
    if several or _MEMBERS.search(word) or (own_id and _PLAIN.fullmatch(word)):
        return "家庭成员"
    return "" if _PLAIN.fullmatch(word) else word


def _holds_both(text: str) -> bool:
    people = people_in(text)
    return any(id_no and name for name, id_no, _ in people)


def people_in(text: str) -> list[tuple[str, str, str]]:
    """(name, ID, kinship) of those whom a cell names, '' for what it leaves out. Names stand before their IDs, or all after."""
    flat = half_width(text)
    marks = list(_ID.finditer(flat))
    if not marks:
        return [(name, "", kin) for name, kin in [_name_in(compact(text))] if name and name not in _NOBODY]
    edges = [0, *(mark.end() for mark in marks)]
    before = [flat[edge : mark.start()] for edge, mark in zip(edges, marks, strict=False)]
    after = [*before[1:], flat[edges[-1] :]]
    spoken = after if not _HAN.search(_LABEL.sub("", before[0])) and _HAN.search(after[-1]) else before
    out = [(*_name_in(piece), mark.group(1)) for piece, mark in zip(spoken, marks, strict=True)]
    people = [(name, id_no, kin) for name, kin, id_no in out]
    if spoken is before and (rest := _name_in(after[-1])[0]) and not _KIN.fullmatch(rest):
        people.append((rest, "", ""))  # somebody without an ID at the end
    return people


def _name_in(piece: str) -> tuple[str, str]:
    """The name and the kinship in what stands around an ID."""
    words = _HAN.findall(_LABEL.sub(" ", piece))
    kin = next((word for word in words if _KIN.fullmatch(word)), "")
    names = [word for word in words if not _KIN.fullmatch(word)]
    if len(names) == 2 and len(names[0]) == len(names[1]) == 1:
        names = ["".join(names)]  # 李 芳
    return (names[0] if names else ""), kin


def _replace(
    sheet: Sheet, grid: Grid, body: Body, index: int, found: dict[int, list[tuple[str, str, str]]], owner: str
) -> None:
    header = body.header
    ids: list[object] = list(grid.columns[index])
    names: list[object] = [None] * grid.height
    place = max(len(sheet.columns), grid.width)
    for row, people in found.items():
        ids[row] = "、".join(id_no for _, id_no, _ in people) or None
        told = [f"{name}（{kin}）" if kin and owner else name for name, _, kin in people]
        names[row] = "、".join(told) if any(told) else None
    letters = header.letters.get(index) or column_letters(index)
    for target in {id(sheet): sheet, id(grid.sheet): grid.sheet}.values():
        target.columns += [Column([None] * target.height) for _ in range(place - len(target.columns))]
        target.columns.append(Column(names))
        target.columns[index] = Column(ids)
        target.width = len(target.columns)
    grid.columns, grid.width = grid.sheet.columns, len(grid.sheet.columns)
    header.parts[index], header.parts[place] = [f"{owner}身份证号"], [f"{owner}姓名"]
    header.letters[place] = letters
