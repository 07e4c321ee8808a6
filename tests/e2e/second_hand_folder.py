"""Turns the quarter of ``second_hand`` into a folder of files, damages cells, and remembers every damaged address."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from tests.e2e.second_hand import (
    CARE,
    ELDER,
    HOUSE,
    KINDS,
    LEFT,
    LIVING,
    LOW,
    MARGIN,
    NO_ADDONS,
    OCTOBER,
    OLD,
    ORPHAN,
    POOR,
    RIGID,
    STANDARDS,
    URGENT,
    Builder,
    World,
)
from tests.e2e.second_hand_files import save
from tests.e2e.second_hand_plants import plant_all
from tests.e2e.second_hand_style import HOUSEHOLD_SHAPES, LONG_SHAPES, Style, capitals
from tests.e2e.second_hand_tables import Case, Grid, Roll, Writer

WORDS = {
    LOW: ["最低生活保障金", "低保金", "最低生活保障"], POOR: ["特困人员救助供养资金", "特困供养金", "特困人员供养金"], MARGIN: ["低保边缘家庭"],
    LIVING: ["困难残疾人生活补贴"], CARE: ["重度残疾人护理补贴"], OLD: ["高龄津贴", "80周岁以上老人高龄津贴", "高龄老人生活津贴"],
    URGENT: ["临时救助金", "临时救助"], HOUSE: ["农村危房改造补助资金"], RIGID: ["刚性支出困难家庭"], ORPHAN: ["孤儿基本生活费"],
    LEFT: ["事实无人抚养儿童基本生活补贴"], ELDER: ["养老护理补贴"],
}  # fmt: skip
AMOUNTS = {
    LOW: ["户月保障金额（元）", "月保障金额", "保障金额(元)", "发放金额", "月低保金（元）"], POOR: ["合计", "发放金额（元）", "供养金合计"],
    LIVING: ["补贴金额（元）", "发放金额", "补贴标准（元/月）"], CARE: ["补贴金额", "发放金额（元）", "实发金额"], OLD: ["津贴金额（元）", "发放金额", "月津贴标准"],
    URGENT: ["救助金额", "救助金额（元）", "批准金额"], HOUSE: ["补助金额（元）", "补助资金", "补助金额（万元）"],
}  # fmt: skip
HOUSEHOLD = [
    "no",
    "village",
    "head_name",
    "member_name",
    "member_id",
    "relation",
    "size",
    "income_month",
    "amount",
    "bank",
    "account",
    "phone",
]
PERSON: dict[str, list[str]] = {
    POOR: [
        "no",
        "village",
        "name",
        "id_no",
        "care_mode",
        "self_care",
        "base",
        "care",
        "amount",
        "bank",
        "account",
        "remark",
    ],
    LIVING: ["no", "village", "name", "id_no", "grade", "amount", "bank", "account", "phone"],
    CARE: ["no", "village", "name", "id_no", "grade", "amount", "bank", "account"],
    OLD: ["no", "name", "id_no", "village", "status", "amount", "payee", "account", "bank", "phone"],
    URGENT: ["no", "name", "id_no", "village", "kind", "cause", "amount", "granted", "bank", "account"],
    HOUSE: ["no", "village", "name", "id_no", "status", "house", "mode", "amount", "bank", "account"],
}
DISTRICT = (LIVING, CARE, HOUSE, ORPHAN, LEFT, ELDER)
PAPERS = ["月报", "民政所报送", "2026年10月报表", "台账"]  # folders between the inbox and the file


@dataclass(frozen=True)
class Damage:
    """One spoilt cell. ``refused``: the row must be refused, else taken in and only reported."""

    file: Path
    sheet: str
    cell: str
    row: tuple[str, str, str, str]
    field: str
    what: str
    refused: bool
    right: str


def _swap(text: str) -> str:
    """The ID with two neighbouring digits exchanged, so that its check digit fails."""
    for i in range(14, 17):
        if text[i - 1] != text[i]:
            return text[: i - 1] + text[i] + text[i - 1] + text[i + 1 :]
    return text[:16] + str((int(text[16]) + 1) % 10) + text[17:]


# field, what, how the cell is spoilt, refused, in csv too
SPOIL: list[tuple[str, str, Callable[[str], Any], bool, bool]] = [
    ("id_no", "digits exchanged", _swap, True, True),
    ("id_no", "17 digits", lambda t: t[:17], True, True),
    ("id_no", "19 digits", lambda t: t[:6] + "1" + t[6:], True, True),
    ("id_no", "blank", lambda t: None, True, True),
    ("id_no", "a number", lambda t: float(t[:17] + "0"), True, False),
    ("id_no", "scientific text", lambda t: f"{t[0]}.{t[1:6]}E+17", True, True),
    ("id_no", "ends in 000", lambda t: t[:15] + "000", True, True),
    ("id_no", "month 13", lambda t: t[:10] + "13" + t[12:], True, True),
    ("id_no", "words", lambda t: "待补", True, True),
    ("id_no", "#N/A", lambda t: "#N/A", True, False),
    ("name", "blank", lambda t: None, True, True),
    ("amount", "blank", lambda t: None, True, True),
    ("amount", "negative", lambda t: -100, True, True),
    ("amount", "words", lambda t: "见附件", True, True),
    ("amount", "three decimals", lambda t: 83.333, True, True),
    ("amount", "too large", lambda t: 99999999, True, True),
    ("amount", "formula without a value", lambda t: "=SUM(A1:A2)", True, False),
    ("account", "Luhn", lambda t: "6217000000000000001", True, True),
    ("account", "a number", lambda t: 6.217000012345678e18, True, False),
    ("account", "scientific text", lambda t: "6.217E+18", True, True),
    ("account", "letters", lambda t: "6217OOO0123456789", True, True),
]  # fmt: skip


class Folder:
    """Writes the quarter into ``root``: 报送 (first delivery), 更正 (the corrected roll). Damaged cells go into ``damages``."""

    def __init__(self, region: str, seed: int, root: Path, *, households: int = 8) -> None:
        self.builder = Builder(region, seed, households)
        self.rng = random.Random(f"folder/{region}/{seed}")
        self.root, self.damages = root, list[Damage]()
        self.builder.ordinary()
        plant_all(self.builder)
        self.world: World = self.builder.world
        self.first, self.later = root / "报送", root / "更正"
        self.spoil = list(SPOIL)
        self.rng.shuffle(self.spoil)

    def write(self) -> World:
        seen = {id_no for plant in self.world.plants for id_no in plant.persons} | set(self.world.legal)
        self.ordinary = lambda case: not seen & {p.id_no for p in case.people}
        whole: dict[tuple[str, str], list[Case]] = {}
        for (programme, month, town, part), cases in sorted(self.builder.lists.items()):
            if programme in DISTRICT and not (programme in (LIVING, CARE) and town == self.world.towns[4]):
                whole.setdefault((programme, month), []).extend(cases)
            else:
                self.roll(programme, month, town, part, cases)
        for (programme, month), cases in whole.items():
            self.roll(programme, month, "", "", cases)
        self.registers()
        return self.world

    # ---- rolls -------------------------------------------------------------------------------------------

    def roll(self, programme: str, month: str, town: str, part: str, cases: list[Case]) -> None:
        household = programme in (LOW, MARGIN, RIGID)
        columns = list(HOUSEHOLD if household else PERSON.get(programme, PERSON[CARE]))
        if programme in (MARGIN, RIGID):
            columns = [c for c in columns if c not in ("amount", "bank", "account")]
        elif programme in (ORPHAN, LEFT, ELDER):
            columns.remove("grade")
        if not town:
            columns.insert(1, "town")
        if household and self.rng.random() < 0.4:
            columns[columns.index("income_month")] = "income_year"
        if household and self.rng.random() < 0.5:
            columns.insert(columns.index("member_name"), "head_id")
        words = self.rng.choice(WORDS[programme])
        if programme == LOW:
            urban = part == "城市" or (town.endswith("街道") and not part)
            mixed = town == self.world.towns[0]
            words = (
                self.rng.choice(["城乡", ""]) if mixed else self.rng.choice(["城市", "城镇"]) if urban else "农村"
            ) + words
            if mixed:
                columns.insert(2, "category")
        if programme == POOR and part:
            words, extra = f"{part}供养{words}", ""
        else:
            extra = f"（{part}）" if part.endswith("批") else ""
        cases = (
            sorted(cases, key=lambda case: case.village)
            if household or town
            else sorted(cases, key=lambda case: case.town)
        )
        made = Roll(
            programme,
            words,
            month,
            town,
            cases,
            columns,
            AMOUNTS.get(programme, ["发放金额（元）"]),
            household,
            extra,
            part,
        )
        self.world.rolls.append(made)
        corrected = programme == LOW and month == OCTOBER and town == self.world.towns[3]
        if corrected:
            self.world.corrected.append(made)
            wrong = [replace(case, fen=(case.fen or 0) + 1000) if i == 1 else case for i, case in enumerate(cases)][:-1]
            wrong.append(self.builder.household(town, [self.builder.people.one(), self.builder.people.one()]))
            self.file(
                replace(made, cases=sorted(wrong, key=lambda case: case.village)),
                self.first,
                "xlsx",
                "repeated",
                spoil=False,
            )
            self.file(made, self.later, "xlsx", "blank", spoil=False)
        else:
            shape = self.rng.choice(HOUSEHOLD_SHAPES if household else ["repeated"])
            if programme == POOR and len({c.village for c in cases}) > 1 and self.rng.random() < 0.3:
                shape = "villages"
            if "category" in columns and shape in ("wide", "slots", "pair"):
                shape = "blank"
            kind = (
                "xlsx" if shape in ("villages", "merged", "pair") else self.rng.choice(["xlsx", "xlsx", "xls", "csv"])
            )
            self.file(made, self.first, kind, shape, spoil=month == OCTOBER)

    def file(self, roll: Roll, root: Path, kind: str, shape: str, *, spoil: bool) -> None:
        roll.shape, roll.total_fen = shape, None
        style = Style(random.Random(self.rng.random()))
        if any(person.shown_id for case in roll.cases for person in case.people) and style.id_style == "lower":
            style.id_style = "plain"
        place = root / self.rng.choice(PAPERS) if not roll.town else root / roll.town
        year, number = roll.month.split("-")
        who, what = roll.town or "全县", roll.words + roll.title_extra
        name = self.rng.choice(
            [
                f"{who}{what}{year}年{int(number)}月",
                f"{roll.month}{who}{what}发放表",
                f"{year}.{int(number)} {what}（{who}）",
            ]
        )
        if not roll.town:
            style.untitled = False
        if shape == "pair":
            families, persons = Writer(roll, style, self.world.district).pair()
            side = what.replace("发放", "")
            for grid, word in ((families, "家庭查询"), (persons, "人员查询")):
                save(place / f"{side}{word}_{year}{number}.xlsx", [grid])
            roll.file = place
            return
        if not roll.town or (not roll.household and self.rng.random() < 0.3):
            style.title = self.rng.choice(
                [t for t in _TITLES_OF_PLACES if roll.town or "{district}" in t or "{town}" in t]
            )
        writer = Writer(roll, style, self.world.district)
        header = writer.heads["amount"]
        if "万元" in header:
            for case in roll.cases:
                case.facts["shown"] = (case.fen or 0) / 1000000
        elif roll.programme == URGENT and self.rng.random() < 0.5:
            for case in roll.cases[::3]:
                case.facts["shown"] = capitals((case.fen or 0) // 100)
        grids = writer.grids(shape)
        roll.file = place / f"{name}.{kind}"
        if spoil and shape in LONG_SHAPES and roll.programme not in (HOUSE, ORPHAN, LEFT, ELDER, RIGID, MARGIN):
            self.damage(roll, grids, kind)
        save(roll.file, grids)

    def damage(self, roll: Roll, grids: list[Grid], kind: str) -> None:
        """Spoils a cell of some ordinary people who are a case by themselves."""
        alone = [
            case for case in roll.cases if len(case.people) == 1 and self.ordinary(case) and "shown" not in case.facts
        ]
        for case in self.rng.sample(alone, min(2 if roll.town else 8, max(0, len(alone) - 1))):
            field, what, spoil, refused, plain = self.spoil[len(self.damages) % len(self.spoil)]
            if (kind == "csv" or (kind == "xls" and ("formula" in what or what == "#N/A"))) and not plain:
                field, what, spoil, refused = "id_no", "blank", lambda t: None, True
            if field == "id_no" and spoil("1" * 18) is None and "head_id" in roll.columns:
                continue  # the head's ID stands beside it: nothing is lost
            if any(d.row[3] == case.people[0].id_no for d in self.damages):
                continue
            person = case.people[0]
            for grid in grids:
                if (person.id_no, field) in grid.places:
                    row, column = grid.places[person.id_no, field]
                    right = {
                        "id_no": person.id_no,
                        "name": person.name,
                        "account": person.account,
                        "amount": f"{(case.fen or 0) / 100:.2f}",
                    }[field]
                    grid.rows[row][column] = spoil(right)
                    self.damages.append(
                        Damage(roll.file, grid.name[:31] if kind != "csv" else "", f"{get_column_letter(column + 1)}{row + 1}",
                               (roll.programme, roll.month, case.town, person.id_no), field, what, refused, right)
                    )  # fmt: skip

    # ---- registers ---------------------------------------------------------------------------------------

    def registers(self) -> None:
        b = self.builder
        rows: list[list[Any]] = [["序号", "死者姓名", "身份证号码", "死亡时间", "户口注销日期"]]
        rows += [[i, p.name, p.id_no, when, gone] for i, (p, when, gone) in enumerate(b.deaths, 1)]
        save(self.first / "公安局反馈死亡人员名单.xlsx", [Grid("Sheet1", [["死亡人员信息比对结果"], *rows])])
        rows = [
            ["逝者姓名", "身份证号", "火化日期", "殡仪馆"],
            *[[p.name, p.id_no, day, "县殡仪馆"] for p, day in b.cremations],
        ]
        save(self.first / "殡仪馆火化名单.xlsx", [Grid("Sheet1", rows)])
        places = {p.id_no: case.town for (_, _, _, _), cases in b.lists.items() for case in cases for p in case.people}
        rows = [["姓名", "公民身份号码", "残疾人证号", "残疾类别", "残疾等级", "所属乡镇", "有效期至", "证件状态"]]
        rows += [
            [
                p.name,
                p.id_no,
                f"{p.id_no}{KINDS.index(kind) + 1}{grade}",
                kind,
                f"{'一二三四'[grade - 1]}级",
                town or places[p.id_no],
                until,
                state,
            ]
            for p, town, kind, grade, until, state in b.certificates
        ]
        save(self.first / "县残联" / "持证残疾人基本信息.xlsx", [Grid("导出", rows)])


_TITLES_OF_PLACES = [
    "{district}{month}{programme}发放花名册",
    "{month}{town}{programme}发放明细表",
    "{town}{programme}发放花名册（{month}）",
]


def write_standards(workspace: Path, region: str) -> None:
    """The bureau's own parameters, so that every amount has one right value."""
    lines = [f'area = "{region}"', "confirmed = true", 'source = "本县民政局文件"']
    values: dict[str, Any] = STANDARDS | dict.fromkeys(NO_ADDONS, 0) | {"低保金取整单位": 1}
    for name, value in values.items():
        lines += [
            "[[parameter]]",
            f'name = "{name}"',
            'unit = "元/人/月"',
            f"values = [{{ since = 2025-01-01, value = {value} }}]",
        ]
    target = workspace / "policy" / "parameters" / "own.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", "utf-8")
