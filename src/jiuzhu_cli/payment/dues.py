"""What each month owes whom (应发), computed anew from lists, decisions, deaths and stops, beside what was paid, waits or was claimed back.

Never from the obligations: what was drafted must agree with it, and where it does not, somebody is owed money (back-pay) or has had too much
(recovery). One DuckDB table ``due`` (a row a programme, month, recipient, item) and one ``balance`` beside it (see ``balance``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from jiuzhu_cli.ledger import dues
from jiuzhu_cli.ledger.policies import pinned_policies
from jiuzhu_cli.payment.candidates import SINGLE, stage_key
from jiuzhu_cli.policy.load import pinned_policy

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy

KEY = "programme, month, recipient, item"
_FACTS = {  # tables of ``ledger.dues`` that may be empty, with their columns
    "dead": "id_no event_date",
    "stop_side": "doubt_id id_no programme area month disposed_at basis twin effect",
    "start": "case_id programme id_no effective_month amount_after_fen row_id head_id_no head_name name town village area listed_month",
    "decided": "case_id decided_at",
    "ended": "programme id_no case_id effective_month",
    "change": "roll_row_id action amount_after_fen case_id effective_month",
    "claim": "recovery_id line_id code set_off claimed_fen repaid_fen waived_fen set_off_fen open_fen programme month recipient item",
    "found": "back_pay_id programme month recipient item cause amount_fen state",
    "held": "month programme recipient code reason",
    "batch_of": "month batches drafts",
    "obligation": "obligation_id programme month recipient item purpose cause amount_fen roll_row_id name town village",
    "line": "line_id payment_id obligation_id state amount_fen set_off_fen",
}

_LISTED = """
CREATE TABLE listed AS
SELECT b.programme, b.month, b.area, b.corrects, r.row_id, r.batch_id, r.id_no, r.town, coalesce(r.village, '') AS village, r.amount_fen, r.start_month,
       CASE WHEN p.payee = 'head' THEN coalesce(nullif(r.head_id_no, ''), r.id_no) ELSE r.id_no END AS recipient,
       CASE WHEN p.payee = 'head' THEN coalesce(nullif(r.head_name, ''), r.name) ELSE r.name END AS name,
       CASE WHEN p.instalments THEN 'stage:' || s.stage_key WHEN p.single AND coalesce(r.event_date, '') <> '' THEN 'event:' || r.event_date ELSE '' END AS item,
       NOT p.single AND NOT p.instalments AS monthly, p.grace
FROM lead r JOIN list b USING (batch_id) JOIN rule p ON p.month = b.month AND p.programme = b.programme JOIN stage s ON s.stage = coalesce(r.stage, '')
"""
# The amount of the list, changed by the decision in force; nothing after a death (beyond the programme's grace), a stop or a doubt confirmed.
# A decision to start counts from its month on, also where the list shows the case only later.
_DUE = """
CREATE TABLE due AS
WITH judged AS (
  SELECT l.*, x.action, x.case_id, x.effective_month, x.amount_after_fen AS after_fen, t.doubt_id, t.effect, t.basis, d.event_date,
         coalesce((x.action IN ('stop', 'transfer') OR (x.action = 'decrease' AND x.amount_after_fen = 0)) AND NOT coalesce(l.start_month >= x.effective_month, false), false) AS stopped,
         coalesce(months_of(l.month) > months_of(d.event_date) + l.grace, false) AS dead,
         t.doubt_id IS NOT NULL AND NOT coalesce(x.action = 'decrease' AND t.effect = 'stop' AND y.decided_at >= t.disposed_at, false) AS doubted
  FROM listed l LEFT JOIN change x ON x.roll_row_id = l.row_id AND l.monthly LEFT JOIN decided y ON y.case_id = x.case_id
  LEFT JOIN dead d ON d.id_no = l.recipient
  LEFT JOIN (SELECT s.*, n.row_id FROM stop_side s JOIN listed n ON n.recipient = s.id_no AND n.programme = s.programme AND n.month = s.month
               AND (s.twin = 0 OR s.area IN (n.area, n.town, n.town || '/' || n.village))
             QUALIFY row_number() OVER (PARTITION BY n.row_id ORDER BY s.effect DESC, s.doubt_id) = 1) t ON t.row_id = l.row_id)
