"""``jiuzhu dedupe decide``: reads filled-in workbooks of doubts back. Columns are found by their headers, rows by the doubt's number.

A row whose number, persons or words are not what can stand there is refused with its cell and the reason; the rest applies. Reading the
same file again changes nothing. Where two workbooks decide one doubt differently, or a workbook differs from what the record says and its
clerk cannot have known, nothing of that doubt is applied: both are shown (``Conflict``) until somebody says which holds (``prefer``).

Who may change a decision of the record without being asked: a workbook written after that decision (it bears the number of the last
decision it shows), and the same 核实人 with a later 核实日期: both knew what they changed. A later date alone says nothing: the other
clerk may know what this one does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import (
    KINDS,
    OLD_WORDS,
    RESULTS,
    SIDES,
    disposition_of,
    payable_sides,
    result_choices,
    verdict_label,
    verdict_of,
)
from jiuzhu_cli.core.errors import DataError, UsageError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact, tidy
from jiuzhu_cli.dedupe.sheets import (
    CHECKED_HEADER,
    CHECKER_HEADER,
    ID_A_HEADER,
    ID_B_HEADER,
    ID_HEADER,
    NOTE_HEADER,
    OLD_HEADER,
    RESULT_HEADER,
    SIDE_HEADER,
)
from jiuzhu_cli.ledger.doubts import doubts_by_id
from jiuzhu_cli.ledger.verdicts import Verdict, decide, last_decisions
from jiuzhu_cli.tabular.cells import column_letters
from jiuzhu_cli.tabular.read import as_text, read_workbook

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.tabular.cells import Sheet, Workbook

_RESULT_WORDS = {r.label: (code, "") for code, r in RESULTS.items()} | {kind.confirmed: ("confirmed", "") for kind in KINDS.values()}  # fmt: skip
_WORDS = _RESULT_WORDS | OLD_WORDS
_SIDE_WORDS = {label: side for side, label in SIDES.items()} | {f"停发{label}": side for side, label in SIDES.items()}
_HEADERS = (ID_HEADER, RESULT_HEADER, OLD_HEADER, SIDE_HEADER, NOTE_HEADER, CHECKER_HEADER, CHECKED_HEADER, ID_A_HEADER, ID_B_HEADER)  # fmt: skip
_HEADER_SEARCH = 30  # rows; people add a few lines above
MAX_NOTE, MAX_NAME = 500, 40


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not applied: where it stands and why."""

    file: str
    sheet: str
    cell: str
    doubt_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Said:
    """One side of a conflict: what somebody says of a doubt, where, and who. With ``at`` it stands in the record already: when ``actor``
    read it in.
    """

    file: str
    sheet: str
    cell: str
    verdict: str
    note: str
    checked_by: str
    checked_on: str
    actor: str = ""
    at: str = ""

    @property
    def place(self) -> str:
        where = " ".join(part for part in (self.file, self.sheet, self.cell) if part)
        return f"台账已记（{where}）" if self.at and where else "台账已记" if self.at else where

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"recorded": bool(self.at)}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A doubt that is decided differently in several places; nothing of it was applied."""

    doubt_id: str
    sides: tuple[Said, ...]


@dataclass(slots=True)
class DecideResult:
    """``refused`` has one entry a row, those of ``conflicts`` too."""

    applied: int = 0
    unchanged: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "applied": self.applied,
            "unchanged": self.unchanged,
            "refused": [
                {"file": r.file, "sheet": r.sheet, "cell": r.cell, "doubt_id": r.doubt_id, "reason": r.reason}
                for r in self.refused
            ],
            "conflicts": [{"doubt_id": c.doubt_id, "sides": [s.as_json() for s in c.sides]} for c in self.conflicts],
        }


@dataclass(slots=True)
class _Line:
    """A row of a workbook that says something. ``seen``: the last decision that the workbook shows, -1 when it does not tell."""

    file: str
    path: Path
    digest: str
    seen: int
    sheet: str
    row: int  # 0-based
    doubt_id: str
    word: str
    word_header: str
    side_word: str
    note: str
    checked_by: str
    checked: Any
    id_a: str
    id_b: str
    columns: dict[str, int]
    result: str = ""
    side: str = ""
    checked_on: str = ""

    def cell(self, header: str) -> str:
        return f"{column_letters(self.columns[header])}{self.row + 1}"

    @property
    def verdict(self) -> tuple[str, str]:
        return self.result, self.side


def decide_files(
    store: Store,
    files: Sequence[Path],
    *,
    actor: str,
    now: datetime | None = None,
    today: date | None = None,
    prefer: Sequence[Path] = (),
) -> DecideResult:
    """Takes down what ``files`` decide, all in one transaction. ``prefer``: files that win over others and over the record.

    DataError when a file has no sheet with our headers; UsageError when a preferred file is not among ``files``.
    """
    wanted = _preferred(files, prefer)
    lines: list[_Line] = []
    names = Counter(path.name for path in files)
    for path in files:
        book = read_workbook(path)
        found = [_header(sheet) for sheet in book.sheets]
        if not any(found):
            raise DataError(
                f"“{book.path.name}”里没有带“{ID_HEADER}”和“{RESULT_HEADER}”两列的表",
                "请用 dedupe run 产出的疑点工作簿填写后再读入",
            )
        for sheet, located in zip(book.sheets, found, strict=True):
            if located:
                lines += _lines(book, path, path.name if names[path.name] < 2 else str(path), sheet, *located)
    known = doubts_by_id(store, (line.doubt_id for line in lines))
    result = DecideResult()
    accepted: dict[str, list[_Line]] = {}
    for line in lines:
        reason, header = _understand(line, known.get(line.doubt_id), today)
        if reason:
            result.refused.append(_refused(line, header, reason))
        else:
            accepted.setdefault(line.doubt_id, []).append(line)
    decided = last_decisions(store, accepted)
    verdicts = []
    for doubt_id, same in sorted(accepted.items()):
        doubt = known[doubt_id]
        settled = _settle(doubt, decided.get(doubt_id), same, wanted)
        if settled.against:
            record = [_of_record(doubt, decided.get(doubt_id))] if settled.record else []
            sides = (*record, *(_said(one, doubt) for one in settled.against))
            result.conflicts.append(Conflict(doubt_id, sides))
            told = "；".join(f"{side.place}填“{side.verdict}”" for side in sides)
            result.refused += [
                _refused(one, one.word_header, f"同一疑点各处填得不一样，都没有采用：{told}") for one in settled.against
            ]
        elif settled.line is None:
            result.unchanged += 1
        else:
            verdicts.append(_verdict(settled.line, doubt))
    if verdicts:
        with store.transaction(actor=actor, command="dedupe decide", now=now) as tx:
            applied, unchanged = decide(tx, verdicts)
        result.applied += applied
        result.unchanged += unchanged
    return result


def _verdict(line: _Line, doubt: Mapping[str, Any]) -> Verdict:
    disposition = disposition_of(*line.verdict, stoppable=_stoppable(doubt))
    source = f"{mask_text(line.file)} {line.sheet} {line.cell(line.word_header)}"
    return Verdict(
        line.doubt_id, line.result, disposition, line.note, line.checked_by, line.checked_on, source, line.digest
    )


def _stoppable(doubt: Mapping[str, Any]) -> bool:
    return doubt["kind"] not in KINDS or KINDS[doubt["kind"]].stoppable


def _preferred(files: Sequence[Path], prefer: Sequence[Path]) -> set[Path]:
    """The files that ``prefer`` names, by path or by name alone where that names one."""
    found = set()
    for wanted in prefer:
        same = [path for path in files if path == wanted or path.resolve() == wanted.resolve()]
        same = same or [path for path in files if path.name == str(wanted)]
        if len(same) != 1:
            raise UsageError(f"--prefer 的“{wanted}”不在要读的文件里，或不止一个", "写要读的文件之一，写全路径")
        found.add(same[0])
    return found


@dataclass(frozen=True, slots=True)
class _Settled:
    """``line``: what holds (None: nothing to be done); ``against``: the lines that contradict each other; ``record``: and the record."""

    line: _Line | None = None
    against: tuple[_Line, ...] = ()
    record: bool = False


def _settle(
    doubt: Mapping[str, Any], decided: Mapping[str, Any] | None, lines: list[_Line], prefer: set[Path]
) -> _Settled:
    """Which of the lines about one doubt holds, if that can be told.

    A row that says what the record says is no other opinion, nor is the 待核实 of a copy made before the decision.
    """
    now = verdict_of(doubt)
    number = 0  # of the decision that holds
    if now[0] != "pending":
        number = int(decided["event_id"]) if decided else 1 << 60  # one that the history does not know, nobody has seen
    others = [one for one in lines if one.verdict != now and not (one.result == "pending" and one.seen < number)]
    if not others:
        more = [full for one in lines if one.verdict == now and (full := _fuller(one, doubt, number))]
        return _Settled(_latest(more)) if more else _Settled()
    chosen = [one for one in others if one.path in prefer] or others
    agreeing = [
        one for one in lines if one.verdict == now and now[0] != "pending" and one.seen < number
    ]  # without having seen it
    if len({one.verdict for one in chosen}) > 1:
        line = _of_one_clerk(chosen)
        if line is None:
            return _Settled(against=(*chosen, *agreeing), record=now[0] != "pending")
    else:
        line = _latest(chosen)
    if line.path in prefer or now[0] == "pending":
        return _Settled(line)
    same_clerk = (
        line.checked_by and line.checked_by == doubt["checked_by"] and line.checked_on > doubt["checked_on"] > ""
    )
    if (line.seen >= number or same_clerk) and not agreeing:
        return _Settled(line)
    return _Settled(against=(*chosen, *agreeing), record=True)


def _fuller(line: _Line, doubt: Mapping[str, Any], number: int) -> _Line | None:
    """``line``, which has the record's own verdict, with note, checker and date of both; None when it brings nothing, or would replace
    words of the record that its clerk has not seen.
    """
    known = number > 0 and line.seen >= number
    told = (doubt["disposition_note"], doubt["checked_by"], doubt["checked_on"])
    said = (line.note, line.checked_by, line.checked_on)
    if any(new and old and new != old and not known for new, old in zip(said, told, strict=True)):
        return None
    note, checked_by, checked_on = (new or old for new, old in zip(said, told, strict=True))
    merged = replace(line, note=note, checked_by=checked_by, checked_on=checked_on)
    return merged if (note, checked_by, checked_on) != told else None


def _of_one_clerk(lines: Sequence[_Line]) -> _Line | None:
    """The latest of lines that one 核实人 dated differently; None when that does not decide it."""
    if len({one.checked_by for one in lines}) != 1 or not lines[0].checked_by:
        return None
    last = max(one.checked_on for one in lines)
    latest = [one for one in lines if one.checked_on == last]
    return _latest(latest) if last and len({one.verdict for one in latest}) == 1 else None


def _latest(lines: Sequence[_Line]) -> _Line:
    """Of lines with one verdict: the latest date, then the fullest."""
    return max(lines, key=lambda one: (one.checked_on, len(one.note) + len(one.checked_by)))


def _said(line: _Line, doubt: Mapping[str, Any]) -> Said:
    disposition = disposition_of(*line.verdict, stoppable=_stoppable(doubt))
    label = verdict_label({"kind": doubt["kind"], "result": line.result, "disposition": disposition})
    return Said(
        line.file,
        line.sheet,
        line.cell(line.word_header),
        label,
        mask_text(line.note),
        line.checked_by,
        line.checked_on,
    )


def _of_record(doubt: Mapping[str, Any], decided: Mapping[str, Any] | None) -> Said:
    file, sheet, cell = ([*str(decided["source"] if decided else "").rsplit(" ", 2), "", ""])[:3]
    return Said(
        file, sheet, cell, verdict_label(doubt), mask_text(doubt["disposition_note"]), doubt["checked_by"], doubt["checked_on"], doubt["disposed_by"],
        doubt["disposed_at"],
    )  # fmt: skip


def _refused(line: _Line, header: str, reason: str) -> RefusedRow:
    return RefusedRow(line.file, line.sheet, line.cell(header), mask_text(line.doubt_id[:20]), mask_text(reason))


def _understand(line: _Line, doubt: dict[str, Any] | None, today: date | None) -> tuple[str, str]:
    """Reads the row's words into ``result``, ``side``, ``checked_on``. Why that cannot be, and the header of the cell to look at."""
    if doubt is None:
        return "没有这个疑点编号（编号被改动，或不是本工作区的清单）", ID_HEADER
    for shown, header, column in ((line.id_a, ID_A_HEADER, "id_no_a"), (line.id_b, ID_B_HEADER, "id_no_b")):
        if header in line.columns and shown != doubt[column]:
            return "身份证号与该疑点不符（编号或身份证号被改动，或排序时只排了一部分列）", header
    if line.word not in _WORDS:
        return f"处理结果不在可选之内，只能填：{'、'.join(result_choices(doubt['kind']))}", line.word_header
    if line.side_word and line.side_word not in _SIDE_WORDS:
        return f"停发哪一方只能填：{'、'.join(SIDES.values())}", SIDE_HEADER
    line.result, side = _WORDS[line.word]
    stated = _SIDE_WORDS.get(line.side_word, "")
    if side and stated not in ("", side):
        return f"处理结果写“{line.word}”，停发哪一方却写“{line.side_word}”", SIDE_HEADER
    if line.word in OLD_WORDS and line.result == "allowed" and doubt["kind"] != "double":
        line.result = "false_alarm"  # as the migration of the record reads the old word
    line.side = side or stated
    reason, header = _side_problem(line, doubt)
    if reason:
        return reason, header
    if disposition_of(*line.verdict) != doubt["disposition"] and doubt["state"] == "gone":
        return "名册已改，这条疑点不再出现，不必处理", ID_HEADER
    day, problem = parse_date(line.checked)
    if problem or (day and today and day > today):
        return "核实日期看不懂" if problem else "核实日期在今天之后", CHECKED_HEADER
    line.checked_on = day.isoformat() if day else ""
    return "", ""


