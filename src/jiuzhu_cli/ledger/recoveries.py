"""Claims for money that went out and was not owed (追缴) in the record: what was claimed, came back, was waived or set off, entry by entry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jiuzhu_cli.core.actors import same_actor
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.payment_states import LIVE, sql_list
from jiuzhu_cli.ledger.dues import BALANCES
from jiuzhu_cli.ledger.store import Store, Transaction

_NO_TWIN = "(NOT {0}.twin OR {0}.area IN (o.town, o.town || '/' || o.village))"
# what somebody says has come back (已追回): the side's money of the months decided on
_CAME_BACK = " UNION ALL ".join(
    f"SELECT d.id_no_{s} AS id_no, d.programme_{s} AS programme, d.area_{s} AS area, m.month, d.doubt_id,"
    " d.id_no_a = d.id_no_b AND d.programme_a = d.programme_b AS twin FROM doubt d JOIN doubt_month m USING (doubt_id)"
    f" WHERE d.disposition IN ('recovered_{s}', 'recovered_both') AND m.decided_fen IS NOT NULL"
    for s in "ab"
)


def recovered_lines(store: Store, doubt_id: str = "") -> list[dict[str, Any]]:
    """Lines sent or paid that a doubt's result (已追回) says have come back: ``doubt_id, line_id, payment_id, programme, month, amount_fen``."""
    rows = store.query(
        f"SELECT b.doubt_id, l.line_id, l.payment_id, o.programme, o.month, l.amount_fen FROM ({_CAME_BACK}) b JOIN obligation o"
        " ON o.recipient_id_no = b.id_no AND o.programme = b.programme AND o.month = b.month"
        " JOIN payment_line l ON l.obligation_id = o.obligation_id AND l.state IN ('sent','paid')"
        f" WHERE {_NO_TWIN.format('b')} AND ?1 IN ('', b.doubt_id) ORDER BY o.month, l.line_id",
        (doubt_id,),
    )
    return [dict(row) for row in rows]


def by_doubt(store: Store) -> dict[int, int]:
    """Claim → 分 of it that were booked as repaid because a doubt's result says so."""
    rows = store.query(
        "SELECT recovery_id, SUM(amount_fen) FROM recovery_entry WHERE source LIKE 'doubt:%' GROUP BY recovery_id"
    )
    return {row[0]: row[1] for row in rows}


def claims(store: Store, *, month: str = "", settled: bool = True) -> list[dict[str, Any]]:
    """Claims by month, town and number: ``recovery_id, line_id, payment_id, programme, month`` (owed for), ``recipient_id_no, recipient_name, town,
    village, item, amount_fen`` (of the line)``, state`` (of the line)``, code, cause, reason, set_off, opened_at, claimed_fen, repaid_fen, waived_fen,
    set_off_fen, open_fen, asked_fen`` (waivers that wait for a second person). ``settled`` False: only those with something still to come back."""
    rows = store.query(
        "SELECT c.*, l.payment_id, l.amount_fen, l.state, o.programme, o.month, o.recipient_id_no, o.recipient_name, o.town, o.village, o.item,"
        " r.cause, r.reason, r.opened_at, (SELECT COALESCE(SUM(e.amount_fen), 0) FROM recovery_entry e WHERE e.recovery_id = c.recovery_id"
        f" AND e.kind = 'waiver' AND e.confirmed_by = '' AND e.amount_fen > 0) AS asked_fen FROM ({BALANCES}) c JOIN recovery r USING (recovery_id)"
        " JOIN payment_line l ON l.line_id = c.line_id JOIN obligation o USING (obligation_id)"
        " WHERE ?1 IN ('', o.month) AND (?2 OR c.open_fen > 0) ORDER BY o.month, o.town, c.recovery_id",
        (month, settled),
    )
    return [dict(row) for row in rows]


def claims_of(store: Store, lines: Sequence[int]) -> list[dict[str, Any]]:
    """The claims on these lines, found one by one (few lines of a large record): ``recovery_id, line_id, payment_id, line_no, programme, month, code,
    reason, claimed_fen, repaid_fen, waived_fen, set_off_fen, open_fen``."""
    rows = store.query(_OF_LINES, (json.dumps(list(lines)),))
    return [
        dict(row) | {"open_fen": row["claimed_fen"] - row["repaid_fen"] - row["waived_fen"] - row["set_off_fen"]}
        for row in rows
    ]


_ENTRIES = "(SELECT COALESCE(SUM(e.amount_fen), 0) FROM recovery_entry e WHERE e.recovery_id = r.recovery_id AND e.kind = {kind})"
_OF_LINES = f"""
SELECT r.recovery_id, r.line_id, l.payment_id, l.line_no, o.programme, o.month, r.code, r.reason, {_ENTRIES.format(kind="'claim'")} AS claimed_fen,
  {_ENTRIES.format(kind="'repayment'")} AS repaid_fen, {_ENTRIES.format(kind="'waiver' AND (e.confirmed_by <> '' OR e.amount_fen < 0)")} AS waived_fen,
  (SELECT COALESCE(SUM(s.amount_fen), 0) FROM recovery_set_off s JOIN payment_line k ON k.line_id = s.line_id WHERE s.recovery_id = r.recovery_id
   AND k.state IN {sql_list(LIVE)}) AS set_off_fen
FROM json_each(?) j CROSS JOIN recovery r ON r.line_id = j.value JOIN payment_line l ON l.line_id = r.line_id JOIN obligation o USING (obligation_id)
ORDER BY o.month, r.recovery_id
"""


