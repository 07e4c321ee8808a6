"""The tables that the SQL of ``matching.keys`` joins, and the candidates of damaged numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.matching import names
from jiuzhu_cli.matching.ids import probes
from jiuzhu_cli.matching.people import People
from jiuzhu_cli.matching.roles import Roles


def key_table(
    people: People, roles: Roles, sound: np.ndarray, surname: np.ndarray, rows: np.ndarray | None
) -> pa.Table:
    """The columns that blocks use, NULL where unknown, of ``rows`` or all. ``entity`` is -1 where the ID is not held to be the record's own. ``sound``, ``surname``: numbers of each record's, -1 unknown."""

    def part(values: np.ndarray) -> np.ndarray:
        return values if rows is None else values[rows]

    row = np.arange(people.size, dtype=np.int32) if rows is None else rows.astype(np.int32)
    columns = {"row": pa.array(row), "entity": pa.array(part(np.where(roles.own, roles.entity, -1)).astype(np.int32))}
    for name, values in (
        ("sound", sound),
        ("surname", surname),
        ("village", people.village),
        ("phone", people.phone),
        ("account", people.account),
    ):
        own = part(values)
        columns[name] = pa.array(own, mask=own < 0)
    birth = part(roles.block_birth).astype(np.int32)
    columns["birth"] = pa.array(birth, mask=birth <= 0)
    numbers = np.full(people.size, -1, np.int64)
    numbers[people.ids.broken] = text_numbers(people.ids.text)
    own = part(numbers)
    columns["id_text"] = pa.array(own, mask=own < 0)
    return pa.table(columns)


def text_numbers(text: np.ndarray) -> np.ndarray:
    """A number for each damaged ID as it is written."""
    value = np.zeros(len(text), np.uint64)
    for place in range(text.shape[1]):
        value = value * np.uint64(1_000_003) + text[:, place].astype(np.uint64)
    return (value >> np.uint64(2)).astype(np.int64)


def probed(people: People, entity: np.ndarray, known: np.ndarray, order: np.ndarray) -> tuple[pa.Table, float]:
    """Candidates of damaged IDs: ``a, b, key``, and how many sound IDs a damaged one hits by chance, told by hits of another surname.

    ``entity``: number of each record's undisputed ID; ``known``: the ID of each number; ``order``: records with one, by number.
    """
    sizes = np.bincount(entity[order], minlength=len(known))
    stop = np.cumsum(sizes)
    start = stop - sizes
    damaged = people.ids.broken
    rows, numbers = probes(people.ids, damaged)
    hit = pc.index_in(pa.array(numbers), value_set=pa.array(known))
    found = pc.is_valid(hit).to_numpy(zero_copy_only=False)
    place = hit.drop_null().to_numpy(zero_copy_only=False)
    a, b = _ranges(rows[found], start[place], sizes[place], order)
    slip_rate = 0.05
    if len(damaged):
        other = names.compare(people.names, people.names.code[a], people.names.code[b]) == names.OTHER
        slip_rate = float(np.clip(1.2 * other.sum() / len(damaged), 0.02, 50))
    text = people.ids.text
    cut = (text[:, 15:18] == 48).all(axis=1) & (text[:, 18] == 0)
    figures = text[cut, :15].astype(np.int64) - 48
    prefix = figures @ 10 ** np.arange(14, -1, -1, dtype=np.int64)
    of_known = known // 100
    near = np.flatnonzero(pc.is_in(pa.array(of_known), value_set=pa.array(prefix)).to_numpy(zero_copy_only=False))
    near = near[np.argsort(of_known[near], kind="stable")]
    low, high = (np.searchsorted(of_known[near], prefix, side=side) for side in ("left", "right"))
    c, which = _ranges(damaged[cut], low, high - low, near)
    c, d = _ranges(c, start[which], sizes[which], order)
    key = np.concatenate([np.zeros(len(a), np.int8), np.ones(len(c), np.int8)])
    table = {"a": np.concatenate([a, c]).astype(np.int32), "b": np.concatenate([b, d]).astype(np.int32), "key": key}
    return pa.table(table), slip_rate


def _ranges(
    rows: np.ndarray, start: np.ndarray, sizes: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each row beside ``values[start:start + size]``."""
    offset = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.repeat(rows, sizes), values[np.repeat(start, sizes) + offset]
