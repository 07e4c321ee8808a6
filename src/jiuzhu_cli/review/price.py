"""``jiuzhu review price``: whether a month's price subsidy (价格临时补贴) starts, who is paid, how much; a roll that can be imported.

社会救助法第32条; 发改价格〔2021〕1553号: any trigger over the month's indices starts it; each covered person is paid once, whatever
programmes have them; the amount is the place's 低保 standard × the change of prices for low incomes, rounded once. All of it is data
(``price.toml``). Persons are set in the engine; nothing is paid by this: the roll is imported, posted and paid like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month, first_day, last_day, posting_end
from jiuzhu_cli.ledger.policies import keep_policy
from jiuzhu_cli.ledger.proposals import effective_changes
from jiuzhu_cli.ledger.snapshot import DEATH_REGISTERS, death_day, death_stands
from jiuzhu_cli.policy.expression import Ratio, compile_rule, words_of
from jiuzhu_cli.policy.formula import evaluate
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.policy.price import PriceCover, PriceMonth
from jiuzhu_cli.review.readings import rows_of
from jiuzhu_cli.review.tariffs import fen_of

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

PROGRAMME = "price_subsidy"
UNIT, UP, DAYS, UNTOLD = "价格补贴取整单位", "价格补贴进位取整", "价格补贴发放工作日", "价格补贴未注明城乡的按"
COLUMNS = (
    "row_id batch_id table_no source_row case_no lead id_no name town village category household_size covered_persons payee_name payee_id_no"
    " account_no bank_name phone address"
).split()

_PERSONS = f"""
CREATE TABLE gone AS
SELECT id_no, min({death_day()}) AS died, list(DISTINCT name) AS names FROM register
WHERE register IN {DEATH_REGISTERS} AND {death_stands("status")} GROUP BY id_no HAVING died < '{{first}}';

CREATE TABLE sized AS
SELECT batch_id, case_no, count(DISTINCT id_no) AS listed, max(covered_persons) AS covered FROM roll GROUP BY batch_id, case_no;

-- one row a person and entry that has them; a household's account is that of its lead
CREATE TABLE holder AS
SELECT c.rank, c.id AS cover, c.side, r.id_no, r.name, r.town, r.village, r.row_id, r.lead, s.listed, s.covered,
  coalesce(k.canonical, CASE WHEN coalesce(r.category, l.category) IN ('城市', '农村') THEN coalesce(r.category, l.category) END) AS kind,
  coalesce(r.account_no, l.account_no) AS account_no, coalesce(r.bank_name, l.bank_name) AS bank_name,
  CASE WHEN r.account_no IS NOT NULL OR l.account_no IS NULL THEN coalesce(r.payee_name, r.name) ELSE coalesce(l.payee_name, l.name) END AS payee_name,
  CASE WHEN r.account_no IS NOT NULL OR l.account_no IS NULL THEN coalesce(r.payee_id_no, r.id_no) ELSE coalesce(l.payee_id_no, l.id_no) END AS payee_id_no,
  coalesce(r.phone, l.phone) AS phone, coalesce(r.address, l.address) AS address, x.id_no IS NOT NULL AS stopped
FROM roll r JOIN cover c ON c.side = r.programme JOIN sized s USING (batch_id, case_no)
LEFT JOIN (SELECT * FROM roll WHERE lead = 1 QUALIFY row_number() OVER (PARTITION BY batch_id, case_no ORDER BY row_id) = 1) l
  ON l.batch_id = r.batch_id AND l.case_no = r.case_no
LEFT JOIN category_word k ON k.programme = r.programme AND k.word = coalesce(r.category, l.category)
LEFT JOIN ended x ON x.row_id = l.row_id
WHERE r.month = '{{month}}'
UNION ALL
SELECT c.rank, c.id, c.side, r.id_no, r.name, r.town, r.village, r.row_id, 1, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false
FROM register r JOIN cover c ON c.side = 'register:' || r.register
WHERE (r.valid_from IS NULL OR r.valid_from <= '{{last}}') AND (r.valid_to IS NULL OR r.valid_to >= '{{first}}')
  AND NOT regexp_matches(coalesce(r.status, ''), '终止|停|失效|注销');