def entries(store: Store, recovery_id: int) -> list[dict[str, Any]]:
    """The entries of a claim in order (columns of ``recovery_entry``)."""
    return [
        dict(r)
        for r in store.query("SELECT * FROM recovery_entry WHERE recovery_id = ? ORDER BY entry_id", (recovery_id,))
    ]


def open_claims(tx: Transaction, found: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Makes the claims say what was found: ``line_id, code, cause, reason, claim_fen`` (to be added; negative takes back)``, waiver_fen`` (a waiver that
    no longer stands, negative)``, doubt_fen, doubt_id`` (repaid as a doubt's result says). Returns how many were opened, how many changed."""
    opened = changed = 0
    for row in found:
        known = tx.execute("SELECT recovery_id FROM recovery WHERE line_id = ?", (row["line_id"],)).fetchone()
        if known is None:
            number = tx.execute(
                "INSERT INTO recovery (line_id, code, cause, reason, opened_by, opened_at) VALUES (?,?,?,?,?,?)",
                (row["line_id"], row["code"], row["cause"], row["reason"], tx.actor, tx.now),
            ).lastrowid
            assert number is not None
            opened += 1
        else:
            number = known[0]
            changed += 1
            if row["claim_fen"] > 0:  # what it rests on now
                tx.execute(
                    "UPDATE recovery SET code=?, cause=?, reason=? WHERE recovery_id=?",
                    (row["code"], row["cause"], row["reason"], number),
                )
        for kind, fen, source in (
            ("claim", row["claim_fen"], row["cause"]),
            ("waiver", row["waiver_fen"], row["cause"]),
            ("repayment", row["doubt_fen"], f"doubt:{row['doubt_id']}"),
        ):
            if fen:
                times = tx.execute("SELECT COUNT(*) FROM recovery_entry WHERE recovery_id = ?", (number,)).fetchone()[0]
                reason = (
                    row["reason"] if kind != "repayment" else "疑点处理结果：已追回" if fen > 0 else "疑点处理结果已改"
                )
                book(tx, number, kind, fen, key=f"{number}|{kind}|{times}", reason=reason, source=source)
    return opened, changed


def book(
    tx: Transaction,
    recovery_id: int,
    kind: str,
    amount_fen: int,
    *,
    key: str,
    on_date: str = "",
    receipt: str = "",
    reason: str = "",
    source: str = "",
) -> None:
    """One entry of a claim; the caller has checked the amount and that ``key`` is new."""
    tx.execute(
        "INSERT INTO recovery_entry (recovery_id, kind, amount_fen, on_date, receipt, reason, source, entry_key, actor, at) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (recovery_id, kind, amount_fen, on_date, receipt, reason, source, key, tx.actor, tx.now),
    )


def known_keys(store: Store, keys: Sequence[str]) -> set[str]:
    """Which of these entries are booked already."""
    import json

    rows = store.query(
        "SELECT entry_key FROM recovery_entry WHERE entry_key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    return {row[0] for row in rows}


def set_set_off(tx: Transaction, recovery_id: int, agreed: bool) -> None:
    """Whether later payments may be reduced towards the claim."""
    tx.execute("UPDATE recovery SET set_off = ? WHERE recovery_id = ?", (int(agreed), recovery_id))


def confirm_waivers(tx: Transaction, recovery_id: int) -> int:
    """A second person confirms the claim's waivers that wait for one; returns their sum in 分. RefusedError for one's own; UsageError when none waits."""
    rows = tx.execute(
        "SELECT entry_id, actor, amount_fen FROM recovery_entry WHERE recovery_id = ? AND kind = 'waiver' AND confirmed_by = '' AND amount_fen > 0",
        (recovery_id,),
    ).fetchall()
    if not rows:
        raise UsageError(f"追缴 {recovery_id} 没有等待确认的免收", "用 jiuzhu pay recover 看清单")
    for entry_id, actor, _ in rows:
        if same_actor(actor, tx.actor):
            raise RefusedError(
                f"追缴 {recovery_id} 的免收是 {actor} 提出的，不能自己确认",
                "请另一人确认：--actor 姓名",
                code="own_approval",
            )
        tx.execute(
            "UPDATE recovery_entry SET confirmed_by = ?, confirmed_at = ? WHERE entry_id = ?",
            (tx.actor, tx.now, entry_id),
        )
    return sum(row[2] for row in rows)


def set_off_claims(store: Store, *, without: int = 0) -> list[dict[str, Any]]:
    """Claims that later payments are reduced for: ``recovery_id, recipient_id_no, programme, month, open_fen``, oldest first. What batch ``without``
    keeps back is open still."""
    rows = store.query(
        "SELECT * FROM (SELECT c.recovery_id, o.recipient_id_no, o.programme, o.month, c.open_fen + COALESCE((SELECT SUM(f.amount_fen) FROM recovery_set_off f"
        " JOIN payment_line d USING (line_id) WHERE f.recovery_id = c.recovery_id AND d.payment_id = ? AND d.state = 'due'), 0) AS open_fen"
        f" FROM ({BALANCES}) c JOIN payment_line l USING (line_id) JOIN obligation o USING (obligation_id) WHERE c.set_off = 1) WHERE open_fen > 0"
        " ORDER BY month, recovery_id",
        (without,),
    )
    return [dict(row) for row in rows]
