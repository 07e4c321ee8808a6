"""Paid after death (去世后仍在册): on a roll of a month after the month of death; the month of death itself is in order.

特困 ends the month after (《特困人员认定办法》第24条); 低保 allows 3 months for the formalities (民政部 2022-10-20 通知), but what was
paid meanwhile still has to be looked at. Deaths without a date are candidates for every month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables

# Amount at stake: the dead person's share; the whole of the case when they are its head (the account is theirs) or alone in it.
_AFTER_DEATH = """
INSERT INTO hit
SELECT concat_ws('|', 'after_event', 'death', h.programme, h.id_no), 'after_event',
  CASE WHEN any_value(d.died) IS NULL THEN 'after_death_undated' ELSE 'after_death' END, 'death',
  CASE WHEN any_value(d.died) IS NULL THEN 'candidate' ELSE 'strong' END, h.month, min(h.row_id), -any_value(d.row_id),
  h.id_no, arg_min(h.name, h.row_id), h.programme, arg_min(h.town, h.row_id), h.id_no, any_value(d.name), 'register:death', '',
  coalesce(sum(CASE WHEN h.lead = 1 OR h.persons = 1 THEN h.case_fen ELSE h.share_fen END), 0),
  coalesce(sum(h.share_fen), 0), coalesce(sum(h.case_fen), 0),
  concat_ws('|', any_value(d.died), CAST(max(h.persons) AS VARCHAR), CAST(max(h.lead) AS VARCHAR), CASE WHEN NOT any_value(d.stated) THEN 'latest' END)
FROM holding h JOIN death d USING (id_no)
WHERE d.died IS NULL OR h.month > substr(d.died, 1, 7)
GROUP BY h.programme, h.id_no, h.month
"""


def find_events(connection: Tables) -> None:
    """Adds payments after death to ``hit``; ``fact`` is ``date of death|persons of the case|head``, and ``|latest`` where only a later day is known."""
    connection.execute(_AFTER_DEATH)
