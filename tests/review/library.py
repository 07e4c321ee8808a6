"""The library of cases (``tests/cases/**.toml``): reads it, puts cases that cannot influence each other into one ledger, reviews it once.

The format is told in ``tests/cases/README.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jiuzhu_cli.core.identity import parse_id, upgrade15
from jiuzhu_cli.core.period import add_months
from jiuzhu_cli.core.text import header_key
from jiuzhu_cli.ledger.proposals import proposals_of
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.policy.glossary import header_index
from jiuzhu_cli.policy.load import Policy, load_policy
from jiuzhu_cli.review.output import steps_text
from jiuzhu_cli.review.price import run_price
from jiuzhu_cli.review.run import run_review
from jiuzhu_cli.tabular.read import read_workbook
from tests.support import make_id, make_workspace, put_register, put_roll

CASES = Path(__file__).parent.parent / "cases"
FILE_KEYS = {"region", "month", "today", "parameters", "files"}
CASE_KEYS = FILE_KEYS | {
    "name", "why", "people", "rolls", "registers", "doubts", "decided", "expect", "covers", "alone", "xfail", "price",
}  # fmt: skip
EXPECT_KEYS = {
    "人", "action", "programme", "before", "after", "month", "hearing", "reasons", "not_reasons", "basis", "steps",
}  # fmt: skip
PARAMETER = (
    '[[parameter]]\nname = "{name}"\n{unit}source = "案例"\nvalues = [{{ since = {since}{until}, value = {value} }}]\n'
)


@dataclass(frozen=True)
class Case:
    """One case as its file tells it, the file's defaults filled in. ``place`` is its own in the file, ``number`` in the library (for its towns and IDs)."""

    file: str
    place: int
    number: int
    told: dict[str, Any] = field(hash=False)

    def __getitem__(self, key: str) -> Any:
        return self.told[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.told.get(key, default)

    @property
    def id(self) -> str:
        return f"{self.file}:{self['name']}"

    @property
    def short(self) -> str:
        """For the test's name: pytest would write Chinese as escapes."""
        return f"{self.file}-{self.place}"

    @property
    def covers(self) -> list[str]:
        return list(self.get("covers", []))

    @property
    def group(self) -> str:
        """Cases of one group share a ledger and a run."""
        shared = [str(self.get(key, "")) for key in sorted(FILE_KEYS)]
        return "|".join([*shared, self.id if self.get("alone") else ""])

    def town(self, place: str = "") -> str:
        return f"{self.number:03d}{place or '镇'}"

    def programme_of(self, policy: Policy, expected: dict[str, Any]) -> str:
        named = expected.get("programme") or split_key(next(iter(self["rolls"])), self["month"])[0]
        return policy.programme(named).code


@cache
def library() -> tuple[Case, ...]:
    """All cases, in the order of their files."""
    found: list[Case] = []
    for path in sorted(CASES.rglob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
        shown = path.relative_to(CASES).as_posix().removesuffix(".toml")
        assert set(table) <= CASE_KEYS | {"case"}, f"{shown}: {set(table) - CASE_KEYS}"
        defaults = {key: value for key, value in table.items() if key != "case"}
        for place, told in enumerate(table["case"], 1):
            assert set(told) <= CASE_KEYS, f"{shown} {told.get('name')}: {set(told) - CASE_KEYS}"
            for expected in told["expect"]:
                assert set(expected) <= EXPECT_KEYS, f"{shown} {told['name']}: {set(expected) - EXPECT_KEYS}"
            found.append(Case(shown, place, len(found) + 1, defaults | told))
    return tuple(found)


def split_key(key: str, month: str) -> tuple[str, str, str]:
    """``低保@2026-09#乙镇`` as (programme, month, place)."""
    rest, _, place = key.partition("#")
    name, _, other = rest.partition("@")
    return name, other or month, place


class Shared:
    """A bureau in which the cases of one group live, each in its own towns; reviewed once."""

    def __init__(self, folder: Path, cases: list[Case]) -> None:
        self.cases = cases
        first = cases[0]
        self.workspace = make_workspace(folder / "bureau", region=first["region"])
        own = self.workspace.root / "policy"
        if first.get("parameters"):
            (own / "parameters").mkdir(parents=True, exist_ok=True)
            text = parameters_text(first["region"], first["month"], first["parameters"])
            (own / "parameters" / "case.toml").write_text(text, "utf-8")
        for name, text in (first.get("files") or {}).items():
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            (own / name).write_text(text, "utf-8")
        overlaid = first.get("parameters") or first.get("files")
        self.policy = load_policy(own, region=first["region"]) if overlaid else shipped(first["region"])
        self.fields = header_index(self.policy.glossary)
        self.people: dict[int, dict[str, tuple[str, str]]] = {}
        self.unreadable: dict[int, Exception] = {}
        with self.workspace.open_store() as store:
            for case in cases:
                try:
                    self.people[case.number] = people_of(case)
                    self._fill(store, case)
                except Exception as error:  # told of this case alone
                    self.unreadable[case.number] = error
            today = first["today"]
            run_review(
                store, self.workspace, self.policy, first["month"], today=today, actor="张经办", keep_rows=True,
                now=datetime(today.year, today.month, today.day, 1, tzinfo=UTC),
            )  # fmt: skip
            made = proposals_of(store, first["month"])
            self.price = self._price(store, first) if any("price" in case.told for case in cases) else {}
        self.proposals: dict[int, list[dict[str, Any]]] = {case.number: [] for case in cases}
        for one in made:
            self.proposals[int(one["area"][:3])].append(one)

    def _price(self, store: Store, first: Case) -> dict[str, int]:
        """分 by ID on the month's roll of the price subsidy; empty when it does not start."""
        today = first["today"]
        now = datetime(today.year, today.month, today.day, 2, tzinfo=UTC)
        run = run_price(store, self.workspace, self.policy, first["month"], today=today, now=now, actor="张经办")
        if run.roll is None:
            return {}
        sheet = read_workbook(run.roll).sheets[0]
        rows = [[column[at] for column in sheet.columns] for at in range(sheet.height)]
        head = next(at for at, row in enumerate(rows) if "身份证号" in row)
        id_no, amount = rows[head].index("身份证号"), rows[head].index("发放金额")
        paid: dict[str, int] = {}
        for row in rows[head + 1 :]:
            if isinstance(row[amount], int | float) and row[id_no]:
                paid[row[id_no]] = paid.get(row[id_no], 0) + round(row[amount] * 100)
        return paid

    def _fill(self, store: Store, case: Case) -> None:
        for key, rows in case.get("rolls", {}).items():
            name, month, place = split_key(key, case["month"])
            programme = self.policy.programme(name)
            lines = list(self._roll_rows(case, rows, programme.unit == "household"))
            put_roll(store, programme.code, case.town(place), month, lines)
        for key, rows in case.get("registers", {}).items():
            name, month, place = split_key(key, case["month"])
            register = self.policy.register(name)
            own = {header_key(word): code for code, words in register.fields.items() for word in words}
            lines = [self._row(case, row, own) for row in rows]
            # a register of the whole district would tell of the other cases' towns too
            area = "" if case.get("alone") and place != "镇" else case.town(place)
            put_register(store, register.code, lines, area=area, month=month)
        for number, told in enumerate(case.get("doubts", [])):
            self._doubt(store, case, told, number)
        for number, told in enumerate(case.get("decided", [])):
            self._decided(store, case, told, number)

    def _roll_rows(self, case: Case, rows: list[dict[str, Any]], household: bool) -> Iterator[dict[str, Any]]:
        heads = [index for index, row in enumerate(rows) if not household or row.get("关系") in (None, "户主", "本人")]
        assert not rows or heads[:1] == [0], f"{case.id}: the first row is no head"
        for index, row in enumerate(rows):
            line = self._row(case, row, {})
            number = sum(head <= index for head in heads)
            line |= {"case_no": number, "lead": int(index in heads)}
            if line["lead"]:
                line.setdefault("category", "农村")
                if household:
                    size = [*heads, len(rows)][number] - index
                    line = {"household_size": size, "covered_persons": size} | line
            if household:
                head = rows[heads[number - 1]]["人"]
                name, id_no = self.people[case.number][head]
                line = {"head_name": name, "head_id_no": id_no} | line
            yield line

    def _row(self, case: Case, row: dict[str, Any], own: dict[str, str]) -> dict[str, Any]:
        """A row's columns by code; money in 分, dates as text."""
        name, id_no = self.people[case.number][row["人"]]
        line: dict[str, Any] = {"name": name, "id_no": id_no}
        for key, told in row.items():
            value = told
            if key == "人":
                continue
            code = own.get(header_key(key)) or (key if key.isascii() else self.fields[header_key(key)])
            if code in ("related_id_no", "head_id_no", "payee_id_no", "id_no") and value in self.people[case.number]:
                value = self.people[case.number][value][1]
            if code in ("income_month", "income_year"):
                line |= {"income_fen": fen(value), "income_period": code.removeprefix("income_")}
            elif value == "":
                line[code] = None
            elif code.endswith("_fen"):
                line[code] = fen(value)
            else:
                line[code] = value.isoformat() if isinstance(value, date) else value
        return line

    def _doubt(self, store: Store, case: Case, told: dict[str, Any], number: int) -> None:
        name, id_no = self.people[case.number][told["人"]]
        other = self.policy.programme(told["other"]).code if "other" in told else ""
        row = {
            "doubt_id": f"D{case.number:04d}{number:02d}", "doubt_key": f"{case.number}-{number}", "kind": "double",
            "code": "double_exclusive", "severity": "strong", "month_from": case["month"], "month_to": case["month"],
            "id_no_a": id_no, "name_a": name, "programme_a": self.policy.programme(told["programme"]).code,
            "area_a": case.town(), "source_a": "", "id_no_b": id_no, "name_b": name, "programme_b": other, "area_b": case.town(),
            "source_b": "", "amount_fen": 0, "evidence": "", "basis": told.get("basis", ""), "state": "open",
            "disposition": told.get("disposition", "stop_a"), "run_month": case["month"], "first_seen": "", "last_seen": "",
        }  # fmt: skip
        with store.transaction(actor="案例", command="test") as tx:
            tx.execute(f"INSERT INTO doubt ({','.join(row)}) VALUES ({','.join('?' * len(row))})", list(row.values()))
            tx.execute(
                "INSERT INTO doubt_month (doubt_id, month, amount_fen) VALUES (?, ?, 0)",
                (row["doubt_id"], case["month"]),
            )
            tx.journal(f"doubt:{row['doubt_id']}", {})

    def _decided(self, store: Store, case: Case, told: dict[str, Any], number: int) -> None:
        name, id_no = self.people[case.number][told["人"]]
        row = {
            "case_id": f"Q{case.number:04d}{number:02d}", "proposal_key": f"案例{case.number}-{number}",
            "month": told.get("month", add_months(told["effective"], -1)), "programme": case.programme_of(self.policy, told),
            "area": case.town() + "/一村", "id_no": id_no, "name": name, "action": told["action"],
            "amount_before_fen": fen(told["before"]), "amount_after_fen": fen(told["after"]), "effective_month": told["effective"],
            "reasons": told.get("reasons", ""), "basis": "", "steps": "[]", "needs_hearing": 0, "policy_digest": "",
            "state": told.get("state", "effective"), "decided_at": "2026-01-01", "created_at": "2026-01-01",
        }  # fmt: skip
        with store.transaction(actor="案例", command="test") as tx:
            tx.execute(
                f"INSERT INTO proposal ({','.join(row)}) VALUES ({','.join('?' * len(row))})", list(row.values())
            )
            tx.journal(f"proposal:{row['case_id']}", {})


@cache
def shipped(region: str) -> Policy:
    return load_policy(region=region)


def fen(value: Any) -> int | None:
    """元 as whole 分; ``"none"`` is no amount."""
    if value in ("none", ""):
        return None
    exact = Decimal(str(value)) * 100
    assert exact == int(exact), f"{value} 元 is no whole number of 分"
    return int(exact)


def parameters_text(region: str, month: str, told: dict[str, Any]) -> str:
    """A parameter file of the bureau's folder, from ``month`` on unless told. A parameter that is shipped keeps its unit."""
    table = shipped(region).parameters
    known = {name: table.chosen(name)[-1].unit for name in told if table.applies(name)}
    text = [f'area = "{region}"\n']
    for name, value in told.items():
        values = value if isinstance(value, list) else [value if isinstance(value, dict) else {"value": value}]
        for one in values:
            plain = one["value"]
            unit = one.get("unit", known.get(name, ""))
            shown = str(plain).lower() if isinstance(plain, bool) else f'"{plain}"' if isinstance(plain, str) else plain
            until = f", until = {one['until']}" if "until" in one else ""
            since = one.get("since", f"{month}-01")
            line = f'unit = "{unit}"\n' if unit else ""
            text.append(PARAMETER.format(name=name, unit=line, since=since, until=until, value=shown))
    return "\n".join(text)


def people_of(case: Case) -> dict[str, tuple[str, str]]:
    """The case's persons by alias: (name, ID). Every ID is of this case alone."""
    rows = [row for lists in ("rolls", "registers") for rows in case.get(lists, {}).values() for row in rows]
    known = {row["人"]: "1980-01-01" for row in rows} | dict(case.get("people", {}))
    found: dict[str, tuple[str, str]] = {}
    for place, (alias, told) in enumerate(known.items()):
        born, *words = str(told).split()
        area = next((word[5:] for word in words if word.startswith("area=")), case["region"])
        given = next((word[3:] for word in words if word.startswith("id=")), "")
        serial = case.number % 49 * 10 + place + 1
        # towns of the region by turns, so that 49 × 10 serials do for any number of cases
        area = area[:4] + f"{(int(area[4:]) + case.number // 49) % 100:02d}" if area == case["region"] else area
        id_no = given or make_id(serial, area=area, born=born.replace("-", ""), male="女" not in words)
        if "id15" in words:
            # as intake reads an old number: 15 digits become 18 again
            id_no = parse_id(id_no[:6] + id_no[8:17]).value
            assert id_no == upgrade15(id_no[:6] + id_no[8:17])
        found[alias] = (alias, id_no)
    return found


def shown_steps(proposal: dict[str, Any]) -> str:
    return steps_text(proposal["steps"])
