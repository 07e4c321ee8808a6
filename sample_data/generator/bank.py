"""Plays the bank: reads an exported bank file and writes the return (回盘) that the bank would send.

``layout`` is a ``jiuzhu_cli.policy.model.BankLayout``; encoding and decoding are written here once more, independently, so that a
mistake of the product's own codec does not cancel out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xlsxwriter

_REASONS = ("账号户名不符", "账户已销户", "账户状态异常", "姓名或证件号不符")
Line = dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the return says: line counts, and the sum paid in 分."""

    succeeded: int
    failed: int
    missing: int
    unknown: int
    paid_fen: int


def make_return(
    exported: Path, layout: Any, target: Path, *, seed: int, failed: int = 2, missing: int = 0, unknown: int = 0
) -> Outcome:
    """Writes the return of ``exported`` to ``target``. So many lines fail, are left out, or were never sent by us."""
    rng = np.random.default_rng(seed)
    lines, summary = read_lines(exported, layout)
    order = rng.permutation(len(lines))
    lost, bad = set(order[:missing].tolist()), set(order[missing : missing + failed].tolist())
    returned: list[Line] = []
    paid = 0
    for number, line in enumerate(lines):
        if number in lost:
            continue
        if number in bad:
            returned.append({**line, "result": layout.failure[0], "reason": str(rng.choice(_REASONS))})
        else:
            returned.append({**line, "result": layout.success[0], "reason": ""})
            paid += _fen(line["amount"], layout)
    for number in range(unknown):
        stranger = {
            **lines[0],
            "line_no": str(90_000 + number),
            "account_no": f"8{rng.integers(10**15, 10**16)}",
            "payee_name": "查无此人",
        }
        returned.append({**stranger, "result": layout.success[0], "reason": ""})
    _write(target, layout, returned, summary)
    return Outcome(len(lines) - len(lost) - len(bad), len(bad), len(lost), unknown, paid)


def read_lines(path: Path, layout: Any) -> tuple[list[Line], Line]:
    """The lines of an exported file as texts by source, and its summary (empty when there is none)."""
    if layout.container == "xlsx":
        rows = _xlsx_rows(path)[2 if layout.title else 1 :]
        return [dict(zip([c.source for c in layout.columns], row, strict=False)) for row in rows if any(row)], {}
    raw = path.read_bytes().decode(layout.encoding).split(layout.line_end)
    raw = [text for text in raw if text]
    summary: Line = {}
    if layout.summary:
        summary = _split(raw.pop(-1 if layout.summary_last else 0), layout, layout.summary)
    if layout.header:
        raw.pop(0)
    return [_split(text, layout, layout.columns) for text in raw], summary


def _xlsx_rows(path: Path) -> list[list[str]]:
    from python_calamine import CalamineWorkbook

    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    return [[_number(cell) if isinstance(cell, float) else str(cell) for cell in row] for row in rows]


def _number(cell: float) -> str:
    return str(int(cell)) if cell.is_integer() else f"{cell:.2f}"


def _split(text: str, layout: Any, columns: Any) -> Line:
    if layout.container == "delimited":
        return dict(zip([c.source for c in columns], text.split(layout.delimiter), strict=True))
    data, at, line = text.encode(layout.encoding), 0, {}
    for column in columns:
        piece = data[at : at + column.width].decode(layout.encoding)
        at += column.width
        line[column.source] = piece.lstrip(column.pad) if column.align == "right" else piece.rstrip(column.pad)
    return line


def _fen(text: str, layout: Any) -> int:
    column = next(c for c in layout.columns if c.source == "amount")
    return round(float(text or 0) * 100) if column.point else int(text or 0)


def _write(target: Path, layout: Any, lines: list[Line], summary: Line) -> None:
    columns = layout.returns
    if layout.container == "xlsx":
        _write_xlsx(target, layout, lines)
        return
    texts = [_join(line, layout, columns) for line in lines]
    if layout.returns_header:
        texts.insert(0, layout.delimiter.join(c.name for c in columns))
    if layout.returns_summary and summary:
        totals = _join(_totals(summary, layout, lines), layout, layout.summary)
        texts = [*texts, totals] if layout.summary_last else [totals, *texts]
    target.write_bytes((layout.line_end.join(texts) + layout.line_end).encode(layout.encoding))


def _totals(summary: Line, layout: Any, lines: list[Line]) -> Line:
    """The summary of the return: counts what is in it."""
    fen = sum(_fen(line["amount"], layout) for line in lines)
    point = next(c.point for c in layout.summary if c.source == "total")
    return {**summary, "lines": str(len(lines)), "total": f"{fen / 100:.2f}" if point else str(fen)}


def _join(line: Line, layout: Any, columns: Any) -> str:
    values = [
        line.get(c.source, c.source.removeprefix("const:") if c.source.startswith("const:") else "") for c in columns
    ]
    if layout.container == "delimited":
        return layout.delimiter.join(values)
    padded = []
    for column, value in zip(columns, values, strict=True):
        room = column.width - len(value.encode(layout.encoding))
        padded.append(column.pad * room + value if column.align == "right" else value + column.pad * room)
    return "".join(padded)


def _write_xlsx(target: Path, layout: Any, lines: list[Line]) -> None:
    """Without ``returns`` of its own a bank sends the exported columns back with 结果 and 失败原因 behind them."""
    columns = [(c.name, c.source) for c in layout.returns or layout.columns]
    if not layout.returns:
        columns += [("结果", "result"), ("失败原因", "reason")]
    with xlsxwriter.Workbook(str(target)) as book:
        sheet = book.add_worksheet(layout.sheet or "Sheet1")
        sheet.write_row(0, 0, [name for name, _ in columns])
        for row, line in enumerate(lines, 1):
            for index, (_, source) in enumerate(columns):
                value = line.get(source, source.removeprefix("const:") if source.startswith("const:") else "")
                if source == "amount" and value:
                    sheet.write_number(row, index, float(value))
                else:
                    sheet.write_string(row, index, value)
