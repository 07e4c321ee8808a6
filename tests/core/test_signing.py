"""Signatures: whatever is not exactly what was signed by exactly that key does not verify."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core import signing
from jiuzhu_cli.core.errors import DataError

SEED, OTHER = bytes(range(32)), bytes(range(1, 33))
SALT, NONCE = b"s" * signing.SALT, b"n" * signing.NONCE


def test_ed25519_of_the_standard() -> None:
    """RFC 8032, test 2."""
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    assert signing.public_key(seed) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signed = signing.sign(seed, "r")
    assert signed.startswith("92a009a9f0d4cab8720e820b5f642540") and signing.verifies(
        signing.public_key(seed), "r", signed
    )


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_only_the_very_message_verifies(said: str, other: str) -> None:
    said, other = (text.encode("utf-8", "replace").decode() for text in (said, other))
    signed = signing.sign(SEED, said)
    assert signing.verifies(signing.public_key(SEED), said, signed)
    assert signing.verifies(signing.public_key(SEED), other, signed) == (said == other)
    assert not signing.verifies(signing.public_key(OTHER), said, signed)


@pytest.mark.parametrize("signature", ["", "00", "zz", "0" * 128, "0" * 127])
def test_what_is_no_signature_does_not_verify(signature: str) -> None:
    assert not signing.verifies(signing.public_key(SEED), "x", signature)
    assert not signing.verifies("", "x", signing.sign(SEED, "x"))


def test_statements_are_canonical() -> None:
    assert signing.statement(b=1, a="局") == '{"a":"局","b":1}'


def test_a_sealed_key_opens_with_its_password_only() -> None:
    text = signing.seal(SEED, "李审批", "一二三四五六七八", salt=SALT, nonce=NONCE)
    assert signing.unseal(text, "一二三四五六七八") == ("李审批", SEED)
    assert signing.sealed_public(text) == ("李审批", signing.public_key(SEED))
    assert SEED.hex() not in text
    with pytest.raises(DataError, match="密码不对"):
        signing.unseal(text, "一二三四五六七九")


@pytest.mark.parametrize(
    "change",
    [
        {"person": "王某"}, {"public_key": signing.public_key(OTHER)}, {"salt": "00" * 16}, {"n": 1 << 30}, {"n": 2}, {"n": "many"}, {"sealed": "00"},
        {"nonce": None},
    ],
)  # fmt: skip
def test_an_altered_key_file_is_refused(change: dict[str, object]) -> None:
    text = signing.seal(SEED, "李审批", "password", salt=SALT, nonce=NONCE)
    with pytest.raises(DataError):
        signing.unseal(json.dumps(json.loads(text) | change), "password")


@pytest.mark.parametrize("text", ["", "[]", "{}", "{" * 100_000, '{"jiuzhu_signing_key": 2}'])
def test_what_is_no_key_file_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="不是签名密钥文件"):
        signing.unseal(text, "x")