SELECT programme, month, recipient, item, row_id, batch_id, corrects, area, name, town, village, amount_fen AS listed_fen,
       CASE WHEN dead OR doubted OR stopped THEN 0 WHEN action IN ('start', 'increase', 'decrease', 'grace') AND after_fen > 0 THEN after_fen ELSE amount_fen END AS due_fen,
       CASE WHEN dead THEN 'dead' WHEN doubted THEN 'doubt_confirmed' WHEN stopped THEN 'stopped'
            WHEN action IN ('start', 'increase', 'decrease', 'grace') AND after_fen > 0 THEN 'decided' ELSE 'listed' END AS code,
       CASE WHEN dead THEN 'death' WHEN doubted THEN 'doubt:' || doubt_id WHEN case_id IS NOT NULL THEN 'case:' || case_id ELSE 'roll:' || batch_id END AS cause,
       CASE WHEN dead THEN event_date WHEN doubted THEN basis WHEN case_id IS NOT NULL THEN effective_month ELSE '' END AS detail
FROM judged
UNION ALL
SELECT s.programme, m.month, CASE WHEN p.payee = 'head' THEN coalesce(nullif(s.head_id_no, ''), s.id_no) ELSE s.id_no END, '', s.row_id, 0, 0, s.area,
       CASE WHEN p.payee = 'head' THEN coalesce(nullif(s.head_name, ''), s.name) ELSE s.name END, s.town, coalesce(s.village, ''), 0, s.amount_after_fen,
       'started', 'case:' || s.case_id, s.effective_month
FROM start s JOIN span m ON m.month >= s.effective_month AND m.month < s.listed_month JOIN rule p ON p.month = m.month AND p.programme = s.programme
WHERE NOT p.single AND NOT p.instalments AND EXISTS (SELECT 1 FROM list b WHERE b.programme = s.programme AND b.month = m.month AND b.area = s.area)
  AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.id_no = s.id_no AND months_of(m.month) > months_of(d.event_date) + p.grace)
"""
# where an instalment or an event stands; it is owed once, in the month in which it was first taken up
_ITEMS = "CREATE TABLE listed_item AS SELECT DISTINCT programme, recipient, item, month FROM due WHERE item <> ''"
_ONCE = """
UPDATE due SET month = o.month FROM (SELECT programme, recipient, item, min(month) AS month FROM obligation WHERE item <> '' AND cause IN ('', 'missed') GROUP BY ALL) o
WHERE due.item <> '' AND o.programme = due.programme AND o.recipient = due.recipient AND o.item = due.item
"""
_ONCE_UNPAID = """
UPDATE due SET month = o.month FROM (SELECT programme, recipient, item, min(month) AS month FROM due WHERE item <> '' GROUP BY ALL) o
WHERE due.item <> '' AND o.programme = due.programme AND o.recipient = due.recipient AND o.item = due.item
"""
# one programme pays a person once a month: of several rows the one that was paid, else one that is owed, else the narrower list's
_TWICE = f"""
DELETE FROM due WHERE rowid IN (
  SELECT r FROM (SELECT d.rowid AS r, row_number() OVER (PARTITION BY d.programme, d.month, d.recipient, d.item
                 ORDER BY d.due_fen = 0, coalesce(o.roll_row_id, 0) <> d.row_id, coalesce(o.town, '') <> d.town, length(d.area) DESC, d.row_id) AS place
    FROM due d JOIN (SELECT {KEY} FROM due GROUP BY ALL HAVING count(*) > 1) t USING ({KEY})
    LEFT JOIN (SELECT {KEY}, any_value(roll_row_id) AS roll_row_id, any_value(town) AS town FROM obligation WHERE cause IN ('', 'missed') GROUP BY ALL) o USING ({KEY}))
  WHERE place > 1)
"""
_BALANCE = f"""
CREATE TABLE balance AS
WITH stood AS (
  SELECT o.programme, o.month, o.recipient, o.item,
         coalesce(sum(l.amount_fen) FILTER (l.state = 'paid'), 0)::BIGINT AS paid_fen,
         coalesce(sum(l.amount_fen) FILTER (l.state = 'sent'), 0)::BIGINT AS sent_fen,
         coalesce(sum(l.amount_fen) FILTER (l.state = 'due'), 0)::BIGINT AS drafted_fen,
         coalesce(sum(l.set_off_fen) FILTER (l.state IN ('paid', 'sent', 'due')), 0)::BIGINT AS set_off_fen,
         coalesce(bool_or(l.state IN ('failed', 'reversed')), false) AS failed,
         coalesce(bool_or(l.state IN ('paid', 'sent')) FILTER (o.cause IN ('', 'missed')), false) AS out,
         coalesce(bool_or(o.cause = 'missed'), false) AS missed, any_value(o.name) AS name, any_value(o.town) AS town, any_value(o.village) AS village
  FROM obligation o LEFT JOIN line l USING (obligation_id) GROUP BY ALL),
