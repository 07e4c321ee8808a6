"""Who is the same person, on Spark: the functions of this room over parts of the records and of the pairs, the same SQL for the candidates.

The steps are those of ``engine.match_records``; the table of seams in ``docs/dev/contracts.md`` says why each may run in parts. Records of
one ID meet in one part, so do all candidates of one asker; what the whole data must tell is added up (``Totals``). The driver holds a few
numbers a record (its ID, its person) and the few pairs that may be a second genuine ID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.compute.dialect import query_sql
from jiuzhu_cli.matching import clusters, keys, names, second, weights
from jiuzhu_cli.matching.candidates import text_numbers
from jiuzhu_cli.matching.engine import Matched, by_entity, starts_of
from jiuzhu_cli.matching.evidence import (
    SMALL,
    Commons,
    Evidence,
    Statistics,
    agreement_of,
    prior_of,
    shares_of,
    tally_agreement,
    tally_sounds,
)
from jiuzhu_cli.matching.ids import DAMAGED, SOUND, probes
from jiuzhu_cli.matching.pairs import EXACT_SCORE, key_words, levels_text, pair_table
from jiuzhu_cli.matching.people import COLUMNS, People, read_people
from jiuzhu_cli.matching.roles import Roles, doubtful_ids, roles_of
from jiuzhu_cli.matching.texts import numbered

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Batches = Iterable[pa.RecordBatch]

_RAW = ", ".join(f"{name} STRING" for name in COLUMNS)
_KEYED = f"row BIGINT, {_RAW}, id_key BIGINT"
_JUDGED = (
    f"row BIGINT, {_RAW}, id_key BIGINT, state INT, entity BIGINT, head BOOLEAN, contested BOOLEAN, own BOOLEAN, `unlike` BOOLEAN, asking BOOLEAN,"
    " birth_day INT, asked_day INT, block_day INT, told_sex INT, sound BIGINT, surname BIGINT, village_no BIGINT, phone_no BIGINT,"
    " account_no_ BIGINT, birth BIGINT, id_text BIGINT, tally BINARY"
)
_PROBES = "a BIGINT, number BIGINT, prefix BIGINT"
_OTHERS = "other BIGINT"
_LINKS = "a BIGINT, b BIGINT, entity_b BIGINT, attached BOOLEAN, key INT, levels STRING, score DOUBLE"
_EXACT = "row_a BIGINT, row_b BIGINT, levels STRING"
_COUNTED = ("sound", "surname", "birth_day", "village_no", "phone_no", "account_no_")
_ROLE_COLUMNS = "row, entity, contested, own, `unlike`, asking, birth_day, asked_day, block_day, told_sex"


@dataclass(slots=True)
class Totals:
    """What the parts add up to: ``size`` records, ``heads`` persons as far as IDs tell, the tallies of ``evidence``."""

    size: int
    heads: int
    statistics: Statistics


def match_frame(session: SparkSession, records: DataFrame, *, second_ids: weights.Second | None = None) -> Matched:
    """Matches ``records``: ``row`` (0 …, the place of the record) and text columns ``COLUMNS``. The same answer as ``match_records``."""
    shown = [
        f"CAST({name} AS STRING) AS {name}" if name in records.columns else f"CAST(NULL AS STRING) AS {name}"
        for name in COLUMNS
    ]
    keyed = records.selectExpr("CAST(row AS BIGINT) AS row", *shown).mapInArrow(_keyed, _KEYED)
    keyed.createOrReplaceTempView("keyed")
    session.sql("SELECT *, coalesce(nullif(id_key, -1), -2 - row) AS part FROM keyed").repartition("part").drop(
        "part"
    ).mapInArrow(_judged, _JUDGED).persist().createOrReplaceTempView("record")
    totals = _totals(session)
    _key_tables(session)
    totals.statistics.slip_rate = _probed(session)
    _sql(session, keys.candidates_sql("probed"), "candidate")
    links = _links(session, totals)
    return _assembled(session, totals, links, _second(session, totals, second_ids or weights.Second()))


def _sql(session: SparkSession, duckdb_sql: str, name: str) -> None:
    session.sql(query_sql(duckdb_sql)).createOrReplaceTempView(name)


# ---- records ---------------------------------------------------------------------------------------------------


def _table(batches: Batches) -> pa.Table | None:
    """All of a part as one table, by row."""
    held = [batch for batch in batches if batch.num_rows]
    return pa.Table.from_batches(held).combine_chunks() if held else None


def _keyed(batches: Batches) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        people = read_people(pa.Table.from_batches([batch]), dense=False)
        yield from _rows(pa.Table.from_batches([batch]).append_column("id_key", pa.array(people.ids.key)), _KEYED)


def _judged(batches: Batches) -> Iterator[pa.RecordBatch]:
    """Roles of the records of a part that holds whole IDs, the values by which blocks join, and the part's tallies in its first row."""
    table = _table(batches)
    if table is None:
        return
    table = table.sort_by("row").combine_chunks()
    people = read_people(table, dense=False)
    row = table["row"].to_numpy()
    entity = numbered(people.ids.key)
    order = by_entity(entity)
    contested, unlike = doubtful_ids(people, entity, order)
    roles = roles_of(people, entity, contested, unlike)
    first = row[order[starts_of(entity[order])]]  # the ID's number: its first record in the whole data
    whole = np.append(first, -1)[roles.entity]
    kept = order[~contested[order]]
    head = roles.entity < 0
    head[kept[starts_of(entity[kept])]] = True
    code = people.names.code
    tally = np.concatenate(
        [
            *tally_sounds(people.names, code[np.flatnonzero(head)]),
            tally_agreement(people, roles.entity, kept[roles.own[kept]]),
        ]
    )
    id_text = np.full(people.size, -1, np.int64)
    id_text[people.ids.broken] = text_numbers(people.ids.text)
    columns = {
        **{name: table[name] for name in table.column_names},
        "state": people.ids.state.astype(np.int32),
        "entity": whole,
        "head": head,
        "contested": contested,
        "own": roles.own,
        "unlike": roles.unlike,
        "asking": roles.asking,
        "birth_day": roles.birth.astype(np.int32),
        "asked_day": roles.asked_birth.astype(np.int32),
        "block_day": roles.block_birth.astype(np.int32),
        "told_sex": roles.sex.astype(np.int32),
        "sound": _known(np.append(people.names.sound_key, 0)[code], code >= 0),
        "surname": _known(np.append(people.names.first, -1)[code].astype(np.int64)),
        "village_no": _known(people.village),
        "phone_no": _known(people.phone),
        "account_no_": _known(people.account),
        "birth": _known(np.where(roles.block_birth > 0, roles.block_birth, -1).astype(np.int64)),
        "id_text": _known(id_text),
        "tally": pa.array([tally.tobytes(), *[None] * (people.size - 1)], pa.binary()),
    }
    yield from _rows(pa.table(columns), _JUDGED)


