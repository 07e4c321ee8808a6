"""Columns that no header explains, by what is in them; and headers that their own column contradicts.

Only what cannot be mistaken is taken: IDs, accounts, telephones, names, sexes, kinship with the household's head, banks,
and birth dates and ages that agree with the IDs of their rows. Amounts are never found this way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from jiuzhu_cli.core.identity import age_on, birth_date, parse_id
from jiuzhu_cli.core.period import parse_date
from jiuzhu_cli.core.text import compact, header_key
from jiuzhu_cli.intake.grid import looks_like_id
from jiuzhu_cli.intake.table import Column, Problem

if TYPE_CHECKING:
    from jiuzhu_cli.intake.columns import Understanding

_PERSON_NAME = re.compile(r"^[一-鿿㐀-䶿]{1,2}\s*[一-鿿㐀-䶿·]{1,8}$")
_VAGUE = re.compile(r"^(号码|内容|信息|数据|列|字段|项目|其他|其它|未命名)?\d*$|^unnamed.*$|^(column|field|f|col)\d+$")
_KIN = frozenset(
    "本人 户主 配偶 妻 妻子 夫 丈夫 之夫 之妻 子 女 长子 次子 三子 长女 次女 三女 儿子 女儿 独生子 独生女 父 母 父亲 母亲 祖父 祖母 外祖父 外祖母 爷爷 奶奶"
    " 外公 外婆 孙子 孙女 外孙 外孙子 外孙女 孙 兄 弟 姐 妹 哥哥 弟弟 姐姐 妹妹 兄弟 姐妹 儿媳 女婿 公公 婆婆 岳父 岳母 侄子 侄女 继子 继女 养子 养女".split()
)
_BANK = re.compile(r"银行|信用社|信用联社|农商行|农信|邮储|邮政储蓄")
_ACCOUNT = re.compile(r"62\d{14}|62\d{15}|62\d{17}")
_OTHER_IDS = frozenset({"head_id_no", "payee_id_no", "related_id_no", "member_ids"})
_SHARE = 0.8  # of the filled cells
_SURE = 0.95


def looks_like_name(text: str) -> bool:
    return bool(_PERSON_NAME.match(text)) and len(text) <= 4


def by_content(view: Understanding) -> None:
    """Sets the fields of columns that say nothing themselves; each one found is told."""
    tests: list[tuple[str, str, Callable[[str], bool]]] = [
        ("id_no", "内容是身份证号", lambda text: looks_like_id(text) and parse_id(text).ok),
        ("account_no", "内容像银行账号", lambda text: bool(re.fullmatch(r"62\d{14,17}|\d{17}|\d{19}", text))),
        ("phone", "内容像手机号", lambda text: bool(re.fullmatch(r"1[3-9]\d{9}", text))),
        ("name", "内容像姓名", looks_like_name),
        ("bank_name", "内容是银行", lambda text: bool(_BANK.search(text))),
        ("sex", "内容是男、女", lambda text: text in ("男", "女", "男性", "女性")),
        ("relation", "内容是与户主的关系", lambda text: text in _KIN),
    ]
    if not view.by("id_no") and (view.by("head_id_no") or view.by("payee_id_no")):
        tests = tests[1:]
    if view.by("name") or view.by("head_name") or view.by("payee_name"):
        tests = [test for test in tests if test[0] != "name"]
    for code, why, matches in tests:
        if view.by(code) or (view.kind == "register" and code in ("account_no", "phone", "bank_name")):
            continue
        found, shares = [], {}
        for column in _silent(view):
            if not _VAGUE.match(header_key(column.header)) and re.search("[一-鿿]", column.header) and code != "id_no":
                continue  # a header that says something else is believed; letters (xm, name) say nothing
            texts = view.texts(column)
            wanted = _SHARE if code in ("id_no", "account_no", "phone", "name") else _SURE
            if (
                texts
                and len(texts) >= min(3, len(view.rows))
                and (fit := sum(map(matches, map(compact, texts)))) >= wanted * len(texts)
            ):
                if code == "name" and len(set(texts)) < 0.5 * len(texts):
                    continue
                if code == "relation" and not {"本人", "户主"} & set(texts):
                    continue
                found.append(column)
                shares[column.index] = fit / len(texts)
        if len(found) == 1:
            _take(view, found[0], code, f"{why}（{shares[found[0].index]:.0%}）")
        elif len(found) > 1 and code == "id_no":
            view.problems.append(Problem("id_column_ambiguous", "error", tuple(found)))
    _by_the_id(view)
    for column in view.by("serial_no"):  # 行号 numbers rows, or is a bank's
        texts = view.texts(column)
        if texts and not view.by("bank_code") and all(re.fullmatch(r"\d{12}", text) for text in texts):
            _take(view, column, "bank_code", "内容是 12 位联行号")


def _silent(view: Understanding) -> list[Column]:
    return [
        column
        for column in view.columns
        if not column.field
        and column.index not in view.fixed
        and column.member is None
        and view.owners.get(column.index) != "other"
    ]


def _take(view: Understanding, column: Column, code: str, why: str) -> None:
    column.field, column.why = code, why
    view.problems.append(Problem("column_by_content", "notice", (column,)))


def _by_the_id(view: Understanding) -> None:
    """Birth dates and ages without a header: those that agree with the IDs of their rows, nearly all of them."""
    vague = [column for column in _silent(view) if _VAGUE.match(header_key(column.header))]
    if len(view.by("id_no")) != 1 or not vague:
        return
    born = [birth_date(parse_id(value).value) for value in view.values(view.by("id_no")[0])]
    years = [day.year for day in born if day is not None]
    if len(years) < 5 or len(set(years)) < 3:
        return
    for column in vague:
        values = view.values(column)
        told = [
            (day, value) for day, value in zip(born, values, strict=True) if day is not None and value not in (None, "")
        ]
        if len(told) < 5:
            continue
        if not view.by("birth_date") and sum(parse_date(value)[0] == day for day, value in told) >= _SURE * len(told):
            _take(view, column, "birth_date", "内容与身份证号里的出生日期一致")
        elif not view.by("age"):
            ages = [str(value).removesuffix(".0").removesuffix("岁") for _, value in told]
            if all(age.isdigit() for age in ages):
                off = [int(age) - age_on(day, view.today) for (day, _), age in zip(told, ages, strict=True)]
                if sum(-1 <= one <= 1 for one in off) >= _SURE * len(off):
                    _take(view, column, "age", "内容与身份证号里的年龄一致")


def contradicted_by_content(view: Understanding) -> None:
    """Headers that stand over the wrong column (表头错位): the column called 身份证号 holds none, another one holds only such."""
    named = view.by("id_no")
    if len(named) != 1 or named[0].index in view.fixed or not view.texts(named[0]):
        return
    if any(
        looks_like_id(text) or re.search(r"\d{12}", text) for text in map(compact, view.texts(named[0]))
    ) and not all(
        _ACCOUNT.fullmatch(text) for text in map(compact, view.texts(named[0]))
    ):  # 身份证号 over accounts, 账号 over the IDs
        return
    for column in view.columns:
        if column in named or column.field in _OTHER_IDS or column.member or view.owners.get(column.index) == "other":
            continue
        texts = view.texts(column)
        if len(texts) >= 3 and sum(looks_like_id(text) and parse_id(text).ok for text in texts) >= _SHARE * len(texts):
            view.problems.append(Problem("header_shifted", "error", (named[0], column)))
            return
