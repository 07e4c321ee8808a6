"""What moves a payment batch beside locking and approving: release, return to draft, closing; and the sums that must agree on the way."""

from __future__ import annotations

from typing import Any

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.ledger.payment_digests import sums_differ
from jiuzhu_cli.ledger.store import Store


def check_sums(store: Store, batch: dict[str, Any]) -> None:
    """RefusedError when lines, towns, programmes and banks do not come to the same, or to what the draft declared."""
    found = sums_differ(store, batch)
    if found:
        raise RefusedError(
            f"第 {batch['payment_id']} 批合计不平：{found}",
            "运行 jiuzhu audit check 查清；重新制单后再办",
            code="sums_differ",
        )
