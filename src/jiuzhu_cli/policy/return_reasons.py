"""Why a bank sent money back (退回原因): each bank's words and codes to one table, with what follows from each.

Data: ``return_reasons.toml``, one entry a reason. A bank that says nothing known is ``other``, its own text kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from jiuzhu_cli.core.text import compact, half_width
from jiuzhu_cli.policy.model import Shape
from jiuzhu_cli.policy.problem import Problem
from jiuzhu_cli.policy.words import near

if TYPE_CHECKING:
    from jiuzhu_cli.policy.load import Policy

OTHER = "other"
_TOKEN = re.compile(r"[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*")


class ReturnReason(Shape):
    """One reason. ``refused``: what is at fault (``account``; ``payee``: name or ID against the account; ``line``: this one alone has
    to be asked about; ``none``: nothing of the line).

    ``again``: whether the same line may be sent once more as it is: ``never``, once the account was ``restored`` (or the bank asked), or ``yes``.
    """

    id: str
    name: str
    words: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()  # of any bank
    layout_codes: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # layout → its own codes
    refused: Literal["account", "payee", "line", "none"]
    again: Literal["never", "restored", "yes"]
    town: str  # what the town does next
    bureau: str  # what the bureau does next
    source: str
    confirmed: bool = False

    @property
    def at_fault(self) -> bool:
        """Whether something of the line is at fault, so that it is not sent again unmended."""
        return self.refused != "none"

    @property
    def todo(self) -> str:
        return f"{self.town}。{self.bureau}" if self.at_fault or self.id == OTHER else self.bureau


class ReasonTable:
    """The reasons as they are looked up: a layout's own codes, then the longest word in the text, then codes of any bank."""

    def __init__(self, reasons: Iterable[ReturnReason]) -> None:
        self.by_id = {one.id: one for one in reasons}
        self._words = sorted(
            ((compact(word).lower(), one.id) for one in self.by_id.values() for word in one.words),
            key=lambda pair: -len(pair[0]),
        )
        self._codes = {_key(code): one.id for one in self.by_id.values() for code in one.codes}
        self._own = {
            (layout, _key(code)): one.id
            for one in self.by_id.values()
            for layout, codes in one.layout_codes.items()
            for code in codes
        }

    def __getitem__(self, reason_id: str) -> ReturnReason:
        """The reason of a line on record; one that the table no longer has counts as 其他."""
        return self.by_id.get(reason_id) or self.by_id[OTHER]

    def find(self, text: str, layout: str = "") -> ReturnReason:
        """What the bank's ``text`` (words, a code, or both) means in a return of ``layout``; 其他 when nothing known is said."""
        flat = compact(half_width(text)).lower()
        tokens = [_key(token) for token in _TOKEN.findall(half_width(text))]
        own = next((self._own[layout, token] for token in [_key(flat), *tokens] if (layout, token) in self._own), "")
        word = own or next((reason for word, reason in self._words if word in flat), "")
        return self[word or next((self._codes[token] for token in tokens if token in self._codes), OTHER)]


def _key(code: str) -> str:
    return compact(code).upper()


def check_return_reasons(policy: Policy, today: date) -> Iterator[Problem]:
    """One word or code means one reason; layouts exist; the reason for everything unknown is there."""
    owner: dict[str, str] = {}
    for one in policy.return_reasons:
        where = one.at(f"退回原因 {one.id}")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", one.id):
            yield Problem("error", where, "id 只能用小写字母、数字和下划线")
        said = [(word, f"词“{word}”", compact(word).lower()) for word in one.words]
        said += [(code, f"代码“{code}”", _key(code)) for code in one.codes]
        for layout, codes in one.layout_codes.items():
            if layout not in policy.banks:
                yield Problem("error", where, f"没有代发格式“{layout}”{near(layout, policy.banks)}")
            said += [(code, f"格式 {layout} 的代码“{code}”", f"{layout}:{_key(code)}") for code in codes]
        for text, what, key in said:
            if not text.strip():
                yield Problem("error", where, "有空的词或代码")
            elif owner.setdefault(key, one.id) != one.id:
                yield Problem("error", where, f"{what}同时属于 {owner[key]}")
        if one.at_fault == (one.again == "yes"):
            yield Problem(
                "error", where, "refused 与 again 矛盾：错在这一笔的不能原样再发（never、restored），不在这一笔的写 yes"
            )
        if not one.confirmed and not one.source:
            yield Problem("warning", where, "没有写来源")
    if OTHER not in {one.id for one in policy.return_reasons}:
        yield Problem("error", "return_reasons.toml", f"缺 id 为 {OTHER} 的原因：认不出的说法都归到它")


__all__ = ["OTHER", "ReasonTable", "ReturnReason", "check_return_reasons"]