-- each person once, by the first entry; where the entry does not tell 城市 or 农村, another one of theirs may
CREATE TABLE covered_person AS
WITH told AS (SELECT id_no, arg_min(kind, rank) FILTER (kind IN ('城市', '农村')) AS kind FROM holder WHERE NOT stopped GROUP BY id_no)
SELECT h.* EXCLUDE (kind), coalesce(CASE WHEN h.kind IN ('城市', '农村') THEN h.kind END, t.kind, {{untold}}) AS kind,
  CASE WHEN h.lead = 1 AND h.covered > h.listed THEN 1 + h.covered - h.listed ELSE 1 END AS persons,
  CASE WHEN g.id_no IS NOT NULL AND (list_contains(g.names, h.name)) THEN '已于 ' || g.died || ' 去世'
       WHEN g.id_no IS NOT NULL THEN '死亡名单上有同号而姓名不同的人，先核对身份'
       WHEN h.covered < h.listed THEN '名册列 ' || h.listed || ' 人、保障 ' || h.covered || ' 人，哪几人享受不明' END AS doubt
FROM (SELECT * FROM holder WHERE NOT stopped QUALIFY row_number() OVER (PARTITION BY id_no ORDER BY rank, lead DESC, row_id) = 1) h
LEFT JOIN told t USING (id_no) LEFT JOIN gone g USING (id_no);

CREATE TABLE paid_person AS
SELECT p.*, a.fen AS each_fen, a.fen * p.persons AS amount_fen,
  coalesce(p.doubt, CASE WHEN a.fen IS NULL THEN '没有注明城市、农村，标准不能确定' END) AS reason
FROM covered_person p LEFT JOIN amount a ON a.cover = p.cover AND (a.kind = '' OR a.kind = p.kind);
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one person of a cover and category is paid, and how it comes about."""

    cover: PriceCover
    kind: str
    fen: int
    exact: Decimal  # 元, before rounding
    values: tuple[ParameterValue, ...]


@dataclass(slots=True)
class PriceRun:
    """What ``review price`` reports; ``as_json`` is the contract's document."""

    month: str
    started: bool
    index: PriceMonth
    triggers: list[dict[str, Any]]
    deadline: date | None = None
    persons: int = 0
    amount_fen: int = 0
    rates: list[Rate] = field(default_factory=list)
    by_programme: dict[str, tuple[int, int]] = field(default_factory=dict)  # persons, 分
    by_town: dict[str, tuple[int, int]] = field(default_factory=dict)
    open_cases: int = 0
    absent: list[str] = field(
        default_factory=list
    )  # programmes and registers it would go to, of which nothing was imported
    unconfirmed: list[ParameterValue] = field(default_factory=list)
    roll: Path | None = None
    summary: Path | None = None

    def as_json(self) -> dict[str, Any]:
        told = {word: None if value is None else str(value) for word, value in self.index.values.items()}
        return {
            "month": self.month,
            "started": self.started,
            "index": told | {"published": str(self.index.published or ""), "source": self.index.source},
            "triggers": self.triggers,
            "deadline": str(self.deadline or ""),
            "persons": self.persons,
            "amount_fen": self.amount_fen,
            "rates": [{"programme": one.cover.side, "kind": one.kind, "amount_fen": one.fen, "exact": str(one.exact)} for one in self.rates],
            "by_programme": {code: {"persons": n, "amount_fen": fen} for code, (n, fen) in self.by_programme.items()},
            "by_town": {town: {"persons": n, "amount_fen": fen} for town, (n, fen) in self.by_town.items()},
            "to_check": self.open_cases,
            "not_imported": self.absent,
            "unconfirmed": [one.name for one in self.unconfirmed],
            "roll": str(self.roll or ""),
            "summary": str(self.summary or ""),
        }  # fmt: skip


