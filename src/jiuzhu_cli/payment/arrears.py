"""What a payment takes along beside the month's own cases: confirmed back-pay (补发), and what is kept back towards recoveries (抵扣).

``add`` makes ``arrear`` (the columns of ``candidate``, for the months owed), ``every_case`` (both) and ``set_off`` (``n, recovery_id, fen``), and asks of the back-pay
those gates that look at the person and the account; the other gates looked at the month itself, which was paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.ledger import back_pays, recoveries
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.candidates import load_table, routes, unfit
from jiuzhu_cli.payment.dues import KEY, balance, open_dues, policies_of
from jiuzhu_cli.payment.holds import BY_CODE, ask_one

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme

GATES = (
    "dead",
    "doubt_confirmed",
    "doubt_open",
    "no_account",
    "bad_account",
    "unfit",
    "over_cap",
    "account_refused",
    "account_changed",
    "said_paid",
)
SHARE, KEPT, ACROSS = "追缴抵扣上限比例", "追缴抵扣后保留金额", "追缴跨项目抵扣"
SUBSISTENCE = "基本生活救助"  # the group of programmes that pay the minimum itself: nothing is ever kept back of them

# What is still owed of each: one row a key, under its newest cause. Only where the month's own line was paid, or the month was missed.
_OWED = f"""
SELECT c.back_pay_id, c.programme, c.month, c.recipient, c.item, c.cause, c.roll_row_id, coalesce(b.name, c.name) AS name, b.owed_fen - b.said_no_fen AS owed_fen
FROM confirmed c JOIN balance b USING ({KEY})
WHERE b.owed_fen - b.said_no_fen > 0 AND b.sent_fen = 0 AND (b.out OR b.code = 'started' OR c.cause = 'missed' AND NOT EXISTS (
  SELECT 1 FROM obligation o WHERE o.programme = c.programme AND o.month = c.month AND o.recipient = c.recipient AND o.item = c.item AND o.purpose = 'regular'))
QUALIFY row_number() OVER (PARTITION BY c.programme, c.month, c.recipient, c.item ORDER BY c.back_pay_id DESC) = 1
"""
# The account is the one the person has on this month's roll, else that of the row the back-pay rests on.
_ARREAR = """
INSERT INTO arrear BY NAME
SELECT (SELECT coalesce(max(n), 0) FROM candidate) + row_number() OVER (ORDER BY w.programme, w.month, w.recipient, w.item) AS n, w.programme, w.month, w.recipient,
       w.name AS recipient_name, w.item, r.row_id, r.batch_id, r.case_no, coalesce(c.area, r.area) AS area, coalesce(c.id_no, r.id_no) AS id_no,
       coalesce(c.town, r.town) AS town, coalesce(c.village, r.village, '') AS village, coalesce(c.persons, r.persons) AS persons, r.category, r.phone, r.address,
       coalesce(c.account_no, r.account_no, '') AS account_no, coalesce(c.bank_name, r.bank_name, '') AS bank_name, coalesce(c.bank_code, r.bank_code, '') AS bank_code,
       coalesce(c.payee_name, nullif(r.payee_name, ''), w.name) AS payee_name,
       coalesce(c.payee_id_no, nullif(r.payee_id_no, ''), CASE WHEN coalesce(r.payee_name, '') IN ('', w.name) THEN w.recipient ELSE '' END) AS payee_id_no,
       r.base_fen, r.addon_fen, r.care_fen, '' AS posting_round, CAST(0 AS BIGINT) AS amount_fen, w.owed_fen AS due_fen,
       CASE WHEN starts_with(w.cause, 'case:') THEN split_part(substr(w.cause, 6), '#', 1) ELSE '' END AS change_case, false AS stopped, false AS differs, false AS single, false AS monthly,
       o.obligation_id, o.failed, 'back_pay' AS owed_purpose, w.cause AS owed_cause
