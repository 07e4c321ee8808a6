"""A ceiling on doubles: where a fifth of a roll stands on one other roll, it is an import that went wrong, not people who were paid twice.

Nothing of such a run is put on record: thousands of doubts would hold everybody's payments, and somebody would decide them in bulk.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.dedupe.payees import number

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.dedupe.evidence import Speaker
    from jiuzhu_cli.policy.load import Policy

SHARE, PEOPLE = "重复疑点上限比例", "重复疑点上限人数"

# Persons of one roll who are doubled with one other (or within itself), against that roll's persons. Of two rolls the one that most
# pairs lead to was likely misread; else the one that came later.
_ABSURD = """
WITH doubled AS (
  SELECT h.month, a.batch_id AS one, b.batch_id AS other, h.id_no_a AS id_no FROM hit h
  JOIN roll a ON a.row_id = h.row_a JOIN roll b ON b.row_id = h.row_b WHERE h.kind = 'double' AND h.severity = 'strong'),
sided AS (SELECT month, one, other, id_no FROM doubled UNION SELECT month, other, one, id_no FROM doubled),
counted AS (SELECT month, one, other, count(*) AS people FROM sided GROUP BY month, one, other),
size AS (SELECT batch_id, count(DISTINCT id_no) AS persons FROM roll WHERE batch_id IN (SELECT one FROM counted) GROUP BY batch_id),
absurd AS (
  SELECT c.month, c.one, c.other, c.people, s.persons FROM counted c JOIN size s ON s.batch_id = c.one JOIN ceiling k ON k.month = c.month
  WHERE c.people >= k.people AND c.people * 100 > s.persons * k.share),
blamed AS (SELECT batch_id, count(*) AS pairs FROM (SELECT one AS batch_id FROM absurd UNION ALL SELECT other FROM absurd) GROUP BY batch_id)
SELECT a.month, a.one, a.other, a.people, a.persons FROM absurd a
JOIN blamed l ON l.batch_id = a.one JOIN blamed r ON r.batch_id = a.other
ORDER BY greatest(l.pairs, r.pairs) DESC, a.people DESC, a.one DESC, a.other DESC LIMIT 1
"""
_LIST = """
SELECT r.programme, r.area, r.month, i.file_name,
  (SELECT count(*) FROM hit h JOIN roll a ON a.row_id = h.row_a JOIN roll b ON b.row_id = h.row_b
   WHERE h.kind = 'double' AND h.severity = 'strong' AND (a.batch_id = r.batch_id OR b.batch_id = r.batch_id)) AS hits
FROM (SELECT batch_id, any_value(programme) AS programme, any_value(area) AS area, any_value(month) AS month FROM roll WHERE batch_id = ? GROUP BY batch_id) r
LEFT JOIN imported i USING (batch_id)
"""


def refuse_absurd(
    connection: duckdb.DuckDBPyConnection, policy: Policy, speaker: Speaker, months: Collection[str]
) -> None:
    """RefusedError, naming the import that is likely wrong and how to undo it, where a roll is doubled beyond the ceiling."""
    rows = [
        (month, int(people), share)
        for month in sorted(months)
        if (share := number(policy, SHARE, month)) is not None and (people := number(policy, PEOPLE, month)) is not None
    ]
    if not rows:
        return
    connection.execute("CREATE TABLE ceiling (month VARCHAR, people BIGINT, share DOUBLE)")
    insert_rows(connection, "ceiling", rows)
    found = connection.execute(_ABSURD).fetchone()
    if found is None:
        return
    month, one, other, people, persons = found
    told = {batch: connection.execute(_LIST, [batch]).fetchall()[0] for batch in (one, other)}
    fewer, more = sorted((one, other), key=lambda batch: (told[batch][4], batch))
    # a stray double or two more do not tell which of the two was misread: then it is the one that came later
    wrong = more if told[more][4] * 10 > told[fewer][4] * 11 else max(one, other)

    def said(batch: int) -> str:
        programme, area, _, file_name, _ = told[batch]
        return f"第 {batch} 批 {speaker.name(programme)}{f'（{area}）' if area else ''}“{mask_text(file_name or '')}”"

    with_whom = "自身有" if one == other else f"与{said(other)}有"
    raise RefusedError(
        f"{month} {said(one)}{with_whom} {people} 人重复在册，占该名册 {persons} 人的 {people * 100 // persons}%，超过上限：多半是导入错了"
        f"（项目、月份、乡镇认错，或一份名册导了两次），疑点没有登记",
        f"看 jiuzhu batch show {wrong}；确是导错了，jiuzhu batch undo {wrong} 撤销后重新导入。核实无误的，加 --accept-doubles 再运行",
        code="too_many_doubles",
    )
