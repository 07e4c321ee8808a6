"""What a year's payments come to (经费支出): by programme, month and 城市 or 农村, for setting against budgets."""

from __future__ import annotations

from dataclasses import dataclass

from jiuzhu_cli.core.payment_states import LIVE, OUT, sql_list
from jiuzhu_cli.ledger.store import Store


@dataclass(frozen=True, slots=True)
class Spent:
    """分 of the live lines of one programme's batches of ``month`` (paid in): ``out_fen`` paid or at the bank, ``due_fen`` in batches not yet sent."""

    programme: str
    month: str
    kind: str
    out_fen: int
    due_fen: int


def kind_of(*, kinds: bool) -> tuple[str, str]:
    """SQL of a line's 城市 or 农村 as its roll has it ('' for all unless ``kinds``), and the join to ``obligation o`` that it needs."""
    if not kinds:
        return "''", ""
    return (
        "CASE WHEN r.category IN ('城市', '农村') THEN r.category ELSE '' END",
        "LEFT JOIN roll_row r ON r.row_id = o.roll_row_id",
    )


def spent_in(store: Store, year: int, *, kinds: bool = False, without: int = 0) -> list[Spent]:
    """The sums of ``year``; ``kinds``: apart by the roll's 城市 and 农村 (else '' for all). Lines of payment ``without`` (a draft to be replaced) are left out.

    What the bank pays counts: money kept back towards a recovery was spent when it was first paid; lines that came back count no more.
    """
    kind, join = kind_of(kinds=kinds)
    rows = store.query(
        f"SELECT o.programme, b.month, {kind} AS kind, SUM(CASE WHEN l.state IN {sql_list(OUT)} THEN l.amount_fen ELSE 0 END),"
        f" SUM(CASE WHEN l.state IN {sql_list(OUT)} THEN 0 ELSE l.amount_fen END)"
        f" FROM payment_batch b JOIN payment_line l USING (payment_id) JOIN obligation o USING (obligation_id) {join}"
        f" WHERE b.month BETWEEN ? AND ? AND b.payment_id <> ? AND l.state IN {sql_list(LIVE)} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (f"{year:04d}-01", f"{year:04d}-12", without),
    )
    return [Spent(*tuple(row)) for row in rows]
