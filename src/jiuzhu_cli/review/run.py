"""``jiuzhu review run``: every roll of one month judged at once; the differences become proposals (复核建议)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month, first_day
from jiuzhu_cli.ledger.decisions import last_decision
from jiuzhu_cli.ledger.doubts import confirmed_stops
from jiuzhu_cli.ledger.policies import keep_policy
from jiuzhu_cli.ledger.proposals import (
    PAYING,
    Proposal,
    effective_changes,
    incomplete_lists,
    proposals_of,
    save_proposals,
)
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.amounts import AmountRules, amount_rules, build_amounts
from jiuzhu_cli.review.changes import find_flags, not_judged
from jiuzhu_cli.review.eligibility import REVIEWED, RuleResult, build_facts, compiled_rules, drop_doubtful, failures
from jiuzhu_cli.review.proposing import Sources, propose
from jiuzhu_cli.review.steps import steps_of

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name relation town village category household_size covered_persons "
    "amount_fen base_fen addon_fen care_fen income_fen income_period assets_fen care_mode self_care disability_no disability_kind "
    "disability_grade illness work_ability cause claimed_status stage grade kin_filed start_month event_date"
).split()
REGISTERS = (
    "death",
    "cremation",
    "disability_certificate",
    "severe_illness",
    "staff_and_cadres",
    "school_enrolment",
    "dilapidated_house_survey",
)
HEARING, GRACE = "减停须听取意见", "渐退月数"


@dataclass(slots=True)
class Judgement:
    """A month judged, nothing written yet."""

    proposals: list[Proposal]
    kept: int  # cases judged right
    in_force: int  # cases whose decided change the roll does not show yet
    not_judged: list[dict[str, Any]]
    unconfirmed: list[ParameterValue]
    by_key: dict[int, Proposal]  # case key of the snapshot → proposal
    amounts: AmountRules
    rules: list[RuleResult]


@dataclass(slots=True)
class ReviewRun:
    """What ``review run`` reports; ``as_json`` is the contract's document."""

    month: str
    proposals: int
    by_action: dict[str, int]
    kept: int
    added: int
    gone: int
    in_force: int
    csv: Path
    workbook: Path
    towns: list[Path] = field(default_factory=list)  # a workbook a town, where asked for
    not_judged: list[dict[str, Any]] = field(default_factory=list)
    unconfirmed: list[ParameterValue] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "proposals": self.proposals,
            "by_action": self.by_action,
            "kept": self.kept,
            "added": self.added,
            "gone": self.gone,
            "in_force": self.in_force,
            "csv": str(self.csv),
            "workbook": str(self.workbook),
            "towns": [str(path) for path in self.towns],
            "not_judged": self.not_judged,
            "unconfirmed": [
                {
                    "name": one.name,
                    "value": one.value if isinstance(one.value, bool) else str(one.value),
                    "unit": one.unit,
                    "source": one.source,
                }
                for one in self.unconfirmed
            ],
        }


