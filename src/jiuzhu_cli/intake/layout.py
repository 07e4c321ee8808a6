"""Where the header of a table stands on a sheet, and what each column's header says (one to three rows, merged or not)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.grid import Grid, cell_text, looks_like_id

Known = Callable[[str], bool]  # whether a header key is one of the glossary's

_HEADERISH = re.compile(
    r"(姓名|户主|身份证.*|证件.*|号码?|账号|账户|卡号|金额|资金|标准|合计|关系|序号|备注|人口数?|人数|户数|乡镇|村.{0,3}|地址|住址|日期|时间"
    r"|等级|类别|类型|性别|年龄|民族|电话|方式|原因|情况|能力|银行|网点|信息|收入|费用?|基本|月份|编号|签[字名章]|状态|单位)$"
)
_PARENT = re.compile(
    r"(信息|情况|成员|金额|资金|账户|户主|申请人|对象|补贴|补助|收入|财产|保障金?|人员|项目|标准|监护人|领款人|代领人|配偶)"
)
_TITLE = re.compile(r"(表|册|名单|台账|公示|清单|花名|明细|汇总|统计|情况)$|[：:]")
_MONTH = re.compile(r"^(20\d\d年)?(\d{1,2}|[一二三四五六七八九十]{1,2})月份?(金额|资金|补[贴助]|津贴|发放)?$")
_ORDINAL = re.compile(r"^[(（]?(\d{1,2}|[甲乙丙丁戊己庚辛壬癸]|[①-⑳]|[A-Z]|栏次)[)）]?([=＝+\-*×/\d()A-Z]*)$")
_PLACE = re.compile(r"^[一-鿿]{1,12}(村|社区|居委会|村委会|镇|乡|街道)$")
_UNIT_ONLY = re.compile(
    r"^[（(](亿元|万元|千元|元|角|分|人|户|口|岁|周岁|月|年|个月|次|平方米|㎡)(/[人户月年]+){0,2}[)）]$"
)
MAX_HEADER_ROWS = 3
SEARCH_ROWS = 400  # a header deeper than this below a sheet's first line is no header


@dataclass(slots=True)
class Header:
    """A header block: rows ``first``..``last``; ``parts`` gives per column its texts from top to bottom.

    ``letters``: of columns that stand elsewhere on the sheet than their index says (taken out of another, ``mixed``).
    """

    first: int
    last: int
    anchor: int
    parts: dict[int, list[str]] = field(default_factory=dict)
    letters: dict[int, str] = field(default_factory=dict)

    def keys(self) -> dict[int, str]:
        return {column: header_key("".join(parts)) for column, parts in self.parts.items()}


def headerish(text: str, known: Known) -> bool:
    """Whether a text reads like the head of a column: a glossary word, or short and ending like one."""
    key = header_key(text)
    if known(key) or _MONTH.match(key):
        return True
    return 1 < len(key) <= 16 and not re.search(r"\d{3}", key) and bool(_HEADERISH.search(key))


def is_header_row(cells: list[tuple[int, Any]], known: Known) -> bool:
    """Whether the cells of one row can be a header: mostly words that name columns, and no data."""
    texts = [(column, value) for column, value in cells if isinstance(value, str)]
    if not texts or len(cells) - len(texts) > max(1, len(cells) // 5):
        return False
    distinct = {compact(value) for _, value in texts}
    if any(looks_like_id(value) or len(value) > 60 for _, value in texts):
        return False
    sure = sum(known(header_key(text)) for text in distinct)
    likely = sum(headerish(text, known) for text in distinct)
    if sure >= 3 and likely >= 0.5 * len(distinct):
        return True
    naming = any(re.search(r"姓名|户主|身份证|名称|证件号|身份号码|对象$|申请人|收款人", text) for text in distinct)
    return naming and sure >= 1 and likely >= 2 and likely >= 0.6 * len(distinct)


def find_header(grid: Grid, start: int, known: Known) -> Header | None:
    """The next header block at or below row ``start``; None when there is none within ``SEARCH_ROWS`` rows."""
    for row in range(start, min(grid.height, start + SEARCH_ROWS)):
        cells = grid.cells(row)
        if cells and (is_header_row(cells, known) or _single_id_header(grid, row, cells, known)):
            if _on_a_card(grid, row, cells, known):
                continue
            return read_header(grid, row, start, known)
    return _unknown_words(grid, start, known)


def _on_a_card(grid: Grid, row: int, cells: list[tuple[int, Any]], known: Known) -> bool:
    """Whether words and values take turns, here and in the row below (姓名 王某 性别 男 / 身份证号 …): a card, no header."""
    says = [known(header_key(cell_text(value))) for _, value in cells]
    if len(says) < 2 or says != [at % 2 == 0 for at in range(len(says))]:
        return False
    below = next((found for at in range(row + 1, min(row + 4, grid.height)) if (found := grid.cells(at))), [])
    return bool(below) and below[0][0] == cells[0][0] and known(header_key(cell_text(below[0][1])))


def _unknown_words(grid: Grid, start: int, known: Known) -> Header | None:
    """A header in words that no list holds (xm, sfzh): the row of short texts right above the first ID."""
    column = grid.id_column(start, 0, grid.width - 1)
    if column is None:
        return None
    stop = min(grid.height, start + SEARCH_ROWS)
    row = next((row for row in range(start, stop) if looks_like_id(grid.value(row, column))), 0) - 1
    if row < start or any(known(header_key(cell_text(value))) for _, value in grid.cells(row + 1, 0, column)):
        return None
    cells = grid.cells(row)
    words = [str(value) for _, value in cells if isinstance(value, str)]
    filled = len(grid.cells(row + 1))
    if (
        len(words) < len(cells)
        or len(words) < max(2, 0.6 * filled)
        or any(len(w) > 20 or re.search(r"\d{3}|[：:]", w) for w in words)
    ):
        return None
    return read_header(grid, row, row, known)


def _single_id_header(grid: Grid, row: int, cells: list[tuple[int, Any]], known: Known) -> bool:
    """A list of one column only: the word 身份证号 above an ID."""
    if len(cells) != 1 or not known(header_key(cell_text(cells[0][1]))) or row + 1 >= grid.height:
        return False
    return looks_like_id(grid.value(row + 1, cells[0][0]))


def read_header(grid: Grid, anchor: int, start: int, known: Known) -> Header:
    """The whole header block around the row ``anchor``, not reaching above ``start``."""
    last = anchor
    while last - anchor < MAX_HEADER_ROWS - 1 and last + 1 < grid.height and _is_child(grid, anchor, last + 1, known):
        last += 1
    first = anchor
    while first > start and last - first < MAX_HEADER_ROWS - 1 and _is_parent(grid, first - 1, first, known):
        first -= 1
    labelled = last
    if last + 1 < grid.height and _is_ordinal_row(grid.cells(last + 1)):
        last += 1
    translated = {row for row in range(first, labelled + 1) if row != anchor and _other_language(grid.cells(row))}
    parts = _join(grid, first, labelled, translated)
    _join_split_words(grid, parts, last, known)
    return Header(first, last, anchor, parts)


def _other_language(cells: list[tuple[int, Any]]) -> bool:
    """Whether a row says everything in letters other than Chinese, without a digit: the header in a second language."""
    texts = [str(value) for _, value in cells]
    return len(cells) > 1 and all(
        isinstance(value, str) and any(map(str.isalpha, text)) and not re.search(r"[\d\u3400-\u9fff]", text)
        for (_, value), text in zip(cells, texts, strict=True)
    )


def _join_split_words(grid: Grid, parts: dict[int, list[str]], last: int, known: Known) -> None:
    """姓 | 名 over two columns of which one is empty (a table out of a text document) is 姓名 over the other."""
    stop = min(grid.height, last + 31)
    for left in sorted(parts):
        pair = parts.get(left), parts.get(left + 1)
        if (
            pair[0] is None
            or pair[1] is None
            or known(header_key("".join(pair[0])))
            or known(header_key("".join(pair[1])))
        ):
            continue
        word = pair[0][-1] + pair[1][-1]
        filled = [any(grid.text(row, column) for row in range(last + 1, stop)) for column in (left, left + 1)]
        if known(header_key(word)) and sum(filled) == 1:
            parts[left if filled[0] else left + 1] = [word]
            del parts[left + 1 if filled[0] else left]


def _is_ordinal_row(cells: list[tuple[int, Any]]) -> bool:
    """The 栏次 row under official headers: 甲 乙 1 2 3=1+2."""
    texts = [compact(cell_text(value)) for _, value in cells]
    if len(texts) < 3 or not all(_ORDINAL.match(text) for text in texts):
        return False
    numbers = [int(match.group(1)) for text in texts if (match := re.match(r"[(（]?(\d{1,2})", text))]
    numbers = numbers or [ord(text[0]) - ord("①") + 1 for text in texts if "①" <= text[0] <= "⑳"]
    return len(numbers) >= 2 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _spans(grid: Grid, row: int) -> list[tuple[int, int, int, int]]:
    return [area for area in grid.merges_at(row) if area[3] > area[1]]


def _is_child(grid: Grid, anchor: int, row: int, known: Known) -> bool:
    """Whether ``row`` continues the header: its cells are column words standing under wider heads."""
    cells = grid.cells(row)
    above = dict(grid.cells(row - 1))
    if not cells or any(not isinstance(value, str) or looks_like_id(value) or len(value) > 30 for _, value in cells):
        return False
    if all(_UNIT_ONLY.match(compact(str(value))) for _, value in cells):
        return True
    if len(cells) >= 0.6 * len(above) and set(dict(cells)) <= set(above) and _other_language(cells):
        return True
    keys = [header_key(str(value)) for _, value in cells]
    if [header_key(cell_text(above.get(column))) for column, _ in cells] == keys:
        return False  # the same header once more
    likely = sum(headerish(str(value), known) for _, value in cells)
    tall = [area for area in grid.merges_at(row) if area[0] < row and area[2] >= row]
    wide = [area for area in _spans(grid, row - 1) if area[2] == row - 1]
    under_wide = all(any(area[1] <= column <= area[3] for area in wide) for column, _ in cells)
    if wide and under_wide and (tall or likely >= 0.5 * len(cells)):
        return not any(re.search(r"\d{4,}", str(value)) for _, value in cells)
    if wide and tall and likely >= 0.8 * len(cells):
        return True  # two rows of words, some of them under heads of their own width: 应发 over 金额
    # Merges lost (csv, 跨列居中): the row fills the gaps right of a head, and the head's own column
    full = {column for column, _ in grid.cells(row)}
    gaps = {column for column in full if column not in above}
    if not gaps or likely < max(2, 0.6 * len(cells)):
        return False
    return all(column in gaps or column + 1 in gaps for column in full)


def _is_parent(grid: Grid, row: int, below: int, known: Known) -> bool:
    """Whether ``row`` is the upper row of the header that begins at ``below``."""
    cells = grid.cells(row)
    if not cells or any(not isinstance(value, str) for _, value in cells):
        return False
    texts = [compact(str(value)) for _, value in cells]
    if any(len(text) > 20 or re.search(r"[：:].|20\d\d|\d{4,}", text) for text in texts):
        return False
    if all(_PLACE.search(text) and not known(header_key(text)) for text in texts):
        return False  # the villages of lists that stand side by side
    header_columns = [column for column, _ in grid.cells(below)]
    width = header_columns[-1] - header_columns[0] + 1
    spans = _spans(grid, row)
    if any(area[3] - area[1] + 1 >= max(3, 0.8 * width) for area in spans) and len(cells) <= 2:
        return False  # a title over everything
    if spans and any(area[2] == row for area in spans):
        return all(headerish(text, known) or _PARENT.search(text) or not _TITLE.search(text) for text in texts)
    tall = [area for area in grid.merges_at(below) if area[0] <= row]
    words = sum(headerish(text, known) or bool(_PARENT.search(text)) for text in texts)
    if tall and words:
        return True
    if len(cells) == 1:
        return (
            len(header_columns) > 3
            and bool(_PARENT.search(texts[0]))
            and not _TITLE.search(texts[0])
            and cells[0][0] > header_columns[0]
        )
    return words >= max(2, 0.6 * len(cells)) and not all(known(header_key(text)) for text in texts) | (
        len(cells) > len(header_columns)
    )


def _join(grid: Grid, first: int, last: int, translated: set[int]) -> dict[int, list[str]]:
    """Per column the header texts from top to bottom: merged heads spread over their columns, blanks mean "continues"."""
    rows: list[dict[int, str]] = []
    for row in range(first, last + 1):
        if row in translated:
            rows.append({})
            continue
        texts = {column: _one_line(cell_text(value)) for column, value in grid.cells(row)}
        for area in _spans(grid, row):
            head = _one_line(grid.text(area[0], area[1]))
            if head and area[0] == row:
                texts.update(dict.fromkeys(range(area[1], min(area[3], grid.width - 1) + 1), head))
        rows.append(texts)
    merged_rows = [
        {c for area in grid.merges_at(row) for c in range(area[1], area[3] + 1)} for row in range(first, last + 1)
    ]
    for index in range(len(rows) - 1):  # spread a head over the blanks right of it, where the row below has words
        upper, lower = rows[index], rows[index + 1]
        for column in sorted(lower):
            left = upper.get(column - 1)
            if column in upper or column in merged_rows[index] or not left:
                continue
            if column - 1 in lower and column - 1 not in merged_rows[index] and not _own_column(lower[column], left):
                upper[column] = left
    parts: dict[int, list[str]] = {}
    for texts in rows:
        for column, text in texts.items():
            have = parts.setdefault(column, [])
            if text and (not have or have[-1] != text):
                have.append(text)
    return {column: texts for column, texts in parts.items() if texts}


def _own_column(lower: str, upper_left: str) -> bool:
    """Words that never continue the head left of them."""
    return header_key(lower) in ("备注", "序号", "联系电话", "签字", "签名") and "金额" not in upper_left


def _one_line(text: str) -> str:
    return re.sub(r"\s+", "", text)


def panels(header: Header) -> list[Header]:
    """The header split where lists stand side by side: the same columns printed again to the right (左右两栏), or lists of
    their own with a blank column between, each with a name and an ID; else the header itself."""
    keys = header.keys()
    columns = [column for column in sorted(keys) if keys[column]]
    for count in (2, 3, 4):
        size, rest = divmod(len(columns), count)
        if rest or size < 2:
            continue
        chunks = [columns[index * size : (index + 1) * size] for index in range(count)]
        words = [[keys[column] for column in chunk] for chunk in chunks]
        if all(word == words[0] for word in words) and any(re.search("姓名|身份证|户主", key) for key in words[0]):
            return [_part(header, chunk) for chunk in chunks]
    gaps = [at for at in range(1, len(columns)) if columns[at] > columns[at - 1] + 1]
    chunks = [columns[start:stop] for start, stop in zip([0, *gaps], [*gaps, len(columns)], strict=True)]
    ids = [{keys[column] for column in chunk if re.search("身份证|证件号", keys[column])} for chunk in chunks]
    names = [{keys[column] for column in chunk if re.search("姓名", keys[column])} for chunk in chunks]
    if len(chunks) > 1 and all(found and found & ids[0] for found in ids) and all(found & names[0] for found in names):
        return [_part(header, chunk) for chunk in chunks]
    return [header]


def _part(header: Header, columns: list[int]) -> Header:
    return Header(header.first, header.last, header.anchor, {column: header.parts[column] for column in columns})
