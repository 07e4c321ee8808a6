"""Valid, invented numbers, vectorised: citizen IDs (GB 11643), bank cards (Luhn), passbook accounts, telephones."""

from __future__ import annotations

import numpy as np
import pandas as pd

Rng = np.random.Generator
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECKS = np.array(list("10X98765432"))
# 00, 100 … are left out, so that no valid number ends in 000 (the mark of Excel's damage)
_SERIALS = {male: np.array([s for s in range(10, 990) if s % 2 == male and s % 100]) for male in (0, 1)}


def digit_matrix(texts: np.ndarray, width: int) -> np.ndarray:
    """(n, width) small integers from n texts of ``width`` digits."""
    flat = np.frombuffer("".join(texts.tolist()).encode("ascii"), dtype=np.uint8)
    return (flat - ord("0")).reshape(-1, width).astype(np.int64)


def citizen_ids(area: np.ndarray, born: pd.Series, male: np.ndarray) -> np.ndarray:
    """18-character IDs, unique among themselves. ``area``: 6-digit texts; ``born``: dates; ``male``: booleans."""
    days = born.dt.strftime("%Y%m%d").to_numpy(dtype=object)
    key = pd.DataFrame({"area": area, "day": days, "male": male})
    order = key.groupby(["area", "day", "male"], sort=False).cumcount().to_numpy()
    # 101 is coprime to the number of serials of either sex, so nothing repeats
    spread = (order * 101 + pd.util.hash_array(days.astype(object)) % 400).astype(np.int64)
    serial = np.where(male, _SERIALS[1][spread % len(_SERIALS[1])], _SERIALS[0][spread % len(_SERIALS[0])])
    first17 = area + days + np.char.zfill(serial.astype(str), 3).astype(object)
    return first17 + check_characters(first17)


def check_characters(first17: np.ndarray) -> np.ndarray:
    total = (digit_matrix(first17, 17) * _WEIGHTS).sum(axis=1) % 11
    return _CHECKS[total].astype(object)


def bank_cards(rng: Rng, prefixes: np.ndarray) -> np.ndarray:
    """19-digit card numbers beginning with the given six digits, with Luhn check digits."""
    count = len(prefixes)
    middle = np.char.zfill(rng.integers(0, 10**12, count).astype(str), 12).astype(object)
    body = prefixes + middle
    digits = digit_matrix(body, 18)
    digits[:, 1::2] *= 2  # the check digit will stand at the right end: every second from there is doubled
    digits[:, 1::2] -= 9 * (digits[:, 1::2] > 9)
    check = (-digits.sum(axis=1)) % 10
    return body + check.astype(str).astype(object)


def passbook_accounts(rng: Rng, count: int) -> np.ndarray:
    """17-digit passbook accounts; no check rule, never beginning with 62 or 0."""
    return rng.integers(80_000_000_000_000_000, 89_999_999_999_999_999, count).astype(str).astype(object)


def telephones(rng: Rng, count: int) -> np.ndarray:
    head = rng.choice(np.array(["130", "138", "150", "158", "187", "199"], dtype=object), count)
    return head + np.char.zfill(rng.integers(0, 10**8, count).astype(str), 8).astype(object)
