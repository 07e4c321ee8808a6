"""Whether the moves of payment batches are whole (核验流转): their chain, the journal's word for each, every signature and key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jiuzhu_cli.core import signing
from jiuzhu_cli.core.payment_states import MOVES
from jiuzhu_cli.ledger.payment_moves import digest_of, move_statement
from jiuzhu_cli.ledger.signing_keys import person_of, proof_statement
from jiuzhu_cli.ledger.store import Store

Found = tuple[str, str, str]  # code, entity, what is wrong


def move_problems(store: Store, payment_id: int = 0) -> list[Found]:
    """What is wrong with the moves (of one batch when given) and the keys they were signed with; [] when all is whole."""
    keys = {row["key_id"]: dict(row) for row in store.query("SELECT * FROM signing_key")}
    found = list(_key_problems(store, keys))
    batches = store.query("SELECT * FROM payment_batch WHERE ?1 IN (0, payment_id) ORDER BY payment_id", (payment_id,))
    steps: dict[int, list[dict[str, Any]]] = {}
    for row in store.query("SELECT * FROM payment_move WHERE ?1 IN (0, payment_id) ORDER BY move_id", (payment_id,)):
        steps.setdefault(row["payment_id"], []).append(dict(row))
    told = {
        (row[0], row[1])
        for row in store.query("SELECT entity, digest FROM journal WHERE entity LIKE 'payment:%' AND digest <> ''")
    }
    for batch in batches:
        entity = f"payment:{batch['payment_id']}"
        for code, text in _of_batch(dict(batch), steps.get(batch["payment_id"], []), keys, told):
            found.append((code, entity, f"{entity} {text}"))
    return found


def _of_batch(
    batch: dict[str, Any], steps: list[dict[str, Any]], keys: dict[str, dict[str, Any]], told: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    entity, state, previous = f"payment:{batch['payment_id']}", "", ""
    for step in steps:
        if step["digest"] or previous:
            said = move_statement(step, previous)
            if digest_of(said) != step["digest"]:
                yield "moves_broken", f"的流转记录 {step['move_id']} 被改动或前后不连"
            elif (entity, step["digest"]) not in told:
                yield "move_unrecorded", f"的流转记录 {step['move_id']} 操作日志里没有"
            yield from _signature(step, said, keys)
        allowed = (step["from_state"], step["to_state"]) in MOVES or step["from_state"] in ("", step["to_state"])
        if previous and (step["from_state"] != state or not allowed):
            yield "moves_broken", f"的流转记录 {step['move_id']} 与前一步接不上"
        state, previous = step["to_state"], step["digest"]
    if previous and state != batch["state"]:
        yield "moves_broken", "的状态与流转记录的最后一步不符"
    for column, way in (
        ("locked_by", ("draft", "locked")),
        ("approved_by", ("locked", "approved")),
        ("released_by", ("approved", "released")),
    ):
        last = next((step for step in reversed(steps) if (step["from_state"], step["to_state"]) == way), None)
        if batch[column] and last is not None and last["digest"] and last["actor"] != batch[column]:
            yield "moves_broken", f"的经办人与流转记录 {last['move_id']} 不符"


def _signature(step: dict[str, Any], said: str, keys: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """A signature must be the person's own, with a key that was in force; who had one then must have signed."""
    who, number = step["actor"], step["move_id"]
    if step["signature"] or step["signer"]:
        key = keys.get(step["signer"])
        if key is None or key["person"] != person_of(who) or not _in_force(key, number):
            yield "signature_bad", f"的流转记录 {number} 的签名密钥不是 {who} 当时登记的"
        elif not signing.verifies(key["public_key"], said, step["signature"]):
            yield "signature_bad", f"的流转记录 {number}（{who}）签名不对"
    elif _to_sign(step) and any(key["person"] == person_of(who) and _in_force(key, number) for key in keys.values()):
        yield "signature_missing", f"的流转记录 {number} 没有 {who} 的签名，而其当时已登记密钥"


def _to_sign(step: dict[str, Any]) -> bool:
    """An approval, or a release; not its being taken back (released → approved)."""
    return (step["from_state"] == "locked" and step["to_state"] in ("locked", "approved")) or step[
        "to_state"
    ] == "released"


def _in_force(key: dict[str, Any], move_id: int) -> bool:
    return bool(key["after_move"] < move_id and (key["revoked_after"] is None or move_id <= key["revoked_after"]))


def _key_problems(store: Store, keys: dict[str, dict[str, Any]]) -> Iterator[Found]:
    """Keys that are not their person's by their own signature, or of which the journal tells otherwise."""
    told: dict[str, list[dict[str, Any]]] = {}
    for row in store.query("SELECT entity, detail FROM journal WHERE entity LIKE 'signer:%' ORDER BY seq"):
        told.setdefault(row[0], []).append(json.loads(row[1]))
    for key_id, key in keys.items():
        entity = f"signer:{key_id}"
        entries = told.pop(entity, [])
        own = signing.verifies(key["public_key"], proof_statement(key["person"], key["public_key"]), key["proof"])
        enrolled = any(e.get("enrolled") == key["public_key"] and e.get("person") == key["person"] for e in entries)
        revoked = any(e.get("revoked") for e in entries)
        if not own or signing.key_id(key["public_key"]) != key_id:
            yield "key_bad", entity, f"签名密钥 {key_id} 不是 {key['person']} 自己登记的"
        elif not enrolled or revoked != bool(key["revoked_at"]):
            yield "key_unrecorded", entity, f"签名密钥 {key_id} 的登记、停用与操作日志对不上"
    for entity in told:
        yield "key_bad", entity, f"操作日志里登记过的签名密钥 {entity.partition(':')[2]} 不见了"