FROM owed_back w JOIN case_row r ON r.row_id = w.roll_row_id
LEFT JOIN (SELECT * FROM candidate QUALIFY row_number() OVER (PARTITION BY programme, recipient, item ORDER BY account_no = '', n) = 1) c
  ON c.programme = w.programme AND c.recipient = w.recipient AND c.item = w.item
LEFT JOIN owed_before o ON o.programme = w.programme AND o.month = w.month AND o.recipient = w.recipient AND o.item = w.item AND o.cause = w.cause
"""


def add(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    workspace: Workspace,
    policy: Policy,
    month: str,
    programmes: Sequence[Programme],
    *,
    override: bool,
    without: int = 0,
) -> None:
    """Adds ``arrear``, ``every_case`` and ``set_off`` to what ``candidates.prepare`` and ``holds.ask`` have made. ``without``: a draft that is made anew."""
    connection.execute("CREATE TABLE arrear AS SELECT * FROM candidate LIMIT 0")
    connection.execute("CREATE VIEW every_case AS SELECT * FROM candidate UNION ALL BY NAME SELECT * FROM arrear")
    connection.execute("CREATE TABLE set_off (n BIGINT, recovery_id BIGINT, fen BIGINT)")
    if _back_pay(connection, store, policy, month, programmes, without=without):
        _route(connection, workspace, policy)
        _combine(connection, policy)
        _gates(connection, workspace, policy, month, override=override)
    _set_offs(connection, store, policy, month, without=without)


def _back_pay(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    policy: Policy,
    month: str,
    programmes: Sequence[Programme],
    *,
    without: int,
) -> int:
    # one cause is paid once: what it makes due beyond a line that is under way or paid is found with the next number (``back_pay``)
    wanted = back_pays.confirmed(store, month, without=without)
    if not wanted.num_rows:
        return 0
    months = sorted(set(wanted["month"].to_pylist()))
    computed = open_dues(store, policies_of(store, policy, months), months)
    try:
        balance(computed, store, months, without=without)
        load_table(computed, "confirmed", wanted)
        owed = computed.sql(_OWED).to_arrow_table()
    finally:
        computed.close()
    chosen = [p.code for p in programmes]
    load_table(connection, "owed_back", owed)
    connection.execute("DELETE FROM owed_back WHERE programme NOT IN (SELECT unnest(?::VARCHAR[]))", [chosen])
    # an instalment or an event that was missed is drawn up by this month itself when it stands on its list, too
    connection.execute(
        "DELETE FROM owed_back w WHERE w.cause = 'missed' AND w.item <> '' AND EXISTS (SELECT 1 FROM candidate c"
        " WHERE c.programme = w.programme AND c.recipient = w.recipient AND c.item = w.item)"
    )
    rows = [row[0] for row in connection.execute("SELECT DISTINCT roll_row_id FROM owed_back").fetchall()]
    if not rows:
        return 0
    load_table(connection, "case_row", back_pays.case_rows(store, rows))
    load_table(connection, "owed_before", back_pays.obligations(store, months))
    connection.execute(_ARREAR)
    # the rolls that the back-pay rests on are not this month's: the basis of a line names them
    connection.execute(
        "INSERT INTO rolls BY NAME SELECT DISTINCT batch_id, file_name, file_sha256 FROM case_row WHERE batch_id NOT IN (SELECT batch_id FROM rolls)"
    )
    return len(rows)


def _route(connection: duckdb.DuckDBPyConnection, workspace: Workspace, policy: Policy) -> None:
    """Banks of accounts that this month's cases do not have."""
    banks = connection.execute(
        "SELECT DISTINCT bank_name FROM arrear WHERE bank_name NOT IN (SELECT bank_name FROM route)"
    ).fetchall()
    for row in routes(workspace, policy, [b for (b,) in banks]):
        connection.execute("INSERT INTO route VALUES (" + ", ".join("?" * len(row)) + ")", list(row))
    connection.execute(
        "UPDATE arrear SET bank = r.bank, cap_fen = r.cap_fen, combine = r.combine FROM route r WHERE r.bank_name = arrear.bank_name"
    )


