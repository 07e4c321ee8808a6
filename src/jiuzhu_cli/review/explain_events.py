"""Every event judged for one person: whether it has come about, the values and thresholds, the article and the register's line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.policy.expression import Ratio
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review import event_words as words
from jiuzhu_cli.review.events import Compiled, counted_sql, joins
from jiuzhu_cli.review.reasons import line_text

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.review.events import Found


def explain_events(
    connection: duckdb.DuckDBPyConnection, policy: Policy, found: Found, id_no: str
) -> list[dict[str, Any]]:
    """One entry an event and roll of the person: ``programme, event, name, condition, values, thresholds, result`` (true, false, None
    unknown), ``lines`` (the register's lines looked at), ``action, source``."""
    own = connection.execute(
        "SELECT f.programme, f.key, p.row_id, f.row_id, f.town FROM person p JOIN facts f ON f.batch_id = p.batch_id AND f.case_no = p.case_no"
        " WHERE p.id_no = ? ORDER BY f.programme, p.row_id",
        [id_no],
    ).fetchall()
    names = {f"register:{one.code}": one.name for one in policy.registers.values()}
    covered: dict[str, set[str]] = {}
    for register, area in connection.execute("SELECT register, area FROM register_coverage").fetchall():
        covered.setdefault(register, set()).add(area.split("/")[0])
    present = {row[0] for row in connection.execute("SELECT DISTINCT register FROM line").fetchall()}
    made: list[dict[str, Any]] = []
    for programme, key, row_id, lead_row, town in own:
        asked = [one for one in found.compiled if programme in one.programmes and one.event.per in ("person", "case")]
        plain = [one for one in asked if not one.event.registers]
        made += _plain(connection, plain, programme, row_id, lead_row)
        for one in asked:
            if one.event.registers:
                imported = any(covered.get(code, set()) & {"", town} for code in one.event.registers)
                if present.intersection(one.event.registers):
                    made.append(_of_lines(connection, one, programme, key, row_id, imported, names))
                else:
                    made.append(_entry(one, programme, False if imported else None, {}, []))
    return made


def _plain(
    connection: duckdb.DuckDBPyConnection, asked: list[Compiled], programme: str, row_id: int, lead_row: int
) -> list[dict[str, Any]]:
    """Events without a register: all of them and all their words in one row."""
    made = []
    for row, chosen in (
        (row_id, [one for one in asked if one.event.per == "person"]),
        (lead_row, [one for one in asked if one.event.per == "case"]),
    ):
        if not chosen:
            continue
        used = list(dict.fromkeys(word for one in chosen for word in one.words))
        cells = [f"CAST({one.when} AS BOOLEAN)" for one in chosen]
        for word in used:
            column = words.CASE_COLUMNS[word]
            cells += [column.over, column.under] if isinstance(column, Ratio) else [column, "1"]
        told = connection.execute(
            f"SELECT {', '.join(cells)} FROM person p JOIN facts f ON f.batch_id = p.batch_id AND f.case_no = p.case_no {joins(chosen)}"
            " WHERE p.row_id = ?",
            [row],
        ).fetchall()[0]
        values = {
            word: value_text(told[len(chosen) + 2 * at], told[len(chosen) + 2 * at + 1], words.CASE_COLUMNS[word])
            for at, word in enumerate(used)
        }
        made += [
            _entry(one, programme, told[at], {w: values[w] for w in one.words}, []) for at, one in enumerate(chosen)
        ]
    return made


def _of_lines(
    connection: duckdb.DuckDBPyConnection,
    one: Compiled,
    programme: str,
    key: int,
    row_id: int,
    imported: bool,
    names: Mapping[str, str],
) -> dict[str, Any]:
    """An event of registers' lines: hit when a line that counts makes it true; unknown where no list was imported."""
    registers = ", ".join(f"'{code}'" for code in one.event.registers)
    who = "f.key = ?" if "全户" in one.event.when else "p.row_id = ?"
    inner = [word for word in one.words if word not in words.SUM_COLUMNS]
    joined = " ".join(dict.fromkeys(table.joined for table in words.beside(one.columns, inner)))
    rows = connection.execute(
        f"SELECT l.row_id, CAST({one.lines} AS BOOLEAN) FROM line l JOIN person p ON p.row_id = l.person_row"
        f" JOIN facts f ON f.key = l.key {joined} WHERE l.register IN ({registers}) AND {who} ORDER BY 1",
        [key if "全户" in one.event.when else row_id],
    ).fetchall()
    if not rows:
        return _entry(one, programme, False if imported else None, {}, [])
    counted = connection.execute(
        f"SELECT s.line, CAST({one.when} AS BOOLEAN), s.own_count, s.own_fen, s.case_count, s.case_fen FROM ({counted_sql(one, f' AND f.key = {int(key)}')}) s"
        f" JOIN person p ON p.row_id = s.person_row JOIN facts f ON f.key = s.key JOIN line l ON l.row_id = s.line AND l.person_row = s.person_row {joins([one])}"
        + ("" if "全户" in one.event.when else " WHERE s.person_row = ?"),
        [] if "全户" in one.event.when else [row_id],
    ).fetchall()
    answers = {row[1] for row in counted} or {None if any(flag is None for _, flag in rows) else False}
    result = True if True in answers else None if None in answers else False
    values: dict[str, str | None] = {}
    if counted:
        sums = {
            "本人笔数": counted[0][2],
            "本人合计": counted[0][3],
            "全户笔数": counted[0][4],
            "全户合计": counted[0][5],
        }
        values = {
            word: value_text(sums[word], 1, "") if "笔数" in word else value_text(sums[word], 100, Ratio("", ""))
            for word in one.words
            if word in sums
        }
    shown = connection.execute(
        "SELECT l.row_id, l.register, l.name, l.kind, l.status, l.organisation, l.certificate_no, l.amount_fen, l.valid_from, l.valid_to, l.event_date,"
        " r.file_name, r.sheet, r.source_row FROM line l JOIN register r ON r.row_id = l.row_id WHERE list_contains(CAST(? AS BIGINT[]), l.row_id)"
        " AND l.key = ? QUALIFY row_number() OVER (PARTITION BY l.row_id) = 1 ORDER BY l.row_id",
        [[row[0] for row in rows], key],
    )
    columns = [column[0] for column in shown.description or []]
    lines = [line_text(dict(zip(columns, row, strict=True)), names) for row in shown.fetchall()]
    return _entry(one, programme, result, values, lines)


def _entry(
    one: Compiled, programme: str, result: bool | None, values: dict[str, str | None], lines: list[str]
) -> dict[str, Any]:
    event = one.event
    return {
        "programme": programme,
        "event": event.id,
        "name": event.name,
        "condition": "；".join(text for text in ((event.lines if event.registers else ""), event.when) if text),
        "values": values,
        "thresholds": {value.name: threshold(value) for value in one.parameters},
        "result": result,
        "lines": lines,
        "action": event.action,
        "source": event.source,
    }


def threshold(one: ParameterValue) -> dict[str, Any]:
    """A parameter as what a value is compared with."""
    switch = {True: "是", False: "否"}
    return {
        "value": switch[one.value] if isinstance(one.value, bool) else str(one.value),
        "unit": one.unit,
        "since": one.since.isoformat(),
        "source": one.source,
        "confirmed": one.confirmed,
    }


def value_text(over: Any, under: Any, column: str | Ratio) -> str | None:
    """A word's value as it is read; None unknown. Quotients (元) with two decimals."""
    if over is None or under is None or (isinstance(column, Ratio) and not under):
        return None
    if isinstance(over, bool):
        return "是" if over else "否"
    if not isinstance(column, Ratio):
        return str(over)
    exact = Fraction(int(over), int(under))
    return f"{Decimal(exact.numerator) / Decimal(exact.denominator):.2f}"