def run_price(
    store: Store, workspace: Workspace, policy: Policy, month: str, *, today: date, now: datetime, actor: str
) -> PriceRun:
    """Decides whether the subsidy of ``month`` starts, and writes the roll and its summary. Same record and policy, same bytes.

    UsageError: no indices of the month, an index that the amount needs is missing or not positive, no roll of the month.
    """
    from jiuzhu_cli.ledger.files import record_file
    from jiuzhu_cli.ledger.snapshot import open_snapshot
    from jiuzhu_cli.review.price_output import write_price

    check_month(month)
    index = next((one for one in policy.price_months if one.id == month), None)
    if index is None:
        raise UsageError(
            f"没有 {month} 的价格指数，不能测算",
            "把统计部门公布的同比涨幅写进工作区 policy/price.toml 的 [[months]]（写法见 docs/复核说明.md）",
        )
    used: list[ParameterValue] = []
    covers = [one for one in policy.price_covered if _in_force(one, policy, month)]
    registers = [
        "death",
        "cremation",
        *(one.side.removeprefix("register:") for one in covers if one.side.startswith("register:")),
    ]
    connection = open_snapshot(store, months=(month, month), roll_columns=COLUMNS, registers=registers, places=False)
    try:
        result = PriceRun(month, False, index, _triggers(connection, policy, month, index, used))
        result.started = any(one["holds"] is True for one in result.triggers)
        result.unconfirmed = _unconfirmed(used)
        if not result.started:
            return result
        if not connection.execute("SELECT count(*) FROM roll").fetchall()[0][0]:
            raise UsageError(f"{month} 还没有导入任何花名册，不知道发给谁", "先用 jiuzhu import 导入当月花名册")
        there = {
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT programme FROM coverage UNION SELECT 'register:' || register FROM register_coverage"
            ).fetchall()
        }
        result.absent = [one.side for one in covers if one.side not in there]
        result.rates = _rates(policy, month, index, covers, used)
        _persons(connection, store, policy, month, covers, result.rates, used)
        paid = rows_of(
            connection,
            "SELECT * FROM paid_person WHERE reason IS NULL ORDER BY town, village, rank, payee_id_no, lead DESC, row_id",
        )
        doubtful = rows_of(
            connection,
            "SELECT * FROM paid_person WHERE reason IS NOT NULL OR persons > 1 ORDER BY town, village, rank, row_id",
        )
    finally:
        connection.close()
    result.persons, result.amount_fen = sum(one["persons"] for one in paid), sum(one["amount_fen"] for one in paid)
    result.by_programme, result.by_town = _sums(paid, "side"), _sums(paid, "town")
    result.open_cases = sum(one["reason"] is not None for one in doubtful)
    days = policy.parameter_or_none(DAYS, first_day(month))
    if index.published and days:
        off, worked = policy.days_off()
        result.deadline = posting_end(
            index.published, int(Decimal(days.value)), working_days=True, count_first_day=False, holidays=off, extra_workdays=worked
        )  # fmt: skip
    result.unconfirmed = _unconfirmed(used)
    written = write_price(workspace, policy, result, paid, doubtful)
    result.roll, result.summary = written[0][0], written[1][0]
    with store.transaction(actor=actor, command="review price", now=now) as tx:
        keep_policy(tx, policy.digest, policy.files.packed)
        for path, digest, kind in written:
            record_file(
                tx,
                workspace,
                path,
                entity=f"price:{month}",
                kind=kind,
                sha256=digest,
                lines=len(paid),
                amount_fen=result.amount_fen,
            )
        tx.journal(
            f"price:{month}",
            {
                "persons": result.persons,
                "amount_fen": result.amount_fen,
                "to_check": result.open_cases,
                "policy": policy.digest[:16],
            },
            digest=written[0][1],
        )
    return result


def _in_force(one: Any, policy: Policy, month: str) -> bool:
    day = first_day(month)
    return (
        (not one.since or day >= one.since) and (not one.until or day <= one.until) and policy.switch(one.switch, day)
    )


def _unconfirmed(used: list[ParameterValue]) -> list[ParameterValue]:
    return sorted({one.name: one for one in used if not one.confirmed}.values(), key=lambda one: one.name)


