"""Sound IDs under the wrong name: a household member's number written beside somebody else's name."""

from __future__ import annotations

import numpy as np

from jiuzhu_cli.matching import names
from jiuzhu_cli.matching.people import People


def doubtful_ids(people: People, entity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two masks of records. ``contested``: the ID is another's by name; it counts for nothing. ``unlike``: the name is hardly the same, or the
    stated birth date is not the ID's; the record keeps its ID unless it clearly belongs elsewhere.

    Among the records of one ID the name with the most support keeps it; a stated birth date equal to the ID's weighs half a record. Without
    a majority nobody keeps it: the records stay apart until other evidence speaks.
    """
    told = (people.stated > 0) & (entity >= 0) & (people.ids.birth > 0)
    agrees = told & (people.stated == people.ids.birth)
    unlike = told & ~agrees
    contested = np.zeros(people.size, bool)
    a, b = _mixed_pairs(people, entity)
    if len(a):
        code, length = people.names.code, people.names.length
        level = names.compare(people.names, code[a], code[b])
        against = unlike[a] | unlike[b]
        both = agrees[a] & agrees[b]
        # a character misread, or a brother's or sister's number: two of three characters equal, or a short name of one family
        hardly = (level == names.ONE_OFF) | ((level == names.SURNAME) & (length[code[a]] == 2) & (length[code[b]] == 2))
        alike = (level <= names.SOUND) | both | ((level <= names.SHAPE) & ~against) | (code[a] < 0) | (code[b] < 0)
        alike |= hardly & ~against
        support = 0.5 * agrees - 0.5 * unlike
        np.add.at(support, a, alike)
        loses = support[a] <= support[b]
        contested[a[~alike & loses]] = True
        backed = (level <= names.SOUND) & ~contested[b]  # the same name as one that keeps the ID
        contested[a[backed]] = False
        same, others = np.zeros(people.size), np.zeros(people.size)
        np.add.at(same, a, level <= names.SOUND)
        np.add.at(others, a, level > names.SOUND)
        unlike[a[hardly & ~agrees[a] & (same < others)[a]]] = True  # the name of no majority
    return contested, unlike & ~contested


def _mixed_pairs(people: People, entity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of records within IDs that carry more than one name."""
    code = people.names.code
    known = np.flatnonzero(entity >= 0)
    order = known[np.argsort(entity[known], kind="stable")]
    group, name = entity[order], code[order]
    if not len(order):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low, high = np.full(group.max() + 1, np.iinfo(np.int64).max), np.full(group.max() + 1, -1)
    np.minimum.at(low, group, name)
    np.maximum.at(high, group, name)
    mixed = order[(low != high)[group]]
    if not len(mixed):
        return mixed, mixed
    sizes = np.bincount(entity[mixed])
    sizes = sizes[sizes > 0]
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    repeat = np.repeat(sizes, sizes)
    a = np.repeat(np.arange(len(mixed)), repeat)
    first = np.repeat(np.repeat(starts, sizes), repeat)
    b = first + np.arange(len(a)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    apart = a != b
    return mixed[a[apart]], mixed[b[apart]]
