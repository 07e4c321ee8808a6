"""Keyed hashes of identifiers, for lists that are compared without being shown.

ID numbers can be enumerated: a plain hash of one is undone by trying them all. HMAC-SHA-256 with a key that the districts share and the
compiler of the results does not have cannot be. Equal persons give equal hashes because numbers are normalised first.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import math
import re
from collections import Counter

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.text import compact

LEAST = 32  # characters
_BITS = 128  # least Shannon estimate of the whole key


def check_key(key: bytes) -> bytes:
    """The key without white space around it. UsageError when it is short, or repeats so much that it can be guessed."""
    key = key.strip()
    counts = Counter(key)
    entropy = -sum(n * math.log2(n / len(key)) for n in counts.values()) if key else 0.0
    steps = {(b - a) % 256 for a, b in itertools.pairwise(key)}
    period = any(key == (key[:n] * len(key))[: len(key)] for n in range(1, len(key) // 2 + 1))
    if len(key) < LEAST or entropy < _BITS * 0.75 or len(steps) < 8 or period:
        raise UsageError(
            f"密钥太短或太有规律（至少 {LEAST} 个字符，要随机生成），猜得出来就等于没有加密",
            "用 jiuzhu export key 文件 生成一个，再由各区县当面或经内网专人传递",
        )
    return key


def fingerprint(key: bytes) -> str:
    """Tells two keys apart without telling either."""
    return hmac.digest(key, b"jiuzhu key fingerprint v1", hashlib.sha256).hex()[:16]


def normal_id(text: str) -> str:
    """The ID as all districts write it: 18 characters, X upper; other numbers without spaces and signs; '' for nothing."""
    found = parse_id(text)
    if found.ok:
        return found.value
    return re.sub(r"[^0-9A-Z]", "", compact(text).upper())


def normal_digits(text: str) -> str:
    """Accounts and phones: their digits; phones without the country code 86."""
    digits = re.sub(r"\D", "", compact(text))
    return digits[2:] if len(digits) == 13 and digits.startswith("861") else digits


def keyed_hash(key: bytes, kind: str, value: str) -> str:
    """64 hexadecimal characters; '' stays ''. ``kind`` keeps an account from meeting a phone of the same digits."""
    return hmac.digest(key, f"jiuzhu {kind} v1\0{value}".encode(), hashlib.sha256).hex() if value else ""
