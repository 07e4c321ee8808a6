"""XML messages read element by element against their schema's rules, which are data (``policy.message``).

Expat without a DTD: a document type, an entity, an external reference ends the reading at once. Nothing is kept but what the reader
of a message asks for, so that a file of a hundred thousand payments takes little memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from jiuzhu_cli.payment.values import UnreadableFile

if TYPE_CHECKING:
    from jiuzhu_cli.policy.message import Message, MessageText

MANY = 20  # faults that are told
ANY = "any"
_DAY = re.compile(r"\d{4}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)


class Fault(UnreadableFile):
    """What of a message breaks its schema. ``faults``: Chinese, each with its line."""

    def __init__(self, faults: list[str], *, fit: float) -> None:
        more = f"；另有 {len(faults) - 5} 处" if len(faults) > 5 else ""
        super().__init__("；".join(faults[:5]) + more, "请对方按该消息的规范重新给文件", fit=fit)
        self.faults = faults


@lru_cache(maxsize=512)
def _element(text: str) -> tuple[str, str, int, int]:
    """``标签 类型 [几次..几次]`` as (tag, type, least, most); most 0: any number."""
    tag, kind, *often = text.split()
    least, _, most = (often[0] if often else "1..1").partition("..")
    return tag, kind, int(least), 0 if most == "*" else int(most)


class _Open:
    """An element that is open: where among its group's elements the last child stood, and how often it came."""

    __slots__ = ("at", "children", "count", "group", "kind", "line", "tag", "text")

    def __init__(
        self, tag: str, kind: str, elements: tuple[tuple[str, str, int, int], ...], group: Any, line: int
    ) -> None:
        self.tag, self.kind, self.group, self.children, self.line = tag, kind, group, elements, line
        self.at, self.count = 0, 0
        self.text: list[str] = []


class Reader:
    """Reads one message. ``take(path, text, attributes, line)`` is called at the end of every element, its path without the root."""

    def __init__(self, message: Message, take: Callable[[tuple[str, ...], str, dict[str, str], int], None]) -> None:
        self.message, self.take = message, take
        self.faults: list[str] = []
        self.open: list[_Open] = []
        self.path: list[str] = []
        self.attributes: list[dict[str, str]] = []
        self.known: dict[str, tuple[Any, tuple[tuple[str, str, int, int], ...]]] = {}  # groups by the type's name
        self.skipped = 0  # depth below an element that is not looked at
        self.parser = parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._forbidden
        parser.EntityDeclHandler = self._forbidden
        parser.ExternalEntityRefHandler = self._forbidden
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        root_tag, root_type = message.root.split()
        self.root = (root_tag, root_type, 1, 1)

    def read(self, data: bytes) -> None:
        """Fault when the bytes are no XML, hold a document type, or break the schema's rules."""
        try:
            self.parser.Parse(data, True)
        except expat.ExpatError as error:
            what = f"第 {error.lineno} 行：不是完整的 XML（{expat.errors.messages[error.code]}）"
            raise Fault([*self.faults, what], fit=0.2 if self.path or self.faults else 0) from error
        if self.faults:
            raise Fault(self.faults, fit=0.5)

    def _forbidden(self, *_: Any) -> int:
        raise Fault(["文件里有文档类型（DTD）或实体定义，不收"], fit=0)

    def _blame(self, what: str, line: int = 0) -> None:
        if len(self.faults) < MANY:
            self.faults.append(f"第 {line or self.parser.CurrentLineNumber} 行 {'/'.join(self.path[1:])}：{what}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition("}")
        line = self.parser.CurrentLineNumber
        if not self.open:
            if (space, tag) != (self.message.namespace, self.root[0]):
                raise Fault([f"不是 {self.message.code}（{space or '没有命名空间'}）"], fit=0)
            self._enter(tag, self.root[1], attributes, line)
            return
        if self.skipped or self.open[-1].kind == ANY:
            self.skipped += 1
            self.path.append(tag)
            self.attributes.append(attributes)
            self.open.append(_Open(tag, ANY, (), None, line))
            return
        parent = self.open[-1]
        kind = self._place(parent, tag) if space == self.message.namespace else ""
        if not kind:
            self.path.append(tag)
            known = any(child[0] == tag for child in parent.children)
            self._blame(f"<{tag}> {'次序或次数不对' if known else '不该在这里'}")
            self.path.pop()
        self._enter(tag, kind or ANY, attributes, line)
        self.skipped += not kind

    def _enter(self, tag: str, kind: str, attributes: dict[str, str], line: int) -> None:
        if kind not in self.known:
            found = self.message.group_of.get(kind)
            self.known[kind] = found, tuple(map(_element, found.elements)) if found else ()
        group, elements = self.known[kind]
        if elements and elements[0][0] == "*":
            kind, elements = ANY, ()
        self.path.append(tag)
        self.attributes.append(attributes)
        self.open.append(_Open(tag, kind, elements, group, line))

    def _place(self, parent: _Open, tag: str) -> str:
        """The type of a child that may stand here, '' when it may not. Moves the parent on."""
        if parent.group is not None and parent.group.choice:
            for child, kind, _, most in parent.children:
                if child == tag:
                    parent.count += 1
                    return kind if not most or parent.count <= most else ""
            return ""
        at, count = parent.at, parent.count
        for index in range(at, len(parent.children)):
            child, kind, _, most = parent.children[index]
            times = count if index == at else 0
            if child == tag:
                if most and times >= most:
                    return ""
                for missed in range(at, index):
                    self._least(parent, missed, count if missed == at else 0)
                parent.at, parent.count = index, times + 1
                return kind
        return ""

    def _least(self, parent: _Open, index: int, times: int) -> None:
        child, _, least, _ = parent.children[index]
        if times < least:
            self._blame(f"缺 <{child}>")

    def _text(self, data: str) -> None:
        self.open[-1].text.append(data)

    def _end(self, _: str) -> None:
        element = self.open.pop()
        text = "".join(element.text)
        if element.children:
            text = text.strip()
            if text:
                self._blame("这里不该有文字", element.line)
            elif element.group.choice:
                if not element.count:
                    self._blame("至少要有一项", element.line)
            else:
                for index in range(element.at, len(element.children)):
                    self._least(element, index, element.count if index == element.at else 0)
        elif element.kind != ANY:
            group = element.group
            rule = self.message.text_of.get(group.text if group else element.kind)
            if rule and (wrong := wrong_text(rule, text)):
                self._blame(wrong, element.line)
            if group and group.attribute:
                name, kind = group.attribute.split()
                value = self.attributes[-1].get(name)
                if value is None or wrong_text(self.message.text_of[kind], value):
                    self._blame(f"属性 {name} 缺或不对", element.line)
        self.take(tuple(self.path[1:]), text, self.attributes[-1], element.line)
        self.path.pop()
        self.attributes.pop()
        self.skipped -= bool(self.skipped)


