"""A year of payments for a whole district, and what truly became of every fen: deaths reported late, moves between towns, lists with errors
that the next month corrects, accounts that the bank refuses and the towns mend, money that comes back, payments nobody answers for,
overpayments paid back in instalments.

``Year`` makes the lists month by month, plays the banks, and keeps the truth; the program is given the lists, the banks' files and the
clerk's commands and nothing else. In the end ``pay reconcile`` must balance, and for every person the program's figures must be the truth's.
``python benchmarks/year.py --persons 100000 --work FOLDER`` does it through the program as installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "sample_data")]

from benchmarks.data import REGION  # noqa: E402
from benchmarks.district import _typed, born_at, ids_of  # noqa: E402
from benchmarks.measure import jiuzhu, run_once  # noqa: E402
from jiuzhu_cli.ledger.incoming import stage_lists  # noqa: E402
from jiuzhu_cli.ledger.rolls import BatchHead, TableHead, save_batch  # noqa: E402
from jiuzhu_cli.ledger.store import Store  # noqa: E402
from jiuzhu_cli.ledger.workspace import create_workspace, find_workspace  # noqa: E402
from jiuzhu_cli.payment.dues import balance, open_dues, policies_of  # noqa: E402
from jiuzhu_cli.policy.load import load_policy  # noqa: E402
from jiuzhu_cli.tabular.read import read_workbook  # noqa: E402
from jiuzhu_cli.tabular.write import ColumnSpec, SheetSpec, write_xlsx  # noqa: E402
from tests.payment.model.bank import read_sent  # noqa: E402
from tests.payment.model.desk import LAYOUTS  # noqa: E402

Run = Callable[..., dict[str, Any]]
MONTHS = tuple(f"2026-{month:02d}" for month in range(1, 13))
# programme → monthly amount in 分; none of them is posted, all but the last are paid to the person, that one to the household's head
PROGRAMMES = {
    "disability_living_subsidy": 8_000,
    "disability_care_subsidy": 12_000,
    "orphan_allowance": 150_000,
    "rental_subsidy": 30_000,
}
BANKS = ("甲行", "乙行")
# shares of all cases (or persons) in a month, or in the year where it says so
DIES_A_YEAR, MOVES_A_YEAR, STARTS_LATER, STOPS_A_YEAR, CHANGES_A_YEAR = 0.03, 0.05, 0.12, 0.05, 0.10
TOO_LOW, TOO_HIGH, LEFT_OUT, TOO_LONG = 0.003, 0.003, 0.003, 0.002  # errors of a list, corrected by the next month's
ACCOUNT_CLOSED, BANK_TROUBLE, UNANSWERED, COMES_BACK = 0.004, 0.001, 0.0005, 0.0005
NEVER_MENDED = 0.05  # of the accounts closed
NEVER = 99


@dataclass
class Tally:
    """What happened in the year, for the report."""

    seen: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)


class Year:
    def __init__(self, persons: int, *, seed: int, towns: int = 20, accidents: float = 1) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.towns, self.accidents = towns, accidents
        self.ids = ids_of(
            born_at(rng.integers(20, 79, persons), rng), rng.random(persons) < 0.5, area=int(REGION) // 100 * 100
        )
        self.numbers = {id_no: n for n, id_no in enumerate(self.ids.to_pylist())}
        self.names = [f"{'赵钱孙李周吴郑王冯陈'[n % 10]}{chr(0x4E00 + n // 10 % 2000)}" for n in range(persons)]
        self.bank = rng.integers(0, len(BANKS), persons)
        self.card = np.zeros(persons, np.int64)
        second = np.flatnonzero(rng.random(persons) < 0.15)
        self.person = np.r_[np.arange(persons), second]
        first = rng.choice(len(PROGRAMMES), persons, p=[0.5, 0.25, 0.05, 0.2])
        self.programme = np.r_[first, (first[second] + 1) % len(PROGRAMMES)]
        cases = len(self.person)
        self.start = np.where(rng.random(cases) < STARTS_LATER, rng.integers(1, 12, cases), 0)
        self.stop = np.where(rng.random(cases) < STOPS_A_YEAR, rng.integers(2, 12, cases), NEVER)
        base = np.array(list(PROGRAMMES.values()))[self.programme]
        self.amount = np.repeat(base[:, None], 12, axis=1)
        changed = np.flatnonzero(rng.random(cases) < CHANGES_A_YEAR)
        for case, month, more in zip(
            changed, rng.integers(1, 12, len(changed)), rng.integers(-20, 20, len(changed)), strict=True
        ):
            self.amount[case, month:] += more * 100
        self.death = np.where(rng.random(persons) < DIES_A_YEAR * accidents**0.5, rng.integers(0, 12, persons), NEVER)
        self.told = np.where(
            self.death < NEVER, self.death + rng.integers(0, 4, persons), NEVER
        )  # 12 and later: not this year
        self.town = np.repeat(rng.integers(0, towns, persons)[:, None], 13, axis=1)
        moves = np.flatnonzero(rng.random(persons) < MOVES_A_YEAR)
        self.moved = np.full(persons, NEVER)
        for person, month in zip(moves, rng.integers(1, 12, len(moves)), strict=True):
            self.town[person, month:] = (self.town[person, month] + 1) % towns
            self.moved[person] = month
        self.twice = rng.random(persons) < 0.1  # of the movers: the old town keeps them on for a month
        month = np.arange(12)[None, :]
        self.entitled = (self.start[:, None] <= month) & (month < self.stop[:, None])
        drawn = rng.random((cases, 12)) / accidents
        self.low = drawn < TOO_LOW
        self.high = (drawn >= TOO_LOW) & (drawn < TOO_LOW + TOO_HIGH)
        self.missing = (drawn >= TOO_LOW + TOO_HIGH) & (drawn < TOO_LOW + TOO_HIGH + LEFT_OUT) & self.entitled
        self.extra = (month == self.stop[:, None]) & (rng.random(cases) < 0.4)[:, None]  # listed for a month too long
        # the truth: what is due once all is known, and what the banks paid
        dead = (self.told[self.person] < 12)[:, None] & (month > self.death[self.person][:, None])
        self.due = np.where(self.entitled & ~dead, self.amount, 0)
        self.paid = np.zeros((cases, 12), np.int64)
        self.case_of = {(int(self.programme[c]), int(self.person[c])): c for c in range(cases)}
        self.closed: dict[int, int] = {}  # person → the card that its bank refuses
        self.repaid = np.zeros(persons, np.int64)
        self.lists: dict[
            tuple[int, int, int], tuple[int, str]
        ] = {}  # programme, town, month → batch, digest of the last list
        self.tally = Tally()

    # -- what is handed in ------------------------------------------------------------------------------------

    def account(self, person: int) -> str:
        return f"62{self.bank[person]}{person:07d}{self.card[person]:04d}"

    def hand_in(self, store: Store, month: int, *, corrected: bool, digest: str) -> int:
        """The lists of ``month`` by programme and town; ``corrected``: a month later, without the errors. Lists that say the same are left."""
        now = month + corrected
        known_dead = self.told[self.person] <= min(now, 11)
        gone = known_dead & (self.death[self.person] < month)
        listed = self.entitled[:, month] & ~gone
        amount = self.amount[:, month].copy()
        if not corrected:
            listed = (listed & ~self.missing[:, month]) | (self.extra[:, month] & ~gone)
            amount = amount + np.where(self.high[:, month], 1_000, 0) - np.where(self.low[:, month], 1_000, 0)
        stays = self.twice & (self.moved == month)
        made = 0
        for code in range(len(PROGRAMMES)):
            mine = np.flatnonzero(listed & (self.programme == code))
            for town in range(self.towns):
                here = self.town[self.person[mine], month] == town
                if not corrected and month:
                    here |= stays[self.person[mine]] & (self.town[self.person[mine], month - 1] == town)
                made += self._list(store, code, town, month, mine[here], amount, digest)
        return made

    def _list(
        self, store: Store, code: int, town: int, month: int, cases: np.ndarray, amount: np.ndarray, digest: str
    ) -> int:
        before = self.lists.get((code, town, month))
        if not len(cases):
            return 0
        programme = list(PROGRAMMES)[code]
        people = self.person[cases]
        whole = pa.array(people)
        accounts = [self.account(int(person)) for person in people]
        columns: dict[str, Any] = {
            "id_no": self.ids.take(whole), "name": pa.array([self.names[person] for person in people]), "town": pa.array([f"第{town + 1}镇"] * len(cases)),
            "village": pa.array([f"第{person % 12 + 1}村" for person in people]), "amount_fen": pa.array(amount[cases]), "account_no": pa.array(accounts),
            "bank_name": pa.array([BANKS[self.bank[person]] for person in people]), "case_no": pa.array(np.arange(len(cases)) + 1),
            "lead": pa.array(np.ones(len(cases), np.int64)), "table_no": pa.array(np.ones(len(cases), np.int64)),
            "source_row": pa.array(np.arange(len(cases)) + 3),
        }  # fmt: skip
        says = sha256(f"{code}{town}{month}{cases.tolist()}{amount[cases].tolist()}{accounts}".encode()).hexdigest()
        if before is not None and before[1] == says:
            return 0
        table = pa.table({name: _typed(name, values) for name, values in columns.items()})
        total = int(pc.sum(table.column("amount_fen")).as_py())
        staged = stage_lists(store, [("roll", table)])
        name = f"第{town + 1}镇{programme}{MONTHS[month]}{'更正' if before else ''}.xlsx"
        head = BatchHead(
            "roll",
            programme,
            f"第{town + 1}镇",
            MONTHS[month],
            "",
            name,
            says,
            says,
            len(cases),
            len(cases),
            0,
            total,
            None,
            digest,
        )
        columns_told = [{"column": "A", "header": c, "field": c, "why": "header"} for c in staged[0].columns]
        sheet = TableHead(1, "Sheet1", 2, json.dumps(columns_told), len(cases), len(cases), 0, None, name)
        with store.transaction(actor="样例", command="import") as tx:
            batch = save_batch(tx, head, [sheet], staged[0], [], replaces=[before[0]] if before else [])
            tx.journal(f"batch:{batch}", {"rows": len(cases)})
        self.lists[code, town, month] = batch, says
        return len(cases)

    def hand_in_deaths(self, store: Store, month: int, digest: str) -> None:
        dead = np.flatnonzero(self.told == month)
        if not len(dead):
            return
        days = [f"{MONTHS[self.death[person]]}-{person % 27 + 1:02d}" for person in dead]
        columns = {
            "id_no": self.ids.take(pa.array(dead)), "name": pa.array([self.names[person] for person in dead]), "event_date": pa.array(days),
            "table_no": pa.array(np.ones(len(dead), np.int64)), "source_row": pa.array(np.arange(len(dead)) + 3),
        }  # fmt: skip
        table = pa.table({name: _typed(name, values) for name, values in columns.items()})
        staged = stage_lists(store, [("register", table)])
        mark = sha256(f"death{month}".encode()).hexdigest()
        head = BatchHead(
            "register",
            "death",
            "",
            MONTHS[month],
            "",
            f"死亡{month}.xlsx",
            mark,
            mark,
            len(dead),
            len(dead),
            0,
            0,
            None,
            digest,
        )
        told = [{"column": "A", "header": c, "field": c, "why": "header"} for c in staged[0].columns]
        sheet = TableHead(1, "Sheet1", 2, json.dumps(told), len(dead), len(dead), 0, None, "死亡")
        with store.transaction(actor="样例", command="import") as tx:
            batch = save_batch(tx, head, [sheet], staged[0], [])
            tx.journal(f"batch:{batch}", {"rows": len(dead)})
        self.tally.seen["deaths reported"] += len(dead)

    def mend_accounts(self) -> None:
        """Towns bring new accounts for those that were refused; a few never do."""
        for person in list(self.closed):
            if person % 1000 >= NEVER_MENDED * 1000:
                self.card[person] += 1
                del self.closed[person]
                self.tally.seen["accounts mended"] += 1

    # -- the banks --------------------------------------------------------------------------------------------

    def answer(self, path: Path, batch: int, folder: Path) -> tuple[Path, list[tuple[int, int]]]:
        """Pays what it can of one file and writes the answer; also the rows left out of it: (number, 分 that moved)."""
        code, sent = read_sent(path)
        chance = self.rng.random(len(sent)) / self.accidents
        lines, unanswered, total = [], [], 0
        numbers = (
            [int(line.split("|")[0]) for line in path.read_bytes().decode("gbk").split("\r\n")[1:-1]]
            if code == "jia"
            else [0] * len(sent)
        )
        for (account, fen, name), number, drawn in zip(sent, numbers, chance, strict=True):
            person = int(account[3:10])
            assert account == self.account(person) or int(account[10:]) <= self.card[person], (
                "an account that nobody has"
            )
            refused = self.closed.get(person) == int(account[10:])
            if not refused and drawn < ACCOUNT_CLOSED and int(account[10:]) == self.card[person]:
                self.closed[person], refused = int(self.card[person]), True
            trouble = not refused and ACCOUNT_CLOSED <= drawn < ACCOUNT_CLOSED + BANK_TROUBLE
            moved = 0 if refused or trouble else fen
            self._paid(batch, person, fen, moved)
            self.tally.seen["paid" if moved else "refused by the bank"] += 1
            if code == "jia" and abs(drawn - ACCOUNT_CLOSED) < UNANSWERED / 2 and len(unanswered) < 20:
                unanswered.append((number, moved))
                continue
            reason = "账号不存在" if refused else "系统超时" if trouble else ""
            total += fen
            yuan = f"{fen // 100}.{fen % 100:02d}"
            if code == "jia":
                lines.append(
                    f"{number}|{account}|{yuan}|{yuan if moved else '0.00'}|{'00' if moved else '99'}|{reason}"
                )
            else:
                lines.append(f"{account},{yuan},{name},{'成功' if moved else '失败'},{reason}")
        if code == "jia":
            lines.insert(0, f"{len(lines)}|{total // 100}.{total % 100:02d}")
        out = folder / f"{path.stem}_{batch}_回盘.txt"
        out.write_bytes("".join(line + "\r\n" for line in lines).encode("gbk"))
        return out, unanswered

    def _paid(self, batch: int, person: int, fen: int, moved: int) -> None:
        """Books real money on the case and month it was meant for (``meant``: by the record, only to tell which)."""
        for case, month, part in self.meant[person, fen].pop(0):
            self.paid[case, month] += part if moved else 0

    def hear(self, store: Store, batch: int) -> None:
        """What each transfer of a batch is meant for: its lines (several, where back-pay goes along), and a person may have two of the same amount."""
        transfers: dict[int, list[tuple[int, int, int, int]]] = {}
        self.line_of: dict[int, int] = {}  # the bank's number of a transfer → the record's number of its first line
        for number, line, id_no, programme, month, fen in store.query(
            "SELECT l.transfer_no, l.line_no, o.recipient_id_no, o.programme, o.month, l.amount_fen FROM payment_line l JOIN obligation o USING (obligation_id)"
            " WHERE l.payment_id = ? ORDER BY l.line_no", (batch,),
        ):  # fmt: skip
            person = self.numbers[id_no]
            case = self.case_of[list(PROGRAMMES).index(programme), person]
            self.line_of.setdefault(number, line)
            transfers.setdefault(number, []).append((person, case, MONTHS.index(month), fen))
        self.meant: dict[tuple[int, int], list[list[tuple[int, int, int]]]] = {}
        for lines in transfers.values():
            key = (lines[0][0], sum(line[3] for line in lines))
            self.meant.setdefault(key, []).append([line[1:] for line in lines])


class Office:
    """The clerk's side: the commands of each month, given to ``run`` (words → the JSON document)."""

    def __init__(self, year: Year, root: Path, run: Run) -> None:
        self.year, self.root, self.run = year, root, run
        self.mail = root / "inbox" / "bank"
        self.workspace = find_workspace(root, explicit=True)
        self.policy = load_policy(root / "policy", region=REGION)

    def store(self) -> Store:
        return self.workspace.open_store()

    def month(self, month: int) -> None:
        """Everything of one month; 12: only what follows December."""
        year = self.year
        year.mend_accounts()
        with self.store() as store:
            if month < 12:
                year.hand_in_deaths(store, month, self.policy.digest)
                year.hand_in(store, month, corrected=False, digest=self.policy.digest)
            if month:
                year.tally.seen["rows corrected"] += year.hand_in(
                    store, month - 1, corrected=True, digest=self.policy.digest
                )
            for compared in {max(month - 1, 0), min(month, 11)}:
                with store.transaction(actor="样例", command="dedupe run") as tx:
                    tx.journal(f"dedupe:{MONTHS[compared]}", {})
        if month:
            self.run("pay", "recover")
            self.collect(month)
            said = self.run("pay", "back-pay", "--confirm-all", "--reason", "更正后的名册", accept=(0, 4))
            year.tally.seen["back-pay"] += sum(1 for row in said.get("rows", ()) if row["state"] == "confirmed")
            self.pay(month - 1, "更正后补发，已逐笔核实")
        if month < 12:
            self.pay(month)
            self.take_back(month)

    def pay(self, month: int, reason: str = "") -> None:
        said = self.run(
            "pay", "draft", "--month", MONTHS[month], *(("--override", reason) if reason else ()), accept=(0, 4)
        )
        if "error" in said:
            assert said["error"]["code"] in ("nothing_owed", "all_held"), said
            return
        batch = str(said["batch"])
        self.run("pay", "lock", "--batch", batch)
        self.run("--actor", "李审批", "pay", "approve", "--batch", batch)
        exported = self.run("pay", "export", "--batch", batch)
        self.year.tally.seen["lines"] += said["lines"]
        self.mail.mkdir(parents=True, exist_ok=True)
        with self.store() as store:
            self.year.hear(store, int(batch))
        for file in exported["files"]:
            path = self.root / file["path"]
            answer, unanswered = self.year.answer(path, int(batch), self.mail)
            self.run("pay", "return", answer, "--batch", batch)
            for paid in (True, False):
                asked = [self.year.line_of[number] for number, moved in unanswered if bool(moved) == paid]
                if asked:
                    words = [word for number in asked for word in ("--line", str(number))]
                    self.run(
                        "pay",
                        "settle",
                        "--batch",
                        batch,
                        *words,
                        "--paid" if paid else "--failed",
                        "--reason",
                        "银行电话答复",
                    )
                    self.year.tally.seen["settled by hand"] += len(asked)

    def take_back(self, month: int) -> None:
        """Some payments come back after they were booked: the account was closed meanwhile."""
        year = self.year
        with self.store() as store:
            rows = store.query(
                "SELECT l.payment_id, l.line_no, l.amount_fen, o.recipient_id_no, o.programme FROM payment_line l JOIN obligation o USING (obligation_id)"
                " JOIN payment_batch b USING (payment_id) WHERE b.month = ? AND o.month = b.month AND l.state = 'paid' AND b.kind = 'regular' AND (l.payment_id, l.transfer_no)"
                " NOT IN (SELECT payment_id, transfer_no FROM payment_line GROUP BY 1, 2 HAVING COUNT(*) > 1) ORDER BY 1, 2", (MONTHS[month],),
            )  # fmt: skip
        chosen = [
            row
            for row, drawn in zip(rows, year.rng.random(len(rows)), strict=True)
            if drawn < COMES_BACK * year.accidents
        ][:30]
        for batch in sorted({row[0] for row in chosen}):
            mine = [row for row in chosen if row[0] == batch]
            words = [word for row in mine for word in ("--line", str(row[1]))]
            asked = self.run(
                "pay", "reverse", "--batch", str(batch), *words, "--reference", "退汇凭证1号", "--reason", "银行退汇"
            )
            numbers = [str(one["correction_id"]) for one in asked["corrections"]]
            self.run(
                "--actor", "李审批", "pay", "reverse", *(word for number in numbers for word in ("--confirm", number))
            )
            for row in mine:
                person = year.numbers[row[3]]
                case = year.case_of[list(PROGRAMMES).index(row[4]), person]
                year.paid[case, month] -= row[2]
                year.closed[person] = int(year.card[person])
                year.tally.seen["came back"] += 1

    def collect(self, month: int) -> None:
        """Half of what is claimed comes in, in two instalments."""
        path = self.root / "out" / "internal" / "pay" / "追缴台账.xlsx"
        if not path.exists():
            return
        rows = []
        for sheet in read_workbook(path).sheets[:1]:
            heads = next(
                at for at in range(sheet.height) if any(column[at] == "尚欠（元）" for column in sheet.columns)
            )
            place = {str(column[heads]): number for number, column in enumerate(sheet.columns)}
            number, owed, had, who = (place[name] for name in ("追缴编号", "尚欠（元）", "应追回（元）", "身份证号"))
            for at in range(heads + 1, sheet.height):
                claim, id_no = sheet.columns[number][at], sheet.columns[who][at]
                if claim in (None, "") or not id_no:
                    continue
                left, whole = (round(float(sheet.columns[column][at]) * 100) for column in (owed, had))
                person = self.year.numbers[str(id_no)]
                if left and person % 2:
                    rows.append((int(claim), "2026-12-31", min(left, -(-whole // 200) * 100), f"{month}-{len(rows)}"))
                    self.year.repaid[person] += rows[-1][2]
        if rows:
            file = self.mail / "追回.xlsx"
            heads = [
                ColumnSpec("追缴编号", 10, "count"),
                ColumnSpec("追回日期", 14),
                ColumnSpec("追回金额（元）", 14, "amount"),
                ColumnSpec("收据号", 10),
            ]
            write_xlsx(file, [SheetSpec(name="追缴", columns=heads, rows=rows, title="追回")])
            said = self.run("pay", "recover", file)
            assert said["read"]["booked"] == len(rows), said["read"]
            self.year.tally.seen["instalments"] += len(rows)

    # -- the proof --------------------------------------------------------------------------------------------

    def prove(self) -> list[str]:
        """What does not agree, in words: the program's own proof, then every person beside the truth; [] when all does."""
        year = self.year
        said = self.run("pay", "reconcile", "--from", MONTHS[0], "--to", MONTHS[-1], accept=(0, 3))
        wrong = (
            []
            if said["balanced"]
            else [
                f"pay reconcile: {said['differences']} differences {said['by_reason']}, problems {said['problems'][:5]}"
            ]
        )
        persons = len(year.names)
        truth = {
            name: np.bincount(year.person, weights=values.sum(axis=1), minlength=persons).astype(np.int64)
            for name, values in (
                ("due", year.due), ("paid", year.paid), ("claimed", np.maximum(year.paid - year.due, 0)), ("waiting", np.maximum(year.due - year.paid, 0)),
            )
        }  # fmt: skip
        truth["repaid"] = year.repaid
        found = {name: np.zeros(persons, np.int64) for name in truth}
        with self.store() as store:
            connection = open_dues(store, policies_of(store, self.policy, MONTHS), MONTHS)
            balance(connection, store, MONTHS)
            rows = connection.execute(
                "SELECT recipient, sum(due_fen), sum(paid_fen), sum(claimed_fen), sum(greatest(due_fen - paid_fen, 0)), sum(repaid_fen) FROM balance GROUP BY 1"
            ).fetchall()
            connection.close()
        for id_no, due, paid, claimed, waiting, repaid in rows:
            person = year.numbers[id_no]
            for name, fen in (
                ("due", due),
                ("paid", paid),
                ("claimed", claimed),
                ("waiting", waiting),
                ("repaid", repaid),
            ):
                found[name][person] = fen
        for name, fens in truth.items():
            other = np.flatnonzero(found[name] != fens)
            if len(other):
                first = int(other[0])
                wrong.append(
                    f"{name}: {len(other)} persons differ, e.g. person {first}: {found[name][first]}, in truth {fens[first]}"
                )
        self.figures = {name: int(fens.sum()) for name, fens in truth.items()} | {"persons": persons, "reconcile": said}
        return wrong


def office(root: Path, year: Year, run: Run) -> Office:
    """A new workspace with the two banks."""
    create_workspace(
        root, region=REGION, name="示例区民政局", towns=tuple(f"第{n + 1}镇" for n in range(year.towns)), actor="张经办"
    )
    place = root / "policy" / "banks"
    place.mkdir(parents=True, exist_ok=True)
    for code, text in LAYOUTS.items():
        (place / f"{code}.toml").write_text(text, "utf-8")
    return Office(year, root, run)


def months(made: Office) -> Iterator[int]:
    """The year, month by month."""
    for month in range(13):
        made.month(month)
        yield month


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--work", type=Path, default=ROOT / "bench-work")
    options = parser.parse_args()
    root = options.work / "year"
    shutil.rmtree(root, ignore_errors=True)
    year = Year(options.persons, seed=options.seed)

    def run(*words: str | Path, accept: tuple[int, ...] = (0,)) -> dict[str, Any]:
        sample = run_once(jiuzhu("-C", root, "--today", "2026-12-31", *words, "--json"), accepted=accept)
        name = " ".join(str(word) for word in words[words.index("pay") :][:2])
        year.tally.seconds[name] += sample.seconds
        year.tally.seen[f"{name} MB"] = max(year.tally.seen[f"{name} MB"], round(sample.peak_mb))
        told: dict[str, Any] = json.loads(sample.stdout)
        return told

    started = time.monotonic()
    made = office(root, year, run)
    for month in months(made):
        print(
            f"{MONTHS[month] if month < 12 else 'afterwards'}: {time.monotonic() - started:.0f} s, {dict(year.tally.seen)}",
            file=sys.stderr,
        )
    wrong = made.prove()
    print(
        json.dumps(
            {"wrong": wrong, "seen": year.tally.seen, "seconds": year.tally.seconds, **made.figures},
            ensure_ascii=False,
            indent=1,
            default=str,
        )
    )
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
