"""What a table says about itself: its 合计 row, 125户 312人 in words. Compared later with the sum of the rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jiuzhu_cli.core.money import parse_amount, parse_capitals
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.grid import Grid, cell_text, is_number
from jiuzhu_cli.intake.table import Column, Table

if TYPE_CHECKING:
    from jiuzhu_cli.intake.work import Work

_YUAN = re.compile(r"(?:合计|总计|共计|金额|发放|资金)?[:：]?([\d,]+(?:\.\d+)?)(万元|元)")
_CAPITALS = re.compile(r"[零壹贰叁肆伍陆柒捌玖拾佰仟万亿]{1,20}[元圆][零壹贰叁肆伍陆柒捌玖角分整正]{0,8}")
_HOUSEHOLDS = re.compile(r"(\d+)户")
_PERSONS = re.compile(r"(\d+)人(?!均)")


@dataclass(slots=True)
class Stated:
    """Figures of one total row; None where it states none."""

    row: int
    label: str
    fen: int | None = None
    households: int | None = None
    persons: int | None = None


def read_total(grid: Grid, row: int, table: Table, last: int) -> Stated:
    """The figures of the total row ``row``; amounts by the unit of the amount column."""
    cells = grid.cells(row, 0, last)
    texts = [compact(cell_text(value)) for _, value in cells]
    out = Stated(row, next((text for text in texts if re.search("[计页]", text)), ""))
    amount = table.column("amount_fen")
    if amount is not None:
        out.fen = _amount(grid.value(row, amount.index), amount)
    words = " ".join(text for text, (_, value) in zip(texts, cells, strict=True) if not is_number(value))
    if out.fen is None and (match := _YUAN.search(words)):
        out.fen = parse_amount(match.group(1), match.group(2)).fen
    if out.fen is None and (capitals := _CAPITALS.search(words)):
        out.fen = parse_capitals(capitals.group(0))
    if match := _HOUSEHOLDS.search(words):
        out.households = int(match.group(1))
    if match := _PERSONS.search(words):
        out.persons = int(match.group(1))
    for code in ("covered_persons", "household_size"):
        column = table.column(code)
        if out.persons is None and column is not None:
            value = grid.value(row, column.index)
            if is_number(value) and float(value).is_integer():
                out.persons = int(value)
            elif isinstance(value, str) and re.fullmatch(r"\d{1,7}人?", compact(value)):
                out.persons = int(compact(value).rstrip("人"))
    return out


def _amount(value: object, column: Column) -> int | None:
    if isinstance(value, str):
        value = re.sub(r"^(合计|总计|小计|共计)[:：]?", "", compact(value))
    elif isinstance(value, float):
        value = round(value, 6)  # a sum of floats carries binary dust
    found = parse_amount(value, column.unit)
    if found.fen is None and isinstance(value, float):
        found = parse_amount(round(value, 2), column.unit)
    return found.fen


_PEOPLE = (
    "name",
    "id_no",
    "head_name",
    "head_id_no",
    "payee_name",
    "payee_id_no",
    "account_no",
    "member_names",
    "member_ids",
)


def drop_bare_totals(work: Work) -> None:
    """Skips rows of figures alone that add up the rows above them (a 小计 or 合计 without the word), or all rows below.

    Such a row names nobody and its amount proves what it is; any other stays a row and is refused for want of a name.
    """
    table, grid = work.table, work.grid
    amount = table.column("amount_fen")
    keys = {column.index for code in _PEOPLE if (column := table.column(code)) is not None}
    if amount is None or not keys:
        return
    taken = set(table.rows.tolist())
    bare = [row for row in work.body.odd if row in taken and _figures_only(grid, row, keys, amount.index)]
    if not bare:
        return
    rows = [row for row in table.rows.tolist() if row not in bare]
    fen = {row: _amount(grid.value(row, amount.index), amount) or 0 for row in [*rows, *bare]}
    closed = [row for row, kind in table.skipped if kind in ("subtotal", "total")]
    found: list[tuple[int, str]] = []
    for row in bare:
        start = max((other for other in [*closed, *(at for at, _ in found)] if other < row), default=-1)
        whole = sum(fen[at] for at in rows if at < row)
        part = sum(fen[at] for at in rows if start < at < row)
        below = sum(fen[at] for at in rows) if not whole else 0
        if fen[row] and fen[row] in (part, whole, below):
            last = fen[row] in (whole, below) and (below or row > rows[-1])
            found.append((row, "total" if last else "subtotal"))
    if found:
        table.rows = table.rows[~np.isin(table.rows, [row for row, _ in found])]
        table.skipped = sorted([*table.skipped, *found])


def _figures_only(grid: Grid, row: int, keys: set[int], amount: int) -> bool:
    """Whether a row has an amount and beside it only figures: none that could be a person's ID or account."""
    cells = grid.cells(row)
    texts = {index: compact(cell_text(value)) for index, value in cells}
    if amount not in texts or any(
        index in keys and not re.fullmatch(r"\d{1,6}[人户]", text) for index, text in texts.items()
    ):
        return False
    return all(re.fullmatch(r"[\d,.]{1,16}[人户口元]?", text) for text in texts.values())


def state_totals(grid: Grid, table: Table, last: int) -> None:
    """Sets what the table states of itself; of a total for several months this month's part."""
    _state(grid, table, last)
    if table.stated_total_fen is not None and table.months_shared > 1:
        whole, rest = divmod(table.stated_total_fen, table.months_shared)
        table.stated_total_fen = None if rest else whole


