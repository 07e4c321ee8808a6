"""``jiuzhu dedupe run``: looks for doubts over a snapshot, folds them into the record, writes the CSV and the workbooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.doubt import BLOCKING_KINDS
from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import add_months, check_month, months_between
from jiuzhu_cli.dedupe.accounts import KIN_REGISTERS, find_accounts
from jiuzhu_cli.dedupe.again import find_again, months_back
from jiuzhu_cli.dedupe.ceiling import refuse_absurd
from jiuzhu_cli.dedupe.checks import find_by_checks
from jiuzhu_cli.dedupe.circumstances import REGISTERS
from jiuzhu_cli.dedupe.claims import find_claims
from jiuzhu_cli.dedupe.conflicts import CODES, EVENT_REGISTERS, find_conflicts
from jiuzhu_cli.dedupe.deadline import Deadlines
from jiuzhu_cli.dedupe.engine import on_engine
from jiuzhu_cli.dedupe.events import find_events
from jiuzhu_cli.dedupe.evidence import Speaker
from jiuzhu_cli.dedupe.facts import DESCRIBING, LINE_COLUMNS, ROLL_COLUMNS, answer_questions, build_facts
from jiuzhu_cli.dedupe.hits import COLUMNS as HIT
from jiuzhu_cli.dedupe.hits import create_hits
from jiuzhu_cli.dedupe.households import find_households
from jiuzhu_cli.dedupe.missed import find_missed
from jiuzhu_cli.dedupe.output import Written, write_outputs
from jiuzhu_cli.dedupe.payees import BACK, divided_programmes, find_payees, number
from jiuzhu_cli.dedupe.persons import find_persons, say_as_stated, take_as_one
from jiuzhu_cli.ledger.doubt_records import records_beside
from jiuzhu_cli.ledger.doubts import (
    RunCounts,
    doubts_of,
    earlier_pending,
    one_person,
    record_run,
    stage_run,
    status_questions,
)
from jiuzhu_cli.ledger.files import record_file, recorded_files, set_aside
from jiuzhu_cli.ledger.lookback import create_lookback, load_lookback
from jiuzhu_cli.ledger.policies import keep_policy
from jiuzhu_cli.ledger.snapshot import open_snapshot
from jiuzhu_cli.ledger.verdicts import decisions_seen

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from jiuzhu_cli.compute.tables import Tables
    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy


@dataclass(frozen=True, slots=True)
class DedupeResult:
    """What a run found. ``doubts``: all that the rolls show, decided ones included; ``open``: those still to be decided."""

    month: str
    month_from: str
    doubts: list[dict[str, Any]]
    counts: RunCounts
    not_judged: list[dict[str, Any]]
    earlier: int
    csv: Path
    workbook: Path
    town_workbooks: list[Path] = field(default_factory=list)
    overdue: int = 0
    stale_workbooks: list[Path] = field(default_factory=list)  # of an earlier run of the month, not written by this one
    filled_workbooks: list[Path] = field(default_factory=list)  # filled in, not read back yet: kept beside

    @property
    def open(self) -> int:
        return sum(1 for doubt in self.doubts if doubt["disposition"] == "pending")

    @property
    def strong(self) -> int:
        return sum(1 for doubt in self.doubts if doubt["disposition"] == "pending" and doubt["severity"] == "strong")

    @property
    def blocking(self) -> int:
        """Strong doubts without a decision that hold payments back; missed aid never does."""
        return sum(
            1
            for doubt in self.doubts
            if doubt["disposition"] == "pending" and doubt["severity"] == "strong" and doubt["kind"] in BLOCKING_KINDS
        )

    def by(self, column: str) -> dict[str, int]:
        return dict(sorted(Counter(doubt[column] for doubt in self.doubts).items()))

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "from": self.month_from,
            "doubts": len(self.doubts),
            "open": self.open,
            "strong": self.strong,
            "blocking": self.blocking,
            "decided": len(self.doubts) - self.open,
            "new": self.counts.added,
            "changed": self.counts.changed,
            "gone": self.counts.gone,
            "reopened": self.counts.reopened,
            "earlier_pending": self.earlier,
            "overdue": self.overdue,
            "by_kind": self.by("kind"),
            "by_code": self.by("code"),
            "amount_fen": sum(doubt["amount_fen"] for doubt in self.doubts),
            "csv": str(self.csv),
            "workbook": str(self.workbook),
            "town_workbooks": [str(path) for path in self.town_workbooks],
            "stale_workbooks": [str(path) for path in self.stale_workbooks],
            "not_judged": self.not_judged,
        }


def run_dedupe(
    workspace: Workspace,
    store: Store,
    policy: Policy,
    *,
    month: str,
    month_from: str = "",
    split_by_town: bool = False,
    accept_doubles: bool = False,
    engine: str = "duckdb",
    actor: str,
    now: datetime | None = None,
    today: date | None = None,
) -> DedupeResult:
    """Looks for doubts in the rolls of ``month_from`` (default ``month``) to ``month``.

    UsageError for a wrong month or when no roll of ``month`` has been imported; RefusedError where a roll is doubled beyond all likelihood
    (unless ``accept_doubles``). The record is changed first, then the files are
    written from it: run again after a crash, the same bytes come out. ``today``: for what is overdue; without it nothing is.
    """
    first = check_month(month_from) if month_from else check_month(month)
    if first > check_month(month):
        raise UsageError(f"起始月份 {first} 晚于 {month}", "--from 要早于或等于 --month")
    months = months_between(first, month)
    speaker = Speaker(policy)
    with ThreadPoolExecutor(2) as aside:
        found, by_month, not_judged = _search(
            store, policy, months, towns=workspace.towns, accept_doubles=accept_doubles, engine=engine, aside=aside
        )
        stage_run(store, found, by_month)
        with store.transaction(actor=actor, command="dedupe run", now=now) as tx:
            keep_policy(tx, policy.digest, policy.files.packed)
            counts = record_run(tx, run_month=month, window=(first, month), policy=policy.digest, tell=speaker.evidence)
        beside = aside.submit(records_beside, store, (first, month))
        doubts = doubts_of(store, (first, month))
        earlier = earlier_pending(store, first)
        deadlines = Deadlines(policy)
        filled = set_aside(store, workspace, f"dedupe:{month}", frozenset({"doubts_workbook"}))
        written = write_outputs(
            workspace.internal / "dedupe" / month,
            doubts,
            beside.result(),
            speaker,
            deadlines,
            today=today,
            seen=decisions_seen(store, (first, month)),
            month=month,
            month_from=first,
            not_judged=not_judged,
            earlier=earlier,
            bureau=workspace.bureau,
            split_by_town=split_by_town,
        )
        with store.transaction(actor=actor, command="dedupe run", now=now) as tx:
            for file in written.files:
                record_file(tx, workspace, file.path, entity=f"dedupe:{month}", kind=file.kind, sha256=file.sha256, lines=file.lines)  # fmt: skip
    return DedupeResult(
        month, first, doubts, counts, not_judged, earlier, written.csv, written.workbook, written.town_workbooks,
        sum(deadlines.overdue(doubt, today) for doubt in doubts), _stale(workspace, store, month, written), filled,
    )  # fmt: skip


def _stale(workspace: Workspace, store: Store, month: str, written: Written) -> list[Path]:
    """Workbooks of an earlier run of ``month`` that still lie there: somebody may have filled them in, so they are told, not removed."""
    now = {file.path for file in written.files}
    earlier = (
        workspace.root / str(file["path"])
        for file in recorded_files(store, entity=f"dedupe:{month}")
        if file["kind"] == "doubts_workbook"
    )
    return [path for path in earlier if path not in now and path.exists()]


def _search(
    store: Store,
    policy: Policy,
    months: list[str],
    *,
    towns: Iterable[str],
    accept_doubles: bool,
    engine: str,
    aside: ThreadPoolExecutor,
) -> tuple[pa.Table, pa.Table, list[dict[str, Any]]]:
    """The two tables for ``stage_run``, and what cannot be judged. The engine's memory is given back ``aside``: that takes a while."""
    first, month = months[0], months[-1]
    wanted = sorted(
        {*EVENT_REGISTERS, *KIN_REGISTERS, *DESCRIBING, *REGISTERS, *_contradicting(policy), *_describing(policy)}
    )
    connection = open_snapshot(
        store,
        months=(first, month),
        roll_columns=ROLL_COLUMNS,
        registers=wanted,
        register_columns=LINE_COLUMNS,
        places=False,
        narrow=True,
    )
    try:
        if not connection.execute("SELECT count(*) FROM coverage WHERE month = ?", [month]).fetchall()[0][0]:
            raise UsageError(f"{month} 还没有导入任何花名册", "先用 jiuzhu import 导入当月名册")
        answer_questions(connection, status_questions(store))
        _look_back(store, connection, policy, first, month)
        take_as_one(connection, one_person(store))
        with on_engine(engine, connection) as tables:
            not_judged = find_doubts(tables, policy, months, towns=towns)
        say_as_stated(connection)
        if not accept_doubles:
            refuse_absurd(connection, policy, Speaker(policy), months)
        found, by_month = _fold(connection, Speaker(policy))
    finally:
        aside.submit(connection.close)
    return found, by_month, not_judged


