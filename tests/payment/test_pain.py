"""ISO 20022: what is written holds against the standard's own schema; what is read is held to it, and to sums that it cannot say."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from jiuzhu_cli.core.errors import DataError
from jiuzhu_cli.payment.layout import bind, problems_of
from jiuzhu_cli.payment.message import Fault
from jiuzhu_cli.payment.pain import initiation, read_initiation, read_status, status_report
from jiuzhu_cli.payment.values import UnreadableFile
from jiuzhu_cli.policy.bank_layout import BankLayout
from jiuzhu_cli.policy.load import load_policy
from tests.payment.conftest import Desk, person
from tests.payment.test_layout import SETTINGS, SUMMARY, with_others

SCHEMA = etree.XMLSchema(etree.fromstring((files("sepaxml") / "schemas" / "pain.001.001.09.xsd").read_bytes()))
LAYOUT: BankLayout = bind(load_policy(region="421002").banks["pain001"], SETTINGS)
STAMP = {"time": "2026-10-25T10:00:00"}


def written(columns: dict[str, Any] | None = None) -> bytes:
    return b"".join(initiation(LAYOUT, columns or with_others(), SUMMARY | STAMP))


def told(results: list[str], reasons: list[str]) -> bytes:
    return b"".join(status_report({**with_others(), "result": results, "reason": reasons}, SUMMARY | STAMP))


def test_the_file_holds_against_the_schema_and_comes_back() -> None:
    data = written()
    SCHEMA.assertValid(etree.fromstring(data))
    found = read_initiation(LAYOUT, data)
    for source in ("line_no", "amount", "payee_name", "account_no", "payee_id_no", "bank_name", "bank_code", "purpose"):
        assert found.columns[source] == with_others()[source], source
    assert found.summary == {"lines": 4, "total": sum(with_others()["amount"])}


TEXT = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x2FA1F, exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=150
)


@given(
    st.lists(
        st.tuples(TEXT, st.text("0123456789", min_size=1, max_size=36), st.integers(1, 10**12), TEXT),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_can_be_written_is_valid(lines: list[tuple[str, str, int, str]]) -> None:
    columns = {
        "line_no": list(range(1, len(lines) + 1)), "payee_name": [one[0] for one in lines], "account_no": [one[1] for one in lines],
        "amount": [one[2] for one in lines], "payee_id_no": [""] * len(lines), "bank_name": [""] * len(lines),
        "bank_code": [""] * len(lines), "purpose": [one[3] for one in lines],
    }  # fmt: skip
    if problems_of(LAYOUT, columns, SUMMARY):
        return
    data = written(columns)
    SCHEMA.assertValid(etree.fromstring(data))
    assert read_initiation(LAYOUT, data).columns["payee_name"] == columns["payee_name"]


BREAKS = {
    "count of the message": (b"<NbOfTxs>4</NbOfTxs><CtrlSum>1235317.90</CtrlSum><InitgPty>", b"<NbOfTxs>5</NbOfTxs><CtrlSum>1235317.90</CtrlSum><InitgPty>", "写 5 笔，实有 4 笔"),
    "sum of the group": (b"<CtrlSum>1235317.90</CtrlSum><ReqdExctnDt>", b"<CtrlSum>1235317.91</CtrlSum><ReqdExctnDt>", "各笔相加 1235317.90"),
    "a missing element": (b"<PmtMtd>TRF</PmtMtd>", b"", "缺 <PmtMtd>"),
    "an unknown code": (b"<PmtMtd>TRF</PmtMtd>", b"<PmtMtd>GIRO</PmtMtd>", "代码不在可选范围"),
    "an element too many": (b"<Cdtr><Nm>", b"<Cdtr><Nm>x</Nm><Nm>", "次序或次数不对"),
    "an element unknown": (b"<GrpHdr>", b"<Kopf><a/></Kopf><GrpHdr>", "不该在这里"),
    "the wrong order": (b"<InstrId>7-1</InstrId><EndToEndId>7-1</EndToEndId>", b"<EndToEndId>7-1</EndToEndId><InstrId>7-1</InstrId>", "次序"),
    "a text too long": (b"<Id>6217000000000000001</Id>", b"<Id>" + b"6" * 35 + b"</Id>", "至多 34"),
    "no currency": (b' Ccy="CNY">0.01', b">0.01", "属性 Ccy"),
    "another currency": (b'Ccy="CNY">0.01', b'Ccy="USD">0.01', "不是人民币"),
    "a part of a fen": (b">0.01<", b">0.011<", "多于两位小数"),
    "no day": (b"<Dt>2026-10-25</Dt>", b"<Dt>2026-02-30</Dt>", "没有这一天"),
    "a reference twice": (b"<EndToEndId>7-2</EndToEndId>", b"<EndToEndId>7-1</EndToEndId>", "重复"),
    "another version": (b"pain.001.001.09", b"pain.001.001.03", "不是 pain.001.001.09"),
    "a document type": (b'<?xml version="1.0" encoding="UTF-8"?>', b'<!DOCTYPE a [<!ENTITY b "c">]>', "DTD"),
    "half a file": (b"</CstmrCdtTrfInitn>\n</Document>\n", b"", "不是完整的 XML"),
}  # fmt: skip


@pytest.mark.parametrize("what", BREAKS)
def test_what_breaks_the_rules_is_refused_with_its_line(what: str) -> None:
    old, new, message = BREAKS[what]
    data = written()
    assert old in data
    with pytest.raises(UnreadableFile, match=message) as error:
        read_initiation(LAYOUT, data.replace(old, new, 1))
    assert "DTD" in error.value.message or what == "another version" or "第 " in error.value.message


def test_an_entity_bomb_is_not_unpacked() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Document>&b;</Document>'
    outside = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><Document>&x;</Document>'
    for data in (bomb, outside):
        with pytest.raises(Fault, match="DTD"):
            read_status(LAYOUT, data)


@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused_never_a_crash(junk: bytes, at: int, cut: int) -> None:
    data = told(["ACSC", "RJCT", "ACSC", "ACSC"], ["", "户名不符", "", ""])
    for file in (junk, data[:at] + junk[:40] + data[at + cut :]):
        for read in (read_status, read_initiation):
            try:
                read(LAYOUT, file)
            except DataError:
                continue


def test_a_status_report_says_line_by_line() -> None:
    found = read_status(LAYOUT, told(["ACSC", "RJCT", "ACSP", "ACCC"], ["", "户名不符", "", ""]))
    assert found.columns["result"] == ["ACSC", "RJCT", "ACSP", "ACCC"] and found.columns["reason"][1] == "户名不符"
    assert found.columns["amount"] == with_others()["amount"]


def test_a_report_on_the_whole_message_is_not_guessed_at() -> None:
    data = told(["RJCT"] * 4, [""] * 4)
    start, end = data.index(b"<TxInfAndSts>"), data.rindex(b"</TxInfAndSts>") + len(b"</TxInfAndSts>")
    with pytest.raises(UnreadableFile, match="RJCT"):
        read_status(LAYOUT, data[:start] + data[end:])


def bare(data: bytes) -> bytes:
    """A report that repeats nothing of the payments but their references, as banks may send it."""
    return re.sub(rb"<OrgnlTxRef>.*?</OrgnlTxRef>", b"", data)


def test_a_report_of_references_alone_is_booked_on_its_own_batch_only(desk: Desk) -> None:
    by_pain(desk)
    for area in ("甲镇", "乙镇"):
        first = 1 if area == "甲镇" else 11
        desk.roll([person(i, bank_name="农信社") for i in range(first, first + 3)], area=area)
        desk.draft(), desk.lock(), desk.approve()
        desk.export()
    second = desk.answers(2, {2: "户名不符"})[0]
    second.write_bytes(bare(second.read_bytes()))
    with pytest.raises(DataError, match="整份未收"):
        desk.read(second, number=1)
    assert desk.read(second).batch["payment_id"] == 2
    first_answer = desk.answers(1, {})[0]
    first_answer.write_bytes(bare(first_answer.read_bytes()).replace(b"1-3<", b"1-9<"))
    with pytest.raises(DataError, match="没有这一笔"):
        desk.read(first_answer)


def by_pain(desk: Desk) -> None:
    desk.configure('default_bank = "card_xlsx"', 'banks = ["pain001"]')
    desk.configure('payer_name = ""', 'payer_name = "甲区民政局"')
    desk.configure('payer_account = ""', 'payer_account = "1100000000000000001"')


def test_a_month_by_pain(desk: Desk) -> None:
    """Drafted, exported as XML, answered by pain.002: what was rejected is owed again, what is only accepted is not paid."""
    by_pain(desk)
    desk.roll([person(i, bank_name="农信社") for i in range(1, 5)])
    number = desk.draft().batch["payment_id"]
    desk.lock(), desk.approve()
    made = desk.export()
    path = desk.workspace.root / made.files[0]["path"]
    SCHEMA.assertValid(etree.parse(path))
    answer = desk.answers(number, {2: "户名不符"})[0]
    pending = answer.with_name("在途.xml")
    pending.write_bytes(answer.read_bytes().replace(b"ACSC", b"ACSP", 1))
    with pytest.raises(DataError, match="看不懂"):
        desk.read(pending)
    read = desk.read(answer)
    assert (read.succeeded, read.failed, read.missing) == (3, 1, 0)
