"""Who is the same person: keys as data. A key is a name, a level of certainty and SQL over one record; two records with an equal,
non-NULL value are a pair, and the pair keeps the key that produced it.

Records come with the columns ``row`` (unique), ``id_no`` (canonical or NULL) and ``name``; keys of later levels may ask for more.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MatchKey:
    """``value``: SQL of the key over the alias ``r``, NULL where the record has no such key. ``level``: ``exact`` decides alone."""

    name: str
    level: str
    value: str


# The ID number is canonical in the record (18 digits, check digit sound), so equality is identity.
ID_NO = MatchKey("id_no", "exact", "nullif(r.id_no, '')")
EXACT: tuple[MatchKey, ...] = (ID_NO,)
