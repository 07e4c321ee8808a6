"""No row that names somebody is lost: whatever a list looks like, it is read, or a finding says where it stands."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.intake.sheets import sheet, tables_of
from tests.support import make_id

HEADER = ["序号", "村", "姓名", "身份证号", "与户主关系", "发放金额"]
_VALID = st.integers(1, 99).map(make_id)
IDS = st.one_of(
    _VALID,
    _VALID.map(lambda text: "'" + text),
    _VALID.map(lambda text: text[:15]),
    _VALID.map(lambda text: text + "1"),
    _VALID.map(lambda text: text[:-1]),
    st.none(),
)
NAMES = st.sampled_from(["王小明", "李芳", "热依·石子", "欧阳小明", "计春"])
PERSONS = st.tuples(
    st.sampled_from([None, 1, "2"]), st.sampled_from([None, "东风村"]), NAMES, IDS,
    st.sampled_from(["户主", "配偶", "儿子"]), st.sampled_from([None, 100, "200.00"]),
).map(lambda cells: ("person", list(cells)))  # fmt: skip
OTHERS = st.sampled_from(
    [
        ("blank", [None] * 6),
        ("header", HEADER),
        ("title", ["城关镇2026年10月农村低保花名册"]),
        ("group", ["前进村"]),
        ("subtotal", ["东风村小计", None, None, None, None, 300]),
        ("total", ["合计", None, "3人", None, None, 300]),
        ("note", ["注：本表一式三份"]),
        ("signature", ["制表人：张某", None, None, "审核人：李某"]),
        ("other", ["编号", "村", "姓名", "身份证号", "与户主关系", "开户银行"]),
        ("stray", ["序号", "村", "姓名", None, "与户主关系", None]),
    ]
)


@given(st.lists(st.one_of(PERSONS, PERSONS, OTHERS), max_size=25))
def test_every_person_is_a_data_row_or_told(lines: list[tuple[str, list[Any]]]) -> None:
    rows = [["城关镇2026年10月农村低保花名册"], HEADER, *(list(cells) for _, cells in lines)]
    tables, findings = tables_of(sheet(rows))
    read = {row for table in tables for row in table.rows.tolist()}
    told = {finding.source.row - 1 for finding in findings if finding.code == "row_not_read"}
    persons = {index + 2 for index, (kind, _) in enumerate(lines) if kind == "person"}
    assert persons <= read | told
    for table in tables:
        assert {reason for _, reason in table.skipped} <= {
            "repeated_header", "header", "total", "subtotal", "note", "signature", "blank", "group", "prefilled", "other_programme", "other_month",
        }  # fmt: skip
