"""Rolls written down as bureaus write them: many shapes of table, many manners of title, header, figure and signature.

By another hand than ``sample_data/generator`` and than the glossary: headers and habits are from clerks' workbooks as
remembered, so that whatever the program only understands by agreement with its own samples shows here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.second_hand_style import HEADERS, SUBTOTALS, TOTALS, Person, Style, capitals


@dataclass
class Case:
    """What is paid: a household with its members (head first) or one person. ``fen`` None: a status without money."""

    town: str
    village: str
    people: list[Person]
    relations: list[str]
    fen: int | None
    facts: dict[str, Any] = field(default_factory=dict)
    payee: Person | None = None


@dataclass
class Roll:
    """One list. ``town`` '' is the list of the whole district, with a town column."""

    programme: str
    words: str  # the programme as the title says it
    month: str
    town: str
    cases: list[Case]
    columns: list[str]  # of HEADERS, in order; 'amount' stands for the money
    amount_headers: list[str]
    household: bool = False
    title_extra: str = ""
    part: str = ""
    file: Path = Path()
    shape: str = ""
    total_fen: int | None = None  # what the table itself states

    def rows(self) -> list[tuple[str, str, str, str]]:
        return [(self.programme, self.month, case.town, one.id_no) for case in self.cases for one in case.people]

    @property
    def sum_fen(self) -> int:
        return sum(case.fen or 0 for case in self.cases)


@dataclass
class Grid:
    """Cells of one sheet, 0-based. ``places``: where a person's field stands."""

    name: str
    rows: list[list[Any]] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    places: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    hidden: bool = False
    hidden_columns: list[int] = field(default_factory=list)

    def merge(self, row: int, first: int, last: int, down: int = 0) -> None:
        if last > first or down:
            self.merges.append((row, first, row + down, last))


