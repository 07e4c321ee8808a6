"""Objections (异议) against posting lists: received, looked into, upheld or dismissed. An open one keeps a posting open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import RefusedError, UsageError
from jiuzhu_cli.core.identity import parse_id
from jiuzhu_cli.core.mask import mask_id, mask_text
from jiuzhu_cli.core.names import normalise_name
from jiuzhu_cli.ledger import postings

if TYPE_CHECKING:
    from jiuzhu_cli.ledger.store import Store

RESULTS = {"upheld": "成立", "dismissed": "不成立"}


@dataclass(frozen=True, slots=True)
class Objection:
    """One objection as reported; ``id_no`` masked."""

    number: int
    posting: int
    area: str
    programme: str
    person: str
    text: str
    received_on: str
    state: str
    resolution: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def receive(
    store: Store,
    found: list[dict[str, Any]],
    *,
    person: str,
    text: str,
    received_on: date,
    actor: str,
    now: datetime,
) -> Objection:
    """Notes an objection against the one posting in ``found``. ``person``: ID or name of whom it is about, '' for the list.

    UsageError when the posting or the person is not clear; RefusedError when it is no longer open to objection.
    """
    if not found:
        raise UsageError("没有找到这份公示", "用 jiuzhu post list --month 月份 查看编号，再用 --posting 编号 指明")
    if len(found) > 1:
        raise UsageError(
            f"有 {len(found)} 份公示符合",
            "用 --posting 编号 指明哪一份（jiuzhu post list 查看编号），或写明项目、乡镇和村",
        )
    if not text.strip():
        raise UsageError("没有写异议内容", "用 --text 写明")
    posting = found[0]
    if received_on.isoformat() < posting["from_date"]:
        raise UsageError(f"异议日期早于公示开始日 {posting['from_date']}", "核对 --received-on")
    id_no = _person(store, posting, person) if person else ""
    with store.transaction(actor=actor, command="post object", now=now) as tx:
        number = postings.add_objection(
            tx, posting["posting_id"], id_no=id_no, text=text.strip(), received_on=received_on.isoformat()
        )
    return _shown(postings.objections_of(store, objection_id=number)[0])


def _person(store: Store, posting: dict[str, Any], person: str) -> str:
    people = postings.persons_on(store, posting)
    reading = parse_id(person)
    if reading.ok:
        return reading.value  # may also be somebody who should be on the list and is not
    wanted = normalise_name(person)
    fitting = sorted({id_no for id_no, name in people if name == wanted})
    if len(fitting) != 1:
        how = "没有叫这个名字的人" if not fitting else f"有 {len(fitting)} 个同名的人"
        raise UsageError(f"这份公示里{how}", "用 --person 写身份证号")
    return fitting[0]


def resolve(store: Store, number: int, *, result: str, note: str, actor: str, now: datetime) -> Objection:
    """Answers an open objection. ``result``: upheld/成立 or dismissed/不成立; ``note`` says what was found."""
    state = next((code for code, word in RESULTS.items() if result in (code, word)), "")
    if not state:
        raise UsageError(f"--result 不能是“{result}”", "写 成立 或 不成立（upheld / dismissed）")
    if not note.strip():
        raise UsageError("没有写核查结果", "用 --note 写明查到了什么、怎样答复")
    found = postings.objections_of(store, objection_id=number)
    if not found:
        raise UsageError(f"没有第 {number} 号异议", "用 jiuzhu post list 查看")
    if found[0]["state"] != "open":
        raise RefusedError(f"第 {number} 号异议已经答复过（{RESULTS[found[0]['state']]}）", "有新情况请另行登记异议")
    with store.transaction(actor=actor, command="post resolve", now=now) as tx:
        postings.resolve_objection(tx, number, state=state, resolution=note.strip())
    return _shown(postings.objections_of(store, objection_id=number)[0])


def listed(store: Store, month: str) -> list[Objection]:
    """The month's objections against live postings."""
    return [_shown(one) for one in postings.objections_of(store, month)]


def _shown(one: dict[str, Any]) -> Objection:
    area = f"{one['town']}/{one['village']}" if one["village"] else one["town"]
    return Objection(
        number=one["objection_id"],
        posting=one["posting_id"],
        area=area,
        programme=one["programme"],
        person=mask_id(one["id_no"]) if one["id_no"] else "",
        text=mask_text(one["text"]),
        received_on=one["received_on"],
        state=one["state"],
        resolution=mask_text(one["resolution"]),
    )
