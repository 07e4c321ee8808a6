"""How persons are found in the record: by two small numbers a row, made of ID and name, rather than by the texts themselves.

``id_key`` (of ``related_id_no``: ``related_key``) is the ID's 9th to 17th character as a number: year within the century, month, day and
sequence number, which few people of one district share. ``name_key`` is made of the first and the last character. The index of both
(``roll_person``, ``register_person``) takes half the room that ID and name would. Both are computed columns and take no room in
the row; a key only narrows the search, ID and name themselves are compared as well.
"""

from __future__ import annotations


def id_key(value: str) -> str:
    """SQL: the key of the ID that the expression ``value`` gives."""
    return f"CAST(substr({value}, 9, 9) AS INTEGER)"


def name_key(value: str) -> str:
    """SQL: the key of the name that the expression ``value`` gives, at most 2**23 - 1: three bytes."""
    return f"unicode({value}) % 2048 * 4096 + unicode(substr({value}, -1)) % 4096"


def same_id(row: str, value: str) -> str:
    """SQL: the row (of a roll or register, by its alias) is about the person whose ID ``value`` gives; found by the index."""
    return f"({row}.id_key = {id_key(value)} AND {row}.id_no = {value})"


def related_to(row: str, value: str) -> str:
    """SQL: the register's row (by its alias) names as related the person whose ID ``value`` gives; found by the index."""
    return f"({row}.related_key = {id_key(value)} AND {row}.related_id_no = {value})"


def id_between(row: str, stem: str) -> str:
    """SQL: the row's ID begins with ``stem`` (digits of an ID, as a literal): a range of the index from the 9th digit on."""
    known = stem[8:17]
    least, most = known.ljust(9, "0"), known.ljust(9, "9")
    narrowed = f"{row}.id_key BETWEEN {int(least)} AND {int(most)} AND " if known else ""
    return f"({narrowed}substr({row}.id_no, 1, {len(stem)}) = '{stem}')"
