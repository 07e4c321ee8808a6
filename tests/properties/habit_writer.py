"""Writes a known list as its plan says, and knows of every row what must come of it. Nothing of the program is used here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.corpus.book import File, Page
from tests.properties.habit_plan import MONTH, TOWN, Home, Person, Plan

WORDS = {
    "serial": ("序号", "编号", "序", "顺序号"),
    "village": ("村（居）", "行政村", "所属社区", "村组"),
    "name": ("姓名", "对象姓名", "人员姓名", "保障人员姓名"),
    "id_no": ("身份证号", "身份证号码", "公民身份号码", "证件号码"),
    "relation": ("与户主关系", "家庭关系", "称谓", "与户主的关系"),
    "amount": ("发放金额", "补贴金额", "实发金额", "金额"),
    "home_amount": ("户月保障金额", "户月发放金额", "户保障金额", "每户月保障金额"),
    "account": ("银行账号", "银行帐号", "一卡通账号", "银行卡号"),
    "phone": ("联系电话", "手机号", "联系方式", "手机号码"),
    "head_name": ("户主姓名", "户主", "申请人姓名", "户主姓名"),
    "head_id": ("户主身份证号", "户主身份证号码", "户主身份证", "申请人身份证号"),
    "size": ("保障人数", "保障人口", "享受人数", "救助人数"),
    "member_names": ("家庭成员姓名", "成员姓名", "家庭成员", "共同生活成员姓名"),
    "member_ids": ("家庭成员身份证号", "成员身份证号", "家庭成员身份证号码", "共同生活成员身份证号"),
    "m7": ("7月", "7月金额", "2026年7月", "七月份"),
    "m8": ("8月", "8月金额", "2026年8月", "八月份"),
    "m9": ("9月", "9月金额", "2026年9月", "九月份"),
    "whole": ("合计", "三季度合计", "小计", "合计金额"),
    "both": ("姓名及身份证号", "姓名（身份证号）", "姓名、身份证号码", "老人姓名身份证号"),
    "mixed": ("家庭成员姓名及身份证号", "家庭成员（姓名、身份证号）", "家庭成员及身份证号", "共同生活成员姓名身份证号"),
}
BANDS = {
    "人员信息": ("name", "id_no", "relation", "phone"),
    "发放情况": ("amount", "account"),
    "户主信息": ("head_name", "head_id"),
}
PROGRAMME = {"person": ("高龄津贴", "old_age_allowance"), "household": ("农村低保", "subsistence_allowance")}
SEPARATORS = ("、", "，", "\n", ";", " ")


@dataclass
class Expected:
    """``persons``: month and ID → (name, village or None, head's ID, 分 on the head's row, else None); ``refused``: (code, cell or row)."""

    programme: str
    persons: dict[tuple[str, str], tuple[str, str | None, str, int | None]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Line:
    """One row in the making: values by column key; ``at`` is the case and the person, None for rows that are nobody."""

    values: dict[str, Any]
    at: tuple[int, int] | None = None
    raw: list[Any] | None = None


@dataclass
class _Sheet:
    name: str
    rows: list[list[Any]] = field(default_factory=list)
    merges: list[str] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)


def letters(index: int) -> str:
    return chr(65 + index) if index < 26 else chr(64 + index // 26) + chr(65 + index % 26)


class Writer:
    """Makes the file of one plan; ``expected`` is complete when it is made."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed + 1)
        self.homes = plan.homes()
        self.per_home = plan["paid_by"] == "household"
        self.style = plan["home"] if self.per_home else plan["alone"] if plan["alone"] != "columns" else ""
        self.months = ("2026-07", "2026-08", "2026-09") if plan["months"] > 1 else (MONTH,)
        self.word, self.programme = PROGRAMME[plan["paid_by"]]
        self.expected = Expected(self.programme)
        self.errors = {(case, at): what for case, at, what in plan.errors if self._possible(case, at, what)}
        self.keys = self._columns()
        self.when = "2026年第三季度" if plan["months"] > 1 else "2026年10月"
        self.title = f"{TOWN}{self.when}{self.word}{'花名册' if self.per_home else '发放表'}"

    # ---- what is written --------------------------------------------------------------------------------------------

    def _possible(self, case: int, at: int, what: str) -> bool:
        """Errors that a second column would heal or contradict are left out."""
        whole = what in ("no_amount", "minus", "words", "account")
        if whole and (at or self.style == "repeated" or (len(self.months) > 1 and what != "account")):
            return False
        if self.style == "silent" and what in ("no_amount", "account"):
            return False  # a head without them reads like a member
        few = len(self.homes) < 4 or self.plan["place"] in ("sheets", "tables") or self.plan["panels"] > 1
        if self.style == "one_cell" and (what == "float_id" or (few and what in ("no_id", "no_name"))):
            return False  # where nothing holds a name and an ID, nothing says that it should
        if what == "minus" and self.plan["sums"] in ("words", "capitals"):
            return False
        return whole or at > 0 or self.style not in ("repeated", "head_id", "ditto")

    def _columns(self) -> list[str]:
        by_style = {
            "": ["serial", "name", "id_no", "amount", "account"],
            "one_cell": ["serial", "both", "amount", "account"],
            "silent": ["serial", "name", "id_no", "amount", "account"],
            "blank": ["serial", "name", "id_no", "relation", "amount", "account"],
            "merged": ["serial", "head_name", "name", "id_no", "relation", "amount", "account"],
            "repeated": ["head_name", "head_id", "name", "id_no", "relation", "amount", "account"],
            "head_id": ["head_id", "name", "id_no", "relation", "amount", "account"],
            "ditto": ["head_name", "head_id", "name", "id_no", "relation", "amount", "account"],
            "cells": ["serial", "head_name", "head_id", "member_names", "member_ids", "size", "amount", "account"],
            "mixed": ["serial", "head_name", "head_id", "mixed", "size", "amount", "account"],
            "numbered": ["serial", "head_name", "head_id", "amount", "account"],
        }
        keys = list(by_style[self.style])
        if self.plan["place"] in ("column", "above", "merged", "ditto"):
            keys.insert(1, "village")
        if len(self.months) > 1:
            at = keys.index("amount")
            keys[at : at + 1] = ["m7", "m8", "m9", "whole"]
        keys += [word for word in self.plan["extra"] if word not in keys]
        if self.plan["shuffle"]:
            random.Random(self.plan["shuffle"]).shuffle(keys)
        if self.style == "numbered":
            most = max(len(home.persons) for home in self.homes) - 1
            keys += [f"成员{n}{word}" for n in range(1, most + 1) for word in ("姓名", "身份证号")]
        return keys

    def header(self, key: str) -> str:
        words = WORDS.get("home_amount" if key == "amount" and self.style == "repeated" else key)
        if words is None:
            return key
        word, dress = words[self.plan["words"]], self.plan["dress"]
        half = len(word) // 2
        if dress == "numbers" and word[0].isdigit():
            return word  # 4.7月 would be read as nobody knows what
        return {
            "": word,
            "spaces": " ".join(word) if len(word) < 5 else word,
            "breaks": f"{word[:half]}\n{word[half:]}",
            "stars": f"*{word}",
            "colons": f"{word}：",
            "numbers": f"{self.keys.index(key) + 1}.{word}",
            "brackets": word + {"amount": "（元）", "id_no": "（18位）", "account": "（一卡通）"}.get(key, ""),
        }[dress]

    def _money(self, fen: int) -> Any:
        text = f"{fen / 100:.2f}"
        return {
            "number": fen // 100 if fen % 100 == 0 else fen / 100,
            "text": text,
            "yuan": f"{text}元",
            "comma": f"{fen / 100:,.2f}",
            "sign": f"¥{text}",
        }[self.plan["money"]]

    def _id(self, id_no: str) -> Any:
        return {
            "plain": id_no,
            "spaces": f"{id_no[:6]} {id_no[6:14]} {id_no[14:]}",
            "quote": f"'{id_no}",
            "wide": "".join(chr(ord(char) + 0xFEE0) for char in id_no),
            "small": id_no.lower(),
        }[self.plan["ids"]]

    def _name(self, name: str) -> str:
        return f"{name[0]}　{name[1]}" if self.plan["names"] == "spaced" and len(name) == 2 else name

    def _damaged_id(self, id_no: str, what: str) -> tuple[Any, str]:
        if what == "checksum":
            return id_no[:17] + ("0" if id_no[17] != "0" else "1"), "id_checksum"
        if what == "short":
            return id_no[:17], "id_length"
        if what == "float_id":
            wide = id_no[:17] + "0"
            return (
                (f"{float(wide):.5E}", "id_scientific") if self.plan["form"] == "csv" else (float(wide), "id_numeric")
            )
        return None, "id_missing"

    # ---- lines of the list ---------------------------------------------------------------------------------------------

    def lines(self, first: int, stop: int) -> list[Line]:
        """The data lines of the cases ``first`` to ``stop``."""
        out = []
        for case in range(first, stop):
            home = self.homes[case]
            together = self.style in ("cells", "mixed", "numbered")
            for at, person in enumerate(home.persons[:1] if together else home.persons):
                values = self._values(case, home, at, person)
                if together:
                    self._add_members(values, home)
                out.append(Line(values, (case, at)))
        return out

    def _values(self, case: int, home: Home, at: int, person: Person) -> dict[str, Any]:
        head = home.persons[0]
        first = at == 0
        told = {"repeated": True, "ditto": "〃"}.get(self.style, False)
        values: dict[str, Any] = {
            "serial": case + 1 if first else None,
            "village": home.village,
            "name": self._name(person.name),
            "both": f"{person.name}（{person.id_no}）",
            "id_no": self._id(person.id_no),
            "relation": person.relation,
            "amount": self._money(home.fen) if first or self.style == "repeated" else None,
            "account": head.account if first or told is True else told or None,
            "phone": head.phone if first else None,
            "head_name": self._name(head.name)
            if first or self.style == "repeated"
            else "〃"
            if self.style == "ditto"
            else None,
            "head_id": self._id(head.id_no) if first or self.style in ("repeated", "head_id") else "同上",
            "size": len(home.persons),
            "网格员": "甲",
            "是否脱贫户": "否" if first else None,
            "文化程度": "小学",
            "备注": "新增" if case % 3 == 0 else None,
        }
        what = self.errors.get((case, at), "")
        own_id, own_name = (
            ("head_id", "head_name") if self.style in ("cells", "mixed", "numbered") else ("id_no", "name")
        )
        for number, key in enumerate(("m7", "m8", "m9")):
            values[key] = self._money(home.fen + 100 * number) if first else None
        values["whole"] = self._money(3 * home.fen + 300) if first else None
        if self.style == "one_cell" and what in ("checksum", "short", "no_id", "no_name"):
            values["both"] = {
                "no_id": person.name, "no_name": person.id_no,
            }.get(what) or f"{person.name} {self._damaged_id(person.id_no, what)[0]}"  # fmt: skip
        elif what == "account":
            values["account"] = "6.21700123456789E+18" if self.plan["form"] == "csv" else 6217001234567890123.0
        elif what in ("checksum", "short", "float_id", "no_id"):
            values[own_id] = self._damaged_id(person.id_no, what)[0]
        elif what == "no_name":
            values[own_name] = None
        elif what:
            values["amount"] = {"no_amount": None, "minus": -50, "words": "待定"}[what]
        return values

    def _add_members(self, values: dict[str, Any], home: Home) -> None:
        members, between = home.persons[1:], SEPARATORS[self.plan.seed % len(SEPARATORS)]
        values["member_names"] = between.join(person.name for person in members) or None
        values["member_ids"] = between.join(person.id_no for person in members) or None
        forms = ("{0}{1}", "{0} {1}", "{0}（{1}）", "{0}：{1}")
        form = forms[self.plan.seed % len(forms)]
        values["mixed"] = between.join(form.format(person.name, person.id_no) for person in members) or None
        for number, person in enumerate(members, 1):
            values[f"成员{number}姓名"], values[f"成员{number}身份证号"] = person.name, self._id(person.id_no)

    def readable(self, first: int, stop: int) -> int:
        """分 of the cases, where their amount can be read."""
        broken = {case: what for (case, _), what in self.errors.items() if what in ("no_amount", "minus", "words")}
        read = {"no_amount": 0, "minus": -5000, "words": 0}
        return sum(read.get(broken.get(case, ""), self.homes[case].fen) for case in range(first, stop))

    # ---- what must come of it --------------------------------------------------------------------------------------------

    def expect(self, row_of: dict[tuple[int, int], int], column_of: dict[str, int]) -> None:
        """Adds what must come of the cases whose rows (0-based) and columns are given."""
        own_id, own_name = (
            ("head_id", "head_name") if self.style in ("cells", "mixed", "numbered") else ("id_no", "name")
        )
        for (case, at), row in row_of.items():
            home = self.homes[case]
            what, lead_bad = self.errors.get((case, at), ""), (case, 0) in self.errors
            if what:
                code = {
                    "account": "account_scientific" if self.plan["form"] == "csv" else "account_numeric",
                    "no_name": "name_missing", "no_amount": "amount_missing", "minus": "amount_negative", "words": "amount_not_number",
                }.get(what) or self._damaged_id(home.persons[at].id_no, what)[1]  # fmt: skip
                key = own_name if what == "no_name" else code.split("_")[0] if code[0] == "a" else own_id
                if self.style == "one_cell" and key in ("name", "id_no"):
                    key = "both"
                self.expected.refused += [(code, f"{letters(column_of[key])}{row + 1}")] * len(self.months)
            elif lead_bad:
                self.expected.refused += [("lead_refused", str(row + 1))] * len(self.months)
            if what and self.style in ("cells", "mixed", "numbered"):
                others = (len(home.persons) - 1) * len(self.months)
                self.expected.refused += [("lead_refused", str(row + 1))] * others
            if what or lead_bad:
                continue
            village = None if self.plan["place"] == "none" else home.village
            together = self.style in ("cells", "mixed", "numbered")
            for number, person in enumerate(home.persons if together else home.persons[at : at + 1], at):
                for later, month in enumerate(self.months):
                    fen = home.fen + 100 * later if number == 0 else None
                    self.expected.persons[month, person.id_no] = person.name, village, home.persons[0].id_no, fen

    # ---- sheets -------------------------------------------------------------------------------------------------------------

    def file(self) -> File:
        plan = self.plan
        name = (
            "上报"
            if plan["says"] in ("title", "lines")
            else f"{TOWN}{self.when}{self.word}"
            if plan["says"] == "file"
            else TOWN
        )
        if plan["place"] == "sheets":
            sheets = []
            for village in dict.fromkeys(home.village for home in self.homes):
                cases = [case for case, home in enumerate(self.homes) if home.village == village]
                sheets.append(self._sheet(village, cases[0], cases[-1] + 1))
        else:
            title = f"2026年10月{self.word}" if plan["says"] == "sheet" else "Sheet1"
            sheets = [self._sheet(title, 0, len(self.homes))]
        if plan["summary"]:
            villages = list(dict.fromkeys(home.village for home in self.homes))
            counted = [[v, sum(home.village == v for home in self.homes)] for v in villages]
            sheets.insert(0, _Sheet("汇总", [["汇总表"], ["村名", "户数", "金额"], *([*one, 100] for one in counted)]))
        pages = [Page(one.rows, one.name, one.merges, one.hidden) for one in sheets]
        return File(f"{name}.{plan['form']}", pages)

    def _sheet(self, name: str, first: int, stop: int) -> _Sheet:
        from tests.properties.habit_sheet import SheetWriter

        return SheetWriter(self, name, first, stop).write()


def titles(writer: Writer) -> list[list[Any]]:
    """The rows above the header that say what the list is."""
    says = writer.plan["says"]
    rows: Sequence[list[Any]] = [[writer.title]] if says == "title" else []
    if says == "lines":
        rows = [[f"填报单位：{TOWN}人民政府"], [f"{writer.word}发放表"], ["2026年10月"]]
    texts = {
        "unit": ["单位：元"], "note": ["填表说明：请如实填写，身份证号须为18位"], "page": ["第1页 共2页"], "blank": [], "form": ["表一"],
    }  # fmt: skip
    return [*rows, *(texts[word] for word in writer.plan["above"])]
