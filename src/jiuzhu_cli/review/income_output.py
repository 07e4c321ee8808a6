"""``jiuzhu review income``: the measured income of a month's households as a workbook: a line a household, and every step; printable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import UsageError
from jiuzhu_cli.core.period import check_month, first_day
from jiuzhu_cli.policy.model import ParameterValue
from jiuzhu_cli.review.eligibility import build_facts
from jiuzhu_cli.review.income import used_rules
from jiuzhu_cli.review.income_rules import IncomeRules
from jiuzhu_cli.review.income_steps import prepare_texts, steps_sql
from jiuzhu_cli.review.output import folder_of, value_text
from jiuzhu_cli.tabular.write import MAX_ROWS, ColumnSpec, SheetSpec, write_xlsx

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.ledger.workspace import Workspace
    from jiuzhu_cli.policy.load import Policy

MARGIN = "低保边缘倍数"
BELOW, WITHIN, ABOVE, UNKNOWN = "低于低保标准", "低保边缘标准以内", "高于低保边缘标准", "没有核算"
# half a 分 up, only to be shown: what is compared is the year
_MONTHLY = "(2 * {0} + {1}) // (2 * {1})"

_HOUSEHOLDS = """
SELECT f.key, mi.hk, f.place, f.name, f.id_no, f.programme, f.size, f.town_kind, CASE f.stated_period WHEN 'year' THEN f.stated_fen WHEN 'month' THEN f.stated_fen * 12 END AS stated12,
  mi.income12, mi.income12 - stated12 AS differs, {monthly} AS monthly, CASE WHEN f.size > 0 THEN {per_head} END AS per_head, f.standard_fen,
  CAST(ceil(f.standard_fen * {multiple}) AS BIGINT) AS margin_fen,
  CASE WHEN mi.income12 IS NULL THEN '{unknown}' WHEN f.size IS NULL OR f.standard_fen IS NULL THEN '' WHEN mi.income12 < 12 * f.size * f.standard_fen THEN '{below}'
    WHEN CAST(mi.income12 AS HUGEINT) * 1000000 < CAST(12 * f.size * f.standard_fen AS HUGEINT) * {multiple_q} THEN '{within}' ELSE '{above}' END AS verdict,
  concat_ws('；', CASE WHEN mi.gap IS NOT NULL THEN '缺：' || mi.gap END, mi.leads) AS remark, f.town, f.village
