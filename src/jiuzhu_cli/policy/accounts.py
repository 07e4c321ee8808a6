"""How paid money is booked (``accounts.toml``): the entries of a voucher (记账凭证) and each programme's budget subjects (支出科目).

Which accounts a bureau uses is its finance office's to say: what ships here are the nation's tables, each with its source and how
sure it is; what nobody has confirmed is printed with 请核对.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

from jiuzhu_cli.policy.model import Shape
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

Certainty = Literal["confirmed", "known", "likely", "unknown"]
CERTAINTY = {"confirmed": "", "known": "", "likely": "请核对", "unknown": "请核对"}
CHECK = "请核对"


class Subject(Shape):
    """The budget subjects of a programme's money: by function (支出功能分类, 项) and by economic nature (部门预算支出经济分类, 款).

    ``category`` '' holds for all of the programme's categories that have no entry of their own. ``certainty``: ``confirmed`` by the
    bureau's finance office, ``known`` from the nation's table, ``likely``, ``unknown`` (codes may then be '').
    """

    id: str
    programme: str
    category: str = ""
    function_code: str = ""
    function_name: str = ""
    economic_code: str = ""
    economic_name: str = ""
    certainty: Certainty
    source: str
    note: str = ""


class Entry(Shape):
    """One line of a voucher: in which books (财务会计, 预算会计), on which side, on which account (总账科目).

    ``detail`` is the sub-account (明细科目). Entries are taken together: in each of the books debit and credit must both be there. ``money``: what is booked,
    the money that the bank pays (``paid``), or what is kept back of it towards a recovery (``set_off``). ``used`` false: the bureau does not book it.
    """

    id: str
    books: str
    side: Literal["debit", "credit"]
    code: str
    name: str
    detail: str = ""
    money: Literal["paid", "set_off"] = "paid"
    used: bool = True
    certainty: Certainty
    source: str
    note: str = ""


def subject_of(subjects: Sequence[Subject], programme: str, category: str) -> Subject | None:
    """The programme's subjects for ``category``: its own entry before the one for all; None when there is none."""
    of = [one for one in subjects if one.programme == programme and one.category in ("", category)]
    return max(of, key=lambda one: one.category == category and category != "", default=None)


def check_accounts(policy: Policy, today: date) -> Iterator[Problem]:
    """Programmes and categories that do not exist, codes that are none, two entries for the same, books that cannot balance."""
    seen: dict[tuple[str, str], str] = {}
    for one in policy.subjects:
        where = one.at(f"科目 {one.id}")
        if one.programme not in policy.programmes:
            yield Problem("error", where, f"没有代码为“{one.programme}”的项目{near(one.programme, policy.programmes)}")
            continue
        known = policy.programmes[one.programme].categories
        if one.category and known and one.category not in known:
            yield Problem("error", where, f"项目没有类别“{one.category}”{near(one.category, known)}")
        if (one.programme, one.category) in seen:
            yield Problem("error", where, f"和 {seen[one.programme, one.category]} 说的是同一个项目、同一个类别")
        seen[one.programme, one.category] = one.id
        for code, digits, word in (
            (one.function_code, 7, "支出功能分类科目 function_code"),
            (one.economic_code, 5, "支出经济分类科目 economic_code"),
        ):
            if code and not (code.isascii() and code.isdigit() and len(code) == digits):
                yield Problem("error", where, f"{word}“{code}”应是 {digits} 位数字")
            if not code and one.certainty in ("confirmed", "known"):
                yield Problem("error", where, f"{word}没有写，certainty 却是 {one.certainty}")
    for books in dict.fromkeys(entry.books for entry in policy.entries):
        for money, word in (("paid", "发放"), ("set_off", "抵扣追缴")):
            sides = sorted(e.side for e in policy.entries if e.books == books and e.money == money and e.used)
            if sides != ["credit", "debit"] and (sides or money == "paid"):
                yield Problem(
                    "error",
                    f"accounts.toml（{books}，{word}）",
                    "要有借方（debit）、贷方（credit）各一条，才能借贷相等",
                )
