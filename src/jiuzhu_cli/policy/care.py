"""The shapes of the assessment of self-care as data (``tiers.toml``): items, how cells say that one is met, tiers by items not met."""

from __future__ import annotations

from jiuzhu_cli.policy.model import Shape


class CareItem(Shape):
    """One item of the assessment; a column whose header holds one of ``words`` tells it."""

    id: str
    name: str
    words: tuple[str, ...]


class CareAnswer(Shape):
    """Words of cells that say the item is met, or not."""

    id: str
    met: bool
    words: tuple[str, ...]


class CareTier(Shape):
    """A tier, by the number of items not met. ``id``: the word of 自理能力 in tariff tables."""

    id: str
    unmet_from: int
    unmet_to: int
