"""What each row under a header is: data, total, repeated header, note, signature, group heading, the next table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.grid import Grid, cell_text, is_number, looks_like_id
from jiuzhu_cli.intake.layout import Header, Known, headerish, is_header_row, read_header

TOTAL = re.compile(
    r"^(总|合|共|累|小|总合)计($|[^一-鿿]|金额|户|人|数|大写|元|资金|发放)|^(本页|全[镇乡村县区市]|本[镇乡村])(小计|合计|总计|共计)|(小计|合计|总计|共计)([:：（(\d].*)?$|^(人民币|金额|资金)?(合计|总计|共计)?[:：]?(人民币)?[（(]?大写|^(过次页|承前页|转下页|接上页|本页计|页计)"
)
_COUNTED = re.compile(r"^(以上|全[村镇乡区])?(共|合|总)?计?[:：]?\d+户")
SUBTOTAL = re.compile(
    r"小计|本页|次页|前页|下页|上页|页计|^(?!全|本[镇乡村区]).{1,12}[村居组区队镇乡道处](合计|共计|计)"
)
_STATISTIC = re.compile(r"(平均|户均|人均|最高|最低|最大|最小)(数|值|金额|补差|水平)?")
SIGNATURE = re.compile(
    r"^(制表|审核|复核|填报|填表|经办|负责|审批|主管|分管|领导|核对|会计|出纳|单位负责|单位盖章|单位[（(]盖章|(村|镇|乡).{0,8}盖章|打印|导出|报送|校对|统计|联系人|科室)"
    r".{0,8}[人员章字间期导)）]{0,3}([:：]|[(（]|$)"
)
NOTE = re.compile(
    r"^(注|备注|说明|附|填表说明|填报说明|提示|监督电话|举报电话|咨询电话|投诉电话|\*|※|第\d+页|共\d+页|[一二三四五六七八九十]+、|[(（]?\d{1,2}[)）、.．](?!\d))"
)
GROUP = re.compile(
    r"^(?:第?[一二三四五六七八九十\d]+[、.．])?([^\d：:，,。]{1,14}?(?:村民委员会|村委会|居委会|居民委员会|社区|村|居|组|屯|分场|队))"
    r"(?:[:：]?[（(]?(?:共|合计)?\d+(?:户|人|户\d+人).*)?[:：]?$"
)
TOWN_GROUP = re.compile(
    r"^(?:[一二三四五六七八九十\d]+[、.．])?([一-鿿]{2,8}(?:镇|乡|街道|街道办事处|苏木))(?:[:：]?[（(]?(?:共|合计)?\d+(?:户|人).*)?[:：]?$"
)
PAGE = re.compile(
    r"第\s*[\d一二三四五六七八九十]+\s*页|共\s*[\d一二三四五六七八九十]+\s*页|[（(]?续表?[一二三四五六七八九十\d]*[)）]?|\s"
)
_REPORTED = re.compile(r"(填报|填表|编制|制表|报送|上报|金额)?(单位|部门|日期|时间|年月)[:：]")
_PLACES = re.compile(r"[一-鿿]{2,6}?(?:镇|乡|街道|村|社区|苏木)")
_SPREAD = re.compile(r"^(合|总|小|共)计[:：]?$")  # 合 | 计 in cells of their own
_DAY = re.compile(
    r"^(日期[:：]?)?(20\d\d|二[〇○零]..)[-./年][\d一二三四五六七八九十]{1,3}([-./月]([\d一二三四五六七八九十]{1,3}日?)?)?$"
)
_OFFICE = re.compile(
    r"(政府|办公室|民政[局办所]|服务中心|委员会|街道办|办事处|[村居]委会|社区|合作社)([（(](盖?章|公章)[)）])?$"
)
_NAME = re.compile(r"^[一-鿿㐀-䶿]{2,4}$|^[一-鿿㐀-䶿]{1,10}[·•．.][一-鿿㐀-䶿·•．.]{1,15}$")
_LIKE_ID = re.compile(r"^(?=(?:.*\d){11})[\dXx*]{15,19}$")
_KINSHIP = re.compile(r"^[一-鿿]{1,6}$")


@dataclass(slots=True)
class Body:
    """The rows below one header, up to the next table. ``titles`` are the texts above it, one list per row."""

    header: Header
    titles: list[list[str]]
    rows: np.ndarray
    skipped: list[tuple[int, str]] = field(default_factory=list)
    groups: list[tuple[int, str]] = field(default_factory=list)  # (row, town or village) headings inside the table
    odd: list[int] = field(default_factory=list)  # data rows whose ID cell is not written like one


def read_titles(grid: Grid, start: int, stop: int) -> list[list[str]]:
    """Texts of the rows above a header, distinct, row by row."""
    out = []
    for row in range(start, stop):
        texts = list(dict.fromkeys(" ".join(cell_text(value).split()) for _, value in grid.cells(row)))
        if texts:
            out.append(texts)
    return out


def _same_titles(left: list[list[str]], right: list[list[str]]) -> bool:
    """Whether two title blocks differ only in page numbers (a header printed on each page), or in who reports and when."""

    def plain(titles: list[list[str]]) -> set[str]:
        return {PAGE.sub("", text) for texts in titles for text in texts} - {""}

    said, fresh = plain(left), plain(right) - plain(left)
    if not fresh or fresh == plain(right):  # nothing new; nothing of the old
        return not fresh
    told = "".join(said)
    return all(_REPORTED.match(line) and all(place in told for place in _PLACES.findall(line)) for line in fresh)


def _only_places(titles: list[list[str]]) -> bool:
    """Whether what stands above a header are headings of villages or towns inside one list."""
    flat = [compact(text) for texts in titles for text in texts]
    return all(GROUP.match(text) or TOWN_GROUP.match(text) for text in flat)


def kind_of(grid: Grid, row: int, cells: list[tuple[int, Any]], keys: dict[int, str], known: Known) -> str:
    """The kind of one row below a header; ``keys`` are the header words by column. See ``Table.skipped``."""
    if not cells:
        return "blank"
    if any(looks_like_id(value) for _, value in cells):
        return "data"
    texts = [(column, compact(cell_text(value))) for column, value in cells]
    hits = sum(header_key(text) in keys.get(column, "") and len(text) > 1 for column, text in texts)
    if hits >= 2 and hits >= 0.6 * len(texts):
        return "repeated_header"
    if names_somebody(cells, keys, known):
        return "data"
    if is_header_row(cells, known):
        return "header"
    long_numbers = any(re.fullmatch(r"[\d*xX]{11,}", text) for _, text in texts)
    for text in _labels(texts):
        if (TOTAL.search(text) or _COUNTED.search(text)) and len(text) <= 60 and not long_numbers:
            return "subtotal" if SUBTOTAL.search(text) else "total"
    if _STATISTIC.fullmatch(texts[0][1]) and not long_numbers:
        return "note"
    if (
        len(cells) <= 3
        and all(_DAY.match(text) or _OFFICE.search(text) for _, text in texts)
        and _DAY.match(texts[-1][1])
    ):
        return "signature"
    paged = len(cells) <= 3 and any(PAGE.search(text) for _, text in texts)
    if paged and all(_DAY.match(text) or not PAGE.sub("", text).strip("，,、/") for _, text in texts):
        return "note"  # 2026年11月 | 第2页, printed above each page's header
    strings = [text for (_, value), (_, text) in zip(cells, texts, strict=True) if not is_number(value)]
    if strings and len(cells) <= 8 and SIGNATURE.search(strings[0]) and not long_numbers:
        return "signature"
    if len({text for _, text in texts}) == 1:
        return _single(texts[0], keys)
    if len(cells) <= 3 and strings and not _has_name(texts, keys):
        if (GROUP.match(strings[0]) or TOWN_GROUP.match(strings[0])) and all(
            re.fullmatch(r"\d+[户人]?|[\d.]+", text) for text in strings[1:]
        ):
            place = re.search(r"村|社区|居|组|地区|地址|镇|乡|街", keys.get(_column_of(texts, strings[0]), ""))
            return "group" if texts[0][0] <= min(keys) + 1 and not place else "data"
        if NOTE.match(strings[0]) or re.search(r"[：:]", strings[0]):
            return "note"
    return "data"


def _labels(texts: list[tuple[int, str]]) -> list[str]:
    """Texts of a row that may call it a total: its first ones, its last, and a word spread over cells."""
    first = [text for _, text in texts[:4]]
    return first + [word for word in (texts[-1][1], "".join(first[:2])) if _SPREAD.match(word)]


def names_somebody(cells: list[tuple[int, Any]], keys: dict[int, str], known: Known) -> bool:
    """Whether a row holds an ID, what is left of one, or a name with its kinship: such a row is never passed over.

    Of an ID are left 15 to 19 digits (with X or stars), under whatever header.
    """
    if any(looks_like_id(value) for _, value in cells):
        return True
    texts = [(column, compact(cell_text(value)).lstrip("'‘’")) for column, value in cells]
    if any(_LIKE_ID.match(text) for _, text in texts):
        return True
    related = any(
        "关系" in keys.get(column, "")
        and _KINSHIP.match(text)
        and (text in ("户主", "本人", "申请人") or not headerish(text, known))
        for column, text in texts
    )
    named = [text for column, text in texts if _has_name([(column, text)], keys) and not headerish(text, known)]
    return related and bool(named) and not any(TOTAL.search(text) for _, text in texts)


def _column_of(texts: list[tuple[int, str]], text: str) -> int:
    return next(column for column, other in texts if other == text)


def _has_name(texts: list[tuple[int, str]], keys: dict[int, str]) -> bool:
    return any(re.search("姓名|户主$", keys.get(column, "")) and _NAME.match(text) for column, text in texts)


def _single(cell: tuple[int, str], keys: dict[int, str]) -> str:
    """A row with one text: a heading, a note, or what is left of a person's row."""
    column, text = cell
    if re.fullmatch(r"-?\d{1,6}", text):
        return "data" if keys.get(column) and "序号" not in keys[column] else "note"
    if GROUP.match(text) or TOWN_GROUP.match(text):
        return "group"
    if (
        re.search("备注|说明", keys.get(column, ""))
        or NOTE.match(text)
        or SIGNATURE.search(text)
        or (_OFFICE.search(text) and not re.search(r"[村居乡镇街组]|社区|地区|单位|住址|地址", keys.get(column, "")))
        or len(text) > 12
        or re.search(r"[：:。；]", text)
    ):
        return "note"
    if re.search(r"(表|册|名单|台账|以下空白|此页无正文)$", text) or re.search(r"^(以下|下转|续)", text):
        return "note"
    return "data" if keys.get(column) else "note"