FROM facts f JOIN measured_income mi ON mi.batch_id = f.batch_id AND mi.case_no = f.case_no
WHERE mi.hk IS NOT NULL ORDER BY f.key
"""
_COLUMNS = (
    ColumnSpec("编号", 7, "count"), ColumnSpec("乡镇/村", 16), ColumnSpec("户主", 10), ColumnSpec("身份证号", 20), ColumnSpec("救助项目", 14), ColumnSpec("计入人口", 9, "count"),
    ColumnSpec("名册年收入（元）", 13, "amount"), ColumnSpec("核算年收入（元）", 13, "amount"), ColumnSpec("核算比名册多（元/年）", 13, "amount"),
    ColumnSpec("核算月收入（元）", 15, "amount"), ColumnSpec("人均月收入（元）", 15, "amount"), ColumnSpec("低保标准（元）", 14, "amount"), ColumnSpec("边缘标准（元）", 14, "amount"),
    ColumnSpec("结论", 16, shades={ABOVE: "yellow", UNKNOWN: "red"}), ColumnSpec("缺什么、有什么线索", 40, wrap=True),
)  # fmt: skip
_STEP_COLUMNS = (
    ColumnSpec("编号", 7, "count"), ColumnSpec("户主", 10), ColumnSpec("姓名", 10), ColumnSpec("项目", 22, wrap=True), ColumnSpec("怎样算", 44, wrap=True),
    ColumnSpec("计入全年（元）", 14, "amount"), ColumnSpec("依据（参数、起始日期、文件）", 60, wrap=True),
)  # fmt: skip


@dataclass(slots=True)
class IncomeRun:
    """What ``review income`` reports. ``by_verdict`` counts households; amounts stand in the workbook."""

    month: str
    households: int
    measured: int
    differs: int
    gaps: int
    leads: int
    by_verdict: dict[str, int]
    rows: list[dict[str, Any]]
    workbook: Path
    unconfirmed: list[ParameterValue] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "households": self.households,
            "measured": self.measured,
            "differs": self.differs,
            "gaps": self.gaps,
            "leads": self.leads,
            "by_verdict": self.by_verdict,
            "cases": self.rows,
            "workbook": str(self.workbook),
            "unconfirmed": [{"name": one.name, "value": str(one.value), "unit": one.unit, "source": one.source} for one in self.unconfirmed],
        }  # fmt: skip


def run_income(
    store: Store, workspace: Workspace, policy: Policy, month: str, *, now: datetime, actor: str
) -> IncomeRun:
    """Measures the income of the households on the rolls of ``month`` and writes the workbook. UsageError without rolls or lines of income."""
    from jiuzhu_cli.ledger.files import record_file
    from jiuzhu_cli.ledger.snapshot import open_snapshot
    from jiuzhu_cli.review.judging import registers_of
    from jiuzhu_cli.review.run import COLUMNS, REGISTER_COLUMNS

    check_month(month)
    connection = open_snapshot(
        store, months=(month, month), roll_columns=COLUMNS, registers=registers_of(policy, month), register_columns=REGISTER_COLUMNS
    )  # fmt: skip
    try:
        if not connection.execute("SELECT count(*) FROM roll").fetchall()[0][0]:
            raise UsageError(f"{month} 还没有导入任何花名册", "先用 jiuzhu import 导入当月花名册")
        rules = build_facts(connection, policy, month)
        if rules is None:
            raise UsageError(
                "还没有导入家庭收入核算明细",
                "用 jiuzhu template 家庭收入核算明细 出空表，填好后导入；成员情况用 jiuzhu template 家庭成员情况",
            )
        households = connection.execute(_households(policy, month)).fetchall()
        unconfirmed = rules.unconfirmed(used_rules(connection, rules))
        sheets = [
            _summary(month, households, unconfirmed),
            _households_sheet(policy, month, households),
            *_step_sheets(connection, month, rules),
        ]
    finally:
        connection.close()
    folder = folder_of(workspace, month)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"家庭收入核算-{month}.xlsx"
    digest = write_xlsx(path, sheets, marks={"jiuzhu": "income", "month": month})
    with store.transaction(actor=actor, command="review income", now=now) as tx:
        record_file(
            tx, workspace, path, entity=f"review:{month}", kind="income_workbook", sha256=digest, lines=len(households)
        )
        tx.journal(f"review:{month}", {"income": len(households)}, digest=digest)
    counted: dict[str, int] = {}
    for row in households:
        counted[row[15]] = counted.get(row[15], 0) + 1
    names = "id_no name programme area size stated12_fen income12_fen differs_fen verdict".split()
    places = (4, 3, 5, 2, 6, 8, 9, 10, 15)
    return IncomeRun(
        month,
        len(households),
        sum(row[9] is not None for row in households),
        sum(bool(row[10]) for row in households),
        counted.get(UNKNOWN, 0),
        sum("；" in row[16] or bool(row[16] and row[9] is not None) for row in households),
        dict(sorted(counted.items())),
        [{name: row[place] for name, place in zip(names, places, strict=True)} for row in households],
        path,
        unconfirmed,
    )


def _households(policy: Policy, month: str) -> str:
    found = policy.parameter_or_none(MARGIN, first_day(month))
    multiple = Decimal(found.value) if found is not None else Decimal(1)
    return _HOUSEHOLDS.format(
        monthly=_MONTHLY.format("mi.income12", "12"), per_head=_MONTHLY.format("mi.income12", "(12 * f.size)"),
        multiple=f"CAST('{multiple}' AS DECIMAL(18,6))", multiple_q=int(multiple * 10**6),
        below=BELOW, within=WITHIN, above=ABOVE, unknown=UNKNOWN,
    )  # fmt: skip


def _households_sheet(policy: Policy, month: str, households: Sequence[tuple[Any, ...]]) -> SheetSpec:
    names = {p.code: p.name for p in policy.programmes.values()}
    body = [
        (row[1], row[2], row[3], row[4], names.get(row[5], row[5]), row[6], row[8], row[9], row[10], row[11], row[12], row[13], row[14], row[15], row[16])
        for row in households
    ]  # fmt: skip
    return SheetSpec(
        "各户收入", _COLUMNS, body, title=f"{month} 家庭收入核算",
        notes=["年收入是判断用的数；月收入、人均月收入是年收入除以 12、再除以人口，只在显示时取到分。内部资料，不得外传。"],
        fills={(at, 8): "yellow" for at, row in enumerate(households) if row[10]}, freeze_columns=3,
    )  # fmt: skip


def _step_sheets(connection: duckdb.DuckDBPyConnection, month: str, rules: IncomeRules) -> list[SheetSpec]:
    """Every step, in as many sheets as the format's rows ask for."""
    prepare_texts(connection, rules)
    rows = connection.execute(
        f"SELECT s.hk, c.lead_name, s.name, s.label, s.how, s.fen, s.basis FROM ({steps_sql()}) s JOIN income_case c USING (hk) ORDER BY s.hk, s.part, s.place"
    ).fetchall()
    size = MAX_ROWS - 10
    fills = {(at % size, col): "grey" for at, row in enumerate(rows) if row[3] == "核算年收入" for col in range(7)} if len(rows) < 20_000 else {}  # fmt: skip
    return [
        SheetSpec(
            "计算步骤" if at == 0 else f"计算步骤{at // size + 1}", _STEP_COLUMNS, rows[at : at + size], title=f"{month} 家庭收入核算：逐项计算",
            notes=["编号同“各户收入”。一行一项，灰行是全户合计；不计入的写明依据。入户核对后可打印签字留存。"], fills=fills,
        )
        for at in range(0, max(1, len(rows)), size)
    ]  # fmt: skip


def _summary(month: str, households: Sequence[tuple[Any, ...]], unconfirmed: Sequence[ParameterValue]) -> SheetSpec:
    counted = {verdict: sum(row[15] == verdict for row in households) for verdict in (BELOW, WITHIN, ABOVE, UNKNOWN)}
    body: list[tuple[str, int | None, str]] = [(name, count, "") for name, count in counted.items()]
    body.append(("核算与名册不同", sum(bool(row[10]) for row in households), "见“各户收入”黄格；请更正名册"))
    body += [("请核对", None, f"{one.name} {value_text(one)}（{one.source}）") for one in unconfirmed]
    return SheetSpec(
        "说明", (ColumnSpec("项目", 24), ColumnSpec("户（人）数", 11, "count"), ColumnSpec("说明", 80, wrap=True)), body, title=f"{month} 家庭收入核算",
        notes=[
            "按导入的“家庭收入核算明细”和“家庭成员情况”算，每户以最近一次报送为准；缺一样就不算，仍用名册的收入。",
            "复核（jiuzhu review run）按这里的收入判断资格和金额；名单上有而这里没有的收入只作线索，不自动计入。",
        ],
        autofilter=False,
    )  # fmt: skip
