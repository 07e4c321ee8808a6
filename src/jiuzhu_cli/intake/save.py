"""Whether a list is new, known, a correction or a further part of its roll; and saving it, inside a transaction.

A list is compared with the live lists of the same programme and month whose area holds it or is held by it (a district
list against its towns), whose category does not differ and whose 第几批 is not another. Less than a third in common: a further part. At least half of the
smaller: a corrected roll, which supersedes the old one. In between, or where the correction would drop other towns: the clerk is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from jiuzhu_cli.core.finding import Finding
from jiuzhu_cli.core.text import compact
from jiuzhu_cli.intake.areas import UNKNOWN
from jiuzhu_cli.intake.compare import Comparison
from jiuzhu_cli.intake.frame import content_digest, frame
from jiuzhu_cli.intake.pairs import other_side
from jiuzhu_cli.intake.prepare import Prepared
from jiuzhu_cli.intake.recognise import CHINESE_NUMBERS
from jiuzhu_cli.intake.result import TableResult
from jiuzhu_cli.ledger import incoming, rolls
from jiuzhu_cli.ledger.incoming import Incoming
from jiuzhu_cli.ledger.rolls import BatchHead, Difference, TableHead
from jiuzhu_cli.ledger.store import Store, Transaction

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.intake.watch import Watch

Mode = Literal["", "replace", "append"]
SAME_ROLL = 0.5  # of the smaller list: from here on it is a corrected roll
OTHER_LIST = 1 / 3  # below it is another list; who stands on both is a doubt for dedupe, not a question for the clerk
SAME_UNPLACED = 0.8  # the same where the town of one of the lists is unknown
LONG_LIST = 20_000  # rows from which a list is worth a thread of its own
NAMESAKES = 0.05  # common name and village, other ID: below it, chance
_BATCH = re.compile(r"第([一二三四五六七八九十]{1,2}|\d{1,2})批")


@dataclass(slots=True)
class ListOfFile:
    """The tables of one file that make one batch, their rows and their results."""

    kind: str
    programme: str
    area: str
    month: str
    category: str
    ordinal: str  # '第2批', '' when nothing says so
    tables: list[Prepared]
    results: list[TableResult]
    rows: pa.Table | None  # until they are staged
    content: Future[str] | str  # digest of what it says
    persons: list[int]  # rows of the record by table
    supplements: int | None = None
    incoming: Incoming | None = None
    batch: int | None = None
    accepted_change: str = ""  # what would have been asked about
    compared: dict[str, Comparison] = field(
        default_factory=dict
    )  # with last 'month', with the 'old' roll that it corrects

    @property
    def digest(self) -> str:
        """SHA-256 of what the list says; waits for it."""
        return self.content if isinstance(self.content, str) else self.content.result()

    @property
    def long(self) -> bool:
        return sum(self.persons) >= LONG_LIST

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.kind, self.programme, self.area, self.month

    def noted(self) -> dict[str, Any]:
        """What the journal keeps of the comparison with last month: the counts, and what somebody took in all the same."""
        if "month" not in self.compared:
            return {"accepted_change": self.accepted_change} if self.accepted_change else {}
        told = self.compared["month"].as_json()
        counts = {
            key: told[key] for key in ("month", "persons_before", "persons_after", "account_changed", "payee_changed")
        }
        return {"last_month": counts} | ({"accepted_change": self.accepted_change} if self.accepted_change else {})

    def settle(self, status: Any, note: str, todo: str = "", batch: int | None = None) -> None:
        """Says the outcome on every table of the list."""
        self.batch = batch
        for result in self.results:
            result.status, result.note, result.todo, result.batch = status, note, todo, batch
            if status in ("ask", "paid"):
                result.accepted, result.refused, result.amount_fen = 0, result.rows, 0


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The file that lists came from: shown name and digest."""

    name: str
    sha256: str


