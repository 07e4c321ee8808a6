"""ISO 20022 for banks that take it (外资行、银企直联): pain.001, the customer's instruction, and pain.002, the bank's status report.

Both are written and read here; what is read — our own file before it counts as written, too — is held to its schema (``message``) and
to what the schema cannot say: NbOfTxs and CtrlSum of the message and of each group are those of the payments, references are not
repeated. ISO 20022 message definition reports; the external code lists for CNAPS and NIDN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from jiuzhu_cli.payment.message import Fault, Reader
from jiuzhu_cli.payment.values import (
    BankFile,
    Columns,
    Summary,
    UnreadableFile,
    count_of,
    fixed_text,
    pieces_of,
    total_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from jiuzhu_cli.policy.bank_layout import BankLayout
    from jiuzhu_cli.policy.message import Message

LONGEST = {"payee_name": 140, "account_no": 34, "bank_name": 140, "purpose": 140, "payee_id_no": 35, "payer_name": 140}
_FEN = re.compile(r"(\d+)(?:\.(\d{1,5}))?", re.ASCII)
_TRANSFER = ("PmtInf", "CdtTrfTxInf")
_STATUS = ("OrgnlPmtInfAndSts", "TxInfAndSts")


def too_long(source: str, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
    """``(index, what)`` of texts that the message's types do not hold."""
    most = LONGEST.get(source, 0)
    if most:
        yield from ((index, f"超出 {most} 个字") for index, text in enumerate(texts) if len(text) > most)


@cache
def message_of(code: str) -> Message:
    """The rules of a message. They are the standard's, not a bureau's: always those of the package."""
    from jiuzhu_cli.policy.load import load_policy

    return load_policy().messages[code]


# -- writing --------------------------------------------------------------------------------------------------


def reference(summary: Summary) -> str:
    """MsgId and PmtInfId of one file."""
    return f"JZ{summary.get('batch', 0)}-{summary.get('month', '')}-{summary.get('part', 1)}"


def initiation(layout: BankLayout, columns: Columns, summary: Summary) -> Iterator[bytes]:
    """A pain.001 file: one group of payments on one account. ``layout`` as ``layout.bind`` made it."""
    payer = {column.source.partition(":")[2]: fixed_text(column) for column in layout.columns if ":" in column.source}
    number, count, total = reference(summary), count_of(columns), _yuan(total_of(columns))
    stamp = summary.get("time") or "1970-01-01T00:00:00"
    agent = _agent(payer.get("payer_bank", ""), payer.get("payer_bank_code", "")) or _el(
        "Othr", _t("Id", "NOTPROVIDED")
    )
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{layout.message}">\n<CstmrCdtTrfInitn>\n'
        + _el("GrpHdr", _t("MsgId", number), _t("CreDtTm", stamp), _t("NbOfTxs", str(count)), _t("CtrlSum", total),
              _el("InitgPty", _t("Nm", payer.get("payer_name", ""))))
        + "\n<PmtInf>"
        + "".join((_t("PmtInfId", number), _t("PmtMtd", "TRF"), _t("NbOfTxs", str(count)), _t("CtrlSum", total),
                   _el("ReqdExctnDt", _t("Dt", stamp[:10])), _el("Dbtr", _t("Nm", payer.get("payer_name", ""))),
                   _account("DbtrAcct", payer.get("payer_account", "")), _el("DbtrAgt", _el("FinInstnId", agent))))
        + "\n"
    )  # fmt: skip
    yield head.encode()
    prefix = f"{summary.get('batch', 0)}-"
    for piece in pieces_of(columns):
        size = count_of(piece)
        blank = [""] * size
        rows = zip(
            piece["line_no"], piece["amount"], piece["payee_name"], piece["account_no"],
            *(piece.get(source) or blank for source in ("payee_id_no", "bank_name", "bank_code", "purpose")), strict=True,
        )  # fmt: skip
        yield "".join([_transfer(prefix, *row) for row in rows]).encode()
    yield b"</PmtInf>\n</CstmrCdtTrfInitn>\n</Document>\n"