def run_review(
    store: Store,
    workspace: Workspace,
    policy: Policy,
    month: str,
    *,
    today: date,
    now: datetime,
    actor: str,
    keep_rows: bool = False,
    split_by_town: bool = False,
) -> ReviewRun:
    """Judges the rolls of ``month``, records the proposals, writes the list and the workbook from the record.

    Run again, the same proposals keep their numbers and decisions; what is no longer proposed is ``gone``.
    UsageError when no roll of the month has been imported.
    """
    from jiuzhu_cli.ledger.files import record_file
    from jiuzhu_cli.ledger.snapshot import open_snapshot
    from jiuzhu_cli.review.output import write_outputs

    check_month(month)
    connection = open_snapshot(store, months=(month, month), roll_columns=COLUMNS, registers=REGISTERS)
    try:
        if not connection.execute("SELECT count(*) FROM roll").fetchall()[0][0]:
            raise UsageError(f"{month} 还没有导入任何花名册，没有可复核的", "先用 jiuzhu import 导入当月花名册")
        judged = judge(
            connection, policy, month, today=today, stops=confirmed_stops(store, month), keep_rows=keep_rows, incomplete=incomplete_lists(store, month),
            in_force={(one.programme, one.area, one.id_no): one.amount_after_fen for one in effective_changes(store, month)},
        )  # fmt: skip
    finally:
        connection.close()
    with store.transaction(actor=actor, command="review run", now=now) as tx:
        keep_policy(tx, policy.digest, policy.files.packed)
        saved = save_proposals(tx, month, judged.proposals, policy_digest=policy.digest)
    rows = proposals_of(store, month)
    written = write_outputs(
        workspace, policy, month, rows, judged.not_judged, judged.unconfirmed, seen=last_decision(store), split_by_town=split_by_town
    )  # fmt: skip
    with store.transaction(actor=actor, command="review run", now=now) as tx:
        for path, sha256, kind in written:
            record_file(tx, workspace, path, entity=f"review:{month}", kind=kind, sha256=sha256, lines=len(rows))
    return ReviewRun(
        month=month,
        proposals=len(rows),
        by_action=dict(sorted(Counter(row["action"] for row in rows).items())),
        kept=judged.kept,
        added=saved.added,
        gone=saved.gone,
        in_force=judged.in_force,
        csv=written[0][0],
        workbook=written[1][0],
        towns=[path for path, _, kind in written if kind == "review_town"],
        not_judged=judged.not_judged,
        unconfirmed=judged.unconfirmed,
    )


def judge(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    month: str,
    *,
    today: date,
    stops: list[dict[str, Any]],
    in_force: dict[tuple[str, str, str], int | None],
    keep_rows: bool = False,
    lists: dict[int, dict[str, bool]] | None = None,
    incomplete: Collection[tuple[str, str]] = (),
) -> Judgement:
    """Judges what a snapshot holds of ``month``; reads nothing else and writes nothing (see ``build_facts`` for ``lists``).

    ``incomplete``: (programme, area) of lists of which rows were refused: who is missing there may only be refused.
    """
    build_facts(connection, policy, month, stops, lists)
    present = {row[0] for row in connection.execute("SELECT DISTINCT programme FROM facts").fetchall()}
    programmes = [p for p in policy.programmes.values() if p.code in present and p.benefit in REVIEWED]
    amounts = amount_rules(policy, month, programmes)
    build_amounts(
        connection,
        amounts,
        [(one.a, one.b) for one in policy.relations if one.kind == "T" and policy.switch(one.switch, first_day(month))],
    )
    rules, missing = compiled_rules(policy, month, programmes)
    failed = failures(connection, rules)
    doubtful = drop_doubtful(connection, failed, incomplete)
    flags = find_flags(connection)
    keys = sorted(set(flags) | set(failed))
    facts, verdicts = _rows(connection, keys)
    grace = policy.parameter_or_none(GRACE, first_day(month))
    sources = Sources(
        {p.code: p for p in programmes},
        policy.registers["death"].source if "death" in policy.registers else "",
        policy.registers["staff_and_cadres"].source if "staff_and_cadres" in policy.registers else "",
        today,
        hearing=policy.switch(HEARING, max(today, first_day(month))),
        grace_months=int(Decimal(grace.value)) if grace else 0,
        names={p.code: p.name for p in policy.programmes.values()}
        | {f"register:{r.code}": r.name for r in policy.registers.values()},
    )
    readings = Readings(connection, amounts)
    by_key: dict[int, Proposal] = {}
    skipped = 0
    for key in keys:
        fact = facts[key]
        made = propose(fact, verdicts.get(key), flags.get(key, []), failed.get(key, []), sources)
        decided = in_force.get((made.programme, made.area, made.id_no), -1)
        if decided in (0, None) or (decided != -1 and decided == made.after_fen):
            skipped += 1  # already decided; the roll has not caught up yet
            continue
        if made.action in PAYING and made.after_fen is not None and not _only_dead(made, fact):
            made = replace(made, steps=readings.steps(fact, made.after_fen))
        by_key[key] = made
    kept = _kept(connection)
    proposals = list(by_key.values())
    if keep_rows:
        proposals += _keeps(connection, month)
    return Judgement(
        proposals,
        kept,
        skipped,
        [*_gaps(connection, amounts, missing), *doubtful],
        _unconfirmed(amounts, rules),
        by_key,
        amounts,
        rules,
    )


