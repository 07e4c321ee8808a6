"""Two different sound IDs, everything else equal: perhaps a second genuine ID. Rare, never put together here: a clerk decides."""

from __future__ import annotations

import duckdb
import numpy as np

SQL = """
SELECT min_by(a, a * 4294967296 + b) AS a, min_by(b, a * 4294967296 + b) AS b FROM (
  SELECT l.row AS a, r.row AS b, l.entity AS one, r.entity AS other
  FROM people l JOIN people r ON l.sound = r.sound AND l.village = r.village AND l.birth = r.birth
  WHERE l.entity < r.entity AND l.entity >= 0
  UNION ALL
  SELECT l.row, r.row, l.entity, r.entity
  FROM people l JOIN people r ON l.sound = r.sound AND l.village = r.village AND l.phone = r.phone AND l.account = r.account
  WHERE l.entity < r.entity AND l.entity >= 0 AND abs(l.birth - r.birth) < 50000)
GROUP BY one, other ORDER BY a, b
"""


def second_ids(connection: duckdb.DuckDBPyConnection) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of records, one an ID pair: name by sound, village and birth date equal; or name, village, phone and account, with birth dates
    less than five years apart (father and son of one name are further)."""
    found = connection.execute(SQL).fetchnumpy()
    return np.asarray(found["a"], np.int64), np.asarray(found["b"], np.int64)
