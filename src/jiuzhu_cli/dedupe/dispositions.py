"""``jiuzhu dedupe decide``: reads filled-in workbooks of doubts back. Columns are found by their headers, rows by the doubt's number.

A row whose number, persons or word is not what we wrote is refused with its cell and the reason; the rest applies. Reading the same file
again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import OLD_WORDS, RESULTS, disposition_of
from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.text import compact, tidy
from jiuzhu_cli.dedupe.output import DECISION_HEADER, ID_A_HEADER, ID_B_HEADER, ID_HEADER, NOTE_HEADER
from jiuzhu_cli.ledger.doubts import doubts_by_id
from jiuzhu_cli.ledger.verdicts import Verdict, decide
from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.read import as_text, read_workbook

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.tabular.cells import Sheet, Workbook

_BY_LABEL = {r.label: disposition_of(code, "") for code, r in RESULTS.items() if not r.sides} | {
    label: disposition_of(*verdict) for label, verdict in OLD_WORDS.items()
}
_RESULT = {r.label: code for code, r in RESULTS.items()} | {label: verdict[0] for label, verdict in OLD_WORDS.items()}
_HEADER_SEARCH = 30  # rows; people add a few lines above
MAX_NOTE = 500


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not applied: where it stands and why."""

    file: str
    sheet: str
    cell: str
    doubt_id: str
    reason: str


@dataclass(slots=True)
class DecideResult:
    applied: int = 0
    unchanged: int = 0
    refused: list[RefusedRow] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "applied": self.applied,
            "unchanged": self.unchanged,
            "refused": [
                {"file": r.file, "sheet": r.sheet, "cell": r.cell, "doubt_id": r.doubt_id, "reason": r.reason}
                for r in self.refused
            ],
        }


@dataclass(frozen=True, slots=True)
class _Line:
    sheet: str
    row: int  # 0-based
    doubt_id: str
    label: str
    note: str
    id_a: str
    id_b: str
    columns: dict[str, int]

    def cell(self, header: str) -> str:
        return f"{column_letters(self.columns[header])}{self.row + 1}"


def decide_files(store: Store, files: Sequence[Path], *, actor: str, now: datetime | None = None) -> DecideResult:
    """Applies the dispositions of ``files`` in their order. DataError when a file has no sheet with our headers."""
    books = [read_workbook(path) for path in files]
    for book in books:
        if not any(_header(sheet) for sheet in book.sheets):
            raise DataError(
                f"“{book.path.name}”里没有带“{ID_HEADER}”和“{DECISION_HEADER}”两列的表",
                "请用 dedupe run 产出的疑点工作簿填写后再读入",
            )
    result = DecideResult()
    for book in books:
        decisions = _decisions(store, book, result)
        if decisions:
            with store.transaction(actor=actor, command="dedupe decide", now=now) as tx:
                applied, unchanged = decide(tx, decisions)
            result.applied += applied
            result.unchanged += unchanged
    return result


def _decisions(store: Store, book: Workbook, result: DecideResult) -> list[Verdict]:
    """What the workbook decides: for ``ledger.verdicts.decide``. Rows refused and unchanged are noted in ``result``."""
    lines = [line for sheet in book.sheets for line in _lines(sheet)]
    known = doubts_by_id(store, (line.doubt_id for line in lines))
    accepted: dict[str, list[_Line]] = {}
    refused: list[tuple[_Line, str, str]] = []
    for line in lines:
        reason, header = _problem(line, known.get(line.doubt_id))
        if reason:
            refused.append((line, header, reason))
        else:
            accepted.setdefault(line.doubt_id, []).append(line)
    decisions = []
    for doubt_id, same in sorted(accepted.items()):
        if len({(_BY_LABEL[line.label], line.note) for line in same}) > 1:
            where = "、".join(f"{line.sheet}第{line.row + 1}行" for line in same)
            refused += [(line, DECISION_HEADER, f"同一疑点填了几次而且不一样（{where}），都没有采用") for line in same]
            continue
        code = _BY_LABEL[same[0].label]
        # a copy made before somebody decided must not undo the decision
        if code == "pending" and known[doubt_id]["disposition"] != "pending":
            result.unchanged += 1
        else:
            where = f"{mask_text(book.path.name)} {same[0].sheet} {same[0].cell(DECISION_HEADER)}"
            decisions.append(
                Verdict(doubt_id, _RESULT[same[0].label], code, same[0].note, source=where, digest=book.sha256)
            )
    result.refused += [
        RefusedRow(book.path.name, line.sheet, line.cell(header), mask_text(line.doubt_id[:20]), reason)
        for line, header, reason in refused
    ]
    return decisions


def _problem(line: _Line, doubt: dict[str, Any] | None) -> tuple[str, str]:
    """Why the row cannot be applied, and the header of the cell to look at; ("", "") when it can."""
    if doubt is None:
        return "没有这个疑点编号（编号被改动，或不是本工作区的清单）", ID_HEADER
    for shown, header, column in ((line.id_a, ID_A_HEADER, "id_no_a"), (line.id_b, ID_B_HEADER, "id_no_b")):
        if header in line.columns and shown != doubt[column]:
            return "身份证号与该疑点不符（编号或身份证号被改动，或排序时只排了一部分列）", header
    if line.label not in _BY_LABEL:
        return f"处理意见不在可选之内，只能填：{'、'.join(_BY_LABEL)}", DECISION_HEADER
    code = _BY_LABEL[line.label]
    if doubt["state"] == "gone" and code != doubt["disposition"]:
        return "名册已改，这条疑点不再出现，不必处理", ID_HEADER
    if code in ("stop_a", "stop_b", "adjust") and doubt["kind"] == "missed":
        return "应享未享没有可停发或调整的一方；填“合规不处理”或“已转部门办理”，要补的由乡镇补进名册", DECISION_HEADER
    if code == "stop_b" and (not doubt["id_no_b"] or doubt["programme_b"].startswith("register:")):
        return "这条疑点没有乙方可停；核实后应停的填“停发甲方”", DECISION_HEADER
    if code == "stop_a" and doubt["programme_a"].startswith("register:"):
        return "甲方是比对名单，没有可停发的待遇", DECISION_HEADER
    return "", ""


def _header(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    """Row and columns of our headers; the first row that has both the number and the decision."""
    wanted = (ID_HEADER, DECISION_HEADER, NOTE_HEADER, ID_A_HEADER, ID_B_HEADER)
    for row in range(min(_HEADER_SEARCH, sheet.height)):
        found: dict[str, int] = {}
        for column in range(sheet.width):
            text = compact(as_text(sheet.columns[column][row]))
            if text in wanted:
                found.setdefault(text, column)
        if ID_HEADER in found and DECISION_HEADER in found:
            return row, found
    return None


def _lines(sheet: Sheet) -> Iterator[_Line]:
    located = _header(sheet)
    if located is None:
        return
    header_row, columns = located

    def text(header: str, row: int) -> str:
        return as_text(sheet.columns[columns[header]][row]) if header in columns else ""

    for row in range(header_row + 1, sheet.height):
        doubt_id = compact(text(ID_HEADER, row)).upper()
        label = compact(text(DECISION_HEADER, row))
        if not label:  # nothing decided here
            continue
        if doubt_id == ID_HEADER:  # a header row pasted again
            continue
        yield _Line(
            sheet.name,
            row,
            doubt_id,
            label,
            tidy(text(NOTE_HEADER, row))[:MAX_NOTE],
            compact(text(ID_A_HEADER, row)).upper(),
            compact(text(ID_B_HEADER, row)).upper(),
            columns,
        )
