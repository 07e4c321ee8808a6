"""How the payments stand (发放情况): every batch and what it waits for, what waits outside batches, success and timeliness, money against budgets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.payment_states import WORDS
from jiuzhu_cli.core.period import check_month, first_day
from jiuzhu_cli.ledger import back_pays, payment_rates, payments, recoveries
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.payment import correction
from jiuzhu_cli.payment.budget import Execution, charges, execution, has_kinds
from jiuzhu_cli.policy.funding import LEVELS, OPEN

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

DUE_DAY = "发放截止日"
# state → who is waited for, and for what
WAITS = {
    "draft": ("经办人", "核对后锁定"), "locked": ("审批人", "审批"), "approved": ("经办人", "放行、导出银行文件"), "released": ("经办人", "导出银行文件"),
    "exported": ("银行", "回盘"), "reconciled": ("经办人", "办结"),
}  # fmt: skip
_SUMS = (
    "due", "due_fen", "sent", "sent_fen", "paid", "paid_fen", "failed", "failed_fen", "reversed", "reversed_fen", "regular_lines", "regular_fen", "timely_lines",
    "timely_fen",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rates:
    """Sums of ``ledger.payment_rates.rates``. ``success``: answered lines that arrived and stayed; ``timely``: by lines; None when there is nothing to
    measure."""

    sums: dict[str, int]

    @property
    def success(self) -> float | None:
        tried = self.sums["paid"] + self.sums["failed"] + self.sums["reversed"]
        return self.sums["paid"] / tried if tried else None

    @property
    def timely(self) -> float | None:
        return self.sums["timely_lines"] / self.sums["regular_lines"] if self.sums["regular_lines"] else None

    def as_json(self) -> dict[str, Any]:
        return self.sums | {"success_rate": _rounded(self.success), "timely_rate": _rounded(self.timely)}


@dataclass(frozen=True, slots=True)
class Standing:
    """``batches``: as ``ledger.payments.batches`` with ``waits_for, waits`` ('' when nothing is waited for). ``outside``: what waits outside batches,
    as (what, lines, 分, command)."""

    first: str
    last: str
    due_day: int
    batches: list[dict[str, Any]]
    outside: list[tuple[str, int, int, str]]
    total: Rates
    by_programme: dict[str, Rates]
    by_town: dict[str, Rates]
    by_source: dict[str, int]
    budget: Execution

    def as_json(self) -> dict[str, Any]:
        keys = ("payment_id", "month", "sequence", "kind", "state", "lines", "amount_fen", "waits_for", "waits")
        return {
            "from": self.first,
            "to": self.last,
            "due_day": self.due_day,
            "batches": [{key: batch[key] for key in keys} for batch in self.batches],
            "outside": [
                {"what": what, "lines": n, "amount_fen": fen, "command": command}
                for what, n, fen, command in self.outside
            ],
            "total": self.total.as_json(),
            "by_programme": {code: rates.as_json() for code, rates in self.by_programme.items()},
            "by_town": {town: rates.as_json() for town, rates in self.by_town.items()},
            "by_source_fen": self.by_source,
            "budget": self.budget.as_json(),
        }


def standing(store: Store, policy: Policy, *, first: str = "", last: str = "", today: date) -> Standing:
    """How payments of the months from ``first`` to ``last`` (paid in; by default the latest month's year so far) stand. UsageError for no month."""
    last = check_month(last) if last else payments.latest_month(store, tuple(WORDS)) or f"{today:%Y-%m}"
    first = check_month(first) if first else f"{last[:4]}-01"
    value = policy.parameter_or_none(DUE_DAY, first_day(last))
    due_day = int(value.value) if value is not None and not isinstance(value.value, str | bool) else 31
    rows = payment_rates.rates(store, first, last, due_day, kinds=has_kinds(policy))
    owing = payment_rates.owing(store)
    batches = []
    for batch in payments.batches(store):
        if first <= batch["month"] <= last:
            who, what = WAITS.get(batch["state"], ("", ""))
            again = owing.get(batch["payment_id"], 0) if batch["state"] == "reconciled" else 0
            batches.append(batch | {"waits_for": who, "waits": f"退回的 {again} 笔补发，再办结" if again else what})
    return Standing(
        first, last, due_day, batches, _outside(store, first, last), _sum(rows), _by(rows, "programme"), _by(rows, "town"), _by_source(policy, rows),
        execution(store, policy, int(last[:4])),
    )  # fmt: skip


def _by_source(policy: Policy, rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """分 that arrived by who pays them, in the order of the levels, what nobody has written last. Towns are added up first: each part is rounded."""
    paid: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = row["programme"], row["kind"], row["month"]
        paid[key] = paid.get(key, 0) + row["paid_fen"]
    found: dict[str, int] = {}
    for (programme, kind, month), fen in paid.items():
        for (_, level), part in charges(policy, programme, kind, month, fen):
            found[level] = found.get(level, 0) + part
    return {level: found[level] for level in (*LEVELS, OPEN) if level in found}


def _outside(store: Store, first: str, last: str) -> list[tuple[str, int, int, str]]:
    held = payment_rates.held_now(store, first, last)
    found = [
        (
            "拦下",
            sum(n for n, _ in held.values()),
            sum(fen for _, fen in held.values()),
            "见各批拦下名单，办理后 jiuzhu pay draft --month 月份",
        )
    ]
    waiting = correction.waiting(store).rows
    found.append(
        (
            "冲正待确认",
            len(waiting),
            sum(row["amount_fen"] for row in waiting),
            "jiuzhu pay reverse --confirm 编号 --actor 确认人",
        )
    )
    for state, what, command in (
        ("found", "补发待确认", "jiuzhu pay back-pay --confirm 编号 --reason 依据"),
        ("confirmed", "补发待制单", "jiuzhu pay draft --month 月份"),
    ):
        rows = [row for row in back_pays.back_pays(store, states=(state,)) if not row["drafted"]]
        found.append((what, len(rows), sum(row["amount_fen"] for row in rows), command))
    claims = recoveries.claims(store, settled=False)
    found.append(("尚待追回", len(claims), sum(row["open_fen"] for row in claims), "jiuzhu pay recover"))
    asked = [row for row in claims if row["asked_fen"]]
    found.append(
        (
            "免收待确认",
            len(asked),
            sum(row["asked_fen"] for row in asked),
            "jiuzhu pay recover --confirm 编号 --actor 确认人",
        )
    )
    return [one for one in found if one[1]]


def _by(rows: list[dict[str, Any]], key: str) -> dict[str, Rates]:
    return {name: _sum(row for row in rows if row[key] == name) for name in sorted({row[key] for row in rows})}


def _sum(rows: Iterable[dict[str, Any]]) -> Rates:
    sums = dict.fromkeys(_SUMS, 0)
    for row in rows:
        for name in _SUMS:
            sums[name] += row[name] or 0
    return Rates(sums)


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 4)