def _transfer(
    prefix: str, line_no: int, fen: int, name: str, account: str, id_no: str, bank: str, bank_code: str, purpose: str
) -> str:
    number = f"{prefix}{line_no}"
    agent = _agent(bank, bank_code)
    person = _el("Id", _el("PrvtId", _el("Othr", _t("Id", id_no), _el("SchmeNm", _t("Cd", "NIDN"))))) if id_no else ""
    return (
        "<CdtTrfTxInf>"
        + _el("PmtId", _t("InstrId", number), _t("EndToEndId", number))
        + f'<Amt><InstdAmt Ccy="CNY">{_yuan(fen)}</InstdAmt></Amt>'
        + (_el("CdtrAgt", _el("FinInstnId", agent)) if agent else "")
        + _el("Cdtr", _t("Nm", name), person)
        + _account("CdtrAcct", account)
        + (_el("RmtInf", _t("Ustrd", purpose)) if purpose else "")
        + "</CdtTrfTxInf>\n"
    )


def _agent(name: str, code: str) -> str:
    member = _el("ClrSysMmbId", _el("ClrSysId", _t("Cd", "CNAPS")), _t("MmbId", code)) if code else ""
    return member + (_t("Nm", name) if name else "")


def _account(tag: str, number: str) -> str:
    return _el(tag, _el("Id", _el("Othr", _t("Id", number))))


def _el(tag: str, *inside: str) -> str:
    return f"<{tag}>{''.join(inside)}</{tag}>"


def _t(tag: str, text: str) -> str:
    return f"<{tag}>{escape(text)}</{tag}>"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def status_report(
    columns: Columns, summary: Summary, *, code: str = "pain.002.001.10", original: str = "pain.001.001.09"
) -> Iterator[bytes]:
    """The status report a bank would send: ``columns`` with ``result`` (a status code) and ``reason``. For rehearsals and tests."""
    number, stamp = reference(summary), summary.get("time") or "1970-01-01T00:00:00"
    results = set(columns["result"])
    whole = {"ACSC": "ACSC", "RJCT": "RJCT"}.get(next(iter(results)), "PART") if len(results) == 1 else "PART"
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{code}">\n<CstmrPmtStsRpt>\n'
        + _el("GrpHdr", _t("MsgId", f"RE-{number}"[:35]), _t("CreDtTm", stamp))
        + _el("OrgnlGrpInfAndSts", _t("OrgnlMsgId", number), _t("OrgnlMsgNmId", original), _t("GrpSts", whole))
        + "\n<OrgnlPmtInfAndSts>"
        + _t("OrgnlPmtInfId", number)
        + "\n"
    ).encode()
    prefix = f"{summary.get('batch', 0)}-"
    for piece in pieces_of(columns):
        keys = ("line_no", "result", "reason", "amount", "payee_name", "account_no")
        yield "".join([_told(prefix, *row) for row in zip(*(piece[key] for key in keys), strict=True)]).encode()
    yield b"</OrgnlPmtInfAndSts>\n</CstmrPmtStsRpt>\n</Document>\n"


def _told(prefix: str, line_no: int, result: str, reason: str, fen: int, name: str, account: str) -> str:
    why = _el("StsRsnInf", _el("Rsn", _t("Cd", "NARR")), *(_t("AddtlInf", reason[i : i + 105]) for i in range(0, len(reason), 105))) if reason else ""  # fmt: skip
    original = _el("OrgnlTxRef", f'<Amt><InstdAmt Ccy="CNY">{_yuan(fen)}</InstdAmt></Amt>',
                   _el("Cdtr", _el("Pty", _t("Nm", name))), _account("CdtrAcct", account))  # fmt: skip
    return _el("TxInfAndSts", _t("OrgnlEndToEndId", f"{prefix}{line_no}"), _t("TxSts", result), why, original) + "\n"


# -- reading --------------------------------------------------------------------------------------------------