def lists_of(
    tables: Sequence[Prepared], results: Sequence[TableResult], supplements: int | None, beside: Executor | None = None
) -> list[ListOfFile]:
    """Tables of the same programme, area, month, category and 第几批 form one list; tables refused as a whole are left out.

    ``beside``: threads in which digests of long lists are made.
    """
    _widen_areas(tables, results)
    groups: dict[tuple[str, str, str, str, str, str], list[int]] = {}
    for index, table in enumerate(tables):
        if not table.fatal:
            ordinal = next(filter(None, map(_ordinal, (table.table.title, table.table.sheet, table.file))), "")
            key = (str(table.table.kind), table.table.code, table.area, table.table.month, table.category, ordinal)
            groups.setdefault(key, []).append(index)
    out = []
    for key, indexes in groups.items():
        if not any(tables[index].accepted for index in indexes):
            continue  # a sheet without one good row still belongs to its roll: the remainder holds its rows
        chosen = [tables[index] for index in indexes]
        rows = frame(key[0], chosen)
        content: Future[str] | str
        if beside is not None and rows.num_rows >= LONG_LIST:
            content = beside.submit(content_digest, key[0], key[1:4], rows)
        else:
            content = content_digest(key[0], key[1:4], rows)
        out.append(
            ListOfFile(
                *key, chosen, [results[index] for index in indexes], rows, content, _persons_by_table(rows, len(chosen)), supplements
            )
        )  # fmt: skip
    return out


def _widen_areas(tables: Sequence[Prepared], results: Sequence[TableResult]) -> None:
    """In one file a list of a place is part of the list of a wider place that stands beside it: sheets by village of a
    district list, some of which hold villages of one name in two towns."""
    areas: dict[tuple[str, str, str, str], set[str]] = {}
    for table in tables:
        key = (str(table.table.kind), table.table.code, table.table.month, table.category)
        areas.setdefault(key, set()).add(table.area)
    for table, result in zip(tables, results, strict=True):
        found = areas[str(table.table.kind), table.table.code, table.table.month, table.category]
        wider = [area for area in found if _holds(area, table.area)]
        if wider:
            table.area = result.area = min(wider, key=len)


def recognise_known(store: Store, one: ListOfFile) -> bool:
    """Whether these very rows were imported before: then nothing is to be done and the list says so."""
    for batch in rolls.batches_with_content(store, one.digest):
        if batch["status"] == "active":
            same = "" if batch["file_name"] in {t.file for t in one.tables} else f"（来自 {batch['file_name']}）"
            one.settle("already", f"批次 {batch['batch_id']}{same}", batch=batch["batch_id"])
            for result in one.results:
                result.unchanged = result.accepted
            return True
        if batch["status"] == "superseded":
            one.settle(
                "superseded_old",
                f"与批次 {batch['batch_id']} 相同，那份已被更正",
                "要恢复旧表，用 jiuzhu batch undo 撤销更正它的批次",
                batch["batch_id"],
            )
            return True
    return False


