"""Who is the same person in any lists: exact IDs first, then probes for damaged IDs, then blocks; levels, odds, clusters with a guard.

Vectors and DuckDB SQL only; nothing is read or written here. ``match_records`` is the door; ``docs/dev/contracts.md`` tells the seams
at which another engine can do the same in parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from jiuzhu_cli.matching import clusters, keys, second, weights
from jiuzhu_cli.matching.candidates import key_table, probed
from jiuzhu_cli.matching.evidence import Evidence, look_around, prior_of
from jiuzhu_cli.matching.ids import SOUND
from jiuzhu_cli.matching.pairs import EXACT_SCORE, key_words, levels_text, pair_table
from jiuzhu_cli.matching.people import COLUMNS, read_people
from jiuzhu_cli.matching.roles import doubtful_ids, roles_of
from jiuzhu_cli.matching.texts import numbered

__all__ = ["COLUMNS", "Matched", "match_records"]


@dataclass(slots=True)
class Matched:
    """``person``: number of each record's person, from 0 in order of appearance. ``by_key``: pairs by the key that brought them together.

    ``pairs()``: row_a, row_b, key, levels, score; each record beside the one that brought it in. Pairs of key ``same_person`` hold two
    sound IDs and are for a clerk, whether they met in one person or not.
    """

    person: np.ndarray
    by_key: dict[str, int]
    pairs: Callable[[], pa.Table]


@dataclass(slots=True)
class Prepared:
    """All that the whole data say before pairs are looked at. ``order``: records with an undisputed ID, by ID; ``first``: one record of each ID;
    ``sound``, ``surname``: numbers of each record's name by sound and of its surname, -1 unknown; ``probed``: candidates of damaged IDs."""

    evidence: Evidence
    order: np.ndarray
    first: np.ndarray
    sound: np.ndarray
    surname: np.ndarray
    probed: pa.Table


def prepare(records: pa.Table) -> Prepared:
    """Reads the records (text columns ``COLUMNS``, any may be absent), tells whose ID is in doubt, counts."""
    people = read_people(records)
    entity = numbered(people.ids.key)
    order = by_entity(entity)
    contested, unlike = doubtful_ids(people, entity, order)
    roles = roles_of(people, entity, contested, unlike)
    first = order[starts_of(entity[order])]
    known = people.ids.key[first]
    order = order[~contested[order]]
    heads = order[starts_of(entity[order])]
    first[entity[heads]] = heads
    commons, statistics, sound = look_around(people, roles, order)
    surname = np.append(people.names.first, -1)[people.names.code]
    candidates, statistics.slip_rate = probed(people, roles.entity, known, order)
    return Prepared(Evidence(people, roles, commons, statistics), order, first, sound, surname, candidates)


def match_records(
    records: pa.Table, *, join_second: bool = True, second_ids: weights.Second | None = None, memory: str = ""
) -> Matched:
    """Matches the rows of ``records`` (text columns ``COLUMNS``, any may be absent).

    ``join_second``: two sound IDs meet in one person where everything else agrees overwhelmingly; ``second_ids``: how common these are, as clerks'
    decisions say. ``memory`` bounds DuckDB ('2GB').
    """
    known = second_ids or weights.Second()
    ready = prepare(records)
    del records  # the texts are read: of ten million records they are more than a gigabyte
    evidence, order = ready.evidence, ready.order
    people, roles = evidence.people, evidence.roles
    entity = roles.entity
    with duckdb.connect(":memory:") as connection:
        if memory:
            connection.execute(f"SET memory_limit = '{memory}'")
        connection.register("people", key_table(people, roles, ready.sound, ready.surname, None))
        connection.register(
            "asking", key_table(people, roles, ready.sound, ready.surname, np.flatnonzero(roles.asking))
        )
        connection.register("probed", ready.probed)
        found = connection.execute(keys.candidates_sql("probed")).fetchnumpy()
        pair = np.asarray(connection.execute(second.SQL).fetchnumpy()["pair"], np.int64)
    a, b, key = (np.asarray(found[name], kind) for name, kind in (("a", np.int64), ("b", np.int64), ("key", np.int8)))
    same_number = (people.ids.state[a] == SOUND) & (people.ids.key[a] == people.ids.key[b])
    a, b, key = a[~same_number], b[~same_number], key[~same_number]
    levels, odds = evidence.odds(a, b, key, prior_of(roles, evidence.statistics.agreement, a))
    links = clusters.attach(entity, a, b, odds, roles.unlike)
    attached = np.zeros(people.size, bool)
    attached[links.a] = True
    rest = clusters.join(entity, attached, a, b, odds)
    parent = clusters.parents(entity, ready.first, (links, rest))
    one, other = pair >> 32, pair & 0xFFFFFFFF
    second_levels, _, _, second_odds = second.odds_of(evidence, one, other, known)
    if join_second:
        sure = second.certain(evidence, one, other, second_odds, known.certain)
        parent = clusters.united(parent, one[sure], other[sure])
    chosen = np.concatenate([links.at, rest.at])
    exact = order[~attached[order]]
    starts = starts_of(entity[exact])

    def pairs() -> pa.Table:
        left = np.repeat(exact[starts], np.diff(np.r_[starts, len(exact)]))
        left, right = np.delete(left, starts), np.delete(exact, starts)
        equal = evidence.levels(left, right, np.full(len(left), -1, np.int8))
        tables = [
            pair_table(left, right, pa.repeat(keys.ID_NO, len(left)), levels_text(equal, np.arange(len(left)), ("equal",) * len(weights.ID_LEVELS)), np.full(len(left), EXACT_SCORE)),
            pair_table(a[chosen], b[chosen], key_words(key[chosen]), levels_text(levels, chosen), np.log2(odds[chosen])),
            pair_table(one, other, pa.repeat(keys.SAME_PERSON, len(one)), levels_text(second_levels, np.arange(len(one))), np.log2(second_odds)),
        ]  # fmt: skip
        return pa.concat_tables(tables).sort_by([("row_a", "ascending"), ("row_b", "ascending")])

    counts = {keys.ID_NO: len(exact) - len(starts), keys.SAME_PERSON: len(one)}
    counts |= dict(zip(keys.KEYS, np.bincount(key[chosen], minlength=len(keys.KEYS)).tolist(), strict=True))
    return Matched(
        clusters.numbered_persons(parent), {name: count for name, count in sorted(counts.items()) if count}, pairs
    )


def by_entity(entity: np.ndarray) -> np.ndarray:
    """Records with an ID, by ID and row."""
    rows = np.flatnonzero(entity >= 0)
    return np.sort(entity[rows].astype(np.int64) << 32 | rows) & 0xFFFFFFFF


def starts_of(group: np.ndarray) -> np.ndarray:
    """Where a new value begins."""
    return np.flatnonzero(np.r_[True, group[1:] != group[:-1]][: len(group)])