claimed AS (SELECT {KEY}, sum(claimed_fen)::BIGINT AS claimed_fen, sum(repaid_fen)::BIGINT AS repaid_fen, sum(waived_fen)::BIGINT AS waived_fen,
                   sum(set_off_fen)::BIGINT AS back_fen, sum(open_fen)::BIGINT AS open_fen FROM claim GROUP BY ALL),
said AS (SELECT {KEY}, sum(amount_fen) FILTER (state = 'declined')::BIGINT AS declined_fen, sum(amount_fen) FILTER (state = 'confirmed')::BIGINT AS confirmed_fen,
                sum(amount_fen) FILTER (state = 'found')::BIGINT AS found_fen FROM found GROUP BY ALL)
SELECT coalesce(d.programme, s.programme) AS programme, coalesce(d.month, s.month) AS month, coalesce(d.recipient, s.recipient) AS recipient, coalesce(d.item, s.item) AS item,
       coalesce(d.name, s.name) AS name, coalesce(d.town, s.town) AS town, coalesce(d.village, s.village) AS village,
       coalesce(d.due_fen, 0) AS due_fen, coalesce(s.paid_fen, 0) AS paid_fen, coalesce(s.sent_fen, 0) AS sent_fen, coalesce(s.drafted_fen, 0) AS drafted_fen,
       coalesce(s.set_off_fen, 0) AS set_off_fen, coalesce(s.failed, false) AS failed, coalesce(s.out, false) AS out, coalesce(s.missed, false) AS missed, d.row_id, d.batch_id, d.corrects, d.code, d.cause, d.detail, d.listed_fen,
       s.recipient IS NOT NULL AS owed, coalesce(c.claimed_fen, 0) AS claimed_fen, coalesce(c.repaid_fen, 0) AS repaid_fen, coalesce(c.waived_fen, 0) AS waived_fen,
       coalesce(c.back_fen, 0) AS back_fen, coalesce(c.open_fen, 0) AS open_fen,
       coalesce(f.declined_fen, 0) AS said_no_fen, coalesce(f.confirmed_fen, 0) AS said_yes_fen, coalesce(f.found_fen, 0) AS unsaid_fen,
       -- what the record still leaves open: above zero owed to the person, below zero had too much and not claimed back yet
       coalesce(d.due_fen, 0) + coalesce(c.claimed_fen, 0) - coalesce(s.paid_fen, 0) - coalesce(s.sent_fen, 0) - coalesce(s.drafted_fen, 0) - coalesce(s.set_off_fen, 0) AS left_fen,
       -- what the person may still be paid: money that came back of it is owed again when it turns out to be due
       coalesce(d.due_fen, 0) + coalesce(c.repaid_fen, 0) + coalesce(c.back_fen, 0) - coalesce(s.paid_fen, 0) - coalesce(s.sent_fen, 0) - coalesce(s.drafted_fen, 0) - coalesce(s.set_off_fen, 0) AS owed_fen
FROM due d FULL JOIN stood s USING ({KEY}) LEFT JOIN claimed c USING ({KEY}) LEFT JOIN said f USING ({KEY})
"""


def policies_of(store: Store, policy: Policy, months: Iterable[str]) -> dict[str, Policy]:
    """The policy that judges each month: the one it was paid with, else today's."""
    wanted = set(months)
    known = {policy.digest: policy}
    found = dict.fromkeys(sorted(wanted), policy)
    for pin in pinned_policies(store):
        if pin.month in wanted and pin.content is not None:
            if pin.digest not in known:
                known[pin.digest] = pinned_policy(pin.content, pin.digest, policy)
            found[pin.month] = known[pin.digest]
    return found


