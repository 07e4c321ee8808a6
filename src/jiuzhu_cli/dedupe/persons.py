"""Who may be one person under two numbers, and which number stands beside two people's names. All of it is put before a clerk.

Two sound numbers are one person's only when everything else agrees: the name by character, the birth date (or all but a slip of it), and the
village or a telephone or account of their own. Never two who are listed in one case: twins, father and son. Nothing is merged, paid or
stopped on it; once a clerk has found that it is one person, later runs read both numbers as one (``take_as_one``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from jiuzhu_cli.dedupe.hits import insert_rows
from jiuzhu_cli.matching import names

if TYPE_CHECKING:
    from jiuzhu_cli.compute.tables import Tables

# One row an ID and month with what a roll says of the person; numbers as the rolls have them. Phones and accounts that many share
# (a village office's, a home's) tell nothing, nor does a birth date that scores of one village have (made up, or a place's default).
_PEOPLE = """
CREATE TABLE listed_person AS
WITH said AS (
  SELECT coalesce(s.id_no, h.id_no) AS id_no, h.month, h.row_id, h.name, h.town, h.village, nullif(h.phone, '') AS phone,
    CASE WHEN h.lead = 1 THEN nullif(h.account_no, '') END AS account_no, h.often
  FROM holding h LEFT JOIN stated s ON s.row_id = h.row_id WHERE length(h.id_no) = 18),
first AS (
  SELECT id_no, month, min(row_id) AS row_id, max(phone) AS phone, max(account_no) AS account_no FROM said WHERE often GROUP BY id_no, month)
SELECT id_no, month, row_id, name, town, village, phone, account_no FROM said WHERE NOT often
UNION ALL
SELECT f.id_no, f.month, f.row_id, s.name, s.town, s.village, f.phone, f.account_no FROM first f JOIN said s USING (row_id);
CREATE TABLE few_born AS
SELECT month, town, village, substr(id_no, 7, 8) AS born FROM listed_person WHERE village <> '' GROUP BY ALL HAVING count(*) BETWEEN 2 AND 60;
CREATE TABLE few AS
SELECT month, 'p' AS what, phone AS value FROM listed_person WHERE length(phone) >= 7 GROUP BY ALL HAVING count(*) BETWEEN 2 AND 6
UNION ALL SELECT month, 'a', account_no FROM listed_person WHERE length(account_no) >= 8 GROUP BY ALL HAVING count(*) BETWEEN 2 AND 6;
"""
# Pairs worth comparing: born the same day in one village; or a telephone or account in common and born within five years.
_PAIRS = """
CREATE TABLE linked AS
SELECT p.month, p.id_no, f.what, f.value FROM listed_person p JOIN few f ON f.what = 'p' AND f.month = p.month AND f.value = p.phone
UNION ALL
SELECT p.month, p.id_no, f.what, f.value FROM listed_person p JOIN few f ON f.what = 'a' AND f.month = p.month AND f.value = p.account_no
UNION ALL
SELECT p.month, p.id_no, 'b', concat_ws('|', f.town, f.village, f.born) FROM listed_person p
JOIN few_born f ON f.month = p.month AND f.town = p.town AND f.village = p.village AND f.born = substr(p.id_no, 7, 8);
CREATE TABLE paired AS
SELECT DISTINCT a.month, a.id_no AS one, b.id_no AS other FROM linked a JOIN linked b ON b.month = a.month AND b.what = a.what AND b.value = a.value
WHERE a.id_no < b.id_no AND abs(CAST(substr(a.id_no, 7, 4) AS INTEGER) - CAST(substr(b.id_no, 7, 4) AS INTEGER)) < 5
  AND CAST(substr(a.id_no, 17, 1) AS INTEGER) % 2 = CAST(substr(b.id_no, 17, 1) AS INTEGER) % 2;
CREATE TABLE one_household AS
SELECT DISTINCT n.one, n.other FROM (SELECT DISTINCT one, other FROM paired) n JOIN household x ON x.id_no = n.one
JOIN household y ON y.case_id = x.case_id AND y.id_no = n.other;
CREATE TABLE alike AS
SELECT n.month, a.row_id AS row_a, b.row_id AS row_b, n.one, n.other, a.name AS name_a, b.name AS name_b,
  a.town = b.town AND a.village = b.village AND a.village <> '' AS village, coalesce(a.phone = b.phone, FALSE) AS phone,
  coalesce(a.account_no = b.account_no, FALSE) AS account,
  coalesce(a.phone <> b.phone, FALSE) AND coalesce(a.account_no <> b.account_no, FALSE) AS apart,
  substr(n.one, 7, 8) = substr(n.other, 7, 8) AS born, levenshtein(n.one, n.other) AS figures
