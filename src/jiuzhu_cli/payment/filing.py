"""The filing list of a batch (归档清单): every file that it left, with digest and sums, and the batch's way from hand to hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_BATCH = (
    "month", "sequence", "kind", "state", "lines", "amount_fen", "control_sha256", "policy_digest", "override_reason", "drafted_by", "drafted_at",
    "locked_by", "locked_at", "approved_by", "approved_at", "released_by", "released_at", "exported_at",
)  # fmt: skip
_FILE = ("kind", "path", "lines", "amount_fen", "sha256")
_MOVE = ("from_state", "to_state", "actor", "at", "level", "reason", "digest", "signer")


def filing_list(
    batch: Mapping[str, Any], moves: Sequence[Mapping[str, Any]], files: Iterable[Mapping[str, Any]]
) -> bytes:
    """The list as JSON for programs and people: UTF-8, keys in a fixed order, files by path."""
    body = {
        "batch": batch["payment_id"],
        **{key: batch[key] for key in _BATCH},
        "moves": [{key: move[key] for key in _MOVE} for move in moves],
        "files": [{key: one[key] for key in _FILE} for one in sorted(files, key=lambda one: str(one["path"]))],
    }
    return (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode()