def save_list(
    tx: Transaction,
    store: Store,
    one: ListOfFile,
    source: SourceFile,
    policy_digest: str,
    mode: Mode,
    siblings: Sequence[ListOfFile] = (),
    watch: Watch | None = None,
) -> None:
    """Decides and saves one list within the file's transaction; its results say what was done.

    ``siblings``: lists of the same file, which never correct each other. ``watch`` may hold back a list that changes too much.
    """
    if one.supplements is not None:
        _save_supplement(tx, store, one, source, policy_digest)
        return
    live = rolls.live_batches(store, one.kind, one.programme, one.month)
    own = {sibling.batch for sibling in siblings}
    related = [b for b in live if _related(one.area, b["area"]) and _same_kind(b["part"], one)]
    near = [b for b in related if b["supplements"] is None and b["batch_id"] not in own]
    beside = [b["batch_id"] for b in related]
    if mode == "append" or not near:
        if watch is None or watch.lets_pass(store, one, [], beside):
            _save(tx, one, source, policy_digest, [])
        return
    assert one.incoming is not None
    families = {b["batch_id"]: [b["batch_id"]] for b in near}
    for b in live:
        if b["supplements"] in families:
            families[b["supplements"]].append(b["batch_id"])
    common = incoming.shares(tx, one.kind, one.incoming, families)
    shares = {root: _overlap(*found) for root, found in common.items()}
    if mode == "replace":
        same = [b["batch_id"] for b in near if b["area"] in (one.area, UNKNOWN) and shares[b["batch_id"]] > 0]
        same = same or [b["batch_id"] for b in near if b["area"] == one.area and _part_of(b["part"], one)]
    else:
        areas = {b["batch_id"]: b["area"] for b in near}
        unplaced = {root for root, area in areas.items() if UNKNOWN in (one.area, area)}
        same = [root for root, share in shares.items() if share >= (SAME_UNPLACED if root in unplaced else SAME_ROLL)]
        if one.area == UNKNOWN and (placed := [b for b in near if b["batch_id"] in same and b["area"] != UNKNOWN]):
            one.settle(
                "ask",
                f"没有写乡镇，而多半的人在批次 {placed[0]['batch_id']}（{placed[0]['area'] or '全区'}）里",
                f"是更正过的花名册，加 --area {placed[0]['area'] or '全区'}；是另外一份，用 --area 指明乡镇",
            )
            return
        # lists of two towns may well share people, and an unplaced one may be any town's
        unsure = [root for root, share in shares.items() if OTHER_LIST <= share < SAME_ROLL and root not in unplaced]
        if unsure:
            shown = "、".join(f"批次 {root}" for root in unsure)
            one.settle(
                "ask",
                f"与{shown}只有一部分人相同（{max(shares[r] for r in unsure):.0%}），不能断定是更正还是另一批",
                "是更正过的整份花名册，加 --replace；是另外的一批人，加 --append",
            )
            return
        files = {table.file for table in one.tables}
        alone = next(iter(files)) if len(files) == 1 else ""  # both halves together correct either
        half = next((b for b in near if b["batch_id"] in same and other_side(b["file_name"], alone)), None)
        if half is not None:  # as a correction it would take away what only the other half tells
            one.settle(
                "ask",
                f"批次 {half['batch_id']}（{half['file_name']}）是同一名册成对导出的另一半",
                "把“家庭查询”和“人员查询”两个文件一起导入；只要这一份的，加 --replace",
            )
            return
    wider = [b["batch_id"] for b in near if b["batch_id"] in same and _holds(b["area"], one.area)]
    if wider:
        _against_wider(tx, one, source, policy_digest, wider)
        return
    replaced = [member for root in same for member in families[root]]
    moved = rolls.money_moved(store, replaced, earlier=True)
    # what has left stays as it is; a draft or an approved batch would go out by a list that no longer stands
    waiting = rolls.money_moved(store, replaced, waiting=True, earlier=True) if moved else 0
    if moved and (waiting or mode != "replace"):
        one.settle(
            "paid",
            f"批次 {'、'.join(map(str, same))} 已有 {moved} 笔进入发放，没有更正",
            (f"其中 {waiting} 笔还没有送银行：先取消那一批（jiuzhu pay list、jiuzhu pay cancel）；" if waiting else "")
            + "送出的不会变。核对确是更正过的整份花名册，加 --replace 再导入：多出来的走补发（jiuzhu pay back-pay），少了的走追缴（jiuzhu pay recover），没有发出的照新表",
        )
        return
    if watch is None or watch.lets_pass(store, one, replaced, [b for b in beside if b not in replaced]):
        # the very file once more, after rows that it sent back were corrected: it cannot take these away again
        mended = any(
            b["file_sha256"] == source.sha256 and len(families[b["batch_id"]]) > 1
            for b in near
            if b["batch_id"] in same
        )
        _save(tx, one, source, policy_digest, same, mended=mended)
        if moved and one.results[0].status == "corrected":
            one.results[0].todo = (
                f"原表 {moved} 笔已发放的不变，再查重（jiuzhu dedupe run --month {one.month}）后：没有发出的照新表 jiuzhu pay draft --month {one.month}，"
                "多出来的 jiuzhu pay back-pay，少了的 jiuzhu pay recover"
            )