class Writer:
    """Puts one roll into grids by a shape and a style."""

    def __init__(self, roll: Roll, style: Style, district: str) -> None:
        self.roll, self.style, self.district = roll, style, district
        self.heads = {key: style.rng.choice(names) for key, names in HEADERS.items()}
        self.heads["amount"] = style.rng.choice(roll.amount_headers)
        self.case_level = {"no", "village", "size", "income_month", "income_year", "amount", "bank", "account", "payee", "phone",
                           "category", "head_name", "head_id", "town", "remark"} if roll.household else set()  # fmt: skip

    # ---- cells -------------------------------------------------------------------------------------------

    def cell(self, key: str, case: Case, number: int, person: Person, relation: str) -> Any:
        head, style = case.people[0], self.style
        payee = case.payee or head
        match key:
            case "no":
                return number
            case "name" | "member_name":
                return style.name_text(person.name)
            case "id_no" | "member_id":
                return style.id_text(person)
            case "relation":
                return relation
            case "head_name":
                return style.name_text(head.name)
            case "head_id":
                return style.id_text(head)
            case "town":
                return case.town
            case "village":
                return case.village
            case "size":
                return case.facts.get("size", len(case.people))
            case "amount" if "shown" in case.facts:
                return case.facts["shown"]
            case "amount":
                return style.amount(case.fen) if case.fen is not None else None
            case "income_year":
                return case.facts["income"] * 12 // 100
            case "income_month":
                return case.facts["income"] / 100
            case "bank" | "account" | "phone":
                return getattr(payee, key)
            case "payee":
                return payee.name
            case "base" | "care":
                return case.facts[key] // 100
            case _:
                return case.facts.get(key, "")

    # ---- one table ---------------------------------------------------------------------------------------

    def table(
        self, sheet: str, cases: list[Case], keys: list[str], mode: str, *, place: str, total: bool = True
    ) -> Grid:
        grid = Grid(sheet)
        width = len(keys)
        self.opening(grid, width, place)
        self.header(grid, keys)
        since = 0
        last_village = ""
        subtotals = (
            self.style.subtotals and mode in ("blank", "repeated") and bool(self.roll.town) and place == self.roll.town
        )
        for number, case in enumerate(cases, 1):
            if mode == "stacked" and case.village != last_village:
                self.put(grid, [f"{case.village}（{sum(c.village == case.village for c in cases)}户）"])
                grid.merge(len(grid.rows) - 1, self.style.shift, self.style.shift + width - 1)
            elif subtotals and last_village and case.village != last_village:
                self.sum_row(
                    grid, keys, [c for c in cases if c.village == last_village], self.style.rng.choice(SUBTOTALS)
                )
            if self.style.repeat_every and since >= self.style.repeat_every and mode != "stacked":
                self.header(grid, keys)
                since = 0
            last_village = case.village
            self.case_rows(grid, case, number, keys, mode)
            since += 1
        if subtotals:
            self.sum_row(grid, keys, [c for c in cases if c.village == last_village], self.style.rng.choice(SUBTOTALS))
        if total and self.style.total != "none":
            self.sum_row(grid, keys, cases, self.style.rng.choice(TOTALS))
            if self.style.total == "row" and "amount" in keys and not any("shown" in c.facts for c in cases):
                self.roll.total_fen = (self.roll.total_fen or 0) + sum(c.fen or 0 for c in cases)
        for line in (self.style.signature, self.style.notes):
            if line:
                self.put(grid, [self.fill(text, place) for text in line])
        return grid

    def opening(self, grid: Grid, width: int, place: str) -> None:
        if not self.style.untitled:
            self.put(grid, [self.fill(self.style.title, place)])
            grid.merge(0, self.style.shift, self.style.shift + width - 1)
        if self.style.preamble:
            self.put(grid, [self.fill(text, place) for text in self.style.preamble])

    def fill(self, text: str, place: str) -> str:
        year, number = self.roll.month.split("-")
        words = self.roll.words + self.roll.title_extra
        return text.format(district=self.district, town=place, month=self.style.month_text(self.roll.month), programme=words,
                           y=year, m=int(number))  # fmt: skip

    def header(self, grid: Grid, keys: list[str]) -> None:
        names = [self.heads[key] for key in keys]
        person = [i for i, key in enumerate(keys) if key in ("member_name", "member_id", "relation")]
        row, shift = len(grid.rows), self.style.shift
        if self.style.bands and len(person) > 1 and person == list(range(person[0], person[0] + len(person))):
            upper: list[Any] = list(names)
            upper[person[0] : person[-1] + 1] = ["家庭成员情况", *[None] * (len(person) - 1)]
            self.put(grid, upper)
            self.put(grid, [names[i] if i in person else None for i in range(len(names))])
            grid.merge(row, shift + person[0], shift + person[-1])
            for i in range(len(names)):
                if i not in person:
                    grid.merge(row, shift + i, shift + i, 1)
        else:
            self.put(grid, names)
        if self.style.numbers_row:
            self.put(grid, [str(i + 1) for i in range(len(names))])

    def case_rows(self, grid: Grid, case: Case, number: int, keys: list[str], mode: str) -> None:
        first, shift = len(grid.rows), self.style.shift
        for index, (person, relation) in enumerate(zip(case.people, case.relations, strict=True)):
            line: list[Any] = []
            for key in keys:
                told = index == 0 or key not in self.case_level or mode == "repeated"
                line.append(self.cell(key, case, number, person, relation) if told else None)
                row_key = {"member_id": "id_no", "member_name": "name"}.get(key, key)
                if told:
                    grid.places[person.id_no, row_key] = (len(grid.rows), shift + len(line) - 1)
            self.put(grid, line)
        if mode == "merged" and len(case.people) > 1:
            for column, key in enumerate(keys):
                if key in self.case_level:
                    grid.merge(first, shift + column, shift + column, len(case.people) - 1)

    def sum_row(self, grid: Grid, keys: list[str], cases: list[Case], word: str) -> None:
        persons = sum(len(case.people) for case in cases)
        fen = sum(case.fen or 0 for case in cases)
        if self.style.total == "words" and word in TOTALS:
            self.put(
                grid, [f"共计：{len(cases)}户{persons}人，发放金额{fen / 100:.2f}元（大写：{capitals(fen // 100)}）"]
            )
            return
        line: list[Any] = [None] * len(keys)
        if "amount" in keys:
            wan = "万元" in self.heads["amount"]
            line[keys.index("amount")] = fen / 1000000 if wan else fen / 100
        line[0] = word
        if len(keys) > 2 and keys[2] != "amount" and self.style.rng.random() < 0.5:
            line[2] = f"{len(cases)}户{persons}人"
        self.put(grid, line)

    def put(self, grid: Grid, values: list[Any]) -> None:
        grid.rows.append([None] * self.style.shift + values)

    # ---- shapes ------------------------------------------------------------------------------------------

    def grids(self, shape: str) -> list[Grid]:
        roll = self.roll
        place = roll.town or self.district
        if shape == "villages":
            villages = list(dict.fromkeys(case.village for case in roll.cases))
            grids = [
                self.table(v, [c for c in roll.cases if c.village == v], roll.columns, "repeated", place=place + v)
                for v in villages
            ]
        elif shape in ("wide", "slots"):
            grids = [self.wide(place, slots=shape == "slots")]
        else:
            grids = [
                self.table(
                    self.style.rng.choice(["Sheet1", "花名册", roll.words[:12]]),
                    roll.cases,
                    roll.columns,
                    shape,
                    place=place,
                )
            ]
        if self.style.hidden_phone:
            for grid in grids:
                if "phone" in roll.columns and shape not in ("wide", "slots"):
                    grid.hidden_columns.append(self.style.shift + roll.columns.index("phone"))
        if self.style.hidden_sheet:
            grids.append(Grid("上月留底", [["姓名", "身份证号", "金额"], ["某某", "", 100]], hidden=True))
        return grids

    def wide(self, place: str, *, slots: bool) -> Grid:
        """One row a household: members in one cell, or in numbered columns side by side."""
        keys = ["no", "village", "head_name", "head_id", "size", "income_month", "amount", "bank", "account", "phone"]
        keys = [k for k in keys if k != "amount" or "amount" in self.roll.columns]
        most = max(len(case.people) for case in self.roll.cases)
        extra = (
            [f"成员{i}{word}" for i in range(1, most) for word in ("姓名", "身份证号")]
            if slots
            else ["家庭成员姓名", "家庭成员身份证号码"]
        )
        grid = Grid("Sheet1")
        self.opening(grid, len(keys) + len(extra), place)
        self.put(grid, [self.heads[key] for key in keys] + extra)
        between = self.style.rng.choice(["、", ",", "，", "\n", ";"])
        for number, case in enumerate(self.roll.cases, 1):
            line = [self.cell(key, case, number, case.people[0], "本人") for key in keys]
            others = case.people[1:]
            if slots:
                line += [text for one in others for text in (one.name, one.shown_id or one.id_no)]
            else:
                shown = case.people if self.style.repeat_every else others
                line += [between.join(p.name for p in shown), between.join(p.shown_id or p.id_no for p in shown)]
            self.put(grid, line)
        if "amount" in keys and self.style.total == "row":
            self.sum_row(grid, keys, self.roll.cases, "合计")
            self.roll.total_fen = self.roll.sum_fen
        return grid

    def pair(self) -> tuple[Grid, Grid]:
        """The provincial system's two exports: households with many members a cell, and persons with the household's figures."""
        families: list[list[Any]] = [["所属省级", "所属市级", "区县", "街道", "社区", "户主姓名", "户主身份证号", "家庭人口数", "保障人口数", "家庭年收入（元）",
                     "户月保障金额（元）", "家庭成员姓名", "家庭成员身份证号", "开户银行", "银行帐号", "联系电话"]]  # fmt: skip
        persons: list[list[Any]] = [
            [
                "所属省",
                "所属市",
                "所属区",
                "所属街",
                "所属社",
                "姓名",
                "身份证号",
                "与户主关系",
                "户主姓名",
                "户主身份证号",
                "户月保障金额（元）",
                "劳动能力",
            ]
        ]
        for case in self.roll.cases:
            head = case.people[0]
            place = ["某省", "某市", self.district, case.town, case.village]
            paid = case.fen / 100 if case.fen is not None else None
            families.append([*place, head.name, head.id_no, len(case.people), len(case.people), case.facts["income"] * 12 // 100, paid,
                             ",".join(p.name for p in case.people), ",".join(p.id_no for p in case.people), head.bank,
                             (case.payee or head).account, head.phone])  # fmt: skip
            persons += [
                [*place, p.name, p.id_no, relation, head.name, head.id_no, paid, "有"]
                for p, relation in zip(case.people, case.relations, strict=True)
            ]
        return Grid("家庭查询", families), Grid("人员查询", persons)