class _Transfers:
    """What is kept of a pain.001 while it is read."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {
            s: [] for s in ("line_no", "amount", "payee_name", "account_no", "payee_id_no", "bank_name", "bank_code", "purpose")
        }  # fmt: skip
        self.rows: list[int] = []
        self.faults: list[str] = []
        self.one: dict[str, Any] = {}
        self.said: dict[tuple[str, ...], tuple[str, int]] = {}
        self.group = [0, 0]  # payments and 分 of the group at hand
        self.all = [0, 0]
        self.seen: set[str] = set()

    def take(self, path: tuple[str, ...], text: str, attributes: dict[str, str], line: int) -> None:
        if path[:1] != ("CstmrCdtTrfInitn",):
            return
        inside = path[1:]
        if inside[:2] == _TRANSFER and len(inside) > 2:
            self._detail(inside[2:], text.strip(), attributes, line)
        elif inside == _TRANSFER:
            self._close(line)
        elif inside in (("PmtInf", "NbOfTxs"), ("PmtInf", "CtrlSum"), ("GrpHdr", "NbOfTxs"), ("GrpHdr", "CtrlSum")):
            self.said[inside] = text.strip(), line
        elif inside == ("PmtInf",):
            self._compare("PmtInf", self.group)
            self.group = [0, 0]
        elif not inside:
            self._compare("GrpHdr", self.all)

    def _detail(self, path: tuple[str, ...], text: str, attributes: dict[str, str], line: int) -> None:
        key = _PLACES.get(path)
        if key:
            self.one[key] = text
        elif path in (("Amt", "InstdAmt"), ("Amt", "EqvtAmt", "Amt")):
            self.one["amount"] = _read_fen(text)
            if attributes.get("Ccy") != "CNY" or self.one["amount"] is None:
                self.faults.append(f"第 {line} 行：金额不是人民币，或多于两位小数")

    def _close(self, line: int) -> None:
        one, number = self.one, str(self.one.get("end_to_end", ""))
        if number in self.seen:
            self.faults.append(f"第 {line} 行：EndToEndId 与前面的重复")
        self.seen.add(number)
        last = number.rpartition("-")[2]
        self.columns["line_no"].append(int(last) if last.isascii() and last.isdecimal() else None)
        self.columns["amount"].append(one.get("amount"))
        for key in ("payee_name", "account_no", "payee_id_no", "bank_name", "bank_code", "purpose"):
            self.columns[key].append(one.get(key, ""))
        self.rows.append(line)
        for sums in (self.group, self.all):
            sums[0] += 1
            sums[1] += one.get("amount") or 0
        self.one = {}

    def _compare(self, where: str, sums: list[int]) -> None:
        said, line = self.said.pop((where, "NbOfTxs"), ("", 0))
        if said and said.isdecimal() and int(said) != sums[0]:
            self.faults.append(f"第 {line} 行 {where}/NbOfTxs 写 {said} 笔，实有 {sums[0]} 笔")
        said, line = self.said.pop((where, "CtrlSum"), ("", 0))
        if said and _read_fen(said) != sums[1]:
            self.faults.append(f"第 {line} 行 {where}/CtrlSum 写 {said}，各笔相加 {_yuan(sums[1])}")


_PLACES = {
    ("PmtId", "EndToEndId"): "end_to_end",
    ("Cdtr", "Nm"): "payee_name",
    ("Cdtr", "Id", "PrvtId", "Othr", "Id"): "payee_id_no",
    ("CdtrAcct", "Id", "Othr", "Id"): "account_no",
    ("CdtrAcct", "Id", "IBAN"): "account_no",
    ("CdtrAgt", "FinInstnId", "Nm"): "bank_name",
    ("CdtrAgt", "FinInstnId", "ClrSysMmbId", "MmbId"): "bank_code",
    ("RmtInf", "Ustrd"): "purpose",
}


def _read_fen(text: str) -> int | None:
    match = _FEN.fullmatch(text)
    if not match or (match.group(2) or "")[2:].strip("0"):
        return None
    return int(match.group(1)) * 100 + int((match.group(2) or "")[:2].ljust(2, "0"))


def read_initiation(layout: BankLayout, data: bytes) -> BankFile:
    """A pain.001 as columns. Fault when it breaks the schema, or when its own sums or references are not in order."""
    found = _Transfers()
    Reader(message_of(layout.message), found.take).read(data)
    if found.faults:
        raise Fault(found.faults, fit=0.9)
    return BankFile(found.columns, found.rows, {"lines": found.all[0], "total": found.all[1]})


def read_status(layout: BankLayout, data: bytes) -> BankFile:
    """A pain.002 as columns ``line_no, amount, payee_name, account_no, result, reason`` (those that it tells).

    Fault when it breaks the schema. UnreadableFile when it speaks of the message as a whole only: whose money that is must be
    asked; and when it answers a message that is none of ours.
    """
    message = message_of("pain.002.001.10")
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    whole: dict[str, str] = {}
    one: dict[str, Any] = {}

    def take(path: tuple[str, ...], text: str, attributes: dict[str, str], line: int) -> None:
        inside, text = path[1:], text.strip()
        if inside[:2] == _STATUS and len(inside) > 2:
            key = _TOLD.get(inside[2:])
            if key == "reason":
                one["reason"] = one.get("reason", "") + text
            elif key == "code":
                one["code"] = text
            elif key:
                one[key] = _read_fen(text) if key == "amount" else text
        elif inside == _STATUS:
            rows.append(dict(one))
            lines.append(line)
            one.clear()
        elif inside in (
            ("OrgnlGrpInfAndSts", "OrgnlMsgId"),
            ("OrgnlGrpInfAndSts", "GrpSts"),
            ("OrgnlPmtInfAndSts", "PmtInfSts"),
        ):
            whole[inside[-1]] = text

    Reader(message, take).read(data)
    if not rows:
        status = whole.get("GrpSts") or whole.get("PmtInfSts") or "没有状态"
        raise UnreadableFile(
            f"回执只有整批的状态（{status}），没有逐笔的",
            "请银行给逐笔的回执；整批退回的，问清后用 jiuzhu pay settle 逐笔记",
            fit=0.6,
        )
    columns: dict[str, list[Any]] = {"line_no": [], "result": [], "reason": []}
    batches = set()
    for row in rows:
        batch, _, last = str(row.get("end_to_end", "")).rpartition("-")
        batches.add(batch)
        columns["line_no"].append(int(last) if last.isascii() and last.isdecimal() else None)
        columns["result"].append(row.get("result", ""))
        code = str(row.get("code", ""))
        columns["reason"].append(str(row.get("reason", "")) or (code if code != "NARR" else ""))
    for key in ("amount", "payee_name", "account_no"):
        if all(key in row for row in rows):
            columns[key] = [row[key] for row in rows]
    told = batches.pop() if len(batches) == 1 else ""
    return BankFile(columns, lines, {"message": whole.get("OrgnlMsgId", ""), "batch": told})


def completed(layout: BankLayout, file: BankFile, payment_id: int, lines: pa.Table) -> BankFile:
    """A status report for the lines of one batch. Banks need not repeat account and amount: the reference, which is ours (batch and
    line), is as good and puts them in. A report on another batch stays without them and so fits nothing."""
    if layout.container != "pain001":
        return file
    ours = file.summary.get("batch") == str(payment_id)
    sent = {number: at for at, number in enumerate(lines["line_no"].to_pylist())} if ours else {}
    columns = dict(file.columns)
    for key, name in (("account_no", "account_no"), ("payee_name", "payee_name"), ("amount", "amount_fen")):
        if ours and key in columns:
            continue
        values = lines[name].to_pylist() if ours else []
        columns[key] = [values[sent[n]] if n in sent else (0 if key == "amount" else "") for n in columns["line_no"]]
    return BankFile(columns, file.rows, file.summary)


_TOLD = {
    ("OrgnlEndToEndId",): "end_to_end",
    ("TxSts",): "result",
    ("StsRsnInf", "Rsn", "Cd"): "code",
    ("StsRsnInf", "Rsn", "Prtry"): "code",
    ("StsRsnInf", "AddtlInf"): "reason",
    ("OrgnlTxRef", "Amt", "InstdAmt"): "amount",
    ("OrgnlTxRef", "Cdtr", "Pty", "Nm"): "payee_name",
    ("OrgnlTxRef", "Cdtr", "Nm"): "payee_name",
    ("OrgnlTxRef", "CdtrAcct", "Id", "Othr", "Id"): "account_no",
}
