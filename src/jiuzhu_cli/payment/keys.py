"""Signing keys of persons (签名密钥): made and opened as files outside the workspace; what makes a signer of them.

Who has a key in force must sign whatever they approve or release; ``require_signature`` in jiuzhu.toml demands it of everybody.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from jiuzhu_cli.core import signing
from jiuzhu_cli.core.errors import OutsideError, RefusedError, UsageError, reason_of
from jiuzhu_cli.core.mask import mask_text
from jiuzhu_cli.ledger import signing_keys
from jiuzhu_cli.ledger.payment_moves import Signer
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace

LEAST = 8  # characters of a password
MOST = 1 << 16  # bytes of a key file
SUFFIX = ".key.json"


def make_key(workspace: Workspace, path: Path, person: str, password: str) -> tuple[str, bytes]:
    """Writes a new sealed key of ``person`` (0600); returns its ID and seed. RefusedError inside the workspace or over a file that is there."""
    if path.resolve().is_relative_to(workspace.root.resolve()):
        raise RefusedError(
            "密钥不能放在工作区里：能改台账的人就能拿到它", "放到本人的文件夹或 U 盘，例如 ~/密钥/李某.key.json"
        )
    if len(password) < LEAST:
        raise UsageError(f"密码太短（至少 {LEAST} 个字符）", "换一个长些的密码")
    seed = secrets.token_bytes(signing.SEED)
    text = signing.seal(
        seed,
        signing_keys.person_of(person),
        password,
        salt=secrets.token_bytes(signing.SALT),
        nonce=secrets.token_bytes(signing.NONCE),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise RefusedError(f"{path.name} 已经在了，没有覆盖", "换一个文件名") from error
    except OSError as error:
        raise OutsideError(f"写不了 {path.name}：{reason_of(error)}", "换一个可写的文件夹") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return signing.key_id(signing.public_key(seed)), seed


def key_text(path: Path) -> str:
    """A key file's text. UsageError when others may read it, OutsideError when it cannot be opened."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MOST)
    except OSError as error:
        raise OutsideError(f"读不了密钥文件“{path.name}”：{reason_of(error)}", "检查路径和权限") from error
    if os.name != "nt" and mode & 0o077:
        raise UsageError(f"密钥文件“{path.name}”别人也能读，没有使用", f"运行 chmod 600 {path.name} 后再试")
    return data.decode("utf-8", "replace")


def enrol(store: Store, path: Path, password: str, *, actor: str, now: datetime) -> str:
    """Registers the public key of a key file for the person it is of, who must be ``actor``; returns the key's ID."""
    person, seed = signing.unseal(key_text(path), password)
    if person != signing_keys.person_of(actor):
        raise RefusedError(f"这个密钥是 {person} 的，不能由 {actor} 登记", f"由本人登记：--actor {person}")
    public = signing.public_key(seed)
    key_id = signing.key_id(public)
    proof = signing.sign(seed, signing_keys.proof_statement(person, public))
    with store.transaction(actor=actor, command="pay key enroll", now=now) as tx:
        signing_keys.enrol(tx, key_id=key_id, person=person, public=public, proof=proof)
    return key_id


def revoke(store: Store, key_id: str, reason: str, *, actor: str, now: datetime) -> None:
    """Ends a key. UsageError for an unknown one or without a reason."""
    if not reason.strip():
        raise UsageError("--reason 后面要写明原因", "例如 --reason 调离岗位")
    if key_id not in {key["key_id"] for key in signing_keys.keys(store)}:
        raise UsageError(f"没有登记过密钥 {key_id}", "用 jiuzhu pay key list 查看")
    with store.transaction(actor=actor, command="pay key revoke", now=now) as tx:
        signing_keys.revoke(tx, key_id, mask_text(reason.strip()))


def signer_of(
    store: Store,
    workspace: Workspace,
    actor: str,
    find: Callable[[dict[str, Any]], Path],
    password: Callable[[Path], str],
) -> Signer | None:
    """Who signs as ``actor``; None when they have no key and none is demanded.

    ``find``: the file of a registered key; ``password``: what opens it. RefusedError when a signature is demanded of somebody without a key,
    DataError for a wrong password, UsageError when the file is another key's.
    """
    key = signing_keys.key_of(store, actor)
    if key is None:
        if workspace.get("payment", "require_signature", False):
            raise RefusedError(
                f"审批和放行都要签名，{actor} 还没有登记签名密钥",
                f"先做一个：jiuzhu pay key make 文件 --actor {actor}",
                code="not_enrolled",
            )
        return None
    path = find(key)
    text = key_text(path)
    if signing.sealed_public(text)[1] != key["public_key"]:
        raise UsageError(f"“{path.name}”不是 {actor} 登记的密钥 {key['key_id']}", "用 --key 指明本人的密钥文件")
    _, seed = signing.unseal(text, password(path))
    if signing.public_key(seed) != key["public_key"]:
        raise UsageError(f"“{path.name}”不是 {actor} 登记的密钥 {key['key_id']}", "用 --key 指明本人的密钥文件")
    return Signer(key["key_id"], lambda said: signing.sign(seed, said))


def check_signer(store: Store, workspace: Workspace, actor: str, signer: Signer | None) -> None:
    """RefusedError when ``actor`` has to sign and does not, or signs with another's key."""
    key = signing_keys.key_of(store, actor)
    if key is None and not workspace.get("payment", "require_signature", False) and signer is None:
        return
    if signer is None or key is None or key["key_id"] != signer.key_id:
        raise RefusedError(
            f"{actor} 这一步要签名",
            "用本人登记的密钥签名：--key 密钥文件；没有密钥的先做一个：jiuzhu pay key make 文件",
            code="unsigned",
        )
