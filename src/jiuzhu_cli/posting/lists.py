"""What is posted (公示内容): one list per programme and village, whitelisted columns only, names masked.

Source of the columns: 最低生活保障审核确认办法 第24条 (申请人姓名、家庭成员数量、保障金额); nothing about IDs, accounts,
phones, addresses, illness or disability can get in: a programme that asks for such a column is a PolicyError.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.errors import PolicyError
from jiuzhu_cli.core.mask import mask_name
from jiuzhu_cli.core.money import yuan
from jiuzhu_cli.ledger.postings import Key, cases_of
from jiuzhu_cli.ledger.proposals import effective_changes

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.ledger.store import Store
    from jiuzhu_cli.policy.model import Programme


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column that may be posted: header, share of the page's width, alignment."""

    header: str
    share: int
    align: str = "center"


NUMBER = ListColumn("序号", 8)
COLUMNS = {
    "head_name": ListColumn("户主姓名", 25),
    "name": ListColumn("姓名", 25),
    "village": ListColumn("村（社区）", 17),
    "category": ListColumn("类别", 10),
    "care_mode": ListColumn("供养方式", 12),
    "household_size": ListColumn("家庭人口", 11),
    "persons": ListColumn("保障人数", 11),
    "amount": ListColumn("金额（元）", 14, "right"),
    "kin_filed": ListColumn("近亲属备案", 13),
}
CARE_MODES = ("集中", "分散")
_NO = frozenset(("", "否", "无", "不是", "非", "0", "未备案", "无备案", "-"))


@dataclass(frozen=True, slots=True)
class VillageList:
    """One list: display rows (all text, without the serial number), totals, and a digest of what it says about whom."""

    programme: Programme
    town: str
    village: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    households: int
    persons: int
    amount_fen: int
    digest: str

    @property
    def key(self) -> Key:
        return self.programme.code, self.town, self.village

    @property
    def area(self) -> str:
        return f"{self.town}/{self.village}" if self.village else self.town


def check_columns(programme: Programme) -> tuple[str, ...]:
    """The programme's posting columns; PolicyError when one is not among those that may be posted."""
    wanted = programme.posting.columns or ("head_name" if programme.unit == "household" else "name", "village")
    wrong = [name for name in wanted if name not in COLUMNS]
    if wrong:
        raise PolicyError(
            f"项目“{programme.name}”的公示栏目里有不能公示的“{'、'.join(wrong)}”",
            f"posting.columns 只能从这些里选：{'、'.join(COLUMNS)}",
        )
    return wanted


def lists_of(
    store: Store, month: str, programmes: Sequence[Programme], *, round_: str, masked: bool = True
) -> Iterator[VillageList]:
    """The month's lists by programme, town and village: live rolls with the decided changes applied (stops left out)."""
    import duckdb

    changes = effective_changes(store, month)
    connection = duckdb.connect(":memory:")
    connection.register("cases", cases_of(store, month))
    connection.execute("CREATE TABLE change (row_id BIGINT, amount_fen BIGINT)")
    for change in changes:
        gone = change.action in ("stop", "transfer")
        connection.execute(
            "INSERT INTO change VALUES (?, ?)", [change.roll_row_id, None if gone else change.amount_after_fen]
        )
    found: pa.Table = connection.sql(
        """
        SELECT c.programme, c.town, c.village, c.id_no, c.name, c.head_id_no, c.head_name, c.category, c.care_mode, c.kin_filed,
               CAST(c.household_size AS INTEGER) AS household_size, CAST(c.covered_persons AS INTEGER) AS covered_persons,
               CAST(c.listed_persons AS INTEGER) AS listed_persons, CAST(coalesce(h.amount_fen, c.amount_fen) AS BIGINT) AS amount_fen
        FROM cases c LEFT JOIN change h ON h.row_id = c.row_id
        WHERE list_contains($codes, c.programme) AND (h.row_id IS NULL OR h.amount_fen IS NOT NULL)
        ORDER BY c.programme, c.town, c.village, c.category, coalesce(nullif(c.head_name, ''), c.name), c.name, c.id_no, amount_fen
        """,
        params={"codes": [programme.code for programme in programmes]},
    ).to_arrow_table()
    by_code = {programme.code: programme for programme in programmes}
    for (code, town, village), cases in groupby(
        found.to_pylist(), key=lambda case: (case["programme"], case["town"], case["village"])
    ):
        programme = by_code[code]
        kept = [case for case in cases if case["category"] not in programme.posting.except_categories]
        if kept:
            yield _village_list(programme, town, village, kept, round_=round_, masked=masked)
    connection.close()


def rolls_present(store: Store, month: str) -> Collection[str]:
    """Codes of the programmes that have a live roll with cases that month."""
    return set(cases_of(store, month)["programme"].to_pylist())


def _village_list(
    programme: Programme, town: str, village: str, cases: Sequence[dict[str, Any]], *, round_: str, masked: bool
) -> VillageList:
    columns = check_columns(programme)
    by_head = "head_name" in columns
    people = []
    for case in cases:
        named_head = by_head and case["head_name"]
        people.append(
            (
                case["head_name"] if named_head else case["name"],
                (case["head_id_no"] if named_head else "") or case["id_no"],
            )
        )
    names = _shown_names(people, masked=masked)
    rows, persons = [], 0
    for case, shown in zip(cases, names, strict=True):
        persons += _persons(programme, case)
        rows.append(tuple(_cell(column, case, shown, programme) for column in columns))
    content = [
        programme.code, town, village, round_, columns, masked,
        [[*row, case["id_no"], case["amount_fen"]] for row, case in zip(rows, cases, strict=True)],
    ]  # fmt: skip
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
    return VillageList(
        programme,
        town,
        village,
        columns,
        tuple(rows),
        households=len(cases),
        persons=persons,
        amount_fen=sum(case["amount_fen"] for case in cases),
        digest=digest,
    )


def _shown_names(people: Sequence[tuple[str, str]], *, masked: bool) -> list[str]:
    """Names as posted; those that look the same are told apart by the last four of the ID, and only those."""
    shown = [mask_name(name) if masked else name for name, _ in people]
    often = Counter(shown)
    return [
        f"{name}（尾号{id_no[-4:]}）" if often[name] > 1 and len(id_no) >= 15 else name
        for name, (_, id_no) in zip(shown, people, strict=True)
    ]


def _persons(programme: Programme, case: dict[str, Any]) -> int:
    if programme.unit == "person":
        return 1
    return int(case["covered_persons"] or case["household_size"] or case["listed_persons"] or 1)


def _cell(column: str, case: dict[str, Any], shown_name: str, programme: Programme) -> str:
    if column in ("head_name", "name"):
        return shown_name
    if column == "amount":
        return yuan(case["amount_fen"])
    if column == "persons":
        return str(_persons(programme, case))
    if column == "household_size":
        return str(case["household_size"] or max(case["listed_persons"], case["covered_persons"]))
    if column == "kin_filed":
        return "否" if case["kin_filed"].strip() in _NO else "是"
    value = str(case[column])
    # free text of a roll never gets onto the wall: only the words that the programme itself uses
    if column == "category":
        return value if value in programme.categories else ""
    if column == "care_mode":
        return value if value in CARE_MODES else ""
    return value