def _known(values: np.ndarray, told: np.ndarray | None = None) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=values < 0 if told is None else ~told)


def _rows(table: pa.Table, schema: str) -> Iterator[pa.RecordBatch]:
    """In the columns and order that the schema names."""
    wanted = [column.split()[0].strip("`") for column in schema.split(",")]
    yield from table.select(wanted).to_batches(max_chunksize=1 << 16)


def _totals(session: SparkSession) -> Totals:
    size, heads = (
        int(n or 0)
        for n in session.sql("SELECT count(*), sum(CASE WHEN head THEN 1 ELSE 0 END) FROM record").collect()[0]
    )
    width = names.UNREAD + 4
    parts = np.zeros(2 * width + names.WIDTH + 1 + len(tally_agreement_of_none()))
    for (tally,) in session.sql("SELECT tally FROM record WHERE tally IS NOT NULL").collect():
        parts += np.frombuffer(bytes(tally))
    firsts, later, lengths, agreement = np.split(parts, [width, 2 * width, 2 * width + names.WIDTH + 1])
    total = max(heads, 2)
    return Totals(size, heads, Statistics(size, total, *shares_of(firsts, later, lengths), agreement_of(agreement)))


def tally_agreement_of_none() -> np.ndarray:
    """The tally of no records: how long it is."""
    nobody = read_people(pa.table({name: pa.nulls(0, pa.string()) for name in COLUMNS}))
    return tally_agreement(nobody, np.empty(0, np.int64), np.empty(0, np.int64))


# ---- candidates ------------------------------------------------------------------------------------------------


def _key_tables(session: SparkSession) -> None:
    columns = "row, CASE WHEN own THEN entity ELSE -1 END AS entity, sound, surname, village_no AS village, phone_no AS phone, account_no_ AS account, birth, id_text"
    session.sql(f"SELECT {columns} FROM record").createOrReplaceTempView("people")
    session.sql(f"SELECT {columns} FROM record WHERE asking").createOrReplaceTempView("asking")


