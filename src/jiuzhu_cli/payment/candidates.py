"""The cases of a month to be paid, as one DuckDB table with all that may hold one back beside it (see ``holds``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.ledger import doubts, payables
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.agreements import take_agreements
from jiuzhu_cli.payment.mending import apply_mended
from jiuzhu_cli.payment.routing import routes, unfit

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme

SINGLE = {"one_off", "reimbursement"}  # paid by event
SIDE = ("doubt_id", "effect", "disposed_at", "id_no", "programme", "area", "twin")
_WITHOUT_STAGE = "未写期次"
_DIGITS = str.maketrans("一二三四五六七八九", "123456789")

# A town's list and a district's list that repeats it are one listing, not two payments: the narrower list stays.
_DROP_REPEATED = """
DELETE FROM cases wide WHERE EXISTS (
  SELECT 1 FROM cases narrow
  WHERE narrow.programme = wide.programme AND narrow.id_no = wide.id_no AND narrow.town = wide.town AND narrow.amount_fen = wide.amount_fen
    AND narrow.batch_id <> wide.batch_id AND narrow.area <> wide.area AND (wide.area = '' OR starts_with(narrow.area, wide.area || '/')))
"""
# ``n`` is told by the keys alone: a window over all columns would sort them all
_CANDIDATES = """
CREATE TABLE candidate AS
WITH due AS NOT MATERIALIZED (
  SELECT c.*, CASE WHEN p.payee = 'head' THEN coalesce(nullif(c.head_id_no, ''), c.id_no) ELSE c.id_no END AS recipient,
         CASE WHEN p.payee = 'head' THEN coalesce(nullif(c.head_name, ''), c.name) ELSE c.name END AS recipient_name,
         CASE WHEN p.instalments THEN 'stage:' || s.stage_key
              WHEN p.single AND coalesce(c.event_date, '') <> '' THEN 'event:' || c.event_date ELSE '' END AS item,
         CASE WHEN u.category IS NULL THEN p.posting_round ELSE '' END AS posting_round, p.single, NOT p.single AND NOT p.instalments AS monthly, $month AS month
  FROM cases c JOIN programme p ON p.code = c.programme JOIN stage s ON s.stage = coalesce(c.stage, '')
  LEFT JOIN unposted u ON u.programme = c.programme AND u.category = c.category),
numbered AS (
  SELECT u.row_id, o.obligation_id, row_number() OVER (ORDER BY u.programme, u.town, u.village, u.recipient, u.item, u.row_id, o.obligation_id) AS n
  FROM due u LEFT JOIN owed o ON o.programme = u.programme AND o.recipient_id_no = u.recipient AND o.item = u.item),
decided AS (
  SELECT due.*, coalesce(d, e).case_id AS last_case, coalesce(d, e).action AS last_action, coalesce(d, e).decided_at AS decided_at,
         coalesce(d, e).month AS last_month, coalesce(d, e).amount_before_fen AS last_before_fen,
         coalesce(d, e).amount_after_fen AS last_after_fen, x.case_id AS change_case, x.action AS change_action,
         x.amount_after_fen AS change_fen, x.effective_month AS change_month
  FROM due LEFT JOIN change x ON x.roll_row_id = due.row_id AND due.monthly
  LEFT JOIN decision d ON d.programme = due.programme AND d.id_no = due.recipient
  LEFT JOIN decision e ON e.programme = due.programme AND e.id_no = due.id_no)
SELECT z.n, d.* REPLACE (
         coalesce(d.account_no, '') AS account_no, coalesce(d.bank_name, '') AS bank_name, coalesce(d.bank_code, '') AS bank_code, coalesce(d.village, '') AS village,
         coalesce(nullif(d.payee_name, ''), d.recipient_name) AS payee_name,
         coalesce(nullif(d.payee_id_no, ''), CASE WHEN coalesce(d.payee_name, '') IN ('', d.recipient_name) THEN d.recipient ELSE '' END) AS payee_id_no),
       CASE WHEN d.change_action IN ('start', 'increase', 'decrease', 'grace') AND d.change_fen > 0 THEN d.change_fen ELSE d.amount_fen END AS due_fen,
       coalesce((d.change_action IN ('stop', 'transfer') OR (d.change_action = 'decrease' AND d.change_fen = 0))
                AND NOT coalesce(d.start_month >= d.change_month, false), false) AS stopped,
       coalesce(d.monthly AND d.change_action IS NULL AND d.last_action IN ('start', 'increase', 'decrease', 'grace') AND d.last_month = $month
                AND d.amount_fen NOT IN (d.last_after_fen, coalesce(d.last_before_fen, -1)), false) AS differs,
       o.obligation_id, o.live_fen, o.payment_id AS live_payment, o.failed AS failed, o.month AS owed_month,
       o.town AS owed_town, o.roll_row_id AS owed_row, r.bank, r.cap_fen, r.combine,
       coalesce(o.purpose, 'regular') AS owed_purpose, coalesce(o.cause, '') AS owed_cause
FROM decided d JOIN route r ON r.bank_name = coalesce(d.bank_name, '')
LEFT JOIN owed o ON o.programme = d.programme AND o.recipient_id_no = d.recipient AND o.item = d.item
JOIN numbered z ON z.row_id = d.row_id AND z.obligation_id IS NOT DISTINCT FROM o.obligation_id
"""
# of what failed or was reversed, back-pay may have gone out already for the same month: only the rest is owed
_PAID_IN_PART = """
UPDATE candidate SET due_fen = candidate.due_fen - o.extra_fen FROM owed o WHERE candidate.live_fen IS NULL AND o.obligation_id = candidate.obligation_id
  AND o.extra_fen > 0 AND o.extra_fen < candidate.due_fen
