"""Levels and odds of candidate pairs: what two records say together, and what the data say about other people.

``Commons`` and ``Statistics`` hold all that the whole data must tell; the rest looks at the two records of a pair only. So the pairs can be
judged in parts, anywhere: DuckDB's candidates here, or Spark's in many places, with the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.matching import keys, names, weights
from jiuzhu_cli.matching.ids import DAMAGED, FOREIGN, SOUND, slips, texts_of
from jiuzhu_cli.matching.people import People
from jiuzhu_cli.matching.roles import Roles
from jiuzhu_cli.matching.texts import numbered

# shares told by fewer records than this are taken as if there were so many: a list of twenty cannot say how rare a name is
SMALL = 2000
PROBE_KEY = keys.KEYS.index(keys.PROBE)


@dataclass(slots=True)
class Statistics:
    """What the whole data say. ``total``: persons, as far as IDs tell. ``slip_rate``: sound IDs that a damaged one hits by chance.
    By sound number: ``firsts`` persons with that surname, ``later`` share among the other characters; ``lengths``: share of names so long."""

    size: int
    total: int
    firsts: np.ndarray
    later: np.ndarray
    lengths: np.ndarray
    agreement: weights.Agreement = field(default_factory=weights.Agreement)
    slip_rate: float = 0.05

    def chance(self, found: names.Names) -> np.ndarray:
        """Expected strangers of each distinct name, if surname and the other characters fell together by chance."""
        sounds = np.clip(found.sound, -2, names.UNREAD) + 3
        shares = self.later[sounds[:, 1]] * self.later[sounds[:, 2]]
        return self.firsts[sounds[:, 0]] * shares * self.lengths[found.length]


@dataclass(slots=True)
class Commons:
    """How common the values of each record are. ``name`` (by sound), ``surname``: persons; ``chance``: persons expected by chance;
    the others: shares of the records (0 unknown)."""

    name: np.ndarray
    surname: np.ndarray
    chance: np.ndarray
    birth: np.ndarray
    village: np.ndarray
    phone: np.ndarray
    account: np.ndarray


def look_around(people: People, roles: Roles, order: np.ndarray) -> tuple[Commons, Statistics, np.ndarray]:
    """Counts the data. ``order``: records with an undisputed sound ID, by ID. Also returns each record's number of its name's sound."""
    entity, code = roles.entity, people.names.code
    group = entity[order]
    heads = np.concatenate([order[np.r_[True, group[1:] != group[:-1]][: len(order)]], np.flatnonzero(entity < 0)])
    total = max(len(heads), 2)
    named = code >= 0
    sounds = pc.dictionary_encode(pa.array(people.names.sound_key)).indices.to_numpy(zero_copy_only=False)
    sound = _of_name(sounds, code)
    surname = _of_name(numbered(people.names.first), code)
    chosen = sound[heads]
    same_name = np.bincount(chosen[chosen >= 0], minlength=len(sounds) + 1)
    statistics = Statistics(people.size, total, *shares_of(*tally_sounds(people.names, code[heads])))
    chance = np.zeros(people.size)
    chance[named] = statistics.chance(people.names)[code[named]]
    commons = Commons(
        np.where(named, same_name[sound], 0),
        _counts(surname) * (total / max(people.size, 1)),
        chance,
        _counts(_day_number(roles.birth)) / max(people.size, SMALL),
        _counts(people.village) / max(people.size, 1),
        _counts(people.phone) / max(people.size, SMALL),
        _counts(people.account) / max(people.size, SMALL),
    )
    statistics.agreement = agreement_of(tally_agreement(people, entity, order[roles.own[order]]))
    return commons, statistics, sound


def _of_name(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """The value of each record's name, -1 without a name."""
    return np.append(values, -1).astype(np.int32)[code]


def _counts(codes: np.ndarray) -> np.ndarray:
    """Each record's number of records with the same value; 0 where it is unknown."""
    counts = np.bincount(codes + 1, minlength=1)
    counts[0] = 0
    return counts[codes + 1]


