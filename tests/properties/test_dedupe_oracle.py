"""The SQL of dedupe against a brute-force reading of the same rules, on small random ledgers."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jiuzhu_cli.core.identity import age_on, birth_date
from jiuzhu_cli.core.period import last_day
from jiuzhu_cli.dedupe.facts import ROLL_COLUMNS
from jiuzhu_cli.dedupe.run import find_doubts
from jiuzhu_cli.ledger.snapshot import REGISTER_COLUMNS, duck_type, make_types
from jiuzhu_cli.policy.load import load_policy
from tests.support import make_id

LOW, MARGIN, POOR, RIGID = "subsistence_allowance", "low_income_margin", "extreme_poverty_support", "rigid_expenditure"
LIVING, CARE, OLD, HOUSE = "disability_living_subsidy", "disability_care_subsidy", "old_age_allowance", "dilapidated_house_renovation"  # fmt: skip
CERTIFICATE = "register:disability_certificate"
POLICY = load_policy(None, region="421002")
MONTHS = ("2026-09", "2026-10")
TOWNS = ("东镇", "西镇")
PEOPLE = [make_id(n, born="19400615" if n % 3 == 0 else "19800101") for n in range(1, 8)]
HOUSEHOLD = (LOW, MARGIN, RIGID)
PERSONAL = (POOR, LIVING, CARE, OLD, HOUSE)


@dataclass(frozen=True)
class Case:
    programme: str
    town: str
    month: str
    members: tuple[int, ...]  # indexes of PEOPLE, the head first
    fen: int
    account: str
    claims: str


cases = st.builds(
    lambda programme, town, month, members, fen, account, claims: Case(
        programme, town, month, tuple(members if programme in HOUSEHOLD else members[:1]), fen, account,
        claims if programme in (HOUSE, OLD) else "",
    ),
    st.sampled_from(HOUSEHOLD + PERSONAL),
    st.sampled_from(TOWNS),
    st.sampled_from(MONTHS),
    st.lists(st.integers(0, len(PEOPLE) - 1), min_size=1, max_size=3, unique=True),
    st.integers(1, 900).map(lambda n: n * 100),
    st.sampled_from(["", "", "62220001", "62220002"]),
    st.sampled_from(["", "低保户", "低保边缘户", "特困人员", "非低保户"]),
)  # fmt: skip
deaths = st.dictionaries(st.integers(0, len(PEOPLE) - 1), st.sampled_from(["2026-08-31", "2026-09-01", "2026-10-31"]), max_size=2)  # fmt: skip
certificates = st.dictionaries(st.integers(0, len(PEOPLE) - 1), st.tuples(st.integers(1, 4), st.sampled_from(["", "2026-09-30"])), max_size=4)  # fmt: skip


def _tables(ledger: list[Case], dead: dict[int, str], certified: dict[int, tuple[int, str]]) -> Any:
    connection = duckdb.connect(":memory:")
    make_types(connection, None, narrow=False)
    rolls: list[dict[str, Any]] = []
    batches: dict[tuple[str, str, str], int] = {}
    for number, case in enumerate(ledger):
        batch = batches.setdefault((case.programme, case.town, case.month), len(batches) + 1)
        for place, member in enumerate(case.members):
            rolls.append(
                dict.fromkeys(ROLL_COLUMNS)
                | {"programme": case.programme, "area": case.town, "month": case.month, "file_name": "f", "sheet": "s"}
                | {"row_id": len(rolls) + 1, "batch_id": batch, "case_no": number, "source_row": len(rolls), "town": case.town}
                | {"id_no": PEOPLE[member], "name": f"人{member}", "village": "一村", "head_id_no": PEOPLE[case.members[0]]}
                | {"lead": int(place == 0), "amount_fen": None if place else case.fen}
                | {"account_no": None if place else case.account, "claimed_status": case.claims}
            )  # fmt: skip
    registers = [("death", PEOPLE[who], {"event_date": day}) for who, day in sorted(dead.items())]
    registers += [("disability_certificate", PEOPLE[who], {"grade": str(grade), "kind": "肢体", "valid_to": until, "town": "东镇"}) for who, (grade, until) in sorted(certified.items())]  # fmt: skip
    lines = [dict.fromkeys(REGISTER_COLUMNS) | {"register": code, "row_id": n, "id_no": who, "name": "某", "town": "", "village": "", "month": "", "file_name": "f", "sheet": "s"} | more for n, (code, who, more) in enumerate(registers, 1)]  # fmt: skip
    _fill(connection, "roll", ["programme", "area", "month", "file_name", "sheet", *ROLL_COLUMNS], rolls)
    _fill(connection, "register", ["register", "month", "file_name", "sheet", *REGISTER_COLUMNS], lines)
    _fill(connection, "coverage", ["programme", "area", "month"], [{"programme": p, "area": t, "month": m} for p, t, m in batches])  # fmt: skip
    connection.execute(
        "CREATE TABLE origin AS SELECT DISTINCT 'roll' AS kind, batch_id, table_no, programme, area, month, file_name, sheet FROM roll"
    )
    codes = ["death", "disability_certificate"]
    _fill(connection, "register_coverage", ["register", "area"], [{"register": code, "area": ""} for code in codes])
    return connection


def _fill(connection: Any, table: str, columns: list[str], rows: list[dict[str, Any]]) -> None:
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {duck_type(name)}' for name in columns)})")
    for row in rows:
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", [row[name] for name in columns])  # fmt: skip


def _half_up(total: int, count: int) -> int:
    return (2 * total + count) // (2 * count)


class Oracle:
    """Loops over everything, one rule at a time."""

    def __init__(self, ledger: list[Case], dead: dict[int, str], certified: dict[int, tuple[int, str]]) -> None:
        self.ledger, self.dead, self.certified = ledger, dead, certified
        self.found: set[tuple[Any, ...]] = set()
        self.covered = {(case.programme, case.town, case.month) for case in ledger}

    def on(self, programme: str, who: int, month: str) -> list[tuple[int, Case]]:
        return [(n, c) for n, c in enumerate(self.ledger) if (c.programme, c.month) == (programme, month) and who in c.members]  # fmt: skip

    def share(self, case: Case) -> int:
        return _half_up(case.fen, len(case.members))

    def run(self) -> set[tuple[Any, ...]]:
        for month in MONTHS:
            for who in range(len(PEOPLE)):
                self._exclusive(who, month)
                self._twice(who, month)
                self._after_death(who, month)
                self._missed(who, month)
                self._grade(who, month)
                self._not_alone(who, month)
            self._households(month)
            self._claims(month)
            self._accounts(month)
        return self.found

    def _exclusive(self, who: int, month: str) -> None:
        for a, b in ((LOW, POOR), (LOW, MARGIN), (POOR, LIVING), (POOR, CARE)):
            pairs = itertools.product(self.on(a, who, month), self.on(b, who, month))
            ranked = sorted(pairs, key=lambda pair: (pair[0][1].town != pair[1][1].town, pair[0][0], pair[1][0]))
            if ranked:
                (_, left), (_, right) = ranked[0]
                self.found.add(("exclusive", a, b, who, who, month, min(self.share(left), self.share(right))))

    def _twice(self, who: int, month: str) -> None:
        for programme in HOUSEHOLD + PERSONAL:
            listed = sorted(self.on(programme, who, month), key=lambda one: (one[1].town, one[0]))
            for _, other in listed[1:]:
                first = listed[0][1]
                code = "two_towns" if first.town != other.town else "same_programme_twice"
                self.found.add((code, programme, programme, who, who, month, min(self.share(first), self.share(other))))

    def _after_death(self, who: int, month: str) -> None:
        if who not in self.dead or month <= self.dead[who][:7]:
            return
        for programme in HOUSEHOLD + PERSONAL:
            listed = [case for _, case in self.on(programme, who, month)]
            if listed:
                amount = sum(c.fen if c.members[0] == who else self.share(c) for c in listed)
                self.found.add(("after_death", programme, "register:death", who, who, month, amount))

    def _grade(self, who: int, month: str) -> None:
        """护理补贴 is for grades one and two; who holds a valid certificate of three (physical) or four should not be there."""
        grade, until = self.certified.get(who, (0, ""))
        if grade >= 3 and (not until or until >= last_day(month).isoformat()) and self.on(CARE, who, month):
            if grade == 3 and self._doubled(who, month):
                return
            self.found.add(("grade_not_eligible", CARE, CERTIFICATE, who, who, month, "any"))

    def _not_alone(self, who: int, month: str) -> None:
        if self.on(POOR, who, month) and len(self._kin(who, month)) > 1 and not self._doubled(who, month):
            self.found.add(("not_alone", POOR, "", who, None, month, "any"))

    def _doubled(self, who: int, month: str) -> bool:
        """Whether the person is side a of a strong double."""
        twice = any(len(self.on(programme, who, month)) > 1 for programme in HOUSEHOLD + PERSONAL)
        pairs = ((LOW, POOR), (LOW, MARGIN), (POOR, LIVING), (POOR, CARE))
        return twice or any(self.on(a, who, month) and self.on(b, who, month) for a, b in pairs) or who in self._shown_in_households(month)  # fmt: skip

    def _shown_in_households(self, month: str) -> set[int]:
        """Shown as side a of a household double: the shared head first, a shared member else."""
        shown: set[int] = set()
        for a in (LOW, POOR, MARGIN):
            for left in (c for c in self.ledger if (c.programme, c.month) == (a, month)):
                for right in (c for c in self.ledger if (c.programme, c.month) == (RIGID, month)):
                    both = set(left.members) & set(right.members)
                    if both:
                        shown.add(min(both, key=lambda m: (m != left.members[0], m != right.members[0], PEOPLE[m])))
        return shown

    def _missed(self, who: int, month: str) -> None:
        day = last_day(month)
        if who in self.dead and self.dead[who] <= day.isoformat():
            return
        grade, until = self.certified.get(who, (0, ""))
        valid = grade and (not until or until >= day.isoformat())
        held = [c for c in self.ledger if c.month == month and who in c.members]
        born = birth_date(PEOPLE[who])
        assert born is not None
        grounds: list[tuple[str, str, str]] = []  # what the person has, what is due, town
        if valid:
            grounds += [(LOW, LIVING, c.town) for c in held if c.programme == LOW]
            if grade <= 2:
                grounds.append((CERTIFICATE, CARE, "东镇"))
        if age_on(born, day) >= 80:
            grounds += [(c.programme, OLD, c.town) for c in held if c.programme != OLD]
            if valid:
                grounds.append((CERTIFICATE, OLD, "东镇"))
        for due in (LIVING, CARE, OLD):
            chosen = [one for one in grounds if one[1] == due]
            if not chosen or self.on(due, who, month):
                continue
            if due in (LIVING, CARE) and self.on(POOR, who, month):
                continue
            if all((due, town, month) in self.covered for _, _, town in chosen):
                self.found.add(("missed_strong", "", due, who, None, month, 0))
        self._may_join(who, month, [c.town for c in held if c.programme == MARGIN] if valid and grade <= 2 else [])

    def _may_join(self, who: int, month: str, towns: list[str]) -> None:
        """B10: a severely disabled person of a 边缘 household may be taken into 低保; being on the margin list is no bar to that."""
        if not towns or any(self.on(LOW, one, month) for one in self._kin(who, month)):
            return
        if any(self.on(other, who, month) for other in (POOR, RIGID)):
            return
        if all((LOW, town, month) in self.covered for town in towns):
            self.found.add(("missed_candidate", "", LOW, who, None, month, 0))

    def _households(self, month: str) -> None:
        for a in (LOW, POOR, MARGIN):
            for left in (c for c in self.ledger if (c.programme, c.month) == (a, month)):
                for right in (c for c in self.ledger if (c.programme, c.month) == (RIGID, month)):
                    both = set(left.members) & set(right.members)
                    if both:
                        self.found.add(("exclusive_household", a, RIGID, "any", "any", month, "any"))

    def _kin(self, who: int, month: str) -> set[int]:
        return {m for c in self.ledger if c.month == month and who in c.members for m in c.members}

    def _claims(self, month: str) -> None:
        proofs = {"低保户": (LOW,), "低保边缘户": (MARGIN, LOW), "特困人员": (POOR,)}
        for case in self.ledger:
            if case.month != month or case.claims not in proofs or case.programme in proofs[case.claims]:
                continue
            asked = proofs[case.claims][0]
            who = case.members[0]
            kin = self._kin(who, month)
            proven = any(c.programme in proofs[case.claims] and c.month == month and kin & set(c.members) for c in self.ledger)  # fmt: skip
            if not proven and (asked, case.town, month) in self.covered:
                self.found.add(("claim_not_borne_out", case.programme, asked, who, None, month, "any"))

        for case in self.ledger:
            until = self.certified.get(case.members[0], (0, ""))[1]
            if case.month == month and case.programme in (LIVING, CARE) and until and until < month + "-01":
                self.found.add(("certificate_ended", case.programme, CERTIFICATE, case.members[0], case.members[0], month, "any"))  # fmt: skip

    def _accounts(self, month: str) -> None:
        family = {n: n for n in range(len(PEOPLE))}
        for case in self.ledger:
            for member in case.members[1:]:
                old, new = family[member], family[case.members[0]]
                family = {k: new if v == old else v for k, v in family.items()}
        users: dict[str, set[int]] = defaultdict(set)
        for case in self.ledger:
            if case.month == month and case.account:
                users[case.account].add(case.members[0])
        for people in users.values():
            families = {family[who] for who in people}
            if len(families) > 1:
                counts = {f: sum(1 for who in people if family[who] == f) for f in families}
                apart = sum(counts.values()) - max(counts.values())
                self.found.add(("shared_account", month, apart, len(people)))


def _sql(connection: Any) -> set[tuple[Any, ...]]:
    who = {id_no: n for n, id_no in enumerate(PEOPLE)}
    found: set[tuple[Any, ...]] = set()
    shared: dict[tuple[str, str], list[int]] = defaultdict(list)
    rows = connection.execute("SELECT code, programme_a, programme_b, id_no_a, id_no_b, month, amount_fen, fact FROM hit").fetchall()  # fmt: skip
    for code, a, b, id_a, id_b, month, fen, fact in rows:
        if code in ("account_changed", "accounts_changed_together"):  # looks back over months: not read here
            continue
        if code == "shared_account":
            account, _, people = fact.partition("|")
            shared[(account, month)].append(int(people))
        elif code == "exclusive_household":
            found.add((code, a, b, "any", "any", month, "any"))
        elif code in ("claim_not_borne_out", "not_alone"):
            found.add((code, a, b, who[id_a], None, month, "any"))
        elif code in ("grade_not_eligible", "certificate_ended"):
            found.add((code, a, b, who[id_a], who[id_b], month, "any"))
        elif code in ("missed_strong", "missed_candidate"):
            found.add((code, "", b, who[id_a], None, month, 0))
        else:
            found.add((code, a, b, who[id_a], who[id_b], month, fen))
    found |= {("shared_account", month, len(people), people[0]) for (_, month), people in shared.items()}
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(cases, min_size=1, max_size=9), deaths, certificates)
def test_sql_equals_brute_force(
    ledger: list[Case], dead: dict[int, str], certified: dict[int, tuple[int, str]]
) -> None:
    connection = _tables(ledger, dead, certified)
    find_doubts(connection, POLICY, list(MONTHS))
    found = _sql(connection)
    connection.close()
    assert found == Oracle(ledger, dead, certified).run()