def _side_problem(line: _Line, doubt: Mapping[str, Any]) -> tuple[str, str]:
    """Why this side cannot be for this result; fills in the side where only one is paid."""
    header = SIDE_HEADER if line.side_word else line.word_header
    stoppable = _stoppable(doubt)
    if not stoppable and (line.side or line.result in ("stopped", "recovered")):
        return "应享未享没有可停发或调整的一方；不该享受的填“误报”，该享受的填“属实”，由乡镇补进名册", header
    if line.side and not RESULTS[line.result].sides:
        return f"填了“{RESULTS[line.result].label}”，就不填停发哪一方", SIDE_HEADER
    if line.result == "not_same" and not doubt["id_no_b"]:
        return "这条疑点只有一方，没有另一个人可比；不属实的填“误报”", line.word_header
    if not RESULTS[line.result].sides or not stoppable:
        return "", ""
    if line.side == "adjust":
        return ("", "") if line.result == "confirmed" else (f"“{RESULTS[line.result].label}”要写明是哪一方", header)
    paid = payable_sides(doubt)
    wanted = ("a", "b") if line.side == "both" else (line.side,) if line.side else ()
    for side in wanted:
        if side not in paid:
            other = "、".join(SIDES[one] for one in paid) or "无"
            why = "这条疑点没有乙方可停" if side == "b" else "甲方是比对名单，没有可停发的待遇"
            return f"{why}；可停的是：{other}", header
    if not line.side and len(paid) == 1:
        line.side = paid[0]
    if not line.side and line.result != "confirmed":
        return f"“{RESULTS[line.result].label}”要写明是哪一方", header
    return "", ""


