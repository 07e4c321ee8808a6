"""The roster (发放花名册) of a batch: per programme and town, to be signed and filed. Whole pages with their sums, a column to sign in.

It holds full ID and account numbers and belongs in the internal folder; ``masked`` makes the edition that passes from hand to hand. It is
never a posting list: what goes on a wall is ``posting``'s, with other columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.mask import mask_account, mask_id
from jiuzhu_cli.core.money import capitals, yuan
from jiuzhu_cli.ledger import payments
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.tabular.widths import lines_of, page_room, row_height
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.load import Policy

COLUMNS = (
    ColumnSpec("序号", 6, "count", align="center", shrink=True), ColumnSpec("姓名", 12, wrap=True), ColumnSpec("身份证号", 19, shrink=True), ColumnSpec("村（社区）", 16, wrap=True),
    ColumnSpec("所属月份", 9, align="center"), ColumnSpec("人数", 5, "count", shrink=True), ColumnSpec("金额（元）", 11, "amount", shrink=True), ColumnSpec("收款户名", 12, wrap=True),
    ColumnSpec("开户银行", 23, wrap=True), ColumnSpec("账号", 20, shrink=True), ColumnSpec("领取人签名", 14),
)  # fmt: skip
ROWS_PER_PAGE = 22
ROW, SIZE = 16.5, 10.0
SLACK = 9.0  # points a page is left unfilled: less than a row, so that a spreadsheet breaks there by itself, more than printers differ by
VOLUME = 20_000  # rows of a sheet: a spreadsheet keeps no more than 1,023 page breaks
_PERSONS, _AMOUNT = 5, 6
_SIGNED = "制表：　　　　　　　审核：　　　　　　　负责人：　　　　　　　乡镇（街道）盖章：　　　　　　　日期：　　　　年　　月　　日"
_PRIVATE = "内部资料：含身份证号和银行账号，只供签收、归档，不得张贴、上网、转发。"
_HALF = "签收用：号码已遮盖。不得张贴、上网、转发。"

_SORTED = (
    "SELECT programme, town, recipient_name, recipient_id_no, village, month, persons, amount_fen, payee_name, bank_name, account_no"
    " FROM line WHERE (len(CAST($programmes AS VARCHAR[])) = 0 OR list_contains(CAST($programmes AS VARCHAR[]), programme)) AND $town IN ('', town)"
    " ORDER BY programme, town, village, recipient_name, recipient_id_no, month, item, line_no"
)


@dataclass(slots=True)
class Roster:
    """One programme's lines in one town: ``rows`` as ``COLUMNS`` without number and signature."""

    programme: str
    town: str
    rows: list[tuple[Any, ...]]

    @property
    def amount_fen(self) -> int:
        return sum(row[_AMOUNT - 1] for row in self.rows)


