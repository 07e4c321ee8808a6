"""What came back from the villages (入户走访记录) and the classes of cases (核查类别), as tables of the compute engine.

``build_visits`` makes ``visit`` (a row a visit that was made or tried) and ``class_word``; ``class_of`` are the classes by person.
A line of the register without a day is a household not visited yet and no visit. Headers of the register's own columns are data.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.text import compact, half_width

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Register

REGISTER, CLASSES = "visit_record", "review_class"
REGISTER_COLUMNS = (
    "row_id batch_id table_no source_row id_no name event_date valid_from valid_to status kind grade organisation amount_fen town extra"
).split()
NOT_MET = "无人|未遇|没遇|未见|没人|不在家|联系不上|锁门"  # nobody was met: the visit is still due
REFUSED = "拒"
CERTIFIED, NOT_CERTIFIED = "已|是|通过|合格|在世|健在|√|完成", "未|否|没|不|×|✗"

_VISIT = """
CREATE TABLE visit AS
SELECT row_id, id_no, name, left(event_date, 10) AS day, left(event_date, 7) AS month, town, organisation AS visitor, kind AS tasks, grade,
  status AS found, amount_fen AS income_fen, {kept},
  coalesce(regexp_matches(status, '{refused}'), false) AS refused,
  coalesce(regexp_matches(status, '{not_met}|{refused}'), false) AS not_met
FROM register WHERE register = 'visit_record' AND event_date IS NOT NULL AND event_date <> '' AND event_date <= '{until}';
ALTER TABLE visit ADD COLUMN proof BOOLEAN;
UPDATE visit SET proof = coalesce(regexp_matches(certified, '{yes}') AND NOT regexp_matches(certified, '{no}'), false);
CREATE TABLE visit_programme (words VARCHAR, programme VARCHAR);
CREATE TABLE visit_task (words VARCHAR, task VARCHAR);
CREATE TABLE class_word (word VARCHAR, class VARCHAR);
"""

# classes by person from the lists of classes and the visits, the newest; a list without a day counts as older than every dated line
_CLASSED = """
CREATE TABLE classed AS
SELECT id_no, class FROM (
  SELECT r.id_no, w.class, coalesce(r.event_date, r.valid_from, '') AS day, r.row_id FROM register r JOIN class_word w ON w.word = r.grade
  WHERE r.register = 'review_class' AND (r.valid_to IS NULL OR r.valid_to >= '{first}') AND coalesce(r.event_date, r.valid_from, '') <= '{until}'
  UNION ALL SELECT v.id_no, w.class, v.day, v.row_id FROM visit v JOIN class_word w ON w.word = v.grade)
QUALIFY row_number() OVER (PARTITION BY id_no ORDER BY day DESC, row_id DESC) = 1
"""


def kept_sql(register: Register | None, word: str, row: str = "") -> str:
    """SQL of a register's own column (``kept``) in the JSON of what was kept; NULL when the register has none of that word."""
    headers = register.kept.get(word, ()) if register is not None else ()
    extra = f"{row}.extra" if row else "extra"
    found = [f"json_extract_string({extra}, {_quoted(header)})" for header in headers]
    return f"coalesce({', '.join(found)})" if found else "CAST(NULL AS VARCHAR)"


def _quoted(header: str) -> str:
    path = '$."' + header.replace('"', "") + '"'
    return "'" + path.replace("'", "''") + "'"


def build_visits(connection: duckdb.DuckDBPyConnection, policy: Policy, *, first: str, until: str) -> None:
    """Makes ``visit``, ``visit_programme``, ``visit_task``, ``class_word`` and ``classed`` from the snapshot's ``register`` and ``roll``.

    ``first`` and ``until`` (dates): classes must hold on the first or later, visits be made until the last.
    """
    register = policy.registers.get(REGISTER)
    kept = ", ".join(
        f"{kept_sql(register, word)} AS {word}" for word in ("programme", "size", "certified", "signed", "told")
    )
    connection.execute(
        _VISIT.format(kept=kept, refused=REFUSED, not_met=NOT_MET, until=until, yes=CERTIFIED, no=NOT_CERTIFIED)
    )
    for (words,) in connection.execute("SELECT DISTINCT programme FROM visit WHERE programme IS NOT NULL").fetchall():
        _insert(connection, "visit_programme", [(words, code) for code in programmes_in(words, policy)])
    names = [(task.id, task.name) for task in policy.review_tasks]
    for (words,) in connection.execute("SELECT DISTINCT tasks FROM visit WHERE tasks IS NOT NULL").fetchall():
        named = [task for task, name in names if name in compact(words)]
        _insert(connection, "visit_task", [(words, task) for task in named])
    sources = "SELECT grade FROM roll UNION SELECT category FROM roll UNION SELECT grade FROM register UNION SELECT grade FROM visit"
    for (word,) in connection.execute(f"SELECT DISTINCT grade FROM ({sources}) WHERE grade IS NOT NULL").fetchall():
        found = class_of(word, policy)
        if found:
            _insert(connection, "class_word", [(word, found)])
    connection.execute(_CLASSED.format(first=first, until=until))


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)


def class_of(word: str, policy: Policy) -> str:
    """The class that a cell means (A类低保 → A, 黄色 → B), '' when it means none or several; nothing is guessed from other letters."""
    text = re.sub(r"[（(].*$", "", half_width(compact(word))).upper()
    found = {one.id for one in policy.review_classes if text in {w.upper() for w in one.words}}
    return found.pop() if len(found) == 1 else ""


def programmes_in(words: str, policy: Policy) -> list[str]:
    """Codes of the programmes that a cell names, one or several joined by 、; [] when one of them is not known."""
    found: list[str] = []
    for part in filter(None, re.split(r"[、,，;；/+和]", compact(words))):
        codes = [p.code for p in policy.programmes.values() if part in (p.code, p.name, *p.aliases)]
        if not codes:
            return []
        found += codes
    return list(dict.fromkeys(found))


__all__ = ["CLASSES", "REGISTER", "REGISTER_COLUMNS", "build_visits", "class_of", "kept_sql", "programmes_in"]