def _probed(session: SparkSession) -> float:
    """The candidates of damaged IDs as view ``probed``; returns how many sound IDs a damaged one hits by chance (``candidates.probed``)."""
    session.sql(f"SELECT row, {', '.join(COLUMNS)} FROM record WHERE state = {DAMAGED}").mapInArrow(
        _probes, _PROBES
    ).persist().createOrReplaceTempView("probe")
    session.sql(
        "SELECT p.a, r.row AS b, 0 AS key FROM probe p JOIN record r ON r.id_key = p.number WHERE r.entity >= 0"
    ).createOrReplaceTempView("slip")
    session.sql(
        "SELECT a, b, key FROM slip UNION ALL SELECT p.a, r.row, 1 FROM probe p JOIN record r ON r.id_key DIV 100 = p.prefix WHERE r.entity >= 0"
    ).createOrReplaceTempView("probed")
    damaged = int(session.sql(f"SELECT count(*) FROM record WHERE state = {DAMAGED}").collect()[0][0])
    if not damaged:
        return 0.05
    pairs = session.sql(
        "SELECT q.name AS left, r.name AS right FROM slip s JOIN record q ON q.row = s.a JOIN record r ON r.row = s.b"
    )
    pairs.mapInArrow(_other_names, _OTHERS).createOrReplaceTempView("unlike_names")
    other = int(session.sql("SELECT coalesce(sum(other), 0) FROM unlike_names").collect()[0][0])
    return float(np.clip(1.2 * other / damaged, 0.02, 50))


def _probes(batches: Batches) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        table = pa.Table.from_batches([batch])
        people = read_people(table, dense=False)
        row = table["row"].to_numpy()
        text = people.ids.text
        rows, numbers = probes(people.ids, people.ids.broken)
        cut = (text[:, 15:18] == 48).all(axis=1) & (text[:, 18] == 0)
        prefix = (text[cut, :15].astype(np.int64) - 48) @ 10 ** np.arange(14, -1, -1, dtype=np.int64)
        a = np.concatenate([row[rows], row[people.ids.broken[cut]]])
        found = {
            "a": a,
            "number": pa.concat_arrays([pa.array(numbers.astype(np.int64)), pa.nulls(len(prefix), pa.int64())]),
            "prefix": pa.concat_arrays([pa.nulls(len(numbers), pa.int64()), pa.array(prefix.astype(np.int64))]),
        }
        yield from _rows(pa.table(found), _PROBES)


def _other_names(batches: Batches) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        both = pa.chunked_array([batch.column(0), batch.column(1)])
        people = read_people(pa.table({"name": both}), dense=False)
        code = people.names.code
        level = names.compare(people.names, code[: batch.num_rows], code[batch.num_rows :])
        yield pa.record_batch({"other": pa.array([int((level == names.OTHER).sum())], pa.int64())})


# ---- pairs -----------------------------------------------------------------------------------------------------


def _with_counts(session: SparkSession, wanted: str, name: str) -> None:
    """The records whose rows the query ``wanted`` gives, with how common their values are (``n_…``; persons for ``sound``, else records)."""
    counts = " ".join(
        f"LEFT JOIN (SELECT {column}, count(*) AS n FROM record WHERE {'head' if column == 'sound' else 'TRUE'} AND {column} IS NOT NULL"
        f" GROUP BY {column}) c{place} ON c{place}.{column} = r.{column}"
        for place, column in enumerate(_COUNTED)
    )
    shown = ", ".join(f"coalesce(c{place}.n, 0) AS n_{column}" for place, column in enumerate(_COUNTED))
    session.sql(
        f"SELECT {', '.join(f'r.{c}' for c in COLUMNS)}, {', '.join(f'r.{c.strip()}' for c in _ROLE_COLUMNS.split(','))}, {shown}"
        f" FROM record r LEFT SEMI JOIN ({wanted}) w ON w.row = r.row {counts}"
    ).createOrReplaceTempView(name)


def _evidence(table: pa.Table, totals: Totals) -> Evidence:
    """``Evidence`` over the records of a part: columns of ``_with_counts``."""

    def column(name: str) -> np.ndarray:
        return table[name].to_numpy()

    people = read_people(table, dense=False)
    roles = Roles(
        column("entity"), column("own"), column("unlike"), column("asking"), column("birth_day"), column("asked_day"),
        column("block_day"), column("told_sex").astype(np.int8),
    )  # fmt: skip
    size, total = totals.size, totals.statistics.total
    chance = np.append(totals.statistics.chance(people.names), 0.0)[people.names.code]
    counts = {name: column(f"n_{name}") for name in _COUNTED}
    few = max(size, SMALL)
    commons = Commons(
        counts["sound"],
        counts["surname"] * (total / max(size, 1)),
        chance,
        np.where(roles.birth > 0, counts["birth_day"], 0) / few,
        counts["village_no"] / max(size, 1),
        counts["phone_no"] / few,
        counts["account_no_"] / few,
    )
    return Evidence(people, roles, commons, totals.statistics)


