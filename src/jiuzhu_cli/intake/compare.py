"""What a roll changes against the one before it: who came, who went, whose amount or account is another.

The one before is the latest earlier month's roll of the same programme and place (at most a year back), or, for a corrected
roll, the roll that it replaces. All in vectors; a list without a roll before it costs one look into the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.core.mask import mask_account, mask_id, mask_name
from jiuzhu_cli.core.money import yuan

MONTHS_BACK = 12
MONTHLY = frozenset(
    ("top_up", "graded", "fixed", "status")
)  # benefits whose people stay on the list from month to month
SHOWN = 200
KINDS = ("账号和户名都换了", "账号换了", "原来没有账号", "账号没有了", "撤下", "新增", "金额变了", "家庭人口变了")


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: ``kind`` of ``KINDS``; ``before`` and ``after`` as people read them, accounts masked; where it stands."""

    kind: str
    id_no: str
    name: str
    village: str
    before: str
    after: str
    table_no: int = 0
    row: int = 0  # 1-based row of the sheet, 0: not on it


@dataclass(slots=True)
class Comparison:
    """Against ``month`` (of the rolls ``batches``). ``waiting``: persons of before who stand on rows sent back.

    ``persons_after`` counts those on the list, on its further parts and on rows sent back; ``taken`` only the first. Amounts
    in 分, over cases; ``compared_fen_before`` is of ``compared_before`` persons: without those who wait or are on further parts.
    """

    month: str
    batches: list[int]
    persons_before: int
    persons_after: int
    taken: int
    compared_before: int
    compared_fen_before: int
    amount_fen_before: int
    amount_fen_after: int
    cases: int  # on both
    waiting: int
    lines: list[Line]
    workbook: str = ""  # where the lines are listed, relative to the workspace

    def count(self, *kinds: str) -> int:
        return sum(line.kind in kinds for line in self.lines)

    @property
    def accounts(self) -> list[Line]:
        """Everyone whose account is another than before."""
        return [line for line in self.lines if line.kind in KINDS[:4]]

    def as_json(self) -> dict[str, Any]:
        accounts = self.accounts
        return {
            "month": self.month,
            "batch": self.batches[0] if self.batches else None,
            "batches": self.batches,
            "persons_before": self.persons_before,
            "persons_after": self.persons_after,
            "amount_fen_before": self.amount_fen_before,
            "amount_fen_after": self.amount_fen_after,
            "added": self.count("新增"),
            "withdrawn": self.count("撤下"),
            "waiting": self.waiting,
            "amount_changed": self.count("金额变了"),
            "account_changed": len(accounts),
            "payee_changed": self.count(KINDS[0]),
            "size_changed": self.count("家庭人口变了"),
            "accounts": [
                {"id_no": mask_id(line.id_no), "name": mask_name(line.name), "before": line.before, "after": line.after,
                 "kind": line.kind, "row": line.row}
                for line in accounts[:SHOWN]
            ],
            "accounts_cut": max(0, len(accounts) - SHOWN),
            "workbook": self.workbook or None,
        }  # fmt: skip


def compare(
    now: pa.Table, before: pa.Table, *, month: str, batches: Sequence[int], others: pa.Array | None = None,
    refused: pa.Table | None = None,
) -> Comparison:  # fmt: skip
    """``now`` against ``before``, both with the columns of ``ledger.earlier``.

    ``others``: IDs on further parts of this month's list; ``refused``: ``id_no``, ``name``, ``village`` of rows sent back.
    Neither are withdrawn.
    """
    ids, old_ids = _array(now, "id_no"), _array(before, "id_no")
    place = _numbers(pc.index_in(ids, value_set=old_ids), -1)
    further = np.zeros(len(old_ids), dtype=bool) if others is None else _true(pc.is_in(old_ids, value_set=others))
    gone = ~(_true(pc.is_in(old_ids, value_set=ids)) | further)
    waiting = gone & _waits(before, refused)
    gone &= ~waiting
    old_lead = _numbers(_array(before, "lead"), 0) == 1
    old_amount = np.where(old_lead, _numbers(_array(before, "amount_fen"), 0), 0)
    lead = np.flatnonzero(_numbers(_array(now, "lead"), 0) == 1)
    old = _case_before(now, before, lead, place)
    known = old >= 0
    lead_known, old = lead[known], old[known]
    lines = _account_lines(now, before, lead_known, old)
    left, come = np.flatnonzero(gone), np.flatnonzero(place < 0)
    lines += _lines("撤下", before, left, before=_yuan(before, left), on_sheet=False)
    lines += _lines("新增", now, come, after=_yuan(now, come))
    for kind, name, said in (("金额变了", "amount_fen", _yuan), ("家庭人口变了", "household_size", _persons)):
        new, earlier = _numbers(_array(now, name), -1)[lead_known], _numbers(_array(before, name), -1)[old]
        other = (new != earlier) & (new >= 0) & (earlier >= 0)
        rows, rows_before = lead_known[other], old[other]
        lines += _lines(kind, now, rows, before=said(before, rows_before), after=said(now, rows))
    amount = _numbers(_array(now, "amount_fen"), 0)
    taken = len(pc.unique(ids))
    more = 0 if others is None else len(set(others.to_pylist()) - set(ids.to_pylist()))
    back = refused.num_rows if refused is not None else 0
    elsewhere = waiting | further
    return Comparison(
        month, list(batches), len(pc.unique(old_ids)), taken + more + back, taken,
        len(pc.unique(old_ids.filter(pa.array(~elsewhere)))), int(old_amount[~elsewhere].sum()), int(old_amount.sum()), int(amount[lead].sum()),
        len(lead_known), int(waiting.sum()), lines,
    )  # fmt: skip


