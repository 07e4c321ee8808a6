"""The finance office's table of allotments (经费指标表), read into ``policy/budgets/``: one row a document, one level, one use.

Headers are found by their words; what is not told for sure (year, level, programmes, amount) is refused with its cell, and nothing is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import DataError, UsageError
from jiuzhu_cli.core.money import parse_amount, yuan
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.ledger.workspace import Workspace
from jiuzhu_cli.policy.budgets import FOLDER, Budget
from jiuzhu_cli.policy.funding import LEVELS
from jiuzhu_cli.tabular.cells import CellError, Sheet, Workbook, column_letters
from jiuzhu_cli.tabular.files import write_bytes
from jiuzhu_cli.tabular.read import as_text, read_workbook

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

HEADERS = {
    "document": ("文号", "指标文号", "发文文号", "文件号"),
    "name": ("资金名称", "项目名称", "指标名称", "资金项目", "指标摘要"),
    "issued": ("下达日期", "下达时间", "发文日期", "文件日期"),
    "year": ("年度", "预算年度", "指标年度"),
    "level": ("资金来源", "级次", "资金级次", "资金层级", "来源"),
    "programmes": ("救助项目", "用于", "用途", "使用项目", "适用项目"),
    "amount": ("金额", "指标金额", "下达金额", "下达数", "指标数"),
    "note": ("备注", "说明"),
}
NEEDED = ("document", "issued", "level", "programmes", "amount")
_WORDS = {"中央": "中央", "中央级": "中央", "中央财政": "中央", "省": "省", "省级": "省", "自治区": "省", "市": "市", "市级": "市", "地级": "市",
          "县": "县", "县级": "县", "区": "县", "区级": "县", "县区": "县", "区县": "县", "本级": "县", "县本级": "县", "区本级": "县",
          "市本级": "市", "省本级": "省", "自治区级": "省"}  # fmt: skip
_STATED = re.compile(r"单位[:：]?(?:人民币)?(万元|元)")
_UNIT = re.compile(r"[（(]?(?:单位[:：])?(万元|元)[)）]?$")


@dataclass(frozen=True, slots=True)
class Taken:
    """``path``: relative to ``policy/``."""

    path: str
    added: int
    unchanged: int
    amount_fen: int

    def as_json(self) -> dict[str, Any]:
        return {"path": self.path, "added": self.added, "unchanged": self.unchanged, "amount_fen": self.amount_fen}


def import_budgets(
    store: Store, workspace: Workspace, policy: Policy, file: Path, *, year: int, actor: str, now: datetime
) -> Taken:
    """Adds the rows of ``file`` that are not there yet to ``policy/budgets/<year>.toml`` of each row's year (``year`` where no column tells);
    the journal says who did.

    DataError naming the cell of everything that cannot be told; then nothing is written.
    """
    book = read_workbook(file)
    rows = list(_rows(policy, file, book, year))
    known = {_key(one) for one in policy.budgets}
    numbers = {one.id for one in policy.budgets}
    fresh: dict[int, list[dict[str, Any]]] = {}
    unchanged, amount = 0, 0
    for row in rows:
        key = (row["document"], row["year"], row["level"], tuple(sorted(row["codes"])), row["fen"])
        if key in known:
            unchanged += 1
            continue
        known.add(key)
        row["id"] = _number(row, numbers)
        amount += row["fen"]
        fresh.setdefault(row["year"], []).append(row)
    path = f"{FOLDER}/{min(fresh, default=year)}.toml"
    with store.transaction(actor=actor, command="pay budget", now=now) as tx:
        detail = {"added": sum(map(len, fresh.values())), "unchanged": unchanged, "amount_fen": amount}
        tx.journal(f"budget:{min(fresh, default=year)}", detail, digest=book.sha256)
    for one, entries in fresh.items():
        target = workspace.policy_dir / FOLDER / f"{one}.toml"
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = target.read_text("utf-8-sig").rstrip("\n") + "\n" if target.exists() else ""
        write_bytes(target, (before + "".join(map(_toml, entries))).encode())
    return Taken(path, sum(map(len, fresh.values())), unchanged, amount)


def _key(one: Budget) -> tuple[Any, ...]:
    return (one.document, one.year, one.level, tuple(sorted(one.programmes)), one.amount_fen)


def _number(row: dict[str, Any], numbers: set[str]) -> str:
    stem = f"{row['document']}-{row['level']}"
    number, count = stem, 1
    while number in numbers:
        count += 1
        number = f"{stem}-{count}"
    numbers.add(number)
    return number


def _toml(row: dict[str, Any]) -> str:
    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    return (
        f"\n[[{FOLDER}]]\nid = {text(row['id'])}\nname = {text(row['name'])}\ndocument = {text(row['document'])}\nissued = {row['issued']}\n"
        f"year = {row['year']}\nlevel = {text(row['level'])}\nprogrammes = [{', '.join(map(text, row['codes']))}]\namount = {yuan(row['fen'])}\n"
        + (f"note = {text(row['note'])}\n" if row["note"] else "")
    )


def _rows(policy: Policy, file: Path, book: Workbook, year: int) -> Iterator[dict[str, Any]]:
    found = False
    for sheet in book.sheets:
        if sheet.hidden:
            continue
        place = _header(sheet)
        if place is None:
            continue
        found = True
        header, columns, unit = place
        if not unit:
            where = f"{file.name} {sheet.name} {column_letters(columns['amount'])}{header + 1}"
            raise DataError(
                f"{where}：金额没有写明是元还是万元", "表头写成 金额（元）或 金额（万元），或在表上方写 单位：万元"
            )
        yield from _of_sheet(policy, file, sheet, header, columns, unit, year)
    if not found:
        names = "、".join(HEADERS[key][0] for key in NEEDED)
        raise DataError(f"“{file.name}”里没有找到指标表的表头", f"表头要有：{names}；金额写明元或万元")


def _header(sheet: Sheet) -> tuple[int, dict[str, int], str] | None:
    """(row, field → column, unit of the amounts) of the first row that has all needed headers."""
    table_unit = ""
    for row in range(min(sheet.height, 30)):
        columns: dict[str, int] = {}
        unit = table_unit
        for place in range(sheet.width):
            word = _text(sheet, place, row)
            if stated := _STATED.search(word):
                table_unit = unit = stated.group(1)
            told = _UNIT.search(word)
            bare = _UNIT.sub("", word) if told else word
            for field, words in HEADERS.items():
                if bare in words and field not in columns:
                    columns[field] = place
                    if field == "amount" and told:
                        unit = told.group(1)
        if all(field in columns for field in NEEDED):
            return row, columns, unit
    return None


def _of_sheet(
    policy: Policy, file: Path, sheet: Sheet, header: int, columns: dict[str, int], unit: str, year: int
) -> Iterator[dict[str, Any]]:
    for row in range(header + 1, sheet.height):
        cells = {field: _text(sheet, place, row) for field, place in columns.items()}
        first = next((text for text in (_text(sheet, place, row) for place in range(sheet.width)) if text), "")
        if not first or first.startswith(("合计", "总计", "小计", "填表", "制表")):
            continue

        def fail(field: str, what: str, todo: str, row: int = row) -> DataError:
            where = f"{file.name} {sheet.name} {column_letters(columns[field])}{row + 1}"
            return DataError(f"{where}：{what}", todo)

        level = _WORDS.get(
            cells["level"].removesuffix("资金").removesuffix("补助").removesuffix("配套").removesuffix("财政")
        )
        if level not in LEVELS:
            raise fail("level", f"资金来源“{cells['level']}”认不出", f"写 {'、'.join(LEVELS)} 之一")
        issued, problem = parse_date(_value(sheet, columns["issued"], row))
        if problem or issued is None:
            raise fail("issued", "下达日期不是日期", "写 YYYY-MM-DD")
        codes = []
        for name in re.split(r"[、，,;；/]+", cells["programmes"]):
            try:
                codes += [policy.programme(name).code] if name else []
            except UsageError as error:
                raise fail("programmes", error.message, "写救助项目的名称，几个的用顿号分开，先保的写在前面") from error
        if not codes or not cells["document"]:
            raise fail("programmes" if not codes else "document", "没有写", "补齐后再导入")
        yield {
            "document": cells["document"], "name": cells.get("name") or "救助资金", "issued": issued, "level": level, "codes": list(dict.fromkeys(codes)),
            "year": _year(cells.get("year", ""), year, fail), "fen": _fen(sheet, columns["amount"], row, unit, fail), "note": cells.get("note", ""),
        }  # fmt: skip


def _year(text: str, year: int, fail: Any) -> int:
    told = text.removesuffix("年度").removesuffix("年")
    if not told:
        return year
    if not re.fullmatch(r"20\d\d", told):
        raise fail("year", f"年度“{text}”认不出", "写四位数的年份")
    return int(told)


def _fen(sheet: Sheet, place: int, row: int, unit: str, fail: Any) -> int:
    """An amount in 分, negative for what is taken back (-100, (100))."""
    value = _value(sheet, place, row)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        negative, plain = value < 0, abs(value)
    else:
        text = _text(sheet, place, row)
        negative, plain = text[:1] in ("-", "－", "−", "(", "（"), text.strip("-－−()（）")
    amount = parse_amount(plain, unit)
    if amount.fen is None:
        raise fail("amount", "金额读不出", "写数字，最多精确到分")
    return -amount.fen if negative else amount.fen


def _value(sheet: Sheet, place: int, row: int) -> Any:
    column = sheet.columns[place] if place < len(sheet.columns) else ()
    return column[row] if row < len(column) else None


def _text(sheet: Sheet, place: int, row: int) -> str:
    value = _value(sheet, place, row)
    if value is None or isinstance(value, CellError):
        return ""
    return value.isoformat() if isinstance(value, date) else compact(as_text(value))
