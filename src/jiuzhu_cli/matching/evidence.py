"""Levels and odds of candidate pairs: what two records say together, and what the data say about other people."""

from __future__ import annotations

import numpy as np

from jiuzhu_cli.matching import keys, names, weights
from jiuzhu_cli.matching.ids import DAMAGED, SOUND, slips, texts_of
from jiuzhu_cli.matching.people import People

# shares told by fewer records than this are taken as if there were so many: a list of twenty cannot say how rare a name is
SMALL = 2000
PROBE_KEY = keys.KEYS.index(keys.PROBE)


def _counts(codes: np.ndarray) -> np.ndarray:
    """Each record's number of records with the same value; 0 where it is unknown."""
    known = codes >= 0
    if not known.any():
        return np.zeros(len(codes), np.int64)
    return np.where(known, np.bincount(codes[known])[np.where(known, codes, 0)], 0)


class Evidence:
    """Compares candidate pairs (a asks about b). ``entity``: number of each record's sound and undisputed ID, -1 without; ``own``: records whose
    ID is held to be their own (sound, not in doubt)."""

    def __init__(self, people: People, entity: np.ndarray, own: np.ndarray, asked_birth: np.ndarray) -> None:
        self.people, self.entity, self.own, self.asked_birth = people, entity, own, asked_birth
        self.total = max(int(entity.max(initial=-1)) + 1 + int((entity < 0).sum()), 2)
        code = people.names.code
        self.sound = np.where(code >= 0, np.unique(people.names.sound_key, return_inverse=True)[1][code], -1)
        self.surname = np.where(code >= 0, people.names.first[code], -1)
        heads = np.flatnonzero((entity < 0) | _first_of(entity))
        self.scale = self.total / max(people.size, 1)
        sounds = self.sound[heads]
        self.same_name = np.bincount(sounds[sounds >= 0], minlength=int(self.sound.max(initial=0)) + 1)
        self.same_surname = _counts(self.surname) * self.scale
        self.by_chance = self._by_chance(heads)
        self.shares = {
            "birth": _counts(np.where(people.birth > 0, people.birth, -1)) / max(people.size, SMALL),
            "village": _counts(people.village) / max(people.size, 1),
            "phone": _counts(people.phone) / max(people.size, SMALL),
            "account": _counts(people.account) / max(people.size, SMALL),
            "sex": np.full(people.size, 0.5),
        }
        self.agreement = self._measure()
        self.slip_rate = 0.05

    def _by_chance(self, heads: np.ndarray) -> np.ndarray:
        """Expected strangers of each distinct name, if surname and the other characters fell together by chance."""
        found = self.people.names
        code = found.code[heads]
        code = code[code >= 0]
        if not len(code):
            return np.zeros(len(found.length))
        sounds = found.sound + 3
        later = np.bincount(sounds[code][:, 1:3].ravel(), minlength=int(sounds.max()) + 1).astype(float)
        later[:3] = 0
        later /= max(later.sum(), SMALL)
        later[:3] = 1  # no such place, or a wild card
        first = np.bincount(sounds[code][:, 0], minlength=int(sounds.max()) + 1)
        lengths = np.bincount(found.length[code], minlength=names.WIDTH + 1) / len(code)
        shares = later[sounds[:, 1]] * later[sounds[:, 2]]
        return first[sounds[:, 0]] * shares * lengths[found.length]

    def _measure(self) -> weights.Agreement:
        """Agreement on the pairs of equal sound IDs, each record beside the next of its ID."""
        agreement = weights.Agreement()
        known = np.flatnonzero((self.entity >= 0) & self.own)
        order = known[np.argsort(self.entity[known], kind="stable")]
        a, b = order[:-1], order[1:]
        pair = self.entity[a] == self.entity[b]
        a, b = a[pair], b[pair]
        agreement.pairs = len(a)
        if len(a) < weights.ENOUGH:
            return agreement
        sizes = np.bincount(self.entity[known])
        agreement.again = float(np.clip((sizes[sizes > 1].sum()) / sizes.sum(), 0.05, 0.9))
        for field in ("village", "phone", "account"):
            level = _same(getattr(self.people, field)[a], getattr(self.people, field)[b])
            told = (level > 0).sum()
            if told >= weights.ENOUGH:
                share = (level == weights.SAME).sum() / told
                setattr(agreement, field, float(np.clip(share, 0.05, 0.995)))
        return agreement

    def id_levels(self, a: np.ndarray, b: np.ndarray, key: np.ndarray) -> np.ndarray:
        """ID levels of pairs. A number that is not held to be its record's own says nothing."""
        ids = self.people.ids
        level = np.full(len(a), weights.ID_ABSENT, np.int8)
        broken = ids.state[a] == DAMAGED
        known = broken & (((ids.state[b] == SOUND) & self.own[b] & (ids.key[b] < 10**17)) | (ids.state[b] == DAMAGED))
        level[known] = weights.ID_FAR
        rows = np.flatnonzero(known)
        left = ids.text[a[rows]]
        right = ids.text[b[rows]].copy()
        sound = ids.state[b[rows]] == SOUND
        right[sound] = texts_of(ids.key[b[rows[sound]]])
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
        people = self.people
        fields = {field: _same(getattr(people, field)[a], getattr(people, field)[b]) for field in ("village", "phone", "account")}  # fmt: skip
        told = (self.asked_birth[a] > 0) & (people.birth[b] > 0)
        figures = sum(
            (self.asked_birth[a] // 10**n % 10 != people.birth[b] // 10**n % 10).astype(int) for n in range(8)
        )
        apart = np.minimum(figures, 2) + weights.SAME
        fields["birth"] = np.where(told, apart, weights.ABSENT)
        fields["sex"] = _same(people.sex[a], people.sex[b])
        return weights.Levels(
            self.id_levels(a, b, key), names.compare(people.names, people.names.code[a], people.names.code[b]), fields
        )

    def strangers(self, a: np.ndarray, b: np.ndarray, levels: weights.Levels) -> weights.Strangers:
        code = self.people.names.code
        common = np.maximum(self.same_name[self.sound[a]], self.same_name[self.sound[b]])
        chance = self.by_chance[code[a]]
        surname = self.same_surname[a]
        count = np.select(
            [levels.name <= names.SOUND, levels.name == names.SHAPE, levels.name == names.ONE_OFF, levels.name == names.SURNAME],
            [
                np.maximum(common - 2, chance),
                surname * weights.NEAR_NAME[names.SHAPE] + np.maximum(self.same_name[self.sound[b]] - 1, 0) * 0.1,
                surname * weights.NEAR_NAME[names.ONE_OFF],
                surname,
            ],
            self.total,
        )  # fmt: skip
        shares = {
            field: np.maximum(share[a], share[b]) if field != "sex" else share[a]
            for field, share in self.shares.items()
        }
        near = np.array([1.0, self.slip_rate, self.slip_rate, 20 * self.slip_rate, self.total, 0.01]) / self.total
        near[weights.ID_ABSENT] = 1.0
        return weights.Strangers(count, shares, near[levels.id])

    def odds(
        self, a: np.ndarray, b: np.ndarray, key: np.ndarray, prior: np.ndarray
    ) -> tuple[weights.Levels, np.ndarray]:
        levels = self.levels(a, b, key)
        odds = weights.odds(levels, self.strangers(a, b, levels), self.agreement, prior[a])
        # a number cut off by Excel may be any of a hundred, twins among them: only the name tells (policy-reference §4)
        odds[(levels.id == weights.ID_PREFIX) & (levels.name >= names.ONE_OFF)] = 0.0
        return levels, odds


def _same(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.where((left < 0) | (right < 0), weights.ABSENT, np.where(left == right, weights.SAME, weights.DIFFERENT))


def _excel(text: np.ndarray) -> np.ndarray:
    return (text[:, 15:18] == 48).all(axis=1) & (text[:, 18] == 0)


def _first_of(entity: np.ndarray) -> np.ndarray:
    out = np.zeros(len(entity), bool)
    values, first = np.unique(entity, return_index=True)
    out[first[values >= 0]] = True
    return out