def read_body(grid: Grid, header: Header, titles: list[list[str]], known: Known) -> tuple[Body, int]:
    """The rows of the table under ``header`` and the row where the next table's titles begin (height at the end)."""
    keys = header.keys()
    id_column = grid.id_column(header.last + 1, 0, grid.width - 1)
    start = header.last + 1
    if id_column is None:
        rows = np.arange(start, grid.height)
    else:
        rows = (~grid.regular(id_column)[start:]).nonzero()[0] + start
    kinds: dict[int, str] = {}
    block = [grid.cells(row) for row in range(header.first, header.last + 1)]
    end, stop, skip_to = grid.height, grid.height, -1
    for row in rows.tolist():
        if row < skip_to:
            continue
        cells = grid.cells(row)
        if cells == block[0] and kinds.get(row - 1, "data") in ("data", "repeated_header"):
            # printed again, word for word and without a title: the common case, by the thousand
            size = next(
                (n for n in range(1, len(block)) if row + n >= grid.height or grid.cells(row + n) != block[n]),
                len(block),
            )
            if size == len(block):
                kinds.update(dict.fromkeys(range(row, row + size), "repeated_header"))
                skip_to = row + size
                continue
        kind = kind_of(grid, row, cells, keys, known)
        if kind in ("header", "repeated_header"):
            first = _title_start(grid, row, kinds, keys, start, known)
            found = read_header(grid, row, first, known)
            above = read_titles(grid, first, found.first)
            if found.keys() == keys and (_same_titles(titles, above) or _only_places(above)):
                again = [at for at in range(first, found.last + 1) if kinds.get(at) != "group"]
                kinds.update(dict.fromkeys(again, "repeated_header"))
                skip_to = found.last + 1
                continue
            if kind == "repeated_header" and first == row and found.keys() != keys:
                kinds[row] = kind  # a stray piece of the same header
                continue
            end = stop = first
            break
        kinds[row] = kind
    return _collect(grid, Body(header, titles, np.empty(0, dtype=np.int64)), kinds, start, end), stop


