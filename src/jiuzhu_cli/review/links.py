"""Cases that go on elsewhere: under a new head (停旧建新) or under another programme. Neither a new entry nor an exit in the figures.

A case whose lead was a member last month, under a lead who has died or whose case a decision has transferred, is that case again. A lead who
last month had a programme from which events transfer to this one, and no longer has it, was transferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jiuzhu_cli.ledger.previous import without_previous
from jiuzhu_cli.review.readings import rows_of

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

_LINKS = """
CREATE TABLE fresh AS
SELECT f.key, f.programme, f.id_no, f.name, f.town FROM facts f
WHERE EXISTS (SELECT 1 FROM previous v WHERE v.id_no = f.id_no) AND NOT EXISTS (SELECT 1 FROM previous v WHERE v.programme = f.programme AND v.id_no = f.id_no AND v.lead = 1);
CREATE TABLE link AS
SELECT * FROM (
  SELECT f.key, f.programme, f.id_no AS new_id_no, o.id_no AS old_id_no, o.name AS old_name, f.programme AS from_programme, 'head_dead' AS kind
  FROM fresh f JOIN previous m ON m.programme = f.programme AND m.id_no = f.id_no AND m.lead = 0
  JOIN previous o ON o.batch_id = m.batch_id AND o.case_no = m.case_no AND o.lead = 1 AND o.id_no <> f.id_no
  WHERE EXISTS (SELECT 1 FROM death d WHERE d.id_no = o.id_no)
    OR EXISTS (SELECT 1 FROM decided_end e WHERE e.programme = f.programme AND e.id_no = o.id_no AND e.action = 'transfer')
  UNION ALL
  SELECT f.key, f.programme, f.id_no, f.id_no, f.name, o.programme, 'transfer'
  FROM fresh f JOIN transfer_pair t ON t.target = f.programme JOIN previous o ON o.programme = t.source AND o.id_no = f.id_no AND o.lead = 1
  WHERE NOT EXISTS (SELECT 1 FROM facts g WHERE g.programme = o.programme AND g.id_no = f.id_no))
QUALIFY row_number() OVER (PARTITION BY key ORDER BY kind, from_programme, old_id_no) = 1;
"""
_MOVEMENT = """
WITH entered AS (
  SELECT f.programme, count(*) AS n FROM facts f
  WHERE NOT EXISTS (SELECT 1 FROM previous v WHERE v.programme = f.programme AND v.id_no = f.id_no AND v.lead = 1)
    AND EXISTS (SELECT 1 FROM previous_cover c WHERE c.programme = f.programme AND (c.area = '' OR split_part(c.area, '/', 1) = f.town))
    AND NOT EXISTS (SELECT 1 FROM link l WHERE l.key = f.key) GROUP BY f.programme),
ended AS (
  SELECT v.programme, count(DISTINCT v.id_no) AS n FROM previous v JOIN reviewed u ON u.programme = v.programme
  WHERE v.lead = 1 AND NOT EXISTS (SELECT 1 FROM facts f WHERE f.programme = v.programme AND f.id_no = v.id_no)
    AND EXISTS (SELECT 1 FROM coverage c WHERE c.programme = v.programme AND (c.area = '' OR split_part(c.area, '/', 1) = v.town))
    AND NOT EXISTS (SELECT 1 FROM link l WHERE l.from_programme = v.programme AND l.old_id_no = v.id_no) GROUP BY v.programme),
linked AS (
  SELECT programme, count(*) FILTER (kind = 'head_dead') AS relinked, count(*) FILTER (kind = 'transfer') AS transferred FROM link GROUP BY programme)
SELECT programme, coalesce(e.n, 0) AS entered, coalesce(x.n, 0) AS ended, coalesce(l.relinked, 0) AS relinked, coalesce(l.transferred, 0) AS transferred
FROM entered e FULL JOIN ended x USING (programme) FULL JOIN linked l USING (programme) ORDER BY programme
"""


def make_links(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """``link``: ``key, programme, new_id_no, old_id_no, old_name, from_programme, kind`` (``head_dead``, ``transfer``)."""
    pairs = sorted(
        {(out, event.to) for event in policy.events if event.to and "transfer" in (event.action, event.then) for out in event.on}
    )  # fmt: skip
    without_previous(connection)
    connection.execute("CREATE TABLE transfer_pair (source VARCHAR, target VARCHAR)")
    if pairs:
        connection.executemany("INSERT INTO transfer_pair VALUES (?,?)", [list(one) for one in pairs])
    connection.execute(_LINKS)


def movement(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """By programme: cases that ``entered`` and ``ended`` since last month, ``relinked`` under a new head, ``transferred`` from another
    programme; where last month's roll was imported."""
    return rows_of(connection, _MOVEMENT)
