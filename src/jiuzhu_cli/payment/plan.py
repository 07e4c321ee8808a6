"""The plan of a payment (制单): who is owed how much this month, what holds back whom, as one set. ``draft`` writes it down.

A case is a roll row with an amount. Its due amount is the roll's, changed by effective review decisions. What is owed once is
an obligation (programme, month, recipient, item); a person is paid once for it whatever is run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from jiuzhu_cli import __version__
from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.period import check_month
from jiuzhu_cli.ledger import overrides, payables, payments
from jiuzhu_cli.ledger.payment_digests import AXES, add_digests, basis_digest, sealed_lines
from jiuzhu_cli.ledger.payment_moves import set_cancelled
from jiuzhu_cli.ledger.policies import keep_policy
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.payment import arrears, holds
from jiuzhu_cli.payment.basis import PARTS_SQL, bases
from jiuzhu_cli.payment.budget import purse_of
from jiuzhu_cli.payment.candidates import prepare
from jiuzhu_cli.payment.earlier import add_earlier
from jiuzhu_cli.payment.lists import write_holds
from jiuzhu_cli.payment.routing import file_warnings
from jiuzhu_cli.payment.transfers import crowded, said

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from jiuzhu_cli.policy.load import Policy
    from jiuzhu_cli.policy.model import Programme

# lines in the order of the bank's files; transfers in that of their first lines: those of a bank stand together
_PLAN_LINES = """
CREATE TABLE planned AS
WITH numbered AS (
  SELECT c.n, row_number() OVER w AS line_no, sum(CASE WHEN c.obligation_id IS NULL THEN 1 ELSE 0 END) OVER w AS nth_new FROM every_case c
  WHERE c.live_fen IS NULL AND NOT c.stopped AND c.n NOT IN (SELECT n FROM held)
  WINDOW w AS (ORDER BY c.bank, c.programme, c.town, c.village, c.recipient, c.item, c.month, c.owed_cause)),
chosen AS (
  SELECT c.*, coalesce(k.kept_fen, 0) AS kept_fen, z.line_no, z.nth_new
  FROM numbered z JOIN every_case c USING (n) LEFT JOIN kept_back k USING (n)),
paired AS ({paired})
SELECT n, line_no, {transfer_no} AS transfer_no, $line_id - 1 + line_no AS line_id,
       coalesce(obligation_id, CAST($obligation_id - 1 + nth_new AS BIGINT)) AS obligation_id, CASE WHEN obligation_id IS NULL THEN 1 ELSE 0 END AS new,
       programme, month, recipient AS recipient_id_no, item, owed_purpose AS purpose, owed_cause AS cause, recipient_name, town, village, due_fen - kept_fen AS amount_fen,
       kept_fen AS set_off_fen, greatest(persons, 1) AS persons, row_id AS roll_row_id,
       CASE WHEN due_fen <> amount_fen THEN coalesce(change_case, '') ELSE '' END AS case_id, bank, account_no, payee_name, payee_id_no, bank_name, bank_code,
       {parts} AS parts, batch_id, coalesce(failed, 0) AS failed