def _links(session: SparkSession, totals: Totals) -> pa.Table:
    """Askers with the record each hangs on: columns ``_LINKS``, by row."""
    _with_counts(session, "SELECT a AS row FROM candidate UNION SELECT b FROM candidate", "candidate_record")
    pairs = session.sql(
        "SELECT c.a AS pair_a, c.b AS pair_b, CAST(c.key AS INT) AS pair_key, c.side, r.*"
        " FROM (SELECT a, b, key, explode(array(0, 1)) AS side FROM candidate) c"
        " JOIN candidate_record r ON r.row = CASE WHEN c.side = 0 THEN c.a ELSE c.b END"
    )
    found = pairs.repartition("pair_a").mapInArrow(_linker(totals), _LINKS).toArrow()
    return found.sort_by([("attached", "descending"), ("a", "ascending"), ("b", "ascending")])


def _linker(totals: Totals) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    def judge(batches: Batches) -> Iterator[pa.RecordBatch]:
        table = _table(batches)
        if table is None:
            return
        held = table.drop_columns(["pair_a", "pair_b", "pair_key", "side"])
        rows = held["row"].to_numpy()
        _, at = np.unique(rows, return_index=True)
        held = held.take(pa.array(at)).combine_chunks()
        row = held["row"].to_numpy()
        evidence = _evidence(held, totals)
        one = table.filter(pc.equal(table["side"], 0)).sort_by([("pair_a", "ascending"), ("pair_b", "ascending")])
        a = np.searchsorted(row, one["pair_a"].to_numpy())
        b = np.searchsorted(row, one["pair_b"].to_numpy())
        key = one["pair_key"].to_numpy().astype(np.int8)
        ids = evidence.people.ids
        same_number = (ids.state[a] == SOUND) & (ids.key[a] == ids.key[b])
        a, b, key = a[~same_number], b[~same_number], key[~same_number]
        levels, odds = evidence.odds(a, b, key, prior_of(evidence.roles, totals.statistics.agreement, a))
        entity = evidence.roles.entity
        links = clusters.attach(entity, a, b, odds, evidence.roles.unlike)
        attached = np.zeros(len(row), bool)
        attached[links.a] = True
        rest = clusters.join(entity, attached, a, b, odds)
        at = np.concatenate([links.at, rest.at])
        made = {
            "a": row[a[at]],
            "b": row[b[at]],
            "entity_b": entity[b[at]],
            "attached": np.repeat([True, False], [len(links.at), len(rest.at)]),
            "key": key[at].astype(np.int32),
            "levels": levels_text(levels, at),
            "score": np.log2(odds[at]),
        }
        yield from _rows(pa.table(made), _LINKS)

    return judge


@dataclass(slots=True)
class _Second:
    """Pairs of rows with two sound IDs, what is said of them, and which meet in one person."""

    a: np.ndarray
    b: np.ndarray
    levels: pa.Array
    score: np.ndarray
    sure: np.ndarray


def _second(session: SparkSession, totals: Totals, known: weights.Second) -> _Second:
    _sql(session, second.SQL, "second_pair")
    pair = np.sort(session.sql("SELECT pair FROM second_pair").toArrow()["pair"].to_numpy())
    a, b = pair >> 32, pair & 0xFFFFFFFF
    _with_counts(
        session,
        "SELECT pair DIV 4294967296 AS row FROM second_pair UNION SELECT pair % 4294967296 FROM second_pair",
        "second_record",
    )
    held = session.sql("SELECT * FROM second_record").toArrow().sort_by("row").combine_chunks()
    evidence = _evidence(held, totals)
    row = held["row"].to_numpy()
    one, other = np.searchsorted(row, a), np.searchsorted(row, b)
    levels, _, _, odds = second.odds_of(evidence, one, other, known)
    return _Second(
        a,
        b,
        levels_text(levels, np.arange(len(a))),
        np.log2(odds),
        second.certain(evidence, one, other, odds, known.certain),
    )


