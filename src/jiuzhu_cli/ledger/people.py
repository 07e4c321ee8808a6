"""One person in the record, by index: who is meant, everything that is known, and a snapshot of just that person's cases."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.mask import mask_id, mask_name
from jiuzhu_cli.core.names import normalise_name
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.ledger.back_pays import back_pays_of
from jiuzhu_cli.ledger.corrections import corrections_of
from jiuzhu_cli.ledger.keys import name_key, related_to, same_id
from jiuzhu_cli.ledger.previous import add_previous_of
from jiuzhu_cli.ledger.recoveries import claims_of
from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, ROLL_COLUMNS
from jiuzhu_cli.ledger.steps import unpack
from jiuzhu_cli.ledger.store import Store

if TYPE_CHECKING:
    import duckdb

_TAIL = re.compile(
    r"^(?P<name>[^\d]{2,}?)[-_/,，、]?(?P<tail>\d{3}[\dXx])$|^(?P<tail2>\d{3}[\dXx])[-_/,，、]?(?P<name2>[^\d]{2,})$"
)
MAX_HITS = 200
SAMPLE_ROWS = 2000  # a column that a list has shows within its first rows

_ITS, _RELATED = same_id("r", "?1"), related_to("r", "?1")
# the index holds the names' keys: it is read whole, the rows themselves only where the key fits
_NAMED = f"""
SELECT DISTINCT r.id_no FROM (SELECT row_id FROM {{kind}}_row INDEXED BY {{kind}}_person WHERE name_key = {name_key("?1")}) k
CROSS JOIN {{kind}}_row r ON r.row_id = k.row_id WHERE r.name = ?1 AND (?2 = '' OR substr(r.id_no, -4) = ?2) ORDER BY r.id_no LIMIT {MAX_HITS}
"""


@dataclass(frozen=True, slots=True)
class Person:
    """``names`` and ``places``: all spellings and ``town/village`` under which the ID stands in the record."""

    id_no: str
    names: tuple[str, ...]
    places: tuple[str, ...]

    def masked(self) -> str:
        return f"{mask_name(self.names[0])} {mask_id(self.id_no)} {'、'.join(self.places[:2])}"


def find_person(store: Store, text: str) -> Person:
    """The one person ``text`` means: an ID, a name with the ID's last four characters, or a name.

    UsageError when nobody is found, or several: then with their masked IDs, so that the right one can be named.
    """
    found = _hits(store, text)
    if not found:
        raise UsageError("台账里没有这个人", "核对姓名或身份证号；也可用“姓名+身份证后四位”")
    if len(found) > 1:
        some = [_person(store, id_no).masked() for id_no in found[:20]]
        more = "" if len(found) <= 20 else f"等 {len(found)} 人"
        raise UsageError(
            f"有 {len(found)} 个人符合：{'；'.join(some)}{more}", "改用身份证号，或“姓名+身份证后四位”，例如 张三1234"
        )
    return _person(store, found[0])


def _hits(store: Store, text: str) -> list[str]:
    flat = compact(text)
    read = parse_id(flat)
    if read.ok:
        known = store.query(
            f"SELECT 1 FROM roll_row r WHERE {_ITS} UNION ALL SELECT 1 FROM register_row r WHERE {_ITS}"
            f" UNION ALL SELECT 1 FROM register_row r WHERE {_RELATED} LIMIT 1",
            (read.value,),
        )
        return [read.value] if known else []
    if re.fullmatch(r"\d{17}[\dXx]|\d{15}", flat):
        raise UsageError("身份证号的校验码或出生日期不对", "核对号码后再查")
    tailed = _TAIL.match(flat)
    name = normalise_name((tailed.group("name") or tailed.group("name2")) if tailed else flat)
    tail = ((tailed.group("tail") or tailed.group("tail2")) if tailed else "").upper()
    if not name:
        raise UsageError("没有写明查谁", "写身份证号、姓名，或“姓名+身份证后四位”")
    for kind in ("roll", "register"):
        rows = store.query(_NAMED.format(kind=kind), (name, tail))
        if rows:
            return [row[0] for row in rows]
    return []


def _person(store: Store, id_no: str) -> Person:
    rows = store.query(
        f"SELECT name, town, village FROM roll_row r WHERE {_ITS} UNION SELECT name, town, village FROM register_row r WHERE {_ITS}"
        f" UNION SELECT related_name, town, village FROM register_row r WHERE {_RELATED} AND related_name IS NOT NULL",
        (id_no,),
    )
    names = tuple(dict.fromkeys(row[0] for row in rows)) or ("",)
    places = tuple(dict.fromkeys("/".join(part for part in (row[1], row[2]) if part) for row in rows if row[1]))
    return Person(id_no, names, places)


def person_file(store: Store, id_no: str) -> dict[str, list[dict[str, Any]]]:
    """Everything about one person: lists of plain dicts under ``rolls, members, registers, doubts, proposals, postings,
    objections, payments, holds, recoveries, back_pays, corrections, events``. Rolls of superseded and undone batches are included with their status.
    """
    rolls = _dicts(
        store,
        f"SELECT b.programme, b.area, b.month, b.status, b.file_name, t.sheet, {', '.join(f'r.{c}' for c in ROLL_COLUMNS)} FROM roll_row r"
        " JOIN batch b USING (batch_id) JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no"
        f" WHERE {_ITS} ORDER BY b.month DESC, b.programme, r.row_id",
        (id_no,),
    )
    live = [row for row in rolls if row["status"] == "active"]
    members: list[dict[str, Any]] = []
    leads: set[str] = {id_no}
    for row in live:
        mates = _dicts(
            store,
            "SELECT id_no, name, relation, lead, amount_fen FROM roll_row WHERE batch_id = ? AND case_no = ? ORDER BY lead DESC, row_id",
            (row["batch_id"], row["case_no"]),
        )
        members += [
            mate | {"programme": row["programme"], "month": row["month"], "case_no": row["case_no"]} for mate in mates
        ]
        leads |= {mate["id_no"] for mate in mates if mate["lead"]}
    registers = _dicts(
        store,
        f"SELECT b.programme AS register, b.month, b.status AS batch_status, b.file_name, t.sheet, {', '.join(f'r.{c}' for c in REGISTER_COLUMNS)}"
        " FROM register_row r JOIN batch b USING (batch_id) JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no"
        f" WHERE r.row_id IN (SELECT row_id FROM register_row r WHERE {_ITS} UNION SELECT row_id FROM register_row r WHERE {_RELATED})"
        " ORDER BY b.programme, r.row_id",
        (id_no,),
    )
    doubts = _dicts(
        store,
        "SELECT * FROM doubt WHERE id_no_a = ?1 UNION SELECT * FROM doubt WHERE id_no_b = ?1 ORDER BY doubt_id",
        (id_no,),
    )
    marks = ",".join("?" * len(leads))
    ids = sorted(leads)
    proposals = _dicts(store, f"SELECT * FROM proposal WHERE id_no IN ({marks}) ORDER BY case_id", ids)
    for one, steps in zip(proposals, unpack(store, [one["steps"] for one in proposals]), strict=True):
        one["steps"] = steps
    payments = _dicts(
        store,
        "SELECT o.programme, o.month, o.item, o.amount_fen, o.recipient_id_no, o.recipient_name, o.case_id, o.purpose, l.line_id, l.payment_id, l.line_no, l.bank,"
        " l.account_no, l.payee_name, l.amount_fen AS line_fen, l.set_off_fen, l.transfer_no, l.state, l.reason, l.returned_at, p.state AS batch_state,"
        " p.exported_at, l.parts, b.content AS basis, l.digest, r.source_row"
        " FROM obligation o LEFT JOIN payment_line l USING (obligation_id) LEFT JOIN payment_batch p USING (payment_id)"
        " LEFT JOIN payment_basis b USING (basis_id) LEFT JOIN roll_row r ON r.row_id = l.roll_row_id"
        f" WHERE o.recipient_id_no IN ({marks}) ORDER BY o.month DESC, o.programme, l.line_id",
        ids,
    )
    lines = [paid["line_id"] for paid in payments if paid["line_id"]]
    for paid in payments:
        for key in ("parts", "basis"):
            paid[key] = json.loads(paid[key]) if paid[key] else None
    holds = _dicts(
        store,
        f"SELECT h.*, p.month FROM payment_hold h JOIN payment_batch p USING (payment_id) WHERE h.recipient_id_no IN ({marks}) ORDER BY h.payment_id",
        ids,
    )
    postings: list[dict[str, Any]] = []
    for programme, month, town, village in dict.fromkeys(
        (r["programme"], r["month"], r["town"], r["village"]) for r in live
    ):
        postings += _dicts(
            store,
            "SELECT posting_id, programme, month, town, village, round, from_date, to_date, state FROM posting"
            " WHERE programme = ? AND month = ? AND town = ? AND village = ? ORDER BY posting_id",
            (programme, month, town, village),
        )
    objections = _dicts(store, "SELECT * FROM objection WHERE id_no = ? ORDER BY objection_id", (id_no,))
    entities = {f"batch:{row['batch_id']}" for row in (*rolls, *registers)}
    entities |= {f"doubt:{row['doubt_id']}" for row in doubts} | {f"proposal:{row['case_id']}" for row in proposals}
    entities |= {f"payment:{row['payment_id']}" for row in payments if row["payment_id"]}
    entities |= {f"posting:{row['posting_id']}" for row in postings}
    return {
        "rolls": rolls,
        "members": members,
        "registers": registers,
        "doubts": doubts,
        "proposals": proposals,
        "postings": postings,
        "objections": objections,
        "payments": payments,
        "holds": holds,
        "recoveries": claims_of(store, lines),
        "back_pays": back_pays_of(store, ids),
        "corrections": corrections_of(store, lines),
        "events": _events(store, entities),
    }


def names_beside(store: Store, id_no: str) -> set[str]:
    """Names that sentences about this person may hold: all who stood in a case with them, and the registers' kin."""
    rows = store.query(
        f"WITH mate AS (SELECT DISTINCT m.id_no, m.name FROM roll_row r JOIN roll_row m USING (batch_id, case_no) WHERE {_ITS})"
        f" SELECT name FROM mate UNION SELECT head_name FROM roll_row r WHERE {_ITS}"
        f" UNION SELECT name FROM register_row r WHERE {_ITS}"
        f" UNION SELECT r.name FROM mate CROSS JOIN register_row r ON {related_to('r', 'mate.id_no')}",
        (id_no,),
    )
    return {row[0] for row in rows if row[0]}


