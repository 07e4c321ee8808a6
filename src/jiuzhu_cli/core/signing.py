"""Signatures (Ed25519) and the sealed form of a private key. Randomness comes from the caller; nothing is read or written here.

A sealed key is a short JSON text: scrypt makes a key of the password, AES-256-GCM seals the seed with it, and all that stands
beside it (person, public key, cost) is authenticated too. ``cryptography`` does all of it but scrypt, which is Python's own.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jiuzhu_cli.core.errors import DataError

SEED, SALT, NONCE = 32, 16, 12  # bytes
_COST = {"n": 1 << 15, "r": 8, "p": 1}  # 32 MB, about 0.1 s
_CEILING = 1 << 18  # of n × r × p in a file: one made to stop the program is refused
KIND = "jiuzhu_signing_key"


def public_key(seed: bytes) -> str:
    """The public key of a seed of 32 bytes, 64 hexadecimal characters."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()


def key_id(public: str) -> str:
    """What people compare aloud: 16 hexadecimal characters in groups of four."""
    text = hashlib.sha256(f"jiuzhu signing key v1\0{public}".encode()).hexdigest()[:16]
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def statement(**values: str | int) -> str:
    """What is signed: canonical JSON of ``values``."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sign(seed: bytes, message: str) -> str:
    """The signature of ``message``, 128 hexadecimal characters."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).sign(message.encode()).hex()


def verifies(public: str, message: str, signature: str) -> bool:
    """Whether ``signature`` is that of the holder of ``public`` over ``message``; anything malformed is not."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def seal(seed: bytes, person: str, password: str, *, salt: bytes, nonce: bytes) -> str:
    """The text of a key file of ``person``; only ``password`` opens it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head: dict[str, Any] = {
        KIND: 1, "person": person, "public_key": public_key(seed), "kdf": "scrypt", **_COST, "salt": salt.hex(), "nonce": nonce.hex(),
    }  # fmt: skip
    sealed = AESGCM(_stretched(password, head)).encrypt(nonce, seed, _bound(head))
    return json.dumps(head | {"sealed": sealed.hex()}, ensure_ascii=False, indent=1) + "\n"


def unseal(text: str, password: str) -> tuple[str, bytes]:
    """``(person, seed)`` of a sealed key. DataError when it is none, was altered, or the password is wrong."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = _head(text)
    try:
        sealed, nonce = bytes.fromhex(head.pop("sealed")), bytes.fromhex(head["nonce"])
        seed = AESGCM(_stretched(password, head)).decrypt(nonce, sealed, _bound(head))
        found = public_key(seed)
    except (InvalidTag, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise DataError("密码不对，或密钥文件被改动过", "再输入一次；忘了密码的，停用这个密钥另做一个") from None
    if found != head["public_key"]:
        raise DataError("密钥文件里的公钥和私钥不是一对", "停用这个密钥另做一个")
    return str(head["person"]), seed


def sealed_public(text: str) -> tuple[str, str]:
    """``(person, public key)`` as a key file states them, without its password."""
    head = _head(text)
    return str(head.get("person", "")), str(head.get("public_key", ""))


def _head(text: str) -> dict[str, Any]:
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or head.get(KIND) != 1:
        raise DataError("这不是签名密钥文件", "用 jiuzhu pay key make 做一个")
    return head


def _stretched(password: str, head: dict[str, Any]) -> bytes:
    n, r, p = int(head["n"]), int(head["r"]), int(head["p"])
    if n < _COST["n"] or min(r, p) < 1 or n * r * p > _CEILING * 8:
        raise ValueError("scrypt")
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(head["salt"]), n=n, r=r, p=p, maxmem=1 << 30, dklen=32)


def _bound(head: dict[str, Any]) -> bytes:
    return json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
