"""Who is the same person in any lists: exact IDs first, then probes for damaged IDs, then blocks; levels, odds, clusters with a guard.

Vectors and DuckDB SQL only; nothing is read or written here. ``match_records`` is the door.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from jiuzhu_cli.matching import keys, names, weights
from jiuzhu_cli.matching.contested import doubtful_ids
from jiuzhu_cli.matching.evidence import Evidence
from jiuzhu_cli.matching.ids import DAMAGED, FOREIGN, probes
from jiuzhu_cli.matching.people import COLUMNS, People, read_people
from jiuzhu_cli.matching.second import second_ids

__all__ = ["COLUMNS", "Matched", "match_records"]
EXACT_SCORE = 99.0  # of pairs that an equal sound ID decides alone
_SECOND = -3.0  # score from which two sound IDs are put together when that is asked for
_MARGIN = 0.98  # for a record with a sound ID that its stated birth date contradicts


@dataclass(slots=True)
class Matched:
    """``person``: number of each record's person, from 0 in order of appearance. ``pairs``: row_a, row_b, key, levels, score; each record
    beside the one that brought it in. Pairs of key ``same_person`` are candidates for a clerk and not put together."""

    person: np.ndarray
    pairs: pa.Table


@dataclass(slots=True)
class _Links:
    """Askers ``a`` with the record ``b`` they were put with, the key, the place of the pair in the evidence, its odds."""

    a: np.ndarray
    b: np.ndarray
    at: np.ndarray


def match_records(records: pa.Table, *, join_second: bool = False, memory: str = "") -> Matched:
    """Matches the rows of ``records`` (text columns ``COLUMNS``, any may be absent).

    ``join_second`` also puts together what is otherwise only proposed: two sound IDs, everything else equal. ``memory`` bounds DuckDB ('2GB').
    """
    people = read_people(records)
    entity = np.full(people.size, -1, np.int64)
    sound = people.ids.key >= 0
    known, entity[sound] = np.unique(people.ids.key[sound], return_inverse=True)
    contested, unlike = doubtful_ids(people, entity)
    entity[contested] = -1
    own = sound & ~contested & ~unlike
    asking = np.flatnonzero(~own & (people.names.code >= 0))
    asked_birth = np.where(sound & ~own, people.stated, people.birth)
    damaged_only = (people.ids.state == DAMAGED) & (people.stated == 0)
    people.birth = np.where(contested, people.stated, people.birth)
    asked_birth = np.where(damaged_only, 0, asked_birth)
    block_birth = np.where(damaged_only, people.birth, asked_birth)
    people.birth = np.where(damaged_only, 0, people.birth)
    told = own & (people.ids.key < FOREIGN)
    people.sex = np.where(told & (people.sex < 0), people.ids.key % 2, people.sex)
    evidence = Evidence(people, entity, own, asked_birth)
    with duckdb.connect(":memory:") as connection:
        if memory:
            connection.execute(f"SET memory_limit = '{memory}'")
        connection.register("people", _key_table(evidence, np.arange(people.size), np.where(damaged_only, block_birth, people.birth)))  # fmt: skip
        connection.register("asking", _key_table(evidence, asking, block_birth))
        connection.register("probed", _probed(people, entity, known, evidence))
        found = connection.execute(keys.candidates_sql("probed")).fetchnumpy()
        second = second_ids(connection)
    a, b = np.asarray(found["a"], np.int64), np.asarray(found["b"], np.int64)
    key = np.asarray(found["key"], np.int8)
    same_number = (people.ids.key[a] >= 0) & (people.ids.key[a] == people.ids.key[b])
    a, b, key = a[~same_number], b[~same_number], key[~same_number]
    again = evidence.agreement.again
    prior = np.full(people.size, again / (1 - again))
    prior[unlike] = 0.25
    levels, odds = evidence.odds(a, b, key, prior)
    links = _attach(people, entity, a, b, odds, unlike)
    attached = np.zeros(people.size, bool)
    attached[links.a] = True
    rest = _join(entity, attached, a, b, odds)
    parent = _parents(people.size, entity, (links, rest))
    chosen = np.concatenate([links.at, rest.at])
    proposed, strength = _second_pairs(evidence, second)
    if join_second:
        sure = strength >= _SECOND
        parent = _united(parent, (second[0][sure], second[1][sure]))
    person = _numbered(parent)
    pairs = pa.concat_tables(
        [
            _exact_pairs(evidence, entity, attached),
            _pair_table(a[chosen], b[chosen], _key_words(key[chosen]), levels, chosen, np.log2(odds[chosen])),
            proposed,
        ]
    )
    return Matched(person, pairs.sort_by([("row_a", "ascending"), ("row_b", "ascending")]))


def _key_table(evidence: Evidence, rows: np.ndarray, birth: np.ndarray) -> pa.Table:
    """The columns that blocks use, NULL where unknown."""
    people = evidence.people
    broken = people.ids.state[rows] == DAMAGED
    columns = {"row": pa.array(rows), "entity": pa.array(evidence.entity[rows])}
    for name, values in (
        ("sound", evidence.sound),
        ("surname", evidence.surname),
        ("village", people.village),
        ("phone", people.phone),
        ("account", people.account),
    ):
        columns[name] = pa.array(values[rows], mask=values[rows] < 0)
    columns["birth"] = pa.array(birth[rows], mask=birth[rows] <= 0)
    numbers = np.full(len(rows), -1, np.int64)
    if broken.any():
        figures = people.ids.text[rows[broken]].astype(np.uint64)
        value = np.zeros(broken.sum(), np.uint64)
        for place in range(figures.shape[1]):
            value = value * np.uint64(1_000_003) + figures[:, place]
        numbers[broken] = (value >> np.uint64(2)).astype(np.int64)
    columns["id_text"] = pa.array(numbers, mask=~broken)
    return pa.table(columns)


def _probed(people: People, entity: np.ndarray, known: np.ndarray, evidence: Evidence) -> pa.Table:
    """Candidates of damaged IDs: ``a, b, key``. Sets the rate of hits by chance, told by hits of another surname."""
    damaged = np.flatnonzero(people.ids.state == DAMAGED)
    rows, numbers = probes(people.ids, damaged)
    place = np.searchsorted(known, numbers)
    hit = place < len(known)
    hit[hit] = known[place[hit]] == numbers[hit]
    rows, place = rows[hit], place[hit]
    order = np.flatnonzero(entity >= 0)
    order = order[np.argsort(entity[order], kind="stable")]
    group = entity[order]
    a, b = _ranges(rows, np.searchsorted(group, place), np.searchsorted(group, place, side="right"), order)
    if len(damaged):
        other = names.compare(people.names, people.names.code[a], people.names.code[b]) == names.OTHER
        evidence.slip_rate = float(np.clip(1.2 * other.sum() / len(damaged), 0.02, 50))
    text = people.ids.text[damaged]
    zeros = damaged[(text[:, 15:18] == 48).all(axis=1) & (text[:, 18] == 0)]
    figures = people.ids.text[zeros, :15].astype(np.int64) - 48
    prefix = (figures @ 10 ** np.arange(14, -1, -1, dtype=np.int64)) * 100
    low, high = np.searchsorted(known, prefix), np.searchsorted(known, prefix + 100)
    c, d = _ranges(zeros, np.searchsorted(group, low), np.searchsorted(group, high), order)
    key = np.concatenate([np.zeros(len(a), np.int8), np.ones(len(c), np.int8)])
    return pa.table({"a": np.concatenate([a, c]), "b": np.concatenate([b, d]), "key": key})


def _ranges(rows: np.ndarray, start: np.ndarray, stop: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row beside ``order[start:stop]``."""
    sizes = stop - start
    a = np.repeat(rows, sizes)
    offset = np.arange(len(a)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return a, order[np.repeat(start, sizes) + offset]


def _attach(
    people: People, entity: np.ndarray, a: np.ndarray, b: np.ndarray, odds: np.ndarray, unlike: np.ndarray
) -> _Links:
    """Each asker to the sound ID that is clearly the best: odds over one plus the odds of all."""
    at = np.flatnonzero(entity[b] >= 0)
    order = at[np.lexsort((-odds[at], entity[b[at]], a[at]))]
    first = np.r_[True, (a[order[1:]] != a[order[:-1]]) | (entity[b[order[1:]]] != entity[b[order[:-1]]])][: len(order)]
    best = order[first]  # the best record of each ID
    total = np.bincount(a[best], weights=odds[best], minlength=people.size)
    share = odds[best] / (1 + total[a[best]])
    good = best[share >= np.where(unlike[a[best]], _MARGIN, weights.ACCEPTED)]
    return _Links(a[good], b[good], good)


def _join(entity: np.ndarray, attached: np.ndarray, a: np.ndarray, b: np.ndarray, odds: np.ndarray) -> _Links:
    """Askers without a sound ID among themselves: each to its best, once. So no chain ever holds two sound IDs."""
    open_ = (entity[a] < 0) & ~attached[a] & (entity[b] < 0) & (odds / (1 + odds) >= weights.ACCEPTED)
    at = np.flatnonzero(open_)
    order = at[np.lexsort((b[at], -odds[at], a[at]))]
    first = np.r_[True, a[order[1:]] != a[order[:-1]]][: len(order)]
    chosen = order[first]
    return _Links(a[chosen], b[chosen], chosen)


def _parents(size: int, entity: np.ndarray, links: tuple[_Links, _Links]) -> np.ndarray:
    """One record for all that hang together. Every asker has one link at most, so there is at most one sound ID in what hangs together."""
    parent = np.arange(size)
    known = entity >= 0
    first = np.full(int(entity.max(initial=-1)) + 1, size)
    np.minimum.at(first, entity[known], np.flatnonzero(known))
    parent[known] = first[entity[known]]
    attached, rest = links
    parent[attached.a] = first[entity[attached.b]]  # a doubtful record leaves its ID for the better one
    while True:
        low = np.minimum(parent[rest.a], parent[rest.b])
        before = parent.copy()
        np.minimum.at(parent, rest.a, low)
        np.minimum.at(parent, rest.b, low)
        if (parent == before).all():
            return parent


def _united(parent: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    for one, other in zip(parent[pairs[0]].tolist(), parent[pairs[1]].tolist(), strict=True):
        if one != other:
            parent[parent == other] = one
    return parent


def _numbered(parent: np.ndarray) -> np.ndarray:
    _, first, inverse = np.unique(parent, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]


def _key_words(key: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(key), pa.array(keys.KEYS)).cast(pa.string())


def _pair_table(
    a: np.ndarray, b: np.ndarray, key: pa.Array, levels: weights.Levels, at: np.ndarray, score: np.ndarray
) -> pa.Table:
    said = levels_text(levels, at)
    return pa.table(
        {
            "row_a": np.minimum(a, b),
            "row_b": np.maximum(a, b),
            "key": key,
            "levels": said,
            "score": np.round(score.astype(float), 2),
        }
    )


def levels_text(levels: weights.Levels, at: np.ndarray, id_words: tuple[str, ...] = weights.ID_LEVELS) -> pa.Array:
    """``id=one_slip;name=equal;birth=absent;…`` a pair."""
    code = levels.id[at].astype(np.int64) * 10 + levels.name[at]
    for field in weights.FIELDS:
        code = code * 4 + levels.fields[field][at]
    distinct, inverse = np.unique(code, return_inverse=True)
    words = []
    for value in distinct.tolist():
        parts, rest = [], value
        for field in reversed(weights.FIELDS):
            rest, level = divmod(rest, 4)
            parts.append(f"{field}={weights.FIELD_LEVELS[level]}")
        level_id, level_name = divmod(rest, 10)
        words.append(";".join([f"id={id_words[level_id]}", f"name={names.LEVELS[level_name]}", *reversed(parts)]))
    return pa.array(words, pa.string()).take(pa.array(inverse))


_EQUAL_ID = ("equal",) * len(weights.ID_LEVELS)


def _exact_pairs(evidence: Evidence, entity: np.ndarray, attached: np.ndarray) -> pa.Table:
    rows = np.flatnonzero((entity >= 0) & ~attached)
    order = rows[np.argsort(entity[rows], kind="stable")]
    first = np.r_[True, entity[order[1:]] != entity[order[:-1]]][: len(order)]
    heads = order[first]
    a = np.repeat(heads, np.diff(np.r_[np.flatnonzero(first), len(order)]))
    a, b = a[~first], order[~first]
    levels = evidence.levels(a, b, np.full(len(a), -1, np.int8))
    said = levels_text(levels, np.arange(len(a)), _EQUAL_ID)
    table = _pair_table(a, b, pa.array([keys.ID_NO] * len(a), pa.string()), levels, np.arange(len(a)), np.full(len(a), EXACT_SCORE))  # fmt: skip
    return table.set_column(3, "levels", said)


def _second_pairs(evidence: Evidence, second: tuple[np.ndarray, np.ndarray]) -> tuple[pa.Table, np.ndarray]:
    """The candidates and their scores; the prior is the share of people with a second genuine ID."""
    a, b = second
    levels = evidence.levels(a, b, np.full(len(a), -1, np.int8))
    levels.id[:] = weights.ID_ABSENT  # that the numbers differ is in the prior
    odds = weights.odds(levels, evidence.strangers(a, b, levels), evidence.agreement, np.full(evidence.people.size, 0.002)[a])  # fmt: skip
    score = np.log2(odds)
    levels.id[:] = weights.ID_FAR
    return _pair_table(
        a, b, pa.array([keys.SAME_PERSON] * len(a), pa.string()), levels, np.arange(len(a)), score
    ), score
