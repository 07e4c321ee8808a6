"""Where candidates come from: the keys as data. Every candidate pair keeps the name of the key that produced it.

``id_no`` decides alone. The probes look a damaged ID up among the sound ones (``matching.ids``). The blocks bring a record without a
usable ID together with the records that have the same values of some fields; a block of more than ``LARGEST`` records says too
little and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

LARGEST = 300


@dataclass(frozen=True, slots=True)
class Block:
    """``fields``: columns of the table of keys that must be equal and known. ``note``: what the block is for."""

    name: str
    fields: tuple[str, ...]
    note: str


ID_NO, PROBE, EXCEL, SAME_PERSON = "id_no", "id_probe", "id_prefix", "same_person"
BLOCKS: tuple[Block, ...] = (
    Block("id_text", ("id_text",), "the same damaged number, copied from list to list"),
    Block("name_birth", ("sound", "birth"), "name by sound and birth date"),
    Block("name_phone", ("sound", "phone"), "name by sound and phone"),
    Block("name_account", ("sound", "account"), "name by sound and account"),
    Block("name_village", ("sound", "village"), "name by sound in the same village"),
    Block("birth_phone", ("birth", "phone"), "a name misread: birth date and phone"),
    Block("birth_account", ("birth", "account"), "a name misread: birth date and account"),
    Block("birth_village", ("birth", "village", "surname"), "a name misread: surname, birth date and village"),
    Block("surname_phone", ("surname", "phone"), "a name misread: surname and phone"),
    Block("surname_account", ("surname", "account"), "a name misread: surname and account"),
)
# position → name, as the candidates carry it
KEYS: tuple[str, ...] = (PROBE, EXCEL, *(block.name for block in BLOCKS))


def block_sql(block: Block, position: int) -> str:
    """SELECT ``a, b, key``: records of ``asking`` beside records of ``people`` with equal fields."""
    fields = ", ".join(f"r.{field}" for field in block.fields)
    same = " AND ".join(f"q.{field} = r.{field}" for field in block.fields)
    near = " AND ".join(f"q.{field} = n.{field}" for field in block.fields)
    return (
        f"SELECT q.row AS a, n.row AS b, {position} AS key FROM asking AS q JOIN"
        f" (SELECT r.row, {fields}, count(*) OVER (PARTITION BY {fields}) AS size FROM people AS r SEMI JOIN asking AS q ON {same}) AS n"
        f" ON {near} WHERE n.size BETWEEN 2 AND {LARGEST} AND q.row <> n.row"
    )


def candidates_sql(extra: str) -> str:
    """All candidates, each pair once under its first key. ``extra``: a table ``a, b, key`` of what the probes found."""
    parts = [f"SELECT a, b, key FROM {extra}"]
    parts += [block_sql(block, position) for position, block in enumerate(BLOCKS, len(KEYS) - len(BLOCKS))]
    return f"SELECT a, b, CAST(min(key) AS TINYINT) AS key FROM ({' UNION ALL '.join(parts)}) AS found GROUP BY a, b ORDER BY a, b"