def _collect(grid: Grid, body: Body, kinds: dict[int, str], start: int, end: int) -> Body:
    keep = np.ones(max(0, end - start), dtype=bool)
    for row in sorted(kinds):
        if row >= end:
            break
        kind = kinds[row]
        if kind == "data":
            body.odd.append(row)
            continue
        keep[row - start] = False
        body.skipped.append((row, kind))
        if kind == "group":
            label = next(
                text for _, value in grid.cells(row) if re.search("[一-鿿]", text := compact(cell_text(value)))
            )
            match = TOWN_GROUP.match(label) or GROUP.match(label)
            body.groups.append((row, match.group(1) if match else ""))
    body.rows = keep.nonzero()[0] + start
    return body


def _title_start(
    grid: Grid, header_row: int, kinds: dict[int, str], keys: dict[int, str], floor: int, known: Known
) -> int:
    """The first row of the titles that stand directly above a header found at ``header_row``."""
    first = header_row
    seen_text = False
    for row in range(header_row - 1, max(floor, header_row - 8) - 1, -1):
        kind = kinds.get(row)
        if kind is None or kind in ("total", "subtotal", "repeated_header"):
            break
        if kind == "blank":
            if seen_text:
                break
            continue
        cells = grid.cells(row)
        if names_somebody(cells, keys, known):
            break
        if kind == "signature" and not re.match(r"填报|填表|单位", compact(cell_text(cells[0][1]))):
            break
        if kind == "data" and (len(cells) > 4 or any(is_number(value) and value > 9999 for _, value in cells)):
            break
        first, seen_text = row, True
    return first