def _combine(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Back-pay goes with what the payee gets of the same programme as one transfer, unless the bank's layout forbids it: a whole month beside a whole
    month is the same sum to the same account twice, which no bank's answer could tell apart (and some banks refuse)."""
    apart = [code for code, layout in policy.banks.items() if layout.combine is False]
    connection.execute("UPDATE arrear SET combine = true WHERE bank NOT IN (SELECT unnest(?::VARCHAR[]))", [apart])
    connection.execute(
        "UPDATE candidate SET combine = true FROM arrear a WHERE a.combine AND a.programme = candidate.programme AND a.recipient = candidate.recipient"
        " AND a.bank = candidate.bank AND a.account_no = candidate.account_no AND a.payee_name = candidate.payee_name"
    )


def _gates(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, policy: Policy, month: str, *, override: bool
) -> None:
    """The gates' own queries, with ``candidate`` and ``member`` meaning the back-pay."""
    connection.execute("CREATE SCHEMA back")
    connection.execute("CREATE TABLE back.candidate AS SELECT * FROM main.arrear")
    connection.execute(
        "CREATE TABLE back.member AS SELECT n, recipient AS id_no FROM main.arrear UNION SELECT n, id_no FROM main.arrear"
    )
    connection.execute("CREATE TABLE back.unfit (n BIGINT, reason VARCHAR)")
    connection.execute("SET search_path = 'back,main'")
    try:
        found = list(unfit(connection, workspace, policy, month))
        if found:
            connection.executemany("INSERT INTO back.unfit VALUES (?, ?)", found)
        for code in GATES:
            hold = BY_CODE.get(code)
            if hold is not None:
                ask_one(connection, hold, policy, month, override=override)
    finally:
        connection.execute("SET search_path = 'main'")
    connection.execute(
        "INSERT INTO held SELECT DISTINCT n FROM hold WHERE NOT released AND n IN (SELECT n FROM arrear)"
    )


def _set_offs(connection: duckdb.DuckDBPyConnection, store: Store, policy: Policy, month: str, *, without: int) -> None:
    """Keeps back of each line that may be paid what its programme's rule allows, towards the oldest claims that this was agreed for."""
    claims = recoveries.set_off_claims(store, without=without)
    day = first_day(month)
    share = policy.parameter_or_none(SHARE, day)
    percent = Decimal(share.value) if share is not None and not isinstance(share.value, str | bool) else Decimal(0)
    if not claims or percent <= 0:
        return
    kept = policy.parameter_or_none(KEPT, day)
    least = kept.amount_fen if kept is not None else 0
    people = sorted({claim["recipient_id_no"] for claim in claims})
    lines = connection.execute(
        "SELECT n, programme, recipient, due_fen, greatest(persons, 1) FROM candidate WHERE live_fen IS NULL AND NOT stopped AND n NOT IN (SELECT n FROM held)"
        " AND recipient IN (SELECT unnest(?::VARCHAR[])) ORDER BY n",
        [people],
    ).fetchall()
    across = policy.switch(ACROSS, day)
    room: dict[str, dict[int, tuple[str, int]]] = {}  # recipient → line → programme, 分 that may still be kept back
    for n, code, recipient, due, persons in lines:
        if policy.programmes[code].group != SUBSISTENCE:
            most = min(int(due * min(percent, Decimal(100)) / 100), due - least * persons, due - 1)
            room.setdefault(recipient, {})[n] = (code, max(most, 0))
    rows = []
    for claim in claims:
        left = claim["open_fen"]
        for n, (code, most) in room.get(claim["recipient_id_no"], {}).items():
            fen = min(most, left) if across or code == claim["programme"] else 0
            if fen > 0:
                rows.append((n, claim["recovery_id"], fen))
                room[claim["recipient_id_no"]][n] = (code, most - fen)
                left -= fen
    if rows:
        connection.executemany("INSERT INTO set_off VALUES (?, ?, ?)", rows)
