"""What the record says that each month owes whom (应发), and what payments there are: Arrow tables, read in bulk, nothing computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.core.payment_states import LIVE, sql_list
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger.back_pays import DRAFTED
from jiuzhu_cli.ledger.keys import same_id
from jiuzhu_cli.ledger.payables import changes
from jiuzhu_cli.ledger.snapshot import CHUNK, DEATH_REGISTERS, death_day, death_stands, row_ranges
from jiuzhu_cli.ledger.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

# what every reader of the lists needs of a case; ``more`` of ``leads`` adds columns of roll_row
LEAD = ("row_id", "batch_id", "id_no", "name", "head_id_no", "head_name", "town", "village", "amount_fen", "stage", "event_date", "start_month")  # fmt: skip
NUMBERS = frozenset({
    "row_id", "batch_id", "obligation_id", "line_id", "payment_id", "roll_row_id", "back_pay_id", "recovery_id", "twin", "covered_persons",
    "household_size", "line_no", "batches", "drafts", "corrects",
})  # fmt: skip

_STOPS = " UNION ALL ".join(
    f"SELECT d.doubt_id, d.id_no_{s} AS id_no, d.programme_{s} AS programme, d.area_{s} AS area, m.month, d.disposed_at, d.basis,"
    f" d.id_no_a = d.id_no_b AND d.programme_a = d.programme_b AS twin, CASE WHEN d.disposition LIKE 'recovered%' THEN 'recovered' ELSE 'stop' END AS effect"
    f" FROM doubt d JOIN doubt_month m USING (doubt_id) WHERE (d.severity = 'strong' AND d.disposition IN ('stop_{s}','stop_both','stopped_{s}','stopped_both'))"
    f" OR (d.disposition IN ('recovered_{s}','recovered_both') AND m.decided_fen IS NOT NULL)"
    for s in "ab"
)


def months_owed(store: Store) -> list[str]:
    """The months for which something was ever drafted, in order."""
    return [row[0] for row in store.query("SELECT DISTINCT month FROM obligation ORDER BY month")]


def lists(store: Store, months: Sequence[str]) -> pa.Table:
    """``batch_id, programme, area, month, corrects`` of the active rolls of ``months``; ``corrects`` 1: it replaced an earlier list."""
    return store.arrow(
        "SELECT batch_id, programme, area, month, (supersedes IS NOT NULL) + 0 AS corrects FROM batch WHERE kind = 'roll' AND status = 'active'"
        f" AND month IN ({_texts(months)})"
    )


def leads(store: Store, batches: Sequence[int], more: Sequence[str] = ()) -> Iterator[pa.Table]:
    """The cases with an amount on these rolls (and on others that lie between them: join by ``batch_id``): ``LEAD`` and ``more``."""
    columns = ", ".join((*LEAD, *more))
    return store.arrows(
        [
            f"SELECT {columns} FROM roll_row WHERE row_id BETWEEN {first} AND {last} AND lead = 1 AND amount_fen > 0"
            for first, last in row_ranges(store, "roll_row", batches)
        ]
    )


def facts(store: Store, months: Sequence[str]) -> dict[str, pa.Table]:
    """Deaths (``dead``: id_no, event_date), stops by doubts (``stop_side``), starts decided on for months before the list (``start``), and
    changes by decisions (``change``: by the row of the month's roll; ``decided``: when; ``ended``: cases
    stopped or transferred and not taken on again)."""
    import pyarrow as pa

    return {
        "dead": store.arrow(
            f"SELECT r.id_no, MIN({death_day('r')}) AS event_date FROM batch b JOIN register_row r USING (batch_id) WHERE b.kind = 'register'"
            f" AND b.status = 'active' AND b.programme IN {DEATH_REGISTERS} AND {death_stands('r.status')} AND {death_day('r')} IS NOT NULL"
            " GROUP BY r.id_no"
        ),
        "stop_side": store.arrow(f"SELECT * FROM ({_STOPS}) WHERE month IN ({_texts(months)})"),
        "start": store.arrow(_starts(max(months))),
        "decided": store.arrow("SELECT case_id, decided_at FROM proposal WHERE state = 'effective'"),
        "ended": store.arrow(
            "SELECT programme, id_no, case_id, effective_month FROM proposal s WHERE state = 'effective' AND action IN ('stop','transfer') AND NOT EXISTS"
            " (SELECT 1 FROM proposal n WHERE n.id_no = s.id_no AND n.programme = s.programme AND n.state = 'effective' AND n.action IN"
            " ('start','increase','decrease','grace') AND n.effective_month > s.effective_month)"
        ),
        "change": pa.concat_tables([changes(store, month) for month in months]),
    }


def _starts(last: str) -> str:
    """Decisions to take somebody on, with the first list on or after their month that shows the case."""
    return (
        "SELECT s.*, r.head_id_no, r.head_name, r.name, r.town, r.village, b.area, b.month AS listed_month FROM (SELECT p.case_id, p.programme, p.id_no,"
        " p.effective_month, p.amount_after_fen, (SELECT l.row_id FROM roll_row l JOIN batch k USING (batch_id) WHERE"
        f" {same_id('l', 'p.id_no')} AND l.lead = 1 AND k.kind = 'roll' AND k.status = 'active' AND k.programme = p.programme"
        " AND k.month >= p.effective_month ORDER BY k.month, l.row_id LIMIT 1) AS row_id FROM proposal p WHERE p.state = 'effective'"
        f" AND p.action = 'start' AND p.amount_after_fen > 0 AND p.effective_month <= '{last}') s JOIN roll_row r USING (row_id)"
        " JOIN batch b USING (batch_id) WHERE b.month > s.effective_month AND NOT EXISTS (SELECT 1 FROM proposal n WHERE n.id_no = s.id_no AND"
        " n.programme = s.programme AND n.state = 'effective' AND n.action IN ('stop','transfer') AND n.effective_month > s.effective_month"
        " AND n.effective_month < b.month)"
    )


def obligations(store: Store, months: Sequence[str]) -> Iterator[pa.Table]:
    """``obligation_id, programme, month, recipient, item, purpose, cause, amount_fen, roll_row_id, name, town, village`` owed for ``months``; and
    instalments and single events of any month, which are owed once."""
    first, last = store.query(
        "SELECT COALESCE(MIN(obligation_id), 1), COALESCE(MAX(obligation_id), 0) FROM obligation"
    )[0]
    return store.arrows(
        [
            "SELECT obligation_id, programme, month, recipient_id_no AS recipient, item, purpose, cause, amount_fen, roll_row_id, recipient_name AS name,"
            f" town, village FROM obligation WHERE obligation_id BETWEEN {at} AND {at + CHUNK - 1} AND (month IN ({_texts(months)}) OR item <> '')"
            for at in range(first, last + 1, CHUNK)
        ]
    )


def lines(store: Store, first_month: str, *, without: int = 0) -> Iterator[pa.Table]:
    """``line_id, payment_id, obligation_id, state, amount_fen, set_off_fen`` of the batches of ``first_month`` and later (nothing is paid before it
    is owed), but those cancelled and those of batch ``without``."""
    ranges = store.query(
        "SELECT MIN(l.line_id), MAX(l.line_id) FROM payment_batch p JOIN payment_line l USING (payment_id) WHERE p.month >= ? AND p.payment_id <> ?"
        " GROUP BY p.payment_id",
        (first_month, without),
    )
    return store.arrows(
        [
            "SELECT line_id, payment_id, obligation_id, state, amount_fen, set_off_fen FROM payment_line"
            f" WHERE line_id BETWEEN {at} AND {min(at + CHUNK - 1, last)} AND state <> 'cancelled' AND payment_id <> {int(without)}"
            for first, last in sorted(map(tuple, ranges))
            for at in range(first, last + 1, CHUNK)
        ]
    )


def standing(store: Store, months: Sequence[str]) -> dict[str, pa.Table]:
    """What else is of record about ``months``: ``claim`` (recoveries with their sums, by line), ``found`` (back-pay of
    which no line is drafted, under way or paid), ``held`` (holds of each
    month's last batch that was not cancelled), ``batch_of`` (``month, batches, drafts``)."""
    within = f"IN ({_texts(months)})"
    return {
        "claim": store.arrow(
            f"SELECT c.*, o.programme, o.month, o.recipient_id_no AS recipient, o.item FROM ({BALANCES}) c JOIN payment_line l USING (line_id)"
            f" JOIN obligation o USING (obligation_id) WHERE o.month {within} OR o.item <> ''"
        ),
        "found": store.arrow(
            "SELECT back_pay_id, programme, month, recipient_id_no AS recipient, item, cause, amount_fen, state FROM back_pay b"
            f" WHERE month {within} AND NOT {DRAFTED}"
        ),
        "held": store.arrow(
            "SELECT DISTINCT p.month, h.programme, h.recipient_id_no AS recipient, h.code, h.reason FROM payment_hold h JOIN payment_batch p USING (payment_id)"
            f" WHERE p.state <> 'cancelled' AND p.month {within} AND p.sequence = (SELECT MAX(q.sequence) FROM payment_batch q"
            " WHERE q.month = p.month AND q.state <> 'cancelled')"
        ),
        "batch_of": store.arrow(
            "SELECT month, COUNT(*) AS batches, SUM(state = 'draft') AS drafts FROM payment_batch"
            f" WHERE state <> 'cancelled' AND month {within} GROUP BY month"
        ),
    }


def decided_between(store: Store, first: str, last: str) -> pa.Table:
    """``programme, id_no, action, case_id, effective_month`` of decisions that took effect after ``first``, up to ``last``."""
    return store.arrow(
        "SELECT programme, id_no, action, case_id, effective_month FROM proposal WHERE state = 'effective'"
        f" AND effective_month > '{check_month(first)}' AND effective_month <= '{check_month(last)}'"
    )


# one row a claim: what was claimed, what came back, was waived (once confirmed), is set off by lines under way or paid, and what is left
BALANCES = f"""
SELECT r.recovery_id, r.line_id, r.code, r.set_off, e.claimed_fen, e.repaid_fen, e.waived_fen, COALESCE(s.set_off_fen, 0) AS set_off_fen,
  e.claimed_fen - e.repaid_fen - e.waived_fen - COALESCE(s.set_off_fen, 0) AS open_fen
FROM recovery r JOIN (SELECT recovery_id, SUM(CASE WHEN kind = 'claim' THEN amount_fen ELSE 0 END) AS claimed_fen,
    SUM(CASE WHEN kind = 'repayment' THEN amount_fen ELSE 0 END) AS repaid_fen,
    SUM(CASE WHEN kind = 'waiver' AND (confirmed_by <> '' OR amount_fen < 0) THEN amount_fen ELSE 0 END) AS waived_fen FROM recovery_entry GROUP BY recovery_id) e
  USING (recovery_id)
LEFT JOIN (SELECT f.recovery_id, SUM(f.amount_fen) AS set_off_fen FROM recovery_set_off f JOIN payment_line l USING (line_id)
    WHERE l.state IN {sql_list(LIVE)} GROUP BY f.recovery_id) s USING (recovery_id)
"""


def _texts(values: Sequence[str]) -> str:
    return ", ".join(f"'{check_month(value)}'" for value in values)