FROM paired
"""
# one payee's lines go in one transfer where the bank's layout has it so, unless they come to more than one transfer may carry
_COMBINED = {
    "paired": """
  SELECT *, CASE WHEN c.combine AND c.n NOT IN (SELECT n FROM apart) AND (coalesce(min(nullif(cap_fen, 0)) OVER p, 0) = 0 OR sum(due_fen - kept_fen) OVER p <= min(nullif(cap_fen, 0)) OVER p)
                 THEN min(line_no) OVER p ELSE line_no END AS first_no
  FROM chosen c WINDOW p AS (PARTITION BY c.bank, c.combine, c.account_no, c.payee_name)""",
    "transfer_no": "dense_rank() OVER (ORDER BY first_no)",
}
_SINGLE = {"paired": "SELECT * FROM chosen", "transfer_no": "line_no"}
_PLAN_BASES = """
CREATE TABLE basis_kind AS SELECT row_number() OVER (ORDER BY programme, month, batch_id, town, case_id) AS basis_no, *
FROM (SELECT DISTINCT programme, month, batch_id, town, case_id FROM planned)
"""
_WITH_BASIS = """
CREATE TABLE sealing AS SELECT p.* EXCLUDE (batch_id, n), k.basis_no, b.basis_sha FROM planned p JOIN basis_kind k USING (programme, month, batch_id, town, case_id) JOIN basis b USING (basis_no)
"""
# what the lines of the plan were let through, and on whose word: a single case's before the batch's
_OVERRIDES = """
SELECT p.line_id, h.code, h.reason AS hold_reason, a.reason, a.asked_by, a.asked_at, a.agreed_by, a.agreed_at, a.override_id
FROM hold h JOIN every_case c USING (n) JOIN planned p USING (n)
LEFT JOIN agreed a ON a.programme = c.programme AND a.recipient_id_no = c.recipient AND a.item = c.item AND a.code = h.code
WHERE h.released AND h.n NOT IN (SELECT n FROM held) ORDER BY p.line_id, h.code
"""
_TOTALS = " UNION ALL ".join(
    f"SELECT '{axis}' AS axis, {axis} AS name, count(*) AS lines, CAST(sum(amount_fen) AS BIGINT) AS amount_fen FROM planned GROUP BY {axis}"
    for axis in AXES
)


@dataclass(frozen=True, slots=True)
class Sums:
    """分 of the month's cases: ``due`` = those drafted + ``held`` + ``already`` + ``set_off`` (kept back towards recoveries); ``rolls``: as the rolls
    have it, before decisions; ``back_pay``: for earlier months, in ``due``."""

    rolls: int
    due: int
    held: int
    already: int
    back_pay: int = 0
    set_off: int = 0
    back_pays: int = 0  # cases


@dataclass(slots=True)
class Plan:
    """What may be paid and what is held. ``lines``/``holds``: Arrow tables as staged; ``already``: cases paid or under way."""

    month: str
    lines: pa.Table
    holds: pa.Table
    already: int
    holds_by_code: dict[str, int]
    held: int
    released: dict[str, int]
    sums: Sums
    bases: pa.Table | None
    totals: pa.Table
    overrides: pa.Table
    set_offs: pa.Table  # line_id, recovery_id, amount_fen
    apart: list[str]  # transfers not combined though asked for, as their bank's file cannot hold the whole

    @property
    def count(self) -> int:
        return self.lines.num_rows

    @property
    def amount_fen(self) -> int:
        import pyarrow.compute as pc

        return int(pc.sum(self.lines["amount_fen"]).as_py() or 0)

    @property
    def kind(self) -> str:
        """``retry`` when every line was tried before, ``back_pay`` when every line is for a month that was paid already."""
        import pyarrow.compute as pc

        if self.count and pc.all(pc.equal(self.lines["purpose"], "back_pay")).as_py():
            return "back_pay"
        return "retry" if self.count and pc.min(self.lines["failed"]).as_py() else "regular"


@dataclass(slots=True)
class Draft:
    """The draft as shown. ``unchanged``: the same batch as before, nothing was written."""

    batch: dict[str, Any]
    holds_by_code: dict[str, int]
    held: int
    already: int
    unchanged: bool
    released: dict[str, int]
    warnings: list[str]
    sums: Sums
    files: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        keys = ("month", "sequence", "kind", "state", "lines", "amount_fen")
        return {
            "batch": self.batch["payment_id"],
            **{key: self.batch[key] for key in keys},
            "files": [],
            "held": self.held,
            "held_fen": self.sums.held,
            "holds_by_code": self.holds_by_code,
            "holds_files": self.files,
            "already": self.already,
            "already_fen": self.sums.already,
            "due_fen": self.sums.due,
            "rolls_fen": self.sums.rolls,
            "back_pay_fen": self.sums.back_pay,
            "set_off_fen": self.sums.set_off,
            "unchanged": self.unchanged,
            "override": self.batch["override_reason"],
            "released_by_code": self.released,
            "warnings": self.warnings,
        }


def payable(policy: Policy, names: Sequence[str]) -> list[Programme]:
    """The programmes to pay: all payable ones, or those named. UsageError for one that is never paid."""
    if not names:
        return [p for p in policy.programmes.values() if p.is_paid]
    chosen = [policy.programme(name) for name in names]
    for programme in chosen:
        if not programme.is_paid:
            raise UsageError(f"{programme.name}不发钱，不能制单", "去掉它，或不写 --programme 制全部项目")
    return chosen


def compute(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    month: str,
    programmes: Sequence[Programme],
    *,
    override: str = "",
    without: int = 0,
    sealed: bool = True,
) -> Plan:
    """The plan of ``month``: lines to pay and holds with reasons. Reads only. ``sealed``: with bases and digests, as a draft keeps them."""
    connection = prepare(store, workspace, policy, month, programmes, without=without)
    add_earlier(connection, store, policy, month)
    holds.ask(connection, policy, month, override=bool(override))
    arrears.add(connection, store, workspace, policy, month, programmes, override=bool(override), without=without)
    holds.ask_money(
        connection, policy, month, override=bool(override),
        purse_of=lambda year: purse_of(store, policy, year, without=without),
    )  # fmt: skip
    connection.execute(
        "CREATE TABLE kept_back AS SELECT n, CAST(sum(fen) AS BIGINT) AS kept_fen FROM set_off GROUP BY n"
    )
    obligation_id, line_id = payments.next_ids(store)
    combined = connection.execute(
        "SELECT (SELECT count(*) FROM route WHERE combine) + (SELECT count(*) FROM arrear WHERE combine)"
    ).fetchall()[0][0]
    planning = _PLAN_LINES.format(parts=PARTS_SQL, **(_COMBINED if combined else _SINGLE))
    connection.execute("CREATE TABLE apart (n BIGINT)")
    connection.execute(planning, {"obligation_id": obligation_id, "line_id": line_id})
    too_much = crowded(connection, "planned", workspace, policy) if combined else []
    if too_much:  # each of its lines fits by itself, or the gate ``unfit`` would have held it
        numbers = [one.transfer_no for one in too_much]
        connection.execute(
            "INSERT INTO apart SELECT n FROM planned WHERE list_contains(?::BIGINT[], transfer_no)", [numbers]
        )
        connection.execute("DROP TABLE planned")
        connection.execute(planning, {"obligation_id": obligation_id, "line_id": line_id})
    found = _seal(connection, store, policy) if sealed else None
    planned = connection.execute("SELECT count(*) FROM planned").fetchall()[0][0]
    totals = connection.sql(_TOTALS).to_arrow_table()
    kept_back = connection.sql(
        "SELECT c.n, c.programme, c.recipient AS recipient_id_no, c.recipient_name, c.town, c.due_fen AS amount_fen, h.code, h.reason, h.source, c.item"
        " FROM hold h JOIN every_case c USING (n) WHERE NOT h.released ORDER BY c.n, h.code"
    ).to_arrow_table()
    let_through = connection.sql(_OVERRIDES).to_arrow_table()
    by_code = dict(
        connection.execute("SELECT code, count(*) FROM hold WHERE NOT released GROUP BY code ORDER BY code").fetchall()
    )
    released = dict(
        # a case that another reason still holds was not let through
        connection.execute(
            "SELECT code, count(*) FROM hold WHERE released AND n NOT IN (SELECT n FROM held) GROUP BY code ORDER BY code"
        ).fetchall()
    )
    held, already, *sums = connection.execute(
        "SELECT count(*) FILTER (h), count(*) FILTER (NOT h AND live_fen IS NOT NULL), sum(amount_fen), sum(due_fen), sum(due_fen) FILTER (h),"
        " sum(due_fen) FILTER (NOT h AND live_fen IS NOT NULL), (SELECT sum(due_fen) FROM arrear), (SELECT sum(fen) FROM set_off), (SELECT count(*) FROM arrear)"
        " FROM (SELECT *, n IN (SELECT n FROM held) AS h FROM every_case)"
    ).fetchall()[0]
    set_offs = connection.sql(
        "SELECT p.line_id, s.recovery_id, s.fen AS amount_fen FROM set_off s JOIN planned p USING (n) ORDER BY 1, 2"
    ).to_arrow_table()
    for table in ("candidate", "members", "member"):  # the lines come last, when little else of their size is kept
        connection.execute(f"DROP TABLE {table}")
    if sealed:
        connection.execute("DROP TABLE planned")
        lines = add_digests(connection, "sealing")
    else:
        lines = connection.sql("SELECT * EXCLUDE (batch_id, n) FROM planned ORDER BY line_no").to_arrow_table()
    assert lines.num_rows == planned, "a planned line has no basis"
    connection.close()
    return Plan(
        month,
        lines,
        kept_back,
        already,
        by_code,
        held,
        released,
        Sums(*(int(fen or 0) for fen in sums)),
        found,
        totals,
        let_through,
        set_offs,
        said(too_much),
    )


def _seal(connection: duckdb.DuckDBPyConnection, store: Store, policy: Policy) -> pa.Table:
    """Makes ``sealing``, the planned lines with what they rest on; returns the bases (``basis_no, content``)."""
    connection.execute(_PLAN_BASES)
    kinds = connection.sql("SELECT * FROM basis_kind ORDER BY basis_no").to_arrow_table()
    rolls = connection.sql("SELECT * FROM rolls").to_arrow_table()
    found = bases(policy, kinds, rolls, payables.decided(store, kinds["case_id"].unique().to_pylist()))
    connection.register(
        "basis", found.append_column("basis_sha", [[basis_digest(one) for one in found["content"].to_pylist()]])
    )
    connection.execute(_WITH_BASIS)
    return found


def draft(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    month: str,
    *,
    actor: str,
    now: datetime,
    programmes: Sequence[str] = (),
    override: str | None = None,
) -> Draft:
    """Makes or renews the draft of ``month``.

    RefusedError when duplicates were never looked for in that month (unless overridden), and when nothing is owed that may
    be paid. UsageError for an empty override reason.
    """
    check_month(month)
    if override is not None and not override.strip():
        raise UsageError("--override 后面要写明理由", "例如 --override '区政府专题会议纪要〔2026〕8号'")
    reason = (override or "").strip()
    chosen = payable(policy, programmes)
    with store.writing(actor, "pay draft"):
        if not payables.compared(store, month).seq and not reason:
            raise RefusedError(
                f"{month} 还没有比对过，不能制单", f"先运行 jiuzhu dedupe run --month {month}", code="not_compared"
            )
        drafts = payments.batches(store, month=month, states=("draft",))
        standing = drafts[0] if drafts else None
        plan = compute(
            store, workspace, policy, month, chosen, override=reason, without=standing["payment_id"] if standing else 0
        )
        if not plan.count:
            _nothing_owed(store, workspace, policy, plan, standing, actor=actor, now=now)
        unchanged = standing is not None and _same(store, standing, plan, reason)
        if not unchanged:
            rests_on = drafted_from(policy, workspace)
            standing = _write(
                store, plan, standing, policy, reason, chosen if programmes else [], rests_on, actor=actor, now=now
            )
        assert standing is not None
        warnings = [*plan.apart, *file_warnings(store, workspace, policy, standing)]
        files = write_holds(store, workspace, policy, plan, standing, actor=actor, now=now)
    return Draft(
        standing, plan.holds_by_code, plan.held, plan.already, unchanged, plan.released, warnings, plan.sums, files
    )


def _write(
    store: Store,
    plan: Plan,
    standing: dict[str, Any] | None,
    policy: Policy,
    reason: str,
    chosen: Iterable[Programme],
    rests_on: str,
    *,
    actor: str,
    now: datetime,
) -> dict[str, Any]:
    for name, table in (
        ("line", plan.lines),
        ("hold", plan.holds),
        ("basis", plan.bases),
        ("total", plan.totals),
        ("override", plan.overrides),
        ("set_off", plan.set_offs),
    ):
        store.stage(f"plan_{name}", table)
    with store.transaction(actor=actor, command="pay draft", now=now) as tx:
        keep_policy(tx, policy.digest, policy.files.packed)
        if standing:
            overrides.erase_of_draft(tx, standing["payment_id"])
        payment_id = payments.save_draft(
            tx,
            payment_id=standing["payment_id"] if standing else 0,
            month=plan.month,
            kind=plan.kind,
            lines=plan.count,
            amount_fen=plan.amount_fen,
            policy_digest=policy.digest,
            override=reason,
        )
        overrides.save_of_draft(tx, payment_id, reason)
        detail = {
            "month": plan.month, "kind": plan.kind, "lines": plan.count, "amount_fen": plan.amount_fen, "held": plan.held,
            "holds": plan.holds_by_code, "override": reason, "released": plan.released, "programmes": [p.code for p in chosen], "redrafted": bool(standing),
            "rests_on": rests_on,
        }  # fmt: skip
        tx.journal(f"payment:{payment_id}", detail)
    return payments.batch(store, payment_id)


def _nothing_owed(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    plan: Plan,
    standing: dict[str, Any] | None,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Always raises; a draft that has become empty is cancelled first, the holds are told and written out."""
    if standing is not None:
        with store.transaction(actor=actor, command="pay draft", now=now) as tx:
            set_cancelled(tx, standing["payment_id"], "没有要发的款")
            tx.journal(f"payment:{standing['payment_id']}", {"cancelled": "empty"})
    done = f"{plan.already} 笔已发或在途" if plan.already else ""
    if not plan.held:
        raise RefusedError(
            f"{plan.month} 没有要发的款" + (f"（{done}）" if done else "（没有可发项目的花名册）"),
            "本月不必再制单",
            code="nothing_owed",
        )
    files = write_holds(store, workspace, policy, plan, None, actor=actor, now=now)
    words = "、".join(f"{holds.BY_CODE[code].name} {count}" for code, count in plan.holds_by_code.items())
    raise RefusedError(
        f"{plan.month} 没有能发的新款：{plan.held} 笔被拦下（{words}）" + (f"，{done}" if done else ""),
        f"逐笔处理后再制单，名单见 {files[0]}" if files else "逐笔处理后再制单",
        code="all_held",
    )