"""
# Every person of a case. A member that came in by a supplement has no case there: the head it names tells its household.
_MEMBERS = """
CREATE TABLE member AS
WITH loose AS (SELECT m.programme, m.id_no, m.head_id_no FROM members m WHERE m.head_id_no <> ''
               AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.batch_id = m.batch_id AND k.case_no = m.case_no))
SELECT c.n, m.id_no FROM candidate c JOIN members m ON m.batch_id = c.batch_id AND m.case_no = c.case_no
UNION SELECT n, recipient FROM candidate
UNION SELECT c.n, m.id_no FROM loose m JOIN candidate c ON c.programme = m.programme AND c.recipient = m.head_id_no
UNION SELECT c.n, m.id_no FROM loose m JOIN candidate c ON c.programme = m.programme AND c.id_no = m.head_id_no
"""


def prepare(
    store: Store, workspace: Workspace, policy: Policy, month: str, programmes: Sequence[Programme], *, without: int = 0
) -> duckdb.DuckDBPyConnection:
    """Loads the month into DuckDB and makes ``candidate`` and ``member`` (see ``holds``)."""
    import duckdb

    single = [p.code for p in programmes if p.benefit in SINGLE]
    connection = duckdb.connect(":memory:")
    posted = []
    for name, table in payables.plan_tables(
        store, month, year_before=add_months(month, -12), single=single, without=without
    ):
        load_table(connection, name, table)
        if name == "postings":
            posted = [seq for seq in table["seq"].to_pylist() if seq]
        del table  # of a million lines each weighs hundreds of MB: it is kept once
    run = payables.compared(store, month)
    oldest = min([run.seq, *posted])
    late = payables.first_seen(store, month, after=oldest) if run.newest_roll > oldest else None
    load_table(connection, "late", late, like=("programme", "id_no", "seq"))
    load_table(connection, "changed", payables.changed_since(store, month))
    load_table(connection, "change", payables.changes(store, month))
    connection.execute("CREATE TABLE setting AS SELECT ?::BIGINT AS compared", [run.seq])
    connection.execute("ALTER TABLE postings RENAME TO posting")
    connection.execute("ALTER TABLE objections RENAME TO objection")
    connection.execute("ALTER TABLE one_offs RENAME TO one_off")
    connection.execute(
        "CREATE TABLE decision AS SELECT * FROM decisions QUALIFY row_number() OVER (PARTITION BY programme, id_no"
        " ORDER BY effective_month DESC, month DESC, taken DESC, decided_at DESC, case_id DESC) = 1"
    )
    sides = [*doubts.held_sides(store, month), *doubts.released_sides(store, month)]
    _rows(connection, "side", SIDE, [tuple(row[name] for name in SIDE) for row in sides])
    _rows(
        connection, "programme", ("code", "payee", "single", "instalments", "posting_round"),
        [(p.code, p.payment.payee, p.code in single, p.benefit == "instalments", _round(p)) for p in programmes],
    )  # fmt: skip
    unposted = [(p.code, category) for p in programmes for category in p.posting.except_categories]
    _rows(connection, "unposted", ("programme", "category"), unposted)
    take_agreements(connection, policy, month, programmes)
    stages = connection.execute("SELECT DISTINCT coalesce(stage, '') FROM cases").fetchall()
    _rows(connection, "stage", ("stage", "stage_key"), [(s, stage_key(s)) for (s,) in stages])
    apply_mended(connection, store, policy)
    banks = connection.execute("SELECT DISTINCT coalesce(bank_name, '') FROM cases").fetchall()
    found = list(routes(workspace, policy, [b for (b,) in banks]))
    _rows(connection, "route", ("bank_name", "bank", "cap_fen", "combine"), found)
    connection.execute(_DROP_REPEATED)
    connection.execute(_CANDIDATES, {"month": month})
    connection.execute(_PAID_IN_PART)
    connection.execute(_MEMBERS)
    connection.execute("DROP TABLE cases")
    _rows(connection, "unfit", ("n", "reason"), list(unfit(connection, workspace, policy, month)))
    return connection


def stage_key(text: str) -> str:
    """One spelling for 第一期, 一期, 第1批次 …; a roll that does not tell the instalment gets one key for all."""
    flat = re.sub(r"第|[期批次]|阶段", "", compact(text)).translate(_DIGITS)
    return flat or _WITHOUT_STAGE


def _round(programme: Programme) -> str:
    """The posting round that must be closed before payment: the first one; '' when the programme is not posted."""
    rule = programme.posting
    return (rule.rounds[0] if rule.rounds else "first") if rule.allowed else ""


def load_table(
    connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table | None, *, like: Sequence[str] = ()
) -> None:
    """A table with declared types: an all-NULL column is still text."""
    names = list(like) if table is None else table.column_names
    types = {n: "BIGINT" if n.endswith("_fen") or n in payables.INTEGERS else "VARCHAR" for n in names}
    if table is None or not table.num_rows:
        connection.execute(f"CREATE TABLE {name} ({', '.join(f'{n} {t}' for n, t in types.items())})")
        return
    connection.register("incoming", table)
    connection.execute(
        f"CREATE TABLE {name} AS SELECT {', '.join(f'CAST({n} AS {t}) AS {n}' for n, t in types.items())} FROM incoming"
    )
    connection.unregister("incoming")


def _rows(
    connection: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    import pyarrow as pa

    types = {
        "cap_fen": pa.int64(),
        "n": pa.int64(),
        "single": pa.bool_(),
        "instalments": pa.bool_(),
        "twin": pa.bool_(),
        "combine": pa.bool_(),
    }
    data = pa.table({c: pa.array([row[i] for row in rows], types.get(c, pa.string())) for i, c in enumerate(columns)})
    connection.register("incoming", data)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
    connection.unregister("incoming")