def _against_wider(tx: Transaction, one: ListOfFile, source: SourceFile, digest: str, wider: list[int]) -> None:
    """A town's list when the district's stands: known if it says nothing new, else a question, for the others' rows."""
    found = Difference()
    with rolls.attempt(tx):
        batch_id = _insert(tx, one, source, digest, [])
        found = rolls.difference(tx, one.kind, batch_id, wider)
        raise rolls.Withdrawn
    if found.nothing_new:
        one.settle("already", f"这些人都在批次 {wider[0]} 的全区名单里", batch=wider[0])
        for result in one.results:
            result.unchanged = result.accepted
        return
    count = sum(found.added.values()) + sum(found.changed.values())
    one.settle(
        "ask",
        f"批次 {wider[0]} 是范围更大的名单，已含这里的人；本表有 {count} 人与它不同",
        "请导入更正后的整份名单；或先用 jiuzhu batch undo 撤销那一份，再按乡镇导入；另一批人则加 --append",
    )


def _save(
    tx: Transaction, one: ListOfFile, source: SourceFile, digest: str, same: list[int], *, mended: bool = False
) -> None:
    """Saves a list, as a correction of the batches ``same``, unless it says nothing new. ``mended``: see ``save_list``."""
    found = Difference()
    saved = False
    with rolls.attempt(tx) if same else nullcontext():  # nothing to compare it with: nothing that could be taken back
        batch_id = _insert(tx, one, source, digest, same)
        if same:
            found = rolls.difference(tx, one.kind, batch_id, same)
            if found.nothing_new and (mended or not found.withdrawn):
                raise rolls.Withdrawn
        else:
            found.added = dict(enumerate(one.persons, 1))
        rolls.record_difference(tx, batch_id, found)
        saved = True
        tx.journal(
            f"batch:{batch_id}",
            {
                "file": source.name, "programme": one.programme, "area": one.area, "month": one.month, "rows": sum(one.persons),
                "refused": sum(t.refused for t in one.tables), "amount_fen": sum(t.amount_fen for t in one.tables),
                "supersedes": same, "added": sum(found.added.values()), "changed": sum(found.changed.values()),
                "withdrawn": found.withdrawn, **one.noted(),
            },
            digest=source.sha256,
        )  # fmt: skip
    if not saved:
        one.settle("already", f"与批次 {'、'.join(map(str, same))} 内容相同", batch=same[0])
        for result in one.results:
            result.unchanged = result.accepted
        return
    replaced = "、".join(map(str, same))
    note = f"批次 {batch_id}，更正批次 {replaced}" if same else f"批次 {batch_id}"
    one.settle("corrected" if same else "imported", note, batch=batch_id)
    _tell(one, found)


def _tell(one: ListOfFile, found: Difference) -> None:
    for number, result in enumerate(one.results, 1):
        result.added = found.added.get(number, 0)
        result.changed = found.changed.get(number, 0)
        result.unchanged = found.unchanged.get(number, 0)
    one.results[0].withdrawn = found.withdrawn
    one.results[0].changed_fields, one.results[0].changes = found.fields, found.changes


def _save_supplement(tx: Transaction, store: Store, one: ListOfFile, source: SourceFile, digest: str) -> None:
    """Corrected rows of a batch's remainder: added to its roll."""
    batch_id = _insert(tx, one, source, digest, [])
    found = Difference(added=dict(enumerate(one.persons, 1)))
    rolls.record_difference(tx, batch_id, found)
    tx.journal(
        f"batch:{batch_id}",
        {"file": source.name, "supplements": one.supplements, "rows": sum(one.persons), "refused": sum(t.refused for t in one.tables)},
        digest=source.sha256,
    )  # fmt: skip
    one.settle("imported", f"批次 {batch_id}，补入批次 {one.supplements}", batch=batch_id)
    _tell(one, found)