def _state(grid: Grid, table: Table, last: int) -> None:
    """Sets the stated figures of ``table``. Of several 合计 the one over everything counts, else their sum.

    Sub-totals (小计, 东风村合计, 本页合计) only speak when they are all there is and cover every row. A single 合计 that is
    just the sum of the rows of the last page is the page's: ``stated_of_page``.
    """
    totals = [read_total(grid, row, table, last) for row, kind in table.skipped if kind == "total"]
    subs = [read_total(grid, row, table, last) for row, kind in table.skipped if kind == "subtotal"]
    told = [total for total in totals if total.fen is not None or total.households or total.persons]
    if not told:
        _state_subs(table, subs)
        return
    chosen = told[-1]
    if len(told) > 1:
        grand = [total for total in told if total.label.startswith(("总计", "总合计", "累计"))]
        chosen = grand[-1] if grand else told[-1]
        if not grand and not _covers_all(told, _Sums(grid, table)):
            _add_up(table, told)
            return
    table.stated_total_fen = chosen.fen
    table.stated_households = chosen.households
    table.stated_persons = chosen.persons
    pages = _page_starts(table)
    if chosen.fen is not None and pages and chosen.row > pages[-1]:
        sums = _Sums(grid, table)
        table.stated_of_page = chosen.fen == sums.between(pages[-1], chosen.row) != sums.between(0, grid.height)


def _state_subs(table: Table, subs: list[Stated]) -> None:
    """Sub-totals that cover every row state the whole; those of pages when each page has one."""
    if not subs or not len(table.rows) or subs[-1].row < int(table.rows[-1]) or any(sub.fen is None for sub in subs):
        return
    of_pages = [sub for sub in subs if "页" in sub.label]
    if not of_pages or (len(of_pages) == len(subs) == len(_page_starts(table)) + 1 and not _carried(subs)):
        table.stated_total_fen = sum(sub.fen or 0 for sub in subs)


def _carried(subs: list[Stated]) -> bool:
    """Running sums (过次页, 承前页) add up nothing."""
    return any(re.search("次页|前页|下页|上页", sub.label) for sub in subs)


def _page_starts(table: Table) -> list[int]:
    """Rows below the first data row where a header printed again begins a page."""
    first = int(table.rows[0]) if len(table.rows) else 0
    rows = [row for row, kind in table.skipped if kind == "repeated_header" and row > first]
    return [row for at, row in enumerate(rows) if not at or row != rows[at - 1] + 1]


class _Sums:
    """Sums of the amount column over data rows; read only where labels leave in doubt what a 合计 is of."""

    def __init__(self, grid: Grid, table: Table) -> None:
        self._rows = table.rows
        column = table.column("amount_fen")
        values = [0] * len(table.rows)
        if column is not None:
            values = [_amount(grid.value(row, column.index), column) or 0 for row in table.rows.tolist()]
        self._upto = np.concatenate([[0], np.cumsum(np.array(values, dtype=np.int64))])

    def between(self, first: int, last: int) -> int:
        """分 of the data rows from sheet row ``first`` up to ``last``, not included."""
        start, stop = np.searchsorted(self._rows, [first, last])
        return int(self._upto[stop] - self._upto[start])


def _covers_all(told: list[Stated], sums: _Sums) -> bool:
    """Whether the last 合计 is the sum of those before it, or of all rows (or repeats them, and they are not one a page)."""
    before = [total.fen or 0 for total in told[:-1]]
    last = told[-1].fen or 0
    each = [sums.between(start, total.row) for start, total in zip([0, *(t.row for t in told)], told, strict=False)]
    if each == [*before, last]:
        return len(told) == 1  # each states the rows above it
    covered = last in (sum(before), sums.between(0, told[-1].row)) or not any(before)
    return covered or all(fen == last for fen in before)


def _add_up(table: Table, told: list[Stated]) -> None:
    """Each 合计 closes its own group of rows: together they state the whole, if no row comes after the last."""
    if len(table.rows) and told[-1].row < int(table.rows[-1]):
        return
    if all(total.fen is not None for total in told):
        table.stated_total_fen = sum(total.fen or 0 for total in told)
    for name in ("households", "persons"):
        values = [getattr(total, name) for total in told]
        if all(value is not None for value in values):
            setattr(table, f"stated_{name}", sum(values))


def household_blocks(grid: Grid, table: Table) -> np.ndarray | None:
    """Household number per data row by the vertically merged cells of a household column; None when nothing is merged.

    Cells merged over a whole village or the whole table are no households: the column with the most merged pieces counts.
    """
    if not len(table.rows):
        return None
    order = (
        "case_code",
        "head_id_no",
        "head_name",
        "serial_no",
        "account_no",
        "amount_fen",
        "household_size",
        "address",
    )
    wanted = {column.index: rank for rank, code in enumerate(order) if (column := table.column(code)) is not None}
    first, last = int(table.rows[0]), int(table.rows[-1])
    merged = np.array(grid.sheet.merged, dtype=np.int64).reshape(-1, 4)
    top, left, bottom, right = merged.T
    fits = (bottom > top) & (top >= first) & (bottom <= last) & (right - left <= 3)
    if not fits.any():
        return None
    fits &= np.isin(left, list(wanted))
    if not fits.any():
        return None
    columns, counts = np.unique(left[fits], return_counts=True)
    chosen = min(zip(columns.tolist(), counts.tolist(), strict=True), key=lambda pair: (-pair[1], wanted[pair[0]]))[0]
    piece = fits & (left == chosen)
    inside = np.zeros(last + 2, dtype=np.int64)
    np.add.at(inside, top[piece] + 1, 1)
    np.add.at(inside, bottom[piece] + 1, -1)
    numbers = np.cumsum(np.cumsum(inside)[: last + 1] == 0)
    return np.asarray(numbers[table.rows] - numbers[first] + 1)