FROM paired n JOIN listed_person a ON a.id_no = n.one AND a.month = n.month JOIN listed_person b ON b.id_no = n.other AND b.month = n.month
WHERE NOT EXISTS (SELECT 1 FROM one_household h WHERE h.one = n.one AND h.other = n.other)
"""
_SECOND = """
INSERT INTO hit
SELECT concat_ws('|', 'same_person', 'numbers', a.one, a.other), 'same_person', 'second_number', 'same_person', 'candidate', a.month, a.row_a, a.row_b,
  a.one, a.name_a, ha.programme, ha.town, a.other, a.name_b, hb.programme, hb.town,
  coalesce(least(nullif(ha.share_fen, 0), nullif(hb.share_fen, 0)), 0), coalesce(ha.share_fen, 0), coalesce(hb.share_fen, 0),
  concat_ws('、', '姓名', CASE WHEN a.born THEN '出生日期' END, CASE WHEN a.village THEN '村' END, CASE WHEN a.phone THEN '电话' END,
    CASE WHEN a.account THEN '账号' END)
FROM alike a JOIN same_name s ON s.row_a = a.row_a AND s.row_b = a.row_b JOIN holding ha ON ha.row_id = a.row_a JOIN holding hb ON hb.row_id = a.row_b
WHERE (a.born AND NOT a.apart AND (a.village OR a.phone OR a.account))
  OR (NOT a.born AND a.figures <= 3 AND ((a.phone AND a.account) OR (a.village AND (a.phone OR a.account))))
"""

# Somebody of a death list under another number: name and birth date equal, first issued in the same county, no other town told.
_DEAD = """
INSERT INTO hit
WITH gone AS (
  SELECT d.id_no, d.name, d.row_id, d.died, coalesce(r.town, '') AS town FROM death d JOIN (SELECT row_id, town FROM register) r USING (row_id)
  WHERE length(d.id_no) = 18 AND length(d.name) > 1 AND NOT EXISTS (SELECT 1 FROM holding h WHERE h.id_no = d.id_no))
SELECT concat_ws('|', 'same_person', 'dead', h.programme, h.id_no, d.id_no), 'same_person', 'dead_under_another_number', 'same_person', 'candidate',
  h.month, h.row_id, -d.row_id, h.id_no, h.name, h.programme, h.town, d.id_no, d.name, 'register:death', '',
  coalesce(h.share_fen, 0), coalesce(h.share_fen, 0), 0, concat_ws('|', '去世日期=' || coalesce(d.died, '未写'))
FROM holding h JOIN gone d ON substr(d.id_no, 7, 8) = substr(h.id_no, 7, 8) AND substr(d.id_no, 1, 6) = substr(h.id_no, 1, 6) AND d.name = h.name
WHERE d.id_no <> h.id_no AND length(h.id_no) = 18 AND (d.town = '' OR h.town = '' OR d.town = h.town)
  AND (d.died IS NULL OR h.month > substr(d.died, 1, 7)) AND NOT EXISTS (SELECT 1 FROM death k WHERE k.id_no = h.id_no)
  AND CAST(substr(d.id_no, 17, 1) AS INTEGER) % 2 = CAST(substr(h.id_no, 17, 1) AS INTEGER) % 2
QUALIFY row_number() OVER (PARTITION BY h.programme, h.id_no, d.id_no, h.month ORDER BY h.row_id) = 1
"""

# Numbers with more than one spelling of the name; the spelling on most rows is taken for the holder's.
_NAMED = """
CREATE TABLE named AS
WITH told AS (
  SELECT h.id_no, h.name, h.row_id FROM holding h
  WHERE length(h.name) > 1 AND NOT EXISTS (SELECT 1 FROM stated s WHERE s.row_id = h.row_id)),