def _day_number(birth: np.ndarray) -> np.ndarray:
    """Days as small numbers, -1 unknown."""
    return np.where(birth > 0, (birth // 10000 - 1800) * 512 + birth // 100 % 100 * 32 + birth % 100, -1)


def tally_sounds(found: names.Names, code: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often the persons' names (``code``) begin with each sound, go on with it, are so long. Sums of parts are the sums of the whole."""
    times = np.bincount(code[code >= 0], minlength=len(found.length)).astype(float)
    sounds = np.clip(found.sound, -2, names.UNREAD) + 3
    size = names.UNREAD + 4
    later = np.zeros(size)
    for place in (1, 2):
        later += np.bincount(sounds[:, place], weights=times, minlength=size)
    firsts = np.bincount(sounds[:, 0], weights=times, minlength=size)
    return firsts, later, np.bincount(found.length, weights=times, minlength=names.WIDTH + 1)


def shares_of(firsts: np.ndarray, later: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``firsts``, ``later``, ``lengths`` of ``Statistics`` from the tallies."""
    later = later.copy()
    later[:3] = 0
    later = later / max(later.sum(), SMALL)
    later[:3] = 1  # no such place, or a wild card
    return firsts, later, lengths / max(lengths.sum(), 1)


_MEASURED = ("village", "phone", "account")


def tally_agreement(people: People, entity: np.ndarray, order: np.ndarray) -> np.ndarray:
    """On the pairs of equal sound IDs, each record beside the next of its ID: pairs, records, records alone, and a field: told, equal.
    Sums of parts that hold whole IDs are the sums of the whole."""
    group = entity[order]
    pair = group[1:] == group[:-1]
    a, b = order[:-1][pair], order[1:][pair]
    first = np.r_[True, ~pair][: len(order)]
    alone = first & np.r_[first[1:], True][: len(order)]
    out = [len(a), len(order), alone.sum()]
    for name in _MEASURED:
        level = _same(getattr(people, name)[a], getattr(people, name)[b])
        out += [(level > 0).sum(), (level == weights.SAME).sum()]
    return np.array(out, float)


def agreement_of(tally: np.ndarray) -> weights.Agreement:
    """Rates from the tallies, where there are enough."""
    agreement = weights.Agreement()
    agreement.pairs = int(tally[0])
    if agreement.pairs < weights.ENOUGH:
        return agreement
    agreement.again = float(np.clip((tally[1] - tally[2]) / tally[1], 0.05, 0.9))
    for place, name in enumerate(_MEASURED):
        told, equal = tally[3 + 2 * place : 5 + 2 * place]
        if told >= weights.ENOUGH:
            setattr(agreement, name, float(np.clip(equal / told, 0.05, 0.995)))
    return agreement


@dataclass(slots=True)
class Evidence:
    """Compares candidate pairs (a asks about b), as positions in the records at hand: all of them, or those of a part of the pairs."""

    people: People
    roles: Roles
    commons: Commons
    statistics: Statistics

    def id_levels(self, a: np.ndarray, b: np.ndarray, key: np.ndarray) -> np.ndarray:
        """ID levels of pairs. A number that is not held to be its record's own says nothing."""
        ids, own = self.people.ids, self.roles.own
        level = np.full(len(a), weights.ID_ABSENT, np.int8)
        told = (ids.state[b] == DAMAGED) | ((ids.state[b] == SOUND) & own[b] & (ids.key[b] < FOREIGN))
        known = (ids.state[a] == DAMAGED) & told
        level[known] = weights.ID_FAR
        rows = np.flatnonzero(known)
        left = ids.text_of(a[rows])
        sound = ids.state[b[rows]] == SOUND
        right = np.empty_like(left)
        right[sound] = texts_of(ids.key[b[rows[sound]]])
        right[~sound] = ids.text_of(b[rows[~sound]])
        zeros = _excel(left) | _excel(right)
        apart = np.where(zeros, slips(left[:, :15], right[:, :15]), slips(left, right))
        both = ~sound
        found = np.full(len(rows), weights.ID_FAR, np.int8)
        found[(apart == 2) & ~zeros] = weights.ID_TWO
        found[(apart <= 1) & ~zeros] = weights.ID_SLIP
        found[both & (apart <= 3) & ~zeros] = weights.ID_SLIP
        found[zeros & (apart == 0)] = weights.ID_PREFIX
        found[zeros & (apart == 1) & both] = weights.ID_PREFIX
        found[(left == right).all(axis=1) & both] = weights.ID_TEXT
        level[rows] = found
        level[key == PROBE_KEY] = weights.ID_SLIP
        return level

    def levels(self, a: np.ndarray, b: np.ndarray, key: np.ndarray) -> weights.Levels:
        people, roles = self.people, self.roles
        fields = {name: _same(getattr(people, name)[a], getattr(people, name)[b]) for name in ("village", "phone", "account")}  # fmt: skip
        left, right = roles.asked_birth[a], roles.birth[b]
        figures = np.zeros(len(a), np.int8)
        for n in range(8):
            figures += left // 10**n % 10 != right // 10**n % 10
        fields["birth"] = np.where((left > 0) & (right > 0), np.minimum(figures, 2) + weights.SAME, weights.ABSENT)
        fields["sex"] = _same(roles.sex[a], roles.sex[b])
        return weights.Levels(
            self.id_levels(a, b, key), names.compare(people.names, people.names.code[a], people.names.code[b]), fields
        )

    def strangers(self, a: np.ndarray, b: np.ndarray, levels: weights.Levels) -> weights.Strangers:
        commons, total = self.commons, self.statistics.total
        surname = commons.surname[a]
        count = np.select(
            [levels.name <= names.SOUND, levels.name == names.SHAPE, levels.name == names.ONE_OFF, levels.name == names.SURNAME],
            [
                np.maximum(np.maximum(commons.name[a], commons.name[b]) - 2, commons.chance[a]),
                surname * weights.NEAR_NAME[names.SHAPE] + np.maximum(commons.name[b] - 1, 0) * 0.1,
                surname * weights.NEAR_NAME[names.ONE_OFF],
                surname,
            ],
            total,
        )  # fmt: skip
        shares = {name: np.maximum(getattr(commons, name)[a], getattr(commons, name)[b]) for name in ("birth", "village", "phone", "account")}  # fmt: skip
        shares["sex"] = np.full(len(a), 0.5)
        rate = self.statistics.slip_rate
        near = np.array([1.0, rate, rate, 20 * rate, total, 0.01]) / total
        near[weights.ID_ABSENT] = 1.0
        return weights.Strangers(count, shares, near[levels.id])

    def odds(
        self, a: np.ndarray, b: np.ndarray, key: np.ndarray, prior: np.ndarray
    ) -> tuple[weights.Levels, np.ndarray]:
        """``prior``: odds of each pair before anything is compared."""
        levels = self.levels(a, b, key)
        odds = weights.odds(levels, self.strangers(a, b, levels), self.statistics.agreement, prior)
        # a number cut off by Excel may be any of a hundred, twins among them: only the name tells (policy-reference §4)
        odds[(levels.id == weights.ID_PREFIX) & (levels.name >= names.ONE_OFF)] = 0.0
        return levels, odds


def prior_of(roles: Roles, agreement: weights.Agreement, rows: np.ndarray) -> np.ndarray:
    """Odds that the person of an asking record is in the data again."""
    again = agreement.again / (1 - agreement.again)
    return np.where(roles.unlike[rows], weights.UNLIKE, again)


def _same(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    level = np.where(left == right, np.int8(weights.SAME), np.int8(weights.DIFFERENT))
    level[(left < 0) | (right < 0)] = weights.ABSENT
    return level


def _excel(text: np.ndarray) -> np.ndarray:
    return (text[:, 15:18] == 48).all(axis=1) & (text[:, 18] == 0)
