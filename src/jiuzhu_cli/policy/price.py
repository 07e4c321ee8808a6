"""The shapes of the price subsidy (价格临时补贴) as data (``price.toml``): indices by month, what starts it, who is covered."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from jiuzhu_cli.policy.model import Shape
from jiuzhu_cli.policy.vocabulary import Kind

# words of triggers and amounts beside parameters: year-on-year changes in per cent
INDEX_WORDS: dict[str, tuple[Kind, str]] = {
    "居民消费价格同比": ("number", "当月居民消费价格指数（CPI）同比涨幅，%"),
    "食品价格同比": ("number", "CPI 中食品价格同比涨幅，%"),
    "低收入居民价格同比": ("number", "低收入居民基本生活费用价格指数（SCPI）同比涨幅，%"),
}


class PriceMonth(Shape):
    """One month's indices as published; what is not published is left out and starts nothing. ``id``: YYYY-MM."""

    id: str
    cpi: Decimal | None = None
    food: Decimal | None = None
    low_income: Decimal | None = None
    published: date | None = None
    source: str
    confirmed: bool = True

    @property
    def values(self) -> dict[str, Decimal | None]:
        return {"居民消费价格同比": self.cpi, "食品价格同比": self.food, "低收入居民价格同比": self.low_income}


class PriceTrigger(Shape):
    """A condition over the month's indices; any one that holds starts the subsidy of that month."""

    id: str
    when: str
    switch: str = ""
    since: date | None = None
    until: date | None = None
    source: str


class PriceCover(Shape):
    """Whom it is paid to: everybody of a programme's rolls or of a register (``register:CODE``), each once, by the first entry that has them.

    ``amount``: arithmetic over parameters and the indices, one for all or by 城市 and 农村.
    """

    id: str
    side: str
    amount: str | dict[str, str]
    switch: str = ""
    since: date | None = None
    until: date | None = None
    source: str

    @property
    def amounts(self) -> dict[str, str]:
        return {"": self.amount} if isinstance(self.amount, str) else self.amount