def _header(sheet: Sheet) -> tuple[int, dict[str, int]] | None:
    """Row and columns of our headers; the first row that has both the number and the result (or the old column)."""
    for row in range(min(_HEADER_SEARCH, sheet.height)):
        found: dict[str, int] = {}
        for column in range(sheet.width):
            text = compact(as_text(sheet.columns[column][row]))
            if text in _HEADERS:
                found.setdefault(text, column)
        if ID_HEADER in found and (RESULT_HEADER in found or OLD_HEADER in found):
            return row, found
    return None


def _lines(
    book: Workbook, path: Path, label: str, sheet: Sheet, header_row: int, columns: dict[str, int]
) -> Iterator[_Line]:
    seen = str(book.marks.get("jiuzhu_decisions", ""))

    def text(header: str, row: int) -> str:
        return as_text(sheet.columns[columns[header]][row]) if header in columns else ""

    for row in range(header_row + 1, sheet.height):
        doubt_id = compact(text(ID_HEADER, row)).upper()
        header = next((h for h in (RESULT_HEADER, OLD_HEADER) if compact(text(h, row))), "")
        if not header or doubt_id == ID_HEADER:  # nothing decided here; a header row pasted again
            continue
        yield _Line(
            label, path, book.sha256, int(seen) if seen.isdigit() else -1, sheet.name, row,
            doubt_id, compact(text(header, row)), header, compact(text(SIDE_HEADER, row)), tidy(text(NOTE_HEADER, row))[:MAX_NOTE],
            tidy(text(CHECKER_HEADER, row))[:MAX_NAME], sheet.columns[columns[CHECKED_HEADER]][row] if CHECKED_HEADER in columns else None,
            compact(text(ID_A_HEADER, row)).upper(), compact(text(ID_B_HEADER, row)).upper(), columns,
        )  # fmt: skip
