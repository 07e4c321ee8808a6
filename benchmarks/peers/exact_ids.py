"""What an exact join alone does: rows of one canonical ID are one person (DuckDB). ``exact_ids.py FILE.parquet OUT.parquet``."""

import sys

import duckdb

duckdb.sql(f"""
COPY (
  WITH ids AS (SELECT row_number() OVER () - 1 AS row, upper(trim(id_no)) AS id_no FROM read_parquet('{sys.argv[1]}'))
  SELECT row, coalesce(first_value(row) OVER (PARTITION BY id_no ORDER BY row), row) AS person FROM ids WHERE id_no IS NOT NULL
  UNION ALL SELECT row, row FROM ids WHERE id_no IS NULL ORDER BY row
) TO '{sys.argv[2]}' (FORMAT parquet)
""")
