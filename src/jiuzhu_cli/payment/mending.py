"""Refused accounts and what became of them: which lines may not be sent again as they are, and what a mended one says instead.

The towns' forms come back by import (register ``account_mending``); nothing here is written, the plan reads it anew each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jiuzhu_cli.core.mask import mask_account
from jiuzhu_cli.core.names import normalise_name
from jiuzhu_cli.ledger import mending as record
from jiuzhu_cli.ledger.mending import REGISTER
from jiuzhu_cli.ledger.store import Store
from jiuzhu_cli.policy.return_reasons import OTHER, ReturnReason

if TYPE_CHECKING:
    import duckdb

    from jiuzhu_cli.policy.load import Policy

CHANGED, RENAMED, RESTORED, LATER = "换了账户", "改了户名", "原账户可用", "暂不发放"
HANDLED = (CHANGED, RENAMED, RESTORED, LATER)
SELF = "本人"
RELATIONS = (SELF, "同户家人", "监护人", "代养机构", "其他")

# the form's word for the roll's account of that recipient; the newest counts
_APPLY = """
UPDATE cases SET bank_code = CASE WHEN m.account_no = m.old_account THEN cases.bank_code END, account_no = m.account_no, payee_name = m.payee_name, payee_id_no = m.payee_id_no, bank_name = m.bank_name, mended = m.key,
       mended_line = m.line_id
FROM mended m WHERE m.recipient IN (cases.id_no, coalesce(cases.head_id_no, '')) AND m.old_account = coalesce(cases.account_no, '')
"""


@dataclass(frozen=True, slots=True)
class Mended:
    """A refused account of a recipient (``old_account``) and what is paid into instead; ``key`` names the form's row."""

    recipient: str
    old_account: str
    account_no: str
    payee_name: str
    payee_id_no: str
    bank_name: str
    key: str
    line_id: int


def key_of(payment_id: int, transfer_no: int) -> str:
    """How a form names a transfer of a batch; no spreadsheet takes it for a date."""
    return f"P{payment_id}-{transfer_no}"


def wants_mending(reason: ReturnReason) -> bool:
    """Whether somebody has to look after the line before it is sent again; what the bank did not explain, too, may be mended."""
    return reason.at_fault or reason.id == OTHER


def reason_of(policy: Policy, line: dict[str, Any]) -> ReturnReason:
    """The reason of a refused line; of lines booked before reasons had codes, by the bank's words."""
    return (
        policy.reasons[line["reason_code"]]
        if line["reason_code"]
        else policy.reasons.find(line["reason"], line["bank"])
    )


def read_mended(store: Store, policy: Policy) -> tuple[list[Mended], dict[int, str]]:
    """What may be paid instead of refused accounts, and why rows of forms cannot be used (line → Chinese)."""
    lines = record.mended_lines(store)
    homes = record.households(store, sorted({line["roll_row_id"] for line in lines}))
    usable: dict[tuple[str, str], Mended] = {}
    wrong: dict[int, str] = {}
    named = {(line["row_id"], line["recipient_id_no"]) for line in lines} | {
        (line["row_id"], line["old_payee_id"]) for line in lines
    }
    for line in lines:
        own = (line["row_id"], line["id_no"]) in named
        problem = _problem(policy, line, homes.get(line["roll_row_id"], {})) if own else "笔号与身份证号对不上"
        wrong.pop(line["line_id"], None)
        if problem:
            wrong[line["line_id"]] = problem
        for account in filter(None, dict.fromkeys((line["roll_account"], line["old_account"]))):
            if problem or line["status"] == LATER:  # the newest word counts, also where it is no use
                usable.pop((line["recipient_id_no"], account), None)
                continue
            one = _mended(line, homes.get(line["roll_row_id"], {}))
            usable[line["recipient_id_no"], account] = Mended(line["recipient_id_no"], account, **one)
    return list(usable.values()), wrong


def _mended(line: dict[str, Any], home: dict[str, str]) -> dict[str, Any]:
    name = line["payee_name"] or line["old_payee"]
    known = {
        normalise_name(line["recipient_name"]): line["recipient_id_no"],
        normalise_name(line["old_payee"]): line["old_payee_id"],
    }
    known = {normalise_name(member): id_no for member, id_no in home.items()} | known
    payee = known.get(normalise_name(name), line["old_payee_id"] if line["relation"] == SELF else "")
    return {
        "account_no": line["account_no"] or line["old_account"], "payee_name": name, "payee_id_no": payee,
        "bank_name": line["bank_name"] or line["old_bank_name"], "key": line["key"], "line_id": line["line_id"],
    }  # fmt: skip


