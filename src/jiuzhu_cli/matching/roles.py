"""What each record may do: keep its number, ask for its person, lend its birth date. Sound IDs under the wrong name are told apart here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiuzhu_cli.matching import names
from jiuzhu_cli.matching.ids import DAMAGED, FOREIGN, SOUND
from jiuzhu_cli.matching.people import People


@dataclass(slots=True)
class Roles:
    """One entry a record. ``entity``: number of its sound and undisputed ID, -1 without. ``own``: that ID is held to be its own. ``unlike``: it keeps
    its ID unless it clearly belongs elsewhere. ``asking``: it looks for its person. ``birth``: birth date to be compared with (0 unknown);
    ``asked_birth``: with which it asks; ``block_birth``: under which it is looked up (that of a damaged number is good enough for this)."""

    entity: np.ndarray
    own: np.ndarray
    unlike: np.ndarray
    asking: np.ndarray
    birth: np.ndarray
    asked_birth: np.ndarray
    block_birth: np.ndarray
    sex: np.ndarray


def roles_of(people: People, entity: np.ndarray, contested: np.ndarray, unlike: np.ndarray) -> Roles:
    """``entity``: number of each record's sound ID, -1 without. The other two as ``doubtful_ids`` tells them."""
    sound = people.ids.state == SOUND
    own = sound & ~contested & ~unlike
    asking = ~own & (people.names.code >= 0)
    damaged_only = (people.ids.state == DAMAGED) & (people.stated == 0)
    birth = np.where(contested, people.stated, people.birth)
    asked_birth = np.where(sound & ~own, people.stated, people.birth)
    block_birth = np.where(damaged_only, birth, np.where(asking, asked_birth, birth))
    told = own & (people.ids.key < FOREIGN) & (people.sex < 0)
    return Roles(
        np.where(contested, -1, entity),
        own,
        unlike,
        asking,
        np.where(damaged_only, 0, birth),
        np.where(damaged_only, 0, asked_birth),
        block_birth,
        np.where(told, people.ids.key % 2, people.sex).astype(np.int8),
    )


def doubtful_ids(people: People, entity: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two masks of records. ``contested``: the ID is another's by name; it counts for nothing. ``unlike``: the name is hardly the same, or the
    stated birth date is not the ID's; the record keeps its ID unless it clearly belongs elsewhere. ``order``: records with an ID, by ID.

    Among the records of one ID the name with the most support keeps it; a stated birth date equal to the ID's weighs half a record. Without
    a majority nobody keeps it: the records stay apart until other evidence speaks. Looks at one ID at a time, so any part of the data that
    holds whole IDs is judged like the whole.
    """
    told = (people.stated > 0) & (entity >= 0) & (people.ids.birth > 0)
    agrees = told & (people.stated == people.ids.birth)
    unlike = told & ~agrees
    contested = np.zeros(people.size, bool)
    a, b = _mixed_pairs(people, entity, order)
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


def _mixed_pairs(people: People, entity: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of records within IDs that carry more than one name."""
    group, name = entity[order], people.names.code[order]
    if not len(order):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    differs = (group[1:] == group[:-1]) & (name[1:] != name[:-1])
    several = np.zeros(int(group[-1]) + 1, bool)
    several[group[1:][differs]] = True
    mixed = order[several[group]]
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