# ---- persons ---------------------------------------------------------------------------------------------------


def _assembled(session: SparkSession, totals: Totals, links: pa.Table, twice: _Second) -> Matched:
    held = session.sql("SELECT row, entity, head FROM record").toArrow().sort_by("row")
    entity, head = held["entity"].to_numpy(), held["head"].to_numpy()
    first = np.arange(totals.size)
    heads = np.flatnonzero(head & (entity >= 0))
    first[entity[heads]] = heads
    a, b = links["a"].to_numpy(), links["b"].to_numpy()
    hung = links["attached"].to_numpy()
    parts = (
        clusters.Links(a[hung], b[hung], np.flatnonzero(hung)),
        clusters.Links(a[~hung], b[~hung], np.flatnonzero(~hung)),
    )
    parent = clusters.parents(entity, first, parts)
    parent = clusters.united(parent, twice.a[twice.sure], twice.b[twice.sure])
    attached = np.zeros(totals.size, bool)
    attached[a[hung]] = True
    exact = by_entity(np.where(attached, -1, entity))
    starts = starts_of(entity[exact])

    def pairs() -> pa.Table:
        lefts = np.repeat(exact[starts], np.diff(np.r_[starts, len(exact)]))
        equal = pa.table(
            {"row_a": np.delete(lefts, starts).astype(np.int64), "row_b": np.delete(exact, starts).astype(np.int64)}
        )
        told = _exact_levels(session, equal)
        key = key_words(links["key"].to_numpy().astype(np.int8))
        tables = [
            pair_table(told["row_a"].to_numpy(), told["row_b"].to_numpy(), pa.repeat(keys.ID_NO, told.num_rows), told["levels"], np.full(told.num_rows, EXACT_SCORE)),
            pair_table(a, b, key, links["levels"], links["score"].to_numpy()),
            pair_table(twice.a, twice.b, pa.repeat(keys.SAME_PERSON, len(twice.a)), twice.levels, twice.score),
        ]  # fmt: skip
        return pa.concat_tables(tables).combine_chunks().sort_by([("row_a", "ascending"), ("row_b", "ascending")])

    counts = {keys.ID_NO: len(exact) - len(starts), keys.SAME_PERSON: len(twice.a)}
    by_key = np.bincount(links["key"].to_numpy(), minlength=len(keys.KEYS)).tolist()
    counts |= dict(zip(keys.KEYS, by_key, strict=True))
    return Matched(clusters.numbered_persons(parent), {name: n for name, n in sorted(counts.items()) if n}, pairs)


def _exact_levels(session: SparkSession, equal: pa.Table) -> pa.Table:
    """What else two records of one ID agree in."""
    session.createDataFrame(equal).createOrReplaceTempView("equal_id")
    columns = ", ".join(
        f"l.{c} AS l_{c}, r.{c} AS r_{c}" for c in (*COLUMNS, "birth_day", "asked_day", "told_sex", "own", "entity")
    )
    both = session.sql(
        f"SELECT e.row_a, e.row_b, {columns} FROM equal_id e JOIN record l ON l.row = e.row_a JOIN record r ON r.row = e.row_b"
    )
    return both.mapInArrow(_equal_levels, _EXACT).toArrow().sort_by([("row_a", "ascending"), ("row_b", "ascending")])


def _equal_levels(batches: Batches) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        table = pa.Table.from_batches([batch])
        size = table.num_rows
        sides = {name: pa.chunked_array([*table[f"l_{name}"].chunks, *table[f"r_{name}"].chunks]) for name in (*COLUMNS, "birth_day", "asked_day", "told_sex", "own", "entity")}  # fmt: skip
        people: People = read_people(pa.table({name: sides[name] for name in COLUMNS}), dense=False)
        nothing: Any = np.zeros(2 * size)
        own, entity = sides["own"].to_numpy(), sides["entity"].to_numpy()
        roles = Roles(entity, own, own, own, sides["birth_day"].to_numpy(), sides["asked_day"].to_numpy(), sides["birth_day"].to_numpy(), sides["told_sex"].to_numpy().astype(np.int8))  # fmt: skip
        evidence = Evidence(people, roles, nothing, nothing)
        levels = evidence.levels(np.arange(size), np.arange(size, 2 * size), np.full(size, -1, np.int8))
        said = levels_text(levels, np.arange(size), ("equal",) * len(weights.ID_LEVELS))
        yield from _rows(pa.table({"row_a": table["row_a"], "row_b": table["row_b"], "levels": said}), _EXACT)