def _events(store: Store, entities: set[str]) -> list[dict[str, Any]]:
    """Journal entries about these entities, oldest first."""
    found: list[dict[str, Any]] = []
    wanted = sorted(entities)
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        marks = ",".join("?" * len(part))
        found += _dicts(
            store, f"SELECT seq, at, actor, command, entity FROM journal WHERE entity IN ({marks}) ORDER BY seq", part
        )
    return sorted(found, key=lambda one: one["seq"])


def latest_month(store: Store, id_no: str) -> str:
    """The last month in which the person stands on an active roll; '' when on none."""
    row = store.query(
        f"SELECT max(b.month) FROM roll_row r JOIN batch b USING (batch_id) WHERE {_ITS} AND b.status = 'active'",
        (id_no,),
    )[0]
    return row[0] or ""


def person_snapshot(
    store: Store, id_no: str, month: str
) -> tuple[duckdb.DuckDBPyConnection, dict[int, dict[str, bool]]]:
    """``open_snapshot`` for one person and month: their cases, the other rolls of their household, everybody's register lines.

    Beside it, by batch, which columns the list has (``has_income …``): one case alone cannot tell that.
    """
    import duckdb

    own = _dicts(
        store,
        "SELECT r.batch_id, r.case_no FROM roll_row r JOIN batch b USING (batch_id)"
        f" WHERE {_ITS} AND b.status = 'active' AND b.month = ?2 ORDER BY 1, 2",
        (id_no, month),
    )
    people = {id_no}
    for case in own:
        people |= {
            row[0]
            for row in store.query(
                "SELECT id_no FROM roll_row WHERE batch_id = ? AND case_no = ?", (case["batch_id"], case["case_no"])
            )
        }
    ids = json.dumps(sorted(people)[:400])
    cases = store.query(
        f"SELECT DISTINCT r.batch_id, r.case_no FROM json_each(?1) w CROSS JOIN roll_row r ON {same_id('r', 'w.value')}"
        " JOIN batch b USING (batch_id) WHERE b.status = 'active' AND b.month = ?2",
        (ids, month),
    )
    source = (
        "SELECT b.programme, b.area, b.month, b.file_name, t.sheet, {columns} FROM {table} r JOIN batch b USING (batch_id)"
        " JOIN batch_table t ON t.batch_id = r.batch_id AND t.table_no = r.table_no WHERE b.status = 'active' AND {which}"
    )
    roll_sql = source.format(
        columns=", ".join(f"r.{c}" for c in ROLL_COLUMNS), table="roll_row", which="r.batch_id = ? AND r.case_no = ?"
    )
    rolls = [tuple(row) for case in cases for row in store.query(roll_sql, tuple(case))]
    register_sql = source.replace("b.programme, b.area, b.month", "b.programme, b.month").format(
        columns=", ".join(f"r.{c}" for c in REGISTER_COLUMNS),
        table="register_row",
        which=f"r.row_id IN (SELECT r.row_id FROM json_each(?1) w CROSS JOIN register_row r ON {same_id('r', 'w.value')}"
        f" UNION SELECT r.row_id FROM json_each(?1) w CROSS JOIN register_row r ON {related_to('r', 'w.value')})",
    )
    known = json.dumps(sorted(people | _income_mates(store, people))[:400])
    registers = [tuple(row) for row in store.query(register_sql, (known,))]
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("PRAGMA disable_optimizer")  # a few rows: planning costs more than any plan saves
    _load(connection, "roll", ["programme", "area", "month", "file_name", "sheet", *ROLL_COLUMNS], rolls)
    _load(connection, "register", ["register", "month", "file_name", "sheet", *REGISTER_COLUMNS], registers)
    origin = store.query(
        "SELECT b.kind, b.batch_id, t.table_no, b.programme, b.area, b.month, b.file_name, t.sheet FROM batch b JOIN batch_table t USING (batch_id)"
        " WHERE b.batch_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted({row[6] for row in rolls} | {row[5] for row in registers})),),
    )
    columns = ["kind", "batch_id", "table_no", "programme", "area", "month", "file_name", "sheet"]
    _load(connection, "origin", columns, [tuple(row) for row in origin])
    add_previous_of(connection, store, month, json.loads(ids))
    # a list of the whole district covers the person's towns, if it tells towns at all (see review.eligibility)
    coverage = store.query(
        "SELECT DISTINCT programme, area, month FROM batch WHERE status = 'active' AND kind = 'roll' AND month = ?1 UNION"
        f" SELECT b.programme, t.town, b.month FROM batch b JOIN (SELECT DISTINCT town FROM roll_row r WHERE {same_id('r', '?2')}) t"
        " WHERE b.status = 'active' AND b.kind = 'roll' AND b.month = ?1 AND b.area = ''"
        " AND EXISTS (SELECT 1 FROM roll_row r WHERE r.batch_id = b.batch_id AND r.town <> '')",
        (month, id_no),
    )
    _load(connection, "coverage", ["programme", "area", "month"], [tuple(row) for row in coverage])
    covered = store.query("SELECT DISTINCT programme, area FROM batch WHERE status = 'active' AND kind = 'register'")
    _load(connection, "register_coverage", ["register", "area"], [tuple(row) for row in covered])
    return connection, {case["batch_id"]: _columns_of(store, case["batch_id"]) for case in own}


