"""The shape of an XML message's rules (``messages/*.toml``): which elements, in which order, how often, and what their texts may be."""

from __future__ import annotations

from functools import cached_property

from jiuzhu_cli.policy.model import Shape


class MessageGroup(Shape):
    """An element that holds others (``elements``: ``标签 类型 [几次..几次]``, in order, or one of them: ``choice``) or a text with an
    attribute. Type ``any``: what stands in it is not looked at."""

    name: str
    choice: bool = False
    elements: tuple[str, ...] = ()
    text: str = ""
    attribute: str = ""


class MessageText(Shape):
    """What a text may be. ``base``: string, decimal, date, dateTime, boolean."""

    name: str
    base: str
    min: int = 0
    max: int = 0
    pattern: str = ""
    digits: int = 0
    decimals: int = -1
    least: str = ""
    values: tuple[str, ...] = ()


class Message(Shape):
    code: str
    name: str
    namespace: str
    root: str  # 标签 类型
    groups: tuple[MessageGroup, ...]
    texts: tuple[MessageText, ...]
    source: str

    @cached_property
    def group_of(self) -> dict[str, MessageGroup]:
        return {group.name: group for group in self.groups}

    @cached_property
    def text_of(self) -> dict[str, MessageText]:
        return {text.name: text for text in self.texts}