def _insert(tx: Transaction, one: ListOfFile, source: SourceFile, digest: str, same: list[int]) -> int:
    heads = [
        TableHead(
            number, t.table.sheet, t.table.header_last + 1, _columns_json(t), t.total, t.accepted, t.refused,
            t.table.stated_total_fen, t.table.title,
        )
        for number, t in enumerate(one.tables, 1)
    ]  # fmt: skip
    stated = [t.table.stated_total_fen for t in one.tables]
    head = BatchHead(
        kind=one.kind, programme=one.programme, area=one.area, month=one.month, part=one.category + one.ordinal,
        file_name=source.name, file_sha256=source.sha256, content_sha256=one.digest,
        rows=sum(t.total for t in one.tables), accepted=sum(t.accepted for t in one.tables),
        refused=sum(t.refused for t in one.tables), amount_fen=sum(t.amount_fen for t in one.tables),
        stated_total_fen=None if None in stated else sum(s or 0 for s in stated), policy_digest=digest,
        supplements=one.supplements,
    )  # fmt: skip
    findings = [finding_row(number, finding) for number, t in enumerate(one.tables, 1) for finding in t.findings]
    assert one.incoming is not None
    return rolls.save_batch(tx, head, heads, one.incoming, findings, replaces=same)


def finding_row(table_no: int, finding: Finding) -> tuple[Any, ...]:
    """A finding as the record keeps it."""
    return (
        table_no, finding.source.row, finding.source.column, finding.column_field, finding.code, finding.severity, finding.shown,
        json.dumps(finding.values, ensure_ascii=False, sort_keys=True),
    )  # fmt: skip


def _columns_json(table: Prepared) -> str:
    return json.dumps(
        [{"column": c.letters, "header": c.header, "field": c.field, "why": c.why} for c in table.table.columns],
        ensure_ascii=False,
    )


def _persons_by_table(rows: pa.Table, tables: int) -> list[int]:
    import numpy as np

    return np.bincount(rows.column("table_no").to_numpy(), minlength=tables + 1)[1:].tolist()


# overlap ---------------------------------------------------------------------------------------------------


def _overlap(by_id: float, by_name: float) -> float:
    """Common persons as a share of the smaller list; by ID, else by name and village where that is more than chance."""
    if by_id:
        return by_id
    return min(by_name, SAME_ROLL - 0.01) if by_name >= NAMESAKES else 0.0


def _related(area: str, other: str) -> bool:
    if UNKNOWN in (area, other):  # it may be any town's
        return True
    return area == other or _holds(area, other) or _holds(other, area)


def _holds(wide: str, narrow: str) -> bool:
    """Whether ``wide`` ('' is the district) holds ``narrow`` and more."""
    return wide != narrow and (wide == "" or narrow.startswith(wide + "/"))


def _ordinal(text: str) -> str:
    """第二批 as '第2批', '' where a text names no such part."""
    match = _BATCH.search(compact(text))
    return f"第{CHINESE_NUMBERS.get(match.group(1), match.group(1))}批" if match else ""


def _same_kind(part: str, one: ListOfFile) -> bool:
    """False when both lists say their category and it differs, or one is a second batch and the other is not.

    城市低保 never corrects 农村低保, 第二批 never 第一批, whoever stands on both. A list without a number may be the first.
    """
    told = re.sub(r"p\d+$", "", part)
    ordinal = _ordinal(told)
    if ordinal != one.ordinal and {ordinal, one.ordinal} != {"", "第1批"}:
        return False
    category = _BATCH.sub("", told)
    return not category or not one.category or category == one.category


def _part_of(part: str, one: ListOfFile) -> bool:
    mine = one.category + one.ordinal
    return part == mine or part.startswith(f"{mine}p")