def find_doubts(
    connection: Tables, policy: Policy, months: list[str], *, towns: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """Fills the table ``hit`` of a snapshot's connection. Returns what cannot be judged: ``kind, programme, town, month, persons, reason``."""
    relations = policy.relations
    build_facts(
        connection,
        programmes=policy.programmes.values(),
        months=months,
        contradicting=_contradicting(policy),
        describing=_describing(policy),
        ending={code for code, register in policy.registers.items() if register.event_ends},
        towns=list(towns),
    )
    create_hits(connection)
    create_lookback(connection)
    not_judged = find_conflicts(connection, policy, relations, months)
    find_again(connection, policy, relations, months)
    find_events(connection)
    not_judged += find_by_checks(connection, policy, months)
    not_judged += find_claims(connection, policy, months)
    find_accounts(connection)
    find_payees(connection, policy, months)
    find_households(connection, policy, months)
    not_judged += find_missed(connection, policy, relations, months)
    find_persons(connection)
    return not_judged


def _look_back(store: Store, connection: duckdb.DuckDBPyConnection, policy: Policy, first: str, last: str) -> None:
    """What the checks need of the months before the run's first."""
    back = {relation.a: months_back(policy, relation, first) for relation in policy.relations if relation.within}
    load_lookback(
        store,
        connection,
        window=(first, last),
        since=add_months(first, -int(number(policy, BACK, first) or 0)),
        once=sorted(back),
        once_since=add_months(first, -max(back.values(), default=0)),
        homes=divided_programmes(policy),
    )


def _contradicting(policy: Policy) -> set[str]:
    """Registers whose entries bar a payment."""
    return _registers(side for r in policy.relations if r.kind in CODES for side in (r.a, r.b))


def _describing(policy: Policy) -> set[str]:
    """Registers that say what somebody is due, or bear out a claim."""
    return _registers([r.a for r in policy.relations if r.kind in ("E", "C")]) | _registers(
        programme for claim in policy.claims for programme in claim.programmes
    )


def _registers(sides: Iterable[str]) -> set[str]:
    return {side[9:] for side in sides if side.startswith("register:")}


_FOLDED = """
WITH place AS (
  SELECT row_id, concat_ws(' ', file_name, nullif(sheet, ''), '第' || source_row || '行') AS source
  FROM roll JOIN origin o USING (batch_id, table_no) WHERE o.kind = 'roll' AND row_id IN (SELECT row_a FROM hit UNION SELECT row_b FROM hit)
  UNION ALL
  SELECT row_id, concat_ws(' ', file_name, nullif(sheet, ''), '第' || source_row || '行') FROM before
  WHERE row_id IN (SELECT row_b FROM hit)
  UNION ALL
  SELECT -row_id, concat_ws(' ', file_name, nullif(sheet, ''), '第' || source_row || '行')
  FROM register JOIN origin o USING (batch_id, table_no) WHERE o.kind = 'register' AND -row_id IN (SELECT row_a FROM hit UNION SELECT row_b FROM hit)),
folded AS (
  SELECT key, list(month ORDER BY month) AS months, list(amount_fen ORDER BY month) AS amounts, max_by(hit, month) AS last FROM hit GROUP BY key)
SELECT months, amounts, coalesce(pa.source, '') AS source_a, coalesce(pb.source, '') AS source_b, {last}
FROM folded LEFT JOIN place pa ON pa.row_id = last.row_a LEFT JOIN place pb ON pb.row_id = last.row_b
ORDER BY last.area_a, last.kind, last.code, last.id_no_a, folded.key
""".replace("{last}", ", ".join(f"last.{name} AS {name}" for name in HIT))


def _fold(connection: duckdb.DuckDBPyConnection, speaker: Speaker) -> tuple[pa.Table, pa.Table]:
    """The months of one key as one doubt, with evidence and basis. Tables for ``ledger.doubts.stage_run``."""
    import pyarrow as pa

    found = connection.sql(_FOLDED).to_arrow_table()
    evidence, bases = [], []
    several = zip(found["months"].to_pylist(), found["amounts"].to_pylist(), strict=True)
    columns = [found[name].to_pylist() for name in HIT]
    for (months, amounts), *values in zip(several, *columns, strict=True):
        hit = dict(zip(HIT, values, strict=True))
        evidence.append(speaker.evidence(hit, list(zip(months, amounts, strict=True))))
        bases.append(speaker.basis(hit))
    rows = found.select(["key", *_KEPT, "source_a", "source_b"]).rename_columns(
        ["doubt_key", *_KEPT, "source_a", "source_b"]
    )
    rows = rows.append_column("evidence", pa.array(evidence, pa.string())).append_column(
        "basis", pa.array(bases, pa.string())
    )
    rows = rows.append_column("position", pa.array(range(len(evidence)), pa.int64()))
    monthly = connection.sql(
        "SELECT key AS doubt_key, month, amount_fen, row_a, row_b, fen_a, fen_b, fact FROM hit"
        " QUALIFY row_number() OVER (PARTITION BY key, month ORDER BY row_a, row_b) = 1 ORDER BY key, month"
    ).to_arrow_table()
    return rows, monthly


_KEPT = "kind code rule severity id_no_a name_a programme_a area_a id_no_b name_b programme_b area_b".split()