def _income_mates(store: Store, people: set[str]) -> set[str]:
    """Those who stand in one household with ``people`` on the lists of income and of household members; rolls may name the head only."""
    found = set(people)
    for _ in range(2):  # a member leads to the head, the head to the others
        rows = store.query(
            "SELECT r.id_no, r.related_id_no FROM register_row r JOIN batch b USING (batch_id) WHERE b.status = 'active'"
            " AND b.programme IN ('income_item', 'household_member') AND r.row_id IN ("
            f"SELECT r.row_id FROM json_each(?1) w CROSS JOIN register_row r ON {same_id('r', 'w.value')}"
            f" UNION SELECT r.row_id FROM json_each(?1) w CROSS JOIN register_row r ON {related_to('r', 'w.value')})",
            (json.dumps(sorted(found)[:400]),),
        )
        found |= {one for row in rows for one in row if one}
    return found


def _columns_of(store: Store, batch_id: int) -> dict[str, bool]:
    names = {
        "has_income": "income_fen", "has_assets": "assets_fen", "has_base": "base_fen", "has_kin": "kin_filed", "has_care": "self_care",
        "has_grade": "grade", "has_disability": "disability_grade", "has_illness": "illness",
    }  # fmt: skip
    asked = ", ".join(f"coalesce(max({column} IS NOT NULL), 0) AS {name}" for name, column in names.items())
    row = store.query(
        f"SELECT {asked}, count(DISTINCT case_no) < count(*) AS has_members FROM (SELECT * FROM roll_row WHERE batch_id = ? LIMIT {SAMPLE_ROWS})",
        (batch_id,),
    )[0]
    return {name: bool(row[name]) for name in row.keys()}  # noqa: SIM118 - a sqlite row


def _load(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    from jiuzhu_cli.ledger.snapshot import duck_type

    typed = ", ".join(f"{name} {duck_type(name)}" for name in columns)
    connection.execute(f'CREATE TABLE "{table}" ({typed})')
    if rows:
        connection.executemany(f'INSERT INTO "{table}" VALUES ({",".join("?" * len(columns))})', rows)


def _dicts(store: Store, sql: str, params: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in store.query(sql, params)]


def places_and_banks(store: Store, town: str = "", *, limit: int = 60) -> tuple[list[str], list[str], list[str]]:
    """What the live rolls of the last months hold, most frequent first: towns, villages (of ``town`` when told), bank names."""

    def most(column: str, where: str = "", params: tuple[str, ...] = ()) -> list[str]:
        rows = store.query(
            f"SELECT {column} FROM roll_row WHERE batch_id IN (SELECT batch_id FROM batch WHERE status = 'active' AND kind = 'roll'"
            f" ORDER BY month DESC LIMIT 200) AND coalesce({column}, '') <> ''{where} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {limit}",
            params,
        )
        return [str(row[0]) for row in rows]

    villages = sorted(most("village", " AND town = ?", (town,))) if town else []
    return sorted(most("town")), villages, most("bank_name")