def wrong_text(rule: MessageText, text: str) -> str:
    """Why ``text`` is none of its type; '' when it is. The value itself is not told: it may be a person's."""
    if rule.values and text not in rule.values:
        return "代码不在可选范围"
    if rule.max and len(text) > rule.max:
        return f"长 {len(text)} 个字，至多 {rule.max}"
    if rule.min and len(text) < rule.min:
        return "是空的" if not text else f"至少 {rule.min} 个字"
    if rule.pattern and not re.fullmatch(rule.pattern, text):
        return "写法不对"
    bare = text.strip()
    if rule.base == "decimal":
        return _wrong_number(rule, bare)
    if rule.base in ("date", "dateTime"):
        pattern, read = (_DAY, date.fromisoformat) if rule.base == "date" else (_TIME, datetime.fromisoformat)
        try:
            if not pattern.fullmatch(bare):
                return "不是日期" if rule.base == "date" else "不是日期和时间"
            read(bare[:10] if rule.base == "date" else bare)
        except ValueError:
            return "没有这一天或这个时间"
    if rule.base == "boolean" and bare not in ("true", "false", "0", "1"):
        return "不是 true、false"
    return ""


def _wrong_number(rule: MessageText, text: str) -> str:
    try:
        if not _NUMBER.fullmatch(text):
            return "不是数"
        number = Decimal(text)
    except InvalidOperation:
        return "不是数"
    _, digits, exponent = number.normalize().as_tuple()
    places = max(-int(exponent), 0)
    if rule.decimals >= 0 and places > rule.decimals:
        return f"小数多于 {rule.decimals} 位"
    if rule.digits and max(len(digits) + max(int(exponent), 0), places) > rule.digits:
        return f"多于 {rule.digits} 位数字"
    if rule.least and number < Decimal(rule.least):
        return f"小于 {rule.least}"
    return ""