def _case_before(now: pa.Table, before: pa.Table, lead: np.ndarray, place: np.ndarray) -> np.ndarray:
    """For each lead the row of ``before`` that leads the same case, -1 where there is none.

    The same case: led by the same person, or by one who has left it to another of its members.
    """
    old_lead = np.flatnonzero(_numbers(_array(before, "lead"), 0) == 1)
    key = _numbers(_array(before, "batch_id"), 0) * (1 << 32) + _numbers(_array(before, "case_no"), 0)
    leads = old_lead[np.argsort(key[old_lead], kind="stable")]
    person = place[lead]
    found = np.full(len(lead), -1)
    if not len(leads):
        return found
    at = np.minimum(np.searchsorted(key[leads], key[np.maximum(person, 0)]), len(leads) - 1)
    hit = (person >= 0) & (key[leads][at] == key[np.maximum(person, 0)])
    found[hit] = leads[at[hit]]
    # a member who now heads a household of its own is a new case while the old head still has the old one
    still = np.zeros(before.num_rows, dtype=bool)
    still[place[lead][place[lead] >= 0]] = True
    other_head = (found >= 0) & (found != person)
    found[other_head & still[np.maximum(found, 0)]] = -1
    _, first = np.unique(found, return_index=True)
    once = np.zeros(len(found), dtype=bool)
    once[first] = True
    found[~once] = -1
    return found


def _waits(before: pa.Table, refused: pa.Table | None) -> np.ndarray:
    """Who of ``before`` stands on a row that was sent back: by ID, else by a name that is there once."""
    nobody = np.zeros(before.num_rows, dtype=bool)
    if refused is None or not refused.num_rows:
        return nobody
    by_id = _true(pc.is_in(_array(before, "id_no"), value_set=_array(refused, "id_no").drop_null()))
    mine = pc.binary_join_element_wise(_text(before, "name"), _text(before, "village"), "\x1f")
    theirs = pc.binary_join_element_wise(_text(refused, "name"), _text(refused, "village"), "\x1f")
    counted = pc.value_counts(mine)
    single = counted.field("values").filter(pc.equal(counted.field("counts"), 1))
    return by_id | _true(pc.and_(pc.is_in(mine, value_set=theirs), pc.is_in(mine, value_set=single)))


def _account_lines(now: pa.Table, before: pa.Table, lead: np.ndarray, old: np.ndarray) -> list[Line]:
    """Cases whose account is another; nothing where one of the lists has no accounts at all."""
    account, earlier = _picked(_text(now, "account_no"), lead), _picked(_text(before, "account_no"), old)
    if not pc.any(pc.not_equal(account, "")).as_py() or not pc.any(pc.not_equal(earlier, "")).as_py():
        return []
    differs = np.flatnonzero(_true(pc.not_equal(account, earlier)))
    if not len(differs):
        return []
    lead, old = lead[differs], old[differs]
    account, earlier = account.take(pa.array(differs)), earlier.take(pa.array(differs))
    payee = pc.coalesce(_picked(_array(now, "payee_name"), lead), _picked(_array(now, "name"), lead))
    payee_before = pc.coalesce(_picked(_array(before, "payee_name"), old), _picked(_array(before, "name"), old))
    out = []
    for place, new, gone, holder, holder_before in zip(
        lead.tolist(),
        account.to_pylist(),
        earlier.to_pylist(),
        payee.to_pylist(),
        payee_before.to_pylist(),
        strict=True,
    ):
        kind = (
            "原来没有账号"
            if not gone
            else "账号没有了"
            if not new
            else KINDS[0]
            if holder != holder_before
            else "账号换了"
        )
        said, said_before = mask_account(new), mask_account(gone)
        if kind == KINDS[0]:
            said, said_before = f"{said} {mask_name(holder or '')}", f"{said_before} {mask_name(holder_before or '')}"
        out += _lines(kind, now, np.array([place]), before=[said_before], after=[said])
    return sorted(out, key=lambda line: KINDS.index(line.kind))


def _lines(
    kind: str, table: pa.Table, rows: np.ndarray, *, before: Sequence[str] = (), after: Sequence[str] = (), on_sheet: bool = True
) -> list[Line]:  # fmt: skip
    """Lines for ``rows`` of ``table``; ``before`` and ``after``: a text for each of them."""
    blank = [""] * len(rows)
    places = ("table_no", "source_row")
    columns = [_picked(_array(table, name), rows).to_pylist() for name in ("id_no", "name", "village")]
    where = [_picked(_array(table, name), rows).to_pylist() if on_sheet else [0] * len(rows) for name in places]
    return [
        Line(kind, id_no, name or "", village or "", old, new, number or 0, row or 0)
        for id_no, name, village, old, new, number, row in zip(
            *columns, before or blank, after or blank, *where, strict=True
        )
    ]


def _yuan(table: pa.Table, rows: np.ndarray) -> list[str]:
    return [yuan(fen) for fen in _picked(_array(table, "amount_fen"), rows).to_pylist()]


def _persons(table: pa.Table, rows: np.ndarray) -> list[str]:
    return [str(count) for count in _picked(_array(table, "household_size"), rows).to_pylist()]


def _array(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks()


def _text(table: pa.Table, name: str) -> Any:
    return pc.fill_null(_array(table, name), "")


def _picked(array: Any, rows: np.ndarray) -> Any:
    return array.take(pa.array(rows))


def _numbers(array: Any, blank: int) -> np.ndarray:
    return np.asarray(pc.fill_null(array, blank).to_numpy(zero_copy_only=False))


def _true(mask: Any) -> np.ndarray:
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))


__all__ = ["KINDS", "MONTHLY", "MONTHS_BACK", "Comparison", "Line", "compare"]
