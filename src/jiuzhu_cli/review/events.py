"""What has come about for cases (``policy.model.Event``): the data's conditions compiled once to SQL and asked of all cases at once.

``find_events`` needs ``person``, ``facts``, ``register``, ``register_coverage``, ``coverage``, ``previous`` (``ledger.previous``), ``link`` (``review.links``) and ``grace``
(``review.grace``). It answers with hits, each of one event, case and person, and with the register's line where one shows it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.period import first_day
from jiuzhu_cli.policy.expression import Ratio, compile_rule, words_of
from jiuzhu_cli.policy.model import Event, ParameterValue, Register
from jiuzhu_cli.review import event_words as words

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy


@dataclass(frozen=True, slots=True)
class Compiled:
    """One event of the month: ``lines`` (which lines count) and ``when`` as three-valued SQL."""

    number: int
    event: Event
    programmes: tuple[str, ...]
    lines: str
    when: str
    words: tuple[str, ...]  # columns that either reads, as written
    parameters: tuple[ParameterValue, ...]
    columns: Mapping[str, str | Ratio]

    @property
    def living(self) -> str:
        """Whom it is asked of: the dead and whoever has left the case only when it speaks of death itself."""
        lead = "p.lead = 1" if self.event.per == "case" else "TRUE"
        return lead if "死亡" in self.words else f"{lead} AND NOT p.leaves"


@dataclass(frozen=True, slots=True)
class Hit:
    """``key``: the case (0: none); ``line``: the register's row (0: none); sums of the lines that count, 分."""

    number: int
    key: int
    id_no: str
    name: str
    line: int = 0
    own_fen: int | None = None
    case_fen: int | None = None
    place: str = ""  # of a person without a case: town, or town/village
    programme: str = ""
    before_fen: int | None = None


@dataclass(slots=True)
class Found:
    """``of_case``: hits by case key, those of an event in the order of the persons and lines; ``others``: of nobody's case."""

    compiled: list[Compiled] = field(default_factory=list)
    of_case: dict[int, list[Hit]] = field(default_factory=dict)
    others: list[Hit] = field(default_factory=list)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)  # the register's rows that hits show
    gaps: list[dict[str, Any]] = field(default_factory=list)

    def event(self, hit: Hit) -> Event:
        return self.compiled[hit.number].event


def in_force(event: Event, policy: Policy, day: date) -> bool:
    """Whether the event is asked on that day at all."""
    return (
        (event.since is None or day >= event.since)
        and (event.until is None or day <= event.until)
        and policy.switch(event.switch, day)
    )


def columns_of(event: Event, registers: Mapping[str, Register]) -> Mapping[str, str | Ratio]:
    """The words that an event may use."""
    if event.per == "outside":
        return words.PERSON_COLUMNS
    if event.per == "gone":
        return words.GONE_COLUMNS
    if not event.registers:
        return words.CASE_COLUMNS
    numbers = {
        word: _number(headers)
        for code in event.registers
        if code in registers
        for word, headers in registers[code].numbers.items()
    }
    return {**words.CASE_COLUMNS, **words.LINE_COLUMNS, **words.SUM_COLUMNS, **numbers}


def _number(headers: Collection[str]) -> str:
    """A number out of the columns that a register keeps as they came."""
    read = [
        "TRY_CAST(nullif(regexp_extract(json_extract_string(l.extra, '$.\"{}\"'), '[0-9]+[.]?[0-9]*'), '') AS DECIMAL(18,4))".format(
            header.replace("'", "''")
        )
        for header in headers
    ]
    return f"coalesce({', '.join(read)})"


def compile_events(
    policy: Policy, month: str, present: Collection[str], reviewed: Collection[str]
) -> tuple[list[Compiled], list[str]]:
    """The month's events that can come about on the programmes ``present``, and a sentence for each that cannot be judged."""
    day = first_day(month)
    compiled: list[Compiled] = []
    missing: list[str] = []
    for event in policy.events:
        on = tuple(code for code in event.on or sorted(reviewed) if event.per == "outside" or code in present)
        if event.per == "built_in" or not on or not in_force(event, policy, day):
            continue
        columns = columns_of(event, policy.registers)
        where = f"事项 {event.id}"
        texts = [text for text in ((event.lines if event.registers else ""), event.when) if text.strip()]
        used = list(dict.fromkeys(word for text in texts for word in words_of(text, where)))
        try:
            values = {word: policy.parameter(word, day) for word in used if word not in columns}
        except PolicyError as error:
            missing.append(f"“{event.name}”：{error.message}")
            continue
        numbers = {name: value.value for name, value in values.items()}
        sql = {text: compile_rule(text, columns, numbers, where=where) for text in texts}
        compiled.append(
            Compiled(
                len(compiled),
                event,
                on,
                sql.get(event.lines, "TRUE") if event.registers else "",
                sql.get(event.when, "TRUE"),
                tuple(word for word in used if word in columns),
                tuple(values.values()),
                columns,
            )
        )
    return compiled, missing


