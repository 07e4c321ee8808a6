"""Repayments, waivers and agreed set-offs: read from the filled-in 追缴台账. Good rows are booked together; a row read twice is booked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.money import parse_amount, yuan
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.ledger import recoveries
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.payment.recovery import AMOUNT, DAY, NUMBER, RECEIPT, SET_OFF, WAIVED, WHY
from jiuzhu_cli.tabular.cells import CellError, Sheet, column_letters
from jiuzhu_cli.tabular.read import as_text, read_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILLED = (DAY, AMOUNT, RECEIPT, WAIVED, WHY, SET_OFF)
_HEADS = {compact(name): name for name in (NUMBER, *_FILLED)}
_SAID = {"是": True, "同意": True, "否": False, "不同意": False}


@dataclass(slots=True)
class Booked:
    """``refused``: ``sheet, cell, recovery_id, reason, todo`` of each cell not taken. ``asked``: waivers that wait for a second person."""

    booked: int = 0
    booked_fen: int = 0
    asked: int = 0
    asked_fen: int = 0
    unchanged: int = 0
    agreed: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Entry:
    recovery_id: int
    kind: str
    amount_fen: int
    on_date: str
    receipt: str
    reason: str
    source: str
    cell: tuple[str, str]  # sheet, address

    @property
    def key(self) -> str:
        """Of one claim on one day, the same sum under the same receipt is the same money."""
        return "|".join(
            (str(self.recovery_id), self.kind, self.on_date, str(self.amount_fen), self.receipt or self.reason)
        )


class _Refused(Exception):
    def __init__(self, head: str, reason: str, todo: str) -> None:
        super().__init__(reason)
        self.head, self.reason, self.todo = head, reason, todo


def read_back(store: Store, path: Path, *, today: date, actor: str, now: datetime) -> Booked:
    """Books what the workbook says. DataError when it is no 追缴台账; a row that cannot be true (no such claim, more than is open, a day to come,
    an amount without a day) is refused and told, the others are booked."""
    book = read_workbook(path)
    result = Booked()
    rows = [row for sheet in book.sheets if not sheet.hidden for row in _rows(sheet)]
    if not rows:
        raise DataError(
            f"“{path.name}”不是追缴台账（找不到“{NUMBER}”和“{AMOUNT}”两列）",
            "用 jiuzhu pay recover 生成的工作簿填写，不要改表头",
        )
    with store.writing(actor, "pay recover"):
        open_now = {row["recovery_id"]: row for row in recoveries.claims(store)}
        entries: list[Entry] = []
        agreed: dict[int, bool] = {}
        for sheet, cells in rows:
            try:
                number = _number(cells)
                if number is None or not any(_filled(cells, head) for head in _FILLED):
                    continue
                if number not in open_now:
                    raise _Refused(NUMBER, f"没有编号 {number} 的追缴", "对照 jiuzhu pay recover 的清单")
                entries += _entries(number, sheet, cells, path.name, today)
                said = _choice(cells)
                if said is not None:
                    agreed[number] = said
            except _Refused as refused:
                cell = cells.get(refused.head, ("", None))[0]
                result.refused.append(
                    {
                        "sheet": sheet,
                        "cell": cell,
                        "recovery_id": _shown(cells),
                        "reason": refused.reason,
                        "todo": refused.todo,
                    }
                )
        entries = _fitting(store, entries, open_now, result)
        agreed = {number: said for number, said in agreed.items() if bool(open_now[number]["set_off"]) != said}
        if entries or agreed:
            with store.transaction(actor=actor, command="pay recover", now=now) as tx:
                for one in entries:
                    recoveries.book(
                        tx, one.recovery_id, one.kind, one.amount_fen, key=one.key, on_date=one.on_date, receipt=one.receipt,
                        reason=one.reason, source=one.source,
                    )  # fmt: skip
                for number, said in agreed.items():
                    recoveries.set_set_off(tx, number, said)
                detail = {
                    "repaid": result.booked,
                    "amount_fen": result.booked_fen,
                    "waived_asked": result.asked,
                    "agreed": len(agreed),
                }
                tx.journal("recovery:all", detail, digest=book.sha256)
        result.agreed = len(agreed)
    return result


def confirm(store: Store, recovery_id: int, *, actor: str, now: datetime) -> int:
    """A second person confirms the waivers of a claim that wait; returns their sum in 分. As ``recoveries.confirm_waivers`` fails."""
    with store.transaction(actor=actor, command="pay recover", now=now) as tx:
        fen = recoveries.confirm_waivers(tx, recovery_id)
        tx.journal(f"recovery:{recovery_id}", {"waived": True, "amount_fen": fen})
    return fen


def _fitting(store: Store, entries: list[Entry], claims: dict[int, dict[str, Any]], result: Booked) -> list[Entry]:
    """Those that are new and that their claims still have room for."""
    known = recoveries.known_keys(store, [one.key for one in entries])
    room = {number: row["open_fen"] - row["asked_fen"] for number, row in claims.items()}
    kept = []
    for one in entries:
        if one.key in known:
            result.unchanged += 1
            continue
        known.add(one.key)
        if one.amount_fen > room[one.recovery_id]:
            waiting = claims[one.recovery_id]["asked_fen"]
            more = f"（另有 {yuan(waiting)} 元免收待确认）" if waiting else ""
            result.refused.append({
                "sheet": one.cell[0], "cell": one.cell[1], "recovery_id": one.recovery_id,
                "reason": f"{yuan(one.amount_fen)} 元超过尚欠的 {yuan(max(room[one.recovery_id], 0))} 元{more}", "todo": "核对金额；多交的退还本人，不要记在这里",
            })  # fmt: skip
            continue
        room[one.recovery_id] -= one.amount_fen
        kept.append(one)
        if one.kind == "repayment":
            result.booked += 1
            result.booked_fen += one.amount_fen
        else:
            result.asked += 1
            result.asked_fen += one.amount_fen
    return kept


def _entries(number: int, sheet: str, cells: dict[str, tuple[str, Any]], name: str, today: date) -> list[Entry]:
    made = []
    paid, waived = _amount(cells, AMOUNT), _amount(cells, WAIVED)
    if paid:
        day = _day(cells, today)
        if day is None:
            raise _Refused(DAY, "有追回金额，没有追回日期", "填钱到账的日期，如 2026-11-03")
        cell = cells[AMOUNT][0]
        made.append(
            Entry(
                number,
                "repayment",
                paid,
                day.isoformat(),
                _text(cells, RECEIPT),
                "",
                f"{name} {sheet} {cell}",
                (sheet, cell),
            )
        )
    elif _filled(cells, DAY) or _filled(cells, RECEIPT):
        raise _Refused(AMOUNT, "有追回日期或收据号，没有追回金额", "填追回的金额")
    if waived:
        why = _text(cells, WHY)
        if not why:
            raise _Refused(WHY, "有免收金额，没有免收理由", "写明理由和依据，由另一人确认")
        cell = cells[WAIVED][0]
        made.append(Entry(number, "waiver", waived, "", "", why, f"{name} {sheet} {cell}", (sheet, cell)))
    return made


def _rows(sheet: Sheet) -> Iterator[tuple[str, dict[str, tuple[str, Any]]]]:
    """``(sheet, header → (address, value))`` of the rows below a row that has the headers, wherever it has come to stand."""
    header: dict[str, int] = {}
    for index in range(sheet.height):
        values = [column[index] if index < len(column) else None for column in sheet.columns]
        words = {compact(value): place for place, value in enumerate(values) if isinstance(value, str)}
        if compact(NUMBER) in words and compact(AMOUNT) in words:
            header = {name: words[word] for word, name in _HEADS.items() if word in words}
        elif header:
            yield (
                sheet.name,
                {name: (f"{column_letters(place)}{index + 1}", values[place]) for name, place in header.items()},
            )


def _number(cells: dict[str, tuple[str, Any]]) -> int | None:
    """The claim's number; None for a row that is none (sums, remarks)."""
    text = (
        compact(as_text(cells[NUMBER][1]))
        if cells[NUMBER][1] is not None and not isinstance(cells[NUMBER][1], CellError)
        else ""
    )
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _shown(cells: dict[str, tuple[str, Any]]) -> int:
    return _number(cells) or 0