def _only_dead(made: Proposal, fact: dict[str, Any]) -> bool:
    """A stop that follows from a death alone has no sum to show."""
    return made.action == "stop" and bool(fact["dead"])


class Readings:
    """The readings of the flagged cases' amounts, fetched at once: a change of standard touches every case."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, rules: AmountRules, which: str = "JOIN wanted USING (key)"
    ) -> None:
        self.rules = rules
        self.readings: dict[int, list[dict[str, Any]]] = {}
        self.addons: dict[tuple[int, str], list[dict[str, Any]]] = {}
        for one in rows_of(connection, f"SELECT c.* FROM candidate c {which} ORDER BY key, place, town_kind, low"):
            self.readings.setdefault(one["key"], []).append(one)
        for one in rows_of(
            connection, f"SELECT p.* FROM addon_person p {which} WHERE low > 0 ORDER BY key, kind, id_no"
        ):
            self.addons.setdefault((one["key"], one["kind"]), []).append(one)

    def steps(self, fact: dict[str, Any], amount_fen: int, *, every: bool = False) -> tuple[dict[str, Any], ...]:
        """``amount_fen`` step by step by the first reading that gives it (``every``: the per-head reading too); () when none does."""
        for one in self.readings.get(fact["key"], []):
            if one["low"] <= amount_fen <= one["high"] and (every or one["place"] == 1):
                return tuple(
                    steps_of(fact, one, amount_fen, self.addons.get((fact["key"], one["town_kind"]), []), self.rules)
                )
        return ()


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str, params: list[Any] | None = None) -> list[dict[str, Any]]:
    """Rows of a query as dicts."""
    cursor = connection.execute(sql, params or [])
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _rows(
    connection: duckdb.DuckDBPyConnection, keys: list[int]
) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, Any]]]:
    """Facts and verdicts of the flagged cases only."""
    connection.execute("CREATE TABLE wanted (key BIGINT)")
    # a list parameter: registering an Arrow table would import pandas, half a second for ``explain``
    connection.execute("INSERT INTO wanted SELECT unnest(CAST(? AS BIGINT[]))", [keys])
    facts = rows_of(
        connection,
        "SELECT f.*, k.who AS kin_who FROM facts f JOIN wanted USING (key) LEFT JOIN kin_case k USING (key)",
    )
    verdicts = rows_of(connection, "SELECT v.* FROM verdict v JOIN wanted USING (key)")
    return {row["key"]: row for row in facts}, {row["key"]: row for row in verdicts}


def _kept(connection: duckdb.DuckDBPyConnection) -> int:
    return int(
        connection.execute(
            "SELECT count(*) FROM verdict v WHERE v.fits AND v.key NOT IN (SELECT key FROM wanted)"
        ).fetchall()[0][0]
    )


def _keeps(connection: duckdb.DuckDBPyConnection, month: str) -> list[Proposal]:
    rows = connection.execute(
        "SELECT f.programme, f.place, f.id_no, f.name, f.amount_fen FROM facts f JOIN verdict v USING (key)"
        " WHERE v.fits AND f.key NOT IN (SELECT key FROM wanted) ORDER BY f.key"
    ).fetchall()
    return [
        Proposal("|".join((month, programme, place, id_no, "keep", str(fen))), month, programme, place, id_no, name, "keep",
                 fen, fen, month, "金额与资格核对相符", "", (), False)
        for programme, place, id_no, name, fen in rows
    ]  # fmt: skip


def _gaps(connection: duckdb.DuckDBPyConnection, amounts: AmountRules, missing: list[str]) -> list[dict[str, Any]]:
    gaps = not_judged(connection)
    return gaps + [
        {"programme": "", "area": "", "cases": 0, "reason": text} for text in dict.fromkeys(amounts.missing + missing)
    ]


def _unconfirmed(amounts: AmountRules, rules: list[RuleResult]) -> list[ParameterValue]:
    used = [*amounts.used, *(value for rule in rules for value in rule.parameters)]
    return sorted(
        {one.name: one for one in used if not one.confirmed}.values(),
        key=lambda one: one.name,
    )
