"""Who may approve how much (审批层级): levels as data (``approvals.toml``), and whose turn it is for a batch.

Without levels one approver who is not the drafter is enough. With levels a batch needs the first of them, and every further one up
to the first whose limit holds the batch's sum: 经办科室负责人 → 分管局领导 → 主要负责人. Nobody approves twice, and never the drafter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.actors import same_actor
from jiuzhu_cli.core.errors import RefusedError
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.ledger.payment_moves import moves
from jiuzhu_cli.ledger.store import Store

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import ApprovalLevel


@dataclass(frozen=True, slots=True)
class Turn:
    """``level``: whose turn it is, None without levels; ``after``: names of those that must follow."""

    level: ApprovalLevel | None
    after: tuple[str, ...]


def needed(policy: Policy, amount_fen: int) -> list[ApprovalLevel]:
    """The levels that a batch of that sum must pass, lowest first; [] when none are set up. RefusedError when no level reaches so far."""
    levels = sorted(policy.approval_levels, key=lambda one: (one.limit_fen is None, one.limit_fen or 0, one.id))
    if len({level.name for level in levels}) < len(levels) or [one.limit_fen for one in levels].count(None) > 1:
        raise RefusedError(
            "policy/approvals.toml 里有两级同名，或有两级都不设上限，分不清谁批",
            "运行 jiuzhu policy check，改正后再审批",
            code="levels",
        )
    wanted = []
    for level in levels:
        wanted.append(level)
        if level.limit_fen is None or amount_fen <= level.limit_fen:
            return wanted
    if levels:
        raise RefusedError(
            f"{yuan(amount_fen, grouped=True)} 元超过各级的审批权限（最高 {levels[-1].name} {yuan(levels[-1].limit_fen, grouped=True)} 元）",
            "分成几批制单（--programme），或在 policy/approvals.toml 写明上一级",
            code="above_levels",
        )
    return []


def given(store: Store, payment_id: int) -> list[dict[str, Any]]:
    """The approvals that hold: since the batch was last locked, in order (``level, actor, at, signer``)."""
    found: list[dict[str, Any]] = []
    for move in moves(store, payment_id):
        if move["to_state"] in ("draft", "cancelled") or (move["from_state"], move["to_state"]) == ("draft", "locked"):
            found = []
        elif move["from_state"] == "locked":
            found.append({key: move[key] for key in ("level", "actor", "at", "signer")})
    return found


def waiting(policy: Policy, batch: dict[str, Any], before: Sequence[dict[str, Any]]) -> list[ApprovalLevel]:
    """The levels that have still to approve; those of ``before`` hold wherever they stand in the order. As ``needed`` fails."""
    done = {one["level"] for one in before}
    return [level for level in needed(policy, batch["amount_fen"]) if level.name not in done]


def turn(policy: Policy, batch: dict[str, Any], before: Sequence[dict[str, Any]], actor: str) -> Turn:
    """Whose turn it is when ``actor`` approves; RefusedError when it is not theirs.

    ``before``: the approvals given already.
    """
    if same_actor(actor, batch["drafted_by"]):
        raise RefusedError(
            f"第 {batch['payment_id']} 批是 {actor} 制的单，不能自己审批",
            "请另一人审批：--actor 审批人",
            code="own_approval",
        )
    if any(same_actor(actor, one["actor"]) for one in before):
        raise RefusedError(
            f"{actor} 已审批过第 {batch['payment_id']} 批，上一级要由另一人审批",
            "请上一级审批：--actor 审批人",
            code="same_approver",
        )
    left = waiting(policy, batch, before)
    if not left:
        return Turn(None, ())
    level = left[0]
    if level.persons and not any(same_actor(actor, one) for one in level.persons):
        raise RefusedError(
            f"第 {batch['payment_id']} 批（{yuan(batch['amount_fen'], grouped=True)} 元）现在要由{level.name}审批，{actor} 不在其中",
            f"请 {'、'.join(level.persons)} 审批：--actor 姓名；人员有变动的改 policy/approvals.toml",
            code="not_their_level",
        )
    return Turn(level, tuple(one.name for one in left[1:]))