def _filled(cells: dict[str, tuple[str, Any]], head: str) -> bool:
    value = cells.get(head, ("", None))[1]
    return value is not None and (isinstance(value, CellError) or compact(as_text(value)) != "")


def _value(cells: dict[str, tuple[str, Any]], head: str) -> Any:
    value = cells.get(head, ("", None))[1]
    if isinstance(value, CellError):
        raise _Refused(head, f"“{head}”是错误值 {value}", "改成数字、日期或文字")
    return value


def _text(cells: dict[str, tuple[str, Any]], head: str) -> str:
    value = _value(cells, head)
    return "" if value is None else compact(as_text(value))


def _amount(cells: dict[str, tuple[str, Any]], head: str) -> int:
    value = _value(cells, head)
    read = parse_amount(value) if value is not None else None
    if read is None or (read.fen is None and not read.problem):
        return 0
    if read.problem or read.fen is None or read.fen <= 0:
        raise _Refused(head, f"“{head}”不是大于零、最多两位小数的金额", "填数字，如 150 或 150.50")
    return read.fen


def _day(cells: dict[str, tuple[str, Any]], today: date) -> date | None:
    day, problem = parse_date(_value(cells, DAY))
    if problem:
        raise _Refused(DAY, f"“{DAY}”不是日期", "填 YYYY-MM-DD，例如 2026-11-03")
    if day is not None and day > today:
        raise _Refused(DAY, f"“{DAY}”{day.isoformat()} 在今天之后", "钱到账以后再填")
    return day


def _choice(cells: dict[str, tuple[str, Any]]) -> bool | None:
    text = _text(cells, SET_OFF)
    if text and text not in _SAID:
        raise _Refused(SET_OFF, f"“{SET_OFF}”只能填是或否", "选“是”或“否”")
    return _SAID.get(text)