def _triggers(
    connection: duckdb.DuckDBPyConnection, policy: Policy, month: str, index: PriceMonth, used: list[ParameterValue]
) -> list[dict[str, Any]]:
    """Each trigger in force: ``id, when, holds`` (None where an index is not published), the thresholds and the source."""
    columns: dict[str, str | Ratio] = {
        word: "CAST(NULL AS DECIMAL(9,4))" if value is None else f"CAST('{value}' AS DECIMAL(9,4))"
        for word, value in index.values.items()
    }
    found = []
    for one in policy.price_triggers:
        if not _in_force(one, policy, month):
            continue
        where = f"价格补贴启动条件 {one.id}"
        names = [word for word in words_of(one.when, where) if word not in columns]
        values = {name: policy.parameter(name, first_day(month)) for name in names if name in policy.parameters.names()}
        used += values.values()
        sql = compile_rule(one.when, columns, {name: value.value for name, value in values.items()}, where=where)
        holds = connection.execute(f"SELECT {sql}").fetchall()[0][0]
        told = {name: f"{value.value}{value.unit}" for name, value in values.items()}
        found.append({"id": one.id, "when": one.when, "holds": holds, "thresholds": told, "source": one.source})
    return found


def _rates(
    policy: Policy, month: str, index: PriceMonth, covers: list[PriceCover], used: list[ParameterValue]
) -> list[Rate]:
    """What a person is paid by entry and category: computed exactly, rounded once."""
    day = first_day(month)
    unit, up = policy.parameter_or_none(UNIT, day), policy.parameter_or_none(UP, day)
    used += [one for one in (unit, up) if one]
    step = Decimal(max(1, fen_of(unit)) if unit else 1)
    rates = []
    for cover in covers:
        for kind, text in cover.amounts.items():
            where = f"价格补贴对象 {cover.id} 的金额"
            words = words_of(text, where)
            missing = [word for word in words if word in index.values and index.values[word] is None]
            if missing:
                raise UsageError(f"{month} 没有写“{missing[0]}”，金额不能算", "公布以后补进 policy/price.toml 再运行")
            values = {word: policy.parameter(word, day) for word in words if word not in index.values}
            used += values.values()
            numbers: Mapping[str, Any] = {**index.values, **{name: one.value for name, one in values.items()}}
            exact = evaluate(text, numbers, where)
            if exact <= 0:
                raise UsageError(f"{where}算得 {exact} 元，不大于零", "核对 policy/price.toml 里的低收入居民价格同比")
            steps, rest = divmod(exact * 100, step)
            more = bool(rest) if up and up.value is True else rest * 2 >= step
            rates.append(Rate(cover, kind, int((steps + more) * step), exact, tuple(values.values())))
    return rates


def _persons(
    connection: duckdb.DuckDBPyConnection,
    store: Store,
    policy: Policy,
    month: str,
    covers: list[PriceCover],
    rates: list[Rate],
    used: list[ParameterValue],
) -> None:
    connection.execute(
        "CREATE TABLE cover (rank INT, id VARCHAR, side VARCHAR); CREATE TABLE amount (cover VARCHAR, kind VARCHAR, fen BIGINT);"
        " CREATE TABLE category_word (programme VARCHAR, word VARCHAR, canonical VARCHAR); CREATE TABLE ended (row_id BIGINT, id_no VARCHAR)"
    )
    for rank, cover in enumerate(covers):
        connection.execute("INSERT INTO cover VALUES (?,?,?)", [rank, cover.id, cover.side])
    for rate in rates:
        connection.execute("INSERT INTO amount VALUES (?,?,?)", [rate.cover.id, rate.kind, rate.fen])
    words = [
        (code, word, canonical)
        for code in {cover.side for cover in covers} & policy.programmes.keys()
        for canonical, all_ in policy.programmes[code].categories.items()
        for word in all_
    ]
    if words:
        connection.executemany("INSERT INTO category_word VALUES (?,?,?)", words)
    ended = [(one.roll_row_id, one.id_no) for one in effective_changes(store, month) if one.action == "stop"]
    if ended:
        connection.executemany("INSERT INTO ended VALUES (?,?)", ended)
    untold = policy.parameter_or_none(UNTOLD, first_day(month))
    kind = f"'{untold.value}'" if untold and untold.value in ("城市", "农村") else "NULL"
    if untold:
        used.append(untold)
    connection.execute(
        _PERSONS.format(first=first_day(month).isoformat(), last=last_day(month).isoformat(), month=month, untold=kind)
    )


def _sums(rows: list[dict[str, Any]], by: str) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        persons, fen = found.get(row[by], (0, 0))
        found[row[by]] = (persons + row["persons"], fen + row["amount_fen"])
    return dict(sorted(found.items()))