def open_dues(
    store: Store, policies: Mapping[str, Policy], months: Sequence[str], *, more: Sequence[str] = ()
) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with ``due`` of ``months``: programme, month, recipient, item, ``due_fen``, and why: ``code`` (listed, decided, started; with
    nothing due: dead, doubt_confirmed, stopped), ``cause``, ``detail``; ``listed_fen`` as the list has it, ``row_id``, name, town, village.
    ``more``: columns of the list kept in ``lead``. Also ``obligation`` and the facts of ``ledger.dues``."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute(
        "CREATE MACRO months_of(day) AS CAST(substr(day, 1, 4) AS INTEGER) * 12 + CAST(substr(day, 6, 2) AS INTEGER)"
    )
    lists = dues.lists(store, months)
    _load(connection, "list", [lists], tuple(lists.column_names))
    _load(connection, "lead", dues.leads(store, lists["batch_id"].to_pylist(), more), (*dues.LEAD, *more))
    for name, data in dues.facts(store, months).items():
        _load(connection, name, [data], _FACTS[name].split())
    connection.execute("CREATE TABLE span AS SELECT unnest(?::VARCHAR[]) AS month", [list(months)])
    _rules(connection, policies, months)
    stages = [row[0] for row in connection.execute("SELECT DISTINCT coalesce(stage, '') FROM lead").fetchall()] or [""]
    connection.execute("CREATE TABLE stage (stage VARCHAR, stage_key VARCHAR)")
    connection.executemany("INSERT INTO stage VALUES (?, ?)", [(stage, stage_key(stage)) for stage in stages])
    _load(connection, "obligation", dues.obligations(store, months), _FACTS["obligation"].split())
    connection.execute(_LISTED)
    connection.execute(_DUE)
    connection.execute("DROP TABLE listed")  # a million rows of it are half a gigabyte
    if not more:
        connection.execute("DROP TABLE lead")
    connection.execute(_ITEMS)
    if connection.execute("SELECT count(*) FROM listed_item").fetchall()[0][0]:
        connection.execute(_ONCE_UNPAID)
        connection.execute(_ONCE)
    connection.execute(_TWICE)
    for name in ("due", "obligation"):
        connection.execute(f"DELETE FROM {name} WHERE month NOT IN (SELECT month FROM span)")
    return connection


def balance(connection: duckdb.DuckDBPyConnection, store: Store, months: Sequence[str], *, without: int = 0) -> None:
    """Adds ``balance``, a row a programme, month, recipient and item that is due or was taken up: ``due_fen, paid_fen, sent_fen, drafted_fen,
    set_off_fen``, the claims (``claimed_fen = repaid_fen + waived_fen + back_fen + open_fen``), what was decided of back-pay found, and
    ``left_fen = due + claimed − paid − sent − drafted − set off``. ``without``: a draft whose lines do not count."""
    add_payments(connection, store, months, without=without)
    weigh(connection)


def weigh(connection: duckdb.DuckDBPyConnection) -> None:
    """Adds ``balance`` where ``add_payments`` was called."""
    connection.execute(_BALANCE)


def read_standing_again(connection: duckdb.DuckDBPyConnection, store: Store, months: Sequence[str]) -> None:
    """Takes up what was written of claims since ``add_payments``; lists, decisions and lines do not depend on them."""
    for name, data in dues.standing(store, months).items():
        connection.execute(f"DROP TABLE {name}")
        _load(connection, name, [data], _FACTS[name].split())


def add_payments(
    connection: duckdb.DuckDBPyConnection, store: Store, months: Sequence[str], *, without: int = 0
) -> None:
    """Adds ``line``, ``claim``, ``found``, ``held``, ``batch_of``: what the record has about the payments of ``months``."""
    for name, data in dues.standing(store, months).items():
        _load(connection, name, [data], _FACTS[name].split())
    _load(connection, "line", dues.lines(store, min(months), without=without), _FACTS["line"].split())


def _rules(connection: duckdb.DuckDBPyConnection, policies: Mapping[str, Policy], months: Sequence[str]) -> None:
    connection.execute(
        "CREATE TABLE rule (month VARCHAR, programme VARCHAR, payee VARCHAR, single BOOLEAN, instalments BOOLEAN, grace INTEGER)"
    )
    connection.executemany(
        "INSERT INTO rule VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                month,
                p.code,
                p.payment.payee,
                p.benefit in SINGLE,
                p.benefit == "instalments",
                p.review.death_grace_months,
            )
            for month in months
            for p in policies[month].programmes.values()
            if p.is_paid
        ],
    )


def _load(connection: duckdb.DuckDBPyConnection, name: str, parts: Iterable[pa.Table], columns: Sequence[str]) -> None:
    """Parts as one table with declared types: an all-NULL column is still text."""
    types = {c: "BIGINT" if c.endswith("_fen") or c in dues.NUMBERS else "VARCHAR" for c in columns}
    connection.execute(f"CREATE TABLE {name} ({', '.join(f'{c} {kind}' for c, kind in types.items())})")
    shown = ", ".join(f"CAST({c} AS {kind})" for c, kind in types.items())
    for part in parts:
        if part.num_rows:
            connection.register("incoming", part)
            connection.execute(f"INSERT INTO {name} SELECT {shown} FROM incoming")
            connection.unregister("incoming")
