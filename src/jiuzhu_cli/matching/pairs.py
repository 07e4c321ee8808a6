"""The pairs as a table for people: row_a, row_b, key, levels, score."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from jiuzhu_cli.matching import keys, names, weights

EXACT_SCORE = 99.0  # of pairs that an equal sound ID decides alone


def pair_table(a: np.ndarray, b: np.ndarray, key: pa.Array, levels: pa.Array, score: np.ndarray) -> pa.Table:
    return pa.table(
        {
            "row_a": np.minimum(a, b),
            "row_b": np.maximum(a, b),
            "key": key,
            "levels": levels,
            "score": np.round(score.astype(float), 2),
        }
    )


def key_words(key: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(key), pa.array(keys.KEYS)).cast(pa.string())


def levels_text(levels: weights.Levels, at: np.ndarray, id_words: tuple[str, ...] = weights.ID_LEVELS) -> pa.Array:
    """``id=one_slip;name=equal;birth=absent;…`` a pair."""
    code = levels.id[at].astype(np.int64) * 10 + levels.name[at]
    for field in weights.FIELDS:
        code = code * 4 + levels.fields[field][at]
    distinct, inverse = np.unique(code, return_inverse=True)
    words = []
    for value in distinct.tolist():
        parts, rest = [], value
        for field in reversed(weights.FIELDS):
            rest, level = divmod(rest, 4)
            parts.append(f"{field}={weights.FIELD_LEVELS[level]}")
        level_id, level_name = divmod(rest, 10)
        words.append(";".join([f"id={id_words[level_id]}", f"name={names.LEVELS[level_name]}", *reversed(parts)]))
    return pa.array(words, pa.string()).take(pa.array(inverse))
