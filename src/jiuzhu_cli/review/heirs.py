"""Who may be the new head when a head has died: the spouse, else a grown-up child as listed, else whoever is left; or it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_SPOUSE = "配偶|^夫$|^妻$|妻子|丈夫|老伴|^夫妻$"
_CHILD = "子|女|儿"
_NOT_CHILD = "孙|侄|甥|媳|婿|妻|丈夫|父|母"
_LEFT = f"""
SELECT f.key, p.name, coalesce(p.relation, '') AS relation, p.age,
  CASE WHEN regexp_matches(coalesce(p.relation, ''), '{_SPOUSE}') THEN 1
    WHEN regexp_matches(coalesce(p.relation, ''), '{_CHILD}') AND NOT regexp_matches(coalesce(p.relation, ''), '{_NOT_CHILD}') AND p.age >= 18 THEN 2
    WHEN p.age >= 18 THEN 3 ELSE 4 END AS rank
FROM facts f JOIN person p ON p.batch_id = f.batch_id AND p.case_no = f.case_no
WHERE list_contains(CAST(? AS BIGINT[]), f.key) AND NOT p.leaves AND p.id_no <> f.id_no
ORDER BY f.key, rank, p.age DESC NULLS LAST, p.row_id
"""


def heirs_of(connection: duckdb.DuckDBPyConnection, keys: Sequence[int]) -> dict[int, str]:
    """A sentence a case: the one that comes first, or the question who it is where several come alike or nobody is grown up."""
    left: dict[int, list[tuple[str, str, int]]] = {}
    if keys:
        for key, name, relation, _, rank in connection.execute(_LEFT, [list(keys)]).fetchall():
            left.setdefault(key, []).append((name, relation, rank))
    told = {}
    for key in keys:
        people = left.get(key, [])
        first = [one for one in people if one[2] == people[0][2]]
        if not people:
            told[key] = "名册没有列出其他成员，请核实后确定新户主"
        elif people[0][2] == 4:
            told[key] = "其他成员都未成年，请确定监护人和办法（孤儿、事实无人抚养儿童另行认定）"
        elif len(first) == 1 and people[0][2] in (1, 2):
            told[key] = f"建议新户主：{first[0][0]}（{first[0][1]}）"
        else:
            told[key] = (
                f"请确定新户主：{'、'.join(f'{name}（{relation}）' if relation else name for name, relation, _ in first)}"
            )
    return told
