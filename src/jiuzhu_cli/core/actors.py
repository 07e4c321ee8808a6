"""Who acts (经办人): names as the rules of two persons compare them. What cannot be seen on paper does not make two people of one."""

from __future__ import annotations

import unicodedata

_BLANK_LETTERS = "ᅟᅠ"  # letters by their class that print as nothing


def actor_key(name: str) -> str:
    """The name by which a person is the same person: letters and digits only, in one width and case.

    >>> actor_key("张 经办\\u200b") == actor_key("张经办")
    True
    """
    kept = (c for c in unicodedata.normalize("NFKC", name) if c.isalnum() and c not in _BLANK_LETTERS)
    return "".join(kept).casefold() or name


def same_actor(one: str, other: str) -> bool:
    """Whether two names are one person's."""
    return actor_key(one) == actor_key(other)
