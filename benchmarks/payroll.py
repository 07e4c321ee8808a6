"""A payroll to be paid: two months of rolls of a city, in four programmes and at seven banks, made as vectors.

Persons and households as ``district`` makes them, but nothing planted: of a month's cases every one is to be paid. The first month
is paid by the program itself when the workspace is made, so that what looks back at it has something to look at.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.data import REGION
from benchmarks.district import KINDS, LIVING, NURSING, OLD, STANDARD, TOWNS, VILLAGES, _typed, born_at, ids_of
from benchmarks.measure import jiuzhu, run_once
from jiuzhu_cli.ledger.incoming import stage_lists
from jiuzhu_cli.ledger.rolls import BatchHead, TableHead, save_batch
from jiuzhu_cli.ledger.store import SCHEMA_VERSION, Store
from jiuzhu_cli.ledger.workspace import create_workspace, find_workspace
from jiuzhu_cli.payment.answers import simulate_returns
from jiuzhu_cli.policy.load import load_policy

MONTHS = ("2026-09", "2026-10")
# programme → share of the lines
SHARES = {
    "subsistence_allowance": 0.35, "old_age_allowance": 0.25, "disability_living_subsidy": 0.25, "disability_care_subsidy": 0.15,
}  # fmt: skip
POSTED = ("subsistence_allowance", "old_age_allowance")
# where the money goes: most of it to the post and the rural banks (text files), the rest to banks that take workbooks
BANKS = {
    "中国邮政储蓄银行": 0.35, "农村商业银行": 0.35, "农业银行": 0.10, "建设银行": 0.05, "工商银行": 0.05, "中国银行": 0.05, "湖北银行": 0.05,
}  # fmt: skip
REFUSED = ("户名不符", "账号不存在", "账户已销户", "账户冻结")
Columns = dict[str, Any]


class Payroll:
    """``lines`` cases a month. ``lists()``: (programme, area, columns) of one month's rolls; who is on them does not change."""

    def __init__(self, lines: int, *, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.counts = {code: round(share * lines) for code, share in SHARES.items()}
        homes = self.counts["subsistence_allowance"]
        self.size = rng.choice(4, homes, p=[0.35, 0.35, 0.2, 0.1]) + 1
        self.home = np.repeat(np.arange(homes), self.size)
        others = [np.full(count, number) for number, count in enumerate(list(self.counts.values())[1:], 1)]
        members = len(self.home)
        self.of = np.r_[np.zeros(members, np.int64), *others]
        persons = len(self.of)
        self.age = np.where(self.of == 1, rng.integers(80, 99, persons), rng.integers(20, 79, persons))
        ids = ids_of(born_at(self.age, rng), rng.random(persons) < 0.5, area=int(REGION) // 100 * 100)
        self.ids = ids
        first = pa.array(list("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张"))
        second = pa.array(
            "建国 秀英 桂兰 志强 海燕 玉珍 明 丽华 文斌 春梅 国栋 小龙 凤英 德胜 淑芬 军 红 桂英 家兴 永福".split()
        )
        self.names = pc.binary_join_element_wise(
            first.take(pa.array(rng.integers(0, len(first), persons))),
            second.take(pa.array(rng.integers(0, len(second), persons))),
            "",
        )
        self.town, self.village = rng.integers(0, TOWNS, persons), rng.integers(0, VILLAGES, persons)
        lead = np.r_[0, np.cumsum(self.size)[:-1]]
        for place in (self.town, self.village):
            place[:members] = place[lead][self.home]
        self.lead = np.ones(persons, bool)
        self.lead[:members] = False
        self.lead[lead] = True
        self.urban = rng.random(persons) < 0.3
        self.bank = rng.choice(len(BANKS), persons, p=list(BANKS.values()))

    def lists(self) -> list[tuple[str, str, Columns]]:
        found = []
        for number, code in enumerate(self.counts):
            for town in range(TOWNS):
                rows = np.flatnonzero((self.of == number) & (self.town == town))
                found.append(
                    (code, f"第{town + 1}镇", self._household(rows) if number == 0 else self._alone(code, rows))
                )
        return found

    def _people(self, rows: np.ndarray) -> Columns:
        towns, villages = (
            pa.array([f"第{n + 1}{word}" for n in range(count)]) for word, count in (("镇", TOWNS), ("村", VILLAGES))
        )
        lead = pa.array(~self.lead[rows])

        def case(values: pa.Array) -> pa.Array:
            return pc.if_else(lead, pa.scalar(None, values.type), values)

        return {
            "id_no": self.ids.take(pa.array(rows)),
            "name": self.names.take(pa.array(rows)),
            "town": towns.take(pa.array(self.town[rows])),
            "village": villages.take(pa.array(self.village[rows])),
            "account_no": case(pa.array(6_217_000_000_000_000_000 + rows).cast(pa.string())),
            "bank_name": case(pa.array(list(BANKS)).take(pa.array(self.bank[rows]))),
            "phone": pa.array(13_800_000_000 + rows).cast(pa.string()),
            "category": pa.array(KINDS[self.urban[rows].astype(int)]),
            "lead": pa.array(self.lead[rows].astype(np.int64)),
        }

    def _household(self, rows: np.ndarray) -> Columns:
        home, lead = self.home[rows], self.lead[rows]
        heads = pa.array(np.r_[0, np.cumsum(self.size)[:-1]][home])
        amount = STANDARD[self.urban[rows].astype(int)] * self.size[home] // 2
        return self._people(rows) | {
            "case_no": pa.array(np.unique(home, return_inverse=True)[1] + 1),
            "relation": pa.array(np.where(lead, "户主", "家庭成员")),
            "head_id_no": self.ids.take(heads),
            "head_name": self.names.take(heads),
            "amount_fen": pa.array(amount, mask=~lead),
            "household_size": pa.array(self.size[home], mask=~lead),
            "covered_persons": pa.array(self.size[home], mask=~lead),
        }

    def _alone(self, code: str, rows: np.ndarray) -> Columns:
        age = self.age[rows]
        amount = {
            "old_age_allowance": np.select([age >= start for start, _ in OLD[::-1]], [fen for _, fen in OLD[::-1]], OLD[0][1]),
            "disability_living_subsidy": np.full(len(rows), LIVING),
            "disability_care_subsidy": NURSING[rows % 2],
        }[code]  # fmt: skip
        return self._people(rows) | {"case_no": pa.array(np.arange(len(rows)) + 1), "amount_fen": pa.array(amount)}

    def fill(self, ledger: Path, month: str, digest: str) -> int:
        """Saves the rolls of ``month``, its closed postings, and that it was compared; returns the number of rows."""
        total = 0
        with Store(ledger) as store:
            for code, area, columns in self.lists():
                rows = len(columns["id_no"])
                place = {"table_no": pa.array(np.ones(rows, np.int64)), "source_row": pa.array(np.arange(rows) + 3)}
                table = pa.table({name: _typed(name, values) for name, values in (columns | place).items()})
                staged = stage_lists(store, [("roll", table)])
                name = f"{area}{code}{month}.xlsx"
                mark = sha256(name.encode()).hexdigest()
                amount = pc.sum(table.column("amount_fen")).as_py() or 0
                head = BatchHead("roll", code, area, month, "", name, mark, mark, rows, rows, 0, amount, None, digest)
                told = [{"column": "A", "header": c, "field": c, "why": "header"} for c in staged[0].columns]
                sheet = TableHead(1, "Sheet1", 2, json.dumps(told), rows, rows, 0, None, name)
                with store.transaction(actor="样例", command="import") as tx:
                    batch = save_batch(tx, head, [sheet], staged[0], [])
                    tx.journal(f"batch:{batch}", {"rows": rows})
                total += rows
            with store.transaction(actor="样例", command="post close") as tx:
                for code in POSTED:
                    for town in range(TOWNS):
                        for village in range(VILLAGES):
                            cursor = tx.execute(
                                "INSERT INTO posting (programme, town, village, month, round, households, persons, amount_fen, from_date, to_date,"
                                " content_sha256, state, created_by, created_at) VALUES (?, ?, ?, ?, 'first', 1, 1, 1, ?, ?, '', 'closed', '样例', ?)",
                                (
                                    code,
                                    f"第{town + 1}镇",
                                    f"第{village + 1}村",
                                    month,
                                    f"{month}-01",
                                    f"{month}-08",
                                    tx.now,
                                ),
                            )
                            tx.journal(f"posting:{cursor.lastrowid}", {})
            with store.transaction(actor="样例", command="dedupe run") as tx:
                tx.journal(f"dedupe:{month}", {})
        return total


def answers(workspace: Path, month: str, folder: Path, *, share: float = 0.005, seed: int = 1) -> list[Path]:
    """What the banks answer to the exported batch of ``month``: of its lines ``share`` are refused."""
    place = find_workspace(workspace, explicit=True)
    policy = load_policy(place.policy_dir, region=place.region)
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with place.open_store() as store:
        number, lines = store.query("SELECT payment_id, lines FROM payment_batch WHERE month = ? AND state = 'exported'", (month,))[0]  # fmt: skip
        chosen = np.flatnonzero(rng.random(lines) < share) + 1
        failures = {int(line): REFUSED[int(line) % len(REFUSED)] for line in chosen}
        return simulate_returns(store, place, policy, number, folder, failures)


def pay(workspace: Path, month: str) -> None:
    """A whole month through the program, unmeasured."""
    run_once(jiuzhu("-C", workspace, "pay", "draft", "--month", month, "--json"))
    run_once(jiuzhu("-C", workspace, "pay", "lock", "--json"))
    run_once(jiuzhu("-C", workspace, "--actor", "李审批", "pay", "approve", "--json"))
    run_once(jiuzhu("-C", workspace, "pay", "export", "--json"))
    for path in answers(workspace, month, workspace / "inbox" / month, share=0):
        run_once(jiuzhu("-C", workspace, "pay", "return", path, "--json"))


def payroll_workspace(work: Path, lines: int, *, seed: int) -> Path:
    """A workspace with two months of rolls, the first of them paid; made once, then kept."""
    target = work / f"payroll{lines}-{seed}-v{SCHEMA_VERSION}"
    if (target / "made").exists():
        return target
    started = time.monotonic()
    towns = tuple(f"第{n + 1}镇" for n in range(TOWNS))
    create_workspace(target, region=REGION, name="示例区民政局", towns=towns)
    digest = load_policy(region=REGION).digest
    payroll = Payroll(lines, seed=seed)
    rows = [payroll.fill(target / "ledger.db", month, digest) for month in MONTHS]
    filled = time.monotonic()
    pay(target, MONTHS[0])
    (target / "made").write_text(f"{datetime.now(UTC):%F}\n", encoding="utf-8")
    print(f"{target.name}: {rows} roll rows, filled in {filled - started:.0f} s, first month paid in {time.monotonic() - filled:.0f} s", file=sys.stderr)  # fmt: skip
    return target