def find_events(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, *, incomplete: Collection[tuple[str, str]] = ()
) -> Found:
    """All that has come about in ``month``. ``incomplete``: (programme, area) of rolls of which rows were refused."""
    from jiuzhu_cli.review.outside import find_gone, find_outside

    present = {row[0] for row in connection.execute("SELECT DISTINCT programme FROM facts").fetchall()}
    reviewed = {row[0] for row in connection.execute("SELECT programme FROM reviewed").fetchall()}
    compiled, missing = compile_events(policy, month, present, reviewed)
    prepare(connection, policy, month, compiled)
    found = Found(compiled)
    hits = [*_of_persons(connection, compiled), *_of_lines(connection, compiled)]
    for hit in hits:
        found.of_case.setdefault(hit.key, []).append(hit)
    gone, gaps = find_gone(connection, policy, compiled, incomplete)
    for hit in gone:
        if hit.key:
            found.of_case.setdefault(hit.key, []).append(hit)
        else:
            found.others.append(hit)
    found.others += find_outside(connection, policy, month, compiled, incomplete)
    for key in found.of_case:
        found.of_case[key].sort(key=lambda hit: (found.event(hit).rank, hit.number, hit.id_no, hit.line))
    found.lines = _lines_of(connection, {hit.line for hits in found.of_case.values() for hit in hits if hit.line})
    found.gaps = [{"programme": "", "area": "", "cases": 0, "reason": text} for text in dict.fromkeys(missing)]
    found.gaps += gaps
    found.gaps += _not_imported(connection, policy, compiled)
    return found


def prepare(connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, compiled: Iterable[Compiled]) -> None:
    """The tables that the events' words need."""
    words.make_span(connection, month)
    compiled = list(compiled)
    wanted = [table for one in compiled for table in words.beside(one.columns, one.words)]
    words.make_beside(connection, wanted)
    dated = {code for one in compiled if {"名单最新", "名单最后"} & set(one.words) for code in one.event.registers}
    registers = {
        code: words.Wanted(one.event_ends, one.mutual, one.snapshot, code in dated)
        for code in sorted({code for one in compiled for code in one.event.registers})
        if (one := policy.registers.get(code)) is not None
    }
    extra = {code for code in registers if policy.registers[code].numbers}
    words.make_lines(connection, month, registers, extra=extra)


def joins(compiled: Iterable[Compiled]) -> str:
    """The joins to the small tables that the words of these events need."""
    return " ".join(dict.fromkeys(table.joined for one in compiled for table in words.beside(one.columns, one.words)))


def _listed(codes: Iterable[str]) -> str:
    return ", ".join("'" + code.replace("'", "''") + "'" for code in codes)


def applies(one: Compiled) -> str:
    return f"f.programme IN ({_listed(one.programmes)}) AND {one.living}"


def _of_persons(connection: duckdb.DuckDBPyConnection, compiled: Iterable[Compiled]) -> list[Hit]:
    """Events that need no register's line: one pass over all persons of all cases."""
    asked = [one for one in compiled if one.event.per in ("person", "case") and not one.event.registers]
    if not asked:
        return []
    cells = ", ".join(f"CASE WHEN {applies(one)} AND {one.when} THEN {one.number} END" for one in asked)
    rows = connection.execute(
        f"WITH asked AS (SELECT f.key, p.id_no, p.name, list_filter([{cells}], lambda x: x IS NOT NULL) AS hits"
        f" FROM person p JOIN facts f ON f.batch_id = p.batch_id AND f.case_no = p.case_no {joins(asked)})"
        " SELECT DISTINCT unnest(hits) AS number, key, id_no, name FROM asked WHERE len(hits) > 0 ORDER BY 1, 2, 3"
    ).fetchall()
    return [Hit(number, key, id_no, name) for number, key, id_no, name in rows]