def _problem(policy: Policy, line: dict[str, Any], home: dict[str, str]) -> str:
    """Why a form's row cannot be used; '' when it can. The account's own digits were judged at import."""
    reason = reason_of(policy, line)
    status, account, name = line["status"] or "", line["account_no"] or "", line["payee_name"] or ""
    if status not in HANDLED:
        return f"处理“{status}”看不懂，请在下拉里选"
    if line["state"] not in ("failed", "reversed"):
        return "这一笔没有失败"
    if status == LATER:
        return ""
    if not line["organisation"]:
        return "没有写核实人"
    new_account = account not in ("", line["old_account"])
    new_name = normalise_name(name) not in ("", normalise_name(line["old_payee"]))
    if status == RESTORED:
        if new_account or new_name:
            return "写了原账户可用，又填了新账户或新户名"
        return "" if reason.again != "never" else f"因{reason.name}退回的，原账户不能再用，请换账户或改户名"
    if status == CHANGED and not new_account:
        return "写了换了账户，没有填新账号（或与原账号相同）"
    if status == RENAMED and not (new_name or new_account):
        return "写了改了户名，没有填新户名（或与原户名相同）"
    if reason.refused == "account" and not new_account:
        return f"因{reason.name}退回的，要换账户（原账户 {mask_account(line['old_account'])}）"
    known = {normalise_name(one) for one in (line["recipient_name"], line["old_payee"], *home)}
    if new_name and normalise_name(name) not in known and line["relation"] not in RELATIONS[:-1]:
        return "新户名不是本人、同户成员，要写明与本人的关系"
    return ""


def apply_mended(connection: duckdb.DuckDBPyConnection, store: Store, policy: Policy) -> None:
    """Makes ``rejected`` (lines that may not be sent again as they are; see ``holds_account``) and ``refused`` (those whose account somebody has to look
    after) and gives ``cases`` the accounts that were mended: ``mended`` (the form's row, '' for none) and
    ``mended_line`` (the refused line that it answers; 0)."""
    import pyarrow as pa

    mended, wrong = read_mended(store, policy)
    connection.execute("ALTER TABLE cases ADD COLUMN mended VARCHAR DEFAULT ''")
    connection.execute("ALTER TABLE cases ADD COLUMN mended_line BIGINT DEFAULT 0")
    if mended:
        names = ("recipient", "old_account", "account_no", "payee_name", "payee_id_no", "bank_name", "key")
        columns = {name: pa.array([getattr(one, name) for one in mended], pa.string()) for name in names}
        table = pa.table(columns | {"line_id": pa.array([one.line_id for one in mended], pa.int64())})
        connection.register("mended", table)
        connection.execute(_APPLY)
        connection.unregister("mended")
    refused, told_of = [], []
    for line in record.refused_lines(store):
        reason = reason_of(policy, line)
        told_of += [line] if wants_mending(reason) else []
        if reason.at_fault:
            told = f"{reason.name}（{line['day']}，{mask_account(line['account_no'])}）"
            if line["line_id"] in wrong:
                told += f"；更正表 {key_of(line['payment_id'], line['transfer_no'])} 没有采用：{wrong[line['line_id']]}"
            refused.append(line | {"kind": reason.refused, "told": told})
    texts = ("recipient_id_no", "account_no", "payee_name", "payee_id_no", "kind", "told")
    for name, rows, words, numbers in (
        ("rejected", refused, texts, ("line_id", "obligation_id")),
        ("refused", told_of, ("programme", "recipient_id_no", "account_no", "returned_at"), ("line_id",)),
    ):
        table = pa.table(
            {column: pa.array([one[column] for one in rows], pa.string()) for column in words}
            | {column: pa.array([one[column] for one in rows], pa.int64()) for column in numbers}
        )
        connection.register("incoming", table)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
        connection.unregister("incoming")


__all__ = [
    "HANDLED",
    "REGISTER",
    "RELATIONS",
    "Mended",
    "apply_mended",
    "key_of",
    "read_mended",
    "reason_of",
    "wants_mending",
]