def rosters(
    store: Store, payment_id: int, *, programmes: Sequence[str] = (), town: str = "", masked: bool = False
) -> Iterator[Roster]:
    """The batch's lines by programme and town, sorted in the database; ``programmes`` (codes) and ``town`` choose among them."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.register("line", payments.lines(store, payment_id))
        chosen = {"programmes": list(programmes), "town": town}
        table = connection.sql(_SORTED, params=chosen).to_arrow_table()
    for key, part in _groups(table):
        yield Roster(*key, _rows(part, masked=masked))


def _groups(table: pa.Table) -> Iterator[tuple[tuple[str, str], pa.Table]]:
    """Consecutive rows of one programme and town."""
    keys = list(zip(table["programme"].to_pylist(), table["town"].to_pylist(), strict=True))
    start = 0
    for at in range(1, len(keys) + 1):
        if at == len(keys) or keys[at] != keys[start]:
            yield keys[start], table.slice(start, at - start)
            start = at


def _rows(table: pa.Table, *, masked: bool) -> list[tuple[Any, ...]]:
    columns = {name: table[name].to_pylist() for name in table.column_names}
    if masked:
        columns["recipient_id_no"] = [mask_id(value) for value in columns["recipient_id_no"]]
        columns["account_no"] = [mask_account(value) for value in columns["account_no"]]
    names = (
        "recipient_name",
        "recipient_id_no",
        "village",
        "month",
        "persons",
        "amount_fen",
        "payee_name",
        "bank_name",
        "account_no",
    )
    return list(zip(*(columns[name] for name in names), strict=True))  # fmt: skip


def roster_sheets(
    bureau: str, policy: Policy, batch: dict[str, Any], roster: Roster, *, masked: bool
) -> list[SheetSpec]:
    """The roster as sheets of whole pages; the last one ends with the sum of all."""
    programme = policy.programmes.get(roster.programme)
    name = (programme.payment.purpose or programme.name) if programme else roster.programme
    town = roster.town or "未注明乡镇"
    year, month = str(batch["month"]).split("-")
    title = f"{year}年{int(month)}月{name}发放花名册（{town}）"
    notes = [
        f"单位：{bureau}　　第 {batch['payment_id']} 批（本月第 {batch['sequence']} 次）　　{len(roster.rows)} 笔　　"
        f"合计 {yuan(roster.amount_fen, grouped=True)} 元（{capitals(roster.amount_fen)}）　　控制摘要：{batch['control_sha256'][:16]}"
    ]
    place = f"{town[:40]}　{name[:40]}".replace("&", "&&")  # & begins a code in a page's footer
    footnotes = [_SIGNED, _HALF if masked else _PRIVATE]
    widths = [column.width for column in COLUMNS]
    below = sum(_line(note, sum(widths), SIZE) for note in footnotes) + ROW
    room = page_room(widths, landscape=True) - _above(title, notes, widths) - SLACK
    sheets = []
    for start in range(0, len(roster.rows), VOLUME):
        part = roster.rows[start : start + VOLUME]
        last = start + VOLUME >= len(roster.rows)
        pages = _pages(part, start, room, below)
        if last:
            persons = sum(row[_PERSONS - 1] for row in roster.rows)
            pages.rows.append(_sum("合计", len(roster.rows), persons, roster.amount_fen))
            pages.heights.append(ROW)
        sums = [number for number, row in enumerate(pages.rows) if row[0] is None]
        sheets.append(
            SheetSpec(
                name="花名册" if len(roster.rows) <= VOLUME else f"花名册{start // VOLUME + 1}",
                columns=COLUMNS,
                rows=pages.rows,
                title=title,
                notes=notes,
                footnotes=footnotes if last else (),
                fills={(number, index): "grey" for number in sums for index in range(len(COLUMNS))},
                autofilter=False,
                page_breaks=pages.breaks,
                heights=pages.heights,
                font_size=SIZE,
                paper="A4",
                page_footer=f"&L{_HALF if masked else '内部资料，不得张贴、外传'}&C第 &P 页 共 &N 页&R{place}",
            )
        )
    return sheets


def _above(title: str, notes: Sequence[str], widths: Sequence[float]) -> float:
    """Points of what stands above the rows on every page."""
    across = sum(widths)
    heads = max(lines_of(column.header, column.width, SIZE / 11) for column in COLUMNS)
    return _line(title, across, SIZE + 7) + sum(_line(note, across, SIZE) for note in notes) + SIZE * 1.5 * heads + 6


def _line(text: str, across: float, size: float) -> float:
    """As the sheet's writer makes it."""
    return lines_of(text, across, size / 11) * size / 11 * 16.5 + 5


@dataclass(slots=True)
class _Pages:
    """Rows with the sum of each page below it, their heights in points, and where pages begin."""

    rows: list[list[Any]]
    heights: list[float]
    breaks: list[int]


def _pages(part: Sequence[tuple[Any, ...]], before: int, room: float, below: float) -> _Pages:
    """A page takes ``ROWS_PER_PAGE`` rows, fewer where names need lines; full ones are stretched to fill it.

    ``room``: points for rows on a page; ``below``: what stands under the last one's.
    """
    wrapped = [(index, column.width) for index, column in enumerate(COLUMNS) if column.wrap]
    pages = _Pages([], [], [])
    start, count, persons, fen, used = 0, 0, 0, 0, 0.0

    def close(*, full: bool) -> None:
        pages.rows.append(_sum("本页小计", count, persons, fen))
        pages.heights.append(ROW)
        if full:
            more = (room - used - ROW) / (count + 1)
            pages.heights[start:] = [height + more for height in pages.heights[start:]]
            pages.breaks.append(len(pages.rows))

    for number, values in enumerate(part, before + 1):
        row = [number, *values, ""]
        height = row_height([(row[index], width) for index, width in wrapped], SIZE, ROW)
        if count and (count == ROWS_PER_PAGE or used + height + ROW + below > room):
            close(full=True)
            start, count, persons, fen, used = len(pages.rows), 0, 0, 0, 0.0
        pages.rows.append(row)
        pages.heights.append(height)
        count, persons, fen, used = count + 1, persons + row[_PERSONS], fen + row[_AMOUNT], used + height
    close(full=False)
    return pages


def _sum(word: str, count: int, persons: int, fen: int) -> list[Any]:
    return [None, word, f"{count} 笔", "", "", persons, fen, "", "", "", ""]