def drafted_from(policy: Policy, workspace: Workspace) -> str:
    """What a plan rests on beside the ledger: the policy's files, the workspace's settings and this program; nothing else, and no clock."""
    return sha256(repr((policy.digest, sorted(workspace.config.items()), __version__)).encode()).hexdigest()


def _same(store: Store, standing: dict[str, Any], plan: Plan, reason: str) -> bool:
    """Whether the draft on record already says exactly this."""
    if standing["override_reason"] != reason or standing["lines"] != plan.count:
        return False
    keys = ["programme", "recipient_id_no", "town", "code", "reason"]
    recorded = payments.holds(store, standing["payment_id"])
    held = [[row[key] for key in keys] for row in recorded]
    planned = list(zip(*(plan.holds[key].to_pylist() for key in keys), strict=True))
    if sorted(map(tuple, held)) != sorted(planned):
        return False
    through = (plan.overrides[key].to_pylist() for key in ("code", "hold_reason", "override_id"))
    if sorted((code, why, number or 0) for code, why, number in zip(*through, strict=True)) != overrides.recorded(
        store, standing["payment_id"]
    ):
        return False
    return bool(sealed_lines(store, standing["payment_id"])["digest"].equals(plan.lines["digest"]))


def lines_gone(drafted: pa.Table, planned: pa.Table) -> int:
    """How many lines ``drafted`` are not in the plan as they stand: recipient, programme, item, payee, account, bank, amounts."""
    import duckdb

    keys = (
        "programme, month, recipient_id_no, item, purpose, cause, bank, account_no, payee_name, amount_fen, set_off_fen"
    )
    with duckdb.connect(":memory:") as connection:
        connection.register("drafted", drafted)
        connection.register("planned", planned)
        gone = connection.execute(
            f"SELECT count(*) FROM (SELECT {keys} FROM drafted EXCEPT SELECT {keys} FROM planned)"
        ).fetchall()
    return int(gone[0][0])
