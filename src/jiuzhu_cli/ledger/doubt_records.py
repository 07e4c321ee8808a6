"""The records behind doubts: each side's row with file, sheet and row, and the months of a doubt with their arithmetic."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, ROLL_COLUMNS
from jiuzhu_cli.ledger.store import Store

# One row a side, of the doubt's last month. Figures and account are the case's, which stand on its lead row.
_BESIDE = """
WITH shown AS (
  SELECT d.doubt_id, m.row_a, m.row_b FROM doubt d JOIN doubt_month m ON m.doubt_id = d.doubt_id AND m.month = d.month_to
  WHERE d.state = 'open' AND d.doubt_id IN (SELECT doubt_id FROM doubt_month WHERE month BETWEEN ?1 AND ?2)),
sides AS (
  SELECT doubt_id, 'a' AS side, row_a AS row_id FROM shown WHERE row_a IS NOT NULL
  UNION ALL SELECT doubt_id, 'b', row_b FROM shown WHERE row_b IS NOT NULL)
SELECT s.doubt_id, s.side, r.town, r.village, coalesce(l.amount_fen, r.amount_fen) AS amount_fen, coalesce(l.account_no, r.account_no, '') AS account_no,
  coalesce(nullif(r.phone, ''), l.phone, '') AS phone, b.file_name, t.sheet, r.source_row
FROM sides s JOIN roll_row r ON r.row_id = s.row_id JOIN batch b USING (batch_id)
JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no
LEFT JOIN roll_row l ON l.row_id = (SELECT x.row_id FROM roll_row x WHERE x.batch_id = r.batch_id AND x.case_no = r.case_no AND x.lead = 1 LIMIT 1)
UNION ALL
SELECT s.doubt_id, s.side, r.town, r.village, r.amount_fen, '', '', b.file_name, t.sheet, r.source_row
FROM sides s JOIN register_row r ON r.row_id = -s.row_id JOIN batch b USING (batch_id)
JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no
"""
Beside = tuple[str, str, int | None, str, str, str, str, int]


def records_beside(store: Store, window: tuple[str, str]) -> dict[tuple[str, str], Beside]:
    """The committed rows behind the doubts of the window's months: (doubt_id, side) → town, village, amount_fen, account_no, phone, file, sheet,
    row. Sides without a row in the record (missed aid, doubts of an older program) are left out.
    """
    first, last = map(check_month, window)
    found = store.arrow(
        _BESIDE.replace("?1", f"'{first}'").replace("?2", f"'{last}'")
    )  # in no need of the interpreter meanwhile
    columns = [column.to_pylist() for column in found.columns]
    return {row[:2]: row[2:] for row in zip(*columns, strict=True)}


_ROLL = f"""
SELECT b.programme, b.area, b.month, b.status AS batch_status, b.file_name, b.file_sha256, t.sheet, t.columns, {", ".join(f"r.{c}" for c in ROLL_COLUMNS)}
FROM roll_row r JOIN batch b USING (batch_id) JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no WHERE r.row_id = ?
"""
_REGISTER = f"""
SELECT 'register:' || b.programme AS programme, b.area, b.month, b.status AS batch_status, b.file_name, b.file_sha256, t.sheet, t.columns,
  {", ".join(f"r.{c}" for c in REGISTER_COLUMNS)}
FROM register_row r JOIN batch b USING (batch_id) JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no WHERE r.row_id = ?
"""


def record(store: Store, row_id: int | None) -> dict[str, Any] | None:
    """One row of a roll (or, negative, of a register) with everything it holds, where it stands, and the table's columns (JSON);
    of a household the lead row (``lead_row``, None where it is this one), ``case_fen`` and ``persons`` come with it. None when there is none.
    """
    if row_id is None:
        return None
    rows = store.query(_ROLL if row_id > 0 else _REGISTER, (abs(row_id),))
    if not rows:
        return None
    found = dict(rows[0])
    if row_id > 0:
        case = (found["batch_id"], found["case_no"])
        lead = store.query(
            "SELECT name, source_row, amount_fen, account_no, payee_name, phone, covered_persons FROM roll_row"
            " WHERE batch_id = ? AND case_no = ? AND lead = 1",
            case,
        )
        found["lead_row"] = dict(lead[0]) if lead and not found["lead"] else None
        listed = store.query("SELECT count(*) FROM roll_row WHERE batch_id = ? AND case_no = ?", case)[0][0]
        found["case_fen"] = lead[0]["amount_fen"] if lead else None
        found["persons"] = (lead[0]["covered_persons"] if lead else None) or listed
    return found


def months_of(store: Store, doubt_id: str) -> list[dict[str, Any]]:
    """The months of a doubt in order: the columns of ``doubt_month``."""
    return [
        dict(row) for row in store.query("SELECT * FROM doubt_month WHERE doubt_id = ? ORDER BY month", (doubt_id,))
    ]
