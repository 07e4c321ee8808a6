"""From pairs to persons, with a guard: every asker hangs on one other record at most, so no chain of askers ever holds two sound IDs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiuzhu_cli.matching import weights

_MARGIN = 0.98  # for a record with a sound ID that its stated birth date contradicts


@dataclass(slots=True)
class Links:
    """Askers ``a`` with the record ``b`` they were put with and the place ``at`` of the pair among the candidates."""

    a: np.ndarray
    b: np.ndarray
    at: np.ndarray


def attach(entity: np.ndarray, a: np.ndarray, b: np.ndarray, odds: np.ndarray, unlike: np.ndarray) -> Links:
    """Each asker to the sound ID that is clearly the best: odds over one plus the odds of all. Looks at one asker at a time.

    ``entity``: number of each record's sound ID, -1 without; a, b, odds: the candidates; ``unlike``: records that keep their ID in doubt.
    """
    at = np.flatnonzero(entity[b] >= 0)
    order = at[np.lexsort((-odds[at], entity[b[at]], a[at]))]
    first = np.r_[True, (a[order[1:]] != a[order[:-1]]) | (entity[b[order[1:]]] != entity[b[order[:-1]]])][: len(order)]
    best = order[first]  # the best record of each ID
    total = np.bincount(a[best], weights=odds[best], minlength=len(entity))
    share = odds[best] / (1 + total[a[best]])
    good = best[share >= np.where(unlike[a[best]], _MARGIN, weights.ACCEPTED)]
    return Links(a[good], b[good], good)


def join(entity: np.ndarray, attached: np.ndarray, a: np.ndarray, b: np.ndarray, odds: np.ndarray) -> Links:
    """Askers without a sound ID among themselves: each to its best, once."""
    open_ = (entity[a] < 0) & ~attached[a] & (entity[b] < 0) & (odds / (1 + odds) >= weights.ACCEPTED)
    at = np.flatnonzero(open_)
    order = at[np.lexsort((b[at], -odds[at], a[at]))]
    first = np.r_[True, a[order[1:]] != a[order[:-1]]][: len(order)]
    chosen = order[first]
    return Links(a[chosen], b[chosen], chosen)


def parents(entity: np.ndarray, first: np.ndarray, links: tuple[Links, Links]) -> np.ndarray:
    """One record for all that hang together. ``first``: a record of each ID."""
    parent = np.arange(len(entity))
    known = entity >= 0
    parent[known] = first[entity[known]]
    attached, rest = links
    parent[attached.a] = first[entity[attached.b]]  # a doubtful record leaves its ID for the better one
    return united(parent, rest.a, rest.b)


def united(parent: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The clusters with those of each ``a`` and ``b`` put together: the least number wins."""
    one, other = parent[a], parent[b]
    nodes = np.unique(np.concatenate([one, other]))
    if not len(nodes):
        return parent
    one, other = np.searchsorted(nodes, one), np.searchsorted(nodes, other)
    root = np.arange(len(nodes))
    while True:
        low = np.minimum(root[one], root[other])
        before = root.copy()
        np.minimum.at(root, one, low)
        np.minimum.at(root, other, low)
        root = root[root]
        if (root == before).all():
            break
    out = np.arange(len(parent))
    out[nodes] = nodes[root]
    return out[parent]


def numbered_persons(parent: np.ndarray) -> np.ndarray:
    """Numbers of the clusters from 0 in order of appearance."""
    size = len(parent)
    first = np.full(size, -1, np.int64)
    first[parent[::-1]] = np.arange(size)[::-1]  # the first record of each cluster
    starts = np.zeros(size, bool)
    starts[first[first >= 0]] = True
    return (np.cumsum(starts) - 1)[first[parent]]