def counted_sql(one: Compiled, extra: str = "") -> str:
    """The lines of one event that count, with their sums, each once a case; ``extra`` narrows what is looked at."""
    inner = [word for word in one.words if word not in words.SUM_COLUMNS]
    joined = " ".join(dict.fromkeys(table.joined for table in words.beside(one.columns, inner)))
    return (
        "SELECT *, count(*) OVER (PARTITION BY key, id_no) AS own_count, sum(fen) OVER (PARTITION BY key, id_no) AS own_fen,"
        " count(*) OVER (PARTITION BY key) AS case_count, sum(fen) OVER (PARTITION BY key) AS case_fen"
        f" FROM (SELECT f.key, p.id_no, p.row_id AS person_row, l.row_id AS line, l.amount_fen AS fen"
        f" FROM line l JOIN person p ON p.row_id = l.person_row JOIN facts f ON f.key = l.key {joined}"
        f" WHERE l.register IN ({_listed(one.event.registers)}) AND l.programme IN ({_listed(one.programmes)}) AND {one.living} AND {one.lines}{extra}"
        " QUALIFY row_number() OVER (PARTITION BY f.key, l.row_id ORDER BY p.row_id) = 1)"
    )


def _of_lines(connection: duckdb.DuckDBPyConnection, compiled: Iterable[Compiled]) -> list[Hit]:
    found: list[Hit] = []
    present = {row[0] for row in connection.execute("SELECT DISTINCT register FROM line").fetchall()}
    for one in compiled:
        if not present.intersection(one.event.registers):
            continue
        rows = connection.execute(
            f"SELECT s.key, s.id_no, p.name, s.line, CAST(s.own_fen AS BIGINT), CAST(s.case_fen AS BIGINT) FROM ({counted_sql(one)}) s"
            f" JOIN person p ON p.row_id = s.person_row JOIN facts f ON f.key = s.key JOIN line l ON l.row_id = s.line AND l.person_row = s.person_row {joins([one])}"
            f" WHERE {one.when} ORDER BY s.key, s.id_no, s.line"
        ).fetchall()
        found += [Hit(one.number, key, id_no, name, line, own, case) for key, id_no, name, line, own, case in rows]
    return found


def _lines_of(connection: duckdb.DuckDBPyConnection, rows: Collection[int]) -> dict[int, dict[str, Any]]:
    """The register's rows by number: what a reason shows of them."""
    if not rows:
        return {}
    cursor = connection.execute(
        "SELECT DISTINCT l.row_id, l.register, l.name, l.kind, l.status, l.organisation, l.certificate_no, l.amount_fen, l.valid_from, l.valid_to, l.event_date,"
        " o.file_name, o.sheet, r.source_row FROM (SELECT unnest(CAST(? AS BIGINT[])) AS row_id) w JOIN line l USING (row_id)"
        " JOIN register r ON r.row_id = l.row_id JOIN origin o ON o.kind = 'register'"
        " AND o.batch_id = r.batch_id AND o.table_no = r.table_no",
        [sorted(rows)],
    )
    names = [column[0] for column in cursor.description or []]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


def _not_imported(
    connection: duckdb.DuckDBPyConnection, policy: Policy, compiled: Iterable[Compiled]
) -> list[dict[str, Any]]:
    """Registers that events speak of and that were not imported for a town on the rolls: said once for all that lack the same towns."""
    needed: dict[str, set[str]] = {}
    for one in compiled:
        for code in (*one.event.registers, *(words.REGISTER_OF[w] for w in one.words if w in words.REGISTER_OF)):
            needed.setdefault(code, set()).update(one.programmes)
    towns: dict[str, dict[str, int]] = {}
    for programme, town, cases in connection.execute(
        "SELECT programme, town, count(*) FROM facts GROUP BY ALL"
    ).fetchall():
        towns.setdefault(programme, {})[town] = cases
    covered: dict[str, set[str]] = {}
    for register, area in connection.execute("SELECT register, area FROM register_coverage").fetchall():
        covered.setdefault(register, set()).add(area.split("/")[0])
    lacking: dict[frozenset[str], list[str]] = {}
    for code, programmes in sorted(needed.items()):
        if "" in covered.get(code, set()) or code not in policy.registers:
            continue
        without = {town for p in programmes for town in towns.get(p, {})} - covered.get(code, set())
        if without:
            lacking.setdefault(frozenset(without), []).append(policy.registers[code].name.removesuffix("名单"))
    every = {town for by_town in towns.values() for town in by_town}
    return [
        {
            "programme": "",
            "area": "" if without == every else "、".join(sorted(without)),
            "cases": 0,
            "reason": f"没有导入的名单，有关情况没有比对：{'、'.join(names)}",
        }
        for without, names in sorted(lacking.items(), key=lambda one: (-len(one[0]), one[1]))
    ]