mixed AS (SELECT id_no FROM told GROUP BY id_no HAVING min(name) <> max(name)),
spelled AS (SELECT t.id_no, t.name, count(*) AS lines, min(t.row_id) AS row_id FROM told t JOIN mixed USING (id_no) GROUP BY t.id_no, t.name)
SELECT s.id_no, s.name, s.row_id, first_value(s.name) OVER most AS holder, first_value(s.row_id) OVER most AS holder_row
FROM spelled s WINDOW most AS (PARTITION BY s.id_no ORDER BY lines DESC, s.row_id)
"""
_TWO_NAMES = """
INSERT INTO hit
SELECT concat_ws('|', 'same_person', 'names', b.id_no, b.name), 'same_person', 'one_number_two_names', 'same_person', 'candidate', b.month,
  n.holder_row, b.row_id, b.id_no, n.holder, a.programme, a.town, b.id_no, b.name, b.programme, b.town, coalesce(b.share_fen, 0),
  coalesce(a.share_fen, 0), coalesce(b.share_fen, 0), ''
FROM named n JOIN unlike u ON u.row_id = n.row_id JOIN holding b ON b.id_no = n.id_no AND b.name = n.name
JOIN holding a ON a.row_id = n.holder_row
QUALIFY row_number() OVER (PARTITION BY b.id_no, b.name, b.month ORDER BY b.row_id) = 1
"""


def take_as_one(connection: Tables, pairs: Sequence[tuple[str, str]]) -> None:
    """From here on the numbers of each pair (found by a clerk to be one person's) are one: the least of those that hang together.

    ``stated`` keeps what the lists have: ``row_id`` (negative: of a register), ``id_no``.
    """
    connection.execute("CREATE TABLE IF NOT EXISTS stated (row_id BIGINT, id_no VARCHAR)")
    one: dict[str, str] = {}

    def least(number: str) -> str:
        while number in one:
            number = one[number]
        return number

    for pair in pairs:
        low, high = sorted(map(least, pair))
        if low != high:
            one[high] = low
    if not one:
        return
    connection.execute("CREATE TABLE alias (id_no VARCHAR, person VARCHAR)")
    insert_rows(connection, "alias", [(number, least(number)) for number in one])
    connection.execute("INSERT INTO stated SELECT row_id, id_no FROM roll JOIN alias USING (id_no)")
    connection.execute("INSERT INTO stated SELECT -row_id, id_no FROM register JOIN alias USING (id_no)")
    for table in ("roll", "register"):
        connection.execute(f"UPDATE {table} SET id_no = alias.person FROM alias WHERE alias.id_no = {table}.id_no")
    connection.execute("UPDATE roll SET head_id_no = alias.person FROM alias WHERE alias.id_no = roll.head_id_no")


def say_as_stated(connection: Tables) -> None:
    """Gives each side of a hit back the number that its row states: that is the one that is paid."""
    for side in "ab":
        connection.execute(f"UPDATE hit SET id_no_{side} = stated.id_no FROM stated WHERE stated.row_id = hit.row_{side} AND hit.id_no_{side} <> ''")  # fmt: skip


def find_persons(connection: Tables) -> None:
    """Adds candidates to ``hit``; ``fact`` of ``second_number`` is what agrees."""
    connection.execute("CREATE TABLE IF NOT EXISTS stated (row_id BIGINT, id_no VARCHAR)")
    connection.execute(_PEOPLE)
    connection.execute(_PAIRS)
    _keep(
        connection,
        "same_name",
        ("row_a", "row_b"),
        "SELECT row_a, row_b, name_a, name_b FROM alike",
        names.EQUAL,
        names.EQUAL,
    )
    connection.execute(_SECOND)
    connection.execute(_DEAD)
    connection.execute(_NAMED)
    _keep(connection, "unlike", ("row_id", "holder_row"), "SELECT row_id, holder_row, name, holder FROM named WHERE name <> holder", names.SURNAME, names.OTHER)  # fmt: skip
    connection.execute(_TWO_NAMES)


def _keep(connection: Tables, table: str, keys: tuple[str, str], query: str, least: int, most: int) -> None:
    """``table`` of those rows of ``query`` (two keys, two names) whose names compare between the two levels."""
    rows = connection.sql(query).to_arrow_table().combine_chunks()
    found = rows.slice(0, 0)
    if rows.num_rows:
        both = names.read_names(pa.concat_arrays([_flat(rows.column(2)), _flat(rows.column(3))]))
        level = names.compare(both, both.code[: rows.num_rows], both.code[rows.num_rows :])
        found = rows.filter(pa.array((level >= least) & (level <= most)))
    connection.register("incoming", found)
    connection.execute(f"CREATE TABLE {table} AS SELECT {', '.join(keys)} FROM incoming")
    connection.unregister("incoming")


def _flat(column: pa.ChunkedArray) -> pa.Array:
    flat = column.combine_chunks()
    return flat.chunk(0) if isinstance(flat, pa.ChunkedArray) else flat
