"""Letting a single case through a gate (单笔放行): asked for by one person, agreed to by another before it counts, for one month only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.actors import same_actor
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger import overrides, payments
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment.holds import BY_CODE
from jiuzhu_cli.payment.plan import compute, payable

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy


def gate_of(text: str) -> str:
    """The code of a gate by its code or name; UsageError for one that is not there or never lets anybody through."""
    found = next((hold for hold in BY_CODE.values() if text in (hold.code, hold.name)), None)
    if found is None:
        names = "、".join(hold.name for hold in BY_CODE.values() if hold.releasable)
        raise UsageError(f"没有叫“{text}”的关口", f"可以放行的：{names}")
    if not found.releasable:
        raise UsageError(f"“{found.name}”不能放行：{found.never}", found.todo)
    return found.code


def ask(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    month: str,
    id_no: str,
    *,
    reason: str,
    programme: str = "",
    gate: str = "",
    actor: str,
    now: datetime,
) -> list[dict[str, Any]]:
    """Asks that the cases of ``id_no`` (recipient) which ``gate`` of ``programme`` holds in ``month`` be let through; returns the rows asked for.

    RefusedError when nothing of the person is held that way, or something else holds it that nobody can let through. UsageError without a
    reason, or when several gates or programmes hold the person and none is named.
    """
    check_month(month)
    if not reason.strip():
        raise UsageError("要写明为什么放行", "加 --reason 理由，例如 --reason '本人到场核实，换了社保卡'")
    code = gate_of(gate) if gate else ""
    chosen = payable(policy, (programme,) if programme else ())
    drafts = payments.batches(store, month=month, states=("draft",))
    plan = compute(store, workspace, policy, month, chosen, without=drafts[0]["payment_id"] if drafts else 0)
    held = [row for row in plan.holds.to_pylist() if row["recipient_id_no"] == id_no]
    if not held:
        raise RefusedError(f"{month} 此人没有被拦下的款", "用 jiuzhu pay draft --dry-run 看拦下了谁", code="not_held")
    programmes = {row["programme"] for row in held}
    if len(programmes) > 1:
        names = "、".join(policy.programmes[one].name for one in sorted(programmes))
        raise UsageError(f"此人有几个项目被拦下：{names}", "加 --programme 写明哪一个")
    never = {row["code"] for row in held if not BY_CODE[row["code"]].releasable}
    if never:
        told = "；".join(f"{BY_CODE[one].name}（{BY_CODE[one].never}）" for one in sorted(never))
        raise RefusedError(f"此人还被不能放行的关口拦着：{told}", BY_CODE[min(never)].todo, code="never")
    wanted = [row for row in held if not code or row["code"] == code]
    codes = {row["code"] for row in wanted or held}
    if not wanted or len(codes) > 1:
        names = "、".join(BY_CODE[one].name for one in sorted(codes))
        raise UsageError(f"此人被拦下的原因是：{names}", "加 --hold 写明放行哪一个；几个原因的逐个申请")
    with store.transaction(actor=actor, command="pay override ask", now=now) as tx:
        numbers = overrides.ask(tx, month, wanted, reason=reason.strip())
    return [one for number in numbers for one in overrides.asked(store, number=number)]


def agree(store: Store, numbers: Sequence[int], *, actor: str, now: datetime) -> list[dict[str, Any]]:
    """The second person agrees, to all of ``numbers`` or none. RefusedError when one was asked for by the same person, or is settled."""
    rows = [_standing(store, number) for number in numbers]
    for row in rows:
        if row["agreed_at"]:
            raise RefusedError(f"第 {row['override_id']} 号已由 {row['agreed_by']} 同意", "不用再同意", code="already")
        if same_actor(actor, row["asked_by"]):
            raise RefusedError(
                f"第 {row['override_id']} 号是 {actor} 申请的，不能自己同意",
                "请另一人同意：--actor 同意人",
                code="own_approval",
            )
    with store.transaction(actor=actor, command="pay override agree", now=now) as tx:
        for row in rows:
            overrides.agree(tx, row["override_id"])
    return [_standing(store, number) for number in numbers]


def end(store: Store, number: int, *, reason: str, actor: str, now: datetime) -> dict[str, Any]:
    """Not agreed to, or taken back; a batch drafted with it must be drafted anew. RefusedError when it has ended."""
    if not reason.strip():
        raise UsageError("要写明为什么", "加 --reason 理由")
    _standing(store, number)
    with store.transaction(actor=actor, command="pay override end", now=now) as tx:
        overrides.end(tx, number, reason.strip())
    return overrides.asked(store, number=number)[0]


def _standing(store: Store, number: int) -> dict[str, Any]:
    found = overrides.asked(store, number=number) if number > 0 else []
    if not found:
        raise UsageError(f"没有第 {number} 号放行", "用 jiuzhu pay override list 查看编号")
    if found[0]["ended_at"]:
        raise RefusedError(f"第 {number} 号放行已由 {found[0]['ended_by']} 撤回", "要放行的重新申请", code="ended")
    return found[0]
