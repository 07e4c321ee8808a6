"""Postings looked up and ended (结束公示): only after the last day, and with no objection left open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger import postings

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.load import Policy


@dataclass(slots=True)
class Closed:
    """``closed``: postings closed now; ``left``: (posting, reason) of those that stay open."""

    closed: list[dict[str, Any]]
    left: list[tuple[dict[str, Any], str]]

    def as_json(self) -> dict[str, Any]:
        return {
            "closed": [_brief(one) for one in self.closed],
            "left": [_brief(one) | {"reason": why} for one, why in self.left],
        }


def _brief(one: Mapping[str, Any]) -> dict[str, Any]:
    area = f"{one['town']}/{one['village']}" if one["village"] else one["town"]
    return {
        "posting": one["posting_id"], "area": area, "programme": one["programme"], "round": one["round"],
        "households": one["households"], "persons": one["persons"], "amount_fen": one["amount_fen"],
        "from": one["from_date"], "to": one["to_date"], "state": one["state"], "objections": one["objections"],
        "open_objections": one["open_objections"],
    }  # fmt: skip


def select(
    store: Store,
    policy: Policy,
    month: str,
    *,
    round_: str = "",
    programmes: Iterable[str] = (),
    town: str = "",
    village: str = "",
    posting_id: int = 0,
) -> list[dict[str, Any]]:
    """Live postings by number, or by month and what else is given. UsageError when the month is wrong."""
    if posting_id:
        return postings.live_postings(store, "", posting_id=posting_id)
    codes = {policy.programme(name).code for name in programmes}
    return [
        one
        for one in postings.live_postings(store, check_month(month), round_=round_)
        if (not codes or one["programme"] in codes)
        and (not town or one["town"] == town)
        and (not village or one["village"] == village)
    ]


def overview(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Postings as the command line shows them."""
    return [_brief(one) for one in found]


def close(
    store: Store, found: Sequence[dict[str, Any]], *, today: date, override: str = "", actor: str, now: datetime
) -> Closed:
    """Closes the open ones among ``found`` whose days are over and which have no open objection, or all with a reason.

    RefusedError when none could be closed though some are open.
    """
    ready, left = [], []
    for one in found:
        if one["state"] != "open":
            continue
        if override:
            ready.append(one)
        elif today.isoformat() <= one["to_date"]:
            left.append((one, f"公示到 {one['to_date']} 才期满"))
        elif one["open_objections"]:
            left.append((one, f"有 {one['open_objections']} 件异议没有答复"))
        else:
            ready.append(one)
    if not ready and left:
        reasons = "；".join(dict.fromkeys(why for _, why in left))
        raise RefusedError(
            f"{len(left)} 份公示都还不能结束：{reasons}", "期满并答复异议后再结束；确需提前的，用 --override 写明理由"
        )
    if ready:
        with store.transaction(actor=actor, command="post close", now=now) as tx:
            postings.close_postings(tx, [one["posting_id"] for one in ready], override=override)
    return Closed([one | {"state": "closed"} for one in ready], left)
