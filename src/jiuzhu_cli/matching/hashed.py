"""Lists whose numbers are keyed hashes: equal or not, nothing else. Damaged numbers, names and birth dates say nothing here."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jiuzhu_cli.matching import clusters, keys
from jiuzhu_cli.matching.engine import Matched, by_entity, starts_of
from jiuzhu_cli.matching.pairs import EXACT_SCORE, pair_table


def match_hashes(records: pa.Table) -> Matched:
    """``records``: text columns ``id_no, account_no, phone``, hashes or ''/NULL. Equal ID hashes are one person; the others only stand in
    ``levels`` (families share an account and a phone, so they never put two people together)."""
    codes = {name: _coded(records[name]) for name in ("id_no", "account_no", "phone")}
    entity = codes["id_no"]
    order = by_entity(entity)
    starts = starts_of(entity[order])
    parent = np.arange(records.num_rows)
    heads = np.repeat(order[starts], np.diff(np.r_[starts, len(order)]))
    parent[order] = heads
    a, b = np.delete(heads, starts), np.delete(order, starts)

    def pairs() -> pa.Table:
        words = [_words("account", codes["account_no"], a, b), _words("phone", codes["phone"], a, b)]
        said = pc.binary_join_element_wise("id=equal", *words, ";")
        made = pair_table(a, b, pa.repeat(keys.ID_NO, len(a)), said, np.full(len(a), EXACT_SCORE))
        return made.sort_by([("row_a", "ascending"), ("row_b", "ascending")])

    return Matched(clusters.numbered_persons(parent), {keys.ID_NO: len(a)} if len(a) else {}, pairs)


def _coded(column: pa.ChunkedArray) -> np.ndarray:
    """Equal numbers for equal texts, -1 for NULL and ''."""
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    encoded = pc.dictionary_encode(pa.concat_arrays(text.chunks) if text.num_chunks else pa.array([], pa.string()))
    empty = pc.index(encoded.dictionary, "").as_py()
    numbers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where(numbers == empty, -1, numbers)


def _words(field: str, codes: np.ndarray, a: np.ndarray, b: np.ndarray) -> pa.Array:
    level = np.where((codes[a] < 0) | (codes[b] < 0), 0, np.where(codes[a] == codes[b], 1, 2))
    words = pa.array([f"{field}={word}" for word in ("absent", "equal", "different")])
    return words.take(pa.array(level))
